/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "model/metadata.h"
#include <glib.h>
#include <stdatomic.h>
#include <stdint.h>

/*
 * One frame on its way from a pipeline to the destinations. It wraps the
 * picture's memory without copying and never changes once pushed, so any
 * thread may hold a reference.
 */

typedef enum {
  VIGIL_PIXELS_NONE, /* not raw video: see data */
  VIGIL_PIXELS_RGB,
  VIGIL_PIXELS_BGR,
  VIGIL_PIXELS_RGBA,
  VIGIL_PIXELS_BGRA,
  VIGIL_PIXELS_RGBX,
  VIGIL_PIXELS_BGRX,
  VIGIL_PIXELS_GRAY8,
  VIGIL_PIXELS_NV12,
  VIGIL_PIXELS_I420,
  VIGIL_PIXELS_OTHER, /* raw video that must be converted first */
} VigilPixels;

typedef enum {
  VIGIL_RANGE_LIMITED, /* 16..235 */
  VIGIL_RANGE_FULL,    /* 0..255 */
} VigilRange;

typedef enum {
  VIGIL_MATRIX_BT601,
  VIGIL_MATRIX_BT709,
} VigilMatrix;

/* VIGIL_TIME_NONE: not known. */
#define VIGIL_TIME_NONE INT64_MIN

typedef struct _VigilFrame VigilFrame;

struct _VigilFrame {
  /* picture */
  char *caps;        /* as text; never NULL once filled; freed with the frame */
  char *media_type;  /* "video/x-raw", "image/jpeg": the caps' first word */
  char *format;      /* caps' format, or NULL when the caps have none */
  int width, height; /* 0 when the caps have none */
  VigilPixels pixels;
  VigilRange range;         /* of YUV and GRAY8 */
  VigilMatrix matrix;       /* of YUV */
  const uint8_t *planes[3]; /* raw: first row of each plane */
  int strides[3];           /* raw: bytes from row to row */
  const uint8_t *data;      /* the bytes of the buffer, raw or encoded */
  size_t size;
  /* where encoded bytes come from, when an encoder of the pipeline made
   * them: level as set on the element ("quality", "compression-level") */
  int encoding_level; /* -1: not known */
  /* times, ns */
  int64_t pts;             /* or VIGIL_TIME_NONE */
  int64_t stream_time;     /* or VIGIL_TIME_NONE */
  int64_t capture_time;    /* UTC epoch, or VIGIL_TIME_NONE */
  uint64_t frame_id;       /* counted at the appsink, from 0 */
  VigilMetadata *metadata; /* never NULL */
  /* what keeps the memory alive */
  void *owner;               /* nullable */
  GDestroyNotify free_owner; /* called with owner at the last unref */
  /* VIGIL_PIXELS_OTHER: makes a frame of the same picture in a native
   * format (transfer full), with empty metadata; NULL when there is no way.
   * For the thread that encodes: it costs a pass over the picture. */
  VigilFrame *(*convert) (const VigilFrame *self, GError **error);
  /* not GLib's count: ThreadSanitizer sees only what is compiled with it */
  atomic_uint reference_count;
};

/* A zeroed frame with empty metadata, unknown times, BT.601 limited range
 * and one reference; the caller fills it before sharing it. */
VigilFrame *vigil_frame_new (void);
VigilFrame *vigil_frame_ref (VigilFrame *self);
/* NULL is allowed. */
void vigil_frame_unref (VigilFrame *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VigilFrame, vigil_frame_unref)

/* TRUE when the picture is raw video that an encoder can be given. */
gboolean vigil_frame_is_raw (const VigilFrame *self);
/* 4 for RGBA and BGRA, 1 for GRAY8, else 3 (contract of the metadata key
 * `channels`). */
int vigil_frame_get_channels (const VigilFrame *self);
