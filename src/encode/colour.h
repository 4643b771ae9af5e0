/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "model/frame.h"

/*
 * Brings YUV and grey pictures to what an image file means: JPEG's YCbCr is
 * BT.601 in full range (ITU-T T.871), PNG is RGB in full range. One pass
 * over the picture; none where nothing has to change.
 *
 * Chroma that steers luma or RGB is taken from the nearest chroma sample.
 */

/* The picture as JPEG has it; grey has one plane. */
typedef struct {
  const uint8_t *planes[3];
  int strides[3];
} VigilColourPlanes;

/* Keeps its buffers from frame to frame; one thread. */
typedef struct _VigilColour VigilColour;

typedef enum {
  VIGIL_COLOUR_BEST,     /* the fastest that the processor runs */
  VIGIL_COLOUR_PORTABLE, /* what the compiler makes for any processor */
} VigilColourSpeed;

VigilColour *vigil_colour_new (VigilColourSpeed speed);
/* NULL is allowed. */
void vigil_colour_free (VigilColour *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VigilColour, vigil_colour_free)

/*
 * Fills @ret_planes with @frame (I420, NV12 or GRAY8, checked by the
 * caller) as 4:2:0 planes, or one plane, in full-range BT.601. Planes that
 * need no change are the frame's own; the others are valid until the next
 * call. Where width or height are odd, luma can be read up to the even size
 * (its edge repeated).
 * Errors: LIMIT when there is no memory for the planes.
 */
gboolean vigil_colour_to_jpeg_planes (VigilColour *self,
    const VigilFrame *frame, VigilColourPlanes *ret_planes, GError **error);

/*
 * Writes row @row of @frame (I420 or NV12, checked by the caller) as
 * 3 * width bytes of full-range RGB to @out. Any thread.
 */
void vigil_colour_row_to_rgb (const VigilFrame *frame, int row, uint8_t *out);
