/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a 1080p frame costs to encode, in thread CPU time, beside bare
 * TurboJPEG on planes that need no conversion; and what the conversion of
 * range and matrix alone costs, as a share of that encode.
 */
#include "encode/colour.h"
#include "encode/encoder.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <turbojpeg.h>

#define WIDTH 1920
#define HEIGHT 1080
#define QUALITY 85

typedef struct {
  uint8_t luma[HEIGHT * WIDTH];
  uint8_t u[HEIGHT / 2 * WIDTH / 2];
  uint8_t v[HEIGHT / 2 * WIDTH / 2];
  uint8_t uv[HEIGHT / 2 * WIDTH];
  uint8_t rgb[HEIGHT * WIDTH * 3];
} Picture;

static double
get_cpu_us (void)
{
  struct timespec now;

  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &now);
  return now.tv_sec * 1e6 + now.tv_nsec / 1e3;
}

/* Noise smoothed over many samples, at three scales: about 1.5 bits a
 * pixel at quality 85, as a busy street takes. */
static void
draw_plane (uint8_t *plane, int width, int height, GRand *random)
{
  static const struct {
    int cell, amplitude;
  } scales[] = {{240, 160}, {40, 60}, {6, 34}};
  g_autofree int *sum = g_new0 (int, (size_t)width *(size_t)height);

  for (unsigned s = 0; s < G_N_ELEMENTS (scales); s++) {
    const int cell = scales[s].cell;
    const int columns = width / cell + 2;
    g_autofree int *noise = g_new (int, columns *(height / cell + 2));

    for (int i = 0; i < columns * (height / cell + 2); i++)
      noise[i] = g_rand_int_range (random, 0, scales[s].amplitude);
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        const int *corner = noise + y / cell * columns + x / cell;
        const int right = x % cell, down = y % cell;
        const int top = corner[0] * (cell - right) + corner[1] * right;
        const int bottom =
            corner[columns] * (cell - right) + corner[columns + 1] * right;

        sum[y * width + x] +=
            (top * (cell - down) + bottom * down) / (cell * cell);
      }
    }
  }
  for (int i = 0; i < width * height; i++)
    plane[i] = (uint8_t)CLAMP (sum[i], 16, 235);
}

static Picture *
picture_new (void)
{
  Picture *self = g_new0 (Picture, 1);
  g_autoptr (GRand) random = g_rand_new_with_seed (1);

  draw_plane (self->luma, WIDTH, HEIGHT, random);
  draw_plane (self->u, WIDTH / 2, HEIGHT / 2, random);
  draw_plane (self->v, WIDTH / 2, HEIGHT / 2, random);
  for (int i = 0; i < HEIGHT / 2 * WIDTH / 2; i++) {
    self->uv[2 * i] = self->u[i];
    self->uv[2 * i + 1] = self->v[i];
  }
  for (int i = 0; i < HEIGHT * WIDTH; i++) {
    self->rgb[3 * i] = self->luma[i];
    self->rgb[3 * i + 1] = self->luma[(i + 7) % (HEIGHT * WIDTH)];
    self->rgb[3 * i + 2] = self->luma[(i + 14) % (HEIGHT * WIDTH)];
  }
  return self;
}

static VigilFrame *
new_frame (const Picture *picture, VigilPixels pixels, VigilRange range,
    VigilMatrix matrix)
{
  VigilFrame *frame = vigil_frame_new ();

  frame->pixels = pixels;
  frame->range = range;
  frame->matrix = matrix;
  frame->width = WIDTH;
  frame->height = HEIGHT;
  frame->planes[0] = picture->luma;
  frame->strides[0] = WIDTH;
  frame->planes[1] = pixels == VIGIL_PIXELS_NV12 ? picture->uv : picture->u;
  frame->strides[1] = pixels == VIGIL_PIXELS_NV12 ? WIDTH : WIDTH / 2;
  frame->planes[2] = picture->v;
  frame->strides[2] = WIDTH / 2;
  if (pixels == VIGIL_PIXELS_RGB) {
    frame->planes[0] = picture->rgb;
    frame->strides[0] = WIDTH * 3;
  }
  return frame;
}

/* TurboJPEG as its examples use it, on a buffer kept between images. */
typedef struct {
  tjhandle handle;
  unsigned char *buffer;
  const Picture *picture;
  gboolean is_rgb;
} Peer;

static void
peer_encode (void *data)
{
  Peer *self = data;
  unsigned long size = 0;
  const unsigned char *planes[] = {
      self->picture->luma, self->picture->u, self->picture->v};
  const int strides[] = {WIDTH, WIDTH / 2, WIDTH / 2};
  int failed;

  if (self->is_rgb)
    failed = tjCompress2 (self->handle, self->picture->rgb, WIDTH, 0, HEIGHT,
        TJPF_RGB, &self->buffer, &size, TJSAMP_420, QUALITY, TJFLAG_NOREALLOC);
  else
    failed = tjCompressFromYUVPlanes (self->handle, planes, WIDTH, strides,
        HEIGHT, TJSAMP_420, &self->buffer, &size, QUALITY, TJFLAG_NOREALLOC);
  if (failed != 0)
    exit (1);
}

typedef struct {
  VigilEncoder *encoder;
  VigilColour *colour;
  VigilFrame *frame;
} Ours;

static void
ours_encode (void *data)
{
  Ours *self = data;
  g_autoptr (GBytes) image =
      vigil_encoder_encode (self->encoder, self->frame, NULL);

  if (image == NULL)
    exit (1);
}

static void
ours_convert (void *data)
{
  Ours *self = data;
  VigilColourPlanes planes;

  if (!vigil_colour_to_jpeg_planes (self->colour, self->frame, &planes, NULL))
    exit (1);
}

static int
compare_doubles (const void *one, const void *other)
{
  const double a = *(const double *)one, b = *(const double *)other;

  return a < b ? -1 : a > b;
}

/* Both in turn, so that what else the machine does meets both; prints the
 * medians. */
static void
measure (const char *row, void (*ours) (void *), void *ours_data,
    void (*peer) (void *), void *peer_data, int rounds)
{
  double *times[] = {g_new (double, rounds), g_new (double, rounds)};
  double medians[2];

  ours (ours_data);
  peer (peer_data);
  for (int i = 0; i < rounds; i++) {
    const double start = get_cpu_us ();
    double middle;

    ours (ours_data);
    middle = get_cpu_us ();
    peer (peer_data);
    times[0][i] = middle - start;
    times[1][i] = get_cpu_us () - middle;
  }
  for (int i = 0; i < 2; i++) {
    qsort (times[i], (size_t)rounds, sizeof (double), compare_doubles);
    medians[i] = times[i][rounds / 2];
    g_free (times[i]);
  }
  printf ("%s\t%.0f us\t%.0f us\t%.3f\n", row, medians[0], medians[1],
      medians[0] / medians[1]);
}

static const struct {
  const char *name;
  VigilPixels pixels;
  VigilRange range;
  VigilMatrix matrix;
  gboolean converts;
} cases[] = {
    {"RGB", VIGIL_PIXELS_RGB, VIGIL_RANGE_FULL, VIGIL_MATRIX_BT601, FALSE},
    {"I420 full BT.601", VIGIL_PIXELS_I420, VIGIL_RANGE_FULL,
        VIGIL_MATRIX_BT601, FALSE},
    {"I420 limited BT.601", VIGIL_PIXELS_I420, VIGIL_RANGE_LIMITED,
        VIGIL_MATRIX_BT601, TRUE},
    {"I420 limited BT.709", VIGIL_PIXELS_I420, VIGIL_RANGE_LIMITED,
        VIGIL_MATRIX_BT709, TRUE},
    {"NV12 full BT.601", VIGIL_PIXELS_NV12, VIGIL_RANGE_FULL,
        VIGIL_MATRIX_BT601, TRUE},
    {"NV12 limited BT.601", VIGIL_PIXELS_NV12, VIGIL_RANGE_LIMITED,
        VIGIL_MATRIX_BT601, TRUE},
    {"NV12 limited BT.709", VIGIL_PIXELS_NV12, VIGIL_RANGE_LIMITED,
        VIGIL_MATRIX_BT709, TRUE},
};

static void
measure_case (unsigned index, const Picture *picture, Peer *peer, int rounds)
{
  Ours ours = {
      .encoder = vigil_encoder_new (vigil_encoder_find ("jpeg"), QUALITY, NULL),
      .colour = vigil_colour_new (VIGIL_COLOUR_BEST),
      .frame = new_frame (picture, cases[index].pixels, cases[index].range,
          cases[index].matrix),
  };
  g_autofree char *encode_row =
      g_strdup_printf ("JPEG of 1080p %s", cases[index].name);
  g_autofree char *convert_row = g_strdup_printf (
      "colours of 1080p %s, share of the encode", cases[index].name);

  peer->is_rgb = cases[index].pixels == VIGIL_PIXELS_RGB;
  measure (encode_row, ours_encode, &ours, peer_encode, peer, rounds);
  if (cases[index].converts)
    measure (convert_row, ours_convert, &ours, peer_encode, peer, rounds);
  vigil_frame_unref (ours.frame);
  vigil_colour_free (ours.colour);
  vigil_encoder_free (ours.encoder);
}

int
main (int argc, char **argv)
{
  const gboolean is_smoke = argc > 1 && strcmp (argv[1], "--smoke") == 0;
  Picture *picture = picture_new ();
  Peer peer = {
      .handle = tjInitCompress (),
      .buffer = g_malloc (tjBufSize (WIDTH, HEIGHT, TJSAMP_420)),
      .picture = picture,
  };

  for (unsigned i = 0; i < G_N_ELEMENTS (cases); i++)
    measure_case (i, picture, &peer, is_smoke ? 1 : 41);
  tjDestroy (peer.handle);
  g_free (peer.buffer);
  g_free (picture);
  return 0;
}
