/* SPDX-License-Identifier: Apache-2.0 */
/* Images that come from outside, as buffers of an appsrc. */
#include "pipeline/image-source.h"

#include "base/error.h"
#include <gst/app/gstappsrc.h>
#include <gst/base/gsttypefindhelper.h>

/* As in DLSPS. */
#define WAITING_MAX 100

/* Returns: (transfer full) (nullable). */
static GstElement *
find_source (GstBin *pipeline)
{
  GstElement *element = gst_bin_get_by_name (pipeline, "source");

  if (element != NULL && !GST_IS_APP_SRC (element))
    g_clear_pointer (&element, gst_object_unref);
  return element;
}

gboolean
vigil_image_source_init (GstBin *pipeline, GError **error)
{
  g_autoptr (GstElement) source = find_source (pipeline);

  if (source == NULL) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID,
        "pipeline: an image_ingestor wants {auto_source}, or an appsrc named "
        "source");
    return FALSE;
  }
  /* Live: images come when they come, and no frame is waited for. */
  g_object_set (source, "format", GST_FORMAT_TIME, "is-live", TRUE,
      "do-timestamp", FALSE, "block", FALSE, "max-bytes",
      G_GUINT64_CONSTANT (0), "max-buffers", G_GUINT64_CONSTANT (0), "max-time",
      G_GUINT64_CONSTANT (0), NULL);
  return TRUE;
}

/* A decodebin alone would wait for more bytes than a small image has before
 * it says what they are. */
static gboolean
set_caps (GstAppSrc *source, GBytes *image, GError **error)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (image, &size);
  g_autoptr (GstCaps) caps =
      gst_type_find_helper_for_data (NULL, data, size, NULL);
  const char *type =
      caps != NULL ? gst_structure_get_name (gst_caps_get_structure (caps, 0))
                   : "unknown";

  /* A decoder would end the pipeline over what is no picture. */
  if (!g_str_has_prefix (type, "image/") &&
      !g_str_has_prefix (type, "video/")) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID,
        "the bytes are of type %s: want an image", type);
    return FALSE;
  }
  gst_app_src_set_caps (source, caps);
  return TRUE;
}

static gboolean
refuse (GError **error)
{
  g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_UNAVAILABLE,
      "the pipeline takes no images: it is not running");
  return FALSE;
}

gboolean
vigil_image_source_push (
    GstBin *pipeline, GBytes *image, int64_t pts_ns, GError **error)
{
  g_autoptr (GstElement) element = find_source (pipeline);
  GstAppSrc *source = (GstAppSrc *)element; /* or NULL */
  GstBuffer *buffer;

  if (element == NULL)
    return refuse (error);
  if (gst_app_src_get_current_level_buffers (source) >= WAITING_MAX) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_LIMIT,
        "%d images wait already", WAITING_MAX);
    return FALSE;
  }
  if (!set_caps (source, image, error))
    return FALSE;
  buffer = gst_buffer_new_wrapped_bytes (image);
  GST_BUFFER_PTS (buffer) = (GstClockTime)pts_ns;
  /* The buffer is theirs, whatever they answer. */
  if (gst_app_src_push_buffer (source, buffer) != GST_FLOW_OK)
    return refuse (error);
  return TRUE;
}
