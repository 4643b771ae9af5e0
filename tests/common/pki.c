/* SPDX-License-Identifier: Apache-2.0 */
#include "common/pki.h"

#include <glib/gstdio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <string.h>

#define HOUR_S 3600
#define DAY_S (24 * HOUR_S)

struct _VigilTestPki {
  char *folder;
  GHashTable *paths; /* element-type: char * to itself */
};

G_DEFINE_AUTOPTR_CLEANUP_FUNC (X509, X509_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (X509_CRL, X509_CRL_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EVP_PKEY, EVP_PKEY_free)

const char *
vigil_test_pki_path (VigilTestPki *self, const char *file)
{
  char *path = g_build_filename (self->folder, file, NULL);
  const char *known = g_hash_table_lookup (self->paths, path);

  if (known != NULL) {
    g_free (path);
    return known;
  }
  g_hash_table_add (self->paths, path);
  return path;
}

static FILE *
open_path (
    VigilTestPki *self, const char *name, const char *suffix, const char *mode)
{
  g_autofree char *file = g_strconcat (name, suffix, NULL);
  FILE *stream = g_fopen (vigil_test_pki_path (self, file), mode);

  g_assert_nonnull (stream);
  return stream;
}

static X509 *
read_certificate (VigilTestPki *self, const char *name)
{
  FILE *stream = open_path (self, name, ".crt", "r");
  X509 *certificate = PEM_read_X509 (stream, NULL, NULL, NULL);

  fclose (stream);
  g_assert_nonnull (certificate);
  return certificate;
}

static EVP_PKEY *
read_key (VigilTestPki *self, const char *name)
{
  FILE *stream = open_path (self, name, ".key", "r");
  EVP_PKEY *key = PEM_read_PrivateKey (stream, NULL, NULL, NULL);

  fclose (stream);
  g_assert_nonnull (key);
  return key;
}

static void
write_key (
    VigilTestPki *self, const char *name, EVP_PKEY *key, const char *password)
{
  FILE *stream = open_path (self, name, ".key", "w");

  g_assert_cmpint (PEM_write_PKCS8PrivateKey (stream, key,
                       password != NULL ? EVP_aes_256_cbc () : NULL, password,
                       password != NULL ? strlen (password) : 0, NULL, NULL),
      ==, 1);
  fclose (stream);
  g_autofree char *file = g_strconcat (name, ".key", NULL);
  g_assert_cmpint (g_chmod (vigil_test_pki_path (self, file), 0600), ==, 0);
}

static void
add_extension (X509 *certificate, X509 *issuer, int nid, const char *value)
{
  X509V3_CTX context;

  X509V3_set_ctx (&context, issuer, certificate, NULL, NULL, 0);
  X509_EXTENSION *extension = X509V3_EXT_conf_nid (NULL, &context, nid, value);
  g_assert_nonnull (extension);
  g_assert_cmpint (X509_add_ext (certificate, extension, -1), ==, 1);
  X509_EXTENSION_free (extension);
}

static void
set_extensions (
    X509 *certificate, X509 *issuer, const VigilTestCertificate *wanted)
{
  add_extension (certificate, issuer, NID_basic_constraints,
      wanted->is_ca ? "critical,CA:TRUE" : "CA:FALSE");
  add_extension (certificate, issuer, NID_subject_key_identifier, "hash");
  if (wanted->is_ca)
    add_extension (
        certificate, issuer, NID_key_usage, "critical,keyCertSign,cRLSign");
  if (wanted->alternative_names != NULL)
    add_extension (
        certificate, issuer, NID_subject_alt_name, wanted->alternative_names);
  if (wanted->usage != NULL)
    add_extension (certificate, issuer, NID_ext_key_usage, wanted->usage);
}

static void
set_times (X509 *certificate, const VigilTestCertificate *wanted)
{
  gboolean is_default = wanted->not_before_s == 0 && wanted->not_after_s == 0;

  X509_gmtime_adj (X509_getm_notBefore (certificate),
      is_default ? -DAY_S : wanted->not_before_s);
  X509_gmtime_adj (X509_getm_notAfter (certificate),
      is_default ? DAY_S : wanted->not_after_s);
}

void
vigil_test_pki_add (
    VigilTestPki *self, const char *name, const VigilTestCertificate *wanted)
{
  g_autoptr (EVP_PKEY) key = wanted->rsa_bits > 0
                                 ? EVP_RSA_gen (wanted->rsa_bits)
                                 : EVP_EC_gen ("P-256");
  const char *issuer_name = wanted->issuer != NULL ? wanted->issuer : "ca";
  gboolean is_self_signed = g_str_equal (issuer_name, name);
  g_autoptr (X509) certificate = X509_new ();
  g_autoptr (X509) issuer = NULL;
  g_autoptr (EVP_PKEY) issuer_key = NULL;
  uint32_t serial;

  g_assert_nonnull (key);
  write_key (self, name, key, wanted->key_password);
  RAND_bytes ((unsigned char *)&serial, sizeof serial);
  ASN1_INTEGER_set (X509_get_serialNumber (certificate), serial / 2 + 1);
  set_times (certificate, wanted);
  X509_set_pubkey (certificate, key);
  if (wanted->common_name != NULL)
    X509_NAME_add_entry_by_txt (X509_get_subject_name (certificate), "CN",
        MBSTRING_UTF8, (const unsigned char *)wanted->common_name, -1, -1, 0);
  if (!is_self_signed) {
    issuer = read_certificate (self, issuer_name);
    issuer_key = read_key (self, issuer_name);
  }
  X509_set_issuer_name (certificate,
      X509_get_subject_name (is_self_signed ? certificate : issuer));
  if (!wanted->is_version_1) {
    X509_set_version (certificate, X509_VERSION_3);
    set_extensions (certificate, is_self_signed ? certificate : issuer, wanted);
  }
  g_assert_cmpint (
      X509_sign (certificate, is_self_signed ? key : issuer_key, EVP_sha256 ()),
      >, 0);

  FILE *stream = open_path (self, name, ".crt", "w");
  g_assert_cmpint (PEM_write_X509 (stream, certificate), ==, 1);
  fclose (stream);
}

void
vigil_test_pki_write_crl (VigilTestPki *self, const char *file,
    const char *issuer, const char *revoked, long until_s)
{
  g_autoptr (X509) issuer_certificate = read_certificate (self, issuer);
  g_autoptr (EVP_PKEY) key = read_key (self, issuer);
  g_autoptr (X509_CRL) list = X509_CRL_new ();
  ASN1_TIME *then = X509_gmtime_adj (NULL, MIN (until_s, 0) - HOUR_S);

  X509_CRL_set_version (list, X509_CRL_VERSION_2);
  X509_CRL_set_issuer_name (list, X509_get_subject_name (issuer_certificate));
  X509_CRL_set1_lastUpdate (list, then);
  if (revoked != NULL) {
    g_autoptr (X509) certificate = read_certificate (self, revoked);
    X509_REVOKED *entry = X509_REVOKED_new ();
    X509_REVOKED_set_serialNumber (entry, X509_get_serialNumber (certificate));
    X509_REVOKED_set_revocationDate (entry, then);
    g_assert_cmpint (X509_CRL_add0_revoked (list, entry), ==, 1);
  }
  X509_gmtime_adj (then, until_s);
  X509_CRL_set1_nextUpdate (list, then);
  ASN1_TIME_free (then);
  g_assert_cmpint (X509_CRL_sort (list), ==, 1);
  g_assert_cmpint (X509_CRL_sign (list, key, EVP_sha256 ()), >, 0);

  FILE *stream = open_path (self, file, "", "w");
  g_assert_cmpint (PEM_write_X509_CRL (stream, list), ==, 1);
  fclose (stream);
}

VigilTestPki *
vigil_test_pki_new (const char *folder)
{
  VigilTestPki *self = g_new0 (VigilTestPki, 1);

  g_assert_cmpint (g_mkdir_with_parents (folder, 0700), ==, 0);
  self->folder = g_strdup (folder);
  self->paths = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  vigil_test_pki_add (self, "ca",
      &(VigilTestCertificate){
          .common_name = "Test CA", .issuer = "ca", .is_ca = TRUE});
  return self;
}

void
vigil_test_pki_free (VigilTestPki *self)
{
  if (self == NULL)
    return;
  g_hash_table_unref (self->paths);
  g_free (self->folder);
  g_free (self);
}
