/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client over TLS, messages of 200 KB with QoS 0, beside a bare loop of
 * SSL_write that sends as many bytes in as many records to the same peer.
 * CPU time of the whole process, the best of alternating rounds: whatever
 * else the machine does only adds to it.
 */
#include "common/fixture.h"
#include "common/pki.h"
#include "mqtt/mqtt-client.h"
#include "mqtt/mqtt-tls.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MESSAGE_BYTES (200 * 1000)
#define ROUNDS_MAX 15
#define BATCH 100 /* messages that the queue holds */

/* ---- The peer: takes all, answers a CONNECT -------------------------- */

static void
swallow (SSL *ssl)
{
  static unsigned char buffer[256 * 1024];
  int got = SSL_read (ssl, buffer, sizeof buffer);

  if (got > 0 && buffer[0] == 0x10)
    (void)SSL_write (ssl, "\x20\x02\x00\x00", 4);
  while (got > 0)
    got = SSL_read (ssl, buffer, sizeof buffer);
}

static void
run_peer (int listener, VigilTestPki *pki)
{
  SSL_CTX *context = SSL_CTX_new (TLS_server_method ());

  prctl (PR_SET_PDEATHSIG, SIGKILL);
  SSL_CTX_use_certificate_file (
      context, vigil_test_pki_path (pki, "server.crt"), SSL_FILETYPE_PEM);
  SSL_CTX_use_PrivateKey_file (
      context, vigil_test_pki_path (pki, "server.key"), SSL_FILETYPE_PEM);
  for (;;) {
    int fd = accept (listener, NULL, NULL);
    SSL *ssl = SSL_new (context);
    SSL_set_fd (ssl, fd);
    if (SSL_accept (ssl) == 1)
      swallow (ssl);
    SSL_free (ssl);
    close (fd);
  }
}

static int
listen_on_loopback (uint16_t *ret_port)
{
  struct sockaddr_in address = {
      .sin_family = AF_INET, .sin_addr.s_addr = htonl (INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  int listener = socket (AF_INET, SOCK_STREAM, 0);

  g_assert_cmpint (bind (listener, (struct sockaddr *)&address, size), ==, 0);
  g_assert_cmpint (listen (listener, 8), ==, 0);
  getsockname (listener, (struct sockaddr *)&address, &size);
  *ret_port = ntohs (address.sin_port);
  return listener;
}

/* ---- The two ways ---------------------------------------------------- */

static double
get_cpu_us (void)
{
  struct timespec now;

  clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &now);
  return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

/* What the outcomes of one batch are counted in; the waiting thread is woken
 * by the last one alone. */
typedef struct {
  atomic_uint left;
  VigilEvent done;
} Batch;

static void
on_outcome (VigilMqttMessage *message, VigilMqttOutcome outcome,
    const char *reason, void *user_data)
{
  g_assert_cmpint (outcome, ==, VIGIL_MQTT_PUBLISHED);
  Batch *batch = user_data;

  if (atomic_fetch_sub (&batch->left, 1) == 1)
    vigil_event_raise (&batch->done);
}

static VigilMqttClient *
start_client (VigilMqttTls *tls, uint16_t port, Batch *batch)
{
  const VigilMqttHost host = {"127.0.0.1", port};
  const VigilMqttOptions options = {
      .name = "bench", .hosts = &host, .hosts_size = 1, .tls = tls};
  VigilMqttClient *client = vigil_mqtt_client_new (&options, NULL);

  vigil_mqtt_client_set_outcome_func (client, on_outcome, batch);
  g_assert_true (vigil_mqtt_client_start (client, NULL));
  return client;
}

/* In batches that the queue holds, so that what is measured is the sending
 * and not how a caller waits for room. */
static void
send_batch (
    VigilMqttClient *client, GBytes *payload, unsigned count, Batch *batch)
{
  const VigilMqttPublication publication = {
      .topic = "dlstreamer_pipeline_results", .segments = {payload}};
  const unsigned before = vigil_event_get_count (&batch->done);

  atomic_store (&batch->left, count);

  for (unsigned i = 0; i < count; i++) {
    g_autoptr (VigilMqttMessage) message =
        vigil_mqtt_message_new (&publication, 1);
    vigil_mqtt_client_send (client, message, 0);
  }
  g_assert_true (vigil_event_wait (&batch->done, before + 1, 60000));
}

static double
measure_client (
    VigilMqttTls *tls, uint16_t port, GBytes *payload, unsigned batches)
{
  Batch batch = {0};

  vigil_event_init (&batch.done);
  g_autoptr (VigilMqttClient) client = start_client (tls, port, &batch);
  /* The first one waits for the connection. */
  send_batch (client, payload, 1, &batch);
  double start_us = get_cpu_us ();
  for (unsigned i = 0; i < batches; i++)
    send_batch (client, payload, BATCH, &batch);
  double spent_us = get_cpu_us () - start_us;
  vigil_mqtt_client_stop (client, g_get_monotonic_time () + G_USEC_PER_SEC);
  vigil_event_clear (&batch.done);
  return spent_us / (batches * BATCH);
}

static double
measure_bare (
    VigilMqttTls *tls, uint16_t port, GBytes *payload, unsigned batches)
{
  struct sockaddr_in address = {.sin_family = AF_INET,
      .sin_port = htons (port),
      .sin_addr.s_addr = htonl (INADDR_LOOPBACK)};
  int fd = socket (AF_INET, SOCK_STREAM, 0);
  const int on = 1;
  const unsigned char *bytes = g_bytes_get_data (payload, NULL);

  g_assert_cmpint (
      connect (fd, (struct sockaddr *)&address, sizeof address), ==, 0);
  setsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  SSL *ssl = vigil_mqtt_tls_new_ssl (tls, "127.0.0.1", NULL);
  SSL_set_fd (ssl, fd);
  g_assert_cmpint (SSL_connect (ssl), ==, 1);
  double start_us = get_cpu_us ();
  for (unsigned i = 0; i < batches * BATCH; i++)
    for (int sent = 0; sent < MESSAGE_BYTES;) {
      int written = SSL_write (ssl, bytes + sent, MESSAGE_BYTES - sent);
      g_assert_cmpint (written, >, 0);
      sent += written;
    }
  double spent_us = get_cpu_us () - start_us;
  SSL_shutdown (ssl);
  SSL_free (ssl);
  close (fd);
  return spent_us / (batches * BATCH);
}

static int
compare (const void *left, const void *right)
{
  double a = *(const double *)left, b = *(const double *)right;
  return (a > b) - (a < b);
}

int
main (int argc, char **argv)
{
  const gboolean is_smoke = argc > 1 && strcmp (argv[1], "--smoke") == 0;
  const unsigned rounds = is_smoke ? 1 : ROUNDS_MAX;
  const unsigned batches = is_smoke ? 1 : 10;
  VigilFixture fixture = {0};
  g_autoptr (VigilTestPki) pki = NULL;
  double ours[ROUNDS_MAX], bare[ROUNDS_MAX];
  uint16_t port;
  int listener = listen_on_loopback (&port);

  vigil_fixture_init (&argc, &argv, 300);
  vigil_fixture_set_up (&fixture, NULL);
  pki = vigil_test_pki_new (fixture.folder);
  vigil_test_pki_add (pki, "server",
      &(VigilTestCertificate){.alternative_names = "IP:127.0.0.1"});
  pid_t peer = fork ();
  if (peer == 0)
    run_peer (listener, pki);
  const VigilMqttTlsSettings settings = {
      .ca_cert = vigil_test_pki_path (pki, "ca.crt")};
  g_autoptr (VigilMqttTls) tls = vigil_mqtt_tls_new (&settings, NULL, NULL);
  g_autoptr (GBytes) payload =
      g_bytes_new_take (g_malloc0 (MESSAGE_BYTES), MESSAGE_BYTES);

  for (unsigned i = 0; i < rounds; i++) {
    ours[i] = measure_client (tls, port, payload, batches);
    bare[i] = measure_bare (tls, port, payload, batches);
  }
  qsort (ours, rounds, sizeof ours[0], compare);
  qsort (bare, rounds, sizeof bare[0], compare);
  printf ("MQTT over TLS, message of 200 KB, us of CPU (peer: bare "
          "SSL_write)\t%.1f\t%.1f\t%.3f\t1.15\n",
      ours[0], bare[0], ours[0] / bare[0]);
  kill (peer, SIGKILL);
  waitpid (peer, NULL, 0);
  vigil_fixture_tear_down (&fixture, NULL);
  return 0;
}
