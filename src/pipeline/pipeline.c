/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One running pipeline. Its control thread never waits for GStreamer: each
 * change of state runs in a short thread of its own, which reports back, so
 * that a device that hangs costs that thread and nothing else.
 */
#include "pipeline/pipeline.h"

#include "base/backoff.h"
#include "base/error.h"
#include "base/log.h"
#include "base/metrics.h"
#include "pipeline/assembly.h"
#include "pipeline/bus-text.h"
#include "pipeline/image-source.h"
#include "pipeline/receiver.h"
#include "pipeline/source.h"
#include <pthread.h>
#include <string.h>

/* A pipeline that is not live must have its first frame by then. */
#define PREROLL_DEADLINE_MS (30 * 1000)
/* A NULL that takes longer is given up. */
#define NULL_DEADLINE_MS (5 * 1000)
/* A network source that is silent for so long is lost. */
#define SILENCE_MAX_US (15 * G_USEC_PER_SEC)
#define SILENCE_CHECK_MS (1 * 1000)

static VigilCounter abandoned_count;

struct _VigilPipeline {
  gatomicrefcount reference_count; /* owner, control thread, state threads */
  VigilPipelineCallbacks callbacks;
  char *name;
  VigilProblems *warnings;
  VigilAssembly *assembly;
  VigilReceiver *receiver;
  _Atomic gboolean has_destination;
  GMainContext *context;
  GMainLoop *loop;

  /* owner's thread */
  GThread *control;

  /* control thread, after new */
  GstElement *pipeline;       /* another one after each loss */
  GstElement *network_source; /* nullable: what is connected again */
  GSource *bus_source;
  GSource *preroll_timer;
  GSource *silence_timer;
  GSource *retry_timer;
  GSource *deadline_timer; /* for the EOS, then for NULL */
  gboolean is_started;
  gboolean is_stopping; /* by request */
  gboolean is_ending;
  gboolean is_finished;
  gboolean is_playing; /* PLAYING was reached */
  gboolean is_lost;    /* the source: NULL, then another attempt */
  gboolean has_warned; /* the source, in this attempt */
  unsigned failures;   /* of attempts, since the last frame */
  VigilPipelineState final_state;
  char *missing_plugin; /* nullable: from the bus, explains an error */

  /* state threads: one change at a time, and none after NULL */
  pthread_mutex_t state_lock;
  _Atomic gboolean wants_null;

  _Atomic gboolean is_live;
  _Atomic int64_t eos_ms; /* of the last stop */

  pthread_mutex_t lock;  /* protects all below */
  gboolean is_abandoned; /* nobody waits for the state thread any more */
  gboolean is_detached;  /* nothing runs in context any more */
  VigilPipelineState state;
  double start_time;        /* epoch seconds */
  int64_t start_us, end_us; /* monotonic; 0: not yet */
  char message[512];
  uint64_t frames_at_loss; /* with more, the message is of the past */
  unsigned reconnects;
};

const char *
vigil_pipeline_state_name (VigilPipelineState state)
{
  static const char *const names[] = {[VIGIL_PIPELINE_QUEUED] = "QUEUED",
      [VIGIL_PIPELINE_RUNNING] = "RUNNING",
      [VIGIL_PIPELINE_COMPLETED] = "COMPLETED",
      [VIGIL_PIPELINE_ERROR] = "ERROR",
      [VIGIL_PIPELINE_ABORTED] = "ABORTED"};

  return (size_t)state < G_N_ELEMENTS (names) ? names[state] : "UNKNOWN";
}

static VigilPipeline *
pipeline_ref (VigilPipeline *self)
{
  g_atomic_ref_count_inc (&self->reference_count);
  return self;
}

static void
pipeline_unref (VigilPipeline *self)
{
  if (!g_atomic_ref_count_dec (&self->reference_count))
    return;
  g_clear_pointer (&self->network_source, gst_object_unref);
  g_clear_pointer (&self->pipeline, gst_object_unref);
  vigil_receiver_free (self->receiver);
  vigil_assembly_free (self->assembly);
  vigil_problems_free (self->warnings);
  g_main_loop_unref (self->loop);
  g_main_context_unref (self->context);
  pthread_mutex_destroy (&self->state_lock);
  pthread_mutex_destroy (&self->lock);
  g_free (self->missing_plugin);
  g_free (self->name);
  g_free (self);
}

/* ---- Building ---------------------------------------------------------- */

static VigilPipeline *
pipeline_alloc (const VigilPipelineCallbacks *callbacks)
{
  VigilPipeline *self = g_new0 (VigilPipeline, 1);

  g_atomic_ref_count_init (&self->reference_count);
  self->callbacks = *callbacks;
  self->warnings = vigil_problems_new ();
  self->context = g_main_context_new ();
  self->loop = g_main_loop_new (self->context, FALSE);
  pthread_mutex_init (&self->lock, NULL);
  pthread_mutex_init (&self->state_lock, NULL);
  self->state = VIGIL_PIPELINE_QUEUED;
  self->start_time = -1;
  return self;
}

/* Makes the elements, and lets go of those before, which are in NULL. */
static gboolean
build (VigilPipeline *self, VigilProblems *warnings, GError **error)
{
  GstElement *pipeline = vigil_assembly_build (self->assembly, warnings, error);

  if (pipeline == NULL)
    return FALSE;
  g_clear_pointer (&self->network_source, gst_object_unref);
  g_clear_pointer (&self->pipeline, gst_object_unref);
  self->pipeline = pipeline;
  self->network_source = vigil_source_find_network (GST_BIN (pipeline));
  self->has_destination =
      vigil_receiver_attach (self->receiver, GST_BIN (pipeline));
  return TRUE;
}

VigilPipeline *
vigil_pipeline_new (const VigilDefinition *definition, const VigilJson *request,
    const VigilEnvironment *environment,
    const VigilPipelineCallbacks *callbacks, GError **error)
{
  g_autoptr (VigilPipeline) self = NULL;

  g_return_val_if_fail (definition != NULL && callbacks != NULL, NULL);

  self = pipeline_alloc (callbacks);
  self->name = g_strdup (vigil_definition_get_name (definition));
  self->receiver = vigil_receiver_new (callbacks->on_frame,
      callbacks->user_data, vigil_definition_get_bus_messages (definition));
  self->assembly = vigil_assembly_new (definition, request, environment, error);
  if (self->assembly == NULL || !build (self, self->warnings, error))
    return NULL;
  self->is_live = vigil_assembly_is_live (self->assembly, self->pipeline);
  return g_steal_pointer (&self);
}

/* ---- State threads ----------------------------------------------------- */

typedef void (*ControlCall) (VigilPipeline *self);

typedef struct {
  VigilPipeline *pipeline; /* owned */
  ControlCall call;
} Invocation;

static gboolean
run_invocation (void *data)
{
  Invocation *invocation = data;

  invocation->call (invocation->pipeline);
  return G_SOURCE_REMOVE;
}

static void
free_invocation (void *data)
{
  Invocation *invocation = data;

  pipeline_unref (invocation->pipeline);
  g_free (invocation);
}

/* Runs @call in the control thread after @delay_ms, never at once; not any
 * more once the owner has let go. Any thread. */
static GSource *
add_timer (VigilPipeline *self, int64_t delay_ms, ControlCall call)
{
  GSource *source =
      g_timeout_source_new ((guint)CLAMP (delay_ms, 0, G_MAXUINT));
  Invocation *invocation = g_new0 (Invocation, 1);

  invocation->pipeline = pipeline_ref (self);
  invocation->call = call;
  g_source_set_callback (source, run_invocation, invocation, free_invocation);
  pthread_mutex_lock (&self->lock);
  if (!self->is_detached)
    g_source_attach (source, self->context);
  pthread_mutex_unlock (&self->lock);
  return source;
}

static void
invoke (VigilPipeline *self, ControlCall call)
{
  g_source_unref (add_timer (self, 0, call));
}

static void
clear_source (GSource **source)
{
  if (*source == NULL)
    return;
  g_source_destroy (*source);
  g_clear_pointer (source, g_source_unref);
}

/* What a state thread works on: the pipeline may have another one by then. */
typedef struct {
  VigilPipeline *owner; /* owned */
  GstElement *element;  /* owned */
} StateTask;

static void
free_state_task (StateTask *task)
{
  gst_object_unref (task->element);
  pipeline_unref (task->owner);
  g_free (task);
}

static void on_play_failed (VigilPipeline *self);
static void on_null_reached (VigilPipeline *self);

static void *
run_play (void *data)
{
  StateTask *task = data;
  VigilPipeline *self = task->owner;
  GstStateChangeReturn result = GST_STATE_CHANGE_SUCCESS;

  pthread_mutex_lock (&self->state_lock);
  if (!self->wants_null)
    result = gst_element_set_state (task->element, GST_STATE_PAUSED);
  if (result == GST_STATE_CHANGE_NO_PREROLL)
    self->is_live = TRUE;
  if (result != GST_STATE_CHANGE_FAILURE && !self->wants_null)
    result = gst_element_set_state (task->element, GST_STATE_PLAYING);
  if (result == GST_STATE_CHANGE_FAILURE)
    invoke (self, on_play_failed);
  pthread_mutex_unlock (&self->state_lock);
  free_state_task (task);
  return NULL;
}

static void *
run_end_of_stream (void *data)
{
  StateTask *task = data;

  gst_element_send_event (task->element, gst_event_new_eos ());
  free_state_task (task);
  return NULL;
}

/* Takes locks of the elements, which one that hangs may hold. */
static void *
run_latency (void *data)
{
  StateTask *task = data;

  gst_bin_recalculate_latency (GST_BIN (task->element));
  free_state_task (task);
  return NULL;
}

static void *
run_null (void *data)
{
  StateTask *task = data;
  VigilPipeline *self = task->owner;
  gboolean is_abandoned;

  pthread_mutex_lock (&self->state_lock);
  gst_element_set_state (task->element, GST_STATE_NULL);
  pthread_mutex_unlock (&self->state_lock);
  pthread_mutex_lock (&self->lock);
  is_abandoned = self->is_abandoned;
  pthread_mutex_unlock (&self->lock);
  if (!is_abandoned)
    invoke (self, on_null_reached);
  free_state_task (task);
  return NULL;
}

static void
start_state_thread (VigilPipeline *self, GThreadFunc run)
{
  StateTask *task = g_new0 (StateTask, 1);

  task->owner = pipeline_ref (self);
  task->element = gst_object_ref (self->pipeline);
  g_thread_unref (g_thread_new ("vigil-state", run, task));
}

/* ---- Control thread ---------------------------------------------------- */

static void
set_message (VigilPipeline *self, const char *text)
{
  g_autofree char *masked = vigil_log_mask (text);
  g_autofree char *valid = g_utf8_make_valid (masked, -1);
  const char *end;

  pthread_mutex_lock (&self->lock);
  g_strlcpy (self->message, valid, sizeof self->message);
  if (!g_utf8_validate (self->message, -1, &end))
    self->message[end - self->message] = '\0';
  pthread_mutex_unlock (&self->lock);
}

static void
finish (VigilPipeline *self)
{
  if (self->is_finished)
    return;
  self->is_finished = TRUE;
  vigil_receiver_close (self->receiver);
  pthread_mutex_lock (&self->lock);
  self->state = self->final_state;
  pthread_mutex_unlock (&self->lock);
  if (self->callbacks.on_ended != NULL)
    self->callbacks.on_ended (self->callbacks.user_data, self->final_state);
  g_main_loop_quit (self->loop);
}

/* From here on only NULL is waited for. */
static void
begin_end (VigilPipeline *self, VigilPipelineState state)
{
  self->is_ending = TRUE;
  self->final_state = state;
  pthread_mutex_lock (&self->lock);
  self->end_us = g_get_monotonic_time ();
  pthread_mutex_unlock (&self->lock);
}

/* Since the start, or since the source was lost. */
static gboolean
has_new_frames (VigilPipeline *self)
{
  return vigil_receiver_get_frames (self->receiver) > self->frames_at_loss;
}

static void on_retry (VigilPipeline *self);

static void
on_null_reached (VigilPipeline *self)
{
  clear_source (&self->deadline_timer);
  if (self->is_ending)
    finish (self);
  else if (self->is_lost && self->retry_timer == NULL)
    self->retry_timer =
        add_timer (self, vigil_backoff_delay_ms (self->failures), on_retry);
}

static void
on_null_deadline (VigilPipeline *self)
{
  clear_source (&self->deadline_timer);
  pthread_mutex_lock (&self->lock);
  self->is_abandoned = TRUE;
  pthread_mutex_unlock (&self->lock);
  vigil_counter_add (&abandoned_count, 1);
  g_warning ("pipeline %s does not stop within %d s: it is left behind",
      self->name, NULL_DEADLINE_MS / 1000);
  if (!self->is_ending) {
    set_message (self, "the source is lost, and its elements do not stop");
    begin_end (self, VIGIL_PIPELINE_ERROR);
  }
  finish (self);
}

static void
go_down (VigilPipeline *self)
{
  clear_source (&self->preroll_timer);
  clear_source (&self->silence_timer);
  clear_source (&self->retry_timer);
  clear_source (&self->deadline_timer);
  clear_source (&self->bus_source);
  self->wants_null = TRUE;
  self->deadline_timer = add_timer (self, NULL_DEADLINE_MS, on_null_deadline);
  start_state_thread (self, run_null);
}

static void
end (VigilPipeline *self, VigilPipelineState state)
{
  if (self->is_ending)
    return;
  begin_end (self, state);
  go_down (self);
}

/* The network source is gone: lets go of all elements, to begin anew. */
static void
lose_source (VigilPipeline *self, const char *reason)
{
  uint64_t frames = vigil_receiver_get_frames (self->receiver);
  g_autofree char *text = NULL;

  if (self->is_lost || self->is_ending)
    return;
  self->is_lost = TRUE;
  self->failures = frames > self->frames_at_loss ? 1 : self->failures + 1;
  text = g_strdup_printf (
      "the source is lost, next attempt after %" G_GINT64_FORMAT " s: %s",
      vigil_backoff_delay_ms (self->failures) / 1000, reason);
  pthread_mutex_lock (&self->lock);
  self->frames_at_loss = frames;
  pthread_mutex_unlock (&self->lock);
  set_message (self, text);
  if (self->failures == 1)
    g_warning ("pipeline %s: %s", self->name, self->message);
  else
    g_info ("pipeline %s: %s", self->name, self->message);
  go_down (self);
}

static void
on_error (VigilPipeline *self, GstMessage *message)
{
  g_autofree char *text =
      vigil_bus_text_dup_error (message, self->missing_plugin);

  if (!self->is_stopping &&
      vigil_source_is_fault (self->network_source, message)) {
    lose_source (self, text);
    return;
  }
  set_message (self, text);
  end (self, self->is_stopping ? VIGIL_PIPELINE_ABORTED : VIGIL_PIPELINE_ERROR);
}

static void
on_end_of_stream (VigilPipeline *self)
{
  if (self->is_stopping) {
    end (self, VIGIL_PIPELINE_ABORTED);
  } else if (self->has_warned) {
    lose_source (self, "the server closed the connection");
  } else if (self->has_destination &&
             vigil_receiver_get_frames (self->receiver) == 0) {
    set_message (self,
        "the stream ended without a single frame: the input is empty, or has "
        "no video");
    end (self, VIGIL_PIPELINE_ERROR);
  } else {
    end (self, VIGIL_PIPELINE_COMPLETED);
  }
}

static void
on_state_changed (VigilPipeline *self, GstMessage *message)
{
  GstState state;

  if (GST_MESSAGE_SRC (message) != GST_OBJECT (self->pipeline))
    return;
  gst_message_parse_state_changed (message, NULL, &state, NULL);
  if (state != GST_STATE_PLAYING)
    return;
  self->is_playing = TRUE;
  clear_source (&self->preroll_timer);
}

static gboolean
on_bus_message (GstBus *bus, GstMessage *message, void *user_data)
{
  VigilPipeline *self = user_data;

  switch (GST_MESSAGE_TYPE (message)) {
  case GST_MESSAGE_ERROR:
    on_error (self, message);
    break;
  case GST_MESSAGE_EOS:
    on_end_of_stream (self);
    break;
  case GST_MESSAGE_WARNING:
    /* A server that goes away is a warning, then an end of stream. */
    if (vigil_source_is_origin (self->network_source, message))
      self->has_warned = TRUE;
    break;
  case GST_MESSAGE_STATE_CHANGED:
    on_state_changed (self, message);
    break;
  case GST_MESSAGE_LATENCY:
    start_state_thread (self, run_latency);
    break;
  case GST_MESSAGE_ELEMENT:
    if (gst_message_has_name (message, "missing-plugin")) {
      g_free (self->missing_plugin);
      self->missing_plugin = vigil_bus_text_dup_missing_plugin (message);
    }
    break;
  default:
    break;
  }
  return G_SOURCE_CONTINUE;
}

static void
on_play_failed (VigilPipeline *self)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (self->pipeline);
  g_autoptr (GstMessage) message = NULL;

  if (self->is_ending || self->is_lost)
    return;
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  if (message != NULL) {
    on_error (self, message);
    return;
  }
  set_message (self, "the pipeline cannot start: an element refused");
  end (self, VIGIL_PIPELINE_ERROR);
}

static void
on_preroll_deadline (VigilPipeline *self)
{
  clear_source (&self->preroll_timer);
  if (self->is_live)
    return;
  set_message (self, "no frame within 30 s of the start: the source sends "
                     "nothing, or a branch of the pipeline gets no data");
  end (self, VIGIL_PIPELINE_ERROR);
}

static void
on_silence_check (VigilPipeline *self)
{
  int64_t last_us = vigil_receiver_get_last_activity_us (self->receiver);

  clear_source (&self->silence_timer);
  if (self->is_stopping)
    return;
  if (self->failures > 0 && has_new_frames (self)) {
    self->failures = 0;
    g_message ("pipeline %s: frames arrive again", self->name);
  }
  if (g_get_monotonic_time () - last_us > SILENCE_MAX_US)
    lose_source (self, "it has sent nothing for 15 s");
  else
    self->silence_timer = add_timer (self, SILENCE_CHECK_MS, on_silence_check);
}

static void
play (VigilPipeline *self)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (self->pipeline);

  self->wants_null = FALSE;
  self->is_playing = FALSE;
  self->has_warned = FALSE;
  self->bus_source = gst_bus_create_watch (bus);
  g_source_set_callback (
      self->bus_source, G_SOURCE_FUNC (on_bus_message), self, NULL);
  g_source_attach (self->bus_source, self->context);
  self->preroll_timer =
      add_timer (self, PREROLL_DEADLINE_MS, on_preroll_deadline);
  if (self->network_source != NULL)
    self->silence_timer = add_timer (self, SILENCE_CHECK_MS, on_silence_check);
  start_state_thread (self, run_play);
}

static void
on_retry (VigilPipeline *self)
{
  g_autoptr (VigilProblems) warnings = vigil_problems_new ();
  g_autoptr (GError) error = NULL;

  clear_source (&self->retry_timer);
  self->is_lost = FALSE;
  if (!build (self, warnings, &error)) {
    set_message (self, error->message);
    end (self, VIGIL_PIPELINE_ERROR);
    return;
  }
  pthread_mutex_lock (&self->lock);
  self->reconnects++;
  pthread_mutex_unlock (&self->lock);
  play (self);
}

static void
do_start (VigilPipeline *self)
{
  if (self->is_started || self->is_ending)
    return;
  self->is_started = TRUE;
  pthread_mutex_lock (&self->lock);
  self->state = VIGIL_PIPELINE_RUNNING;
  self->start_us = g_get_monotonic_time ();
  self->start_time = (double)g_get_real_time () / G_USEC_PER_SEC;
  pthread_mutex_unlock (&self->lock);
  play (self);
}

static void
on_stop_deadline (VigilPipeline *self)
{
  end (self, VIGIL_PIPELINE_ABORTED);
}

static void
do_stop_now (VigilPipeline *self)
{
  self->is_stopping = TRUE;
  end (self, VIGIL_PIPELINE_ABORTED);
}

static void
do_stop (VigilPipeline *self)
{
  if (self->is_ending || self->is_stopping)
    return;
  self->is_stopping = TRUE;
  /* Before the first frame an end of stream waits for it, and its sender
   * keeps the locks that NULL needs. The bus's word of PLAYING may be late. */
  if ((!self->is_playing && !has_new_frames (self)) || self->is_lost) {
    end (self, VIGIL_PIPELINE_ABORTED);
    return;
  }
  self->deadline_timer = add_timer (self, self->eos_ms, on_stop_deadline);
  start_state_thread (self, run_end_of_stream);
}

static void *
run_control (void *data)
{
  VigilPipeline *self = data;

  g_main_context_push_thread_default (self->context);
  g_main_loop_run (self->loop);
  clear_source (&self->bus_source);
  clear_source (&self->preroll_timer);
  clear_source (&self->silence_timer);
  clear_source (&self->retry_timer);
  clear_source (&self->deadline_timer);
  g_main_context_pop_thread_default (self->context);
  pipeline_unref (self);
  return NULL;
}

/* ---- Owner ------------------------------------------------------------- */

static void
ensure_control_thread (VigilPipeline *self)
{
  if (self->control == NULL)
    self->control =
        g_thread_new ("vigil-pipeline", run_control, pipeline_ref (self));
}

void
vigil_pipeline_start (VigilPipeline *self)
{
  g_return_if_fail (self != NULL);

  ensure_control_thread (self);
  invoke (self, do_start);
}

void
vigil_pipeline_stop (VigilPipeline *self, int64_t eos_ms)
{
  g_return_if_fail (self != NULL);

  ensure_control_thread (self);
  if (eos_ms > 0)
    self->eos_ms = eos_ms;
  invoke (self, eos_ms > 0 ? do_stop : do_stop_now);
}

void
vigil_pipeline_free (VigilPipeline *self)
{
  if (self == NULL)
    return;
  if (self->control != NULL) {
    invoke (self, do_stop_now);
    g_thread_join (self->control);
    pthread_mutex_lock (&self->lock);
    self->is_detached = TRUE;
    pthread_mutex_unlock (&self->lock);
    /* What was left in the context holds references. */
    while (g_main_context_iteration (self->context, FALSE))
      continue;
  }
  pipeline_unref (self);
}

gboolean
vigil_pipeline_is_live (const VigilPipeline *self)
{
  g_return_val_if_fail (self != NULL, FALSE);

  return self->is_live;
}

gboolean
vigil_pipeline_has_destination (const VigilPipeline *self)
{
  g_return_val_if_fail (self != NULL, FALSE);

  return self->has_destination;
}

const VigilProblems *
vigil_pipeline_get_warnings (const VigilPipeline *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->warnings;
}

const char *
vigil_pipeline_get_launch_text (const VigilPipeline *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return vigil_assembly_get_launch_text (self->assembly);
}

void
vigil_pipeline_get_status (VigilPipeline *self, VigilPipelineStatus *ret_status)
{
  VigilPipelineStatus status = {0};
  int64_t end_us;

  g_return_if_fail (self != NULL && ret_status != NULL);

  status.frames = vigil_receiver_get_frames (self->receiver);
  status.avg_latency = vigil_receiver_get_latency (self->receiver);
  pthread_mutex_lock (&self->lock);
  status.state = self->state;
  status.start_time = self->start_time;
  status.elapsed_time = -1;
  if (self->start_us > 0) {
    end_us = self->end_us > 0 ? self->end_us : g_get_monotonic_time ();
    status.elapsed_time = (double)(end_us - self->start_us) / G_USEC_PER_SEC;
  }
  status.reconnects = self->reconnects;
  /* What was said of a loss is past once frames come again. */
  if (self->state != VIGIL_PIPELINE_RUNNING ||
      status.frames <= self->frames_at_loss)
    memcpy (status.message, self->message, sizeof status.message);
  pthread_mutex_unlock (&self->lock);
  if (status.elapsed_time > 0)
    status.avg_fps = (double)status.frames / status.elapsed_time;
  *ret_status = status;
}

unsigned
vigil_pipeline_get_abandoned_count (void)
{
  return (unsigned)vigil_counter_get (&abandoned_count);
}

gboolean
vigil_pipeline_push_image (
    VigilPipeline *self, GBytes *image, int64_t pts_ns, GError **error)
{
  /* An ingestor has no network source, so that these elements stay. */
  return vigil_image_source_push (
      GST_BIN (self->pipeline), image, pts_ns, error);
}
