/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The appsinks of a pipeline. The gate in front of on_frame closes for good:
 * whoever closed it may free what on_frame uses.
 */
#include "pipeline/receiver.h"

#include "base/log.h"
#include "base/metrics.h"
#include "pipeline/bus-metadata.h"
#include "pipeline/latency.h"
#include "pipeline/parsed-pipeline.h"
#include "pipeline/sample.h"
#include <gst/app/gstappsink.h>
#include <pthread.h>

#define FRAME_ERROR_LOG_MS (10 * 1000)

struct _VigilReceiver {
  VigilReceiverCall on_frame;
  void *user_data;
  VigilBusMetadata *bus_metadata; /* nullable */
  VigilLatency *latency;

  /* set while no streaming thread runs */
  GstElement *sink; /* nullable */
  VigilSampleReader *reader;

  /* streaming thread of the sink */
  uint64_t next_frame_id;
  VigilLogGate frame_error_gate;

  VigilCounter frames;

  pthread_mutex_t lock;     /* protects all below */
  pthread_cond_t idle;      /* calls_in_flight came to 0 */
  unsigned calls_in_flight; /* of on_frame */
  gboolean is_closed;       /* no on_frame any more */
};

VigilReceiver *
vigil_receiver_new (
    VigilReceiverCall on_frame, void *user_data, const VigilJson *bus_names)
{
  VigilReceiver *self = g_new0 (VigilReceiver, 1);

  self->on_frame = on_frame;
  self->user_data = user_data;
  self->latency = vigil_latency_new ();
  if (bus_names != NULL)
    self->bus_metadata = vigil_bus_metadata_new (bus_names);
  pthread_mutex_init (&self->lock, NULL);
  pthread_cond_init (&self->idle, NULL);
  return self;
}

static void
detach (VigilReceiver *self)
{
  g_clear_pointer (&self->reader, vigil_sample_reader_free);
  g_clear_pointer (&self->sink, gst_object_unref);
}

void
vigil_receiver_free (VigilReceiver *self)
{
  if (self == NULL)
    return;
  detach (self);
  vigil_latency_free (self->latency);
  vigil_bus_metadata_free (self->bus_metadata);
  pthread_cond_destroy (&self->idle);
  pthread_mutex_destroy (&self->lock);
  g_free (self);
}

/* ---- Streaming thread -------------------------------------------------- */

static gboolean
enter_callback (VigilReceiver *self)
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
leave_callback (VigilReceiver *self)
{
  pthread_mutex_lock (&self->lock);
  if (--self->calls_in_flight == 0)
    pthread_cond_broadcast (&self->idle);
  pthread_mutex_unlock (&self->lock);
}

static void
add_bus_messages (VigilReceiver *self, VigilFrame *frame)
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
  VigilReceiver *self = user_data;
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
  self->on_frame (self->user_data, frame);
  leave_callback (self);
  return GST_FLOW_OK;
}

/* Of an appsink that is not the destination: its frames count where there is
 * no destination, as in DLSPS, and go nowhere. */
static GstFlowReturn
on_other_sample (GstAppSink *sink, void *user_data)
{
  VigilReceiver *self = user_data;
  g_autoptr (GstSample) sample = gst_app_sink_try_pull_sample (sink, 0);

  if (sample != NULL && self->sink == NULL)
    vigil_counter_add (&self->frames, 1);
  return GST_FLOW_OK;
}

/* ---- Attaching --------------------------------------------------------- */

/* An appsink that nobody empties would hold back the end of the stream. */
static void
connect_other_sink (const GValue *item, void *user_data)
{
  GstElement *element = g_value_get_object (item);
  VigilReceiver *self = user_data;
  GstAppSinkCallbacks callbacks = {.new_sample = on_other_sample};

  if (GST_IS_APP_SINK (element) && element != self->sink)
    gst_app_sink_set_callbacks (GST_APP_SINK (element), &callbacks, self, NULL);
}

/* In the thread that posts, before the buffer goes on: so the message meets
 * its own frame where no queue stands between. */
static GstBusSyncReply
on_posted (GstBus *bus, GstMessage *message, void *user_data)
{
  VigilReceiver *self = user_data;

  vigil_bus_metadata_collect (self->bus_metadata, message);
  return GST_BUS_PASS;
}

gboolean
vigil_receiver_attach (VigilReceiver *self, GstBin *pipeline)
{
  GstAppSinkCallbacks callbacks = {.new_sample = on_sample};
  GstIterator *elements = gst_bin_iterate_recurse (pipeline);
  g_autoptr (GstBus) bus = gst_element_get_bus (GST_ELEMENT (pipeline));

  detach (self);
  self->sink = vigil_parsed_pipeline_find_destination (pipeline);
  while (gst_iterator_foreach (elements, connect_other_sink, self) ==
         GST_ITERATOR_RESYNC)
    gst_iterator_resync (elements);
  gst_iterator_free (elements);
  vigil_latency_watch (self->latency, pipeline);
  if (self->sink == NULL)
    return FALSE;
  self->reader = vigil_sample_reader_new (self->sink);
  gst_app_sink_set_callbacks (
      GST_APP_SINK (self->sink), &callbacks, self, NULL);
  if (self->bus_metadata != NULL)
    gst_bus_set_sync_handler (bus, on_posted, self, NULL);
  return TRUE;
}

void
vigil_receiver_close (VigilReceiver *self)
{
  pthread_mutex_lock (&self->lock);
  self->is_closed = TRUE;
  while (self->calls_in_flight > 0)
    pthread_cond_wait (&self->idle, &self->lock);
  pthread_mutex_unlock (&self->lock);
}

uint64_t
vigil_receiver_get_frames (const VigilReceiver *self)
{
  return vigil_counter_get (&self->frames);
}

double
vigil_receiver_get_latency (VigilReceiver *self)
{
  return vigil_latency_get_average (self->latency);
}

int64_t
vigil_receiver_get_last_activity_us (VigilReceiver *self)
{
  return vigil_latency_get_last_activity_us (self->latency);
}
