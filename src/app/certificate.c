/* SPDX-License-Identifier: Apache-2.0 */

/* Keys and X.509 certificates, made with OpenSSL. */

#include "app/certificate.h"

#include "base/error.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>

/* RFC 5280 section 4.1.2.2: at most 20 octets and positive. */
#define SERIAL_BITS 159
/* Clocks of the machines that meet may differ a little. */
#define BACKDATE_S (5 * 60)

struct _VigilCertificate {
  X509 *certificate;
  EVP_PKEY *key;
};

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BIO, BIO_free_all)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BIGNUM, BN_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (X509_EXTENSION, X509_EXTENSION_free)

static gboolean
set_openssl_error (const char *what, GError **error)
{
  unsigned long code = ERR_peek_last_error ();
  const char *reason = code != 0 ? ERR_reason_error_string (code) : NULL;

  g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_FAILED, "cannot %s: %s", what,
      reason != NULL ? reason : "OpenSSL gives no reason");
  ERR_clear_error ();
  return FALSE;
}

static gboolean
is_address (const char *host)
{
  unsigned char binary[sizeof (struct in6_addr)];

  return inet_pton (AF_INET, host, binary) == 1 ||
         inet_pton (AF_INET6, host, binary) == 1;
}

gboolean
vigil_certificate_is_host (const char *host)
{
  g_return_val_if_fail (host != NULL, FALSE);

  if (is_address (host))
    return TRUE;
  size_t length = strlen (host);
  if (length == 0 || length > 253 || host[0] == '.' || host[0] == '-' ||
      strstr (host, "..") != NULL)
    return FALSE;
  for (const char *c = host; *c != '\0'; c++)
    if (!g_ascii_isalnum (*c) && strchr ("-_.", *c) == NULL)
      return FALSE;
  /* 1.2.3.256 is a typing error, not a name. */
  return strspn (host, "0123456789.") != length;
}

/* ---- Parts of a certificate ------------------------------------------ */

static gboolean
add_extension (X509 *certificate, X509 *issuer, int nid, const char *value)
{
  X509V3_CTX context;

  X509V3_set_ctx (&context, issuer, certificate, NULL, NULL, 0);
  g_autoptr (X509_EXTENSION) extension =
      X509V3_EXT_conf_nid (NULL, &context, nid, value);
  return extension != NULL && X509_add_ext (certificate, extension, -1) == 1;
}

/* "DNS:broker,IP:192.0.2.1". Returns: (transfer full). */
static char *
dup_alternative_names (const char *const *hosts)
{
  GString *text = g_string_new (NULL);

  for (unsigned i = 0; hosts[i] != NULL; i++)
    g_string_append_printf (text, "%s%s:%s", i > 0 ? "," : "",
        is_address (hosts[i]) ? "IP" : "DNS", hosts[i]);
  return g_string_free (text, FALSE);
}

static gboolean
add_extensions (
    X509 *certificate, X509 *issuer, const VigilCertificateRequest *request)
{
  gboolean is_authority = request->kind == VIGIL_CERTIFICATE_AUTHORITY;

  if (!add_extension (certificate, issuer, NID_basic_constraints,
          is_authority ? "critical,CA:TRUE,pathlen:0" : "critical,CA:FALSE") ||
      !add_extension (certificate, issuer, NID_key_usage,
          is_authority ? "critical,keyCertSign,cRLSign"
                       : "critical,digitalSignature") ||
      !add_extension (certificate, issuer, NID_subject_key_identifier, "hash"))
    return FALSE;
  if (is_authority)
    return TRUE;
  if (!add_extension (
          certificate, issuer, NID_authority_key_identifier, "keyid") ||
      !add_extension (certificate, issuer, NID_ext_key_usage,
          request->kind == VIGIL_CERTIFICATE_SERVER ? "serverAuth"
                                                    : "clientAuth"))
    return FALSE;
  if (request->hosts == NULL || request->hosts[0] == NULL)
    return TRUE;
  g_autofree char *names = dup_alternative_names (request->hosts);
  return add_extension (certificate, issuer, NID_subject_alt_name, names);
}

static gboolean
set_serial (X509 *certificate)
{
  g_autoptr (BIGNUM) number = BN_new ();

  return number != NULL &&
         BN_rand (number, SERIAL_BITS, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) ==
             1 &&
         BN_to_ASN1_INTEGER (number, X509_get_serialNumber (certificate)) !=
             NULL;
}

static gboolean
set_times (X509 *certificate, const X509 *issuer, unsigned days)
{
  if (X509_gmtime_adj (X509_getm_notBefore (certificate), -BACKDATE_S) ==
          NULL ||
      X509_time_adj_ex (X509_getm_notAfter (certificate), (int)days, 0, NULL) ==
          NULL)
    return FALSE;
  if (issuer == NULL || ASN1_TIME_compare (X509_get0_notAfter (certificate),
                            X509_get0_notAfter (issuer)) <= 0)
    return TRUE;
  return X509_set1_notAfter (certificate, X509_get0_notAfter (issuer)) == 1;
}

static gboolean
set_name (X509 *certificate, const char *common_name)
{
  return X509_NAME_add_entry_by_txt (X509_get_subject_name (certificate), "CN",
             MBSTRING_UTF8, (const unsigned char *)common_name, -1, -1, 0) == 1;
}

/* ---- Public ---------------------------------------------------------- */

VigilCertificate *
vigil_certificate_new (const VigilCertificateRequest *request,
    const VigilCertificate *authority, GError **error)
{
  g_return_val_if_fail (request != NULL, NULL);
  g_return_val_if_fail (
      authority != NULL || request->kind == VIGIL_CERTIFICATE_AUTHORITY, NULL);

  g_autoptr (VigilCertificate) self = g_new0 (VigilCertificate, 1);
  ERR_clear_error ();
  self->key = EVP_EC_gen ("P-256");
  self->certificate = X509_new ();
  if (self->key == NULL || self->certificate == NULL) {
    set_openssl_error ("make a key", error);
    return NULL;
  }
  X509 *made = self->certificate;
  X509 *issuer = authority != NULL ? authority->certificate : made;
  if (X509_set_version (made, X509_VERSION_3) != 1 || !set_serial (made) ||
      !set_times (made, authority != NULL ? issuer : NULL, request->days) ||
      !set_name (made, request->common_name) ||
      X509_set_issuer_name (made, X509_get_subject_name (issuer)) != 1 ||
      X509_set_pubkey (made, self->key) != 1 ||
      !add_extensions (made, issuer, request) ||
      X509_sign (made, authority != NULL ? authority->key : self->key,
          EVP_sha256 ()) <= 0) {
    set_openssl_error ("make a certificate", error);
    return NULL;
  }
  return g_steal_pointer (&self);
}

/* Without this OpenSSL would ask on the terminal. */
static int
refuse_password (char *buffer, int size, int is_writing, void *user_data)
{
  return -1;
}

VigilCertificate *
vigil_certificate_read (
    const char *certificate_path, const char *key_path, GError **error)
{
  g_return_val_if_fail (certificate_path != NULL && key_path != NULL, NULL);

  g_autoptr (VigilSecret) certificate_text =
      vigil_secret_read_file (certificate_path, error);
  if (certificate_text == NULL)
    return NULL;
  g_autoptr (VigilSecret) key_text = vigil_secret_read_file (key_path, error);
  if (key_text == NULL)
    return NULL;

  g_autoptr (VigilCertificate) self = g_new0 (VigilCertificate, 1);
  g_autoptr (BIO) certificate_bio =
      BIO_new_mem_buf (vigil_secret_get (certificate_text),
          (int)vigil_secret_get_length (certificate_text));
  g_autoptr (BIO) key_bio = BIO_new_mem_buf (
      vigil_secret_get (key_text), (int)vigil_secret_get_length (key_text));
  ERR_clear_error ();
  self->certificate = PEM_read_bio_X509 (certificate_bio, NULL, NULL, NULL);
  self->key = PEM_read_bio_PrivateKey (key_bio, NULL, refuse_password, NULL);
  ERR_clear_error ();
  if (self->certificate == NULL || self->key == NULL) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID, "'%s': want %s",
        self->certificate == NULL ? certificate_path : key_path,
        self->certificate == NULL ? "a PEM certificate"
                                  : "a PEM private key without a pass-phrase");
    return NULL;
  }
  if (X509_check_private_key (self->certificate, self->key) != 1) {
    ERR_clear_error ();
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID,
        "'%s' does not belong to '%s'", key_path, certificate_path);
    return NULL;
  }
  return g_steal_pointer (&self);
}

void
vigil_certificate_free (VigilCertificate *self)
{
  if (self == NULL)
    return;
  X509_free (self->certificate);
  EVP_PKEY_free (self->key);
  g_free (self);
}

char *
vigil_certificate_to_pem (const VigilCertificate *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  g_autoptr (BIO) bio = BIO_new (BIO_s_mem ());
  char *bytes = NULL;
  PEM_write_bio_X509 (bio, self->certificate);
  long length = BIO_get_mem_data (bio, &bytes);
  return g_strndup (bytes, (size_t)length);
}

VigilSecret *
vigil_certificate_dup_key_pem (const VigilCertificate *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  /* The secure kind is wiped when it is freed. */
  g_autoptr (BIO) bio = BIO_new (BIO_s_secmem ());
  char *bytes = NULL;
  PEM_write_bio_PrivateKey (bio, self->key, NULL, NULL, 0, NULL, NULL);
  long length = BIO_get_mem_data (bio, &bytes);
  return vigil_secret_new (bytes, (size_t)length);
}
