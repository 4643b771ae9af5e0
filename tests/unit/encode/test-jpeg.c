/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"
#include "common/picture.h"
#include "encode/encoder.h"
#include <string.h>
#include <turbojpeg.h>

/*
 * What a decoded JPEG may differ by from GStreamer's own conversion of the
 * same frame to RGB, in steps of 255, at quality 100. It is the sum of
 *  - GStreamer's conversion in 8 bits, which rounds down: up to 5, 4 in the
 *    mean of limited range (white comes out as 250, see the grey ramp);
 *  - our rounding of Y, Cb and Cr to 8 bits and the decoder's: up to 2;
 *  - chroma between its samples, which the two interpolate differently: up
 *    to 2 on the colour ramp.
 * A wrong range is off by 16 at black or white, a wrong matrix by over 20
 * on saturated colours: the last test shows that both are seen.
 */
#define TOLERANCE 9
#define TOLERANCE_MEAN 4.5

static GBytes *
encode (const VigilFrame *frame, int level)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VigilEncoder) encoder =
      vigil_encoder_new (vigil_encoder_find ("jpeg"), level, &error);
  GBytes *image;

  g_assert_no_error (error);
  image = vigil_encoder_encode (encoder, frame, &error);
  g_assert_no_error (error);
  return image;
}

/* Returns: (transfer full) RGB. */
static uint8_t *
decode (GBytes *image, const TestPicture *picture, int *ret_subsampling)
{
  tjhandle handle = tjInitDecompress ();
  size_t size;
  const unsigned char *data = g_bytes_get_data (image, &size);
  uint8_t *rgb =
      g_malloc ((size_t)picture->width * 3 * (size_t)picture->height);
  int width, height, colourspace;

  g_assert_cmpint (tjDecompressHeader3 (handle, data, size, &width, &height,
                       ret_subsampling, &colourspace),
      ==, 0);
  g_assert_cmpint (width, ==, picture->width);
  g_assert_cmpint (height, ==, picture->height);
  g_assert_cmpint (tjDecompress2 (handle, data, size, rgb, width, 0, height,
                       TJPF_RGB, TJFLAG_ACCURATEDCT | TJFLAG_STOPONWARNING),
      ==, 0);
  tjDestroy (handle);
  return rgb;
}

static TestDifference
encode_and_compare (
    const TestPicture *picture, const VigilFrame *frame, GBytes *rgb)
{
  g_autoptr (GBytes) image = encode (frame, 100);
  int subsampling;
  g_autofree uint8_t *decoded = decode (image, picture, &subsampling);

  return test_picture_compare (picture, g_bytes_get_data (rgb, NULL), decoded,
      picture->pattern == TEST_PATTERN_BARS ? 8 : 0);
}

static void
check_colours (const TestPicture *picture)
{
  g_autoptr (GBytes) rgb = NULL;
  g_autoptr (VigilFrame) frame = test_picture_new (picture, &rgb);
  g_autofree char *name = test_picture_describe (picture);
  const TestDifference difference = encode_and_compare (picture, frame, rgb);

  g_test_message ("%s: largest %d at %d,%d, mean %.2f", name,
      difference.largest, difference.x, difference.y, difference.mean);
  g_assert_cmpint (difference.largest, <=, TOLERANCE);
  g_assert_cmpfloat (difference.mean, <=, TOLERANCE_MEAN);
}

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
    {"NV12", TEST_PICTURE_FULL_601},
    {"NV12", TEST_PICTURE_LIMITED_601},
    {"NV12", TEST_PICTURE_FULL_709},
    {"NV12", TEST_PICTURE_LIMITED_709},
    {"I420", TEST_PICTURE_FULL_601},
    {"I420", TEST_PICTURE_LIMITED_601},
    {"I420", TEST_PICTURE_FULL_709},
    {"I420", TEST_PICTURE_LIMITED_709},
};

static void
test_colours (const void *pattern)
{
  static const struct {
    int width, height, padding;
  } sizes[] = {{320, 200, 0}, {321, 203, 5}, {288, 97, 64}};

  for (unsigned i = 0; i < G_N_ELEMENTS (formats); i++) {
    for (unsigned j = 0; j < G_N_ELEMENTS (sizes); j++) {
      check_colours (&(TestPicture){
          .format = formats[i].format,
          .colorimetry = formats[i].colorimetry,
          .pattern = (TestPattern)GPOINTER_TO_INT (pattern),
          .width = sizes[j].width,
          .height = sizes[j].height,
          .padding = sizes[j].padding,
      });
    }
  }
}

/* Every format in every size from 1x1: what runs over an edge, or leaves it
 * unset, is seen here and by the address sanitizer. */
static void
test_small_sizes (void)
{
  for (unsigned i = 0; i < G_N_ELEMENTS (formats); i++) {
    for (int width = 1; width <= 19; width++) {
      for (int height = 1; height <= 19; height += 3) {
        check_colours (&(TestPicture){
            .format = formats[i].format,
            .colorimetry = formats[i].colorimetry,
            .pattern = TEST_PATTERN_FLAT,
            .width = width,
            .height = height,
            .padding = width % 3,
            .flat_colour = 0xc02040,
        });
      }
    }
  }
}

static void
test_defaults_are_420_and_one_component_for_grey (void)
{
  static const struct {
    const char *format;
    int subsampling;
  } cases[] = {{"RGB", TJSAMP_420}, {"NV12", TJSAMP_420}, {"I420", TJSAMP_420},
      {"GRAY8", TJSAMP_GRAY}};

  for (unsigned i = 0; i < G_N_ELEMENTS (cases); i++) {
    const TestPicture picture = {
        .format = cases[i].format,
        .pattern = TEST_PATTERN_BARS,
        .width = 64,
        .height = 48,
    };
    g_autoptr (VigilFrame) frame = test_picture_new (&picture, NULL);
    g_autoptr (GBytes) image = encode (frame, -1);
    int subsampling;
    g_autofree uint8_t *decoded = decode (image, &picture, &subsampling);

    g_assert_nonnull (decoded);
    g_assert_cmpint (subsampling, ==, cases[i].subsampling);
  }
}

static void
test_level_is_the_quality (void)
{
  const TestPicture picture = {
      .format = "RGB",
      .pattern = TEST_PATTERN_COLOUR_RAMP,
      .width = 128,
      .height = 128,
  };
  static const int levels[] = {0, 1, 20, 50, 85, 100};
  g_autoptr (VigilFrame) frame = test_picture_new (&picture, NULL);
  size_t last = 0;

  for (unsigned i = 0; i < G_N_ELEMENTS (levels); i++) {
    g_autoptr (GBytes) image = encode (frame, levels[i]);

    g_assert_cmpuint (g_bytes_get_size (image), >=, last);
    last = g_bytes_get_size (image);
  }
  g_assert_cmpuint (last, >, 2000);
}

/* One encoder for frames of changing sizes and formats: what it returned
 * before stays as it was. */
static void
test_images_outlive_the_next_frame (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VigilEncoder) encoder =
      vigil_encoder_new (vigil_encoder_find ("jpeg"), -1, &error);
  g_autoptr (GPtrArray) images =
      g_ptr_array_new_with_free_func ((GDestroyNotify)g_bytes_unref);
  g_autoptr (GPtrArray) expected =
      g_ptr_array_new_with_free_func ((GDestroyNotify)g_bytes_unref);

  for (unsigned i = 0; i < G_N_ELEMENTS (formats); i++) {
    const TestPicture picture = {
        .format = formats[i].format,
        .colorimetry = formats[i].colorimetry,
        .pattern = TEST_PATTERN_COLOUR_RAMP,
        .width = 200 - (int)i * 11,
        .height = 40 + (int)(i * 37) % 61,
    };
    g_autoptr (VigilFrame) frame = test_picture_new (&picture, NULL);
    GBytes *image = vigil_encoder_encode (encoder, frame, &error);

    g_assert_no_error (error);
    g_ptr_array_add (images, image);
    g_ptr_array_add (expected, encode (frame, -1));
  }
  for (unsigned i = 0; i < images->len; i++)
    g_assert_true (g_bytes_equal (images->pdata[i], expected->pdata[i]));
}

static void
test_absurd_sizes_are_errors (void)
{
  static const uint8_t row[65500 * 3];
  g_autoptr (GError) error = NULL;
  g_autoptr (VigilEncoder) encoder =
      vigil_encoder_new (vigil_encoder_find ("jpeg"), -1, &error);
  g_autoptr (VigilFrame) frame = vigil_frame_new ();
  g_autoptr (GBytes) image = NULL;

  /* the widest that is possible, one row high, works */
  frame->pixels = VIGIL_PIXELS_RGB;
  frame->width = VIGIL_ENCODER_SIZE_MAX;
  frame->height = 1;
  frame->planes[0] = row;
  frame->strides[0] = frame->width * 3;
  image = vigil_encoder_encode (encoder, frame, &error);
  g_assert_no_error (error);
  g_assert_nonnull (image);
}

/* The comparison above sees what it is there for. */
static void
test_wrong_colours_are_seen (void)
{
  static const struct {
    const char *colorimetry;
    VigilRange range;
    VigilMatrix matrix;
  } lies[] = {
      {TEST_PICTURE_LIMITED_601, VIGIL_RANGE_FULL, VIGIL_MATRIX_BT601},
      {TEST_PICTURE_FULL_601, VIGIL_RANGE_LIMITED, VIGIL_MATRIX_BT601},
      {TEST_PICTURE_LIMITED_709, VIGIL_RANGE_LIMITED, VIGIL_MATRIX_BT601},
      {TEST_PICTURE_LIMITED_601, VIGIL_RANGE_LIMITED, VIGIL_MATRIX_BT709},
      {TEST_PICTURE_FULL_709, VIGIL_RANGE_FULL, VIGIL_MATRIX_BT601},
  };

  for (unsigned i = 0; i < G_N_ELEMENTS (lies); i++) {
    const TestPicture picture = {
        .format = "I420",
        .colorimetry = lies[i].colorimetry,
        .pattern = TEST_PATTERN_BARS,
        .width = 320,
        .height = 200,
    };
    g_autoptr (GBytes) rgb = NULL;
    g_autoptr (VigilFrame) frame = test_picture_new (&picture, &rgb);

    frame->range = lies[i].range;
    frame->matrix = lies[i].matrix;
    g_assert_cmpint (
        encode_and_compare (&picture, frame, rgb).largest, >, TOLERANCE);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func (
      "/jpeg/colours/bars", GINT_TO_POINTER (TEST_PATTERN_BARS), test_colours);
  g_test_add_data_func ("/jpeg/colours/grey-ramp",
      GINT_TO_POINTER (TEST_PATTERN_GREY_RAMP), test_colours);
  g_test_add_data_func ("/jpeg/colours/colour-ramp",
      GINT_TO_POINTER (TEST_PATTERN_COLOUR_RAMP), test_colours);
  g_test_add_func ("/jpeg/colours/small-sizes", test_small_sizes);
  g_test_add_func (
      "/jpeg/colours/wrong-ones-are-seen", test_wrong_colours_are_seen);
  g_test_add_func (
      "/jpeg/subsampling", test_defaults_are_420_and_one_component_for_grey);
  g_test_add_func ("/jpeg/level-is-the-quality", test_level_is_the_quality);
  g_test_add_func ("/jpeg/images-outlive-the-next-frame",
      test_images_outlive_the_next_frame);
  g_test_add_func ("/jpeg/absurd-sizes", test_absurd_sizes_are_errors);
  return g_test_run ();
}
