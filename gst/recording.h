/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <stdint.h>

/*
 * Recorded detections: JSON lines, one object for each frame:
 *   {"frame": 0, "pts": 0, "detections": [{"label": "Person",
 *    "label_id": 4, "confidence": 0.58, "x": 644, "y": 233, "w": 42,
 *    "h": 92, "id": 7, "attributes": {"color": {"label": "red",
 *    "label_id": 1, "confidence": 0.9}}}]}
 * "pts" (nanoseconds of stream time), "label_id", "confidence", "id" (of a
 * tracker) and "attributes" are optional. Immutable once read.
 */
typedef struct _VigilRecording VigilRecording;

typedef struct {
  const char *name;  /* interned */
  char *label;       /* nullable */
  double confidence; /* negative: none */
  int label_id;      /* negative: none */
} VigilRecordedResult;

typedef struct {
  VigilRecordedResult result; /* name "detection" */
  int x, y, width, height;    /* pixels; not negative */
  int64_t object_id;          /* of a tracker; 0: none */
  GArray *attributes;         /* VigilRecordedResult; nullable */
} VigilRecordedDetection;

/*
 * Reads all of @path, which may have 256 MiB and a million lines. Errors:
 * with the path and line: NOT_FOUND, INVALID, LIMIT. Blocks.
 * Returns: (transfer full) (nullable).
 */
VigilRecording *vigil_recording_read (const char *path, GError **error);
void vigil_recording_free (VigilRecording *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VigilRecording, vigil_recording_free)

/* VigilRecordedDetection; NULL when nothing is recorded for that frame. */
const GArray *vigil_recording_find_frame (
    const VigilRecording *self, uint64_t frame);
/* The record nearest to @pts, at most @tolerance ns away. */
const GArray *vigil_recording_find_pts (
    const VigilRecording *self, int64_t pts, int64_t tolerance);
