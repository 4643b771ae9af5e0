/* SPDX-License-Identifier: Apache-2.0 */

/* Reason codes in words. */

#include "mqtt/mqtt-reason.h"

#define REASON_STRING_MAX 128

/* 5: 2.4, table 2-6: what may reach a publisher. */
static const struct {
  uint8_t code;
  const char *words;
} reasons[] = {
    {0x00, "success"},
    {0x10, "no matching subscribers"},
    {0x80, "unspecified error"},
    {0x81, "malformed packet"},
    {0x82, "protocol error"},
    {0x83, "implementation specific error"},
    {0x84, "the broker does not speak this protocol version"},
    {0x85, "client identifier not valid"},
    {0x86, "bad user name or password"},
    {0x87, "not authorized"},
    {0x88, "server unavailable"},
    {0x89, "server busy"},
    {0x8a, "banned"},
    {0x8b, "server shutting down"},
    {0x8c, "bad authentication method"},
    {0x8d, "keep-alive timeout"},
    {0x8e, "session taken over: another client has this client id"},
    {0x8f, "topic filter not valid"},
    {0x90, "topic name not valid"},
    {0x91, "packet identifier in use"},
    {0x92, "packet identifier not found"},
    {0x93, "receive maximum exceeded"},
    {0x94, "topic alias not valid"},
    {0x95, "packet too large"},
    {0x96, "message rate too high"},
    {0x97, "quota exceeded"},
    {0x98, "administrative action"},
    {0x99, "payload format not valid"},
    {0x9a, "retain not supported"},
    {0x9b, "QoS not supported"},
    {0x9c, "use another server"},
    {0x9d, "server moved"},
    {0x9e, "shared subscriptions not supported"},
    {0x9f, "connection rate exceeded"},
    {0xa0, "maximum connect time"},
    {0xa1, "subscription identifiers not supported"},
    {0xa2, "wildcard subscriptions not supported"},
};

/* 3.1.1: 3.2.2.3, table 3.1. */
static const char *const return_codes[] = {"success",
    "the broker does not speak this protocol version",
    "client identifier rejected", "server unavailable",
    "bad user name or password", "not authorized"};

const char *
vigil_mqtt_reason_words (uint8_t reason)
{
  for (unsigned i = 0; i < G_N_ELEMENTS (reasons); i++)
    if (reasons[i].code == reason)
      return reasons[i].words;
  return NULL;
}

char *
vigil_mqtt_reason_escape (const VigilMqttText *text, size_t max_bytes)
{
  GString *escaped = g_string_new (NULL);
  const char *end = text->data + text->size;

  /* valid UTF-8, as the decoder saw to */
  for (const char *at = text->data; at < end; at = g_utf8_next_char (at)) {
    const gunichar character = g_utf8_get_char (at);

    if (escaped->len + g_unichar_to_utf8 (character, NULL) > max_bytes)
      break;
    if (g_unichar_iscntrl (character) || character == '\'')
      g_string_append_c (escaped, '?');
    else
      g_string_append_unichar (escaped, character);
  }
  return g_string_free (escaped, FALSE);
}

static const char *
find_words (int protocol, const VigilMqttPacket *packet)
{
  if (protocol == VIGIL_MQTT_PROTOCOL_5)
    return vigil_mqtt_reason_words (packet->reason);
  if (packet->reason < G_N_ELEMENTS (return_codes))
    return return_codes[packet->reason];
  return NULL;
}

char *
vigil_mqtt_reason_to_text (int protocol, const VigilMqttPacket *packet)
{
  const char *words = find_words (protocol, packet);
  GString *text = g_string_new (words != NULL ? words : "reason not known");

  g_string_append_printf (text,
      protocol == VIGIL_MQTT_PROTOCOL_5 ? ", code 0x%02x" : ", code %u",
      packet->reason);
  if (packet->reason_string.size > 0) {
    g_autofree char *words_of_broker =
        vigil_mqtt_reason_escape (&packet->reason_string, REASON_STRING_MAX);

    g_string_append_printf (text, ": '%s'", words_of_broker);
  }
  if (packet->server_reference.size > 0) {
    g_autofree char *reference =
        vigil_mqtt_reason_escape (&packet->server_reference, REASON_STRING_MAX);

    g_string_append_printf (
        text, "; it names '%s', which is not followed", reference);
  }
  return g_string_free (text, FALSE);
}
