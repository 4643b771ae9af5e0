/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The registry of encoders, and the checks that every frame passes before an
 * implementation sees it.
 */
#include "encode/encoder.h"

#include "base/error.h"
#include "encode/encoder-list.h"

struct _VigilEncoder {
  const VigilEncoderOps *ops;
  int level;
  void *state; /* of ops */
};

static const VigilEncoderOps *const encoders[] = {
    &vigil_jpeg_ops,
    &vigil_png_ops,
    NULL,
};

const VigilEncoderOps *
vigil_encoder_find (const char *name)
{
  g_return_val_if_fail (name != NULL, NULL);

  for (unsigned i = 0; encoders[i] != NULL; i++) {
    if (g_ascii_strcasecmp (encoders[i]->name, name) == 0)
      return encoders[i];
  }
  return NULL;
}

const VigilEncoderOps *const *
vigil_encoder_list (void)
{
  return encoders;
}

VigilEncoder *
vigil_encoder_new (const VigilEncoderOps *ops, int level, GError **error)
{
  g_autofree VigilEncoder *self = g_new0 (VigilEncoder, 1);

  g_return_val_if_fail (ops != NULL, NULL);

  if (level == -1)
    level = ops->default_level;
  if (level < ops->minimum_level || level > ops->maximum_level) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID,
        "%s level %d: want %d to %d", ops->name, level, ops->minimum_level,
        ops->maximum_level);
    return NULL;
  }
  self->ops = ops;
  self->level = level;
  self->state = ops->open (level, error);
  if (self->state == NULL)
    return NULL;
  return g_steal_pointer (&self);
}

void
vigil_encoder_free (VigilEncoder *self)
{
  if (self == NULL)
    return;
  self->ops->close (self->state);
  g_free (self);
}

int
vigil_encoder_get_level (const VigilEncoder *self)
{
  g_return_val_if_fail (self != NULL, -1);

  return self->level;
}

/* Fills @ret_bytes with what a row of each plane takes; returns the number
 * of planes, 0 for what no encoder takes. */
static unsigned
get_row_bytes (const VigilFrame *frame, int ret_bytes[3])
{
  const int chroma_width = (frame->width + 1) / 2;

  ret_bytes[0] = frame->width;
  switch (frame->pixels) {
  case VIGIL_PIXELS_RGB:
  case VIGIL_PIXELS_BGR:
    ret_bytes[0] = frame->width * 3;
    return 1;
  case VIGIL_PIXELS_RGBA:
  case VIGIL_PIXELS_BGRA:
  case VIGIL_PIXELS_RGBX:
  case VIGIL_PIXELS_BGRX:
    ret_bytes[0] = frame->width * 4;
    return 1;
  case VIGIL_PIXELS_GRAY8:
    return 1;
  case VIGIL_PIXELS_NV12:
    ret_bytes[1] = chroma_width * 2;
    return 2;
  case VIGIL_PIXELS_I420:
    ret_bytes[1] = chroma_width;
    ret_bytes[2] = chroma_width;
    return 3;
  case VIGIL_PIXELS_NONE:
  case VIGIL_PIXELS_OTHER:
    return 0;
  }
  return 0;
}

static gboolean
check_size (const VigilFrame *frame, GError **error)
{
  if (frame->width < 1 || frame->height < 1) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID,
        "frame of %dx%d: want at least 1x1", frame->width, frame->height);
    return FALSE;
  }
  if (frame->width > VIGIL_ENCODER_SIZE_MAX ||
      frame->height > VIGIL_ENCODER_SIZE_MAX) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_LIMIT,
        "frame of %dx%d: want at most %d in width and height", frame->width,
        frame->height, VIGIL_ENCODER_SIZE_MAX);
    return FALSE;
  }
  return TRUE;
}

static gboolean
check_planes (const VigilFrame *frame, GError **error)
{
  int row_bytes[3];
  const unsigned planes = get_row_bytes (frame, row_bytes);

  for (unsigned i = 0; i < planes; i++) {
    if (frame->planes[i] == NULL) {
      g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID,
          "frame without plane %u: want %u planes", i, planes);
      return FALSE;
    }
    if (frame->strides[i] < row_bytes[i]) {
      g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID,
          "stride %d of plane %u: want at least %d", frame->strides[i], i,
          row_bytes[i]);
      return FALSE;
    }
  }
  return TRUE;
}

static gboolean
check_frame (const VigilFrame *frame, GError **error)
{
  if (!vigil_frame_is_raw (frame)) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_UNSUPPORTED,
        "frame of type '%s': want raw video",
        frame->media_type != NULL ? frame->media_type : "unknown");
    return FALSE;
  }
  if (frame->pixels == VIGIL_PIXELS_OTHER) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_UNSUPPORTED,
        "frame of format '%s': want RGB, BGR, RGBA, BGRA, RGBx, BGRx, GRAY8, "
        "NV12 or I420; convert it first",
        frame->format != NULL ? frame->format : "unknown");
    return FALSE;
  }
  return check_size (frame, error) && check_planes (frame, error);
}

GBytes *
vigil_encoder_encode (
    VigilEncoder *self, const VigilFrame *frame, GError **error)
{
  g_return_val_if_fail (self != NULL && frame != NULL, NULL);

  if (!check_frame (frame, error))
    return NULL;
  return self->ops->encode (self->state, frame, error);
}
