/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "mqtt/mqtt-packet.h"

/*
 * Takes packets that a broker may send to a publisher out of a stream of
 * bytes. No I/O, no clock; one thread at a time.
 */

/* Bytes of a received packet, valid until the next call of the decoder. */
typedef struct {
  const char *data; /* NULL when absent; UTF-8, no NUL, not terminated */
  size_t size;
} VigilMqttText;

/* A received packet: CONNACK, PUBACK, PUBREC, PUBREL, PUBCOMP, PINGRESP or
 * DISCONNECT. Absent properties have their default of the specification. */
typedef struct {
  VigilMqttPacketType type;
  uint16_t packet_id;
  uint8_t reason; /* return code or reason code */
  gboolean session_present;
  gboolean has_session_expiry;
  gboolean has_server_keep_alive;
  uint32_t session_expiry_s;
  uint32_t maximum_packet_size; /* 0: no limit */
  uint32_t receive_maximum;
  uint32_t server_keep_alive_s;
  uint32_t topic_alias_maximum;
  uint32_t maximum_qos;
  uint32_t retain_available;
  uint32_t wildcard_available;
  uint32_t subscription_id_available;
  uint32_t shared_available;
  unsigned user_properties; /* how many there were */
  VigilMqttText assigned_client_id;
  VigilMqttText reason_string;
  VigilMqttText server_reference;
} VigilMqttPacket;

/* Takes packets out of a stream that comes in pieces. */
typedef struct {
  int protocol;
  uint8_t *buffer;
  size_t buffer_size;
  size_t start; /* first byte not yet decoded */
  size_t end;   /* behind the last byte received */
} VigilMqttDecoder;

void vigil_mqtt_decoder_init (VigilMqttDecoder *self, int protocol);
void vigil_mqtt_decoder_clear (VigilMqttDecoder *self);
/* Forgets what was received: a new connection. */
void vigil_mqtt_decoder_reset (VigilMqttDecoder *self);

/*
 * Room for bytes to be received, at least one.
 * Returns: (nullable): NULL when there is no memory.
 */
uint8_t *vigil_mqtt_decoder_get_space (
    VigilMqttDecoder *self, size_t *ret_size);
/* So many bytes were put there. */
void vigil_mqtt_decoder_commit (VigilMqttDecoder *self, size_t size);

typedef enum {
  VIGIL_MQTT_DECODED,    /* @ret_packet is set */
  VIGIL_MQTT_INCOMPLETE, /* more bytes are needed */
  VIGIL_MQTT_MALFORMED,  /* @error is set; the connection must end */
} VigilMqttDecodeResult;

/*
 * The next packet. Malformed is: what the specification calls so, what a
 * broker may not send to a publisher, and what is over 64 KiB; it is found
 * as soon as the bytes that show it are there. @error:
 * VIGIL_ERROR_PROTOCOL.
 */
VigilMqttDecodeResult vigil_mqtt_decoder_next (
    VigilMqttDecoder *self, VigilMqttPacket *ret_packet, GError **error);
