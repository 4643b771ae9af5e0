/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every encoder promises, for each entry of the registry. The images
 * are read back by GStreamer's decoders, which know nothing of ours.
 */
#include "base/error.h"
#include "common/fixture.h"
#include "common/picture.h"
#include "encode/encoder.h"
#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>
#include <gst/gst.h>
#include <gst/video/video.h>

/* At the default level, away from hard edges: what the unit tests allow at
 * the best level, and 3 for the quality of a usual JPEG. */
#define TOLERANCE 12

static const struct {
  const char *format;
  const char *colorimetry;
} formats[] = {
    {"RGB", NULL},
    {"BGR", NULL},
    {"RGBA", NULL},
    {"BGRA", NULL},
    {"RGBx", NULL},
    {"BGRx", NULL},
    {"GRAY8", TEST_PICTURE_FULL_601},
    {"GRAY8", TEST_PICTURE_LIMITED_601},
    {"NV12", TEST_PICTURE_LIMITED_601},
    {"NV12", TEST_PICTURE_FULL_709},
    {"I420", TEST_PICTURE_LIMITED_709},
    {"I420", TEST_PICTURE_FULL_601},
};

static VigilEncoder *
new_encoder (const VigilEncoderOps *ops, int level)
{
  g_autoptr (GError) error = NULL;
  VigilEncoder *encoder = vigil_encoder_new (ops, level, &error);

  g_assert_no_error (error);
  return encoder;
}

/* Returns: (transfer full) RGB; checks type and size of the image. */
static uint8_t *
decode (GBytes *image, const char *content_type, const TestPicture *picture)
{
  g_autofree char *text =
      g_strdup_printf ("appsrc name=source caps=%s ! decodebin ! "
                       "videoconvert ! video/x-raw,format=RGB ! "
                       "appsink name=sink sync=false",
          content_type);
  g_autoptr (GError) error = NULL;
  g_autoptr (GstElement) pipeline = gst_parse_launch (text, &error);
  g_autoptr (GstElement) source = NULL;
  g_autoptr (GstElement) sink = NULL;
  g_autoptr (GstSample) sample = NULL;
  GstVideoFrame mapped;
  GstVideoInfo info;
  uint8_t *rgb;

  g_assert_no_error (error);
  source = gst_bin_get_by_name (GST_BIN (pipeline), "source");
  sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  gst_app_src_push_buffer (
      GST_APP_SRC (source), gst_buffer_new_wrapped_bytes (image));
  gst_app_src_end_of_stream (GST_APP_SRC (source));
  sample = gst_app_sink_try_pull_sample (GST_APP_SINK (sink), 30 * GST_SECOND);
  g_assert_nonnull (sample);
  g_assert_true (
      gst_video_info_from_caps (&info, gst_sample_get_caps (sample)));
  g_assert_cmpint (GST_VIDEO_INFO_WIDTH (&info), ==, picture->width);
  g_assert_cmpint (GST_VIDEO_INFO_HEIGHT (&info), ==, picture->height);
  g_assert_true (gst_video_frame_map (
      &mapped, &info, gst_sample_get_buffer (sample), GST_MAP_READ));
  rgb = g_malloc ((size_t)picture->width * 3 * (size_t)picture->height);
  for (int row = 0; row < picture->height; row++)
    memcpy (rgb + (ptrdiff_t)row * picture->width * 3,
        (uint8_t *)GST_VIDEO_FRAME_PLANE_DATA (&mapped, 0) +
            (ptrdiff_t)row * GST_VIDEO_FRAME_PLANE_STRIDE (&mapped, 0),
        (size_t)picture->width * 3);
  gst_video_frame_unmap (&mapped);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  return rgb;
}

static void
check_image (const VigilEncoderOps *ops, const TestPicture *picture)
{
  g_autoptr (VigilEncoder) encoder = new_encoder (ops, -1);
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) rgb = NULL;
  g_autoptr (VigilFrame) frame = test_picture_new (picture, &rgb);
  g_autoptr (GBytes) image = vigil_encoder_encode (encoder, frame, &error);
  g_autofree char *name = test_picture_describe (picture);
  g_autofree uint8_t *decoded = NULL;
  TestDifference difference;

  g_assert_no_error (error);
  decoded = decode (image, ops->content_type, picture);
  difference = test_picture_compare (picture, g_bytes_get_data (rgb, NULL),
      decoded, picture->pattern == TEST_PATTERN_BARS ? 8 : 0);
  g_test_message ("%s: largest %d at %d,%d", name, difference.largest,
      difference.x, difference.y);
  g_assert_cmpint (difference.largest, <=, TOLERANCE);
}

static void
test_colours (const void *data)
{
  static const TestPattern patterns[] = {
      TEST_PATTERN_GREY_RAMP, TEST_PATTERN_COLOUR_RAMP};

  for (unsigned i = 0; i < G_N_ELEMENTS (formats); i++) {
    for (unsigned j = 0; j < G_N_ELEMENTS (patterns); j++)
      check_image (data, &(TestPicture){
                             .format = formats[i].format,
                             .colorimetry = formats[i].colorimetry,
                             .pattern = patterns[j],
                             .width = 301,
                             .height = 173,
                             .padding = 7,
                         });
    check_image (data, &(TestPicture){
                           .format = formats[i].format,
                           .colorimetry = formats[i].colorimetry,
                           .pattern = TEST_PATTERN_FLAT,
                           .flat_colour = 0x3080c0,
                           .width = 1,
                           .height = 1,
                       });
  }
}

static void
test_every_level (const void *data)
{
  const VigilEncoderOps *ops = data;
  const TestPicture picture = {
      .format = "NV12",
      .pattern = TEST_PATTERN_COLOUR_RAMP,
      .width = 48,
      .height = 32,
  };
  g_autoptr (VigilFrame) frame = test_picture_new (&picture, NULL);

  for (int level = ops->minimum_level; level <= ops->maximum_level; level++) {
    g_autoptr (VigilEncoder) encoder = new_encoder (ops, level);
    g_autoptr (GError) error = NULL;
    g_autoptr (GBytes) image = vigil_encoder_encode (encoder, frame, &error);

    g_assert_no_error (error);
    g_assert_cmpuint (g_bytes_get_size (image), >, 50);
    g_assert_cmpint (vigil_encoder_get_level (encoder), ==, level);
  }
}

static void
test_a_refusal_harms_nothing (const void *data)
{
  const TestPicture picture = {
      .format = "I420",
      .pattern = TEST_PATTERN_BARS,
      .width = 33,
      .height = 17,
  };
  g_autoptr (VigilEncoder) encoder = new_encoder (data, -1);
  g_autoptr (VigilFrame) good = test_picture_new (&picture, NULL);
  g_autoptr (GBytes) before = vigil_encoder_encode (encoder, good, NULL);
  g_autoptr (GBytes) after = NULL;
  g_autoptr (VigilFrame) bad = vigil_frame_new ();
  g_autoptr (GError) error = NULL;

  bad->pixels = VIGIL_PIXELS_OTHER;
  bad->width = bad->height = 16;
  g_assert_null (vigil_encoder_encode (encoder, bad, &error));
  g_assert_error (error, VIGIL_ERROR, VIGIL_ERROR_UNSUPPORTED);
  g_clear_error (&error);
  bad->pixels = VIGIL_PIXELS_RGB;
  g_assert_null (vigil_encoder_encode (encoder, bad, &error));
  g_assert_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID);

  after = vigil_encoder_encode (encoder, good, NULL);
  g_assert_true (g_bytes_equal (before, after));
}

static void
test_images_outlive_the_encoder (const void *data)
{
  const TestPicture picture = {
      .format = "RGB",
      .pattern = TEST_PATTERN_GREY_RAMP,
      .width = 64,
      .height = 64,
  };
  g_autoptr (VigilFrame) frame = test_picture_new (&picture, NULL);
  VigilEncoder *encoder = new_encoder (data, -1);
  g_autoptr (GBytes) image = vigil_encoder_encode (encoder, frame, NULL);
  g_autofree uint8_t *decoded = NULL;

  vigil_encoder_free (encoder);
  decoded =
      decode (image, ((const VigilEncoderOps *)data)->content_type, &picture);
  g_assert_nonnull (decoded);
}

typedef struct {
  const VigilEncoderOps *ops;
  VigilFrame *frame; /* shared */
  GBytes *expected;
} Worker;

static void *
encode_many (void *data)
{
  Worker *self = data;
  g_autoptr (VigilEncoder) encoder = new_encoder (self->ops, -1);

  for (int i = 0; i < 20; i++) {
    g_autoptr (GBytes) image =
        vigil_encoder_encode (encoder, self->frame, NULL);

    g_assert_true (g_bytes_equal (image, self->expected));
  }
  return NULL;
}

static void
test_threads_with_an_encoder_each (const void *data)
{
  const TestPicture picture = {
      .format = "NV12",
      .colorimetry = TEST_PICTURE_LIMITED_709,
      .pattern = TEST_PATTERN_COLOUR_RAMP,
      .width = 97,
      .height = 61,
  };
  g_autoptr (VigilFrame) frame = test_picture_new (&picture, NULL);
  g_autoptr (VigilEncoder) encoder = new_encoder (data, -1);
  g_autoptr (GBytes) expected = vigil_encoder_encode (encoder, frame, NULL);
  Worker worker = {data, frame, expected};
  GThread *threads[3];

  for (unsigned i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("encoder", encode_many, &worker);
  for (unsigned i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
}

static void
add (const VigilEncoderOps *ops, const char *claim,
    void (*function) (const void *data))
{
  g_autofree char *path = g_strdup_printf ("/encoder/%s/%s", ops->name, claim);

  g_test_add_data_func (path, ops, function);
}

int
main (int argc, char **argv)
{
  vigil_fixture_init (&argc, &argv, 60);
  gst_init (&argc, &argv);
  for (unsigned i = 0; vigil_encoder_list ()[i] != NULL; i++) {
    const VigilEncoderOps *ops = vigil_encoder_list ()[i];

    add (ops, "colours", test_colours);
    add (ops, "every-level", test_every_level);
    add (ops, "a-refusal-harms-nothing", test_a_refusal_harms_nothing);
    add (ops, "images-outlive-the-encoder", test_images_outlive_the_encoder);
    add (
        ops, "threads-with-an-encoder-each", test_threads_with_an_encoder_each);
  }
  return g_test_run ();
}
