/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/histogram.h"
#include <glib.h>
#include <stdatomic.h>
#include <stdint.h>

/* ---- Counter ----------------------------------------------------------- */

/*
 * A count that one or more threads raise and any thread reads. Relaxed
 * order: each count is right, two counts read together need a lock of
 * their owner.
 */
typedef _Atomic uint64_t VigilCounter;

static inline void
vigil_counter_add (VigilCounter *self, uint64_t amount)
{
  atomic_fetch_add_explicit (self, amount, memory_order_relaxed);
}

static inline uint64_t
vigil_counter_get (const VigilCounter *self)
{
  return atomic_load_explicit (self, memory_order_relaxed);
}

/* ---- Prometheus text --------------------------------------------------- */

/* The text form 0.0.4. Terminated by a NULL key where a list is wanted. */
typedef struct {
  const char *key;
  const char *value;
} VigilMetricLabel;

/* What comes before the samples of @name; @type: "counter", "gauge" or
 * "histogram". @help: one sentence. */
void vigil_metrics_append_head (
    GString *text, const char *name, const char *type, const char *help);
/* One sample; @labels: (nullable). Values of labels are escaped. */
void vigil_metrics_append_sample (GString *text, const char *name,
    const VigilMetricLabel *labels, double value);
/* All samples of a histogram, in seconds; @labels: (nullable). */
void vigil_metrics_append_histogram (GString *text, const char *name,
    const VigilMetricLabel *labels, const VigilHistogram *histogram);
