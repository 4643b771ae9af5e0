/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "mqtt/mqtt-client.h"
#include <sys/uio.h>

/*
 * The rules of MQTT for a publisher, as a pure state machine: bytes and
 * times in, bytes and outcomes out. No socket, no clock, no thread, no
 * lock. Times are microseconds of one clock that never goes back.
 *
 * A session outlives its connections: open, traffic, close, open ...
 */
typedef struct _VigilMqttSession VigilMqttSession;

/* What the session tells its owner; must not call the session. */
typedef struct {
  /*
   * A taken message has ended. @message (transfer full). @drop says why
   * when @outcome is DROPPED or REJECTED; @reason (nullable) has the
   * broker's words.
   */
  void (*finished) (VigilMqttMessage *message, VigilMqttOutcome outcome,
      VigilMqttDropReason drop, const char *reason, void *user_data);
  /* A smaller form takes the place of a message; called before finished. */
  void (*reduced) (
      VigilMqttMessage *from, VigilMqttMessage *to, void *user_data);
  /* The operator should know; each text comes once in a session's life. */
  void (*notice) (const char *text, void *user_data);
} VigilMqttSessionEvents;

/*
 * @options: borrowed for the session's life; client_id, window and
 * keep_alive_s are set.
 * @first_packet_id: to begin with. A random one keeps a session that the
 * broker has from an earlier process from taking new messages for old.
 * Returns: (transfer full).
 */
VigilMqttSession *vigil_mqtt_session_new (const VigilMqttOptions *options,
    uint16_t first_packet_id, const VigilMqttSessionEvents *events,
    void *user_data);
/* Drops what it holds as VIGIL_MQTT_DROP_STOPPED. NULL is allowed. */
void vigil_mqtt_session_free (VigilMqttSession *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VigilMqttSession, vigil_mqtt_session_free)

/* A transport is connected: CONNECT goes to the output, and nothing else
 * before CONNACK. */
void vigil_mqtt_session_open (VigilMqttSession *self, int64_t now_us);

/*
 * The connection is gone. QoS 0 is dropped (kept when offline_queue is
 * set), QoS 1 and 2 wait for the next open. @is_peer: the broker ended it:
 * the message that it may have died of gets a strike, three make it poison.
 */
void vigil_mqtt_session_close (
    VigilMqttSession *self, gboolean is_peer, int64_t now_us);

/* ---- Bytes ------------------------------------------------------------ */

/* Where to put received bytes; at least one. Returns: (nullable): NULL
 * without memory. */
uint8_t *vigil_mqtt_session_get_space (
    VigilMqttSession *self, size_t *ret_size);
/*
 * @size bytes were received there. Returns: FALSE when the connection must
 * end: @error says why; what is in the output (DISCONNECT with the reason,
 * in version 5) should be written if it goes without waiting.
 */
gboolean vigil_mqtt_session_received (
    VigilMqttSession *self, size_t size, int64_t now_us, GError **error);
/* FALSE while the output is so full of answers that reading must wait. */
gboolean vigil_mqtt_session_wants_input (const VigilMqttSession *self);

/* What to write now; @ret_size 0 when nothing. Returns: (transfer none). */
const struct iovec *vigil_mqtt_session_get_output (
    VigilMqttSession *self, int *ret_size);
/* So many bytes of it were written. Same errors as received. */
gboolean vigil_mqtt_session_written (
    VigilMqttSession *self, size_t bytes, int64_t now_us, GError **error);

/* ---- Messages --------------------------------------------------------- */

/* How many messages take will take now: 0 when not connected, or the window
 * or the output is full. */
unsigned vigil_mqtt_session_get_room (const VigilMqttSession *self);
/* Takes @message (transfer full). Only with
 * room. @taken_us: when send took
 * it, for its expiry. */
void vigil_mqtt_session_take (VigilMqttSession *self, VigilMqttMessage *message,
    int64_t taken_us, int64_t now_us);
/* Messages taken and not finished. */
unsigned vigil_mqtt_session_get_in_flight (const VigilMqttSession *self);

/* ---- Time ------------------------------------------------------------- */

/* When tick is due; INT64_MAX: never. */
int64_t vigil_mqtt_session_get_deadline_us (const VigilMqttSession *self);
/* Keep-alive. Returns: FALSE when the broker is taken for dead (@error:
 * VIGIL_ERROR_TIMEOUT). */
gboolean vigil_mqtt_session_tick (
    VigilMqttSession *self, int64_t now_us, GError **error);

/* ---- State ------------------------------------------------------------ */

/* CONNACK of success has come on this connection, whatever came then. */
gboolean vigil_mqtt_session_is_accepted (const VigilMqttSession *self);
/* Accepted, and neither side has ended it. */
gboolean vigil_mqtt_session_is_connected (const VigilMqttSession *self);
/* CONNACK refused us: another host may do better, another address of the
 * same host will not. */
gboolean vigil_mqtt_session_is_refused (const VigilMqttSession *self);
/*
 * A clean end: the offline status and DISCONNECT go to the output, after
 * the packet that has begun and in place of those that have not.
 */
void vigil_mqtt_session_disconnect (VigilMqttSession *self);
/* Drops all it holds with @drop. */
void vigil_mqtt_session_drop_all (
    VigilMqttSession *self, VigilMqttDropReason drop);
/* Packets sent again, ever. */
uint64_t vigil_mqtt_session_get_resent (const VigilMqttSession *self);
/* How long acknowledged messages took, from send on. (transfer none). */
const VigilHistogram *vigil_mqtt_session_get_latencies (
    const VigilMqttSession *self);
