/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of a pipeline entry that tell what is published, and how. */
#include "publish/publisher-settings.h"

#include "publish/publisher.h"
#include <string.h>

/* Few: mapped buffers belong to the source's pool. */
enum { QUEUE_SIZE_DEFAULT = 8 };
enum { HANDLE_LENGTH_DEFAULT = 10, HANDLE_LENGTH_MAX = 256 };

static const VigilSchemaKey encoding_keys[] = {
    {.name = "type",
        .type = VIGIL_SCHEMA_STRING,
        .is_required = TRUE,
        .help = "`jpeg` or `png`."},
    {.name = "level",
        .type = VIGIL_SCHEMA_INTEGER,
        .minimum = 0,
        .maximum = 100,
        .help = "Quality 0 to 100 of jpeg, compression 0 to 9 of png."},
    {.name = NULL},
};

/* The blocks of destinations are checked by vigil_publisher_check, against
 * the table of their kind. */
const VigilSchemaKey vigil_publisher_keys[] = {
    {.name = "queue_maxsize",
        .type = VIGIL_SCHEMA_INTEGER,
        .minimum = -1,
        .maximum = 100000,
        .default_text = "0",
        .help = "Frames that may wait for the publisher; 0 or less: 8."},
    {.name = "encoding",
        .type = VIGIL_SCHEMA_OBJECT,
        .keys = encoding_keys,
        .default_text = "{\"type\": \"jpeg\", \"level\": 85}",
        .help = "How raw frames are encoded."},
    {.name = "publish_raw_frame",
        .type = VIGIL_SCHEMA_BOOLEAN,
        .default_text = "false",
        .help = "Publish raw frames as they are, unless `encoding` is given."},
    {.name = "img_handle_length",
        .type = VIGIL_SCHEMA_INTEGER,
        .minimum = 1,
        .maximum = HANDLE_LENGTH_MAX,
        .default_text = "10",
        .help = "Characters of `img_handle`."},
    {.name = "tags",
        .type = VIGIL_SCHEMA_OBJECT,
        .help = "Published as `tags` with every frame."},
    {.name = "convert_metadata_to_dcaas_format",
        .type = VIGIL_SCHEMA_BOOLEAN,
        .default_text = "false",
        .help = "Publish regions as `annotations`."},
    {.name = "mqtt_publisher",
        .type = VIGIL_SCHEMA_ANY,
        .help = "An MQTT destination, or a list of them."},
    {.name = "file_publisher",
        .type = VIGIL_SCHEMA_ANY,
        .help = "A file as a destination, or a list of them."},
    {.name = "eis_publisher",
        .type = VIGIL_SCHEMA_ANY,
        .help = "A destination on the EIS Message Bus, or a list of them."},
    {.name = NULL},
};

static const VigilEncoderOps *
find_encoder (const char *type)
{
  g_autofree char *name = g_ascii_strdown (type, -1);

  return vigil_encoder_find (name);
}

void
vigil_publisher_settings_check (
    const VigilJson *entry, const char *path, VigilProblems *problems)
{
  const VigilJson *encoding = vigil_json_object_get (entry, "encoding");
  const char *type = vigil_schema_get_string (encoding, "type", NULL);
  g_autofree char *encoding_path = vigil_schema_join_path (path, "encoding");
  const VigilEncoderOps *encoder;
  int64_t level;

  if (type == NULL)
    return;
  encoder = find_encoder (type);
  if (encoder == NULL) {
    g_autofree char *type_path = vigil_schema_join_path (encoding_path, "type");

    vigil_problems_add (problems, VIGIL_PROBLEM_ERROR, type_path,
        "unknown encoding: want 'jpeg' or 'png'");
    return;
  }
  level = vigil_schema_get_integer (encoding, "level", encoder->default_level);
  if (level < encoder->minimum_level || level > encoder->maximum_level) {
    g_autofree char *level_path =
        vigil_schema_join_path (encoding_path, "level");

    vigil_problems_add (problems, VIGIL_PROBLEM_ERROR, level_path,
        "%d: want %d to %d for %s", (int)level, encoder->minimum_level,
        encoder->maximum_level, encoder->name);
  }
}

void
vigil_publisher_settings_init (
    VigilPublisherSettings *ret_settings, const VigilJson *entry)
{
  const VigilJson *encoding = vigil_json_object_get (entry, "encoding");
  const VigilJson *tags = vigil_json_object_get (entry, "tags");
  const char *type = vigil_schema_get_string (encoding, "type", NULL);
  int64_t queue_size = vigil_schema_get_integer (entry, "queue_maxsize", 0);

  memset (ret_settings, 0, sizeof *ret_settings);
  ret_settings->queue_size =
      queue_size > 0 ? (unsigned)queue_size : QUEUE_SIZE_DEFAULT;
  ret_settings->encoder = type != NULL ? find_encoder (type) : NULL;
  ret_settings->publishes_raw =
      ret_settings->encoder == NULL &&
      vigil_schema_get_boolean (entry, "publish_raw_frame", FALSE);
  if (ret_settings->encoder == NULL)
    ret_settings->encoder = vigil_encoder_find ("jpeg");
  ret_settings->encoder_level = (int)vigil_schema_get_integer (
      encoding, "level", ret_settings->encoder->default_level);
  ret_settings->img_handle_length = (unsigned)vigil_schema_get_integer (
      entry, "img_handle_length", HANDLE_LENGTH_DEFAULT);
  ret_settings->converts_to_dcaas = vigil_schema_get_boolean (
      entry, "convert_metadata_to_dcaas_format", FALSE);
  if (vigil_json_object_size (tags) > 0)
    ret_settings->tags_json = vigil_json_to_text (tags);
}

void
vigil_publisher_settings_clear (VigilPublisherSettings *self)
{
  g_clear_pointer (&self->tags_json, g_free);
}

gboolean
vigil_publisher_settings_walk (const VigilJson *entry, const char *path,
    VigilPublisherBlockFunc func, void *user_data)
{
  const VigilDestinationOps *const *list = vigil_destination_list ();

  for (unsigned i = 0; list[i] != NULL; i++) {
    const VigilJson *value = vigil_json_object_get (entry, list[i]->config_key);
    g_autofree char *block_path =
        vigil_schema_join_path (path, list[i]->config_key);

    if (value == NULL || vigil_json_is_null (value))
      continue;
    if (vigil_json_get_type (value) != VIGIL_JSON_ARRAY) {
      if (!func (list[i], value, block_path, user_data))
        return FALSE;
      continue;
    }
    for (size_t j = 0; j < vigil_json_array_size (value); j++) {
      g_autofree char *item_path = g_strdup_printf ("%s[%zu]", block_path, j);

      if (!func (
              list[i], vigil_json_array_get (value, j), item_path, user_data))
        return FALSE;
    }
  }
  return TRUE;
}
