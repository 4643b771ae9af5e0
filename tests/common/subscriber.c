/* SPDX-License-Identifier: Apache-2.0 */
/* A subscriber that keeps what it gets. */
#include "common/subscriber.h"

#include "common/fixture.h"
#include <mosquitto.h>
#include <string.h>

enum { CONNECT_MS = 10000, KEEPALIVE_S = 60 };

struct _VigilSubscriber {
  struct mosquitto *client;
  const char *topic;
  int qos;
  VigilEvent subscribed;
  VigilEvent received;
  pthread_mutex_t lock; /* protects both */
  GPtrArray *payloads;  /* element-type: GBytes */
  GPtrArray *topics;    /* element-type: char */
};

static void
on_connect (struct mosquitto *client, void *data, int result)
{
  VigilSubscriber *self = data;

  g_assert_cmpint (result, ==, 0);
  mosquitto_subscribe (client, NULL, self->topic, self->qos);
}

static void
on_subscribe (
    struct mosquitto *client, void *data, int id, int count, const int *granted)
{
  VigilSubscriber *self = data;

  vigil_event_raise (&self->subscribed);
}

static void
on_message (struct mosquitto *client, void *data,
    const struct mosquitto_message *message)
{
  VigilSubscriber *self = data;

  pthread_mutex_lock (&self->lock);
  g_ptr_array_add (self->payloads,
      g_bytes_new (message->payload, (gsize)message->payloadlen));
  g_ptr_array_add (self->topics, g_strdup (message->topic));
  pthread_mutex_unlock (&self->lock);
  vigil_event_raise (&self->received);
}

VigilSubscriber *
vigil_subscriber_new (
    const char *address, uint16_t port, const char *topic, int qos)
{
  VigilSubscriber *self = g_new0 (VigilSubscriber, 1);

  mosquitto_lib_init ();
  self->topic = topic;
  self->qos = qos;
  self->payloads =
      g_ptr_array_new_with_free_func ((GDestroyNotify)g_bytes_unref);
  self->topics = g_ptr_array_new_with_free_func (g_free);
  vigil_event_init (&self->subscribed);
  vigil_event_init (&self->received);
  pthread_mutex_init (&self->lock, NULL);
  self->client = mosquitto_new (NULL, TRUE, self);
  mosquitto_connect_callback_set (self->client, on_connect);
  mosquitto_subscribe_callback_set (self->client, on_subscribe);
  mosquitto_message_callback_set (self->client, on_message);
  g_assert_cmpint (
      mosquitto_connect (self->client, address, port, KEEPALIVE_S), ==, 0);
  g_assert_cmpint (mosquitto_loop_start (self->client), ==, 0);
  g_assert_true (vigil_event_wait (&self->subscribed, 1, CONNECT_MS));
  return self;
}

void
vigil_subscriber_free (VigilSubscriber *self)
{
  if (self == NULL)
    return;
  mosquitto_disconnect (self->client);
  mosquitto_loop_stop (self->client, TRUE);
  mosquitto_destroy (self->client);
  g_ptr_array_unref (self->payloads);
  g_ptr_array_unref (self->topics);
  vigil_event_clear (&self->subscribed);
  vigil_event_clear (&self->received);
  pthread_mutex_destroy (&self->lock);
  g_free (self);
  mosquitto_lib_cleanup ();
}

gboolean
vigil_subscriber_wait (
    VigilSubscriber *self, unsigned count, unsigned milliseconds)
{
  return vigil_event_wait (&self->received, count, milliseconds);
}

unsigned
vigil_subscriber_count (VigilSubscriber *self)
{
  return vigil_event_get_count (&self->received);
}

GBytes *
vigil_subscriber_dup_payload (VigilSubscriber *self, unsigned index)
{
  GBytes *payload;

  pthread_mutex_lock (&self->lock);
  g_assert_cmpuint (index, <, self->payloads->len);
  payload = g_bytes_ref (g_ptr_array_index (self->payloads, index));
  pthread_mutex_unlock (&self->lock);
  return payload;
}

char *
vigil_subscriber_dup_topic (VigilSubscriber *self, unsigned index)
{
  char *topic;

  pthread_mutex_lock (&self->lock);
  g_assert_cmpuint (index, <, self->topics->len);
  topic = g_strdup (g_ptr_array_index (self->topics, index));
  pthread_mutex_unlock (&self->lock);
  return topic;
}
