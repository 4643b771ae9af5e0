/* SPDX-License-Identifier: Apache-2.0 */
#include "base/histogram.h"

#include <glib.h>

static const struct {
  int64_t duration_us;
  unsigned bucket;
} durations[] = {
    {-5, 0},
    {0, 0},
    {1000, 0},
    {1001, 1},
    {2500, 1},
    {99999, 6},
    {100000, 6},
    {100001, 7},
    {10000000, 12},
    {10000001, 13},
    {INT64_MAX / 2, 13},
};

static void
test_buckets (void)
{
  for (size_t i = 0; i < G_N_ELEMENTS (durations); i++) {
    VigilHistogram histogram = {0};
    vigil_histogram_add (&histogram, durations[i].duration_us);
    for (unsigned j = 0; j < VIGIL_HISTOGRAM_BUCKETS; j++)
      g_assert_cmpuint (
          histogram.counts[j], ==, j == durations[i].bucket ? 1 : 0);
    g_assert_cmpuint (
        histogram.sum_us, ==, (uint64_t)MAX (durations[i].duration_us, 0));
  }
}

/* The text of each end says what the bucket does. */
static void
test_ends (void)
{
  for (unsigned i = 0; i + 1 < VIGIL_HISTOGRAM_BUCKETS; i++) {
    double end = g_ascii_strtod (vigil_histogram_get_end (i), NULL);
    VigilHistogram histogram = {0};
    vigil_histogram_add (&histogram, (int64_t)(end * 1e6 + 0.5));
    vigil_histogram_add (&histogram, (int64_t)(end * 1e6 + 1.5));
    g_assert_cmpuint (histogram.counts[i], ==, 1);
    g_assert_cmpuint (histogram.counts[i + 1], ==, 1);
  }
  g_assert_cmpstr (
      vigil_histogram_get_end (VIGIL_HISTOGRAM_BUCKETS - 1), ==, "+Inf");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/histogram/buckets", test_buckets);
  g_test_add_func ("/histogram/ends", test_ends);
  return g_test_run ();
}
