/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The decoder of what a broker sends. First byte: protocol and how the rest
 * is cut; however it is cut, the same packets must come out.
 */

#include "mqtt/mqtt-decoder.h"

#include <string.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

/* Packets seen so far, as a number that depends on all they say. */
typedef struct {
  VigilMqttDecoder decoder;
  uint64_t digest;
  unsigned packets;
  gboolean is_malformed;
} Reading;

static void
digest_text (Reading *self, const VigilMqttText *text)
{
  self->digest = self->digest * 31 + text->size;
  for (size_t i = 0; i < text->size; i++)
    self->digest = self->digest * 31 + (uint8_t)text->data[i];
}

static void
digest_packet (Reading *self, const VigilMqttPacket *packet)
{
  self->packets++;
  self->digest = self->digest * 31 + packet->type;
  self->digest = self->digest * 31 + packet->packet_id;
  self->digest = self->digest * 31 + packet->reason;
  self->digest = self->digest * 31 + packet->receive_maximum;
  self->digest = self->digest * 31 + packet->maximum_packet_size;
  self->digest = self->digest * 31 + packet->user_properties;
  digest_text (self, &packet->assigned_client_id);
  digest_text (self, &packet->reason_string);
  digest_text (self, &packet->server_reference);
}

static void
decode (Reading *self)
{
  VigilMqttPacket packet;

  while (!self->is_malformed) {
    g_autoptr (GError) error = NULL;

    switch (vigil_mqtt_decoder_next (&self->decoder, &packet, &error)) {
    case VIGIL_MQTT_DECODED:
      digest_packet (self, &packet);
      break;
    case VIGIL_MQTT_INCOMPLETE:
      return;
    case VIGIL_MQTT_MALFORMED:
      g_assert_nonnull (error);
      self->is_malformed = TRUE;
      break;
    }
  }
}

static void
feed (Reading *self, const uint8_t *data, size_t size)
{
  while (size > 0 && !self->is_malformed) {
    size_t space = 0;
    uint8_t *out = vigil_mqtt_decoder_get_space (&self->decoder, &space);

    space = MIN (space, size);
    memcpy (out, data, space);
    vigil_mqtt_decoder_commit (&self->decoder, space);
    data += space;
    size -= space;
    decode (self);
  }
  g_assert_cmpuint (self->decoder.buffer_size, <=, 256 * 1024);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  Reading whole = {.packets = 0};
  Reading pieces = {.packets = 0};
  uint32_t random;
  int protocol;

  if (size < 1)
    return 0;
  protocol = 3 + data[0] % 3;
  random = data[0] / 3 + 1;
  data++;
  size--;
  vigil_mqtt_decoder_init (&whole.decoder, protocol);
  vigil_mqtt_decoder_init (&pieces.decoder, protocol);
  feed (&whole, data, size);
  while (size > 0) {
    size_t piece;

    random = random * 1103515245 + 12345;
    piece = MIN (1 + (random >> 16) % 7, size);
    feed (&pieces, data, piece);
    data += piece;
    size -= piece;
  }
  g_assert_cmpuint (whole.packets, ==, pieces.packets);
  g_assert_cmpuint (whole.digest, ==, pieces.digest);
  g_assert_cmpint (whole.is_malformed, ==, pieces.is_malformed);
  vigil_mqtt_decoder_clear (&whole.decoder);
  vigil_mqtt_decoder_clear (&pieces.decoder);
  return 0;
}
