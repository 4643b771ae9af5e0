/* SPDX-License-Identifier: Apache-2.0 */
/* /metrics: one table of what is measured for each subject. */
#include "rest/rest-metrics.h"

#include "base/metrics.h"
#include <stdio.h>
#include <unistd.h>

#define CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* An instance at the moment of the scrape; all rows see the same one. */
typedef struct {
  VigilInstance *instance;
  VigilInstanceStatus status;
} Sample;

typedef struct {
  const char *name;
  const char *type;
  const char *help;
  double (*get) (const VigilInstanceStatus *status);
} InstanceMetric;

typedef struct {
  const char *name;
  const char *type;
  const char *help;
  double (*get) (const VigilDestinationStatus *status);
} DestinationMetric;

static double
get_fps (const VigilInstanceStatus *status)
{
  return status->pipeline.avg_fps;
}

static double
get_running (const VigilInstanceStatus *status)
{
  return status->pipeline.state == VIGIL_PIPELINE_RUNNING;
}

static double
get_frames (const VigilInstanceStatus *status)
{
  return (double)status->pipeline.frames;
}

static double
get_frames_dropped (const VigilInstanceStatus *status)
{
  return (double)status->publisher.frames_dropped;
}

static double
get_frames_waiting (const VigilInstanceStatus *status)
{
  return (double)status->publisher.frames_waiting;
}

static double
get_encoded (const VigilInstanceStatus *status)
{
  return (double)status->publisher.encoded;
}

static double
get_encode_errors (const VigilInstanceStatus *status)
{
  return (double)status->publisher.encode_errors;
}

static double
get_encode_seconds (const VigilInstanceStatus *status)
{
  return (double)status->publisher.encode_us / G_USEC_PER_SEC;
}

static double
get_metadata_errors (const VigilInstanceStatus *status)
{
  return (double)status->publisher.metadata_errors;
}

static const InstanceMetric instance_metrics[] = {
    {"vigil_instance_running", "gauge", "1 while the instance runs.",
        get_running},
    {"vigil_instance_fps", "gauge", "Frames per second since the start.",
        get_fps},
    {"vigil_instance_frames_total", "counter",
        "Frames that reached the appsink.", get_frames},
    {"vigil_instance_frames_dropped_total", "counter",
        "Frames dropped by the frame queue.", get_frames_dropped},
    {"vigil_instance_frames_waiting", "gauge",
        "Frames that wait for the worker.", get_frames_waiting},
    {"vigil_instance_encoded_total", "counter", "Frames encoded.", get_encoded},
    {"vigil_instance_encode_errors_total", "counter",
        "Frames that could not be encoded.", get_encode_errors},
    {"vigil_instance_encode_seconds_total", "counter", "CPU time of encoding.",
        get_encode_seconds},
    {"vigil_instance_metadata_errors_total", "counter",
        "Messages of elements that could not be read.", get_metadata_errors},
};

static double
get_connected (const VigilDestinationStatus *status)
{
  return g_strcmp0 (status->state, "connected") == 0;
}

static double
get_offered (const VigilDestinationStatus *status)
{
  return (double)status->offered;
}

static double
get_filtered (const VigilDestinationStatus *status)
{
  return (double)status->filtered;
}

static double
get_queued (const VigilDestinationStatus *status)
{
  return (double)status->queued;
}

static double
get_queued_bytes (const VigilDestinationStatus *status)
{
  return (double)status->queued_bytes;
}

static double
get_in_flight (const VigilDestinationStatus *status)
{
  return (double)status->in_flight;
}

static double
get_published (const VigilDestinationStatus *status)
{
  return (double)status->published;
}

static double
get_acknowledged (const VigilDestinationStatus *status)
{
  return (double)status->acknowledged;
}

static double
get_bytes (const VigilDestinationStatus *status)
{
  return (double)status->bytes;
}

static double
get_reduced (const VigilDestinationStatus *status)
{
  return (double)status->reduced;
}

static double
get_connects (const VigilDestinationStatus *status)
{
  return (double)status->connects;
}

static const DestinationMetric destination_metrics[] = {
    {"vigil_destination_connected", "gauge", "1 while connected.",
        get_connected},
    {"vigil_destination_offered_total", "counter",
        "Messages handed to the destination.", get_offered},
    {"vigil_destination_filtered_total", "counter",
        "Messages that its filter kept back.", get_filtered},
    {"vigil_destination_queue_messages", "gauge", "Messages that wait.",
        get_queued},
    {"vigil_destination_queue_bytes", "gauge", "Bytes that wait.",
        get_queued_bytes},
    {"vigil_destination_in_flight", "gauge",
        "Messages sent and not yet acknowledged.", get_in_flight},
    {"vigil_destination_published_total", "counter",
        "Messages written whole, no acknowledgement asked.", get_published},
    {"vigil_destination_acknowledged_total", "counter",
        "Messages acknowledged.", get_acknowledged},
    {"vigil_destination_bytes_total", "counter", "Payload bytes sent.",
        get_bytes},
    {"vigil_destination_reduced_total", "counter",
        "Messages sent in a smaller form, which the peer could take.",
        get_reduced},
    {"vigil_destination_connects_total", "counter",
        "Connections made; all but the first are reconnects.", get_connects},
};

/* ---- Text -------------------------------------------------------------- */

/* The labels of an instance, or with @destination (nullable) of that, and
 * with @reason (nullable) of its drops. */
typedef struct {
  VigilMetricLabel list[5];
} Labels;

static Labels
make_labels (const Sample *sample, const VigilInstanceDestination *destination,
    const char *reason)
{
  Labels labels = {{
      {"pipeline", vigil_instance_get_pipeline_name (sample->instance)},
      {"instance", vigil_instance_get_id (sample->instance)},
  }};

  if (destination != NULL)
    labels.list[2] = (VigilMetricLabel){"destination", destination->name};
  if (reason != NULL)
    labels.list[3] = (VigilMetricLabel){"reason", reason};
  return labels;
}

static void
append_instance_metrics (GString *text, GArray *samples)
{
  for (size_t row = 0; row < G_N_ELEMENTS (instance_metrics); row++) {
    const InstanceMetric *metric = &instance_metrics[row];

    vigil_metrics_append_head (text, metric->name, metric->type, metric->help);
    for (unsigned i = 0; i < samples->len; i++) {
      const Sample *sample = &g_array_index (samples, Sample, i);
      const Labels labels = make_labels (sample, NULL, NULL);

      vigil_metrics_append_sample (
          text, metric->name, labels.list, metric->get (&sample->status));
    }
  }
}

typedef void (*AppendFunc) (GString *text, const Sample *sample,
    const VigilInstanceDestination *destination, const void *data);

static void
for_each_destination (
    GString *text, GArray *samples, AppendFunc append, const void *data)
{
  for (unsigned i = 0; i < samples->len; i++) {
    const Sample *sample = &g_array_index (samples, Sample, i);

    for (unsigned j = 0; j < sample->status.destinations_size; j++)
      append (text, sample, &sample->status.destinations[j], data);
  }
}

static void
append_destination_sample (GString *text, const Sample *sample,
    const VigilInstanceDestination *destination, const void *data)
{
  const DestinationMetric *metric = data;
  const Labels labels = make_labels (sample, destination, NULL);

  vigil_metrics_append_sample (
      text, metric->name, labels.list, metric->get (&destination->status));
}

static void
append_drops (GString *text, const Sample *sample,
    const VigilInstanceDestination *destination, const void *name)
{
  for (unsigned i = 0; i < destination->status.dropped_size; i++) {
    const Labels labels = make_labels (
        sample, destination, destination->status.dropped[i].reason);

    vigil_metrics_append_sample (
        text, name, labels.list, (double)destination->status.dropped[i].count);
  }
}

static void
append_latencies (GString *text, const Sample *sample,
    const VigilInstanceDestination *destination, const void *name)
{
  const Labels labels = make_labels (sample, destination, NULL);

  vigil_metrics_append_histogram (
      text, name, labels.list, &destination->status.latencies);
}

static void
append_destination_metrics (GString *text, GArray *samples)
{
  static const char dropped[] = "vigil_destination_dropped_total";
  static const char latency[] = "vigil_destination_acknowledge_seconds";

  for (size_t row = 0; row < G_N_ELEMENTS (destination_metrics); row++) {
    const DestinationMetric *metric = &destination_metrics[row];

    vigil_metrics_append_head (text, metric->name, metric->type, metric->help);
    for_each_destination (text, samples, append_destination_sample, metric);
  }
  vigil_metrics_append_head (
      text, dropped, "counter", "Messages dropped, by reason.");
  for_each_destination (text, samples, append_drops, dropped);
  vigil_metrics_append_head (text, latency, "histogram",
      "Seconds from handing a message over to its acknowledgement.");
  for_each_destination (text, samples, append_latencies, latency);
}

/* ---- The process ------------------------------------------------------- */

static void
append_single (GString *text, const char *name, const char *type,
    const char *help, double value)
{
  vigil_metrics_append_head (text, name, type, help);
  vigil_metrics_append_sample (text, name, NULL, value);
}

/* Names as every exporter has them. */
static void
append_process (GString *text)
{
  struct timespec time;
  FILE *file = fopen ("/proc/self/statm", "re");
  unsigned long pages;
  unsigned long resident;

  clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &time);
  append_single (text, "process_cpu_seconds_total", "counter",
      "CPU time of the process.",
      (double)time.tv_sec + (double)time.tv_nsec / 1e9);
  if (file == NULL)
    return;
  if (fscanf (file, "%lu %lu", &pages, &resident) == 2)
    append_single (text, "process_resident_memory_bytes", "gauge",
        "Resident memory of the process.",
        (double)resident * (double)sysconf (_SC_PAGESIZE));
  fclose (file);
}

static void
clear_sample (gpointer data)
{
  Sample *sample = data;

  vigil_instance_status_clear (&sample->status);
}

void
vigil_rest_metrics_get (
    const VigilRestRequest *request, VigilRestResponse *response)
{
  g_autoptr (GPtrArray) instances =
      vigil_instance_manager_list (request->context->manager);
  g_autoptr (GArray) samples = g_array_new (FALSE, TRUE, sizeof (Sample));

  g_array_set_clear_func (samples, clear_sample);
  g_array_set_size (samples, instances->len);
  for (unsigned i = 0; i < instances->len; i++) {
    Sample *sample = &g_array_index (samples, Sample, i);

    sample->instance = g_ptr_array_index (instances, i);
    vigil_instance_get_status (sample->instance, &sample->status);
  }
  append_process (response->body);
  append_single (response->body, "vigil_instances_abandoned", "gauge",
      "Pipelines whose stop never came back.",
      vigil_pipeline_get_abandoned_count ());
  append_instance_metrics (response->body, samples);
  append_destination_metrics (response->body, samples);
  response->content_type = CONTENT_TYPE;
}
