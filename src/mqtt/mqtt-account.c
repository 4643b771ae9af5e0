/* SPDX-License-Identifier: Apache-2.0 */

/* Queue and counts: every function takes the lock once and leaves the
 * equation true. */

#include "mqtt/mqtt-client-private.h"

#include <string.h>

/* One batch from the queue: as much as the output takes at a time. */
#define BATCH_BYTES (256 * 1024)

/* A sender that waits is told of room when the queue is half empty, or after
 * this time: a turn of its thread for each place costs more than the
 * message. */
#define ROOM_US (5 * G_USEC_PER_SEC / 1000)

void
vigil_mqtt_account_end (VigilMqttClient *self, VigilMqttMessage *message,
    VigilMqttOutcome outcome, VigilMqttDropReason drop, const char *reason,
    gboolean was_queued)
{
  const VigilMqttEnded ended = {
      message, outcome, drop, g_strdup (reason), was_queued};

  g_array_append_val (self->ended, ended);
}

/* Under lock. */
static void
count_ended (VigilMqttClient *self, const VigilMqttEnded *ended)
{
  VigilMqttStatus *status = &self->status;

  if (!ended->was_queued) {
    status->in_flight--;
    self->in_flight_bytes -= vigil_mqtt_message_get_bytes (ended->message);
  }
  switch (ended->outcome) {
  case VIGIL_MQTT_PUBLISHED:
    status->published++;
    status->bytes += ended->message->payload_size;
    break;
  case VIGIL_MQTT_ACKNOWLEDGED:
    status->acknowledged++;
    status->bytes += ended->message->payload_size;
    break;
  case VIGIL_MQTT_DROPPED:
  case VIGIL_MQTT_REJECTED:
    /* queued ones were counted when they left the queue */
    if (!ended->was_queued)
      status->dropped[ended->drop]++;
    break;
  }
}

/* Under lock. */
static void
tell_of_room (VigilMqttClient *self)
{
  const int64_t now_us = g_get_monotonic_time ();

  if (self->queue.size > self->options.queue_messages / 2 &&
      now_us - self->room_us < ROOM_US)
    return;
  self->room_us = now_us;
  pthread_cond_broadcast (&self->room);
}

void
vigil_mqtt_account_flush (VigilMqttClient *self)
{
  if (self->ended->len == 0)
    return;
  pthread_mutex_lock (&self->lock);
  for (unsigned i = 0; i < self->ended->len; i++)
    count_ended (self, &g_array_index (self->ended, VigilMqttEnded, i));
  self->status.resent = vigil_mqtt_session_get_resent (self->session);
  self->status.latencies = *vigil_mqtt_session_get_latencies (self->session);
  if (self->waiters > 0)
    tell_of_room (self);
  pthread_mutex_unlock (&self->lock);

  for (unsigned i = 0; i < self->ended->len; i++) {
    VigilMqttEnded *ended = &g_array_index (self->ended, VigilMqttEnded, i);

    if (self->outcome_func != NULL)
      self->outcome_func (
          ended->message, ended->outcome, ended->reason, self->outcome_data);
    vigil_mqtt_message_unref (ended->message);
    g_free (ended->reason);
  }
  g_array_set_size (self->ended, 0);
}

void
vigil_mqtt_account_reduce (
    VigilMqttClient *self, VigilMqttMessage *from, VigilMqttMessage *to)
{
  pthread_mutex_lock (&self->lock);
  self->in_flight_bytes -= vigil_mqtt_message_get_bytes (from);
  self->in_flight_bytes += vigil_mqtt_message_get_bytes (to);
  self->status.reduced++;
  pthread_mutex_unlock (&self->lock);
}

unsigned
vigil_mqtt_account_take (
    VigilMqttClient *self, VigilMqttQueueEntry *ret_entries, unsigned limit)
{
  unsigned size = 0;
  size_t bytes = 0;

  pthread_mutex_lock (&self->lock);
  while (size < limit && bytes < BATCH_BYTES &&
         vigil_mqtt_queue_pop (&self->queue, &ret_entries[size])) {
    bytes += vigil_mqtt_message_get_bytes (ret_entries[size].message);
    size++;
  }
  self->status.in_flight += size;
  self->in_flight_bytes += bytes;
  pthread_mutex_unlock (&self->lock);
  return size;
}

void
vigil_mqtt_account_drop_queued (
    VigilMqttClient *self, VigilMqttDropReason drop, int64_t before_us)
{
  VigilMqttQueueEntry entry;

  pthread_mutex_lock (&self->lock);
  for (;;) {
    const VigilMqttQueueEntry *oldest = vigil_mqtt_queue_peek (&self->queue);

    if (oldest == NULL || oldest->taken_us >= before_us)
      break;
    vigil_mqtt_queue_pop (&self->queue, &entry);
    self->status.dropped[drop]++;
    vigil_mqtt_account_end (self, entry.message, VIGIL_MQTT_DROPPED, drop,
        vigil_mqtt_client_drop_reason_name (drop), TRUE);
  }
  if (self->waiters > 0)
    pthread_cond_broadcast (&self->room);
  pthread_mutex_unlock (&self->lock);
}

void
vigil_mqtt_account_set_state (VigilMqttClient *self, VigilMqttState state,
    const char *error, int64_t retry_us)
{
  pthread_mutex_lock (&self->lock);
  self->status.state = state;
  self->retry_us = retry_us;
  if (error != NULL)
    g_strlcpy (self->status.last_error, error, sizeof self->status.last_error);
  if (state == VIGIL_MQTT_CONNECTING || state == VIGIL_MQTT_RECONNECTING)
    self->status.attempts++;
  if (state == VIGIL_MQTT_CONNECTED)
    self->status.connects++;
  pthread_cond_broadcast (&self->room);
  pthread_mutex_unlock (&self->lock);
}

uint64_t
vigil_mqtt_account_get_dropped (VigilMqttClient *self)
{
  uint64_t dropped = 0;

  pthread_mutex_lock (&self->lock);
  for (unsigned i = 0; i < VIGIL_MQTT_DROP_REASONS; i++)
    dropped += self->status.dropped[i];
  pthread_mutex_unlock (&self->lock);
  return dropped;
}
