/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * Certificates for tests, made when the test runs: NAME.crt and NAME.key in
 * one folder. Whatever fails ends the test.
 */
typedef struct _VigilTestPki VigilTestPki;

/* Zeroed members mean what stands here. */
typedef struct {
  const char *common_name;       /* NULL: an empty subject */
  const char *alternative_names; /* "DNS:a,IP:127.0.0.1"; NULL: none */
  const char *usage;             /* "serverAuth", "clientAuth"; NULL: any */
  const char *issuer;            /* NULL: "ca"; its own name: self-signed */
  const char *key_password;      /* NULL: the key is not encrypted */
  long not_before_s; /* from now; both 0: a day ago to a day ahead */
  long not_after_s;
  gboolean is_ca;
  gboolean is_version_1; /* X.509 v1: no extensions at all */
  unsigned rsa_bits;     /* 0: an EC P-256 key */
} VigilTestCertificate;

/* Makes @folder if need be, and the CA "ca" in it. */
VigilTestPki *vigil_test_pki_new (const char *folder);
void vigil_test_pki_free (VigilTestPki *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VigilTestPki, vigil_test_pki_free)

/* Makes or replaces NAME.crt and NAME.key. */
void vigil_test_pki_add (VigilTestPki *self, const char *name,
    const VigilTestCertificate *certificate);
/* Writes FILE: the list of CA @issuer, with @revoked (nullable) in it, valid
 * until @until_s from now. */
void vigil_test_pki_write_crl (VigilTestPki *self, const char *file,
    const char *issuer, const char *revoked, long until_s);
/* The path of a file in the folder. Returns: (transfer none), until the pki
 * is freed. */
const char *vigil_test_pki_path (VigilTestPki *self, const char *file);
