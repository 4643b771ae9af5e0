/* SPDX-License-Identifier: Apache-2.0 */
/* A filter's settings, and which rule a frame is judged by. */
#include "filter/filter.h"

#include "filter/filter-private.h"
#include <math.h>
#include <string.h>

static const char *const kinds[] = {"detection", "classification", NULL};
static const char *const modes[] = {"detections", "message", NULL};

const VigilSchemaKey vigil_filter_keys[] = {
    {.name = "type",
        .type = VIGIL_SCHEMA_CHOICE,
        .choices = kinds,
        .help = "Which results are judged. Required in a block that is not "
                "empty."},
    {.name = "label_score",
        .type = VIGIL_SCHEMA_OBJECT,
        .default_text = "{}",
        .help = "A threshold of 0 to 1 for each label; an equal score "
                "passes."},
    {.name = "mode",
        .type = VIGIL_SCHEMA_CHOICE,
        .choices = modes,
        .default_text = "detections",
        .help = "`detections` takes out the results that fail and publishes "
                "what is left; `message` drops a frame for one of them, as "
                "DLSPS does."},
    {.name = "skip_empty",
        .type = VIGIL_SCHEMA_BOOLEAN,
        .default_text = "false",
        .help = "Do not publish frames without any result."},
    {.name = NULL},
};

/* ---- Settings ------------------------------------------------------------ */

static void
check_threshold (const char *label, const VigilJson *value, const char *path,
    VigilProblems *problems)
{
  g_autofree char *label_path = vigil_schema_join_path (path, label);
  double threshold = vigil_json_get_number (value);

  if (!vigil_json_is_number (value))
    vigil_problems_add (problems, VIGIL_PROBLEM_ERROR, label_path,
        "want a threshold of 0 to 1, got %s",
        vigil_json_type_name (vigil_json_get_type (value)));
  else if (!(threshold >= 0 && threshold <= 1))
    vigil_problems_add (problems, VIGIL_PROBLEM_ERROR, label_path,
        "%g: want a threshold of 0 to 1", threshold);
}

void
vigil_filter_check (
    const VigilJson *settings, const char *path, VigilProblems *problems)
{
  const VigilJson *type = vigil_json_object_get (settings, "type");
  const VigilJson *scores = vigil_json_object_get (settings, "label_score");
  g_autofree char *scores_path = vigil_schema_join_path (path, "label_score");
  VigilJsonIter iter = {0};
  const char *label;
  const VigilJson *value;

  if (vigil_json_object_size (settings) == 0)
    return;
  if (type == NULL || vigil_json_is_null (type)) {
    g_autofree char *type_path = vigil_schema_join_path (path, "type");

    vigil_problems_add (problems, VIGIL_PROBLEM_ERROR, type_path,
        "missing: want 'detection' or 'classification'");
  }
  if (vigil_json_object_size (scores) == 0)
    vigil_problems_add (problems, VIGIL_PROBLEM_WARNING, scores_path,
        "no thresholds: a filter of type detection lets no detection pass, "
        "one of type classification lets all pass");
  while (vigil_json_object_next (scores, &iter, &label, &value))
    check_threshold (label, value, scores_path, problems);
}

VigilFilter *
vigil_filter_new (const VigilJson *settings)
{
  VigilFilter *self;
  VigilJsonIter iter = {0};
  const char *label;
  const VigilJson *value;

  if (vigil_json_object_size (settings) == 0)
    return NULL;
  self = g_new0 (VigilFilter, 1);
  self->kind = g_strcmp0 (vigil_schema_get_string (settings, "type", NULL),
                   kinds[VIGIL_FILTER_CLASSIFICATION]) == 0
                   ? VIGIL_FILTER_CLASSIFICATION
                   : VIGIL_FILTER_DETECTION;
  self->is_message_mode =
      strcmp (
          vigil_schema_get_string (settings, "mode", modes[0]), "message") == 0;
  self->skips_empty = vigil_schema_get_boolean (settings, "skip_empty", FALSE);
  self->thresholds =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  settings = vigil_json_object_get (settings, "label_score");
  while (vigil_json_object_next (settings, &iter, &label, &value)) {
    double *threshold = g_new (double, 1);

    *threshold = vigil_json_get_number (value);
    g_hash_table_insert (self->thresholds, g_strdup (label), threshold);
  }
  return self;
}

void
vigil_filter_free (VigilFilter *self)
{
  if (self == NULL)
    return;
  g_hash_table_unref (self->thresholds);
  g_free (self);
}

/* ---- Judging ------------------------------------------------------------ */

static gboolean
apply_to_message (const VigilFilter *self, const VigilJson *metadata)
{
  gboolean is_empty = FALSE;
  gboolean passes =
      self->kind == VIGIL_FILTER_DETECTION
          ? vigil_filter_pass_detections (self, metadata, &is_empty)
          : vigil_filter_pass_classifications (self, metadata, &is_empty);

  return passes && !(is_empty && self->skips_empty);
}

gboolean
vigil_filter_apply (
    const VigilFilter *self, const VigilJson *metadata, VigilJson **ret_changed)
{
  VigilFilterJudge judge = {.filter = self};
  g_autoptr (VigilJson) pruned = NULL;

  *ret_changed = NULL;
  if (vigil_json_get_type (metadata) != VIGIL_JSON_OBJECT)
    return FALSE;
  if (self->is_message_mode)
    return apply_to_message (self, metadata);
  pruned = self->kind == VIGIL_FILTER_DETECTION
               ? vigil_filter_prune_detections (&judge, metadata)
               : vigil_filter_prune_classifications (&judge, metadata);
  if (judge.found == 0 ? self->skips_empty : judge.left == 0)
    return FALSE;
  if (pruned != metadata)
    *ret_changed = g_steal_pointer (&pruned);
  return TRUE;
}
