/* SPDX-License-Identifier: Apache-2.0 */
/* JPEG to a smaller JPEG, by way of its own samples. */
#include "encode/jpeg-shrink.h"

#include <stdint.h>
#include <turbojpeg.h>

/* Below, a picture is not worth its bytes. */
static const int qualities[] = {70, 55, 40, 25, 15};

/* Sides of a JPEG have 16 bits; this much memory is never wanted. */
#define SAMPLES_BYTES_MAX ((unsigned long)512 * 1024 * 1024)

typedef struct {
  int width, height, subsampling;
  unsigned char *samples;
} Picture;

static void
picture_clear (Picture *self)
{
  g_free (self->samples);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Picture, picture_clear)

/* Returns: FALSE when @jpeg cannot be read. */
static gboolean
decode (Picture *picture, GBytes *jpeg)
{
  gsize size;
  const unsigned char *data = g_bytes_get_data (jpeg, &size);
  tjhandle handle = tjInitDecompress ();
  int colours;
  unsigned long bytes;
  gboolean is_decoded = FALSE;

  if (handle == NULL)
    return FALSE;
  if (tjDecompressHeader3 (handle, data, size, &picture->width,
          &picture->height, &picture->subsampling, &colours) == 0) {
    bytes = tjBufSizeYUV2 (
        picture->width, 1, picture->height, picture->subsampling);
    if (bytes != (unsigned long)-1 && bytes <= SAMPLES_BYTES_MAX)
      picture->samples = g_try_malloc (bytes);
    is_decoded = picture->samples != NULL &&
                 tjDecompressToYUV2 (handle, data, size, picture->samples,
                     picture->width, 1, picture->height, 0) == 0;
  }
  tjDestroy (handle);
  return is_decoded;
}

static GBytes *
encode (
    tjhandle handle, const Picture *picture, int quality, size_t limit_bytes)
{
  unsigned char *data = NULL;
  unsigned long size = 0;
  GBytes *jpeg = NULL;

  if (tjCompressFromYUV (handle, picture->samples, picture->width, 1,
          picture->height, picture->subsampling, &data, &size, quality,
          0) == 0 &&
      size <= limit_bytes)
    jpeg = g_bytes_new (data, size);
  tjFree (data);
  return jpeg;
}

GBytes *
vigil_jpeg_shrink (GBytes *jpeg, size_t limit_bytes, int *ret_quality)
{
  g_auto (Picture) picture = {0};
  GBytes *smaller = NULL;
  tjhandle handle;

  if (!decode (&picture, jpeg))
    return NULL;
  handle = tjInitCompress ();
  if (handle == NULL)
    return NULL;
  limit_bytes = MIN (limit_bytes, g_bytes_get_size (jpeg) - 1);
  for (unsigned i = 0; i < G_N_ELEMENTS (qualities) && smaller == NULL; i++) {
    smaller = encode (handle, &picture, qualities[i], limit_bytes);
    if (smaller != NULL)
      *ret_quality = qualities[i];
  }
  tjDestroy (handle);
  return smaller;
}
