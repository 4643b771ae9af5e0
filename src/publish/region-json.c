/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Regions to JSON. Names are written together with their quotes, colons and
 * commas, because this runs for each detection of each frame.
 */
#include "publish/region-json.h"

#include "base/json.h"
#include "publish/json-text.h"
#include <string.h>

#define APPEND VIGIL_JSON_TEXT_APPEND

/* Limits of extra parameters: text that an element made. */
enum { EXTRA_BYTES_MAX = 1024 * 1024, EXTRA_DEPTH_MAX = 32 };
enum { ANNOTATIONS_BYTES_MAX = 1024 * 1024, ANNOTATIONS_DEPTH_MAX = 64 };

static void
append_string_or_null (GString *text, const char *value)
{
  if (value == NULL)
    APPEND (text, "null");
  else
    vigil_json_append_string (text, value, -1);
}

static gboolean
is_detection (const VigilResult *result)
{
  return strcmp (result->name, "detection") == 0;
}

static const VigilResult *
get_result (const GArray *results, unsigned index)
{
  return &g_array_index (results, VigilResult, index);
}

/* ---- objects ----------------------------------------------------------- */

/* The box in parts of the picture: the detector's own, else from pixels. */
static void
append_bounding_box (GString *text, const VigilResult *result,
    const VigilRegion *region, const VigilFrame *frame)
{
  double x_min = result->x_min;
  double x_max = result->x_max;
  double y_min = result->y_min;
  double y_max = result->y_max;

  if (!result->has_box) {
    if (frame->width <= 0 || frame->height <= 0)
      return;
    x_min = (double)region->x / frame->width;
    x_max = ((double)region->x + region->width) / frame->width;
    y_min = (double)region->y / frame->height;
    y_max = ((double)region->y + region->height) / frame->height;
  }
  APPEND (text, "\"bounding_box\":{\"x_max\":");
  vigil_json_append_number (text, x_max);
  APPEND (text, ",\"x_min\":");
  vigil_json_append_number (text, x_min);
  APPEND (text, ",\"y_max\":");
  vigil_json_append_number (text, y_max);
  APPEND (text, ",\"y_min\":");
  vigil_json_append_number (text, y_min);
  APPEND (text, "},");
}

/* The comma after the last member goes. */
static void
close_object (GString *text)
{
  if (text->str[text->len - 1] == ',')
    g_string_truncate (text, text->len - 1);
  APPEND (text, "}");
}

static void
append_verdict (GString *text, const VigilResult *result, const char *label)
{
  if (result->has_confidence) {
    APPEND (text, "\"confidence\":");
    vigil_json_append_number (text, result->confidence);
    APPEND (text, ",");
  }
  if (label != NULL && label[0] != '\0') {
    APPEND (text, "\"label\":");
    vigil_json_append_string (text, label, -1);
    APPEND (text, ",");
  }
  if (result->has_label_id) {
    APPEND (text, "\"label_id\":");
    vigil_json_append_integer (text, result->label_id);
    APPEND (text, ",");
  }
}

static void
append_detection (GString *text, const VigilResult *result,
    const VigilRegion *region, const VigilFrame *frame)
{
  APPEND (text, "\"detection\":{");
  append_bounding_box (text, result, region, frame);
  append_verdict (text, result, region->label);
  close_object (text);
  APPEND (text, ",");
}

/* The key of a result in its object; NULL when it has no place there: no
 * label, a name that the object itself uses, or one that is no text (two of
 * those could become the same). */
static const char *
get_attribute_key (const VigilResult *result)
{
  static const char *const taken[] = {"detection", "extra_params", "h", "id",
      "parent_id", "region_id", "roi_type", "w", "x", "y", NULL};
  const char *key =
      result->attribute_name != NULL ? result->attribute_name : result->name;

  if (result->label == NULL || is_detection (result) ||
      g_strv_contains (taken, key) || !g_utf8_validate (key, -1, NULL))
    return NULL;
  return key;
}

/* A later result of the same key replaces this one: a key comes once. */
static gboolean
is_replaced (const GArray *results, unsigned index, const char *key)
{
  for (unsigned i = index + 1; i < results->len; i++) {
    if (g_strcmp0 (get_attribute_key (get_result (results, i)), key) == 0)
      return TRUE;
  }
  return FALSE;
}

static void
append_attributes (GString *text, const GArray *results)
{
  for (unsigned i = 0; i < results->len; i++) {
    const VigilResult *result = get_result (results, i);
    const char *key = get_attribute_key (result);

    if (key == NULL || is_replaced (results, i, key))
      continue;
    vigil_json_append_string (text, key, -1);
    APPEND (text, ":{");
    append_verdict (text, result, result->label);
    if (result->model_name != NULL) {
      APPEND (text, "\"model\":{\"name\":");
      vigil_json_append_string (text, result->model_name, -1);
      APPEND (text, "}");
    }
    close_object (text);
    APPEND (text, ",");
  }
}

static void
append_extra (GString *text, const char *json, unsigned *ret_errors)
{
  g_autoptr (VigilJson) value =
      vigil_json_parse (json, -1, EXTRA_BYTES_MAX, EXTRA_DEPTH_MAX, NULL);
  VigilJsonWriter writer;

  if (value == NULL || vigil_json_get_type (value) != VIGIL_JSON_OBJECT) {
    ++*ret_errors;
    return;
  }
  APPEND (text, "\"extra_params\":");
  vigil_json_writer_init (&writer, text);
  vigil_json_writer_value (&writer, value);
  APPEND (text, ",");
}

static void
append_object (GString *text, const VigilRegion *region,
    const VigilFrame *frame, unsigned *ret_errors)
{
  const VigilResult *detection = NULL;
  const char *extra = NULL;

  for (unsigned i = 0; i < region->results->len; i++) {
    const VigilResult *result = get_result (region->results, i);

    if (detection == NULL && is_detection (result))
      detection = result;
    if (extra == NULL)
      extra = result->extra_json;
  }
  APPEND (text, "{");
  if (detection != NULL)
    append_detection (text, detection, region, frame);
  append_attributes (text, region->results);
  if (extra != NULL)
    append_extra (text, extra, ret_errors);
  APPEND (text, "\"h\":");
  vigil_json_append_integer (text, region->height);
  if (region->object_id != 0) {
    APPEND (text, ",\"id\":");
    vigil_json_append_integer (text, region->object_id);
  }
  if (region->parent_id >= 0) {
    APPEND (text, ",\"parent_id\":");
    vigil_json_append_integer (text, region->parent_id);
  }
  APPEND (text, ",\"region_id\":");
  vigil_json_append_integer (text, region->id);
  if (region->label != NULL && region->label[0] != '\0') {
    APPEND (text, ",\"roi_type\":");
    vigil_json_append_string (text, region->label, -1);
  }
  APPEND (text, ",\"w\":");
  vigil_json_append_integer (text, region->width);
  APPEND (text, ",\"x\":");
  vigil_json_append_integer (text, region->x);
  APPEND (text, ",\"y\":");
  vigil_json_append_integer (text, region->y);
  APPEND (text, "},");
}

static gboolean
has_attributes (const GArray *results)
{
  for (unsigned i = 0; i < results->len; i++) {
    if (get_attribute_key (get_result (results, i)) != NULL)
      return TRUE;
  }
  return FALSE;
}

static void
append_frame_object (GString *text, const VigilFrame *frame)
{
  APPEND (text, "{");
  append_attributes (text, frame->metadata->results);
  APPEND (text, "\"h\":");
  vigil_json_append_integer (text, frame->height);
  APPEND (text, ",\"w\":");
  vigil_json_append_integer (text, frame->width);
  APPEND (text, ",\"x\":0,\"y\":0},");
}

static void
close_array (GString *text)
{
  if (text->str[text->len - 1] == ',')
    g_string_truncate (text, text->len - 1);
  APPEND (text, "]");
}

void
vigil_region_json_append_objects (
    GString *text, const VigilFrame *frame, unsigned *ret_errors)
{
  const GArray *regions = frame->metadata->regions;

  APPEND (text, "[");
  for (unsigned i = 0; i < regions->len; i++)
    append_object (
        text, &g_array_index (regions, VigilRegion, i), frame, ret_errors);
  if (has_attributes (frame->metadata->results))
    append_frame_object (text, frame);
  close_array (text);
}

/* ---- gva_meta ----------------------------------------------------------- */

/* A detector's label is the region's. */
static const char *
get_label (const VigilResult *result, const VigilRegion *region)
{
  return is_detection (result) ? region->label : result->label;
}

static void
append_tensor (
    GString *text, const VigilResult *result, const VigilRegion *region)
{
  APPEND (text, "{\"name\":");
  vigil_json_append_string (text, result->name, -1);
  APPEND (text, ",\"confidence\":");
  if (result->has_confidence)
    vigil_json_append_number (text, result->confidence);
  else
    APPEND (text, "null");
  APPEND (text, ",\"label_id\":");
  if (result->has_label_id)
    vigil_json_append_integer (text, result->label_id);
  else
    APPEND (text, "null");
  APPEND (text, ",\"label\":");
  append_string_or_null (text, get_label (result, region));
  APPEND (text, "},");
}

static void
append_object_id (GString *text, const VigilRegion *region)
{
  if (region != NULL && region->object_id != 0)
    vigil_json_append_integer (text, region->object_id);
  else
    APPEND (text, "null");
}

void
vigil_region_json_append_gva_meta (GString *text, const VigilMetadata *metadata)
{
  APPEND (text, "[");
  for (unsigned i = 0; i < metadata->regions->len; i++) {
    const VigilRegion *region =
        &g_array_index (metadata->regions, VigilRegion, i);

    APPEND (text, "{\"x\":");
    vigil_json_append_integer (text, region->x);
    APPEND (text, ",\"y\":");
    vigil_json_append_integer (text, region->y);
    APPEND (text, ",\"height\":");
    vigil_json_append_integer (text, region->height);
    APPEND (text, ",\"width\":");
    vigil_json_append_integer (text, region->width);
    APPEND (text, ",\"object_id\":");
    append_object_id (text, region);
    APPEND (text, ",\"tensor\":[");
    for (unsigned j = 0; j < region->results->len; j++)
      append_tensor (text, get_result (region->results, j), region);
    close_array (text);
    APPEND (text, "},");
  }
  close_array (text);
}

/* ---- annotations -------------------------------------------------------- */

static void
append_annotation (GString *text, const VigilRegion *region)
{
  const VigilResult *first =
      region->results->len > 0 ? get_result (region->results, 0) : NULL;

  APPEND (text, "{\"bbox\":[");
  vigil_json_append_integer (text, region->x);
  APPEND (text, ",");
  vigil_json_append_integer (text, region->y);
  APPEND (text, ",");
  vigil_json_append_integer (text, (int64_t)region->x + region->width);
  APPEND (text, ",");
  vigil_json_append_integer (text, (int64_t)region->y + region->height);
  APPEND (text, "],\"label\":");
  append_string_or_null (
      text, first != NULL ? get_label (first, region) : region->label);
  APPEND (text, ",\"score\":");
  if (first != NULL && first->has_confidence)
    vigil_json_append_number (text, first->confidence);
  else
    APPEND (text, "null");
  APPEND (text, ",\"attributes\":{\"occluded\":false,\"rotation\":0.0}");
  if (region->object_id != 0) {
    APPEND (text, ",\"object_id\":");
    append_object_id (text, region);
  }
  APPEND (text, "},");
}

void
vigil_region_json_append_annotations (
    GString *text, const VigilMetadata *metadata)
{
  APPEND (text, "{\"objects\":[");
  for (unsigned i = 0; i < metadata->regions->len; i++)
    append_annotation (
        text, &g_array_index (metadata->regions, VigilRegion, i));
  close_array (text);
  APPEND (text, "}");
}

static const VigilRegion *
find_region (const VigilMetadata *metadata, const VigilJson *box)
{
  double corner[4];

  if (vigil_json_array_size (box) != 4)
    return NULL;
  for (unsigned i = 0; i < 4; i++) {
    const VigilJson *value = vigil_json_array_get (box, i);

    if (!vigil_json_is_number (value))
      return NULL;
    corner[i] = vigil_json_get_number (value);
  }
  for (unsigned i = 0; i < metadata->regions->len; i++) {
    const VigilRegion *region =
        &g_array_index (metadata->regions, VigilRegion, i);

    if (corner[0] == region->x && corner[1] == region->y &&
        corner[2] == (double)region->x + region->width &&
        corner[3] == (double)region->y + region->height)
      return region;
  }
  return NULL;
}

static void
append_tracked_object (VigilJsonWriter *writer, const VigilJson *object,
    const VigilMetadata *metadata)
{
  const VigilRegion *region;
  VigilJsonIter iter = {0};
  const char *name;
  const VigilJson *value;

  if (vigil_json_get_type (object) != VIGIL_JSON_OBJECT) {
    vigil_json_writer_value (writer, object);
    return;
  }
  vigil_json_writer_begin_object (writer);
  while (vigil_json_object_next (object, &iter, &name, &value)) {
    if (strcmp (name, "object_id") == 0)
      continue;
    vigil_json_writer_key (writer, name);
    vigil_json_writer_value (writer, value);
  }
  region = find_region (metadata, vigil_json_object_get (object, "bbox"));
  vigil_json_writer_key (writer, "object_id");
  if (region != NULL && region->object_id != 0)
    vigil_json_writer_integer (writer, region->object_id);
  else
    vigil_json_writer_null (writer);
  vigil_json_writer_end_object (writer);
}

gboolean
vigil_region_json_append_tracked (GString *text, const char *annotations,
    gssize length, const VigilMetadata *metadata)
{
  g_autoptr (VigilJson) tree = vigil_json_parse (
      annotations, length, ANNOTATIONS_BYTES_MAX, ANNOTATIONS_DEPTH_MAX, NULL);
  const VigilJson *objects = vigil_json_object_get (tree, "objects");
  VigilJsonWriter writer;
  VigilJsonIter iter = {0};
  const char *name;
  const VigilJson *value;

  if (objects == NULL || vigil_json_get_type (objects) != VIGIL_JSON_ARRAY)
    return FALSE;
  vigil_json_writer_init (&writer, text);
  vigil_json_writer_begin_object (&writer);
  while (vigil_json_object_next (tree, &iter, &name, &value)) {
    vigil_json_writer_key (&writer, name);
    if (strcmp (name, "objects") != 0) {
      vigil_json_writer_value (&writer, value);
      continue;
    }
    vigil_json_writer_begin_array (&writer);
    for (size_t i = 0; i < vigil_json_array_size (objects); i++)
      append_tracked_object (
          &writer, vigil_json_array_get (objects, i), metadata);
    vigil_json_writer_end_array (&writer);
  }
  vigil_json_writer_end_object (&writer);
  return TRUE;
}
