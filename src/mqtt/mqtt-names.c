/* SPDX-License-Identifier: Apache-2.0 */

/* What states and drops are called in status and metrics. */

#include "mqtt/mqtt-client.h"

static const char *const drop_reason_names[VIGIL_MQTT_DROP_REASONS] = {
    [VIGIL_MQTT_DROP_NOT_CONNECTED] = "not_connected",
    [VIGIL_MQTT_DROP_QUEUE_FULL] = "queue_full",
    [VIGIL_MQTT_DROP_CONNECTION_LOST] = "connection_lost",
    [VIGIL_MQTT_DROP_EXPIRED] = "expired",
    [VIGIL_MQTT_DROP_OVERSIZE] = "oversize",
    [VIGIL_MQTT_DROP_POISON] = "poison",
    [VIGIL_MQTT_DROP_REJECTED] = "rejected",
    [VIGIL_MQTT_DROP_STOPPED] = "stopped",
};

const char *
vigil_mqtt_client_drop_reason_name (VigilMqttDropReason reason)
{
  g_return_val_if_fail ((unsigned)reason < VIGIL_MQTT_DROP_REASONS, NULL);

  return drop_reason_names[reason];
}

const char *
vigil_mqtt_client_state_name (VigilMqttState state)
{
  switch (state) {
  case VIGIL_MQTT_CONNECTING:
    return "connecting";
  case VIGIL_MQTT_CONNECTED:
    return "connected";
  case VIGIL_MQTT_WAITING:
    return "waiting";
  case VIGIL_MQTT_RECONNECTING:
    return "reconnecting";
  case VIGIL_MQTT_STOPPED:
    return "stopped";
  }
  return NULL;
}
