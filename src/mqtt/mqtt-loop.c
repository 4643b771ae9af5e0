/* SPDX-License-Identifier: Apache-2.0 */

/* The I/O thread: connects, moves bytes and messages, waits, stops. */

#define G_LOG_DOMAIN "vigil-mqtt"

#include "mqtt/mqtt-client-private.h"

#include "base/backoff.h"
#include "base/error.h"
#include "mqtt/mqtt-fault.h"
#include <errno.h>
#include <poll.h>
#include <unistd.h>

/* Messages that go from the queue to the session at a time. */
#define BATCH_MAX 64

/* Reads and writes in one turn, so that a fast broker cannot keep the loop
 * from its other work. */
#define TURNS_MAX 32

/* After DISCONNECT: for the broker to read it and close. */
#define LINGER_US (G_USEC_PER_SEC / 2)

/* With so many messages in flight and more waiting, acknowledgements are
 * taken in bulk: all there are after this time. */
#define BULK_MIN 8
#define BULK_US 250
#define PUBACK_SIZE 4

/* Messages of QoS 0 that come faster than this are taken together, so many
 * at most. */
#define GATHER_US 250
#define GATHER_MAX 32

/* Before a connection is renewed: for what was sent to be acknowledged. */
#define RENEWAL_US (5 * G_USEC_PER_SEC)

static void read_input (VigilMqttClient *self, int64_t now_us);

/* ---- Attempts -------------------------------------------------------------
 */

static void
begin_attempt (VigilMqttClient *self, int64_t now_us)
{
  self->attempt_deadline_us = now_us + self->options.attempt_timeout_ms * 1000;
  vigil_mqtt_dialer_start (self->dialer, now_us, self->attempt_deadline_us);
}

static int64_t
retry_delay_us (VigilMqttClient *self)
{
  const int64_t delay_us = vigil_backoff_delay_ms (self->failures) * 1000;

  /* Shorter, never longer: the longest pause stays a promise. */
  if (self->options.jitter)
    return (int64_t)((double)delay_us * g_random_double_range (0.5, 1.0));
  return delay_us;
}

/* The one line that a change for the worse is worth; the same reason again
 * is for developers. */
static void
log_failure (VigilMqttClient *self, const char *reason, int64_t delay_us)
{
  const gboolean is_news = g_strcmp0 (reason, self->logged_error) != 0;

  if (!is_news) {
    g_debug ("%s: %s; next attempt in %.0f s", self->options.name, reason,
        (double)delay_us / G_USEC_PER_SEC);
    return;
  }
  g_free (self->logged_error);
  self->logged_error = g_strdup (reason);
  g_warning ("%s: %s; next attempt in %.0f s, %s", self->options.name, reason,
      (double)delay_us / G_USEC_PER_SEC,
      self->options.offline_queue ? "new messages wait"
                                  : "new messages are dropped");
}

static void
wait_for_retry (VigilMqttClient *self, const char *reason, int64_t now_us)
{
  int64_t delay_us = 0;

  self->failures++;
  delay_us = retry_delay_us (self);
  vigil_mqtt_account_set_state (
      self, VIGIL_MQTT_WAITING, reason, now_us + delay_us);
  log_failure (self, reason, delay_us);
}

static void
attempt_failed (VigilMqttClient *self, int64_t now_us)
{
  const gboolean keeps_queue =
      self->options.qos > 0 || self->options.offline_queue;

  wait_for_retry (self, vigil_mqtt_dialer_get_reasons (self->dialer), now_us);
  if (!keeps_queue)
    vigil_mqtt_account_drop_queued (
        self, VIGIL_MQTT_DROP_NOT_CONNECTED, INT64_MAX);
}

static void
dial (VigilMqttClient *self, int64_t now_us)
{
  switch (vigil_mqtt_dialer_advance (self->dialer, now_us)) {
  case VIGIL_MQTT_DIALING:
    break;
  case VIGIL_MQTT_DIALED:
    self->transport = vigil_mqtt_dialer_steal_transport (self->dialer);
    self->is_write_blocked = FALSE;
    self->has_read_end = FALSE;
    self->is_answered = FALSE;
    self->has_progress = FALSE;
    vigil_mqtt_session_open (self->session, now_us);
    break;
  case VIGIL_MQTT_DIAL_FAILED:
    attempt_failed (self, now_us);
    break;
  }
}

static gboolean
is_attempting (const VigilMqttClient *self)
{
  return self->status.state == VIGIL_MQTT_CONNECTING ||
         self->status.state == VIGIL_MQTT_RECONNECTING;
}

static void
connected (VigilMqttClient *self, int64_t now_us)
{
  const uint64_t dropped =
      vigil_mqtt_account_get_dropped (self) - self->dropped_before;

  self->connected_us = now_us;
  if (self->options.stable_after_s <= 0)
    self->failures = 0;
  if (self->options.offline_max_age_s > 0)
    vigil_mqtt_account_drop_queued (self, VIGIL_MQTT_DROP_EXPIRED,
        now_us - (int64_t)(self->options.offline_max_age_s * G_USEC_PER_SEC));
  vigil_mqtt_account_set_state (self, VIGIL_MQTT_CONNECTED, NULL, 0);
  g_clear_pointer (&self->logged_error, g_free);
  if (dropped > 0)
    g_message ("%s: connected to %s; %" G_GUINT64_FORMAT
               " messages were dropped meanwhile",
        self->options.name, vigil_mqtt_dialer_get_peer (self->dialer), dropped);
  else
    g_message ("%s: connected to %s", self->options.name,
        vigil_mqtt_dialer_get_peer (self->dialer));
}

static void
connection_lost (VigilMqttClient *self, const char *reason, int64_t now_us)
{
  const double lasted_s =
      (double)(now_us - self->connected_us) / G_USEC_PER_SEC;
  g_autofree char *text = g_strdup_printf (
      "%s: %s", vigil_mqtt_dialer_get_peer (self->dialer), reason);

  if (self->options.stable_after_s > 0 &&
      lasted_s >= self->options.stable_after_s)
    self->failures = 0;
  self->renewal_us = self->linger_us = 0;
  vigil_mqtt_account_flush (self);
  self->dropped_before = vigil_mqtt_account_get_dropped (self);
  wait_for_retry (self, text, now_us);
  if (self->options.qos == 0 && !self->options.offline_queue)
    vigil_mqtt_account_drop_queued (
        self, VIGIL_MQTT_DROP_CONNECTION_LOST, INT64_MAX);
}

/* The transport is of no use any more. */
static void
disconnected (
    VigilMqttClient *self, const char *reason, gboolean is_peer, int64_t now_us)
{
  const gboolean is_refused = vigil_mqtt_session_is_refused (self->session);

  vigil_mqtt_session_close (self->session, is_peer, now_us);
  g_clear_pointer (&self->transport, vigil_mqtt_transport_close);
  if (is_attempting (self)) {
    vigil_mqtt_dialer_fail (self->dialer, reason, is_refused);
    dial (self, now_us);
  } else {
    connection_lost (self, reason, now_us);
  }
}

/*
 * The transport has ended, or failed for @reason (nullable). Without one
 * word from the broker that looks like a plain client at a TLS port; then it
 * is the same news whether it was closed or reset.
 */
static void
transport_ended (VigilMqttClient *self, const char *reason, int64_t now_us)
{
  const gboolean is_unanswered =
      self->options.tls == NULL && !self->is_answered;
  g_autofree char *text = NULL;

  if (is_unanswered || reason == NULL)
    text = vigil_mqtt_fault_dup_text (is_unanswered
                                          ? VIGIL_MQTT_FAULT_CLOSED_UNANSWERED
                                          : VIGIL_MQTT_FAULT_CLOSED,
        NULL);
  disconnected (self, text != NULL ? text : reason, TRUE, now_us);
}

/* ---- Bytes ----------------------------------------------------------------
 */

/* Returns: FALSE when the connection is gone. */
static gboolean
write_output (VigilMqttClient *self, int64_t now_us)
{
  g_autoptr (GError) error = NULL;

  for (unsigned i = 0; i < TURNS_MAX; i++) {
    size_t written = 0;
    int pieces_size = 0;
    const struct iovec *pieces =
        vigil_mqtt_session_get_output (self->session, &pieces_size);

    self->is_write_blocked = FALSE;
    if (pieces_size == 0 && !self->transport->ops->has_unsent (self->transport))
      return TRUE;
    switch (self->transport->ops->writev (
        self->transport, pieces, pieces_size, &written, &error)) {
    case VIGIL_MQTT_IO_DONE:
      if (!vigil_mqtt_session_written (
              self->session, written, now_us, &error)) {
        disconnected (self, error->message, TRUE, now_us);
        return FALSE;
      }
      break;
    case VIGIL_MQTT_IO_AGAIN:
      self->is_write_blocked = TRUE;
      return TRUE;
    case VIGIL_MQTT_IO_END:
    case VIGIL_MQTT_IO_FAILED:
      /* the broker's last words may still be there to be read */
      read_input (self, now_us);
      if (self->transport != NULL)
        transport_ended (self, error != NULL ? error->message : NULL, now_us);
      return FALSE;
    }
  }
  return TRUE;
}

/* A broker that is told why may do better next time; one write, at once. */
static void
write_farewell (VigilMqttClient *self)
{
  size_t written = 0;
  int pieces_size = 0;
  const struct iovec *pieces =
      vigil_mqtt_session_get_output (self->session, &pieces_size);

  if (pieces_size > 0 && !self->is_write_blocked)
    (void)self->transport->ops->writev (
        self->transport, pieces, pieces_size, &written, NULL);
}

/* Takes @size bytes that were read into @buffer. */
static gboolean
receive (VigilMqttClient *self, const uint8_t *buffer, size_t size,
    int64_t now_us, GError **error)
{
  const gboolean is_first = !self->is_answered;
  const gboolean is_mqtt =
      !is_first || vigil_mqtt_fault_is_mqtt_answer (buffer[0]);
  g_autoptr (GError) reason = NULL;

  self->is_answered = TRUE;
  if (is_first && self->options.tls == NULL &&
      vigil_mqtt_fault_is_tls_record (buffer, size))
    return vigil_mqtt_fault_set_error (
        error, VIGIL_MQTT_FAULT_PLAIN_TO_TLS, NULL);
  if (vigil_mqtt_session_received (self->session, size, now_us, &reason))
    return TRUE;
  if (g_error_matches (reason, VIGIL_ERROR, VIGIL_ERROR_PROTOCOL))
    return vigil_mqtt_fault_set_error (error,
        is_mqtt ? VIGIL_MQTT_FAULT_PROTOCOL : VIGIL_MQTT_FAULT_NOT_MQTT,
        reason->message);
  g_propagate_error (error, g_steal_pointer (&reason));
  return FALSE;
}

/* Returns: FALSE when nothing more is to be read now; the connection may be
 * gone then. */
static gboolean
read_once (VigilMqttClient *self, int64_t now_us)
{
  g_autoptr (GError) error = NULL;
  size_t space = 0;
  size_t size = 0;
  gboolean is_good = FALSE;
  uint8_t *buffer = NULL;

  if (!vigil_mqtt_session_wants_input (self->session))
    return FALSE;
  buffer = vigil_mqtt_session_get_space (self->session, &space);
  if (buffer == NULL) {
    disconnected (self, "no memory for what the broker sends", FALSE, now_us);
    return FALSE;
  }
  switch (self->transport->ops->read (
      self->transport, buffer, space, &size, &error)) {
  case VIGIL_MQTT_IO_DONE:
    self->has_progress = TRUE;
    break;
  case VIGIL_MQTT_IO_AGAIN:
    return FALSE;
  case VIGIL_MQTT_IO_END:
    self->has_read_end = TRUE;
    if (self->linger_us == 0)
      transport_ended (self, NULL, now_us);
    return FALSE;
  case VIGIL_MQTT_IO_FAILED:
    self->has_read_end = TRUE;
    if (self->linger_us == 0)
      transport_ended (self, error->message, now_us);
    return FALSE;
  }
  is_good = receive (self, buffer, size, now_us, &error);
  /* CONNACK counts, even when what stands behind it ends the connection */
  if (is_attempting (self) && vigil_mqtt_session_is_accepted (self->session))
    connected (self, now_us);
  if (!is_good) {
    write_farewell (self);
    disconnected (self, error->message, TRUE, now_us);
    return FALSE;
  }
  if (self->is_bulk_due && vigil_mqtt_session_get_in_flight (self->session) > 0)
    return TRUE;
  return size == space || self->transport->ops->has_buffered (self->transport);
}

static void
read_input (VigilMqttClient *self, int64_t now_us)
{
  self->has_progress = FALSE;
  for (unsigned i = 0; i < TURNS_MAX; i++)
    if (!read_once (self, now_us))
      break;
}

static void
fill_session (VigilMqttClient *self, int64_t now_us)
{
  VigilMqttQueueEntry batch[BATCH_MAX];
  const unsigned room = vigil_mqtt_session_get_room (self->session);
  unsigned size = 0;

  self->is_gathering = FALSE;
  if (room == 0 || self->renewal_us > 0)
    return;
  size = vigil_mqtt_account_take (self, batch, MIN (room, BATCH_MAX));
  self->is_gathering = size > 0 && self->options.qos == 0 &&
                       now_us - self->taken_us < 2 * GATHER_US;
  if (size > 0)
    self->taken_us = now_us;
  for (unsigned i = 0; i < size; i++)
    vigil_mqtt_session_take (
        self->session, batch[i].message, batch[i].taken_us, now_us);
}

static void
serve_connection (VigilMqttClient *self, short events, int64_t now_us)
{
  g_autoptr (GError) error = NULL;

  if ((events & (POLLIN | POLLHUP | POLLERR)) != 0)
    read_input (self, now_us);
  if (self->transport == NULL)
    return;
  if (is_attempting (self) &&
      now_us >= vigil_mqtt_dialer_get_deadline_us (self->dialer)) {
    g_autofree char *reason =
        vigil_mqtt_fault_dup_text (VIGIL_MQTT_FAULT_SILENT, NULL);

    disconnected (self, reason, FALSE, now_us);
    return;
  }
  if (!vigil_mqtt_session_tick (self->session, now_us, &error)) {
    disconnected (self, error->message, FALSE, now_us);
    return;
  }
  fill_session (self, now_us);
  /* what TLS waits to read may be what lets it write */
  if (!self->is_write_blocked || events != 0)
    write_output (self, now_us);
}

/* ---- Stopping -------------------------------------------------------------
 */

static gboolean
is_drained (VigilMqttClient *self)
{
  gboolean is_empty = FALSE;

  pthread_mutex_lock (&self->lock);
  is_empty = self->queue.size == 0;
  pthread_mutex_unlock (&self->lock);
  return is_empty && vigil_mqtt_session_get_in_flight (self->session) == 0;
}

/* Returns: TRUE when the thread may end. */
static gboolean
advance_stop (VigilMqttClient *self, int64_t now_us)
{
  int pieces_size = 0;

  if (self->linger_us == 0 && now_us < self->stop_us && !is_drained (self))
    return FALSE;
  if (self->transport == NULL ||
      (self->linger_us == 0 &&
          !vigil_mqtt_session_is_connected (self->session)))
    return TRUE;
  if (self->linger_us == 0) {
    self->linger_us = now_us + LINGER_US;
    vigil_mqtt_session_disconnect (self->session);
    if (!write_output (self, now_us))
      return TRUE;
  }
  vigil_mqtt_session_get_output (self->session, &pieces_size);
  if (pieces_size == 0 && !self->transport->ops->has_unsent (self->transport))
    self->transport->ops->shutdown (self->transport);
  return self->has_read_end || now_us >= self->linger_us;
}

static void
end_all (VigilMqttClient *self, int64_t now_us)
{
  if (self->transport != NULL)
    vigil_mqtt_session_close (self->session, FALSE, now_us);
  g_clear_pointer (&self->transport, vigil_mqtt_transport_close);
  vigil_mqtt_session_drop_all (self->session, VIGIL_MQTT_DROP_STOPPED);
  vigil_mqtt_account_set_state (self, VIGIL_MQTT_STOPPED, NULL, 0);
  vigil_mqtt_account_drop_queued (self, VIGIL_MQTT_DROP_STOPPED, INT64_MAX);
  vigil_mqtt_account_flush (self);
}

/* ---- Renewing -------------------------------------------------------------
 */

/* The old connection is done with: the new one is the first attempt over
 * again, for which messages wait. */
static void
reconnect (VigilMqttClient *self, int64_t now_us)
{
  self->renewal_us = self->linger_us = 0;
  vigil_mqtt_session_close (self->session, FALSE, now_us);
  g_clear_pointer (&self->transport, vigil_mqtt_transport_close);
  vigil_mqtt_account_flush (self);
  self->dropped_before = vigil_mqtt_account_get_dropped (self);
  vigil_mqtt_account_set_state (self, VIGIL_MQTT_CONNECTING, NULL, 0);
  begin_attempt (self, now_us);
  dial (self, now_us);
}

static void
begin_renewal (VigilMqttClient *self, int64_t now_us)
{
  if (!vigil_mqtt_renewal_read (self))
    return;
  g_message (
      "%s: certificates and password were read again", self->options.name);
  if (self->status.state == VIGIL_MQTT_CONNECTED)
    self->renewal_us = now_us + RENEWAL_US;
  else if (self->status.state == VIGIL_MQTT_WAITING)
    vigil_mqtt_account_set_state (self, VIGIL_MQTT_WAITING, NULL, now_us);
}

/*
 * First what was sent is acknowledged, then DISCONNECT is sent, then the
 * broker closes: only then has it read everything. A new connection before
 * that would take the session over and end the old one unread.
 */
static void
advance_renewal (VigilMqttClient *self, int64_t now_us)
{
  int pieces_size = 0;

  if (atomic_exchange (&self->wants_renewal, FALSE) && self->renewal_us == 0)
    begin_renewal (self, now_us);
  if (self->renewal_us == 0)
    return;
  vigil_mqtt_session_get_output (self->session, &pieces_size);
  if (self->linger_us == 0) {
    if (now_us < self->renewal_us &&
        (pieces_size > 0 ||
            vigil_mqtt_session_get_in_flight (self->session) > 0))
      return;
    self->linger_us = MAX (self->renewal_us, now_us + LINGER_US);
    vigil_mqtt_session_disconnect (self->session);
    if (!write_output (self, now_us))
      return;
    vigil_mqtt_session_get_output (self->session, &pieces_size);
  }
  if (pieces_size == 0 && !self->transport->ops->has_unsent (self->transport))
    self->transport->ops->shutdown (self->transport);
  if (self->has_read_end || now_us >= self->linger_us)
    reconnect (self, now_us);
}

/* A stop has no time for it; what has been begun ends soon. */
static void
cancel_renewal (VigilMqttClient *self, int64_t now_us)
{
  if (self->linger_us == 0)
    self->renewal_us = 0;
  else if (now_us >= self->stop_us)
    self->renewal_us = 0;
  else
    advance_renewal (self, now_us);
}

/* ---- The loop -------------------------------------------------------------
 */

static int64_t
next_deadline_us (VigilMqttClient *self, gboolean is_stopping)
{
  int64_t deadline_us = INT64_MAX;

  if (is_attempting (self))
    deadline_us = vigil_mqtt_dialer_get_deadline_us (self->dialer);
  else if (self->status.state == VIGIL_MQTT_WAITING)
    deadline_us = self->retry_us;
  if (self->transport != NULL)
    deadline_us =
        MIN (deadline_us, vigil_mqtt_session_get_deadline_us (self->session));
  if (self->renewal_us > 0)
    deadline_us = MIN (deadline_us, self->renewal_us);
  if (self->linger_us > 0)
    deadline_us = MIN (deadline_us, self->linger_us);
  else if (is_stopping)
    deadline_us = MIN (deadline_us, self->stop_us);
  return deadline_us;
}

/* When the next message of an offline queue expires. */
static int64_t
expire_offline (VigilMqttClient *self, int64_t now_us)
{
  const int64_t age_us =
      (int64_t)(self->options.offline_max_age_s * G_USEC_PER_SEC);
  const VigilMqttQueueEntry *oldest = NULL;
  int64_t deadline_us = INT64_MAX;

  if (age_us == 0 || self->status.state == VIGIL_MQTT_CONNECTED)
    return INT64_MAX;
  vigil_mqtt_account_drop_queued (
      self, VIGIL_MQTT_DROP_EXPIRED, now_us - age_us);
  pthread_mutex_lock (&self->lock);
  oldest = vigil_mqtt_queue_peek (&self->queue);
  if (oldest != NULL)
    deadline_us = oldest->taken_us + age_us + 1;
  /* a queue that was empty has no date yet: the next send must wake us */
  if (oldest == NULL && self->wake_size == 0)
    self->wake_size = 1;
  pthread_mutex_unlock (&self->lock);
  return deadline_us;
}

/* Returns: TRUE when there is a message that could go now; else the next
 * send wakes the loop, if it can go then. */
static gboolean
announce_sleep (VigilMqttClient *self, gboolean *ret_is_stopping)
{
  const gboolean has_room =
      self->renewal_us == 0 && vigil_mqtt_session_get_room (self->session) > 0;
  gboolean has_work = FALSE;

  pthread_mutex_lock (&self->lock);
  has_work = has_room && self->queue.size > 0;
  self->is_saturated = !has_room && self->queue.size > 0;
  if (!has_room || has_work)
    self->wake_size = 0;
  else if (self->is_gathering)
    self->wake_size = CLAMP (self->options.queue_messages / 2, 1, GATHER_MAX);
  else
    self->wake_size = 1;
  *ret_is_stopping = self->is_stopping;
  pthread_mutex_unlock (&self->lock);
  return has_work;
}

/*
 * A broker acknowledges one message at a time. Behind a full window, a turn
 * of the loop for each would cost more than all else; looking after a
 * moment, or when all have come, costs one. @deadline_us is moved there.
 * Returns: TRUE when the loop is to look for bytes by itself then.
 */
static gboolean
expect_answers (VigilMqttClient *self, int64_t *deadline_us)
{
  const unsigned in_flight = vigil_mqtt_session_get_in_flight (self->session);
  const gboolean is_bulk = self->is_saturated && self->has_progress &&
                           self->options.qos > 0 && in_flight >= BULK_MIN &&
                           !self->is_write_blocked;

  vigil_mqtt_transport_expect (self->transport,
      is_bulk ? in_flight * (PUBACK_SIZE + self->transport->overhead) : 0);
  if (is_bulk)
    *deadline_us = MIN (*deadline_us, g_get_monotonic_time () + BULK_US);
  return is_bulk;
}

static void
wait_for_events (
    struct pollfd pollers[2], gboolean has_work, int64_t deadline_us)
{
  const int64_t now_us = g_get_monotonic_time ();
  const int64_t left_us = has_work ? 0
                          : deadline_us == INT64_MAX
                              ? INT64_MAX
                              : MAX (deadline_us - now_us, 0);
  const struct timespec timeout = {
      .tv_sec = left_us / G_USEC_PER_SEC,
      .tv_nsec = left_us % G_USEC_PER_SEC * 1000,
  };

  pollers[0].revents = pollers[1].revents = 0;
  (void)ppoll (pollers, 2, left_us == INT64_MAX ? NULL : &timeout, NULL);
}

/* What the descriptor knows nothing of, left there by a turn that was over
 * or by a full output. */
static gboolean
has_buffered_input (VigilMqttClient *self)
{
  return self->transport != NULL && !self->has_read_end &&
         vigil_mqtt_session_wants_input (self->session) &&
         self->transport->ops->has_buffered (self->transport);
}

static void
wait (VigilMqttClient *self, gboolean *ret_is_stopping, short *ret_events)
{
  const gboolean was_stopping = *ret_is_stopping;
  /* A stop that is first seen here is looked at before anything is waited
   * for: its wake-up has come already. */
  const gboolean has_work = announce_sleep (self, ret_is_stopping) ||
                            was_stopping != *ret_is_stopping;
  const gboolean has_buffered = has_buffered_input (self);
  const int64_t expiry_us = expire_offline (self, g_get_monotonic_time ());
  int64_t deadline_us = next_deadline_us (self, *ret_is_stopping);
  struct pollfd pollers[2] = {
      {.fd = self->event, .events = POLLIN},
      {.fd = -1},
  };
  uint64_t ignored = 0;
  gboolean is_bulk = FALSE;

  if (self->transport != NULL) {
    pollers[1].fd = self->has_read_end ? -1 : self->transport->descriptor;
    pollers[1].events = self->transport->ops->want_events (
        self->transport, self->is_write_blocked);
    if (!vigil_mqtt_session_wants_input (self->session))
      pollers[1].events &= ~POLLIN;
    is_bulk = expect_answers (self, &deadline_us);
    if (self->is_gathering)
      deadline_us = MIN (deadline_us, g_get_monotonic_time () + GATHER_US);
  } else if (is_attempting (self)) {
    pollers[1] = vigil_mqtt_dialer_get_poll (self->dialer);
  }
  wait_for_events (pollers,
      has_buffered || (has_work && !self->is_write_blocked),
      MIN (deadline_us, expiry_us));
  if ((pollers[0].revents & POLLIN) != 0 &&
      read (self->event, &ignored, sizeof ignored) < 0)
    g_debug ("%s: cannot read the eventfd: %s", self->options.name,
        g_strerror (errno));
  *ret_events = (short)(pollers[1].revents | (has_buffered ? POLLIN : 0));
  self->is_bulk_due = is_bulk && *ret_events == 0;
  if (self->is_bulk_due) {
    vigil_mqtt_transport_confirm_at_once (self->transport);
    *ret_events = POLLIN;
  }
}

static void
turn (VigilMqttClient *self, short events, int64_t now_us)
{
  if (self->transport != NULL) {
    serve_connection (self, events, now_us);
  } else if (is_attempting (self)) {
    dial (self, now_us);
  } else if (self->status.state == VIGIL_MQTT_WAITING &&
             now_us >= self->retry_us) {
    vigil_mqtt_account_set_state (self, VIGIL_MQTT_RECONNECTING, NULL, 0);
    vigil_mqtt_renewal_read (self);
    begin_attempt (self, now_us);
    dial (self, now_us);
  }
  /* a fresh connection has its CONNECT to write, and so on */
  if (self->transport != NULL && !self->is_write_blocked)
    write_output (self, now_us);
}

void *
vigil_mqtt_loop_run (void *data)
{
  VigilMqttClient *self = data;
  gboolean is_stopping = FALSE;
  short events = 0;

  begin_attempt (self, g_get_monotonic_time ());
  for (;;) {
    const int64_t now_us = g_get_monotonic_time ();

    turn (self, events, now_us);
    vigil_mqtt_account_flush (self);
    if (!is_stopping)
      advance_renewal (self, now_us);
    else if (self->renewal_us > 0)
      cancel_renewal (self, now_us);
    if (is_stopping && self->renewal_us == 0 && advance_stop (self, now_us))
      break;
    wait (self, &is_stopping, &events);
  }
  end_all (self, g_get_monotonic_time ());
  return NULL;
}
