/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A picture in a format that no encoder takes looks the same after the
 * conversion: both are shown as RGB by GStreamer and compared.
 */
#include "common/fixture.h"
#include "pipeline/converter.h"

#include <stdlib.h>
#include <string.h>

enum { WIDTH = 65, HEIGHT = 33 };

typedef struct {
  const char *caps;
  const char *native;
  VigilRange range;
  VigilMatrix matrix;
  /* Levels of 255. Two conversions round to 8 bits where one did, which the
   * matrix to RGB can double; chroma that was finer than 4:2:0 loses a
   * little even on a smooth picture. */
  int tolerance;
} Case;

#define CAPS(format, rest)                                                     \
  "video/x-raw,format=" format ",width=65,height=33,framerate=25/1" rest

static const Case cases[] = {
    {CAPS ("YUY2", ",colorimetry=bt601"), "I420", VIGIL_RANGE_LIMITED,
        VIGIL_MATRIX_BT601, 6},
    {CAPS ("UYVY", ",colorimetry=bt709"), "I420", VIGIL_RANGE_LIMITED,
        VIGIL_MATRIX_BT709, 6},
    {CAPS ("NV21", ",colorimetry=1:4:5:1"), "I420", VIGIL_RANGE_FULL,
        VIGIL_MATRIX_BT601, 3},
    {CAPS ("NV16", ",colorimetry=1:3:5:1"), "I420", VIGIL_RANGE_FULL,
        VIGIL_MATRIX_BT709, 6},
    {CAPS ("Y444", ",colorimetry=bt601"), "I420", VIGIL_RANGE_LIMITED,
        VIGIL_MATRIX_BT601, 9},
    {CAPS ("I420_10LE", ",colorimetry=bt709"), "I420", VIGIL_RANGE_LIMITED,
        VIGIL_MATRIX_BT709, 6},
    {CAPS ("P010_10LE", ",colorimetry=bt2020"), "I420", VIGIL_RANGE_LIMITED,
        VIGIL_MATRIX_BT709, 6},
    {CAPS ("GRAY16_LE", ""), "GRAY8", VIGIL_RANGE_FULL, VIGIL_MATRIX_BT601, 2},
    {CAPS ("ARGB", ""), "RGBA", VIGIL_RANGE_FULL, VIGIL_MATRIX_BT601, 0},
    {CAPS ("ABGR64_LE", ""), "RGBA", VIGIL_RANGE_FULL, VIGIL_MATRIX_BT601, 1},
    {CAPS ("xRGB", ""), "RGB", VIGIL_RANGE_FULL, VIGIL_MATRIX_BT601, 0},
};

/* Converts @source as GStreamer does. Returns: (transfer full). */
static GstBuffer *
convert (GstBuffer *source, GstVideoInfo *from, GstVideoInfo *to)
{
  GstBuffer *result =
      gst_buffer_new_allocate (NULL, GST_VIDEO_INFO_SIZE (to), NULL);
  GstVideoConverter *converter = gst_video_converter_new (from, to, NULL);
  GstVideoFrame input;
  GstVideoFrame output;

  g_assert_nonnull (converter);
  g_assert_true (gst_video_frame_map (&input, from, source, GST_MAP_READ));
  g_assert_true (gst_video_frame_map (&output, to, result, GST_MAP_WRITE));
  gst_video_converter_frame (converter, &input, &output);
  gst_video_frame_unmap (&output);
  gst_video_frame_unmap (&input);
  gst_video_converter_free (converter);
  return result;
}

/* As RGB, of the rate that @like has: GstVideoConverter wants it the same. */
static void
init_rgb (GstVideoInfo *self, const GstVideoInfo *like)
{
  gst_video_info_init (self);
  gst_video_info_set_format (self, GST_VIDEO_FORMAT_RGB, WIDTH, HEIGHT);
  GST_VIDEO_INFO_FPS_N (self) = GST_VIDEO_INFO_FPS_N (like);
  GST_VIDEO_INFO_FPS_D (self) = GST_VIDEO_INFO_FPS_D (like);
}

/* Black to white from left to right, a soft tint from top to bottom. */
static GstBuffer *
make_picture (GstVideoInfo *info)
{
  GstVideoInfo rgb;
  init_rgb (&rgb, info);
  g_autoptr (GstBuffer) buffer =
      gst_buffer_new_allocate (NULL, GST_VIDEO_INFO_SIZE (&rgb), NULL);
  GstVideoFrame frame;

  g_assert_true (gst_video_frame_map (&frame, &rgb, buffer, GST_MAP_WRITE));
  for (int y = 0; y < HEIGHT; y++) {
    uint8_t *row = (uint8_t *)GST_VIDEO_FRAME_PLANE_DATA (&frame, 0) +
                   y * GST_VIDEO_FRAME_PLANE_STRIDE (&frame, 0);

    for (int x = 0; x < WIDTH; x++) {
      int level = x * 255 / (WIDTH - 1);

      row[3 * x] = (uint8_t)level;
      row[3 * x + 1] = (uint8_t)(level * (255 - y) / 255);
      row[3 * x + 2] = (uint8_t)(level * (255 - 2 * y) / 255);
    }
  }
  gst_video_frame_unmap (&frame);
  return convert (buffer, &rgb, info);
}

/* The frame's own planes in a buffer of @info. Returns: (transfer full). */
static GstBuffer *
copy_planes (const VigilFrame *frame, GstVideoInfo *info)
{
  GstBuffer *buffer =
      gst_buffer_new_allocate (NULL, GST_VIDEO_INFO_SIZE (info), NULL);
  GstVideoFrame video;

  g_assert_true (gst_video_frame_map (&video, info, buffer, GST_MAP_WRITE));
  for (unsigned i = 0; i < GST_VIDEO_FRAME_N_PLANES (&video); i++) {
    int rows = GST_VIDEO_FRAME_COMP_HEIGHT (&video, i);
    int bytes = GST_VIDEO_FRAME_COMP_WIDTH (&video, i) *
                GST_VIDEO_FRAME_COMP_PSTRIDE (&video, i);

    for (int y = 0; y < rows; y++)
      memcpy ((uint8_t *)GST_VIDEO_FRAME_PLANE_DATA (&video, i) +
                  y * GST_VIDEO_FRAME_PLANE_STRIDE (&video, i),
          frame->planes[i] + y * frame->strides[i], (size_t)bytes);
  }
  gst_video_frame_unmap (&video);
  return buffer;
}

static int
find_largest_difference (GstBuffer *one, GstBuffer *other)
{
  GstMapInfo a;
  GstMapInfo b;
  int largest = 0;
  const int stride = GST_ROUND_UP_4 (3 * WIDTH);

  g_assert_true (gst_buffer_map (one, &a, GST_MAP_READ));
  g_assert_true (gst_buffer_map (other, &b, GST_MAP_READ));
  for (int y = 0; y < HEIGHT; y++)
    for (int x = 0; x < 3 * WIDTH; x++)
      largest =
          MAX (largest, abs (a.data[y * stride + x] - b.data[y * stride + x]));
  gst_buffer_unmap (other, &b);
  gst_buffer_unmap (one, &a);
  return largest;
}

static void
test_looks_the_same (VigilFixture *fixture, gconstpointer data)
{
  const Case *test = data;
  g_autoptr (GstCaps) caps = gst_caps_from_string (test->caps);
  g_autoptr (GError) error = NULL;
  GstVideoInfo info;
  GstVideoInfo rgb;
  GstVideoInfo native;

  g_assert_true (gst_video_info_from_caps (&info, caps));
  init_rgb (&rgb, &info);
  g_autoptr (GstBuffer) picture = make_picture (&info);
  g_autoptr (VigilConverter) converter = vigil_converter_new (&info);
  g_autoptr (VigilFrame) frame =
      vigil_converter_convert (converter, picture, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (frame->format, ==, test->native);
  g_assert_cmpint (frame->range, ==, test->range);
  g_assert_cmpint (frame->matrix, ==, test->matrix);
  g_assert_cmpint (frame->width, ==, WIDTH);
  g_assert_cmpint (frame->height, ==, HEIGHT);

  g_autofree char *native_text = g_strdup_printf (
      "video/x-raw,format=%s,width=%d,height=%d,framerate=25/1%s%s",
      frame->format, WIDTH, HEIGHT,
      frame->pixels == VIGIL_PIXELS_I420 ? ",colorimetry=" : "",
      frame->pixels != VIGIL_PIXELS_I420 ? ""
      : test->range == VIGIL_RANGE_LIMITED
          ? (test->matrix == VIGIL_MATRIX_BT709 ? "bt709" : "bt601")
          : (test->matrix == VIGIL_MATRIX_BT709 ? "1:3:5:1" : "1:4:5:1"));
  g_autoptr (GstCaps) native_caps = gst_caps_from_string (native_text);
  g_assert_true (gst_video_info_from_caps (&native, native_caps));
  g_autoptr (GstBuffer) planes = copy_planes (frame, &native);
  g_autoptr (GstBuffer) wanted = convert (picture, &info, &rgb);
  g_autoptr (GstBuffer) got = convert (planes, &native, &rgb);
  g_assert_cmpint (find_largest_difference (wanted, got), <=, test->tolerance);
}

int
main (int argc, char **argv)
{
  vigil_fixture_init (&argc, &argv, 60);
  gst_init (&argc, &argv);
  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GstCaps) caps = gst_caps_from_string (cases[i].caps);
    const GstStructure *structure = gst_caps_get_structure (caps, 0);
    g_autofree char *path = g_strdup_printf ("/converter/looks-the-same/%s",
        gst_structure_get_string (structure, "format"));

    g_test_add (path, VigilFixture, &cases[i], vigil_fixture_set_up,
        test_looks_the_same, vigil_fixture_tear_down);
  }
  return g_test_run ();
}
