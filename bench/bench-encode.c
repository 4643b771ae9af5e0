/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a 1080p frame costs to encode, in thread CPU time, beside bare
 * TurboJPEG on planes that need no conversion; and what the conversion of
 * range and matrix alone costs, as a share of that encode.
 */
#include "encode/colour.h"
#include "encode/encoder.h"
#include "picture.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double
get_cpu_us (void)
{
  struct timespec now;

  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &now);
  return now.tv_sec * 1e6 + now.tv_nsec / 1e3;
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
measure (const char *row, const char *limit, void (*ours) (void *),
    void *ours_data, void (*peer) (void *), void *peer_data, int rounds)
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
  printf ("%s\t%.0f us\t%.0f us\t%.3f\t%s\n", row, medians[0], medians[1],
      medians[0] / medians[1], limit);
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
measure_case (
    unsigned index, const BenchPicture *picture, BenchPeer *peer, int rounds)
{
  Ours ours = {
      .encoder =
          vigil_encoder_new (vigil_encoder_find ("jpeg"), BENCH_QUALITY, NULL),
      .colour = vigil_colour_new (VIGIL_COLOUR_BEST),
      .frame = bench_picture_new_frame (picture, cases[index].pixels,
          cases[index].range, cases[index].matrix),
  };
  g_autofree char *encode_row =
      g_strdup_printf ("JPEG of 1080p %s", cases[index].name);
  g_autofree char *convert_row = g_strdup_printf (
      "colours of 1080p %s, share of the encode", cases[index].name);

  peer->is_rgb = cases[index].pixels == VIGIL_PIXELS_RGB;
  measure (
      encode_row, "-", ours_encode, &ours, bench_peer_encode, peer, rounds);
  if (cases[index].converts)
    measure (convert_row,
        cases[index].matrix == VIGIL_MATRIX_BT709 ? "ratio 0.40" : "ratio 0.12",
        ours_convert, &ours, bench_peer_encode, peer, rounds);
  vigil_frame_unref (ours.frame);
  vigil_colour_free (ours.colour);
  vigil_encoder_free (ours.encoder);
}

int
main (int argc, char **argv)
{
  const gboolean is_smoke = argc > 1 && strcmp (argv[1], "--smoke") == 0;
  BenchPicture *picture = bench_picture_new ();
  BenchPeer peer;

  bench_peer_init (&peer, picture);
  for (unsigned i = 0; i < G_N_ELEMENTS (cases); i++)
    measure_case (i, picture, &peer, is_smoke ? 5 : 41);
  bench_peer_clear (&peer);
  g_free (picture);
  return 0;
}
