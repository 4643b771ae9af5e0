/* SPDX-License-Identifier: Apache-2.0 */

/* What tests of the MQTT client share. */

#include "common/client-rig.h"

#include "common/test-tls.h"
#include "mqtt/mqtt-tls.h"

#include <string.h>

void
vigil_client_rig_set_up (VigilClientRig *self, gconstpointer data)
{
  vigil_fixture_set_up (&self->fixture, data);
  vigil_event_init (&self->ended);
}

void
vigil_client_rig_tear_down (VigilClientRig *self, gconstpointer data)
{
  vigil_event_clear (&self->ended);
  vigil_fixture_tear_down (&self->fixture, data);
}

void
vigil_client_rig_add (
    const char *path, VigilClientRigTest test, gconstpointer data)
{
  g_test_add (path, VigilClientRig, data, vigil_client_rig_set_up, test,
      vigil_client_rig_tear_down);
}

/* ---- Tables ---------------------------------------------------------------
 */

typedef struct {
  VigilClientRigTest test;
  GPtrArray *rows; /* data of the tests */
} Table;

typedef struct {
  VigilClientRig rig;
  VigilClientRigTest test;
  gconstpointer data;
  pthread_t thread;
} Row;

static void *
run_row (void *data)
{
  Row *row = data;

  row->test (&row->rig, row->data);
  return NULL;
}

static void
test_table (VigilClientRig *self, gconstpointer data)
{
  const Table *table = data;
  g_autofree Row *rows = g_new0 (Row, table->rows->len);

  for (unsigned i = 0; i < table->rows->len; i++) {
    rows[i].rig.fixture = self->fixture;
    rows[i].test = table->test;
    rows[i].data = table->rows->pdata[i];
    vigil_event_init (&rows[i].rig.ended);
    g_assert_cmpint (
        pthread_create (&rows[i].thread, NULL, run_row, &rows[i]), ==, 0);
  }
  for (unsigned i = 0; i < table->rows->len; i++) {
    pthread_join (rows[i].thread, NULL);
    vigil_event_clear (&rows[i].rig.ended);
  }
}

GPtrArray *
vigil_client_rig_add_table (const char *path, VigilClientRigTest test)
{
  /* Tables live as long as the program; GTest's own pointer to them does
   * not, and a leak checker wants one. element-type: Table */
  static GPtrArray *tables;
  Table *table = g_new0 (Table, 1);

  if (tables == NULL)
    tables = g_ptr_array_new ();
  g_ptr_array_add (tables, table);
  table->test = test;
  table->rows = g_ptr_array_new ();
  vigil_client_rig_add (path, test_table, table);
  return table->rows;
}

/* ---- Clients --------------------------------------------------------------
 */

static void
on_outcome (VigilMqttMessage *message, VigilMqttOutcome outcome,
    const char *reason, void *user_data)
{
  VigilClientRig *self = user_data;

  self->outcomes[outcome]++;
  vigil_event_raise (&self->ended);
}

VigilMqttClient *
vigil_client_rig_new_client (VigilClientRig *self, const char *address,
    uint16_t port, VigilMqttOptions options)
{
  const VigilMqttHost host = {address, port};
  g_autoptr (GError) error = NULL;
  VigilMqttClient *client;

  g_autoptr (VigilMqttTls) tls = NULL;
  g_autofree char *ca_cert = NULL;

  options.name = "test";
  if (vigil_test_tls_is_on () && options.tls == NULL) {
    ca_cert = vigil_test_tls_dup_path ("ca.crt");
    tls = vigil_mqtt_tls_new (
        &(VigilMqttTlsSettings){.ca_cert = ca_cert}, NULL, &error);
    g_assert_no_error (error);
    options.tls = tls;
  }
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

VigilMqttClient *
vigil_client_rig_connect (
    VigilClientRig *self, VigilScriptedBroker *broker, VigilMqttOptions options)
{
  return vigil_client_rig_new_client (self, vigil_fixture_get_address (),
      vigil_scripted_broker_get_port (broker), options);
}

static VigilMqttMessage *
make_of_text (char *text, size_t size)
{
  g_autoptr (GBytes) bytes = g_bytes_new_take (text, size);
  const VigilMqttPublication publication = {
      .topic = "a/b", .segments = {bytes}};

  return vigil_mqtt_message_new (&publication, 1);
}

VigilMqttMessage *
vigil_client_rig_make_message (size_t size)
{
  return make_of_text (g_strnfill (size, 'x'), size);
}

VigilMqttMessage *
vigil_client_rig_make_number (unsigned sequence, size_t size)
{
  char *text = g_strdup_printf ("%-*u", (int)size, sequence);

  return make_of_text (text, strlen (text));
}

void
vigil_client_rig_send (VigilMqttClient *client, size_t size)
{
  g_autoptr (VigilMqttMessage) message = vigil_client_rig_make_message (size);

  vigil_mqtt_client_send (client, message, 0);
}

void
vigil_client_rig_send_number (VigilMqttClient *client, unsigned sequence)
{
  g_autoptr (VigilMqttMessage) message =
      vigil_client_rig_make_number (sequence, 0);

  vigil_mqtt_client_send (client, message, 0);
}

VigilMqttStatus
vigil_client_rig_get_status (VigilMqttClient *client)
{
  VigilMqttStatus status;

  vigil_mqtt_client_get_status (client, &status);
  return status;
}

gboolean
vigil_client_rig_is_connected (void *data)
{
  return vigil_client_rig_get_status (data).state == VIGIL_MQTT_CONNECTED;
}

gboolean
vigil_client_rig_is_waiting (void *data)
{
  return vigil_client_rig_get_status (data).state == VIGIL_MQTT_WAITING;
}

/* ---- Claims ---------------------------------------------------------------
 */

void
vigil_client_rig_assert_equation (VigilMqttClient *client)
{
  const VigilMqttStatus status = vigil_client_rig_get_status (client);
  uint64_t sum =
      status.queued + status.in_flight + status.published + status.acknowledged;

  for (unsigned i = 0; i < VIGIL_MQTT_DROP_REASONS; i++)
    sum += status.dropped[i];
  g_assert_cmpuint (status.offered, ==, sum);
}

void
vigil_client_rig_assert_contains (const char *text, const char *part)
{
  if (strstr (text, part) == NULL)
    g_error ("'%s' is not in '%s'", part, text);
}

void
vigil_client_rig_assert_order (VigilScriptedBroker *broker, unsigned count)
{
  g_autoptr (GArray) records = vigil_scripted_broker_dup_records (broker);
  g_autofree char *violation = vigil_scripted_broker_dup_violation (broker);
  unsigned next = 0;

  for (unsigned i = 0; i < records->len; i++) {
    const VigilRecord *record = &g_array_index (records, VigilRecord, i);

    if (record->type != 3)
      continue;
    g_assert_cmpuint (record->sequence, <=, next);
    next = MAX (next, (unsigned)record->sequence + 1);
  }
  g_assert_cmpuint (next, ==, count);
  g_assert_cmpstr (violation, ==, NULL);
}
