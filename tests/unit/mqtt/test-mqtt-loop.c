/* SPDX-License-Identifier: Apache-2.0 */

/* The client against a real mosquitto, and against a broker that does what
 * the rows of the tables say. */

#include "mqtt/mqtt-client.h"

#include "common/broker.h"
#include "common/client-rig.h"
#include "common/test-tls.h"
#include <string.h>

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

/* What ends before MQTT begins has other words over TLS. */
static const char *
expected_error (const Fault *fault)
{
  if (!vigil_test_tls_is_on ())
    return fault->error;
  /* A reset too, whichever of connect, read and write is told of it. */
  if (fault->script.closes_at_accept || fault->script.resets_at_accept)
    return "in the TLS handshake: a port without TLS does that";
  return fault->script.is_deaf ? "no end of the TLS handshake" : fault->error;
}

/* Every protocol and QoS: all that is sent ends well. */
static void
test_publish (VigilClientRig *self, gconstpointer data)
{
  const FaultCase *row = data;
  g_autoptr (VigilBroker) broker = vigil_broker_new (&self->fixture, 0, NULL);
  g_autoptr (VigilMqttClient) client = vigil_client_rig_new_client (self,
      vigil_broker_get_address (broker), vigil_broker_get_port (broker),
      (VigilMqttOptions){.protocol = row->protocol, .qos = row->qos});
  VigilMqttStatus status;
  const unsigned count = 500;

  for (unsigned i = 0; i < count; i++)
    vigil_client_rig_send (client, 500);
  g_assert_true (vigil_event_wait (&self->ended, count, 30000));
  vigil_mqtt_client_stop (client, vigil_fixture_deadline (2000));
  vigil_client_rig_assert_equation (client);
  status = vigil_client_rig_get_status (client);
  g_assert_cmpuint (status.connects, ==, 1);
  g_assert_cmpuint (
      row->qos == 0 ? status.published : status.acknowledged, ==, count);
  g_assert_cmpuint (status.bytes, ==, count * 500);
}

/* ---- Faults while connecting ----------------------------------------------
 */

static const Fault connect_faults[] = {
    {"close", 0, {.closes_at_accept = TRUE}, "closed the connection"},
    {"reset", 0, {.resets_at_accept = TRUE}, "closed the connection"},
    {"deaf", 0, {.is_deaf = TRUE}, "said nothing"},
    {"no-connack", 0, {.never_connacks = TRUE}, "said nothing"},
    {"half-connack", 0, {.connack = "20 02 00"}, "said nothing"},
    {"garbage", 0, {.greeting = "fe ed fa ce fe ed fa ce"}, "no MQTT broker"},
    {"http", 4, {.connack = "48 54 54 50 2f 31 2e 31"}, "no MQTT broker"},
    {"bad-length", 0, {.connack = "20 ff ff ff ff ff"}, "length"},
    {"huge-length", 0, {.connack = "20 ff ff ff 7f"}, "want at most 65536"},
    {"publish-first", 0, {.greeting = "30 03 00 01 61"}, "PUBLISH"},
    {"pingresp-first", 0, {.greeting = "d0 00"}, "before CONNACK"},
    {"unasked-session", 4, {.connack = "20 02 01 00"}, "was to be new"},
    {"unasked-session", 5, {.connack = "20 03 01 00 00"}, "was to be new"},
    {"version", 3, {.connack_code = 1}, "protocol version, code 1"},
    {"identifier", 4, {.connack_code = 2}, "identifier rejected, code 2"},
    {"unavailable", 4, {.connack_code = 3}, "server unavailable, code 3"},
    {"password", 4, {.connack_code = 4}, "user name or password, code 4"},
    {"authorization", 4, {.connack_code = 5}, "not authorized, code 5"},
    {"unknown-code", 4, {.connack_code = 99}, "not known, code 99"},
    {"version-5", 5, {.connack = "20 02 00 01"}, "protocol version, code 0x84"},
    {"password", 5, {.connack_code = 0x86}, "password, code 0x86"},
    {"authorization", 5, {.connack_code = 0x87}, "not authorized, code 0x87"},
    {"unavailable", 5, {.connack_code = 0x88}, "unavailable, code 0x88"},
    {"redirect", 5,
        {.connack_code = 0x9c, .connack_properties = "1c 00 03 68 3a 31"},
        "not followed"},
    {"words", 5,
        {.connack_code = 0x97, .connack_properties = "1f 00 05 6e 6f 0a 27 21"},
        "quota exceeded, code 0x97: 'no\?\?!'"},
    {"unknown-code", 5, {.connack_code = 0xef}, "not known, code 0xef"},
    {"unknown-property", 5, {.connack_properties = "7f 01"}, "property 0x7f"},
    {"receive-maximum-0", 5, {.connack_properties = "21 00 00"},
        "property 0x21"},
};

static const VigilScript good = {0};

/* The fault is reported in words, once; a message sent meanwhile is dropped
 * and counted; as soon as the broker is well again, so are we. */
static void
check_connect_fault (VigilClientRig *self, const Fault *fault, int protocol)
{
  g_autoptr (VigilScriptedBroker) broker =
      vigil_scripted_broker_new (0, &fault->script);
  g_autofree char *pattern = g_strdup_printf ("*%s*", expected_error (fault));
  g_autofree char *violation = NULL;
  g_autoptr (VigilMqttClient) client = NULL;
  VigilMqttStatus status;
  /* What a silent broker costs: no less than all rows' connections at once
   * may take on a busy machine, for the next attempt is to succeed. */
  const gboolean is_silent = strcmp (fault->error, "said nothing") == 0;
  const int64_t timeout_ms = is_silent ? 4000 : 10000;
  uint64_t attempts;

  vigil_fixture_allow_warning (VIGIL_CLIENT_RIG_DOMAIN, pattern);
  client = vigil_client_rig_connect (self, broker,
      (VigilMqttOptions){
          .protocol = protocol, .qos = 1, .attempt_timeout_ms = timeout_ms});
  g_assert_true (
      vigil_fixture_wait_until (vigil_client_rig_is_waiting, client, 10000));
  status = vigil_client_rig_get_status (client);
  vigil_client_rig_assert_contains (status.last_error, expected_error (fault));
  g_assert_cmpint (status.next_retry_ms, <=, 1000 << (status.attempts - 1));
  g_assert_false (vigil_mqtt_client_is_accepting (client));
  vigil_client_rig_send (client, 10);
  g_assert_cmpuint (vigil_client_rig_get_status (client)
                        .dropped[VIGIL_MQTT_DROP_NOT_CONNECTED],
      ==, 1);
  vigil_scripted_broker_set_script (broker, &good);
  attempts = vigil_client_rig_get_status (client).attempts;
  g_assert_true (
      vigil_fixture_wait_until (vigil_client_rig_is_connected, client, 15000));
  vigil_client_rig_send (client, 10);
  g_assert_true (vigil_event_wait (&self->ended, 2, 10000));
  vigil_mqtt_client_stop (client, vigil_fixture_deadline (1000));
  status = vigil_client_rig_get_status (client);
  g_assert_cmpuint (status.acknowledged, ==, 1);
  g_assert_cmpuint (status.attempts, >=, 2);
  /* one that had begun may still have met the fault */
  g_assert_cmpuint (status.attempts, <=, attempts + 1);
  g_assert_cmpuint (status.connects, ==, 1);
  vigil_client_rig_assert_equation (client);
  violation = vigil_scripted_broker_dup_violation (broker);
  g_assert_cmpstr (violation, ==, NULL);
}

static void
test_connect_fault (VigilClientRig *self, gconstpointer data)
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
    {"garbage", 0, {.after_connack = "fe ed fa ce"}, "breaks the rules"},
    {"publish", 0, {.after_connack = "30 03 00 01 61"}, "PUBLISH"},
    {"suback", 0, {.after_connack = "90 03 00 01 00"}, "SUBACK"},
    {"auth", 5, {.after_connack = "f0 00"}, "AUTH"},
    {"pubrel", 0, {.after_connack = "62 02 00 01"}, "PUBREL"},
    {"disconnect", 4, {.after_connack = "e0 00"}, "DISCONNECT"},
    {"disconnect", 5, {.after_connack = "e0 00"}, "success, code 0x00"},
    {"busy", 5, {.after_connack = "e0 01 89"}, "server busy, code 0x89"},
    {"shutting-down", 5, {.after_connack = "e0 01 8b"}, "code 0x8b"},
    {"taken-over", 5, {.after_connack = "e0 01 8e"},
        "another client has this client id, code 0x8e"},
    {"moved", 5, {.after_connack = "e0 06 9d 04 1c 00 01 68"},
        "it names 'h', which is not followed"},
};

/* Lost and reported once; back 1 s after the end of the old one. */
static void
test_loss (VigilClientRig *self, gconstpointer data)
{
  const FaultCase *row = data;
  g_autoptr (VigilScriptedBroker) broker =
      vigil_scripted_broker_new (0, &row->fault->script);
  /* The first delay and not the second; how exact, faults-backoff says. */
  g_autofree char *pattern =
      g_strdup_printf ("*%s*next attempt in 1 s*", expected_error (row->fault));
  g_autoptr (VigilMqttClient) client = NULL;
  double gap_s;

  vigil_fixture_allow_warning (VIGIL_CLIENT_RIG_DOMAIN, pattern);
  client = vigil_client_rig_connect (
      self, broker, (VigilMqttOptions){.protocol = row->protocol});
  g_assert_true (vigil_scripted_broker_wait (broker, 1, 1, 10000));
  vigil_scripted_broker_set_script (broker, &good);
  g_assert_true (vigil_scripted_broker_wait (broker, 1, 2, 10000));
  gap_s = (double)(vigil_scripted_broker_get_accept_us (broker, 2) -
                   vigil_scripted_broker_get_accept_us (broker, 1)) /
          G_USEC_PER_SEC;
  g_assert_cmpfloat (gap_s, >=, 0.99);
  g_assert_true (
      vigil_fixture_wait_until (vigil_client_rig_is_connected, client, 10000));
  vigil_client_rig_send (client, 10);
  g_assert_true (vigil_event_wait (&self->ended, 1, 10000));
  vigil_mqtt_client_stop (client, vigil_fixture_deadline (1000));
  g_assert_cmpuint (vigil_client_rig_get_status (client).connects, ==, 2);
  vigil_client_rig_assert_contains (
      vigil_client_rig_get_status (client).last_error,
      expected_error (row->fault));
}

/* ---- Messages that survive, and those that do not -------------------------
 */

/* The broker ends every connection after 50 messages: nothing of QoS 1 and
 * 2 is lost, order is kept, identifiers and DUP are right. */
static void
test_drop_after (VigilClientRig *self, gconstpointer data)
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

  vigil_fixture_allow_warning (VIGIL_CLIENT_RIG_DOMAIN, "*the connection*");
  client = vigil_client_rig_connect (self, broker,
      (VigilMqttOptions){.protocol = row->protocol,
          .qos = row->qos,
          .client_id = "kept",
          .keep_session = is_kept,
          /* the first loss may come before the last message is sent */
          .offline_queue = TRUE});
  for (unsigned i = 0; i < count; i++)
    vigil_client_rig_send_number (client, i);
  g_assert_true (vigil_event_wait (&self->ended, count, 30000));
  vigil_mqtt_client_stop (client, vigil_fixture_deadline (1000));
  g_assert_cmpuint (
      vigil_client_rig_get_status (client).acknowledged, ==, count);
  vigil_client_rig_assert_equation (client);
  vigil_client_rig_assert_order (broker, count);
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

static void
add_row (GPtrArray *table, const Fault *fault, int protocol, int qos)
{
  FaultCase *row = g_new0 (FaultCase, 1);

  row->fault = fault;
  row->protocol = protocol;
  row->qos = qos;
  g_ptr_array_add (table, row);
}

static void
add_faults (const char *group, const Fault *faults, unsigned size,
    VigilClientRigTest test)
{
  for (int protocol = 3; protocol <= 5; protocol++) {
    g_autofree char *path =
        g_strdup_printf ("/mqtt-loop/%s/protocol-%d", group, protocol);
    GPtrArray *table = vigil_client_rig_add_table (path, test);

    for (unsigned i = 0; i < size; i++)
      if (faults[i].protocol == 0 || faults[i].protocol == protocol)
        add_row (table, &faults[i], protocol, 0);
  }
}

static void
add_combinations (void)
{
  GPtrArray *publish =
      vigil_client_rig_add_table ("/mqtt-loop/publish", test_publish);
  GPtrArray *clean = vigil_client_rig_add_table (
      "/mqtt-loop/drop-after/clean", test_drop_after);
  GPtrArray *kept = vigil_client_rig_add_table (
      "/mqtt-loop/drop-after/kept", test_drop_after);

  for (int protocol = 3; protocol <= 5; protocol++)
    for (int qos = 0; qos <= 2; qos++) {
      add_row (publish, NULL, protocol, qos);
      if (qos == 0)
        continue;
      add_row (clean, NULL, protocol, qos);
      add_row (kept, connect_faults, protocol, qos);
    }
}

int
main (int argc, char **argv)
{
  vigil_fixture_init (&argc, &argv, 40);
  add_combinations ();
  add_faults ("connect", connect_faults, G_N_ELEMENTS (connect_faults),
      test_connect_fault);
  add_faults ("loss", loss_faults, G_N_ELEMENTS (loss_faults), test_loss);
  return g_test_run ();
}
