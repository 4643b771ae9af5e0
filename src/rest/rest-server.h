/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "rest/rest-settings.h"
#include "server/instance-manager.h"

/*
 * The REST interface: one thread reads requests and answers those that do
 * not block; the others run in a few worker threads.
 */
typedef struct _VigilRestServer VigilRestServer;

/*
 * Binds the address and serves at once. @settings and @manager must outlive
 * the server. Errors: UNAVAILABLE when the address cannot be had, INVALID
 * for tokens and certificates.
 * Returns: (transfer full) (nullable).
 */
VigilRestServer *vigil_rest_server_new (const VigilRestSettings *settings,
    VigilInstanceManager *manager, GError **error);
/* Closes the port, waits for requests that are being handled, closes every
 * connection. NULL is allowed. */
void vigil_rest_server_free (VigilRestServer *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VigilRestServer, vigil_rest_server_free)

/*
 * Reads the tokens again; requests that come later are held against them.
 * After an error the old ones go on. Blocks. Any thread.
 */
gboolean vigil_rest_server_reload_tokens (
    VigilRestServer *self, GError **error);
/*
 * Reads certificate, key and the authority of client certificates again, for
 * connections that come later. After an error the old ones go on. Blocks.
 * Any thread.
 */
gboolean vigil_rest_server_reload_certificates (
    VigilRestServer *self, GError **error);

/* The port that was bound. */
uint16_t vigil_rest_server_get_port (const VigilRestServer *self);
