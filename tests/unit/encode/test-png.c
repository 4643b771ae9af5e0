/* SPDX-License-Identifier: Apache-2.0 */
#include "common/picture.h"
#include "encode/encoder.h"
#include <malloc.h>
#include <png.h>
#include <string.h>

/* PNG loses nothing, so for RGB nothing may differ; for YUV and limited
 * grey what GStreamer's conversion in 8 bits rounds away (up to 5), and how
 * chroma between its samples is made (up to 4 on the ramp). */
#define TOLERANCE_YUV 9

static GBytes *
encode (const VigilFrame *frame, int level)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VigilEncoder) encoder =
      vigil_encoder_new (vigil_encoder_find ("png"), level, &error);
  GBytes *image = vigil_encoder_encode (encoder, frame, &error);

  g_assert_no_error (error);
  return image;
}

/* Returns: (transfer full) RGB, or RGBA when @with_alpha. @ret_format: as
 * the file has it. */
static uint8_t *
decode (GBytes *image, const TestPicture *picture, gboolean with_alpha,
    png_uint_32 *ret_format)
{
  png_image reader = {.version = PNG_IMAGE_VERSION};
  uint8_t *pixels;
  size_t size;
  const void *data = g_bytes_get_data (image, &size);

  g_assert_true (png_image_begin_read_from_memory (&reader, data, size));
  g_assert_cmpuint (reader.width, ==, (unsigned)picture->width);
  g_assert_cmpuint (reader.height, ==, (unsigned)picture->height);
  *ret_format = reader.format;
  reader.format = with_alpha ? PNG_FORMAT_RGBA : PNG_FORMAT_RGB;
  pixels = g_malloc (PNG_IMAGE_SIZE (reader));
  g_assert_true (png_image_finish_read (&reader, NULL, pixels, 0, NULL));
  return pixels;
}

static const struct {
  const char *format;
  const char *colorimetry;
  int tolerance;
  unsigned file_format; /* PNG_FORMAT_FLAG_* */
} formats[] = {
    {"RGB", NULL, 0, PNG_FORMAT_FLAG_COLOR},
    {"BGR", NULL, 0, PNG_FORMAT_FLAG_COLOR},
    {"RGBx", NULL, 0, PNG_FORMAT_FLAG_COLOR},
    {"BGRx", NULL, 0, PNG_FORMAT_FLAG_COLOR},
    {"GRAY8", TEST_PICTURE_FULL_601, 0, 0},
    {"GRAY8", TEST_PICTURE_LIMITED_601, TOLERANCE_YUV, 0},
    {"NV12", TEST_PICTURE_FULL_601, TOLERANCE_YUV, PNG_FORMAT_FLAG_COLOR},
    {"NV12", TEST_PICTURE_LIMITED_709, TOLERANCE_YUV, PNG_FORMAT_FLAG_COLOR},
    {"I420", TEST_PICTURE_LIMITED_601, TOLERANCE_YUV, PNG_FORMAT_FLAG_COLOR},
    {"I420", TEST_PICTURE_FULL_709, TOLERANCE_YUV, PNG_FORMAT_FLAG_COLOR},
};

static void
test_colours (const void *pattern)
{
  static const struct {
    int width, height, padding;
  } sizes[] = {{320, 200, 0}, {321, 203, 5}, {1, 1, 3}};

  for (unsigned i = 0; i < G_N_ELEMENTS (formats); i++) {
    for (unsigned j = 0; j < G_N_ELEMENTS (sizes); j++) {
      const TestPicture picture = {
          .format = formats[i].format,
          .colorimetry = formats[i].colorimetry,
          .pattern = (TestPattern)GPOINTER_TO_INT (pattern),
          .width = sizes[j].width,
          .height = sizes[j].height,
          .padding = sizes[j].padding,
      };
      g_autoptr (GBytes) rgb = NULL;
      g_autoptr (VigilFrame) frame = test_picture_new (&picture, &rgb);
      g_autoptr (GBytes) image = encode (frame, 1);
      png_uint_32 format;
      g_autofree uint8_t *decoded = decode (image, &picture, FALSE, &format);
      g_autofree char *name = test_picture_describe (&picture);
      const TestDifference difference =
          test_picture_compare (&picture, g_bytes_get_data (rgb, NULL), decoded,
              picture.pattern == TEST_PATTERN_BARS ? 2 : 0);

      g_test_message ("%s: largest %d at %d,%d", name, difference.largest,
          difference.x, difference.y);
      g_assert_cmpint (difference.largest, <=, formats[i].tolerance);
      g_assert_cmphex (format, ==, formats[i].file_format);
    }
  }
}

static void
test_alpha_is_kept (void)
{
  static const uint8_t rgba[] = {
      10, 20, 30, 0, 200, 100, 50, 255, 1, 2, 3, 128};
  static const uint8_t bgra[] = {
      30, 20, 10, 0, 50, 100, 200, 255, 3, 2, 1, 128};
  const TestPicture picture = {.width = 3, .height = 1};

  for (int i = 0; i < 2; i++) {
    g_autoptr (VigilFrame) frame = vigil_frame_new ();
    g_autoptr (GBytes) image = NULL;
    g_autofree uint8_t *decoded = NULL;
    png_uint_32 format;

    frame->pixels = i == 0 ? VIGIL_PIXELS_RGBA : VIGIL_PIXELS_BGRA;
    frame->width = 3;
    frame->height = 1;
    frame->planes[0] = i == 0 ? rgba : bgra;
    frame->strides[0] = 12;
    image = encode (frame, -1);
    decoded = decode (image, &picture, TRUE, &format);
    g_assert_cmphex (format, ==, PNG_FORMAT_FLAG_COLOR | PNG_FORMAT_FLAG_ALPHA);
    g_assert_cmpmem (decoded, sizeof (rgba), rgba, sizeof (rgba));
  }
}

static void
test_level_is_the_effort (void)
{
  const TestPicture picture = {
      .format = "RGB",
      .pattern = TEST_PATTERN_COLOUR_RAMP,
      .width = 256,
      .height = 64,
  };
  g_autoptr (VigilFrame) frame = test_picture_new (&picture, NULL);
  g_autoptr (GBytes) none = encode (frame, 0);
  g_autoptr (GBytes) some = encode (frame, 1);
  g_autoptr (GBytes) most = encode (frame, 9);

  g_assert_cmpuint (g_bytes_get_size (none), >, 256 * 64 * 3);
  g_assert_cmpuint (g_bytes_get_size (some), <, g_bytes_get_size (none) / 4);
  g_assert_cmpuint (g_bytes_get_size (most), <=, g_bytes_get_size (some));
}

static void
test_an_encoder_serves_many_frames (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VigilEncoder) encoder =
      vigil_encoder_new (vigil_encoder_find ("png"), 1, &error);

  for (unsigned i = 0; i < 2 * G_N_ELEMENTS (formats); i++) {
    const TestPicture picture = {
        .format = formats[i / 2].format,
        .colorimetry = formats[i / 2].colorimetry,
        .pattern = TEST_PATTERN_COLOUR_RAMP,
        .width = 40 + (int)(i * 53) % 71,
        .height = 5 + (int)(i * 17) % 23,
    };
    g_autoptr (VigilFrame) frame = test_picture_new (&picture, NULL);
    g_autoptr (GBytes) image = vigil_encoder_encode (encoder, frame, &error);
    g_autoptr (GBytes) expected = encode (frame, 1);

    g_assert_no_error (error);
    g_assert_true (g_bytes_equal (image, expected));
  }
}

/* A small image after a large one takes no more than it says: queues are
 * bounded by what images say. */
static void
test_memory_is_as_counted (void)
{
  static const int sides[] = {512, 16};
  g_autoptr (VigilEncoder) encoder =
      vigil_encoder_new (vigil_encoder_find ("png"), 0, NULL);

  for (unsigned i = 0; i < G_N_ELEMENTS (sides); i++) {
    const TestPicture picture = {
        .format = "RGB",
        .pattern = TEST_PATTERN_COLOUR_RAMP,
        .width = sides[i],
        .height = sides[i],
    };
    g_autoptr (VigilFrame) frame = test_picture_new (&picture, NULL);
    g_autoptr (GBytes) image = vigil_encoder_encode (encoder, frame, NULL);
    size_t size;
    const void *data = g_bytes_get_data (image, &size);

    /* malloc rounds up, by a page at most. */
    g_assert_cmpuint (malloc_usable_size ((void *)data), <=, size + 4096);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func (
      "/png/colours/bars", GINT_TO_POINTER (TEST_PATTERN_BARS), test_colours);
  g_test_add_data_func ("/png/colours/grey-ramp",
      GINT_TO_POINTER (TEST_PATTERN_GREY_RAMP), test_colours);
  g_test_add_data_func ("/png/colours/colour-ramp",
      GINT_TO_POINTER (TEST_PATTERN_COLOUR_RAMP), test_colours);
  g_test_add_func ("/png/alpha-is-kept", test_alpha_is_kept);
  g_test_add_func ("/png/memory-is-as-counted", test_memory_is_as_counted);
  g_test_add_func ("/png/level-is-the-effort", test_level_is_the_effort);
  g_test_add_func (
      "/png/an-encoder-serves-many-frames", test_an_encoder_serves_many_frames);
  return g_test_run ();
}
