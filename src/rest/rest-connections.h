/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <stdint.h>

/*
 * The open connections and how long each may take. The HTTP library counts
 * only idle time, so a client that sends a byte now and then could hold a
 * connection for ever; here every phase of a request has an absolute end.
 * All functions belong to one thread; times are monotonic microseconds.
 */
typedef struct _VigilRestConnections VigilRestConnections;
typedef struct _VigilRestConnection VigilRestConnection;

typedef enum {
  VIGIL_REST_CONNECTIONS_HEADERS,  /* waits for the headers of a request */
  VIGIL_REST_CONNECTIONS_BODY,     /* waits for its body */
  VIGIL_REST_CONNECTIONS_HANDLING, /* our turn: no end */
  VIGIL_REST_CONNECTIONS_ANSWER,   /* waits until the answer is taken */
  VIGIL_REST_CONNECTIONS_CLOSED,   /* given up, not gone yet: no end */
} VigilRestConnectionsPhase;

typedef struct {
  unsigned connections_max;
  int64_t header_us;
  int64_t body_us;
  int64_t answer_us;
  /* Ends the connection @socket, which is in @phase. */
  void (*give_up) (
      int socket, VigilRestConnectionsPhase phase, void *user_data);
  void *user_data;
} VigilRestConnectionsLimits;

VigilRestConnections *vigil_rest_connections_new (
    const VigilRestConnectionsLimits *limits);
void vigil_rest_connections_free (VigilRestConnections *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (
    VigilRestConnections, vigil_rest_connections_free)

/*
 * A new connection, in phase HEADERS. When there are too many, the one that
 * we have waited for longest, for headers, a body or the taking of an answer,
 * is given up: a crowd of slow clients costs itself the place, not others.
 * Returns: (transfer none): valid until remove.
 */
VigilRestConnection *vigil_rest_connections_add (
    VigilRestConnections *self, int socket, int64_t now_us);
/* It is closed; call before the socket's number can be used again. */
void vigil_rest_connections_remove (
    VigilRestConnections *self, VigilRestConnection *connection);
void vigil_rest_connections_set_phase (VigilRestConnections *self,
    VigilRestConnection *connection, VigilRestConnectionsPhase phase,
    int64_t now_us);
/* Gives up what is over time. Returns: when to call again; -1: not before
 * something changes. */
int64_t vigil_rest_connections_expire (
    VigilRestConnections *self, int64_t now_us);
unsigned vigil_rest_connections_get_size (const VigilRestConnections *self);
