/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "mqtt/mqtt-decoder.h"
#include "mqtt/mqtt-flight.h"
#include "mqtt/mqtt-limits.h"
#include "mqtt/mqtt-output.h"
#include "mqtt/mqtt-session.h"

/* The session's state, shared by mqtt-session.c (connection, packets that
 * come, time) and mqtt-sender.c (messages that go). */

typedef enum {
  VIGIL_MQTT_PHASE_CLOSED,
  VIGIL_MQTT_PHASE_CONNECTING, /* CONNECT is sent */
  VIGIL_MQTT_PHASE_CONNECTED,
  VIGIL_MQTT_PHASE_CLOSING, /* DISCONNECT is sent, or all is lost */
} VigilMqttPhase;

/* Notices that are given once. */
typedef enum {
  VIGIL_MQTT_NOTICE_QOS = 1 << 0,
  VIGIL_MQTT_NOTICE_RETAIN = 1 << 1,
  VIGIL_MQTT_NOTICE_PUBACK = 1 << 2,
  VIGIL_MQTT_NOTICE_OVERSIZE = 1 << 3,
} VigilMqttNotice;

struct _VigilMqttSession {
  const VigilMqttOptions *options;
  VigilMqttSessionEvents events;
  void *user_data;

  VigilMqttPhase phase;
  gboolean is_refused;
  gboolean is_accepted;
  gboolean is_blameless;      /* the broker ended it for reasons of its own */
  gboolean has_state;         /* the broker may hold a session of ours */
  char *assigned_client_id;   /* nullable */
  GByteArray *connect_packet; /* nullable; while it is being written */
  VigilMqttMessage *birth;    /* nullable: status_topic */
  VigilMqttMessage *death;    /* nullable */
  VigilMqttDecoder decoder;
  VigilMqttOutput output;
  unsigned notices; /* given so far */

  /* Keep-alive */
  int64_t keep_alive_us;
  int64_t last_received_us;
  int64_t last_sent_us;     /* end of the last whole packet */
  int64_t last_progress_us; /* last byte taken, or output begun */
  int64_t ping_written_us;
  gboolean is_ping_wanted;  /* due, not yet in the output */
  gboolean is_ping_pending; /* in the output or written, no answer yet */
  gboolean is_ping_written;

  /* Messages */
  VigilMqttFlight flight;
  uint16_t cursor; /* the item to be sent next; NONE: all are */
  unsigned cursor_part;
  GArray *pubrels; /* VigilMqttPubrel: to be sent again after a resume */
  unsigned pubrels_sent;
  uint64_t pubrecs; /* received, ever */
  unsigned quota;   /* PUBLISH that may still go (5: 4.9) */
  unsigned quota_max;
  uint64_t resent;
  VigilHistogram latencies; /* from send to the last acknowledgement */

  /* Limits of the broker */
  int maximum_qos;
  gboolean is_retain_available;
  uint32_t maximum_packet_size; /* 0: none told */
  VigilMqttLimits limits;       /* learnt */
};

typedef struct {
  uint16_t item;
  uint16_t packet_id;
  uint8_t part;
  uint64_t order;
} VigilMqttPubrel;

/* ---- mqtt-sender.c ------------------------------------------------------ */

/* Gives @text to the owner, unless @notice was given before. */
void vigil_mqtt_sender_note (
    VigilMqttSession *self, VigilMqttNotice notice, const char *text);
/* The QoS that goes to this broker. */
int vigil_mqtt_sender_get_qos (const VigilMqttSession *self);
/* Sends what may go now: PUBRELs of a resumed session, then messages in
 * their order. */
void vigil_mqtt_sender_pump (VigilMqttSession *self, int64_t now_us);
/* CONNACK has come: @is_resumed: the broker kept the session. */
void vigil_mqtt_sender_resume (VigilMqttSession *self, gboolean is_resumed);
/* Ends item @number; the owner gets the message. */
void vigil_mqtt_sender_finish (VigilMqttSession *self, uint16_t number,
    VigilMqttOutcome outcome, VigilMqttDropReason drop, const char *reason);
/* Part @part of item @number is done; the item too when it was the last. */
void vigil_mqtt_sender_complete (
    VigilMqttSession *self, uint16_t number, unsigned part);
/* Connection lost: what goes, what stays, what has killed too often. */
void vigil_mqtt_sender_lose (
    VigilMqttSession *self, gboolean is_peer, int64_t now_us);
