/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The metadata of a frame with ten detections as JSON text: our writer
 * beside jansson, which makes its values first; and the text of a value that
 * was parsed, beside jansson's. Thread CPU time, median of rounds.
 */
#include "base/json.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROUNDS 31
#define DETECTIONS 10

static double
get_cpu_us (void)
{
  struct timespec now;
  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &now);
  return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static void
write_box (VigilJsonWriter *writer, unsigned number)
{
  static const char *const keys[] = {"x_min", "y_min", "x_max", "y_max"};
  vigil_json_writer_key (writer, "bounding_box");
  vigil_json_writer_begin_object (writer);
  for (unsigned i = 0; i < 4; i++) {
    vigil_json_writer_key (writer, keys[i]);
    vigil_json_writer_number (writer, (number + i) / 13.7);
  }
  vigil_json_writer_end_object (writer);
}

static void
write_detection (VigilJsonWriter *writer, unsigned number)
{
  vigil_json_writer_begin_object (writer);
  vigil_json_writer_key (writer, "detection");
  vigil_json_writer_begin_object (writer);
  write_box (writer, number);
  vigil_json_writer_key (writer, "confidence");
  vigil_json_writer_number (writer, 0.9196773171424866 / (number + 1));
  vigil_json_writer_key (writer, "label_id");
  vigil_json_writer_integer (writer, number);
  vigil_json_writer_key (writer, "label");
  vigil_json_writer_string (writer, "shipping label");
  vigil_json_writer_end_object (writer);
  static const char *const sizes[] = {"x", "y", "w", "h"};
  for (unsigned i = 0; i < 4; i++) {
    vigil_json_writer_key (writer, sizes[i]);
    vigil_json_writer_integer (writer, 17 * (number + 1) * (i + 1));
  }
  vigil_json_writer_key (writer, "roi_type");
  vigil_json_writer_string (writer, "shipping label");
  vigil_json_writer_end_object (writer);
}

static void
write_ours (GString *text)
{
  g_string_truncate (text, 0);
  VigilJsonWriter writer;
  vigil_json_writer_init (&writer, text);
  vigil_json_writer_begin_object (&writer);
  vigil_json_writer_key (&writer, "objects");
  vigil_json_writer_begin_array (&writer);
  for (unsigned i = 0; i < DETECTIONS; i++)
    write_detection (&writer, i);
  vigil_json_writer_end_array (&writer);
  vigil_json_writer_key (&writer, "timestamp");
  vigil_json_writer_integer (&writer, 1234567890123);
  vigil_json_writer_end_object (&writer);
}

static json_t *
make_detection (unsigned number)
{
  json_t *box = json_pack ("{s:f,s:f,s:f,s:f}", "x_min", number / 13.7, "y_min",
      (number + 1) / 13.7, "x_max", (number + 2) / 13.7, "y_max",
      (number + 3) / 13.7);
  unsigned step = 17 * (number + 1);
  return json_pack ("{s:{s:o,s:f,s:i,s:s},s:i,s:i,s:i,s:i,s:s}", "detection",
      "bounding_box", box, "confidence", 0.9196773171424866 / (number + 1),
      "label_id", (int)number, "label", "shipping label", "x", (int)step, "y",
      (int)(2 * step), "w", (int)(3 * step), "h", (int)(4 * step), "roi_type",
      "shipping label");
}

static void
write_jansson (GString *text)
{
  json_t *list = json_array ();
  for (unsigned i = 0; i < DETECTIONS; i++)
    json_array_append_new (list, make_detection (i));
  json_t *object = json_pack (
      "{s:o,s:I}", "objects", list, "timestamp", (json_int_t)1234567890123);
  free (json_dumps (object, JSON_COMPACT));
  json_decref (object);
}

/* What the two below write. */
static VigilJson *parsed;

static void
print_ours (GString *text)
{
  g_string_truncate (text, 0);
  VigilJsonWriter writer;
  vigil_json_writer_init (&writer, text);
  vigil_json_writer_value (&writer, parsed);
}

static void
print_jansson (GString *text)
{
  free (json_dumps (parsed, JSON_COMPACT));
}

static int
compare (const void *left, const void *right)
{
  double a = *(const double *)left, b = *(const double *)right;
  return (a > b) - (a < b);
}

static double
measure (void (*work) (GString *text), GString *text, unsigned repeats)
{
  double rounds[ROUNDS];
  for (unsigned i = 0; i < ROUNDS; i++) {
    double start_us = get_cpu_us ();
    for (unsigned j = 0; j < repeats; j++)
      work (text);
    rounds[i] = (get_cpu_us () - start_us) / repeats;
  }
  qsort (rounds, ROUNDS, sizeof rounds[0], compare);
  return rounds[ROUNDS / 2];
}

int
main (int argc, char **argv)
{
  unsigned repeats = argc > 1 && strcmp (argv[1], "--smoke") == 0 ? 1 : 300;
  g_autoptr (GString) text = g_string_sized_new (8192);
  double ours = measure (write_ours, text, repeats);
  double peer = measure (write_jansson, text, repeats);
  printf ("JSON of 10 detections (%zu bytes), us (peer: jansson)"
          "\t%.2f\t%.2f\t%.3f\n",
      text->len, ours, peer, ours / peer);
  g_autoptr (GError) error = NULL;
  parsed = vigil_json_parse (text->str, -1, SIZE_MAX, 64, &error);
  if (parsed == NULL) {
    fprintf (stderr, "bench-json: %s\n", error->message);
    return 1;
  }
  ours = measure (print_ours, text, repeats);
  peer = measure (print_jansson, text, repeats);
  printf ("the same, from a parsed value, us (peer: jansson)"
          "\t%.2f\t%.2f\t%.3f\n",
      ours, peer, ours / peer);
  vigil_json_unref (parsed);
  return 0;
}
