/* SPDX-License-Identifier: Apache-2.0 */

/* Decodes what a broker may send to a publisher; refuses all else. */

#include "mqtt/mqtt-decoder.h"

#include "base/error.h"
#include "mqtt/mqtt-reason.h"
#include <string.h>

#define FIRST_BUFFER_SIZE 2048

/* Fixed header and the longest Remaining Length. */
#define HEADER_MAX 5

/* The bytes of one packet that are still to be read. */
typedef struct {
  const uint8_t *data;
  size_t size;
} Reader;

static gboolean
read_u8 (Reader *reader, uint8_t *ret_value)
{
  if (reader->size < 1)
    return FALSE;
  *ret_value = reader->data[0];
  reader->data += 1;
  reader->size -= 1;
  return TRUE;
}

static gboolean
read_u16 (Reader *reader, uint16_t *ret_value)
{
  if (reader->size < 2)
    return FALSE;
  *ret_value = (uint16_t)(reader->data[0] << 8 | reader->data[1]);
  reader->data += 2;
  reader->size -= 2;
  return TRUE;
}

static gboolean
read_u32 (Reader *reader, uint32_t *ret_value)
{
  uint16_t high = 0;
  uint16_t low = 0;

  if (reader->size < 4)
    return FALSE;
  read_u16 (reader, &high);
  read_u16 (reader, &low);
  *ret_value = (uint32_t)high << 16 | low;
  return TRUE;
}

/* 5: 1.5.5: at most four bytes, in the shortest form [MQTT-1.5.5-1]. */
static gboolean
read_variable (Reader *reader, uint32_t *ret_value)
{
  uint32_t value = 0;

  for (unsigned i = 0; i < 4; i++) {
    uint8_t byte = 0;

    if (!read_u8 (reader, &byte))
      return FALSE;
    value |= (uint32_t)(byte & 0x7f) << (7 * i);
    if ((byte & 0x80) == 0) {
      *ret_value = value;
      return i == 0 || byte != 0;
    }
  }
  return FALSE;
}

/* UTF-8 without NUL [MQTT-1.5.4-1, -2]. */
static gboolean
read_text (Reader *reader, VigilMqttText *ret_text)
{
  uint16_t size = 0;

  if (!read_u16 (reader, &size) || reader->size < size)
    return FALSE;
  if (!g_utf8_validate_len ((const char *)reader->data, size, NULL))
    return FALSE;
  ret_text->data = (const char *)reader->data;
  ret_text->size = size;
  reader->data += size;
  reader->size -= size;
  return TRUE;
}

/* ---- Properties (5: 2.2.2) -------------------------------------------- */

typedef enum {
  PROPERTY_BYTE, /* 0 or 1: all that we may receive are so */
  PROPERTY_U16,
  PROPERTY_U32,
  PROPERTY_TEXT,
  PROPERTY_PAIR,
} PropertyType;

#define IN(packet) (1u << VIGIL_MQTT_PACKET_##packet)
#define IN_ACKS (IN (PUBACK) | IN (PUBREC) | IN (PUBREL) | IN (PUBCOMP))

typedef struct {
  uint8_t id;
  PropertyType type;
  unsigned packets; /* that may carry it */
  size_t offset;    /* in VigilMqttPacket */
  gboolean is_zero_wrong;
} Property;

/*
 * What may come to a client that asked for nothing: no authentication
 * method (5: 4.12), no response information (5: 3.1.2.11.6), and no session
 * expiry in a DISCONNECT [MQTT-3.14.2-2].
 */
static const Property properties[] = {
    {VIGIL_MQTT_PROPERTY_SESSION_EXPIRY, PROPERTY_U32, IN (CONNACK),
        offsetof (VigilMqttPacket, session_expiry_s), FALSE},
    {VIGIL_MQTT_PROPERTY_ASSIGNED_CLIENT_ID, PROPERTY_TEXT, IN (CONNACK),
        offsetof (VigilMqttPacket, assigned_client_id), FALSE},
    {VIGIL_MQTT_PROPERTY_SERVER_KEEP_ALIVE, PROPERTY_U16, IN (CONNACK),
        offsetof (VigilMqttPacket, server_keep_alive_s), FALSE},
    {VIGIL_MQTT_PROPERTY_SERVER_REFERENCE, PROPERTY_TEXT,
        IN (CONNACK) | IN (DISCONNECT),
        offsetof (VigilMqttPacket, server_reference), FALSE},
    {VIGIL_MQTT_PROPERTY_REASON_STRING, PROPERTY_TEXT,
        IN (CONNACK) | IN_ACKS | IN (DISCONNECT),
        offsetof (VigilMqttPacket, reason_string), FALSE},
    {VIGIL_MQTT_PROPERTY_RECEIVE_MAXIMUM, PROPERTY_U16, IN (CONNACK),
        offsetof (VigilMqttPacket, receive_maximum), TRUE},
    {VIGIL_MQTT_PROPERTY_TOPIC_ALIAS_MAXIMUM, PROPERTY_U16, IN (CONNACK),
        offsetof (VigilMqttPacket, topic_alias_maximum), FALSE},
    {VIGIL_MQTT_PROPERTY_MAXIMUM_QOS, PROPERTY_BYTE, IN (CONNACK),
        offsetof (VigilMqttPacket, maximum_qos), FALSE},
    {VIGIL_MQTT_PROPERTY_RETAIN_AVAILABLE, PROPERTY_BYTE, IN (CONNACK),
        offsetof (VigilMqttPacket, retain_available), FALSE},
    {VIGIL_MQTT_PROPERTY_USER, PROPERTY_PAIR,
        IN (CONNACK) | IN_ACKS | IN (DISCONNECT), 0, FALSE},
    {VIGIL_MQTT_PROPERTY_MAXIMUM_PACKET_SIZE, PROPERTY_U32, IN (CONNACK),
        offsetof (VigilMqttPacket, maximum_packet_size), TRUE},
    {VIGIL_MQTT_PROPERTY_WILDCARD_AVAILABLE, PROPERTY_BYTE, IN (CONNACK),
        offsetof (VigilMqttPacket, wildcard_available), FALSE},
    {VIGIL_MQTT_PROPERTY_SUBSCRIPTION_ID_AVAILABLE, PROPERTY_BYTE, IN (CONNACK),
        offsetof (VigilMqttPacket, subscription_id_available), FALSE},
    {VIGIL_MQTT_PROPERTY_SHARED_AVAILABLE, PROPERTY_BYTE, IN (CONNACK),
        offsetof (VigilMqttPacket, shared_available), FALSE},
};

static const Property *
find_property (uint32_t id, VigilMqttPacketType type)
{
  for (unsigned i = 0; i < G_N_ELEMENTS (properties); i++)
    if (properties[i].id == id)
      return (properties[i].packets & 1u << type) != 0 ? &properties[i] : NULL;
  return NULL;
}

static gboolean
read_number (Reader *reader, PropertyType type, uint32_t *ret_value)
{
  uint8_t byte = 0;
  uint16_t word = 0;

  if (type == PROPERTY_U32)
    return read_u32 (reader, ret_value);
  if (type == PROPERTY_U16) {
    if (!read_u16 (reader, &word))
      return FALSE;
    *ret_value = word;
    return TRUE;
  }
  if (!read_u8 (reader, &byte) || byte > 1)
    return FALSE;
  *ret_value = byte;
  return TRUE;
}

static gboolean
read_property (
    Reader *reader, const Property *property, VigilMqttPacket *packet)
{
  VigilMqttText ignored = {NULL, 0};
  uint32_t number = 0;

  if (property->type == PROPERTY_PAIR) {
    packet->user_properties++;
    return read_text (reader, &ignored) && read_text (reader, &ignored);
  }
  if (property->type == PROPERTY_TEXT)
    return read_text (reader, G_STRUCT_MEMBER_P (packet, property->offset));
  if (!read_number (reader, property->type, &number))
    return FALSE;
  if (number == 0 && property->is_zero_wrong)
    return FALSE;
  G_STRUCT_MEMBER (uint32_t, packet, property->offset) = number;
  if (property->id == VIGIL_MQTT_PROPERTY_SESSION_EXPIRY)
    packet->has_session_expiry = TRUE;
  if (property->id == VIGIL_MQTT_PROPERTY_SERVER_KEEP_ALIVE)
    packet->has_server_keep_alive = TRUE;
  return TRUE;
}

static gboolean
read_properties (Reader *reader, VigilMqttPacket *packet, GError **error)
{
  uint64_t seen = 0;
  uint32_t size = 0;
  Reader inner;

  if (!read_variable (reader, &size) || size > reader->size) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_PROTOCOL,
        "its properties are longer than the packet");
    return FALSE;
  }
  inner = (Reader){reader->data, size};
  reader->data += size;
  reader->size -= size;
  while (inner.size > 0) {
    const Property *property = NULL;
    uint32_t id = 0;

    if (read_variable (&inner, &id))
      property = find_property (id, packet->type);
    if (property == NULL) {
      g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_PROTOCOL,
          "property 0x%02x may not stand there", id);
      return FALSE;
    }
    if (property->type != PROPERTY_PAIR && (seen & 1ull << id) != 0) {
      g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_PROTOCOL,
          "property 0x%02x is there twice", id);
      return FALSE;
    }
    seen |= 1ull << id;
    if (!read_property (&inner, property, packet)) {
      g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_PROTOCOL,
          "property 0x%02x has a value that it cannot have", id);
      return FALSE;
    }
  }
  return TRUE;
}

/* ---- Packets ----------------------------------------------------------- */

static gboolean
fail_size (GError **error)
{
  g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_PROTOCOL,
      "its length does not fit what it holds");
  return FALSE;
}

/* Nothing stands behind what was read. */
static gboolean
check_end (const Reader *reader, GError **error)
{
  if (reader->size > 0)
    return fail_size (error);
  return TRUE;
}

static gboolean
fail_reason (uint8_t reason, GError **error)
{
  g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_PROTOCOL,
      "it cannot have the reason code 0x%02x", reason);
  return FALSE;
}

/* 3.1.1: 3.2; 5: 3.2 */
static gboolean
read_connack (
    int protocol, Reader *reader, VigilMqttPacket *packet, GError **error)
{
  uint8_t flags = 0;

  if (!read_u8 (reader, &flags) || !read_u8 (reader, &packet->reason))
    return fail_size (error);
  /* Reserved and without meaning in 3.1; 0 but for bit 0 since. */
  if (protocol != VIGIL_MQTT_PROTOCOL_31) {
    if (flags > 1 || (flags == 1 && packet->reason != 0)) {
      g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_PROTOCOL,
          "it cannot have the acknowledge flags 0x%02x", flags);
      return FALSE;
    }
    packet->session_present = flags == 1;
  }
  if (protocol != VIGIL_MQTT_PROTOCOL_5)
    return check_end (reader, error);
  /* So says a broker that knows 3.1.1 only: no properties. */
  if (reader->size == 0 &&
      (packet->reason == 1 || packet->reason == VIGIL_MQTT_REASON_VERSION)) {
    packet->reason = VIGIL_MQTT_REASON_VERSION;
    return TRUE;
  }
  if (packet->reason > 0 && packet->reason < VIGIL_MQTT_REASON_FAILURE)
    return fail_reason (packet->reason, error);
  if (!read_properties (reader, packet, error))
    return FALSE;
  return check_end (reader, error);
}

/*
 * 3.1.1: 3.4 to 3.7; 5: 3.4 to 3.7. Failures that the specification does
 * not list for a packet are taken all the same: they mean failure
 * (5: 2.4); unknown successes are refused.
 */
static gboolean
read_acknowledgement (
    int protocol, Reader *reader, VigilMqttPacket *packet, GError **error)
{
  const gboolean has_0x10 = packet->type == VIGIL_MQTT_PACKET_PUBACK ||
                            packet->type == VIGIL_MQTT_PACKET_PUBREC;

  if (!read_u16 (reader, &packet->packet_id))
    return fail_size (error);
  if (packet->packet_id == 0) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_PROTOCOL,
        "a packet identifier cannot be 0");
    return FALSE;
  }
  if (protocol != VIGIL_MQTT_PROTOCOL_5 || reader->size == 0)
    return check_end (reader, error);
  read_u8 (reader, &packet->reason);
  if (packet->reason > 0 && packet->reason < VIGIL_MQTT_REASON_FAILURE &&
      !(has_0x10 && packet->reason == VIGIL_MQTT_REASON_NO_SUBSCRIBERS))
    return fail_reason (packet->reason, error);
  if (reader->size > 0 && !read_properties (reader, packet, error))
    return FALSE;
  return check_end (reader, error);
}

/* 5: 3.14; a broker has none to send in 3.1 and 3.1.1 (3.1.1: 3.14). */
static gboolean
read_disconnect (Reader *reader, VigilMqttPacket *packet, GError **error)
{
  if (reader->size == 0)
    return TRUE;
  read_u8 (reader, &packet->reason);
  if (packet->reason > 0 && packet->reason < VIGIL_MQTT_REASON_FAILURE)
    return fail_reason (packet->reason, error);
  if (reader->size > 0 && !read_properties (reader, packet, error))
    return FALSE;
  return check_end (reader, error);
}

static gboolean
read_body (
    int protocol, Reader *reader, VigilMqttPacket *packet, GError **error)
{
  if (packet->type == VIGIL_MQTT_PACKET_CONNACK)
    return read_connack (protocol, reader, packet, error);
  if (packet->type == VIGIL_MQTT_PACKET_PINGRESP)
    return check_end (reader, error);
  if (packet->type == VIGIL_MQTT_PACKET_DISCONNECT)
    return read_disconnect (reader, packet, error);
  return read_acknowledgement (protocol, reader, packet, error);
}

/* 5: table 2-1, by number. */
static const char *const packet_names[16] = {"packet 0", "CONNECT", "CONNACK",
    "PUBLISH", "PUBACK", "PUBREC", "PUBREL", "PUBCOMP", "SUBSCRIBE", "SUBACK",
    "UNSUBSCRIBE", "UNSUBACK", "PINGREQ", "PINGRESP", "DISCONNECT", "AUTH"};

static gboolean
check_first_byte (int protocol, uint8_t first, GError **error)
{
  const unsigned type = first >> 4;
  const unsigned allowed =
      IN (CONNACK) | IN_ACKS | IN (PINGRESP) |
      (protocol == VIGIL_MQTT_PROTOCOL_5 ? IN (DISCONNECT) : 0);
  const unsigned flags = type == VIGIL_MQTT_PACKET_PUBREL ? 0x02 : 0x00;

  if ((allowed & 1u << type) == 0) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_PROTOCOL,
        "the broker sent %s (0x%02x), which no publisher may receive",
        packet_names[type], first);
    return FALSE;
  }
  /* 5: 2.1.3; without meaning in 3.1. */
  if (protocol != VIGIL_MQTT_PROTOCOL_31 && (first & 0x0f) != flags) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_PROTOCOL,
        "the broker sent %s with wrong flags (0x%02x)", packet_names[type],
        first);
    return FALSE;
  }
  return TRUE;
}

/* ---- The stream --------------------------------------------------------- */

void
vigil_mqtt_decoder_init (VigilMqttDecoder *self, int protocol)
{
  *self = (VigilMqttDecoder){.protocol = protocol};
}

void
vigil_mqtt_decoder_clear (VigilMqttDecoder *self)
{
  g_clear_pointer (&self->buffer, g_free);
  self->buffer_size = self->start = self->end = 0;
}

void
vigil_mqtt_decoder_reset (VigilMqttDecoder *self)
{
  self->start = self->end = 0;
}

uint8_t *
vigil_mqtt_decoder_get_space (VigilMqttDecoder *self, size_t *ret_size)
{
  if (self->start > 0) {
    memmove (self->buffer, self->buffer + self->start, self->end - self->start);
    self->end -= self->start;
    self->start = 0;
  }
  if (self->end == self->buffer_size) {
    const size_t size = MAX (FIRST_BUFFER_SIZE, self->buffer_size * 2);
    uint8_t *buffer = g_try_realloc (self->buffer, size);

    if (buffer == NULL)
      return NULL;
    self->buffer = buffer;
    self->buffer_size = size;
  }
  *ret_size = self->buffer_size - self->end;
  return self->buffer + self->end;
}

void
vigil_mqtt_decoder_commit (VigilMqttDecoder *self, size_t size)
{
  g_return_if_fail (size <= self->buffer_size - self->end);

  self->end += size;
}

/* Returns: as read_variable, but tells "not yet" from "never". */
static VigilMqttDecodeResult
read_remaining_length (Reader *reader, uint32_t *ret_size, GError **error)
{
  const size_t available = reader->size;
  gboolean is_complete = FALSE;

  for (size_t i = 0; i < MIN (available, HEADER_MAX - 1); i++)
    is_complete = is_complete || (reader->data[i] & 0x80) == 0;
  if (!is_complete && available < HEADER_MAX - 1)
    return VIGIL_MQTT_INCOMPLETE;
  if (!is_complete || !read_variable (reader, ret_size)) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_PROTOCOL,
        "the broker sent a packet length that is none");
    return VIGIL_MQTT_MALFORMED;
  }
  if (*ret_size > VIGIL_MQTT_PACKET_RECEIVE_MAX) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_PROTOCOL,
        "the broker announced a packet of %u bytes: want at most %d", *ret_size,
        VIGIL_MQTT_PACKET_RECEIVE_MAX);
    return VIGIL_MQTT_MALFORMED;
  }
  return VIGIL_MQTT_DECODED;
}

VigilMqttDecodeResult
vigil_mqtt_decoder_next (
    VigilMqttDecoder *self, VigilMqttPacket *ret_packet, GError **error)
{
  Reader reader = {NULL, 0};
  VigilMqttDecodeResult result = VIGIL_MQTT_INCOMPLETE;
  uint8_t first = 0;
  uint32_t size = 0;

  if (self->start == self->end)
    return VIGIL_MQTT_INCOMPLETE;
  reader = (Reader){self->buffer + self->start, self->end - self->start};
  read_u8 (&reader, &first);
  if (!check_first_byte (self->protocol, first, error))
    return VIGIL_MQTT_MALFORMED;
  result = read_remaining_length (&reader, &size, error);
  if (result != VIGIL_MQTT_DECODED)
    return result;
  if (reader.size < size)
    return VIGIL_MQTT_INCOMPLETE;
  reader.size = size;
  *ret_packet = (VigilMqttPacket){
      .type = first >> 4,
      .receive_maximum = UINT16_MAX,
      .maximum_qos = 2,
      .retain_available = 1,
      .wildcard_available = 1,
      .subscription_id_available = 1,
      .shared_available = 1,
  };
  self->start = (size_t)(reader.data - self->buffer) + size;
  if (!read_body (self->protocol, &reader, ret_packet, error)) {
    g_prefix_error (
        error, "the broker sent a wrong %s: ", packet_names[first >> 4]);
    return VIGIL_MQTT_MALFORMED;
  }
  return VIGIL_MQTT_DECODED;
}
