/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "mqtt/mqtt-client.h"
#include <stdatomic.h>

/*
 * Inside of a message, for the files of this folder. Immutable once made,
 * but for the reference count; one block of memory beside the shared
 * payload segments.
 */

/* One PUBLISH, with the parts of its header that never change. */
typedef struct {
  const uint8_t *topic; /* on the wire: two bytes of length, then text */
  size_t topic_size;
  const uint8_t *properties; /* MQTT 5, without length and expiry */
  size_t properties_size;
  uint32_t expiry_s;
  gboolean is_once; /* never retained */
  unsigned segments_size;
  GBytes *segments[VIGIL_MQTT_SEGMENTS_MAX];
  size_t payload_size;
} VigilMqttPart;

struct _VigilMqttMessage {
  _Atomic unsigned references;
  unsigned parts_size;
  VigilMqttPart parts[VIGIL_MQTT_PUBLICATIONS_MAX];
  size_t payload_size;        /* of all parts */
  VigilMqttReduceFunc reduce; /* nullable */
  void *reduce_data;
  GDestroyNotify reduce_destroy;
  uint8_t storage[]; /* topics and properties */
};

/* What the message counts in the queue: payload and an estimate of its own
 * memory, so that many small ones cannot pass the limit unseen. */
size_t vigil_mqtt_message_get_bytes (const VigilMqttMessage *self);

/*
 * Asks for a smaller form. Returns: (transfer full) (nullable): NULL when
 * there is none, or what came is not smaller.
 */
VigilMqttMessage *vigil_mqtt_message_reduce (
    VigilMqttMessage *self, size_t limit_bytes);
