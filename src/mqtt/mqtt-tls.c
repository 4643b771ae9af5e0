/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLS settings to an SSL_CTX: everything that can be wrong in the files is
 * found here, before a connection is tried.
 */
#include "mqtt/mqtt-tls.h"

#include "base/error.h"
#include "base/secret.h"
#include "mqtt/mqtt-fault.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <string.h>

struct _VigilMqttTls {
  gatomicrefcount reference_count;
  SSL_CTX *context;
  gboolean is_verifying;
  gboolean has_client_certificate;
  /* A copy of the settings, for renew. */
  char *ca_cert;
  char *client_cert;
  char *client_key;
  char *key_password_file;
  char *crl;
  char *min_version;
  char *alpn;
};

const char *const vigil_mqtt_tls_versions[] = {"1.2", "1.3", NULL};

G_DEFINE_AUTOPTR_CLEANUP_FUNC (X509, X509_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (X509_CRL, X509_CRL_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EVP_PKEY, EVP_PKEY_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BIO, BIO_free_all)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SSL, SSL_free)

/* ---- Errors ---------------------------------------------------------- */

/* @key: the setting; @path: its value. */
static gboolean
set_file_error (
    GError **error, VigilMqttFaultId id, const char *key, const char *path)
{
  unsigned long code = ERR_peek_last_error ();
  const char *reason = code != 0 ? ERR_reason_error_string (code) : NULL;

  /* "no start line" only repeats what the row says. */
  if (code != 0 && ERR_GET_LIB (code) == ERR_LIB_PEM)
    reason = NULL;
  vigil_mqtt_fault_set_error (error, id, reason);
  g_prefix_error (error, "%s '%s': ", key, path);
  ERR_clear_error ();
  return FALSE;
}

static gboolean
set_library_error (GError **error)
{
  unsigned long code = ERR_peek_last_error ();

  vigil_mqtt_fault_set_error (error, VIGIL_MQTT_FAULT_LIBRARY,
      code != 0 ? ERR_reason_error_string (code) : NULL);
  ERR_clear_error ();
  return FALSE;
}

static BIO *
open_file (
    const char *key, const char *path, VigilSecret **ret_bytes, GError **error)
{
  g_autoptr (GError) inner = NULL;
  g_autoptr (VigilSecret) bytes = vigil_secret_read_file (path, &inner);

  if (bytes == NULL) {
    vigil_mqtt_fault_set_error (error, VIGIL_MQTT_FAULT_FILE, inner->message);
    g_prefix_error (error, "%s: ", key);
    return NULL;
  }
  /* The BIO only points into the bytes. */
  BIO *bio = BIO_new_mem_buf (
      vigil_secret_get (bytes), (int)vigil_secret_get_length (bytes));
  if (bio == NULL) {
    set_library_error (error);
    return NULL;
  }
  *ret_bytes = g_steal_pointer (&bytes);
  return bio;
}

/* TRUE when PEM reading ended because there was no further block. */
static gboolean
is_end_of_pem (void)
{
  unsigned long code = ERR_peek_last_error ();

  return ERR_GET_LIB (code) == ERR_LIB_PEM &&
         ERR_GET_REASON (code) == PEM_R_NO_START_LINE;
}

/* ---- CA certificates and revocation lists ---------------------------- */

static gboolean
load_ca (SSL_CTX *context, const char *path, GError **error)
{
  g_autoptr (VigilSecret) bytes = NULL;
  g_autoptr (BIO) bio = open_file ("ca_cert", path, &bytes, error);
  X509_STORE *store = SSL_CTX_get_cert_store (context);
  unsigned count = 0;

  if (bio == NULL)
    return FALSE;
  ERR_clear_error ();
  for (;;) {
    g_autoptr (X509) certificate =
        PEM_read_bio_X509_AUX (bio, NULL, NULL, NULL);
    if (certificate == NULL)
      break;
    if (X509_STORE_add_cert (store, certificate) != 1)
      return set_library_error (error);
    count++;
  }
  /* A damaged second block must not silently leave a CA out. */
  if (count == 0 || !is_end_of_pem ())
    return set_file_error (
        error, VIGIL_MQTT_FAULT_NO_CERTIFICATE, "ca_cert", path);
  ERR_clear_error ();
  return TRUE;
}

static gboolean
load_crl (SSL_CTX *context, const char *path, GError **error)
{
  g_autoptr (VigilSecret) bytes = NULL;
  g_autoptr (BIO) bio = open_file ("crl", path, &bytes, error);
  X509_STORE *store = SSL_CTX_get_cert_store (context);
  unsigned count = 0;

  if (bio == NULL)
    return FALSE;
  ERR_clear_error ();
  for (;;) {
    g_autoptr (X509_CRL) list = PEM_read_bio_X509_CRL (bio, NULL, NULL, NULL);
    if (list == NULL)
      break;
    if (X509_STORE_add_crl (store, list) != 1)
      return set_library_error (error);
    count++;
  }
  if (count == 0 || !is_end_of_pem ())
    return set_file_error (error, VIGIL_MQTT_FAULT_NO_CRL, "crl", path);
  ERR_clear_error ();
  X509_STORE_set_flags (
      store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
  return TRUE;
}

/* ---- Client certificate and key -------------------------------------- */

static void
warn_of_dates (
    X509 *certificate, const char *key, const char *path, GPtrArray *warnings)
{
  if (warnings == NULL)
    return;
  if (X509_cmp_current_time (X509_get0_notAfter (certificate)) < 0)
    g_ptr_array_add (warnings,
        g_strdup_printf (
            "%s '%s' has expired: brokers will refuse it", key, path));
  else if (X509_cmp_current_time (X509_get0_notBefore (certificate)) > 0)
    g_ptr_array_add (warnings,
        g_strdup_printf ("%s '%s' is not valid yet: check this machine's "
                         "clock",
            key, path));
}

static gboolean
load_certificate (
    SSL_CTX *context, const char *path, GPtrArray *warnings, GError **error)
{
  g_autoptr (VigilSecret) bytes = NULL;
  g_autoptr (BIO) bio = open_file ("client_cert", path, &bytes, error);

  if (bio == NULL)
    return FALSE;
  ERR_clear_error ();
  g_autoptr (X509) own = PEM_read_bio_X509_AUX (bio, NULL, NULL, NULL);
  if (own == NULL)
    return set_file_error (
        error, VIGIL_MQTT_FAULT_NO_CERTIFICATE, "client_cert", path);
  if (SSL_CTX_use_certificate (context, own) != 1)
    return set_file_error (
        error, VIGIL_MQTT_FAULT_CERTIFICATE_WEAK, "client_cert", path);
  warn_of_dates (own, "client_cert", path, warnings);

  for (;;) {
    g_autoptr (X509) issuer = PEM_read_bio_X509 (bio, NULL, NULL, NULL);
    if (issuer == NULL)
      break;
    if (SSL_CTX_add1_chain_cert (context, issuer) != 1)
      return set_file_error (
          error, VIGIL_MQTT_FAULT_CERTIFICATE_WEAK, "client_cert", path);
  }
  if (!is_end_of_pem ())
    return set_file_error (
        error, VIGIL_MQTT_FAULT_NO_CERTIFICATE, "client_cert", path);
  ERR_clear_error ();
  return TRUE;
}

typedef struct {
  const VigilSecret *password; /* nullable */
  gboolean was_asked;
} PasswordRequest;

/* OpenSSL's own callback would ask on the terminal, and wait for ever. */
static int
give_password (char *buffer, int size, int is_writing, void *user_data)
{
  PasswordRequest *request = user_data;

  request->was_asked = TRUE;
  if (request->password == NULL)
    return -1;
  size_t length = vigil_secret_get_length (request->password);
  if (length > (size_t)size)
    return -1;
  memcpy (buffer, vigil_secret_get (request->password), length);
  return (int)length;
}

static gboolean
load_key (SSL_CTX *context, const VigilMqttTlsSettings *settings,
    GPtrArray *warnings, GError **error)
{
  const VigilSecretSources sources = {
      .credential = "mqtt-key-password", .file = settings->key_password_file};
  g_autoptr (GError) inner = NULL;
  g_autoptr (VigilSecret) password =
      vigil_secret_find (&sources, warnings, &inner);
  if (inner != NULL) {
    vigil_mqtt_fault_set_error (error, VIGIL_MQTT_FAULT_FILE, inner->message);
    g_prefix_error (error, "key_password_file: ");
    return FALSE;
  }

  const char *path = settings->client_key;
  g_autoptr (VigilSecret) bytes = NULL;
  g_autoptr (BIO) bio = open_file ("client_key", path, &bytes, error);
  if (bio == NULL)
    return FALSE;
  PasswordRequest request = {password, FALSE};
  ERR_clear_error ();
  g_autoptr (EVP_PKEY) key =
      PEM_read_bio_PrivateKey (bio, NULL, give_password, &request);
  if (key == NULL)
    return set_file_error (error,
        !request.was_asked ? VIGIL_MQTT_FAULT_NO_KEY
        : password == NULL ? VIGIL_MQTT_FAULT_KEY_ENCRYPTED
                           : VIGIL_MQTT_FAULT_KEY_PASSPHRASE,
        "client_key", path);
  ERR_clear_error ();
  if (SSL_CTX_use_PrivateKey (context, key) != 1 ||
      SSL_CTX_check_private_key (context) != 1)
    return set_file_error (
        error, VIGIL_MQTT_FAULT_KEY_MISMATCH, "client_key", path);

  g_autofree char *warning = vigil_secret_check_permissions (path);
  if (warning != NULL && warnings != NULL)
    g_ptr_array_add (warnings, g_strdup_printf ("client_key %s", warning));
  return TRUE;
}

static gboolean
load_identity (SSL_CTX *context, const VigilMqttTlsSettings *settings,
    GPtrArray *warnings, GError **error)
{
  if (settings->client_cert == NULL && settings->client_key == NULL)
    return TRUE;
  if (settings->client_cert == NULL || settings->client_key == NULL) {
    vigil_mqtt_fault_set_error (error, VIGIL_MQTT_FAULT_KEY_ALONE, NULL);
    g_prefix_error (error,
        "%s: ", settings->client_cert == NULL ? "client_cert" : "client_key");
    return FALSE;
  }
  return load_certificate (context, settings->client_cert, warnings, error) &&
         load_key (context, settings, warnings, error);
}

/* ---- Rules ----------------------------------------------------------- */

static gboolean
set_version (SSL_CTX *context, const char *min_version, GError **error)
{
  int version = TLS1_2_VERSION;

  if (g_strcmp0 (min_version, "1.3") == 0)
    version = TLS1_3_VERSION;
  else if (min_version != NULL && strcmp (min_version, "1.2") != 0) {
    vigil_mqtt_fault_set_error (
        error, VIGIL_MQTT_FAULT_SETTING, "want \"1.2\" or \"1.3\"");
    g_prefix_error (error, "min_version '%s': ", min_version);
    return FALSE;
  }
  if (SSL_CTX_set_min_proto_version (context, version) != 1)
    return set_library_error (error);
  return TRUE;
}

static gboolean
set_alpn (SSL_CTX *context, const char *alpn, GError **error)
{
  unsigned char wire[256];

  if (alpn == NULL)
    return TRUE;
  /* RFC 7301 section 3.1: a length byte before each name. */
  size_t length = strlen (alpn);
  if (length == 0 || length > 255) {
    vigil_mqtt_fault_set_error (error, VIGIL_MQTT_FAULT_SETTING,
        "want a protocol name of 1 to 255 bytes");
    g_prefix_error (error, "alpn: ");
    return FALSE;
  }
  wire[0] = (unsigned char)length;
  memcpy (wire + 1, alpn, length);
  if (SSL_CTX_set_alpn_protos (context, wire, (unsigned)length + 1) != 0)
    return set_library_error (error);
  return TRUE;
}

static gboolean
set_rules (SSL_CTX *context, const VigilMqttTlsSettings *settings,
    GPtrArray *warnings, GError **error)
{
  /* A broker that is killed sends no close_notify; MQTT says itself where a
   * packet ends. */
  SSL_CTX_set_options (context, SSL_OP_IGNORE_UNEXPECTED_EOF |
                                    SSL_OP_NO_RENEGOTIATION |
                                    SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode (context, SSL_MODE_ENABLE_PARTIAL_WRITE |
                                 SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                 SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_session_cache_mode (context, SSL_SESS_CACHE_OFF);

  if (settings->insecure_skip_verify) {
    SSL_CTX_set_verify (context, SSL_VERIFY_NONE, NULL);
    if (warnings != NULL)
      g_ptr_array_add (warnings,
          g_strdup ("insecure_skip_verify: whoever answers is taken for the "
                    "broker"));
    return TRUE;
  }
  SSL_CTX_set_verify (context, SSL_VERIFY_PEER, NULL);
  /* What stands in ca_cert is trusted, also when it is an intermediate CA
   * or the broker's own certificate. */
  X509_VERIFY_PARAM_set_flags (
      SSL_CTX_get0_param (context), X509_V_FLAG_PARTIAL_CHAIN);
  if (settings->ca_cert != NULL)
    return load_ca (context, settings->ca_cert, error);
  if (SSL_CTX_set_default_verify_paths (context) != 1)
    return set_library_error (error);
  return TRUE;
}

/* ---- Public ---------------------------------------------------------- */

VigilMqttTls *
vigil_mqtt_tls_new (
    const VigilMqttTlsSettings *settings, GPtrArray *warnings, GError **error)
{
  g_return_val_if_fail (settings != NULL, NULL);

  ERR_clear_error ();
  g_autoptr (VigilMqttTls) self = g_new0 (VigilMqttTls, 1);
  g_atomic_ref_count_init (&self->reference_count);
  self->context = SSL_CTX_new (TLS_client_method ());
  if (self->context == NULL) {
    set_library_error (error);
    return NULL;
  }
  if (!set_version (self->context, settings->min_version, error) ||
      !set_alpn (self->context, settings->alpn, error) ||
      !set_rules (self->context, settings, warnings, error) ||
      (settings->crl != NULL &&
          !load_crl (self->context, settings->crl, error)) ||
      !load_identity (self->context, settings, warnings, error))
    return NULL;

  self->is_verifying = !settings->insecure_skip_verify;
  self->has_client_certificate = settings->client_cert != NULL;
  self->ca_cert = g_strdup (settings->ca_cert);
  self->client_cert = g_strdup (settings->client_cert);
  self->client_key = g_strdup (settings->client_key);
  self->key_password_file = g_strdup (settings->key_password_file);
  self->crl = g_strdup (settings->crl);
  self->min_version = g_strdup (settings->min_version);
  self->alpn = g_strdup (settings->alpn);
  return g_steal_pointer (&self);
}

VigilMqttTls *
vigil_mqtt_tls_renew (
    const VigilMqttTls *self, GPtrArray *warnings, GError **error)
{
  g_return_val_if_fail (self != NULL, NULL);

  const VigilMqttTlsSettings settings = {
      .ca_cert = self->ca_cert,
      .client_cert = self->client_cert,
      .client_key = self->client_key,
      .key_password_file = self->key_password_file,
      .crl = self->crl,
      .min_version = self->min_version,
      .alpn = self->alpn,
      .insecure_skip_verify = !self->is_verifying,
  };
  return vigil_mqtt_tls_new (&settings, warnings, error);
}

VigilMqttTls *
vigil_mqtt_tls_ref (VigilMqttTls *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  g_atomic_ref_count_inc (&self->reference_count);
  return self;
}

void
vigil_mqtt_tls_unref (VigilMqttTls *self)
{
  if (self == NULL || !g_atomic_ref_count_dec (&self->reference_count))
    return;
  SSL_CTX_free (self->context);
  g_free (self->ca_cert);
  g_free (self->client_cert);
  g_free (self->client_key);
  g_free (self->key_password_file);
  g_free (self->crl);
  g_free (self->min_version);
  g_free (self->alpn);
  g_free (self);
}

gboolean
vigil_mqtt_tls_is_verifying (const VigilMqttTls *self)
{
  g_return_val_if_fail (self != NULL, FALSE);
  return self->is_verifying;
}

gboolean
vigil_mqtt_tls_has_client_certificate (const VigilMqttTls *self)
{
  g_return_val_if_fail (self != NULL, FALSE);
  return self->has_client_certificate;
}

/* ---- One connection -------------------------------------------------- */

/* The address without an IPv6 scope, or NULL when @host is a name. */
static char *
dup_address (const char *host)
{
  unsigned char binary[sizeof (struct in6_addr)];
  g_autofree char *address = g_strdup (host);
  char *scope = strchr (address, '%');

  if (scope != NULL)
    *scope = '\0';
  if (inet_pton (AF_INET, address, binary) == 1 ||
      inet_pton (AF_INET6, address, binary) == 1)
    return g_steal_pointer (&address);
  return NULL;
}

static gboolean
set_host (SSL *ssl, const char *host)
{
  X509_VERIFY_PARAM *param = SSL_get0_param (ssl);
  g_autofree char *address = dup_address (host);

  if (address != NULL)
    return X509_VERIFY_PARAM_set1_ip_asc (param, address) == 1;

  /* A trailing dot belongs to the resolver, not to the name in a
   * certificate (RFC 6066 section 3). */
  g_autofree char *name = g_strdup (host);
  size_t length = strlen (name);
  if (length > 1 && name[length - 1] == '.')
    name[length - 1] = '\0';
  /* RFC 9525 section 6.3: the common name does not count. */
  X509_VERIFY_PARAM_set_hostflags (
      param, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT |
                 X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  return X509_VERIFY_PARAM_set1_host (param, name, 0) == 1 &&
         SSL_set_tlsext_host_name (ssl, name) == 1;
}

SSL *
vigil_mqtt_tls_new_ssl (
    const VigilMqttTls *self, const char *host, GError **error)
{
  g_return_val_if_fail (self != NULL && host != NULL, NULL);

  ERR_clear_error ();
  g_autoptr (SSL) ssl = SSL_new (self->context);
  if (ssl == NULL || !set_host (ssl, host)) {
    set_library_error (error);
    return NULL;
  }
  SSL_set_connect_state (ssl);
  /* one recv for all records that there are, not two for each */
  SSL_set_read_ahead (ssl, 1);
  return g_steal_pointer (&ssl);
}
