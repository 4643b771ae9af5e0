/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The frame that travels from a pipeline to the destinations. It owns its
 * texts and metadata; the picture's memory belongs to `owner`.
 */
#include "model/frame.h"

VigilFrame *
vigil_frame_new (void)
{
  VigilFrame *self = g_new0 (VigilFrame, 1);

  self->encoding_level = -1;
  self->pts = VIGIL_TIME_NONE;
  self->stream_time = VIGIL_TIME_NONE;
  self->capture_time = VIGIL_TIME_NONE;
  self->metadata = vigil_metadata_new ();
  atomic_init (&self->reference_count, 1);
  return self;
}

VigilFrame *
vigil_frame_ref (VigilFrame *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  atomic_fetch_add_explicit (&self->reference_count, 1, memory_order_relaxed);
  return self;
}

void
vigil_frame_unref (VigilFrame *self)
{
  if (self == NULL || atomic_fetch_sub_explicit (
                          &self->reference_count, 1, memory_order_acq_rel) != 1)
    return;
  if (self->free_owner != NULL)
    self->free_owner (self->owner);
  vigil_metadata_free (self->metadata);
  g_free (self->caps);
  g_free (self->media_type);
  g_free (self->format);
  g_free (self);
}

gboolean
vigil_frame_is_raw (const VigilFrame *self)
{
  g_return_val_if_fail (self != NULL, FALSE);

  return self->pixels != VIGIL_PIXELS_NONE;
}

int
vigil_frame_get_channels (const VigilFrame *self)
{
  g_return_val_if_fail (self != NULL, 0);

  switch (self->pixels) {
  case VIGIL_PIXELS_RGBA:
  case VIGIL_PIXELS_BGRA:
    return 4;
  case VIGIL_PIXELS_GRAY8:
    return 1;
  case VIGIL_PIXELS_NONE:
  case VIGIL_PIXELS_RGB:
  case VIGIL_PIXELS_BGR:
  case VIGIL_PIXELS_RGBX:
  case VIGIL_PIXELS_BGRX:
  case VIGIL_PIXELS_NV12:
  case VIGIL_PIXELS_I420:
  case VIGIL_PIXELS_OTHER:
    return 3;
  }
  return 3;
}
