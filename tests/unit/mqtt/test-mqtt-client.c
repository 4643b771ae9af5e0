/* SPDX-License-Identifier: Apache-2.0 */

/* The client against a real mosquitto, and against a broker that does what
 * the rows of the tables say. */

#include "mqtt/mqtt-client.h"

#include "base/error.h"
#include "common/broker.h"
#include "common/scripted-broker.h"
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
  if (options.hosts == NULL) {
    options.hosts = &host;
    options.hosts_size = 1;
  }
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

/* A message whose payload begins with @sequence. */
static void
send_number (VigilMqttClient *client, unsigned sequence)
{
  g_autofree char *text = g_strdup_printf ("%u", sequence);
  g_autoptr (GBytes) bytes = g_bytes_new (text, strlen (text));
  const VigilMqttPublication publication = {
      .topic = "a/b", .segments = {bytes}};
  g_autoptr (VigilMqttMessage) message =
      vigil_mqtt_message_new (&publication, 1);

  vigil_mqtt_client_send (client, message, 0);
}

static VigilMqttStatus
get_status (VigilMqttClient *client)
{
  VigilMqttStatus status;

  vigil_mqtt_client_get_status (client, &status);
  return status;
}

static gboolean
is_connected (void *data)
{
  return get_status (data).state == VIGIL_MQTT_CONNECTED;
}

static gboolean
is_waiting (void *data)
{
  return get_status (data).state == VIGIL_MQTT_WAITING;
}

static void
assert_contains (const char *text, const char *part)
{
  if (strstr (text, part) == NULL)
    g_error ("'%s' is not in '%s'", part, text);
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

typedef struct {
  const char *name;
  int protocol; /* 0: all */
  VigilScript script;
  const char *error; /* part of what is reported */
} Fault;

typedef struct {
  const Fault *fault;
  int protocol;
  int qos;
} FaultCase;

/* Every protocol and QoS: all that is sent ends well. */
static void
test_publish (Fixture *self, gconstpointer data)
{
  const FaultCase *row = data;
  g_autoptr (VigilBroker) broker = vigil_broker_new (&self->fixture, 0, NULL);
  g_autoptr (VigilMqttClient) client = make_client (self,
      vigil_broker_get_address (broker), vigil_broker_get_port (broker),
      (VigilMqttOptions){.protocol = row->protocol, .qos = row->qos});
  VigilMqttStatus status;
  const unsigned count = 500;

  for (unsigned i = 0; i < count; i++)
    send (client, 500);
  g_assert_true (vigil_event_wait (&self->ended, count, 10000));
  vigil_mqtt_client_stop (client, vigil_fixture_deadline (2000));
  assert_equation (client);
  status = get_status (client);
  g_assert_cmpuint (status.connects, ==, 1);
  g_assert_cmpuint (
      row->qos == 0 ? status.published : status.acknowledged, ==, count);
  g_assert_cmpuint (status.bytes, ==, count * 500);
}

/* ---- Faults while connecting ----------------------------------------------
 */

static const Fault connect_faults[] = {
    {"close", 0, {.closes_at_accept = TRUE}, "closed the connection"},
    {"reset", 0, {.resets_at_accept = TRUE}, "reset by peer"},
    {"deaf", 0, {.is_deaf = TRUE}, "said nothing"},
    {"no-connack", 0, {.never_connacks = TRUE}, "said nothing"},
    {"half-connack", 0, {.connack = "20 02 00"}, "said nothing"},
    {"garbage", 0, {.greeting = "fe ed fa ce fe ed fa ce"}, "broker sent"},
    {"http", 4, {.connack = "48 54 54 50 2f 31 2e 31"}, "broker sent"},
    {"bad-length", 0, {.connack = "20 ff ff ff ff ff"}, "length"},
    {"huge-length", 0, {.connack = "20 ff ff ff 7f"}, "want at most 65536"},
    {"publish-first", 0, {.greeting = "30 03 00 01 61"}, "PUBLISH"},
    {"pingresp-first", 0, {.greeting = "d0 00"}, "before CONNACK"},
    {"unasked-session", 4, {.connack = "20 02 01 00"}, "was to be new"},
    {"unasked-session", 5, {.connack = "20 03 01 00 00"}, "was to be new"},
    {"version", 3, {.connack_code = 1}, "protocol version (1)"},
    {"identifier", 4, {.connack_code = 2}, "identifier rejected (2)"},
    {"unavailable", 4, {.connack_code = 3}, "server unavailable (3)"},
    {"password", 4, {.connack_code = 4}, "user name or password (4)"},
    {"authorization", 4, {.connack_code = 5}, "not authorized (5)"},
    {"unknown-code", 4, {.connack_code = 99}, "not known (99)"},
    {"version-5", 5, {.connack = "20 02 00 01"}, "protocol version (0x84)"},
    {"password", 5, {.connack_code = 0x86}, "password (0x86)"},
    {"authorization", 5, {.connack_code = 0x87}, "not authorized (0x87)"},
    {"unavailable", 5, {.connack_code = 0x88}, "unavailable (0x88)"},
    {"redirect", 5,
        {.connack_code = 0x9c, .connack_properties = "1c 00 03 68 3a 31"},
        "not followed"},
    {"words", 5,
        {.connack_code = 0x97, .connack_properties = "1f 00 05 6e 6f 0a 27 21"},
        "quota exceeded (0x97): 'no\?\?!'"},
    {"unknown-code", 5, {.connack_code = 0xef}, "not known (0xef)"},
    {"unknown-property", 5, {.connack_properties = "7f 01"}, "property 0x7f"},
    {"receive-maximum-0", 5, {.connack_properties = "21 00 00"},
        "property 0x21"},
};

static const VigilScript good = {0};

/* The fault is reported in words, once; a message sent meanwhile is dropped
 * and counted; as soon as the broker is well again, so are we. */
static void
check_connect_fault (Fixture *self, const Fault *fault, int protocol)
{
  g_autoptr (VigilScriptedBroker) broker =
      vigil_scripted_broker_new (0, &fault->script);
  g_autofree char *pattern = g_strdup_printf ("*%s*", fault->error);
  g_autofree char *violation = NULL;
  g_autoptr (VigilMqttClient) client = NULL;
  VigilMqttStatus status;

  vigil_fixture_allow_warning (DOMAIN, pattern);
  client = make_client (self, vigil_fixture_get_address (),
      vigil_scripted_broker_get_port (broker),
      (VigilMqttOptions){
          .protocol = protocol, .qos = 1, .attempt_timeout_ms = 300});
  g_assert_true (vigil_fixture_wait_until (is_waiting, client, 3000));
  status = get_status (client);
  assert_contains (status.last_error, fault->error);
  g_assert_cmpint (status.next_retry_ms, >, 0);
  g_assert_cmpint (status.next_retry_ms, <=, 1000);
  g_assert_false (vigil_mqtt_client_is_accepting (client));
  send (client, 10);
  g_assert_cmpuint (
      get_status (client).dropped[VIGIL_MQTT_DROP_NOT_CONNECTED], ==, 1);
  vigil_scripted_broker_set_script (broker, &good);
  g_assert_true (vigil_fixture_wait_until (is_connected, client, 3000));
  send (client, 10);
  g_assert_true (vigil_event_wait (&self->ended, 2, 3000));
  vigil_mqtt_client_stop (client, vigil_fixture_deadline (1000));
  status = get_status (client);
  g_assert_cmpuint (status.acknowledged, ==, 1);
  g_assert_cmpuint (status.attempts, ==, 2);
  g_assert_cmpuint (status.connects, ==, 1);
  assert_equation (client);
  violation = vigil_scripted_broker_dup_violation (broker);
  g_assert_cmpstr (violation, ==, NULL);
}

static void
test_connect_fault (Fixture *self, gconstpointer data)
{
  const FaultCase *row = data;

  check_connect_fault (self, row->fault, row->protocol);
}

/* ---- Faults of a connection that stands -----------------------------------
 */

static const Fault loss_faults[] = {
    {"close", 0, {.closes_after_connack = TRUE}, "closed the connection"},
    {"second-connack", 4, {.after_connack = "20 02 00 00"}, "second CONNACK"},
    {"second-connack", 5, {.after_connack = "20 03 00 00 00"},
        "second CONNACK"},
    {"garbage", 0, {.after_connack = "fe ed fa ce"}, "broker sent"},
    {"publish", 0, {.after_connack = "30 03 00 01 61"}, "PUBLISH"},
    {"suback", 0, {.after_connack = "90 03 00 01 00"}, "SUBACK"},
    {"auth", 5, {.after_connack = "f0 00"}, "AUTH"},
    {"pubrel", 0, {.after_connack = "62 02 00 01"}, "PUBREL"},
    {"disconnect", 4, {.after_connack = "e0 00"}, "DISCONNECT"},
    {"disconnect", 5, {.after_connack = "e0 00"}, "success (0x00)"},
    {"busy", 5, {.after_connack = "e0 01 89"}, "server busy (0x89)"},
    {"shutting-down", 5, {.after_connack = "e0 01 8b"}, "(0x8b)"},
    {"taken-over", 5, {.after_connack = "e0 01 8e"},
        "another client has this client id (0x8e)"},
    {"moved", 5, {.after_connack = "e0 06 9d 04 1c 00 01 68"},
        "it names 'h', which is not followed"},
};

/* Lost and reported once; back 1 s after the end of the old one. */
static void
test_loss (Fixture *self, gconstpointer data)
{
  const FaultCase *row = data;
  g_autoptr (VigilScriptedBroker) broker =
      vigil_scripted_broker_new (0, &row->fault->script);
  g_autofree char *pattern = g_strdup_printf ("*%s*", row->fault->error);
  g_autoptr (VigilMqttClient) client = NULL;
  double gap_s;

  vigil_fixture_allow_warning (DOMAIN, pattern);
  client = make_client (self, vigil_fixture_get_address (),
      vigil_scripted_broker_get_port (broker),
      (VigilMqttOptions){.protocol = row->protocol});
  g_assert_true (vigil_scripted_broker_wait (broker, 1, 1, 3000));
  vigil_scripted_broker_set_script (broker, &good);
  g_assert_true (vigil_scripted_broker_wait (broker, 1, 2, 4000));
  gap_s = (double)(vigil_scripted_broker_get_accept_us (broker, 2) -
                   vigil_scripted_broker_get_accept_us (broker, 1)) /
          G_USEC_PER_SEC;
  g_assert_cmpfloat (gap_s, >=, 0.99);
  g_assert_cmpfloat (gap_s, <=, 1.3);
  g_assert_true (vigil_fixture_wait_until (is_connected, client, 3000));
  send (client, 10);
  g_assert_true (vigil_event_wait (&self->ended, 1, 3000));
  vigil_mqtt_client_stop (client, vigil_fixture_deadline (1000));
  g_assert_cmpuint (get_status (client).connects, ==, 2);
  assert_contains (get_status (client).last_error, row->fault->error);
}

/* ---- Messages that survive, and those that do not -------------------------
 */

static void
assert_in_order (VigilScriptedBroker *broker, unsigned count)
{
  g_autoptr (GArray) records = vigil_scripted_broker_dup_records (broker);
  g_autofree char *violation = vigil_scripted_broker_dup_violation (broker);
  unsigned next = 0;

  for (unsigned i = 0; i < records->len; i++) {
    const VigilRecord *record = &g_array_index (records, VigilRecord, i);

    if (record->type != 3)
      continue;
    /* what comes again comes before what is new */
    g_assert_cmpuint (record->sequence, <=, next);
    next = MAX (next, (unsigned)record->sequence + 1);
  }
  g_assert_cmpuint (next, ==, count);
  g_assert_cmpstr (violation, ==, NULL);
}

/* The broker ends every connection after 50 messages: nothing of QoS 1 and
 * 2 is lost, order is kept, identifiers and DUP are right. */
static void
test_drop_after (Fixture *self, gconstpointer data)
{
  const FaultCase *row = data;
  const gboolean is_kept = row->fault != NULL;
  const VigilScript script = {.closes_after = 50, .keeps_session = is_kept};
  g_autoptr (VigilScriptedBroker) broker =
      vigil_scripted_broker_new (0, &script);
  g_autoptr (VigilMqttClient) client = NULL;
  g_autoptr (GArray) records = NULL;
  const unsigned count = 150;
  unsigned duplicates = 0;

  vigil_fixture_allow_warning (DOMAIN, "*the connection*");
  client = make_client (self, vigil_fixture_get_address (),
      vigil_scripted_broker_get_port (broker),
      (VigilMqttOptions){.protocol = row->protocol,
          .qos = row->qos,
          .client_id = "kept",
          .keep_session = is_kept});
  for (unsigned i = 0; i < count; i++)
    send_number (client, i);
  g_assert_true (vigil_event_wait (&self->ended, count, 15000));
  vigil_mqtt_client_stop (client, vigil_fixture_deadline (1000));
  g_assert_cmpuint (get_status (client).acknowledged, ==, count);
  assert_equation (client);
  assert_in_order (broker, count);
  records = vigil_scripted_broker_dup_records (broker);
  for (unsigned i = 0; i < records->len; i++) {
    const VigilRecord *record = &g_array_index (records, VigilRecord, i);

    duplicates += record->type == 3 && (record->flags & 8) != 0;
  }
  if (is_kept)
    g_assert_cmpuint (duplicates, >, 0);
  else
    g_assert_cmpuint (duplicates, ==, 0);
}

/* QoS 0: queued messages are dropped on a loss, and so are new ones until
 * the connection is back. */
static void
test_qos_0_lost (Fixture *self, gconstpointer data)
{
  g_autoptr (VigilScriptedBroker) broker = vigil_scripted_broker_new (0, &good);
  g_autoptr (VigilMqttClient) client = make_client (self,
      vigil_fixture_get_address (), vigil_scripted_broker_get_port (broker),
      (VigilMqttOptions){.qos = 0});
  VigilMqttStatus status;

  send_number (client, 0);
  g_assert_true (vigil_scripted_broker_wait (broker, 3, 1, 3000));
  vigil_fixture_expect_warning (DOMAIN, "*new messages are dropped*");
  vigil_scripted_broker_kill (broker);
  g_assert_true (vigil_fixture_wait_until (is_waiting, client, 3000));
  send_number (client, 1);
  vigil_scripted_broker_revive (broker);
  g_assert_true (vigil_fixture_wait_until (is_connected, client, 3000));
  send_number (client, 2);
  g_assert_true (vigil_scripted_broker_wait (broker, 3, 2, 3000));
  vigil_mqtt_client_stop (client, vigil_fixture_deadline (1000));
  status = get_status (client);
  g_assert_cmpuint (status.published, ==, 2);
  g_assert_cmpuint (status.dropped[VIGIL_MQTT_DROP_NOT_CONNECTED], ==, 1);
  assert_equation (client);
}

/* An offline queue holds what comes while the broker is away. */
static void
test_offline_queue (Fixture *self, gconstpointer data)
{
  g_autoptr (VigilScriptedBroker) broker = vigil_scripted_broker_new (0, &good);
  g_autoptr (VigilMqttClient) client = NULL;
  VigilMqttStatus status;

  client = make_client (self, vigil_fixture_get_address (),
      vigil_scripted_broker_get_port (broker),
      (VigilMqttOptions){.offline_queue = TRUE, .queue_messages = 5});
  g_assert_true (vigil_fixture_wait_until (is_connected, client, 3000));
  vigil_fixture_expect_warning (DOMAIN, "*new messages wait*");
  vigil_scripted_broker_kill (broker);
  g_assert_true (vigil_fixture_wait_until (is_waiting, client, 3000));
  for (unsigned i = 0; i < 8; i++)
    send_number (client, i);
  g_assert_true (vigil_mqtt_client_is_accepting (client));
  vigil_scripted_broker_revive (broker);
  g_assert_true (vigil_scripted_broker_wait (broker, 3, 5, 5000));
  vigil_mqtt_client_stop (client, vigil_fixture_deadline (1000));
  status = get_status (client);
  g_assert_cmpuint (status.published, ==, 5);
  g_assert_cmpuint (status.dropped[VIGIL_MQTT_DROP_QUEUE_FULL], ==, 3);
  assert_equation (client);
}

static void
test_offline_age (Fixture *self, gconstpointer data)
{
  const uint16_t port = vigil_fixture_find_port ();
  g_autoptr (VigilMqttClient) client = NULL;
  VigilMqttStatus status;

  vigil_fixture_expect_warning (DOMAIN, "*Connection refused*");
  client = make_client (self, vigil_fixture_get_address (), port,
      (VigilMqttOptions){.offline_queue = TRUE, .offline_max_age_s = 0.2});
  g_assert_true (vigil_fixture_wait_until (is_waiting, client, 3000));
  send (client, 10);
  g_assert_cmpuint (get_status (client).queued, ==, 1);
  g_assert_true (vigil_event_wait (&self->ended, 1, 3000));
  status = get_status (client);
  g_assert_cmpuint (status.dropped[VIGIL_MQTT_DROP_EXPIRED], ==, 1);
  assert_equation (client);
}

/* ---- Queue ----------------------------------------------------------------
 */

static VigilMqttMessage *
make_small (VigilMqttMessage *message, size_t limit_bytes, void *user_data)
{
  return make_message ("a/b", 1);
}

/* A broker that acknowledges nothing: window and queue fill, then the
 * policy decides. */
static void
test_policy (Fixture *self, gconstpointer data)
{
  const VigilMqttQueuePolicy policy = GPOINTER_TO_UINT (data);
  const VigilScript script = {.never_acknowledges = TRUE};
  g_autoptr (VigilScriptedBroker) broker =
      vigil_scripted_broker_new (0, &script);
  g_autoptr (VigilMqttClient) client = make_client (self,
      vigil_fixture_get_address (), vigil_scripted_broker_get_port (broker),
      (VigilMqttOptions){
          .qos = 1, .window = 2, .queue_bytes = 60000, .queue_policy = policy});
  VigilMqttStatus status;

  for (unsigned i = 0; i < 12; i++) {
    g_autoptr (VigilMqttMessage) message = make_message ("a/b", 9000);

    vigil_mqtt_message_set_reduce (message, make_small, NULL, NULL);
    vigil_mqtt_client_send (client, message, 0);
    if (i == 1)
      g_assert_true (vigil_scripted_broker_wait (broker, 3, 2, 3000));
  }
  status = get_status (client);
  assert_equation (client);
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
  assert_equation (client);
  g_assert_cmpuint (get_status (client).dropped[VIGIL_MQTT_DROP_STOPPED], ==,
      status.queued + 2);
}

/* A sender that may wait does so while connected, and not while down. */
static void
test_send_waits (Fixture *self, gconstpointer data)
{
  const VigilScript script = {.acknowledge_delay_ms = 50};
  g_autoptr (VigilScriptedBroker) broker =
      vigil_scripted_broker_new (0, &script);
  g_autoptr (VigilMqttClient) client = make_client (self,
      vigil_fixture_get_address (), vigil_scripted_broker_get_port (broker),
      (VigilMqttOptions){.qos = 1, .window = 1, .queue_messages = 1});
  g_autoptr (VigilMqttMessage) message = make_message ("a/b", 10);
  int64_t begin_us;

  for (unsigned i = 0; i < 5; i++)
    vigil_mqtt_client_send (client, message, vigil_fixture_deadline (5000));
  g_assert_true (vigil_event_wait (&self->ended, 5, 3000));
  g_assert_cmpuint (get_status (client).acknowledged, ==, 5);

  vigil_fixture_expect_warning (DOMAIN, "*");
  vigil_scripted_broker_kill (broker);
  g_assert_true (vigil_fixture_wait_until (is_waiting, client, 3000));
  begin_us = g_get_monotonic_time ();
  vigil_mqtt_client_send (client, message, vigil_fixture_deadline (5000));
  g_assert_cmpint (g_get_monotonic_time () - begin_us, <, 500000);
  g_assert_cmpuint (
      get_status (client).dropped[VIGIL_MQTT_DROP_NOT_CONNECTED], ==, 1);
}

/* ---- Hosts, status, limits ------------------------------------------------
 */

/* The second host serves when the first does not, in one attempt. */
static void
test_hosts (Fixture *self, gconstpointer data)
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
  g_autoptr (VigilMqttClient) client = make_client (self, NULL, 0,
      (VigilMqttOptions){.hosts = hosts, .hosts_size = 3, .qos = 1});

  send (client, 10);
  g_assert_true (vigil_event_wait (&self->ended, 1, 3000));
  g_assert_cmpuint (get_status (client).attempts, ==, 1);
  g_assert_cmpuint (vigil_scripted_broker_count (bad, 1), ==, 1);
  vigil_mqtt_client_stop (client, vigil_fixture_deadline (1000));
}

/* Each address has its share of the attempt's time. */
static void
test_hosts_share_time (Fixture *self, gconstpointer data)
{
  const VigilScript deaf = {.is_deaf = TRUE};
  g_autoptr (VigilScriptedBroker) bad = vigil_scripted_broker_new (0, &deaf);
  g_autoptr (VigilScriptedBroker) broker = vigil_scripted_broker_new (0, &good);
  const VigilMqttHost hosts[] = {
      {vigil_fixture_get_address (), vigil_scripted_broker_get_port (bad)},
      {vigil_fixture_get_address (), vigil_scripted_broker_get_port (broker)},
  };
  g_autoptr (VigilMqttClient) client = make_client (self, NULL, 0,
      (VigilMqttOptions){.hosts = hosts,
          .hosts_size = 2,
          .qos = 1,
          .attempt_timeout_ms = 600});

  send (client, 10);
  g_assert_true (vigil_event_wait (&self->ended, 1, 3000));
  g_assert_cmpuint (get_status (client).attempts, ==, 1);
}

/* The status topic has "online", and "offline" after a clean stop and after
 * a death. */
static void
test_status_topic (Fixture *self, gconstpointer data)
{
  g_autoptr (VigilScriptedBroker) broker = vigil_scripted_broker_new (0, &good);
  g_autoptr (VigilMqttClient) client = make_client (self,
      vigil_fixture_get_address (), vigil_scripted_broker_get_port (broker),
      (VigilMqttOptions){
          .status_topic = "s", .protocol = GPOINTER_TO_INT (data)});
  g_autoptr (GBytes) connect = NULL;
  g_autoptr (GArray) records = NULL;

  g_assert_true (vigil_scripted_broker_wait (broker, 3, 1, 3000));
  vigil_mqtt_client_stop (client, vigil_fixture_deadline (1000));
  g_assert_true (vigil_scripted_broker_wait (broker, 3, 2, 3000));
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
  g_assert_cmpuint (get_status (client).offered, ==, 0);
}

/* Maximum QoS, Receive Maximum, Maximum Packet Size, Retain Available. */
static void
test_limits (Fixture *self, gconstpointer data)
{
  const VigilScript script = {
      .connack_properties = "21 00 01 24 01 25 00 27 00 00 00 64"};
  g_autoptr (VigilScriptedBroker) broker =
      vigil_scripted_broker_new (0, &script);
  g_autoptr (VigilMqttClient) client = NULL;
  g_autoptr (GArray) records = NULL;
  VigilMqttStatus status;

  vigil_fixture_expect_warning (DOMAIN, "*at most QoS 1*");
  vigil_fixture_expect_warning (DOMAIN, "*without retain*");
  vigil_fixture_expect_warning (DOMAIN, "*over the broker's packet size*");
  client = make_client (self, vigil_fixture_get_address (),
      vigil_scripted_broker_get_port (broker),
      (VigilMqttOptions){.protocol = 5, .qos = 2, .retain = TRUE});
  for (unsigned i = 0; i < 10; i++)
    send (client, i < 5 ? 10 : 100);
  g_assert_true (vigil_event_wait (&self->ended, 10, 3000));
  vigil_mqtt_client_stop (client, vigil_fixture_deadline (1000));
  status = get_status (client);
  g_assert_cmpuint (status.acknowledged, ==, 5);
  g_assert_cmpuint (status.dropped[VIGIL_MQTT_DROP_OVERSIZE], ==, 5);
  assert_equation (client);
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
test_oversize (Fixture *self, gconstpointer data)
{
  const VigilScript script = {.connack_properties = "27 00 00 00 64"};
  g_autoptr (VigilScriptedBroker) broker =
      vigil_scripted_broker_new (0, &script);
  g_autoptr (VigilMqttClient) client = make_client (self,
      vigil_fixture_get_address (), vigil_scripted_broker_get_port (broker),
      (VigilMqttOptions){.protocol = 5, .qos = 1});
  g_autoptr (VigilMqttMessage) message = make_message ("a/b", 5000);
  VigilMqttStatus status;

  vigil_mqtt_message_set_reduce (message, make_small, NULL, NULL);
  vigil_mqtt_client_send (client, message, 0);
  g_assert_true (vigil_event_wait (&self->ended, 1, 3000));
  vigil_mqtt_client_stop (client, vigil_fixture_deadline (1000));
  status = get_status (client);
  g_assert_cmpuint (status.acknowledged, ==, 1);
  g_assert_cmpuint (status.reduced, ==, 1);
  g_assert_cmpuint (status.bytes, ==, 1);
}

/* A broker that cannot tell its limit closes: after three losses the
 * message goes out smaller, or is given up as poison. */
static void
test_poison (Fixture *self, gconstpointer data)
{
  const gboolean has_reduce = GPOINTER_TO_INT (data);
  const VigilScript script = {.maximum_packet = 2000};
  g_autoptr (VigilScriptedBroker) broker =
      vigil_scripted_broker_new (0, &script);
  g_autoptr (VigilMqttMessage) message = make_message ("a/b", 5000);
  g_autoptr (VigilMqttClient) client = NULL;
  VigilMqttStatus status;

  vigil_fixture_expect_warning (DOMAIN, "*next attempt in 1 s*");
  if (!has_reduce)
    vigil_fixture_expect_warning (DOMAIN, "*three connections ended*");
  client = make_client (self, vigil_fixture_get_address (),
      vigil_scripted_broker_get_port (broker), (VigilMqttOptions){.qos = 1});
  if (has_reduce)
    vigil_mqtt_message_set_reduce (message, make_small, NULL, NULL);
  vigil_mqtt_client_send (client, message, 0);
  send (client, 100);
  g_assert_true (vigil_event_wait (&self->ended, 2, 10000));
  vigil_mqtt_client_stop (client, vigil_fixture_deadline (1000));
  status = get_status (client);
  g_assert_cmpuint (status.acknowledged, ==, has_reduce ? 2 : 1);
  g_assert_cmpuint (
      status.dropped[VIGIL_MQTT_DROP_POISON], ==, has_reduce ? 0 : 1);
  g_assert_cmpuint (status.connects, ==, 4);
  assert_equation (client);
}

/* What the broker refuses is counted, with its words, and said once. */
static void
test_rejected (Fixture *self, gconstpointer data)
{
  const int qos = GPOINTER_TO_INT (data);
  const VigilScript script = {.acknowledge_code = 0x87};
  g_autoptr (VigilScriptedBroker) broker =
      vigil_scripted_broker_new (0, &script);
  g_autoptr (VigilMqttClient) client = NULL;
  VigilMqttStatus status;

  vigil_fixture_expect_warning (
      DOMAIN, "*rejects messages: not authorized (0x87)*");
  client = make_client (self, vigil_fixture_get_address (),
      vigil_scripted_broker_get_port (broker),
      (VigilMqttOptions){.protocol = 5, .qos = qos});
  for (unsigned i = 0; i < 50; i++)
    send (client, 10);
  g_assert_true (vigil_event_wait (&self->ended, 50, 3000));
  g_assert_cmpuint (self->outcomes[VIGIL_MQTT_REJECTED], ==, 50);
  g_assert_cmpuint (vigil_fixture_count_warnings (
                        "*rejects messages: not authorized (0x87)*"),
      ==, 1);
  status = get_status (client);
  g_assert_cmpuint (status.dropped[VIGIL_MQTT_DROP_REJECTED], ==, 50);
  assert_equation (client);
}

/* RabbitMQ's way with QoS 2. */
static void
test_puback_to_qos_2 (Fixture *self, gconstpointer data)
{
  const VigilScript script = {.pubacks_qos_2 = TRUE};
  g_autoptr (VigilScriptedBroker) broker =
      vigil_scripted_broker_new (0, &script);
  g_autoptr (VigilMqttClient) client = NULL;

  vigil_fixture_expect_warning (DOMAIN, "*answers QoS 2 as QoS 1*");
  client = make_client (self, vigil_fixture_get_address (),
      vigil_scripted_broker_get_port (broker), (VigilMqttOptions){.qos = 2});
  for (unsigned i = 0; i < 50; i++)
    send (client, 10);
  g_assert_true (vigil_event_wait (&self->ended, 50, 3000));
  g_assert_cmpuint (get_status (client).acknowledged, ==, 50);
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
test_stop (Fixture *self, gconstpointer data)
{
  const StopCase *row = data;
  g_autoptr (VigilScriptedBroker) broker =
      row->has_no_broker ? NULL : vigil_scripted_broker_new (0, &row->script);
  g_autoptr (VigilMqttClient) client = NULL;
  int64_t begin_us;
  VigilMqttStatus status;

  vigil_fixture_allow_warning (DOMAIN, "*");
  client = make_client (self, vigil_fixture_get_address (),
      broker != NULL ? vigil_scripted_broker_get_port (broker)
                     : vigil_fixture_find_port (),
      (VigilMqttOptions){.qos = 1});
  for (unsigned i = 0; i < 50; i++)
    send (client, 100000);
  begin_us = g_get_monotonic_time ();
  vigil_mqtt_client_stop (client, vigil_fixture_deadline (300));
  g_assert_cmpint (g_get_monotonic_time () - begin_us, <, 2300000);
  status = get_status (client);
  assert_equation (client);
  g_assert_cmpuint (status.queued + status.in_flight, ==, 0);
  g_assert_cmpint (status.state, ==, VIGIL_MQTT_STOPPED);
  g_assert_true (vigil_event_wait (&self->ended, 50, 0));
  send (client, 1);
  g_assert_cmpuint (get_status (client).dropped[VIGIL_MQTT_DROP_STOPPED], >,
      status.dropped[VIGIL_MQTT_DROP_STOPPED]);
}

/* All that was sent before stop arrives, and then DISCONNECT. */
static void
test_stop_flushes (Fixture *self, gconstpointer data)
{
  g_autoptr (VigilScriptedBroker) broker = vigil_scripted_broker_new (0, &good);
  g_autoptr (VigilMqttClient) client = make_client (self,
      vigil_fixture_get_address (), vigil_scripted_broker_get_port (broker),
      (VigilMqttOptions){.qos = GPOINTER_TO_INT (data)});

  for (unsigned i = 0; i < 200; i++)
    send_number (client, i);
  vigil_mqtt_client_stop (client, vigil_fixture_deadline (5000));
  g_assert_cmpuint (vigil_scripted_broker_count (broker, 14), ==, 1);
  assert_in_order (broker, 200);
}

/* A client that never started can be given messages, stopped and freed. */
static void
test_never_started (Fixture *self, gconstpointer data)
{
  const VigilMqttHost host = {"127.0.0.1", 1};
  const VigilMqttOptions options = {.hosts = &host, .hosts_size = 1};
  g_autoptr (VigilMqttClient) client = vigil_mqtt_client_new (&options, NULL);

  send (client, 10);
  g_assert_cmpuint (get_status (client).queued, ==, 1);
  vigil_mqtt_client_stop (client, 0);
  g_assert_cmpuint (
      get_status (client).dropped[VIGIL_MQTT_DROP_STOPPED], ==, 1);
  assert_equation (client);
}

/* ---- Options --------------------------------------------------------------
 */

static const VigilMqttHost any_host = {"h", 1};
static const VigilMqttHost no_port = {"h", 0};
static const VigilMqttHost no_name = {"", 1};

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
};

static void
test_wrong_options (gconstpointer data)
{
  const unsigned row = GPOINTER_TO_UINT (data);
  g_autoptr (GError) error = NULL;

  g_assert_null (vigil_mqtt_client_new (&wrong_options[row].options, &error));
  g_assert_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID);
  assert_contains (error->message, wrong_options[row].error);
}

static void
test_names (void)
{
  for (int i = 0; i < VIGIL_MQTT_DROP_REASONS; i++)
    g_assert_nonnull (vigil_mqtt_client_drop_reason_name (i));
  for (int i = 0; i <= VIGIL_MQTT_STOPPED; i++)
    g_assert_nonnull (vigil_mqtt_client_state_name (i));
}

/* ---- All rows of a table at once ------------------------------------------
 */

typedef void (*TestFunc) (Fixture *, gconstpointer);

/* Most of a row's time is waiting for a back-off: a table takes as long as
 * its slowest row. */
typedef struct {
  TestFunc test;
  GPtrArray *rows; /* data of the tests */
} Table;

typedef struct {
  Fixture fixture;
  TestFunc test;
  gconstpointer data;
  pthread_t thread;
} Row;

static void *
run_row (void *data)
{
  Row *row = data;

  row->test (&row->fixture, row->data);
  return NULL;
}

static void
test_table (Fixture *self, gconstpointer data)
{
  const Table *table = data;
  g_autofree Row *rows = g_new0 (Row, table->rows->len);

  for (unsigned i = 0; i < table->rows->len; i++) {
    rows[i].fixture.fixture = self->fixture;
    rows[i].test = table->test;
    rows[i].data = table->rows->pdata[i];
    vigil_event_init (&rows[i].fixture.ended);
    g_assert_cmpint (
        pthread_create (&rows[i].thread, NULL, run_row, &rows[i]), ==, 0);
  }
  for (unsigned i = 0; i < table->rows->len; i++) {
    pthread_join (rows[i].thread, NULL);
    vigil_event_clear (&rows[i].fixture.ended);
  }
}

static void
add (const char *path, TestFunc test, gconstpointer data)
{
  g_test_add (path, Fixture, data, set_up, test, tear_down);
}

/* Tables live as long as the test program. */
static Table *
add_table (const char *path, TestFunc test)
{
  Table *table = g_new0 (Table, 1);

  table->test = test;
  table->rows = g_ptr_array_new ();
  add (path, test_table, table);
  return table;
}

static void
add_row (Table *table, const Fault *fault, int protocol, int qos)
{
  FaultCase *row = g_new0 (FaultCase, 1);

  row->fault = fault;
  row->protocol = protocol;
  row->qos = qos;
  g_ptr_array_add (table->rows, row);
}

static void
add_faults (
    const char *group, const Fault *faults, unsigned size, TestFunc test)
{
  for (int protocol = 3; protocol <= 5; protocol++) {
    g_autofree char *path =
        g_strdup_printf ("/mqtt-client/%s/protocol-%d", group, protocol);
    Table *table = add_table (path, test);

    for (unsigned i = 0; i < size; i++)
      if (faults[i].protocol == 0 || faults[i].protocol == protocol)
        add_row (table, &faults[i], protocol, 0);
  }
}

static void
add_combinations (void)
{
  Table *publish = add_table ("/mqtt-client/publish", test_publish);
  Table *clean = add_table ("/mqtt-client/drop-after/clean", test_drop_after);
  Table *kept = add_table ("/mqtt-client/drop-after/kept", test_drop_after);

  for (int protocol = 3; protocol <= 5; protocol++)
    for (int qos = 0; qos <= 2; qos++) {
      add_row (publish, NULL, protocol, qos);
      if (qos == 0)
        continue;
      add_row (clean, NULL, protocol, qos);
      add_row (kept, connect_faults, protocol, qos);
    }
}

static void
add_options (void)
{
  Table *table = add_table ("/mqtt-client/stop/at-once", test_stop);

  for (unsigned i = 0; i < G_N_ELEMENTS (wrong_options); i++) {
    g_autofree char *path =
        g_strdup_printf ("/mqtt-client/options/%s", wrong_options[i].name);

    g_test_add_data_func (path, GUINT_TO_POINTER (i), test_wrong_options);
  }
  for (unsigned i = 0; i < G_N_ELEMENTS (stops); i++)
    g_ptr_array_add (table->rows, (void *)&stops[i]);
}

int
main (int argc, char **argv)
{
  vigil_fixture_init (&argc, &argv, 0);
  add_combinations ();
  add_options ();
  add_faults ("connect", connect_faults, G_N_ELEMENTS (connect_faults),
      test_connect_fault);
  add_faults ("loss", loss_faults, G_N_ELEMENTS (loss_faults), test_loss);
  add ("/mqtt-client/qos-0-lost", test_qos_0_lost, NULL);
  add ("/mqtt-client/offline-queue", test_offline_queue, NULL);
  add ("/mqtt-client/offline-age", test_offline_age, NULL);
  add ("/mqtt-client/policy/oldest", test_policy,
      GUINT_TO_POINTER (VIGIL_MQTT_DROP_OLDEST));
  add ("/mqtt-client/policy/frames", test_policy,
      GUINT_TO_POINTER (VIGIL_MQTT_DROP_FRAMES_FIRST));
  add ("/mqtt-client/send-waits", test_send_waits, NULL);
  add ("/mqtt-client/hosts/order", test_hosts, NULL);
  add ("/mqtt-client/hosts/share-time", test_hosts_share_time, NULL);
  add ("/mqtt-client/status-topic/3", test_status_topic, GINT_TO_POINTER (3));
  add ("/mqtt-client/status-topic/5", test_status_topic, GINT_TO_POINTER (5));
  add ("/mqtt-client/limits", test_limits, NULL);
  add ("/mqtt-client/oversize", test_oversize, NULL);
  add ("/mqtt-client/poison/dropped", test_poison, GINT_TO_POINTER (FALSE));
  add ("/mqtt-client/poison/reduced", test_poison, GINT_TO_POINTER (TRUE));
  add ("/mqtt-client/rejected/qos-1", test_rejected, GINT_TO_POINTER (1));
  add ("/mqtt-client/rejected/qos-2", test_rejected, GINT_TO_POINTER (2));
  add ("/mqtt-client/puback-to-qos-2", test_puback_to_qos_2, NULL);
  for (int qos = 0; qos <= 2; qos++) {
    g_autofree char *path =
        g_strdup_printf ("/mqtt-client/stop/flushes-qos-%d", qos);

    add (path, test_stop_flushes, GINT_TO_POINTER (qos));
  }
  add ("/mqtt-client/never-started", test_never_started, NULL);
  g_test_add_func ("/mqtt-client/names", test_names);
  return g_test_run ();
}
