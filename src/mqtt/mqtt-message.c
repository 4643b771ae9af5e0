/* SPDX-License-Identifier: Apache-2.0 */

/* Messages: topics and properties are encoded once, payloads are shared. */

#include "mqtt/mqtt-message.h"

#include "mqtt/mqtt-packet.h"
#include <string.h>

static size_t
string_size (const char *text)
{
  return 2 + MIN (strlen (text), UINT16_MAX);
}

static size_t
properties_size (const VigilMqttPublication *publication)
{
  size_t size = 0;

  if (publication->is_text)
    size += 2;
  if (publication->content_type != NULL)
    size += 1 + string_size (publication->content_type);
  if (publication->correlation_data != NULL)
    size +=
        3 + MIN (g_bytes_get_size (publication->correlation_data), UINT16_MAX);
  for (unsigned i = 0; i < publication->user_properties_size; i++)
    size += 1 + string_size (publication->user_properties[i].name) +
            string_size (publication->user_properties[i].value);
  return size;
}

static uint8_t *
put_properties (uint8_t *out, const VigilMqttPublication *publication)
{
  if (publication->is_text) {
    *out++ = VIGIL_MQTT_PROPERTY_PAYLOAD_FORMAT;
    *out++ = 1;
  }
  if (publication->content_type != NULL) {
    *out++ = VIGIL_MQTT_PROPERTY_CONTENT_TYPE;
    out = vigil_mqtt_packet_put_string (out, publication->content_type);
  }
  if (publication->correlation_data != NULL) {
    size_t size = 0;
    const void *data = g_bytes_get_data (publication->correlation_data, &size);

    *out++ = VIGIL_MQTT_PROPERTY_CORRELATION_DATA;
    out = vigil_mqtt_packet_put_data (out, data, size);
  }
  for (unsigned i = 0; i < publication->user_properties_size; i++) {
    const VigilMqttUserProperty *property = &publication->user_properties[i];

    *out++ = VIGIL_MQTT_PROPERTY_USER;
    out = vigil_mqtt_packet_put_string (out, property->name);
    out = vigil_mqtt_packet_put_string (out, property->value);
  }
  return out;
}

static uint8_t *
fill_part (VigilMqttPart *part, const VigilMqttPublication *publication,
    uint8_t *storage)
{
  part->topic = storage;
  storage = vigil_mqtt_packet_put_string (storage, publication->topic);
  part->topic_size = (size_t)(storage - part->topic);
  part->properties = storage;
  storage = put_properties (storage, publication);
  part->properties_size = (size_t)(storage - part->properties);
  part->expiry_s = publication->expiry_s;
  part->is_once = publication->is_once;
  for (unsigned i = 0; i < VIGIL_MQTT_SEGMENTS_MAX; i++) {
    if (publication->segments[i] == NULL)
      break;
    part->segments[i] = g_bytes_ref (publication->segments[i]);
    part->segments_size++;
    part->payload_size += g_bytes_get_size (publication->segments[i]);
  }
  return storage;
}

VigilMqttMessage *
vigil_mqtt_message_new (const VigilMqttPublication *publications, unsigned size)
{
  VigilMqttMessage *self = NULL;
  size_t storage_size = 0;
  uint8_t *storage = NULL;

  g_return_val_if_fail (publications != NULL, NULL);
  g_return_val_if_fail (size >= 1, NULL);
  g_return_val_if_fail (size <= VIGIL_MQTT_PUBLICATIONS_MAX, NULL);

  for (unsigned i = 0; i < size; i++)
    storage_size += string_size (publications[i].topic) +
                    properties_size (&publications[i]);
  self = g_malloc (sizeof *self + storage_size);
  memset (self, 0, sizeof *self);
  atomic_init (&self->references, 1);
  self->parts_size = size;
  storage = self->storage;
  for (unsigned i = 0; i < size; i++) {
    storage = fill_part (&self->parts[i], &publications[i], storage);
    self->payload_size += self->parts[i].payload_size;
  }
  return self;
}

VigilMqttMessage *
vigil_mqtt_message_ref (VigilMqttMessage *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  atomic_fetch_add_explicit (&self->references, 1, memory_order_relaxed);
  return self;
}

void
vigil_mqtt_message_unref (VigilMqttMessage *self)
{
  if (self == NULL)
    return;
  if (atomic_fetch_sub_explicit (&self->references, 1, memory_order_acq_rel) !=
      1)
    return;
  for (unsigned i = 0; i < self->parts_size; i++)
    for (unsigned j = 0; j < self->parts[i].segments_size; j++)
      g_bytes_unref (self->parts[i].segments[j]);
  if (self->reduce_destroy != NULL)
    self->reduce_destroy (self->reduce_data);
  g_free (self);
}

void
vigil_mqtt_message_set_reduce (VigilMqttMessage *self,
    VigilMqttReduceFunc reduce, void *user_data, GDestroyNotify destroy)
{
  g_return_if_fail (self != NULL);
  g_return_if_fail (self->reduce_destroy == NULL);

  self->reduce = reduce;
  self->reduce_data = user_data;
  self->reduce_destroy = destroy;
}

size_t
vigil_mqtt_message_get_bytes (const VigilMqttMessage *self)
{
  size_t bytes = sizeof *self + self->payload_size;

  for (unsigned i = 0; i < self->parts_size; i++)
    bytes += self->parts[i].topic_size + self->parts[i].properties_size;
  return bytes;
}

VigilMqttMessage *
vigil_mqtt_message_reduce (VigilMqttMessage *self, size_t limit_bytes)
{
  g_autoptr (VigilMqttMessage) smaller = NULL;

  if (self->reduce == NULL)
    return NULL;
  smaller = self->reduce (self, limit_bytes, self->reduce_data);
  if (smaller == NULL || smaller->payload_size >= self->payload_size)
    return NULL;
  return g_steal_pointer (&smaller);
}
