/* SPDX-License-Identifier: Apache-2.0 */
/* A destination that one caller waits at. */
#include "server/image-response.h"

#include "publish/payload.h"
#include <pthread.h>
#include <string.h>

struct _VigilImageResponse {
  pthread_mutex_t lock;    /* protects what follows */
  pthread_cond_t changed;  /* of message or has_ended */
  int64_t expected_pts_ns; /* or VIGIL_TIME_NONE: nobody waits */
  VigilMessage *message;   /* nullable: the one that was expected */
  gboolean has_ended;
  uint64_t offered;
  uint64_t handed_over;
};

VigilImageResponse *
vigil_image_response_new (void)
{
  VigilImageResponse *self = g_new0 (VigilImageResponse, 1);

  pthread_mutex_init (&self->lock, NULL);
  pthread_cond_init (&self->changed, NULL);
  self->expected_pts_ns = VIGIL_TIME_NONE;
  return self;
}

void
vigil_image_response_free (VigilImageResponse *self)
{
  if (self == NULL)
    return;
  vigil_message_unref (self->message);
  pthread_cond_destroy (&self->changed);
  pthread_mutex_destroy (&self->lock);
  g_free (self);
}

void
vigil_image_response_expect (VigilImageResponse *self, int64_t pts_ns)
{
  pthread_mutex_lock (&self->lock);
  self->expected_pts_ns = pts_ns;
  g_clear_pointer (&self->message, vigil_message_unref);
  pthread_mutex_unlock (&self->lock);
}

static char *
format_message (const VigilMessage *message, gboolean with_frame)
{
  g_autoptr (VigilBufferPool) pool = vigil_buffer_pool_new (1);
  g_auto (VigilPayload) payload = {0};
  GString *text = g_string_new (NULL);

  vigil_payload_init (
      &payload, VIGIL_PAYLOAD_OBJECT, with_frame, message, pool);
  for (unsigned i = 0;
       i < VIGIL_PAYLOAD_SEGMENTS_MAX && payload.segments[i] != NULL; i++)
    g_string_append_len (text, g_bytes_get_data (payload.segments[i], NULL),
        (gssize)g_bytes_get_size (payload.segments[i]));
  return g_string_free (text, FALSE);
}

char *
vigil_image_response_wait (
    VigilImageResponse *self, gboolean with_frame, int64_t deadline_us)
{
  const struct timespec deadline = {
      .tv_sec = deadline_us / G_USEC_PER_SEC,
      .tv_nsec = deadline_us % G_USEC_PER_SEC * 1000,
  };
  g_autoptr (VigilMessage) message = NULL;
  int status = 0;

  pthread_mutex_lock (&self->lock);
  while (self->message == NULL && !self->has_ended && status == 0)
    status = pthread_cond_clockwait (
        &self->changed, &self->lock, CLOCK_MONOTONIC, &deadline);
  message = g_steal_pointer (&self->message);
  self->expected_pts_ns = VIGIL_TIME_NONE;
  pthread_mutex_unlock (&self->lock);
  return message == NULL ? NULL : format_message (message, with_frame);
}

/* ---- Destination ------------------------------------------------------- */

static void
check (const VigilJson *settings, const char *path,
    const VigilDestinationContext *context, VigilProblems *problems)
{
}

static void *
open_response (const VigilJson *settings,
    const VigilDestinationContext *context, GError **error)
{
  return context->user_data;
}

static gboolean
start (void *state, GError **error)
{
  return TRUE;
}

static gboolean
wants_frame (const void *state)
{
  return TRUE;
}

static gboolean
is_accepting (void *state)
{
  VigilImageResponse *self = state;
  gboolean is_expected;

  pthread_mutex_lock (&self->lock);
  is_expected = self->expected_pts_ns != VIGIL_TIME_NONE;
  pthread_mutex_unlock (&self->lock);
  return is_expected;
}

static void
skip (void *state)
{
  VigilImageResponse *self = state;

  pthread_mutex_lock (&self->lock);
  self->offered++;
  pthread_mutex_unlock (&self->lock);
}

static void
send_message (void *state, VigilMessage *message, int64_t deadline_us)
{
  VigilImageResponse *self = state;

  pthread_mutex_lock (&self->lock);
  self->offered++;
  if (message->pts != VIGIL_TIME_NONE &&
      message->pts == self->expected_pts_ns && self->message == NULL) {
    self->message = vigil_message_ref (message);
    self->handed_over++;
    pthread_cond_signal (&self->changed);
  }
  pthread_mutex_unlock (&self->lock);
}

static void
stop (void *state, int64_t deadline_us)
{
  VigilImageResponse *self = state;

  pthread_mutex_lock (&self->lock);
  self->has_ended = TRUE;
  pthread_cond_broadcast (&self->changed);
  pthread_mutex_unlock (&self->lock);
}

static void
get_status (void *state, VigilDestinationStatus *ret_status)
{
  VigilImageResponse *self = state;

  memset (ret_status, 0, sizeof *ret_status);
  pthread_mutex_lock (&self->lock);
  ret_status->state = self->has_ended ? "stopped" : "ready";
  ret_status->next_retry_ms = -1;
  ret_status->offered = self->offered;
  ret_status->published = self->handed_over;
  ret_status->dropped[0].reason = "not_asked_for";
  ret_status->dropped[0].count = self->offered - self->handed_over;
  ret_status->dropped_size = 1;
  pthread_mutex_unlock (&self->lock);
}

/* Who added it owns it. */
static void
close_response (void *state)
{
}

static const VigilSchemaKey no_keys[] = {{0}};

const VigilDestinationOps vigil_image_response_ops = {
    .type = "response",
    .keys = no_keys,
    .check = check,
    .open = open_response,
    .start = start,
    .wants_frame = wants_frame,
    .is_accepting = is_accepting,
    .skip = skip,
    .send = send_message,
    .stop = stop,
    .get_status = get_status,
    .close = close_response,
};
