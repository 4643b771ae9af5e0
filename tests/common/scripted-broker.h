/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <stdint.h>

/*
 * An MQTT broker that does what it is told, right or wrong, and remembers
 * all it saw. Speaks 3.1, 3.1.1 and 5.0 to publishers; runs in threads of
 * its own. It checks its client: what a publisher must not do is a
 * violation.
 */
typedef struct _VigilScriptedBroker VigilScriptedBroker;

/* What the broker does wrong. Zeroed: nothing. */
typedef struct {
  /* On accept */
  gboolean closes_at_accept;
  gboolean resets_at_accept;
  gboolean is_deaf;     /* reads nothing, ever */
  const char *greeting; /* nullable: hexadecimal bytes sent at accept */

  /* On CONNECT */
  gboolean never_connacks;
  const char *connack; /* nullable: hexadecimal bytes in its place */
  uint8_t connack_code;
  const char *connack_properties; /* nullable: hexadecimal; protocol 5 */
  const char *after_connack; /* nullable: hexadecimal bytes sent behind it */
  gboolean closes_after_connack;
  gboolean keeps_session; /* Session Present when asked, state kept */

  /* On PUBLISH and PUBREL */
  gboolean never_acknowledges; /* PUBLISH */
  gboolean never_pubcomps;
  gboolean pubacks_qos_2; /* as RabbitMQ's plugin */
  gboolean acknowledges_twice;
  uint8_t acknowledge_code; /* protocol 5: in PUBACK and PUBREC */
  const char *on_publish;   /* nullable: hexadecimal bytes sent in answer */
  unsigned closes_after;    /* so many PUBLISHes: before the acknowledgement */
  gboolean resets_in_publish; /* when one has begun to come */
  size_t maximum_packet;      /* closes when a packet is larger; 0: none */
  unsigned acknowledge_delay_ms;

  /* On PINGREQ */
  gboolean never_pingresps;
} VigilScript;

/* One packet that came. */
typedef struct {
  int64_t time_us;
  unsigned connection; /* 1 for the first */
  uint8_t type;        /* 1 CONNECT, 3 PUBLISH, 6 PUBREL, 12 PINGREQ, 14 ... */
  uint8_t flags;
  uint16_t packet_id; /* 0 when none */
  size_t size;        /* of the whole packet */
  uint64_t sequence;  /* PUBLISH: the number its payload begins with */
  gboolean was_new;   /* PUBLISH: not a QoS 2 message that it had already */
} VigilRecord;

/* Listens at once on the test's address. @port: 0 for a free one. */
VigilScriptedBroker *vigil_scripted_broker_new (
    uint16_t port, const VigilScript *script);
/* Ends all its connections and threads. NULL is allowed. */
void vigil_scripted_broker_free (VigilScriptedBroker *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VigilScriptedBroker, vigil_scripted_broker_free)

uint16_t vigil_scripted_broker_get_port (const VigilScriptedBroker *self);
/* For connections that are accepted from now on; hexadecimal texts are
 * borrowed. */
void vigil_scripted_broker_set_script (
    VigilScriptedBroker *self, const VigilScript *script);
/* As a killed broker: all connections are reset, nobody listens. */
void vigil_scripted_broker_kill (VigilScriptedBroker *self);
/* Listens again, at the same port, with what sessions it kept. */
void vigil_scripted_broker_revive (VigilScriptedBroker *self);
/* Sends @bytes (hexadecimal) on the present connection. */
void vigil_scripted_broker_say (VigilScriptedBroker *self, const char *bytes);
/* Ends the present connection: FIN. */
void vigil_scripted_broker_hang_up (VigilScriptedBroker *self);

/* Waits until @count packets of @type (0: accepted connections) have come.
 * Returns: FALSE when they have not after @milliseconds. */
gboolean vigil_scripted_broker_wait (VigilScriptedBroker *self, uint8_t type,
    unsigned count, unsigned milliseconds);
/* Returns: how many have come. */
unsigned vigil_scripted_broker_count (VigilScriptedBroker *self, uint8_t type);
/* All that came so far. Returns: (transfer full) (element-type
 * VigilRecord). */
GArray *vigil_scripted_broker_dup_records (VigilScriptedBroker *self);
/* When connection @number (1 for the first) was accepted, monotonic us. */
int64_t vigil_scripted_broker_get_accept_us (
    VigilScriptedBroker *self, unsigned number);
/* The most PUBLISHes of QoS 1 and 2 that were unacknowledged at a time. */
unsigned vigil_scripted_broker_get_unacknowledged_max (
    VigilScriptedBroker *self);
/* The first thing that the client did wrong. Returns: (transfer full)
 * (nullable). */
char *vigil_scripted_broker_dup_violation (VigilScriptedBroker *self);
/* The last CONNECT, from its first byte. Returns: (transfer full). */
GBytes *vigil_scripted_broker_dup_connect (VigilScriptedBroker *self);
