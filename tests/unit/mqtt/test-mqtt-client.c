/* SPDX-License-Identifier: Apache-2.0 */

/* What callers see of the client: queue and policies, waiting, hosts,
 * limits, outcomes, stop. Its behaviour in faults is in test-mqtt-loop.c. */

#include "mqtt/mqtt-client.h"

#include "base/error.h"
#include "common/client-rig.h"
#include <string.h>

#define NEXT_ATTEMPT(seconds) "*next attempt in " seconds " s*"

static const VigilScript good = {0};

/* QoS 0: queued messages are dropped on a loss, and so are new ones until
 * the connection is back. */
static void
test_qos_0_lost (VigilClientRig *self, gconstpointer data)
{
  g_autoptr (VigilScriptedBroker) broker = vigil_scripted_broker_new (0, &good);
  g_autoptr (VigilMqttClient) client =
      vigil_client_rig_connect (self, broker, (VigilMqttOptions){.qos = 0});
  VigilMqttStatus status;

  vigil_client_rig_send_number (client, 0);
  g_assert_true (vigil_scripted_broker_wait (broker, 3, 1, 10000));
  vigil_fixture_expect_warning (
      VIGIL_CLIENT_RIG_DOMAIN, "*new messages are dropped*");
  vigil_scripted_broker_kill (broker);
  g_assert_true (
      vigil_fixture_wait_until (vigil_client_rig_is_waiting, client, 10000));
  vigil_client_rig_send_number (client, 1);
  vigil_scripted_broker_revive (broker);
  g_assert_true (
      vigil_fixture_wait_until (vigil_client_rig_is_connected, client, 10000));
  vigil_client_rig_send_number (client, 2);
  g_assert_true (vigil_scripted_broker_wait (broker, 3, 2, 10000));
  vigil_mqtt_client_stop (client, vigil_fixture_deadline (1000));
  status = vigil_client_rig_get_status (client);
  g_assert_cmpuint (status.published, ==, 2);
  g_assert_cmpuint (status.dropped[VIGIL_MQTT_DROP_NOT_CONNECTED], ==, 1);
  vigil_client_rig_assert_equation (client);
}

/* An offline queue holds what comes while the broker is away. */
static void
test_offline_queue (VigilClientRig *self, gconstpointer data)
{
  g_autoptr (VigilScriptedBroker) broker = vigil_scripted_broker_new (0, &good);
  g_autoptr (VigilMqttClient) client = NULL;
  VigilMqttStatus status;

  client = vigil_client_rig_connect (self, broker,
      (VigilMqttOptions){.offline_queue = TRUE, .queue_messages = 5});
  g_assert_true (
      vigil_fixture_wait_until (vigil_client_rig_is_connected, client, 10000));
  vigil_fixture_expect_warning (VIGIL_CLIENT_RIG_DOMAIN, "*new messages wait*");
  vigil_scripted_broker_kill (broker);
  g_assert_true (
      vigil_fixture_wait_until (vigil_client_rig_is_waiting, client, 10000));
  for (unsigned i = 0; i < 8; i++)
    vigil_client_rig_send_number (client, i);
  g_assert_true (vigil_mqtt_client_is_accepting (client));
  vigil_scripted_broker_revive (broker);
  g_assert_true (vigil_scripted_broker_wait (broker, 3, 5, 15000));
  vigil_mqtt_client_stop (client, vigil_fixture_deadline (1000));
  status = vigil_client_rig_get_status (client);
  g_assert_cmpuint (status.published, ==, 5);
  g_assert_cmpuint (status.dropped[VIGIL_MQTT_DROP_QUEUE_FULL], ==, 3);
  vigil_client_rig_assert_equation (client);
}

static void
test_offline_age (VigilClientRig *self, gconstpointer data)
{
  const uint16_t port = vigil_fixture_find_port ();
  g_autoptr (VigilMqttClient) client = NULL;
  VigilMqttStatus status;

  vigil_fixture_expect_warning (
      VIGIL_CLIENT_RIG_DOMAIN, "*Connection refused*");
  client =
      vigil_client_rig_new_client (self, vigil_fixture_get_address (), port,
          (VigilMqttOptions){.offline_queue = TRUE, .offline_max_age_s = 0.2});
  g_assert_true (
      vigil_fixture_wait_until (vigil_client_rig_is_waiting, client, 10000));
  vigil_client_rig_send (client, 10);
  g_assert_true (vigil_event_wait (&self->ended, 1, 10000));
  status = vigil_client_rig_get_status (client);
  /* and only what was queued expires */
  g_assert_cmpuint (status.dropped[VIGIL_MQTT_DROP_EXPIRED], ==, 1);
  vigil_client_rig_assert_equation (client);
}

/* ---- Queue ----------------------------------------------------------------
 */

static VigilMqttMessage *
make_small (VigilMqttMessage *message, size_t limit_bytes, void *user_data)
{
  return vigil_client_rig_make_message (1);
}

/* A broker that acknowledges nothing: window and queue fill, then the
 * policy decides. */
static void
test_policy (VigilClientRig *self, gconstpointer data)
{
  const VigilMqttQueuePolicy policy = GPOINTER_TO_UINT (data);
  const VigilScript script = {.never_acknowledges = TRUE};
  g_autoptr (VigilScriptedBroker) broker =
      vigil_scripted_broker_new (0, &script);
  g_autoptr (VigilMqttClient) client = vigil_client_rig_connect (self, broker,
      (VigilMqttOptions){
          .qos = 1, .window = 2, .queue_bytes = 60000, .queue_policy = policy});
  VigilMqttStatus status;

  for (unsigned i = 0; i < 12; i++) {
    g_autoptr (VigilMqttMessage) message = vigil_client_rig_make_message (9000);

    vigil_mqtt_message_set_reduce (message, make_small, NULL, NULL);
    vigil_mqtt_client_send (client, message, 0);
    if (i == 1)
      g_assert_true (vigil_scripted_broker_wait (broker, 3, 2, 10000));
  }
  status = vigil_client_rig_get_status (client);
  vigil_client_rig_assert_equation (client);
  g_assert_cmpuint (status.in_flight, ==, 2);
  if (policy == VIGIL_MQTT_DROP_FRAMES_FIRST) {
    g_assert_cmpuint (status.dropped[VIGIL_MQTT_DROP_QUEUE_FULL], ==, 0);
    g_assert_cmpuint (status.reduced, >, 0);
    g_assert_cmpuint (status.queued, ==, 10);
  } else {
    g_assert_cmpuint (status.dropped[VIGIL_MQTT_DROP_QUEUE_FULL], ==, 6);
    g_assert_cmpuint (status.queued, ==, 4);
  }
  g_assert_cmpint (vigil_mqtt_client_is_accepting (client), ==, TRUE);
  vigil_mqtt_client_stop (client, 0);
  vigil_client_rig_assert_equation (client);
  g_assert_cmpuint (
      vigil_client_rig_get_status (client).dropped[VIGIL_MQTT_DROP_STOPPED], ==,
      status.queued + 2);
}

/* A sender that may wait does so while connected, and not while down. */
static void
test_send_waits (VigilClientRig *self, gconstpointer data)
{
  const VigilScript script = {.acknowledge_delay_ms = 50};
  g_autoptr (VigilScriptedBroker) broker =
      vigil_scripted_broker_new (0, &script);
  g_autoptr (VigilMqttClient) client = vigil_client_rig_connect (self, broker,
      (VigilMqttOptions){.qos = 1, .window = 1, .queue_messages = 1});
  g_autoptr (VigilMqttMessage) message = vigil_client_rig_make_message (10);
  int64_t deadline_us;

  for (unsigned i = 0; i < 5; i++)
    vigil_mqtt_client_send (client, message, vigil_fixture_deadline (15000));
  g_assert_true (vigil_event_wait (&self->ended, 5, 10000));
  g_assert_cmpuint (vigil_client_rig_get_status (client).acknowledged, ==, 5);

  vigil_fixture_expect_warning (VIGIL_CLIENT_RIG_DOMAIN, "*");
  vigil_scripted_broker_kill (broker);
  g_assert_true (
      vigil_fixture_wait_until (vigil_client_rig_is_waiting, client, 10000));
  deadline_us = vigil_fixture_deadline (15000);
  vigil_mqtt_client_send (client, message, deadline_us);
  g_assert_cmpint (g_get_monotonic_time (), <, deadline_us);
  g_assert_cmpuint (vigil_client_rig_get_status (client)
                        .dropped[VIGIL_MQTT_DROP_NOT_CONNECTED],
      ==, 1);
}

/* What can never fit is dropped at once, also by a sender that may wait. */
static void
test_send_too_large (VigilClientRig *self, gconstpointer data)
{
  g_autoptr (VigilScriptedBroker) broker = vigil_scripted_broker_new (0, &good);
  g_autoptr (VigilMqttClient) client = vigil_client_rig_connect (
      self, broker, (VigilMqttOptions){.queue_bytes = 4096});
  g_autoptr (VigilMqttMessage) message = vigil_client_rig_make_message (5000);
  const int64_t deadline_us = vigil_fixture_deadline (20000);

  g_assert_true (
      vigil_fixture_wait_until (vigil_client_rig_is_connected, client, 10000));
  vigil_mqtt_client_send (client, message, deadline_us);
  g_assert_cmpint (g_get_monotonic_time (), <, deadline_us);
  g_assert_cmpuint (
      vigil_client_rig_get_status (client).dropped[VIGIL_MQTT_DROP_QUEUE_FULL],
      ==, 1);
}

/* ---- Hosts, status, limits ------------------------------------------------
 */

/* The second host serves when the first does not, in one attempt. */
static void
test_hosts (VigilClientRig *self, gconstpointer data)
{
  const VigilScript refusing = {.connack_code = 3};
  g_autoptr (VigilScriptedBroker) bad =
      vigil_scripted_broker_new (0, &refusing);
  g_autoptr (VigilScriptedBroker) broker = vigil_scripted_broker_new (0, &good);
  const VigilMqttHost hosts[] = {
      {vigil_fixture_get_address (), vigil_fixture_find_port ()},
      {vigil_fixture_get_address (), vigil_scripted_broker_get_port (bad)},
      {vigil_fixture_get_address (), vigil_scripted_broker_get_port (broker)},
  };
  /* Time enough for each, that they share. */
  g_autoptr (VigilMqttClient) client =
      vigil_client_rig_new_client (self, NULL, 0,
          (VigilMqttOptions){.hosts = hosts,
              .hosts_size = 3,
              .qos = 1,
              .attempt_timeout_ms = 30000});

  vigil_client_rig_send (client, 10);
  g_assert_true (vigil_event_wait (&self->ended, 1, 10000));
  g_assert_cmpuint (vigil_client_rig_get_status (client).attempts, ==, 1);
  g_assert_cmpuint (vigil_scripted_broker_count (bad, 1), ==, 1);
  vigil_mqtt_client_stop (client, vigil_fixture_deadline (1000));
}

/* Each address has its share of the attempt's time. A busy machine may need
 * more than one share to connect: the good one has all but the first. */
static void
test_hosts_share_time (VigilClientRig *self, gconstpointer data)
{
  const VigilScript deaf = {.is_deaf = TRUE};
  g_autoptr (VigilScriptedBroker) bad = vigil_scripted_broker_new (0, &deaf);
  g_autoptr (VigilScriptedBroker) broker = vigil_scripted_broker_new (0, &good);
  VigilMqttHost hosts[8];
  g_autoptr (VigilMqttClient) client = NULL;

  for (unsigned i = 0; i < G_N_ELEMENTS (hosts); i++)
    hosts[i] = (VigilMqttHost){vigil_fixture_get_address (),
        vigil_scripted_broker_get_port (i == 0 ? bad : broker)};
  client = vigil_client_rig_new_client (self, NULL, 0,
      (VigilMqttOptions){.hosts = hosts,
          .hosts_size = G_N_ELEMENTS (hosts),
          .qos = 1,
          .attempt_timeout_ms = 8000});
  vigil_client_rig_send (client, 10);
  g_assert_true (vigil_event_wait (&self->ended, 1, 10000));
  g_assert_cmpuint (vigil_client_rig_get_status (client).attempts, ==, 1);
}

/* The status topic has "online", and "offline" after a clean stop and after
 * a death. */
static void
test_status_topic (VigilClientRig *self, gconstpointer data)
{
  g_autoptr (VigilScriptedBroker) broker = vigil_scripted_broker_new (0, &good);
  g_autoptr (VigilMqttClient) client = vigil_client_rig_connect (self, broker,
      (VigilMqttOptions){
          .status_topic = "s", .protocol = GPOINTER_TO_INT (data)});
  g_autoptr (GBytes) connect = NULL;
  g_autoptr (GArray) records = NULL;

  g_assert_true (vigil_scripted_broker_wait (broker, 3, 1, 10000));
  vigil_mqtt_client_stop (client, vigil_fixture_deadline (1000));
  g_assert_true (vigil_scripted_broker_wait (broker, 3, 2, 10000));
  records = vigil_scripted_broker_dup_records (broker);
  for (unsigned i = 0; i < records->len; i++) {
    const VigilRecord *record = &g_array_index (records, VigilRecord, i);

    if (record->type == 3)
      g_assert_cmpint (record->flags, ==, 1); /* retained, QoS 0 */
  }
  connect = vigil_scripted_broker_dup_connect (broker);
  g_assert_nonnull (memmem (g_bytes_get_data (connect, NULL),
      g_bytes_get_size (connect), "\0\1s\0\23{\"state\":\"offline\"}", 24));
  /* they are ours, not the caller's */
  g_assert_cmpuint (vigil_client_rig_get_status (client).offered, ==, 0);
}

/* Maximum QoS, Receive Maximum, Maximum Packet Size, Retain Available. */
static void
test_limits (VigilClientRig *self, gconstpointer data)
{
  const VigilScript script = {
      .connack_properties = "21 00 01 24 01 25 00 27 00 00 00 64"};
  g_autoptr (VigilScriptedBroker) broker =
      vigil_scripted_broker_new (0, &script);
  g_autoptr (VigilMqttClient) client = NULL;
  g_autoptr (GArray) records = NULL;
  VigilMqttStatus status;

  vigil_fixture_expect_warning (VIGIL_CLIENT_RIG_DOMAIN, "*at most QoS 1*");
  vigil_fixture_expect_warning (VIGIL_CLIENT_RIG_DOMAIN, "*without retain*");
  vigil_fixture_expect_warning (
      VIGIL_CLIENT_RIG_DOMAIN, "*over the broker's packet size*");
  client = vigil_client_rig_connect (self, broker,
      (VigilMqttOptions){.protocol = 5, .qos = 2, .retain = TRUE});
  for (unsigned i = 0; i < 10; i++)
    vigil_client_rig_send (client, i < 5 ? 10 : 100);
  g_assert_true (vigil_event_wait (&self->ended, 10, 10000));
  vigil_mqtt_client_stop (client, vigil_fixture_deadline (1000));
  status = vigil_client_rig_get_status (client);
  g_assert_cmpuint (status.acknowledged, ==, 5);
  g_assert_cmpuint (status.dropped[VIGIL_MQTT_DROP_OVERSIZE], ==, 5);
  vigil_client_rig_assert_equation (client);
  g_assert_cmpuint (
      vigil_scripted_broker_get_unacknowledged_max (broker), ==, 1);
  records = vigil_scripted_broker_dup_records (broker);
  for (unsigned i = 0; i < records->len; i++) {
    const VigilRecord *record = &g_array_index (records, VigilRecord, i);

    if (record->type == 3)
      g_assert_cmpint (record->flags, ==, 2);
  }
}

/* What is too large goes out smaller where it can. */
static void
test_oversize (VigilClientRig *self, gconstpointer data)
{
  const VigilScript script = {.connack_properties = "27 00 00 00 64"};
  g_autoptr (VigilScriptedBroker) broker =
      vigil_scripted_broker_new (0, &script);
  g_autoptr (VigilMqttClient) client = vigil_client_rig_connect (
      self, broker, (VigilMqttOptions){.protocol = 5, .qos = 1});
  g_autoptr (VigilMqttMessage) message = vigil_client_rig_make_message (5000);
  VigilMqttStatus status;

  vigil_mqtt_message_set_reduce (message, make_small, NULL, NULL);
  vigil_mqtt_client_send (client, message, 0);
  g_assert_true (vigil_event_wait (&self->ended, 1, 10000));
  vigil_mqtt_client_stop (client, vigil_fixture_deadline (1000));
  status = vigil_client_rig_get_status (client);
  g_assert_cmpuint (status.acknowledged, ==, 1);
  g_assert_cmpuint (status.reduced, ==, 1);
  g_assert_cmpuint (status.bytes, ==, 1);
}

/* A broker that cannot tell its limit closes: after three losses the
 * message goes out smaller, or is given up as poison. */
static void
test_poison (VigilClientRig *self, gconstpointer data)
{
  const gboolean has_reduce = GPOINTER_TO_INT (data);
  const VigilScript script = {.maximum_packet = 2000};
  g_autoptr (VigilScriptedBroker) broker =
      vigil_scripted_broker_new (0, &script);
  g_autoptr (VigilMqttMessage) message = vigil_client_rig_make_message (5000);
  g_autoptr (VigilMqttClient) client = NULL;
  VigilMqttStatus status;

  vigil_fixture_expect_warning (
      VIGIL_CLIENT_RIG_DOMAIN, "*next attempt in 1 s*");
  if (!has_reduce)
    vigil_fixture_expect_warning (
        VIGIL_CLIENT_RIG_DOMAIN, "*three connections ended*");
  client = vigil_client_rig_connect (self, broker,
      (VigilMqttOptions){.qos = 1,
          /* the first loss may come before the second message is sent */
          .offline_queue = TRUE});
  if (has_reduce)
    vigil_mqtt_message_set_reduce (message, make_small, NULL, NULL);
  vigil_mqtt_client_send (client, message, 0);
  vigil_client_rig_send (client, 100);
  g_assert_true (vigil_event_wait (&self->ended, 2, 10000));
  vigil_mqtt_client_stop (client, vigil_fixture_deadline (1000));
  status = vigil_client_rig_get_status (client);
  g_assert_cmpuint (status.acknowledged, ==, has_reduce ? 2 : 1);
  g_assert_cmpuint (
      status.dropped[VIGIL_MQTT_DROP_POISON], ==, has_reduce ? 0 : 1);
  g_assert_cmpuint (status.connects, ==, 4);
  vigil_client_rig_assert_equation (client);
}

/* What the broker refuses is counted, with its words, and said once. */
static void
test_rejected (VigilClientRig *self, gconstpointer data)
{
  const int qos = GPOINTER_TO_INT (data);
  const VigilScript script = {.acknowledge_code = 0x87};
  g_autoptr (VigilScriptedBroker) broker =
      vigil_scripted_broker_new (0, &script);
  g_autoptr (VigilMqttClient) client = NULL;
  VigilMqttStatus status;

  vigil_fixture_expect_warning (
      VIGIL_CLIENT_RIG_DOMAIN, "*rejects messages (not authorized, code 0x87*");
  client = vigil_client_rig_connect (
      self, broker, (VigilMqttOptions){.protocol = 5, .qos = qos});
  for (unsigned i = 0; i < 50; i++)
    vigil_client_rig_send (client, 10);
  g_assert_true (vigil_event_wait (&self->ended, 50, 10000));
  g_assert_cmpuint (self->outcomes[VIGIL_MQTT_REJECTED], ==, 50);
  g_assert_cmpuint (vigil_fixture_count_warnings (
                        "*rejects messages (not authorized, code 0x87*"),
      ==, 1);
  status = vigil_client_rig_get_status (client);
  g_assert_cmpuint (status.dropped[VIGIL_MQTT_DROP_REJECTED], ==, 50);
  vigil_client_rig_assert_equation (client);
}

/* RabbitMQ's way with QoS 2. */
static void
test_puback_to_qos_2 (VigilClientRig *self, gconstpointer data)
{
  const VigilScript script = {.pubacks_qos_2 = TRUE};
  g_autoptr (VigilScriptedBroker) broker =
      vigil_scripted_broker_new (0, &script);
  g_autoptr (VigilMqttClient) client = NULL;

  vigil_fixture_expect_warning (
      VIGIL_CLIENT_RIG_DOMAIN, "*answers QoS 2 as QoS 1*");
  client =
      vigil_client_rig_connect (self, broker, (VigilMqttOptions){.qos = 2});
  for (unsigned i = 0; i < 50; i++)
    vigil_client_rig_send (client, 10);
  g_assert_true (vigil_event_wait (&self->ended, 50, 10000));
  g_assert_cmpuint (vigil_client_rig_get_status (client).acknowledged, ==, 50);
}

/* ---- Stopping -------------------------------------------------------------
 */

typedef struct {
  const char *name;
  VigilScript script;
  gboolean has_no_broker;
} StopCase;

static const StopCase stops[] = {
    {"absent", {0}, TRUE},
    {"deaf", {.is_deaf = TRUE}, FALSE},
    {"no-connack", {.never_connacks = TRUE}, FALSE},
    {"no-puback", {.never_acknowledges = TRUE}, FALSE},
    {"slow", {.acknowledge_delay_ms = 20}, FALSE},
};

/* Stop returns soon after its deadline, whatever the broker does, and
 * nothing is left uncounted. */
static void
test_stop (VigilClientRig *self, gconstpointer data)
{
  const StopCase *row = data;
  g_autoptr (VigilScriptedBroker) broker =
      row->has_no_broker ? NULL : vigil_scripted_broker_new (0, &row->script);
  g_autoptr (VigilMqttClient) client = NULL;
  int64_t begin_us;
  VigilMqttStatus status;

  vigil_fixture_allow_warning (VIGIL_CLIENT_RIG_DOMAIN, "*");
  client = vigil_client_rig_new_client (self, vigil_fixture_get_address (),
      broker != NULL ? vigil_scripted_broker_get_port (broker)
                     : vigil_fixture_find_port (),
      (VigilMqttOptions){.qos = 1});
  for (unsigned i = 0; i < 50; i++)
    vigil_client_rig_send (client, 100000);
  begin_us = g_get_monotonic_time ();
  vigil_mqtt_client_stop (client, vigil_fixture_deadline (300));
  g_assert_cmpint (g_get_monotonic_time () - begin_us, <, 8 * G_USEC_PER_SEC);
  status = vigil_client_rig_get_status (client);
  vigil_client_rig_assert_equation (client);
  g_assert_cmpuint (status.queued + status.in_flight, ==, 0);
  g_assert_cmpint (status.state, ==, VIGIL_MQTT_STOPPED);
  g_assert_true (vigil_event_wait (&self->ended, 50, 0));
  vigil_client_rig_send (client, 1);
  g_assert_cmpuint (
      vigil_client_rig_get_status (client).dropped[VIGIL_MQTT_DROP_STOPPED], >,
      status.dropped[VIGIL_MQTT_DROP_STOPPED]);
}

/* All that was sent before stop arrives, and then DISCONNECT. */
static void
test_stop_flushes (VigilClientRig *self, gconstpointer data)
{
  g_autoptr (VigilScriptedBroker) broker = vigil_scripted_broker_new (0, &good);
  g_autoptr (VigilMqttClient) client = vigil_client_rig_connect (
      self, broker, (VigilMqttOptions){.qos = GPOINTER_TO_INT (data)});

  for (unsigned i = 0; i < 200; i++)
    vigil_client_rig_send_number (client, i);
  vigil_mqtt_client_stop (client, vigil_fixture_deadline (10000));
  /* Stop does not wait for a broker that is slow to read it. */
  g_assert_true (vigil_scripted_broker_wait (broker, 14, 1, 10000));
  vigil_client_rig_assert_order (broker, 200);
}

/* drop_newest: what does not fit is not taken, and is_accepting says so
 * before; a message larger than the queue never fits. */
static void
test_newest (VigilClientRig *self, gconstpointer data)
{
  const VigilScript script = {.never_acknowledges = TRUE};
  g_autoptr (VigilScriptedBroker) broker =
      vigil_scripted_broker_new (0, &script);
  g_autoptr (VigilMqttClient) client = vigil_client_rig_connect (self, broker,
      (VigilMqttOptions){.qos = 1,
          .queue_messages = 3,
          .queue_bytes = 100000,
          .queue_policy = VIGIL_MQTT_DROP_NEWEST});

  vigil_client_rig_send (client, 100001);
  g_assert_cmpuint (
      vigil_client_rig_get_status (client).dropped[VIGIL_MQTT_DROP_QUEUE_FULL],
      ==, 1);
  for (unsigned i = 0; i < 3; i++) {
    g_assert_true (vigil_mqtt_client_is_accepting (client));
    vigil_client_rig_send (client, 10);
  }
  g_assert_false (vigil_mqtt_client_is_accepting (client));
  vigil_client_rig_send (client, 10);
  g_assert_cmpuint (
      vigil_client_rig_get_status (client).dropped[VIGIL_MQTT_DROP_QUEUE_FULL],
      ==, 2);
  vigil_client_rig_assert_equation (client);
  vigil_mqtt_client_stop (client, 0);
  g_assert_false (vigil_mqtt_client_is_accepting (client));
}

/* With jitter a pause is shorter, by at most half, and never longer. What is
 * left of it is all that is seen; by then it may be the second or third. */
static void
test_jitter (VigilClientRig *self, gconstpointer data)
{
  const int64_t begin_us = g_get_monotonic_time ();
  g_autoptr (VigilMqttClient) client = NULL;
  VigilMqttStatus status;
  int64_t pause_ms;
  int64_t passed_ms;

  vigil_fixture_expect_warning (
      VIGIL_CLIENT_RIG_DOMAIN, "*Connection refused*");
  client = vigil_client_rig_new_client (self, vigil_fixture_get_address (),
      vigil_fixture_find_port (), (VigilMqttOptions){.jitter = TRUE});
  do {
    g_thread_yield ();
    status = vigil_client_rig_get_status (client);
  } while (status.state != VIGIL_MQTT_WAITING);
  passed_ms = (g_get_monotonic_time () - begin_us) / 1000;
  pause_ms = 1000 << (status.attempts - 1);
  g_assert_cmpint (status.next_retry_ms, <=, pause_ms);
  g_assert_cmpint (status.next_retry_ms, >=, pause_ms / 2 - passed_ms - 1);
}

static gboolean
is_connected_again (void *client)
{
  return vigil_client_rig_get_status (client).connects >= 2;
}

static gboolean
is_lost (void *client)
{
  const VigilMqttStatus status = vigil_client_rig_get_status (client);

  return status.connects > 1 || status.state != VIGIL_MQTT_CONNECTED;
}

static gboolean
is_lost_again (void *client)
{
  const VigilMqttStatus status = vigil_client_rig_get_status (client);

  return status.connects > 2 ||
         (status.connects == 2 && status.state != VIGIL_MQTT_CONNECTED);
}

/* Loses two connections. An offline queue's age also counts when the
 * connection is back. The second one is lost only when the broker has a
 * message that was sent after it was made: a loss that the client reads
 * together with the CONNACK has lasted no time at all. */
static void
lose_twice (VigilClientRig *self, double stable_after_s)
{
  g_autoptr (VigilScriptedBroker) broker = vigil_scripted_broker_new (0, &good);
  g_autoptr (VigilMqttClient) client = NULL;

  client = vigil_client_rig_connect (self, broker,
      (VigilMqttOptions){.stable_after_s = stable_after_s,
          .offline_queue = TRUE,
          .offline_max_age_s = 30});
  g_assert_true (
      vigil_fixture_wait_until (vigil_client_rig_is_connected, client, 10000));
  vigil_scripted_broker_hang_up (broker);
  g_assert_true (vigil_fixture_wait_until (is_lost, client, 10000));
  vigil_client_rig_send (client, 10);
  g_assert_true (vigil_fixture_wait_until (is_connected_again, client, 10000));
  vigil_client_rig_send (client, 10);
  g_assert_true (vigil_scripted_broker_wait (broker, 3, 2, 10000));
  vigil_scripted_broker_hang_up (broker);
  g_assert_true (vigil_fixture_wait_until (is_lost_again, client, 10000));
  vigil_client_rig_assert_equation (client);
}

/* A connection that lasted begins the back-off anew. */
static void
test_stable (VigilClientRig *self, gconstpointer data)
{
  vigil_fixture_expect_warning (VIGIL_CLIENT_RIG_DOMAIN, NEXT_ATTEMPT ("1"));
  lose_twice (self, 1e-6);
  g_assert_cmpuint (vigil_fixture_count_warnings (NEXT_ATTEMPT ("1")), >=, 2);
}

/* One that did not last goes on with it. */
static void
test_unstable (VigilClientRig *self, gconstpointer data)
{
  vigil_fixture_expect_warning (VIGIL_CLIENT_RIG_DOMAIN, NEXT_ATTEMPT ("1"));
  vigil_fixture_expect_warning (VIGIL_CLIENT_RIG_DOMAIN, NEXT_ATTEMPT ("2"));
  lose_twice (self, 3600);
}

/* A client that never started can be given messages, stopped and freed. */
static void
test_never_started (VigilClientRig *self, gconstpointer data)
{
  const VigilMqttHost host = {"127.0.0.1", 1};
  const VigilMqttOptions options = {.hosts = &host, .hosts_size = 1};
  g_autoptr (VigilMqttClient) client = vigil_mqtt_client_new (&options, NULL);

  vigil_client_rig_send (client, 10);
  g_assert_cmpuint (vigil_client_rig_get_status (client).queued, ==, 1);
  vigil_mqtt_client_stop (client, 0);
  g_assert_cmpuint (
      vigil_client_rig_get_status (client).dropped[VIGIL_MQTT_DROP_STOPPED], ==,
      1);
  vigil_client_rig_assert_equation (client);
}

/* ---- Options --------------------------------------------------------------
 */

static const VigilMqttHost any_host = {"h", 1};
static const VigilMqttHost no_port = {"h", 0};
static const VigilMqttHost no_name = {"", 1};
static const VigilMqttHost null_name = {NULL, 1};

static const struct {
  const char *name;
  VigilMqttOptions options;
  const char *error;
} wrong_options[] = {
    {"no-host", {.hosts_size = 0}, "at least one host"},
    {"no-port", {.hosts = &no_port, .hosts_size = 1}, "host 1: want"},
    {"no-name", {.hosts = &no_name, .hosts_size = 1}, "host 1: want"},
    {"qos", {.hosts = &any_host, .hosts_size = 1, .qos = 3},
        "qos '3': want 0, 1 or 2"},
    {"protocol", {.hosts = &any_host, .hosts_size = 1, .protocol = 6},
        "protocol '6': want 3, 4 or 5"},
    {"keep-alive", {.hosts = &any_host, .hosts_size = 1, .keep_alive_s = 65536},
        "keepalive '65536'"},
    {"status-topic",
        {.hosts = &any_host, .hosts_size = 1, .status_topic = "a/#"},
        "status_topic 'a/#'"},
    {"session", {.hosts = &any_host, .hosts_size = 1, .keep_session = TRUE},
        "want a client_id"},
    {"empty-id",
        {.hosts = &any_host, .hosts_size = 1, .protocol = 3, .client_id = ""},
        "client_id ''"},
    {"password", {.hosts = &any_host, .hosts_size = 1, .password = "x"},
        "password without username"},
    {"utf-8", {.hosts = &any_host, .hosts_size = 1, .username = "\xff"},
        "username: want valid UTF-8"},
    {"qos-negative", {.hosts = &any_host, .hosts_size = 1, .qos = -1},
        "qos '-1'"},
    {"protocol-2", {.hosts = &any_host, .hosts_size = 1, .protocol = 2},
        "protocol '2'"},
    {"null-name", {.hosts = &null_name, .hosts_size = 1}, "host 1: want"},
    {"empty-status-topic",
        {.hosts = &any_host, .hosts_size = 1, .status_topic = ""},
        "status_topic ''"},
    {"session-of-empty-id",
        {.hosts = &any_host,
            .hosts_size = 1,
            .keep_session = TRUE,
            .client_id = ""},
        "want a client_id"},
    {"client-id-utf-8",
        {.hosts = &any_host, .hosts_size = 1, .client_id = "\xff"},
        "client_id: want valid UTF-8"},
    {"password-utf-8",
        {.hosts = &any_host,
            .hosts_size = 1,
            .username = "u",
            .password = "\xff"},
        "password: want valid UTF-8"},
    {"status-topic-utf-8",
        {.hosts = &any_host, .hosts_size = 1, .status_topic = "\xff"},
        "status_topic: want valid UTF-8"},
};

static void
test_wrong_options (gconstpointer data)
{
  const unsigned row = GPOINTER_TO_UINT (data);
  g_autoptr (GError) error = NULL;

  g_assert_null (vigil_mqtt_client_new (&wrong_options[row].options, &error));
  g_assert_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID);
  vigil_client_rig_assert_contains (error->message, wrong_options[row].error);
}

/* 65,535 bytes are what MQTT can say (5: 1.5.4). */
static void
test_long_options (void)
{
  g_autofree char *longest = g_strnfill (65535, 'x');
  g_autofree char *too_long = g_strnfill (65536, 'x');
  VigilMqttOptions options = {
      .hosts = &any_host, .hosts_size = 1, .client_id = longest};
  g_autoptr (VigilMqttClient) client = vigil_mqtt_client_new (&options, NULL);

  g_assert_nonnull (client);
  options.client_id = too_long;
  g_assert_null (vigil_mqtt_client_new (&options, NULL));
  vigil_mqtt_client_free (NULL);
}

static void
test_names (void)
{
  for (int i = 0; i < VIGIL_MQTT_DROP_REASONS; i++)
    g_assert_nonnull (vigil_mqtt_client_drop_reason_name (i));
  for (int i = 0; i <= VIGIL_MQTT_STOPPED; i++)
    g_assert_nonnull (vigil_mqtt_client_state_name (i));
}

static void
add_options (void)
{
  GPtrArray *table =
      vigil_client_rig_add_table ("/mqtt-client/stop/at-once", test_stop);

  for (unsigned i = 0; i < G_N_ELEMENTS (wrong_options); i++) {
    g_autofree char *path =
        g_strdup_printf ("/mqtt-client/options/%s", wrong_options[i].name);

    g_test_add_data_func (path, GUINT_TO_POINTER (i), test_wrong_options);
  }
  for (unsigned i = 0; i < G_N_ELEMENTS (stops); i++)
    g_ptr_array_add (table, (void *)&stops[i]);
}

int
main (int argc, char **argv)
{
  vigil_fixture_init (&argc, &argv, 0);
  add_options ();
  vigil_client_rig_add ("/mqtt-client/qos-0-lost", test_qos_0_lost, NULL);
  vigil_client_rig_add ("/mqtt-client/offline-queue", test_offline_queue, NULL);
  vigil_client_rig_add ("/mqtt-client/offline-age", test_offline_age, NULL);
  vigil_client_rig_add ("/mqtt-client/policy/oldest", test_policy,
      GUINT_TO_POINTER (VIGIL_MQTT_DROP_OLDEST));
  vigil_client_rig_add ("/mqtt-client/policy/frames", test_policy,
      GUINT_TO_POINTER (VIGIL_MQTT_DROP_FRAMES_FIRST));
  vigil_client_rig_add ("/mqtt-client/send-waits", test_send_waits, NULL);
  vigil_client_rig_add (
      "/mqtt-client/send-too-large", test_send_too_large, NULL);
  vigil_client_rig_add ("/mqtt-client/hosts/order", test_hosts, NULL);
  vigil_client_rig_add (
      "/mqtt-client/hosts/share-time", test_hosts_share_time, NULL);
  vigil_client_rig_add (
      "/mqtt-client/status-topic/3", test_status_topic, GINT_TO_POINTER (3));
  vigil_client_rig_add (
      "/mqtt-client/status-topic/5", test_status_topic, GINT_TO_POINTER (5));
  vigil_client_rig_add ("/mqtt-client/limits", test_limits, NULL);
  vigil_client_rig_add ("/mqtt-client/oversize", test_oversize, NULL);
  vigil_client_rig_add (
      "/mqtt-client/poison/dropped", test_poison, GINT_TO_POINTER (FALSE));
  vigil_client_rig_add (
      "/mqtt-client/poison/reduced", test_poison, GINT_TO_POINTER (TRUE));
  vigil_client_rig_add (
      "/mqtt-client/rejected/qos-1", test_rejected, GINT_TO_POINTER (1));
  vigil_client_rig_add (
      "/mqtt-client/rejected/qos-2", test_rejected, GINT_TO_POINTER (2));
  vigil_client_rig_add (
      "/mqtt-client/puback-to-qos-2", test_puback_to_qos_2, NULL);
  for (int qos = 0; qos <= 2; qos++) {
    g_autofree char *path =
        g_strdup_printf ("/mqtt-client/stop/flushes-qos-%d", qos);

    vigil_client_rig_add (path, test_stop_flushes, GINT_TO_POINTER (qos));
  }
  vigil_client_rig_add ("/mqtt-client/never-started", test_never_started, NULL);
  vigil_client_rig_add ("/mqtt-client/policy/newest", test_newest, NULL);
  vigil_client_rig_add ("/mqtt-client/jitter", test_jitter, NULL);
  vigil_client_rig_add ("/mqtt-client/stable-after/lasted", test_stable, NULL);
  vigil_client_rig_add (
      "/mqtt-client/stable-after/too-short", test_unstable, NULL);
  g_test_add_func ("/mqtt-client/options/long", test_long_options);
  g_test_add_func ("/mqtt-client/names", test_names);
  return g_test_run ();
}
