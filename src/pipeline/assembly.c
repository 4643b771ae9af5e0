/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a definition and a request to elements: defaults, substitution,
 * parse, properties.
 */
#include "pipeline/assembly.h"

#include "base/error.h"
#include "pipeline/gst-runtime.h"
#include "pipeline/image-source.h"
#include "pipeline/launch-text.h"
#include "pipeline/parameters.h"
#include "pipeline/parsed-pipeline.h"
#include "pipeline/property.h"
#include "pipeline/source.h"
#include <gst/base/gstbasesrc.h>
#include <string.h>

static gboolean
is_live_element (GstElement *element)
{
  return GST_IS_BASE_SRC (element) &&
         gst_base_src_is_live (GST_BASE_SRC (element));
}

static gboolean
has_live_source (GstBin *pipeline)
{
  GstIterator *elements = gst_bin_iterate_recurse (pipeline);
  g_auto (GValue) item = G_VALUE_INIT;
  gboolean is_live = FALSE;

  while (!is_live && gst_iterator_next (elements, &item) == GST_ITERATOR_OK) {
    GstElement *element = g_value_get_object (&item);

    is_live = is_live_element (element) ||
              strcmp (G_OBJECT_TYPE_NAME (element), "GstRTSPSrc") == 0;
    g_value_reset (&item);
  }
  gst_iterator_free (elements);
  return is_live;
}

/* DLSPS gives the request's tags to gvametaconvert in any case. */
static gboolean
apply_tags (GstBin *pipeline, const VigilJson *tags, GError **error)
{
  g_autoptr (GstElement) element =
      gst_bin_get_by_name (pipeline, "metaconvert");
  g_autofree char *text = NULL;
  g_autoptr (VigilJson) value = NULL;

  if (element == NULL || !vigil_property_exists (element, "tags"))
    return TRUE;
  text = tags != NULL ? vigil_json_to_text (tags) : g_strdup ("{}");
  value = vigil_json_new_string (text);
  return vigil_property_set (element, "tags", value, "tags", error);
}

/* The request with the defaults of the parameters. */
static VigilJson *
complete_request (
    const VigilDefinition *definition, const VigilJson *request, GError **error)
{
  VigilJson *parameters =
      vigil_parameters_complete (vigil_definition_get_parameters (definition),
          vigil_json_object_get (request, "parameters"), error);
  VigilJson *complete;

  if (parameters == NULL)
    return NULL;
  complete =
      request != NULL ? vigil_json_copy (request) : vigil_json_new_object ();
  vigil_json_object_remove (complete, "parameters");
  vigil_json_object_take (complete, "parameters", parameters);
  return complete;
}

static gboolean
apply_request (GstBin *bin, const VigilDefinition *definition,
    const VigilJson *request, const VigilSource *source,
    VigilProblems *warnings, GError **error)
{
  if (!vigil_parameters_apply (vigil_definition_get_parameters (definition),
          vigil_json_object_get (request, "parameters"), bin, warnings, error))
    return FALSE;
  if (source != NULL && !vigil_source_apply (source, bin, warnings, error))
    return FALSE;
  return apply_tags (bin, vigil_json_object_get (request, "tags"), error);
}

gboolean
vigil_assembly_init (VigilAssembly *self, const VigilDefinition *definition,
    const VigilJson *request, const VigilEnvironment *environment,
    VigilProblems *warnings, GError **error)
{
  g_autoptr (VigilJson) complete = NULL;
  g_autoptr (VigilSource) source = NULL;
  g_autoptr (GstElement) pipeline = NULL;
  g_autofree char *text = NULL;
  VigilLaunchTextValues values = {.environment = environment};
  const VigilJson *source_json = vigil_json_object_get (request, "source");
  gboolean takes_images = vigil_definition_takes_images (definition);

  vigil_gst_runtime_init ();
  complete = complete_request (definition, request, error);
  if (complete == NULL)
    return FALSE;
  if (takes_images)
    values.auto_source = "appsrc name=source";
  if (takes_images && source_json != NULL) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID,
        "source: an image_ingestor is posted its images: leave it out");
    return FALSE;
  }
  if (source_json != NULL) {
    source = vigil_source_new (source_json, error);
    if (source == NULL)
      return FALSE;
    values.auto_source = vigil_source_get_launch_text (source);
  }
  values.request = complete;
  text = vigil_launch_text_expand (
      vigil_definition_get_launch_text (definition), &values, error);
  if (text == NULL)
    return FALSE;
  pipeline = vigil_parsed_pipeline_new (text, error);
  if (pipeline == NULL) {
    g_prefix_error (error, "pipeline: ");
    return FALSE;
  }
  if (!apply_request (
          GST_BIN (pipeline), definition, complete, source, warnings, error))
    return FALSE;
  if (takes_images && !vigil_image_source_init (GST_BIN (pipeline), error))
    return FALSE;
  self->is_live = (source != NULL && vigil_source_is_live (source)) ||
                  has_live_source (GST_BIN (pipeline));
  self->pipeline = g_steal_pointer (&pipeline);
  self->launch_text = g_steal_pointer (&text);
  return TRUE;
}
