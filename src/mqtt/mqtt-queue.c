/* SPDX-License-Identifier: Apache-2.0 */

/* Messages that wait: a ring that grows to what the limits allow. */

#include "mqtt/mqtt-queue.h"

#define FIRST_CAPACITY 64

void
vigil_mqtt_queue_clear (VigilMqttQueue *self)
{
  g_return_if_fail (self->size == 0);

  g_clear_pointer (&self->entries, g_free);
  self->capacity = 0;
}

static VigilMqttQueueEntry *
entry_at (const VigilMqttQueue *self, size_t index)
{
  return &self->entries[(self->start + index) % self->capacity];
}

static void
grow (VigilMqttQueue *self)
{
  const size_t capacity = MAX (FIRST_CAPACITY, self->capacity * 2);
  VigilMqttQueueEntry *entries = g_new (VigilMqttQueueEntry, capacity);

  for (size_t i = 0; i < self->size; i++)
    entries[i] = *entry_at (self, i);
  g_free (self->entries);
  self->entries = entries;
  self->capacity = capacity;
  self->start = 0;
}

void
vigil_mqtt_queue_push (
    VigilMqttQueue *self, VigilMqttMessage *message, int64_t taken_us)
{
  if (self->size == self->capacity)
    grow (self);
  *entry_at (self, self->size) = (VigilMqttQueueEntry){message, taken_us};
  self->size++;
  self->bytes += vigil_mqtt_message_get_bytes (message);
}

gboolean
vigil_mqtt_queue_pop (VigilMqttQueue *self, VigilMqttQueueEntry *ret_entry)
{
  if (self->size == 0)
    return FALSE;
  *ret_entry = *entry_at (self, 0);
  self->start = (self->start + 1) % self->capacity;
  self->size--;
  self->bytes -= vigil_mqtt_message_get_bytes (ret_entry->message);
  if (self->tried > 0)
    self->tried--;
  return TRUE;
}

const VigilMqttQueueEntry *
vigil_mqtt_queue_peek (const VigilMqttQueue *self)
{
  return self->size > 0 ? entry_at (self, 0) : NULL;
}

gboolean
vigil_mqtt_queue_reduce_oldest (VigilMqttQueue *self)
{
  while (self->tried < self->size) {
    VigilMqttQueueEntry *entry = entry_at (self, self->tried++);
    VigilMqttMessage *smaller = vigil_mqtt_message_reduce (entry->message, 0);

    if (smaller == NULL)
      continue;
    self->bytes -= vigil_mqtt_message_get_bytes (entry->message);
    self->bytes += vigil_mqtt_message_get_bytes (smaller);
    vigil_mqtt_message_unref (entry->message);
    entry->message = smaller;
    return TRUE;
  }
  return FALSE;
}
