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

struct _VigilAssembly {
  char *launch_text;
  VigilJson *schema;   /* of the parameters; nullable */
  VigilJson *request;  /* with defaults */
  VigilSource *source; /* nullable */
  gboolean takes_images;
};

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

VigilAssembly *
vigil_assembly_new (const VigilDefinition *definition, const VigilJson *request,
    const VigilEnvironment *environment, GError **error)
{
  g_autoptr (VigilAssembly) self = g_new0 (VigilAssembly, 1);
  const VigilJson *schema = vigil_definition_get_parameters (definition);
  const VigilJson *source = vigil_json_object_get (request, "source");
  VigilLaunchTextValues values = {.environment = environment};

  vigil_gst_runtime_init ();
  self->schema = schema != NULL ? vigil_json_copy (schema) : NULL;
  self->request = complete_request (definition, request, error);
  if (self->request == NULL)
    return NULL;
  self->takes_images = vigil_definition_takes_images (definition);
  if (self->takes_images)
    values.auto_source = "appsrc name=source";
  if (self->takes_images && source != NULL) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID,
        "source: an image_ingestor is posted its images: leave it out");
    return NULL;
  }
  if (source != NULL) {
    self->source = vigil_source_new (source, error);
    if (self->source == NULL)
      return NULL;
    values.auto_source = vigil_source_get_launch_text (self->source);
  }
  values.request = self->request;
  self->launch_text = vigil_launch_text_expand (
      vigil_definition_get_launch_text (definition), &values, error);
  return self->launch_text != NULL ? g_steal_pointer (&self) : NULL;
}

void
vigil_assembly_free (VigilAssembly *self)
{
  if (self == NULL)
    return;
  g_free (self->launch_text);
  vigil_json_unref (self->schema);
  vigil_json_unref (self->request);
  vigil_source_free (self->source);
  g_free (self);
}

const char *
vigil_assembly_get_launch_text (const VigilAssembly *self)
{
  return self->launch_text;
}

static gboolean
apply_request (const VigilAssembly *self, GstBin *pipeline,
    VigilProblems *warnings, GError **error)
{
  if (!vigil_parameters_apply (self->schema,
          vigil_json_object_get (self->request, "parameters"), pipeline,
          warnings, error))
    return FALSE;
  if (self->source != NULL &&
      !vigil_source_apply (self->source, pipeline, warnings, error))
    return FALSE;
  return apply_tags (
      pipeline, vigil_json_object_get (self->request, "tags"), error);
}

GstElement *
vigil_assembly_build (
    const VigilAssembly *self, VigilProblems *warnings, GError **error)
{
  g_autoptr (GstElement) pipeline =
      vigil_parsed_pipeline_new (self->launch_text, error);

  if (pipeline == NULL) {
    g_prefix_error (error, "pipeline: ");
    return NULL;
  }
  if (!apply_request (self, GST_BIN (pipeline), warnings, error))
    return NULL;
  if (self->takes_images &&
      !vigil_image_source_init (GST_BIN (pipeline), error))
    return NULL;
  return g_steal_pointer (&pipeline);
}

gboolean
vigil_assembly_is_live (const VigilAssembly *self, GstElement *pipeline)
{
  return (self->source != NULL && vigil_source_is_live (self->source)) ||
         has_live_source (GST_BIN (pipeline));
}
