/* SPDX-License-Identifier: Apache-2.0 */
/* A destination under the test's control. */
#include "common/fake-destination.h"

#include "publish/payload.h"
#include <errno.h>
#include <pthread.h>
#include <string.h>

enum { KEPT_MAX = 10000 };

struct _FakeDestination {
  gboolean publish_frame;
  pthread_mutex_t lock; /* protects all below */
  pthread_cond_t changed;
  gboolean accepts;
  gboolean blocks;
  gboolean is_blocked;
  gboolean is_stopped;
  VigilMessage *kept[KEPT_MAX];
  unsigned published;
  unsigned skipped;
  unsigned dropped;
};

static const VigilSchemaKey keys[] = {
    {.name = "name", .type = VIGIL_SCHEMA_STRING},
    {.name = "publish_frame", .type = VIGIL_SCHEMA_BOOLEAN},
    {.name = "filter", .type = VIGIL_SCHEMA_OBJECT},
    {.name = NULL},
};

static FakeDestination *last_opened;

FakeDestination *
fake_destination_get (void)
{
  return last_opened;
}

static void
check (const VigilJson *settings, const char *path,
    const VigilDestinationContext *context, VigilProblems *problems)
{
}

static void *
open_fake (const VigilJson *settings, const VigilDestinationContext *context,
    GError **error)
{
  FakeDestination *self = g_new0 (FakeDestination, 1);
  pthread_condattr_t attributes;

  self->publish_frame =
      vigil_schema_get_boolean (settings, "publish_frame", FALSE);
  self->accepts = TRUE;
  pthread_mutex_init (&self->lock, NULL);
  pthread_condattr_init (&attributes);
  pthread_condattr_setclock (&attributes, CLOCK_MONOTONIC);
  pthread_cond_init (&self->changed, &attributes);
  pthread_condattr_destroy (&attributes);
  last_opened = self;
  return self;
}

static gboolean
start (void *state, GError **error)
{
  return TRUE;
}

static gboolean
wants_frame (const void *state)
{
  return ((const FakeDestination *)state)->publish_frame;
}

static gboolean
is_accepting (void *state)
{
  FakeDestination *self = state;
  gboolean result;

  pthread_mutex_lock (&self->lock);
  result = self->accepts;
  pthread_mutex_unlock (&self->lock);
  return result;
}

static void
skip (void *state)
{
  FakeDestination *self = state;

  pthread_mutex_lock (&self->lock);
  self->skipped++;
  pthread_cond_broadcast (&self->changed);
  pthread_mutex_unlock (&self->lock);
}

/* With the lock held. Returns: FALSE when @deadline_us has passed. */
static gboolean
wait_until (FakeDestination *self, int64_t deadline_us)
{
  const struct timespec deadline = {
      .tv_sec = deadline_us / G_USEC_PER_SEC,
      .tv_nsec = deadline_us % G_USEC_PER_SEC * 1000,
  };

  return pthread_cond_timedwait (&self->changed, &self->lock, &deadline) !=
         ETIMEDOUT;
}

static void
send_message (void *state, VigilMessage *message, int64_t deadline_us)
{
  FakeDestination *self = state;

  pthread_mutex_lock (&self->lock);
  self->is_blocked = self->blocks;
  pthread_cond_broadcast (&self->changed);
  while (self->blocks && !self->is_stopped && deadline_us != 0 &&
         wait_until (self, deadline_us))
    continue;
  self->is_blocked = FALSE;
  if (self->is_stopped || self->blocks) {
    self->dropped++;
  } else {
    if (self->published < KEPT_MAX)
      self->kept[self->published] = vigil_message_ref (message);
    self->published++;
  }
  pthread_cond_broadcast (&self->changed);
  pthread_mutex_unlock (&self->lock);
}

static void
stop (void *state, int64_t deadline_us)
{
  FakeDestination *self = state;

  pthread_mutex_lock (&self->lock);
  self->is_stopped = TRUE;
  pthread_cond_broadcast (&self->changed);
  pthread_mutex_unlock (&self->lock);
}

static void
get_status (void *state, VigilDestinationStatus *ret_status)
{
  FakeDestination *self = state;

  pthread_mutex_lock (&self->lock);
  ret_status->state = "fake";
  ret_status->published = self->published;
  ret_status->dropped[0].reason = "not_connected";
  ret_status->dropped[0].count = self->skipped;
  ret_status->dropped[1].reason = "blocked";
  ret_status->dropped[1].count = self->dropped;
  ret_status->dropped_size = 2;
  ret_status->offered = self->published + self->skipped + self->dropped;
  pthread_mutex_unlock (&self->lock);
}

static void
close_fake (void *state)
{
  FakeDestination *self = state;

  for (unsigned i = 0; i < MIN (self->published, KEPT_MAX); i++)
    vigil_message_unref (self->kept[i]);
  pthread_mutex_destroy (&self->lock);
  pthread_cond_destroy (&self->changed);
  if (last_opened == self)
    last_opened = NULL;
  g_free (self);
}

const VigilDestinationOps fake_destination_ops = {
    .type = "fake",
    .config_key = "fake_publisher",
    .keys = keys,
    .check = check,
    .open = open_fake,
    .start = start,
    .wants_frame = wants_frame,
    .is_accepting = is_accepting,
    .skip = skip,
    .send = send_message,
    .stop = stop,
    .get_status = get_status,
    .close = close_fake,
};

/* ---- What the test does ------------------------------------------------- */

void
fake_destination_set_accepting (FakeDestination *self, gboolean accepts)
{
  pthread_mutex_lock (&self->lock);
  self->accepts = accepts;
  pthread_mutex_unlock (&self->lock);
}

void
fake_destination_set_blocked (FakeDestination *self, gboolean blocks)
{
  pthread_mutex_lock (&self->lock);
  self->blocks = blocks;
  pthread_cond_broadcast (&self->changed);
  pthread_mutex_unlock (&self->lock);
}

unsigned
fake_destination_count (FakeDestination *self)
{
  unsigned count;

  pthread_mutex_lock (&self->lock);
  count = self->published;
  pthread_mutex_unlock (&self->lock);
  return count;
}

unsigned
fake_destination_count_skipped (FakeDestination *self)
{
  unsigned count;

  pthread_mutex_lock (&self->lock);
  count = self->skipped;
  pthread_mutex_unlock (&self->lock);
  return count;
}

gboolean
fake_destination_wait (
    FakeDestination *self, unsigned count, unsigned milliseconds)
{
  int64_t deadline_us = g_get_monotonic_time () + (int64_t)milliseconds * 1000;
  gboolean result;

  pthread_mutex_lock (&self->lock);
  while (self->published < count && wait_until (self, deadline_us))
    continue;
  result = self->published >= count;
  pthread_mutex_unlock (&self->lock);
  return result;
}

gboolean
fake_destination_wait_blocked (FakeDestination *self, unsigned milliseconds)
{
  int64_t deadline_us = g_get_monotonic_time () + (int64_t)milliseconds * 1000;
  gboolean result;

  pthread_mutex_lock (&self->lock);
  while (!self->is_blocked && wait_until (self, deadline_us))
    continue;
  result = self->is_blocked;
  pthread_mutex_unlock (&self->lock);
  return result;
}

VigilMessage *
fake_destination_dup (FakeDestination *self, unsigned index)
{
  VigilMessage *message;

  pthread_mutex_lock (&self->lock);
  g_assert (index < MIN (self->published, KEPT_MAX));
  message = vigil_message_ref (self->kept[index]);
  pthread_mutex_unlock (&self->lock);
  return message;
}
