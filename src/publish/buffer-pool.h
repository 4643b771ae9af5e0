/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <stddef.h>

/*
 * Memory that goes round: a frame's payload is some hundred kilobytes, and
 * fetching that from the system for each frame costs page faults. Buffers
 * come back when the GBytes made of them ends, in any thread, also after
 * the pool's owner has let it go.
 */
typedef struct _VigilBufferPool VigilBufferPool;

/* @max_idle: how many unused buffers are kept. Returns: (transfer full). */
VigilBufferPool *vigil_buffer_pool_new (unsigned max_idle);
/* The memory ends with the last buffer. NULL is allowed. */
void vigil_buffer_pool_unref (VigilBufferPool *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VigilBufferPool, vigil_buffer_pool_unref)

/*
 * Any thread. Returns: (transfer full) (nullable): at least @size bytes, to
 * be given to vigil_buffer_pool_to_bytes; NULL when there is no memory.
 */
char *vigil_buffer_pool_take (VigilBufferPool *self, size_t size);
/* @buffer (transfer full), filled by the caller up to @size.
 * Returns: (transfer full). */
GBytes *vigil_buffer_pool_to_bytes (char *buffer, size_t size);

/* Buffers that wait to be used again: for tests and metrics. */
unsigned vigil_buffer_pool_count_idle (VigilBufferPool *self);
