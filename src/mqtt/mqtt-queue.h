/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "mqtt/mqtt-message.h"

/*
 * The messages that wait for the I/O thread, oldest first. A container: the
 * client's lock protects it, the client's rules fill it.
 */
typedef struct {
  VigilMqttMessage *message;
  int64_t taken_us; /* when send took it */
} VigilMqttQueueEntry;

typedef struct {
  VigilMqttQueueEntry *entries; /* ring */
  size_t capacity;
  size_t start;
  size_t size;
  size_t bytes; /* of all messages, as vigil_mqtt_message_get_bytes */
  size_t tried; /* the oldest ones, which reduce_oldest has been at */
} VigilMqttQueue;

/* Only when it is empty. Zeroed memory is an empty queue. */
void vigil_mqtt_queue_clear (VigilMqttQueue *self);
/* Takes @message (transfer full). */
void vigil_mqtt_queue_push (
    VigilMqttQueue *self, VigilMqttMessage *message, int64_t taken_us);
/* Takes the oldest out. Returns: FALSE when it is empty; else the message
 * is (transfer full). */
gboolean vigil_mqtt_queue_pop (
    VigilMqttQueue *self, VigilMqttQueueEntry *ret_entry);
/* The oldest. Returns: (transfer none) (nullable). */
const VigilMqttQueueEntry *vigil_mqtt_queue_peek (const VigilMqttQueue *self);
/*
 * Makes the oldest message smaller that has a smaller form, each only once.
 * Returns: FALSE when there is none left.
 */
gboolean vigil_mqtt_queue_reduce_oldest (VigilMqttQueue *self);
