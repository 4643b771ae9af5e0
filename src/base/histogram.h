/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

/* From 1 ms to 10 s, in steps of about 2.2; and one for what is longer. */
#define VIGIL_HISTOGRAM_BUCKETS 14

/*
 * How long something took, counted by size. Plain memory: it belongs to one
 * thread, or lies under its owner's lock, and is copied to be read
 * elsewhere. Zeroed memory is an empty histogram.
 */
typedef struct {
  uint64_t counts[VIGIL_HISTOGRAM_BUCKETS]; /* each its own bucket alone */
  uint64_t sum_us;
} VigilHistogram;

/* Negative durations count as 0. */
void vigil_histogram_add (VigilHistogram *self, int64_t duration_us);

/* Where @bucket ends, itself included, in seconds: "0.001" ... "+Inf".
 * (transfer none). */
const char *vigil_histogram_get_end (unsigned bucket);
