/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <openssl/types.h>

/*
 * TLS settings, read and checked: certificates, key, revocation list and
 * rules of one broker, ready for connections. Immutable and
 * reference-counted; any thread. Renewed by making another from the same
 * settings.
 */
typedef struct _VigilMqttTls VigilMqttTls;

/* All nullable; paths of PEM files. */
typedef struct {
  const char *ca_cert;     /* NULL: the system's store */
  const char *client_cert; /* may hold the chain, own certificate first */
  const char *client_key;
  const char *key_password_file; /* pass-phrase of client_key, first line */
  const char *crl;
  const char *min_version; /* "1.2" (default) or "1.3" */
  const char *alpn;        /* one protocol name, such as "mqtt" */
  gboolean insecure_skip_verify;
} VigilMqttTlsSettings;

/* The words that min_version may be, NULL-terminated. */
extern const char *const vigil_mqtt_tls_versions[];

/*
 * Reads all files and checks what can be checked without a broker: that
 * they are there and PEM, that the key opens and belongs to the
 * certificate, that OpenSSL takes them. Messages begin with the setting's
 * key. A systemd credential "mqtt-key-password" goes before
 * key_password_file. Blocks on the disk.
 * @warnings: (nullable) (element-type char *): what works but should be
 *   known: a key that others can read, an expired certificate of ours,
 *   insecure_skip_verify.
 * Returns: (transfer full) (nullable).
 */
VigilMqttTls *vigil_mqtt_tls_new (
    const VigilMqttTlsSettings *settings, GPtrArray *warnings, GError **error);
/* The same from the files as they are now. Returns: (transfer full)
 * (nullable). */
VigilMqttTls *vigil_mqtt_tls_renew (
    const VigilMqttTls *self, GPtrArray *warnings, GError **error);
VigilMqttTls *vigil_mqtt_tls_ref (VigilMqttTls *self);
/* NULL is allowed. */
void vigil_mqtt_tls_unref (VigilMqttTls *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VigilMqttTls, vigil_mqtt_tls_unref)

/*
 * One connection's SSL for @host (a name or an address, as configured):
 * SNI for names, and the check of the certificate's subjectAltName against
 * it. Returns: (transfer full) (nullable).
 */
SSL *vigil_mqtt_tls_new_ssl (
    const VigilMqttTls *self, const char *host, GError **error);

gboolean vigil_mqtt_tls_is_verifying (const VigilMqttTls *self);
gboolean vigil_mqtt_tls_has_client_certificate (const VigilMqttTls *self);
