/* SPDX-License-Identifier: Apache-2.0 */

/* The queue: order, bytes, and the oldest made smaller first. */

#include "mqtt/mqtt-queue.h"

#include "common/client-rig.h"

static VigilMqttMessage *
make_small (VigilMqttMessage *message, size_t limit_bytes, void *user_data)
{
  g_assert_cmpuint (limit_bytes, ==, 0);
  return vigil_client_rig_make_message (1);
}

static void
push (VigilMqttQueue *queue, size_t size, gboolean has_smaller, int64_t us)
{
  VigilMqttMessage *message = vigil_client_rig_make_message (size);

  if (has_smaller)
    vigil_mqtt_message_set_reduce (message, make_small, NULL, NULL);
  vigil_mqtt_queue_push (queue, message, us);
}

static size_t
pop_size (VigilMqttQueue *queue)
{
  VigilMqttQueueEntry entry;
  size_t size;

  g_assert_true (vigil_mqtt_queue_pop (queue, &entry));
  size = entry.message->payload_size;
  vigil_mqtt_message_unref (entry.message);
  return size;
}

/* Grows while it is in the middle of its ring, and keeps the order. */
static void
test_order (void)
{
  VigilMqttQueue queue = {0};
  VigilMqttQueueEntry entry;
  size_t next = 1;

  g_assert_null (vigil_mqtt_queue_peek (&queue));
  g_assert_false (vigil_mqtt_queue_pop (&queue, &entry));
  for (size_t i = 1; i <= 300; i++) {
    push (&queue, i, FALSE, (int64_t)i);
    if (i % 3 == 0)
      g_assert_cmpuint (pop_size (&queue), ==, next++);
  }
  g_assert_cmpint (vigil_mqtt_queue_peek (&queue)->taken_us, ==, (int64_t)next);
  while (queue.size > 0)
    g_assert_cmpuint (pop_size (&queue), ==, next++);
  g_assert_cmpuint (next, ==, 301);
  g_assert_cmpuint (queue.bytes, ==, 0);
  vigil_mqtt_queue_clear (&queue);
}

/* Oldest first, each once, and those without a smaller form are passed. */
static void
test_reduce (void)
{
  VigilMqttQueue queue = {0};
  size_t before;

  push (&queue, 1000, FALSE, 1);
  push (&queue, 2000, TRUE, 2);
  push (&queue, 3000, TRUE, 3);
  before = queue.bytes;
  g_assert_true (vigil_mqtt_queue_reduce_oldest (&queue));
  g_assert_cmpuint (queue.bytes, ==, before - 1999);
  g_assert_cmpuint (pop_size (&queue), ==, 1000);
  g_assert_true (vigil_mqtt_queue_reduce_oldest (&queue));
  g_assert_false (vigil_mqtt_queue_reduce_oldest (&queue));
  g_assert_cmpuint (pop_size (&queue), ==, 1);
  g_assert_cmpuint (pop_size (&queue), ==, 1);
  g_assert_false (vigil_mqtt_queue_reduce_oldest (&queue));
  vigil_mqtt_queue_clear (&queue);
}

int
main (int argc, char **argv)
{
  vigil_fixture_init (&argc, &argv, 0);
  g_test_add_func ("/mqtt-queue/order", test_order);
  g_test_add_func ("/mqtt-queue/reduce", test_reduce);
  return g_test_run ();
}
