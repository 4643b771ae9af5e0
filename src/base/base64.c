/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Standard base64 (RFC 4648 section 4). A table that turns 12 bits into two
 * characters at once runs everywhere; AVX2 turns 24 bytes into 32
 * characters at a time where the processor can.
 */
#include "base/base64.h"

#include <pthread.h>
#include <stdint.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#define HAVE_AVX2_PATH 1
#endif

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Two characters for each value of 12 bits; filled once. */
static char pairs[4096][2];
static pthread_once_t pairs_once = PTHREAD_ONCE_INIT;

static void
fill_pairs (void)
{
  for (unsigned i = 0; i < 4096; i++) {
    pairs[i][0] = alphabet[i >> 6];
    pairs[i][1] = alphabet[i & 63];
  }
}

size_t
vigil_base64_encode_portable (const void *data, size_t size, char *out)
{
  pthread_once (&pairs_once, fill_pairs);
  const uint8_t *in = data;
  const char *start = out;
  for (; size >= 3; size -= 3, in += 3, out += 4) {
    uint32_t bits =
        (uint32_t)in[0] << 16 | (uint32_t)in[1] << 8 | (uint32_t)in[2];
    memcpy (out, pairs[bits >> 12], 2);
    memcpy (out + 2, pairs[bits & 0xfff], 2);
  }
  if (size > 0) {
    uint32_t bits = (uint32_t)in[0] << 16;
    if (size == 2)
      bits |= (uint32_t)in[1] << 8;
    memcpy (out, pairs[bits >> 12], 2);
    out[2] = size == 2 ? alphabet[bits >> 6 & 63] : '=';
    out[3] = '=';
    out += 4;
  }
  return (size_t)(out - start);
}

#ifdef HAVE_AVX2_PATH
/* A step reads 16 bytes from the start and 16 from offset 12. */
#define AVX2_READS 28
#define AVX2_TAKES 24

/*
 * 12 bytes in the low part of each 128-bit half become 16 values of 6 bits,
 * one in a byte. Each 32-bit lane first gets its three bytes b0 b1 b2 as
 * b1 b0 b2 b1, so that every value lies within one 16-bit half; the
 * multiplications then act as shifts by a different count in each half.
 */
__attribute__ ((target ("avx2"))) static inline __m256i
split_into_sixes (__m256i bytes)
{
  const __m256i order = _mm256_setr_epi8 (1, 0, 2, 1, 4, 3, 5, 4, 7, 6, 8, 7,
      10, 9, 11, 10, 1, 0, 2, 1, 4, 3, 5, 4, 7, 6, 8, 7, 10, 9, 11, 10);
  __m256i words = _mm256_shuffle_epi8 (bytes, order);
  __m256i first_third = _mm256_mulhi_epu16 (
      _mm256_and_si256 (words, _mm256_set1_epi32 (0x0fc0fc00)),
      _mm256_set1_epi32 (0x04000040));
  __m256i second_fourth = _mm256_mullo_epi16 (
      _mm256_and_si256 (words, _mm256_set1_epi32 (0x003f03f0)),
      _mm256_set1_epi32 (0x01000010));
  return _mm256_or_si256 (first_third, second_fourth);
}

/*
 * Values to characters: the distance to the character depends on the range
 * alone, of which there are five: A-Z, a-z, 0-9 (ten values, each with its
 * own slot), + and /. The slot is 0 for a-z, 1..10 for digits, 11 for +,
 * 12 for / and 13 for A-Z.
 */
__attribute__ ((target ("avx2"))) static inline __m256i
to_characters (__m256i sixes)
{
  const __m256i distances = _mm256_setr_epi8 ('a' - 26, '0' - 52, '0' - 52,
      '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52,
      '0' - 52, '+' - 62, '/' - 63, 'A', 0, 0, 'a' - 26, '0' - 52, '0' - 52,
      '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52,
      '0' - 52, '+' - 62, '/' - 63, 'A', 0, 0);
  __m256i slots = _mm256_subs_epu8 (sixes, _mm256_set1_epi8 (51));
  __m256i is_upper = _mm256_cmpgt_epi8 (_mm256_set1_epi8 (26), sixes);
  slots = _mm256_or_si256 (
      slots, _mm256_and_si256 (is_upper, _mm256_set1_epi8 (13)));
  return _mm256_add_epi8 (sixes, _mm256_shuffle_epi8 (distances, slots));
}

__attribute__ ((target ("avx2"))) static size_t
encode_avx2 (const void *data, size_t size, char *out)
{
  const uint8_t *in = data;
  const char *start = out;
  while (size >= AVX2_READS) {
    __m128i low = _mm_loadu_si128 ((const __m128i *)in);
    __m128i high = _mm_loadu_si128 ((const __m128i *)(in + 12));
    __m256i bytes =
        _mm256_inserti128_si256 (_mm256_castsi128_si256 (low), high, 1);
    _mm256_storeu_si256 (
        (__m256i *)out, to_characters (split_into_sixes (bytes)));
    in += AVX2_TAKES;
    size -= AVX2_TAKES;
    out += 32;
  }
  return (size_t)(out - start) + vigil_base64_encode_portable (in, size, out);
}
#endif

size_t
vigil_base64_encode (const void *data, size_t size, char *out)
{
#ifdef HAVE_AVX2_PATH
  if (__builtin_cpu_supports ("avx2"))
    return encode_avx2 (data, size, out);
#endif
  return vigil_base64_encode_portable (data, size, out);
}
