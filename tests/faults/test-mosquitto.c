/* SPDX-License-Identifier: Apache-2.0 */

/* The real broker with its real limits: frozen and back, passwords, access
 * lists, packet sizes, keep-alive, QoS and retain. */

#include "common/broker.h"
#include "common/client-rig.h"
#include <string.h>

static VigilMqttClient *
connect_to (VigilClientRig *self, VigilBroker *broker, VigilMqttOptions options)
{
  return vigil_client_rig_new_client (self, vigil_broker_get_address (broker),
      vigil_broker_get_port (broker), options);
}

/* Frozen, found by keep-alive, thawed: QoS 1 loses nothing. */
static void
test_thaw (VigilClientRig *self, gconstpointer data)
{
  g_autoptr (VigilBroker) broker = vigil_broker_new (&self->fixture, 0, NULL);
  g_autoptr (VigilMqttClient) client = NULL;
  int64_t begin_us;
  double found_s;

  vigil_fixture_expect_warning (VIGIL_CLIENT_RIG_DOMAIN, "*has not answered*");
  vigil_fixture_allow_warning (VIGIL_CLIENT_RIG_DOMAIN, "*said nothing*");
  vigil_fixture_allow_warning (VIGIL_CLIENT_RIG_DOMAIN, "*TLS handshake*");
  client = connect_to (self, broker,
      (VigilMqttOptions){
          .qos = 1, .keep_alive_s = 4, .attempt_timeout_ms = 1000});
  g_assert_true (
      vigil_fixture_wait_until (vigil_client_rig_is_connected, client, 10000));
  vigil_broker_freeze (broker);
  begin_us = g_get_monotonic_time ();
  for (unsigned i = 0; i < 100; i++)
    vigil_client_rig_send (client, 1000);
  g_assert_true (
      vigil_fixture_wait_until (vigil_client_rig_is_waiting, client, 9000));
  found_s = (double)(g_get_monotonic_time () - begin_us) / G_USEC_PER_SEC;
  g_test_message ("keep-alive 4 s: found after %.2f s", found_s);
  g_assert_cmpfloat (found_s, <=, 1.5 * 4 + 1);
  vigil_broker_thaw (broker);
  g_assert_true (vigil_event_wait (&self->ended, 100, 15000));
  g_assert_cmpuint (vigil_client_rig_get_status (client).acknowledged, ==, 100);
}

static gboolean
has_failed_twice (void *client)
{
  return vigil_client_rig_get_status (client).attempts > 2;
}

/* A wrong password is reported once, never printed, and right away right
 * when the broker's file is. */
static void
test_password (VigilClientRig *self, gconstpointer data)
{
  const int protocol = GPOINTER_TO_INT (data);
  /* "right" as mosquitto_passwd would write it is not needed: plain access
   * by name is what an empty file refuses */
  g_autofree char *file = vigil_fixture_write (&self->fixture, "passwords", "");
  g_autofree char *lines =
      g_strdup_printf ("allow_anonymous false\npassword_file %s", file);
  g_autoptr (VigilBroker) broker = vigil_broker_new (&self->fixture, 0, lines);
  g_autoptr (VigilMqttClient) client = NULL;
  VigilMqttStatus status;

  vigil_fixture_expect_warning (
      VIGIL_CLIENT_RIG_DOMAIN, protocol == 5 ? "*not authorized, code 0x87*"
                                             : "*not authorized, code 5*");
  client = connect_to (self, broker,
      (VigilMqttOptions){.protocol = protocol,
          .username = "user",
          .password = "CANARY-password"});
  /* the second time must not be told again */
  g_assert_true (vigil_fixture_wait_until (has_failed_twice, client, 10000));
  status = vigil_client_rig_get_status (client);
  g_assert_null (strstr (status.last_error, "CANARY"));
  g_assert_cmpuint (vigil_fixture_count_warnings (
                        protocol == 5 ? "*not authorized, code 0x87*"
                                      : "*not authorized, code 5*"),
      ==, 1);
}

/* What the access list forbids: version 5 says so, 3.1.1 cannot. */
static void
test_access_list (VigilClientRig *self, gconstpointer data)
{
  const int protocol = GPOINTER_TO_INT (data);
  g_autofree char *file =
      vigil_fixture_write (&self->fixture, "access", "topic write allowed/#\n");
  g_autofree char *lines = g_strdup_printf ("acl_file %s", file);
  g_autoptr (VigilBroker) broker = vigil_broker_new (&self->fixture, 0, lines);
  g_autoptr (VigilMqttClient) client = NULL;

  if (protocol == 5)
    vigil_fixture_expect_warning (
        VIGIL_CLIENT_RIG_DOMAIN, "*rejects messages (not authorized*");
  client = connect_to (
      self, broker, (VigilMqttOptions){.protocol = protocol, .qos = 1});
  for (unsigned i = 0; i < 20; i++)
    vigil_client_rig_send (client, 100);
  g_assert_true (vigil_event_wait (&self->ended, 20, 10000));
  g_assert_cmpuint (self->outcomes[protocol == 5 ? VIGIL_MQTT_REJECTED
                                                 : VIGIL_MQTT_ACKNOWLEDGED],
      ==, 20);
  vigil_client_rig_assert_equation (client);
}

static VigilMqttMessage *
make_small (VigilMqttMessage *message, size_t limit_bytes, void *user_data)
{
  return vigil_client_rig_make_message (10);
}

/* A packet limit that version 5 is told, and 3.1.1 has to learn. */
static void
test_packet_size (VigilClientRig *self, gconstpointer data)
{
  const int protocol = GPOINTER_TO_INT (data);
  g_autoptr (VigilBroker) broker =
      vigil_broker_new (&self->fixture, 0, "max_packet_size 2000");
  g_autoptr (VigilMqttMessage) message = vigil_client_rig_make_message (20000);
  g_autoptr (VigilMqttClient) client = NULL;
  VigilMqttStatus status;

  vigil_fixture_allow_warning (VIGIL_CLIENT_RIG_DOMAIN, "*connection*");
  client = connect_to (self, broker,
      (VigilMqttOptions){.protocol = protocol,
          .qos = 1,
          /* the first loss may come before the second message is sent */
          .offline_queue = TRUE});
  vigil_mqtt_message_set_reduce (message, make_small, NULL, NULL);
  vigil_mqtt_client_send (client, message, 0);
  vigil_client_rig_send (client, 100);
  g_assert_true (vigil_event_wait (&self->ended, 2, 15000));
  status = vigil_client_rig_get_status (client);
  g_assert_cmpuint (status.acknowledged, ==, 2);
  g_assert_cmpuint (status.reduced, ==, 1);
  g_assert_cmpuint (status.connects, ==, protocol == 5 ? 1 : 4);
}

/* Maximum QoS, Retain Available, Server Keep Alive, Receive Maximum. */
static void
test_limits (VigilClientRig *self, gconstpointer data)
{
  g_autoptr (VigilBroker) broker = vigil_broker_new (&self->fixture, 0,
      "max_qos 1\nretain_available false\nmax_keepalive 10\n"
      "max_inflight_messages 3");
  g_autoptr (VigilMqttClient) client = NULL;

  vigil_fixture_expect_warning (VIGIL_CLIENT_RIG_DOMAIN, "*at most QoS 1*");
  vigil_fixture_expect_warning (VIGIL_CLIENT_RIG_DOMAIN, "*without retain*");
  client = connect_to (self, broker,
      (VigilMqttOptions){.protocol = 5, .qos = 2, .retain = TRUE});
  for (unsigned i = 0; i < 200; i++)
    vigil_client_rig_send (client, 100);
  g_assert_true (vigil_event_wait (&self->ended, 200, 10000));
  g_assert_cmpuint (vigil_client_rig_get_status (client).acknowledged, ==, 200);
}

/* Two clients with one identifier: each takes over from the other. This
 * broker's release says why only now and then; test-mqtt-loop.c has it. */
static void
test_taken_over (VigilClientRig *self, gconstpointer data)
{
  g_autoptr (VigilBroker) broker = vigil_broker_new (&self->fixture, 0, NULL);
  g_autoptr (VigilMqttClient) first = NULL;
  g_autoptr (VigilMqttClient) second = NULL;

  vigil_fixture_expect_warning (VIGIL_CLIENT_RIG_DOMAIN, "*connection*");
  first = connect_to (
      self, broker, (VigilMqttOptions){.protocol = 5, .client_id = "same"});
  g_assert_true (
      vigil_fixture_wait_until (vigil_client_rig_is_connected, first, 10000));
  second = connect_to (
      self, broker, (VigilMqttOptions){.protocol = 5, .client_id = "same"});
  g_assert_true (
      vigil_fixture_wait_until (vigil_client_rig_is_waiting, first, 15000));
}

int
main (int argc, char **argv)
{
  vigil_fixture_init (&argc, &argv, 60);
  vigil_fixture_go_first ();
  vigil_client_rig_add ("/faults/mosquitto/thaw", test_thaw, NULL);
  for (int protocol = 3; protocol <= 5; protocol++) {
    static const struct {
      const char *name;
      VigilClientRigTest test;
    } tests[] = {
        {"password", test_password},
        {"access-list", test_access_list},
        {"packet-size", test_packet_size},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS (tests); i++) {
      g_autofree char *path = g_strdup_printf (
          "/faults/mosquitto/%s/protocol-%d", tests[i].name, protocol);

      vigil_client_rig_add (path, tests[i].test, GINT_TO_POINTER (protocol));
    }
  }
  vigil_client_rig_add ("/faults/mosquitto/limits", test_limits, NULL);
  vigil_client_rig_add ("/faults/mosquitto/taken-over", test_taken_over, NULL);
  return g_test_run ();
}
