/* SPDX-License-Identifier: Apache-2.0 */

/* The half of the session that sends messages: order, window, identifiers,
 * sizes, and what a lost connection means for them. */

#include "mqtt/mqtt-session-private.h"

/* One message may cost so many connections, then it is given up. */
#define STRIKES_MAX 3

/* A message is made smaller at most so often for one packet limit. */
#define REDUCTIONS_MAX 4

void
vigil_mqtt_sender_note (
    VigilMqttSession *self, VigilMqttNotice notice, const char *text)
{
  if ((self->notices & notice) != 0)
    return;
  self->notices |= notice;
  self->events.notice (text, self->user_data);
}

int
vigil_mqtt_sender_get_qos (const VigilMqttSession *self)
{
  return MIN (self->options->qos, self->maximum_qos);
}

static uint32_t
left_of_expiry (uint32_t expiry_s, int64_t taken_us, int64_t now_us)
{
  const int64_t waited_s = MAX (now_us - taken_us, 0) / G_USEC_PER_SEC;

  if (expiry_s == 0)
    return 0;
  return waited_s >= expiry_s ? 1 : expiry_s - (uint32_t)waited_s;
}

static VigilMqttPublish
publish_values (const VigilMqttSession *self, const VigilMqttFlightItem *item,
    unsigned part, int64_t now_us)
{
  return (VigilMqttPublish){
      .protocol = self->options->protocol,
      .qos = vigil_mqtt_sender_get_qos (self),
      .retain = self->options->retain && self->is_retain_available &&
                !item->message->parts[part].is_once,
      .is_duplicate = item->parts[part].is_duplicate,
      .packet_id = item->parts[part].packet_id,
      .expiry_s = left_of_expiry (
          item->message->parts[part].expiry_s, item->taken_us, now_us),
  };
}

void
vigil_mqtt_sender_finish (VigilMqttSession *self, uint16_t number,
    VigilMqttOutcome outcome, VigilMqttDropReason drop, const char *reason)
{
  g_autofree char *words = g_strdup (reason);
  VigilMqttMessage *message = NULL;

  if (self->cursor == number) {
    self->cursor = self->flight.items[number].next;
    self->cursor_part = 0;
  }
  message = vigil_mqtt_flight_remove (&self->flight, number);
  self->events.finished (message, outcome, drop, words, self->user_data);
}

void
vigil_mqtt_sender_complete (
    VigilMqttSession *self, uint16_t number, unsigned part)
{
  VigilMqttFlightItem *item = &self->flight.items[number];

  vigil_mqtt_flight_free_id (&self->flight, item->parts[part].packet_id);
  item->parts[part].packet_id = 0;
  item->parts[part].state = VIGIL_MQTT_PART_DONE;
  for (unsigned i = 0; i < item->message->parts_size; i++)
    if (item->parts[i].state != VIGIL_MQTT_PART_DONE)
      return;
  if (item->rejection != NULL) {
    vigil_mqtt_sender_finish (self, number, VIGIL_MQTT_REJECTED,
        VIGIL_MQTT_DROP_REJECTED, item->rejection);
  } else {
    if (item->parts[part].qos > 0)
      vigil_histogram_add (
          &self->latencies, self->last_received_us - item->taken_us);
    vigil_mqtt_sender_finish (self, number,
        item->parts[part].qos > 0 ? VIGIL_MQTT_ACKNOWLEDGED
                                  : VIGIL_MQTT_PUBLISHED,
        VIGIL_MQTT_DROP_REASONS, NULL);
  }
}

/* ---- Sizes -------------------------------------------------------------- */

/* The limit for @item's packets: 0 for none. What was only learnt is
 * applied where it costs quality, never where it would cost the message. */
static size_t
packet_limit (const VigilMqttSession *self, const VigilMqttFlightItem *item,
    int64_t now_us)
{
  const size_t told = self->maximum_packet_size;
  const size_t learnt = item->message->reduce != NULL
                            ? vigil_mqtt_limits_get (&self->limits, now_us)
                            : 0;

  if (told == 0 || learnt == 0)
    return MAX (told, learnt);
  return MIN (told, learnt);
}

/*
 * Whether all parts of @item fit. Returns: the payload bytes that the first
 * one too large could have in @ret_payload.
 */
static gboolean
item_fits (VigilMqttSession *self, const VigilMqttFlightItem *item,
    size_t limit, int64_t now_us, size_t *ret_payload)
{
  for (unsigned i = 0; i < item->message->parts_size; i++) {
    const VigilMqttPart *part = &item->message->parts[i];
    const VigilMqttPublish values = publish_values (self, item, i, now_us);
    const size_t size = vigil_mqtt_packet_publish_size (part, &values);
    const size_t most = limit > 0 ? limit : VIGIL_MQTT_REMAINING_MAX;
    const size_t header = part->topic_size + part->properties_size +
                          VIGIL_MQTT_PUBLISH_START_MAX +
                          VIGIL_MQTT_PUBLISH_MIDDLE_MAX;

    if (size == 0 || (limit > 0 && size > limit)) {
      *ret_payload = most > header ? most - header : 0;
      return FALSE;
    }
  }
  return TRUE;
}

static gboolean
reduce_item (
    VigilMqttSession *self, VigilMqttFlightItem *item, size_t limit_bytes)
{
  VigilMqttMessage *smaller =
      vigil_mqtt_message_reduce (item->message, limit_bytes);

  if (smaller == NULL)
    return FALSE;
  self->events.reduced (item->message, smaller, self->user_data);
  vigil_mqtt_message_unref (item->message);
  item->message = smaller;
  for (unsigned i = 0; i < VIGIL_MQTT_PUBLICATIONS_MAX; i++) {
    vigil_mqtt_flight_free_id (&self->flight, item->parts[i].packet_id);
    item->parts[i] = (VigilMqttFlightPart){.packet_id = 0};
  }
  item->strikes = 0;
  return TRUE;
}

/* Returns: FALSE when the item was given up. */
static gboolean
make_fit (VigilMqttSession *self, uint16_t number, int64_t now_us)
{
  VigilMqttFlightItem *item = &self->flight.items[number];
  size_t payload = 0;

  for (unsigned i = 0; i <= REDUCTIONS_MAX; i++) {
    const size_t limit = packet_limit (self, item, now_us);

    if (item_fits (self, item, limit, now_us, &payload))
      return TRUE;
    if (!reduce_item (self, item, payload))
      break;
  }
  vigil_mqtt_sender_note (self, VIGIL_MQTT_NOTICE_OVERSIZE,
      "messages over the broker's packet size are dropped");
  vigil_mqtt_sender_finish (self, number, VIGIL_MQTT_DROPPED,
      VIGIL_MQTT_DROP_OVERSIZE, "over the broker's packet size");
  return FALSE;
}

/* ---- Sending ------------------------------------------------------------ */

static gboolean
is_untouched (const VigilMqttFlightItem *item)
{
  for (unsigned i = 0; i < item->message->parts_size; i++)
    if (item->parts[i].state != VIGIL_MQTT_PART_WAITING ||
        item->parts[i].is_duplicate)
      return FALSE;
  return TRUE;
}

static void
push_part (VigilMqttSession *self, uint16_t number, unsigned at, int64_t now_us)
{
  VigilMqttFlightItem *item = &self->flight.items[number];
  VigilMqttFlightPart *part = &item->parts[at];
  VigilMqttPublish values = publish_values (self, item, at, now_us);

  if (values.qos > 0) {
    if (part->packet_id == 0)
      part->packet_id = vigil_mqtt_flight_take_id (&self->flight);
    values.packet_id = part->packet_id;
    self->quota--;
  }
  part->state = values.qos == 0   ? VIGIL_MQTT_PART_WRITING
                : values.qos == 1 ? VIGIL_MQTT_PART_PUBACK
                                  : VIGIL_MQTT_PART_PUBREC;
  part->qos = (uint8_t)values.qos;
  part->is_begun = TRUE;
  if (part->was_written)
    self->resent++;
  part->packet_size =
      vigil_mqtt_packet_publish_size (&item->message->parts[at], &values);
  vigil_mqtt_limits_sent (&self->limits, part->packet_size, now_us);
  vigil_mqtt_output_push_publish (&self->output, &item->message->parts[at],
      &values, VIGIL_MQTT_OUTPUT_PUBLISH, number, (uint8_t)at);
}

/*
 * A message of which something was sent before cannot be made smaller, and
 * the broker's limit may have become so [MQTT-3.1.2-24]. Asked before a part
 * of it is sent again: one that stands in the output keeps its message.
 */
static gboolean
rest_fits (
    VigilMqttSession *self, const VigilMqttFlightItem *item, int64_t now_us)
{
  for (unsigned i = 0; i < item->message->parts_size; i++) {
    const VigilMqttPublish values = publish_values (self, item, i, now_us);

    if (item->parts[i].state == VIGIL_MQTT_PART_WAITING &&
        self->maximum_packet_size > 0 &&
        vigil_mqtt_packet_publish_size (&item->message->parts[i], &values) >
            self->maximum_packet_size)
      return FALSE;
  }
  return TRUE;
}

/* Returns: FALSE when the item was given up. */
static gboolean
prepare_item (VigilMqttSession *self, uint16_t number, int64_t now_us)
{
  const VigilMqttFlightItem *item = &self->flight.items[number];

  if (is_untouched (item))
    return make_fit (self, number, now_us);
  if (rest_fits (self, item, now_us))
    return TRUE;
  vigil_mqtt_sender_finish (self, number, VIGIL_MQTT_DROPPED,
      VIGIL_MQTT_DROP_OVERSIZE, "over the broker's packet size");
  return FALSE;
}

/*
 * While the oldest message is under suspicion nothing else is sent: what
 * ends the connection then was no other, and acknowledgements that a reset
 * threw away cannot put the blame on it.
 */
static gboolean
is_held_back (const VigilMqttSession *self, uint16_t number)
{
  const uint16_t first = self->flight.first;

  return number != first && self->flight.items[first].strikes > 0;
}

/* Returns: FALSE when there is no room for a PUBLISH now. */
static gboolean
pump_item (VigilMqttSession *self, int64_t now_us)
{
  const uint16_t number = self->cursor;
  VigilMqttFlightItem *item = &self->flight.items[number];

  if (is_held_back (self, number))
    return FALSE;
  if (self->cursor_part == 0 && !prepare_item (self, number, now_us))
    return TRUE;
  for (; self->cursor_part < item->message->parts_size; self->cursor_part++) {
    if (item->parts[self->cursor_part].state != VIGIL_MQTT_PART_WAITING)
      continue;
    if (!vigil_mqtt_output_has_publish_room (&self->output))
      return FALSE;
    if (vigil_mqtt_sender_get_qos (self) > 0 && self->quota == 0)
      return FALSE;
    push_part (self, number, self->cursor_part, now_us);
  }
  self->cursor = item->next;
  self->cursor_part = 0;
  return TRUE;
}

static gboolean
pump_pubrels (VigilMqttSession *self)
{
  for (; self->pubrels_sent < self->pubrels->len; self->pubrels_sent++) {
    const VigilMqttPubrel *pubrel =
        &g_array_index (self->pubrels, VigilMqttPubrel, self->pubrels_sent);
    const VigilMqttFlightPart *part =
        &self->flight.items[pubrel->item].parts[pubrel->part];
    uint8_t packet[VIGIL_MQTT_PUBREL_MAX];

    if (!vigil_mqtt_output_has_room (&self->output))
      return FALSE;
    /* answered already, by a broker that did not wait to be asked */
    if (part->packet_id != pubrel->packet_id ||
        part->state != VIGIL_MQTT_PART_PUBCOMP)
      continue;
    vigil_mqtt_output_push_control (&self->output, VIGIL_MQTT_OUTPUT_CONTROL,
        packet,
        vigil_mqtt_packet_put_pubrel (
            packet, self->options->protocol, pubrel->packet_id, 0));
    self->resent++;
  }
  return TRUE;
}

void
vigil_mqtt_sender_pump (VigilMqttSession *self, int64_t now_us)
{
  if (self->phase != VIGIL_MQTT_PHASE_CONNECTED || !pump_pubrels (self))
    return;
  while (self->cursor != VIGIL_MQTT_FLIGHT_NONE)
    if (!pump_item (self, now_us))
      return;
}

unsigned
vigil_mqtt_session_get_room (const VigilMqttSession *self)
{
  const unsigned free_items = self->flight.capacity - self->flight.size;

  if (self->phase != VIGIL_MQTT_PHASE_CONNECTED ||
      self->cursor != VIGIL_MQTT_FLIGHT_NONE ||
      self->pubrels_sent < self->pubrels->len ||
      !vigil_mqtt_output_has_publish_room (&self->output))
    return 0;
  return vigil_mqtt_sender_get_qos (self) == 0 ? free_items
                                               : MIN (free_items, self->quota);
}

void
vigil_mqtt_session_take (VigilMqttSession *self, VigilMqttMessage *message,
    int64_t taken_us, int64_t now_us)
{
  uint16_t number = VIGIL_MQTT_FLIGHT_NONE;

  g_return_if_fail (self->phase == VIGIL_MQTT_PHASE_CONNECTED);
  g_return_if_fail (self->flight.size < self->flight.capacity);

  if (self->output.bytes == 0)
    self->last_progress_us = now_us;
  number = vigil_mqtt_flight_append (&self->flight, message, taken_us);
  if (self->cursor == VIGIL_MQTT_FLIGHT_NONE) {
    self->cursor = number;
    self->cursor_part = 0;
  }
  vigil_mqtt_sender_pump (self, now_us);
}

unsigned
vigil_mqtt_session_get_in_flight (const VigilMqttSession *self)
{
  return self->flight.size;
}

void
vigil_mqtt_session_drop_all (VigilMqttSession *self, VigilMqttDropReason drop)
{
  while (self->flight.first != VIGIL_MQTT_FLIGHT_NONE)
    vigil_mqtt_sender_finish (self, self->flight.first, VIGIL_MQTT_DROPPED,
        drop, vigil_mqtt_client_drop_reason_name (drop));
}

/* ---- Connections -------------------------------------------------------- */

static int
compare_pubrels (const void *left, const void *right)
{
  const uint64_t a = ((const VigilMqttPubrel *)left)->order;
  const uint64_t b = ((const VigilMqttPubrel *)right)->order;

  return a < b ? -1 : a > b;
}

/* [MQTT-4.4.0-1]: PUBLISH and PUBREL again, with their identifiers. */
static void
resume_part (VigilMqttSession *self, uint16_t number, unsigned at)
{
  VigilMqttFlightPart *part = &self->flight.items[number].parts[at];

  if (part->state == VIGIL_MQTT_PART_PUBCOMP) {
    const VigilMqttPubrel pubrel = {
        number, part->packet_id, (uint8_t)at, part->pubrec_order};

    g_array_append_val (self->pubrels, pubrel);
    return;
  }
  /* A broker that now takes less QoS cannot finish the old handshake. */
  part->is_duplicate =
      part->was_written && part->qos <= vigil_mqtt_sender_get_qos (self);
  part->state = VIGIL_MQTT_PART_WAITING;
}

/* As a new message: new identifier, DUP 0 [MQTT-3.3.1-1]. */
static void
restart_part (VigilMqttSession *self, VigilMqttFlightPart *part)
{
  vigil_mqtt_flight_free_id (&self->flight, part->packet_id);
  part->packet_id = 0;
  part->is_duplicate = FALSE;
  part->state = VIGIL_MQTT_PART_WAITING;
}

void
vigil_mqtt_sender_resume (VigilMqttSession *self, gboolean is_resumed)
{
  for (uint16_t number = self->flight.first; number != VIGIL_MQTT_FLIGHT_NONE;
       number = self->flight.items[number].next) {
    VigilMqttFlightItem *item = &self->flight.items[number];

    for (unsigned i = 0; i < item->message->parts_size; i++) {
      VigilMqttFlightPart *part = &item->parts[i];

      if (part->state == VIGIL_MQTT_PART_DONE)
        continue;
      if (is_resumed && part->packet_id != 0)
        resume_part (self, number, i);
      else
        restart_part (self, part);
    }
  }
  g_array_sort (self->pubrels, compare_pubrels);
  self->cursor = self->flight.first;
  self->cursor_part = 0;
}

/* The oldest message that this connection has begun to carry. */
static uint16_t
find_head (VigilMqttSession *self)
{
  const VigilMqttOutput *output = &self->output;
  const VigilMqttOutputEntry *partial =
      output->is_partial ? &output->entries[output->entries_start] : NULL;

  for (uint16_t number = self->flight.first; number != VIGIL_MQTT_FLIGHT_NONE;
       number = self->flight.items[number].next) {
    const VigilMqttFlightItem *item = &self->flight.items[number];

    for (unsigned i = 0; i < item->message->parts_size; i++)
      if (item->parts[i].is_begun && item->parts[i].is_written)
        return number;
    if (partial != NULL && partial->kind == VIGIL_MQTT_OUTPUT_PUBLISH &&
        partial->item == number)
      return number;
  }
  return VIGIL_MQTT_FLIGHT_NONE;
}

static void
strike_head (VigilMqttSession *self)
{
  const uint16_t number = find_head (self);
  VigilMqttFlightItem *item = NULL;

  if (number == VIGIL_MQTT_FLIGHT_NONE)
    return;
  item = &self->flight.items[number];
  item->strikes++;
  if (item->strikes < STRIKES_MAX)
    return;
  if (!reduce_item (self, item, item->message->payload_size / 2))
    vigil_mqtt_sender_finish (self, number, VIGIL_MQTT_DROPPED,
        VIGIL_MQTT_DROP_POISON, "three connections ended on this message");
}

static void
lose_item (VigilMqttSession *self, uint16_t number)
{
  VigilMqttFlightItem *item = &self->flight.items[number];

  if (self->options->qos == 0 && !self->options->offline_queue) {
    vigil_mqtt_sender_finish (self, number, VIGIL_MQTT_DROPPED,
        VIGIL_MQTT_DROP_CONNECTION_LOST,
        vigil_mqtt_client_drop_reason_name (VIGIL_MQTT_DROP_CONNECTION_LOST));
    return;
  }
  for (unsigned i = 0; i < item->message->parts_size; i++) {
    item->parts[i].was_written |= item->parts[i].is_written;
    item->parts[i].is_begun = FALSE;
    item->parts[i].is_written = FALSE;
    if (item->parts[i].state == VIGIL_MQTT_PART_WRITING)
      item->parts[i].state = VIGIL_MQTT_PART_WAITING;
  }
}

void
vigil_mqtt_sender_lose (
    VigilMqttSession *self, gboolean is_peer, int64_t now_us)
{
  uint16_t next = VIGIL_MQTT_FLIGHT_NONE;

  vigil_mqtt_limits_lost (&self->limits, is_peer, now_us);
  if (is_peer && self->options->qos > 0)
    strike_head (self);
  for (uint16_t number = self->flight.first; number != VIGIL_MQTT_FLIGHT_NONE;
       number = next) {
    next = self->flight.items[number].next;
    lose_item (self, number);
  }
  self->cursor = VIGIL_MQTT_FLIGHT_NONE;
  g_array_set_size (self->pubrels, 0);
  self->pubrels_sent = 0;
}
