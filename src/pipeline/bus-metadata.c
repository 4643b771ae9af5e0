/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bus messages as metadata. They are written to JSON when they come, in the
 * thread that posts them, so that nothing of a message is kept alive.
 */
#include "pipeline/bus-metadata.h"

#include <pthread.h>
#include <string.h>

#define WAITING_MAX 64
#define VALUE_DEPTH_MAX 8
/* A message that is larger is none that a frame should carry. */
#define MESSAGE_BYTES_MAX (64 * 1024)

struct _VigilBusMetadata {
  GHashTable *names; /* char *: of the messages that are wanted */
  gboolean wants_all;
  pthread_mutex_t lock; /* protects waiting */
  GQueue waiting;       /* char *: a JSON object each */
};

VigilBusMetadata *
vigil_bus_metadata_new (const VigilJson *names)
{
  VigilBusMetadata *self = g_new0 (VigilBusMetadata, 1);

  self->names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  for (size_t i = 0; i < vigil_json_array_size (names); i++) {
    const char *name = vigil_json_get_string (vigil_json_array_get (names, i));

    if (g_strcmp0 (name, "*") == 0)
      self->wants_all = TRUE;
    else if (name != NULL)
      g_hash_table_add (self->names, g_strdup (name));
  }
  pthread_mutex_init (&self->lock, NULL);
  g_queue_init (&self->waiting);
  return self;
}

void
vigil_bus_metadata_free (VigilBusMetadata *self)
{
  if (self == NULL)
    return;
  g_queue_clear_full (&self->waiting, g_free);
  pthread_mutex_destroy (&self->lock);
  g_hash_table_unref (self->names);
  g_free (self);
}

/* ---- Values ------------------------------------------------------------ */

static void write_value (
    VigilJsonWriter *writer, const GValue *value, unsigned depth);

/* Pictures and other objects are nothing for JSON. */
static gboolean
is_writable (const GValue *value)
{
  GType type = G_VALUE_TYPE (value);

  return type != GST_TYPE_SAMPLE && type != GST_TYPE_BUFFER &&
         !G_TYPE_IS_OBJECT (type) && type != G_TYPE_POINTER;
}

static void
write_structure (
    VigilJsonWriter *writer, const GstStructure *structure, unsigned depth)
{
  vigil_json_writer_begin_object (writer);
  for (int i = 0; i < gst_structure_n_fields (structure); i++) {
    const char *name = gst_structure_nth_field_name (structure, (guint)i);
    const GValue *value = gst_structure_get_value (structure, name);

    if (!is_writable (value))
      continue;
    vigil_json_writer_key (writer, name);
    write_value (writer, value, depth + 1);
  }
  vigil_json_writer_end_object (writer);
}

static void
write_list (VigilJsonWriter *writer, const GValue *list, unsigned depth)
{
  gboolean is_array = GST_VALUE_HOLDS_ARRAY (list);
  unsigned size = is_array ? gst_value_array_get_size (list)
                           : gst_value_list_get_size (list);

  vigil_json_writer_begin_array (writer);
  for (unsigned i = 0; i < size; i++)
    write_value (writer,
        is_array ? gst_value_array_get_value (list, i)
                 : gst_value_list_get_value (list, i),
        depth + 1);
  vigil_json_writer_end_array (writer);
}

static void
write_text (VigilJsonWriter *writer, const GValue *value)
{
  g_autofree char *text = gst_value_serialize (value);

  vigil_json_writer_string (writer, text);
}

static void
write_value (VigilJsonWriter *writer, const GValue *value, unsigned depth)
{
  g_auto (GValue) number = G_VALUE_INIT;

  if (depth > VALUE_DEPTH_MAX || !is_writable (value)) {
    vigil_json_writer_null (writer);
  } else if (G_VALUE_HOLDS_STRING (value)) {
    vigil_json_writer_string (writer, g_value_get_string (value));
  } else if (G_VALUE_HOLDS_BOOLEAN (value)) {
    vigil_json_writer_boolean (writer, g_value_get_boolean (value));
  } else if (GST_VALUE_HOLDS_STRUCTURE (value)) {
    write_structure (writer, gst_value_get_structure (value), depth);
  } else if (GST_VALUE_HOLDS_ARRAY (value) || GST_VALUE_HOLDS_LIST (value)) {
    write_list (writer, value, depth);
  } else if (G_VALUE_HOLDS_DOUBLE (value) || G_VALUE_HOLDS_FLOAT (value)) {
    g_value_init (&number, G_TYPE_DOUBLE);
    g_value_transform (value, &number);
    vigil_json_writer_number (writer, g_value_get_double (&number));
  } else if (G_VALUE_HOLDS_INT (value) || G_VALUE_HOLDS_UINT (value) ||
             G_VALUE_HOLDS_INT64 (value) || G_VALUE_HOLDS_UINT64 (value)) {
    g_value_init (&number, G_TYPE_INT64);
    g_value_transform (value, &number);
    vigil_json_writer_integer (writer, g_value_get_int64 (&number));
  } else {
    write_text (writer, value);
  }
}

/* ---- Messages ---------------------------------------------------------- */

static char *
write_message (GstMessage *message, const GstStructure *structure)
{
  GString *text = g_string_new (NULL);
  VigilJsonWriter writer;

  vigil_json_writer_init (&writer, text);
  vigil_json_writer_begin_object (&writer);
  vigil_json_writer_key (&writer, "name");
  vigil_json_writer_string (&writer, gst_structure_get_name (structure));
  vigil_json_writer_key (&writer, "element");
  vigil_json_writer_string (&writer,
      GST_MESSAGE_SRC (message) != NULL ? GST_MESSAGE_SRC_NAME (message) : "");
  vigil_json_writer_key (&writer, "fields");
  write_structure (&writer, structure, 0);
  vigil_json_writer_end_object (&writer);
  return g_string_free (text, FALSE);
}

void
vigil_bus_metadata_collect (VigilBusMetadata *self, GstMessage *message)
{
  const GstStructure *structure = gst_message_get_structure (message);
  g_autofree char *text = NULL;
  g_autofree char *oldest = NULL;

  if (GST_MESSAGE_TYPE (message) != GST_MESSAGE_ELEMENT || structure == NULL)
    return;
  if (!self->wants_all &&
      !g_hash_table_contains (self->names, gst_structure_get_name (structure)))
    return;
  text = write_message (message, structure);
  if (strlen (text) > MESSAGE_BYTES_MAX)
    return;
  pthread_mutex_lock (&self->lock);
  g_queue_push_tail (&self->waiting, g_steal_pointer (&text));
  if (self->waiting.length > WAITING_MAX)
    oldest = g_queue_pop_head (&self->waiting);
  pthread_mutex_unlock (&self->lock);
}

char *
vigil_bus_metadata_take (VigilBusMetadata *self)
{
  GQueue taken;
  GString *text;
  VigilJsonWriter writer;
  char *item;

  pthread_mutex_lock (&self->lock);
  taken = self->waiting;
  g_queue_init (&self->waiting);
  pthread_mutex_unlock (&self->lock);
  if (taken.length == 0)
    return NULL;
  text = g_string_new (NULL);
  vigil_json_writer_init (&writer, text);
  vigil_json_writer_begin_object (&writer);
  vigil_json_writer_key (&writer, "bus_messages");
  vigil_json_writer_begin_array (&writer);
  while ((item = g_queue_pop_head (&taken)) != NULL) {
    vigil_json_writer_raw (&writer, item, -1);
    g_free (item);
  }
  vigil_json_writer_end_array (&writer);
  vigil_json_writer_end_object (&writer);
  return g_string_free (text, FALSE);
}
