/* SPDX-License-Identifier: Apache-2.0 */

/* Takes the messages that vigil publishes apart again. */

#include "app/payload-reader.h"

#include "base/error.h"
#include <string.h>

#define MAXIMUM_DEPTH 128
#define NAME_LENGTH_MAX 100
#define FRAME_SEGMENT "/frame/"
#define BASE64_DIGITS                                                          \
  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

/* Finds the number in TOPIC/frame/NUMBER. @ret_topic_length: of TOPIC. */
static gboolean
parse_frame_topic (
    const char *topic, size_t *ret_topic_length, int64_t *ret_frame_id)
{
  const char *segment = g_strrstr (topic, FRAME_SEGMENT);
  guint64 number;

  if (segment == NULL ||
      !g_ascii_string_to_unsigned (
          segment + strlen (FRAME_SEGMENT), 10, 0, G_MAXINT64, &number, NULL))
    return FALSE;
  *ret_topic_length = segment - topic;
  *ret_frame_id = number;
  return TRUE;
}

/* GLib's decoder skips what is not base64; a reader that checks others must
 * not. Returns: (transfer full) (nullable). */
static GBytes *
decode_base64 (const char *text, GError **error)
{
  size_t length = strlen (text);
  size_t digits = strspn (text, BASE64_DIGITS);
  size_t padding = strspn (text + digits, "=");
  size_t size;
  guchar *data;

  if (length % 4 != 0 || padding > 2 || digits + padding != length) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID,
        "the frame: want standard base64, character %zu is not",
        MIN (digits + padding, length) + 1);
    return NULL;
  }
  data = g_base64_decode (text, &size);
  return g_bytes_new_take (data, size);
}

/* Splits the three shapes of JSON. The values are borrowed from @json. */
static gboolean
split (const VigilJson *json, const VigilJson **ret_metadata,
    const VigilJson **ret_blob, GError **error)
{
  *ret_metadata = json;
  *ret_blob = NULL;
  if (vigil_json_get_type (json) == VIGIL_JSON_ARRAY) {
    *ret_metadata = vigil_json_array_get (json, 0);
    *ret_blob = vigil_json_array_get (json, 1);
  } else if (vigil_json_object_get (json, "metadata") != NULL &&
             vigil_json_object_get (json, "blob") != NULL) {
    *ret_metadata = vigil_json_object_get (json, "metadata");
    *ret_blob = vigil_json_object_get (json, "blob");
  }
  if (*ret_metadata == NULL ||
      vigil_json_get_type (*ret_metadata) != VIGIL_JSON_OBJECT ||
      (*ret_blob != NULL && vigil_json_get_string (*ret_blob) == NULL)) {
    g_set_error_literal (error, VIGIL_ERROR, VIGIL_ERROR_INVALID,
        "want metadata, [metadata, frame] or {metadata, blob}");
    return FALSE;
  }
  return TRUE;
}

static gboolean
read_json (
    VigilPayloadReader *self, const void *payload, size_t size, GError **error)
{
  const VigilJson *metadata;
  const VigilJson *blob;
  const VigilJson *number;
  g_autoptr (VigilJson) json =
      vigil_json_parse (payload, size, size, MAXIMUM_DEPTH, error);

  if (json == NULL || !split (json, &metadata, &blob, error))
    return FALSE;
  if (blob != NULL && *vigil_json_get_string (blob) != '\0') {
    self->frame = decode_base64 (vigil_json_get_string (blob), error);
    if (self->frame == NULL)
      return FALSE;
  }
  number = vigil_json_object_get (metadata, "frame_id");
  if (number != NULL && vigil_json_get_type (number) == VIGIL_JSON_INTEGER)
    self->frame_id = MAX (vigil_json_get_integer (number), -1);
  self->metadata = vigil_json_copy (metadata);
  return TRUE;
}

gboolean
vigil_payload_reader_init (VigilPayloadReader *ret_reader, const char *topic,
    const void *payload, size_t size, GError **error)
{
  g_auto (VigilPayloadReader) self = {.frame_id = -1};
  size_t topic_length;

  if (parse_frame_topic (topic, &topic_length, &self.frame_id))
    self.frame = g_bytes_new (payload, size);
  else if (!read_json (&self, payload, size, error))
    return FALSE;
  *ret_reader = self;
  self = (VigilPayloadReader){0};
  return TRUE;
}

void
vigil_payload_reader_clear (VigilPayloadReader *self)
{
  g_clear_pointer (&self->metadata, vigil_json_unref);
  g_clear_pointer (&self->frame, g_bytes_unref);
}

static const char *
find_ending (GBytes *frame)
{
  static const struct {
    const char *magic;
    size_t magic_size;
    const char *ending;
  } kinds[] = {
      {"\xff\xd8\xff", 3, "jpg"},
      {"\x89PNG\r\n\x1a\n", 8, "png"},
  };
  size_t size;
  const void *data = g_bytes_get_data (frame, &size);

  for (size_t i = 0; i < G_N_ELEMENTS (kinds); i++)
    if (size >= kinds[i].magic_size &&
        memcmp (data, kinds[i].magic, kinds[i].magic_size) == 0)
      return kinds[i].ending;
  return "bin";
}

char *
vigil_payload_reader_dup_file_name (
    const VigilPayloadReader *self, const char *topic, uint64_t fallback)
{
  size_t length = strlen (topic);
  int64_t frame_id;

  parse_frame_topic (topic, &length, &frame_id);
  g_autofree char *prefix = g_strndup (topic, MIN (length, NAME_LENGTH_MAX));
  g_strcanon (prefix, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_-", '_');
  return g_strdup_printf ("%s-%" G_GINT64_FORMAT ".%s", prefix,
      self->frame_id >= 0 ? self->frame_id : (int64_t)fallback,
      find_ending (self->frame));
}
