/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "mqtt/mqtt-message.h"

/*
 * The messages that a session has taken and not finished, in the order in
 * which they came, and the packet identifiers in use. A container: it knows
 * states, not rules. One thread at a time.
 */

#define VIGIL_MQTT_FLIGHT_NONE UINT16_MAX

typedef enum {
  VIGIL_MQTT_PART_WAITING, /* to be sent, or sent again */
  VIGIL_MQTT_PART_WRITING, /* QoS 0: in the output */
  VIGIL_MQTT_PART_PUBACK,  /* QoS 1: sent, PUBACK awaited */
  VIGIL_MQTT_PART_PUBREC,  /* QoS 2: sent, PUBREC awaited */
  VIGIL_MQTT_PART_PUBCOMP, /* QoS 2: PUBREL sent, PUBCOMP awaited */
  VIGIL_MQTT_PART_DONE,
} VigilMqttPartState;

/* One PUBLISH of a message in flight. */
typedef struct {
  VigilMqttPartState state;
  uint16_t packet_id;    /* 0: none */
  uint8_t qos;           /* as it was sent */
  gboolean is_begun;     /* given to the output of this connection */
  gboolean is_written;   /* whole, on this connection */
  gboolean was_written;  /* whole, on an earlier one */
  gboolean is_duplicate; /* WAITING: goes out with DUP, same identifier */
  uint64_t pubrec_order; /* PUBCOMP: rank among the PUBRECs received */
  size_t packet_size;    /* as it was sent */
} VigilMqttFlightPart;

typedef struct {
  VigilMqttMessage *message; /* NULL: free */
  uint16_t previous;         /* older */
  uint16_t next;             /* newer */
  int64_t taken_us;          /* when send took it */
  unsigned strikes;          /* connections lost while it was the oldest sent */
  char *rejection; /* nullable: the broker's reason, for one of the parts */
  VigilMqttFlightPart parts[VIGIL_MQTT_PUBLICATIONS_MAX];
} VigilMqttFlightItem;

typedef struct {
  VigilMqttFlightItem *items;
  uint16_t capacity;
  uint16_t size;
  uint16_t first;  /* oldest, or NONE */
  uint16_t last;   /* newest, or NONE */
  uint16_t unused; /* chain of free items, by next */
  uint16_t next_id;
  uint64_t used_ids[1024]; /* one bit for each packet identifier */
} VigilMqttFlight;

/* @capacity: items, below VIGIL_MQTT_FLIGHT_NONE. @first_id: the packet
 * identifier to begin with; 0 counts as 1. */
void vigil_mqtt_flight_init (
    VigilMqttFlight *self, uint16_t capacity, uint16_t first_id);
/* Only when it is empty. */
void vigil_mqtt_flight_clear (VigilMqttFlight *self);

/* Appends @message (transfer full). Returns: its number, or NONE when full
 * (then nothing is taken). */
uint16_t vigil_mqtt_flight_append (
    VigilMqttFlight *self, VigilMqttMessage *message, int64_t taken_us);
/* Takes item @number out and frees its identifiers. Returns: (transfer
 * full): its message. */
VigilMqttMessage *vigil_mqtt_flight_remove (
    VigilMqttFlight *self, uint16_t number);

/* A free packet identifier, now in use; 0 when all are (5: 2.2.1). */
uint16_t vigil_mqtt_flight_take_id (VigilMqttFlight *self);
void vigil_mqtt_flight_free_id (VigilMqttFlight *self, uint16_t packet_id);

/*
 * Which part has @packet_id. Brokers answer in order, so the search from
 * the oldest mostly ends at once. Returns: the item's number or NONE.
 */
uint16_t vigil_mqtt_flight_find (
    VigilMqttFlight *self, uint16_t packet_id, unsigned *ret_part);
