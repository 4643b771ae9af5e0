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

/* ---- Views of one object ------------------------------------------------ */

/* How many of one place are looked at for an object's other view: elements
 * find a thing twice, not a thousand times. */
#define SAME_PLACE_MAX 64
#define NOWHERE G_MAXSIZE

typedef struct {
  double x, y, width, height;
} Box;

/* Returns: FALSE when @element has no box. */
static gboolean
read_box (const VigilJson *element, const char *width, const char *height,
    Box *ret_box)
{
  const char *const keys[] = {"x", "y", width, height};
  double numbers[G_N_ELEMENTS (keys)];

  for (unsigned i = 0; i < G_N_ELEMENTS (keys); i++) {
    const VigilJson *value = vigil_json_object_get (element, keys[i]);

    if (value == NULL || !vigil_json_is_number (value))
      return FALSE;
    numbers[i] = vigil_json_get_number (value);
  }
  *ret_box = (Box){numbers[0], numbers[1], numbers[2], numbers[3]};
  return TRUE;
}

static guint
hash_box (gconstpointer data)
{
  const Box *box = data;
  const double numbers[] = {box->x, box->y, box->width, box->height};
  uint64_t hash = 0;

  for (unsigned i = 0; i < G_N_ELEMENTS (numbers); i++) {
    double number = numbers[i] + 0.0; /* -0 is 0 */
    uint64_t bits;

    memcpy (&bits, &number, sizeof bits);
    hash = (hash ^ bits) * UINT64_C (0x9e3779b97f4a7c15);
  }
  return (guint)(hash >> 32);
}

static gboolean
is_same_box (gconstpointer left, gconstpointer right)
{
  const Box *a = left;
  const Box *b = right;

  return a->x == b->x && a->y == b->y && a->width == b->width &&
         a->height == b->height;
}

/* The regions by place, and of one place in their order. */
typedef struct {
  Box *boxes;         /* of each region that has one */
  size_t *nexts;      /* for each region: the next in its place, or NOWHERE */
  GHashTable *firsts; /* Box: the first region there, + 1 */
} Places;

static void
places_clear (Places *self)
{
  g_free (self->boxes);
  g_free (self->nexts);
  g_clear_pointer (&self->firsts, g_hash_table_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Places, places_clear)

static size_t
places_find (const Places *self, const Box *box)
{
  return GPOINTER_TO_SIZE (g_hash_table_lookup (self->firsts, box)) - 1;
}

static void
places_init (Places *self, const Detections *regions)
{
  self->boxes = g_new (Box, regions->size);
  self->nexts = g_new (size_t, regions->size);
  self->firsts = g_hash_table_new (hash_box, is_same_box);
  /* From the end, so that the first of a place comes first. */
  for (size_t i = regions->size; i-- > 0;) {
    Box *box = &self->boxes[i];

    if (!read_box (
            vigil_json_array_get (regions->list, i), "width", "height", box))
      continue;
    self->nexts[i] = places_find (self, box);
    g_hash_table_replace (self->firsts, box, GSIZE_TO_POINTER (i + 1));
  }
}

/* Takes the first region away that is @object's other view: in the same
 * place, and with no label that says otherwise (one object may have been
 * found twice). Returns: NOWHERE when there is none. */
static size_t
take_view (Places *places, const VigilJson *object, const Detections *regions)
{
  const char *label = get_text (object, "roi_type");
  Box box;
  size_t before = NOWHERE;
  size_t view;

  if (!read_box (object, "w", "h", &box))
    return NOWHERE;
  view = places_find (places, &box);
  for (unsigned i = 0; view != NOWHERE && i < SAME_PLACE_MAX; i++) {
    const char *other = get_text (
        find_detection_tensor (vigil_json_array_get (regions->list, view)),
        "label");

    if (label == NULL || other == NULL || strcmp (label, other) == 0) {
      size_t next = places->nexts[view];

      if (before != NOWHERE)
        places->nexts[before] = next;
      else if (next != NOWHERE)
        g_hash_table_replace (
            places->firsts, &places->boxes[next], GSIZE_TO_POINTER (next + 1));
      else
        g_hash_table_remove (places->firsts, &box);
      return view;
    }
    before = view;
    view = places->nexts[view];
  }
  return NOWHERE;
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
  g_auto (Places) places = {0};

  if (objects->size == 0 || regions->size == 0)
    return;
  places_init (&places, regions);
  for (size_t i = 0; i < objects->size; i++) {
    size_t view =
        take_view (&places, vigil_json_array_get (objects->list, i), regions);

    if (view == NOWHERE)
      continue;
    if (objects->verdicts[i] == NO_DETECTION)
      objects->verdicts[i] = regions->verdicts[view];
    else
      regions->verdicts[view] = objects->verdicts[i];
  }
}

/* ---- Pruning ------------------------------------------------------------ */

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
