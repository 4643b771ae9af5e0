/* SPDX-License-Identifier: Apache-2.0 */
/* Formats that no encoder takes: what comes out of the converter must look
 * like what GStreamer itself makes of the frame in RGB. */
#include "common/test-run.h"
#include "pipeline/converter.h"

#include "base/error.h"
#include <stdlib.h>
#include <string.h>

#define WIDTH 33
#define HEIGHT 17
/* Of 255: two roundings, and 10 bits cut to 8. A wrong range or matrix gives
 * 15 and more. */
#define TOLERANCE 6

typedef struct {
  const char *format;
  const char *colorimetry; /* NULL: the format's own */
  VigilPixels pixels;      /* that it becomes */
} Case;

static const Case cases[] = {
    {"YUY2", NULL, VIGIL_PIXELS_I420},
    {"YUY2", "bt709", VIGIL_PIXELS_I420},
    {"YUY2", "1:4:7:1", VIGIL_PIXELS_I420},
    {"YUY2", "1:3:5:1", VIGIL_PIXELS_I420},
    {"UYVY", NULL, VIGIL_PIXELS_I420},
    {"YVYU", NULL, VIGIL_PIXELS_I420},
    {"NV21", NULL, VIGIL_PIXELS_I420},
    {"NV21", "bt709", VIGIL_PIXELS_I420},
    {"NV16", NULL, VIGIL_PIXELS_I420},
    {"NV24", NULL, VIGIL_PIXELS_I420},
    {"YV12", NULL, VIGIL_PIXELS_I420},
    {"Y42B", NULL, VIGIL_PIXELS_I420},
    {"Y444", NULL, VIGIL_PIXELS_I420},
    {"Y41B", NULL, VIGIL_PIXELS_I420},
    {"v210", "bt709", VIGIL_PIXELS_I420},
    {"I420_10LE", NULL, VIGIL_PIXELS_I420},
    {"I420_10LE", "bt2020", VIGIL_PIXELS_I420},
    {"I420", "bt2020", VIGIL_PIXELS_I420},
    {"NV12", "bt2020", VIGIL_PIXELS_I420},
    {"I422_10LE", NULL, VIGIL_PIXELS_I420},
    {"Y444_12LE", NULL, VIGIL_PIXELS_I420},
    {"P010_10LE", "bt709", VIGIL_PIXELS_I420},
    {"NV12_64Z32", NULL, VIGIL_PIXELS_I420},
    {"AYUV", NULL, VIGIL_PIXELS_RGBA},
    {"GRAY16_LE", NULL, VIGIL_PIXELS_GRAY8},
    {"GRAY16_BE", NULL, VIGIL_PIXELS_GRAY8},
    {"xRGB", NULL, VIGIL_PIXELS_RGB},
    {"xBGR", NULL, VIGIL_PIXELS_RGB},
    {"ARGB", NULL, VIGIL_PIXELS_RGBA},
    {"ABGR", NULL, VIGIL_PIXELS_RGBA},
    {"RGB16", NULL, VIGIL_PIXELS_RGB},
    {"BGR15", NULL, VIGIL_PIXELS_RGB},
    {"GBR", NULL, VIGIL_PIXELS_RGB},
    {"ARGB64", NULL, VIGIL_PIXELS_RGBA},
};

/* What GStreamer shows for the frame: RGB without padding. */
static GBytes *
show (const GstVideoInfo *info, GstBuffer *buffer)
{
  g_autofree uint8_t *pixels = g_malloc (3 * WIDTH * HEIGHT);
  GstVideoInfo rgb;
  gst_video_info_set_format (&rgb, GST_VIDEO_FORMAT_RGB, WIDTH, HEIGHT);
  rgb.fps_n = info->fps_n;
  rgb.fps_d = info->fps_d;
  g_autoptr (GstBuffer) target = gst_buffer_new_allocate (NULL, rgb.size, NULL);
  GstVideoFrame from, to;
  g_assert_true (gst_video_frame_map (&from, info, buffer, GST_MAP_READ));
  g_assert_true (gst_video_frame_map (&to, &rgb, target, GST_MAP_WRITE));
  GstVideoConverter *converter = gst_video_converter_new (info, &rgb, NULL);
  g_assert_nonnull (converter);
  gst_video_converter_frame (converter, &from, &to);
  for (int y = 0; y < HEIGHT; y++)
    memcpy (pixels + y * 3 * WIDTH,
        (uint8_t *)GST_VIDEO_FRAME_PLANE_DATA (&to, 0) +
            y * GST_VIDEO_FRAME_PLANE_STRIDE (&to, 0),
        3 * WIDTH);
  gst_video_converter_free (converter);
  gst_video_frame_unmap (&to);
  gst_video_frame_unmap (&from);
  return g_bytes_new_take (g_steal_pointer (&pixels), 3 * WIDTH * HEIGHT);
}

/* The converted frame as GStreamer would read it by what its fields say. */
static GBytes *
show_frame (const VigilFrame *frame)
{
  GstVideoInfo info;
  gst_video_info_set_format (
      &info, gst_video_format_from_string (frame->format), WIDTH, HEIGHT);
  if (frame->pixels == VIGIL_PIXELS_I420) {
    info.colorimetry.range = frame->range == VIGIL_RANGE_FULL
                                 ? GST_VIDEO_COLOR_RANGE_0_255
                                 : GST_VIDEO_COLOR_RANGE_16_235;
    info.colorimetry.matrix = frame->matrix == VIGIL_MATRIX_BT709
                                  ? GST_VIDEO_COLOR_MATRIX_BT709
                                  : GST_VIDEO_COLOR_MATRIX_BT601;
  }
  g_autoptr (GstBuffer) buffer =
      gst_buffer_new_wrapped_full (GST_MEMORY_FLAG_READONLY,
          (void *)frame->data, frame->size, 0, frame->size, NULL, NULL);
  for (unsigned i = 0; i < GST_VIDEO_INFO_N_PLANES (&info); i++) {
    g_assert_cmpint (
        frame->strides[i], ==, GST_VIDEO_INFO_PLANE_STRIDE (&info, i));
    g_assert_true (frame->planes[i] ==
                   frame->data + GST_VIDEO_INFO_PLANE_OFFSET (&info, i));
  }
  return show (&info, buffer);
}

/* A frame of a real pipeline in the case's format. */
static GstSample *
make_sample (const Case *item, const char *pattern)
{
  g_autofree char *launch = g_strdup_printf (
      "videotestsrc num-buffers=1 %s ! "
      "video/x-raw,format=ARGB,width=%d,height=%d ! videoconvert ! "
      "video/x-raw,format=%s%s%s ! appsink name=s sync=false",
      pattern, WIDTH, HEIGHT, item->format,
      item->colorimetry != NULL ? ",colorimetry=(string)" : "",
      item->colorimetry != NULL ? item->colorimetry : "");
  g_autoptr (GError) error = NULL;
  g_autoptr (GstElement) pipeline = gst_parse_launch (launch, &error);
  g_assert_no_error (error);
  g_autoptr (GstElement) sink = gst_bin_get_by_name (GST_BIN (pipeline), "s");
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  GstSample *sample = NULL;
  g_signal_emit_by_name (sink, "pull-sample", &sample);
  g_assert_nonnull (sample);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  return sample;
}

static void
test_colours (VigilFixture *fixture, gconstpointer data)
{
  static const char *const patterns[] = {"pattern=white", "pattern=black",
      "pattern=red", "pattern=green", "pattern=blue", "pattern=gradient",
      "pattern=solid-color foreground-color=0xff906030"};
  const Case *item = data;
  for (size_t i = 0; i < G_N_ELEMENTS (patterns); i++) {
    g_autoptr (GstSample) sample = make_sample (item, patterns[i]);
    GstVideoInfo info;
    g_assert_true (
        gst_video_info_from_caps (&info, gst_sample_get_caps (sample)));
    g_autoptr (VigilConverter) converter = vigil_converter_new (&info);
    g_autoptr (GError) error = NULL;
    g_autoptr (VigilFrame) frame = vigil_converter_convert (
        converter, gst_sample_get_buffer (sample), &error);
    g_assert_no_error (error);
    g_assert_cmpint (frame->pixels, ==, item->pixels);
    g_assert_cmpint (frame->width, ==, WIDTH);
    g_assert_cmpint (frame->height, ==, HEIGHT);
    g_autoptr (GBytes) expected = show (&info, gst_sample_get_buffer (sample));
    g_autoptr (GBytes) got = show_frame (frame);
    const uint8_t *a = g_bytes_get_data (expected, NULL);
    const uint8_t *b = g_bytes_get_data (got, NULL);
    for (int k = 0; k < 3 * WIDTH * HEIGHT; k++)
      if (abs (a[k] - b[k]) > TOLERANCE)
        g_error ("%s %s: pixel %d,%d colour %d: want %d, got %d", item->format,
            patterns[i], k / 3 % WIDTH, k / 3 / WIDTH, k % 3, a[k], b[k]);
  }
}

/* One converter serves the frames of a stream, from more than one thread. */
static void *
convert_some (void *data)
{
  void **arguments = data;
  for (unsigned i = 0; i < 50; i++) {
    g_autoptr (VigilFrame) frame =
        vigil_converter_convert (arguments[0], arguments[1], NULL);
    g_assert_nonnull (frame);
  }
  return NULL;
}

static void
test_threads (VigilFixture *fixture, gconstpointer data)
{
  g_autoptr (GstSample) sample = make_sample (&cases[0], "");
  GstVideoInfo info;
  gst_video_info_from_caps (&info, gst_sample_get_caps (sample));
  g_autoptr (VigilConverter) converter = vigil_converter_new (&info);
  void *arguments[] = {converter, gst_sample_get_buffer (sample)};
  GThread *threads[3];
  for (size_t i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("convert", convert_some, arguments);
  for (size_t i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
}

/* Through a whole pipeline: the frame keeps its caps, and converts itself
 * when it is asked, even after the pipeline has gone. */
static void
test_lazily (VigilFixture *fixture, gconstpointer data)
{
  TestRun run;
  test_run_init (&run,
      "videotestsrc num-buffers=2 pattern=white ! "
      "video/x-raw,format=YUY2,width=33,height=17 ! appsink sync=false "
      "name=destination",
      NULL, NULL);
  g_assert_cmpint (test_run_play (&run), ==, VIGIL_PIPELINE_COMPLETED);
  g_clear_pointer (&run.pipeline, vigil_pipeline_free);
  const VigilFrame *frame = test_run_get_frame (&run, 1);
  g_assert_cmpstr (frame->format, ==, "YUY2");
  g_assert_cmpint (frame->pixels, ==, VIGIL_PIXELS_OTHER);
  g_autoptr (GError) error = NULL;
  g_autoptr (VigilFrame) converted = frame->convert (frame, &error);
  g_assert_no_error (error);
  g_assert_cmpint (converted->pixels, ==, VIGIL_PIXELS_I420);
  g_assert_cmpint (
      converted->planes[0][16 * converted->strides[0] + 32], ==, 235);
  test_run_clear (&run);
}

static void
test_too_small (VigilFixture *fixture, gconstpointer data)
{
  GstVideoInfo info;
  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_YUY2, WIDTH, HEIGHT);
  g_autoptr (VigilConverter) converter = vigil_converter_new (&info);
  g_autoptr (GstBuffer) buffer = gst_buffer_new_allocate (NULL, 10, NULL);
  g_autoptr (GError) error = NULL;
  g_assert_null (vigil_converter_convert (converter, buffer, &error));
  g_assert_error (error, VIGIL_ERROR, VIGIL_ERROR_FAILED);
}

int
main (int argc, char **argv)
{
  vigil_fixture_init (&argc, &argv, 0);
  gst_init (&argc, &argv);
  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *path =
        g_strdup_printf ("/converter/%s/%s", cases[i].format,
            cases[i].colorimetry != NULL ? cases[i].colorimetry : "default");
    g_test_add (path, VigilFixture, &cases[i], vigil_fixture_set_up,
        test_colours, vigil_fixture_tear_down);
  }
#define ADD(path, function)                                                    \
  g_test_add (path, VigilFixture, NULL, vigil_fixture_set_up, function,        \
      vigil_fixture_tear_down)
  ADD ("/converter/threads", test_threads);
  ADD ("/converter/lazily", test_lazily);
  ADD ("/converter/too-small", test_too_small);
  return g_test_run ();
}
