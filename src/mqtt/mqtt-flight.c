/* SPDX-License-Identifier: Apache-2.0 */

/* Messages in flight: a list in an array, and the identifiers in use. */

#include "mqtt/mqtt-flight.h"

void
vigil_mqtt_flight_init (
    VigilMqttFlight *self, uint16_t capacity, uint16_t first_id)
{
  g_return_if_fail (capacity > 0);
  g_return_if_fail (capacity < VIGIL_MQTT_FLIGHT_NONE);

  *self = (VigilMqttFlight){
      .items = g_new0 (VigilMqttFlightItem, capacity),
      .capacity = capacity,
      .first = VIGIL_MQTT_FLIGHT_NONE,
      .last = VIGIL_MQTT_FLIGHT_NONE,
      .next_id = MAX (first_id, 1),
  };
  for (uint16_t i = 0; i < capacity; i++)
    self->items[i].next =
        i + 1 < capacity ? (uint16_t)(i + 1) : VIGIL_MQTT_FLIGHT_NONE;
}

void
vigil_mqtt_flight_clear (VigilMqttFlight *self)
{
  g_return_if_fail (self->size == 0);

  g_clear_pointer (&self->items, g_free);
}

uint16_t
vigil_mqtt_flight_append (
    VigilMqttFlight *self, VigilMqttMessage *message, int64_t taken_us)
{
  const uint16_t number = self->unused;
  VigilMqttFlightItem *item = NULL;

  if (number == VIGIL_MQTT_FLIGHT_NONE)
    return VIGIL_MQTT_FLIGHT_NONE;
  item = &self->items[number];
  self->unused = item->next;
  *item = (VigilMqttFlightItem){
      .message = message,
      .previous = self->last,
      .next = VIGIL_MQTT_FLIGHT_NONE,
      .taken_us = taken_us,
  };
  if (self->last == VIGIL_MQTT_FLIGHT_NONE)
    self->first = number;
  else
    self->items[self->last].next = number;
  self->last = number;
  self->size++;
  return number;
}

VigilMqttMessage *
vigil_mqtt_flight_remove (VigilMqttFlight *self, uint16_t number)
{
  VigilMqttFlightItem *item = &self->items[number];

  if (item->previous == VIGIL_MQTT_FLIGHT_NONE)
    self->first = item->next;
  else
    self->items[item->previous].next = item->next;
  if (item->next == VIGIL_MQTT_FLIGHT_NONE)
    self->last = item->previous;
  else
    self->items[item->next].previous = item->previous;
  for (unsigned i = 0; i < VIGIL_MQTT_PUBLICATIONS_MAX; i++)
    vigil_mqtt_flight_free_id (self, item->parts[i].packet_id);
  g_clear_pointer (&item->rejection, g_free);
  item->next = self->unused;
  self->unused = number;
  self->size--;
  return g_steal_pointer (&item->message);
}

uint16_t
vigil_mqtt_flight_take_id (VigilMqttFlight *self)
{
  for (unsigned tries = 0; tries < UINT16_MAX; tries++) {
    const uint16_t id = self->next_id;
    uint64_t *word = &self->used_ids[id / 64];
    const uint64_t bit = UINT64_C (1) << id % 64;

    self->next_id = id == UINT16_MAX ? 1 : (uint16_t)(id + 1);
    if ((*word & bit) == 0) {
      *word |= bit;
      return id;
    }
  }
  return 0;
}

void
vigil_mqtt_flight_free_id (VigilMqttFlight *self, uint16_t packet_id)
{
  if (packet_id != 0)
    self->used_ids[packet_id / 64] &= ~(UINT64_C (1) << packet_id % 64);
}

uint16_t
vigil_mqtt_flight_find (
    VigilMqttFlight *self, uint16_t packet_id, unsigned *ret_part)
{
  for (uint16_t number = self->first; number != VIGIL_MQTT_FLIGHT_NONE;
       number = self->items[number].next) {
    const VigilMqttFlightItem *item = &self->items[number];

    for (unsigned i = 0; i < item->message->parts_size; i++)
      if (item->parts[i].packet_id == packet_id) {
        *ret_part = i;
        return number;
      }
  }
  return VIGIL_MQTT_FLIGHT_NONE;
}
