/* SPDX-License-Identifier: Apache-2.0 */

/* The client over TLS against a real mosquitto: it publishes, and says why
 * when it cannot. */

#include "mqtt/mqtt-transport-tls.h"

#include "common/broker.h"
#include "common/pki.h"
#include "mqtt/mqtt-client.h"
#include "mqtt/mqtt-fault.h"

#include <poll.h>
#include <string.h>
#include <unistd.h>

#define DOMAIN "vigil-mqtt"
#define WAIT_MS 20000

typedef struct {
  VigilFixture fixture;
  VigilTestPki *pki;
  VigilEvent ended; /* messages with an outcome */
  _Atomic unsigned outcomes[VIGIL_MQTT_REJECTED + 1];
} Fixture;

static void
set_up (Fixture *self, gconstpointer data)
{
  g_autofree char *names = NULL;

  vigil_fixture_set_up (&self->fixture, data);
  vigil_event_init (&self->ended);
  self->pki = vigil_test_pki_new (self->fixture.folder);
  names = g_strdup_printf ("IP:%s", vigil_fixture_get_address ());
  vigil_test_pki_add (self->pki, "server",
      &(VigilTestCertificate){
          .common_name = "server", .alternative_names = names});
  vigil_test_pki_add (
      self->pki, "client", &(VigilTestCertificate){.common_name = "client"});
}

static void
tear_down (Fixture *self, gconstpointer data)
{
  vigil_test_pki_free (self->pki);
  vigil_event_clear (&self->ended);
  vigil_fixture_tear_down (&self->fixture, data);
}

/* ---- Broker and client ----------------------------------------------- */

/* @server: the name of its certificate. @more: further lines. */
static VigilBroker *
start_broker (Fixture *self, const char *server, const char *more)
{
  const char *folder = self->fixture.folder;
  g_autofree char *lines = g_strdup_printf (
      "cafile %s/ca.crt\ncertfile %s/%s.crt\nkeyfile %s/%s.key\n%s", folder,
      folder, server, folder, server, more);

  return vigil_broker_new (&self->fixture, 0, lines);
}

/* @settings: with the names of files in the folder. */
static VigilMqttTls *
make_tls (Fixture *self, VigilMqttTlsSettings settings)
{
  const char **files[] = {&settings.ca_cert, &settings.client_cert,
      &settings.client_key, &settings.crl};
  g_autoptr (GError) error = NULL;

  if (settings.ca_cert == NULL)
    settings.ca_cert = "ca.crt";
  for (unsigned i = 0; i < G_N_ELEMENTS (files); i++)
    if (*files[i] != NULL)
      *files[i] = vigil_test_pki_path (self->pki, *files[i]);
  VigilMqttTls *tls = vigil_mqtt_tls_new (&settings, NULL, &error);
  g_assert_no_error (error);
  return tls;
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
start_client (
    Fixture *self, uint16_t port, VigilMqttTls *tls, VigilMqttOptions options)
{
  const VigilMqttHost host = {vigil_fixture_get_address (), port};
  g_autoptr (GError) error = NULL;

  options.name = "test";
  options.hosts = &host;
  options.hosts_size = 1;
  options.tls = tls;
  VigilMqttClient *client = vigil_mqtt_client_new (&options, &error);
  g_assert_no_error (error);
  vigil_mqtt_client_set_outcome_func (client, on_outcome, self);
  g_assert_true (vigil_mqtt_client_start (client, &error));
  return client;
}

static void
send_message (VigilMqttClient *client, size_t size, int64_t deadline_us)
{
  g_autoptr (GBytes) bytes = g_bytes_new_take (g_malloc0 (size), size);
  const VigilMqttPublication publication = {
      .topic = "a/b", .segments = {bytes}};
  g_autoptr (VigilMqttMessage) message =
      vigil_mqtt_message_new (&publication, 1);

  vigil_mqtt_client_send (client, message, deadline_us);
}

static void
assert_equation (VigilMqttClient *client)
{
  VigilMqttStatus status;

  vigil_mqtt_client_get_status (client, &status);
  uint64_t sum =
      status.queued + status.in_flight + status.published + status.acknowledged;
  for (unsigned i = 0; i < VIGIL_MQTT_DROP_REASONS; i++)
    sum += status.dropped[i];
  g_assert_cmpuint (status.offered, ==, sum);
}

static gboolean
is_connected (void *data)
{
  VigilMqttStatus status;

  vigil_mqtt_client_get_status (data, &status);
  return status.state == VIGIL_MQTT_CONNECTED;
}

/* Stays so in further attempts, which begin after 1 s. */
static gboolean
has_failed (void *data)
{
  VigilMqttStatus status;

  vigil_mqtt_client_get_status (data, &status);
  return status.last_error[0] != '\0';
}

/* ---- Publishing ------------------------------------------------------ */

static void
test_publish (Fixture *self, gconstpointer data)
{
  const VigilMqttOptions *options = data;
  g_autoptr (VigilBroker) broker =
      start_broker (self, "server", "require_certificate true\n");
  g_autoptr (VigilMqttTls) tls =
      make_tls (self, (VigilMqttTlsSettings){.client_cert = "client.crt",
                          .client_key = "client.key"});
  g_autoptr (VigilMqttClient) client =
      start_client (self, vigil_broker_get_port (broker), tls, *options);
  VigilMqttStatus status;

  for (unsigned i = 0; i < 100; i++) {
    send_message (client, 500, 0);
    send_message (client, 200 * 1024, 0);
  }
  g_assert_true (vigil_event_wait (&self->ended, 200, WAIT_MS));
  vigil_mqtt_client_stop (client, vigil_fixture_deadline (2000));
  assert_equation (client);
  vigil_mqtt_client_get_status (client, &status);
  g_assert_cmpuint (status.connects, ==, 1);
  g_assert_cmpuint (
      options->qos == 0 ? status.published : status.acknowledged, ==, 200);
  /* The broker has read them all, and the goodbye. */
  g_assert_true (vigil_process_wait_log (
      vigil_broker_get_process (broker), "disconnected.", 1, WAIT_MS));
}

/* A killed broker comes back: everything of QoS 1 and 2 arrives. */
static void
test_kill (Fixture *self, gconstpointer data)
{
  const VigilMqttOptions *options = data;
  g_autoptr (VigilBroker) broker =
      start_broker (self, "server", "require_certificate true\n");
  g_autoptr (VigilMqttTls) tls =
      make_tls (self, (VigilMqttTlsSettings){.client_cert = "client.crt",
                          .client_key = "client.key"});
  g_autoptr (VigilMqttClient) client =
      start_client (self, vigil_broker_get_port (broker), tls, *options);
  VigilMqttStatus status;

  vigil_fixture_allow_warning (DOMAIN, "*next attempt in*");
  for (unsigned i = 0; i < 50; i++)
    send_message (client, 20000, 0);
  g_assert_true (vigil_event_wait (&self->ended, 50, WAIT_MS));
  /* Frozen first, so that it cannot be done before it dies. */
  vigil_broker_freeze (broker);
  for (unsigned i = 50; i < 200; i++)
    send_message (client, 20000, 0);
  vigil_broker_kill (broker);
  vigil_broker_start (broker);
  g_assert_true (vigil_event_wait (&self->ended, 200, WAIT_MS));
  vigil_mqtt_client_get_status (client, &status);
  g_assert_cmpuint (status.acknowledged, ==, 200);
  g_assert_cmpuint (status.connects, >=, 2);
  assert_equation (client);
}

/* What TLS holds back when the socket is full goes out later. */
static void
test_frozen (Fixture *self, gconstpointer data)
{
  g_autoptr (VigilBroker) broker = start_broker (self, "server", "");
  g_autoptr (VigilMqttTls) tls = make_tls (self, (VigilMqttTlsSettings){0});
  g_autoptr (VigilMqttClient) client = start_client (
      self, vigil_broker_get_port (broker), tls, (VigilMqttOptions){.qos = 0});
  VigilMqttStatus status;

  g_assert_true (vigil_fixture_wait_until (is_connected, client, WAIT_MS));
  vigil_broker_freeze (broker);
  for (unsigned i = 0; i < 100; i++)
    send_message (client, 200 * 1024, 0);
  /* It is stuck when no more outcomes come than sockets hold. */
  g_assert_true (vigil_event_wait (&self->ended, 1, WAIT_MS));
  vigil_broker_thaw (broker);
  g_assert_true (vigil_event_wait (&self->ended, 100, WAIT_MS));
  vigil_mqtt_client_stop (client, vigil_fixture_deadline (2000));
  vigil_mqtt_client_get_status (client, &status);
  g_assert_cmpuint (status.published, ==, 100);
  g_assert_true (vigil_process_wait_log (
      vigil_broker_get_process (broker), "Received PUBLISH", 100, WAIT_MS));
}

/* ---- Faults ---------------------------------------------------------- */

typedef struct {
  const char *name;
  VigilMqttFaultId fault;
  VigilMqttTlsSettings settings;
  VigilTestCertificate server; /* made instead of the good one */
  const char *host;            /* what it is for; NULL: the right address */
  gboolean asks_client;
  const char *broker_crl;
} Fault;

static const Fault faults[] = {
    {"expired", VIGIL_MQTT_FAULT_EXPIRED,
        .server = {.not_before_s = -7200, .not_after_s = -60}},
    {"not-yet-valid", VIGIL_MQTT_FAULT_NOT_YET_VALID,
        .server = {.not_before_s = 3600, .not_after_s = 7200}},
    {"wrong-host", VIGIL_MQTT_FAULT_WRONG_HOST, .host = "DNS:wrong.example"},
    {"name-only", VIGIL_MQTT_FAULT_NO_ALTERNATIVE_NAME, .host = ""},
    {"wrong-ca", VIGIL_MQTT_FAULT_UNKNOWN_CA,
        .settings = {.ca_cert = "other.crt"}},
    {"self-signed", VIGIL_MQTT_FAULT_SELF_SIGNED,
        .server = {.issuer = "server"}},
    {"revoked", VIGIL_MQTT_FAULT_REVOKED, .settings = {.crl = "ca.crl"}},
    {"client-missing", VIGIL_MQTT_FAULT_CLIENT_REQUIRED, .asks_client = TRUE},
    {"client-expired", VIGIL_MQTT_FAULT_CLIENT_EXPIRED,
        .settings = {.client_cert = "old.crt", .client_key = "old.key"},
        .asks_client = TRUE},
    {"client-unknown", VIGIL_MQTT_FAULT_CLIENT_UNKNOWN_CA,
        .settings = {.client_cert = "stranger.crt",
            .client_key = "stranger.key"},
        .asks_client = TRUE},
    {"client-revoked", VIGIL_MQTT_FAULT_CLIENT_REVOKED,
        .settings = {.client_cert = "client.crt", .client_key = "client.key"},
        .asks_client = TRUE, .broker_crl = "client.crl"},
};

static void
make_fault (Fixture *self, const Fault *fault)
{
  VigilTestCertificate server = fault->server;
  g_autofree char *names =
      g_strdup_printf ("IP:%s", vigil_fixture_get_address ());

  server.common_name = vigil_fixture_get_address ();
  if (fault->host == NULL)
    server.alternative_names = names;
  else if (*fault->host != '\0')
    server.alternative_names = fault->host;
  vigil_test_pki_add (self->pki, "server", &server);
  vigil_test_pki_add (self->pki, "other",
      &(VigilTestCertificate){
          .common_name = "Other CA", .issuer = "other", .is_ca = TRUE});
  vigil_test_pki_add (self->pki, "stranger",
      &(VigilTestCertificate){.common_name = "s", .issuer = "other"});
  vigil_test_pki_add (self->pki, "old",
      &(VigilTestCertificate){
          .common_name = "old", .not_before_s = -7200, .not_after_s = -60});
  vigil_test_pki_write_crl (self->pki, "ca.crl", "ca", "server", 3600);
  vigil_test_pki_write_crl (self->pki, "client.crl", "ca", "client", 3600);
}

/* It is refused in words, tried again, and works once it is repaired. */
static void
test_fault (Fixture *self, gconstpointer data)
{
  const Fault *fault = data;
  const VigilMqttFault *row = vigil_mqtt_fault_get (fault->fault);
  g_autofree char *pattern = g_strdup_printf ("*%s*1 s*", row->text);
  g_autofree char *lines = g_strdup_printf ("%s%s%s",
      fault->asks_client ? "require_certificate true\n" : "",
      fault->broker_crl != NULL ? "crlfile " : "",
      fault->broker_crl != NULL
          ? vigil_test_pki_path (self->pki, fault->broker_crl)
          : "");
  VigilMqttStatus status;

  make_fault (self, fault);
  vigil_fixture_expect_warning (DOMAIN, pattern);
  g_autoptr (VigilBroker) broker = start_broker (self, "server", lines);
  g_autoptr (VigilMqttTls) tls = make_tls (self, fault->settings);
  g_autoptr (VigilMqttClient) client = start_client (
      self, vigil_broker_get_port (broker), tls, (VigilMqttOptions){.qos = 1});

  g_assert_true (vigil_fixture_wait_until (has_failed, client, WAIT_MS));
  vigil_mqtt_client_get_status (client, &status);
  g_test_message ("%s", status.last_error);
  g_assert_nonnull (strstr (status.last_error, row->text));
  g_assert_nonnull (strstr (status.last_error, row->advice));
  g_assert_cmpuint (status.connects, ==, 0);
  g_assert_cmpint (status.next_retry_ms, <=, 1000 << (status.attempts - 1));
  assert_equation (client);
}

/* The broker comes back with an expired certificate and is then repaired:
 * the client finds out by itself. */
static void
test_repaired (Fixture *self, gconstpointer data)
{
  g_autoptr (VigilMqttTls) tls = make_tls (self, (VigilMqttTlsSettings){0});
  const Fault expired = faults[0];
  g_autofree char *names =
      g_strdup_printf ("IP:%s", vigil_fixture_get_address ());

  make_fault (self, &expired);
  vigil_fixture_expect_warning (DOMAIN, "*has expired*");
  vigil_fixture_allow_warning (DOMAIN, "*next attempt in*");
  g_autoptr (VigilBroker) broker = start_broker (self, "server", "");
  g_autoptr (VigilMqttClient) client = start_client (
      self, vigil_broker_get_port (broker), tls, (VigilMqttOptions){.qos = 1});
  g_assert_true (vigil_fixture_wait_until (has_failed, client, WAIT_MS));

  vigil_broker_kill (broker);
  vigil_test_pki_add (self->pki, "server",
      &(VigilTestCertificate){
          .common_name = "server", .alternative_names = names});
  vigil_broker_start (broker);
  g_assert_true (vigil_fixture_wait_until (is_connected, client, WAIT_MS));
}

static void
expect_failure (Fixture *self, VigilMqttClient *client, VigilMqttFaultId id)
{
  VigilMqttStatus status;

  g_assert_true (vigil_fixture_wait_until (has_failed, client, WAIT_MS));
  vigil_mqtt_client_get_status (client, &status);
  g_test_message ("%s", status.last_error);
  g_assert_nonnull (
      strstr (status.last_error, vigil_mqtt_fault_get (id)->text));
  g_assert_nonnull (
      strstr (status.last_error, vigil_mqtt_fault_get (id)->advice));
}

/* The documentation's own slip: tls with the port of the plain listener. */
static void
test_tls_to_plain (Fixture *self, gconstpointer data)
{
  g_autoptr (VigilBroker) broker = vigil_broker_new (&self->fixture, 0, NULL);
  g_autoptr (VigilMqttTls) tls = make_tls (self, (VigilMqttTlsSettings){0});

  vigil_fixture_expect_warning (DOMAIN, "*8883*");
  g_autoptr (VigilMqttClient) client = start_client (
      self, vigil_broker_get_port (broker), tls, (VigilMqttOptions){0});
  expect_failure (self, client, VIGIL_MQTT_FAULT_CLOSED_IN_HANDSHAKE);
}

static void
test_plain_to_tls (Fixture *self, gconstpointer data)
{
  g_autoptr (VigilBroker) broker = start_broker (self, "server", "");

  vigil_fixture_expect_warning (DOMAIN, "*tls*");
  g_autoptr (VigilMqttClient) client = start_client (
      self, vigil_broker_get_port (broker), NULL, (VigilMqttOptions){0});
  expect_failure (self, client, VIGIL_MQTT_FAULT_CLOSED_UNANSWERED);
}

/* A listener that answers in TLS before it hangs up, as some brokers do. */
static void
test_plain_to_talkative (Fixture *self, gconstpointer data)
{
  const unsigned char alert[] = {0x15, 3, 1, 0, 2, 2, 70};
  uint16_t port = 0;
  int listener = vigil_fixture_listen (&port);

  vigil_fixture_expect_warning (DOMAIN, "*speaks TLS*");
  g_autoptr (VigilMqttClient) client =
      start_client (self, port, NULL, (VigilMqttOptions){0});
  g_assert_true (vigil_fixture_wait_fd (listener, POLLIN, WAIT_MS));
  int peer = accept (listener, NULL, NULL);
  g_assert_cmpint (write (peer, alert, sizeof alert), ==, sizeof alert);
  expect_failure (self, client, VIGIL_MQTT_FAULT_PLAIN_TO_TLS);
  vigil_mqtt_client_stop (client, 0); /* before it meets another fault */
  close (peer);
  close (listener);
}

/* A port that accepts and says nothing must not hold an attempt up. */
static void
test_silent (Fixture *self, gconstpointer data)
{
  g_autoptr (VigilMqttTls) tls = make_tls (self, (VigilMqttTlsSettings){0});
  uint16_t port = 0;
  int listener = vigil_fixture_listen (&port);

  vigil_fixture_expect_warning (DOMAIN, "*TLS handshake*");
  g_autoptr (VigilMqttClient) client = start_client (
      self, port, tls, (VigilMqttOptions){.attempt_timeout_ms = 300});
  expect_failure (self, client, VIGIL_MQTT_FAULT_HANDSHAKE_TIMEOUT);
  vigil_mqtt_client_stop (client, 0); /* before it meets another fault */
  close (listener);
}

static void
test_closed_port (Fixture *self, gconstpointer data)
{
  g_autoptr (VigilMqttTls) tls = make_tls (self, (VigilMqttTlsSettings){0});
  VigilMqttStatus status;

  vigil_fixture_expect_warning (DOMAIN, "*refused*");
  g_autoptr (VigilMqttClient) client = start_client (
      self, vigil_fixture_find_port (), tls, (VigilMqttOptions){0});
  g_assert_true (vigil_fixture_wait_until (has_failed, client, WAIT_MS));
  vigil_mqtt_client_get_status (client, &status);
  g_assert_nonnull (strstr (status.last_error, "refused"));
}

int
main (int argc, char **argv)
{
  static const VigilMqttOptions rows[] = {
      {.protocol = 3, .qos = 0},
      {.protocol = 4, .qos = 1},
      {.protocol = 5, .qos = 2},
      {.protocol = 5, .qos = 0},
      {.protocol = 4, .qos = 2},
  };

  vigil_fixture_init (&argc, &argv, 60);
#define ADD(path, data, function)                                              \
  g_test_add (path, Fixture, data, set_up, function, tear_down)
  for (unsigned i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *path =
        g_strdup_printf ("/mqtt-transport-tls/publish/protocol-%d/qos-%d",
            rows[i].protocol, rows[i].qos);
    ADD (path, &rows[i], test_publish);
  }
  ADD ("/mqtt-transport-tls/kill/qos-1", &rows[1], test_kill);
  ADD ("/mqtt-transport-tls/kill/qos-2", &rows[2], test_kill);
  ADD ("/mqtt-transport-tls/frozen", NULL, test_frozen);
  for (unsigned i = 0; i < G_N_ELEMENTS (faults); i++) {
    g_autofree char *path =
        g_strconcat ("/mqtt-transport-tls/fault/", faults[i].name, NULL);
    ADD (path, &faults[i], test_fault);
  }
  ADD ("/mqtt-transport-tls/repaired", NULL, test_repaired);
  ADD ("/mqtt-transport-tls/tls-to-plain", NULL, test_tls_to_plain);
  ADD ("/mqtt-transport-tls/plain-to-tls", NULL, test_plain_to_tls);
  ADD ("/mqtt-transport-tls/plain-to-talkative", NULL, test_plain_to_talkative);
  ADD ("/mqtt-transport-tls/silent", NULL, test_silent);
  ADD ("/mqtt-transport-tls/closed-port", NULL, test_closed_port);
  return g_test_run ();
}
