/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JPEG by libturbojpeg. YUV and grey go in as planes, packed RGB in one
 * piece.
 *
 * The library writes into a scratch buffer of the worst case's size (its
 * pages are touched only as far as images reach); the result is copied out
 * at its exact size. The copy is some hundredths of a per cent of the
 * encode, and queues that are bounded by bytes then hold what they count.
 */
#include "encode/encoder-list.h"

#include "base/error.h"
#include "encode/colour.h"
#include <turbojpeg.h>

typedef struct {
  tjhandle handle;
  VigilColour *colour;
  int quality;
  unsigned char *scratch;
  unsigned long scratch_bytes;
} JpegState;

static void
jpeg_close (void *state)
{
  JpegState *self = state;

  if (self->handle != NULL)
    tjDestroy (self->handle);
  vigil_colour_free (self->colour);
  g_free (self->scratch);
  g_free (self);
}

static void *
jpeg_open (int level, GError **error)
{
  JpegState *self = g_new0 (JpegState, 1);

  self->quality = level;
  self->colour = vigil_colour_new (VIGIL_COLOUR_BEST);
  self->handle = tjInitCompress ();
  if (self->handle == NULL) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_FAILED,
        "could not start the jpeg encoder: %s", tjGetErrorStr2 (NULL));
    jpeg_close (self);
    return NULL;
  }
  return self;
}

/* Makes the scratch buffer large enough for any image of @frame's size. */
static gboolean
prepare_scratch (
    JpegState *self, const VigilFrame *frame, int subsampling, GError **error)
{
  const unsigned long bytes =
      tjBufSize (frame->width, frame->height, subsampling);

  if (self->scratch_bytes >= bytes && bytes != (unsigned long)-1)
    return TRUE;
  g_clear_pointer (&self->scratch, g_free);
  self->scratch_bytes = 0;
  if (bytes != (unsigned long)-1)
    self->scratch = g_try_malloc (bytes);
  if (self->scratch == NULL) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_LIMIT,
        "frame of %dx%d: no memory to encode it", frame->width, frame->height);
    return FALSE;
  }
  self->scratch_bytes = bytes;
  return TRUE;
}

/* Compresses into the scratch buffer; returns as the library does. */
static int
compress_planes (JpegState *self, const VigilFrame *frame, int subsampling,
    const VigilColourPlanes *picture, unsigned long *ret_bytes)
{
  /* the library's prototype lacks a const that it keeps */
  return tjCompressFromYUVPlanes (self->handle,
      (const unsigned char **)picture->planes, frame->width, picture->strides,
      frame->height, subsampling, &self->scratch, ret_bytes, self->quality,
      TJFLAG_NOREALLOC);
}

static int
compress_packed (JpegState *self, const VigilFrame *frame, int format,
    int subsampling, unsigned long *ret_bytes)
{
  return tjCompress2 (self->handle, frame->planes[0], frame->width,
      frame->strides[0], frame->height, format, &self->scratch, ret_bytes,
      subsampling, self->quality, TJFLAG_NOREALLOC);
}

/* The library's name of a packed format; -1 for the others. */
static int
get_packed_format (VigilPixels pixels)
{
  switch (pixels) {
  case VIGIL_PIXELS_RGB:
    return TJPF_RGB;
  case VIGIL_PIXELS_BGR:
    return TJPF_BGR;
  case VIGIL_PIXELS_RGBA:
  case VIGIL_PIXELS_RGBX: /* JPEG has no alpha */
    return TJPF_RGBX;
  case VIGIL_PIXELS_BGRA:
  case VIGIL_PIXELS_BGRX:
    return TJPF_BGRX;
  case VIGIL_PIXELS_NONE:
  case VIGIL_PIXELS_GRAY8:
  case VIGIL_PIXELS_NV12:
  case VIGIL_PIXELS_I420:
  case VIGIL_PIXELS_OTHER:
    return -1;
  }
  return -1;
}

static GBytes *
jpeg_encode (void *state, const VigilFrame *frame, GError **error)
{
  JpegState *self = state;
  const int subsampling =
      frame->pixels == VIGIL_PIXELS_GRAY8 ? TJSAMP_GRAY : TJSAMP_420;
  const int format = get_packed_format (frame->pixels);
  unsigned long bytes = 0;
  int failed;

  if (!prepare_scratch (self, frame, subsampling, error))
    return NULL;
  if (format >= 0) {
    failed = compress_packed (self, frame, format, subsampling, &bytes);
  } else {
    VigilColourPlanes picture;

    if (!vigil_colour_to_jpeg_planes (self->colour, frame, &picture, error))
      return NULL;
    failed = compress_planes (self, frame, subsampling, &picture, &bytes);
  }
  if (failed != 0) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_FAILED,
        "could not encode a jpeg of %dx%d: %s", frame->width, frame->height,
        tjGetErrorStr2 (self->handle));
    return NULL;
  }
  return g_bytes_new (self->scratch, bytes);
}

const VigilEncoderOps vigil_jpeg_ops = {
    .name = "jpeg",
    .content_type = "image/jpeg",
    .minimum_level = 0,
    .maximum_level = 100,
    .default_level = 85,
    .open = jpeg_open,
    .encode = jpeg_encode,
    .close = jpeg_close,
};
