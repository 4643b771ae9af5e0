/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GstVideoConverter behind a frame. The format it converts to is the one
 * that keeps the most of the source: grey stays grey, alpha stays, YUV
 * becomes I420 with the same range, matrix as far as the model knows it.
 */
#include "pipeline/converter.h"

#include "base/error.h"
#include <pthread.h>

struct _VigilConverter {
  gatomicrefcount reference_count;
  GstVideoInfo from;
  GstVideoInfo to;
  VigilPixels pixels;
  pthread_mutex_t lock;         /* protects converter: it works in place */
  GstVideoConverter *converter; /* nullable until used */
};

typedef struct {
  GstVideoFrame video;
  GstBuffer *buffer;
} Owner;

static void
choose_format (VigilConverter *self)
{
  GstVideoFormat format = GST_VIDEO_FORMAT_I420;

  self->pixels = VIGIL_PIXELS_I420;
  if (GST_VIDEO_INFO_IS_GRAY (&self->from)) {
    format = GST_VIDEO_FORMAT_GRAY8;
    self->pixels = VIGIL_PIXELS_GRAY8;
  } else if (GST_VIDEO_INFO_HAS_ALPHA (&self->from)) {
    format = GST_VIDEO_FORMAT_RGBA;
    self->pixels = VIGIL_PIXELS_RGBA;
  } else if (GST_VIDEO_INFO_IS_RGB (&self->from) ||
             GST_VIDEO_INFO_IS_INTERLACED (&self->from)) {
    /* The chroma lines of interlaced 4:2:0 belong to fields; RGB has none. */
    format = GST_VIDEO_FORMAT_RGB;
    self->pixels = VIGIL_PIXELS_RGB;
  }
  gst_video_info_set_format (&self->to, format,
      GST_VIDEO_INFO_WIDTH (&self->from), GST_VIDEO_INFO_HEIGHT (&self->from));
  /* GstVideoConverter changes neither, and insists on it. */
  self->to.fps_n = self->from.fps_n;
  self->to.fps_d = self->from.fps_d;
  self->to.interlace_mode = self->from.interlace_mode;
  if (format != GST_VIDEO_FORMAT_I420)
    return;
  self->to.colorimetry = self->from.colorimetry;
  if (self->to.colorimetry.matrix != GST_VIDEO_COLOR_MATRIX_BT601 &&
      self->to.colorimetry.matrix != GST_VIDEO_COLOR_MATRIX_BT709)
    self->to.colorimetry.matrix = GST_VIDEO_COLOR_MATRIX_BT709;
}

VigilConverter *
vigil_converter_new (const GstVideoInfo *info)
{
  VigilConverter *self = g_new0 (VigilConverter, 1);

  g_atomic_ref_count_init (&self->reference_count);
  pthread_mutex_init (&self->lock, NULL);
  self->from = *info;
  gst_video_info_init (&self->to);
  choose_format (self);
  return self;
}

VigilConverter *
vigil_converter_ref (VigilConverter *self)
{
  g_atomic_ref_count_inc (&self->reference_count);
  return self;
}

void
vigil_converter_unref (VigilConverter *self)
{
  if (self == NULL || !g_atomic_ref_count_dec (&self->reference_count))
    return;
  g_clear_pointer (&self->converter, gst_video_converter_free);
  pthread_mutex_destroy (&self->lock);
  g_free (self);
}

static void
free_owner (void *data)
{
  Owner *owner = data;

  gst_video_frame_unmap (&owner->video);
  gst_buffer_unref (owner->buffer);
  g_free (owner);
}

static VigilFrame *
wrap (const VigilConverter *self, Owner *owner)
{
  VigilFrame *frame = vigil_frame_new ();

  frame->media_type = g_strdup ("video/x-raw");
  frame->format =
      g_strdup (gst_video_format_to_string (GST_VIDEO_INFO_FORMAT (&self->to)));
  frame->caps =
      g_strdup_printf ("video/x-raw, format=(string)%s", frame->format);
  frame->width = GST_VIDEO_INFO_WIDTH (&self->to);
  frame->height = GST_VIDEO_INFO_HEIGHT (&self->to);
  frame->pixels = self->pixels;
  frame->range = self->to.colorimetry.range == GST_VIDEO_COLOR_RANGE_16_235
                     ? VIGIL_RANGE_LIMITED
                     : VIGIL_RANGE_FULL;
  frame->matrix = self->to.colorimetry.matrix == GST_VIDEO_COLOR_MATRIX_BT709
                      ? VIGIL_MATRIX_BT709
                      : VIGIL_MATRIX_BT601;
  for (unsigned i = 0; i < GST_VIDEO_FRAME_N_PLANES (&owner->video); i++) {
    frame->planes[i] = GST_VIDEO_FRAME_PLANE_DATA (&owner->video, i);
    frame->strides[i] = GST_VIDEO_FRAME_PLANE_STRIDE (&owner->video, i);
  }
  frame->data = owner->video.map[0].data;
  frame->size = owner->video.map[0].size;
  frame->owner = owner;
  frame->free_owner = free_owner;
  return frame;
}

VigilFrame *
vigil_converter_convert (
    VigilConverter *self, GstBuffer *buffer, GError **error)
{
  GstVideoFrame source;
  Owner *owner;
  gboolean is_converted;

  g_return_val_if_fail (self != NULL && GST_IS_BUFFER (buffer), NULL);

  if (!gst_video_frame_map (&source, &self->from, buffer, GST_MAP_READ)) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_FAILED,
        "cannot map a frame of %s",
        gst_video_format_to_string (GST_VIDEO_INFO_FORMAT (&self->from)));
    return NULL;
  }
  owner = g_new0 (Owner, 1);
  owner->buffer =
      gst_buffer_new_allocate (NULL, GST_VIDEO_INFO_SIZE (&self->to), NULL);
  if (owner->buffer == NULL || !gst_video_frame_map (&owner->video, &self->to,
                                   owner->buffer, GST_MAP_READWRITE)) {
    gst_video_frame_unmap (&source);
    gst_clear_buffer (&owner->buffer);
    g_free (owner);
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_LIMIT,
        "no memory for a converted frame of %zu bytes",
        GST_VIDEO_INFO_SIZE (&self->to));
    return NULL;
  }
  pthread_mutex_lock (&self->lock);
  if (self->converter == NULL)
    self->converter = gst_video_converter_new (&self->from, &self->to, NULL);
  is_converted = self->converter != NULL;
  if (is_converted)
    gst_video_converter_frame (self->converter, &source, &owner->video);
  pthread_mutex_unlock (&self->lock);
  gst_video_frame_unmap (&source);
  if (!is_converted) {
    free_owner (owner);
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_UNSUPPORTED,
        "no conversion from %s: put videoconvert before the appsink",
        gst_video_format_to_string (GST_VIDEO_INFO_FORMAT (&self->from)));
    return NULL;
  }
  return wrap (self, owner);
}
