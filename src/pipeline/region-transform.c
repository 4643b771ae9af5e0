/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GStreamer's own transformation of a region, and behind it a copy of what
 * it has left out. The parameters hold for any size: pixels are in the meta
 * alone, and a detector's box is in parts of the picture.
 */
#include "pipeline/region-transform.h"

#include <gst/video/video.h>

static GstMetaTransformFunction original;

/* The one that was added last. Returns: (nullable) (transfer none). */
static GstVideoRegionOfInterestMeta *
find_last (GstBuffer *buffer)
{
  const GType api = GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE;
  GstMeta *last = NULL;
  GstMeta *meta;
  gpointer state = NULL;

  while ((meta = gst_buffer_iterate_meta_filtered (buffer, &state, api)))
    last = meta;
  return (GstVideoRegionOfInterestMeta *)last;
}

static gboolean
transform (GstBuffer *target, GstMeta *meta, GstBuffer *buffer, GQuark type,
    gpointer data)
{
  const GstVideoRegionOfInterestMeta *from =
      (const GstVideoRegionOfInterestMeta *)meta;
  GstVideoRegionOfInterestMeta *to;

  if (!original (target, meta, buffer, type, data))
    return FALSE;
  to = find_last (target);
  /* A later GStreamer may copy them itself. */
  if (to == NULL || to->id != from->id || to->params != NULL)
    return TRUE;
  for (const GList *item = from->params; item != NULL; item = item->next)
    gst_video_region_of_interest_meta_add_param (
        to, gst_structure_copy (item->data));
  return TRUE;
}

void
vigil_region_transform_install (void)
{
  /* Allocated by gst_meta_register; const for its readers only. */
  GstMetaInfo *info =
      (GstMetaInfo *)gst_video_region_of_interest_meta_get_info ();

  g_return_if_fail (info->transform_func != NULL);
  g_return_if_fail (info->transform_func != transform);

  original = info->transform_func;
  info->transform_func = transform;
}
