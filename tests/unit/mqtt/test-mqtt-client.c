/* SPDX-License-Identifier: Apache-2.0 */

/* The client against a real mosquitto. */

#include "mqtt/mqtt-client.h"

#include "base/error.h"
#include "common/broker.h"
#include <string.h>

#define DOMAIN "vigil-mqtt"

typedef struct {
  VigilFixture fixture;
  VigilEvent ended; /* messages with an outcome */
  _Atomic unsigned outcomes[VIGIL_MQTT_REJECTED + 1];
} Fixture;

static void
set_up (Fixture *self, gconstpointer data)
{
  vigil_fixture_set_up (&self->fixture, data);
  vigil_event_init (&self->ended);
}

static void
tear_down (Fixture *self, gconstpointer data)
{
  vigil_event_clear (&self->ended);
  vigil_fixture_tear_down (&self->fixture, data);
}

static void
on_outcome (VigilMqttMessage *message, VigilMqttOutcome outcome,
    const char *reason, void *user_data)
{
  Fixture *self = user_data;

  self->outcomes[outcome]++;
  vigil_event_raise (&self->ended);
}

static VigilMqttClient *
make_client (
    Fixture *self, const char *address, uint16_t port, VigilMqttOptions options)
{
  const VigilMqttHost host = {address, port};
  g_autoptr (GError) error = NULL;
  VigilMqttClient *client;

  options.name = "test";
  options.hosts = &host;
  options.hosts_size = 1;
  client = vigil_mqtt_client_new (&options, &error);
  g_assert_no_error (error);
  vigil_mqtt_client_set_outcome_func (client, on_outcome, self);
  g_assert_true (vigil_mqtt_client_start (client, &error));
  return client;
}

static VigilMqttMessage *
make_message (const char *topic, size_t size)
{
  g_autofree char *payload = g_malloc (size);
  g_autoptr (GBytes) bytes = NULL;
  VigilMqttPublication publication = {.topic = topic};

  memset (payload, 'x', size);
  bytes = g_bytes_new (payload, size);
  publication.segments[0] = bytes;
  return vigil_mqtt_message_new (&publication, 1);
}

static void
send (VigilMqttClient *client, size_t size)
{
  g_autoptr (VigilMqttMessage) message = make_message ("a/b", size);

  vigil_mqtt_client_send (client, message, 0);
}

static void
assert_equation (VigilMqttClient *client)
{
  VigilMqttStatus status;
  uint64_t sum = 0;

  vigil_mqtt_client_get_status (client, &status);
  for (unsigned i = 0; i < VIGIL_MQTT_DROP_REASONS; i++)
    sum += status.dropped[i];
  sum +=
      status.queued + status.in_flight + status.published + status.acknowledged;
  g_assert_cmpuint (status.offered, ==, sum);
  g_assert_cmpuint (
      vigil_histogram_get_count (&status.latencies), ==, status.acknowledged);
}

/* Every protocol and QoS: all that is sent ends well. */
static void
test_publish (Fixture *self, gconstpointer data)
{
  const VigilMqttOptions *options = data;
  g_autoptr (VigilBroker) broker = vigil_broker_new (&self->fixture, 0, NULL);
  g_autoptr (VigilMqttClient) client =
      make_client (self, vigil_broker_get_address (broker),
          vigil_broker_get_port (broker), *options);
  VigilMqttStatus status;
  const unsigned count = 500;

  for (unsigned i = 0; i < count; i++)
    send (client, 500);
  g_assert_true (vigil_event_wait (&self->ended, count, 10000));
  vigil_mqtt_client_stop (client, vigil_fixture_deadline (2000));
  assert_equation (client);
  vigil_mqtt_client_get_status (client, &status);
  g_assert_cmpuint (status.connects, ==, 1);
  g_assert_cmpuint (
      options->qos == 0 ? status.published : status.acknowledged, ==, count);
  g_assert_cmpuint (status.bytes, ==, count * 500);
}

int
main (int argc, char **argv)
{
  static VigilMqttOptions options[9];

  vigil_fixture_init (&argc, &argv, 0);
  for (int protocol = 3; protocol <= 5; protocol++)
    for (int qos = 0; qos <= 2; qos++) {
      VigilMqttOptions *row = &options[(protocol - 3) * 3 + qos];
      g_autofree char *path = g_strdup_printf (
          "/mqtt-client/publish/protocol-%d/qos-%d", protocol, qos);

      row->protocol = protocol;
      row->qos = qos;
      g_test_add (path, Fixture, row, set_up, test_publish, tear_down);
    }
  return g_test_run ();
}
