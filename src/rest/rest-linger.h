/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Connections whose answer went out before all of the request was there: a
 * body that is too large, say. Were they closed at once, the kernel would
 * meet what still comes with a reset, which can take the answer away from
 * the client before it has read it (RFC 9112, 9.6). So what comes is thrown
 * away first, up to a limit of bytes, of time and of connections.
 * All functions belong to one thread; times are monotonic microseconds.
 */
typedef struct _VigilRestLinger VigilRestLinger;

typedef struct {
  unsigned sockets_max;
  size_t bytes_max; /* of one socket */
  int64_t time_us;  /* of one socket */
} VigilRestLingerLimits;

/* @limits is copied. Returns: (transfer full). */
VigilRestLinger *vigil_rest_linger_new (const VigilRestLingerLimits *limits);
/* Closes what is left. NULL is allowed. */
void vigil_rest_linger_free (VigilRestLinger *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VigilRestLinger, vigil_rest_linger_free)

/* Readable when vigil_rest_linger_run() has something to do. */
int vigil_rest_linger_get_fd (const VigilRestLinger *self);

/*
 * If there is something to read, or may be, because @has_more, keeps the
 * connection of @socket, which the caller may close, open for reading;
 * nothing more is sent. If there are too many, the oldest goes.
 */
void vigil_rest_linger_add (
    VigilRestLinger *self, int socket, gboolean has_more, int64_t now_us);

/* Reads what has come, closes what has ended or is over its limits, without
 * blocking. Returns: when to call again at the latest; -1: never. */
int64_t vigil_rest_linger_run (VigilRestLinger *self, int64_t now_us);

unsigned vigil_rest_linger_get_size (const VigilRestLinger *self);
