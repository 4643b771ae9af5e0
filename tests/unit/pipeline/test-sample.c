/* SPDX-License-Identifier: Apache-2.0 */
/* Samples become frames: without a copy, with the strides, colours and times
 * that caps and metas say, alive until the last reference is gone. */
#include "common/fixture.h"
#include "pipeline/sample.h"

#include "base/error.h"
#include <gst/video/video.h>
#include <string.h>

static VigilSampleReader *
new_reader (GstElement **ret_sink)
{
  *ret_sink = gst_object_ref_sink (gst_element_factory_make ("appsink", NULL));
  return vigil_sample_reader_new (*ret_sink);
}

static VigilFrame *
read_frame (const char *caps_text, GstBuffer *buffer, GstSegment *segment,
    GError **error)
{
  g_autoptr (GstElement) sink = NULL;
  g_autoptr (VigilSampleReader) reader = new_reader (&sink);
  g_autoptr (GstCaps) caps = gst_caps_from_string (caps_text);
  g_autoptr (GstSample) sample = gst_sample_new (buffer, caps, segment, NULL);
  return vigil_sample_reader_read (reader, sample, error);
}

static void
test_encoded (VigilFixture *fixture, gconstpointer data)
{
  static const char bytes[] = "jpeg bytes";
  g_autoptr (GstBuffer) buffer =
      gst_buffer_new_wrapped_full (GST_MEMORY_FLAG_READONLY, (void *)bytes,
          sizeof bytes, 0, sizeof bytes, NULL, NULL);
  GST_BUFFER_PTS (buffer) = 5 * GST_SECOND;
  GstSegment segment;
  gst_segment_init (&segment, GST_FORMAT_TIME);
  segment.start = 2 * GST_SECOND;
  segment.time = 100 * GST_SECOND;
  g_autoptr (GError) error = NULL;
  g_autoptr (VigilFrame) frame =
      read_frame ("image/jpeg,width=640,height=480,framerate=30/1", buffer,
          &segment, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (frame->caps, ==,
      "image/jpeg, width=(int)640, height=(int)480, "
      "framerate=(fraction)30/1");
  g_assert_cmpstr (frame->media_type, ==, "image/jpeg");
  g_assert_null (frame->format);
  g_assert_cmpint (frame->width, ==, 640);
  g_assert_cmpint (frame->pixels, ==, VIGIL_PIXELS_NONE);
  g_assert_false (vigil_frame_is_raw (frame));
  g_assert_true (frame->data == (const uint8_t *)bytes);
  g_assert_cmpuint (frame->size, ==, sizeof bytes);
  g_assert_cmpint (frame->encoding_level, ==, -1);
  g_assert_cmpint (frame->pts, ==, 5 * GST_SECOND);
  g_assert_cmpint (frame->stream_time, ==, 103 * GST_SECOND);
  g_assert_cmpint (frame->capture_time, ==, VIGIL_TIME_NONE);
}

static void
test_no_times (VigilFixture *fixture, gconstpointer data)
{
  g_autoptr (GstBuffer) buffer = gst_buffer_new_allocate (NULL, 4, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (VigilFrame) frame =
      read_frame ("text/x-raw", buffer, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpint (frame->pts, ==, VIGIL_TIME_NONE);
  g_assert_cmpint (frame->stream_time, ==, VIGIL_TIME_NONE);
  g_assert_cmpint (frame->width, ==, 0);
  g_assert_cmpint (frame->height, ==, 0);
}

typedef struct {
  const char *caps;
  VigilPixels pixels;
  VigilRange range;
  VigilMatrix matrix;
} Colours;

static const Colours colours[] = {
    {"NV12,colorimetry=bt601", VIGIL_PIXELS_NV12, VIGIL_RANGE_LIMITED,
        VIGIL_MATRIX_BT601},
    {"NV12,colorimetry=bt709", VIGIL_PIXELS_NV12, VIGIL_RANGE_LIMITED,
        VIGIL_MATRIX_BT709},
    {"I420,colorimetry=(string)1:4:7:1", VIGIL_PIXELS_I420, VIGIL_RANGE_FULL,
        VIGIL_MATRIX_BT601},
    {"I420,colorimetry=(string)1:3:5:1", VIGIL_PIXELS_I420, VIGIL_RANGE_FULL,
        VIGIL_MATRIX_BT709},
    {"I420", VIGIL_PIXELS_I420, VIGIL_RANGE_LIMITED, VIGIL_MATRIX_BT601},
    {"I420,colorimetry=bt2020", VIGIL_PIXELS_OTHER, VIGIL_RANGE_LIMITED,
        VIGIL_MATRIX_BT601},
    {"GRAY8", VIGIL_PIXELS_GRAY8, VIGIL_RANGE_FULL, VIGIL_MATRIX_BT601},
    {"RGB", VIGIL_PIXELS_RGB, VIGIL_RANGE_FULL, VIGIL_MATRIX_BT601},
    {"BGR", VIGIL_PIXELS_BGR, VIGIL_RANGE_FULL, VIGIL_MATRIX_BT601},
    {"RGBA", VIGIL_PIXELS_RGBA, VIGIL_RANGE_FULL, VIGIL_MATRIX_BT601},
    {"BGRA", VIGIL_PIXELS_BGRA, VIGIL_RANGE_FULL, VIGIL_MATRIX_BT601},
    {"RGBx", VIGIL_PIXELS_RGBX, VIGIL_RANGE_FULL, VIGIL_MATRIX_BT601},
    {"BGRx", VIGIL_PIXELS_BGRX, VIGIL_RANGE_FULL, VIGIL_MATRIX_BT601},
    {"YUY2", VIGIL_PIXELS_OTHER, VIGIL_RANGE_LIMITED, VIGIL_MATRIX_BT601},
    {"NV21", VIGIL_PIXELS_OTHER, VIGIL_RANGE_LIMITED, VIGIL_MATRIX_BT601},
};

static void
test_colours (VigilFixture *fixture, gconstpointer data)
{
  const Colours *item = data;
  g_autofree char *caps = g_strdup_printf (
      "video/x-raw,width=17,height=5,framerate=25/1,format=%s", item->caps);
  g_autoptr (GstBuffer) buffer = gst_buffer_new_allocate (NULL, 8192, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (VigilFrame) frame = read_frame (caps, buffer, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpint (frame->pixels, ==, item->pixels);
  g_assert_cmpint (frame->range, ==, item->range);
  g_assert_cmpint (frame->matrix, ==, item->matrix);
  g_assert_cmpint (
      frame->convert != NULL, ==, item->pixels == VIGIL_PIXELS_OTHER);
  g_assert_true (vigil_frame_is_raw (frame));
}

/* Offsets and strides as a video meta has them, in the buffer's memory. */
static void
test_video_meta (VigilFixture *fixture, gconstpointer data)
{
  g_autoptr (GstBuffer) buffer = gst_buffer_new_allocate (NULL, 1000, NULL);
  gsize offsets[GST_VIDEO_MAX_PLANES] = {16, 416};
  int strides[GST_VIDEO_MAX_PLANES] = {40, 48};
  gst_buffer_add_video_meta_full (
      buffer, 0, GST_VIDEO_FORMAT_NV12, 32, 10, 2, offsets, strides);
  g_autoptr (GError) error = NULL;
  g_autoptr (VigilFrame) frame = read_frame (
      "video/x-raw,format=NV12,width=32,height=10", buffer, NULL, &error);
  g_assert_no_error (error);
  GstMapInfo map;
  g_assert_true (gst_buffer_map (buffer, &map, GST_MAP_READ));
  g_assert_true (frame->planes[0] == map.data + 16);
  g_assert_true (frame->planes[1] == map.data + 416);
  g_assert_true (frame->data == map.data);
  g_assert_cmpuint (frame->size, ==, 1000);
  gst_buffer_unmap (buffer, &map);
  g_assert_cmpint (frame->strides[0], ==, 40);
  g_assert_cmpint (frame->strides[1], ==, 48);
}

/* A meta that points beyond the memory must not be believed. */
static void
test_too_small (VigilFixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GstBuffer) small = gst_buffer_new_allocate (NULL, 100, NULL);
  g_assert_null (read_frame (
      "video/x-raw,format=RGB,width=64,height=64", small, NULL, &error));
  g_assert_error (error, VIGIL_ERROR, VIGIL_ERROR_FAILED);
  g_assert_nonnull (strstr (error->message, "100 bytes"));
  g_clear_error (&error);

  g_autoptr (GstBuffer) buffer = gst_buffer_new_allocate (NULL, 600, NULL);
  gsize offsets[GST_VIDEO_MAX_PLANES] = {0};
  int strides[GST_VIDEO_MAX_PLANES] = {100};
  gst_buffer_add_video_meta_full (
      buffer, 0, GST_VIDEO_FORMAT_GRAY8, 16, 16, 1, offsets, strides);
  g_assert_null (read_frame (
      "video/x-raw,format=GRAY8,width=16,height=16", buffer, NULL, &error));
  g_assert_error (error, VIGIL_ERROR, VIGIL_ERROR_FAILED);
}

static void
test_no_buffer (VigilFixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_assert_null (read_frame ("image/jpeg", NULL, NULL, &error));
  g_assert_error (error, VIGIL_ERROR, VIGIL_ERROR_FAILED);
}

static void
on_freed (void *data)
{
  *(gboolean *)data = TRUE;
}

static void
test_lifetime (VigilFixture *fixture, gconstpointer data)
{
  static char bytes[64];
  gboolean is_freed = FALSE;
  GstBuffer *buffer = gst_buffer_new_wrapped_full (
      0, bytes, sizeof bytes, 0, sizeof bytes, &is_freed, on_freed);
  g_autoptr (GError) error = NULL;
  VigilFrame *frame = read_frame (
      "video/x-raw,format=GRAY8,width=8,height=8", buffer, NULL, &error);
  gst_buffer_unref (buffer);
  g_assert_false (is_freed);
  g_assert_true (frame->planes[0] == (const uint8_t *)bytes);
  vigil_frame_ref (frame);
  vigil_frame_unref (frame);
  g_assert_false (is_freed);
  vigil_frame_unref (frame);
  g_assert_true (is_freed);
}

static void
test_capture_time (VigilFixture *fixture, gconstpointer data)
{
  static const struct {
    const char *caps;
    GstClockTime timestamp;
    int64_t expected;
  } times[] = {
      {"timestamp/x-ntp", (2208988800ULL + 1700000000ULL) * GST_SECOND + 5,
          1700000000LL * GST_SECOND + 5},
      {"timestamp/x-ntp", 5, VIGIL_TIME_NONE},
      {"timestamp/x-unix", 1700000000ULL * GST_SECOND,
          1700000000LL * GST_SECOND},
      {"timestamp/x-other", 1700000000ULL * GST_SECOND, VIGIL_TIME_NONE},
  };
  for (size_t i = 0; i < G_N_ELEMENTS (times); i++) {
    g_autoptr (GstBuffer) buffer = gst_buffer_new_allocate (NULL, 4, NULL);
    g_autoptr (GstCaps) caps = gst_caps_new_empty_simple (times[i].caps);
    gst_buffer_add_reference_timestamp_meta (
        buffer, caps, times[i].timestamp, GST_CLOCK_TIME_NONE);
    g_autoptr (GError) error = NULL;
    g_autoptr (VigilFrame) frame =
        read_frame ("image/jpeg", buffer, NULL, &error);
    g_assert_cmpint (frame->capture_time, ==, times[i].expected);
  }
}

static void
test_gpu_memory (VigilFixture *fixture, gconstpointer data)
{
  g_autoptr (GstBuffer) buffer = gst_buffer_new_allocate (NULL, 4, NULL);
  g_autoptr (GError) error = NULL;
  vigil_fixture_expect_warning (
      "vigil-pipeline", "*put 'vapostproc ! video/x-raw' before*");
  g_autoptr (VigilFrame) frame =
      read_frame ("video/x-raw(memory:VAMemory),format=NV12,width=8,height=8",
          buffer, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (frame->media_type, ==, "video/x-raw(memory:VAMemory)");
  g_assert_false (vigil_frame_is_raw (frame));
  g_assert_null (frame->data);
  g_assert_cmpint (frame->width, ==, 8);
}

/* The level stands on the encoder, wherever it is upstream. */
static void
test_encoding_level (VigilFixture *fixture, gconstpointer data)
{
  static const struct {
    const char *launch;
    const char *caps;
    int level;
  } chains[] = {
      {"jpegenc quality=42 ! appsink name=s", "image/jpeg", 42},
      {"jpegenc quality=42 ! queue ! identity ! appsink name=s", "image/jpeg",
          42},
      {"jpegenc quality=42 ! tee ! queue ! appsink name=s", "image/jpeg", 42},
      {"( jpegenc quality=42 ) ! ( queue ! appsink name=s )", "image/jpeg", 42},
      {"pngenc compression-level=3 ! appsink name=s", "image/png", 3},
      {"identity ! appsink name=s", "image/jpeg", -1},
  };
  for (size_t i = 0; i < G_N_ELEMENTS (chains); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (GstElement) pipeline =
        gst_parse_launch (chains[i].launch, &error);
    g_assert_no_error (error);
    g_autoptr (GstElement) sink = gst_bin_get_by_name (GST_BIN (pipeline), "s");
    g_autoptr (VigilSampleReader) reader = vigil_sample_reader_new (sink);
    g_autoptr (GstCaps) caps = gst_caps_from_string (chains[i].caps);
    g_autoptr (GstBuffer) buffer = gst_buffer_new_allocate (NULL, 4, NULL);
    g_autoptr (GstSample) sample = gst_sample_new (buffer, caps, NULL, NULL);
    g_autoptr (VigilFrame) frame =
        vigil_sample_reader_read (reader, sample, &error);
    g_assert_cmpint (frame->encoding_level, ==, chains[i].level);
  }
}

/* Whatever raw video there is: a frame that is taken as it is, or can be
 * converted, down to one pixel. */
static void
test_every_format (VigilFixture *fixture, gconstpointer data)
{
  static const int sizes[][2] = {{1, 1}, {17, 3}, {64, 48}};
  unsigned count = 0;
  for (int format = GST_VIDEO_FORMAT_I420;
       gst_video_format_to_string ((GstVideoFormat)format) != NULL; format++) {
    for (size_t i = 0; i < G_N_ELEMENTS (sizes); i++) {
      GstVideoInfo info;
      gst_video_info_set_format (&info, (GstVideoFormat)format,
          (unsigned)sizes[i][0], (unsigned)sizes[i][1]);
      g_autoptr (GstCaps) caps = gst_video_info_to_caps (&info);
      g_autofree char *text = gst_caps_to_string (caps);
      g_autoptr (GstBuffer) buffer =
          gst_buffer_new_allocate (NULL, info.size, NULL);
      gst_buffer_memset (buffer, 0, 0x80, info.size);
      g_autoptr (GError) error = NULL;
      g_test_message ("%s", text);
      g_autoptr (VigilFrame) frame = read_frame (text, buffer, NULL, &error);
      g_assert_no_error (error);
      g_assert_true (vigil_frame_is_raw (frame));
      if (frame->pixels == VIGIL_PIXELS_OTHER) {
        g_autoptr (VigilFrame) converted = frame->convert (frame, &error);
        g_assert_no_error (error);
        g_assert_cmpint (converted->width, ==, sizes[i][0]);
        g_assert_cmpint (converted->height, ==, sizes[i][1]);
      }
    }
    count++;
  }
  g_assert_cmpuint (count, >, 100);
}

static void
test_new_caps (VigilFixture *fixture, gconstpointer data)
{
  g_autoptr (GstElement) sink = NULL;
  g_autoptr (VigilSampleReader) reader = new_reader (&sink);
  g_autoptr (GstBuffer) buffer = gst_buffer_new_allocate (NULL, 4096, NULL);
  for (int i = 1; i < 4; i++) {
    g_autoptr (GstCaps) caps = gst_caps_new_simple ("video/x-raw", "format",
        G_TYPE_STRING, i % 2 ? "YUY2" : "RGB", "width", G_TYPE_INT, 8 * i,
        "height", G_TYPE_INT, 8, NULL);
    g_autoptr (GstSample) sample = gst_sample_new (buffer, caps, NULL, NULL);
    g_autoptr (GError) error = NULL;
    g_autoptr (VigilFrame) frame =
        vigil_sample_reader_read (reader, sample, &error);
    g_assert_no_error (error);
    g_assert_cmpint (frame->width, ==, 8 * i);
    g_assert_cmpstr (frame->format, ==, i % 2 ? "YUY2" : "RGB");
  }
}

int
main (int argc, char **argv)
{
  vigil_fixture_init (&argc, &argv, 0);
  gst_init (&argc, &argv);
  for (size_t i = 0; i < G_N_ELEMENTS (colours); i++) {
    g_autofree char *path = g_strdup_printf ("/sample/colours/%zu", i);
    g_test_add (path, VigilFixture, &colours[i], vigil_fixture_set_up,
        test_colours, vigil_fixture_tear_down);
  }
#define ADD(path, function)                                                    \
  g_test_add (path, VigilFixture, NULL, vigil_fixture_set_up, function,        \
      vigil_fixture_tear_down)
  ADD ("/sample/encoded", test_encoded);
  ADD ("/sample/no-times", test_no_times);
  ADD ("/sample/video-meta", test_video_meta);
  ADD ("/sample/too-small", test_too_small);
  ADD ("/sample/no-buffer", test_no_buffer);
  ADD ("/sample/lifetime", test_lifetime);
  ADD ("/sample/capture-time", test_capture_time);
  ADD ("/sample/gpu-memory", test_gpu_memory);
  ADD ("/sample/encoding-level", test_encoding_level);
  ADD ("/sample/every-format", test_every_format);
  ADD ("/sample/new-caps", test_new_caps);
  return g_test_run ();
}
