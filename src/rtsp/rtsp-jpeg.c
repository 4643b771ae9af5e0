/* SPDX-License-Identifier: Apache-2.0 */
/* What of JPEG the RTP payload format carries: its header is not sent, so
 * whatever the few bytes that stand for it cannot say is out. */
#include "rtsp/rtsp-jpeg.h"

#include "base/error.h"
#include <string.h>

enum {
  MARKER_SOF0 = 0xc0,
  MARKER_DHT = 0xc4,
  MARKER_JPG = 0xc8,
  MARKER_DAC = 0xcc,
  MARKER_SOF15 = 0xcf,
  MARKER_SOI = 0xd8,
  MARKER_EOI = 0xd9,
  MARKER_SOS = 0xda,
  MARKER_DQT = 0xdb,
};

/* How many codes of each length the tables of T.81, annex K.3, have: DC of
 * luminance and chrominance, then AC. An encoder that makes its own tables
 * makes others. */
static const uint8_t code_counts[2][2][16] = {
    {
        {0, 1, 5, 1, 1, 1, 1, 1, 1},
        {0, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1},
    },
    {
        {0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 0x7d},
        {0, 2, 1, 2, 4, 4, 3, 4, 7, 5, 4, 4, 0, 1, 2, 0x77},
    },
};

typedef struct {
  VigilRtspJpegSize size; /* 0: no frame header yet */
  gboolean has_quantizers;
} Found;

static gboolean
refuse (GError **error, const char *text)
{
  g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_UNSUPPORTED, "%s", text);
  return FALSE;
}

static gboolean
refuse_broken (GError **error)
{
  g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID,
      "the frame is no JPEG, or its header is broken");
  return FALSE;
}

static gboolean
check_size (const VigilRtspJpegSize *size, GError **error)
{
  if (size->width >= 1 && size->width <= VIGIL_RTSP_JPEG_SIZE_MAX &&
      size->height >= 1 && size->height <= VIGIL_RTSP_JPEG_SIZE_MAX)
    return TRUE;
  g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_UNSUPPORTED,
      "%ux%u: RTSP carries JPEGs of at most %dx%d; scale the frames down "
      "before the appsink (videoscale)",
      size->width, size->height, VIGIL_RTSP_JPEG_SIZE_MAX,
      VIGIL_RTSP_JPEG_SIZE_MAX);
  return FALSE;
}

/* A frame header: precision, height, width, then three bytes for each
 * component. */
static gboolean
check_frame (const uint8_t *data, size_t size, VigilRtspJpegSize *ret_size,
    GError **error)
{
  if (size < 6 || size < 6 + 3 * (size_t)data[5])
    return refuse_broken (error);
  if (data[0] != 8)
    return refuse (error, "RTSP carries JPEGs of 8 bits a sample");
  ret_size->height = data[1] * 256U + data[2];
  ret_size->width = data[3] * 256U + data[4];
  if (!check_size (ret_size, error))
    return FALSE;
  if (data[5] != 3)
    return refuse (error,
        "RTSP carries JPEGs in colour: put videoconvert ! "
        "video/x-raw,format=NV12 before the appsink or the encoder");
  if ((data[7] != 0x21 && data[7] != 0x22) || data[10] != 0x11 ||
      data[13] != 0x11 || data[11] != data[14])
    return refuse (error,
        "RTSP carries JPEGs of 4:2:0 and 4:2:2: put videoconvert ! "
        "video/x-raw,format=I420 before the encoder");
  return TRUE;
}

/* Tables: class and number in one byte, 16 counts, then as many values. */
static gboolean
check_tables (const uint8_t *data, size_t size, GError **error)
{
  while (size > 0) {
    size_t values = 0;

    if (size < 17)
      return refuse_broken (error);
    for (int i = 1; i <= 16; i++)
      values += data[i];
    if (size < 17 + values || data[0] >> 4 > 1)
      return refuse_broken (error);
    if ((data[0] & 15) > 1 ||
        memcmp (code_counts[data[0] >> 4][data[0] & 15], data + 1, 16) != 0)
      return refuse (error,
          "RTSP carries JPEGs with the standard Huffman tables: have the "
          "encoder make no optimized ones");
    data += 17 + values;
    size -= 17 + values;
  }
  return TRUE;
}

static gboolean
check_segment (unsigned marker, const uint8_t *data, size_t size, Found *found,
    GError **error)
{
  switch (marker) {
  case MARKER_SOF0:
    return check_frame (data, size, &found->size, error);
  case MARKER_DHT:
    return check_tables (data, size, error);
  case MARKER_DQT:
    found->has_quantizers = TRUE;
    return TRUE;
  default:
    /* SOF1 to SOF15, among which JPG and DAC are none. */
    if (marker > MARKER_SOF0 && marker <= MARKER_SOF15 &&
        marker != MARKER_JPG && marker != MARKER_DAC)
      return refuse (error,
          "RTSP carries baseline JPEGs: have the encoder make no progressive "
          "ones");
    return TRUE;
  }
}

gboolean
vigil_rtsp_jpeg_check (const uint8_t *data, size_t size,
    VigilRtspJpegSize *ret_size, GError **error)
{
  Found found = {{0, 0}, FALSE};
  size_t offset = 2;

  if (size < 4 || data[0] != 0xff || data[1] != MARKER_SOI)
    return refuse_broken (error);
  for (;;) {
    unsigned marker;
    size_t length;

    /* Any number of fill bytes may stand before a marker. */
    while (
        offset + 1 < size && data[offset] == 0xff && data[offset + 1] == 0xff)
      offset++;
    if (size - offset < 4 || data[offset] != 0xff)
      return refuse_broken (error);
    marker = data[offset + 1];
    length = data[offset + 2] * (size_t)256 + data[offset + 3];
    if (length < 2 || length > size - offset - 2 || marker == MARKER_EOI)
      return refuse_broken (error);
    if (marker == MARKER_SOS) {
      *ret_size = found.size;
      return (found.size.width > 0 && found.has_quantizers) ||
             refuse_broken (error);
    }
    if (!check_segment (marker, data + offset + 4, length - 2, &found, error))
      return FALSE;
    offset += 2 + length;
  }
}
