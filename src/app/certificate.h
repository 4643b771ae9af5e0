/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/secret.h"

/*
 * Makes certificates and their keys: EC P-256, SHA-256, X.509 v3. For
 * development and small installations; a company has a CA of its own.
 */
typedef struct _VigilCertificate VigilCertificate;

typedef enum {
  VIGIL_CERTIFICATE_AUTHORITY, /* signs others, itself by default */
  VIGIL_CERTIFICATE_SERVER,
  VIGIL_CERTIFICATE_CLIENT,
} VigilCertificateKind;

typedef struct {
  VigilCertificateKind kind;
  const char *common_name; /* at most 64 bytes of UTF-8 */
  /* Names and addresses of a server, NULL-terminated; nullable. */
  const char *const *hosts;
  unsigned days;
} VigilCertificateRequest;

/* TRUE when @host can stand in a certificate: an IP address, or a name of
 * letters, digits, '-', '_' and '.'. */
gboolean vigil_certificate_is_host (const char *host);

/*
 * @authority: who signs; NULL for an authority that signs itself. A
 * certificate never outlives the one that signed it.
 * Returns: (transfer full) (nullable).
 */
VigilCertificate *vigil_certificate_new (const VigilCertificateRequest *request,
    const VigilCertificate *authority, GError **error);
/* Reads both from PEM files, the key without a pass-phrase. Errors:
 * VIGIL_ERROR_INVALID also when they do not belong together. */
VigilCertificate *vigil_certificate_read (
    const char *certificate_path, const char *key_path, GError **error);
/* NULL is allowed. */
void vigil_certificate_free (VigilCertificate *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VigilCertificate, vigil_certificate_free)

/* PEM. Returns: (transfer full). */
char *vigil_certificate_to_pem (const VigilCertificate *self);
VigilSecret *vigil_certificate_dup_key_pem (const VigilCertificate *self);
