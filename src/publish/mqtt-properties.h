/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/json.h"
#include "config/problems.h"
#include "mqtt/mqtt-client.h"

/* `message_expiry_s` and `user_properties` of an `mqtt_publisher`: the same
 * with each of its publications. */
typedef struct {
  unsigned expiry_s;           /* 0: none */
  VigilMqttUserProperty *user; /* its texts are owned */
  unsigned user_size;
} VigilMqttProperties;

/* Adds what the schema cannot see in the block @settings at @path. With an
 * older protocol they are refused: left out in silence, they would be missed
 * by the subscriber that relies on them. */
void vigil_mqtt_properties_check (
    const VigilJson *settings, const char *path, VigilProblems *problems);

/* Reads a checked block into unset memory. */
void vigil_mqtt_properties_init (
    VigilMqttProperties *self, const VigilJson *settings);
/* Zeroed memory is allowed. */
void vigil_mqtt_properties_clear (VigilMqttProperties *self);
