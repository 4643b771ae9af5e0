/* SPDX-License-Identifier: Apache-2.0 */
#include "common/picture.h"

#include <gst/video/video.h>
#include <string.h>

static void
draw_pixel (const TestPicture *self, int x, int y, uint8_t *pixel)
{
  static const uint32_t bars[] = {0xffffff, 0xffff00, 0x00ffff, 0x00ff00,
      0xff00ff, 0xff0000, 0x0000ff, 0x404040};
  const int across = self->width > 1 ? 255 * x / (self->width - 1) : 128;
  const int down = self->height > 1 ? 255 * y / (self->height - 1) : 128;
  uint32_t colour = self->flat_colour;

  switch (self->pattern) {
  case TEST_PATTERN_BARS:
    colour = y > self->height * 7 / 8 ? 0 : bars[8 * x / self->width];
    break;
  case TEST_PATTERN_GREY_RAMP:
    colour = (uint32_t)across * 0x010101;
    break;
  case TEST_PATTERN_COLOUR_RAMP:
    colour = (uint32_t)(across << 16 | down << 8 | (255 - across));
    break;
  case TEST_PATTERN_FLAT:
    break;
  }
  pixel[0] = (uint8_t)(colour >> 16);
  pixel[1] = (uint8_t)(colour >> 8);
  pixel[2] = (uint8_t)colour;
}

static void
set_info (GstVideoInfo *info, const TestPicture *self, const char *format,
    const char *colorimetry)
{
  g_assert_true (
      gst_video_info_set_format (info, gst_video_format_from_string (format),
          (unsigned)self->width, (unsigned)self->height));
  if (colorimetry != NULL)
    g_assert_true (
        gst_video_colorimetry_from_string (&info->colorimetry, colorimetry));
}

static GstBuffer *
draw (const TestPicture *self, const GstVideoInfo *info)
{
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, info->size, NULL);
  GstVideoFrame mapped;

  g_assert_true (gst_video_frame_map (&mapped, info, buffer, GST_MAP_WRITE));
  for (int y = 0; y < self->height; y++) {
    uint8_t *row = (uint8_t *)GST_VIDEO_FRAME_PLANE_DATA (&mapped, 0) +
                   y * GST_VIDEO_FRAME_PLANE_STRIDE (&mapped, 0);

    for (int x = 0; x < self->width; x++)
      draw_pixel (self, x, y, row + 3 * x);
  }
  gst_video_frame_unmap (&mapped);
  return buffer;
}

static GstBuffer *
convert (const GstVideoInfo *from, GstBuffer *buffer, const GstVideoInfo *to)
{
  GstBuffer *converted = gst_buffer_new_allocate (NULL, to->size, NULL);
  GstVideoConverter *converter = gst_video_converter_new (from, to, NULL);
  GstVideoFrame source, target;

  g_assert_nonnull (converter);
  g_assert_true (gst_video_frame_map (&source, from, buffer, GST_MAP_READ));
  g_assert_true (gst_video_frame_map (&target, to, converted, GST_MAP_WRITE));
  gst_video_converter_frame (converter, &source, &target);
  gst_video_frame_unmap (&source);
  gst_video_frame_unmap (&target);
  gst_video_converter_free (converter);
  return converted;
}

static VigilPixels
get_pixels (const char *format)
{
  static const struct {
    const char *format;
    VigilPixels pixels;
  } known[] = {
      {"RGB", VIGIL_PIXELS_RGB},
      {"BGR", VIGIL_PIXELS_BGR},
      {"RGBA", VIGIL_PIXELS_RGBA},
      {"BGRA", VIGIL_PIXELS_BGRA},
      {"RGBx", VIGIL_PIXELS_RGBX},
      {"BGRx", VIGIL_PIXELS_BGRX},
      {"GRAY8", VIGIL_PIXELS_GRAY8},
      {"NV12", VIGIL_PIXELS_NV12},
      {"I420", VIGIL_PIXELS_I420},
  };

  for (unsigned i = 0; i < G_N_ELEMENTS (known); i++) {
    if (strcmp (format, known[i].format) == 0)
      return known[i].pixels;
  }
  return VIGIL_PIXELS_OTHER;
}

static void
free_planes (void *owner)
{
  uint8_t **planes = owner;

  for (int i = 0; i < 3; i++)
    g_free (planes[i]);
  g_free (planes);
}

/* Copies the planes to strides and memory of our own choosing. */
static void
take_planes (const TestPicture *self, VigilFrame *frame,
    const GstVideoInfo *info, GstBuffer *buffer)
{
  uint8_t **planes = g_new0 (uint8_t *, 3);
  GstVideoFrame mapped;

  g_assert_true (gst_video_frame_map (&mapped, info, buffer, GST_MAP_READ));
  for (unsigned i = 0; i < GST_VIDEO_FRAME_N_PLANES (&mapped); i++) {
    /* the component that a plane starts with has the plane's size */
    const unsigned component = i;
    const int rows = GST_VIDEO_FRAME_COMP_HEIGHT (&mapped, component);
    const int bytes = GST_VIDEO_FRAME_COMP_WIDTH (&mapped, component) *
                      GST_VIDEO_FRAME_COMP_PSTRIDE (&mapped, component);
    const int stride = bytes + self->padding;

    planes[i] = g_malloc ((size_t)stride * (size_t)(rows - 1) + (size_t)bytes);
    for (int row = 0; row < rows; row++)
      memcpy (planes[i] + (ptrdiff_t)row * stride,
          (uint8_t *)GST_VIDEO_FRAME_PLANE_DATA (&mapped, i) +
              (ptrdiff_t)row * GST_VIDEO_FRAME_PLANE_STRIDE (&mapped, i),
          (size_t)bytes);
    frame->planes[i] = planes[i];
    frame->strides[i] = stride;
  }
  gst_video_frame_unmap (&mapped);
  frame->owner = planes;
  frame->free_owner = free_planes;
}

static GBytes *
copy_rgb (const TestPicture *self, const GstVideoInfo *info, GstBuffer *buffer)
{
  const size_t row_bytes = (size_t)self->width * 3;
  uint8_t *copy = g_malloc (row_bytes * (size_t)self->height);
  GstVideoFrame mapped;

  g_assert_true (gst_video_frame_map (&mapped, info, buffer, GST_MAP_READ));
  for (int row = 0; row < self->height; row++)
    memcpy (copy + row_bytes * (size_t)row,
        (uint8_t *)GST_VIDEO_FRAME_PLANE_DATA (&mapped, 0) +
            (ptrdiff_t)row * GST_VIDEO_FRAME_PLANE_STRIDE (&mapped, 0),
        row_bytes);
  gst_video_frame_unmap (&mapped);
  return g_bytes_new_take (copy, row_bytes * (size_t)self->height);
}

VigilFrame *
test_picture_new (const TestPicture *self, GBytes **ret_rgb)
{
  VigilFrame *frame = vigil_frame_new ();
  GstVideoInfo drawn_info, info;
  GstBuffer *drawn, *source;

  gst_init (NULL, NULL);
  set_info (&drawn_info, self, "RGB", NULL);
  set_info (&info, self, self->format, self->colorimetry);
  drawn = draw (self, &drawn_info);
  source = convert (&drawn_info, drawn, &info);

  frame->caps = g_strdup_printf ("video/x-raw, format=%s", self->format);
  frame->media_type = g_strdup ("video/x-raw");
  frame->format = g_strdup (self->format);
  frame->width = self->width;
  frame->height = self->height;
  frame->pixels = get_pixels (self->format);
  frame->range = info.colorimetry.range == GST_VIDEO_COLOR_RANGE_0_255
                     ? VIGIL_RANGE_FULL
                     : VIGIL_RANGE_LIMITED;
  frame->matrix = info.colorimetry.matrix == GST_VIDEO_COLOR_MATRIX_BT709
                      ? VIGIL_MATRIX_BT709
                      : VIGIL_MATRIX_BT601;
  take_planes (self, frame, &info, source);

  if (ret_rgb != NULL) {
    GstBuffer *seen = convert (&info, source, &drawn_info);

    *ret_rgb = copy_rgb (self, &drawn_info, seen);
    gst_buffer_unref (seen);
  }
  gst_buffer_unref (drawn);
  gst_buffer_unref (source);
  return frame;
}

char *
test_picture_describe (const TestPicture *self)
{
  static const char *const patterns[] = {
      "bars", "grey ramp", "colour ramp", "flat"};

  return g_strdup_printf ("%s %s %s %06x %dx%d padding %d", self->format,
      self->colorimetry != NULL ? self->colorimetry : "default",
      patterns[self->pattern], self->flat_colour, self->width, self->height,
      self->padding);
}

static int
largest_difference (const uint8_t *one, const uint8_t *other)
{
  int largest = 0;

  for (int i = 0; i < 3; i++)
    largest = MAX (largest, ABS (one[i] - other[i]));
  return largest;
}

static gboolean
is_near_an_edge (
    const TestPicture *self, const uint8_t *rgb, int x, int y, int margin)
{
  const uint8_t *pixel = rgb + 3 * (y * self->width + x);

  for (int v = MAX (0, y - margin); v <= y + margin && v < self->height; v++) {
    for (int u = MAX (0, x - margin); u <= x + margin && u < self->width; u++) {
      if (largest_difference (pixel, rgb + 3 * (v * self->width + u)) > 32)
        return TRUE;
    }
  }
  return FALSE;
}

TestDifference
test_picture_compare (const TestPicture *self, const uint8_t *rgb,
    const uint8_t *other, int margin)
{
  TestDifference difference = {.largest = -1};
  double sum = 0;
  int compared = 0;

  for (int y = 0; y < self->height; y++) {
    for (int x = 0; x < self->width; x++) {
      const int offset = 3 * (y * self->width + x);
      const int here = largest_difference (rgb + offset, other + offset);

      if (is_near_an_edge (self, rgb, x, y, margin))
        continue;
      sum += here;
      compared++;
      if (here > difference.largest) {
        difference.largest = here;
        difference.x = x;
        difference.y = y;
      }
    }
  }
  g_assert_cmpint (compared, >, 0);
  difference.mean = sum / compared;
  return difference;
}
