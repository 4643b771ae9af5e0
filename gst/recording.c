/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Recorded detections, read whole: two sorted lists of the same records, by
 * frame and by time.
 */
#include "gst/recording.h"

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include <math.h>
#include <string.h>

#define FILE_BYTES_MAX (256 * 1024 * 1024)
#define LINES_MAX (1000 * 1000)
#define LINE_BYTES_MAX (1024 * 1024)
#define LINE_DEPTH_MAX 16
#define BOX_MAX (1 << 24)

typedef struct {
  int64_t frame; /* negative: none */
  int64_t pts;   /* negative: none */
  GArray *detections;
} Record;

struct _VigilRecording {
  GPtrArray *by_frame; /* Record, owned */
  GPtrArray *by_pts;   /* Record */
};

static void
free_result (VigilRecordedResult *result)
{
  g_free (result->label);
}

static void
clear_detection (void *data)
{
  VigilRecordedDetection *detection = data;

  g_free (detection->result.label);
  g_clear_pointer (&detection->attributes, g_array_unref);
}

static void
free_record (void *data)
{
  Record *record = data;

  g_array_unref (record->detections);
  g_free (record);
}

/* ---- One line ---------------------------------------------------------- */

/* A number of @object in the given range, or @fallback when it is absent. */
static gboolean
read_number (const VigilJson *object, const char *key, double minimum,
    double maximum, double fallback, double *ret, GError **error)
{
  const VigilJson *value = vigil_json_object_get (object, key);
  double number;

  *ret = fallback;
  if (value == NULL || vigil_json_is_null (value))
    return TRUE;
  number = vigil_json_get_number (value);
  if (!vigil_json_is_number (value) || number < minimum || number > maximum) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID,
        "%s: want a number from %g to %g", key, minimum, maximum);
    return FALSE;
  }
  *ret = number;
  return TRUE;
}

static gboolean
read_result (const VigilJson *object, const char *name,
    VigilRecordedResult *result, GError **error)
{
  const VigilJson *label = vigil_json_object_get (object, "label");
  double confidence, label_id;

  if (vigil_json_get_type (object) != VIGIL_JSON_OBJECT) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID,
        "%s: want an object with a label", name);
    return FALSE;
  }
  if (label != NULL && vigil_json_get_string (label) == NULL) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID, "label: want text");
    return FALSE;
  }
  if (!read_number (object, "confidence", 0, 1, -1, &confidence, error) ||
      !read_number (object, "label_id", 0, G_MAXINT, -1, &label_id, error))
    return FALSE;
  result->name = g_intern_string (name);
  result->label = g_strdup (vigil_json_get_string (label));
  result->confidence = confidence;
  result->label_id = (int)label_id;
  return TRUE;
}

/* One side of the box: what lies before the picture is cut off. */
static void
set_side (double start, double size, int *ret_start, int *ret_size)
{
  if (start < 0) {
    size = MAX (size + start, 0);
    start = 0;
  }
  *ret_start = (int)lround (start);
  *ret_size = (int)lround (size);
}

static gboolean
read_box (
    const VigilJson *object, VigilRecordedDetection *detection, GError **error)
{
  static const char *const keys[] = {"x", "y", "w", "h"};
  double values[4];

  for (size_t i = 0; i < G_N_ELEMENTS (keys); i++) {
    if (vigil_json_object_get (object, keys[i]) == NULL) {
      g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID,
          "%s: want a number: a detection has x, y, w and h", keys[i]);
      return FALSE;
    }
    if (!read_number (object, keys[i], i < 2 ? -BOX_MAX : 0, BOX_MAX, 0,
            &values[i], error))
      return FALSE;
  }
  set_side (values[0], values[2], &detection->x, &detection->width);
  set_side (values[1], values[3], &detection->y, &detection->height);
  return TRUE;
}

/* What GStreamer takes for the name of a structure. */
static gboolean
is_name (const char *name)
{
  if (!g_ascii_isalpha (*name))
    return FALSE;
  return name[strspn (name, "abcdefghijklmnopqrstuvwxyz"
                            "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                            "0123456789_-+./:")] == '\0';
}

static gboolean
read_attributes (
    const VigilJson *object, VigilRecordedDetection *detection, GError **error)
{
  const VigilJson *attributes = vigil_json_object_get (object, "attributes");
  VigilJsonIter iter = {0};
  const char *name;
  const VigilJson *value;

  if (attributes == NULL)
    return TRUE;
  if (vigil_json_get_type (attributes) != VIGIL_JSON_OBJECT) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID,
        "attributes: want an object of names and results");
    return FALSE;
  }
  detection->attributes =
      g_array_new (FALSE, TRUE, sizeof (VigilRecordedResult));
  g_array_set_clear_func (detection->attributes, (GDestroyNotify)free_result);
  while (vigil_json_object_next (attributes, &iter, &name, &value)) {
    VigilRecordedResult result = {0};

    if (!is_name (name)) {
      g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID,
          "attributes '%.40s': want a name of letters, digits and _-+./: "
          "that starts with a letter",
          name);
      return FALSE;
    }
    if (!read_result (value, name, &result, error))
      return FALSE;
    g_array_append_val (detection->attributes, result);
  }
  return TRUE;
}

static gboolean
read_detection (const VigilJson *object, GArray *detections, GError **error)
{
  VigilRecordedDetection *detection;
  double id;

  g_array_set_size (detections, detections->len + 1);
  detection =
      &g_array_index (detections, VigilRecordedDetection, detections->len - 1);
  if (!read_result (object, "detection", &detection->result, error) ||
      !read_box (object, detection, error) ||
      !read_number (object, "id", 0, G_MAXINT, 0, &id, error))
    return FALSE;
  detection->object_id = (int64_t)id;
  return read_attributes (object, detection, error);
}

static gboolean
read_record (const VigilJson *object, Record *record, GError **error)
{
  const VigilJson *detections = vigil_json_object_get (object, "detections");
  const VigilJson *time = vigil_json_object_get (object, "pts");
  double frame, pts;

  if (!read_number (object, "frame", 0, 1e15, -1, &frame, error) ||
      !read_number (object, "pts", 0, 9e18, -1, &pts, error))
    return FALSE;
  if (frame < 0 && pts < 0) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID,
        "want an object with frame or pts, and detections");
    return FALSE;
  }
  if (detections == NULL ||
      vigil_json_get_type (detections) != VIGIL_JSON_ARRAY) {
    g_set_error (
        error, VIGIL_ERROR, VIGIL_ERROR_INVALID, "detections: want a list");
    return FALSE;
  }
  record->frame = (int64_t)frame;
  /* As an integer it has more digits than a double. */
  record->pts = pts >= 0 && vigil_json_get_type (time) == VIGIL_JSON_INTEGER
                    ? vigil_json_get_integer (time)
                    : (int64_t)pts;
  for (size_t i = 0; i < vigil_json_array_size (detections); i++)
    if (!read_detection (
            vigil_json_array_get (detections, i), record->detections, error)) {
      g_prefix_error (error, "detections[%zu]: ", i);
      return FALSE;
    }
  return TRUE;
}

static gboolean
read_line (
    VigilRecording *self, const char *line, gssize length, GError **error)
{
  g_autoptr (VigilJson) json =
      vigil_json_parse (line, length, LINE_BYTES_MAX, LINE_DEPTH_MAX, error);
  Record *record;

  if (json == NULL)
    return FALSE;
  record = g_new0 (Record, 1);
  record->detections =
      g_array_new (FALSE, TRUE, sizeof (VigilRecordedDetection));
  g_array_set_clear_func (record->detections, clear_detection);
  g_ptr_array_add (self->by_frame, record);
  return read_record (json, record, error);
}

/* ---- The file ---------------------------------------------------------- */

static int
compare_frames (const void *a, const void *b)
{
  const Record *first = *(Record *const *)a;
  const Record *second = *(Record *const *)b;

  return (first->frame > second->frame) - (first->frame < second->frame);
}

static int
compare_pts (const void *a, const void *b)
{
  const Record *first = *(Record *const *)a;
  const Record *second = *(Record *const *)b;

  return (first->pts > second->pts) - (first->pts < second->pts);
}

static gboolean
read_lines (VigilRecording *self, const char *text, const char *end,
    const char *path, GError **error)
{
  unsigned line = 0;

  while (text < end) {
    const char *newline = memchr (text, '\n', (size_t)(end - text));
    const char *stop = newline != NULL ? newline : end;

    line++;
    if (line > LINES_MAX) {
      g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_LIMIT,
          "%s: more than %d lines", path, LINES_MAX);
      return FALSE;
    }
    while (text < stop && g_ascii_isspace (*text))
      text++;
    if (text < stop && !read_line (self, text, stop - text, error)) {
      g_prefix_error (error, "%s line %u: ", path, line);
      return FALSE;
    }
    text = stop + 1;
  }
  return TRUE;
}

VigilRecording *
vigil_recording_read (const char *path, GError **error)
{
  g_autoptr (VigilRecording) self = g_new0 (VigilRecording, 1);
  size_t size = 0;
  g_autofree char *text = vigil_file_read (path, FILE_BYTES_MAX, &size, error);

  self->by_frame = g_ptr_array_new_with_free_func (free_record);
  self->by_pts = g_ptr_array_new ();
  if (text == NULL || !read_lines (self, text, text + size, path, error))
    return NULL;
  for (unsigned i = 0; i < self->by_frame->len; i++) {
    Record *record = self->by_frame->pdata[i];

    if (record->pts >= 0)
      g_ptr_array_add (self->by_pts, record);
  }
  g_ptr_array_sort (self->by_frame, compare_frames);
  g_ptr_array_sort (self->by_pts, compare_pts);
  return g_steal_pointer (&self);
}

void
vigil_recording_free (VigilRecording *self)
{
  if (self == NULL)
    return;
  g_ptr_array_unref (self->by_pts);
  g_ptr_array_unref (self->by_frame);
  g_free (self);
}

/* The first record that is not below @key. */
static unsigned
find_position (const GPtrArray *records, int64_t key, gboolean by_pts)
{
  unsigned low = 0;
  unsigned high = records->len;

  while (low < high) {
    unsigned middle = low + (high - low) / 2;
    const Record *record = records->pdata[middle];

    if ((by_pts ? record->pts : record->frame) < key)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

const GArray *
vigil_recording_find_frame (const VigilRecording *self, uint64_t frame)
{
  unsigned position = find_position (self->by_frame, (int64_t)frame, FALSE);
  const Record *record;

  if (position == self->by_frame->len)
    return NULL;
  record = self->by_frame->pdata[position];
  return record->frame == (int64_t)frame ? record->detections : NULL;
}

const GArray *
vigil_recording_find_pts (
    const VigilRecording *self, int64_t pts, int64_t tolerance)
{
  unsigned position = find_position (self->by_pts, pts, TRUE);
  const Record *best = NULL;

  for (unsigned i = position > 0 ? position - 1 : 0;
       i <= position && i < self->by_pts->len; i++) {
    const Record *record = self->by_pts->pdata[i];

    if (ABS (record->pts - pts) <= tolerance &&
        (best == NULL || ABS (record->pts - pts) < ABS (best->pts - pts)))
      best = record;
  }
  return best != NULL ? best->detections : NULL;
}
