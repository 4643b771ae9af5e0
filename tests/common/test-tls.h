/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <openssl/types.h>

/*
 * The same test, plain or over TLS: with VIGIL_TEST_TLS in the environment
 * the brokers of tests/common speak TLS, and clients are given what they
 * need for it. Certificates are made once for a test program; when the
 * variable is the path of a folder, those in it are used (for a child of
 * the test). Any thread.
 */
gboolean vigil_test_tls_is_on (void);

/* The server's side. Returns: (transfer none). Only when it is on. */
SSL_CTX *vigil_test_tls_get_server (void);
/* A file of the certificates: "ca.crt", "server.crt", "server.key"; "" for
 * their folder. Returns: (transfer full). Only when it is on. */
char *vigil_test_tls_dup_path (const char *file);
/* What mosquitto's configuration needs below its listener; "" when it is
 * off. Returns: (transfer full). */
char *vigil_test_tls_dup_broker_lines (void);
