/* SPDX-License-Identifier: Apache-2.0 */
/* Pipelines from start to end: every frame, every way to end. */
#include "common/test-run.h"

#include <dirent.h>
#include <string.h>

#define FRAMES 30

static void
test_file_all_frames (VigilFixture *fixture, gconstpointer data)
{
  g_autofree char *uri = test_run_make_video (fixture, FRAMES, 64, 48);
  g_autofree char *request =
      g_strdup_printf ("{\"source\":{\"type\":\"uri\",\"uri\":\"%s\"}}", uri);
  TestRun run;
  test_run_init (&run,
      "{auto_source} name=source ! decodebin ! videoconvert ! "
      "video/x-raw,format=BGR ! appsink name=destination sync=false",
      NULL, request);
  g_assert_no_error (run.error);
  g_assert_true (vigil_pipeline_has_destination (run.pipeline));
  g_assert_false (vigil_pipeline_is_live (run.pipeline));
  g_assert_cmpint (test_run_play (&run), ==, VIGIL_PIPELINE_COMPLETED);
  g_assert_cmpuint (test_run_count_frames (&run), ==, FRAMES);
  for (unsigned i = 0; i < FRAMES; i++) {
    const VigilFrame *frame = test_run_get_frame (&run, i);
    g_assert_cmpuint (frame->frame_id, ==, i);
    g_assert_cmpint (frame->pts, ==, (int64_t)i * 40 * 1000 * 1000);
    g_assert_cmpint (frame->stream_time, ==, frame->pts);
    g_assert_cmpint (frame->pixels, ==, VIGIL_PIXELS_BGR);
    g_assert_cmpint (frame->width, ==, 64);
    g_assert_cmpint (frame->height, ==, 48);
  }
  VigilPipelineStatus status;
  vigil_pipeline_get_status (run.pipeline, &status);
  g_assert_cmpuint (status.frames, ==, FRAMES);
  g_assert_cmpstr (status.message, ==, "");
  g_assert_cmpfloat (status.avg_fps, >, 0);
  g_assert_cmpfloat (status.avg_latency, >=, 0);
  g_assert_cmpfloat (status.elapsed_time, >, 0);
  test_run_clear (&run);
}

int
main (int argc, char **argv)
{
  vigil_fixture_init (&argc, &argv, 0);
#define ADD(path, function)                                                    \
  g_test_add (path, VigilFixture, NULL, vigil_fixture_set_up, function,        \
      vigil_fixture_tear_down)
  ADD ("/pipeline/file/all-frames", test_file_all_frames);
  return g_test_run ();
}
