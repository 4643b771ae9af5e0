/* SPDX-License-Identifier: Apache-2.0 */
/* Status, summary and end of instances. */
#include "rest/rest-instances.h"

#include "base/log.h"
#include <string.h>

#define MASK "***"

/* By {instance_id}, or by {name}/{version}/{instance_id}, where the version
 * must be the instance's. Returns: (transfer full) (nullable). */
static VigilInstance *
find (const VigilRestRequest *request)
{
  VigilInstanceManager *manager = request->context->manager;
  const char *version = request->arguments[1];
  g_autoptr (VigilInstance) instance = NULL;

  if (version == NULL)
    return vigil_instance_manager_find (manager, request->arguments[0]);
  instance = vigil_instance_manager_find (manager, request->arguments[2]);
  if (instance == NULL ||
      strcmp (vigil_instance_get_pipeline_name (instance), version) != 0)
    return NULL;
  return g_steal_pointer (&instance);
}

/* ---- Status ------------------------------------------------------------ */

static void
write_number_or_null (VigilJsonWriter *writer, const char *key, double value)
{
  vigil_json_writer_key (writer, key);
  if (value < 0)
    vigil_json_writer_null (writer);
  else
    vigil_json_writer_number (writer, value);
}

static void
write_count (VigilJsonWriter *writer, const char *key, uint64_t value)
{
  vigil_json_writer_key (writer, key);
  vigil_json_writer_integer (writer, (int64_t)value);
}

static void
write_destination (
    VigilJsonWriter *writer, const VigilInstanceDestination *destination)
{
  const VigilDestinationStatus *status = &destination->status;

  vigil_json_writer_begin_object (writer);
  vigil_json_writer_key (writer, "name");
  vigil_json_writer_string (writer, destination->name);
  vigil_json_writer_key (writer, "state");
  vigil_json_writer_string (writer, status->state);
  vigil_json_writer_key (writer, "last_error");
  vigil_json_writer_string (writer, status->last_error);
  write_number_or_null (writer, "next_retry_ms", (double)status->next_retry_ms);
  write_count (writer, "offered", status->offered);
  write_count (writer, "filtered", status->filtered);
  vigil_json_writer_key (writer, "dropped");
  vigil_json_writer_begin_object (writer);
  for (unsigned i = 0; i < status->dropped_size; i++)
    write_count (writer, status->dropped[i].reason, status->dropped[i].count);
  vigil_json_writer_end_object (writer);
  write_count (writer, "queued", status->queued);
  write_count (writer, "queued_bytes", status->queued_bytes);
  write_count (writer, "in_flight", status->in_flight);
  write_count (writer, "published", status->published);
  write_count (writer, "acknowledged", status->acknowledged);
  write_count (writer, "bytes", status->bytes);
  write_count (writer, "reduced", status->reduced);
  write_count (writer, "connects", status->connects);
  vigil_json_writer_end_object (writer);
}

static void
write_frames (VigilJsonWriter *writer, const VigilInstanceStatus *status)
{
  vigil_json_writer_key (writer, "frames");
  vigil_json_writer_begin_object (writer);
  write_count (writer, "taken", status->pipeline.frames);
  write_count (writer, "dropped", status->publisher.frames_dropped);
  write_count (writer, "waiting", status->publisher.frames_waiting);
  write_count (writer, "encoded", status->publisher.encoded);
  write_count (writer, "encode_errors", status->publisher.encode_errors);
  write_count (writer, "metadata_errors", status->publisher.metadata_errors);
  vigil_json_writer_end_object (writer);
}

/* The keys of DLSPS first; then ours. */
static void
write_status (VigilJsonWriter *writer, VigilInstance *instance)
{
  g_auto (VigilInstanceStatus) status = {0};
  g_autofree char *message = NULL;

  vigil_instance_get_status (instance, &status);
  message = vigil_log_mask (status.pipeline.message);
  vigil_json_writer_begin_object (writer);
  vigil_json_writer_key (writer, "id");
  vigil_json_writer_string (writer, vigil_instance_get_id (instance));
  vigil_json_writer_key (writer, "state");
  vigil_json_writer_string (
      writer, vigil_pipeline_state_name (status.pipeline.state));
  vigil_json_writer_key (writer, "avg_fps");
  vigil_json_writer_number (writer, status.pipeline.avg_fps);
  write_number_or_null (writer, "start_time", status.pipeline.start_time);
  write_number_or_null (writer, "elapsed_time", status.pipeline.elapsed_time);
  vigil_json_writer_key (writer, "message");
  vigil_json_writer_string (writer, message);
  if (status.pipeline.avg_latency >= 0)
    write_number_or_null (
        writer, "avg_pipeline_latency", status.pipeline.avg_latency);
  vigil_json_writer_key (writer, "pipeline");
  vigil_json_writer_string (
      writer, vigil_instance_get_pipeline_name (instance));
  write_frames (writer, &status);
  vigil_json_writer_key (writer, "destinations");
  vigil_json_writer_begin_array (writer);
  for (unsigned i = 0; i < status.destinations_size; i++)
    write_destination (writer, &status.destinations[i]);
  vigil_json_writer_end_array (writer);
  vigil_json_writer_end_object (writer);
}

static void
answer_status (VigilRestResponse *response, VigilInstance *instance)
{
  VigilJsonWriter writer;

  vigil_json_writer_init (&writer, response->body);
  write_status (&writer, instance);
  vigil_rest_response_finish_json (response, 200);
}

void
vigil_rest_instances_list (
    const VigilRestRequest *request, VigilRestResponse *response)
{
  g_autoptr (GPtrArray) instances =
      vigil_instance_manager_list (request->context->manager);
  VigilJsonWriter writer;

  vigil_json_writer_init (&writer, response->body);
  vigil_json_writer_begin_array (&writer);
  for (unsigned i = 0; i < instances->len; i++)
    write_status (&writer, g_ptr_array_index (instances, i));
  vigil_json_writer_end_array (&writer);
  vigil_rest_response_finish_json (response, 200);
}

void
vigil_rest_instances_get_status (
    const VigilRestRequest *request, VigilRestResponse *response)
{
  g_autoptr (VigilInstance) instance = find (request);

  if (instance == NULL)
    vigil_rest_response_set_string (response, 400, "Invalid instance");
  else
    answer_status (response, instance);
}

/* ---- Summary ----------------------------------------------------------- */

/* In names whose values are nobody's business: password, user-pw, token ... */
#define SECRET_WORDS                                                           \
  "pass(word|wd|phrase)|secret|token|[-_]pw|credential|authorization|cookie|"  \
  "(api|access|private)[-_]?key"
/* NAME=VALUE, as a property stands in a launch text. */
#define SECRET_PROPERTY                                                        \
  "([\\w-]*(?:" SECRET_WORDS                                                   \
  ")[\\w-]*\\s*=\\s*)(\"(\\\\.|[^\"\\\\])*\"|'[^']*'|[^\\s!]+)"

static const GRegex *
get_regex (const char *pattern, GRegex **once)
{
  if (g_once_init_enter (once))
    g_once_init_leave (once,
        g_regex_new (pattern, G_REGEX_CASELESS | G_REGEX_OPTIMIZE, 0, NULL));
  return *once;
}

static gboolean
is_secret_key (const char *key)
{
  static GRegex *once;

  return g_regex_match (get_regex (SECRET_WORDS, &once), key, 0, NULL);
}

/* The launch text without user information in URIs, and without values of
 * secret properties. */
static char *
mask_launch_text (const char *text)
{
  static GRegex *once;
  g_autofree char *masked = vigil_log_mask (text);

  return g_regex_replace (
      get_regex (SECRET_PROPERTY, &once), masked, -1, 0, "\\1" MASK, 0, NULL);
}

/* A copy of @value without secrets. */
static VigilJson *
mask (const VigilJson *value)
{
  VigilJsonIter iter = {0};
  const char *key;
  const VigilJson *member;
  VigilJson *copy;

  switch (vigil_json_get_type (value)) {
  case VIGIL_JSON_OBJECT:
    copy = vigil_json_new_object ();
    while (vigil_json_object_next (value, &iter, &key, &member))
      vigil_json_object_take (copy, key,
          is_secret_key (key) ? vigil_json_new_string (MASK) : mask (member));
    return copy;
  case VIGIL_JSON_ARRAY:
    copy = vigil_json_new_array ();
    for (size_t i = 0; i < vigil_json_array_size (value); i++)
      vigil_json_array_take (copy, mask (vigil_json_array_get (value, i)));
    return copy;
  case VIGIL_JSON_STRING: {
    g_autofree char *text = vigil_log_mask (vigil_json_get_string (value));

    return vigil_json_new_string (text);
  }
  case VIGIL_JSON_INTEGER:
  case VIGIL_JSON_REAL:
  case VIGIL_JSON_BOOLEAN:
  case VIGIL_JSON_NULL:
    return vigil_json_copy (value);
  }
  return vigil_json_new_null ();
}

static void
write_member (VigilJsonWriter *writer, const VigilJson *object, const char *key,
    gboolean as_object)
{
  const VigilJson *value = vigil_json_object_get (object, key);

  vigil_json_writer_key (writer, key);
  if (value != NULL) {
    vigil_json_writer_value (writer, value);
  } else if (as_object) {
    vigil_json_writer_begin_object (writer);
    vigil_json_writer_end_object (writer);
  } else {
    vigil_json_writer_null (writer);
  }
}

static VigilJson *
name_pipeline (VigilInstance *instance)
{
  VigilJson *pipeline = vigil_json_new_object ();

  vigil_json_object_take (
      pipeline, "name", vigil_json_new_string ("user_defined_pipelines"));
  vigil_json_object_take (pipeline, "version",
      vigil_json_new_string (vigil_instance_get_pipeline_name (instance)));
  return pipeline;
}

static void
write_params (
    VigilJsonWriter *writer, VigilInstance *instance, const VigilJson *request)
{
  vigil_json_writer_begin_object (writer);
  vigil_json_writer_key (writer, "name");
  vigil_json_writer_string (writer, "user_defined_pipelines");
  vigil_json_writer_key (writer, "version");
  vigil_json_writer_string (
      writer, vigil_instance_get_pipeline_name (instance));
  vigil_json_writer_key (writer, "instance_id");
  vigil_json_writer_string (writer, vigil_instance_get_id (instance));
  vigil_json_writer_key (writer, "source_type");
  vigil_json_writer_string (writer,
      vigil_instance_takes_images (instance) ? "image_ingestor" : "gstreamer");
  write_member (writer, request, "source", FALSE);
  write_member (writer, request, "destination", FALSE);
  write_member (writer, request, "parameters", TRUE);
  write_member (writer, request, "tags", TRUE);
  vigil_json_writer_key (writer, "request");
  vigil_json_writer_value (writer, request);
  vigil_json_writer_end_object (writer);
}

static void
write_warnings (VigilJsonWriter *writer, VigilInstance *instance)
{
  vigil_json_writer_key (writer, "warnings");
  vigil_json_writer_begin_array (writer);
  for (const char *const *warning = vigil_instance_get_warnings (instance);
       *warning != NULL; warning++) {
    g_autofree char *text = vigil_log_mask (*warning);

    vigil_json_writer_string (writer, text);
  }
  vigil_json_writer_end_array (writer);
}

static void
write_summary (VigilJsonWriter *writer, VigilInstance *instance)
{
  const VigilJson *given = vigil_instance_get_request (instance);
  g_autoptr (VigilJson) request =
      given == NULL ? vigil_json_new_object () : mask (given);
  g_autoptr (VigilJson) rest = vigil_json_copy (request);
  g_autofree char *launch =
      mask_launch_text (vigil_instance_get_launch_text (instance));
  g_auto (VigilInstanceStatus) status = {0};

  vigil_instance_get_status (instance, &status);
  vigil_json_object_remove (rest, "source");
  vigil_json_object_remove (rest, "destination");
  vigil_json_object_take (rest, "pipeline", name_pipeline (instance));
  vigil_json_writer_begin_object (writer);
  vigil_json_writer_key (writer, "id");
  vigil_json_writer_string (writer, vigil_instance_get_id (instance));
  vigil_json_writer_key (writer, "request");
  vigil_json_writer_value (writer, rest);
  vigil_json_writer_key (writer, "type");
  vigil_json_writer_string (writer, "GStreamer");
  vigil_json_writer_key (writer, "launch_command");
  vigil_json_writer_string (writer, launch);
  vigil_json_writer_key (writer, "params");
  write_params (writer, instance, request);
  vigil_json_writer_key (writer, "state");
  vigil_json_writer_string (
      writer, vigil_pipeline_state_name (status.pipeline.state));
  write_warnings (writer, instance);
  vigil_json_writer_end_object (writer);
}

void
vigil_rest_instances_get_summary (
    const VigilRestRequest *request, VigilRestResponse *response)
{
  g_autoptr (VigilInstance) instance = find (request);
  VigilJsonWriter writer;

  if (instance == NULL) {
    vigil_rest_response_set_string (
        response, 400, "Pipeline instance not found");
    return;
  }
  vigil_json_writer_init (&writer, response->body);
  write_summary (&writer, instance);
  vigil_rest_response_finish_json (response, 200);
}

/* ---- Stop -------------------------------------------------------------- */

void
vigil_rest_instances_stop (
    const VigilRestRequest *request, VigilRestResponse *response)
{
  g_autoptr (VigilInstance) instance = find (request);

  if (instance == NULL) {
    vigil_rest_response_set_string (
        response, 400, "Invalid pipeline, version or instance");
    return;
  }
  vigil_instance_stop (instance);
  vigil_instance_wait (
      instance, g_get_monotonic_time () + request->context->settings->stop_ms *
                                              G_TIME_SPAN_MILLISECOND);
  answer_status (response, instance);
}
