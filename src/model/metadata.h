/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/json.h"
#include <glib.h>
#include <stdint.h>

/*
 * What the elements of a pipeline found in one frame, free of GStreamer:
 * regions with their results, results of the whole frame, and JSON messages
 * that elements attached. Filled by one thread, then read only.
 */

/* One result: of a detector, a classifier, or raw numbers of a model. */
typedef struct {
  const char *name; /* structure's name: "detection", "color" ...; interned */
  char *label;      /* nullable; any bytes */
  char *attribute_name; /* nullable: the key of this result in `objects` */
  char *model_name;     /* nullable */
  char *extra_json;     /* nullable: extra_params_json, as it came */
  double confidence;    /* valid when has_confidence; any double */
  int label_id;         /* valid when has_label_id */
  gboolean has_confidence;
  gboolean has_label_id;
  gboolean has_box; /* x_min ... of a detection, 0..1 */
  double x_min, y_min, x_max, y_max;
} VigilResult;

typedef struct {
  int x, y, width, height; /* pixels; as the meta has them */
  int id;                  /* of the region in this frame */
  int parent_id;           /* -1: none */
  int64_t object_id;       /* of the tracker; 0: not tracked */
  char *label;             /* nullable: roi_type */
  GArray *results;         /* element-type: VigilResult; never NULL */
} VigilRegion;

typedef struct {
  GArray *regions;     /* element-type: VigilRegion */
  GArray *results;     /* element-type: VigilResult; of the whole frame */
  GPtrArray *messages; /* element-type: char *; JSON text of GVA messages */
  /* messages that were no JSON object, too large or too deep are counted by
   * who merges them, not here */
} VigilMetadata;

VigilMetadata *vigil_metadata_new (void);
void vigil_metadata_free (VigilMetadata *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VigilMetadata, vigil_metadata_free)

/* Appends an empty region (no parent, results made) and returns it; valid
 * until the next one is added. */
VigilRegion *vigil_metadata_add_region (VigilMetadata *self);
/* Appends a zeroed result to @results. */
VigilResult *vigil_metadata_add_result (GArray *results);
/* @json (transfer full). */
void vigil_metadata_take_message (VigilMetadata *self, char *json);
