/* SPDX-License-Identifier: Apache-2.0 */

/* Every packet that a broker may send to a publisher, and what it may not:
 * whole, byte by byte, and behind another. */

#include "mqtt/mqtt-decoder.h"

#include "base/error.h"
#include "common/fixture.h"
#include <string.h>

#define ANY 0 /* protocol: 3, 4 and 5 */

/* What is decoded, as a line of text; or why not, with "!" before. */
static const struct {
  const char *name;
  int protocol;
  const char *bytes;
  const char *want;
} cases[] = {
    /* CONNACK: 3.1.1: 3.2; 5: 3.2 */
    {"connack", 4, "20 02 00 00", "CONNACK"},
    {"connack-present", 4, "20 02 01 00", "CONNACK present"},
    {"connack-refused", 4, "20 02 00 05", "CONNACK 0x05"},
    {"connack-unknown-code", 4, "20 02 00 ff", "CONNACK 0xff"},
    {"connack-31-reserved-byte", 3, "20 02 a5 00", "CONNACK"},
    {"connack-present-and-refused", 4, "20 02 01 05", "!acknowledge flags"},
    {"connack-flags", 4, "20 02 02 00", "!acknowledge flags"},
    {"connack-short", ANY, "20 01 00", "!its length"},
    {"connack-empty", ANY, "20 00", "!its length"},
    {"connack-long", 4, "20 03 00 00 00", "!its length"},
    {"connack-fixed-flags", 4, "21 02 00 00", "!wrong flags"},
    {"connack-5", 5, "20 03 00 00 00", "CONNACK"},
    {"connack-5-no-properties", 5, "20 02 00 00", "!its properties"},
    {"connack-5-of-311", 5, "20 02 00 01", "CONNACK 0x84"},
    {"connack-5-of-311-in-words-of-5", 5, "20 02 00 84", "CONNACK 0x84"},
    {"connack-5-refused", 5, "20 03 00 87 00", "CONNACK 0x87"},
    {"connack-5-unknown-failure", 5, "20 03 00 ef 00", "CONNACK 0xef"},
    {"connack-5-unknown-success", 5, "20 03 00 01 00", "!reason code 0x01"},
    {"connack-5-all", 5,
        "20 34 00 00 31 11 00 00 00 09 21 00 05 24 01 25 00 27 00 00 10 00 "
        "12 00 01 69 22 00 02 1f 00 02 68 69 26 00 01 61 00 01 62 26 00 01 "
        "61 00 01 62 28 00 29 00 2a 00",
        "CONNACK session 9 receive 5 size 4096 alias 2 qos 1 retain 0 "
        "wildcard 0 subscription 0 shared 0 user 2 id 'i' reason 'hi'"},
    {"connack-5-keep-alive", 5, "20 06 00 00 03 13 00 03",
        "CONNACK keep-alive 3"},
    {"connack-5-reference", 5, "20 07 00 9c 04 1c 00 01 68",
        "CONNACK 0x9c server 'h'"},
    {"connack-5-unknown-property", 5, "20 05 00 00 02 7f 01",
        "!property 0x7f may not"},
    {"connack-5-long-property-id", 5, "20 05 00 00 02 ff 01",
        "!property 0xff may not"},
    {"connack-5-publish-property", 5, "20 05 00 00 02 01 01",
        "!property 0x01 may not"},
    {"connack-5-authentication", 5, "20 07 00 00 04 15 00 01 61",
        "!property 0x15 may not"},
    {"connack-5-response-information", 5, "20 07 00 00 04 1a 00 01 61",
        "!property 0x1a may not"},
    {"connack-5-twice", 5, "20 09 00 00 06 21 00 05 21 00 05",
        "!property 0x21 is there twice"},
    {"connack-5-receive-0", 5, "20 06 00 00 03 21 00 00",
        "!property 0x21 has a value"},
    {"connack-5-size-0", 5, "20 08 00 00 05 27 00 00 00 00",
        "!property 0x27 has a value"},
    {"connack-5-qos-2", 5, "20 05 00 00 02 24 02",
        "!property 0x24 has a value"},
    {"connack-5-cut-property", 5, "20 05 00 00 02 21 00",
        "!property 0x21 has a value"},
    {"connack-5-cut-number", 5, "20 06 00 00 03 27 00 00",
        "!property 0x27 has a value"},
    {"connack-5-cut-byte", 5, "20 04 00 00 01 25",
        "!property 0x25 has a value"},
    {"connack-5-cut-id", 5, "20 04 00 00 01 ff", "!may not stand there"},
    {"connack-5-cut-size", 5, "20 05 00 00 02 1f 00",
        "!property 0x1f has a value"},
    {"connack-5-cut-name", 5, "20 05 00 00 02 26 00",
        "!property 0x26 has a value"},
    {"connack-5-cut-value", 5, "20 07 00 00 04 26 00 01 61",
        "!property 0x26 has a value"},
    {"connack-5-cut-text", 5, "20 07 00 00 04 1f 00 05 61",
        "!property 0x1f has a value"},
    {"connack-5-bad-utf-8", 5, "20 07 00 00 04 1f 00 01 ff",
        "!property 0x1f has a value"},
    {"connack-5-nul", 5, "20 07 00 00 04 1f 00 01 00",
        "!property 0x1f has a value"},
    {"connack-5-properties-too-long", 5, "20 04 00 00 05 00",
        "!its properties are longer"},
    {"connack-5-property-length-five-bytes", 5, "20 06 00 00 ff ff ff ff",
        "!its properties"},
    {"connack-5-behind-properties", 5, "20 04 00 00 00 00", "!its length"},
    {"connack-5-property-length-not-shortest", 5, "20 04 00 00 80 00",
        "!its properties"},
    /* PUBACK, PUBREC, PUBREL, PUBCOMP: 3.4 to 3.7 */
    {"puback", ANY, "40 02 12 34", "PUBACK id 4660"},
    {"pubrec", ANY, "50 02 00 01", "PUBREC id 1"},
    {"pubrel", ANY, "62 02 00 01", "PUBREL id 1"},
    {"pubcomp", ANY, "70 02 00 01", "PUBCOMP id 1"},
    {"puback-id-0", ANY, "40 02 00 00", "!cannot be 0"},
    {"puback-short", ANY, "40 01 00", "!its length"},
    {"puback-long", 4, "40 03 00 01 00", "!its length"},
    {"puback-flags", 4, "42 02 00 01", "!wrong flags"},
    {"puback-31-flags", 3, "4a 02 00 01", "PUBACK id 1"},
    {"pubrel-flags", 5, "60 02 00 01", "!wrong flags"},
    {"puback-5-reason", 5, "40 03 00 01 10", "PUBACK id 1 0x10"},
    {"puback-5-unknown-success", 5, "40 03 00 01 11", "!reason code 0x11"},
    {"pubrec-5-reason", 5, "50 03 00 01 97", "PUBREC id 1 0x97"},
    {"pubcomp-5-reason", 5, "70 03 00 01 92", "PUBCOMP id 1 0x92"},
    {"pubcomp-5-no-subscribers", 5, "70 03 00 01 10", "!reason code 0x10"},
    {"puback-5-text", 5, "40 09 00 01 87 05 1f 00 02 6e 6f",
        "PUBACK id 1 0x87 reason 'no'"},
    {"puback-5-empty-properties", 5, "40 04 00 01 00 00", "PUBACK id 1"},
    {"puback-5-connack-property", 5, "40 07 00 01 00 03 21 00 05",
        "!property 0x21 may not"},
    {"puback-5-behind", 5, "40 05 00 01 00 00 00", "!its length"},
    /* PINGRESP: 3.13 */
    {"pingresp", ANY, "d0 00", "PINGRESP"},
    {"pingresp-long", ANY, "d0 01 00", "!its length"},
    /* DISCONNECT: 5: 3.14 */
    {"disconnect-5", 5, "e0 00", "DISCONNECT"},
    {"disconnect-5-reason", 5, "e0 01 8b", "DISCONNECT 0x8b"},
    {"disconnect-5-reference", 5, "e0 06 9d 04 1c 00 01 68",
        "DISCONNECT 0x9d server 'h'"},
    {"disconnect-5-with-will", 5, "e0 01 04", "!reason code 0x04"},
    {"disconnect-5-session-expiry", 5, "e0 07 00 05 11 00 00 00 00",
        "!property 0x11 may not"},
    {"disconnect-5-behind", 5, "e0 03 8b 00 00", "!its length"},
    {"disconnect-4", 4, "e0 00", "!sent DISCONNECT"},
    {"disconnect-3", 3, "e0 00", "!sent DISCONNECT"},
    /* What no publisher may receive */
    {"reserved", ANY, "00 00", "!sent packet 0"},
    {"connect", ANY, "10 00", "!sent CONNECT"},
    {"publish", ANY, "30 00", "!sent PUBLISH"},
    {"subscribe", ANY, "82 00", "!sent SUBSCRIBE"},
    {"suback", ANY, "90 03 00 01 00", "!sent SUBACK"},
    {"unsubscribe", ANY, "a2 00", "!sent UNSUBSCRIBE"},
    {"unsuback", ANY, "b0 02 00 01", "!sent UNSUBACK"},
    {"pingreq", ANY, "c0 00", "!sent PINGREQ"},
    {"auth", ANY, "f0 00", "!sent AUTH"},
    /* Remaining Length: 5: 1.5.5, 2.1.4 */
    {"length-five-bytes", ANY, "40 ff ff ff ff", "!a packet length that is"},
    {"length-not-shortest", ANY, "40 82 00 00 01", "!a packet length that is"},
    {"length-256-mib", ANY, "20 ff ff ff 7f", "!want at most 65536"},
    {"length-65537", ANY, "20 81 80 04", "!want at most 65536"},
    {"http", 4, "48 54 54 50 2f 31", "!wrong flags"},
    /* Not yet */
    {"nothing", ANY, "", "..."},
    {"one-byte", ANY, "20", "..."},
    {"half-length", ANY, "20 80", "..."},
    {"half-connack", ANY, "20 02 00", "..."},
};

static GByteArray *
from_hex (const char *text)
{
  GByteArray *bytes = g_byte_array_new ();

  for (const char *at = text; *at != '\0'; at++) {
    uint8_t byte;

    if (*at == ' ')
      continue;
    byte = (uint8_t)(g_ascii_xdigit_value (at[0]) << 4 |
                     g_ascii_xdigit_value (at[1]));
    g_byte_array_append (bytes, &byte, 1);
    at++;
  }
  return bytes;
}

static void
append_number (GString *text, const char *name, uint32_t value, uint32_t usual)
{
  if (value != usual)
    g_string_append_printf (text, " %s %u", name, value);
}

static void
append_text (GString *text, const char *name, const VigilMqttText *value)
{
  if (value->data != NULL)
    g_string_append_printf (
        text, " %s '%.*s'", name, (int)value->size, value->data);
}

static char *
describe (const VigilMqttPacket *packet)
{
  static const char *const names[] = {"", "", "CONNACK", "", "PUBACK", "PUBREC",
      "PUBREL", "PUBCOMP", "", "", "", "", "", "PINGRESP", "DISCONNECT"};
  GString *text = g_string_new (names[packet->type]);

  append_number (text, "id", packet->packet_id, 0);
  if (packet->session_present)
    g_string_append (text, " present");
  if (packet->reason != 0)
    g_string_append_printf (text, " 0x%02x", packet->reason);
  if (packet->has_session_expiry)
    append_number (text, "session", packet->session_expiry_s, UINT32_MAX);
  if (packet->has_server_keep_alive)
    append_number (text, "keep-alive", packet->server_keep_alive_s, UINT32_MAX);
  append_number (text, "receive", packet->receive_maximum, 65535);
  append_number (text, "size", packet->maximum_packet_size, 0);
  append_number (text, "alias", packet->topic_alias_maximum, 0);
  append_number (text, "qos", packet->maximum_qos, 2);
  append_number (text, "retain", packet->retain_available, 1);
  append_number (text, "wildcard", packet->wildcard_available, 1);
  append_number (text, "subscription", packet->subscription_id_available, 1);
  append_number (text, "shared", packet->shared_available, 1);
  append_number (text, "user", packet->user_properties, 0);
  append_text (text, "id", &packet->assigned_client_id);
  append_text (text, "server", &packet->server_reference);
  append_text (text, "reason", &packet->reason_string);
  return g_string_free (text, FALSE);
}

static void
feed (VigilMqttDecoder *decoder, const uint8_t *data, size_t size)
{
  while (size > 0) {
    size_t space = 0;
    uint8_t *out = vigil_mqtt_decoder_get_space (decoder, &space);

    g_assert_cmpuint (space, >, 0);
    space = MIN (space, size);
    memcpy (out, data, space);
    vigil_mqtt_decoder_commit (decoder, space);
    data += space;
    size -= space;
  }
}

static void
assert_next (VigilMqttDecoder *decoder, const char *want)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;
  VigilMqttPacket packet;

  switch (vigil_mqtt_decoder_next (decoder, &packet, &error)) {
  case VIGIL_MQTT_DECODED:
    text = describe (&packet);
    g_assert_cmpstr (text, ==, want);
    return;
  case VIGIL_MQTT_INCOMPLETE:
    g_assert_cmpstr (want, ==, "...");
    return;
  case VIGIL_MQTT_MALFORMED:
    g_assert_error (error, VIGIL_ERROR, VIGIL_ERROR_PROTOCOL);
    g_assert_cmpint (want[0], ==, '!');
    if (strstr (error->message, want + 1) == NULL)
      g_error ("'%s' is not in '%s'", want + 1, error->message);
  }
}

static void
check (int protocol, const GByteArray *bytes, const char *want)
{
  static const uint8_t puback[] = {0x40, 2, 0, 7};
  VigilMqttDecoder decoder;

  vigil_mqtt_decoder_init (&decoder, protocol);
  /* whole */
  feed (&decoder, bytes->data, bytes->len);
  assert_next (&decoder, want);
  /* behind another, on a new connection */
  vigil_mqtt_decoder_reset (&decoder);
  feed (&decoder, puback, sizeof puback);
  feed (&decoder, bytes->data, bytes->len);
  assert_next (&decoder, "PUBACK id 7");
  assert_next (&decoder, want);
  vigil_mqtt_decoder_clear (&decoder);
}

static void
check_byte_by_byte (int protocol, const GByteArray *bytes, const char *want)
{
  VigilMqttDecoder decoder;

  vigil_mqtt_decoder_init (&decoder, protocol);
  for (unsigned i = 0; i < bytes->len; i++) {
    VigilMqttPacket packet;

    feed (&decoder, bytes->data + i, 1);
    if (i + 1 == bytes->len) {
      assert_next (&decoder, want);
    } else if (vigil_mqtt_decoder_next (&decoder, &packet, NULL) ==
               VIGIL_MQTT_MALFORMED) {
      g_assert_cmpint (want[0], ==, '!'); /* found early: better */
      break;
    }
  }
  vigil_mqtt_decoder_clear (&decoder);
}

static void
test_case (gconstpointer data)
{
  const unsigned row = GPOINTER_TO_UINT (data);
  g_autoptr (GByteArray) bytes = from_hex (cases[row].bytes);

  for (int protocol = 3; protocol <= 5; protocol++) {
    if (cases[row].protocol != ANY && cases[row].protocol != protocol)
      continue;
    check (protocol, bytes, cases[row].want);
    check_byte_by_byte (protocol, bytes, cases[row].want);
  }
}

/* The largest packet that is taken: 64 KiB, nearly all a reason string. */
static void
test_largest (void)
{
  g_autoptr (GByteArray) bytes =
      from_hex ("20 80 80 04 00 87 fb ff 03 1f ff f8");
  g_autofree char *words = g_strnfill (65528, 'w');
  VigilMqttDecoder decoder;
  VigilMqttPacket packet;

  g_byte_array_append (bytes, (const uint8_t *)words, 65527);
  vigil_mqtt_decoder_init (&decoder, 5);
  feed (&decoder, bytes->data, bytes->len);
  g_assert_cmpint (vigil_mqtt_decoder_next (&decoder, &packet, NULL), ==,
      VIGIL_MQTT_INCOMPLETE);
  feed (&decoder, (const uint8_t *)words, 1);
  g_assert_cmpint (vigil_mqtt_decoder_next (&decoder, &packet, NULL), ==,
      VIGIL_MQTT_DECODED);
  g_assert_cmpuint (packet.reason_string.size, ==, 65528);
  vigil_mqtt_decoder_clear (&decoder);
}

/* A long stream through the decoder keeps its buffer small. */
static void
test_stream (void)
{
  static const uint8_t puback[] = {0x40, 2, 0, 7};
  VigilMqttDecoder decoder;

  vigil_mqtt_decoder_init (&decoder, 4);
  for (unsigned i = 0; i < 10000; i++) {
    feed (&decoder, puback, sizeof puback);
    assert_next (&decoder, "PUBACK id 7");
  }
  g_assert_cmpuint (decoder.buffer_size, <=, 4096);
  vigil_mqtt_decoder_clear (&decoder);
}

int
main (int argc, char **argv)
{
  vigil_fixture_init (&argc, &argv, 0);
  for (unsigned i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *path = g_strdup_printf ("/mqtt-decoder/%s", cases[i].name);

    g_test_add_data_func (path, GUINT_TO_POINTER (i), test_case);
  }
  g_test_add_func ("/mqtt-decoder/largest", test_largest);
  g_test_add_func ("/mqtt-decoder/stream", test_stream);
  return g_test_run ();
}
