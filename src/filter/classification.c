/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Filters of type classification. A result whose label is listed and whose
 * score is below the label's threshold is skipped; labels that are not
 * listed pass. Results are found wherever the metadata holds them.
 */
#include "filter/filter-private.h"

#include <string.h>

/* Where in the metadata the walk is, as far as that changes what is a
 * result. */
typedef enum {
  PLACE_ROOT,   /* the metadata itself */
  PLACE_OBJECT, /* an element of `objects` */
  PLACE_TENSOR, /* an element of `tensor` */
  PLACE_LABEL,  /* an element of `labels` */
  PLACE_ANYWHERE,
} Place;

static const char *const score_keys[] = {"score", "confidence", "probability"};

static const char *
get_text (const VigilJson *object, const char *key)
{
  const VigilJson *value = vigil_json_object_get (object, key);

  return value != NULL ? vigil_json_get_string (value) : NULL;
}

/* A threshold of 0 is none: then the score may be anything. */
static gboolean
fails (const VigilFilter *filter, const char *label, const VigilJson *score)
{
  double threshold;

  if (!vigil_filter_get_threshold (filter, label, &threshold) || threshold == 0)
    return FALSE;
  return score == NULL || !vigil_json_is_number (score) ||
         vigil_json_get_number (score) < threshold;
}

/* The score of a result. Returns: NULL when @object is no result. */
static const VigilJson *
find_score (const VigilJson *object, Place place, const char **ret_label)
{
  const char *label = get_text (object, "label");

  if (place == PLACE_TENSOR &&
      g_strcmp0 (get_text (object, "name"), "detection") == 0)
    return NULL;
  if (label == NULL && place == PLACE_LABEL) {
    /* Geti: {"name", "probability"}. */
    *ret_label = get_text (object, "name");
    return *ret_label != NULL ? vigil_json_object_get (object, "probability")
                              : NULL;
  }
  *ret_label = label;
  for (unsigned i = 0; label != NULL && i < G_N_ELEMENTS (score_keys); i++) {
    const VigilJson *score = vigil_json_object_get (object, score_keys[i]);

    if (score != NULL)
      return score;
  }
  return NULL;
}

/* Counts @value if it is a result. Returns: whether it is to be skipped. */
static gboolean
judge_value (VigilFilterJudge *judge, const VigilJson *value, Place place)
{
  const char *label;
  const VigilJson *score;

  if (vigil_json_get_type (value) != VIGIL_JSON_OBJECT)
    return FALSE;
  score = find_score (value, place, &label);
  if (score == NULL)
    return FALSE;
  judge->found++;
  if (fails (judge->filter, label, score))
    return TRUE;
  judge->left++;
  return FALSE;
}

/* ---- The walk ----------------------------------------------------------- */

static VigilJson *prune_value (
    VigilFilterJudge *judge, const VigilJson *value, Place place);

/* What the elements of the list @key of an object at @place are. */
static Place
get_element_place (const char *key, Place place)
{
  if (place == PLACE_ROOT && strcmp (key, "objects") == 0)
    return PLACE_OBJECT;
  if (strcmp (key, "tensor") == 0)
    return PLACE_TENSOR;
  if (strcmp (key, "labels") == 0)
    return PLACE_LABEL;
  return PLACE_ANYWHERE;
}

static VigilJson *
prune_array (VigilFilterJudge *judge, const VigilJson *array, Place place)
{
  size_t size = vigil_json_array_size (array);
  VigilJson *copy = NULL;

  for (size_t i = 0; i < size; i++) {
    const VigilJson *element = vigil_json_array_get (array, i);
    gboolean is_skipped = judge_value (judge, element, place);
    g_autoptr (VigilJson) pruned =
        is_skipped ? NULL : prune_value (judge, element, place);

    if (copy == NULL && pruned != element) {
      copy = vigil_json_new_array ();
      for (size_t j = 0; j < i; j++)
        vigil_json_array_take (
            copy, vigil_filter_share (vigil_json_array_get (array, j)));
    }
    if (copy != NULL && !is_skipped)
      vigil_json_array_take (copy, g_steal_pointer (&pruned));
  }
  return copy != NULL ? copy : vigil_filter_share (array);
}

/* A detector's own result has another kind of filter. */
static gboolean
is_judged_member (const char *name, Place place)
{
  return place != PLACE_OBJECT || strcmp (name, "detection") != 0;
}

static VigilJson *
prune_object (VigilFilterJudge *judge, const VigilJson *object, Place place)
{
  VigilJson *copy = NULL;
  VigilJsonIter iter = {0};
  const char *name;
  const VigilJson *value;

  while (vigil_json_object_next (object, &iter, &name, &value)) {
    g_autoptr (VigilJson) pruned = NULL;
    gboolean is_skipped;

    if (!is_judged_member (name, place))
      continue;
    is_skipped = judge_value (judge, value, PLACE_ANYWHERE);
    if (!is_skipped)
      pruned = prune_value (judge, value, get_element_place (name, place));
    if (pruned == value)
      continue;
    if (copy == NULL)
      copy = vigil_filter_copy_members (object);
    if (is_skipped)
      vigil_json_object_remove (copy, name);
    else
      vigil_json_object_take (copy, name, g_steal_pointer (&pruned));
  }
  return copy != NULL ? copy : vigil_filter_share (object);
}

/* Recurses as deep as the tree, which parsing has limited. @place: of the
 * object, or of the elements of the array. */
static VigilJson *
prune_value (VigilFilterJudge *judge, const VigilJson *value, Place place)
{
  switch (vigil_json_get_type (value)) {
  case VIGIL_JSON_OBJECT:
    return prune_object (judge, value, place);
  case VIGIL_JSON_ARRAY:
    return prune_array (judge, value, place);
  case VIGIL_JSON_STRING:
  case VIGIL_JSON_INTEGER:
  case VIGIL_JSON_REAL:
  case VIGIL_JSON_BOOLEAN:
  case VIGIL_JSON_NULL:
    break;
  }
  return vigil_filter_share (value);
}

/* ---- At the top level --------------------------------------------------- */

/* {"label", "score"} among the metadata's own keys: both go, the rest
 * stays. */
static VigilJson *
prune_own_result (VigilFilterJudge *judge, const VigilJson *metadata)
{
  VigilJson *copy;

  if (!judge_value (judge, metadata, PLACE_ROOT))
    return vigil_filter_share (metadata);
  copy = vigil_filter_copy_members (metadata);
  vigil_json_object_remove (copy, "label");
  for (unsigned i = 0; i < G_N_ELEMENTS (score_keys); i++)
    vigil_json_object_remove (copy, score_keys[i]);
  return copy;
}

/* A class may be called like a key that is no score of it. */
static gboolean
is_score_key (const VigilJson *metadata, const char *label)
{
  static const char *const taken[] = {"height", "width", "channels", "frame_id",
      "time", "timestamp", "pts", "capture_time", "encoding_level",
      "last_modified", "export_code", NULL};
  const VigilJson *score = vigil_json_object_get (metadata, label);

  return score != NULL && vigil_json_is_number (score) &&
         !g_strv_contains (taken, label);
}

/* "classes": [label ...], and the score of each as a key of its name. */
static VigilJson *
prune_classes (VigilFilterJudge *judge, const VigilJson *metadata)
{
  const VigilJson *classes = vigil_json_object_get (metadata, "classes");
  size_t size = vigil_json_array_size (classes);
  g_autofree gboolean *is_skipped = g_new0 (gboolean, size + 1);
  VigilJson *copy = NULL;

  for (size_t i = 0; i < size; i++) {
    const char *label =
        vigil_json_get_string (vigil_json_array_get (classes, i));

    if (label == NULL)
      continue;
    judge->found++;
    is_skipped[i] =
        fails (judge->filter, label, vigil_json_object_get (metadata, label));
    judge->left += !is_skipped[i];
    if (!is_skipped[i])
      continue;
    if (copy == NULL)
      copy = vigil_filter_copy_members (metadata);
    if (is_score_key (metadata, label))
      vigil_json_object_remove (copy, label);
  }
  if (copy == NULL)
    return vigil_filter_share (metadata);
  vigil_json_object_take (
      copy, "classes", vigil_filter_copy_elements (classes, is_skipped));
  return copy;
}

VigilJson *
vigil_filter_prune_classifications (
    VigilFilterJudge *judge, const VigilJson *metadata)
{
  g_autoptr (VigilJson) first = prune_own_result (judge, metadata);
  g_autoptr (VigilJson) second = prune_classes (judge, first);

  return prune_object (judge, second, PLACE_ROOT);
}

/* ---- The rule for whole messages ---------------------------------------- */

gboolean
vigil_filter_pass_classifications (
    const VigilFilter *self, const VigilJson *metadata, gboolean *ret_is_empty)
{
  const VigilJson *classes = vigil_json_object_get (metadata, "classes");
  size_t size = vigil_json_array_size (classes);

  if (classes == NULL || vigil_json_get_type (classes) != VIGIL_JSON_ARRAY)
    return FALSE;
  *ret_is_empty = size == 0;
  for (size_t i = 0; i < size; i++) {
    const char *label =
        vigil_json_get_string (vigil_json_array_get (classes, i));

    if (label != NULL &&
        fails (self, label, vigil_json_object_get (metadata, label)))
      return FALSE;
  }
  return TRUE;
}
