/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the elements of a pipeline found in one frame: three growing lists
 * and their clean-up.
 */
#include "model/metadata.h"

static void
clear_result (void *item)
{
  VigilResult *result = item;

  g_free (result->label);
  g_free (result->attribute_name);
  g_free (result->model_name);
  g_free (result->extra_json);
}

static GArray *
new_results (void)
{
  GArray *results = g_array_new (FALSE, TRUE, sizeof (VigilResult));

  g_array_set_clear_func (results, clear_result);
  return results;
}

static void
clear_region (void *item)
{
  VigilRegion *region = item;

  g_free (region->label);
  g_clear_pointer (&region->results, g_array_unref);
}

VigilMetadata *
vigil_metadata_new (void)
{
  VigilMetadata *self = g_new0 (VigilMetadata, 1);

  self->regions = g_array_new (FALSE, TRUE, sizeof (VigilRegion));
  g_array_set_clear_func (self->regions, clear_region);
  self->results = new_results ();
  self->messages = g_ptr_array_new_with_free_func (g_free);
  return self;
}

void
vigil_metadata_free (VigilMetadata *self)
{
  if (self == NULL)
    return;
  g_array_unref (self->regions);
  g_array_unref (self->results);
  g_ptr_array_unref (self->messages);
  g_free (self);
}

VigilRegion *
vigil_metadata_add_region (VigilMetadata *self)
{
  VigilRegion *region;

  g_return_val_if_fail (self != NULL, NULL);

  g_array_set_size (self->regions, self->regions->len + 1);
  region = &g_array_index (self->regions, VigilRegion, self->regions->len - 1);
  region->results = new_results ();
  region->parent_id = -1;
  return region;
}

VigilResult *
vigil_metadata_add_result (GArray *results)
{
  g_return_val_if_fail (results != NULL, NULL);

  g_array_set_size (results, results->len + 1);
  return &g_array_index (results, VigilResult, results->len - 1);
}

void
vigil_metadata_take_message (VigilMetadata *self, char *json)
{
  g_return_if_fail (self != NULL && json != NULL);

  g_ptr_array_add (self->messages, json);
}
