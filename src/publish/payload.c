/* SPDX-License-Identifier: Apache-2.0 */
/* Metadata and frame to what a subscriber receives. */
#include "publish/payload.h"

#include "base/base64.h"
#include <string.h>

const char *const vigil_payload_format_names[] = {
    "array", "object", "binary", NULL};

/* What stands around metadata and base64. */
typedef struct {
  const char *head;
  const char *middle;
  const char *tail;
} Wrapping;

static const Wrapping array_wrapping = {"[", ",\"", "\"]"};
static const Wrapping object_wrapping = {
    "{\"metadata\":", ",\"blob\":\"", "\"}"};

gboolean
vigil_payload_format_parse (const char *name, VigilPayloadFormat *ret_format)
{
  for (unsigned i = 0; vigil_payload_format_names[i] != NULL; i++) {
    if (g_strcmp0 (name, vigil_payload_format_names[i]) == 0) {
      *ret_format = (VigilPayloadFormat)i;
      return TRUE;
    }
  }
  return FALSE;
}

/* middle + base64 of @image + tail in one buffer. */
static GBytes *
encode_tail (const Wrapping *wrapping, GBytes *image, VigilBufferPool *pool)
{
  size_t middle_length = strlen (wrapping->middle);
  size_t tail_length = strlen (wrapping->tail);
  size_t size = 0;
  const void *data = image != NULL ? g_bytes_get_data (image, &size) : NULL;
  char *buffer = vigil_buffer_pool_take (
      pool, middle_length + VIGIL_BASE64_LENGTH (size) + tail_length);
  char *end = buffer;

  if (buffer == NULL)
    return NULL;
  memcpy (end, wrapping->middle, middle_length);
  end += middle_length;
  if (size > 0)
    end += vigil_base64_encode (data, size, end);
  memcpy (end, wrapping->tail, tail_length);
  end += tail_length;
  return vigil_buffer_pool_to_bytes (buffer, end - buffer);
}

static void
init_text (VigilPayload *payload, const Wrapping *wrapping,
    const VigilMessage *message, GBytes *image, VigilBufferPool *pool)
{
  unsigned size = 0;
  GBytes *tail = encode_tail (wrapping, image, pool);

  payload->segments[size++] =
      g_bytes_new_static (wrapping->head, strlen (wrapping->head));
  payload->segments[size++] = g_bytes_ref (message->metadata);
  if (tail == NULL) {
    payload->segments[size++] =
        g_bytes_new_static (wrapping->middle, strlen (wrapping->middle));
    tail = g_bytes_new_static (wrapping->tail, strlen (wrapping->tail));
  }
  payload->segments[size++] = tail;
}

/* The image for a message of its own; copied when it is the pipeline's. */
static GBytes *
dup_image (const VigilMessage *message, VigilBufferPool *pool)
{
  size_t size;
  const void *data;
  char *buffer;

  if (message->frame == NULL || g_bytes_get_size (message->frame) == 0)
    return NULL;
  if (!message->frame_is_borrowed)
    return g_bytes_ref (message->frame);
  data = g_bytes_get_data (message->frame, &size);
  buffer = vigil_buffer_pool_take (pool, size);
  if (buffer == NULL)
    return NULL;
  memcpy (buffer, data, size);
  return vigil_buffer_pool_to_bytes (buffer, size);
}

void
vigil_payload_init (VigilPayload *ret_payload, VigilPayloadFormat format,
    gboolean with_frame, const VigilMessage *message, VigilBufferPool *pool)
{
  memset (ret_payload, 0, sizeof *ret_payload);
  switch (format) {
  case VIGIL_PAYLOAD_ARRAY:
    if (with_frame)
      init_text (ret_payload, &array_wrapping, message, message->frame, pool);
    else
      ret_payload->segments[0] = g_bytes_ref (message->metadata);
    break;
  case VIGIL_PAYLOAD_OBJECT:
    init_text (ret_payload, &object_wrapping, message,
        with_frame ? message->frame : NULL, pool);
    break;
  case VIGIL_PAYLOAD_BINARY:
    if (with_frame)
      ret_payload->image = dup_image (message, pool);
    ret_payload->segments[0] = g_bytes_ref (message->metadata);
    break;
  }
}

/* NULL: the format has no such text. */
static const Wrapping *
find_wrapping (VigilPayloadFormat format)
{
  switch (format) {
  case VIGIL_PAYLOAD_ARRAY:
    return &array_wrapping;
  case VIGIL_PAYLOAD_OBJECT:
    return &object_wrapping;
  case VIGIL_PAYLOAD_BINARY:
    break;
  }
  return NULL;
}

GBytes *
vigil_payload_dup_image (
    VigilPayloadFormat format, GBytes *const *segments, GBytes *image)
{
  const Wrapping *wrapping = find_wrapping (format);
  g_autofree char *text = NULL;
  const char *tail;
  size_t around;
  gsize size;

  if (wrapping == NULL)
    return image != NULL ? g_bytes_ref (image) : NULL;
  /* head, metadata, and then middle, base64 and tail in one */
  if (segments[0] == NULL || segments[1] == NULL || segments[2] == NULL)
    return NULL;
  tail = g_bytes_get_data (segments[2], &size);
  around = strlen (wrapping->middle) + strlen (wrapping->tail);
  if (size <= around)
    return NULL;
  text = g_strndup (tail + strlen (wrapping->middle), size - around);
  g_base64_decode_inplace (text, &size);
  return g_bytes_new_take (g_steal_pointer (&text), size);
}

size_t
vigil_payload_get_room (
    VigilPayloadFormat format, size_t limit_bytes, GBytes *metadata)
{
  const Wrapping *wrapping = find_wrapping (format);
  size_t taken;

  if (wrapping == NULL)
    return limit_bytes;
  taken = g_bytes_get_size (metadata) + strlen (wrapping->head) +
          strlen (wrapping->middle) + strlen (wrapping->tail);
  return limit_bytes > taken ? (limit_bytes - taken) / 4 * 3 : 0;
}

void
vigil_payload_clear (VigilPayload *self)
{
  for (unsigned i = 0; i < VIGIL_PAYLOAD_SEGMENTS_MAX; i++)
    g_clear_pointer (&self->segments[i], g_bytes_unref);
  g_clear_pointer (&self->image, g_bytes_unref);
}

size_t
vigil_payload_get_size (const VigilPayload *self)
{
  size_t size = 0;

  for (unsigned i = 0; i < VIGIL_PAYLOAD_SEGMENTS_MAX; i++)
    size +=
        self->segments[i] != NULL ? g_bytes_get_size (self->segments[i]) : 0;
  return size;
}
