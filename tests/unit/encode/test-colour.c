/* SPDX-License-Identifier: Apache-2.0 */
#include "encode/colour.h"

#include <math.h>
#include <string.h>

/*
 * Samples of YUV pictures against the definitions of the standards in
 * floating point: the way through RGB that the planes' conversion saves.
 */

/* Wide enough for vectors and their rests, and odd. */
#define WIDTH 131
#define HEIGHT 67
#define CHROMA_WIDTH ((WIDTH + 1) / 2)
#define CHROMA_HEIGHT ((HEIGHT + 1) / 2)

typedef struct {
  uint8_t luma[HEIGHT * WIDTH];
  uint8_t u[CHROMA_HEIGHT * CHROMA_WIDTH];
  uint8_t v[CHROMA_HEIGHT * CHROMA_WIDTH];
  uint8_t uv[CHROMA_HEIGHT * CHROMA_WIDTH * 2];
} Samples;

typedef struct {
  double red, green, blue; /* 0..255, unclamped */
} Rgb;

static Rgb
to_rgb (double y, double u, double v, VigilRange range, VigilMatrix matrix)
{
  const double kr = matrix == VIGIL_MATRIX_BT709 ? 0.2126 : 0.299;
  const double kb = matrix == VIGIL_MATRIX_BT709 ? 0.0722 : 0.114;
  const gboolean is_full = range == VIGIL_RANGE_FULL;
  const double luma = is_full ? y : (y - 16) * 255 / 219;
  const double cb = (u - 128) * (is_full ? 1 : 255.0 / 224);
  const double cr = (v - 128) * (is_full ? 1 : 255.0 / 224);
  Rgb rgb;

  rgb.red = luma + 2 * (1 - kr) * cr;
  rgb.blue = luma + 2 * (1 - kb) * cb;
  rgb.green = (luma - kr * rgb.red - kb * rgb.blue) / (1 - kr - kb);
  return rgb;
}

/* Random colours that exist in RGB, as a camera would give them: each
 * chroma sample with four lumas near it. */
static void
fill_samples (Samples *samples, VigilRange range, VigilMatrix matrix)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (7);

  for (int i = 0; i < CHROMA_HEIGHT * CHROMA_WIDTH; i++) {
    int y, u, v;
    Rgb rgb;

    do {
      y = g_rand_int_range (random, 0, 256);
      u = g_rand_int_range (random, 0, 256);
      v = g_rand_int_range (random, 0, 256);
      rgb = to_rgb (y, u, v, range, matrix);
    } while (rgb.red < 0 || rgb.red > 255 || rgb.green < 0 || rgb.green > 255 ||
             rgb.blue < 0 || rgb.blue > 255);
    samples->u[i] = samples->uv[2 * i] = (uint8_t)u;
    samples->v[i] = samples->uv[2 * i + 1] = (uint8_t)v;
    for (int row = i / CHROMA_WIDTH * 2;
         row < HEIGHT && row < i / CHROMA_WIDTH * 2 + 2; row++)
      for (int x = i % CHROMA_WIDTH * 2;
           x < WIDTH && x < i % CHROMA_WIDTH * 2 + 2; x++)
        samples->luma[row * WIDTH + x] = (uint8_t)y;
  }
}

static VigilFrame *
new_frame (const Samples *samples, VigilPixels pixels, VigilRange range,
    VigilMatrix matrix)
{
  VigilFrame *frame = vigil_frame_new ();

  frame->pixels = pixels;
  frame->range = range;
  frame->matrix = matrix;
  frame->width = WIDTH;
  frame->height = HEIGHT;
  frame->planes[0] = samples->luma;
  frame->strides[0] = WIDTH;
  if (pixels == VIGIL_PIXELS_I420) {
    frame->planes[1] = samples->u;
    frame->planes[2] = samples->v;
    frame->strides[1] = frame->strides[2] = CHROMA_WIDTH;
  } else if (pixels == VIGIL_PIXELS_NV12) {
    frame->planes[1] = samples->uv;
    frame->strides[1] = CHROMA_WIDTH * 2;
  }
  return frame;
}

/* Fixed point may round the other way where floating point is within 0.06
 * of a half; it never is off by more. */
static void
assert_sample (int sample, double wanted)
{
  wanted = CLAMP (wanted, 0, 255);
  g_assert_cmpfloat (fabs (sample - wanted), <=, 0.56);
}

static void
check_planes (const VigilFrame *frame, const VigilColourPlanes *planes)
{
  const int step = frame->pixels == VIGIL_PIXELS_NV12 ? 2 : 1;
  const uint8_t *frame_v = step == 2 ? frame->planes[1] + 1 : frame->planes[2];

  for (int row = 0; row < HEIGHT; row++) {
    for (int x = 0; x < WIDTH; x++) {
      const int chroma = row / 2 * planes->strides[1] + x / 2;
      const int source = row / 2 * frame->strides[1] + x / 2 * step;
      const Rgb rgb = to_rgb (frame->planes[0][row * frame->strides[0] + x],
          frame->planes[1][source], frame_v[source], frame->range,
          frame->matrix);
      const double luma =
          0.299 * rgb.red + 0.587 * rgb.green + 0.114 * rgb.blue;

      assert_sample (planes->planes[0][row * planes->strides[0] + x], luma);
      assert_sample (
          planes->planes[1][chroma], (rgb.blue - luma) / 1.772 + 128);
      assert_sample (planes->planes[2][chroma], (rgb.red - luma) / 1.402 + 128);
    }
  }
}

static void
test_planes_are_what_jpeg_means (void)
{
  static const VigilPixels pixels[] = {VIGIL_PIXELS_I420, VIGIL_PIXELS_NV12};
  static Samples samples;

  for (int i = 0; i < 16; i++) {
    const VigilRange range = i & 1 ? VIGIL_RANGE_FULL : VIGIL_RANGE_LIMITED;
    const VigilMatrix matrix = i & 2 ? VIGIL_MATRIX_BT709 : VIGIL_MATRIX_BT601;
    g_autoptr (VigilColour) colour =
        vigil_colour_new (i & 4 ? VIGIL_COLOUR_BEST : VIGIL_COLOUR_PORTABLE);
    g_autoptr (VigilFrame) frame = NULL;
    g_autoptr (GError) error = NULL;
    VigilColourPlanes planes;

    fill_samples (&samples, range, matrix);
    frame = new_frame (&samples, pixels[i >> 3], range, matrix);
    g_assert_true (
        vigil_colour_to_jpeg_planes (colour, frame, &planes, &error));
    g_assert_no_error (error);
    check_planes (frame, &planes);
    /* odd sizes: the JPEG library reads one further */
    for (int row = 0; row <= HEIGHT; row++) {
      const int last = MIN (row, HEIGHT - 1) * planes.strides[0] + WIDTH - 1;

      g_assert_cmpint (planes.planes[0][row * planes.strides[0] + WIDTH], ==,
          planes.planes[0][last]);
    }
  }
}

static void
test_what_is_right_is_not_touched (void)
{
  static Samples samples;
  g_autoptr (VigilColour) colour = vigil_colour_new (VIGIL_COLOUR_BEST);
  g_autoptr (VigilFrame) frame = new_frame (
      &samples, VIGIL_PIXELS_I420, VIGIL_RANGE_FULL, VIGIL_MATRIX_BT601);
  VigilColourPlanes planes;

  frame->width--;
  frame->height--;
  g_assert_true (vigil_colour_to_jpeg_planes (colour, frame, &planes, NULL));
  for (int i = 0; i < 3; i++) {
    g_assert_true (planes.planes[i] == frame->planes[i]);
    g_assert_cmpint (planes.strides[i], ==, frame->strides[i]);
  }
  /* of NV12, luma is */
  frame->pixels = VIGIL_PIXELS_NV12;
  frame->planes[1] = samples.uv;
  frame->strides[1] = CHROMA_WIDTH * 2;
  g_assert_true (vigil_colour_to_jpeg_planes (colour, frame, &planes, NULL));
  g_assert_true (planes.planes[0] == frame->planes[0]);
  g_assert_true (planes.planes[1] != frame->planes[1]);
  /* grey of any size is, when it is full */
  frame->pixels = VIGIL_PIXELS_GRAY8;
  frame->width = 1;
  g_assert_true (vigil_colour_to_jpeg_planes (colour, frame, &planes, NULL));
  g_assert_true (planes.planes[0] == frame->planes[0]);
  frame->range = VIGIL_RANGE_LIMITED;
  g_assert_true (vigil_colour_to_jpeg_planes (colour, frame, &planes, NULL));
  g_assert_true (planes.planes[0] != frame->planes[0]);
}

static void
test_rows_to_rgb (void)
{
  static Samples samples;

  for (int i = 0; i < 8; i++) {
    const VigilRange range = i & 1 ? VIGIL_RANGE_FULL : VIGIL_RANGE_LIMITED;
    const VigilMatrix matrix = i & 2 ? VIGIL_MATRIX_BT709 : VIGIL_MATRIX_BT601;
    g_autoptr (VigilFrame) frame = new_frame (
        &samples, i & 4 ? VIGIL_PIXELS_I420 : VIGIL_PIXELS_NV12, range, matrix);
    uint8_t row[WIDTH * 3];

    fill_samples (&samples, range, matrix);
    for (int y = 0; y < HEIGHT; y++) {
      vigil_colour_row_to_rgb (frame, y, row);
      for (int x = 0; x < WIDTH; x++) {
        const int chroma = y / 2 * CHROMA_WIDTH + x / 2;
        const Rgb rgb = to_rgb (samples.luma[y * WIDTH + x], samples.u[chroma],
            samples.v[chroma], range, matrix);

        assert_sample (row[3 * x], rgb.red);
        assert_sample (row[3 * x + 1], rgb.green);
        assert_sample (row[3 * x + 2], rgb.blue);
      }
    }
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func (
      "/colour/planes-are-what-jpeg-means", test_planes_are_what_jpeg_means);
  g_test_add_func ("/colour/what-is-right-is-not-touched",
      test_what_is_right_is_not_touched);
  g_test_add_func ("/colour/rows-to-rgb", test_rows_to_rgb);
  return g_test_run ();
}
