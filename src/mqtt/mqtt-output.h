/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "mqtt/mqtt-packet.h"
#include <stdint.h>
#include <sys/uio.h>

/*
 * What waits to be written to the broker, as pieces for one writev: headers
 * in an arena of its own, topics and payloads where the message has them.
 * Fixed memory, no allocation after init. One thread at a time.
 */

#define VIGIL_MQTT_OUTPUT_ENTRIES 512
#define VIGIL_MQTT_OUTPUT_PIECES 1024 /* IOV_MAX */
#define VIGIL_MQTT_OUTPUT_ARENA (32 * 1024)
/* A PUBLISH is let in while less than this is waiting, so that what must be
 * answered in time (PINGREQ, PUBREL) never waits behind much more. */
#define VIGIL_MQTT_OUTPUT_BYTES (256 * 1024)

/* What was written, told when its last byte is gone. */
typedef enum {
  VIGIL_MQTT_OUTPUT_CONTROL,
  VIGIL_MQTT_OUTPUT_PING,
  VIGIL_MQTT_OUTPUT_PUBLISH,
} VigilMqttOutputKind;

typedef struct {
  VigilMqttOutputKind kind;
  uint16_t item; /* PUBLISH: the session's own number */
  uint8_t part;
  uint16_t pieces; /* still to be written */
} VigilMqttOutputEntry;

typedef struct {
  struct iovec pieces[VIGIL_MQTT_OUTPUT_PIECES]; /* ring */
  unsigned pieces_start;
  unsigned pieces_size;
  VigilMqttOutputEntry entries[VIGIL_MQTT_OUTPUT_ENTRIES]; /* ring */
  unsigned entries_start;
  unsigned entries_size;
  gboolean is_partial; /* the first entry has begun */
  size_t bytes;
  size_t arena_used;
  uint8_t arena[VIGIL_MQTT_OUTPUT_ARENA];
} VigilMqttOutput;

/* Empties it; also sets it up. */
void vigil_mqtt_output_reset (VigilMqttOutput *self);

/* Room for one more control packet of at most 16 bytes. */
gboolean vigil_mqtt_output_has_room (const VigilMqttOutput *self);
/* Room for one more PUBLISH, with enough left for control packets. */
gboolean vigil_mqtt_output_has_publish_room (const VigilMqttOutput *self);

/* Copies a control packet of at most 16 bytes. Only with room. */
void vigil_mqtt_output_push_control (VigilMqttOutput *self,
    VigilMqttOutputKind kind, const uint8_t *data, size_t size);
/* Borrows @data until it is written or the output is reset. */
void vigil_mqtt_output_push_borrowed (
    VigilMqttOutput *self, const uint8_t *data, size_t size);
/* Borrows @part until it is written or the output is reset. */
void vigil_mqtt_output_push_publish (VigilMqttOutput *self,
    const VigilMqttPart *part, const VigilMqttPublish *values,
    VigilMqttOutputKind kind, uint16_t item, uint8_t part_number);

/* Takes back all that has not begun to be written. */
void vigil_mqtt_output_drop_unstarted (VigilMqttOutput *self);

/* The pieces to write first. Returns: (transfer none). */
const struct iovec *vigil_mqtt_output_get (
    VigilMqttOutput *self, int *ret_size);

/*
 * So many bytes were written: at most what get gave. Removes them; call
 * until it returns FALSE: TRUE says that @ret_entry is written whole.
 */
void vigil_mqtt_output_advance (VigilMqttOutput *self, size_t bytes);
gboolean vigil_mqtt_output_pop_written (
    VigilMqttOutput *self, VigilMqttOutputEntry *ret_entry);
