/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The wire format: topic with its NUL, content type, count of parts, JSON,
 * at most one blob. Subscribers of EII crash when the count is wrong and
 * read freed memory when the NUL is missing, so nothing but a whole, exact
 * message ever leaves.
 */
#include "publish/eis-socket.h"

#include "base/backoff.h"
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <zmq.h>

enum { CONTENT_JSON = 0 };
enum { MARK_MIN = 4, MARK_MAX = 1000 };
/* How much larger than the first message others are taken to be. */
enum { HEADROOM = 2 };
/* libzmq's clients come back every 100 ms; EII's publisher waits as long. */
enum { GRACE_US = 250 * 1000 };
/* Below this, copying costs less than keeping. */
enum { COPY_BYTES_MAX = 2048 };
/* How long a port that we closed ourselves may still be taken. */
enum { REOPEN_US = 1000 * 1000 };

struct _VigilEisSocket {
  const VigilEisSettings *settings;
  void *zmq_context;
  VigilEisZap *zap; /* nullable */

  pthread_mutex_t lock; /* protects what follows */
  void *zmq;            /* NULL: not open */
  int mark;             /* ZMQ_SNDHWM of zmq */
  int64_t opened_us;
  int64_t closed_us; /* when we closed it to open it anew */
  int64_t retry_us;
  unsigned failures;
  uint64_t opens;
  char last_error[256];
};

VigilEisSocket *
vigil_eis_socket_new (
    void *zmq_context, VigilEisZap *zap, const VigilEisSettings *settings)
{
  VigilEisSocket *self = g_new0 (VigilEisSocket, 1);

  g_return_val_if_fail (zmq_context != NULL && settings != NULL, NULL);

  self->settings = settings;
  self->zmq_context = zmq_context;
  self->zap = zap;
  pthread_mutex_init (&self->lock, NULL);
  return self;
}

static void
close_socket (VigilEisSocket *self, int linger_ms)
{
  if (self->zmq == NULL)
    return;
  zmq_setsockopt (self->zmq, ZMQ_LINGER, &linger_ms, sizeof (linger_ms));
  zmq_close (self->zmq);
  self->zmq = NULL;
}

void
vigil_eis_socket_free (VigilEisSocket *self, int linger_ms)
{
  if (self == NULL)
    return;
  close_socket (self, linger_ms);
  pthread_mutex_destroy (&self->lock);
  g_free (self);
}

/* ---- Opening ------------------------------------------------------------- */

static gboolean
set_keys (VigilEisSocket *self, void *zmq)
{
  const VigilEisSettings *settings = self->settings;
  const size_t length = VIGIL_EIS_KEY_SIZE - 1;
  const int is_server = 1;

  if (!settings->is_secured)
    return TRUE;
  if (zmq_setsockopt (zmq, ZMQ_CURVE_SECRETKEY, settings->secret_key, length) !=
      0)
    return FALSE;
  if (settings->is_brokered)
    return zmq_setsockopt (
               zmq, ZMQ_CURVE_PUBLICKEY, settings->public_key, length) == 0 &&
           zmq_setsockopt (
               zmq, ZMQ_CURVE_SERVERKEY, settings->server_key, length) == 0;
  vigil_eis_zap_allow (
      self->zap, settings->endpoint, (const char *const *)settings->allowed);
  return zmq_setsockopt (zmq, ZMQ_ZAP_DOMAIN, settings->endpoint,
             strlen (settings->endpoint)) == 0 &&
         zmq_setsockopt (
             zmq, ZMQ_CURVE_SERVER, &is_server, sizeof (is_server)) == 0;
}

static gboolean
attach (const VigilEisSettings *settings, void *zmq)
{
  if (settings->is_brokered)
    return zmq_connect (zmq, settings->endpoint) == 0;
  if (zmq_bind (zmq, settings->endpoint) != 0)
    return FALSE;
  return settings->socket_path == NULL || settings->socket_mode < 0 ||
         chmod (settings->socket_path, (mode_t)settings->socket_mode) == 0;
}

/* Returns: NULL with errno set. */
static void *
new_socket (VigilEisSocket *self, int mark)
{
  void *zmq = zmq_socket (self->zmq_context, ZMQ_PUB);
  int saved;

  if (zmq == NULL)
    return NULL;
  if (zmq_setsockopt (zmq, ZMQ_SNDHWM, &mark, sizeof (mark)) == 0 &&
      set_keys (self, zmq) && attach (self->settings, zmq))
    return zmq;
  saved = errno;
  zmq_close (zmq);
  errno = saved;
  return NULL;
}

static void
note_failure (VigilEisSocket *self, const char *what, int64_t now_us)
{
  /* the port of the socket that was closed a moment ago becomes free */
  const gboolean is_ours =
      self->closed_us != 0 && now_us - self->closed_us < REOPEN_US;

  g_snprintf (self->last_error, sizeof (self->last_error), "%s %s: %s", what,
      self->settings->endpoint, zmq_strerror (errno));
  if (is_ours) {
    self->retry_us = now_us;
    return;
  }
  self->failures++;
  self->retry_us = now_us + vigil_backoff_delay_ms (self->failures) * 1000;
}

/* How many messages of this size may wait for each subscriber. */
static int
get_mark (const VigilEisSocket *self, size_t message_bytes)
{
  const size_t messages = self->settings->max_bytes / MAX (message_bytes, 1);

  return (int)CLAMP (messages, MARK_MIN, MARK_MAX);
}

static void
open_locked (VigilEisSocket *self, size_t message_bytes)
{
  int64_t now_us;
  int mark;

  if (self->zmq != NULL && get_mark (self, message_bytes) >= self->mark / 2)
    return;
  now_us = g_get_monotonic_time ();
  /* Lowering the mark of an open socket stops its subscribers for ever
   * (seen with libzmq 4.3.4), so messages that have become much larger need
   * a new one; subscribers come back by themselves. */
  if (self->zmq != NULL) {
    close_socket (self, 0);
    self->closed_us = now_us;
  }
  if (now_us < self->retry_us)
    return;
  /* room for larger pictures to come: a new socket costs subscribers some */
  mark = get_mark (self, message_bytes * HEADROOM);
  self->zmq = new_socket (self, mark);
  if (self->zmq == NULL) {
    note_failure (self,
        self->settings->is_brokered ? "could not connect to" : "could not bind",
        now_us);
    return;
  }
  self->mark = mark;
  self->opened_us = now_us;
  self->closed_us = 0;
  self->retry_us = 0;
  self->failures = 0;
  self->opens++;
}

gboolean
vigil_eis_socket_open (VigilEisSocket *self, size_t message_bytes)
{
  gboolean is_open;

  g_return_val_if_fail (self != NULL, FALSE);

  pthread_mutex_lock (&self->lock);
  open_locked (self, message_bytes);
  is_open = self->zmq != NULL;
  pthread_mutex_unlock (&self->lock);
  return is_open;
}

gboolean
vigil_eis_socket_is_accepting (VigilEisSocket *self)
{
  gboolean is_accepting;

  g_return_val_if_fail (self != NULL, FALSE);

  pthread_mutex_lock (&self->lock);
  is_accepting = self->zmq != NULL || g_get_monotonic_time () >= self->retry_us;
  pthread_mutex_unlock (&self->lock);
  return is_accepting;
}

int64_t
vigil_eis_socket_get_ready_us (VigilEisSocket *self)
{
  int64_t ready_us;

  g_return_val_if_fail (self != NULL, 0);

  pthread_mutex_lock (&self->lock);
  ready_us = self->zmq != NULL ? self->opened_us + GRACE_US : 0;
  pthread_mutex_unlock (&self->lock);
  return ready_us;
}

/* ---- Sending ------------------------------------------------------------- */

static void
unref_bytes (void *data, void *bytes)
{
  g_bytes_unref (bytes);
}

/* A message part of @bytes. Returns: FALSE without memory. */
static gboolean
init_part (zmq_msg_t *part, GBytes *bytes)
{
  size_t size;
  const void *data = g_bytes_get_data (bytes, &size);

  if (size > COPY_BYTES_MAX) {
    if (zmq_msg_init_data (
            part, (void *)data, size, unref_bytes, g_bytes_ref (bytes)) == 0)
      return TRUE;
    g_bytes_unref (bytes);
    return FALSE;
  }
  if (zmq_msg_init_size (part, size) != 0)
    return FALSE;
  memcpy (zmq_msg_data (part), data, size);
  return TRUE;
}

static gboolean
send_bytes (void *zmq, const void *bytes, size_t size, int flags)
{
  int sent;

  do
    sent = zmq_send (zmq, bytes, size, flags | ZMQ_DONTWAIT);
  while (sent < 0 && errno == EINTR);
  return sent >= 0;
}

/* Takes over what is in @part when it succeeds. */
static gboolean
send_part (void *zmq, zmq_msg_t *part, int flags)
{
  int sent;

  do
    sent = zmq_msg_send (part, zmq, flags | ZMQ_DONTWAIT);
  while (sent < 0 && errno == EINTR);
  return sent >= 0;
}

static gboolean
send_all (void *zmq, const char *topic, zmq_msg_t *json, zmq_msg_t *blob)
{
  const uint8_t type = CONTENT_JSON;
  const uint8_t count = blob != NULL ? 2 : 1;

  return send_bytes (zmq, topic, strlen (topic) + 1, ZMQ_SNDMORE) &&
         send_bytes (zmq, &type, sizeof (type), ZMQ_SNDMORE) &&
         send_bytes (zmq, &count, sizeof (count), ZMQ_SNDMORE) &&
         send_part (zmq, json, blob != NULL ? ZMQ_SNDMORE : 0) &&
         (blob == NULL || send_part (zmq, blob, 0));
}

/*
 * libzmq looks only once in a millisecond whether subscribers have taken
 * something, and drops meanwhile what exceeds the mark, also for those who
 * read at once. Asking for events makes it look now. Marks of small messages
 * are too high for it to matter.
 */
static void
note_what_was_taken (VigilEisSocket *self)
{
  int events;
  size_t size = sizeof (events);

  if (self->mark < MARK_MAX)
    zmq_getsockopt (self->zmq, ZMQ_EVENTS, &events, &size);
}

gboolean
vigil_eis_socket_send (
    VigilEisSocket *self, const char *topic, GBytes *json, GBytes *blob)
{
  zmq_msg_t json_part, blob_part;
  gboolean is_sent = FALSE;

  g_return_val_if_fail (self != NULL && topic != NULL && json != NULL, FALSE);

  /* a blob of no bytes is no blob: EII's own publisher cannot send it */
  if (blob != NULL && g_bytes_get_size (blob) == 0)
    blob = NULL;
  if (!init_part (&json_part, json))
    return FALSE;
  if (blob != NULL && !init_part (&blob_part, blob)) {
    zmq_msg_close (&json_part);
    return FALSE;
  }
  pthread_mutex_lock (&self->lock);
  if (self->zmq != NULL) {
    note_what_was_taken (self);
    is_sent = send_all (
        self->zmq, topic, &json_part, blob != NULL ? &blob_part : NULL);
    if (!is_sent) {
      note_failure (self, "could not send to", g_get_monotonic_time ());
      /* never leave half a message */
      close_socket (self, 0);
    }
  }
  pthread_mutex_unlock (&self->lock);
  /* empty when it was sent */
  zmq_msg_close (&json_part);
  if (blob != NULL)
    zmq_msg_close (&blob_part);
  return is_sent;
}

void
vigil_eis_socket_get_status (
    VigilEisSocket *self, VigilEisSocketStatus *ret_status)
{
  const int64_t now_us = g_get_monotonic_time ();

  g_return_if_fail (self != NULL && ret_status != NULL);

  pthread_mutex_lock (&self->lock);
  ret_status->state = self->zmq != NULL     ? "open"
                      : self->retry_us != 0 ? "retrying"
                                            : "waiting";
  memcpy (ret_status->last_error, self->last_error,
      sizeof (ret_status->last_error));
  ret_status->next_retry_ms = self->zmq == NULL && self->retry_us != 0
                                  ? MAX (self->retry_us - now_us, 0) / 1000
                                  : -1;
  ret_status->opens = self->opens;
  ret_status->high_water_mark = self->mark;
  pthread_mutex_unlock (&self->lock);
}
