/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames of one path on their way to viewers. GStreamer's own queue (in
 * appsrc) holds at most one frame: it asks for the next when it has none, so
 * that what waits, waits here, where it can be counted and lost.
 */
#include "rtsp/rtsp-stream.h"

#include <gst/app/gstappsrc.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

#define LAUNCH                                                                 \
  "( appsrc name=source is-live=true do-timestamp=true format=time "           \
  "! rtpjpegpay name=pay0 pt=26 )"
#define STREAM_KEY "vigil-rtsp-stream"

struct _VigilRtspStream {
  gatomicrefcount reference_count;
  char *path;
  unsigned queue_length;

  pthread_mutex_t lock; /* protects what follows */
  pthread_cond_t unwatched;
  GstRTSPMedia *media; /* (nullable) that source is of; its address alone */
  GstAppSrc *source;   /* (nullable) owned: somebody watches */
  GQueue waiting;      /* element-type: GstSample, owned */
  GstCaps *caps;       /* (nullable) of the newest frame */
  gboolean is_hungry;  /* source has asked, and got none yet */
  gboolean is_playing; /* frames leave the pipeline */
  VigilRtspStreamStatus status;
};

VigilRtspStream *
vigil_rtsp_stream_new (const char *path, unsigned queue_length)
{
  VigilRtspStream *self = g_new0 (VigilRtspStream, 1);

  g_atomic_ref_count_init (&self->reference_count);
  self->path = g_strconcat ("/", path, NULL);
  self->queue_length = queue_length;
  pthread_mutex_init (&self->lock, NULL);
  pthread_cond_init (&self->unwatched, NULL);
  g_queue_init (&self->waiting);
  return self;
}

VigilRtspStream *
vigil_rtsp_stream_ref (VigilRtspStream *self)
{
  g_atomic_ref_count_inc (&self->reference_count);
  return self;
}

void
vigil_rtsp_stream_unref (VigilRtspStream *self)
{
  if (self == NULL || !g_atomic_ref_count_dec (&self->reference_count))
    return;
  g_queue_clear_full (&self->waiting, (GDestroyNotify)gst_sample_unref);
  gst_clear_caps (&self->caps);
  gst_clear_object (&self->source);
  pthread_cond_destroy (&self->unwatched);
  pthread_mutex_destroy (&self->lock);
  g_free (self->path);
  g_free (self);
}

const char *
vigil_rtsp_stream_get_path (const VigilRtspStream *self)
{
  return self->path;
}

/* ---- Frames; all with the lock ------------------------------------------- */

static size_t
get_size (GstSample *sample)
{
  return gst_buffer_get_size (gst_sample_get_buffer (sample));
}

/* The oldest one that waits. */
static GstSample *
steal_waiting (VigilRtspStream *self)
{
  GstSample *sample = g_queue_pop_head (&self->waiting);

  if (sample == NULL)
    return NULL;
  self->status.queued--;
  self->status.queued_bytes -= get_size (sample);
  return sample;
}

static void
drop_waiting (VigilRtspStream *self, unsigned left, VigilRtspDrop reason)
{
  while (self->waiting.length > left) {
    gst_sample_unref (steal_waiting (self));
    self->status.dropped[reason]++;
  }
}

/* Takes @sample over. */
static void
publish (VigilRtspStream *self, GstSample *sample)
{
  self->status.published++;
  self->status.bytes += get_size (sample);
  self->is_hungry = FALSE;
  gst_app_src_push_sample (self->source, sample);
  gst_sample_unref (sample);
}

/* Takes @sample over. Until a viewer plays there is no use in more than the
 * newest frame: he is to see what is now. */
static void
enqueue (VigilRtspStream *self, GstSample *sample)
{
  unsigned length = self->is_playing ? self->queue_length : 1;

  drop_waiting (self, length - 1, VIGIL_RTSP_DROP_VIEWERS_SLOW);
  self->status.queued++;
  self->status.queued_bytes += get_size (sample);
  g_queue_push_tail (&self->waiting, sample);
}

/* The payloader wants to know the size beforehand; it may change. */
static GstSample *
make_sample (VigilRtspStream *self, GBytes *jpeg, const VigilRtspJpegSize *size)
{
  g_autoptr (GstCaps) caps =
      gst_caps_new_simple ("image/jpeg", "width", G_TYPE_INT, (int)size->width,
          "height", G_TYPE_INT, (int)size->height, NULL);
  g_autoptr (GstBuffer) buffer = gst_buffer_new_wrapped_bytes (jpeg);

  if (self->caps == NULL || !gst_caps_is_equal (self->caps, caps))
    gst_caps_replace (&self->caps, caps);
  return gst_sample_new (buffer, self->caps, NULL, NULL);
}

void
vigil_rtsp_stream_push (
    VigilRtspStream *self, GBytes *jpeg, const VigilRtspJpegSize *size)
{
  pthread_mutex_lock (&self->lock);
  self->status.offered++;
  if (self->status.is_ended)
    self->status.dropped[VIGIL_RTSP_DROP_STOPPED]++;
  else if (self->source == NULL)
    self->status.dropped[VIGIL_RTSP_DROP_NO_VIEWER]++;
  else if (self->is_hungry)
    publish (self, make_sample (self, jpeg, size));
  else
    enqueue (self, make_sample (self, jpeg, size));
  pthread_mutex_unlock (&self->lock);
}

void
vigil_rtsp_stream_drop (VigilRtspStream *self, VigilRtspDrop reason)
{
  pthread_mutex_lock (&self->lock);
  self->status.offered++;
  self->status.dropped[reason]++;
  pthread_mutex_unlock (&self->lock);
}

/* ---- The shared pipeline --------------------------------------------------
 */

/* Its streaming thread: appsrc has nothing to send. */
static void
on_need_data (GstAppSrc *source, guint length, gpointer user_data)
{
  VigilRtspStream *self = user_data;
  GstSample *sample;

  pthread_mutex_lock (&self->lock);
  if (source == self->source) {
    sample = steal_waiting (self);
    if (sample != NULL)
      publish (self, sample);
    else
      self->is_hungry = TRUE;
  }
  pthread_mutex_unlock (&self->lock);
}

static void
on_new_state (GstRTSPMedia *media, int state, gpointer user_data)
{
  VigilRtspStream *self = user_data;

  pthread_mutex_lock (&self->lock);
  if (media == self->media)
    self->is_playing = state == GST_STATE_PLAYING;
  pthread_mutex_unlock (&self->lock);
}

/* The last viewer has gone. The next one's pipeline may be there already. */
static void
on_unprepared (GstRTSPMedia *media, gpointer user_data)
{
  VigilRtspStream *self = user_data;
  GstAppSrc *source = NULL;

  pthread_mutex_lock (&self->lock);
  if (media == self->media) {
    self->media = NULL;
    source = g_steal_pointer (&self->source);
    drop_waiting (self, 0, VIGIL_RTSP_DROP_NO_VIEWER);
    pthread_cond_broadcast (&self->unwatched);
  }
  pthread_mutex_unlock (&self->lock);
  gst_clear_object (&source);
}

static void
release (gpointer data)
{
  vigil_rtsp_stream_unref (data);
}

static void
release_closure (gpointer data, GClosure *closure)
{
  vigil_rtsp_stream_unref (data);
}

static void
on_media_configure (
    GstRTSPMediaFactory *factory, GstRTSPMedia *media, gpointer user_data)
{
  static const GstAppSrcCallbacks callbacks = {.need_data = on_need_data};
  VigilRtspStream *self = user_data;
  g_autoptr (GstElement) bin = gst_rtsp_media_get_element (media);
  GstElement *source = gst_bin_get_by_name (GST_BIN (bin), "source");
  GstAppSrc *old_source;
  gboolean is_ended;

  /* Counted by us, so its own limit never comes into play. */
  gst_app_src_set_max_buffers (GST_APP_SRC (source), 0);
  gst_app_src_set_max_bytes (GST_APP_SRC (source), 0);
  gst_app_src_set_callbacks (GST_APP_SRC (source),
      (GstAppSrcCallbacks *)&callbacks, vigil_rtsp_stream_ref (self), release);
  g_object_set_data_full (
      G_OBJECT (media), STREAM_KEY, vigil_rtsp_stream_ref (self), release);
  g_signal_connect_data (media, "unprepared", G_CALLBACK (on_unprepared),
      vigil_rtsp_stream_ref (self), release_closure, 0);
  g_signal_connect_data (media, "new-state", G_CALLBACK (on_new_state),
      vigil_rtsp_stream_ref (self), release_closure, 0);
  pthread_mutex_lock (&self->lock);
  old_source = self->source;
  self->source = GST_APP_SRC (source);
  self->media = media;
  self->is_hungry = FALSE;
  self->is_playing = FALSE;
  is_ended = self->status.is_ended;
  drop_waiting (self, 0, VIGIL_RTSP_DROP_NO_VIEWER);
  pthread_mutex_unlock (&self->lock);
  gst_clear_object (&old_source);
  if (is_ended)
    gst_app_src_end_of_stream (GST_APP_SRC (source));
}

GstRTSPMediaFactory *
vigil_rtsp_stream_new_factory (VigilRtspStream *self)
{
  GstRTSPMediaFactory *factory = gst_rtsp_media_factory_new ();

  gst_rtsp_media_factory_set_launch (factory, LAUNCH);
  gst_rtsp_media_factory_set_shared (factory, TRUE);
  gst_rtsp_media_factory_set_protocols (
      factory, GST_RTSP_LOWER_TRANS_UDP | GST_RTSP_LOWER_TRANS_TCP);
  g_signal_connect_data (factory, "media-configure",
      G_CALLBACK (on_media_configure), vigil_rtsp_stream_ref (self),
      release_closure, 0);
  return factory;
}

VigilRtspStream *
vigil_rtsp_stream_of_media (GstRTSPMedia *media)
{
  return g_object_get_data (G_OBJECT (media), STREAM_KEY);
}

void
vigil_rtsp_stream_count_viewer (VigilRtspStream *self)
{
  pthread_mutex_lock (&self->lock);
  self->status.viewers++;
  pthread_mutex_unlock (&self->lock);
}

gboolean
vigil_rtsp_stream_is_watched (VigilRtspStream *self)
{
  gboolean is_watched;

  pthread_mutex_lock (&self->lock);
  is_watched = self->source != NULL && !self->status.is_ended;
  pthread_mutex_unlock (&self->lock);
  return is_watched;
}

/* ---- The end --------------------------------------------------------------
 */

void
vigil_rtsp_stream_end (VigilRtspStream *self)
{
  GstAppSrc *source = NULL;

  pthread_mutex_lock (&self->lock);
  self->status.is_ended = TRUE;
  while (self->source != NULL && self->waiting.length > 0)
    publish (self, steal_waiting (self));
  if (self->source != NULL)
    source = gst_object_ref (self->source);
  pthread_mutex_unlock (&self->lock);
  if (source == NULL)
    return;
  gst_app_src_end_of_stream (source);
  gst_object_unref (source);
}

gboolean
vigil_rtsp_stream_wait (VigilRtspStream *self, int64_t deadline_us)
{
  const struct timespec deadline = {
      .tv_sec = deadline_us / G_USEC_PER_SEC,
      .tv_nsec = deadline_us % G_USEC_PER_SEC * 1000,
  };
  gboolean is_unwatched;
  int status = 0;

  pthread_mutex_lock (&self->lock);
  while (self->source != NULL && status == 0)
    status = pthread_cond_clockwait (
        &self->unwatched, &self->lock, CLOCK_MONOTONIC, &deadline);
  is_unwatched = self->source == NULL;
  pthread_mutex_unlock (&self->lock);
  return is_unwatched;
}

void
vigil_rtsp_stream_get_status (
    VigilRtspStream *self, VigilRtspStreamStatus *ret_status)
{
  pthread_mutex_lock (&self->lock);
  *ret_status = self->status;
  ret_status->is_watched = self->source != NULL;
  pthread_mutex_unlock (&self->lock);
}
