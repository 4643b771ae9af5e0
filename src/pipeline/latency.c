/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Latency from source to sink by timestamp.
 */
#include "pipeline/latency.h"

#include <pthread.h>
#include <stdint.h>
#include <string.h>

/* More frames than a pipeline holds at once; the search is linear. */
#define STAMPS 512
/* A stamp this old belongs to a frame that never arrived. */
#define STALE_US (10 * G_USEC_PER_SEC)

typedef struct {
  GstClockTime pts; /* GST_CLOCK_TIME_NONE: free */
  int64_t time_us;
} Stamp;

struct _VigilLatency {
  pthread_mutex_t lock; /* protects all below */
  Stamp stamps[STAMPS]; /* a ring, newest before next */
  unsigned next;
  double sum_us;
  uint64_t count;
  int64_t last_activity_us;
};

static Stamp *
find (VigilLatency *self, GstClockTime pts)
{
  for (unsigned i = 1; i <= STAMPS; i++) {
    Stamp *stamp = &self->stamps[(self->next + STAMPS - i) % STAMPS];

    if (stamp->pts == pts)
      return stamp;
  }
  return NULL;
}

static void
mark_departure (VigilLatency *self, GstBuffer *buffer)
{
  GstClockTime pts = GST_BUFFER_PTS (buffer);
  int64_t now_us = g_get_monotonic_time ();
  Stamp *stamp;

  pthread_mutex_lock (&self->lock);
  self->last_activity_us = now_us;
  if (!GST_CLOCK_TIME_IS_VALID (pts)) {
    pthread_mutex_unlock (&self->lock);
    return;
  }
  stamp = find (self, pts);
  if (stamp == NULL) {
    self->stamps[self->next] = (Stamp){pts, now_us};
    self->next = (self->next + 1) % STAMPS;
  } else if (now_us - stamp->time_us > STALE_US) {
    stamp->time_us = now_us;
  }
  pthread_mutex_unlock (&self->lock);
}

static GstPadProbeReturn
on_buffer (GstPad *pad, GstPadProbeInfo *info, void *user_data)
{
  if (info->type & GST_PAD_PROBE_TYPE_BUFFER)
    mark_departure (user_data, GST_PAD_PROBE_INFO_BUFFER (info));
  else if (gst_buffer_list_length (GST_PAD_PROBE_INFO_BUFFER_LIST (info)) > 0)
    mark_departure (user_data,
        gst_buffer_list_get (GST_PAD_PROBE_INFO_BUFFER_LIST (info), 0));
  return GST_PAD_PROBE_OK;
}

static void
on_pad_added (GstElement *element, GstPad *pad, void *user_data)
{
  if (GST_PAD_IS_SRC (pad))
    gst_pad_add_probe (pad,
        GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST, on_buffer,
        user_data, NULL);
}

static void
watch_element (VigilLatency *self, GstElement *element)
{
  GstElementFactory *factory = gst_element_get_factory (element);
  const char *class = factory != NULL ? gst_element_factory_get_metadata (
                                            factory, GST_ELEMENT_METADATA_KLASS)
                                      : NULL;
  GstIterator *pads;
  g_auto (GValue) item = G_VALUE_INIT;

  if (class == NULL ||
      (strstr (class, "Source") == NULL && strstr (class, "Demux") == NULL))
    return;
  pads = gst_element_iterate_src_pads (element);
  while (gst_iterator_next (pads, &item) == GST_ITERATOR_OK) {
    on_pad_added (element, g_value_get_object (&item), self);
    g_value_reset (&item);
  }
  gst_iterator_free (pads);
  g_signal_connect (element, "pad-added", G_CALLBACK (on_pad_added), self);
}

static void
on_element_added (
    GstBin *bin, GstBin *sub_bin, GstElement *element, void *user_data)
{
  watch_element (user_data, element);
}

VigilLatency *
vigil_latency_new (void)
{
  VigilLatency *self = g_new0 (VigilLatency, 1);

  pthread_mutex_init (&self->lock, NULL);
  for (unsigned i = 0; i < STAMPS; i++)
    self->stamps[i].pts = GST_CLOCK_TIME_NONE;
  return self;
}

void
vigil_latency_watch (VigilLatency *self, GstBin *pipeline)
{
  GstIterator *elements = gst_bin_iterate_recurse (pipeline);
  g_auto (GValue) item = G_VALUE_INIT;

  pthread_mutex_lock (&self->lock);
  self->last_activity_us = g_get_monotonic_time ();
  pthread_mutex_unlock (&self->lock);
  g_signal_connect (
      pipeline, "deep-element-added", G_CALLBACK (on_element_added), self);
  while (gst_iterator_next (elements, &item) == GST_ITERATOR_OK) {
    watch_element (self, g_value_get_object (&item));
    g_value_reset (&item);
  }
  gst_iterator_free (elements);
}

void
vigil_latency_free (VigilLatency *self)
{
  if (self == NULL)
    return;
  pthread_mutex_destroy (&self->lock);
  g_free (self);
}

void
vigil_latency_mark_arrival (VigilLatency *self, GstClockTime pts)
{
  int64_t now_us = g_get_monotonic_time ();
  Stamp *stamp;

  if (!GST_CLOCK_TIME_IS_VALID (pts))
    return;
  pthread_mutex_lock (&self->lock);
  stamp = find (self, pts);
  if (stamp != NULL) {
    self->sum_us += (double)(now_us - stamp->time_us);
    self->count++;
    stamp->pts = GST_CLOCK_TIME_NONE;
  }
  pthread_mutex_unlock (&self->lock);
}

double
vigil_latency_get_average (VigilLatency *self)
{
  double average;

  pthread_mutex_lock (&self->lock);
  average = self->count > 0
                ? self->sum_us / (double)self->count / G_USEC_PER_SEC
                : -1;
  pthread_mutex_unlock (&self->lock);
  return average;
}

int64_t
vigil_latency_get_last_activity_us (VigilLatency *self)
{
  int64_t last_us;

  pthread_mutex_lock (&self->lock);
  last_us = self->last_activity_us;
  pthread_mutex_unlock (&self->lock);
  return last_us;
}
