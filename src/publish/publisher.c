/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The worker of an instance: frames in, messages out. What does not have to
 * be done is not done: no metadata without a destination that accepts, no
 * encode before a filter passed the frame, and one encode for all.
 *
 * The thread, its queue and its counts are pthread and C11, so that
 * ThreadSanitizer sees them.
 */
#include "publish/publisher.h"

#include "base/error.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/queue.h"
#include "filter/filter.h"
#include "publish/metadata-json.h"
#include "publish/publisher-settings.h"
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

enum { LOG_INTERVAL_MS = 10000 };

/* One destination and what the worker counts for it. */
typedef struct {
  VigilDestination *destination;
  gboolean wants_frame;
  VigilFilter *filter; /* nullable */
  /* For the frame at hand; worker only. */
  gboolean is_selected; /* it gets a message, as far as is known */
  GBytes *metadata;     /* (nullable) its own, after its filter */
  /* Protected by counts_lock. */
  uint64_t offered; /* filtered, or given to the destination */
  uint64_t filtered;
} Target;

struct _VigilPublisher {
  VigilPublisherSettings settings;
  char *pipeline_name;
  char *instance_id;
  char *config_folder;
  const VigilEnvironment *environment;
  gboolean is_live;
  VigilEisBus *eis_bus; /* nullable */
  void (*get_instance_state) (void *user_data, VigilInstanceState *ret_state);
  void *user_data;

  GPtrArray *targets;   /* element-type: Target; fixed once started */
  gboolean wants_frame; /* any target does */
  VigilQueue *frames;   /* element-type: VigilFrame */

  /* Worker only. */
  VigilMetadataJson *metadata;
  VigilEncoder *encoder;
  VigilLogGate encode_gate;

  pthread_mutex_t counts_lock;
  VigilCounter encoded;
  VigilCounter encode_errors;
  VigilCounter encode_us;
  VigilCounter metadata_errors;
  VigilCounter frames_abandoned;

  pthread_t worker;
  gboolean is_running;       /* the thread is there; by start and stop alone */
  pthread_mutex_t done_lock; /* protects is_done */
  pthread_cond_t done_condition;
  gboolean is_done;
  atomic_bool is_abandoned; /* at stop, too late for the frames left */
};

/* ---- Destinations ------------------------------------------------------- */

static void
free_target (void *item)
{
  Target *target = item;

  vigil_destination_free (target->destination);
  vigil_filter_free (target->filter);
  g_free (target);
}

static gboolean
is_name_taken (const VigilPublisher *self, const char *name)
{
  for (unsigned i = 0; i < self->targets->len; i++) {
    const Target *target = g_ptr_array_index (self->targets, i);

    if (strcmp (vigil_destination_get_name (target->destination), name) == 0)
      return TRUE;
  }
  return FALSE;
}

/* "mqtt", "mqtt-2" ...: how log, status and metrics tell them apart. */
static char *
make_name (const VigilPublisher *self, const char *wanted)
{
  char *name = g_strdup (wanted);

  for (unsigned i = 2; is_name_taken (self, name); i++) {
    g_free (name);
    name = g_strdup_printf ("%s-%u", wanted, i);
  }
  return name;
}

gboolean
vigil_publisher_add_destination (VigilPublisher *self,
    const VigilDestinationOps *ops, const char *name, const VigilJson *settings,
    void *user_data, GError **error)
{
  g_autofree char *own_name = make_name (self, name != NULL ? name : ops->type);
  const VigilDestinationContext context = {.environment = self->environment,
      .config_folder = self->config_folder,
      .instance_id = self->instance_id,
      .pipeline_name = self->pipeline_name,
      .user_data = user_data,
      .is_live = self->is_live,
      .eis_bus = self->eis_bus};
  VigilDestination *destination;
  Target *target;

  g_return_val_if_fail (!self->is_running, FALSE);
  destination =
      vigil_destination_new (ops, own_name, settings, &context, error);
  if (destination == NULL)
    return FALSE;
  target = g_new0 (Target, 1);
  target->destination = destination;
  target->wants_frame = vigil_destination_wants_frame (destination);
  target->filter =
      vigil_filter_new (vigil_json_object_get (settings, "filter"));
  self->wants_frame |= target->wants_frame;
  g_ptr_array_add (self->targets, target);
  return TRUE;
}

typedef struct {
  VigilPublisher *publisher;
  GError **error;
} AddBlock;

static gboolean
add_block (const VigilDestinationOps *ops, const VigilJson *block,
    const char *path, void *user_data)
{
  AddBlock *add = user_data;

  if (vigil_publisher_add_destination (add->publisher, ops,
          vigil_schema_get_string (block, "name", NULL), block, NULL,
          add->error))
    return TRUE;
  g_prefix_error (add->error, "%s: ", path);
  return FALSE;
}

typedef struct {
  const VigilDestinationContext *context;
  VigilProblems *problems;
} CheckBlock;

static gboolean
check_block (const VigilDestinationOps *ops, const VigilJson *block,
    const char *path, void *user_data)
{
  const CheckBlock *check = user_data;

  vigil_destination_check (ops, block, path, check->context, check->problems);
  return TRUE;
}

void
vigil_publisher_check (const VigilJson *entry, const char *path,
    const VigilPublisherContext *context, VigilProblems *problems)
{
  const VigilDestinationContext destination_context = {
      .environment = context->environment,
      .config_folder = context->config_folder,
      .instance_id = context->instance_id,
      .pipeline_name = context->pipeline_name,
      .is_live = context->is_live,
      .eis_bus = context->eis_bus};
  CheckBlock check = {&destination_context, problems};

  vigil_publisher_settings_check (entry, path, problems);
  vigil_publisher_settings_walk (entry, path, check_block, &check);
}

/* ---- The bytes of a frame ----------------------------------------------- */

/* Before the destination is called, so that its counts never run ahead. */
static void
count_offered (VigilPublisher *self, Target *target, gboolean is_filtered)
{
  pthread_mutex_lock (&self->counts_lock);
  target->offered++;
  target->filtered += is_filtered != 0;
  pthread_mutex_unlock (&self->counts_lock);
}

/* What the published bytes will be, whether they can be had or not. */
static VigilImageEncoding
describe_image (const VigilPublisher *self, const VigilFrame *frame)
{
  const VigilEncoderOps *encoder = NULL;

  if (vigil_frame_is_raw (frame)) {
    if (!self->wants_frame || self->settings.publishes_raw)
      return (VigilImageEncoding){.is_known = FALSE};
    return (VigilImageEncoding){TRUE, self->settings.encoder->name,
        vigil_encoder_get_level (self->encoder)};
  }
  if (g_strcmp0 (frame->media_type, "image/jpeg") == 0)
    encoder = vigil_encoder_find ("jpeg");
  else if (g_strcmp0 (frame->media_type, "image/png") == 0)
    encoder = vigil_encoder_find ("png");
  if (encoder == NULL)
    return (VigilImageEncoding){TRUE, NULL, -1};
  return (VigilImageEncoding){TRUE, encoder->name,
      frame->encoding_level >= 0 ? frame->encoding_level
                                 : encoder->default_level};
}

static int64_t
get_thread_time_us (void)
{
  struct timespec now;

  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &now);
  return (int64_t)now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000;
}

static void
report_encode_error (VigilPublisher *self, const char *reason)
{
  uint64_t suppressed;

  vigil_counter_add (&self->encode_errors, 1);
  if (vigil_log_gate_open (&self->encode_gate, LOG_INTERVAL_MS,
          g_get_monotonic_time (), &suppressed))
    g_warning (
        "%s: the frame is published without its picture: %s (%" G_GUINT64_FORMAT
        " more since the last line)",
        self->instance_id, reason, suppressed);
}

/* A format that the encoder has no word for is converted first. */
static GBytes *
convert_and_encode (
    VigilEncoder *encoder, const VigilFrame *frame, GError **error)
{
  g_autoptr (VigilFrame) converted = NULL;

  if (frame->pixels == VIGIL_PIXELS_OTHER && frame->convert != NULL) {
    converted = frame->convert (frame, error);
    if (converted == NULL)
      return NULL;
    frame = converted;
  }
  return vigil_encoder_encode (encoder, frame, error);
}

static GBytes *
encode_frame (VigilPublisher *self, const VigilFrame *frame)
{
  g_autoptr (GError) error = NULL;
  int64_t start_us = get_thread_time_us ();
  GBytes *image = convert_and_encode (self->encoder, frame, &error);

  vigil_counter_add (
      &self->encode_us, (uint64_t)(get_thread_time_us () - start_us));
  if (image == NULL)
    report_encode_error (self, error->message);
  else
    vigil_counter_add (&self->encoded, 1);
  return image;
}

static void
unref_frame (void *frame)
{
  vigil_frame_unref (frame);
}

/* The bytes to publish for @frame; NULL when they cannot be had. */
static GBytes *
get_image (VigilPublisher *self, VigilFrame *frame, gboolean *ret_is_borrowed)
{
  *ret_is_borrowed = FALSE;
  if (vigil_frame_is_raw (frame) && !self->settings.publishes_raw)
    return encode_frame (self, frame);
  if (frame->data == NULL) {
    report_encode_error (self,
        "its bytes are not in main memory: put an element that brings them "
        "there before the appsink (videoconvert, vapostproc, an encoder)");
    return NULL;
  }
  *ret_is_borrowed = TRUE;
  return g_bytes_new_with_free_func (
      frame->data, frame->size, unref_frame, vigil_frame_ref (frame));
}

static const char *
get_content_type (const VigilPublisher *self, const VigilFrame *frame)
{
  if (vigil_frame_is_raw (frame) && !self->settings.publishes_raw)
    return self->settings.encoder->content_type;
  return g_intern_string (frame->media_type);
}

/* ---- What each destination gets ----------------------------------------- */

/* Leaves the targets that take a message now; the others count one that was
 * not made. Returns: whether there is any. */
static gboolean
select_accepting (VigilPublisher *self)
{
  gboolean is_any = FALSE;

  for (unsigned i = 0; i < self->targets->len; i++) {
    Target *target = g_ptr_array_index (self->targets, i);

    target->is_selected = vigil_destination_is_accepting (target->destination);
    is_any |= target->is_selected;
    if (target->is_selected)
      continue;
    count_offered (self, target, FALSE);
    vigil_destination_skip (target->destination);
  }
  return is_any;
}

/* TRUE when the frame passes; then the target's own metadata is set if some
 * results of it did not. */
static gboolean
passes_filter (VigilPublisher *self, Target *target, const VigilJson *tree)
{
  g_autoptr (VigilJson) changed = NULL;

  if (tree == NULL || !vigil_filter_apply (target->filter, tree, &changed))
    return FALSE;
  if (changed != NULL)
    target->metadata = vigil_metadata_json_print (changed);
  return TRUE;
}

/* Leaves the targets whose filter the frame passes. */
static void
select_passing (VigilPublisher *self, GBytes *metadata)
{
  g_autoptr (VigilJson) tree = NULL;

  for (unsigned i = 0; i < self->targets->len; i++) {
    Target *target = g_ptr_array_index (self->targets, i);

    if (!target->is_selected || target->filter == NULL)
      continue;
    if (tree == NULL)
      tree = vigil_metadata_json_parse (metadata);
    target->is_selected = passes_filter (self, target, tree);
    if (!target->is_selected)
      count_offered (self, target, TRUE);
  }
}

static gboolean
is_frame_wanted (const VigilPublisher *self)
{
  for (unsigned i = 0; i < self->targets->len; i++) {
    const Target *target = g_ptr_array_index (self->targets, i);

    if (target->is_selected && target->wants_frame)
      return TRUE;
  }
  return FALSE;
}

static GBytes *
write_metadata (VigilPublisher *self, const VigilFrame *frame)
{
  VigilInstanceState state = {.state = "RUNNING",
      .avg_pipeline_latency = -1,
      .start_time = -1,
      .elapsed_time = -1,
      .message = ""};
  const VigilImageEncoding encoding = describe_image (self, frame);
  const GString *text;
  unsigned errors;

  if (self->get_instance_state != NULL)
    self->get_instance_state (self->user_data, &state);
  text = vigil_metadata_json_write (self->metadata, frame, &encoding, &state,
      g_get_real_time () * 1000, &errors);
  vigil_counter_add (&self->metadata_errors, errors);
  return g_bytes_new (text->str, text->len);
}

/* @common: what a target gets that has no metadata of its own. */
static void
send_to_target (VigilPublisher *self, Target *target, VigilMessage *common)
{
  g_autoptr (VigilMessage) own = NULL;
  /* A file's frames may wait; the destination knows for how long. */
  int64_t deadline_us = self->is_live ? 0 : G_MAXINT64;

  if (target->metadata != NULL) {
    own = vigil_message_new (g_steal_pointer (&target->metadata),
        common->frame != NULL ? g_bytes_ref (common->frame) : NULL,
        common->frame_is_borrowed, common->content_type, common->frame_id);
    own->pts = common->pts;
    if (common->raw != NULL)
      vigil_message_set_raw (own, common->raw);
  }
  count_offered (self, target, FALSE);
  vigil_destination_send (
      target->destination, own != NULL ? own : common, deadline_us);
}

static void
publish_frame (VigilPublisher *self, VigilFrame *frame)
{
  g_autoptr (VigilMessage) message = NULL;
  g_autoptr (GBytes) metadata = NULL;
  GBytes *image = NULL;
  gboolean is_borrowed = FALSE;

  if (!select_accepting (self))
    return;
  metadata = write_metadata (self, frame);
  select_passing (self, metadata);
  if (is_frame_wanted (self))
    image = get_image (self, frame, &is_borrowed);
  message = vigil_message_new (g_steal_pointer (&metadata), image, is_borrowed,
      get_content_type (self, frame), frame->frame_id);
  message->pts = frame->pts;
  if (image != NULL && vigil_frame_is_raw (frame) &&
      self->settings.publishes_raw)
    vigil_message_set_raw (message, frame);
  for (unsigned i = 0; i < self->targets->len; i++) {
    Target *target = g_ptr_array_index (self->targets, i);

    if (target->is_selected)
      send_to_target (self, target, message);
  }
}

/* ---- The worker --------------------------------------------------------- */

static void *
run_worker (void *data)
{
  VigilPublisher *self = data;
  VigilFrame *frame;

  while ((frame = vigil_queue_pop (self->frames, -1)) != NULL) {
    if (atomic_load (&self->is_abandoned))
      vigil_counter_add (&self->frames_abandoned, 1);
    else
      publish_frame (self, frame);
    vigil_frame_unref (frame);
  }
  pthread_mutex_lock (&self->done_lock);
  self->is_done = TRUE;
  pthread_cond_signal (&self->done_condition);
  pthread_mutex_unlock (&self->done_lock);
  return NULL;
}

static gboolean
start_worker (VigilPublisher *self, GError **error)
{
  int result = pthread_create (&self->worker, NULL, run_worker, self);

  if (result != 0) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_UNAVAILABLE,
        "no thread for the publisher of '%s': %s", self->pipeline_name,
        g_strerror (result));
    return FALSE;
  }
  pthread_setname_np (self->worker, "vigil-publish");
  self->is_running = TRUE;
  return TRUE;
}

gboolean
vigil_publisher_start (VigilPublisher *self, GError **error)
{
  g_return_val_if_fail (!self->is_running, FALSE);

  for (unsigned i = 0; i < self->targets->len; i++) {
    Target *target = g_ptr_array_index (self->targets, i);

    if (!vigil_destination_start (target->destination, error))
      return FALSE;
  }
  return start_worker (self, error);
}

void
vigil_publisher_push (VigilPublisher *self, VigilFrame *frame)
{
  if (self->is_live)
    vigil_queue_push (self->frames, frame, 0);
  else
    vigil_queue_push_wait (self->frames, frame, 0, -1);
}

/* ---- Stop --------------------------------------------------------------- */

/* Returns: FALSE when the worker still works at the deadline. */
static gboolean
wait_for_worker (VigilPublisher *self, int64_t deadline_us)
{
  const struct timespec deadline = {.tv_sec = deadline_us / G_USEC_PER_SEC,
      .tv_nsec = deadline_us % G_USEC_PER_SEC * 1000};
  gboolean is_done;

  pthread_mutex_lock (&self->done_lock);
  while (!self->is_done && pthread_cond_timedwait (&self->done_condition,
                               &self->done_lock, &deadline) == 0)
    continue;
  is_done = self->is_done;
  pthread_mutex_unlock (&self->done_lock);
  return is_done;
}

typedef struct {
  VigilDestination *destination;
  int64_t deadline_us;
  pthread_t thread;
  gboolean has_thread;
} Stopping;

static void *
run_stop (void *data)
{
  const Stopping *self = data;

  vigil_destination_stop (self->destination, self->deadline_us);
  return NULL;
}

/* All at once: one that waits for its peer must not take the others' time. */
static void
stop_destinations (VigilPublisher *self, int64_t deadline_us)
{
  g_autofree Stopping *stopping = g_new0 (Stopping, self->targets->len + 1);

  for (unsigned i = 0; i < self->targets->len; i++) {
    const Target *target = g_ptr_array_index (self->targets, i);

    stopping[i].destination = target->destination;
    stopping[i].deadline_us = deadline_us;
    stopping[i].has_thread = i > 0 && pthread_create (&stopping[i].thread, NULL,
                                          run_stop, &stopping[i]) == 0;
  }
  for (unsigned i = 0; i < self->targets->len; i++) {
    if (stopping[i].has_thread)
      pthread_join (stopping[i].thread, NULL);
    else
      run_stop (&stopping[i]);
  }
}

void
vigil_publisher_close (VigilPublisher *self)
{
  vigil_queue_close (self->frames);
}

void
vigil_publisher_stop (VigilPublisher *self, int64_t flush_ms)
{
  int64_t deadline_us = g_get_monotonic_time () + flush_ms * 1000;

  vigil_queue_close (self->frames);
  if (self->is_running && !wait_for_worker (self, deadline_us)) {
    /* It may wait in a send, which the destination's stop ends. */
    atomic_store (&self->is_abandoned, TRUE);
    stop_destinations (self, deadline_us);
  }
  if (self->is_running)
    pthread_join (self->worker, NULL);
  self->is_running = FALSE;
  stop_destinations (self, deadline_us);
}

/* ---- Making and freeing ------------------------------------------------- */

static void
init_locks (VigilPublisher *self)
{
  pthread_condattr_t attributes;

  pthread_mutex_init (&self->counts_lock, NULL);
  pthread_mutex_init (&self->done_lock, NULL);
  pthread_condattr_init (&attributes);
  pthread_condattr_setclock (&attributes, CLOCK_MONOTONIC);
  pthread_cond_init (&self->done_condition, &attributes);
  pthread_condattr_destroy (&attributes);
}

VigilPublisher *
vigil_publisher_new (const VigilJson *entry,
    const VigilPublisherContext *context, GError **error)
{
  g_autoptr (VigilPublisher) self = g_new0 (VigilPublisher, 1);
  AddBlock add = {self, error};

  init_locks (self);
  vigil_publisher_settings_init (&self->settings, entry);
  self->pipeline_name = g_strdup (context->pipeline_name);
  self->instance_id = g_strdup (context->instance_id);
  self->config_folder = g_strdup (context->config_folder);
  self->environment = context->environment;
  self->is_live = context->is_live;
  self->eis_bus = context->eis_bus;
  self->get_instance_state = context->get_instance_state;
  self->user_data = context->user_data;
  self->targets = g_ptr_array_new_with_free_func (free_target);
  self->frames = vigil_queue_new (
      self->settings.queue_size, 0, VIGIL_QUEUE_DROP_OLDEST, unref_frame);
  self->metadata = vigil_metadata_json_new (&(const VigilMetadataJsonOptions){
      .pipeline_name = self->pipeline_name,
      .instance_id = self->instance_id,
      .tags_json = self->settings.tags_json,
      .img_handle_length = self->settings.img_handle_length,
      .convert_to_dcaas = self->settings.converts_to_dcaas,
  });
  self->encoder = vigil_encoder_new (
      self->settings.encoder, self->settings.encoder_level, error);
  if (self->encoder == NULL)
    return NULL;
  if (!vigil_publisher_settings_walk (
          entry, context->pipeline_name, add_block, &add))
    return NULL;
  return g_steal_pointer (&self);
}

void
vigil_publisher_free (VigilPublisher *self)
{
  if (self == NULL)
    return;
  vigil_publisher_stop (self, 0);
  g_ptr_array_unref (self->targets);
  vigil_queue_free (self->frames);
  vigil_metadata_json_free (self->metadata);
  vigil_encoder_free (self->encoder);
  vigil_publisher_settings_clear (&self->settings);
  pthread_mutex_destroy (&self->counts_lock);
  pthread_mutex_destroy (&self->done_lock);
  pthread_cond_destroy (&self->done_condition);
  g_free (self->pipeline_name);
  g_free (self->instance_id);
  g_free (self->config_folder);
  g_free (self);
}

/* ---- Status ------------------------------------------------------------- */

void
vigil_publisher_get_status (
    VigilPublisher *self, VigilPublisherStatus *ret_status)
{
  VigilQueueStatus frames;

  vigil_queue_get_status (self->frames, &frames);
  *ret_status = (VigilPublisherStatus){
      .frames = frames.pushed + frames.refused_full + frames.refused_closed,
      .frames_dropped = frames.dropped_oldest + frames.refused_full +
                        frames.refused_closed +
                        vigil_counter_get (&self->frames_abandoned),
      .frames_waiting = frames.items,
      .encoded = vigil_counter_get (&self->encoded),
      .encode_errors = vigil_counter_get (&self->encode_errors),
      .encode_us = vigil_counter_get (&self->encode_us),
      .metadata_errors = vigil_counter_get (&self->metadata_errors),
  };
}

void
vigil_publisher_renew (VigilPublisher *self)
{
  for (unsigned i = 0; i < self->targets->len; i++) {
    const Target *target = g_ptr_array_index (self->targets, i);

    vigil_destination_renew (target->destination);
  }
}

unsigned
vigil_publisher_get_destination_count (const VigilPublisher *self)
{
  return self->targets->len;
}

void
vigil_publisher_get_destination_status (VigilPublisher *self, unsigned index,
    const char **ret_name, VigilDestinationStatus *ret_status)
{
  const Target *target;

  g_return_if_fail (index < self->targets->len);

  target = g_ptr_array_index (self->targets, index);
  *ret_name = vigil_destination_get_name (target->destination);
  /*
   * While the lock is held nothing more is offered, so the destination's
   * own picture is behind by at most the message that the worker is handing
   * over: that one waits to be queued.
   */
  pthread_mutex_lock (&self->counts_lock);
  vigil_destination_get_status (target->destination, ret_status);
  ret_status->queued +=
      target->offered - target->filtered - ret_status->offered;
  ret_status->offered = target->offered;
  ret_status->filtered = target->filtered;
  pthread_mutex_unlock (&self->counts_lock);
}
