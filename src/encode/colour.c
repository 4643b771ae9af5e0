/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which rows go through which kernel, and the matrices between them. The
 * constants follow from ITU-R BT.601 and BT.709: luma is
 * red * R + (1 - red - blue) * G + blue * B, and chroma the scaled
 * differences of B and R to it.
 */
#include "encode/colour.h"

#include "base/error.h"
#include "encode/colour-kernels.h"
#include <string.h>

struct _VigilColour {
  const VigilColourKernels *kernels;
  uint8_t *planes;     /* all planes in one block */
  size_t planes_bytes; /* of planes */
  uint8_t *row_u;      /* one row of chroma each, split from NV12 */
  uint8_t *row_v;
  int16_t *delta; /* of one row of luma, see kernels */
  int row_width;  /* what the rows have room for, in luma samples */
};

#define LUMA_SCALE (255.0 / 219)
#define CHROMA_SCALE (255.0 / 224)

/* BT.709 to BT.601, full range: what a unit of Cb (u) and Cr (v) adds. From
 * R = Y + 1.5748 v and B = Y + 1.8556 u into BT.601's definitions. */
#define RED_601 0.299
#define BLUE_601 0.114
#define GREEN_601 (1 - RED_601 - BLUE_601)
#define RED_709 0.2126
#define BLUE_709 0.0722
#define GREEN_709 (1 - RED_709 - BLUE_709)
#define RED_OF_V (2 * (1 - RED_709))
#define BLUE_OF_U (2 * (1 - BLUE_709))
#define GREEN_OF_U (-BLUE_OF_U * BLUE_709 / GREEN_709)
#define GREEN_OF_V (-RED_OF_V * RED_709 / GREEN_709)
#define Y_OF_U (BLUE_601 * BLUE_OF_U + GREEN_601 * GREEN_OF_U)
#define Y_OF_V (RED_601 * RED_OF_V + GREEN_601 * GREEN_OF_V)
#define U_OF_U ((BLUE_OF_U - Y_OF_U) / (2 * (1 - BLUE_601)))
#define U_OF_V (-Y_OF_V / (2 * (1 - BLUE_601)))
#define V_OF_U (-Y_OF_U / (2 * (1 - RED_601)))
#define V_OF_V ((RED_OF_V - Y_OF_V) / (2 * (1 - RED_601)))

#define FIXED(value, one)                                                      \
  ((int16_t)((value) * (one) + ((value) < 0 ? -0.5 : 0.5)))
#define MATRIX(offset, luma, chroma)                                           \
  {                                                                            \
    .luma_offset = (offset), .luma_scale = (uint16_t)((luma)*16384 + 0.5),     \
    .y_u = FIXED (Y_OF_U * (chroma), 32768),                                   \
    .y_v = FIXED (Y_OF_V * (chroma), 32768),                                   \
    .u_u = FIXED (U_OF_U * (chroma)-1, 65536),                                 \
    .u_v = FIXED (U_OF_V * (chroma), 65536),                                   \
    .v_u = FIXED (V_OF_U * (chroma), 65536),                                   \
    .v_v = FIXED (V_OF_V * (chroma)-1, 65536),                                 \
  }

static const VigilColourMatrix from_709[] = {
    [VIGIL_RANGE_LIMITED] = MATRIX (16, LUMA_SCALE, CHROMA_SCALE),
    [VIGIL_RANGE_FULL] = MATRIX (0, 1, 1),
};

VigilColour *
vigil_colour_new (VigilColourSpeed speed)
{
  VigilColour *self = g_new0 (VigilColour, 1);

  self->kernels = speed == VIGIL_COLOUR_BEST
                      ? vigil_colour_kernels_get_best ()
                      : vigil_colour_kernels_get_portable ();
  return self;
}

void
vigil_colour_free (VigilColour *self)
{
  if (self == NULL)
    return;
  g_free (self->planes);
  g_free (self->row_u);
  g_free (self->row_v);
  g_free (self->delta);
  g_free (self);
}

static int
chroma_of (int size)
{
  return (size + 1) / 2;
}

/* Points @ret_planes at buffers of our own for @frame's size, rounded up to
 * whole chroma samples. */
static gboolean
prepare_planes (VigilColour *self, const VigilFrame *frame,
    VigilColourPlanes *ret_planes, GError **error)
{
  const size_t luma_stride = ((size_t)frame->width + 63) & ~(size_t)63;
  const size_t chroma_stride = luma_stride / 2;
  const size_t chroma_rows = (size_t)chroma_of (frame->height);
  const size_t luma_bytes = luma_stride * chroma_rows * 2;
  const size_t chroma_bytes = chroma_stride * chroma_rows;
  const size_t bytes = luma_bytes + 2 * chroma_bytes;

  if (self->planes_bytes < bytes) {
    g_clear_pointer (&self->planes, g_free);
    self->planes_bytes = 0;
    self->planes = g_try_malloc (bytes);
    if (self->planes == NULL) {
      g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_LIMIT,
          "frame of %dx%d: no memory for its planes", frame->width,
          frame->height);
      return FALSE;
    }
    self->planes_bytes = bytes;
  }
  if (self->row_width < frame->width) {
    self->row_u = g_realloc (self->row_u, chroma_stride);
    self->row_v = g_realloc (self->row_v, chroma_stride);
    self->delta = g_realloc_n (self->delta, luma_stride, sizeof (int16_t));
    self->row_width = frame->width;
  }
  ret_planes->planes[0] = self->planes;
  ret_planes->planes[1] = self->planes + luma_bytes;
  ret_planes->planes[2] = self->planes + luma_bytes + chroma_bytes;
  ret_planes->strides[0] = (int)luma_stride;
  ret_planes->strides[1] = (int)chroma_stride;
  ret_planes->strides[2] = (int)chroma_stride;
  return TRUE;
}

static const uint8_t *
row_of (const VigilFrame *frame, int plane, int row)
{
  return frame->planes[plane] + (ptrdiff_t)frame->strides[plane] * row;
}

/* Row of planes that prepare_planes made, which are ours to write. */
static uint8_t *
own_row_of (const VigilColourPlanes *planes, int plane, int row)
{
  return (uint8_t *)planes->planes[plane] +
         (ptrdiff_t)planes->strides[plane] * row;
}

/* Repeats the last sample and row of luma where sizes are odd: the JPEG
 * library reads luma in whole chroma samples. */
static void
pad_luma (const VigilFrame *frame, const VigilColourPlanes *planes)
{
  const int width = frame->width;
  const int height = frame->height;

  if (width % 2 != 0) {
    for (int row = 0; row < height; row++) {
      uint8_t *luma = own_row_of (planes, 0, row);

      luma[width] = luma[width - 1];
    }
  }
  if (height % 2 != 0)
    memcpy (own_row_of (planes, 0, height), own_row_of (planes, 0, height - 1),
        (size_t)chroma_of (width) * 2);
}

static void
expand_luma_row (VigilColour *self, const VigilFrame *frame,
    const VigilColourPlanes *planes, int row)
{
  self->kernels->expand_luma (
      row_of (frame, 0, row), own_row_of (planes, 0, row), frame->width);
}

/* Row @row of chroma, split into our own rows when it is interleaved. */
static void
get_chroma_row (VigilColour *self, const VigilFrame *frame, int row,
    const uint8_t **ret_u, const uint8_t **ret_v)
{
  if (frame->pixels == VIGIL_PIXELS_I420) {
    *ret_u = row_of (frame, 1, row);
    *ret_v = row_of (frame, 2, row);
    return;
  }
  self->kernels->split (row_of (frame, 1, row), self->row_u, self->row_v,
      chroma_of (frame->width));
  *ret_u = self->row_u;
  *ret_v = self->row_v;
}

/* Two rows of luma and one of chroma at a time, so that what one kernel
 * wrote is still in the cache for the next. */
static void
expand_range (
    VigilColour *self, const VigilFrame *frame, VigilColourPlanes *planes)
{
  const int chroma_width = chroma_of (frame->width);

  for (int row = 0; row < frame->height; row += 2) {
    const uint8_t *u, *v;

    expand_luma_row (self, frame, planes, row);
    if (row + 1 < frame->height)
      expand_luma_row (self, frame, planes, row + 1);
    get_chroma_row (self, frame, row / 2, &u, &v);
    self->kernels->expand_chroma (
        u, own_row_of (planes, 1, row / 2), chroma_width);
    self->kernels->expand_chroma (
        v, own_row_of (planes, 2, row / 2), chroma_width);
  }
}

static void
convert_from_709 (
    VigilColour *self, const VigilFrame *frame, VigilColourPlanes *planes)
{
  const VigilColourMatrix *matrix = &from_709[frame->range];

  for (int row = 0; row < frame->height; row += 2) {
    const uint8_t *u, *v;

    get_chroma_row (self, frame, row / 2, &u, &v);
    self->kernels->convert_chroma (matrix, u, v,
        own_row_of (planes, 1, row / 2), own_row_of (planes, 2, row / 2),
        self->delta, chroma_of (frame->width));
    for (int i = row; i < row + 2 && i < frame->height; i++)
      self->kernels->convert_luma (matrix, row_of (frame, 0, i), self->delta,
          own_row_of (planes, 0, i), frame->width);
  }
}

static gboolean
is_odd (const VigilFrame *frame)
{
  return frame->width % 2 != 0 || frame->height % 2 != 0;
}

/* The samples are right, but not how they lie. */
static void
rearrange (
    VigilColour *self, const VigilFrame *frame, VigilColourPlanes *planes)
{
  for (int row = 0; row < chroma_of (frame->height); row++) {
    const uint8_t *u, *v;
    const size_t chroma_width = (size_t)chroma_of (frame->width);

    get_chroma_row (self, frame, row, &u, &v);
    memcpy (own_row_of (planes, 1, row), u, chroma_width);
    memcpy (own_row_of (planes, 2, row), v, chroma_width);
  }
  if (!is_odd (frame)) {
    planes->planes[0] = frame->planes[0];
    planes->strides[0] = frame->strides[0];
    return;
  }
  for (int row = 0; row < frame->height; row++)
    memcpy (own_row_of (planes, 0, row), row_of (frame, 0, row),
        (size_t)frame->width);
}

static gboolean
is_ready (const VigilFrame *frame)
{
  if (frame->pixels == VIGIL_PIXELS_GRAY8)
    return frame->range == VIGIL_RANGE_FULL;
  return frame->pixels == VIGIL_PIXELS_I420 &&
         frame->range == VIGIL_RANGE_FULL &&
         frame->matrix == VIGIL_MATRIX_BT601 && !is_odd (frame);
}

gboolean
vigil_colour_to_jpeg_planes (VigilColour *self, const VigilFrame *frame,
    VigilColourPlanes *ret_planes, GError **error)
{
  g_return_val_if_fail (self != NULL && frame != NULL, FALSE);
  g_return_val_if_fail (frame->pixels == VIGIL_PIXELS_I420 ||
                            frame->pixels == VIGIL_PIXELS_NV12 ||
                            frame->pixels == VIGIL_PIXELS_GRAY8,
      FALSE);

  if (is_ready (frame)) {
    memcpy (ret_planes->planes, frame->planes, sizeof (frame->planes));
    memcpy (ret_planes->strides, frame->strides, sizeof (frame->strides));
    return TRUE;
  }
  if (!prepare_planes (self, frame, ret_planes, error))
    return FALSE;
  if (frame->pixels == VIGIL_PIXELS_GRAY8) {
    for (int row = 0; row < frame->height; row++)
      expand_luma_row (self, frame, ret_planes, row);
    return TRUE;
  }
  if (frame->matrix == VIGIL_MATRIX_BT709)
    convert_from_709 (self, frame, ret_planes);
  else if (frame->range == VIGIL_RANGE_LIMITED)
    expand_range (self, frame, ret_planes);
  else
    rearrange (self, frame, ret_planes);
  if (is_odd (frame))
    pad_luma (frame, ret_planes);
  return TRUE;
}

/* What makes RGB of YCbCr, in 65536ths. */
typedef struct {
  int offset; /* of luma */
  int luma;
  int red_v, green_u, green_v, blue_u;
} RgbMatrix;

#define RGB_MATRIX(red, blue, black, luma_scale, chroma_scale)                 \
  {                                                                            \
    .offset = (black), .luma = (int)((luma_scale)*65536 + 0.5),                \
    .red_v = (int)(2 * (1 - (red)) * (chroma_scale)*65536 + 0.5),              \
    .green_u = (int)(-2 * (1 - (blue)) * (blue) / (1 - (red) - (blue)) *       \
                         (chroma_scale)*65536 -                                \
                     0.5),                                                     \
    .green_v = (int)(-2 * (1 - (red)) * (red) / (1 - (red) - (blue)) *         \
                         (chroma_scale)*65536 -                                \
                     0.5),                                                     \
    .blue_u = (int)(2 * (1 - (blue)) * (chroma_scale)*65536 + 0.5),            \
  }

static const RgbMatrix to_rgb[2][2] = {
    [VIGIL_MATRIX_BT601] =
        {
            [VIGIL_RANGE_LIMITED] =
                RGB_MATRIX (RED_601, BLUE_601, 16, LUMA_SCALE, CHROMA_SCALE),
            [VIGIL_RANGE_FULL] = RGB_MATRIX (RED_601, BLUE_601, 0, 1, 1),
        },
    [VIGIL_MATRIX_BT709] =
        {
            [VIGIL_RANGE_LIMITED] =
                RGB_MATRIX (RED_709, BLUE_709, 16, LUMA_SCALE, CHROMA_SCALE),
            [VIGIL_RANGE_FULL] = RGB_MATRIX (RED_709, BLUE_709, 0, 1, 1),
        },
};

static uint8_t
to_byte (int value)
{
  return (uint8_t)CLAMP ((value + 32768) >> 16, 0, 255);
}

void
vigil_colour_row_to_rgb (const VigilFrame *frame, int row, uint8_t *out)
{
  const gboolean is_planar = frame->pixels == VIGIL_PIXELS_I420;
  const RgbMatrix m = to_rgb[frame->matrix][frame->range];
  const uint8_t *luma = row_of (frame, 0, row);
  const uint8_t *u = row_of (frame, 1, row / 2);
  const uint8_t *v = is_planar ? row_of (frame, 2, row / 2) : u + 1;
  const int step = is_planar ? 1 : 2;

  for (int i = 0; i < frame->width; i++) {
    const int y = (luma[i] - m.offset) * m.luma;
    const int cb = u[i / 2 * step] - 128;
    const int cr = v[i / 2 * step] - 128;

    out[3 * i] = to_byte (y + m.red_v * cr);
    out[3 * i + 1] = to_byte (y + m.green_u * cb + m.green_v * cr);
    out[3 * i + 2] = to_byte (y + m.blue_u * cb);
  }
}
