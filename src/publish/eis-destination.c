/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages to the EIS Message Bus. The socket belongs to the server's bus;
 * this is one instance's part in it: what it sends, and its counts. Nothing
 * here waits for a subscriber, and nothing is queued: libzmq has a queue for
 * each subscriber, and says nothing about them, so a message counts as
 * published when the socket has taken it.
 */
#include "publish/destination-list.h"
#include "publish/destination.h"

#include "base/error.h"
#include "base/log.h"
#include "filter/filter.h"
#include "publish/eis-bus.h"
#include "publish/eis-metadata.h"
#include <pthread.h>
#include <string.h>

/* Adds the pipeline's name to the topic, as EVAM does. */
#define APPEND_NAME "APPEND_PIPELINE_NAME_TO_PUBLISHER_TOPIC"

enum { LOG_INTERVAL_MS = 60 * 1000 };

typedef enum {
  DROP_NOT_OPEN,
  DROP_FAILED,
  DROP_STOPPED,
  DROP_REASONS,
} DropReason;

static const char *const reason_names[DROP_REASONS] = {
    [DROP_NOT_OPEN] = "not_open",
    [DROP_FAILED] = "send_failed",
    [DROP_STOPPED] = "stopped",
};

typedef struct {
  VigilEisSocket *socket; /* of the bus */
  char *topic;
  gboolean publish_frame;
  /* of the worker */
  VigilLogGate raw_gate;
  int64_t waited_until_us; /* for subscribers */

  pthread_mutex_t lock; /* protects what follows */
  pthread_cond_t stopped;
  gboolean is_stopped;
  uint64_t offered;
  uint64_t dropped[DROP_REASONS];
  uint64_t published;
  uint64_t bytes;
} EisDestination;

static const VigilSchemaKey keys[] = {
    {.name = "name",
        .type = VIGIL_SCHEMA_STRING,
        .default_text = "the first publisher",
        .help = "The `Name` of an entry of `interfaces.Publishers`."},
    {.name = "publish_frame",
        .type = VIGIL_SCHEMA_BOOLEAN,
        .default_text = "false",
        .help = "Send the frame as a blob beside the metadata."},
    {.name = "filter",
        .type = VIGIL_SCHEMA_OBJECT,
        .keys = vigil_filter_keys,
        .help = "Which results are published; as in `mqtt_publisher`."},
    {.name = NULL},
};

/* ---- Settings ------------------------------------------------------------ */

static char *
describe_missing (const VigilEisBus *bus, const char *name)
{
  g_autofree char *names = vigil_eis_bus_dup_names (bus);

  if (*names == '\0')
    return g_strdup ("there is no usable entry in interfaces.Publishers of "
                     "the configuration: add one");
  return g_strdup_printf ("'%s': want a Name of interfaces.Publishers: %s",
      name != NULL ? name : "", names);
}

static void
check (const VigilJson *settings, const char *path,
    const VigilDestinationContext *context, VigilProblems *problems)
{
  const char *name = vigil_schema_get_string (settings, "name", NULL);
  g_autofree char *name_path = vigil_schema_join_path (path, "name");
  g_autofree char *filter_path = vigil_schema_join_path (path, "filter");
  g_autofree char *text = NULL;

  if (vigil_eis_bus_find (context->eis_bus, name) == NULL) {
    text = describe_missing (context->eis_bus, name);
    vigil_problems_add (problems, VIGIL_PROBLEM_ERROR, name_path, "%s", text);
  }
  vigil_filter_check (
      vigil_json_object_get (settings, "filter"), filter_path, problems);
}

static gboolean
appends_name (const VigilDestinationContext *context)
{
  const char *value = vigil_environment_get (context->environment, APPEND_NAME);

  return value != NULL && g_ascii_strcasecmp (value, "true") == 0 &&
         context->pipeline_name != NULL;
}

static void
close_destination (void *state)
{
  EisDestination *self = state;

  pthread_mutex_destroy (&self->lock);
  pthread_cond_destroy (&self->stopped);
  g_free (self->topic);
  g_free (self);
}

static EisDestination *
new_destination (void)
{
  EisDestination *self = g_new0 (EisDestination, 1);
  pthread_condattr_t attributes;

  pthread_mutex_init (&self->lock, NULL);
  pthread_condattr_init (&attributes);
  pthread_condattr_setclock (&attributes, CLOCK_MONOTONIC);
  pthread_cond_init (&self->stopped, &attributes);
  pthread_condattr_destroy (&attributes);
  return self;
}

static void *
open_destination (const VigilJson *settings,
    const VigilDestinationContext *context, GError **error)
{
  const char *name = vigil_schema_get_string (settings, "name", NULL);
  const VigilEisSettings *publisher =
      vigil_eis_bus_find (context->eis_bus, name);
  VigilEisSocket *socket;
  EisDestination *self;

  if (publisher == NULL) {
    g_autofree char *text = describe_missing (context->eis_bus, name);

    g_set_error_literal (error, VIGIL_ERROR, VIGIL_ERROR_INVALID, text);
    return NULL;
  }
  socket = vigil_eis_bus_get_socket (context->eis_bus, publisher, error);
  if (socket == NULL)
    return NULL;
  self = new_destination ();
  self->socket = socket;
  self->topic =
      appends_name (context)
          ? g_strdup_printf ("%s_%s", publisher->topic, context->pipeline_name)
          : g_strdup (publisher->topic);
  self->publish_frame =
      vigil_schema_get_boolean (settings, "publish_frame", FALSE);
  return self;
}

/* The socket opens with the first message. */
static gboolean
start (void *state, GError **error)
{
  return TRUE;
}

static gboolean
wants_frame (const void *state)
{
  const EisDestination *self = state;

  return self->publish_frame;
}

static gboolean
is_stopped (EisDestination *self)
{
  gboolean result;

  pthread_mutex_lock (&self->lock);
  result = self->is_stopped;
  pthread_mutex_unlock (&self->lock);
  return result;
}

static gboolean
is_accepting (void *state)
{
  EisDestination *self = state;

  return !is_stopped (self) && vigil_eis_socket_is_accepting (self->socket);
}

/* ---- Sending ------------------------------------------------------------- */

static void
count_dropped (EisDestination *self, DropReason reason)
{
  pthread_mutex_lock (&self->lock);
  self->offered++;
  self->dropped[reason]++;
  pthread_mutex_unlock (&self->lock);
}

static void
count_published (EisDestination *self, size_t bytes)
{
  pthread_mutex_lock (&self->lock);
  self->offered++;
  self->published++;
  self->bytes += bytes;
  pthread_mutex_unlock (&self->lock);
}

static void
skip (void *state)
{
  count_dropped (state, is_stopped (state) ? DROP_STOPPED : DROP_NOT_OPEN);
}

/* For as long as subscribers may need to come back to a socket that has
 * just opened. Returns: FALSE when the destination was stopped. */
static gboolean
wait_for_subscribers (EisDestination *self, int64_t deadline_us)
{
  int64_t until_us = deadline_us;
  struct timespec until;
  gboolean has_time;

  if (deadline_us != 0)
    until_us = MIN (vigil_eis_socket_get_ready_us (self->socket), deadline_us);
  if (until_us <= self->waited_until_us)
    return TRUE;
  self->waited_until_us = until_us;
  until.tv_sec = until_us / G_USEC_PER_SEC;
  until.tv_nsec = until_us % G_USEC_PER_SEC * 1000;
  pthread_mutex_lock (&self->lock);
  while (!self->is_stopped && g_get_monotonic_time () < until_us)
    pthread_cond_timedwait (&self->stopped, &self->lock, &until);
  has_time = !self->is_stopped;
  pthread_mutex_unlock (&self->lock);
  return has_time;
}

/* The bus knows one raw form: BGR, row after row. Returns: (transfer full)
 * (nullable). */
static GBytes *
pack_raw (EisDestination *self, const VigilFrame *frame)
{
  const size_t row_bytes = (size_t)frame->width * 3;
  uint64_t suppressed;
  uint8_t *packed = NULL;

  if (frame->pixels == VIGIL_PIXELS_BGR)
    packed = g_try_malloc (row_bytes * (size_t)frame->height);
  if (packed == NULL) {
    if (vigil_log_gate_open (&self->raw_gate, LOG_INTERVAL_MS,
            g_get_monotonic_time (), &suppressed))
      g_warning ("%s: raw frames of format %s go to the EIS Message Bus "
                 "without their picture: want BGR, or no publish_raw_frame",
          self->topic, frame->format != NULL ? frame->format : "unknown");
    return NULL;
  }
  for (int row = 0; row < frame->height; row++)
    memcpy (packed + row_bytes * (size_t)row,
        frame->planes[0] + (ptrdiff_t)frame->strides[0] * row, row_bytes);
  return g_bytes_new_take (packed, row_bytes * (size_t)frame->height);
}

/* The bytes of the frame, to be kept. Returns: (transfer full) (nullable):
 * NULL when there is none to send. */
static GBytes *
get_blob (EisDestination *self, const VigilMessage *message)
{
  if (!self->publish_frame || message->frame == NULL)
    return NULL;
  if (message->raw != NULL)
    return pack_raw (self, message->raw);
  if (!message->frame_is_borrowed)
    return g_bytes_ref (message->frame);
  return g_bytes_new (g_bytes_get_data (message->frame, NULL),
      g_bytes_get_size (message->frame));
}

static void
send_message (void *state, VigilMessage *message, int64_t deadline_us)
{
  EisDestination *self = state;
  const gboolean is_jpeg = g_strcmp0 (message->content_type, "image/jpeg") == 0;
  g_autoptr (GBytes) json =
      vigil_eis_metadata_convert (message->metadata, is_jpeg);
  g_autoptr (GBytes) blob = get_blob (self, message);
  const size_t bytes =
      g_bytes_get_size (json) + (blob != NULL ? g_bytes_get_size (blob) : 0);

  if (is_stopped (self)) {
    count_dropped (self, DROP_STOPPED);
    return;
  }
  if (!vigil_eis_socket_open (self->socket, bytes)) {
    count_dropped (self, DROP_NOT_OPEN);
    return;
  }
  if (!wait_for_subscribers (self, deadline_us)) {
    count_dropped (self, DROP_STOPPED);
    return;
  }
  if (vigil_eis_socket_send (self->socket, self->topic, json, blob))
    count_published (self, bytes);
  else
    count_dropped (self, DROP_FAILED);
}

/* What libzmq holds for subscribers goes out while the bus lives. */
static void
stop (void *state, int64_t deadline_us)
{
  EisDestination *self = state;

  pthread_mutex_lock (&self->lock);
  self->is_stopped = TRUE;
  pthread_cond_broadcast (&self->stopped);
  pthread_mutex_unlock (&self->lock);
}

static void
get_status (void *state, VigilDestinationStatus *ret_status)
{
  EisDestination *self = state;
  VigilEisSocketStatus socket;

  vigil_eis_socket_get_status (self->socket, &socket);
  pthread_mutex_lock (&self->lock);
  ret_status->state = self->is_stopped ? "stopped" : socket.state;
  memcpy (ret_status->last_error, socket.last_error,
      sizeof (ret_status->last_error));
  ret_status->next_retry_ms = self->is_stopped ? -1 : socket.next_retry_ms;
  ret_status->offered = self->offered;
  for (unsigned i = 0; i < DROP_REASONS; i++) {
    ret_status->dropped[i].reason = reason_names[i];
    ret_status->dropped[i].count = self->dropped[i];
  }
  ret_status->dropped_size = DROP_REASONS;
  ret_status->published = self->published;
  ret_status->bytes = self->bytes;
  ret_status->connects = socket.opens;
  pthread_mutex_unlock (&self->lock);
}

const VigilDestinationOps vigil_eis_destination_ops = {
    .type = "eis",
    .config_key = "eis_publisher",
    .keys = keys,
    .check = check,
    .open = open_destination,
    .start = start,
    .wants_frame = wants_frame,
    .is_accepting = is_accepting,
    .skip = skip,
    .send = send_message,
    .stop = stop,
    .get_status = get_status,
    .close = close_destination,
};
