/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PNG by libpng, 8 bits a sample. Rows are handed over as they lie in the
 * frame; YUV is converted row by row. What the library writes is gathered in
 * a buffer that grows as it must, and copied out at its exact size: queues
 * that are bounded by bytes then hold what they count.
 */
#include "encode/encoder-list.h"

#include "base/error.h"
#include "encode/colour.h"
#include <png.h>
#include <setjmp.h>
#include <string.h>

typedef struct {
  int level;
  VigilColour *colour;
  uint8_t *row; /* RGB of one row of YUV */
  int row_width;
  GByteArray *output; /* the image; keeps its room from frame to frame */
  char message[256];  /* of the library's last error */
} PngState;

static void *
png_open (int level, GError **error)
{
  PngState *self = g_new0 (PngState, 1);

  self->level = level;
  self->colour = vigil_colour_new (VIGIL_COLOUR_BEST);
  self->output = g_byte_array_new ();
  return self;
}

static void
png_close (void *state)
{
  PngState *self = state;

  vigil_colour_free (self->colour);
  g_byte_array_unref (self->output);
  g_free (self->row);
  g_free (self);
}

static void
on_error (png_structp png, png_const_charp message)
{
  PngState *self = png_get_error_ptr (png);

  g_strlcpy (self->message, message, sizeof (self->message));
  png_longjmp (png, 1);
}

/* Warnings concern ancillary chunks, of which we write none. */
static void
on_warning (png_structp png, png_const_charp message)
{
}

static void
on_write (png_structp png, png_bytep data, size_t size)
{
  PngState *self = png_get_io_ptr (png);

  if (size > G_MAXUINT - self->output->len)
    png_error (png, "image of more than 4 GiB");
  g_byte_array_append (self->output, data, (unsigned)size);
}

static void
on_flush (png_structp png)
{
}

static int
get_colour_type (VigilPixels pixels)
{
  switch (pixels) {
  case VIGIL_PIXELS_RGBA:
  case VIGIL_PIXELS_BGRA:
    return PNG_COLOR_TYPE_RGB_ALPHA;
  case VIGIL_PIXELS_GRAY8:
    return PNG_COLOR_TYPE_GRAY;
  case VIGIL_PIXELS_RGB:
  case VIGIL_PIXELS_BGR:
  case VIGIL_PIXELS_RGBX:
  case VIGIL_PIXELS_BGRX:
  case VIGIL_PIXELS_NV12:
  case VIGIL_PIXELS_I420:
  case VIGIL_PIXELS_NONE:
  case VIGIL_PIXELS_OTHER:
    return PNG_COLOR_TYPE_RGB;
  }
  return PNG_COLOR_TYPE_RGB;
}

static void
write_header (
    png_structp png, png_infop info, int level, const VigilFrame *frame)
{
  const VigilPixels pixels = frame->pixels;

  /* libpng's own limit is a million; ours was checked before */
  png_set_IHDR (png, info, (png_uint_32)frame->width,
      (png_uint_32)frame->height, 8, get_colour_type (pixels),
      PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
      PNG_FILTER_TYPE_DEFAULT);
  png_set_compression_level (png, level);
  png_write_info (png, info);
  if (pixels == VIGIL_PIXELS_BGR || pixels == VIGIL_PIXELS_BGRA ||
      pixels == VIGIL_PIXELS_BGRX)
    png_set_bgr (png);
  if (pixels == VIGIL_PIXELS_RGBX || pixels == VIGIL_PIXELS_BGRX)
    png_set_filler (png, 0, PNG_FILLER_AFTER);
}

/* Everything that may jump out of the library; nothing here owns anything. */
static gboolean
write_image (PngState *self, png_structp png, png_infop info,
    const VigilFrame *frame, const VigilColourPlanes *picture)
{
  const gboolean is_yuv =
      frame->pixels == VIGIL_PIXELS_NV12 || frame->pixels == VIGIL_PIXELS_I420;

  if (setjmp (png_jmpbuf (png)) != 0)
    return FALSE;
  png_set_write_fn (png, self, on_write, on_flush);
  write_header (png, info, self->level, frame);
  for (int row = 0; row < frame->height; row++) {
    if (is_yuv)
      vigil_colour_row_to_rgb (frame, row, self->row);
    png_write_row (png,
        is_yuv ? self->row
               : picture->planes[0] + (ptrdiff_t)picture->strides[0] * row);
  }
  png_write_end (png, NULL);
  return TRUE;
}

/* Fills @ret_picture with what rows are read from, and makes room. */
static gboolean
prepare (PngState *self, const VigilFrame *frame,
    VigilColourPlanes *ret_picture, GError **error)
{
  if (self->row_width < frame->width) {
    self->row = g_realloc_n (self->row, (size_t)frame->width, 3);
    self->row_width = frame->width;
  }
  if (frame->pixels == VIGIL_PIXELS_GRAY8)
    return vigil_colour_to_jpeg_planes (
        self->colour, frame, ret_picture, error);
  ret_picture->planes[0] = frame->planes[0];
  ret_picture->strides[0] = frame->strides[0];
  return TRUE;
}

static GBytes *
png_encode (void *state, const VigilFrame *frame, GError **error)
{
  PngState *self = state;
  VigilColourPlanes picture;
  png_structp png;
  png_infop info;
  gboolean is_written;

  if (!prepare (self, frame, &picture, error))
    return NULL;
  g_strlcpy (self->message, "no memory", sizeof (self->message));
  png = png_create_write_struct (
      PNG_LIBPNG_VER_STRING, self, on_error, on_warning);
  info = png != NULL ? png_create_info_struct (png) : NULL;
  g_byte_array_set_size (self->output, 0);
  is_written = info != NULL && write_image (self, png, info, frame, &picture);
  png_destroy_write_struct (&png, &info);
  if (!is_written) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_FAILED,
        "could not encode a png of %dx%d: %s", frame->width, frame->height,
        self->message);
    return NULL;
  }
  return g_bytes_new (self->output->data, self->output->len);
}

const VigilEncoderOps vigil_png_ops = {
    .name = "png",
    .content_type = "image/png",
    .minimum_level = 0,
    .maximum_level = 9,
    .default_level = 6,
    .open = png_open,
    .encode = png_encode,
    .close = png_close,
};
