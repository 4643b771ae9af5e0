/* SPDX-License-Identifier: Apache-2.0 */
#include "encode/colour-kernels.h"

#include <glib.h>
#include <math.h>
#include <string.h>

/* Both sets of kernels are given every value at every length around the
 * width of a vector, and compared with each other and with floating point. */
#define LENGTH_MAX 100

static void
fill (uint8_t *row, int count, unsigned seed)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (seed);

  for (int i = 0; i < count; i++)
    row[i] = (uint8_t)g_rand_int_range (random, 0, 256);
}

/* Some values are halves exactly, which may round either way. */
static void
assert_sample (int sample, double wanted)
{
  g_assert_cmpfloat (fabs (sample - CLAMP (wanted, 0, 255)), <=, 0.51);
}

static void
test_every_value (void)
{
  const VigilColourKernels *kernels[] = {
      vigil_colour_kernels_get_portable (),
      vigil_colour_kernels_get_best (),
  };
  uint8_t in[256], luma[256], chroma[256];

  for (int i = 0; i < 256; i++)
    in[i] = (uint8_t)i;
  for (unsigned k = 0; k < G_N_ELEMENTS (kernels); k++) {
    kernels[k]->expand_luma (in, luma, 256);
    kernels[k]->expand_chroma (in, chroma, 256);
    for (int i = 0; i < 256; i++) {
      assert_sample (luma[i], (i - 16) * 255.0 / 219);
      assert_sample (chroma[i], (i - 128) * 255.0 / 224 + 128);
    }
  }
}

static void
test_the_sets_agree_at_every_length (void)
{
  const VigilColourKernels *one = vigil_colour_kernels_get_portable ();
  const VigilColourKernels *other = vigil_colour_kernels_get_best ();
  const VigilColourMatrix matrix = {
      16, 19077, 3789, 7315, 8310, -8256, -5405, 7832};
  uint8_t u[LENGTH_MAX * 2], v[LENGTH_MAX * 2];

  fill (u, sizeof (u), 1);
  fill (v, sizeof (v), 2);
  for (int count = 0; count <= LENGTH_MAX; count++) {
    /* one more than is written: it must stay as it is */
    uint8_t out[2][3][LENGTH_MAX * 2 + 1];
    int16_t delta[2][LENGTH_MAX * 2 + 1];

    memset (out, 0xa5, sizeof (out));
    memset (delta, 0x5a, sizeof (delta));
    for (int k = 0; k < 2; k++) {
      const VigilColourKernels *kernels = k == 0 ? one : other;

      kernels->convert_chroma (
          &matrix, u, v, out[k][0], out[k][1], delta[k], count);
      kernels->convert_luma (&matrix, u, delta[k], out[k][2], 2 * count);
      g_assert_cmpint (out[k][0][count], ==, 0xa5);
      g_assert_cmpint (out[k][1][count], ==, 0xa5);
      g_assert_cmpint (out[k][2][2 * count], ==, 0xa5);
      g_assert_cmpint (delta[k][2 * count], ==, 0x5a5a);
    }
    g_assert_cmpmem (out[0], sizeof (out[0]), out[1], sizeof (out[1]));
    for (int k = 0; k < 2; k++) {
      const VigilColourKernels *kernels = k == 0 ? one : other;

      kernels->split (u, out[k][0], out[k][1], count);
      for (int i = 0; i < count; i++) {
        g_assert_cmpint (out[k][0][i], ==, u[2 * i]);
        g_assert_cmpint (out[k][1][i], ==, u[2 * i + 1]);
      }
      kernels->expand_luma (u, out[k][0], count);
      kernels->expand_chroma (u, out[k][1], count);
    }
    g_assert_cmpmem (out[0], sizeof (out[0]), out[1], sizeof (out[1]));
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/colour-kernels/every-value", test_every_value);
  g_test_add_func ("/colour-kernels/the-sets-agree-at-every-length",
      test_the_sets_agree_at_every_length);
  return g_test_run ();
}
