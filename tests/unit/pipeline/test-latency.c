/* SPDX-License-Identifier: Apache-2.0 */
/* Latency by timestamp: measured where both ends are seen, bounded where
 * frames never arrive. */
#include "common/fixture.h"
#include "pipeline/latency.h"

#define FRAME GST_MSECOND

typedef struct {
  GstElement *pipeline;
  GstElement *source; /* an appsrc */
  GstElement *sink;
  VigilLatency *latency;
} Line;

static void
line_init (Line *line)
{
  g_autoptr (GError) error = NULL;
  line->pipeline = gst_parse_launch (
      "appsrc name=a format=time ! fakesink name=s sync=false async=false",
      &error);
  g_assert_no_error (error);
  gst_object_ref_sink (line->pipeline);
  line->source = gst_bin_get_by_name (GST_BIN (line->pipeline), "a");
  line->sink = gst_bin_get_by_name (GST_BIN (line->pipeline), "s");
  line->latency = vigil_latency_new ();
  vigil_latency_watch (line->latency, GST_BIN (line->pipeline));
  gst_element_set_state (line->pipeline, GST_STATE_PLAYING);
}

static void
line_clear (Line *line)
{
  gst_element_set_state (line->pipeline, GST_STATE_NULL);
  gst_object_unref (line->source);
  gst_object_unref (line->sink);
  gst_object_unref (line->pipeline);
  vigil_latency_free (line->latency);
}

/* Sends a buffer through; it has left the source when this returns. */
static void
send (Line *line, GstClockTime pts)
{
  GstBuffer *buffer = gst_buffer_new ();
  GST_BUFFER_PTS (buffer) = pts;
  g_autoptr (GstPad) pad = gst_element_get_static_pad (line->source, "src");
  g_autoptr (GstCaps) caps = gst_caps_new_empty_simple ("video/x-raw");
  GstSegment segment;
  gst_segment_init (&segment, GST_FORMAT_TIME);
  if (!gst_pad_has_current_caps (pad)) {
    gst_pad_push_event (pad, gst_event_new_stream_start ("test"));
    gst_pad_push_event (pad, gst_event_new_caps (caps));
    gst_pad_push_event (pad, gst_event_new_segment (&segment));
  }
  gst_pad_push (pad, buffer);
}

static void
test_average (VigilFixture *fixture, gconstpointer data)
{
  Line line;
  line_init (&line);
  g_assert_cmpfloat (vigil_latency_get_average (line.latency), <, 0);
  int64_t start_us = g_get_monotonic_time ();
  for (unsigned i = 0; i < 5; i++) {
    send (&line, i * FRAME);
    g_usleep (2000);
    vigil_latency_mark_arrival (line.latency, i * FRAME);
  }
  double average = vigil_latency_get_average (line.latency);
  g_assert_cmpfloat (average, >=, 0.002);
  double elapsed =
      (double)(g_get_monotonic_time () - start_us) / G_USEC_PER_SEC;
  g_assert_cmpfloat (average, <=, elapsed / 5);
  line_clear (&line);
}

/* What has no stamp is not measured, and a stamp is used once. */
static void
test_unknown (VigilFixture *fixture, gconstpointer data)
{
  Line line;
  line_init (&line);
  send (&line, GST_CLOCK_TIME_NONE);
  vigil_latency_mark_arrival (line.latency, GST_CLOCK_TIME_NONE);
  vigil_latency_mark_arrival (line.latency, 5 * FRAME);
  g_assert_cmpfloat (vigil_latency_get_average (line.latency), <, 0);
  line_clear (&line);
}

/* 10,000 frames that never arrive, then one that does. */
static void
test_bounded (VigilFixture *fixture, gconstpointer data)
{
  Line line;
  line_init (&line);
  for (unsigned i = 0; i < 10000; i++)
    send (&line, i * FRAME);
  vigil_latency_mark_arrival (line.latency, 0);
  g_assert_cmpfloat (vigil_latency_get_average (line.latency), <, 0);
  vigil_latency_mark_arrival (line.latency, 9999 * FRAME);
  g_assert_cmpfloat (vigil_latency_get_average (line.latency), >=, 0);
  line_clear (&line);
}

/* Elements that come later, as in decodebin, are watched too. */
static void
test_added (VigilFixture *fixture, gconstpointer data)
{
  g_autoptr (GstElement) pipeline =
      gst_object_ref_sink (gst_pipeline_new (NULL));
  VigilLatency *latency = vigil_latency_new ();
  vigil_latency_watch (latency, GST_BIN (pipeline));
  GstElement *source = gst_element_factory_make ("videotestsrc", NULL);
  GstElement *sink = gst_element_factory_make ("fakesink", NULL);
  g_object_set (source, "num-buffers", 1, NULL);
  gst_bin_add_many (GST_BIN (pipeline), source, sink, NULL);
  g_assert_true (gst_element_link (source, sink));
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  g_autoptr (GstMessage) message = gst_bus_timed_pop_filtered (
      bus, 15 * GST_SECOND, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  g_assert_nonnull (message);
  vigil_latency_mark_arrival (latency, 0);
  g_assert_cmpfloat (vigil_latency_get_average (latency), >=, 0);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  g_clear_pointer (&pipeline, gst_object_unref);
  vigil_latency_free (latency);
}

int
main (int argc, char **argv)
{
  vigil_fixture_init (&argc, &argv, 0);
  gst_init (&argc, &argv);
#define ADD(path, function)                                                    \
  g_test_add (path, VigilFixture, NULL, vigil_fixture_set_up, function,        \
      vigil_fixture_tear_down)
  ADD ("/latency/average", test_average);
  ADD ("/latency/unknown", test_unknown);
  ADD ("/latency/bounded", test_bounded);
  ADD ("/latency/added", test_added);
  return g_test_run ();
}
