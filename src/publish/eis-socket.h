/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "publish/eis-settings.h"
#include "publish/eis-zap.h"
#include <glib.h>
#include <stdint.h>

/*
 * One PUB socket of the EIS Message Bus, shared by all who publish at its
 * endpoint. It opens with the first message, because how many messages may
 * wait for a slow subscriber follows from their size, and libzmq wants to
 * know before. Any thread may call; a lock is held for a whole message.
 */
typedef struct _VigilEisSocket VigilEisSocket;

/* Both must outlive the socket. @zap: (nullable): when nobody has keys.
 * Returns: (transfer full). */
VigilEisSocket *vigil_eis_socket_new (
    void *zmq_context, VigilEisZap *zap, const VigilEisSettings *settings);
/* Closes; what waits for subscribers is sent for up to @linger_ms, while
 * zmq_ctx_term waits. NULL is allowed. */
void vigil_eis_socket_free (VigilEisSocket *self, int linger_ms);

/*
 * Opens the socket if it is not, for messages of @message_bytes. After a
 * failure the next attempts are spaced as vigil_backoff_delay_ms says.
 * Returns: whether it is open. Never blocks.
 */
gboolean vigil_eis_socket_open (VigilEisSocket *self, size_t message_bytes);

/* FALSE while a failed open waits for its next attempt. */
gboolean vigil_eis_socket_is_accepting (VigilEisSocket *self);

/* The monotonic time in us from which subscribers that were waiting for the
 * endpoint can be expected to have come; 0 when it is not open. */
int64_t vigil_eis_socket_get_ready_us (VigilEisSocket *self);

/*
 * Sends one message: the envelope, @json, and @blob (nullable). Both are
 * kept, not copied, until libzmq is done with them. Subscribers whose queue
 * is full miss it. Never blocks.
 * Returns: FALSE when the socket is not open or failed; it is closed then.
 */
gboolean vigil_eis_socket_send (
    VigilEisSocket *self, const char *topic, GBytes *json, GBytes *blob);

typedef struct {
  const char *state;     /* interned: "waiting", "open", "retrying" */
  char last_error[256];  /* "" when there was none */
  int64_t next_retry_ms; /* -1: none planned */
  uint64_t opens;        /* successful ones, ever */
  int high_water_mark;   /* messages that may wait for each subscriber */
} VigilEisSocketStatus;

void vigil_eis_socket_get_status (
    VigilEisSocket *self, VigilEisSocketStatus *ret_status);
