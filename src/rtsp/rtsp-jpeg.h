/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <stddef.h>
#include <stdint.h>

/* Widest and highest picture that the format can say (RFC 2435, 3.1.5). */
#define VIGIL_RTSP_JPEG_SIZE_MAX 2040

typedef struct {
  unsigned width, height;
} VigilRtspJpegSize;

/*
 * Says whether the JPEG at @data can go to viewers as RTP/JPEG (RFC 2435):
 * baseline, 4:2:0 or 4:2:2, the standard Huffman tables, at most 2040x2040.
 * Reads the header alone, of any bytes, and sets @ret_size. Errors: UNSUPPORTED
 * with what to do about it, INVALID for what is no JPEG. Any thread.
 */
gboolean vigil_rtsp_jpeg_check (const uint8_t *data, size_t size,
    VigilRtspJpegSize *ret_size, GError **error);
