/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "model/frame.h"
#include <turbojpeg.h>

/*
 * A 1080p picture for the benches, in each layout, and bare TurboJPEG to
 * encode the same planes with.
 */

#define BENCH_WIDTH 1920
#define BENCH_HEIGHT 1080
#define BENCH_QUALITY 85

typedef struct {
  uint8_t luma[BENCH_HEIGHT * BENCH_WIDTH];
  uint8_t u[BENCH_HEIGHT / 2 * BENCH_WIDTH / 2];
  uint8_t v[BENCH_HEIGHT / 2 * BENCH_WIDTH / 2];
  uint8_t uv[BENCH_HEIGHT / 2 * BENCH_WIDTH];
  uint8_t rgb[BENCH_HEIGHT * BENCH_WIDTH * 3];
} BenchPicture;

/* Returns: (transfer full): g_free. */
BenchPicture *bench_picture_new (void);

/* A frame on the picture's memory, which must outlive it.
 * Returns: (transfer full). */
VigilFrame *bench_picture_new_frame (const BenchPicture *picture,
    VigilPixels pixels, VigilRange range, VigilMatrix matrix);

/* TurboJPEG as its examples use it, on a buffer kept between images. */
typedef struct {
  tjhandle handle;
  unsigned char *buffer;
  const BenchPicture *picture;
  gboolean is_rgb;
} BenchPeer;

void bench_peer_init (BenchPeer *self, const BenchPicture *picture);
void bench_peer_clear (BenchPeer *self);
/* @data: a BenchPeer. */
void bench_peer_encode (void *data);
