/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/histogram.h"
#include <glib.h>
#include <stdint.h>

/*
 * A publish-only MQTT client: one I/O thread per client, back-off, bounded
 * queue, an outcome for every message. Knows nothing of video.
 */
typedef struct _VigilMqttClient VigilMqttClient;
typedef struct _VigilMqttMessage VigilMqttMessage;

/* ---- Messages -------------------------------------------------------- */

#define VIGIL_MQTT_SEGMENTS_MAX 4
#define VIGIL_MQTT_PUBLICATIONS_MAX 2

typedef struct {
  const char *name;
  const char *value;
} VigilMqttUserProperty;

/* One PUBLISH: topic, payload as up to four shared pieces. Zeroed members
 * are not sent. */
typedef struct {
  const char *topic;
  GBytes *segments[VIGIL_MQTT_SEGMENTS_MAX]; /* NULL after the last */
  const char *content_type;                  /* nullable; MQTT 5 only */
  GBytes *correlation_data;                  /* nullable; MQTT 5 only */
  gboolean is_text;  /* MQTT 5: Payload Format Indicator 1 */
  gboolean is_once;  /* never retained: nothing will replace it at its topic */
  unsigned expiry_s; /* MQTT 5: Message Expiry, less the time it waited */
  const VigilMqttUserProperty *user_properties; /* MQTT 5 */
  unsigned user_properties_size;
} VigilMqttPublication;

/*
 * Makes a smaller form of a message that does not fit: called in the I/O
 * thread (for @limit_bytes of payload in one packet) or by send (to make room,
 * with @limit_bytes 0: without its frame); must not call the client.
 * Returns: (transfer full) (nullable): NULL when nothing smaller exists.
 */
typedef VigilMqttMessage *(*VigilMqttReduceFunc) (
    VigilMqttMessage *message, size_t limit_bytes, void *user_data);

/*
 * A queue entry of one or two publications that live and die together.
 * Topics are copied, segments referenced.
 * Returns: (transfer full).
 */
VigilMqttMessage *vigil_mqtt_message_new (
    const VigilMqttPublication *publications, unsigned size);
VigilMqttMessage *vigil_mqtt_message_ref (VigilMqttMessage *self);
void vigil_mqtt_message_unref (VigilMqttMessage *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VigilMqttMessage, vigil_mqtt_message_unref)
/* @user_data is freed with @destroy when the message goes. Call before
 * send. */
void vigil_mqtt_message_set_reduce (VigilMqttMessage *self,
    VigilMqttReduceFunc reduce, void *user_data, GDestroyNotify destroy);

/* ---- Client ---------------------------------------------------------- */

typedef enum {
  VIGIL_MQTT_DROP_OLDEST,
  VIGIL_MQTT_DROP_NEWEST,
  VIGIL_MQTT_DROP_FRAMES_FIRST, /* reduce the oldest, then drop the oldest */
} VigilMqttQueuePolicy;

typedef struct {
  const char *host;
  uint16_t port;
} VigilMqttHost;

/* What a connection is made with and may change while the client runs. */
typedef struct {
  struct _VigilMqttTls *tls;     /* nullable: as the options' */
  struct _VigilSecret *password; /* nullable */
} VigilMqttCredentials;

/*
 * Reads the credentials as they are now, (transfer full). I/O thread, before
 * every attempt but the first; may block on the disk. Returns: FALSE when
 * they cannot be had: the former ones stay in use.
 */
typedef gboolean (*VigilMqttCredentialsFunc) (
    void *user_data, VigilMqttCredentials *ret_credentials, GError **error);

/* Copied by new. Zeroed members mean the default that stands here. */
typedef struct {
  const char *name;           /* for the log: "instance/destination" */
  const VigilMqttHost *hosts; /* tried in order */
  unsigned hosts_size;
  int protocol; /* 3, 4 (default) or 5 */
  int qos;      /* 0, 1, 2 */
  gboolean retain;
  const char *client_id;     /* NULL: "vigil-" and 16 hex digits */
  gboolean keep_session;     /* clean_session: false; needs client_id */
  unsigned keep_alive_s;     /* 60 */
  const char *username;      /* nullable */
  const char *password;      /* nullable */
  const char *status_topic;  /* nullable: retained birth and will */
  struct _VigilMqttTls *tls; /* nullable: without TLS; referenced by new */
  VigilMqttCredentialsFunc get_credentials; /* nullable: never change */
  void *credentials_data;                   /* must outlive the client */
  unsigned window;       /* 20: unacknowledged messages of QoS 1 and 2 */
  size_t queue_messages; /* 1000 */
  size_t queue_bytes;    /* 64 MiB */
  VigilMqttQueuePolicy queue_policy;
  gboolean offline_queue;   /* go on queueing while disconnected */
  double offline_max_age_s; /* 0: no limit */
  double stable_after_s;    /* 0: CONNACK resets the back-off */
  gboolean jitter;
  int64_t attempt_timeout_ms; /* 10,000: all addresses, TLS, CONNACK */
} VigilMqttOptions;

typedef enum {
  VIGIL_MQTT_PUBLISHED,    /* QoS 0: written whole */
  VIGIL_MQTT_ACKNOWLEDGED, /* QoS 1, 2 */
  VIGIL_MQTT_DROPPED,      /* by us; @reason says why */
  VIGIL_MQTT_REJECTED,     /* by the broker; @reason has its words */
} VigilMqttOutcome;

/*
 * The end of a message: once for each message given to send. @message is
 * the form it had in the end (see VigilMqttReduceFunc). I/O thread, or the
 * caller of send or stop; must not block or call the client.
 */
typedef void (*VigilMqttOutcomeFunc) (VigilMqttMessage *message,
    VigilMqttOutcome outcome, const char *reason, void *user_data);

/* Checks what can be checked. Returns: (transfer full) (nullable). */
VigilMqttClient *vigil_mqtt_client_new (
    const VigilMqttOptions *options, GError **error);
/* Stops at once if it still runs. NULL is allowed. */
void vigil_mqtt_client_free (VigilMqttClient *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VigilMqttClient, vigil_mqtt_client_free)
/* Before start. */
void vigil_mqtt_client_set_outcome_func (
    VigilMqttClient *self, VigilMqttOutcomeFunc func, void *user_data);

/* Starts the I/O thread; the first attempt begins at once. */
gboolean vigil_mqtt_client_start (VigilMqttClient *self, GError **error);

/*
 * Enqueues @message (transfer none), or drops it with an outcome. Any
 * thread. @deadline_us 0: never waits longer than a lock. Else: waits for
 * room until then while connected or first connecting, not while down.
 */
void vigil_mqtt_client_send (
    VigilMqttClient *self, VigilMqttMessage *message, int64_t deadline_us);

/* FALSE when a message sent now would be dropped at once. Any thread. */
gboolean vigil_mqtt_client_is_accepting (VigilMqttClient *self);

/*
 * Reads the credentials again and, if that succeeds, renews the connection
 * with them: what was sent is acknowledged first (up to 5 s), what comes
 * meanwhile waits in the queue, nothing is lost and no back-off is waited
 * for. Does nothing for a client without get_credentials. Returns at once.
 * Any thread.
 */
void vigil_mqtt_client_renew (VigilMqttClient *self);

/*
 * Sends what is queued and waits for acknowledgements until @deadline_us,
 * sends DISCONNECT, drops and counts the rest, joins the thread. Returns at
 * most 2 s after the deadline, whatever the network does.
 */
void vigil_mqtt_client_stop (VigilMqttClient *self, int64_t deadline_us);

typedef enum {
  VIGIL_MQTT_CONNECTING, /* first attempt under way */
  VIGIL_MQTT_CONNECTED,
  VIGIL_MQTT_WAITING, /* back-off */
  VIGIL_MQTT_RECONNECTING,
  VIGIL_MQTT_STOPPED,
} VigilMqttState;

typedef enum {
  VIGIL_MQTT_DROP_NOT_CONNECTED,
  VIGIL_MQTT_DROP_QUEUE_FULL,
  VIGIL_MQTT_DROP_CONNECTION_LOST, /* QoS 0, in the queue or half written */
  VIGIL_MQTT_DROP_EXPIRED,         /* offline queue's age */
  VIGIL_MQTT_DROP_OVERSIZE,
  VIGIL_MQTT_DROP_POISON,   /* ended three connections */
  VIGIL_MQTT_DROP_REJECTED, /* by the broker */
  VIGIL_MQTT_DROP_STOPPED,  /* left at stop */
  VIGIL_MQTT_DROP_REASONS,  /* their number */
} VigilMqttDropReason;

/* "not_connected" ...: as in status and metrics. */
const char *vigil_mqtt_client_drop_reason_name (VigilMqttDropReason reason);
const char *vigil_mqtt_client_state_name (VigilMqttState state);

/* Counts a message that was not made because the client would not accept it:
 * offered, and dropped for @reason. No outcome is told. Any thread. */
void vigil_mqtt_client_skip (VigilMqttClient *self, VigilMqttDropReason reason);

/*
 * One consistent picture, counted in messages: offered == sum (dropped) +
 * queued + in_flight + published + acknowledged.
 */
typedef struct {
  VigilMqttState state;
  char last_error[256];  /* stays when it is over; "" when there was none */
  int64_t next_retry_ms; /* -1: no retry planned */
  uint64_t attempts;
  uint64_t connects;
  uint64_t offered;
  uint64_t dropped[VIGIL_MQTT_DROP_REASONS];
  uint64_t queued;
  uint64_t queued_bytes;
  uint64_t in_flight;
  uint64_t published;
  uint64_t acknowledged;
  uint64_t bytes;           /* payload of published and acknowledged */
  VigilHistogram latencies; /* of acknowledged, from send on */
  uint64_t resent;
  uint64_t reduced; /* sent in a smaller form */
} VigilMqttStatus;

/* Any thread. */
void vigil_mqtt_client_get_status (
    VigilMqttClient *self, VigilMqttStatus *ret_status);
