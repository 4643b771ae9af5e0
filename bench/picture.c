/* SPDX-License-Identifier: Apache-2.0 */
/* The picture of the benches, and the peer that encodes it. */
#include "picture.h"

#include <stdlib.h>

/* Noise smoothed over many samples, at three scales: about 1.5 bits a
 * pixel at quality 85, as a busy street takes. */
static void
draw_plane (uint8_t *plane, int width, int height, GRand *random)
{
  static const struct {
    int cell, amplitude;
  } scales[] = {{240, 160}, {40, 60}, {6, 34}};
  g_autofree int *sum = g_new0 (int, (size_t)width *(size_t)height);

  for (unsigned s = 0; s < G_N_ELEMENTS (scales); s++) {
    const int cell = scales[s].cell;
    const int columns = width / cell + 2;
    g_autofree int *noise = g_new (int, columns *(height / cell + 2));

    for (int i = 0; i < columns * (height / cell + 2); i++)
      noise[i] = g_rand_int_range (random, 0, scales[s].amplitude);
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        const int *corner = noise + y / cell * columns + x / cell;
        const int right = x % cell, down = y % cell;
        const int top = corner[0] * (cell - right) + corner[1] * right;
        const int bottom =
            corner[columns] * (cell - right) + corner[columns + 1] * right;

        sum[y * width + x] +=
            (top * (cell - down) + bottom * down) / (cell * cell);
      }
    }
  }
  for (int i = 0; i < width * height; i++)
    plane[i] = (uint8_t)CLAMP (sum[i], 16, 235);
}

BenchPicture *
bench_picture_new (void)
{
  BenchPicture *self = g_new0 (BenchPicture, 1);
  g_autoptr (GRand) random = g_rand_new_with_seed (1);

  draw_plane (self->luma, BENCH_WIDTH, BENCH_HEIGHT, random);
  draw_plane (self->u, BENCH_WIDTH / 2, BENCH_HEIGHT / 2, random);
  draw_plane (self->v, BENCH_WIDTH / 2, BENCH_HEIGHT / 2, random);
  for (int i = 0; i < BENCH_HEIGHT / 2 * BENCH_WIDTH / 2; i++) {
    self->uv[2 * i] = self->u[i];
    self->uv[2 * i + 1] = self->v[i];
  }
  for (int i = 0; i < BENCH_HEIGHT * BENCH_WIDTH; i++) {
    self->rgb[3 * i] = self->luma[i];
    self->rgb[3 * i + 1] = self->luma[(i + 7) % (BENCH_HEIGHT * BENCH_WIDTH)];
    self->rgb[3 * i + 2] = self->luma[(i + 14) % (BENCH_HEIGHT * BENCH_WIDTH)];
  }
  return self;
}

VigilFrame *
bench_picture_new_frame (const BenchPicture *picture, VigilPixels pixels,
    VigilRange range, VigilMatrix matrix)
{
  VigilFrame *frame = vigil_frame_new ();

  frame->pixels = pixels;
  frame->range = range;
  frame->matrix = matrix;
  frame->width = BENCH_WIDTH;
  frame->height = BENCH_HEIGHT;
  frame->planes[0] = picture->luma;
  frame->strides[0] = BENCH_WIDTH;
  frame->planes[1] = pixels == VIGIL_PIXELS_NV12 ? picture->uv : picture->u;
  frame->strides[1] =
      pixels == VIGIL_PIXELS_NV12 ? BENCH_WIDTH : BENCH_WIDTH / 2;
  frame->planes[2] = picture->v;
  frame->strides[2] = BENCH_WIDTH / 2;
  if (pixels == VIGIL_PIXELS_RGB) {
    frame->planes[0] = picture->rgb;
    frame->strides[0] = BENCH_WIDTH * 3;
  }
  return frame;
}

void
bench_peer_init (BenchPeer *self, const BenchPicture *picture)
{
  *self = (BenchPeer){
      .handle = tjInitCompress (),
      .buffer = g_malloc (tjBufSize (BENCH_WIDTH, BENCH_HEIGHT, TJSAMP_420)),
      .picture = picture,
  };
}

void
bench_peer_clear (BenchPeer *self)
{
  tjDestroy (self->handle);
  g_free (self->buffer);
}

void
bench_peer_encode (void *data)
{
  BenchPeer *self = data;
  unsigned long size = 0;
  const unsigned char *planes[] = {
      self->picture->luma, self->picture->u, self->picture->v};
  const int strides[] = {BENCH_WIDTH, BENCH_WIDTH / 2, BENCH_WIDTH / 2};
  int failed;

  if (self->is_rgb)
    failed = tjCompress2 (self->handle, self->picture->rgb, BENCH_WIDTH, 0,
        BENCH_HEIGHT, TJPF_RGB, &self->buffer, &size, TJSAMP_420, BENCH_QUALITY,
        TJFLAG_NOREALLOC);
  else
    failed = tjCompressFromYUVPlanes (self->handle, planes, BENCH_WIDTH,
        strides, BENCH_HEIGHT, TJSAMP_420, &self->buffer, &size, BENCH_QUALITY,
        TJFLAG_NOREALLOC);
  if (failed != 0)
    exit (1);
}
