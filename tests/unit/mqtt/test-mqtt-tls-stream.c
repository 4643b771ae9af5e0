/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stream against OpenSSL's own server at the other end of a socket
 * pair, both in this thread.
 */
#include "mqtt/mqtt-tls-stream.h"

#include "base/error.h"
#include "common/fixture.h"
#include "common/pki.h"
#include "mqtt/mqtt-fault.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Made once: key generation is the slow part. */
static VigilTestPki *pki;

static const char *
path_of (const char *file)
{
  return file != NULL ? vigil_test_pki_path (pki, file) : NULL;
}

static void
make_pki (const char *folder)
{
  pki = vigil_test_pki_new (folder);
#define ADD(name, ...)                                                         \
  vigil_test_pki_add (pki, name, &(VigilTestCertificate){__VA_ARGS__})
  ADD ("ca2", .common_name = "Other CA", .issuer = "ca2", .is_ca = TRUE);
  ADD ("twin", .common_name = "Test CA", .issuer = "twin", .is_ca = TRUE);
  ADD ("server", .common_name = "server",
      .alternative_names = "DNS:broker.test,DNS:*.wild.test,IP:192.0.2.7,"
                           "IP:2001:db8::7");
  ADD ("old", .common_name = "old", .alternative_names = "DNS:broker.test",
      .not_before_s = -7200, .not_after_s = -60);
  ADD ("early", .common_name = "early", .alternative_names = "DNS:broker.test",
      .not_before_s = 3600, .not_after_s = 7200);
  ADD ("name-only", .common_name = "broker.test");
  ADD ("address-only", .common_name = "192.0.2.7");
  ADD ("self", .common_name = "self", .alternative_names = "DNS:broker.test",
      .issuer = "self");
  ADD ("foreign", .common_name = "foreign",
      .alternative_names = "DNS:broker.test", .issuer = "ca2");
  ADD ("twinned", .common_name = "twinned",
      .alternative_names = "DNS:broker.test", .issuer = "twin");
  ADD ("for-clients", .common_name = "c",
      .alternative_names = "DNS:broker.test", .usage = "clientAuth");
  ADD ("client", .common_name = "client");
  ADD ("seed", .is_version_1 = TRUE, .rsa_bits = 2048);
  ADD ("stranger", .common_name = "stranger", .issuer = "ca2");
  ADD (
      "past", .common_name = "past", .not_before_s = -7200, .not_after_s = -60);
#undef ADD
  vigil_test_pki_write_crl (pki, "none.crl", "ca", NULL, 3600);
  vigil_test_pki_write_crl (pki, "server.crl", "ca", "server", 3600);
  vigil_test_pki_write_crl (pki, "client.crl", "ca", "client", 3600);
  vigil_test_pki_write_crl (pki, "stale.crl", "ca", NULL, -60);
  vigil_test_pki_write_crl (pki, "ca2.crl", "ca2", NULL, 3600);
}

/* ---- The peer -------------------------------------------------------- */

typedef struct {
  const char *name;
  const char *host;            /* NULL: broker.test */
  const char *server;          /* its certificate; NULL: "server" */
  VigilMqttTlsSettings client; /* files by name in the pki's folder */
  VigilMqttFaultId fault;      /* VIGIL_MQTT_FAULTS: none */
  const char *detail;          /* part of the message */
  gboolean asks_client;        /* the server wants a certificate */
  const char *server_crl;
  const char *server_alpn;
  const char *server_min_version;
} Case;

typedef struct {
  int client_fd;
  int server_fd;
  SSL_CTX *context;
  SSL *ssl;
  VigilMqttTlsStream *stream;
} Link;

static int
select_alpn (SSL *ssl, const unsigned char **out, unsigned char *out_length,
    const unsigned char *in, unsigned in_length, void *name)
{
  unsigned char wanted[64];

  wanted[0] = (unsigned char)strlen (name);
  memcpy (wanted + 1, name, wanted[0]);
  /* What is found is returned as a place in the first list: the client's,
   * which outlives this function. */
  return SSL_select_next_proto ((unsigned char **)out, out_length, in,
             in_length, wanted, wanted[0] + 1u) == OPENSSL_NPN_NEGOTIATED
             ? SSL_TLSEXT_ERR_OK
             : SSL_TLSEXT_ERR_ALERT_FATAL;
}

static SSL_CTX *
make_server (const Case *wanted, int max_version)
{
  const char *name = wanted->server != NULL ? wanted->server : "server";
  g_autofree char *certificate = g_strconcat (name, ".crt", NULL);
  g_autofree char *key = g_strconcat (name, ".key", NULL);
  SSL_CTX *context = SSL_CTX_new (TLS_server_method ());

  g_assert_cmpint (SSL_CTX_use_certificate_file (
                       context, path_of (certificate), SSL_FILETYPE_PEM),
      ==, 1);
  g_assert_cmpint (
      SSL_CTX_use_PrivateKey_file (context, path_of (key), SSL_FILETYPE_PEM),
      ==, 1);
  SSL_CTX_set_max_proto_version (context, max_version);
  if (wanted->server_min_version != NULL)
    SSL_CTX_set_min_proto_version (context, TLS1_3_VERSION);
  if (wanted->asks_client) {
    SSL_CTX_set_verify (
        context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    SSL_CTX_load_verify_file (context, path_of ("ca.crt"));
  }
  if (wanted->server_crl != NULL) {
    X509_STORE *store = SSL_CTX_get_cert_store (context);
    X509_LOOKUP *lookup = X509_STORE_add_lookup (store, X509_LOOKUP_file ());
    g_assert_cmpint (X509_load_crl_file (lookup, path_of (wanted->server_crl),
                         X509_FILETYPE_PEM),
        ==, 1);
    X509_STORE_set_flags (store, X509_V_FLAG_CRL_CHECK);
  }
  if (wanted->server_alpn != NULL)
    SSL_CTX_set_alpn_select_cb (
        context, select_alpn, (void *)wanted->server_alpn);
  return context;
}

static void
link_open (Link *self, const Case *wanted, int max_version)
{
  int fds[2];
  VigilMqttTlsSettings settings = wanted->client;
  g_autoptr (GError) error = NULL;

  /* The same on every machine, and full before a test has written all. */
  const int buffer_bytes = 65536;

  g_assert_cmpint (
      socketpair (AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), ==, 0);
  for (unsigned i = 0; i < G_N_ELEMENTS (fds); i++)
    setsockopt (
        fds[i], SOL_SOCKET, SO_SNDBUF, &buffer_bytes, sizeof buffer_bytes);
  self->client_fd = fds[0];
  self->server_fd = fds[1];
  self->context = make_server (wanted, max_version);
  self->ssl = SSL_new (self->context);
  SSL_set_fd (self->ssl, self->server_fd);
  SSL_set_accept_state (self->ssl);

  settings.ca_cert =
      path_of (settings.ca_cert != NULL ? settings.ca_cert : "ca.crt");
  settings.client_cert = path_of (settings.client_cert);
  settings.client_key = path_of (settings.client_key);
  settings.crl = path_of (settings.crl);
  g_autoptr (VigilMqttTls) tls = vigil_mqtt_tls_new (&settings, NULL, &error);
  g_assert_no_error (error);
  self->stream = vigil_mqtt_tls_stream_new (tls, self->client_fd,
      wanted->host != NULL ? wanted->host : "broker.test", &error);
  g_assert_no_error (error);
}

static void
link_clear (Link *self)
{
  vigil_mqtt_tls_stream_free (self->stream);
  SSL_free (self->ssl);
  SSL_CTX_free (self->context);
  close (self->client_fd);
  if (self->server_fd >= 0)
    close (self->server_fd);
  ERR_clear_error ();
}

/* One step of the server: its handshake, then one byte, then nothing.
 * Closes when it fails. */
static void
server_step (Link *self, gboolean *has_written)
{
  gboolean is_accepted = SSL_is_init_finished (self->ssl);

  if (self->server_fd < 0 || *has_written)
    return;
  int result = is_accepted ? SSL_write (self->ssl, "x", 1)
                           : SSL_do_handshake (self->ssl);
  int code = SSL_get_error (self->ssl, result);
  ERR_clear_error ();
  *has_written = is_accepted && result == 1;
  if (code == SSL_ERROR_SSL || code == SSL_ERROR_SYSCALL) {
    close (self->server_fd);
    self->server_fd = -1;
  }
}

/* Handshake and the server's first byte. TRUE: it came. */
static gboolean
link_establish (Link *self, GError **error)
{
  gboolean is_done = FALSE;
  gboolean has_written = FALSE;
  char byte = 0;

  for (unsigned i = 0; i < 1000; i++) {
    if (!is_done) {
      int result = vigil_mqtt_tls_stream_handshake (self->stream, error);
      if (result == -1)
        return FALSE;
      is_done = result == 1;
    } else {
      ssize_t got = vigil_mqtt_tls_stream_read (self->stream, &byte, 1, error);
      if (got == -1)
        return FALSE;
      if (got == 1) {
        g_assert_cmpint (byte, ==, 'x');
        return TRUE;
      }
    }
    server_step (self, &has_written);
  }
  g_assert_not_reached ();
}

/* ---- Verification, alerts -------------------------------------------- */

#define MUTUAL(who)                                                            \
  .client = {.client_cert = who ".crt", .client_key = who ".key"}

static const Case cases[] = {
    {.name = "good", .fault = VIGIL_MQTT_FAULTS},
    {.name = "wildcard", .host = "a.wild.test", .fault = VIGIL_MQTT_FAULTS},
    {.name = "upper-case", .host = "BROKER.test", .fault = VIGIL_MQTT_FAULTS},
    {.name = "address", .host = "192.0.2.7", .fault = VIGIL_MQTT_FAULTS},
    {.name = "address-6", .host = "2001:db8::7", .fault = VIGIL_MQTT_FAULTS},
    {.name = "mutual",
        MUTUAL ("client"),
        .asks_client = TRUE,
        .fault = VIGIL_MQTT_FAULTS},
    {.name = "mutual-empty-subject",
        MUTUAL ("seed"),
        .asks_client = TRUE,
        .fault = VIGIL_MQTT_FAULTS},
    {.name = "crl", .client = {.crl = "none.crl"}, .fault = VIGIL_MQTT_FAULTS},
    {.name = "alpn",
        .client = {.alpn = "mqtt"},
        .server_alpn = "mqtt",
        .fault = VIGIL_MQTT_FAULTS},
    {.name = "insecure",
        .host = "elsewhere.test",
        .server = "self",
        .client = {.insecure_skip_verify = TRUE},
        .fault = VIGIL_MQTT_FAULTS},
    {.name = "self-signed-trusted",
        .server = "self",
        .client = {.ca_cert = "self.crt"},
        .fault = VIGIL_MQTT_FAULTS},

    {.name = "expired",
        .server = "old",
        .fault = VIGIL_MQTT_FAULT_EXPIRED,
        .detail = "(on 20"},
    {.name = "not-yet-valid",
        .server = "early",
        .fault = VIGIL_MQTT_FAULT_NOT_YET_VALID,
        .detail = "(before 20"},
    {.name = "wrong-host",
        .host = "elsewhere.test",
        .fault = VIGIL_MQTT_FAULT_WRONG_HOST,
        .detail = "(wanted 'elsewhere.test', it is for broker.test "
                  "*.wild.test 192.0.2.7 2001:db8::7)"},
    {.name = "wrong-address",
        .host = "192.0.2.8",
        .fault = VIGIL_MQTT_FAULT_WRONG_HOST,
        .detail = "'192.0.2.8'"},
    {.name = "wildcard-too-deep",
        .host = "a.b.wild.test",
        .fault = VIGIL_MQTT_FAULT_WRONG_HOST},
    {.name = "name-only",
        .server = "name-only",
        .fault = VIGIL_MQTT_FAULT_NO_ALTERNATIVE_NAME,
        .detail = "(for 'broker.test')"},
    {.name = "address-only",
        .host = "192.0.2.7",
        .server = "address-only",
        .fault = VIGIL_MQTT_FAULT_NO_ALTERNATIVE_NAME},
    {.name = "unknown-ca",
        .server = "foreign",
        .fault = VIGIL_MQTT_FAULT_UNKNOWN_CA,
        .detail = "(signed by CN = Other CA)"},
    {.name = "ca-of-the-same-name",
        .server = "twinned",
        .fault = VIGIL_MQTT_FAULT_SIGNATURE},
    {.name = "self-signed",
        .server = "self",
        .fault = VIGIL_MQTT_FAULT_SELF_SIGNED},
    {.name = "purpose",
        .server = "for-clients",
        .fault = VIGIL_MQTT_FAULT_PURPOSE},
    {.name = "revoked",
        .client = {.crl = "server.crl"},
        .fault = VIGIL_MQTT_FAULT_REVOKED},
    {.name = "crl-stale",
        .client = {.crl = "stale.crl"},
        .fault = VIGIL_MQTT_FAULT_CRL_EXPIRED},
    {.name = "crl-of-another",
        .client = {.crl = "ca2.crl"},
        .fault = VIGIL_MQTT_FAULT_CRL_MISSING},

    {.name = "client-missing",
        .asks_client = TRUE,
        .fault = VIGIL_MQTT_FAULT_CLIENT_REQUIRED},
    {.name = "client-expired",
        MUTUAL ("past"),
        .asks_client = TRUE,
        .fault = VIGIL_MQTT_FAULT_CLIENT_EXPIRED},
    {.name = "client-revoked",
        MUTUAL ("client"),
        .asks_client = TRUE,
        .server_crl = "client.crl",
        .fault = VIGIL_MQTT_FAULT_CLIENT_REVOKED},
    {.name = "client-unknown-ca",
        MUTUAL ("stranger"),
        .asks_client = TRUE,
        .fault = VIGIL_MQTT_FAULT_CLIENT_UNKNOWN_CA},
    {.name = "alpn-unknown",
        .client = {.alpn = "mqtt"},
        .server_alpn = "other",
        .fault = VIGIL_MQTT_FAULT_ALPN},
};

static void
run_case (const Case *wanted, int max_version)
{
  Link link = {0};
  g_autoptr (GError) error = NULL;

  link_open (&link, wanted, max_version);
  gboolean is_established = link_establish (&link, &error);
  if (wanted->fault == VIGIL_MQTT_FAULTS) {
    g_assert_no_error (error);
    g_assert_true (is_established);
  } else {
    const VigilMqttFault *fault = vigil_mqtt_fault_get (wanted->fault);
    g_assert_nonnull (error);
    g_test_message ("%s", error->message);
    g_assert_true (g_str_has_prefix (error->message, fault->text));
    g_assert_true (g_str_has_suffix (error->message, fault->advice));
    g_assert_error (error, VIGIL_ERROR, fault->error_code);
    if (wanted->detail != NULL)
      g_assert_nonnull (strstr (error->message, wanted->detail));
  }
  link_clear (&link);
}

static void
test_case_1_2 (const void *data)
{
  run_case (data, TLS1_2_VERSION);
}

static void
test_case_1_3 (const void *data)
{
  run_case (data, TLS1_3_VERSION);
}

static void
test_version (void)
{
  const Case too_old = {
      .client = {.min_version = "1.3"}, .fault = VIGIL_MQTT_FAULT_VERSION};

  run_case (&too_old, TLS1_2_VERSION);
}

/* ---- Peers that are no TLS server ------------------------------------ */

static void
run_raw_peer (const char *answer, VigilMqttFaultId id)
{
  Link link = {0};
  g_autoptr (GError) error = NULL;

  link_open (&link, &(Case){0}, TLS1_3_VERSION);
  g_assert_cmpint (vigil_mqtt_tls_stream_handshake (link.stream, &error), ==,
      VIGIL_MQTT_TLS_AGAIN);
  /* Only the peer can bring it on: a poll for more would spin. */
  g_assert_cmpint (
      vigil_mqtt_tls_stream_get_events (link.stream, TRUE), ==, POLLIN);
  if (*answer != '\0')
    g_assert_cmpint (write (link.server_fd, answer, strlen (answer)), >, 0);
  close (link.server_fd);
  link.server_fd = -1;
  g_assert_cmpint (
      vigil_mqtt_tls_stream_handshake (link.stream, &error), ==, -1);
  g_test_message ("%s", error->message);
  g_assert_true (
      g_str_has_prefix (error->message, vigil_mqtt_fault_get (id)->text));
  link_clear (&link);
}

static void
test_plain_peer (void)
{
  /* A broker without TLS takes the hello for a broken CONNECT and hangs up;
   * a web server answers. */
  run_raw_peer ("", VIGIL_MQTT_FAULT_CLOSED_IN_HANDSHAKE);
  run_raw_peer ("HTTP/1.1 400 Bad Request\r\n", VIGIL_MQTT_FAULT_NOT_TLS);
  run_raw_peer ("\x20\x02\x01\x01\x01", VIGIL_MQTT_FAULT_NOT_TLS);
}

/* ---- Data ------------------------------------------------------------ */

/* Reads what the client wrote until it has @size bytes. */
static void
server_read (Link *link, unsigned char *buffer, size_t *length, size_t size)
{
  while (*length < size) {
    int got = SSL_read (link->ssl, buffer + *length, (int)(size - *length));
    if (got <= 0) {
      g_assert_cmpint (SSL_get_error (link->ssl, got), ==, SSL_ERROR_WANT_READ);
      return;
    }
    *length += (size_t)got;
  }
}

/* Pieces of every size around that of a record arrive whole and in order
 * through a socket that is full most of the time. */
static void
test_write (void)
{
  const size_t sizes[] = {
      1, 2, 16383, 0, 16384, 16385, 5, 200000, 0, 33000, 7, 65536, 1};
  struct iovec vector[G_N_ELEMENTS (sizes)];
  size_t total = 0;
  Link link = {0};
  g_autoptr (GError) error = NULL;

  link_open (&link, &(Case){0}, TLS1_3_VERSION);
  g_assert_true (link_establish (&link, &error));
  for (unsigned i = 0; i < G_N_ELEMENTS (sizes); i++)
    total += sizes[i];
  g_autofree unsigned char *sent = g_malloc (total);
  g_autofree unsigned char *received = g_malloc0 (total);
  for (size_t i = 0; i < total; i++)
    sent[i] = (unsigned char)g_random_int ();
  size_t position = 0;
  for (unsigned i = 0; i < G_N_ELEMENTS (sizes); i++) {
    vector[i] = (struct iovec){sent + position, sizes[i]};
    position += sizes[i];
  }

  struct iovec *next = vector;
  int count = G_N_ELEMENTS (vector);
  size_t arrived = 0;
  unsigned waits = 0;
  while (count > 0) {
    ssize_t taken =
        vigil_mqtt_tls_stream_writev (link.stream, next, count, &error);
    g_assert_no_error (error);
    if (taken == VIGIL_MQTT_TLS_AGAIN) {
      g_assert_cmpint (vigil_mqtt_tls_stream_get_events (link.stream, TRUE), ==,
          POLLIN | POLLOUT);
      g_assert_cmpuint (
          vigil_mqtt_tls_stream_get_pending (link.stream), <=, 67 * 1024);
      server_read (&link, received, &arrived, total);
      waits++;
      continue;
    }
    g_assert_cmpint (taken, >, 0);
    for (; count > 0 && (size_t)taken >= next->iov_len; count--) {
      taken -= (ssize_t)next->iov_len;
      next++;
    }
    if (count > 0) {
      next->iov_base = (char *)next->iov_base + taken;
      next->iov_len -= (size_t)taken;
    }
  }
  for (unsigned i = 0; i < 1000 && arrived < total; i++) {
    server_read (&link, received, &arrived, total);
    g_assert_cmpint (
        vigil_mqtt_tls_stream_writev (link.stream, NULL, 0, &error), ==, 0);
  }
  g_assert_cmpuint (waits, >, 0);
  g_assert_cmpmem (sent, total, received, arrived);
  g_assert_cmpint (
      vigil_mqtt_tls_stream_get_events (link.stream, FALSE), ==, POLLIN);
  link_clear (&link);
}

/* Small pieces share a record, so that a header costs none of its own. */
static void
test_write_gathers (void)
{
  char header[] = "header";
  char body[20000] = {0};
  struct iovec vector[] = {{header, 6}, {body, sizeof body}};
  Link link = {0};
  g_autoptr (GError) error = NULL;
  unsigned char first[32768];

  link_open (&link, &(Case){0}, TLS1_3_VERSION);
  g_assert_true (link_establish (&link, &error));
  g_assert_cmpint (
      vigil_mqtt_tls_stream_writev (link.stream, vector, 2, &error), ==,
      sizeof body + 6);
  int got = SSL_read (link.ssl, first, sizeof first);
  g_assert_cmpint (got, ==, 16384);
  link_clear (&link);
}

static void
test_end (void)
{
  Link link = {0};
  g_autoptr (GError) error = NULL;
  char byte;

  link_open (&link, &(Case){0}, TLS1_3_VERSION);
  g_assert_true (link_establish (&link, &error));
  g_assert_cmpint (vigil_mqtt_tls_stream_read (link.stream, &byte, 1, &error),
      ==, VIGIL_MQTT_TLS_AGAIN);
  SSL_shutdown (link.ssl);
  g_assert_cmpint (
      vigil_mqtt_tls_stream_read (link.stream, &byte, 1, &error), ==, 0);
  g_assert_no_error (error);
  vigil_mqtt_tls_stream_close (link.stream);
  link_clear (&link);
}

/* A broker that is killed says nothing: that is an end like any other. */
static void
test_end_without_notice (void)
{
  Link link = {0};
  g_autoptr (GError) error = NULL;
  char byte;

  link_open (&link, &(Case){0}, TLS1_3_VERSION);
  g_assert_true (link_establish (&link, &error));
  close (link.server_fd);
  link.server_fd = -1;
  g_assert_cmpint (
      vigil_mqtt_tls_stream_read (link.stream, &byte, 1, &error), ==, 0);
  g_assert_no_error (error);

  struct iovec vector = {&byte, 1};
  g_assert_cmpint (
      vigil_mqtt_tls_stream_writev (link.stream, &vector, 1, &error), ==, -1);
  g_test_message ("%s", error->message);
  g_assert_nonnull (strstr (error->message, "was lost"));
  link_clear (&link);
}

static void
test_damaged_record (void)
{
  const unsigned char garbage[] = {0x17, 3, 3, 0, 32, 1, 2, 3, 4, 5, 6, 7, 8, 9,
      10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27,
      28, 29, 30, 31, 32};
  Link link = {0};
  g_autoptr (GError) error = NULL;
  char byte;

  link_open (&link, &(Case){0}, TLS1_3_VERSION);
  g_assert_true (link_establish (&link, &error));
  g_assert_cmpint (
      write (link.server_fd, garbage, sizeof garbage), ==, sizeof garbage);
  g_assert_cmpint (
      vigil_mqtt_tls_stream_read (link.stream, &byte, 1, &error), ==, -1);
  g_test_message ("%s", error->message);
  g_assert_nonnull (strstr (error->message, "is damaged"));
  link_clear (&link);
}

int
main (int argc, char **argv)
{
  vigil_fixture_init (&argc, &argv, 0);
  g_autofree char *folder = g_dir_make_tmp ("vigil-tls-XXXXXX", NULL);

  make_pki (folder);
  for (unsigned i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *old =
        g_strconcat ("/mqtt-tls-stream/1.2/", cases[i].name, NULL);
    g_autofree char *new =
        g_strconcat ("/mqtt-tls-stream/1.3/", cases[i].name, NULL);
    g_test_add_data_func (old, &cases[i], test_case_1_2);
    g_test_add_data_func (new, &cases[i], test_case_1_3);
  }
  g_test_add_func ("/mqtt-tls-stream/version", test_version);
  g_test_add_func ("/mqtt-tls-stream/plain-peer", test_plain_peer);
  g_test_add_func ("/mqtt-tls-stream/write", test_write);
  g_test_add_func ("/mqtt-tls-stream/write-gathers", test_write_gathers);
  g_test_add_func ("/mqtt-tls-stream/end", test_end);
  g_test_add_func (
      "/mqtt-tls-stream/end-without-notice", test_end_without_notice);
  g_test_add_func ("/mqtt-tls-stream/damaged-record", test_damaged_record);
  int status = g_test_run ();
  vigil_test_pki_free (pki);
  g_autofree char *command = g_strdup_printf ("rm -r '%s'", folder);
  g_assert_true (g_spawn_command_line_sync (command, NULL, NULL, NULL, NULL));
  return status;
}
