/* SPDX-License-Identifier: Apache-2.0 */
/* Durations counted by size. */
#include "base/histogram.h"

#include <glib.h>

/* Upper ends of the buckets, theirs included; the last one has none. As
 * numbers and as their text in seconds, which must not vary. */
static const struct {
  int64_t end_us;
  const char *end_text;
} buckets[VIGIL_HISTOGRAM_BUCKETS] = {
    {1000, "0.001"},
    {2500, "0.0025"},
    {5000, "0.005"},
    {10000, "0.01"},
    {25000, "0.025"},
    {50000, "0.05"},
    {100000, "0.1"},
    {250000, "0.25"},
    {500000, "0.5"},
    {1000000, "1"},
    {2500000, "2.5"},
    {5000000, "5"},
    {10000000, "10"},
    {INT64_MAX, "+Inf"},
};

void
vigil_histogram_add (VigilHistogram *self, int64_t duration_us)
{
  unsigned bucket = 0;
  while (duration_us > buckets[bucket].end_us)
    bucket++;
  self->counts[bucket]++;
  self->sum_us += (uint64_t)MAX (duration_us, 0);
}

const char *
vigil_histogram_get_end (unsigned bucket)
{
  g_return_val_if_fail (bucket < VIGIL_HISTOGRAM_BUCKETS, NULL);

  return buckets[bucket].end_text;
}
