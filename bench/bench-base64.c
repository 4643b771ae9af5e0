/* SPDX-License-Identifier: Apache-2.0 */
/* Base64 of a JPEG's size, beside GLib's; thread CPU time, median of
 * rounds. */
#include "base/base64.h"

#include <glib.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROUNDS 31

typedef void (*Work) (const uint8_t *data, size_t size, char *out);

static double
get_cpu_us (void)
{
  struct timespec now;
  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &now);
  return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static void
encode_best (const uint8_t *data, size_t size, char *out)
{
  vigil_base64_encode (data, size, out);
}

static void
encode_portable (const uint8_t *data, size_t size, char *out)
{
  vigil_base64_encode_portable (data, size, out);
}

static void
encode_glib (const uint8_t *data, size_t size, char *out)
{
  g_free (g_base64_encode (data, size));
}

static int
compare (const void *left, const void *right)
{
  double a = *(const double *)left, b = *(const double *)right;
  return (a > b) - (a < b);
}

static double
measure (
    Work work, const uint8_t *data, size_t size, char *out, unsigned repeats)
{
  double rounds[ROUNDS];
  for (unsigned i = 0; i < ROUNDS; i++) {
    double start_us = get_cpu_us ();
    for (unsigned j = 0; j < repeats; j++)
      work (data, size, out);
    rounds[i] = (get_cpu_us () - start_us) / repeats;
  }
  qsort (rounds, ROUNDS, sizeof rounds[0], compare);
  return rounds[ROUNDS / 2];
}

int
main (int argc, char **argv)
{
  unsigned repeats = argc > 1 && strcmp (argv[1], "--smoke") == 0 ? 1 : 50;
  static const size_t sizes[] = {2000, 200000};
  for (size_t i = 0; i < G_N_ELEMENTS (sizes); i++) {
    size_t size = sizes[i];
    g_autofree uint8_t *data = g_malloc (size);
    g_autofree char *out = g_malloc (VIGIL_BASE64_LENGTH (size));
    for (size_t j = 0; j < size; j++)
      data[j] = (uint8_t)(j * 2654435761u >> 13);
    double best = measure (encode_best, data, size, out, repeats);
    double portable = measure (encode_portable, data, size, out, repeats);
    double glib = measure (encode_glib, data, size, out, repeats);
    printf ("base64 of %zu bytes, us (peer: GLib)\t%.2f\t%.2f\t%.3f\n", size,
        best, glib, best / glib);
    printf ("base64 portable, %zu bytes, us (peer: GLib)\t%.2f\t%.2f\t%.3f\n",
        size, portable, glib, portable / glib);
  }
  return 0;
}
