/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "rest/rest-settings.h"
#include <gnutls/gnutls.h>

/*
 * What the REST interface shows of itself and asks of its clients in TLS:
 * certificate, key and, with mutual TLS, the authority of client
 * certificates. Immutable and shared; a new one can take its place while
 * connections go on with the one they began with.
 */
typedef struct _VigilRestTls VigilRestTls;

/*
 * Reads the files that @settings name. Blocks. Errors: those of
 * vigil_file_read(), INVALID when the files are no PEM, or key and
 * certificate do not belong together.
 * Returns: (transfer full) (nullable).
 */
VigilRestTls *vigil_rest_tls_load (
    const VigilRestSettings *settings, GError **error);
/* Both from any thread. NULL is allowed. */
VigilRestTls *vigil_rest_tls_ref (VigilRestTls *self);
void vigil_rest_tls_unref (VigilRestTls *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VigilRestTls, vigil_rest_tls_unref)

/* The texts of the files (transfer none); the last is NULL without mutual
 * TLS. */
const char *vigil_rest_tls_get_certificate (const VigilRestTls *self);
const char *vigil_rest_tls_get_key (const VigilRestTls *self);
const char *vigil_rest_tls_get_client_ca (const VigilRestTls *self);

/* @session, whose handshake has not begun, is made with this one, which must
 * outlive it. */
void vigil_rest_tls_apply (VigilRestTls *self, gnutls_session_t session);
