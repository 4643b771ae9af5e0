/* SPDX-License-Identifier: Apache-2.0 */

/* What waits to be written: whatever the pieces, the bytes are the same. */

#include "mqtt/mqtt-output.h"

#include "common/fixture.h"
#include <string.h>

static VigilMqttMessage *
make_message (size_t topic_size)
{
  g_autofree char *topic = g_strnfill (topic_size, 't');
  g_autoptr (GBytes) head = g_bytes_new_static ("head", 4);
  g_autoptr (GBytes) empty = g_bytes_new_static ("", 0);
  g_autoptr (GBytes) tail = g_bytes_new_static ("tail", 4);
  const VigilMqttPublication publication = {
      .topic = topic, .segments = {head, empty, tail}};

  return vigil_mqtt_message_new (&publication, 1);
}

static const VigilMqttPublish qos_0 = {.protocol = 5};

/* Takes all out, @limit bytes at a time. */
static GByteArray *
take (VigilMqttOutput *output, size_t limit, unsigned *ret_entries)
{
  GByteArray *bytes = g_byte_array_new ();
  VigilMqttOutputEntry entry;
  int size;

  for (;;) {
    const struct iovec *pieces = vigil_mqtt_output_get (output, &size);
    size_t left = limit;
    size_t taken = 0;

    if (size == 0)
      return bytes;
    for (int i = 0; i < size && left > 0; i++) {
      const size_t part = MIN (left, pieces[i].iov_len);

      g_byte_array_append (bytes, pieces[i].iov_base, (unsigned)part);
      left -= part;
      taken += part;
    }
    vigil_mqtt_output_advance (output, taken);
    while (vigil_mqtt_output_pop_written (output, &entry))
      (*ret_entries)++;
  }
}

/* Small and large topics, written whole or in any pieces, past the end of
 * the rings. */
static void
test_pieces (gconstpointer data)
{
  const size_t limit = GPOINTER_TO_SIZE (data);
  g_autofree VigilMqttOutput *output = g_new0 (VigilMqttOutput, 1);
  g_autoptr (VigilMqttMessage) small = make_message (3);
  g_autoptr (VigilMqttMessage) large = make_message (2000);

  vigil_mqtt_output_reset (output);
  for (unsigned round = 0; round < 20; round++) {
    g_autoptr (GByteArray) bytes = NULL;
    unsigned pushed = 0;
    unsigned entries = 0;
    size_t size = 0;

    while (vigil_mqtt_output_has_publish_room (output)) {
      const VigilMqttMessage *message = pushed % 5 == 0 ? large : small;

      size += vigil_mqtt_packet_publish_size (&message->parts[0], &qos_0);
      vigil_mqtt_output_push_publish (
          output, &message->parts[0], &qos_0, VIGIL_MQTT_OUTPUT_PUBLISH, 0, 0);
      pushed++;
    }
    while (vigil_mqtt_output_has_room (output)) {
      vigil_mqtt_output_push_control (
          output, VIGIL_MQTT_OUTPUT_PING, (const uint8_t *)"\xc0\0", 2);
      size += 2;
      pushed++;
    }
    g_assert_cmpuint (output->bytes, ==, size);
    bytes = take (output, limit, &entries);
    g_assert_cmpuint (bytes->len, ==, size);
    g_assert_cmpuint (entries, ==, pushed);
    g_assert_cmpmem (bytes->data + bytes->len - 2, 2, "\xc0\0", 2);
  }
}

/* Control packets have room when there is none for messages. */
static void
test_reserve (void)
{
  g_autofree VigilMqttOutput *output = g_new0 (VigilMqttOutput, 1);
  g_autoptr (VigilMqttMessage) message = make_message (3);

  vigil_mqtt_output_reset (output);
  while (vigil_mqtt_output_has_publish_room (output))
    vigil_mqtt_output_push_publish (
        output, &message->parts[0], &qos_0, VIGIL_MQTT_OUTPUT_PUBLISH, 0, 0);
  for (unsigned i = 0; i < 60; i++) {
    g_assert_true (vigil_mqtt_output_has_room (output));
    vigil_mqtt_output_push_control (output, VIGIL_MQTT_OUTPUT_CONTROL,
        (const uint8_t *)"0123456789abcdef", 16);
  }
}

/* Large payloads are let in one after the other, not all at once. */
static void
test_bytes (void)
{
  g_autofree VigilMqttOutput *output = g_new0 (VigilMqttOutput, 1);
  g_autofree char *text = g_strnfill (200000, 'x');
  g_autoptr (GBytes) payload = g_bytes_new (text, 200000);
  const VigilMqttPublication publication = {
      .topic = "t", .segments = {payload}};
  g_autoptr (VigilMqttMessage) message =
      vigil_mqtt_message_new (&publication, 1);
  unsigned count = 0;

  vigil_mqtt_output_reset (output);
  for (; vigil_mqtt_output_has_publish_room (output); count++)
    vigil_mqtt_output_push_publish (
        output, &message->parts[0], &qos_0, VIGIL_MQTT_OUTPUT_PUBLISH, 0, 0);
  g_assert_cmpuint (count, ==, 2);
}

/* What has begun stays, the rest goes. */
static void
test_drop_unstarted (void)
{
  g_autofree VigilMqttOutput *output = g_new0 (VigilMqttOutput, 1);
  g_autoptr (VigilMqttMessage) message = make_message (3);
  g_autoptr (GByteArray) bytes = NULL;
  unsigned entries = 0;

  vigil_mqtt_output_reset (output);
  for (unsigned i = 0; i < 3; i++)
    vigil_mqtt_output_push_publish (
        output, &message->parts[0], &qos_0, VIGIL_MQTT_OUTPUT_PUBLISH, 0, 0);
  vigil_mqtt_output_advance (output, 1);
  vigil_mqtt_output_drop_unstarted (output);
  bytes = take (output, SIZE_MAX, &entries);
  g_assert_cmpuint (entries, ==, 1);
  g_assert_cmpuint (bytes->len, ==,
      vigil_mqtt_packet_publish_size (&message->parts[0], &qos_0) - 1);
  vigil_mqtt_output_push_borrowed (output, (const uint8_t *)"x", 1);
  vigil_mqtt_output_drop_unstarted (output);
  g_assert_cmpuint (output->bytes, ==, 0);
}

/* A farewell has room behind what has begun, however full it was. */
static void
test_drop_full (void)
{
  g_autofree VigilMqttOutput *output = g_new0 (VigilMqttOutput, 1);
  g_autoptr (VigilMqttMessage) message = make_message (200);
  g_autoptr (GByteArray) bytes = NULL;
  const size_t size =
      vigil_mqtt_packet_publish_size (&message->parts[0], &qos_0);
  VigilMqttOutputEntry entry;
  unsigned entries = 0;

  vigil_mqtt_output_reset (output);
  while (vigil_mqtt_output_has_publish_room (output))
    vigil_mqtt_output_push_publish (
        output, &message->parts[0], &qos_0, VIGIL_MQTT_OUTPUT_PUBLISH, 0, 0);
  while (vigil_mqtt_output_has_room (output))
    vigil_mqtt_output_push_control (output, VIGIL_MQTT_OUTPUT_CONTROL,
        (const uint8_t *)"0123456789abcdef", 16);
  vigil_mqtt_output_advance (output, size + 1);
  g_assert_true (vigil_mqtt_output_pop_written (output, &entry));
  vigil_mqtt_output_drop_unstarted (output);
  g_assert_true (vigil_mqtt_output_has_publish_room (output));
  vigil_mqtt_output_push_control (
      output, VIGIL_MQTT_OUTPUT_CONTROL, (const uint8_t *)"\xe0\0", 2);
  bytes = take (output, SIZE_MAX, &entries);
  g_assert_cmpuint (entries, ==, 2);
  g_assert_cmpuint (bytes->len, ==, size - 1 + 2);
  g_assert_cmpmem (bytes->data + size - 1 - 8, 10, "headtail\xe0\0", 10);
}

int
main (int argc, char **argv)
{
  vigil_fixture_init (&argc, &argv, 0);
  g_test_add_data_func (
      "/mqtt-output/pieces/1", GSIZE_TO_POINTER (1), test_pieces);
  g_test_add_data_func (
      "/mqtt-output/pieces/17", GSIZE_TO_POINTER (17), test_pieces);
  g_test_add_data_func (
      "/mqtt-output/pieces/all", GSIZE_TO_POINTER (SIZE_MAX), test_pieces);
  g_test_add_func ("/mqtt-output/reserve", test_reserve);
  g_test_add_func ("/mqtt-output/bytes", test_bytes);
  g_test_add_func ("/mqtt-output/drop-unstarted", test_drop_unstarted);
  g_test_add_func ("/mqtt-output/drop-full", test_drop_full);
  return g_test_run ();
}
