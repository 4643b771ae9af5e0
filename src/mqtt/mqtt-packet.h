/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "mqtt/mqtt-message.h"
#include <glib.h>
#include <stddef.h>
#include <stdint.h>

/*
 * MQTT packets as a publisher sends them, versions 3.1, 3.1.1 and 5.0; what
 * it may receive is in mqtt-decoder.h. Sections named "5:" are of the OASIS
 * standard MQTT 5.0, "3.1.1:" of MQTT 3.1.1. Pure functions, any thread.
 */

enum {
  VIGIL_MQTT_PROTOCOL_31 = 3,
  VIGIL_MQTT_PROTOCOL_311 = 4,
  VIGIL_MQTT_PROTOCOL_5 = 5,
};

/* 5: 2.1.2, table 2-1. */
typedef enum {
  VIGIL_MQTT_PACKET_CONNECT = 1,
  VIGIL_MQTT_PACKET_CONNACK = 2,
  VIGIL_MQTT_PACKET_PUBLISH = 3,
  VIGIL_MQTT_PACKET_PUBACK = 4,
  VIGIL_MQTT_PACKET_PUBREC = 5,
  VIGIL_MQTT_PACKET_PUBREL = 6,
  VIGIL_MQTT_PACKET_PUBCOMP = 7,
  VIGIL_MQTT_PACKET_PINGREQ = 12,
  VIGIL_MQTT_PACKET_PINGRESP = 13,
  VIGIL_MQTT_PACKET_DISCONNECT = 14,
} VigilMqttPacketType;

/* 5: 2.2.2.2, table 2-4: those that we send or may receive. */
enum {
  VIGIL_MQTT_PROPERTY_PAYLOAD_FORMAT = 0x01,
  VIGIL_MQTT_PROPERTY_MESSAGE_EXPIRY = 0x02,
  VIGIL_MQTT_PROPERTY_CONTENT_TYPE = 0x03,
  VIGIL_MQTT_PROPERTY_CORRELATION_DATA = 0x09,
  VIGIL_MQTT_PROPERTY_SESSION_EXPIRY = 0x11,
  VIGIL_MQTT_PROPERTY_ASSIGNED_CLIENT_ID = 0x12,
  VIGIL_MQTT_PROPERTY_SERVER_KEEP_ALIVE = 0x13,
  VIGIL_MQTT_PROPERTY_SERVER_REFERENCE = 0x1c,
  VIGIL_MQTT_PROPERTY_REASON_STRING = 0x1f,
  VIGIL_MQTT_PROPERTY_RECEIVE_MAXIMUM = 0x21,
  VIGIL_MQTT_PROPERTY_TOPIC_ALIAS_MAXIMUM = 0x22,
  VIGIL_MQTT_PROPERTY_MAXIMUM_QOS = 0x24,
  VIGIL_MQTT_PROPERTY_RETAIN_AVAILABLE = 0x25,
  VIGIL_MQTT_PROPERTY_USER = 0x26,
  VIGIL_MQTT_PROPERTY_MAXIMUM_PACKET_SIZE = 0x27,
  VIGIL_MQTT_PROPERTY_WILDCARD_AVAILABLE = 0x28,
  VIGIL_MQTT_PROPERTY_SUBSCRIPTION_ID_AVAILABLE = 0x29,
  VIGIL_MQTT_PROPERTY_SHARED_AVAILABLE = 0x2a,
};

/* The largest packet that we take from a broker: nothing that it may send
 * to a publisher has a reason to be larger. */
#define VIGIL_MQTT_PACKET_RECEIVE_MAX (64 * 1024)

/* The largest Remaining Length (5: 1.5.5). */
#define VIGIL_MQTT_REMAINING_MAX 268435455u

/* Two bytes of length and at most 65,535 bytes (5: 1.5.4, 1.5.6); what is
 * longer is cut: callers check. Return: the first byte behind. */
uint8_t *vigil_mqtt_packet_put_string (uint8_t *out, const char *text);
uint8_t *vigil_mqtt_packet_put_data (
    uint8_t *out, const void *data, size_t size);

/* What CONNECT says (5: 3.1; 3.1.1: 3.1). */
typedef struct {
  int protocol;
  const char *client_id;
  gboolean clean_start;
  uint16_t keep_alive_s;
  uint32_t session_expiry_s; /* 5; 0 ends the session with the connection */
  const char *username;      /* nullable */
  const char *password;      /* nullable; 3.1 and 3.1.1 need a user name */
  const char *will_topic;    /* nullable */
  const char *will_payload;
  gboolean will_retain;
} VigilMqttConnect;

/*
 * Version 5 also asks for packets of at most VIGIL_MQTT_PACKET_RECEIVE_MAX
 * bytes (5: 3.1.2.11.4). The will has QoS 0.
 * Returns: (transfer full): holds the password, wipe it after use.
 */
GByteArray *vigil_mqtt_packet_encode_connect (const VigilMqttConnect *values);

/* What of a PUBLISH is known only when it is sent (5: 3.3; 3.1.1: 3.3). */
typedef struct {
  int protocol;
  int qos;
  gboolean retain;
  gboolean is_duplicate;
  uint16_t packet_id; /* for QoS 1 and 2 */
  uint32_t expiry_s;  /* 5: what is left of part->expiry_s; 0 when none */
} VigilMqttPublish;

/* The whole packet's size in bytes; 0 when it is over what MQTT can say. */
size_t vigil_mqtt_packet_publish_size (
    const VigilMqttPart *part, const VigilMqttPublish *values);

/* The header up to the topic: at most 5 bytes. Then comes part->topic. */
#define VIGIL_MQTT_PUBLISH_START_MAX 5
size_t vigil_mqtt_packet_put_publish_start (
    uint8_t *out, const VigilMqttPart *part, const VigilMqttPublish *values);

/* What stands behind the topic: packet id, length of properties, expiry.
 * Then come part->properties (5) and the payload. */
#define VIGIL_MQTT_PUBLISH_MIDDLE_MAX 11
size_t vigil_mqtt_packet_put_publish_middle (
    uint8_t *out, const VigilMqttPart *part, const VigilMqttPublish *values);

/* PUBREL (5: 3.6); @reason 0 or 0x92, said in version 5 only. */
#define VIGIL_MQTT_PUBREL_MAX 5
size_t vigil_mqtt_packet_put_pubrel (
    uint8_t *out, int protocol, uint16_t packet_id, uint8_t reason);

#define VIGIL_MQTT_PINGREQ_SIZE 2
size_t vigil_mqtt_packet_put_pingreq (uint8_t *out);

/* DISCONNECT (5: 3.14; 3.1.1: 3.14). Version 5 says @reason, and ends the
 * session with it when @end_session. */
#define VIGIL_MQTT_DISCONNECT_MAX 9
size_t vigil_mqtt_packet_put_disconnect (
    uint8_t *out, int protocol, uint8_t reason, gboolean end_session);
