/* SPDX-License-Identifier: Apache-2.0 */

/*
 * 20 kills of the broker in one run, at 25 messages a second. A broker that
 * records before it acknowledges must hold all that was acknowledged, in
 * order, with at most a window of duplicates for each kill; and each
 * message must have ended.
 */

#include "common/broker.h"
#include "common/client-rig.h"

#define KILLS 20
#define PERIOD_US (G_USEC_PER_SEC / 25)
#define WINDOW 20

typedef struct {
  int protocol;
  int qos;
  gboolean is_kept;
} Row;

/* Sends at the period until @deadline_us. */
static void
send_until (VigilMqttClient *client, unsigned *sequence, int64_t deadline_us)
{
  while (g_get_monotonic_time () < deadline_us) {
    vigil_client_rig_send_number (client, (*sequence)++);
    g_usleep (PERIOD_US);
  }
}

/* A window full of messages at once, so that every kill finds some in
 * flight. */
static void
send_burst (VigilMqttClient *client, unsigned *sequence)
{
  for (unsigned i = 0; i < WINDOW; i++)
    vigil_client_rig_send_number (client, (*sequence)++);
}

static unsigned
get_kills (void)
{
  return g_getenv ("VIGIL_FAULTS_QUICK") != NULL ? 3 : KILLS;
}

/* Each new number is larger than all before it; what comes again was there.
 * Returns: how many came again, without those that a broker of QoS 2 knows
 * for what they are. */
static unsigned
check_records (VigilScriptedBroker *broker, unsigned *ret_received)
{
  g_autoptr (GArray) records = vigil_scripted_broker_dup_records (broker);
  g_autoptr (GHashTable) seen = g_hash_table_new (NULL, NULL);
  uint64_t newest = 0;
  unsigned again = 0;

  for (unsigned i = 0; i < records->len; i++) {
    const VigilRecord *record = &g_array_index (records, VigilRecord, i);

    if (record->type != 3)
      continue;
    if (!g_hash_table_add (seen, GSIZE_TO_POINTER (record->sequence + 1))) {
      again += record->was_new;
      continue;
    }
    g_assert_cmpuint (record->sequence + 1, >, newest);
    newest = record->sequence + 1;
  }
  *ret_received = g_hash_table_size (seen);
  return again;
}

static void
test_recording (VigilClientRig *self, gconstpointer data)
{
  const Row *row = data;
  const unsigned kills = get_kills ();
  const VigilScript script = {
      .keeps_session = row->is_kept, .acknowledge_delay_ms = 2};
  g_autoptr (VigilScriptedBroker) broker =
      vigil_scripted_broker_new (0, &script);
  g_autoptr (VigilMqttClient) client = NULL;
  VigilMqttStatus status;
  unsigned sequence = 0;
  unsigned received = 0;
  unsigned again = 0;

  vigil_fixture_allow_warning (VIGIL_CLIENT_RIG_DOMAIN, "*");
  client = vigil_client_rig_connect (self, broker,
      (VigilMqttOptions){.protocol = row->protocol,
          .qos = row->qos,
          .window = WINDOW,
          .client_id = "kills",
          .keep_session = row->is_kept});
  for (unsigned i = 0; i < kills; i++) {
    send_until (client, &sequence, vigil_fixture_deadline (1000));
    send_burst (client, &sequence);
    vigil_scripted_broker_kill (broker);
    send_until (client, &sequence, vigil_fixture_deadline (200 + i * 20));
    vigil_scripted_broker_revive (broker);
    g_assert_true (vigil_fixture_wait_until (
        vigil_client_rig_is_connected, client, 20000));
    vigil_client_rig_assert_equation (client);
  }
  vigil_mqtt_client_stop (client, vigil_fixture_deadline (15000));
  vigil_client_rig_assert_equation (client);
  status = vigil_client_rig_get_status (client);
  again = check_records (broker, &received);
  g_test_message ("protocol %d, QoS %d, %s: %u kills, %u sent, %u "
                  "acknowledged, %u not connected, %u recorded, %u again",
      row->protocol, row->qos, row->is_kept ? "kept" : "clean", kills, sequence,
      (unsigned)status.acknowledged,
      (unsigned)status.dropped[VIGIL_MQTT_DROP_NOT_CONNECTED], received, again);
  g_assert_cmpuint (status.offered, ==, sequence);
  g_assert_cmpuint (
      status.acknowledged + status.dropped[VIGIL_MQTT_DROP_NOT_CONNECTED], ==,
      sequence);
  /* all that was acknowledged is there, and no more than was accepted */
  g_assert_cmpuint (received, ==, status.acknowledged);
  g_assert_cmpuint (again, <=, kills * WINDOW);
  if (row->qos == 2 && row->is_kept)
    g_assert_cmpuint (again, ==, 0);
}

/* The same with the real one, by SIGKILL. */
static void
test_mosquitto (VigilClientRig *self, gconstpointer data)
{
  const Row *row = data;
  const unsigned kills = get_kills ();
  g_autoptr (VigilBroker) broker = vigil_broker_new (&self->fixture, 0, NULL);
  g_autoptr (VigilMqttClient) client = NULL;
  VigilMqttStatus status;
  unsigned sequence = 0;

  vigil_fixture_allow_warning (VIGIL_CLIENT_RIG_DOMAIN, "*");
  client = vigil_client_rig_new_client (self, vigil_broker_get_address (broker),
      vigil_broker_get_port (broker),
      (VigilMqttOptions){.protocol = row->protocol, .qos = row->qos});
  for (unsigned i = 0; i < kills; i++) {
    send_until (client, &sequence, vigil_fixture_deadline (1000));
    send_burst (client, &sequence);
    vigil_broker_kill (broker);
    send_until (client, &sequence, vigil_fixture_deadline (200));
    vigil_broker_start (broker);
    g_assert_true (vigil_fixture_wait_until (
        vigil_client_rig_is_connected, client, 20000));
    vigil_client_rig_assert_equation (client);
  }
  vigil_mqtt_client_stop (client, vigil_fixture_deadline (15000));
  status = vigil_client_rig_get_status (client);
  vigil_client_rig_assert_equation (client);
  g_test_message ("mosquitto, protocol %d, QoS %d: %u kills, %u sent, %u "
                  "acknowledged, %u resent",
      row->protocol, row->qos, kills, sequence, (unsigned)status.acknowledged,
      (unsigned)status.resent);
  g_assert_cmpuint (
      status.acknowledged + status.dropped[VIGIL_MQTT_DROP_NOT_CONNECTED], ==,
      sequence);
}

static void
add_rows (GPtrArray *table, gboolean is_kept)
{
  for (int protocol = 3; protocol <= 5; protocol++)
    for (int qos = 1; qos <= 2; qos++) {
      Row *row = g_new0 (Row, 1); /* as long as the program lives */

      row->protocol = protocol;
      row->qos = qos;
      row->is_kept = is_kept;
      g_ptr_array_add (table, row);
    }
}

int
main (int argc, char **argv)
{
  GPtrArray *recording;

  vigil_fixture_init (&argc, &argv, 200);
  vigil_fixture_go_first ();
  recording =
      vigil_client_rig_add_table ("/faults/kills/recording", test_recording);
  add_rows (recording, FALSE);
  add_rows (recording, TRUE);
  add_rows (
      vigil_client_rig_add_table ("/faults/kills/mosquitto", test_mosquitto),
      FALSE);
  return g_test_run ();
}
