/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a frame costs from the appsink to the socket, in CPU time of the
 * whole process: metadata of ten detections, with and without messages of
 * elements, beside jansson at the same work.
 */
#include "common/broker.h"
#include "filter/filter.h"
#include "publish/metadata-json.h"
#include "publish/payload.h"
#include "publish/publisher.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

enum { DETECTIONS = 10, BATCH = 1000, IMAGE_BYTES = 200 * 1024 };

static gboolean is_smoke;

static double
get_cpu_us (clockid_t clock)
{
  struct timespec now;

  clock_gettime (clock, &now);
  return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

/* The best of several runs, in us for one call. */
static double
measure (void (*work) (void *data), void *data)
{
  const int rounds = is_smoke ? 3 : 15;
  const int calls = is_smoke ? 100 : 500;
  double best = 1e30;

  for (int i = 0; i < rounds; i++) {
    const double start = get_cpu_us (CLOCK_THREAD_CPUTIME_ID);

    for (int j = 0; j < calls; j++)
      work (data);
    best = MIN (best, (get_cpu_us (CLOCK_THREAD_CPUTIME_ID) - start) / calls);
  }
  return best;
}

/* @peer: 0 when there is none. @limit: (nullable). */
static void
print_row (const char *name, double ours, double peer, const char *limit)
{
  printf ("%s\t%.2f\t", name, ours);
  if (peer > 0)
    printf ("%.2f\t%.2f\t", peer, ours / peer);
  else
    printf ("-\t-\t");
  printf ("%s\n", limit != NULL ? limit : "-");
  fflush (stdout);
}

/* ---- Frames -------------------------------------------------------------- */

static void
add_regions (VigilFrame *frame)
{
  for (int i = 0; i < DETECTIONS; i++) {
    VigilRegion *region = vigil_metadata_add_region (frame->metadata);
    VigilResult *result = vigil_metadata_add_result (region->results);

    region->label = g_strdup (i % 3 == 0 ? "car" : "person");
    region->x = 31 * i;
    region->y = 17 * i;
    region->width = 40 + i;
    region->height = 90 - i;
    region->id = i;
    region->object_id = i + 1;
    result->name = g_intern_static_string ("detection");
    result->has_confidence = result->has_label_id = result->has_box = TRUE;
    result->confidence = 0.5812345678 + i * 0.03;
    result->label_id = 4;
    result->x_min = (double)region->x / 768;
    result->y_min = (double)region->y / 576;
    result->x_max = (double)(region->x + region->width) / 768;
    result->y_max = (double)(region->y + region->height) / 576;
  }
}

/* @message: (nullable) what gvametaconvert would attach. */
static VigilFrame *
make_frame (const char *message)
{
  static const uint8_t image[IMAGE_BYTES];
  VigilFrame *frame = vigil_frame_new ();

  frame->caps = g_strdup ("image/jpeg, sof-marker=(int)0, width=(int)768, "
                          "height=(int)576, framerate=(fraction)10/1");
  frame->media_type = g_strdup ("image/jpeg");
  frame->width = 768;
  frame->height = 576;
  frame->pts = frame->stream_time = 133333333;
  frame->data = image;
  frame->size = sizeof image;
  add_regions (frame);
  if (message != NULL)
    vigil_metadata_take_message (frame->metadata, g_strdup (message));
  return frame;
}

static VigilMetadataJson *
new_writer (void)
{
  return vigil_metadata_json_new (&(VigilMetadataJsonOptions){
      .pipeline_name = "people",
      .instance_id = "0123456789abcdef0123456789abcdef",
      .img_handle_length = 10,
  });
}

static const GString *
write_metadata (VigilMetadataJson *writer, const VigilFrame *frame)
{
  static const VigilImageEncoding encoding = {TRUE, "jpeg", 85};
  static const VigilInstanceState state = {
      "RUNNING", 29.97, 0.031, 1753450000.125, 12.5, ""};
  unsigned errors;

  return vigil_metadata_json_write (
      writer, frame, &encoding, &state, g_get_real_time () * 1000, &errors);
}

/* ---- Metadata ----------------------------------------------------------- */

typedef struct {
  VigilMetadataJson *writer;
  VigilFrame *frame;
  char *text; /* what the peer reads, or builds anew */
} Text;

static void
write_ours (void *data)
{
  Text *self = data;

  write_metadata (self->writer, self->frame);
}

/* Prints a tree that is there already: the lesser half of what a program
 * does that builds trees. */
static void
print_tree (void *data)
{
  free (json_dumps (data, JSON_COMPACT));
}

static void
parse_text (void *data)
{
  Text *self = data;

  json_decref (json_loads (self->text, JSON_REJECT_DUPLICATES, NULL));
}

/* Returns: (transfer full) the members that gvametaconvert writes. */
static char *
make_message (const char *metadata)
{
  static const char *const keys[] = {
      "objects", "resolution", "tags", "timestamp"};
  json_t *tree = json_loads (metadata, 0, NULL);
  json_t *message = json_object ();
  char *printed;
  char *text;

  for (unsigned i = 0; i < G_N_ELEMENTS (keys); i++)
    json_object_set (message, keys[i], json_object_get (tree, keys[i]));
  printed = json_dumps (message, JSON_COMPACT);
  text = g_strdup (printed);
  free (printed);
  json_decref (message);
  json_decref (tree);
  return text;
}

static void
bench_metadata (void)
{
  Text text = {new_writer (), make_frame (NULL), NULL};
  json_t *tree;

  text.text = g_strdup (write_metadata (text.writer, text.frame)->str);
  tree = json_loads (text.text, 0, NULL);
  print_row ("metadata of 10 detections, us (peer: jansson prints it)",
      measure (write_ours, &text), measure (print_tree, tree), NULL);
  json_decref (tree);
  vigil_frame_unref (text.frame);

  g_free (text.text);
  text.frame = make_frame (NULL);
  text.text = make_message (write_metadata (text.writer, text.frame)->str);
  vigil_frame_unref (text.frame);
  text.frame = make_frame (text.text);
  print_row ("GVA message of 10 detections, us (peer: jansson reads it)",
      measure (write_ours, &text), measure (parse_text, &text), "peer + 8");
  vigil_frame_unref (text.frame);
  g_free (text.text);
  vigil_metadata_json_free (text.writer);
}

/* ---- Filter ------------------------------------------------------------- */

typedef struct {
  VigilFilter *filter;
  char *text;
} Filtered;

/* As the worker does it: read, judge, print what is left. */
static void
apply_filter (void *data)
{
  Filtered *self = data;
  g_autoptr (VigilJson) tree =
      vigil_json_parse (self->text, -1, 1 << 20, 64, NULL);
  g_autoptr (VigilJson) changed = NULL;

  if (vigil_filter_apply (self->filter, tree, &changed) && changed != NULL)
    g_free (vigil_json_to_text (changed));
}

static void
bench_filter (void)
{
  g_autoptr (VigilMetadataJson) writer = new_writer ();
  g_autoptr (VigilFrame) frame = make_frame (NULL);
  g_autoptr (VigilJson) settings = vigil_json_parse (
      "{\"type\": \"detection\", \"label_score\": {\"person\": 0.5}}", -1, 1000,
      10, NULL);
  Filtered filtered = {vigil_filter_new (settings),
      g_strdup (write_metadata (writer, frame)->str)};

  print_row ("filter, 6 of 10 detections pass, us",
      measure (apply_filter, &filtered), 0, NULL);
  vigil_filter_free (filtered.filter);
  g_free (filtered.text);
}

/* ---- Payload ------------------------------------------------------------ */

typedef struct {
  VigilMessage *message;
  VigilBufferPool *pool;
} Framed;

static void
build_payload (void *data)
{
  Framed *self = data;
  g_auto (VigilPayload) payload = {0};

  vigil_payload_init (
      &payload, VIGIL_PAYLOAD_ARRAY, TRUE, self->message, self->pool);
}

static void
build_with_glib (void *data)
{
  Framed *self = data;
  gsize size;
  const void *image = g_bytes_get_data (self->message->frame, &size);
  g_autofree char *base64 = g_base64_encode (image, size);
  g_autofree char *payload = g_strdup_printf ("[%s,\"%s\"]",
      (const char *)g_bytes_get_data (self->message->metadata, NULL), base64);
}

static void
bench_payload (void)
{
  g_autoptr (VigilMetadataJson) writer = new_writer ();
  g_autoptr (VigilFrame) frame = make_frame (NULL);
  const GString *text = write_metadata (writer, frame);
  Framed framed = {
      .message = vigil_message_new (g_bytes_new (text->str, text->len + 1),
          g_bytes_new_static (frame->data, frame->size), TRUE, "image/jpeg", 0),
      .pool = vigil_buffer_pool_new (4),
  };

  print_row ("payload of a 200 KB frame, us (peer: GLib's base64)",
      measure (build_payload, &framed), measure (build_with_glib, &framed),
      NULL);
  vigil_message_unref (framed.message);
  vigil_buffer_pool_unref (framed.pool);
}

/* ---- From push to socket ------------------------------------------------ */

static VigilPublisher *
start_publisher (const char *entry_text, const VigilEnvironment *environment)
{
  g_autoptr (VigilJson) entry =
      vigil_json_parse (entry_text, -1, 10000, 10, NULL);
  const VigilPublisherContext context = {
      .pipeline_name = "people",
      .instance_id = "0123456789abcdef0123456789abcdef",
      .environment = environment,
      .is_live = FALSE,
  };
  g_autoptr (GError) error = NULL;
  VigilPublisher *publisher = vigil_publisher_new (entry, &context, &error);

  if (publisher == NULL || !vigil_publisher_start (publisher, &error)) {
    fprintf (stderr, "bench-publish: %s\n", error->message);
    exit (1);
  }
  return publisher;
}

static uint64_t
count_done (VigilPublisher *publisher)
{
  VigilDestinationStatus status;
  const char *name;

  vigil_publisher_get_destination_status (publisher, 0, &name, &status);
  return status.published + status.acknowledged;
}

/* Frames are made before and freed after the time that counts; several
 * batches keep queue and connection saturated. */
static double
push_batch (VigilPublisher *publisher)
{
  static uint64_t pushed;
  g_autoptr (GPtrArray) frames =
      g_ptr_array_new_with_free_func ((GDestroyNotify)vigil_frame_unref);
  double start;

  for (int i = 0; i < BATCH; i++)
    g_ptr_array_add (frames, make_frame (NULL));
  start = get_cpu_us (CLOCK_PROCESS_CPUTIME_ID);
  for (int i = 0; i < BATCH; i++)
    vigil_publisher_push (
        publisher, vigil_frame_ref (g_ptr_array_index (frames, i)));
  pushed += BATCH;
  while (count_done (publisher) < pushed)
    g_usleep (1000);
  return (get_cpu_us (CLOCK_PROCESS_CPUTIME_ID) - start) / BATCH;
}

static void
bench_publisher (void)
{
  VigilFixture fixture = {0};
  g_autoptr (VigilBroker) broker = NULL;
  g_autoptr (VigilEnvironment) environment = vigil_environment_new (NULL, NULL);
  g_autofree char *entry = NULL;
  g_autoptr (VigilPublisher) publisher = NULL;
  double best = 1e30;

  vigil_fixture_set_up (&fixture, NULL);
  broker = vigil_broker_new (&fixture, 0, "log_type error");
  entry = g_strdup_printf ("{\"queue_maxsize\": 256, \"mqtt_publisher\": "
                           "{\"host\": \"%s\", \"port\": %u}}",
      vigil_broker_get_address (broker), vigil_broker_get_port (broker));
  publisher = start_publisher (entry, environment);
  for (int i = 0; i < (is_smoke ? 5 : 100); i++)
    best = MIN (best, push_batch (publisher));
  print_row (
      "10 detections, from push to socket, QoS 0, batched, us", best, 0, "8");
  vigil_publisher_stop (publisher, 1000);
  g_clear_pointer (&publisher, vigil_publisher_free);
  g_clear_pointer (&broker, vigil_broker_free);
  vigil_fixture_tear_down (&fixture, NULL);
}

int
main (int argc, char **argv)
{
  is_smoke = argc > 1 && strcmp (argv[1], "--smoke") == 0;
  vigil_fixture_init (&argc, &argv, 300);
  bench_metadata ();
  bench_filter ();
  bench_payload ();
  bench_publisher ();
  return 0;
}
