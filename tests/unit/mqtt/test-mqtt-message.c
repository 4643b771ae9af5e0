/* SPDX-License-Identifier: Apache-2.0 */

/* Messages: what they share and give back. */

#include "mqtt/mqtt-message.h"

#include "common/client-rig.h"

static unsigned freed;

static void
count_free (void *data)
{
  freed++;
}

static VigilMqttMessage *
make_form (VigilMqttMessage *message, size_t limit_bytes, void *user_data)
{
  return user_data != NULL
             ? vigil_client_rig_make_message (GPOINTER_TO_SIZE (user_data))
             : NULL;
}

/* Segments are shared, not copied, and given back with the last reference,
 * as is what the reduce function needs. */
static void
test_life (void)
{
  GBytes *bytes = g_bytes_new_with_free_func ("abc", 3, count_free, NULL);
  const VigilMqttPublication publication = {.topic = "t", .segments = {bytes}};
  VigilMqttMessage *message = vigil_mqtt_message_new (&publication, 1);

  freed = 0;
  g_bytes_unref (bytes);
  vigil_mqtt_message_set_reduce (message, make_form, NULL, count_free);
  g_assert_true (message->parts[0].segments[0] == bytes);
  vigil_mqtt_message_ref (message);
  vigil_mqtt_message_unref (message);
  g_assert_cmpuint (freed, ==, 0);
  vigil_mqtt_message_unref (message);
  g_assert_cmpuint (freed, ==, 2);
  vigil_mqtt_message_unref (NULL);
}

/* All four segments may be used. */
static void
test_segments (void)
{
  g_autoptr (GBytes) bytes = g_bytes_new_static ("abc", 3);
  const VigilMqttPublication publication = {
      .topic = "t", .segments = {bytes, bytes, bytes, bytes}};
  g_autoptr (VigilMqttMessage) message =
      vigil_mqtt_message_new (&publication, 1);

  g_assert_cmpuint (message->parts[0].segments_size, ==, 4);
  g_assert_cmpuint (message->payload_size, ==, 12);
  g_assert_cmpuint (vigil_mqtt_message_get_bytes (message), >, 12);
}

/* 5: 1.5.4, 1.5.6: nothing on the wire is longer than its length can say. */
static void
test_long (void)
{
  g_autofree char *text = g_strnfill (UINT16_MAX + 10, 'a');
  g_autoptr (GBytes) bytes = g_bytes_new_static (text, UINT16_MAX + 10);
  const VigilMqttPublication publication = {
      .topic = text, .content_type = text, .correlation_data = bytes};
  g_autoptr (VigilMqttMessage) message =
      vigil_mqtt_message_new (&publication, 1);
  const VigilMqttPart *part = &message->parts[0];

  g_assert_cmpuint (part->topic_size, ==, 2 + UINT16_MAX);
  g_assert_cmphex (part->topic[0] << 8 | part->topic[1], ==, UINT16_MAX);
  g_assert_cmpuint (part->properties_size, ==, 2 * (3 + UINT16_MAX));
}

/* Only what is smaller is taken for a smaller form. */
static void
test_reduce (void)
{
  static const struct {
    size_t form;
    gboolean is_smaller;
  } rows[] = {{10, TRUE}, {100, FALSE}, {200, FALSE}, {0, FALSE}};

  for (unsigned i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (VigilMqttMessage) message = vigil_client_rig_make_message (100);
    g_autoptr (VigilMqttMessage) smaller = NULL;

    g_assert_null (vigil_mqtt_message_reduce (message, 0));
    vigil_mqtt_message_set_reduce (
        message, make_form, GSIZE_TO_POINTER (rows[i].form), NULL);
    smaller = vigil_mqtt_message_reduce (message, 0);
    g_assert_cmpint (smaller != NULL, ==, rows[i].is_smaller);
  }
}

int
main (int argc, char **argv)
{
  vigil_fixture_init (&argc, &argv, 0);
  g_test_add_func ("/mqtt-message/life", test_life);
  g_test_add_func ("/mqtt-message/segments", test_segments);
  g_test_add_func ("/mqtt-message/long", test_long);
  g_test_add_func ("/mqtt-message/reduce", test_reduce);
  return g_test_run ();
}
