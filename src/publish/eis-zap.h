/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * Says for each CURVE client whether it may come in: a handler of ZeroMQ's
 * authentication protocol (RFC 27) in a thread of its own. libzmq asks it
 * at inproc://zeromq.zap.01, one for each context, with the domain of the
 * socket.
 */
typedef struct _VigilEisZap VigilEisZap;

/*
 * Binds in @zmq_context and starts the thread; do it before a socket that
 * needs it binds. Returns: (transfer full) (nullable). Errors: FAILED.
 */
VigilEisZap *vigil_eis_zap_new (void *zmq_context, GError **error);
/* Waits for the thread, which ends when zmq_ctx_shutdown was called for its
 * context. NULL is allowed. */
void vigil_eis_zap_free (VigilEisZap *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VigilEisZap, vigil_eis_zap_free)

/*
 * From now on a client of @domain comes in if its public key is among
 * @keys (Z85); with NULL every client that has a key. Nobody comes into a
 * domain that was not named. Any thread.
 */
void vigil_eis_zap_allow (
    VigilEisZap *self, const char *domain, const char *const *keys);
