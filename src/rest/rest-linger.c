/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the rest of requests that have been answered. */
#include "rest/rest-linger.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS_MAX 16
/* At a time, so that other connections have their turn. */
#define CHUNK_BYTES 65536

typedef struct {
  int socket;
  int64_t deadline_us;
  size_t bytes; /* thrown away so far */
  GList link;   /* data: the entry */
} Entry;

struct _VigilRestLinger {
  VigilRestLingerLimits limits;
  int epoll;
  GQueue entries; /* of Entry; the oldest, whose deadline is next, first */
  char chunk[CHUNK_BYTES];
};

VigilRestLinger *
vigil_rest_linger_new (const VigilRestLingerLimits *limits)
{
  VigilRestLinger *self = g_new0 (VigilRestLinger, 1);

  self->limits = *limits;
  self->epoll = epoll_create1 (EPOLL_CLOEXEC);
  g_queue_init (&self->entries);
  return self;
}

static void
drop (VigilRestLinger *self, Entry *entry)
{
  g_queue_unlink (&self->entries, &entry->link);
  /* By itself it would stay as long as the caller's descriptor is open. */
  epoll_ctl (self->epoll, EPOLL_CTL_DEL, entry->socket, NULL);
  close (entry->socket);
  g_free (entry);
}

void
vigil_rest_linger_free (VigilRestLinger *self)
{
  if (self == NULL)
    return;
  while (!g_queue_is_empty (&self->entries))
    drop (self, self->entries.head->data);
  if (self->epoll >= 0)
    close (self->epoll);
  g_free (self);
}

int
vigil_rest_linger_get_fd (const VigilRestLinger *self)
{
  return self->epoll;
}

/* Whether something is there to be read, or may come if there @has_more. */
static gboolean
is_unread (int socket, gboolean has_more)
{
  char byte;
  ssize_t got = recv (socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

  return got > 0 || (got < 0 && errno == EAGAIN && has_more);
}

void
vigil_rest_linger_add (
    VigilRestLinger *self, int socket, gboolean has_more, int64_t now_us)
{
  struct epoll_event event = {.events = EPOLLIN};
  Entry *entry;
  int own;

  if (!is_unread (socket, has_more))
    return;
  /* Without a descriptor, the connection ends as it would have. */
  own = fcntl (socket, F_DUPFD_CLOEXEC, 0);
  if (own < 0)
    return;
  shutdown (own, SHUT_WR);
  if (self->entries.length >= self->limits.sockets_max)
    drop (self, self->entries.head->data);
  entry = g_new0 (Entry, 1);
  entry->socket = own;
  entry->deadline_us = now_us + self->limits.time_us;
  entry->link.data = entry;
  g_queue_push_tail_link (&self->entries, &entry->link);
  event.data.ptr = entry;
  if (epoll_ctl (self->epoll, EPOLL_CTL_ADD, own, &event) != 0)
    drop (self, entry);
}

static void
discard (VigilRestLinger *self, Entry *entry)
{
  ssize_t got =
      recv (entry->socket, self->chunk, sizeof self->chunk, MSG_DONTWAIT);

  if (got > 0)
    entry->bytes += (size_t)got;
  if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR) ||
      entry->bytes >= self->limits.bytes_max)
    drop (self, entry);
}

int64_t
vigil_rest_linger_run (VigilRestLinger *self, int64_t now_us)
{
  struct epoll_event events[EVENTS_MAX];
  int count;

  if (g_queue_is_empty (&self->entries))
    return -1;
  count = epoll_wait (self->epoll, events, EVENTS_MAX, 0);
  for (int i = 0; i < count; i++)
    discard (self, events[i].data.ptr);
  while (!g_queue_is_empty (&self->entries)) {
    Entry *oldest = self->entries.head->data;

    if (oldest->deadline_us > now_us)
      return oldest->deadline_us;
    drop (self, oldest);
  }
  return -1;
}

unsigned
vigil_rest_linger_get_size (const VigilRestLinger *self)
{
  return self->entries.length;
}
