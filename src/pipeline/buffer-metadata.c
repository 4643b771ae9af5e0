/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Metas of a buffer to VigilMetadata. DL Streamer's metas are found by the
 * name of their API type and read through private copies of their layout
 * (contract of DL Streamer's headers, stable since 2020), so that vigil
 * builds and runs without it.
 */
#include "pipeline/buffer-metadata.h"

#include <gst/video/gstvideometa.h>
#include <stdatomic.h>
#include <string.h>

/* Layouts of metas that this process may have no headers for. */
typedef struct {
  GstMeta meta;
  char *message;
} JsonMeta;

typedef struct {
  GstMeta meta;
  GstStructure *data;
} TensorMeta;

/* A type name that is unknown until a plugin registers it. */
typedef struct {
  const char *name;
  _Atomic gsize type;
} LazyType;

static LazyType json_type = {.name = "GstGVAJSONMetaAPI"};
static LazyType tensor_type = {.name = "GstGVATensorMetaAPI"};

static GType
lazy_type_get (LazyType *lazy)
{
  gsize type = atomic_load_explicit (&lazy->type, memory_order_relaxed);

  if (type == 0) {
    type = g_type_from_name (lazy->name);
    atomic_store_explicit (&lazy->type, type, memory_order_relaxed);
  }
  return type;
}

/* Structures come from any element: fields may be missing or of any type. */
static gboolean
get_number (const GstStructure *structure, const char *field, double *ret)
{
  const GValue *value = gst_structure_get_value (structure, field);
  g_auto (GValue) number = G_VALUE_INIT;

  if (value == NULL)
    return FALSE;
  if (G_VALUE_HOLDS_DOUBLE (value)) {
    *ret = g_value_get_double (value);
    return TRUE;
  }
  if (G_VALUE_HOLDS_STRING (value) || G_VALUE_HOLDS_BOOLEAN (value))
    return FALSE;
  g_value_init (&number, G_TYPE_DOUBLE);
  if (!g_value_transform (value, &number))
    return FALSE;
  *ret = g_value_get_double (&number);
  return TRUE;
}

static gboolean
get_integer (const GstStructure *structure, const char *field, int64_t *ret)
{
  const GValue *value = gst_structure_get_value (structure, field);

  if (value == NULL)
    return FALSE;
  if (G_VALUE_HOLDS_INT (value))
    *ret = g_value_get_int (value);
  else if (G_VALUE_HOLDS_UINT (value))
    *ret = g_value_get_uint (value);
  else if (G_VALUE_HOLDS_INT64 (value))
    *ret = g_value_get_int64 (value);
  else if (G_VALUE_HOLDS_UINT64 (value))
    *ret = (int64_t)g_value_get_uint64 (value);
  else
    return FALSE;
  return TRUE;
}

static char *
dup_text (const GstStructure *structure, const char *field)
{
  return g_strdup (gst_structure_get_string (structure, field));
}

static void
read_result (const GstStructure *structure, VigilResult *result)
{
  int64_t label_id;

  result->name = g_quark_to_string (gst_structure_get_name_id (structure));
  result->label = dup_text (structure, "label");
  result->attribute_name = dup_text (structure, "attribute_name");
  result->model_name = dup_text (structure, "model_name");
  result->extra_json = dup_text (structure, "extra_params_json");
  result->has_confidence =
      get_number (structure, "confidence", &result->confidence);
  result->has_label_id = get_integer (structure, "label_id", &label_id) &&
                         label_id >= G_MININT && label_id <= G_MAXINT;
  if (result->has_label_id)
    result->label_id = (int)label_id;
  result->has_box = get_number (structure, "x_min", &result->x_min) &&
                    get_number (structure, "y_min", &result->y_min) &&
                    get_number (structure, "x_max", &result->x_max) &&
                    get_number (structure, "y_max", &result->y_max);
}

static int
clamp_to_int (guint value)
{
  return value > G_MAXINT ? G_MAXINT : (int)value;
}

static void
read_region (const GstVideoRegionOfInterestMeta *meta, VigilMetadata *metadata)
{
  VigilRegion *region = vigil_metadata_add_region (metadata);
  const char *label = g_quark_to_string (meta->roi_type);

  region->x = clamp_to_int (meta->x);
  region->y = clamp_to_int (meta->y);
  region->width = clamp_to_int (meta->w);
  region->height = clamp_to_int (meta->h);
  region->id = meta->id;
  region->parent_id = meta->parent_id;
  if (label != NULL && *label != '\0')
    region->label = g_strdup (label);
  for (GList *l = meta->params; l != NULL; l = l->next) {
    const GstStructure *structure = l->data;
    int64_t id;

    if (structure == NULL)
      continue;
    if (gst_structure_has_name (structure, "object_id")) {
      if (get_integer (structure, "id", &id))
        region->object_id = id;
      continue;
    }
    read_result (structure, vigil_metadata_add_result (region->results));
  }
}

/*
 * A parent is a parent only when it is on the same buffer: elements that
 * know nothing of parents leave the meta's 0 behind.
 */
static void
check_parents (GArray *regions)
{
  for (unsigned i = 0; i < regions->len; i++) {
    VigilRegion *region = &g_array_index (regions, VigilRegion, i);
    gboolean is_found = FALSE;

    for (unsigned k = 0; k < regions->len && !is_found; k++) {
      const VigilRegion *other = &g_array_index (regions, VigilRegion, k);

      is_found = other->id == region->parent_id && other->id != region->id;
    }
    if (!is_found)
      region->parent_id = -1;
  }
}

void
vigil_buffer_metadata_read (GstBuffer *buffer, VigilMetadata *metadata)
{
  GType json_api = lazy_type_get (&json_type);
  GType tensor_api = lazy_type_get (&tensor_type);
  void *state = NULL;
  GstMeta *meta;

  g_return_if_fail (GST_IS_BUFFER (buffer) && metadata != NULL);

  while ((meta = gst_buffer_iterate_meta (buffer, &state)) != NULL) {
    GType api = meta->info->api;

    if (api == GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE) {
      read_region ((GstVideoRegionOfInterestMeta *)meta, metadata);
    } else if (json_api != 0 && api == json_api &&
               meta->info->size >= sizeof (JsonMeta)) {
      const char *message = ((JsonMeta *)meta)->message;

      if (message != NULL)
        vigil_metadata_take_message (metadata, g_strdup (message));
    } else if (tensor_api != 0 && api == tensor_api &&
               meta->info->size >= sizeof (TensorMeta)) {
      const GstStructure *data = ((TensorMeta *)meta)->data;

      if (data != NULL)
        read_result (data, vigil_metadata_add_result (metadata->results));
    }
  }
  check_parents (metadata->regions);
}
