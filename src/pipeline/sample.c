/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GstSample to VigilFrame: what the caps say is read once for each caps,
 * what the buffer says for each frame.
 */
#include "pipeline/sample.h"

#include "base/error.h"
#include "pipeline/buffer-metadata.h"
#include "pipeline/converter.h"
#include <gst/video/video.h>
#include <string.h>

/* Seconds from 1900 (NTP) to 1970 (Unix). */
#define NTP_TO_UNIX_S G_GUINT64_CONSTANT (2208988800)
/* How far upstream of the appsink its encoder is looked for. */
#define MAX_STEPS_UPSTREAM 32
/* Of formats with a palette, each in 32 bits. */
#define PALETTE_COLOURS 256

struct _VigilSampleReader {
  GstElement *sink;
  GstCaps *caps; /* what the members below were read from */
  char *caps_text;
  char *media_type;
  char *format;
  int width, height;
  gboolean is_raw;
  GstVideoInfo info; /* when is_raw */
  VigilPixels pixels;
  int encoding_level;
  VigilConverter *converter; /* when pixels is OTHER */
  GstCaps *ntp, *unix_epoch; /* reference timestamps */
};

/* What keeps a frame's memory alive. */
typedef struct {
  GstBuffer *buffer;
  GstMapInfo map;
  gboolean is_mapped;
  GstVideoFrame video;
  gboolean is_video_mapped;
  VigilConverter *converter; /* nullable */
} Owner;

static void
free_owner (void *data)
{
  Owner *owner = data;

  if (owner->is_video_mapped)
    gst_video_frame_unmap (&owner->video);
  if (owner->is_mapped)
    gst_buffer_unmap (owner->buffer, &owner->map);
  gst_buffer_unref (owner->buffer);
  vigil_converter_unref (owner->converter);
  g_free (owner);
}

static VigilFrame *
convert (const VigilFrame *frame, GError **error)
{
  Owner *owner = frame->owner;

  return vigil_converter_convert (owner->converter, owner->buffer, error);
}

/* ---- Caps -------------------------------------------------------------- */

static VigilPixels
find_pixels (const GstVideoInfo *info)
{
  /* What the model has no word for is converted: BT.2020 and interlaced
   * 4:2:0, whose chroma lines belong to fields. */
  if (GST_VIDEO_INFO_IS_YUV (info) &&
      info->colorimetry.matrix == GST_VIDEO_COLOR_MATRIX_BT2020)
    return VIGIL_PIXELS_OTHER;
  switch (GST_VIDEO_INFO_FORMAT (info)) {
  case GST_VIDEO_FORMAT_RGB:
    return VIGIL_PIXELS_RGB;
  case GST_VIDEO_FORMAT_BGR:
    return VIGIL_PIXELS_BGR;
  case GST_VIDEO_FORMAT_RGBA:
    return VIGIL_PIXELS_RGBA;
  case GST_VIDEO_FORMAT_BGRA:
    return VIGIL_PIXELS_BGRA;
  case GST_VIDEO_FORMAT_RGBx:
    return VIGIL_PIXELS_RGBX;
  case GST_VIDEO_FORMAT_BGRx:
    return VIGIL_PIXELS_BGRX;
  case GST_VIDEO_FORMAT_GRAY8:
    return VIGIL_PIXELS_GRAY8;
  case GST_VIDEO_FORMAT_NV12:
    return VIGIL_PIXELS_NV12;
  case GST_VIDEO_FORMAT_I420:
    return VIGIL_PIXELS_I420;
  default:
    return VIGIL_PIXELS_OTHER;
  }
}

/* The element that brings frames of one kind of memory to the system's. */
static const char *
find_download_element (const char *media_type)
{
  static const struct {
    const char *feature;
    const char *element;
  } elements[] = {
      {"VAMemory", "vapostproc"},
      {"DMABuf", "vapostproc"},
      {"VASurface", "vaapipostproc"},
      {"GLMemory", "gldownload"},
      {"CUDAMemory", "cudadownload"},
      {"NVMM", "nvvideoconvert"},
  };

  for (size_t i = 0; i < G_N_ELEMENTS (elements); i++)
    if (strstr (media_type, elements[i].feature) != NULL)
      return elements[i].element;
  return "a download element";
}

static int
read_level (GstElement *element)
{
  GstElementFactory *factory = gst_element_get_factory (element);
  const char *name = factory != NULL ? gst_plugin_feature_get_name (
                                           GST_PLUGIN_FEATURE (factory))
                                     : "";
  const char *property = NULL;
  GParamSpec *spec;
  g_auto (GValue) value = G_VALUE_INIT;

  if (strstr (name, "jpegenc") != NULL)
    property = "quality";
  else if (strstr (name, "pngenc") != NULL)
    property = "compression-level";
  if (property == NULL)
    return -1;
  spec = g_object_class_find_property (G_OBJECT_GET_CLASS (element), property);
  if (spec == NULL)
    return -1;
  g_value_init (&value, G_TYPE_INT);
  g_object_get_property (G_OBJECT (element), property, &value);
  return g_value_get_int (&value);
}

/* The pad that feeds @sink_pad, through the borders of bins. Returns:
 * (transfer full) (nullable). */
static GstPad *
get_real_peer (GstPad *sink_pad)
{
  GstPad *peer = gst_pad_get_peer (sink_pad);

  while (peer != NULL && GST_IS_PROXY_PAD (peer)) {
    GstPad *next;

    if (GST_IS_GHOST_PAD (peer)) {
      next = gst_ghost_pad_get_target (GST_GHOST_PAD (peer));
    } else {
      /* The inner half of a bin's ghost pad: go on outside. */
      GstObject *ghost = gst_object_get_parent (GST_OBJECT (peer));

      next = GST_IS_PAD (ghost) ? gst_pad_get_peer (GST_PAD (ghost)) : NULL;
      g_clear_pointer (&ghost, gst_object_unref);
    }
    gst_object_unref (peer);
    peer = next;
  }
  return peer;
}

/* The level that the encoder in front of the appsink is set to, or -1. */
static int
find_encoding_level (GstElement *sink)
{
  g_autoptr (GstElement) element = gst_object_ref (sink);
  int level = -1;

  for (int i = 0; i < MAX_STEPS_UPSTREAM && level < 0; i++) {
    g_autoptr (GstPad) sink_pad = NULL;
    g_autoptr (GstPad) peer = NULL;

    if (element->numsinkpads > 0)
      sink_pad = gst_element_get_static_pad (element, "sink");
    if (sink_pad == NULL)
      return -1;
    peer = get_real_peer (sink_pad);
    if (peer == NULL)
      return -1;
    gst_object_unref (element);
    element = gst_pad_get_parent_element (peer);
    if (element == NULL)
      return -1;
    level = read_level (element);
  }
  return level;
}

static void
clear_caps (VigilSampleReader *self)
{
  gst_clear_caps (&self->caps);
  g_clear_pointer (&self->caps_text, g_free);
  g_clear_pointer (&self->media_type, g_free);
  g_clear_pointer (&self->format, g_free);
  g_clear_pointer (&self->converter, vigil_converter_unref);
  self->width = self->height = 0;
  self->is_raw = FALSE;
  self->pixels = VIGIL_PIXELS_NONE;
  self->encoding_level = -1;
}

static void
read_raw_caps (VigilSampleReader *self)
{
  if (!gst_video_info_from_caps (&self->info, self->caps))
    return;
  self->is_raw = TRUE;
  self->pixels = find_pixels (&self->info);
  if (self->pixels == VIGIL_PIXELS_OTHER)
    self->converter = vigil_converter_new (&self->info);
}

static void
read_caps (VigilSampleReader *self, GstCaps *caps)
{
  const GstStructure *structure = gst_caps_get_structure (caps, 0);
  size_t length;

  clear_caps (self);
  self->caps = gst_caps_ref (caps);
  self->caps_text = gst_caps_to_string (caps);
  length = strcspn (self->caps_text, ",");
  self->media_type = g_strndup (self->caps_text, length);
  self->format = g_strdup (gst_structure_get_string (structure, "format"));
  gst_structure_get_int (structure, "width", &self->width);
  gst_structure_get_int (structure, "height", &self->height);
  if (strcmp (self->media_type, "video/x-raw") == 0) {
    read_raw_caps (self);
  } else if (g_str_has_prefix (self->media_type, "video/x-raw(")) {
    g_warning ("frames arrive in memory that only their device reads (%s): "
               "no picture is published; put '%s ! video/x-raw' before the "
               "appsink",
        self->media_type, find_download_element (self->media_type));
  } else if (g_str_has_prefix (self->media_type, "image/")) {
    self->encoding_level = find_encoding_level (self->sink);
  }
}

/* ---- Buffer ------------------------------------------------------------ */

/* Metas may claim strides and offsets beyond the memory. */
static gboolean
planes_fit (const GstVideoFrame *video)
{
  for (unsigned i = 0; i < GST_VIDEO_FRAME_N_PLANES (video); i++) {
    const GstVideoFormatInfo *format = video->info.finfo;
    int components[GST_VIDEO_MAX_COMPONENTS];
    const uint8_t *start = GST_VIDEO_FRAME_PLANE_DATA (video, i);
    const uint8_t *end = NULL;
    int stride = GST_VIDEO_FRAME_PLANE_STRIDE (video, i);
    size_t rows, row_bytes;

    if (GST_VIDEO_FORMAT_INFO_IS_TILED (format) ||
        GST_VIDEO_FORMAT_INFO_IS_COMPLEX (format))
      continue;
    if (GST_VIDEO_FORMAT_INFO_HAS_PALETTE (format) &&
        i == GST_VIDEO_COMP_PALETTE) {
      rows = PALETTE_COLOURS;
      row_bytes = sizeof (uint32_t);
    } else {
      gst_video_format_info_component (format, i, components);
      rows = GST_VIDEO_FRAME_COMP_HEIGHT (video, components[0]);
      row_bytes = (size_t)GST_VIDEO_FRAME_COMP_WIDTH (video, components[0]) *
                  GST_VIDEO_FRAME_COMP_PSTRIDE (video, components[0]);
    }
    for (unsigned m = 0; m < GST_VIDEO_MAX_PLANES; m++) {
      const GstMapInfo *map = &video->map[m];

      if (map->data != NULL && start >= map->data &&
          start < map->data + map->size)
        end = map->data + map->size;
    }
    if (end == NULL || stride < 0 || (size_t)stride < row_bytes ||
        (rows - 1) * (size_t)stride + row_bytes > (size_t)(end - start))
      return FALSE;
  }
  return TRUE;
}

static gboolean
map_raw (
    VigilSampleReader *self, Owner *owner, VigilFrame *frame, GError **error)
{
  owner->is_video_mapped = gst_video_frame_map (
      &owner->video, &self->info, owner->buffer, GST_MAP_READ);
  if (!owner->is_video_mapped || !planes_fit (&owner->video)) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_FAILED,
        "a buffer of %zu bytes does not hold the %dx%d %s frame that its "
        "caps promise",
        gst_buffer_get_size (owner->buffer), self->width, self->height,
        self->format);
    return FALSE;
  }
  frame->pixels = self->pixels;
  frame->range = self->info.colorimetry.range == GST_VIDEO_COLOR_RANGE_0_255
                     ? VIGIL_RANGE_FULL
                     : VIGIL_RANGE_LIMITED;
  frame->matrix = self->info.colorimetry.matrix == GST_VIDEO_COLOR_MATRIX_BT709
                      ? VIGIL_MATRIX_BT709
                      : VIGIL_MATRIX_BT601;
  if (self->pixels == VIGIL_PIXELS_OTHER) {
    owner->converter = vigil_converter_ref (self->converter);
    frame->convert = convert;
    return TRUE;
  }
  for (unsigned i = 0; i < GST_VIDEO_FRAME_N_PLANES (&owner->video); i++) {
    frame->planes[i] = GST_VIDEO_FRAME_PLANE_DATA (&owner->video, i);
    frame->strides[i] = GST_VIDEO_FRAME_PLANE_STRIDE (&owner->video, i);
  }
  return TRUE;
}

static gboolean
map_bytes (Owner *owner, VigilFrame *frame, GError **error)
{
  owner->is_mapped = gst_buffer_map (owner->buffer, &owner->map, GST_MAP_READ);
  if (!owner->is_mapped) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_FAILED,
        "cannot map a buffer of %zu bytes",
        gst_buffer_get_size (owner->buffer));
    return FALSE;
  }
  frame->data = owner->map.data;
  frame->size = owner->map.size;
  return TRUE;
}

static int64_t
read_capture_time (VigilSampleReader *self, GstBuffer *buffer)
{
  GstReferenceTimestampMeta *meta =
      gst_buffer_get_reference_timestamp_meta (buffer, self->ntp);

  if (meta != NULL && meta->timestamp > NTP_TO_UNIX_S * GST_SECOND)
    return (int64_t)(meta->timestamp - NTP_TO_UNIX_S * GST_SECOND);
  meta = gst_buffer_get_reference_timestamp_meta (buffer, self->unix_epoch);
  if (meta != NULL && meta->timestamp <= G_MAXINT64)
    return (int64_t)meta->timestamp;
  return VIGIL_TIME_NONE;
}

static void
read_times (VigilSampleReader *self, GstSample *sample, GstBuffer *buffer,
    VigilFrame *frame)
{
  GstSegment *segment = gst_sample_get_segment (sample);
  GstClockTime pts = GST_BUFFER_PTS (buffer);

  frame->capture_time = read_capture_time (self, buffer);
  if (!GST_CLOCK_TIME_IS_VALID (pts) || pts > G_MAXINT64)
    return;
  frame->pts = (int64_t)pts;
  if (segment != NULL && segment->format == GST_FORMAT_TIME) {
    guint64 time = gst_segment_to_stream_time (segment, GST_FORMAT_TIME, pts);

    if (GST_CLOCK_TIME_IS_VALID (time) && time <= G_MAXINT64)
      frame->stream_time = (int64_t)time;
  }
}

VigilSampleReader *
vigil_sample_reader_new (GstElement *sink)
{
  VigilSampleReader *self = g_new0 (VigilSampleReader, 1);

  self->sink = sink;
  self->ntp = gst_caps_new_empty_simple ("timestamp/x-ntp");
  self->unix_epoch = gst_caps_new_empty_simple ("timestamp/x-unix");
  return self;
}

void
vigil_sample_reader_free (VigilSampleReader *self)
{
  if (self == NULL)
    return;
  clear_caps (self);
  gst_caps_unref (self->ntp);
  gst_caps_unref (self->unix_epoch);
  g_free (self);
}

VigilFrame *
vigil_sample_reader_read (
    VigilSampleReader *self, GstSample *sample, GError **error)
{
  GstBuffer *buffer = gst_sample_get_buffer (sample);
  GstCaps *caps = gst_sample_get_caps (sample);
  g_autoptr (VigilFrame) frame = NULL;
  Owner *owner;

  g_return_val_if_fail (self != NULL, NULL);

  if (buffer == NULL || caps == NULL || gst_caps_is_empty (caps)) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_FAILED, "a sample without %s",
        buffer == NULL ? "a buffer" : "caps");
    return NULL;
  }
  if (self->caps != caps &&
      (self->caps == NULL || !gst_caps_is_equal (self->caps, caps)))
    read_caps (self, caps);
  frame = vigil_frame_new ();
  owner = g_new0 (Owner, 1);
  owner->buffer = gst_buffer_ref (buffer);
  frame->owner = owner;
  frame->free_owner = free_owner;
  frame->caps = g_strdup (self->caps_text);
  frame->media_type = g_strdup (self->media_type);
  frame->format = g_strdup (self->format);
  frame->width = self->width;
  frame->height = self->height;
  frame->encoding_level = self->encoding_level;
  if (self->is_raw && !map_raw (self, owner, frame, error))
    return NULL;
  if (!g_str_has_prefix (self->media_type, "video/x-raw(") &&
      !map_bytes (owner, frame, error))
    return NULL;
  read_times (self, sample, buffer, frame);
  vigil_buffer_metadata_read (buffer, frame->metadata);
  return g_steal_pointer (&frame);
}
