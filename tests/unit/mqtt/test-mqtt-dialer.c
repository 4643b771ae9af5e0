/* SPDX-License-Identifier: Apache-2.0 */

/* The walk over hosts and addresses, the resolver behind it, and plain
 * TCP. */

#include "mqtt/mqtt-dialer.h"

#include "base/error.h"
#include "common/client-rig.h"
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static VigilMqttTransport *
make_transport (const VigilMqttHost *host, void *user_data, GError **error)
{
  const VigilMqttSocketOptions options = {.user_timeout_ms = 1000};

  if (strcmp (host->host, "127.0.0.99") == 0) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_FAILED, "no transport");
    return NULL;
  }
  return vigil_mqtt_transport_new_tcp (&options);
}

/* Goes on until there is an answer. */
static VigilMqttDialResult
dial (VigilMqttDialer *dialer)
{
  for (;;) {
    struct pollfd poller;
    const VigilMqttDialResult result =
        vigil_mqtt_dialer_advance (dialer, g_get_monotonic_time ());
    int64_t left_us;

    if (result != VIGIL_MQTT_DIALING)
      return result;
    poller = vigil_mqtt_dialer_get_poll (dialer);
    left_us =
        vigil_mqtt_dialer_get_deadline_us (dialer) - g_get_monotonic_time ();
    (void)poll (&poller, 1, (int)(MAX (left_us, 0) / 1000 + 1));
  }
}

/* Refused, not made, unknown: each has its reason; then the one that
 * listens is found. */
static void
test_walk (void)
{
  uint16_t port = 0;
  const uint16_t closed = vigil_fixture_find_port ();
  const int listener = vigil_fixture_listen (&port);
  const VigilMqttHost hosts[] = {
      {vigil_fixture_get_address (), closed},
      {"127.0.0.99", closed},
      {"::1", closed},
      {"name.invalid.", closed},
      {vigil_fixture_get_address (), port},
  };
  g_autoptr (VigilMqttDialer) dialer =
      vigil_mqtt_dialer_new (hosts, 5, make_transport, NULL);
  g_autoptr (VigilMqttTransport) transport = NULL;
  const char *reasons;

  g_assert_cmpint (vigil_mqtt_dialer_get_poll (dialer).fd, ==, -1);
  vigil_mqtt_dialer_start (
      dialer, g_get_monotonic_time (), vigil_fixture_deadline (10000));
  g_assert_cmpint (dial (dialer), ==, VIGIL_MQTT_DIALED);
  transport = vigil_mqtt_dialer_steal_transport (dialer);
  g_assert_nonnull (transport);
  reasons = vigil_mqtt_dialer_get_reasons (dialer);
  vigil_client_rig_assert_contains (reasons, "Connection refused");
  vigil_client_rig_assert_contains (reasons, "no transport");
  vigil_client_rig_assert_contains (reasons, "[::1]:");
  vigil_client_rig_assert_contains (
      reasons, "name of the broker's machine is not found");

  /* what comes behind it fails: nothing is left */
  vigil_mqtt_dialer_fail (dialer, "refused", TRUE);
  g_assert_cmpint (dial (dialer), ==, VIGIL_MQTT_DIAL_FAILED);
  g_assert_cmpint (vigil_mqtt_dialer_get_poll (dialer).fd, ==, -1);
  close (listener);
}

/* A name with several addresses: the next one of the host, or the next
 * host; and a second attempt asks again. */
static void
test_addresses (void)
{
  const uint16_t closed = vigil_fixture_find_port ();
  const VigilMqttHost host = {"localhost", closed};
  g_autoptr (VigilMqttDialer) dialer =
      vigil_mqtt_dialer_new (&host, 1, make_transport, NULL);
  const char *reasons;

  for (unsigned i = 0; i < 2; i++) {
    vigil_mqtt_dialer_start (
        dialer, g_get_monotonic_time (), vigil_fixture_deadline (10000));
    g_assert_cmpint (dial (dialer), ==, VIGIL_MQTT_DIAL_FAILED);
    reasons = vigil_mqtt_dialer_get_reasons (dialer);
    vigil_client_rig_assert_contains (reasons, "localhost:");
    /* What several addresses have in common is said once. */
    g_assert_null (strchr (reasons, ';'));
  }
}

/* Many hosts, long reasons: a report of bounded size. */
static void
test_many_reasons (void)
{
  VigilMqttHost hosts[40];
  g_autoptr (VigilMqttDialer) dialer = NULL;

  for (unsigned i = 0; i < G_N_ELEMENTS (hosts); i++)
    hosts[i] = (VigilMqttHost){"127.0.0.99", (uint16_t)(i / 2 + 1)};
  dialer =
      vigil_mqtt_dialer_new (hosts, G_N_ELEMENTS (hosts), make_transport, NULL);
  vigil_mqtt_dialer_start (
      dialer, g_get_monotonic_time (), vigil_fixture_deadline (10000));
  g_assert_cmpint (dial (dialer), ==, VIGIL_MQTT_DIAL_FAILED);
  g_assert_cmpuint (strlen (vigil_mqtt_dialer_get_reasons (dialer)), <, 600);
}

/* A dialer may go while a name is being looked up. */
static void
test_abandoned (void)
{
  const VigilMqttHost host = {"abandoned.invalid.", 1};
  g_autoptr (VigilMqttDialer) dialer =
      vigil_mqtt_dialer_new (&host, 1, make_transport, NULL);

  vigil_mqtt_dialer_start (
      dialer, g_get_monotonic_time (), vigil_fixture_deadline (1000));
  vigil_mqtt_dialer_advance (dialer, g_get_monotonic_time ());
}

int
main (int argc, char **argv)
{
  vigil_fixture_init (&argc, &argv, 0);
  /* First: what it leaves behind has begun before the program ends. */
  g_test_add_func ("/mqtt-dialer/abandoned", test_abandoned);
  g_test_add_func ("/mqtt-dialer/walk", test_walk);
  g_test_add_func ("/mqtt-dialer/addresses", test_addresses);
  g_test_add_func ("/mqtt-dialer/many-reasons", test_many_reasons);
  return g_test_run ();
}
