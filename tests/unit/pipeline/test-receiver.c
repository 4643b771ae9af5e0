/* SPDX-License-Identifier: Apache-2.0 */
/* The end of the GStreamer half: frames are numbered over all pipelines, what
 * is broken is dropped with its number, and closed is closed. */
#include "common/fixture.h"
#include "pipeline/receiver.h"

#include "pipeline/parsed-pipeline.h"
#include <gst/app/gstappsrc.h>

typedef struct {
  VigilEvent called;
  VigilEvent may_go; /* when holds */
  gboolean holds;
  uint64_t last_id;
} Calls;

static void
on_frame (void *user_data, VigilFrame *frame)
{
  Calls *calls = user_data;
  calls->last_id = frame->frame_id;
  vigil_frame_unref (frame);
  vigil_event_raise (&calls->called);
  if (calls->holds)
    vigil_event_wait (&calls->may_go, 1, 5000);
}

static void
calls_init (Calls *calls)
{
  *calls = (Calls){0};
  vigil_event_init (&calls->called);
  vigil_event_init (&calls->may_go);
}

static void
calls_clear (Calls *calls)
{
  vigil_event_clear (&calls->called);
  vigil_event_clear (&calls->may_go);
}

static GstElement *
parse (const char *text)
{
  g_autoptr (GError) error = NULL;
  GstElement *pipeline = vigil_parsed_pipeline_new (text, &error);
  g_assert_no_error (error);
  return pipeline;
}

static void
play_to_end (GstElement *pipeline)
{
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  g_autoptr (GstMessage) message = gst_bus_timed_pop_filtered (
      bus, 15 * GST_SECOND, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  g_assert_nonnull (message);
  g_assert_cmpint (GST_MESSAGE_TYPE (message), ==, GST_MESSAGE_EOS);
  gst_element_set_state (pipeline, GST_STATE_NULL);
}

static void
test_numbers_go_on (VigilFixture *fixture, gconstpointer data)
{
  Calls calls;
  calls_init (&calls);
  g_autoptr (VigilReceiver) receiver =
      vigil_receiver_new (on_frame, &calls, NULL);
  for (unsigned i = 1; i <= 3; i++) {
    g_autoptr (GstElement) pipeline = parse (
        "videotestsrc num-buffers=4 ! appsink name=destination sync=false");
    g_assert_true (vigil_receiver_attach (receiver, GST_BIN (pipeline)));
    play_to_end (pipeline);
    g_assert_cmpuint (vigil_receiver_get_frames (receiver), ==, 4 * i);
    g_assert_cmpuint (calls.last_id, ==, 4 * i - 1);
  }
  g_assert_cmpfloat (vigil_receiver_get_latency (receiver), >=, 0);
  calls_clear (&calls);
}

static void
test_no_destination (VigilFixture *fixture, gconstpointer data)
{
  Calls calls;
  calls_init (&calls);
  g_autoptr (VigilReceiver) receiver =
      vigil_receiver_new (on_frame, &calls, NULL);
  g_autoptr (GstElement) pipeline =
      parse ("videotestsrc num-buffers=4 ! appsink name=x sync=false");
  g_assert_false (vigil_receiver_attach (receiver, GST_BIN (pipeline)));
  play_to_end (pipeline);
  g_assert_cmpuint (vigil_receiver_get_frames (receiver), ==, 4);
  g_assert_cmpuint (vigil_event_get_count (&calls.called), ==, 0);
  calls_clear (&calls);
}

/* A buffer that does not hold what its caps promise leaves a gap. */
static void
test_gap (VigilFixture *fixture, gconstpointer data)
{
  Calls calls;
  calls_init (&calls);
  g_autoptr (VigilReceiver) receiver =
      vigil_receiver_new (on_frame, &calls, NULL);
  g_autoptr (GstElement) pipeline =
      parse ("appsrc name=s format=time "
             "caps=video/x-raw,format=GRAY8,width=8,height=8,framerate=25/1 ! "
             "appsink name=destination sync=false");
  g_assert_true (vigil_receiver_attach (receiver, GST_BIN (pipeline)));
  g_autoptr (GstElement) source = gst_bin_get_by_name (GST_BIN (pipeline), "s");
  static const gsize sizes[] = {64, 5, 5, 64};
  vigil_fixture_expect_warning (
      "vigil-pipeline", "frame 1 is dropped: a buffer of 5 bytes*");
  for (size_t i = 0; i < G_N_ELEMENTS (sizes); i++)
    gst_app_src_push_buffer (
        GST_APP_SRC (source), gst_buffer_new_allocate (NULL, sizes[i], NULL));
  gst_app_src_end_of_stream (GST_APP_SRC (source));
  play_to_end (pipeline);
  g_assert_cmpuint (vigil_event_get_count (&calls.called), ==, 2);
  g_assert_cmpuint (calls.last_id, ==, 3);
  /* One line for both. */
  g_assert_cmpuint (
      vigil_fixture_count_warnings ("frame 1 is dropped: a buffer of 5 bytes*"),
      ==, 1);
  calls_clear (&calls);
}

static void *
close_receiver (void *data)
{
  vigil_receiver_close (data);
  return NULL;
}

static gboolean
is_done (void *data)
{
  return g_atomic_int_get ((int *)data) != 0;
}

/* close waits for the call that runs, and lets no other through. */
static void
test_close (VigilFixture *fixture, gconstpointer data)
{
  Calls calls;
  calls_init (&calls);
  calls.holds = TRUE;
  g_autoptr (VigilReceiver) receiver =
      vigil_receiver_new (on_frame, &calls, NULL);
  g_autoptr (GstElement) pipeline =
      parse ("videotestsrc ! appsink name=destination sync=false");
  g_assert_true (vigil_receiver_attach (receiver, GST_BIN (pipeline)));
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  g_assert_true (vigil_event_wait (&calls.called, 1, 15000));
  GThread *closer = g_thread_new ("close", close_receiver, receiver);
  int never = 0;
  g_assert_false (vigil_fixture_wait_until (is_done, &never, 50));
  vigil_event_raise (&calls.may_go);
  g_thread_join (closer);
  unsigned count = vigil_event_get_count (&calls.called);
  g_assert_false (vigil_fixture_wait_until (is_done, &never, 50));
  g_assert_cmpuint (vigil_event_get_count (&calls.called), ==, count);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  calls_clear (&calls);
}

int
main (int argc, char **argv)
{
  vigil_fixture_init (&argc, &argv, 0);
  gst_init (&argc, &argv);
#define ADD(path, function)                                                    \
  g_test_add (path, VigilFixture, NULL, vigil_fixture_set_up, function,        \
      vigil_fixture_tear_down)
  ADD ("/receiver/numbers-go-on", test_numbers_go_on);
  ADD ("/receiver/no-destination", test_no_destination);
  ADD ("/receiver/gap", test_gap);
  ADD ("/receiver/close", test_close);
  return g_test_run ();
}
