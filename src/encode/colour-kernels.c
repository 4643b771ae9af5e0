/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Row loops of the colour conversion. Each is written once, inlined into
 * one function for each instruction set; the folder is compiled with -O3 so
 * that they become vector code (seen in the benchmark, checked in the unit
 * test against floating point).
 */
#include "encode/colour-kernels.h"

#include <glib.h>

#define KERNEL static inline __attribute__ ((always_inline)) void

static inline __attribute__ ((always_inline)) uint8_t
clamp (int value)
{
  return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

/* The upper half of a product: one instruction in vector code. */
static inline __attribute__ ((always_inline)) int
multiply_high (int16_t value, int16_t factor)
{
  return (int16_t)((value * factor) >> 16);
}

/* Luma in 64ths; what is blacker than black is black. */
static inline __attribute__ ((always_inline)) int16_t
scale_luma (uint8_t value, int offset, uint16_t scale)
{
  const uint8_t above = (uint8_t)(value > offset ? value - offset : 0);
  const uint16_t scaled = (uint16_t)(above << 8);

  return (int16_t)(((uint32_t)scaled * scale) >> 16);
}

KERNEL
do_expand_luma (const uint8_t *restrict in, uint8_t *restrict out, int count)
{
  const uint16_t scale = (uint16_t)(255.0 / 219 * 16384 + 0.5);

  for (int i = 0; i < count; i++)
    out[i] = clamp ((scale_luma (in[i], 16, scale) + 32) >> 6);
}

KERNEL
do_expand_chroma (const uint8_t *restrict in, uint8_t *restrict out, int count)
{
  const int16_t more = (int16_t)((255.0 / 224 - 1) * 65536 + 0.5);

  for (int i = 0; i < count; i++) {
    const int16_t chroma = (int16_t)((in[i] - 128) * 128);
    const int16_t expanded = (int16_t)(chroma + multiply_high (chroma, more));

    out[i] = clamp (((int16_t)(expanded + 64) >> 7) + 128);
  }
}

KERNEL
do_split (const uint8_t *restrict in, uint8_t *restrict u, uint8_t *restrict v,
    int count)
{
  for (int i = 0; i < count; i++) {
    u[i] = in[2 * i];
    v[i] = in[2 * i + 1];
  }
}

KERNEL
do_convert_chroma (const VigilColourMatrix *matrix,
    const uint8_t *restrict in_u, const uint8_t *restrict in_v,
    uint8_t *restrict out_u, uint8_t *restrict out_v, int16_t *restrict delta,
    int count)
{
  const VigilColourMatrix m = *matrix;

  for (int i = 0; i < count; i++) {
    const int16_t u = (int16_t)((in_u[i] - 128) * 128);
    const int16_t v = (int16_t)((in_v[i] - 128) * 128);
    const int16_t new_u =
        (int16_t)(u + multiply_high (u, m.u_u) + multiply_high (v, m.u_v) + 64);
    const int16_t new_v =
        (int16_t)(v + multiply_high (u, m.v_u) + multiply_high (v, m.v_v) + 64);
    const int16_t added =
        (int16_t)(multiply_high (u, m.y_u) + multiply_high (v, m.y_v));

    out_u[i] = clamp ((new_u >> 7) + 128);
    out_v[i] = clamp ((new_v >> 7) + 128);
    delta[2 * i] = added;
    delta[2 * i + 1] = added;
  }
}

KERNEL
do_convert_luma (const VigilColourMatrix *matrix, const uint8_t *restrict in,
    const int16_t *restrict delta, uint8_t *restrict out, int count)
{
  const int offset = matrix->luma_offset;
  const uint16_t scale = matrix->luma_scale;

  for (int i = 0; i < count; i++) {
    const int16_t luma =
        (int16_t)(scale_luma (in[i], offset, scale) + delta[i] + 32);

    out[i] = clamp (luma >> 6);
  }
}

/* One set of functions, and its table, for one instruction set. */
#define DEFINE_KERNELS(set, attribute)                                         \
  attribute static void expand_luma_##set (                                    \
      const uint8_t *in, uint8_t *out, int count)                              \
  {                                                                            \
    do_expand_luma (in, out, count);                                           \
  }                                                                            \
  attribute static void expand_chroma_##set (                                  \
      const uint8_t *in, uint8_t *out, int count)                              \
  {                                                                            \
    do_expand_chroma (in, out, count);                                         \
  }                                                                            \
  attribute static void split_##set (                                          \
      const uint8_t *in, uint8_t *u, uint8_t *v, int count)                    \
  {                                                                            \
    do_split (in, u, v, count);                                                \
  }                                                                            \
  attribute static void convert_chroma_##set (const VigilColourMatrix *matrix, \
      const uint8_t *u, const uint8_t *v, uint8_t *out_u, uint8_t *out_v,      \
      int16_t *delta, int count)                                               \
  {                                                                            \
    do_convert_chroma (matrix, u, v, out_u, out_v, delta, count);              \
  }                                                                            \
  attribute static void convert_luma_##set (const VigilColourMatrix *matrix,   \
      const uint8_t *in, const int16_t *delta, uint8_t *out, int count)        \
  {                                                                            \
    do_convert_luma (matrix, in, delta, out, count);                           \
  }                                                                            \
  static const VigilColourKernels kernels_##set = {                            \
      .expand_luma = expand_luma_##set,                                        \
      .expand_chroma = expand_chroma_##set,                                    \
      .split = split_##set,                                                    \
      .convert_chroma = convert_chroma_##set,                                  \
      .convert_luma = convert_luma_##set,                                      \
  };

DEFINE_KERNELS (portable, )
#ifdef __x86_64__
DEFINE_KERNELS (avx2, __attribute__ ((target ("avx2"))))
#endif

const VigilColourKernels *
vigil_colour_kernels_get_portable (void)
{
  return &kernels_portable;
}

const VigilColourKernels *
vigil_colour_kernels_get_best (void)
{
#ifdef __x86_64__
  if (__builtin_cpu_supports ("avx2"))
    return &kernels_avx2;
#endif
  return &kernels_portable;
}
