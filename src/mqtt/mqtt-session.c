/* SPDX-License-Identifier: Apache-2.0 */

/* The half of the session that keeps the connection: CONNECT and CONNACK,
 * acknowledgements, keep-alive, the end. */

#include "mqtt/mqtt-session-private.h"

#include "base/error.h"
#include "mqtt/mqtt-fault.h"
#include "mqtt/mqtt-reason.h"
#include <string.h>

#define STATUS_ONLINE "{\"state\":\"online\"}"
#define STATUS_OFFLINE "{\"state\":\"offline\"}"

/* How long a broker is asked to keep a session whose connection was lost
 * (5: 3.1.2.11.2). A clean stop ends it at once: the other half of the
 * session is in our memory alone. */
#define SESSION_EXPIRY_S 86400

/* Items of a client of QoS 0: they live until their bytes are written. */
#define ITEMS_OF_QOS_0 256

/* Identifiers are 16 bits wide and a message may need two. */
#define WINDOW_MAX 16384

static unsigned
get_window (const VigilMqttOptions *options)
{
  return MIN (options->window, WINDOW_MAX);
}

static VigilMqttMessage *
make_status (const VigilMqttOptions *options, const char *json)
{
  const VigilMqttPublication publication = {
      .topic = options->status_topic,
      .segments = {g_bytes_new_static (json, strlen (json))},
      .is_text = TRUE,
      .content_type = "application/json",
  };
  VigilMqttMessage *message = vigil_mqtt_message_new (&publication, 1);

  g_bytes_unref (publication.segments[0]);
  return message;
}

VigilMqttSession *
vigil_mqtt_session_new (const VigilMqttOptions *options,
    uint16_t first_packet_id, const VigilMqttSessionEvents *events,
    void *user_data)
{
  VigilMqttSession *self = g_new0 (VigilMqttSession, 1);

  self->options = options;
  self->events = *events;
  self->user_data = user_data;
  self->quota_max = get_window (options);
  self->cursor = VIGIL_MQTT_FLIGHT_NONE;
  self->maximum_qos = 2;
  self->is_retain_available = TRUE;
  self->pubrels = g_array_new (FALSE, FALSE, sizeof (VigilMqttPubrel));
  vigil_mqtt_decoder_init (&self->decoder, options->protocol);
  vigil_mqtt_output_reset (&self->output);
  vigil_mqtt_flight_init (&self->flight,
      options->qos == 0 ? ITEMS_OF_QOS_0 : (uint16_t)self->quota_max,
      first_packet_id);
  if (options->status_topic != NULL) {
    self->birth = make_status (options, STATUS_ONLINE);
    self->death = make_status (options, STATUS_OFFLINE);
  }
  return self;
}

static void
wipe_connect_packet (VigilMqttSession *self)
{
  if (self->connect_packet == NULL)
    return;
  explicit_bzero (self->connect_packet->data, self->connect_packet->len);
  g_clear_pointer (&self->connect_packet, g_byte_array_unref);
}

void
vigil_mqtt_session_free (VigilMqttSession *self)
{
  if (self == NULL)
    return;
  vigil_mqtt_output_reset (&self->output);
  vigil_mqtt_session_drop_all (self, VIGIL_MQTT_DROP_STOPPED);
  vigil_mqtt_flight_clear (&self->flight);
  vigil_mqtt_decoder_clear (&self->decoder);
  wipe_connect_packet (self);
  g_array_unref (self->pubrels);
  vigil_mqtt_message_unref (self->birth);
  vigil_mqtt_message_unref (self->death);
  g_free (self->assigned_client_id);
  g_free (self);
}

/* ---- Connecting --------------------------------------------------------- */

/*
 * In 3.1 and 3.1.1 the flag also decides whether the broker keeps the
 * session. In 5 it only discards an older one: which is right for a client
 * that has no state of it [MQTT-3.2.2-4].
 */
static gboolean
wants_clean_start (const VigilMqttSession *self)
{
  if (!self->options->keep_session)
    return TRUE;
  return self->options->protocol == VIGIL_MQTT_PROTOCOL_5 && !self->has_state;
}

void
vigil_mqtt_session_open (VigilMqttSession *self, int64_t now_us)
{
  const VigilMqttOptions *options = self->options;
  const VigilMqttConnect connect = {
      .protocol = options->protocol,
      .client_id = self->assigned_client_id != NULL ? self->assigned_client_id
                                                    : options->client_id,
      .clean_start = wants_clean_start (self),
      .keep_alive_s = (uint16_t)options->keep_alive_s,
      .session_expiry_s = options->keep_session ? SESSION_EXPIRY_S : 0,
      .username = options->username,
      .password = options->password,
      .will_topic = options->status_topic,
      .will_payload = STATUS_OFFLINE,
      .will_retain = TRUE,
  };

  vigil_mqtt_decoder_reset (&self->decoder);
  vigil_mqtt_output_reset (&self->output);
  wipe_connect_packet (self);
  self->phase = VIGIL_MQTT_PHASE_CONNECTING;
  self->is_refused = FALSE;
  self->is_accepted = FALSE;
  self->is_blameless = FALSE;
  self->is_ping_wanted = self->is_ping_pending = FALSE;
  self->last_received_us = self->last_sent_us = now_us;
  self->last_progress_us = now_us;
  self->connect_packet = vigil_mqtt_packet_encode_connect (&connect);
  vigil_mqtt_output_push_borrowed (
      &self->output, self->connect_packet->data, self->connect_packet->len);
}

void
vigil_mqtt_session_close (
    VigilMqttSession *self, gboolean is_peer, int64_t now_us)
{
  const gboolean was_connected = self->phase == VIGIL_MQTT_PHASE_CONNECTED ||
                                 self->phase == VIGIL_MQTT_PHASE_CLOSING;

  self->phase = VIGIL_MQTT_PHASE_CLOSED;
  if (was_connected)
    vigil_mqtt_sender_lose (self, is_peer && !self->is_blameless, now_us);
  vigil_mqtt_output_reset (&self->output);
  wipe_connect_packet (self);
}

static void
push_status (VigilMqttSession *self, VigilMqttMessage *status)
{
  const VigilMqttPublish values = {
      .protocol = self->options->protocol,
      .retain = self->is_retain_available,
  };

  if (status != NULL && vigil_mqtt_output_has_publish_room (&self->output))
    vigil_mqtt_output_push_publish (&self->output, &status->parts[0], &values,
        VIGIL_MQTT_OUTPUT_CONTROL, 0, 0);
}

/* What the broker can and cannot do (5: 3.2.2.3). */
static void
apply_limits (VigilMqttSession *self, const VigilMqttPacket *connack)
{
  const VigilMqttOptions *options = self->options;
  unsigned keep_alive_s = options->keep_alive_s;

  self->maximum_qos = (int)connack->maximum_qos;
  self->is_retain_available = connack->retain_available != 0;
  self->maximum_packet_size = connack->maximum_packet_size;
  self->quota = MIN (get_window (options), connack->receive_maximum);
  self->quota_max = self->quota;
  /* 0 says that the broker does not watch; we still do */
  if (connack->has_server_keep_alive && connack->server_keep_alive_s > 0)
    keep_alive_s = connack->server_keep_alive_s;
  self->keep_alive_us = (int64_t)keep_alive_s * G_USEC_PER_SEC;
  if (options->qos > self->maximum_qos) {
    g_autofree char *text = g_strdup_printf (
        "the broker takes at most QoS %d: sending with that instead of %d",
        self->maximum_qos, options->qos);

    vigil_mqtt_sender_note (self, VIGIL_MQTT_NOTICE_QOS, text);
  }
  if (options->retain && !self->is_retain_available)
    vigil_mqtt_sender_note (self, VIGIL_MQTT_NOTICE_RETAIN,
        "the broker keeps no retained messages: sending without retain");
}

static gboolean
refuse (VigilMqttSession *self, const VigilMqttPacket *packet, GError **error)
{
  g_autofree char *reason =
      vigil_mqtt_reason_to_text (self->options->protocol, packet);

  self->is_refused = TRUE;
  return vigil_mqtt_fault_set_error (
      error, vigil_mqtt_fault_from_connack (packet->reason), reason);
}

static gboolean
on_connack (VigilMqttSession *self, const VigilMqttPacket *packet,
    int64_t now_us, GError **error)
{
  gboolean is_resumed = packet->session_present;

  if (packet->reason != 0)
    return refuse (self, packet, error);
  if (packet->session_present && wants_clean_start (self)) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_PROTOCOL,
        "the broker resumed a session that was to be new");
    return FALSE;
  }
  /* 3.1 has no Session Present: a kept session is taken for kept. */
  if (self->options->protocol == VIGIL_MQTT_PROTOCOL_31)
    is_resumed = self->options->keep_session && self->has_state;
  self->has_state = self->options->keep_session;
  if (packet->assigned_client_id.data != NULL) {
    g_free (self->assigned_client_id);
    self->assigned_client_id = g_strndup (
        packet->assigned_client_id.data, packet->assigned_client_id.size);
  }
  self->phase = VIGIL_MQTT_PHASE_CONNECTED;
  self->is_accepted = TRUE;
  apply_limits (self, packet);
  push_status (self, self->birth);
  vigil_mqtt_sender_resume (self, is_resumed);
  vigil_mqtt_sender_pump (self, now_us);
  return TRUE;
}

/* ---- Acknowledgements --------------------------------------------------- */

static gboolean
fail_handshake (const VigilMqttPacket *packet, GError **error)
{
  g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_PROTOCOL,
      "the broker sent packet type %d for identifier %u, which waits for "
      "another",
      (int)packet->type, packet->packet_id);
  return FALSE;
}

static void
push_pubrel (VigilMqttSession *self, uint16_t packet_id, uint8_t reason)
{
  uint8_t packet[VIGIL_MQTT_PUBREL_MAX];

  vigil_mqtt_output_push_control (&self->output, VIGIL_MQTT_OUTPUT_CONTROL,
      packet,
      vigil_mqtt_packet_put_pubrel (
          packet, self->options->protocol, packet_id, reason));
}

static void
finish_part (VigilMqttSession *self, const VigilMqttPacket *packet,
    uint16_t number, unsigned at)
{
  VigilMqttFlightItem *item = &self->flight.items[number];

  vigil_mqtt_limits_proved (&self->limits, item->parts[at].packet_size);
  if (self->quota < self->quota_max)
    self->quota++;
  if (packet->reason >= VIGIL_MQTT_REASON_FAILURE && item->rejection == NULL &&
      packet->type != VIGIL_MQTT_PACKET_PUBCOMP) {
    g_autofree char *reason =
        vigil_mqtt_reason_to_text (self->options->protocol, packet);

    item->rejection = vigil_mqtt_fault_dup_text (
        vigil_mqtt_fault_from_puback (packet->reason), reason);
  }
  vigil_mqtt_sender_complete (self, number, at);
}

/* 5: 4.3.2; 3.1.1: 4.3.2 */
static gboolean
on_puback (VigilMqttSession *self, const VigilMqttPacket *packet,
    uint16_t number, unsigned at, GError **error)
{
  const VigilMqttPartState state = self->flight.items[number].parts[at].state;

  if (state == VIGIL_MQTT_PART_PUBREC)
    /* RabbitMQ's plugin answers so and delivers once or more. */
    vigil_mqtt_sender_note (self, VIGIL_MQTT_NOTICE_PUBACK,
        "the broker answers QoS 2 as QoS 1: messages may arrive twice");
  else if (state != VIGIL_MQTT_PART_PUBACK)
    return fail_handshake (packet, error);
  finish_part (self, packet, number, at);
  return TRUE;
}

/* 5: 4.3.3; 3.1.1: 4.3.3 */
static gboolean
on_pubrec (VigilMqttSession *self, const VigilMqttPacket *packet,
    uint16_t number, unsigned at, GError **error)
{
  VigilMqttFlightPart *part = &self->flight.items[number].parts[at];

  if (part->state != VIGIL_MQTT_PART_PUBREC &&
      part->state != VIGIL_MQTT_PART_PUBCOMP)
    return fail_handshake (packet, error);
  if (packet->reason >= VIGIL_MQTT_REASON_FAILURE) {
    finish_part (self, packet, number, at);
    return TRUE;
  }
  if (part->state == VIGIL_MQTT_PART_PUBREC) {
    part->state = VIGIL_MQTT_PART_PUBCOMP;
    part->pubrec_order = self->pubrecs++;
  }
  push_pubrel (self, packet->packet_id, 0);
  return TRUE;
}

static gboolean
on_pubcomp (VigilMqttSession *self, const VigilMqttPacket *packet,
    uint16_t number, unsigned at, GError **error)
{
  if (self->flight.items[number].parts[at].state != VIGIL_MQTT_PART_PUBCOMP)
    return fail_handshake (packet, error);
  finish_part (self, packet, number, at);
  return TRUE;
}

static gboolean
on_acknowledgement (VigilMqttSession *self, const VigilMqttPacket *packet,
    int64_t now_us, GError **error)
{
  const VigilMqttFlightPart *part = NULL;
  uint16_t number = VIGIL_MQTT_FLIGHT_NONE;
  unsigned at = 0;
  gboolean is_good = FALSE;

  number = vigil_mqtt_flight_find (&self->flight, packet->packet_id, &at);
  if (number == VIGIL_MQTT_FLIGHT_NONE) {
    /* Late or twice: harmless. A PUBREC wants its answer (5: 3.6.2.1). */
    if (packet->type == VIGIL_MQTT_PACKET_PUBREC &&
        packet->reason < VIGIL_MQTT_REASON_FAILURE)
      push_pubrel (
          self, packet->packet_id, VIGIL_MQTT_REASON_PACKET_ID_UNKNOWN);
    return TRUE;
  }
  part = &self->flight.items[number].parts[at];
  if (!part->is_written && part->state != VIGIL_MQTT_PART_PUBCOMP) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_PROTOCOL,
        "the broker acknowledged identifier %u before it was sent",
        packet->packet_id);
    return FALSE;
  }
  if (packet->type == VIGIL_MQTT_PACKET_PUBACK)
    is_good = on_puback (self, packet, number, at, error);
  else if (packet->type == VIGIL_MQTT_PACKET_PUBREC)
    is_good = on_pubrec (self, packet, number, at, error);
  else
    is_good = on_pubcomp (self, packet, number, at, error);
  if (is_good)
    vigil_mqtt_sender_pump (self, now_us);
  return is_good;
}

/* ---- Packets ------------------------------------------------------------ */

/* Ends of a connection that no message can be the cause of. */
static gboolean
is_of_brokers_own (uint8_t reason)
{
  return reason == VIGIL_MQTT_REASON_BUSY ||
         reason == VIGIL_MQTT_REASON_SHUTTING_DOWN ||
         reason == VIGIL_MQTT_REASON_KEEP_ALIVE ||
         reason == VIGIL_MQTT_REASON_TAKEN_OVER ||
         reason == VIGIL_MQTT_REASON_ADMINISTRATIVE ||
         reason == VIGIL_MQTT_REASON_USE_ANOTHER_SERVER ||
         reason == VIGIL_MQTT_REASON_SERVER_MOVED;
}

static gboolean
on_disconnect (
    VigilMqttSession *self, const VigilMqttPacket *packet, GError **error)
{
  g_autofree char *reason =
      vigil_mqtt_reason_to_text (self->options->protocol, packet);

  self->is_blameless = is_of_brokers_own (packet->reason);
  return vigil_mqtt_fault_set_error (
      error, vigil_mqtt_fault_from_disconnect (packet->reason), reason);
}

/* CONNECT, or a part of it, is still in the output. */
static gboolean
is_connect_waiting (const VigilMqttSession *self)
{
  return self->connect_packet != NULL && self->output.bytes > 0;
}

static gboolean
on_packet (VigilMqttSession *self, const VigilMqttPacket *packet,
    int64_t now_us, GError **error)
{
  const gboolean is_connack = packet->type == VIGIL_MQTT_PACKET_CONNACK;
  const gboolean is_connecting = self->phase == VIGIL_MQTT_PHASE_CONNECTING;

  if (is_connect_waiting (self)) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_PROTOCOL,
        "the broker answered before it was asked");
    return FALSE;
  }
  /* [MQTT-3.2.0-1, -2]: first, and once. A DISCONNECT in its place is wrong
   * too [MQTT-3.14.0-1], but its reason is worth more than that. */
  if (is_connack != is_connecting &&
      packet->type != VIGIL_MQTT_PACKET_DISCONNECT) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_PROTOCOL,
        is_connack ? "the broker sent a second CONNACK"
                   : "the broker sent packet type %d before CONNACK",
        (int)packet->type);
    return FALSE;
  }
  if (is_connack)
    return on_connack (self, packet, now_us, error);
  if (packet->type == VIGIL_MQTT_PACKET_DISCONNECT)
    return on_disconnect (self, packet, error);
  if (packet->type == VIGIL_MQTT_PACKET_PINGRESP) {
    if (self->is_ping_pending && self->is_ping_written)
      vigil_mqtt_limits_pinged (&self->limits, self->ping_written_us);
    self->is_ping_pending = FALSE;
    return TRUE;
  }
  if (packet->type == VIGIL_MQTT_PACKET_PUBREL) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_PROTOCOL,
        "the broker sent PUBREL, which answers a PUBREC that we never send");
    return FALSE;
  }
  return on_acknowledgement (self, packet, now_us, error);
}

/* Version 5 tells the broker why (5: 4.13). */
static void
push_farewell (VigilMqttSession *self, const GError *error)
{
  uint8_t packet[VIGIL_MQTT_DISCONNECT_MAX];
  const gboolean is_ours = error->code == VIGIL_ERROR_PROTOCOL;

  self->phase = self->phase == VIGIL_MQTT_PHASE_CONNECTED
                    ? VIGIL_MQTT_PHASE_CLOSING
                    : self->phase;
  if (!is_ours || self->options->protocol != VIGIL_MQTT_PROTOCOL_5)
    return;
  /* not in the middle of a packet, nor before CONNECT [MQTT-3.1.0-1] */
  if (self->output.is_partial || is_connect_waiting (self))
    return;
  vigil_mqtt_output_reset (&self->output);
  vigil_mqtt_output_push_control (&self->output, VIGIL_MQTT_OUTPUT_CONTROL,
      packet,
      vigil_mqtt_packet_put_disconnect (packet, self->options->protocol,
          VIGIL_MQTT_REASON_PROTOCOL_ERROR, FALSE));
}

static gboolean
decode (VigilMqttSession *self, int64_t now_us, GError **error)
{
  g_autoptr (GError) failure = NULL;
  VigilMqttPacket packet;

  while (vigil_mqtt_output_has_room (&self->output)) {
    const VigilMqttDecodeResult result =
        vigil_mqtt_decoder_next (&self->decoder, &packet, &failure);

    if (result == VIGIL_MQTT_INCOMPLETE)
      return TRUE;
    if (result == VIGIL_MQTT_MALFORMED ||
        !on_packet (self, &packet, now_us, &failure)) {
      push_farewell (self, failure);
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  }
  return TRUE;
}

uint8_t *
vigil_mqtt_session_get_space (VigilMqttSession *self, size_t *ret_size)
{
  return vigil_mqtt_decoder_get_space (&self->decoder, ret_size);
}

gboolean
vigil_mqtt_session_received (
    VigilMqttSession *self, size_t size, int64_t now_us, GError **error)
{
  vigil_mqtt_decoder_commit (&self->decoder, size);
  self->last_received_us = now_us;
  /* after our DISCONNECT nothing that comes matters */
  if (self->phase == VIGIL_MQTT_PHASE_CLOSING) {
    vigil_mqtt_decoder_reset (&self->decoder);
    return TRUE;
  }
  return decode (self, now_us, error);
}

gboolean
vigil_mqtt_session_wants_input (const VigilMqttSession *self)
{
  return vigil_mqtt_output_has_room (&self->output);
}

const struct iovec *
vigil_mqtt_session_get_output (VigilMqttSession *self, int *ret_size)
{
  return vigil_mqtt_output_get (&self->output, ret_size);
}

/* A ping that is due goes out as soon as there is room. */
static void
push_ping (VigilMqttSession *self)
{
  uint8_t packet[VIGIL_MQTT_PINGREQ_SIZE];

  if (!self->is_ping_wanted || !vigil_mqtt_output_has_room (&self->output))
    return;
  self->is_ping_wanted = FALSE;
  vigil_mqtt_output_push_control (&self->output, VIGIL_MQTT_OUTPUT_PING, packet,
      vigil_mqtt_packet_put_pingreq (packet));
}

static void
on_written (
    VigilMqttSession *self, const VigilMqttOutputEntry *entry, int64_t now_us)
{
  self->last_sent_us = now_us;
  if (entry->kind == VIGIL_MQTT_OUTPUT_PING) {
    self->is_ping_written = TRUE;
    self->ping_written_us = now_us;
  }
  if (entry->kind == VIGIL_MQTT_OUTPUT_PUBLISH) {
    VigilMqttFlightPart *part =
        &self->flight.items[entry->item].parts[entry->part];

    part->is_written = TRUE;
    if (part->state == VIGIL_MQTT_PART_WRITING)
      vigil_mqtt_sender_complete (self, entry->item, entry->part);
  }
}

gboolean
vigil_mqtt_session_written (
    VigilMqttSession *self, size_t bytes, int64_t now_us, GError **error)
{
  VigilMqttOutputEntry entry;

  if (bytes == 0)
    return TRUE;
  self->last_progress_us = now_us;
  vigil_mqtt_output_advance (&self->output, bytes);
  while (vigil_mqtt_output_pop_written (&self->output, &entry))
    on_written (self, &entry, now_us);
  if (self->connect_packet != NULL && self->output.bytes == 0)
    wipe_connect_packet (self);
  if (self->phase == VIGIL_MQTT_PHASE_CLOSING)
    return TRUE;
  push_ping (self);
  /* packets that had to wait for room to be answered */
  if (!decode (self, now_us, error))
    return FALSE;
  vigil_mqtt_sender_pump (self, now_us);
  return TRUE;
}

/* ---- Time --------------------------------------------------------------- */

/* A little before the broker would miss it. */
static int64_t
ping_due_us (const VigilMqttSession *self)
{
  return MIN (self->last_received_us, self->last_sent_us) +
         self->keep_alive_us * 9 / 10;
}

/*
 * Dead: nothing received for 1.5 keep-alives although a ping is out. A ping
 * that waits behind a large message on a slow link has half a keep-alive
 * from the last byte that went. Also dead: nothing taken for 1.5.
 */
static int64_t
dead_us (const VigilMqttSession *self)
{
  const int64_t half_us = self->keep_alive_us / 2;
  int64_t dead = INT64_MAX;

  if (self->is_ping_pending)
    dead = MAX (self->last_received_us + 3 * half_us,
        (self->is_ping_written ? self->ping_written_us
                               : self->last_progress_us) +
            half_us);
  if (self->output.bytes > 0)
    dead = MIN (dead, self->last_progress_us + 3 * half_us);
  return dead;
}

int64_t
vigil_mqtt_session_get_deadline_us (const VigilMqttSession *self)
{
  if (self->phase != VIGIL_MQTT_PHASE_CONNECTED)
    return INT64_MAX;
  if (self->is_ping_pending)
    return dead_us (self);
  return MIN (ping_due_us (self), dead_us (self));
}

gboolean
vigil_mqtt_session_tick (VigilMqttSession *self, int64_t now_us, GError **error)
{
  if (self->phase != VIGIL_MQTT_PHASE_CONNECTED)
    return TRUE;
  if (now_us >= dead_us (self)) {
    g_autofree char *detail = g_strdup_printf ("for %.1f s, keep-alive %.0f s",
        (double)(now_us - self->last_received_us) / G_USEC_PER_SEC,
        (double)self->keep_alive_us / G_USEC_PER_SEC);

    vigil_mqtt_fault_set_error (error, VIGIL_MQTT_FAULT_FROZEN, detail);
    return FALSE;
  }
  if (self->is_ping_pending || now_us < ping_due_us (self))
    return TRUE;
  self->is_ping_pending = TRUE;
  self->is_ping_written = FALSE;
  self->is_ping_wanted = TRUE;
  if (self->output.bytes == 0)
    self->last_progress_us = now_us;
  push_ping (self);
  return TRUE;
}

/* ---- State -------------------------------------------------------------- */

gboolean
vigil_mqtt_session_is_accepted (const VigilMqttSession *self)
{
  return self->is_accepted;
}

gboolean
vigil_mqtt_session_is_connected (const VigilMqttSession *self)
{
  return self->phase == VIGIL_MQTT_PHASE_CONNECTED;
}

gboolean
vigil_mqtt_session_is_refused (const VigilMqttSession *self)
{
  return self->is_refused;
}

void
vigil_mqtt_session_disconnect (VigilMqttSession *self)
{
  uint8_t packet[VIGIL_MQTT_DISCONNECT_MAX];

  if (self->phase != VIGIL_MQTT_PHASE_CONNECTED)
    return;
  self->phase = VIGIL_MQTT_PHASE_CLOSING;
  vigil_mqtt_output_drop_unstarted (&self->output);
  push_status (self, self->death);
  vigil_mqtt_output_push_control (&self->output, VIGIL_MQTT_OUTPUT_CONTROL,
      packet,
      vigil_mqtt_packet_put_disconnect (
          packet, self->options->protocol, 0, self->options->keep_session));
}

uint64_t
vigil_mqtt_session_get_resent (const VigilMqttSession *self)
{
  return self->resent;
}

const VigilHistogram *
vigil_mqtt_session_get_latencies (const VigilMqttSession *self)
{
  return &self->latencies;
}
