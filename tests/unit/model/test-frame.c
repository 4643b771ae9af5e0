/* SPDX-License-Identifier: Apache-2.0 */
#include "model/frame.h"

static void
test_new_has_defaults (void)
{
  g_autoptr (VigilFrame) frame = vigil_frame_new ();

  g_assert_cmpint (frame->pts, ==, VIGIL_TIME_NONE);
  g_assert_cmpint (frame->stream_time, ==, VIGIL_TIME_NONE);
  g_assert_cmpint (frame->capture_time, ==, VIGIL_TIME_NONE);
  g_assert_cmpint (frame->encoding_level, ==, -1);
  g_assert_cmpint (frame->range, ==, VIGIL_RANGE_LIMITED);
  g_assert_cmpint (frame->matrix, ==, VIGIL_MATRIX_BT601);
  g_assert_cmpint (frame->pixels, ==, VIGIL_PIXELS_NONE);
  g_assert_nonnull (frame->metadata);
}

static void
count_call (void *owner)
{
  int *calls = owner;

  (*calls)++;
}

static void
test_owner_is_freed_at_the_last_unref (void)
{
  int calls = 0;
  VigilFrame *frame = vigil_frame_new ();

  frame->caps = g_strdup ("video/x-raw, format=(string)NV12");
  frame->media_type = g_strdup ("video/x-raw");
  frame->format = g_strdup ("NV12");
  frame->owner = &calls;
  frame->free_owner = count_call;
  g_assert_true (vigil_frame_ref (frame) == frame);
  vigil_frame_unref (frame);
  g_assert_cmpint (calls, ==, 0);
  vigil_frame_unref (frame);
  g_assert_cmpint (calls, ==, 1);
  vigil_frame_unref (NULL);
}

static void *
ref_and_unref (void *user_data)
{
  for (int i = 0; i < 20000; i++) {
    vigil_frame_ref (user_data);
    vigil_frame_unref (user_data);
  }
  return NULL;
}

static void
test_threads_share_a_frame (void)
{
  GThread *threads[4];
  int calls = 0;
  VigilFrame *frame = vigil_frame_new ();

  frame->owner = &calls;
  frame->free_owner = count_call;
  for (unsigned i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("sharer", ref_and_unref, frame);
  for (unsigned i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  g_assert_cmpint (calls, ==, 0);
  vigil_frame_unref (frame);
  g_assert_cmpint (calls, ==, 1);
}

static void
test_what_a_format_means (void)
{
  static const struct {
    VigilPixels pixels;
    gboolean is_raw;
    int channels;
  } cases[] = {
      {VIGIL_PIXELS_NONE, FALSE, 3},
      {VIGIL_PIXELS_RGB, TRUE, 3},
      {VIGIL_PIXELS_BGR, TRUE, 3},
      {VIGIL_PIXELS_RGBA, TRUE, 4},
      {VIGIL_PIXELS_BGRA, TRUE, 4},
      {VIGIL_PIXELS_RGBX, TRUE, 3},
      {VIGIL_PIXELS_BGRX, TRUE, 3},
      {VIGIL_PIXELS_GRAY8, TRUE, 1},
      {VIGIL_PIXELS_NV12, TRUE, 3},
      {VIGIL_PIXELS_I420, TRUE, 3},
      {VIGIL_PIXELS_OTHER, TRUE, 3},
  };

  for (unsigned i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (VigilFrame) frame = vigil_frame_new ();

    frame->pixels = cases[i].pixels;
    g_test_message ("pixels %d", (int)cases[i].pixels);
    g_assert_cmpint (vigil_frame_is_raw (frame), ==, cases[i].is_raw);
    g_assert_cmpint (vigil_frame_get_channels (frame), ==, cases[i].channels);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/frame/new/has-defaults", test_new_has_defaults);
  g_test_add_func (
      "/frame/unref/frees-the-owner", test_owner_is_freed_at_the_last_unref);
  g_test_add_func ("/frame/ref/across-threads", test_threads_share_a_frame);
  g_test_add_func ("/frame/pixels/raw-and-channels", test_what_a_format_means);
  return g_test_run ();
}
