/* SPDX-License-Identifier: Apache-2.0 */

/* What callers call: options, send, status, start and stop. */

#define G_LOG_DOMAIN "vigil-mqtt"

#include "mqtt/mqtt-client-private.h"

#include "base/error.h"
#include "mqtt/mqtt-transport-tls.h"
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <unistd.h>

#define KEEP_ALIVE_S 60
#define WINDOW 20
#define QUEUE_MESSAGES 1000
#define QUEUE_BYTES (64 * 1024 * 1024)
#define ATTEMPT_TIMEOUT_MS 10000

/* Of messages that the I/O thread may leave in the queue for a moment. */
#define GATHERED_BYTES_MAX (64 * 1024)

/* Rejections in other words than these are not logged. */
#define REJECTIONS_LOGGED_MAX 16

/* ---- Options --------------------------------------------------------------
 */

static gboolean
fail_option (
    GError **error, const char *name, const char *value, const char *want)
{
  g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID, "%s '%s': want %s",
      name, value, want);
  return FALSE;
}

static gboolean
check_string (const char *name, const char *value, GError **error)
{
  if (value == NULL)
    return TRUE;
  if (strlen (value) > UINT16_MAX || !g_utf8_validate (value, -1, NULL)) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID,
        "%s: want valid UTF-8 of at most 65535 bytes", name);
    return FALSE;
  }
  return TRUE;
}

static gboolean
check_numbers (const VigilMqttOptions *options, GError **error)
{
  g_autofree char *qos = g_strdup_printf ("%d", options->qos);
  g_autofree char *protocol = g_strdup_printf ("%d", options->protocol);

  if (options->qos < 0 || options->qos > 2)
    return fail_option (error, "qos", qos, "0, 1 or 2");
  if (options->protocol != 0 &&
      (options->protocol < 3 || options->protocol > 5))
    return fail_option (error, "protocol", protocol, "3, 4 or 5");
  if (options->keep_alive_s > UINT16_MAX) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID,
        "keepalive '%u': want 1 to 65535 seconds", options->keep_alive_s);
    return FALSE;
  }
  return TRUE;
}

static gboolean
check_options (const VigilMqttOptions *options, GError **error)
{
  const char *status_topic = options->status_topic;
  const gboolean has_empty_id =
      options->client_id != NULL && options->client_id[0] == '\0';

  if (options->hosts_size == 0) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID,
        "no broker: want at least one host");
    return FALSE;
  }
  for (unsigned i = 0; i < options->hosts_size; i++)
    if (options->hosts[i].host == NULL || options->hosts[i].host[0] == '\0' ||
        options->hosts[i].port == 0) {
      g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID,
          "host %u: want a name and a port of 1 to 65535", i + 1);
      return FALSE;
    }
  if (!check_numbers (options, error) ||
      !check_string ("client_id", options->client_id, error) ||
      !check_string ("username", options->username, error) ||
      !check_string ("password", options->password, error) ||
      !check_string ("status_topic", status_topic, error))
    return FALSE;
  if (status_topic != NULL &&
      (status_topic[0] == '\0' || strpbrk (status_topic, "+#") != NULL))
    return fail_option (
        error, "status_topic", status_topic, "a topic without '+' and '#'");
  if (options->keep_session && (options->client_id == NULL || has_empty_id)) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID,
        "clean_session 'false': want a client_id, by which the broker knows "
        "the session");
    return FALSE;
  }
  if (has_empty_id && options->protocol == 3)
    return fail_option (error, "client_id", "", "a name with protocol 3");
  if (options->password != NULL && options->username == NULL &&
      options->protocol != 5) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID,
        "password without username: want both, or protocol 5");
    return FALSE;
  }
  return TRUE;
}

static char *
make_client_id (void)
{
  uint8_t bytes[8];
  GString *text = g_string_new ("vigil-");

  if (getrandom (bytes, sizeof bytes, 0) != sizeof bytes)
    for (unsigned i = 0; i < sizeof bytes; i++)
      bytes[i] = (uint8_t)g_random_int_range (0, 256);
  for (unsigned i = 0; i < sizeof bytes; i++)
    g_string_append_printf (text, "%02x", bytes[i]);
  return g_string_free (text, FALSE);
}

static void
copy_options (VigilMqttClient *self, const VigilMqttOptions *options)
{
  VigilMqttOptions *own = &self->options;

  *own = *options;
  self->hosts = g_new0 (VigilMqttHost, options->hosts_size);
  for (unsigned i = 0; i < options->hosts_size; i++) {
    self->hosts[i].host = g_strdup (options->hosts[i].host);
    self->hosts[i].port = options->hosts[i].port;
  }
  own->hosts = self->hosts;
  own->name = g_strdup (options->name != NULL ? options->name : "mqtt");
  own->client_id = options->client_id != NULL ? g_strdup (options->client_id)
                                              : make_client_id ();
  own->username = g_strdup (options->username);
  if (options->password != NULL) {
    self->password =
        vigil_secret_new (options->password, strlen (options->password));
    own->password = vigil_secret_get (self->password);
  }
  if (own->tls != NULL)
    vigil_mqtt_tls_ref (own->tls);
  own->status_topic = g_strdup (options->status_topic);
  if (own->protocol == 0)
    own->protocol = 4;
  if (own->keep_alive_s == 0)
    own->keep_alive_s = KEEP_ALIVE_S;
  if (own->window == 0)
    own->window = WINDOW;
  if (own->queue_messages == 0)
    own->queue_messages = QUEUE_MESSAGES;
  if (own->queue_bytes == 0)
    own->queue_bytes = QUEUE_BYTES;
  if (own->attempt_timeout_ms <= 0)
    own->attempt_timeout_ms = ATTEMPT_TIMEOUT_MS;
}

static void
clear_options (VigilMqttClient *self)
{
  vigil_secret_unref (self->password);
  vigil_mqtt_tls_unref (self->options.tls);
  g_free ((char *)self->options.name);
  g_free ((char *)self->options.client_id);
  g_free ((char *)self->options.username);
  g_free ((char *)self->options.status_topic);
  for (unsigned i = 0; i < self->options.hosts_size; i++)
    g_free ((char *)self->hosts[i].host);
  g_free (self->hosts);
}

/* ---- What the session and the dialer ask ----------------------------------
 */

static void
log_rejection (VigilMqttClient *self, const char *reason)
{
  if (g_hash_table_size (self->logged_rejections) >= REJECTIONS_LOGGED_MAX ||
      !g_hash_table_add (self->logged_rejections, g_strdup (reason)))
    return;
  g_warning ("%s: %s", self->options.name, reason);
}

static void
on_finished (VigilMqttMessage *message, VigilMqttOutcome outcome,
    VigilMqttDropReason drop, const char *reason, void *user_data)
{
  VigilMqttClient *self = user_data;

  if (outcome == VIGIL_MQTT_REJECTED)
    log_rejection (self, reason);
  if (outcome == VIGIL_MQTT_DROPPED && drop == VIGIL_MQTT_DROP_POISON)
    g_warning ("%s: a message is dropped: %s", self->options.name, reason);
  vigil_mqtt_account_end (self, message, outcome, drop, reason, FALSE);
}

static void
on_reduced (VigilMqttMessage *from, VigilMqttMessage *to, void *user_data)
{
  vigil_mqtt_account_reduce (user_data, from, to);
}

static void
on_notice (const char *text, void *user_data)
{
  const VigilMqttClient *self = user_data;

  g_warning ("%s: %s", self->options.name, text);
}

static const VigilMqttSessionEvents session_events = {
    .finished = on_finished,
    .reduced = on_reduced,
    .notice = on_notice,
};

static VigilMqttTransport *
make_transport (const VigilMqttHost *host, void *user_data, GError **error)
{
  const VigilMqttClient *self = user_data;
  const VigilMqttSocketOptions options = {
      .user_timeout_ms = self->options.keep_alive_s * 1500,
  };

  if (self->options.tls != NULL)
    return vigil_mqtt_transport_new_tls (
        &options, self->options.tls, host->host);
  return vigil_mqtt_transport_new_tcp (&options);
}

/* ---- Life -----------------------------------------------------------------
 */

VigilMqttClient *
vigil_mqtt_client_new (const VigilMqttOptions *options, GError **error)
{
  g_autoptr (VigilMqttClient) self = NULL;
  pthread_condattr_t attributes;

  g_return_val_if_fail (options != NULL, NULL);

  if (!check_options (options, error))
    return NULL;
  self = g_new0 (VigilMqttClient, 1);
  copy_options (self, options);
  pthread_mutex_init (&self->lock, NULL);
  pthread_condattr_init (&attributes);
  pthread_condattr_setclock (&attributes, CLOCK_MONOTONIC);
  pthread_cond_init (&self->room, &attributes);
  pthread_condattr_destroy (&attributes);
  self->status.state = VIGIL_MQTT_CONNECTING;
  self->session = vigil_mqtt_session_new (&self->options,
      (uint16_t)g_random_int_range (1, UINT16_MAX), &session_events, self);
  self->dialer = vigil_mqtt_dialer_new (
      self->hosts, self->options.hosts_size, make_transport, self);
  self->ended = g_array_new (FALSE, FALSE, sizeof (VigilMqttEnded));
  self->logged_rejections =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->event = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (self->event < 0) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_FAILED,
        "cannot make an eventfd: %s", g_strerror (errno));
    return NULL;
  }
  return g_steal_pointer (&self);
}

void
vigil_mqtt_client_free (VigilMqttClient *self)
{
  if (self == NULL)
    return;
  vigil_mqtt_client_stop (self, 0);
  vigil_mqtt_session_free (self->session);
  vigil_mqtt_dialer_free (self->dialer);
  vigil_mqtt_queue_clear (&self->queue);
  g_array_unref (self->ended);
  g_hash_table_unref (self->logged_rejections);
  g_free (self->logged_error);
  g_free (self->credentials_error);
  if (self->event >= 0)
    close (self->event);
  pthread_cond_destroy (&self->room);
  pthread_mutex_destroy (&self->lock);
  clear_options (self);
  g_free (self);
}

void
vigil_mqtt_client_set_outcome_func (
    VigilMqttClient *self, VigilMqttOutcomeFunc func, void *user_data)
{
  g_return_if_fail (self != NULL);
  g_return_if_fail (!self->is_started);

  self->outcome_func = func;
  self->outcome_data = user_data;
}

gboolean
vigil_mqtt_client_start (VigilMqttClient *self, GError **error)
{
  int code = 0;

  g_return_val_if_fail (self != NULL, FALSE);
  g_return_val_if_fail (!self->is_started, FALSE);

  self->status.attempts = 1;
  code = pthread_create (&self->thread, NULL, vigil_mqtt_loop_run, self);
  if (code != 0) {
    self->status.attempts = 0;
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_FAILED,
        "cannot start the MQTT thread: %s", g_strerror (code));
    return FALSE;
  }
  self->is_started = TRUE;
  return TRUE;
}

static void
wake (VigilMqttClient *self)
{
  const uint64_t one = 1;

  /* fails only when it is already awake for 2^64 - 1 reasons */
  if (write (self->event, &one, sizeof one) < 0)
    g_debug ("%s: cannot wake the I/O thread: %s", self->options.name,
        g_strerror (errno));
}

void
vigil_mqtt_client_renew (VigilMqttClient *self)
{
  g_return_if_fail (self != NULL);

  if (self->options.get_credentials == NULL)
    return;
  atomic_store (&self->wants_renewal, TRUE);
  wake (self);
}

void
vigil_mqtt_client_stop (VigilMqttClient *self, int64_t deadline_us)
{
  gboolean is_first = FALSE;

  g_return_if_fail (self != NULL);

  pthread_mutex_lock (&self->lock);
  is_first = !self->is_stopping;
  if (is_first)
    self->stop_us = deadline_us;
  self->is_stopping = TRUE;
  pthread_cond_broadcast (&self->room);
  pthread_mutex_unlock (&self->lock);
  if (!is_first)
    return;
  if (self->is_started) {
    wake (self);
    pthread_join (self->thread, NULL);
    return;
  }
  vigil_mqtt_account_set_state (self, VIGIL_MQTT_STOPPED, NULL, 0);
  vigil_mqtt_account_drop_queued (self, VIGIL_MQTT_DROP_STOPPED, INT64_MAX);
  vigil_mqtt_account_flush (self);
}

/* ---- Sending --------------------------------------------------------------
 */

/* Under lock. */
static gboolean
takes_messages (const VigilMqttClient *self)
{
  if (self->is_stopping)
    return FALSE;
  return self->options.offline_queue ||
         self->status.state == VIGIL_MQTT_CONNECTING ||
         self->status.state == VIGIL_MQTT_CONNECTED;
}

/* Under lock. In flight counts too: it is memory all the same. */
static gboolean
has_room (const VigilMqttClient *self, size_t bytes)
{
  return self->queue.size + self->status.in_flight <
             self->options.queue_messages &&
         self->queue.bytes + self->in_flight_bytes + bytes <=
             self->options.queue_bytes;
}

/* Under lock. What is larger than the whole queue would wait in vain. */
static void
wait_for_room (VigilMqttClient *self, size_t bytes, int64_t deadline_us)
{
  const struct timespec until = {
      .tv_sec = deadline_us / G_USEC_PER_SEC,
      .tv_nsec = deadline_us % G_USEC_PER_SEC * 1000,
  };

  self->waiters++;
  while (bytes <= self->options.queue_bytes && !has_room (self, bytes) &&
         takes_messages (self) &&
         (self->status.state == VIGIL_MQTT_CONNECTING ||
             self->status.state == VIGIL_MQTT_CONNECTED))
    if (pthread_cond_timedwait (&self->room, &self->lock, &until) == ETIMEDOUT)
      break;
  self->waiters--;
}

/*
 * Under lock: lets the policy make room. What it drops goes to @dropped, to
 * be told without the lock. Returns: FALSE when the new message is the one
 * to go.
 */
static gboolean
make_room (VigilMqttClient *self, size_t bytes, GPtrArray **dropped)
{
  const VigilMqttQueuePolicy policy = self->options.queue_policy;

  while (!has_room (self, bytes)) {
    VigilMqttQueueEntry oldest;

    if (policy == VIGIL_MQTT_DROP_NEWEST || bytes > self->options.queue_bytes)
      return FALSE;
    /* smaller messages help only where bytes are short */
    if (policy == VIGIL_MQTT_DROP_FRAMES_FIRST &&
        self->queue.size + self->status.in_flight <
            self->options.queue_messages &&
        vigil_mqtt_queue_reduce_oldest (&self->queue)) {
      self->status.reduced++;
      continue;
    }
    if (!vigil_mqtt_queue_pop (&self->queue, &oldest))
      return FALSE;
    self->status.dropped[VIGIL_MQTT_DROP_QUEUE_FULL]++;
    if (*dropped == NULL)
      *dropped = g_ptr_array_new ();
    g_ptr_array_add (*dropped, oldest.message);
  }
  return TRUE;
}

static void
tell_drop (
    VigilMqttClient *self, VigilMqttMessage *message, VigilMqttDropReason drop)
{
  if (self->outcome_func != NULL)
    self->outcome_func (message, VIGIL_MQTT_DROPPED,
        vigil_mqtt_client_drop_reason_name (drop), self->outcome_data);
}

/* Under lock. Returns: DROP_REASONS when @message was taken. */
static VigilMqttDropReason
enqueue (VigilMqttClient *self, VigilMqttMessage *message, int64_t deadline_us,
    GPtrArray **dropped)
{
  const size_t bytes = vigil_mqtt_message_get_bytes (message);
  VigilMqttDropReason drop = VIGIL_MQTT_DROP_REASONS;

  if (deadline_us > 0)
    wait_for_room (self, bytes, deadline_us);
  if (self->is_stopping)
    drop = VIGIL_MQTT_DROP_STOPPED;
  else if (!takes_messages (self))
    drop = VIGIL_MQTT_DROP_NOT_CONNECTED;
  else if (!make_room (self, bytes, dropped))
    drop = VIGIL_MQTT_DROP_QUEUE_FULL;
  if (drop == VIGIL_MQTT_DROP_REASONS)
    vigil_mqtt_queue_push (&self->queue, vigil_mqtt_message_ref (message),
        g_get_monotonic_time ());
  else
    self->status.dropped[drop]++;
  self->status.offered++;
  return drop;
}

/* Under lock. */
static gboolean
is_wake_due (const VigilMqttClient *self)
{
  return self->wake_size > 0 &&
         (self->queue.size >= self->wake_size ||
             self->queue.bytes >=
                 MIN (GATHERED_BYTES_MAX, self->options.queue_bytes / 2));
}

void
vigil_mqtt_client_send (
    VigilMqttClient *self, VigilMqttMessage *message, int64_t deadline_us)
{
  GPtrArray *dropped = NULL;
  VigilMqttDropReason drop = VIGIL_MQTT_DROP_REASONS;
  gboolean must_wake = FALSE;

  g_return_if_fail (self != NULL);
  g_return_if_fail (message != NULL);

  pthread_mutex_lock (&self->lock);
  drop = enqueue (self, message, deadline_us, &dropped);
  must_wake = drop == VIGIL_MQTT_DROP_REASONS && is_wake_due (self);
  if (must_wake)
    self->wake_size = 0;
  pthread_mutex_unlock (&self->lock);

  if (must_wake)
    wake (self);
  if (drop != VIGIL_MQTT_DROP_REASONS)
    tell_drop (self, message, drop);
  for (unsigned i = 0; dropped != NULL && i < dropped->len; i++) {
    tell_drop (self, dropped->pdata[i], VIGIL_MQTT_DROP_QUEUE_FULL);
    vigil_mqtt_message_unref (dropped->pdata[i]);
  }
  if (dropped != NULL)
    g_ptr_array_unref (dropped);
}

gboolean
vigil_mqtt_client_is_accepting (VigilMqttClient *self)
{
  gboolean is_accepting = FALSE;

  g_return_val_if_fail (self != NULL, FALSE);

  pthread_mutex_lock (&self->lock);
  is_accepting = takes_messages (self) &&
                 (self->options.queue_policy != VIGIL_MQTT_DROP_NEWEST ||
                     has_room (self, 0));
  pthread_mutex_unlock (&self->lock);
  return is_accepting;
}

void
vigil_mqtt_client_skip (VigilMqttClient *self, VigilMqttDropReason reason)
{
  g_return_if_fail (self != NULL);
  g_return_if_fail (reason < VIGIL_MQTT_DROP_REASONS);

  pthread_mutex_lock (&self->lock);
  self->status.offered++;
  self->status.dropped[reason]++;
  pthread_mutex_unlock (&self->lock);
}

void
vigil_mqtt_client_get_status (
    VigilMqttClient *self, VigilMqttStatus *ret_status)
{
  int64_t now_us = 0;

  g_return_if_fail (self != NULL);
  g_return_if_fail (ret_status != NULL);

  pthread_mutex_lock (&self->lock);
  /* not before the lock: what is left is never more than the whole pause */
  now_us = g_get_monotonic_time ();
  *ret_status = self->status;
  ret_status->queued = self->queue.size;
  ret_status->queued_bytes = self->queue.bytes;
  ret_status->next_retry_ms =
      self->retry_us > 0 ? MAX (self->retry_us - now_us, 0) / 1000 : -1;
  pthread_mutex_unlock (&self->lock);
}
