/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/secret.h"
#include "mqtt/mqtt-client.h"
#include "publish/destination.h"
#include "publish/mqtt-properties.h"
#include "publish/payload.h"

/* An `mqtt_publisher` block and the environment, as one picture. */
typedef struct {
  char *topic;
  gboolean publish_frame;
  VigilPayloadFormat format;
  gboolean reduces_oversize; /* FALSE: what is too large is dropped */
  VigilMqttProperties properties;
  VigilMqttOptions options;            /* its texts belong to this structure */
  VigilMqttHost *hosts;                /* options.hosts */
  VigilSecret *password;               /* nullable: options.password */
  VigilSecretSources password_sources; /* its texts are owned */
} VigilMqttSettings;

/* The keys of `mqtt_publisher`. */
extern const VigilSchemaKey vigil_mqtt_settings_keys[];

/* Adds what the schema cannot see: topics, hosts, what needs what. Reads
 * the environment, touches no network. */
void vigil_mqtt_settings_check (const VigilJson *settings, const char *path,
    const VigilDestinationContext *context, VigilProblems *problems);

/* Reads checked settings. Errors: a password file that cannot be read, no
 * host. Returns: (transfer full) (nullable). */
VigilMqttSettings *vigil_mqtt_settings_new (const VigilJson *settings,
    const VigilDestinationContext *context, GError **error);
/* NULL is allowed. */
void vigil_mqtt_settings_free (VigilMqttSettings *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VigilMqttSettings, vigil_mqtt_settings_free)
