/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The metadata of a frame. Members of messages are merged by their text
 * (gva-messages.c); our own are written straight to the buffer.
 */
#include "publish/metadata-json.h"

#include "base/json.h"
#include "publish/gva-messages.h"
#include "publish/json-text.h"
#include "publish/region-json.h"
#include <string.h>
#include <sys/random.h>

#define APPEND VIGIL_JSON_TEXT_APPEND

/* Of our own text, which the limits of messages keep well below. */
#define BYTES_MAX ((size_t)256 * 1024 * 1024)
enum { DEPTH_MAX = 128 };

struct _VigilMetadataJson {
  GString *text;
  GString *annotations;  /* the members, each with a comma before it */
  gboolean is_converted; /* this frame's annotations are made from regions */
  gboolean has_gva_meta; /* this frame's regions are in gva_meta */
  VigilGvaMessages *messages;
  char *pipeline_head; /* text from "pipeline" up to the status' values */
  char *instance_json; /* the id, quoted */
  char *tags_json;     /* nullable */
  char *handle;        /* quoted */
  unsigned handle_length;
  gboolean convert_to_dcaas;
  uint64_t random;
};

static char *
dup_quoted (const char *value)
{
  g_autoptr (GString) text = g_string_new (NULL);

  vigil_json_append_string (text, value != NULL ? value : "", -1);
  return g_string_free (g_steal_pointer (&text), FALSE);
}

VigilMetadataJson *
vigil_metadata_json_new (const VigilMetadataJsonOptions *options)
{
  VigilMetadataJson *self = g_new0 (VigilMetadataJson, 1);
  g_autofree char *version = dup_quoted (options->pipeline_name);

  self->text = g_string_sized_new (8192);
  self->annotations = g_string_new (NULL);
  self->messages = vigil_gva_messages_new ();
  self->instance_json = dup_quoted (options->instance_id);
  self->pipeline_head =
      g_strdup_printf ("\"pipeline\":{\"name\":\"user_defined_pipelines\","
                       "\"version\":%s,\"instance_id\":%s,\"status\":{",
          version, self->instance_json);
  self->tags_json = g_strdup (options->tags_json);
  self->handle_length = options->img_handle_length;
  self->handle = g_malloc0 ((size_t)self->handle_length + 3);
  self->convert_to_dcaas = options->convert_to_dcaas;
  /* Handles of two processes must differ, also when both start at once. */
  if (getrandom (&self->random, sizeof self->random, GRND_NONBLOCK) !=
      (ssize_t)sizeof self->random)
    self->random = (uint64_t)g_get_monotonic_time () ^ (uintptr_t)self;
  return self;
}

void
vigil_metadata_json_free (VigilMetadataJson *self)
{
  if (self == NULL)
    return;
  g_string_free (self->text, TRUE);
  g_string_free (self->annotations, TRUE);
  vigil_gva_messages_free (self->messages);
  g_free (self->pipeline_head);
  g_free (self->instance_json);
  g_free (self->tags_json);
  g_free (self->handle);
  g_free (self);
}

/* ---- Keys of the frame itself ------------------------------------------- */

/* splitmix64: a handle has to be unlikely to come twice, not secret. */
static uint64_t
next_random (VigilMetadataJson *self)
{
  uint64_t z = self->random += UINT64_C (0x9e3779b97f4a7c15);

  z = (z ^ (z >> 30)) * UINT64_C (0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C (0x94d049bb133111eb);
  return z ^ (z >> 31);
}

static void
append_handle (VigilMetadataJson *self)
{
  static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
  uint64_t random = 0;

  self->handle[0] = '"';
  for (unsigned i = 0; i < self->handle_length; i++) {
    if (i % 8 == 0)
      random = next_random (self);
    self->handle[i + 1] = alphabet[(random & 0xff) * 36 >> 8];
    random >>= 8;
  }
  self->handle[self->handle_length + 1] = '"';
  vigil_json_text_append (
      self->text, self->handle, (size_t)self->handle_length + 2);
}

/* Appends the key with the value of a message.
 * Returns: FALSE when no message brings it; then the key alone stands. */
static gboolean
append_merged (VigilMetadataJson *self, const char *key)
{
  const VigilGvaMember *member;

  vigil_json_text_append (self->text, "\"", 1);
  vigil_json_text_append (self->text, key, strlen (key));
  vigil_json_text_append (self->text, "\":", 2);
  if (vigil_gva_messages_get_size (self->messages) == 0)
    return FALSE;
  member = vigil_gva_messages_find (self->messages, key);
  if (member == NULL)
    return FALSE;
  vigil_json_text_append (self->text, member->value, member->value_length);
  return TRUE;
}

/* Contract keys 1 to 6; a message may replace each. */
static void
append_frame_keys (VigilMetadataJson *self, const VigilFrame *frame)
{
  GString *text = self->text;

  if (!append_merged (self, "height"))
    vigil_json_append_integer (text, frame->height);
  APPEND (text, ",");
  if (!append_merged (self, "width"))
    vigil_json_append_integer (text, frame->width);
  APPEND (text, ",");
  if (!append_merged (self, "channels"))
    vigil_json_append_integer (text, vigil_frame_get_channels (frame));
  APPEND (text, ",");
  if (!append_merged (self, "caps"))
    vigil_json_append_string (text, frame->caps != NULL ? frame->caps : "", -1);
  APPEND (text, ",");
  if (!append_merged (self, "img_format"))
    vigil_json_append_string (
        text, frame->format != NULL ? frame->format : "none", -1);
  APPEND (text, ",");
  if (!append_merged (self, "img_handle"))
    append_handle (self);
}

/* ---- Keys of messages and regions ---------------------------------------- */

static gboolean
is_one_of (const VigilGvaMember *member, const char *const *names)
{
  for (unsigned i = 0; names[i] != NULL; i++) {
    if (strlen (names[i]) == member->key_length &&
        memcmp (names[i], member->key, member->key_length) == 0)
      return TRUE;
  }
  return FALSE;
}

/* TRUE when the member's value has its place elsewhere, or none because we
 * write that key ourselves. */
static gboolean
is_own_key (const VigilMetadataJson *self, const VigilGvaMember *member,
    const VigilFrame *frame, const VigilImageEncoding *encoding)
{
  static const char *const always[] = {"height", "width", "channels", "caps",
      "img_format", "img_handle", "objects", "resolution", "tags", "timestamp",
      "gva_meta", "pipeline", "frame_id", "annotations", "pts", "time", NULL};
  static const char *const of_encoding[] = {
      "encoding_type", "encoding_level", NULL};
  static const char *const of_conversion[] = {
      "annotation_type", "last_modified", "export_code", NULL};
  static const char *const of_capture[] = {"capture_time", NULL};

  return is_one_of (member, always) ||
         (encoding->is_known && is_one_of (member, of_encoding)) ||
         (self->is_converted && is_one_of (member, of_conversion)) ||
         (frame->capture_time != VIGIL_TIME_NONE &&
             is_one_of (member, of_capture));
}

static void
append_message_members (VigilMetadataJson *self, const VigilFrame *frame,
    const VigilImageEncoding *encoding)
{
  unsigned size = vigil_gva_messages_get_size (self->messages);

  for (unsigned i = 0; i < size; i++) {
    const VigilGvaMember *member = vigil_gva_messages_get (self->messages, i);

    if (is_own_key (self, member, frame, encoding))
      continue;
    APPEND (self->text, ",\"");
    vigil_json_text_append (self->text, member->key, member->key_length);
    APPEND (self->text, "\":");
    vigil_json_text_append (self->text, member->value, member->value_length);
  }
}

/* What gvametaconvert would bring, for pipelines without it. */
static void
append_result_keys (
    VigilMetadataJson *self, const VigilFrame *frame, unsigned *ret_errors)
{
  GString *text = self->text;

  APPEND (text, ",");
  if (!append_merged (self, "objects"))
    vigil_region_json_append_objects (text, frame, ret_errors);
  APPEND (text, ",");
  if (!append_merged (self, "resolution")) {
    APPEND (text, "{\"height\":");
    vigil_json_append_integer (text, frame->height);
    APPEND (text, ",\"width\":");
    vigil_json_append_integer (text, frame->width);
    APPEND (text, "}");
  }
  APPEND (text, ",");
  if (self->tags_json != NULL) {
    APPEND (text, "\"tags\":");
    vigil_json_text_append (text, self->tags_json, strlen (self->tags_json));
  } else if (!append_merged (self, "tags")) {
    APPEND (text, "{}");
  }
  APPEND (text, ",");
  if (append_merged (self, "timestamp"))
    return;
  if (frame->stream_time != VIGIL_TIME_NONE)
    vigil_json_append_integer (text, frame->stream_time);
  else
    APPEND (text, "null");
}

/* ---- Keys after the merge ----------------------------------------------- */

static void
append_encoding (GString *text, const VigilImageEncoding *encoding)
{
  if (!encoding->is_known)
    return;
  APPEND (text, ",\"encoding_type\":");
  if (encoding->type != NULL)
    vigil_json_append_string (text, encoding->type, -1);
  else
    APPEND (text, "null");
  APPEND (text, ",\"encoding_level\":");
  if (encoding->level >= 0)
    vigil_json_append_integer (text, encoding->level);
  else
    APPEND (text, "null");
}

static void
append_time_or_null (GString *text, double seconds)
{
  if (seconds >= 0)
    vigil_json_append_number (text, seconds);
  else
    APPEND (text, "null");
}

static void
append_pipeline (VigilMetadataJson *self, const VigilInstanceState *state)
{
  GString *text = self->text;

  APPEND (text, ",");
  vigil_json_text_append (
      text, self->pipeline_head, strlen (self->pipeline_head));
  APPEND (text, "\"avg_fps\":");
  vigil_json_append_number (text, state->avg_fps);
  APPEND (text, ",\"avg_pipeline_latency\":");
  append_time_or_null (text, state->avg_pipeline_latency);
  APPEND (text, ",\"elapsed_time\":");
  append_time_or_null (text, state->elapsed_time);
  APPEND (text, ",\"id\":");
  vigil_json_text_append (
      text, self->instance_json, strlen (self->instance_json));
  APPEND (text, ",\"message\":");
  vigil_json_append_string (
      text, state->message != NULL ? state->message : "", -1);
  APPEND (text, ",\"start_time\":");
  append_time_or_null (text, state->start_time);
  APPEND (text, ",\"state\":");
  vigil_json_append_string (text, state->state != NULL ? state->state : "", -1);
  APPEND (text, "}}");
}

/*
 * Annotations stand after the pipeline, but decide about gva_meta before it:
 * regions that stand in them are not told twice. So they are made first.
 */
static void
make_annotations (
    VigilMetadataJson *self, const VigilFrame *frame, int64_t now_ns)
{
  GString *text = self->annotations;
  const VigilGvaMember *member =
      vigil_gva_messages_find (self->messages, "annotations");

  g_string_truncate (text, 0);
  self->is_converted = self->convert_to_dcaas && member == NULL;
  self->has_gva_meta = TRUE;
  if (self->is_converted) {
    self->has_gva_meta = FALSE;
    APPEND (text, ",\"annotations\":");
    vigil_region_json_append_annotations (text, frame->metadata);
    APPEND (text, ",\"annotation_type\":\"auto\",\"last_modified\":");
    vigil_json_append_integer (text, now_ns);
    APPEND (text, ",\"export_code\":0");
  } else if (member != NULL) {
    APPEND (text, ",\"annotations\":");
    if (vigil_region_json_append_tracked (
            text, member->value, (gssize)member->value_length, frame->metadata))
      self->has_gva_meta = FALSE;
    else
      vigil_json_text_append (text, member->value, member->value_length);
  }
}

static void
append_gva_meta (VigilMetadataJson *self, const VigilFrame *frame)
{
  APPEND (self->text, ",\"gva_meta\":");
  if (self->has_gva_meta)
    vigil_region_json_append_gva_meta (self->text, frame->metadata);
  else
    APPEND (self->text, "[]");
}

static void
append_times (VigilMetadataJson *self, const VigilFrame *frame, int64_t now_ns)
{
  GString *text = self->text;

  APPEND (text, ",");
  if (!append_merged (self, "pts")) {
    if (frame->pts != VIGIL_TIME_NONE)
      vigil_json_append_integer (text, frame->pts);
    else
      APPEND (text, "null");
  }
  if (frame->capture_time != VIGIL_TIME_NONE) {
    APPEND (text, ",");
    if (!append_merged (self, "capture_time"))
      vigil_json_append_integer (text, frame->capture_time);
  }
  APPEND (text, ",\"time\":");
  vigil_json_append_integer (text, now_ns);
}

const GString *
vigil_metadata_json_write (VigilMetadataJson *self, const VigilFrame *frame,
    const VigilImageEncoding *encoding, const VigilInstanceState *state,
    int64_t now_ns, unsigned *ret_errors)
{
  const GPtrArray *messages = frame->metadata->messages;

  *ret_errors = 0;
  vigil_gva_messages_clear (self->messages);
  for (unsigned i = 0; i < messages->len; i++) {
    if (!vigil_gva_messages_add (
            self->messages, g_ptr_array_index (messages, i)))
      ++*ret_errors;
  }
  make_annotations (self, frame, now_ns);
  g_string_truncate (self->text, 0);
  APPEND (self->text, "{");
  append_frame_keys (self, frame);
  append_message_members (self, frame, encoding);
  append_result_keys (self, frame, ret_errors);
  append_gva_meta (self, frame);
  append_encoding (self->text, encoding);
  append_pipeline (self, state);
  APPEND (self->text, ",\"frame_id\":");
  vigil_json_append_integer (self->text, (int64_t)frame->frame_id);
  vigil_json_text_append (
      self->text, self->annotations->str, self->annotations->len);
  append_times (self, frame, now_ns);
  APPEND (self->text, "}");
  return self->text;
}

VigilJson *
vigil_metadata_json_parse (GBytes *text)
{
  gsize size;
  const char *bytes = g_bytes_get_data (text, &size);

  return vigil_json_parse (bytes, (gssize)size, BYTES_MAX, DEPTH_MAX, NULL);
}

GBytes *
vigil_metadata_json_print (const VigilJson *tree)
{
  char *text = vigil_json_to_text (tree);

  return g_bytes_new_take (text, strlen (text));
}
