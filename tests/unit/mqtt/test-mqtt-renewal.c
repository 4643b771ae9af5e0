/* SPDX-License-Identifier: Apache-2.0 */

/* Credentials that change under a running client. */

#include "common/client-rig.h"

#include "base/error.h"
#include "base/secret.h"
#include <string.h>

/* What the client is given when it asks. */
typedef struct {
  const char *password; /* nullable: asking fails */
  _Atomic unsigned asked;
} Store;

static gboolean
get_credentials (
    void *user_data, VigilMqttCredentials *ret_credentials, GError **error)
{
  Store *self = user_data;

  self->asked++;
  if (self->password == NULL) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID, "half a file");
    return FALSE;
  }
  ret_credentials->password =
      vigil_secret_new (self->password, strlen (self->password));
  return TRUE;
}

static VigilMqttOptions
options_for (Store *store, int qos)
{
  return (VigilMqttOptions){.qos = qos,
      .username = "u",
      .password = "first",
      .get_credentials = get_credentials,
      .credentials_data = store};
}

static gboolean
connect_has (VigilScriptedBroker *broker, const char *text)
{
  g_autoptr (GBytes) connect = vigil_scripted_broker_dup_connect (broker);

  return memmem (g_bytes_get_data (connect, NULL), g_bytes_get_size (connect),
             text, strlen (text)) != NULL;
}

/* A connection that stands is renewed: DISCONNECT, then CONNECT with the new
 * password; what is sent meanwhile goes over the new one, in order. */
static void
test_renew (VigilClientRig *self, gconstpointer data)
{
  const int qos = GPOINTER_TO_INT (data);
  const VigilScript script = {.acknowledge_delay_ms = 5};
  Store store = {.password = "second"};
  g_autoptr (VigilScriptedBroker) broker =
      vigil_scripted_broker_new (0, &script);
  g_autoptr (VigilMqttClient) client =
      vigil_client_rig_connect (self, broker, options_for (&store, qos));

  g_assert_true (
      vigil_fixture_wait_until (vigil_client_rig_is_connected, client, 10000));
  g_assert_true (connect_has (broker, "first"));
  g_assert_cmpuint (store.asked, ==, 0);
  for (unsigned i = 0; i < 50; i++)
    vigil_client_rig_send_number (client, i);
  vigil_mqtt_client_renew (client);
  for (unsigned i = 50; i < 100; i++)
    vigil_client_rig_send_number (client, i);
  g_assert_true (vigil_scripted_broker_wait (broker, 1, 2, 10000));
  g_assert_true (vigil_event_wait (&self->ended, 100, 10000));
  vigil_mqtt_client_stop (client, vigil_fixture_deadline (1000));
  g_assert_true (connect_has (broker, "second"));
  g_assert_cmpuint (store.asked, ==, 1);
  g_assert_true (vigil_scripted_broker_wait (broker, 14, 2, 10000));
  g_assert_cmpuint (self->outcomes[VIGIL_MQTT_DROPPED], ==, 0);
  g_assert_cmpuint (vigil_client_rig_get_status (client).resent, ==, 0);
  vigil_client_rig_assert_order (broker, 100);
  vigil_client_rig_assert_equation (client);
}

/* What a broker does not acknowledge in time is sent again, not lost. */
static void
test_unacknowledged (VigilClientRig *self, gconstpointer data)
{
  const VigilScript mute = {.never_acknowledges = TRUE};
  Store store = {.password = "second"};
  g_autoptr (VigilScriptedBroker) broker = vigil_scripted_broker_new (0, &mute);
  g_autoptr (VigilMqttClient) client =
      vigil_client_rig_connect (self, broker, options_for (&store, 1));

  for (unsigned i = 0; i < 5; i++)
    vigil_client_rig_send_number (client, i);
  g_assert_true (vigil_scripted_broker_wait (broker, 3, 5, 10000));
  vigil_scripted_broker_set_script (broker, &(VigilScript){0});
  vigil_mqtt_client_renew (client);
  g_assert_true (vigil_event_wait (&self->ended, 5, 15000));
  g_assert_cmpuint (vigil_client_rig_get_status (client).acknowledged, ==, 5);
  vigil_client_rig_assert_equation (client);
}

/* Credentials that cannot be read leave the connection alone. */
static void
test_refused (VigilClientRig *self, gconstpointer data)
{
  Store store = {.password = NULL};
  g_autoptr (VigilScriptedBroker) broker =
      vigil_scripted_broker_new (0, &(VigilScript){0});
  g_autoptr (VigilMqttClient) client =
      vigil_client_rig_connect (self, broker, options_for (&store, 1));

  g_assert_true (
      vigil_fixture_wait_until (vigil_client_rig_is_connected, client, 10000));
  vigil_fixture_expect_warning (VIGIL_CLIENT_RIG_DOMAIN,
      "*the former certificates and password stay in use: half a file*");
  vigil_mqtt_client_renew (client);
  while (store.asked == 0)
    g_thread_yield ();
  vigil_client_rig_send (client, 10);
  g_assert_true (vigil_event_wait (&self->ended, 1, 10000));
  g_assert_cmpuint (vigil_client_rig_get_status (client).connects, ==, 1);
}

/* A client that waits for its next attempt makes it at once. */
static void
test_while_waiting (VigilClientRig *self, gconstpointer data)
{
  const VigilScript refusing = {.connack_code = 5};
  Store store = {.password = "second"};
  g_autoptr (VigilScriptedBroker) broker =
      vigil_scripted_broker_new (0, &refusing);
  g_autoptr (VigilMqttClient) client = NULL;

  vigil_fixture_expect_warning (VIGIL_CLIENT_RIG_DOMAIN, "*not authorized*");
  client = vigil_client_rig_connect (self, broker, options_for (&store, 1));
  g_assert_true (vigil_scripted_broker_wait (broker, 1, 3, 10000));
  g_assert_true (
      vigil_fixture_wait_until (vigil_client_rig_is_waiting, client, 10000));
  vigil_scripted_broker_set_script (broker, &(VigilScript){0});
  vigil_mqtt_client_renew (client);
  g_assert_true (
      vigil_fixture_wait_until (vigil_client_rig_is_connected, client, 10000));
  /* By itself the next one would have come after 4 s. */
  g_assert_cmpint (vigil_scripted_broker_get_accept_us (broker, 4) -
                       vigil_scripted_broker_get_accept_us (broker, 3),
      <, 4 * G_USEC_PER_SEC);
  g_assert_true (connect_has (broker, "second"));
}

/* Before each new attempt, too. */
static void
test_next_attempt (VigilClientRig *self, gconstpointer data)
{
  Store store = {.password = "second"};
  g_autoptr (VigilScriptedBroker) broker =
      vigil_scripted_broker_new (0, &(VigilScript){0});
  g_autoptr (VigilMqttClient) client =
      vigil_client_rig_connect (self, broker, options_for (&store, 1));

  g_assert_true (
      vigil_fixture_wait_until (vigil_client_rig_is_connected, client, 10000));
  vigil_fixture_expect_warning (VIGIL_CLIENT_RIG_DOMAIN, "*next attempt*");
  vigil_scripted_broker_hang_up (broker);
  g_assert_true (vigil_scripted_broker_wait (broker, 1, 2, 10000));
  g_assert_true (connect_has (broker, "second"));
}

/* Without a way to ask there is nothing to renew. */
static void
test_fixed (VigilClientRig *self, gconstpointer data)
{
  g_autoptr (VigilScriptedBroker) broker =
      vigil_scripted_broker_new (0, &(VigilScript){0});
  g_autoptr (VigilMqttClient) client =
      vigil_client_rig_connect (self, broker, (VigilMqttOptions){.qos = 1});

  vigil_mqtt_client_renew (client);
  vigil_client_rig_send (client, 10);
  g_assert_true (vigil_event_wait (&self->ended, 1, 10000));
  vigil_mqtt_client_stop (client, vigil_fixture_deadline (1000));
  g_assert_cmpuint (vigil_scripted_broker_count (broker, 1), ==, 1);
}

int
main (int argc, char **argv)
{
  vigil_fixture_init (&argc, &argv, 0);
  for (int qos = 0; qos <= 2; qos++) {
    g_autofree char *path = g_strdup_printf ("/mqtt-renewal/qos-%d", qos);

    vigil_client_rig_add (path, test_renew, GINT_TO_POINTER (qos));
  }
  vigil_client_rig_add (
      "/mqtt-renewal/unacknowledged", test_unacknowledged, NULL);
  vigil_client_rig_add ("/mqtt-renewal/refused", test_refused, NULL);
  vigil_client_rig_add (
      "/mqtt-renewal/while-waiting", test_while_waiting, NULL);
  vigil_client_rig_add ("/mqtt-renewal/next-attempt", test_next_attempt, NULL);
  vigil_client_rig_add ("/mqtt-renewal/fixed", test_fixed, NULL);
  return g_test_run ();
}
