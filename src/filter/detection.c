/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Filters of type detection. A detection passes when its label is listed
 * and its score is not below the label's threshold.
 */
#include "filter/filter-private.h"

#include <string.h>

typedef enum {
  NO_DETECTION, /* nothing to judge */
  PASSES,
  FAILS,
} Verdict;

static Verdict
judge_score (
    const VigilFilter *filter, const char *label, const VigilJson *score)
{
  double threshold;

  if (!vigil_filter_get_threshold (filter, label, &threshold) ||
      score == NULL || !vigil_json_is_number (score) ||
      vigil_json_get_number (score) < threshold)
    return FAILS;
  return PASSES;
}

static const char *
get_text (const VigilJson *object, const char *key)
{
  const VigilJson *value = vigil_json_object_get (object, key);

  return value != NULL ? vigil_json_get_string (value) : NULL;
}

/* annotations.objects[]: {"label", "score"}. */
static Verdict
judge_annotated_object (const VigilFilter *filter, const VigilJson *object)
{
  return judge_score (filter, get_text (object, "label"),
      vigil_json_object_get (object, "score"));
}

/* predictions.annotations[]: {"labels": [{"name", "probability"}]}; the
 * first label is the detection's, more of them describe it. */
static Verdict
judge_prediction (const VigilFilter *filter, const VigilJson *object)
{
  const VigilJson *label =
      vigil_json_array_get (vigil_json_object_get (object, "labels"), 0);

  return judge_score (filter, get_text (label, "name"),
      vigil_json_object_get (label, "probability"));
}

/* objects[]: {"detection": {"label", "confidence"}, "roi_type"}. */
static Verdict
judge_object (const VigilFilter *filter, const VigilJson *object)
{
  const VigilJson *detection = vigil_json_object_get (object, "detection");
  const char *label = get_text (detection, "label");

  if (detection == NULL || vigil_json_get_type (detection) != VIGIL_JSON_OBJECT)
    return NO_DETECTION;
  return judge_score (filter,
      label != NULL ? label : get_text (object, "roi_type"),
      vigil_json_object_get (detection, "confidence"));
}

static const VigilJson *
find_detection_tensor (const VigilJson *region)
{
  const VigilJson *tensors = vigil_json_object_get (region, "tensor");

  for (size_t i = 0; i < vigil_json_array_size (tensors); i++) {
    const VigilJson *tensor = vigil_json_array_get (tensors, i);

    if (g_strcmp0 (get_text (tensor, "name"), "detection") == 0)
      return tensor;
  }
  return NULL;
}

/* gva_meta[]: {"tensor": [{"name": "detection", "label", "confidence"}]}. */
static Verdict
judge_region (const VigilFilter *filter, const VigilJson *region)
{
  const VigilJson *tensor = find_detection_tensor (region);

  if (tensor == NULL)
    return NO_DETECTION;
  return judge_score (filter, get_text (tensor, "label"),
      vigil_json_object_get (tensor, "confidence"));
}

/* ---- Lists -------------------------------------------------------------- */

typedef Verdict (*JudgeFunc) (
    const VigilFilter *filter, const VigilJson *element);

/* The detections of one list, with what identifies them in another. */
typedef struct {
  const VigilJson *list; /* nullable: no such list */
  size_t size;
  Verdict *verdicts;
} Detections;

static void
detections_clear (Detections *self)
{
  g_free (self->verdicts);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Detections, detections_clear)

static void
judge_list (Detections *self, const VigilFilter *filter, const VigilJson *list,
    JudgeFunc judge)
{
  self->list = list;
  self->size = vigil_json_array_size (list);
  self->verdicts = g_new0 (Verdict, self->size + 1);
  for (size_t i = 0; i < self->size; i++)
    self->verdicts[i] = judge (filter, vigil_json_array_get (list, i));
}

static gboolean
has_equal (const VigilJson *a, const char *key_a, const VigilJson *b,
    const char *key_b)
{
  const VigilJson *value_a = vigil_json_object_get (a, key_a);
  const VigilJson *value_b = vigil_json_object_get (b, key_b);

  return value_a != NULL && value_b != NULL && vigil_json_is_number (value_a) &&
         vigil_json_is_number (value_b) &&
         vigil_json_get_number (value_a) == vigil_json_get_number (value_b);
}

/* TRUE when both are views of one object: the same box, and no label that
 * says otherwise (one object may have been found twice). */
static gboolean
is_same (const VigilJson *object, const VigilJson *region)
{
  const char *label = get_text (object, "roi_type");
  const char *other = get_text (find_detection_tensor (region), "label");

  return has_equal (object, "x", region, "x") &&
         has_equal (object, "y", region, "y") &&
         has_equal (object, "w", region, "width") &&
         has_equal (object, "h", region, "height") &&
         (label == NULL || other == NULL || strcmp (label, other) == 0);
}

/* Returns: the first region that is @object's other view and nobody else's;
 * the list's size when there is none. */
static size_t
find_view (const VigilJson *object, const Detections *regions,
    const gboolean *is_taken)
{
  for (size_t i = 0; i < regions->size; i++) {
    if (!is_taken[i] &&
        is_same (object, vigil_json_array_get (regions->list, i)))
      return i;
  }
  return regions->size;
}

/*
 * The views of one object share a verdict, so that a subscriber never finds
 * it in one list and not in the other: that of `objects` where it has one.
 * Each is the view of one other, in order: an object that was found twice is
 * twice in both.
 */
static void
join_views (Detections *objects, Detections *regions)
{
  g_autofree gboolean *is_taken = g_new0 (gboolean, regions->size + 1);

  for (size_t i = 0; i < objects->size; i++) {
    const VigilJson *object = vigil_json_array_get (objects->list, i);
    size_t view = find_view (object, regions, is_taken);

    if (view == regions->size)
      continue;
    is_taken[view] = TRUE;
    if (objects->verdicts[i] == NO_DETECTION)
      objects->verdicts[i] = regions->verdicts[view];
    else
      regions->verdicts[view] = objects->verdicts[i];
  }
}

/* Counts the detections of a list, and takes those that fail out of
 * @owner, which holds it as @key. Returns: (transfer full) the owner. */
static VigilJson *
prune_list (VigilFilterJudge *judge, const VigilJson *owner, const char *key,
    const Detections *detections)
{
  g_autofree gboolean *is_skipped = g_new0 (gboolean, detections->size + 1);
  gboolean is_any = FALSE;
  VigilJson *copy;

  for (size_t i = 0; i < detections->size; i++) {
    is_skipped[i] = detections->verdicts[i] == FAILS;
    is_any |= is_skipped[i];
    judge->found += detections->verdicts[i] != NO_DETECTION;
    judge->left += detections->verdicts[i] == PASSES;
  }
  if (!is_any)
    return vigil_filter_share (owner);
  copy = vigil_filter_copy_members (owner);
  vigil_json_object_take (
      copy, key, vigil_filter_copy_elements (detections->list, is_skipped));
  return copy;
}

/* The list @key of the member @name. */
static VigilJson *
prune_nested (VigilFilterJudge *judge, const VigilJson *metadata,
    const char *name, const char *key, JudgeFunc judge_element)
{
  const VigilJson *owner = vigil_json_object_get (metadata, name);
  g_auto (Detections) detections = {0};
  g_autoptr (VigilJson) pruned = NULL;
  VigilJson *copy;

  judge_list (&detections, judge->filter, vigil_json_object_get (owner, key),
      judge_element);
  if (detections.size == 0)
    return vigil_filter_share (metadata);
  pruned = prune_list (judge, owner, key, &detections);
  if (pruned == owner)
    return vigil_filter_share (metadata);
  copy = vigil_filter_copy_members (metadata);
  vigil_json_object_take (copy, name, g_steal_pointer (&pruned));
  return copy;
}

VigilJson *
vigil_filter_prune_detections (
    VigilFilterJudge *judge, const VigilJson *metadata)
{
  g_auto (Detections) objects = {0};
  g_auto (Detections) regions = {0};
  g_autoptr (VigilJson) first = prune_nested (
      judge, metadata, "annotations", "objects", judge_annotated_object);
  g_autoptr (VigilJson) second = prune_nested (
      judge, first, "predictions", "annotations", judge_prediction);
  g_autoptr (VigilJson) third = NULL;

  judge_list (&objects, judge->filter,
      vigil_json_object_get (metadata, "objects"), judge_object);
  judge_list (&regions, judge->filter,
      vigil_json_object_get (metadata, "gva_meta"), judge_region);
  join_views (&objects, &regions);
  third = prune_list (judge, second, "objects", &objects);
  return prune_list (judge, third, "gva_meta", &regions);
}

/* ---- The rule for whole messages ---------------------------------------- */

/* The list that the rule looks at: the first shape that exists.
 * Returns: FALSE when there is none. */
static gboolean
find_list (
    const VigilJson *metadata, const VigilJson **ret_list, JudgeFunc *ret_judge)
{
  const VigilJson *annotations =
      vigil_json_object_get (metadata, "annotations");
  const VigilJson *predictions =
      vigil_json_object_get (metadata, "predictions");

  if (annotations != NULL && vigil_json_is_null (annotations))
    return FALSE;
  *ret_list = vigil_json_object_get (annotations, "objects");
  *ret_judge = judge_annotated_object;
  if (*ret_list == NULL) {
    *ret_list = vigil_json_object_get (predictions, "annotations");
    *ret_judge = judge_prediction;
  }
  return *ret_list != NULL &&
         vigil_json_get_type (*ret_list) == VIGIL_JSON_ARRAY;
}

gboolean
vigil_filter_pass_detections (
    const VigilFilter *self, const VigilJson *metadata, gboolean *ret_is_empty)
{
  const VigilJson *list;
  JudgeFunc judge;
  size_t size;

  if (!find_list (metadata, &list, &judge))
    return FALSE;
  size = vigil_json_array_size (list);
  *ret_is_empty = size == 0;
  for (size_t i = 0; i < size; i++) {
    if (judge (self, vigil_json_array_get (list, i)) != PASSES)
      return FALSE;
  }
  return TRUE;
}
