/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages to a file or to standard output. A thread of its own writes, so
 * that a slow disk or reader holds up nobody else.
 */
#include "base/error.h"
#include "base/file.h"
#include "base/queue.h"
#include "filter/filter.h"
#include "publish/destination-list.h"
#include "publish/destination.h"
#include "publish/file-writer.h"
#include "publish/payload.h"
#include <pthread.h>
#include <signal.h>
#include <string.h>

enum { QUEUE_MESSAGES = 1000, POOLED_BUFFERS = 8 };
#define QUEUE_BYTES ((size_t)64 * 1024 * 1024)

typedef struct {
  char *name; /* for the log */
  gboolean publish_frame;
  VigilPayloadFormat format;
  VigilBufferPool *pool;
  VigilFileWriter *writer;
  VigilQueue *queue; /* element-type: VigilPayload */
  pthread_t thread;
  pthread_cond_t done_condition;
  pthread_mutex_t lock; /* protects all below */
  gboolean is_done;     /* the thread has written what it will */
  gboolean is_stopped;
  gboolean is_cancelled; /* what is left in the queue is dropped */
  gboolean is_failing;
  char last_error[256];
  uint64_t published;
  uint64_t bytes;
  uint64_t failed;
  uint64_t left; /* in the queue, at stop */
} FileDestination;

/* ---- Settings ----------------------------------------------------------- */

static const char *const formats[] = {"json-lines", "json", NULL};
static const char *const payload_formats[] = {"array", "object", NULL};

static const VigilSchemaKey keys[] = {
    {.name = "name",
        .type = VIGIL_SCHEMA_STRING,
        .default_text = "file",
        .help = "How the log and the status name this destination."},
    {.name = "path",
        .type = VIGIL_SCHEMA_STRING,
        .is_required = TRUE,
        .help = "The file; `-` is standard output. Relative to the "
                "configuration's folder."},
    {.name = "format",
        .type = VIGIL_SCHEMA_CHOICE,
        .choices = formats,
        .default_text = "json",
        .help = "`json`: one array, begun anew; `json-lines`: one message a "
                "line, appended."},
    {.name = "publish_frame",
        .type = VIGIL_SCHEMA_BOOLEAN,
        .default_text = "false",
        .help = "Write the frame beside its metadata."},
    {.name = "payload_format",
        .type = VIGIL_SCHEMA_CHOICE,
        .choices = payload_formats,
        .default_text = "array",
        .help = "The shape of a message, as for MQTT. Without frames the "
                "`array` shape is the bare metadata."},
    {.name = "filter",
        .type = VIGIL_SCHEMA_OBJECT,
        .keys = vigil_filter_keys,
        .help = "Which results are published."},
    {.name = "max_bytes",
        .type = VIGIL_SCHEMA_INTEGER,
        .minimum = 0,
        .maximum = 1e15,
        .default_text = "0",
        .help = "A file that would become larger is renamed to PATH.1 and "
                "begun anew; 0: never."},
    {.name = "max_files",
        .type = VIGIL_SCHEMA_INTEGER,
        .minimum = 0,
        .maximum = 1000,
        .default_text = "4",
        .help = "How many renamed files are kept."},
    {.name = "type",
        .type = VIGIL_SCHEMA_STRING,
        .default_text = "file",
        .help = "As requests have it."},
    {.name = NULL},
};

static char *
dup_path (const VigilJson *settings, const VigilDestinationContext *context)
{
  const char *path = vigil_schema_get_string (settings, "path", "-");

  return strcmp (path, "-") == 0
             ? g_strdup (path)
             : vigil_file_resolve (path, context->config_folder);
}

static void
check (const VigilJson *settings, const char *path,
    const VigilDestinationContext *context, VigilProblems *problems)
{
  const VigilJson *filter = vigil_json_object_get (settings, "filter");
  g_autofree char *filter_path = vigil_schema_join_path (path, "filter");
  g_autofree char *key_path = vigil_schema_join_path (path, "path");
  g_autofree char *file = dup_path (settings, context);
  g_autofree char *folder = g_path_get_dirname (file);

  vigil_filter_check (filter, filter_path, problems);
  if (strcmp (file, "-") == 0)
    return;
  if (!g_file_test (folder, G_FILE_TEST_IS_DIR))
    vigil_problems_add (problems, VIGIL_PROBLEM_ERROR, key_path,
        "'%s': want a file in a folder that exists", file);
  else if (g_file_test (file, G_FILE_TEST_IS_DIR))
    vigil_problems_add (problems, VIGIL_PROBLEM_ERROR, key_path,
        "'%s': want a file, this is a folder", file);
}

/* ---- The thread
 * -------------------------------------------------------------- */

static void
free_payload (void *payload)
{
  vigil_payload_clear (payload);
  g_free (payload);
}

/* One line when writing begins to fail, one when it works again. */
static void
report (FileDestination *self, const GError *error)
{
  if ((error != NULL) == self->is_failing)
    return;
  self->is_failing = error != NULL;
  if (error != NULL)
    g_warning ("%s: %s, dropping messages", self->name, error->message);
  else
    g_message ("%s: writing again", self->name);
}

static void
count_outcome (
    FileDestination *self, const VigilPayload *payload, const GError *error)
{
  if (error == NULL) {
    self->published++;
    self->bytes += vigil_payload_get_size (payload);
    return;
  }
  g_strlcpy (self->last_error, error->message, sizeof self->last_error);
  if (self->is_cancelled)
    self->left++;
  else
    self->failed++;
}

static void
write_payload (FileDestination *self, const VigilPayload *payload)
{
  g_autoptr (GError) error = NULL;

  vigil_file_writer_append (self->writer, payload->segments, &error);
  pthread_mutex_lock (&self->lock);
  count_outcome (self, payload, error);
  if (!self->is_cancelled)
    report (self, error);
  pthread_mutex_unlock (&self->lock);
}

static gboolean
is_cancelled (FileDestination *self)
{
  gboolean result;

  pthread_mutex_lock (&self->lock);
  result = self->is_cancelled;
  pthread_mutex_unlock (&self->lock);
  return result;
}

static void *
run (void *data)
{
  FileDestination *self = data;
  VigilPayload *payload;
  sigset_t signals;

  /* A reader of standard output that goes away is an error here, no end of
   * the program. */
  sigemptyset (&signals);
  sigaddset (&signals, SIGPIPE);
  pthread_sigmask (SIG_BLOCK, &signals, NULL);
  while (!is_cancelled (self) &&
         (payload = vigil_queue_pop (self->queue, -1)) != NULL) {
    write_payload (self, payload);
    free_payload (payload);
  }
  vigil_file_writer_close (self->writer);
  pthread_mutex_lock (&self->lock);
  self->is_done = TRUE;
  pthread_cond_signal (&self->done_condition);
  pthread_mutex_unlock (&self->lock);
  return NULL;
}

/* ---- Operations --------------------------------------------------------- */

static void
close_destination (void *state)
{
  FileDestination *self = state;

  vigil_queue_free (self->queue);
  vigil_file_writer_free (self->writer);
  vigil_buffer_pool_unref (self->pool);
  pthread_mutex_destroy (&self->lock);
  pthread_cond_destroy (&self->done_condition);
  g_free (self->name);
  g_free (self);
}

static void *
open_destination (const VigilJson *settings,
    const VigilDestinationContext *context, GError **error)
{
  FileDestination *self = g_new0 (FileDestination, 1);
  g_autofree char *path = dup_path (settings, context);
  const char *format = vigil_schema_get_string (settings, "format", "json");
  const VigilFileWriterOptions options = {.path = path,
      .is_array = strcmp (format, "json") == 0,
      .max_bytes =
          (uint64_t)vigil_schema_get_integer (settings, "max_bytes", 0),
      .max_files =
          (unsigned)vigil_schema_get_integer (settings, "max_files", 4)};
  pthread_condattr_t attributes;

  self->name = vigil_destination_dup_label (context);
  self->publish_frame =
      vigil_schema_get_boolean (settings, "publish_frame", FALSE);
  vigil_payload_format_parse (
      vigil_schema_get_string (settings, "payload_format", "array"),
      &self->format);
  self->pool = vigil_buffer_pool_new (POOLED_BUFFERS);
  self->writer = vigil_file_writer_new (&options);
  self->queue = vigil_queue_new (
      QUEUE_MESSAGES, QUEUE_BYTES, VIGIL_QUEUE_DROP_OLDEST, free_payload);
  pthread_mutex_init (&self->lock, NULL);
  pthread_condattr_init (&attributes);
  pthread_condattr_setclock (&attributes, CLOCK_MONOTONIC);
  pthread_cond_init (&self->done_condition, &attributes);
  pthread_condattr_destroy (&attributes);
  return self;
}

static gboolean
start (void *state, GError **error)
{
  FileDestination *self = state;
  int number = pthread_create (&self->thread, NULL, run, self);

  if (number == 0) {
    pthread_setname_np (self->thread, "vigil-file");
    return TRUE;
  }
  g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_UNAVAILABLE, "%s: no thread: %s",
      self->name, g_strerror (number));
  return FALSE;
}

static gboolean
wants_frame (const void *state)
{
  const FileDestination *self = state;

  return self->publish_frame;
}

static gboolean
is_accepting (void *state)
{
  FileDestination *self = state;

  return !vigil_queue_is_closed (self->queue);
}

static void
send_message (void *state, VigilMessage *message, int64_t deadline_us)
{
  FileDestination *self = state;
  VigilPayload *payload = g_new0 (VigilPayload, 1);
  size_t size;

  vigil_payload_init (
      payload, self->format, self->publish_frame, message, self->pool);
  size = vigil_payload_get_size (payload);
  if (deadline_us == 0)
    vigil_queue_push (self->queue, payload, size);
  else
    vigil_queue_push_wait (self->queue, payload, size, deadline_us);
}

/* Counted by the queue, which is closed when nothing is accepted. */
static void
skip (void *state)
{
  FileDestination *self = state;

  vigil_queue_push (self->queue, g_new0 (VigilPayload, 1), 0);
}

static gboolean
wait_until_done (FileDestination *self, int64_t deadline_us)
{
  const struct timespec deadline = {.tv_sec = deadline_us / G_USEC_PER_SEC,
      .tv_nsec = deadline_us % G_USEC_PER_SEC * 1000};

  while (!self->is_done && pthread_cond_timedwait (&self->done_condition,
                               &self->lock, &deadline) == 0)
    continue;
  return self->is_done;
}

static void
stop (void *state, int64_t deadline_us)
{
  FileDestination *self = state;

  vigil_queue_close (self->queue);
  pthread_mutex_lock (&self->lock);
  if (!wait_until_done (self, deadline_us)) {
    self->is_cancelled = TRUE;
    vigil_file_writer_cancel (self->writer);
  }
  pthread_mutex_unlock (&self->lock);
  pthread_join (self->thread, NULL);
  for (VigilPayload *payload = vigil_queue_pop (self->queue, 0);
       payload != NULL; payload = vigil_queue_pop (self->queue, 0)) {
    free_payload (payload);
    pthread_mutex_lock (&self->lock);
    self->left++;
    pthread_mutex_unlock (&self->lock);
  }
  pthread_mutex_lock (&self->lock);
  self->is_stopped = TRUE;
  pthread_mutex_unlock (&self->lock);
}

static void
get_status (void *state, VigilDestinationStatus *ret_status)
{
  FileDestination *self = state;
  VigilQueueStatus queue;
  uint64_t done;

  pthread_mutex_lock (&self->lock);
  vigil_queue_get_status (self->queue, &queue);
  done = self->published + self->failed + self->left;
  ret_status->state = self->is_stopped   ? "stopped"
                      : self->is_failing ? "failing"
                                         : "writing";
  memcpy (
      ret_status->last_error, self->last_error, sizeof ret_status->last_error);
  ret_status->offered =
      queue.pushed + queue.refused_full + queue.refused_closed;
  ret_status->dropped[0].reason = "queue_full";
  ret_status->dropped[0].count = queue.dropped_oldest + queue.refused_full;
  ret_status->dropped[1].reason = "write_failed";
  ret_status->dropped[1].count = self->failed;
  ret_status->dropped[2].reason = "stopped";
  ret_status->dropped[2].count = self->left + queue.refused_closed;
  ret_status->dropped_size = 3;
  ret_status->queued = queue.items;
  ret_status->queued_bytes = queue.bytes;
  ret_status->in_flight = queue.popped - done;
  ret_status->published = self->published;
  ret_status->bytes = self->bytes;
  pthread_mutex_unlock (&self->lock);
}

const VigilDestinationOps vigil_file_destination_ops = {
    .type = "file",
    .config_key = "file_publisher",
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
