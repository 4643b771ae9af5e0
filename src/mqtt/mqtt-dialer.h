/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "mqtt/mqtt-client.h"
#include "mqtt/mqtt-transport.h"
#include <poll.h>

/*
 * One attempt to reach a broker: all addresses of all hosts in their order,
 * under one deadline that they share fairly. Never blocks; I/O thread.
 */
typedef struct _VigilMqttDialer VigilMqttDialer;

/* Makes a transport towards @host. Returns: (transfer full) (nullable). */
typedef VigilMqttTransport *(*VigilMqttDialFunc) (
    const VigilMqttHost *host, void *user_data, GError **error);

/* @hosts: borrowed for the dialer's life. */
VigilMqttDialer *vigil_mqtt_dialer_new (const VigilMqttHost *hosts,
    unsigned hosts_size, VigilMqttDialFunc func, void *user_data);
/* NULL is allowed. */
void vigil_mqtt_dialer_free (VigilMqttDialer *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VigilMqttDialer, vigil_mqtt_dialer_free)

/* Begins a new attempt; an old one is forgotten. Times: monotonic us. */
void vigil_mqtt_dialer_start (
    VigilMqttDialer *self, int64_t now_us, int64_t deadline_us);

typedef enum {
  VIGIL_MQTT_DIALING,
  VIGIL_MQTT_DIALED,      /* steal_transport has it */
  VIGIL_MQTT_DIAL_FAILED, /* nothing is left to try */
} VigilMqttDialResult;

/* Goes on after start, fail, an event or the deadline. */
VigilMqttDialResult vigil_mqtt_dialer_advance (
    VigilMqttDialer *self, int64_t now_us);
/* After DIALED. Returns: (transfer full). */
VigilMqttTransport *vigil_mqtt_dialer_steal_transport (VigilMqttDialer *self);

/*
 * The connection that was dialled came to nothing (@reason): the next
 * address is tried by advance; the next host when @skips_host.
 */
void vigil_mqtt_dialer_fail (
    VigilMqttDialer *self, const char *reason, gboolean skips_host);

/* What to poll while dialling; its descriptor may be -1. */
struct pollfd vigil_mqtt_dialer_get_poll (const VigilMqttDialer *self);
/* Until when the present address has time, also for what comes after the
 * transport is connected. */
int64_t vigil_mqtt_dialer_get_deadline_us (const VigilMqttDialer *self);

/* "host:port" of the present one. Returns: (transfer none). */
const char *vigil_mqtt_dialer_get_peer (const VigilMqttDialer *self);
/* Why the attempt failed: each address with its reason. Returns: (transfer
 * none). */
const char *vigil_mqtt_dialer_get_reasons (const VigilMqttDialer *self);
