/* SPDX-License-Identifier: Apache-2.0 */

/* Encodes what a publisher sends. */

#include "mqtt/mqtt-packet.h"
#include "mqtt/mqtt-reason.h"

#include <string.h>

enum {
  CONNECT_CLEAN = 0x02, /* 3.1.1: 3.1.2.3; 5: 3.1.2.3 */
  CONNECT_WILL = 0x04,
  CONNECT_WILL_RETAIN = 0x20,
  CONNECT_PASSWORD = 0x40,
  CONNECT_USERNAME = 0x80,
};

static uint8_t *
put_u16 (uint8_t *out, uint16_t value)
{
  *out++ = (uint8_t)(value >> 8);
  *out++ = (uint8_t)value;
  return out;
}

static uint8_t *
put_u32 (uint8_t *out, uint32_t value)
{
  out = put_u16 (out, (uint16_t)(value >> 16));
  return put_u16 (out, (uint16_t)value);
}

/* 5: 1.5.5 */
static uint8_t *
put_variable (uint8_t *out, size_t value)
{
  do {
    uint8_t byte = value & 0x7f;

    value >>= 7;
    *out++ = value > 0 ? byte | 0x80 : byte;
  } while (value > 0);
  return out;
}

static size_t
variable_size (size_t value)
{
  return value < 128 ? 1 : value < 16384 ? 2 : value < 2097152 ? 3 : 4;
}

uint8_t *
vigil_mqtt_packet_put_data (uint8_t *out, const void *data, size_t size)
{
  size = MIN (size, UINT16_MAX);
  out = put_u16 (out, (uint16_t)size);
  if (size > 0)
    memcpy (out, data, size);
  return out + size;
}

uint8_t *
vigil_mqtt_packet_put_string (uint8_t *out, const char *text)
{
  return vigil_mqtt_packet_put_data (out, text, strlen (text));
}

static void
append_string (GByteArray *array, const char *text)
{
  uint8_t size[2];
  const size_t length = MIN (strlen (text), UINT16_MAX);

  put_u16 (size, (uint16_t)length);
  g_byte_array_append (array, size, sizeof size);
  g_byte_array_append (array, (const uint8_t *)text, (unsigned)length);
}

/* 5: 3.1.2.11. The will's properties (3.1.3.2) are always empty. */
static void
append_connect_properties (GByteArray *body, const VigilMqttConnect *values)
{
  uint8_t properties[16];
  uint8_t *end = properties + 1;

  if (values->session_expiry_s > 0) {
    *end++ = VIGIL_MQTT_PROPERTY_SESSION_EXPIRY;
    end = put_u32 (end, values->session_expiry_s);
  }
  *end++ = VIGIL_MQTT_PROPERTY_MAXIMUM_PACKET_SIZE;
  end = put_u32 (end, VIGIL_MQTT_PACKET_RECEIVE_MAX);
  properties[0] = (uint8_t)(end - properties - 1);
  g_byte_array_append (body, properties, (unsigned)(end - properties));
}

GByteArray *
vigil_mqtt_packet_encode_connect (const VigilMqttConnect *values)
{
  const gboolean is_5 = values->protocol == VIGIL_MQTT_PROTOCOL_5;
  g_autoptr (GByteArray) body = g_byte_array_new ();
  GByteArray *packet = g_byte_array_new ();
  uint8_t bytes[5];
  uint8_t flags = values->clean_start ? CONNECT_CLEAN : 0;

  if (values->will_topic != NULL)
    flags |= CONNECT_WILL | (values->will_retain ? CONNECT_WILL_RETAIN : 0);
  if (values->password != NULL)
    flags |= CONNECT_PASSWORD;
  if (values->username != NULL)
    flags |= CONNECT_USERNAME;
  append_string (
      body, values->protocol == VIGIL_MQTT_PROTOCOL_31 ? "MQIsdp" : "MQTT");
  bytes[0] = (uint8_t)values->protocol;
  bytes[1] = flags;
  put_u16 (bytes + 2, values->keep_alive_s);
  g_byte_array_append (body, bytes, 4);
  if (is_5)
    append_connect_properties (body, values);
  append_string (body, values->client_id);
  if (values->will_topic != NULL) {
    if (is_5)
      g_byte_array_append (body, (const uint8_t *)"", 1);
    append_string (body, values->will_topic);
    append_string (body, values->will_payload);
  }
  if (values->username != NULL)
    append_string (body, values->username);
  if (values->password != NULL)
    append_string (body, values->password);

  bytes[0] = VIGIL_MQTT_PACKET_CONNECT << 4;
  g_byte_array_append (
      packet, bytes, (unsigned)(put_variable (bytes + 1, body->len) - bytes));
  g_byte_array_append (packet, body->data, body->len);
  explicit_bzero (body->data, body->len);
  return packet;
}

/* Length of the properties behind their own length field. */
static size_t
publish_properties_size (
    const VigilMqttPart *part, const VigilMqttPublish *values)
{
  return part->properties_size + (values->expiry_s > 0 ? 5 : 0);
}

static size_t
remaining_size (const VigilMqttPart *part, const VigilMqttPublish *values)
{
  size_t size = part->topic_size + part->payload_size;

  if (values->qos > 0)
    size += 2;
  if (values->protocol == VIGIL_MQTT_PROTOCOL_5) {
    const size_t properties = publish_properties_size (part, values);

    size += variable_size (properties) + properties;
  }
  return size;
}

size_t
vigil_mqtt_packet_publish_size (
    const VigilMqttPart *part, const VigilMqttPublish *values)
{
  const size_t remaining = remaining_size (part, values);

  if (remaining > VIGIL_MQTT_REMAINING_MAX)
    return 0;
  return 1 + variable_size (remaining) + remaining;
}

size_t
vigil_mqtt_packet_put_publish_start (
    uint8_t *out, const VigilMqttPart *part, const VigilMqttPublish *values)
{
  uint8_t first = VIGIL_MQTT_PACKET_PUBLISH << 4;

  /* 3.1.1: 3.3.1; DUP is 0 for QoS 0 [MQTT-3.3.1-2] */
  first |= (uint8_t)(values->qos << 1);
  if (values->is_duplicate && values->qos > 0)
    first |= 0x08;
  if (values->retain)
    first |= 0x01;
  out[0] = first;
  return (size_t)(put_variable (out + 1, remaining_size (part, values)) - out);
}

size_t
vigil_mqtt_packet_put_publish_middle (
    uint8_t *out, const VigilMqttPart *part, const VigilMqttPublish *values)
{
  uint8_t *end = out;

  if (values->qos > 0)
    end = put_u16 (end, values->packet_id);
  if (values->protocol == VIGIL_MQTT_PROTOCOL_5) {
    end = put_variable (end, publish_properties_size (part, values));
    if (values->expiry_s > 0) {
      *end++ = VIGIL_MQTT_PROPERTY_MESSAGE_EXPIRY;
      end = put_u32 (end, values->expiry_s);
    }
  }
  return (size_t)(end - out);
}

size_t
vigil_mqtt_packet_put_pubrel (
    uint8_t *out, int protocol, uint16_t packet_id, uint8_t reason)
{
  const gboolean has_reason =
      protocol == VIGIL_MQTT_PROTOCOL_5 && reason != VIGIL_MQTT_REASON_SUCCESS;

  out[0] = VIGIL_MQTT_PACKET_PUBREL << 4 | 0x02; /* 3.1.1: 3.6.1 */
  out[1] = has_reason ? 3 : 2;
  put_u16 (out + 2, packet_id);
  if (!has_reason)
    return 4;
  out[4] = reason;
  return 5;
}

size_t
vigil_mqtt_packet_put_pingreq (uint8_t *out)
{
  out[0] = VIGIL_MQTT_PACKET_PINGREQ << 4;
  out[1] = 0;
  return VIGIL_MQTT_PINGREQ_SIZE;
}

size_t
vigil_mqtt_packet_put_disconnect (
    uint8_t *out, int protocol, uint8_t reason, gboolean end_session)
{
  uint8_t *end = out + 2;

  if (protocol == VIGIL_MQTT_PROTOCOL_5 && (reason != 0 || end_session)) {
    *end++ = reason;
    if (end_session) {
      *end++ = 5;
      *end++ = VIGIL_MQTT_PROPERTY_SESSION_EXPIRY;
      end = put_u32 (end, 0);
    }
  }
  out[0] = VIGIL_MQTT_PACKET_DISCONNECT << 4;
  out[1] = (uint8_t)(end - out - 2);
  return (size_t)(end - out);
}
