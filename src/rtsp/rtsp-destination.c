/* SPDX-License-Identifier: Apache-2.0 */
/* Frames to viewers: the destination behind which stands a stream. */
#include "rtsp/rtsp-destination.h"

#include "base/error.h"
#include "rtsp/rtsp-jpeg.h"
#include <pthread.h>
#include <string.h>

#define CACHE_DEFAULT 30

typedef struct {
  char *name;              /* for the log */
  VigilRtspServer *server; /* borrowed; outlives us */
  VigilRtspStream *stream;
  gboolean is_added;    /* the path is ours */
  pthread_mutex_t lock; /* protects what follows */
  char last_error[256];
} RtspDestination;

/* ---- Settings -------------------------------------------------------------
 */

static const VigilSchemaKey keys[] = {
    {.name = "type",
        .type = VIGIL_SCHEMA_STRING,
        .default_text = "rtsp",
        .help = "As requests have it."},
    {.name = "path",
        .type = VIGIL_SCHEMA_STRING,
        .is_required = TRUE,
        .help = "Viewers open `rtsp://HOST:RTSP_PORT/PATH`."},
    {.name = "cache-length",
        .type = VIGIL_SCHEMA_INTEGER,
        .minimum = 1,
        .maximum = 1000,
        .default_text = "30",
        .help = "Frames that wait for slow viewers before the oldest is "
                "lost."},
    {.name = "encode-quality",
        .type = VIGIL_SCHEMA_INTEGER,
        .minimum = 0,
        .maximum = 100,
        .help = "No effect: a frame is encoded once for all, as the "
                "pipeline's `encoding` says."},
    {.name = "overlay",
        .type = VIGIL_SCHEMA_BOOLEAN,
        .help = "No effect: viewers see what is published, without boxes."},
    {.name = "sync-with-source",
        .type = VIGIL_SCHEMA_BOOLEAN,
        .help = "No effect: the appsink's `sync` decides."},
    {.name = "sync-with-destination",
        .type = VIGIL_SCHEMA_BOOLEAN,
        .help = "No effect: the appsink's `sync` decides."},
    {.name = NULL},
};

static gboolean
is_path (const char *path)
{
  size_t length = strlen (path);

  if (length < 2 || !g_ascii_isalnum (path[0]) ||
      !g_ascii_isalnum (path[length - 1]))
    return FALSE;
  for (const char *c = path; *c != '\0'; c++)
    if (!g_ascii_isalnum (*c) && strchr ("_/-", *c) == NULL)
      return FALSE;
  return TRUE;
}

static void
check (const VigilJson *settings, const char *path,
    const VigilDestinationContext *context, VigilProblems *problems)
{
  const char *mount = vigil_schema_get_string (settings, "path", NULL);
  g_autofree char *key_path = vigil_schema_join_path (path, "path");

  if (mount != NULL && !is_path (mount))
    vigil_problems_add (problems, VIGIL_PROBLEM_ERROR, key_path,
        "'%.60s': want letters, digits, '_', '-' and '/', at least two, and "
        "a letter or digit at both ends",
        mount);
}

/* DLSPS encodes for its viewers once more, and draws; here they share. */
static void
log_ignored (const RtspDestination *self, const VigilJson *settings)
{
  if (vigil_schema_get_boolean (settings, "overlay", FALSE))
    g_message ("%s: 'overlay' has no effect: viewers see the frames as they "
               "are published, without boxes; gvawatermark in the pipeline "
               "draws them",
        self->name);
  if (vigil_json_object_get (settings, "encode-quality") != NULL)
    g_message ("%s: 'encode-quality' has no effect: a frame is encoded once "
               "for all, by the pipeline's 'encoding'",
        self->name);
}

/* ---- Life ------------------------------------------------------------------
 */

static void
close_destination (void *state)
{
  RtspDestination *self = state;

  if (self->is_added)
    vigil_rtsp_server_remove (
        self->server, self->stream, g_get_monotonic_time ());
  vigil_rtsp_stream_unref (self->stream);
  pthread_mutex_destroy (&self->lock);
  g_free (self->name);
  g_free (self);
}

/* The path is taken here and not at the start, so that a request for one
 * that is in use is refused at once. */
static void *
open_destination (const VigilJson *settings,
    const VigilDestinationContext *context, GError **error)
{
  RtspDestination *self;
  const char *path = vigil_schema_get_string (settings, "path", "");

  if (context->user_data == NULL) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_UNSUPPORTED,
        "there is no RTSP server here");
    return NULL;
  }
  self = g_new0 (RtspDestination, 1);
  pthread_mutex_init (&self->lock, NULL);
  self->name = vigil_destination_dup_label (context);
  self->server = context->user_data;
  self->stream =
      vigil_rtsp_stream_new (path, (unsigned)vigil_schema_get_integer (settings,
                                       "cache-length", CACHE_DEFAULT));
  self->is_added = vigil_rtsp_server_add (self->server, self->stream, error);
  if (self->is_added) {
    log_ignored (self, settings);
    return self;
  }
  close_destination (self);
  return NULL;
}

static gboolean
start (void *state, GError **error)
{
  return TRUE;
}

static void
stop (void *state, int64_t deadline_us)
{
  RtspDestination *self = state;

  vigil_rtsp_server_remove (self->server, self->stream, deadline_us);
  self->is_added = FALSE;
}

/* ---- Frames -----------------------------------------------------------------
 */

static gboolean
wants_frame (const void *state)
{
  return TRUE;
}

static gboolean
is_accepting (void *state)
{
  const RtspDestination *self = state;

  return vigil_rtsp_stream_is_watched (self->stream);
}

static void
skip (void *state)
{
  RtspDestination *self = state;
  VigilRtspStreamStatus status;

  vigil_rtsp_stream_get_status (self->stream, &status);
  vigil_rtsp_stream_drop (self->stream,
      status.is_ended ? VIGIL_RTSP_DROP_STOPPED : VIGIL_RTSP_DROP_NO_VIEWER);
}

static gboolean
check_frame (
    const VigilMessage *message, VigilRtspJpegSize *ret_size, GError **error)
{
  if (message->frame == NULL) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_FAILED,
        "the frame could not be encoded");
    return FALSE;
  }
  if (g_strcmp0 (message->content_type, "image/jpeg") != 0) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_UNSUPPORTED,
        "%.60s: RTSP viewers get JPEGs: want raw frames, or jpegenc, at the "
        "appsink, and no other 'encoding' or 'publish_raw_frame'",
        message->content_type != NULL ? message->content_type : "raw frames");
    return FALSE;
  }
  return vigil_rtsp_jpeg_check (g_bytes_get_data (message->frame, NULL),
      g_bytes_get_size (message->frame), ret_size, error);
}

/* One line for each reason, not for each frame. */
static void
report (RtspDestination *self, const char *reason)
{
  gboolean is_new;

  pthread_mutex_lock (&self->lock);
  is_new = strncmp (self->last_error, reason, sizeof self->last_error - 1) != 0;
  g_strlcpy (self->last_error, reason, sizeof self->last_error);
  pthread_mutex_unlock (&self->lock);
  if (is_new)
    g_warning ("%s: viewers do not see the frames: %s", self->name, reason);
}

static void
send_message (void *state, VigilMessage *message, int64_t deadline_us)
{
  RtspDestination *self = state;
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) copy = NULL;
  VigilRtspJpegSize size;

  if (!check_frame (message, &size, &error)) {
    vigil_rtsp_stream_drop (self->stream, VIGIL_RTSP_DROP_UNUSABLE);
    report (self, error->message);
    return;
  }
  /* Viewers may take long; the pipeline wants its memory back. */
  if (message->frame_is_borrowed)
    copy = g_bytes_new (g_bytes_get_data (message->frame, NULL),
        g_bytes_get_size (message->frame));
  vigil_rtsp_stream_push (
      self->stream, copy != NULL ? copy : message->frame, &size);
}

static void
get_status (void *state, VigilDestinationStatus *ret_status)
{
  static const char *const reasons[VIGIL_RTSP_DROP_REASONS] = {
      [VIGIL_RTSP_DROP_NO_VIEWER] = "no_viewer",
      [VIGIL_RTSP_DROP_VIEWERS_SLOW] = "queue_full",
      [VIGIL_RTSP_DROP_UNUSABLE] = "unusable",
      [VIGIL_RTSP_DROP_STOPPED] = "stopped",
  };
  RtspDestination *self = state;
  VigilRtspStreamStatus status;

  vigil_rtsp_stream_get_status (self->stream, &status);
  ret_status->state = status.is_ended     ? "stopped"
                      : status.is_watched ? "streaming"
                                          : "listening";
  ret_status->offered = status.offered;
  for (unsigned i = 0; i < VIGIL_RTSP_DROP_REASONS; i++) {
    ret_status->dropped[i].reason = reasons[i];
    ret_status->dropped[i].count = status.dropped[i];
  }
  ret_status->dropped_size = VIGIL_RTSP_DROP_REASONS;
  ret_status->queued = status.queued;
  ret_status->queued_bytes = status.queued_bytes;
  ret_status->published = status.published;
  ret_status->bytes = status.bytes;
  ret_status->connects = status.viewers;
  pthread_mutex_lock (&self->lock);
  memcpy (
      ret_status->last_error, self->last_error, sizeof ret_status->last_error);
  pthread_mutex_unlock (&self->lock);
}

const VigilDestinationOps vigil_rtsp_destination_ops = {
    .type = "rtsp",
    .config_key = "rtsp",
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
