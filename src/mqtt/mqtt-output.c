/* SPDX-License-Identifier: Apache-2.0 */

/* What waits to be written, as rings of fixed size. */

#include "mqtt/mqtt-output.h"

#include <string.h>

#define CONTROL_MAX 16

/* Left free by PUBLISH for control packets. */
#define RESERVED_ENTRIES 64

/* Topics up to this size are copied behind their header: one piece less. */
#define SMALL_TOPIC 256

/* The most that one PUBLISH takes. */
#define PUBLISH_PIECES (4 + VIGIL_MQTT_SEGMENTS_MAX)
#define PUBLISH_ARENA                                                          \
  (VIGIL_MQTT_PUBLISH_START_MAX + SMALL_TOPIC + VIGIL_MQTT_PUBLISH_MIDDLE_MAX)

void
vigil_mqtt_output_reset (VigilMqttOutput *self)
{
  self->pieces_start = self->pieces_size = 0;
  self->entries_start = self->entries_size = 0;
  self->is_partial = FALSE;
  self->bytes = 0;
  self->arena_used = 0;
}

gboolean
vigil_mqtt_output_has_room (const VigilMqttOutput *self)
{
  return self->entries_size < VIGIL_MQTT_OUTPUT_ENTRIES &&
         self->pieces_size < VIGIL_MQTT_OUTPUT_PIECES &&
         self->arena_used + CONTROL_MAX <= VIGIL_MQTT_OUTPUT_ARENA;
}

gboolean
vigil_mqtt_output_has_publish_room (const VigilMqttOutput *self)
{
  return self->entries_size + RESERVED_ENTRIES < VIGIL_MQTT_OUTPUT_ENTRIES &&
         self->pieces_size + RESERVED_ENTRIES + PUBLISH_PIECES <
             VIGIL_MQTT_OUTPUT_PIECES &&
         self->arena_used + RESERVED_ENTRIES * CONTROL_MAX + PUBLISH_ARENA <=
             VIGIL_MQTT_OUTPUT_ARENA &&
         self->bytes < VIGIL_MQTT_OUTPUT_BYTES;
}

static VigilMqttOutputEntry *
push_entry (VigilMqttOutput *self, VigilMqttOutputKind kind)
{
  const unsigned at =
      (self->entries_start + self->entries_size++) % VIGIL_MQTT_OUTPUT_ENTRIES;
  VigilMqttOutputEntry *entry = &self->entries[at];

  *entry = (VigilMqttOutputEntry){.kind = kind};
  return entry;
}

static void
push_piece (VigilMqttOutput *self, VigilMqttOutputEntry *entry,
    const void *data, size_t size)
{
  unsigned at = 0;

  if (size == 0)
    return;
  at = (self->pieces_start + self->pieces_size++) % VIGIL_MQTT_OUTPUT_PIECES;
  self->pieces[at].iov_base = (void *)data;
  self->pieces[at].iov_len = size;
  self->bytes += size;
  entry->pieces++;
}

void
vigil_mqtt_output_push_control (VigilMqttOutput *self, VigilMqttOutputKind kind,
    const uint8_t *data, size_t size)
{
  uint8_t *copy = self->arena + self->arena_used;

  g_return_if_fail (size <= CONTROL_MAX);
  g_return_if_fail (vigil_mqtt_output_has_room (self));

  memcpy (copy, data, size);
  self->arena_used += size;
  push_piece (self, push_entry (self, kind), copy, size);
}

void
vigil_mqtt_output_push_borrowed (
    VigilMqttOutput *self, const uint8_t *data, size_t size)
{
  g_return_if_fail (vigil_mqtt_output_has_room (self));

  push_piece (self, push_entry (self, VIGIL_MQTT_OUTPUT_CONTROL), data, size);
}

void
vigil_mqtt_output_push_publish (VigilMqttOutput *self,
    const VigilMqttPart *part, const VigilMqttPublish *values,
    VigilMqttOutputKind kind, uint16_t item, uint8_t part_number)
{
  VigilMqttOutputEntry *entry = NULL;
  uint8_t *start = self->arena + self->arena_used;
  uint8_t *end = start;

  g_return_if_fail (vigil_mqtt_output_has_publish_room (self));

  entry = push_entry (self, kind);
  entry->item = item;
  entry->part = part_number;
  end += vigil_mqtt_packet_put_publish_start (end, part, values);
  if (part->topic_size <= SMALL_TOPIC) {
    memcpy (end, part->topic, part->topic_size);
    end += part->topic_size;
  } else {
    push_piece (self, entry, start, (size_t)(end - start));
    push_piece (self, entry, part->topic, part->topic_size);
    start = end;
  }
  end += vigil_mqtt_packet_put_publish_middle (end, part, values);
  push_piece (self, entry, start, (size_t)(end - start));
  self->arena_used = (size_t)(end - self->arena);
  if (values->protocol == VIGIL_MQTT_PROTOCOL_5)
    push_piece (self, entry, part->properties, part->properties_size);
  for (unsigned i = 0; i < part->segments_size; i++) {
    size_t size = 0;
    const void *data = g_bytes_get_data (part->segments[i], &size);

    push_piece (self, entry, data, size);
  }
}

void
vigil_mqtt_output_drop_unstarted (VigilMqttOutput *self)
{
  if (!self->is_partial) {
    vigil_mqtt_output_reset (self);
    return;
  }
  self->entries_size = 1;
  self->pieces_size = self->entries[self->entries_start].pieces;
  self->bytes = 0;
  self->arena_used = 0;
  for (unsigned i = 0; i < self->pieces_size; i++) {
    const struct iovec *piece =
        &self->pieces[(self->pieces_start + i) % VIGIL_MQTT_OUTPUT_PIECES];
    const uint8_t *end = (const uint8_t *)piece->iov_base + piece->iov_len;

    self->bytes += piece->iov_len;
    if (end > self->arena && end <= self->arena + sizeof self->arena)
      self->arena_used = (size_t)(end - self->arena);
  }
}

const struct iovec *
vigil_mqtt_output_get (VigilMqttOutput *self, int *ret_size)
{
  *ret_size = (int)MIN (
      self->pieces_size, VIGIL_MQTT_OUTPUT_PIECES - self->pieces_start);
  return self->pieces + self->pieces_start;
}

void
vigil_mqtt_output_advance (VigilMqttOutput *self, size_t bytes)
{
  unsigned entry = self->entries_start;

  g_return_if_fail (bytes <= self->bytes);

  self->bytes -= bytes;
  while (bytes > 0) {
    struct iovec *piece = &self->pieces[self->pieces_start];
    const size_t size = MIN (bytes, piece->iov_len);

    bytes -= size;
    piece->iov_base = (uint8_t *)piece->iov_base + size;
    piece->iov_len -= size;
    self->is_partial = TRUE;
    if (piece->iov_len > 0)
      return;
    self->pieces_start = (self->pieces_start + 1) % VIGIL_MQTT_OUTPUT_PIECES;
    self->pieces_size--;
    self->entries[entry].pieces--;
    if (self->entries[entry].pieces == 0) {
      entry = (entry + 1) % VIGIL_MQTT_OUTPUT_ENTRIES;
      self->is_partial = FALSE;
    }
  }
}

gboolean
vigil_mqtt_output_pop_written (
    VigilMqttOutput *self, VigilMqttOutputEntry *ret_entry)
{
  VigilMqttOutputEntry *entry = &self->entries[self->entries_start];

  if (self->entries_size == 0 || entry->pieces > 0)
    return FALSE;
  *ret_entry = *entry;
  self->entries_start = (self->entries_start + 1) % VIGIL_MQTT_OUTPUT_ENTRIES;
  self->entries_size--;
  if (self->entries_size == 0) {
    self->pieces_start = 0;
    self->entries_start = 0;
    self->arena_used = 0;
  }
  return TRUE;
}
