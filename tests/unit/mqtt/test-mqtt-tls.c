/* SPDX-License-Identifier: Apache-2.0 */
#include "mqtt/mqtt-tls.h"

#include "base/error.h"
#include "common/fixture.h"
#include "common/pki.h"

#include <glib/gstdio.h>
#include <openssl/ssl.h>
#include <string.h>

/* Made once: key generation is the slow part. */
static VigilTestPki *pki;

static const char *
path_of (const char *file)
{
  return file != NULL ? vigil_test_pki_path (pki, file) : NULL;
}

static void
write_text (const char *file, const char *text)
{
  g_assert_true (g_file_set_contents_full (
      path_of (file), text, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0600, NULL));
}

static void
make_pki (const char *folder)
{
  g_autofree char *damaged = NULL;
  g_autofree char *certificate = NULL;

  pki = vigil_test_pki_new (folder);
  vigil_test_pki_add (
      pki, "client", &(VigilTestCertificate){.common_name = "client"});
  vigil_test_pki_add (pki, "empty",
      &(VigilTestCertificate){.is_version_1 = TRUE, .rsa_bits = 2048});
  vigil_test_pki_add (
      pki, "other", &(VigilTestCertificate){.common_name = "other"});
  vigil_test_pki_add (pki, "locked",
      &(VigilTestCertificate){.common_name = "l", .key_password = "open"});
  vigil_test_pki_add (pki, "weak",
      &(VigilTestCertificate){.common_name = "weak", .rsa_bits = 1024});
  vigil_test_pki_add (pki, "old",
      &(VigilTestCertificate){
          .common_name = "old", .not_before_s = -7200, .not_after_s = -60});
  vigil_test_pki_add (pki, "early",
      &(VigilTestCertificate){
          .common_name = "early", .not_before_s = 3600, .not_after_s = 7200});
  vigil_test_pki_write_crl (pki, "ca.crl", "ca", NULL, 3600);
  write_text ("right", "open\n");
  write_text ("wrong", "shut\n");
  write_text ("empty.txt", "");
  write_text ("text", "no PEM here\n");
  g_assert_true (
      g_file_get_contents (path_of ("ca.crt"), &certificate, NULL, NULL));
  damaged = g_strdup_printf ("%s-----BEGIN CERTIFICATE-----\nAAAA\n"
                             "-----END CERTIFICATE-----\n",
      certificate);
  write_text ("damaged", damaged);
}

typedef struct {
  const char *name;
  VigilMqttTlsSettings settings; /* files by name in the pki's folder */
  const char *message;           /* part of the error; NULL: works */
  const char *warning;           /* part of the one warning; NULL: none */
} Case;

static const Case cases[] = {
    {"nothing-set", {0}, NULL, NULL},
    {"ca", {.ca_cert = "ca.crt"}, NULL, NULL},
    {"mutual",
        {.ca_cert = "ca.crt",
            .client_cert = "client.crt",
            .client_key = "client.key"},
        NULL, NULL},
    {"empty-subject-version-1",
        {.client_cert = "empty.crt", .client_key = "empty.key"}, NULL, NULL},
    {"crl", {.ca_cert = "ca.crt", .crl = "ca.crl"}, NULL, NULL},
    {"versions-and-alpn", {.min_version = "1.3", .alpn = "mqtt"}, NULL, NULL},
    {"key-with-password",
        {.client_cert = "locked.crt",
            .client_key = "locked.key",
            .key_password_file = "right"},
        NULL, NULL},
    {"insecure", {.insecure_skip_verify = TRUE}, NULL,
        "insecure_skip_verify: whoever"},
    {"certificate-expired", {.client_cert = "old.crt", .client_key = "old.key"},
        NULL, "old.crt' has expired"},
    {"certificate-early",
        {.client_cert = "early.crt", .client_key = "early.key"}, NULL,
        "early.crt' is not valid yet"},

    {"ca-missing", {.ca_cert = "none.crt"},
        "ca_cert: a file that the tls settings name cannot be used", NULL},
    {"ca-folder", {.ca_cert = "."}, "want a regular file", NULL},
    {"ca-empty", {.ca_cert = "empty.txt"},
        "there is no certificate in the file", NULL},
    {"ca-text", {.ca_cert = "text"}, "want PEM", NULL},
    {"ca-key", {.ca_cert = "client.key"}, "no certificate in the file", NULL},
    {"ca-damaged", {.ca_cert = "damaged"}, "no certificate in the file", NULL},
    {"crl-missing", {.crl = "none"}, "crl: a file that", NULL},
    {"crl-certificate", {.crl = "ca.crt"}, "no revocation list", NULL},
    {"certificate-alone", {.client_cert = "client.crt"},
        "client_key: a client certificate and its key", NULL},
    {"key-alone", {.client_key = "client.key"},
        "client_cert: a client certificate and its key", NULL},
    {"key-of-another", {.client_cert = "client.crt", .client_key = "other.key"},
        "does not belong to the client certificate", NULL},
    {"key-of-another-kind",
        {.client_cert = "client.crt", .client_key = "empty.key"},
        "does not belong to the client certificate", NULL},
    {"key-is-certificate",
        {.client_cert = "client.crt", .client_key = "client.crt"},
        "no private key in the file", NULL},
    {"key-missing", {.client_cert = "client.crt", .client_key = "none.key"},
        "client_key: a file", NULL},
    {"key-encrypted", {.client_cert = "locked.crt", .client_key = "locked.key"},
        "the client key is encrypted: set key_password_file", NULL},
    {"key-wrong-password",
        {.client_cert = "locked.crt",
            .client_key = "locked.key",
            .key_password_file = "wrong"},
        "the pass-phrase does not open", NULL},
    {"key-no-password",
        {.client_cert = "locked.crt",
            .client_key = "locked.key",
            .key_password_file = "empty.txt"},
        "key_password_file: ", NULL},
    {"certificate-weak", {.client_cert = "weak.crt", .client_key = "weak.key"},
        "too weak for today's OpenSSL", NULL},
    {"certificate-text", {.client_cert = "text", .client_key = "client.key"},
        "client_cert '", NULL},
    {"version-unknown", {.min_version = "1.1"},
        "min_version '1.1': a tls setting has no meaning (want \"1.2\" or "
        "\"1.3\")",
        NULL},
    {"alpn-empty", {.alpn = ""}, "alpn: ", NULL},
};

static void
test_case (const void *data)
{
  const Case *wanted = data;
  VigilMqttTlsSettings settings = wanted->settings;
  g_autoptr (GPtrArray) warnings = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GError) error = NULL;

  settings.ca_cert = path_of (settings.ca_cert);
  settings.client_cert = path_of (settings.client_cert);
  settings.client_key = path_of (settings.client_key);
  settings.key_password_file = path_of (settings.key_password_file);
  settings.crl = path_of (settings.crl);
  g_autoptr (VigilMqttTls) tls =
      vigil_mqtt_tls_new (&settings, warnings, &error);

  for (unsigned i = 0; i < warnings->len; i++)
    g_test_message ("warning: %s", (char *)warnings->pdata[i]);
  if (wanted->message != NULL) {
    g_assert_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID);
    g_test_message ("%s", error->message);
    g_assert_nonnull (strstr (error->message, wanted->message));
    g_assert_null (strstr (error->message, "open\n"));
    g_assert_null (tls);
    return;
  }
  g_assert_no_error (error);
  g_assert_nonnull (tls);
  g_assert_cmpuint (warnings->len, ==, wanted->warning != NULL ? 1 : 0);
  if (wanted->warning != NULL)
    g_assert_nonnull (strstr (warnings->pdata[0], wanted->warning));
  g_assert_cmpint (
      vigil_mqtt_tls_is_verifying (tls), ==, !settings.insecure_skip_verify);
  g_assert_cmpint (vigil_mqtt_tls_has_client_certificate (tls), ==,
      settings.client_cert != NULL);

  g_autoptr (VigilMqttTls) renewed = vigil_mqtt_tls_renew (tls, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpint (vigil_mqtt_tls_is_verifying (renewed), ==,
      !settings.insecure_skip_verify);
}

/* The seed's recipe ends with a chmod 644 of the key: that works. */
static void
test_readable_key (void)
{
  const VigilMqttTlsSettings settings = {
      .client_cert = path_of ("other.crt"),
      .client_key = path_of ("other.key"),
  };
  g_autoptr (GPtrArray) warnings = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (g_chmod (settings.client_key, 0644), ==, 0);
  g_autoptr (VigilMqttTls) tls =
      vigil_mqtt_tls_new (&settings, warnings, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (warnings->len, ==, 1);
  g_assert_nonnull (strstr (warnings->pdata[0], "read by every user"));
}

static void
test_credential (void)
{
  const VigilMqttTlsSettings settings = {
      .client_cert = path_of ("locked.crt"),
      .client_key = path_of ("locked.key"),
      .key_password_file = path_of ("wrong"),
  };
  g_autofree char *folder = g_path_get_dirname (path_of ("mqtt-key-password"));
  g_autoptr (GError) error = NULL;

  write_text ("mqtt-key-password", "open");
  g_setenv ("CREDENTIALS_DIRECTORY", folder, TRUE);
  g_autoptr (VigilMqttTls) tls = vigil_mqtt_tls_new (&settings, NULL, &error);
  g_unsetenv ("CREDENTIALS_DIRECTORY");
  g_assert_no_error (error);
  g_assert_nonnull (tls);
}

static void
test_hosts (void)
{
  const struct {
    const char *host;
    const char *sni; /* NULL: none, it is an address */
  } hosts[] = {
      {"broker.example", "broker.example"},
      {"broker.example.", "broker.example"},
      {"localhost", "localhost"},
      {"192.0.2.1", NULL},
      {"::1", NULL},
      {"fe80::1%eth0", NULL},
  };
  g_autoptr (VigilMqttTls) tls =
      vigil_mqtt_tls_new (&(VigilMqttTlsSettings){0}, NULL, NULL);

  for (unsigned i = 0; i < G_N_ELEMENTS (hosts); i++) {
    g_autoptr (GError) error = NULL;
    SSL *ssl = vigil_mqtt_tls_new_ssl (tls, hosts[i].host, &error);
    g_assert_no_error (error);
    g_assert_cmpstr (
        SSL_get_servername (ssl, TLSEXT_NAMETYPE_host_name), ==, hosts[i].sni);
    SSL_free (ssl);
  }
}

int
main (int argc, char **argv)
{
  vigil_fixture_init (&argc, &argv, 0);
  g_autofree char *folder = g_dir_make_tmp ("vigil-tls-XXXXXX", NULL);

  make_pki (folder);
  for (unsigned i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *path =
        g_strconcat ("/mqtt-tls/settings/", cases[i].name, NULL);
    g_test_add_data_func (path, &cases[i], test_case);
  }
  g_test_add_func ("/mqtt-tls/readable-key", test_readable_key);
  g_test_add_func ("/mqtt-tls/credential", test_credential);
  g_test_add_func ("/mqtt-tls/hosts", test_hosts);
  int status = g_test_run ();
  vigil_test_pki_free (pki);
  g_autofree char *command = g_strdup_printf ("rm -r '%s'", folder);
  g_assert_true (g_spawn_command_line_sync (command, NULL, NULL, NULL, NULL));
  return status;
}
