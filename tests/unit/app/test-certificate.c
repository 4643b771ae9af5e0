/* SPDX-License-Identifier: Apache-2.0 */
#include "app/certificate.h"

#include "base/error.h"
#include "common/fixture.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <time.h>

static const char *const hosts[] = {
    "broker.test", "192.0.2.7", "2001:db8::7", NULL};

static X509 *
parse (const VigilCertificate *certificate)
{
  g_autofree char *text = vigil_certificate_to_pem (certificate);
  BIO *bio = BIO_new_mem_buf (text, -1);
  X509 *parsed = PEM_read_bio_X509 (bio, NULL, NULL, NULL);

  BIO_free (bio);
  g_assert_nonnull (parsed);
  return parsed;
}

static VigilCertificate *
make (
    VigilCertificateKind kind, unsigned days, const VigilCertificate *authority)
{
  const VigilCertificateRequest request = {
      kind, "test", kind == VIGIL_CERTIFICATE_SERVER ? hosts : NULL, days};
  g_autoptr (GError) error = NULL;
  VigilCertificate *certificate =
      vigil_certificate_new (&request, authority, &error);

  g_assert_no_error (error);
  return certificate;
}

/* OpenSSL's own verdict, with its strict reading of RFC 5280. */
static int
verify (const VigilCertificate *certificate, const VigilCertificate *authority,
    int purpose, const char *host)
{
  X509_STORE *store = X509_STORE_new ();
  X509_STORE_CTX *context = X509_STORE_CTX_new ();
  X509 *leaf = parse (certificate);
  X509 *root = parse (authority);

  X509_STORE_add_cert (store, root);
  X509_STORE_set_flags (store, X509_V_FLAG_X509_STRICT);
  X509_STORE_CTX_init (context, store, leaf, NULL);
  X509_STORE_CTX_set_purpose (context, purpose);
  if (host != NULL && X509_VERIFY_PARAM_set1_ip_asc (
                          X509_STORE_CTX_get0_param (context), host) != 1)
    X509_VERIFY_PARAM_set1_host (X509_STORE_CTX_get0_param (context), host, 0);
  int result = X509_verify_cert (context) == 1
                   ? X509_V_OK
                   : X509_STORE_CTX_get_error (context);
  X509_STORE_CTX_free (context);
  X509_STORE_free (store);
  X509_free (leaf);
  X509_free (root);
  return result;
}

static void
test_chain (VigilFixture *self, const void *data)
{
  g_autoptr (VigilCertificate) authority =
      make (VIGIL_CERTIFICATE_AUTHORITY, 10, NULL);
  g_autoptr (VigilCertificate) server =
      make (VIGIL_CERTIFICATE_SERVER, 1, authority);
  g_autoptr (VigilCertificate) client =
      make (VIGIL_CERTIFICATE_CLIENT, 1, authority);

  for (unsigned i = 0; hosts[i] != NULL; i++)
    g_assert_cmpint (
        verify (server, authority, X509_PURPOSE_SSL_SERVER, hosts[i]), ==,
        X509_V_OK);
  g_assert_cmpint (
      verify (server, authority, X509_PURPOSE_SSL_SERVER, "other.test"), ==,
      X509_V_ERR_HOSTNAME_MISMATCH);
  g_assert_cmpint (
      verify (client, authority, X509_PURPOSE_SSL_CLIENT, NULL), ==, X509_V_OK);
  /* Who has the client's key cannot play the broker, and the other way. */
  g_assert_cmpint (verify (client, authority, X509_PURPOSE_SSL_SERVER, NULL),
      ==, X509_V_ERR_INVALID_PURPOSE);
  g_assert_cmpint (verify (server, authority, X509_PURPOSE_SSL_CLIENT, NULL),
      ==, X509_V_ERR_INVALID_PURPOSE);
  /* Nor can either sign others. */
  g_autoptr (VigilCertificate) forged =
      make (VIGIL_CERTIFICATE_SERVER, 1, client);
  g_assert_cmpint (
      verify (forged, client, X509_PURPOSE_SSL_SERVER, "broker.test"), !=,
      X509_V_OK);
}

static void
test_times (VigilFixture *self, const void *data)
{
  g_autoptr (VigilCertificate) authority =
      make (VIGIL_CERTIFICATE_AUTHORITY, 10, NULL);
  g_autoptr (VigilCertificate) server =
      make (VIGIL_CERTIFICATE_SERVER, 365, authority);
  X509 *leaf = parse (server);
  time_t now = time (NULL);

  g_assert_cmpint (
      ASN1_TIME_cmp_time_t (X509_get0_notBefore (leaf), now), ==, -1);
  /* Never longer than who signed it. */
  g_assert_cmpint (
      ASN1_TIME_cmp_time_t (X509_get0_notAfter (leaf), now + 10 * 86400 + 60),
      ==, -1);
  g_assert_cmpint (
      ASN1_TIME_cmp_time_t (X509_get0_notAfter (leaf), now + 10 * 86400 - 60),
      ==, 1);
  X509_free (leaf);
}

static void
test_serials_differ (VigilFixture *self, const void *data)
{
  g_autoptr (VigilCertificate) authority =
      make (VIGIL_CERTIFICATE_AUTHORITY, 10, NULL);
  X509 *made[2];

  for (unsigned i = 0; i < 2; i++) {
    g_autoptr (VigilCertificate) certificate =
        make (VIGIL_CERTIFICATE_CLIENT, 1, authority);
    made[i] = parse (certificate);
    g_assert_cmpint (
        ASN1_STRING_length (X509_get0_serialNumber (made[i])), >=, 16);
    g_assert_cmpint (
        ASN1_STRING_length (X509_get0_serialNumber (made[i])), <=, 20);
  }
  g_assert_cmpint (ASN1_INTEGER_cmp (X509_get0_serialNumber (made[0]),
                       X509_get0_serialNumber (made[1])),
      !=, 0);
  X509_free (made[0]);
  X509_free (made[1]);
}

static void
test_read (VigilFixture *self, const void *data)
{
  g_autoptr (VigilCertificate) authority =
      make (VIGIL_CERTIFICATE_AUTHORITY, 10, NULL);
  g_autoptr (VigilCertificate) other =
      make (VIGIL_CERTIFICATE_AUTHORITY, 10, NULL);
  g_autofree char *text = vigil_certificate_to_pem (authority);
  g_autoptr (VigilSecret) key = vigil_certificate_dup_key_pem (authority);
  g_autoptr (VigilSecret) other_key = vigil_certificate_dup_key_pem (other);
  g_autofree char *path = vigil_fixture_write (self, "a.crt", text);
  g_autofree char *key_path =
      vigil_fixture_write (self, "a.key", vigil_secret_get (key));
  g_autofree char *other_path =
      vigil_fixture_write (self, "b.key", vigil_secret_get (other_key));
  g_autoptr (GError) error = NULL;

  g_autoptr (VigilCertificate) read =
      vigil_certificate_read (path, key_path, &error);
  g_assert_no_error (error);
  g_autofree char *again = vigil_certificate_to_pem (read);
  g_assert_cmpstr (again, ==, text);

  g_assert_null (vigil_certificate_read (path, other_path, &error));
  g_assert_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID);
  g_assert_nonnull (strstr (error->message, "does not belong to"));
  g_clear_error (&error);
  g_assert_null (vigil_certificate_read (key_path, key_path, &error));
  g_assert_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID);
  g_clear_error (&error);
  g_assert_null (vigil_certificate_read (path, path, &error));
  g_assert_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID);
  g_clear_error (&error);
  g_assert_null (vigil_certificate_read (path, "/no/such.key", &error));
  g_assert_error (error, VIGIL_ERROR, VIGIL_ERROR_NOT_FOUND);
}

static void
test_hosts (VigilFixture *self, const void *data)
{
  const char *good[] = {"localhost", "broker.example.com", "my_broker",
      "192.0.2.1", "::1", "broker."};
  const char *bad[] = {"", "a b", "-x", "a..b", "http://a", "1.2.3.256",
      "host:1883", "*.wild", "a,DNS:b", "[::1]", "/tmp"};

  for (unsigned i = 0; i < G_N_ELEMENTS (good); i++)
    g_assert_true (vigil_certificate_is_host (good[i]));
  for (unsigned i = 0; i < G_N_ELEMENTS (bad); i++)
    g_assert_false (vigil_certificate_is_host (bad[i]));
}

int
main (int argc, char **argv)
{
  vigil_fixture_init (&argc, &argv, 0);
#define ADD(path, function)                                                    \
  g_test_add (path, VigilFixture, NULL, vigil_fixture_set_up, function,        \
      vigil_fixture_tear_down)
  ADD ("/certificate/chain", test_chain);
  ADD ("/certificate/times", test_times);
  ADD ("/certificate/serials-differ", test_serials_differ);
  ADD ("/certificate/read", test_read);
  ADD ("/certificate/hosts", test_hosts);
  return g_test_run ();
}
