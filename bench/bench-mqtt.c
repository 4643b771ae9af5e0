/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Processor time of the whole process for each message, in microseconds:
 * our client against libmosquitto with the same window, the same broker, in
 * turns, both fed when half of what may wait has gone; plain, and all again
 * over TLS. No subscriber.
 */

#include "common/broker.h"
#include "common/test-tls.h"
#include "mqtt/mqtt-client.h"
#include "mqtt/mqtt-tls.h"
#include <mosquitto.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#define WINDOW 20

/* Messages that may wait inside either client. */
#define OUTSTANDING_MAX 200

#define PATIENCE_MS 120000

typedef struct {
  const char *name;
  int qos;
  size_t size;
  unsigned count;
} Case;

static const Case cases[] = {
    {"qos 0, 500 B", 0, 500, 40000},
    {"qos 1, 500 B", 1, 500, 20000},
    {"qos 2, 500 B", 2, 500, 10000},
    {"qos 0, 200 KB", 0, 200000, 1000},
    {"qos 1, 200 KB", 1, 200000, 1000},
};

typedef struct {
  VigilBroker *broker;
  char *ca_cert;     /* NULL: plain */
  VigilMqttTls *tls; /* NULL: plain */
} Link;

static double
process_us (void)
{
  struct rusage usage;

  getrusage (RUSAGE_SELF, &usage);
  return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
         (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

/* ---- Ours -----------------------------------------------------------------
 */

static void
on_outcome (VigilMqttMessage *message, VigilMqttOutcome outcome,
    const char *reason, void *user_data)
{
  if (outcome != VIGIL_MQTT_PUBLISHED && outcome != VIGIL_MQTT_ACKNOWLEDGED)
    g_error ("a message was lost: %s", reason);
}

static gboolean
is_done (void *data)
{
  VigilMqttStatus status;

  vigil_mqtt_client_get_status (data, &status);
  return status.queued + status.in_flight == 0;
}

static gboolean
is_connected (void *data)
{
  VigilMqttStatus status;

  vigil_mqtt_client_get_status (data, &status);
  return status.state == VIGIL_MQTT_CONNECTED;
}

static double
measure_ours (const Link *link, const Case *row, GBytes *payload)
{
  const VigilMqttHost host = {vigil_broker_get_address (link->broker),
      vigil_broker_get_port (link->broker)};
  const VigilMqttOptions options = {
      .name = "bench",
      .hosts = &host,
      .hosts_size = 1,
      .qos = row->qos,
      .window = WINDOW,
      .queue_messages = OUTSTANDING_MAX,
      .tls = link->tls,
  };
  const VigilMqttPublication publication = {
      .topic = "bench/topic", .segments = {payload}};
  g_autoptr (VigilMqttClient) client = vigil_mqtt_client_new (&options, NULL);
  double begin_us;

  vigil_mqtt_client_set_outcome_func (client, on_outcome, NULL);
  g_assert_true (vigil_mqtt_client_start (client, NULL));
  g_assert_true (vigil_fixture_wait_until (is_connected, client, 5000));
  begin_us = process_us ();
  for (unsigned i = 0; i < row->count; i++) {
    g_autoptr (VigilMqttMessage) message =
        vigil_mqtt_message_new (&publication, 1);

    vigil_mqtt_client_send (
        client, message, vigil_fixture_deadline (PATIENCE_MS));
  }
  g_assert_true (vigil_fixture_wait_until (is_done, client, PATIENCE_MS));
  return (process_us () - begin_us) / row->count;
}

/* ---- libmosquitto ----------------------------------------------------------
 */

typedef struct {
  pthread_mutex_t lock;
  pthread_cond_t changed;
  gboolean is_connected;
  unsigned published;
  unsigned wanted; /* published, to go on */
} Peer;

static void
on_peer_connect (struct mosquitto *client, void *data, int code)
{
  Peer *peer = data;

  pthread_mutex_lock (&peer->lock);
  peer->is_connected = TRUE;
  pthread_cond_signal (&peer->changed);
  pthread_mutex_unlock (&peer->lock);
}

static void
on_peer_publish (struct mosquitto *client, void *data, int id)
{
  Peer *peer = data;

  pthread_mutex_lock (&peer->lock);
  peer->published++;
  if (peer->published >= peer->wanted)
    pthread_cond_signal (&peer->changed);
  pthread_mutex_unlock (&peer->lock);
}

static void
wait_for_peer (Peer *peer, unsigned published)
{
  pthread_mutex_lock (&peer->lock);
  peer->wanted = published;
  while (!peer->is_connected || peer->published < published)
    pthread_cond_wait (&peer->changed, &peer->lock);
  pthread_mutex_unlock (&peer->lock);
}

static double
measure_peer (const Link *link, const Case *row, GBytes *payload)
{
  Peer peer = {
      .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
  struct mosquitto *client = mosquitto_new (NULL, true, &peer);
  double used_us;

  mosquitto_connect_callback_set (client, on_peer_connect);
  mosquitto_publish_callback_set (client, on_peer_publish);
  mosquitto_max_inflight_messages_set (client, WINDOW);
  if (link->ca_cert != NULL)
    g_assert_cmpint (
        mosquitto_tls_set (client, link->ca_cert, NULL, NULL, NULL, NULL), ==,
        MOSQ_ERR_SUCCESS);
  g_assert_cmpint (
      mosquitto_connect (client, vigil_broker_get_address (link->broker),
          vigil_broker_get_port (link->broker), 60),
      ==, MOSQ_ERR_SUCCESS);
  mosquitto_loop_start (client);
  wait_for_peer (&peer, 0);
  used_us = process_us ();
  for (unsigned i = 0; i < row->count; i++) {
    if (i >= OUTSTANDING_MAX && i % (OUTSTANDING_MAX / 2) == 0)
      wait_for_peer (&peer, i - OUTSTANDING_MAX / 2);
    g_assert_cmpint (mosquitto_publish (client, NULL, "bench/topic",
                         (int)g_bytes_get_size (payload),
                         g_bytes_get_data (payload, NULL), row->qos, false),
        ==, MOSQ_ERR_SUCCESS);
  }
  wait_for_peer (&peer, row->count);
  used_us = process_us () - used_us;
  mosquitto_disconnect (client);
  mosquitto_loop_stop (client, false);
  mosquitto_destroy (client);
  return used_us / row->count;
}

/* ---- In turns --------------------------------------------------------------
 */

static int
compare (const void *left, const void *right)
{
  const double a = *(const double *)left;
  const double b = *(const double *)right;

  return a < b ? -1 : a > b;
}

static void
measure (const Link *link, const Case *row, unsigned rounds)
{
  g_autofree char *text = g_strnfill (row->size, 'x');
  g_autoptr (GBytes) payload = g_bytes_new (text, row->size);
  double ours[9];
  double peer[9];
  static const char *const limits[] = {"1", "0.5", "-"}; /* for each QoS */
  /* Encryption is most of a large message's cost, and both pay it: bench-tls
   * has the limit of that. */
  const gboolean has_limit = link->tls == NULL || row->size < 16384;

  for (unsigned i = 0; i < rounds; i++) {
    ours[i] = measure_ours (link, row, payload);
    peer[i] = measure_peer (link, row, payload);
  }
  qsort (ours, rounds, sizeof ours[0], compare);
  qsort (peer, rounds, sizeof peer[0], compare);
  printf ("mqtt%s %s\t%.2f\t%.2f\t%.2f\t%s\n",
      link->tls != NULL ? " over TLS," : "", row->name, ours[rounds / 2],
      peer[rounds / 2], ours[rounds / 2] / peer[rounds / 2],
      has_limit ? limits[row->qos] : "-");
  fflush (stdout);
}

static void
measure_all (VigilFixture *fixture, gboolean has_tls, gboolean is_smoke)
{
  Link link = {0};

  if (has_tls) {
    g_setenv ("VIGIL_TEST_TLS", "1", TRUE);
    link.ca_cert = vigil_test_tls_dup_path ("ca.crt");
    link.tls = vigil_mqtt_tls_new (
        &(VigilMqttTlsSettings){.ca_cert = link.ca_cert}, NULL, NULL);
    g_assert_nonnull (link.tls);
  }
  link.broker = vigil_broker_new (fixture, 0, "log_type error");
  for (unsigned i = 0; i < G_N_ELEMENTS (cases); i++) {
    Case row = cases[i];

    if (is_smoke)
      row.count /= 50;
    measure (&link, &row, is_smoke ? 1 : 5);
  }
  vigil_broker_free (link.broker);
  vigil_mqtt_tls_unref (link.tls);
  g_free (link.ca_cert);
}

int
main (int argc, char **argv)
{
  const gboolean is_smoke = argc > 1 && strcmp (argv[1], "--smoke") == 0;
  VigilFixture fixture = {0};

  vigil_fixture_init (&argc, &argv, 300);
  mosquitto_lib_init ();
  vigil_fixture_set_up (&fixture, NULL);
  measure_all (&fixture, FALSE, is_smoke);
  measure_all (&fixture, TRUE, is_smoke);
  vigil_fixture_tear_down (&fixture, NULL);
  mosquitto_lib_cleanup ();
  return 0;
}
