/* SPDX-License-Identifier: Apache-2.0 */

/* Every packet that a publisher sends, byte for byte. Numbers in the tables
 * are sections of MQTT 5.0 ("5:") and 3.1.1. */

#include "mqtt/mqtt-packet.h"

#include "common/fixture.h"
#include <string.h>

/* "20 02" ... from bytes. */
static char *
to_hex (const uint8_t *data, size_t size)
{
  GString *text = g_string_new (NULL);

  for (size_t i = 0; i < size; i++)
    g_string_append_printf (text, i > 0 ? " %02x" : "%02x", data[i]);
  return g_string_free (text, FALSE);
}

static void
assert_hex (const uint8_t *data, size_t size, const char *want)
{
  g_autofree char *hex = to_hex (data, size);

  g_assert_cmpstr (hex, ==, want);
}

/* ---- CONNECT (5: 3.1; 3.1.1: 3.1) -----------------------------------------
 */

typedef struct {
  const char *name;
  VigilMqttConnect values;
  const char *want;
} ConnectCase;

static const ConnectCase connects[] = {
    {"3.1",
        {.protocol = 3,
            .client_id = "c",
            .clean_start = TRUE,
            .keep_alive_s = 60},
        "10 0f 00 06 4d 51 49 73 64 70 03 02 00 3c 00 01 63"},
    {"3.1.1",
        {.protocol = 4,
            .client_id = "c",
            .clean_start = TRUE,
            .keep_alive_s = 258},
        "10 0d 00 04 4d 51 54 54 04 02 01 02 00 01 63"},
    {"3.1.1-kept",
        {.protocol = 4,
            .client_id = "c",
            .keep_alive_s = 1,
            .session_expiry_s = 9},
        "10 0d 00 04 4d 51 54 54 04 00 00 01 00 01 63"},
    {"3.1.1-all",
        {.protocol = 4,
            .client_id = "c",
            .clean_start = TRUE,
            .keep_alive_s = 1,
            .username = "u",
            .password = "p",
            .will_topic = "t",
            .will_payload = "w",
            .will_retain = TRUE},
        "10 19 00 04 4d 51 54 54 04 e6 00 01 00 01 63 00 01 74 00 01 77 "
        "00 01 75 00 01 70"},
    {"5",
        {.protocol = 5,
            .client_id = "c",
            .clean_start = TRUE,
            .keep_alive_s = 60},
        "10 13 00 04 4d 51 54 54 05 02 00 3c 05 27 00 01 00 00 00 01 63"},
    {"5-kept-without-user",
        {.protocol = 5,
            .client_id = "",
            .keep_alive_s = 60,
            .session_expiry_s = 86400,
            .password = "p"},
        "10 1a 00 04 4d 51 54 54 05 40 00 3c 0a 11 00 01 51 80 27 00 01 00 "
        "00 00 00 00 01 70"},
    {"5-will",
        {.protocol = 5,
            .client_id = "c",
            .clean_start = TRUE,
            .keep_alive_s = 60,
            .will_topic = "t",
            .will_payload = "w"},
        "10 1a 00 04 4d 51 54 54 05 06 00 3c 05 27 00 01 00 00 00 01 63 00 "
        "00 01 74 00 01 77"},
};

static void
test_connect (gconstpointer data)
{
  const ConnectCase *row = data;
  g_autoptr (GByteArray) packet =
      vigil_mqtt_packet_encode_connect (&row->values);

  assert_hex (packet->data, packet->len, row->want);
}

/* ---- PUBLISH (5: 3.3; 3.1.1: 3.3) -----------------------------------------
 */

typedef struct {
  const char *name;
  VigilMqttPublish values;
  const char *want; /* of topic "a/b", payload "xy" */
} PublishCase;

static const PublishCase publishes[] = {
    {"qos-0", {.protocol = 4}, "30 07 00 03 61 2f 62 78 79"},
    {"qos-0-has-no-dup", {.protocol = 4, .is_duplicate = TRUE},
        "30 07 00 03 61 2f 62 78 79"},
    {"qos-1", {.protocol = 4, .qos = 1, .packet_id = 0x1234},
        "32 09 00 03 61 2f 62 12 34 78 79"},
    {"qos-1-again",
        {.protocol = 3, .qos = 1, .packet_id = 1, .is_duplicate = TRUE},
        "3a 09 00 03 61 2f 62 00 01 78 79"},
    {"qos-2-retained",
        {.protocol = 4, .qos = 2, .packet_id = 0xffff, .retain = TRUE},
        "35 09 00 03 61 2f 62 ff ff 78 79"},
    {"5-qos-0", {.protocol = 5}, "30 08 00 03 61 2f 62 00 78 79"},
    {"5-qos-1-expiry", {.protocol = 5, .qos = 1, .packet_id = 2, .expiry_s = 7},
        "32 0f 00 03 61 2f 62 00 02 05 02 00 00 00 07 78 79"},
};

static void
append_publish (GByteArray *packet, const VigilMqttPart *part,
    const VigilMqttPublish *values)
{
  uint8_t bytes[VIGIL_MQTT_PUBLISH_MIDDLE_MAX];

  g_byte_array_append (packet, bytes,
      (unsigned)vigil_mqtt_packet_put_publish_start (bytes, part, values));
  g_byte_array_append (packet, part->topic, (unsigned)part->topic_size);
  g_byte_array_append (packet, bytes,
      (unsigned)vigil_mqtt_packet_put_publish_middle (bytes, part, values));
  if (values->protocol == 5)
    g_byte_array_append (
        packet, part->properties, (unsigned)part->properties_size);
  for (unsigned i = 0; i < part->segments_size; i++) {
    size_t size;
    const uint8_t *data = g_bytes_get_data (part->segments[i], &size);

    g_byte_array_append (packet, data, (unsigned)size);
  }
  g_assert_cmpuint (
      packet->len, ==, vigil_mqtt_packet_publish_size (part, values));
}

static void
test_publish (gconstpointer data)
{
  const PublishCase *row = data;
  g_autoptr (GByteArray) packet = g_byte_array_new ();
  g_autoptr (GBytes) x = g_bytes_new_static ("x", 1);
  g_autoptr (GBytes) y = g_bytes_new_static ("y", 1);
  const VigilMqttPublication publication = {.topic = "a/b", .segments = {x, y}};
  g_autoptr (VigilMqttMessage) message =
      vigil_mqtt_message_new (&publication, 1);

  append_publish (packet, &message->parts[0], &row->values);
  assert_hex (packet->data, packet->len, row->want);
}

/* 5: 3.3.2.3, in the order in which they are written; 3.1.1 has none. */
static void
test_properties (void)
{
  g_autoptr (GByteArray) packet = g_byte_array_new ();
  g_autoptr (GBytes) correlation = g_bytes_new_static ("\1\2", 2);
  const VigilMqttUserProperty user[] = {{"k", "v"}, {"k", "w"}};
  const VigilMqttPublication publication = {
      .topic = "t",
      .content_type = "c",
      .correlation_data = correlation,
      .is_text = TRUE,
      .expiry_s = 5,
      .user_properties = user,
      .user_properties_size = G_N_ELEMENTS (user),
  };
  g_autoptr (VigilMqttMessage) message =
      vigil_mqtt_message_new (&publication, 1);
  const VigilMqttPublish values = {.protocol = 5, .expiry_s = 5};
  const VigilMqttPublish old = {.protocol = 4};

  append_publish (packet, &message->parts[0], &values);
  assert_hex (packet->data, packet->len,
      "30 22 00 01 74 1e 02 00 00 00 05 01 01 03 00 01 63 09 00 02 01 02 26 "
      "00 01 6b 00 01 76 26 00 01 6b 00 01 77");
  g_byte_array_set_size (packet, 0);
  append_publish (packet, &message->parts[0], &old);
  assert_hex (packet->data, packet->len, "30 03 00 01 74");
}

/* 5: 1.5.5: the lengths at which Remaining Length grows, and its end. */
static void
test_remaining_length (void)
{
  static const struct {
    size_t payload;
    size_t start_size;
    const char *start;
  } rows[] = {
      {124, 2, "30 7f"},
      {125, 3, "30 80 01"},
      {16380, 3, "30 ff 7f"},
      {16381, 4, "30 80 80 01"},
      {2097148, 4, "30 ff ff 7f"},
      {2097149, 5, "30 80 80 80 01"},
      {268435452, 5, "30 ff ff ff 7f"},
      {268435453, 0, NULL},
  };

  for (unsigned i = 0; i < G_N_ELEMENTS (rows); i++) {
    const VigilMqttPart part = {.topic = (const uint8_t *)"\0\1t",
        .topic_size = 3,
        .payload_size = rows[i].payload};
    const VigilMqttPublish values = {.protocol = 4};
    uint8_t bytes[VIGIL_MQTT_PUBLISH_START_MAX];
    const size_t size = vigil_mqtt_packet_publish_size (&part, &values);

    if (rows[i].start == NULL) {
      g_assert_cmpuint (size, ==, 0);
      continue;
    }
    g_assert_cmpuint (size, ==, rows[i].start_size + 3 + rows[i].payload);
    assert_hex (bytes,
        vigil_mqtt_packet_put_publish_start (bytes, &part, &values),
        rows[i].start);
  }
}

/* What is longer than 65,535 bytes is cut, never wrapped (5: 1.5.4). */
static void
test_long_string (void)
{
  g_autofree char *text = g_strnfill (70000, 'x');
  g_autofree uint8_t *out = g_malloc (70002);

  g_assert_cmpuint (vigil_mqtt_packet_put_string (out, text) - out, ==, 65537);
  assert_hex (out, 3, "ff ff 78");
}

/* ---- The small ones -------------------------------------------------------
 */

static void
test_pubrel (void)
{
  uint8_t bytes[VIGIL_MQTT_PUBREL_MAX];

  assert_hex (
      bytes, vigil_mqtt_packet_put_pubrel (bytes, 4, 0x1234, 0), "62 02 12 34");
  assert_hex (
      bytes, vigil_mqtt_packet_put_pubrel (bytes, 4, 1, 0x92), "62 02 00 01");
  assert_hex (
      bytes, vigil_mqtt_packet_put_pubrel (bytes, 5, 1, 0), "62 02 00 01");
  assert_hex (bytes, vigil_mqtt_packet_put_pubrel (bytes, 5, 1, 0x92),
      "62 03 00 01 92");
}

static void
test_pingreq (void)
{
  uint8_t bytes[VIGIL_MQTT_PINGREQ_SIZE];

  assert_hex (bytes, vigil_mqtt_packet_put_pingreq (bytes), "c0 00");
}

static void
test_disconnect (void)
{
  uint8_t bytes[VIGIL_MQTT_DISCONNECT_MAX];

  assert_hex (
      bytes, vigil_mqtt_packet_put_disconnect (bytes, 4, 0x82, TRUE), "e0 00");
  assert_hex (
      bytes, vigil_mqtt_packet_put_disconnect (bytes, 5, 0, FALSE), "e0 00");
  assert_hex (bytes, vigil_mqtt_packet_put_disconnect (bytes, 5, 0x82, FALSE),
      "e0 01 82");
  assert_hex (bytes, vigil_mqtt_packet_put_disconnect (bytes, 5, 0, TRUE),
      "e0 07 00 05 11 00 00 00 00");
}

int
main (int argc, char **argv)
{
  vigil_fixture_init (&argc, &argv, 0);
  for (unsigned i = 0; i < G_N_ELEMENTS (connects); i++) {
    g_autofree char *path =
        g_strdup_printf ("/mqtt-packet/connect/%s", connects[i].name);

    g_test_add_data_func (path, &connects[i], test_connect);
  }
  for (unsigned i = 0; i < G_N_ELEMENTS (publishes); i++) {
    g_autofree char *path =
        g_strdup_printf ("/mqtt-packet/publish/%s", publishes[i].name);

    g_test_add_data_func (path, &publishes[i], test_publish);
  }
  g_test_add_func ("/mqtt-packet/publish/properties", test_properties);
  g_test_add_func (
      "/mqtt-packet/publish/remaining-length", test_remaining_length);
  g_test_add_func ("/mqtt-packet/long-string", test_long_string);
  g_test_add_func ("/mqtt-packet/pubrel", test_pubrel);
  g_test_add_func ("/mqtt-packet/pingreq", test_pingreq);
  g_test_add_func ("/mqtt-packet/disconnect", test_disconnect);
  return g_test_run ();
}
