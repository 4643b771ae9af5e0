/* SPDX-License-Identifier: Apache-2.0 */
/* A pool of large buffers that return when their GBytes ends. */
#include "publish/buffer-pool.h"

#include <pthread.h>
#include <stdint.h>

typedef struct _Buffer Buffer;

struct _Buffer {
  VigilBufferPool *pool; /* a reference while the buffer is out */
  Buffer *next;          /* in the idle list */
  size_t capacity;
  /* The caller's bytes follow; aligned as malloc aligns. */
  max_align_t bytes[];
};

struct _VigilBufferPool {
  pthread_mutex_t lock; /* protects all below */
  Buffer *idle;
  unsigned idle_size;
  unsigned max_idle;
  unsigned references;
};

/* A buffer this much larger than needed is not used: one large frame must
 * not pin its memory under small ones for ever. */
enum { WASTE_FACTOR = 4 };

VigilBufferPool *
vigil_buffer_pool_new (unsigned max_idle)
{
  VigilBufferPool *self = g_new0 (VigilBufferPool, 1);

  pthread_mutex_init (&self->lock, NULL);
  self->max_idle = max_idle;
  self->references = 1;
  return self;
}

static void
free_list (Buffer *buffers)
{
  Buffer *next;

  for (Buffer *buffer = buffers; buffer != NULL; buffer = next) {
    next = buffer->next;
    g_free (buffer);
  }
}

void
vigil_buffer_pool_unref (VigilBufferPool *self)
{
  gboolean is_last;

  if (self == NULL)
    return;
  pthread_mutex_lock (&self->lock);
  is_last = --self->references == 0;
  pthread_mutex_unlock (&self->lock);
  if (!is_last)
    return;
  free_list (self->idle);
  pthread_mutex_destroy (&self->lock);
  g_free (self);
}

/* The idle buffer that fits, out of the list; or NULL. */
static Buffer *
find_idle (VigilBufferPool *self, size_t size)
{
  for (Buffer **link = &self->idle; *link != NULL; link = &(*link)->next) {
    Buffer *buffer = *link;

    if (buffer->capacity >= size && buffer->capacity / WASTE_FACTOR <= size) {
      *link = buffer->next;
      self->idle_size--;
      return buffer;
    }
  }
  return NULL;
}

char *
vigil_buffer_pool_take (VigilBufferPool *self, size_t size)
{
  Buffer *buffer;
  size_t capacity;

  pthread_mutex_lock (&self->lock);
  self->references++;
  buffer = find_idle (self, size);
  pthread_mutex_unlock (&self->lock);
  if (buffer == NULL) {
    /* An eighth more, because the next JPEG is rarely of the same size. No
     * object may be larger than a ptrdiff_t can tell. */
    capacity = size + size / 8;
    buffer = capacity < size || capacity > PTRDIFF_MAX - sizeof (Buffer)
                 ? NULL
                 : g_try_malloc (sizeof (Buffer) + capacity);
    if (buffer == NULL) {
      vigil_buffer_pool_unref (self);
      return NULL;
    }
    buffer->capacity = capacity;
  }
  buffer->pool = self;
  return (char *)buffer->bytes;
}

static void
give_back (void *data)
{
  Buffer *buffer = data;
  VigilBufferPool *pool = buffer->pool;
  Buffer *unwanted = NULL;

  pthread_mutex_lock (&pool->lock);
  if (pool->idle_size == pool->max_idle) {
    /* The newest stays: its size is what frames have now. The oldest is the
     * list's last. */
    Buffer **link = &pool->idle;

    while (*link != NULL && (*link)->next != NULL)
      link = &(*link)->next;
    unwanted = *link;
    *link = NULL;
    pool->idle_size -= unwanted != NULL;
  }
  if (pool->max_idle > 0) {
    buffer->next = pool->idle;
    pool->idle = buffer;
    pool->idle_size++;
  } else {
    unwanted = buffer;
  }
  pthread_mutex_unlock (&pool->lock);
  g_free (unwanted);
  vigil_buffer_pool_unref (pool);
}

GBytes *
vigil_buffer_pool_to_bytes (char *buffer, size_t size)
{
  Buffer *self = (Buffer *)(buffer - offsetof (Buffer, bytes));

  return g_bytes_new_with_free_func (buffer, size, give_back, self);
}

unsigned
vigil_buffer_pool_count_idle (VigilBufferPool *self)
{
  unsigned size;

  pthread_mutex_lock (&self->lock);
  size = self->idle_size;
  pthread_mutex_unlock (&self->lock);
  return size;
}
