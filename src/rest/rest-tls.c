/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates of the REST interface. */
#include "rest/rest-tls.h"

#include "base/error.h"
#include "base/file.h"
#include <string.h>

#define PEM_BYTES_MAX 65536

struct _VigilRestTls {
  gatomicrefcount references;
  gnutls_certificate_credentials_t credentials;
  char *certificate;
  char *key;
  size_t key_size;
  char *client_ca; /* (nullable) */
};

static gnutls_datum_t
as_datum (const char *text)
{
  return (gnutls_datum_t){
      .data = (unsigned char *)text, .size = (unsigned)strlen (text)};
}

static gboolean
read_files (
    VigilRestTls *self, const VigilRestSettings *settings, GError **error)
{
  size_t size;

  self->certificate =
      vigil_file_read (settings->certificate_file, PEM_BYTES_MAX, &size, error);
  if (self->certificate == NULL)
    return FALSE;
  self->key = vigil_file_read (
      settings->key_file, PEM_BYTES_MAX, &self->key_size, error);
  if (self->key == NULL)
    return FALSE;
  if (settings->verify_clients)
    self->client_ca =
        vigil_file_read (settings->client_ca_file, PEM_BYTES_MAX, &size, error);
  return !settings->verify_clients || self->client_ca != NULL;
}

static gboolean
set_files (
    VigilRestTls *self, const VigilRestSettings *settings, GError **error)
{
  gnutls_datum_t certificate = as_datum (self->certificate);
  gnutls_datum_t key = as_datum (self->key);
  int result = gnutls_certificate_set_x509_key_mem2 (
      self->credentials, &certificate, &key, GNUTLS_X509_FMT_PEM, NULL, 0);

  if (result < 0) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID,
        "%s, %s: %s Want PEM files that belong together, the key without a "
        "pass-phrase",
        settings->certificate_file, settings->key_file,
        gnutls_strerror (result));
    return FALSE;
  }
  if (self->client_ca != NULL) {
    gnutls_datum_t client_ca = as_datum (self->client_ca);

    result = gnutls_certificate_set_x509_trust_mem (
        self->credentials, &client_ca, GNUTLS_X509_FMT_PEM);
    if (result <= 0) {
      g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID,
          "%s: want the certificate of an authority, a PEM file",
          settings->client_ca_file);
      return FALSE;
    }
  }
  return TRUE;
}

VigilRestTls *
vigil_rest_tls_load (const VigilRestSettings *settings, GError **error)
{
  g_autoptr (VigilRestTls) self = g_new0 (VigilRestTls, 1);

  g_atomic_ref_count_init (&self->references);
  if (gnutls_certificate_allocate_credentials (&self->credentials) < 0) {
    g_set_error (
        error, VIGIL_ERROR, VIGIL_ERROR_UNAVAILABLE, "TLS of REST: no memory");
    return NULL;
  }
  if (!read_files (self, settings, error) || !set_files (self, settings, error))
    return NULL;
  return g_steal_pointer (&self);
}

VigilRestTls *
vigil_rest_tls_ref (VigilRestTls *self)
{
  if (self != NULL)
    g_atomic_ref_count_inc (&self->references);
  return self;
}

void
vigil_rest_tls_unref (VigilRestTls *self)
{
  if (self == NULL || !g_atomic_ref_count_dec (&self->references))
    return;
  if (self->credentials != NULL)
    gnutls_certificate_free_credentials (self->credentials);
  if (self->key != NULL)
    explicit_bzero (self->key, self->key_size);
  g_free (self->key);
  g_free (self->certificate);
  g_free (self->client_ca);
  g_free (self);
}

const char *
vigil_rest_tls_get_certificate (const VigilRestTls *self)
{
  return self->certificate;
}

const char *
vigil_rest_tls_get_key (const VigilRestTls *self)
{
  return self->key;
}

const char *
vigil_rest_tls_get_client_ca (const VigilRestTls *self)
{
  return self->client_ca;
}

void
vigil_rest_tls_apply (VigilRestTls *self, gnutls_session_t session)
{
  gnutls_credentials_set (session, GNUTLS_CRD_CERTIFICATE, self->credentials);
}
