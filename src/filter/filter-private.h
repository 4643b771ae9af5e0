/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "filter/filter.h"

/*
 * What the two kinds of filters share. A tree is never changed: what loses
 * a part is copied one level deep, up to the root; all else is shared.
 */

typedef enum {
  VIGIL_FILTER_DETECTION,
  VIGIL_FILTER_CLASSIFICATION,
} VigilFilterKind;

struct _VigilFilter {
  VigilFilterKind kind;
  gboolean is_message_mode;
  gboolean skips_empty;
  GHashTable *thresholds; /* element-type: char *, double * */
};

/* What is known while a frame is judged. */
typedef struct {
  const VigilFilter *filter;
  unsigned found; /* results of the filter's kind */
  unsigned left;  /* of these, not skipped */
} VigilFilterJudge;

/* Returns: FALSE when @label (nullable) is not listed. */
gboolean vigil_filter_get_threshold (
    const VigilFilter *self, const char *label, double *ret_threshold);

/* @value itself, with one more reference. */
VigilJson *vigil_filter_share (const VigilJson *value);
/* A new object with the same members. Returns: (transfer full). */
VigilJson *vigil_filter_copy_members (const VigilJson *object);
/* The elements of @array whose flag in @is_skipped is not set.
 * Returns: (transfer full). */
VigilJson *vigil_filter_copy_elements (
    const VigilJson *array, const gboolean *is_skipped);

/*
 * One pass of a kind. Each counts in @judge and returns (transfer full) the
 * metadata without the skipped results: the same one when there are none.
 */
VigilJson *vigil_filter_prune_detections (
    VigilFilterJudge *judge, const VigilJson *metadata);
VigilJson *vigil_filter_prune_classifications (
    VigilFilterJudge *judge, const VigilJson *metadata);

/* The rule of "mode": "message": TRUE when no result fails. @ret_is_empty:
 * set to whether there was no result at all. */
gboolean vigil_filter_pass_detections (
    const VigilFilter *self, const VigilJson *metadata, gboolean *ret_is_empty);
gboolean vigil_filter_pass_classifications (
    const VigilFilter *self, const VigilJson *metadata, gboolean *ret_is_empty);
