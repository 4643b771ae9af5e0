/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A bounded first-in-first-out queue between threads, limited by items and
 * by bytes. Built on pthread and C11 atomics so that ThreadSanitizer sees
 * it. Every function may be called from any thread.
 */
typedef struct _VigilQueue VigilQueue;

/* What happens to a push that finds the queue full. */
typedef enum {
  VIGIL_QUEUE_DROP_OLDEST, /* old items make room */
  VIGIL_QUEUE_DROP_NEWEST, /* the new item is not taken */
} VigilQueuePolicy;

typedef enum {
  VIGIL_QUEUE_PUSHED,                /* taken, nothing lost */
  VIGIL_QUEUE_PUSHED_DROPPED_OLDEST, /* taken, at least one old item lost */
  VIGIL_QUEUE_REFUSED_FULL,          /* not taken: the queue destroyed it */
  VIGIL_QUEUE_REFUSED_CLOSED,        /* not taken: the queue destroyed it */
} VigilQueueResult;

/*
 * @max_items: at least 1. @max_bytes: 0 for no limit by bytes; an item
 * larger than the limit is refused. @destroy: (nullable) frees an item that
 * is dropped, refused or left at free; called without the queue's lock.
 */
VigilQueue *vigil_queue_new (size_t max_items, size_t max_bytes,
    VigilQueuePolicy policy, GDestroyNotify destroy);

/* Frees the queue and what is in it. No other thread may use it any more.
 * NULL is allowed. */
void vigil_queue_free (VigilQueue *self);

/* Pushes @item (transfer full) that counts @bytes. Never blocks longer than
 * the lock. */
VigilQueueResult vigil_queue_push (VigilQueue *self, void *item, size_t bytes);

/*
 * Like push, but waits while there is no room, until the queue is half empty
 * or closed or @deadline_us (g_get_monotonic_time clock) has passed; then the
 * policy decides as in push.
 */
VigilQueueResult vigil_queue_push_wait (
    VigilQueue *self, void *item, size_t bytes, int64_t deadline_us);

/*
 * Takes the oldest item, waiting until @deadline_us (-1: for ever; 0: not
 * at all). Returns: (transfer full) (nullable): NULL when the deadline has
 * passed, or the queue is closed and empty.
 */
void *vigil_queue_pop (VigilQueue *self, int64_t deadline_us);

/* No more pushes; pops still empty it. Wakes every waiter. */
void vigil_queue_close (VigilQueue *self);

gboolean vigil_queue_is_closed (VigilQueue *self);

typedef struct {
  size_t items;
  size_t bytes;
  uint64_t pushed; /* taken, ever */
  uint64_t popped; /* handed out, ever */
  uint64_t dropped_oldest;
  uint64_t refused_full;
  uint64_t refused_closed;
} VigilQueueStatus;

/* Fills @ret_status with one consistent picture. */
void vigil_queue_get_status (VigilQueue *self, VigilQueueStatus *ret_status);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VigilQueue, vigil_queue_free)
