/* SPDX-License-Identifier: Apache-2.0 */
/* A bounded queue between threads: a ring of items under one mutex. */
#include "base/queue.h"

#include <pthread.h>
#include <time.h>

#define FIRST_CAPACITY 16

typedef struct {
  void *data;
  size_t bytes;
} Item;

struct _VigilQueue {
  /* Set at birth. */
  size_t max_items;
  size_t max_bytes;
  VigilQueuePolicy policy;
  GDestroyNotify destroy;
  /* Protects all below. */
  pthread_mutex_t lock;
  pthread_cond_t not_empty; /* an item or a close for pop */
  pthread_cond_t not_full;  /* room or a close for push_wait */
  Item *ring; /* capacity slots, status.items of them used from head on */
  size_t capacity;
  size_t head;
  gboolean is_closed;
  VigilQueueStatus status;
};

VigilQueue *
vigil_queue_new (size_t max_items, size_t max_bytes, VigilQueuePolicy policy,
    GDestroyNotify destroy)
{
  g_return_val_if_fail (max_items > 0, NULL);

  VigilQueue *self = g_new0 (VigilQueue, 1);
  self->max_items = max_items;
  self->max_bytes = max_bytes;
  self->policy = policy;
  self->destroy = destroy;
  self->capacity = MIN (max_items, FIRST_CAPACITY);
  self->ring = g_new0 (Item, self->capacity);
  pthread_mutex_init (&self->lock, NULL);
  /* Deadlines must not move when somebody sets the clock. */
  pthread_condattr_t attributes;
  pthread_condattr_init (&attributes);
  pthread_condattr_setclock (&attributes, CLOCK_MONOTONIC);
  pthread_cond_init (&self->not_empty, &attributes);
  pthread_cond_init (&self->not_full, &attributes);
  pthread_condattr_destroy (&attributes);
  return self;
}

/* Waits on @condition. Returns: FALSE when @deadline_us has passed. */
static gboolean
wait_until (VigilQueue *self, pthread_cond_t *condition, int64_t deadline_us)
{
  if (deadline_us < 0)
    return pthread_cond_wait (condition, &self->lock) == 0;
  struct timespec deadline = {
      .tv_sec = (time_t)(deadline_us / G_USEC_PER_SEC),
      .tv_nsec = (long)(deadline_us % G_USEC_PER_SEC) * 1000,
  };
  return pthread_cond_timedwait (condition, &self->lock, &deadline) == 0;
}

/* With the lock held; there is an item. */
static Item
take_oldest (VigilQueue *self)
{
  Item item = self->ring[self->head];
  self->ring[self->head].data = NULL;
  self->head = (self->head + 1) % self->capacity;
  self->status.items--;
  self->status.bytes -= item.bytes;
  return item;
}

/* With the lock held; there is room by max_items. */
static void
append (VigilQueue *self, void *data, size_t bytes)
{
  if (self->status.items == self->capacity) {
    size_t capacity = MIN (self->max_items, self->capacity * 2);
    Item *ring = g_new0 (Item, capacity);
    for (size_t i = 0; i < self->status.items; i++)
      ring[i] = self->ring[(self->head + i) % self->capacity];
    g_free (self->ring);
    self->ring = ring;
    self->capacity = capacity;
    self->head = 0;
  }
  size_t slot = (self->head + self->status.items) % self->capacity;
  self->ring[slot] = (Item){data, bytes};
  self->status.items++;
  self->status.bytes += bytes;
  self->status.pushed++;
}

static gboolean
can_ever_hold (const VigilQueue *self, size_t bytes)
{
  return self->max_bytes == 0 || bytes <= self->max_bytes;
}

/* With the lock held. */
static gboolean
has_room (const VigilQueue *self, size_t bytes)
{
  if (self->status.items >= self->max_items)
    return FALSE;
  return self->max_bytes == 0 ||
         (bytes <= self->max_bytes &&
             self->status.bytes <= self->max_bytes - bytes);
}

/*
 * With the lock held: whether a push that waits is woken now. Once for half
 * a queue, for a turn of two threads costs more than many an item. And then
 * all of them: the room may do for a small item and not for the one whose
 * thread a single signal would wake.
 */
static gboolean
is_half_empty (const VigilQueue *self)
{
  return self->status.items <= self->max_items / 2 &&
         (self->max_bytes == 0 || self->status.bytes <= self->max_bytes / 2);
}

/*
 * With the lock held. What must be destroyed is added to @ret_doomed, made
 * when first needed, for the caller to free without the lock.
 */
static VigilQueueResult
push_locked (VigilQueue *self, void *data, size_t bytes, GPtrArray **ret_doomed)
{
  VigilQueueResult result = VIGIL_QUEUE_PUSHED;
  if (self->is_closed) {
    self->status.refused_closed++;
    result = VIGIL_QUEUE_REFUSED_CLOSED;
  } else if (!can_ever_hold (self, bytes) ||
             (self->policy == VIGIL_QUEUE_DROP_NEWEST &&
                 !has_room (self, bytes))) {
    self->status.refused_full++;
    result = VIGIL_QUEUE_REFUSED_FULL;
  }
  if (result != VIGIL_QUEUE_PUSHED) {
    *ret_doomed = g_ptr_array_new_with_free_func (self->destroy);
    g_ptr_array_add (*ret_doomed, data);
    return result;
  }

  while (!has_room (self, bytes)) {
    if (*ret_doomed == NULL)
      *ret_doomed = g_ptr_array_new_with_free_func (self->destroy);
    g_ptr_array_add (*ret_doomed, take_oldest (self).data);
    self->status.dropped_oldest++;
    result = VIGIL_QUEUE_PUSHED_DROPPED_OLDEST;
  }
  append (self, data, bytes);
  pthread_cond_signal (&self->not_empty);
  return result;
}

VigilQueueResult
vigil_queue_push (VigilQueue *self, void *item, size_t bytes)
{
  g_autoptr (GPtrArray) doomed = NULL;
  pthread_mutex_lock (&self->lock);
  VigilQueueResult result = push_locked (self, item, bytes, &doomed);
  pthread_mutex_unlock (&self->lock);
  return result;
}

VigilQueueResult
vigil_queue_push_wait (
    VigilQueue *self, void *item, size_t bytes, int64_t deadline_us)
{
  g_autoptr (GPtrArray) doomed = NULL;
  pthread_mutex_lock (&self->lock);
  while (!self->is_closed && can_ever_hold (self, bytes) &&
         !has_room (self, bytes)) {
    if (deadline_us == 0 || !wait_until (self, &self->not_full, deadline_us))
      break;
  }
  VigilQueueResult result = push_locked (self, item, bytes, &doomed);
  pthread_mutex_unlock (&self->lock);
  return result;
}

void *
vigil_queue_pop (VigilQueue *self, int64_t deadline_us)
{
  void *data = NULL;
  pthread_mutex_lock (&self->lock);
  while (self->status.items == 0 && !self->is_closed) {
    if (deadline_us == 0 || !wait_until (self, &self->not_empty, deadline_us))
      break;
  }
  if (self->status.items > 0) {
    data = take_oldest (self).data;
    self->status.popped++;
    if (is_half_empty (self))
      pthread_cond_broadcast (&self->not_full);
  }
  pthread_mutex_unlock (&self->lock);
  return data;
}

void
vigil_queue_close (VigilQueue *self)
{
  pthread_mutex_lock (&self->lock);
  self->is_closed = TRUE;
  pthread_cond_broadcast (&self->not_empty);
  pthread_cond_broadcast (&self->not_full);
  pthread_mutex_unlock (&self->lock);
}

gboolean
vigil_queue_is_closed (VigilQueue *self)
{
  pthread_mutex_lock (&self->lock);
  gboolean is_closed = self->is_closed;
  pthread_mutex_unlock (&self->lock);
  return is_closed;
}

void
vigil_queue_get_status (VigilQueue *self, VigilQueueStatus *ret_status)
{
  pthread_mutex_lock (&self->lock);
  *ret_status = self->status;
  pthread_mutex_unlock (&self->lock);
}

void
vigil_queue_free (VigilQueue *self)
{
  if (self == NULL)
    return;
  while (self->status.items > 0) {
    Item item = take_oldest (self);
    if (self->destroy != NULL)
      self->destroy (item.data);
  }
  pthread_cond_destroy (&self->not_full);
  pthread_cond_destroy (&self->not_empty);
  pthread_mutex_destroy (&self->lock);
  g_free (self->ring);
  g_free (self);
}
