/* SPDX-License-Identifier: Apache-2.0 */
#include "encode/jpeg-shrink.h"

#include "common/fixture.h"
#include "common/picture.h"
#include "encode/encoder.h"
#include <string.h>
#include <turbojpeg.h>

static GBytes *
make_jpeg (const char *format, int width, int height)
{
  const TestPicture picture = {
      .format = format,
      .colorimetry = TEST_PICTURE_FULL_601,
      .pattern = TEST_PATTERN_COLOUR_RAMP,
      .width = width,
      .height = height,
  };
  g_autoptr (VigilFrame) frame = test_picture_new (&picture, NULL);
  g_autoptr (VigilEncoder) encoder =
      vigil_encoder_new (vigil_encoder_find ("jpeg"), 95, NULL);
  GBytes *jpeg = vigil_encoder_encode (encoder, frame, NULL);

  g_assert_nonnull (jpeg);
  return jpeg;
}

/* Returns: (transfer full) RGB. */
static uint8_t *
decode (GBytes *jpeg, int width, int height)
{
  uint8_t *rgb = g_malloc ((size_t)width * (size_t)height * 3);
  tjhandle handle = tjInitDecompress ();
  gsize size;
  const unsigned char *data = g_bytes_get_data (jpeg, &size);

  g_assert_cmpint (
      tjDecompress2 (handle, data, size, rgb, width, 0, height, TJPF_RGB, 0),
      ==, 0);
  tjDestroy (handle);
  return rgb;
}

/* It fits, and shows the same. */
static void
test_fits (gconstpointer data)
{
  const char *format = data;
  enum { WIDTH = 301, HEIGHT = 173 };
  g_autoptr (GBytes) jpeg = make_jpeg (format, WIDTH, HEIGHT);
  g_autofree uint8_t *before = decode (jpeg, WIDTH, HEIGHT);
  int last_quality = 100;

  for (unsigned part = 90; part >= 60; part -= 30) {
    size_t limit = g_bytes_get_size (jpeg) * part / 100;
    int quality = 0;
    g_autoptr (GBytes) smaller = vigil_jpeg_shrink (jpeg, limit, &quality);
    g_autofree uint8_t *after = NULL;
    double sum = 0;

    g_assert_nonnull (smaller);
    g_assert_cmpuint (g_bytes_get_size (smaller), <=, limit);
    g_assert_cmpint (quality, <=, last_quality);
    last_quality = quality;
    after = decode (smaller, WIDTH, HEIGHT);
    for (unsigned i = 0; i < WIDTH * HEIGHT * 3; i++)
      sum += abs (before[i] - after[i]);
    g_assert_cmpfloat (sum / (WIDTH * HEIGHT * 3), <, 4);
  }
}

static void
test_no_quality_is_low_enough (void)
{
  g_autoptr (GBytes) jpeg = make_jpeg ("I420", 300, 200);
  int quality = 7;

  g_assert_null (vigil_jpeg_shrink (jpeg, 100, &quality));
  g_assert_null (vigil_jpeg_shrink (jpeg, 0, &quality));
  g_assert_cmpint (quality, ==, 7);
}

static void
test_no_image (void)
{
  static const char *const texts[] = {
      "", "x", "\xff\xd8\xff", "\xff\xd8\xff\xe0 no image at all"};
  g_autoptr (GBytes) jpeg = make_jpeg ("I420", 64, 64);
  int quality;

  for (unsigned i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_autoptr (GBytes) bytes = g_bytes_new (texts[i], strlen (texts[i]));

    g_assert_null (vigil_jpeg_shrink (bytes, 100000, &quality));
  }
}

int
main (int argc, char **argv)
{
  vigil_fixture_init (&argc, &argv, 0);
  g_test_add_data_func ("/jpeg-shrink/fits/colour", "I420", test_fits);
  g_test_add_data_func ("/jpeg-shrink/fits/grey", "GRAY8", test_fits);
  g_test_add_func (
      "/jpeg-shrink/no-quality-is-low-enough", test_no_quality_is_low_enough);
  g_test_add_func ("/jpeg-shrink/no-image", test_no_image);
  return g_test_run ();
}
