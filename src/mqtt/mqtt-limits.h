/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Learns what packet size a broker does not take when it cannot tell (3.1
 * and 3.1.1 have no Maximum Packet Size): three connections in a row that
 * the broker ended soon after the first packet larger than any it is known
 * to have taken. Plain struct, zeroed memory is ready; one thread.
 */
typedef struct {
  size_t proven;           /* the largest packet known to have been taken */
  size_t suspect;          /* this connection: first larger one; 0: none */
  int64_t suspect_us;      /* when it was sent */
  size_t smallest_suspect; /* of the losses in a row */
  unsigned losses;         /* in a row */
  size_t limit;            /* learnt; 0: none */
  int64_t limit_until_us;  /* then it is tried again */
} VigilMqttLimits;

/* A packet of @size goes out. */
void vigil_mqtt_limits_sent (
    VigilMqttLimits *self, size_t size, int64_t now_us);
/* The broker has acknowledged a packet of @size, or answered a ping that
 * was sent behind it. */
void vigil_mqtt_limits_proved (VigilMqttLimits *self, size_t size);
/* An answered ping proves what was sent before @ping_us. */
void vigil_mqtt_limits_pinged (VigilMqttLimits *self, int64_t ping_us);
/* The connection is gone. Returns: TRUE when a limit was learnt now. */
gboolean vigil_mqtt_limits_lost (
    VigilMqttLimits *self, gboolean is_peer, int64_t now_us);
/* Returns: the largest packet to send; 0: no limit is known. */
size_t vigil_mqtt_limits_get (const VigilMqttLimits *self, int64_t now_us);
