/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

/*
 * The loops of colour.c, one row at a time. Plain C in 16-bit fixed point,
 * which compilers turn into vector code; colour-kernels.c compiles them once
 * for any processor and once for AVX2. Rows never overlap.
 */

/* YCbCr of one matrix and range to full-range BT.601, as additions to the
 * samples themselves; fractions of 65536. */
typedef struct {
  int luma_offset;     /* what black is */
  uint16_t luma_scale; /* of 16384 */
  int16_t y_u, y_v;    /* what chroma adds to luma; fractions of 32768 */
  int16_t u_u, u_v;
  int16_t v_u, v_v;
} VigilColourMatrix;

typedef struct {
  /* 16..235 to 0..255 */
  void (*expand_luma) (const uint8_t *in, uint8_t *out, int count);
  /* 16..240 to 0..255 around 128 */
  void (*expand_chroma) (const uint8_t *in, uint8_t *out, int count);
  /* @count pairs */
  void (*split) (const uint8_t *in, uint8_t *u, uint8_t *v, int count);
  /* @delta: what two luma samples each get from the @count chroma ones, in
   * 64ths; room for twice @count */
  void (*convert_chroma) (const VigilColourMatrix *matrix, const uint8_t *u,
      const uint8_t *v, uint8_t *out_u, uint8_t *out_v, int16_t *delta,
      int count);
  void (*convert_luma) (const VigilColourMatrix *matrix, const uint8_t *in,
      const int16_t *delta, uint8_t *out, int count);
} VigilColourKernels;

/* Static tables. The second is the first where the processor has no AVX2. */
const VigilColourKernels *vigil_colour_kernels_get_portable (void);
const VigilColourKernels *vigil_colour_kernels_get_best (void);
