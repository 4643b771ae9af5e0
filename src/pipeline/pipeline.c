/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One running pipeline. Its control thread never waits for GStreamer: each
 * change of state runs in a short thread of its own, which reports back, so
 * that a device that hangs costs that thread and nothing else.
 */
#include "pipeline/pipeline.h"

#include "base/error.h"
#include "base/log.h"
#include "base/metrics.h"
#include "pipeline/assembly.h"
#include "pipeline/bus-metadata.h"
#include "pipeline/bus-text.h"
#include "pipeline/image-source.h"
#include "pipeline/latency.h"
#include "pipeline/parsed-pipeline.h"
#include "pipeline/sample.h"
#include <gst/app/gstappsink.h>
#include <pthread.h>
#include <string.h>

/* A pipeline that is not live must have its first frame by then. */
#define PREROLL_DEADLINE_MS (30 * 1000)
/* A NULL that takes longer is given up. */
#define NULL_DEADLINE_MS (5 * 1000)
#define FRAME_ERROR_LOG_MS (10 * 1000)

static VigilCounter abandoned_count;

struct _VigilPipeline {
  gatomicrefcount reference_count; /* owner, control thread, state threads */
  VigilPipelineCallbacks callbacks;
  VigilProblems *warnings;
  char *launch_text;
  GstElement *pipeline;
  GstElement *sink; /* nullable */
  VigilLatency *latency;
  VigilBusMetadata *bus_metadata; /* nullable */
  GMainContext *context;
  GMainLoop *loop;

  /* owner's thread */
  GThread *control;

  /* control thread */
  GSource *bus_source;
  GSource *preroll_timer;
  GSource *deadline_timer; /* for the EOS, then for NULL */
  gboolean is_started;
  gboolean is_stopping; /* by request */
  gboolean is_ending;
  gboolean is_playing; /* PLAYING was reached */
  VigilPipelineState final_state;
  char *missing_plugin; /* nullable: from the bus, explains an error */

  /* streaming thread of the sink */
  VigilSampleReader *reader;
  uint64_t next_frame_id;
  VigilLogGate frame_error_gate;

  /* state threads: one change at a time, and none after NULL */
  pthread_mutex_t state_lock;
  _Atomic gboolean wants_null;

  VigilCounter frames;
  _Atomic gboolean is_live;
  _Atomic int64_t eos_ms; /* of the last stop */

  pthread_mutex_t lock;     /* protects all below */
  pthread_cond_t idle;      /* calls_in_flight came to 0 */
  unsigned calls_in_flight; /* of on_frame */
  gboolean is_closed;       /* no on_frame any more */
  gboolean is_abandoned;    /* nobody waits for the state thread any more */
  gboolean is_detached;     /* nothing runs in context any more */
  VigilPipelineState state;
  double start_time;        /* epoch seconds */
  int64_t start_us, end_us; /* monotonic; 0: not yet */
  char message[512];
};

const char *
vigil_pipeline_state_name (VigilPipelineState state)
{
  switch (state) {
  case VIGIL_PIPELINE_QUEUED:
    return "QUEUED";
  case VIGIL_PIPELINE_RUNNING:
    return "RUNNING";
  case VIGIL_PIPELINE_COMPLETED:
    return "COMPLETED";
  case VIGIL_PIPELINE_ERROR:
    return "ERROR";
  case VIGIL_PIPELINE_ABORTED:
    return "ABORTED";
  }
  return "UNKNOWN";
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
  g_clear_pointer (&self->sink, gst_object_unref);
  g_clear_pointer (&self->pipeline, gst_object_unref);
  vigil_latency_free (self->latency);
  vigil_bus_metadata_free (self->bus_metadata);
  vigil_sample_reader_free (self->reader);
  vigil_problems_free (self->warnings);
  g_main_loop_unref (self->loop);
  g_main_context_unref (self->context);
  pthread_mutex_destroy (&self->state_lock);
  pthread_cond_destroy (&self->idle);
  pthread_mutex_destroy (&self->lock);
  g_free (self->missing_plugin);
  g_free (self->launch_text);
  g_free (self);
}

/* ---- Streaming thread -------------------------------------------------- */

static gboolean
enter_callback (VigilPipeline *self)
{
  gboolean may_call;

  pthread_mutex_lock (&self->lock);
  may_call = !self->is_closed;
  if (may_call)
    self->calls_in_flight++;
  pthread_mutex_unlock (&self->lock);
  return may_call;
}

static void
leave_callback (VigilPipeline *self)
{
  pthread_mutex_lock (&self->lock);
  if (--self->calls_in_flight == 0)
    pthread_cond_broadcast (&self->idle);
  pthread_mutex_unlock (&self->lock);
}

static void
close_callbacks (VigilPipeline *self)
{
  pthread_mutex_lock (&self->lock);
  self->is_closed = TRUE;
  while (self->calls_in_flight > 0)
    pthread_cond_wait (&self->idle, &self->lock);
  pthread_mutex_unlock (&self->lock);
}

static void
add_bus_messages (VigilPipeline *self, VigilFrame *frame)
{
  char *json = self->bus_metadata != NULL
                   ? vigil_bus_metadata_take (self->bus_metadata)
                   : NULL;

  if (json != NULL)
    vigil_metadata_take_message (frame->metadata, json);
}

static GstFlowReturn
on_sample (GstAppSink *sink, void *user_data)
{
  VigilPipeline *self = user_data;
  g_autoptr (GstSample) sample = gst_app_sink_try_pull_sample (sink, 0);
  g_autoptr (GError) error = NULL;
  GstBuffer *buffer;
  VigilFrame *frame;
  uint64_t frame_id, suppressed;

  if (sample == NULL)
    return GST_FLOW_OK;
  buffer = gst_sample_get_buffer (sample);
  if (buffer != NULL)
    vigil_latency_mark_arrival (self->latency, GST_BUFFER_PTS (buffer));
  frame_id = self->next_frame_id++;
  frame = vigil_sample_reader_read (self->reader, sample, &error);
  if (frame == NULL) {
    if (vigil_log_gate_open (&self->frame_error_gate, FRAME_ERROR_LOG_MS,
            g_get_monotonic_time (), &suppressed))
      g_warning ("frame %" G_GUINT64_FORMAT
                 " is dropped: %s (%" G_GUINT64_FORMAT " more before)",
          frame_id, error->message, suppressed);
    return GST_FLOW_OK;
  }
  g_clear_pointer (&sample, gst_sample_unref);
  frame->frame_id = frame_id;
  add_bus_messages (self, frame);
  vigil_counter_add (&self->frames, 1);
  if (!enter_callback (self)) {
    vigil_frame_unref (frame);
    return GST_FLOW_FLUSHING;
  }
  self->callbacks.on_frame (self->callbacks.user_data, frame);
  leave_callback (self);
  return GST_FLOW_OK;
}

/* Of an appsink that is not the destination: its frames count where there is
 * no destination, as in DLSPS, and go nowhere. */
static GstFlowReturn
on_other_sample (GstAppSink *sink, void *user_data)
{
  VigilPipeline *self = user_data;
  g_autoptr (GstSample) sample = gst_app_sink_try_pull_sample (sink, 0);

  if (sample != NULL && self->sink == NULL)
    vigil_counter_add (&self->frames, 1);
  return GST_FLOW_OK;
}

/* ---- Building ---------------------------------------------------------- */

/* An appsink that nobody empties would hold back the end of the stream. */
static void
connect_other_sink (const GValue *item, void *user_data)
{
  GstElement *element = g_value_get_object (item);
  VigilPipeline *self = user_data;
  GstAppSinkCallbacks callbacks = {.new_sample = on_other_sample};

  if (GST_IS_APP_SINK (element) && element != self->sink)
    gst_app_sink_set_callbacks (GST_APP_SINK (element), &callbacks, self, NULL);
}

static void
connect_sinks (VigilPipeline *self)
{
  GstBin *pipeline = GST_BIN (self->pipeline);
  GstAppSinkCallbacks callbacks = {.new_sample = on_sample};
  GstIterator *elements = gst_bin_iterate_recurse (pipeline);

  self->sink = vigil_parsed_pipeline_find_destination (pipeline);
  while (gst_iterator_foreach (elements, connect_other_sink, self) ==
         GST_ITERATOR_RESYNC)
    gst_iterator_resync (elements);
  gst_iterator_free (elements);
  if (self->sink == NULL)
    return;
  self->reader = vigil_sample_reader_new (self->sink);
  gst_app_sink_set_callbacks (
      GST_APP_SINK (self->sink), &callbacks, self, NULL);
}

/* In the thread that posts, before the buffer goes on: so the message meets
 * its own frame where no queue stands between. */
static GstBusSyncReply
on_posted (GstBus *bus, GstMessage *message, void *user_data)
{
  VigilPipeline *self = user_data;

  vigil_bus_metadata_collect (self->bus_metadata, message);
  return GST_BUS_PASS;
}

static void
connect_bus (VigilPipeline *self, const VigilJson *names)
{
  g_autoptr (GstBus) bus = NULL;

  if (names == NULL || self->sink == NULL)
    return;
  self->bus_metadata = vigil_bus_metadata_new (names);
  bus = gst_element_get_bus (self->pipeline);
  gst_bus_set_sync_handler (bus, on_posted, self, NULL);
}

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
  pthread_cond_init (&self->idle, NULL);
  pthread_mutex_init (&self->state_lock, NULL);
  self->state = VIGIL_PIPELINE_QUEUED;
  self->start_time = -1;
  return self;
}

VigilPipeline *
vigil_pipeline_new (const VigilDefinition *definition, const VigilJson *request,
    const VigilEnvironment *environment,
    const VigilPipelineCallbacks *callbacks, GError **error)
{
  g_autoptr (VigilPipeline) self = NULL;
  VigilAssembly assembly;

  g_return_val_if_fail (definition != NULL && callbacks != NULL, NULL);

  self = pipeline_alloc (callbacks);
  if (!vigil_assembly_init (
          &assembly, definition, request, environment, self->warnings, error))
    return NULL;
  self->pipeline = assembly.pipeline;
  self->launch_text = assembly.launch_text;
  self->is_live = assembly.is_live;
  connect_sinks (self);
  connect_bus (self, vigil_definition_get_bus_messages (definition));
  self->latency = vigil_latency_new (GST_BIN (self->pipeline));
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

static void on_play_failed (VigilPipeline *self);
static void on_null_reached (VigilPipeline *self);

static void *
run_play (void *data)
{
  VigilPipeline *self = data;
  GstStateChangeReturn result = GST_STATE_CHANGE_SUCCESS;

  pthread_mutex_lock (&self->state_lock);
  if (!self->wants_null)
    result = gst_element_set_state (self->pipeline, GST_STATE_PAUSED);
  if (result == GST_STATE_CHANGE_NO_PREROLL)
    self->is_live = TRUE;
  if (result != GST_STATE_CHANGE_FAILURE && !self->wants_null)
    result = gst_element_set_state (self->pipeline, GST_STATE_PLAYING);
  pthread_mutex_unlock (&self->state_lock);
  if (result == GST_STATE_CHANGE_FAILURE)
    invoke (self, on_play_failed);
  pipeline_unref (self);
  return NULL;
}

static void *
run_end_of_stream (void *data)
{
  VigilPipeline *self = data;

  gst_element_send_event (self->pipeline, gst_event_new_eos ());
  pipeline_unref (self);
  return NULL;
}

/* Takes locks of the elements, which one that hangs may hold. */
static void *
run_latency (void *data)
{
  VigilPipeline *self = data;

  gst_bin_recalculate_latency (GST_BIN (self->pipeline));
  pipeline_unref (self);
  return NULL;
}

static void *
run_null (void *data)
{
  VigilPipeline *self = data;
  gboolean is_abandoned;

  pthread_mutex_lock (&self->state_lock);
  gst_element_set_state (self->pipeline, GST_STATE_NULL);
  pthread_mutex_unlock (&self->state_lock);
  pthread_mutex_lock (&self->lock);
  is_abandoned = self->is_abandoned;
  pthread_mutex_unlock (&self->lock);
  if (!is_abandoned)
    invoke (self, on_null_reached);
  pipeline_unref (self);
  return NULL;
}

static void
start_state_thread (VigilPipeline *self, GThreadFunc run)
{
  g_thread_unref (g_thread_new ("vigil-state", run, pipeline_ref (self)));
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
  close_callbacks (self);
  pthread_mutex_lock (&self->lock);
  self->state = self->final_state;
  pthread_mutex_unlock (&self->lock);
  if (self->callbacks.on_ended != NULL)
    self->callbacks.on_ended (self->callbacks.user_data, self->final_state);
  g_main_loop_quit (self->loop);
}

static void
on_null_reached (VigilPipeline *self)
{
  clear_source (&self->deadline_timer);
  finish (self);
}

static void
on_null_deadline (VigilPipeline *self)
{
  clear_source (&self->deadline_timer);
  pthread_mutex_lock (&self->lock);
  self->is_abandoned = TRUE;
  pthread_mutex_unlock (&self->lock);
  vigil_counter_add (&abandoned_count, 1);
  g_warning ("the pipeline does not stop within %d s: it is left behind",
      NULL_DEADLINE_MS / 1000);
  finish (self);
}

static void
end (VigilPipeline *self, VigilPipelineState state)
{
  if (self->is_ending)
    return;
  self->is_ending = TRUE;
  self->final_state = state;
  clear_source (&self->preroll_timer);
  clear_source (&self->deadline_timer);
  clear_source (&self->bus_source);
  pthread_mutex_lock (&self->lock);
  self->end_us = g_get_monotonic_time ();
  pthread_mutex_unlock (&self->lock);
  self->wants_null = TRUE;
  self->deadline_timer = add_timer (self, NULL_DEADLINE_MS, on_null_deadline);
  start_state_thread (self, run_null);
}

static void
on_error (VigilPipeline *self, GstMessage *message)
{
  g_autofree char *text =
      vigil_bus_text_dup_error (message, self->missing_plugin);

  set_message (self, text);
  end (self, self->is_stopping ? VIGIL_PIPELINE_ABORTED : VIGIL_PIPELINE_ERROR);
}

static void
on_end_of_stream (VigilPipeline *self)
{
  if (self->is_stopping) {
    end (self, VIGIL_PIPELINE_ABORTED);
  } else if (self->sink != NULL && vigil_counter_get (&self->frames) == 0) {
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

  if (self->is_ending)
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
do_start (VigilPipeline *self)
{
  g_autoptr (GstBus) bus = NULL;

  if (self->is_started || self->is_ending)
    return;
  self->is_started = TRUE;
  bus = gst_element_get_bus (self->pipeline);
  self->bus_source = gst_bus_create_watch (bus);
  g_source_set_callback (
      self->bus_source, G_SOURCE_FUNC (on_bus_message), self, NULL);
  g_source_attach (self->bus_source, self->context);
  pthread_mutex_lock (&self->lock);
  self->state = VIGIL_PIPELINE_RUNNING;
  self->start_us = g_get_monotonic_time ();
  self->start_time = (double)g_get_real_time () / G_USEC_PER_SEC;
  pthread_mutex_unlock (&self->lock);
  self->preroll_timer =
      add_timer (self, PREROLL_DEADLINE_MS, on_preroll_deadline);
  start_state_thread (self, run_play);
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
  /* Before PLAYING an end of stream waits behind the first frame, and its
   * sender keeps the locks that NULL needs. */
  if (!self->is_playing) {
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

  return self->sink != NULL;
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

  return self->launch_text;
}

void
vigil_pipeline_get_status (VigilPipeline *self, VigilPipelineStatus *ret_status)
{
  VigilPipelineStatus status = {0};
  int64_t end_us;

  g_return_if_fail (self != NULL && ret_status != NULL);

  status.frames = vigil_counter_get (&self->frames);
  status.avg_latency = vigil_latency_get_average (self->latency);
  pthread_mutex_lock (&self->lock);
  status.state = self->state;
  status.start_time = self->start_time;
  status.elapsed_time = -1;
  if (self->start_us > 0) {
    end_us = self->end_us > 0 ? self->end_us : g_get_monotonic_time ();
    status.elapsed_time = (double)(end_us - self->start_us) / G_USEC_PER_SEC;
  }
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
  return vigil_image_source_push (
      GST_BIN (self->pipeline), image, pts_ns, error);
}
