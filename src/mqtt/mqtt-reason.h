/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "mqtt/mqtt-decoder.h"

/* Reason codes in words: one table for all packets. Any thread. */

/* Codes that this client sends or acts on (5: 2.4, table 2-6). */
enum {
  VIGIL_MQTT_REASON_SUCCESS = 0x00,
  VIGIL_MQTT_REASON_NO_SUBSCRIBERS = 0x10,
  VIGIL_MQTT_REASON_FAILURE = 0x80, /* first of the failures */
  VIGIL_MQTT_REASON_PROTOCOL_ERROR = 0x82,
  VIGIL_MQTT_REASON_VERSION = 0x84,
  VIGIL_MQTT_REASON_BUSY = 0x89,
  VIGIL_MQTT_REASON_SHUTTING_DOWN = 0x8b,
  VIGIL_MQTT_REASON_KEEP_ALIVE = 0x8d,
  VIGIL_MQTT_REASON_TAKEN_OVER = 0x8e,
  VIGIL_MQTT_REASON_PACKET_ID_UNKNOWN = 0x92,
  VIGIL_MQTT_REASON_ADMINISTRATIVE = 0x98,
  VIGIL_MQTT_REASON_USE_ANOTHER_SERVER = 0x9c,
  VIGIL_MQTT_REASON_SERVER_MOVED = 0x9d,
};

/*
 * "not authorized, code 0x87", with the broker's own words behind if it sent
 * some: as CONNACK return codes in 3.1 and 3.1.1, else as reason codes.
 * Codes that nobody knows are shown as numbers. What came from the broker
 * is escaped and cut. Returns: (transfer full).
 */
char *vigil_mqtt_reason_to_text (int protocol, const VigilMqttPacket *packet);

/* The words alone, for version 5. Returns: (transfer none) (nullable). */
const char *vigil_mqtt_reason_words (uint8_t reason);

/* Makes text of a peer fit for a log line: control characters and quotes
 * become '?', cut after @max_bytes. Returns: (transfer full). */
char *vigil_mqtt_reason_escape (const VigilMqttText *text, size_t max_bytes);
