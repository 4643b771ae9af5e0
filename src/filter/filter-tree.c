/* SPDX-License-Identifier: Apache-2.0 */
/* What both kinds of filters do with labels and trees. */
#include "filter/filter-private.h"

gboolean
vigil_filter_get_threshold (
    const VigilFilter *self, const char *label, double *ret_threshold)
{
  const double *threshold =
      label != NULL ? g_hash_table_lookup (self->thresholds, label) : NULL;

  if (threshold == NULL)
    return FALSE;
  *ret_threshold = *threshold;
  return TRUE;
}

VigilJson *
vigil_filter_share (const VigilJson *value)
{
  return vigil_json_ref ((VigilJson *)value);
}

VigilJson *
vigil_filter_copy_members (const VigilJson *object)
{
  VigilJson *copy = vigil_json_new_object ();
  VigilJsonIter iter = {0};
  const char *name;
  const VigilJson *value;

  while (vigil_json_object_next (object, &iter, &name, &value))
    vigil_json_object_take (copy, name, vigil_filter_share (value));
  return copy;
}

VigilJson *
vigil_filter_copy_elements (const VigilJson *array, const gboolean *is_skipped)
{
  VigilJson *copy = vigil_json_new_array ();

  for (size_t i = 0; i < vigil_json_array_size (array); i++) {
    if (!is_skipped[i])
      vigil_json_array_take (
          copy, vigil_filter_share (vigil_json_array_get (array, i)));
  }
  return copy;
}
