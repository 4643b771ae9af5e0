/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <openssl/types.h>

/*
 * The same test, plain or over TLS: with VIGIL_TEST_TLS in the environment
 * the brokers of tests/common speak TLS, and clients are given what they
 * need for it. Certificates are made once for a test program. Any thread.
 */
gboolean vigil_test_tls_is_on (void);

/* The server's side. Returns: (transfer none). Only when it is on. */
SSL_CTX *vigil_test_tls_get_server (void);
/* A file of the certificates: "ca.crt", "server.crt", "server.key". Returns:
 * (transfer none). Only when it is on. */
const char *vigil_test_tls_get_path (const char *file);
