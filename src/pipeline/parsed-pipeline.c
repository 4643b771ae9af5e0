/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gst_parse_launch with errors that a person can act on.
 */
#include "pipeline/parsed-pipeline.h"

#include "base/error.h"
#include "pipeline/element-hint.h"
#include <gst/app/gstappsink.h>
#include <string.h>

static GError *
translate_error (const GError *foreign, GstParseContext *context)
{
  g_auto (GStrv) missing = gst_parse_context_get_missing_elements (context);

  if (g_error_matches (
          foreign, GST_PARSE_ERROR, GST_PARSE_ERROR_NO_SUCH_ELEMENT) &&
      missing != NULL && missing[0] != NULL) {
    g_autofree char *message = vigil_element_hint_dup_message (missing[0]);

    return g_error_new_literal (VIGIL_ERROR, VIGIL_ERROR_NOT_FOUND, message);
  }
  if (g_error_matches (foreign, GST_PARSE_ERROR, GST_PARSE_ERROR_SYNTAX))
    return g_error_new (VIGIL_ERROR, VIGIL_ERROR_INVALID,
        "%s: want 'element property=value ! element ...' as for "
        "gst-launch-1.0",
        foreign->message);
  return g_error_new_literal (
      VIGIL_ERROR, VIGIL_ERROR_INVALID, foreign->message);
}

GstElement *
vigil_parsed_pipeline_new (const char *text, GError **error)
{
  g_autoptr (GstParseContext) context = gst_parse_context_new ();
  g_autoptr (GError) foreign = NULL;
  GstElement *parsed;
  GstElement *pipeline;

  parsed = gst_parse_launch_full (
      text, context, GST_PARSE_FLAG_FATAL_ERRORS, &foreign);
  if (parsed != NULL)
    gst_object_ref_sink (parsed);
  if (foreign != NULL || parsed == NULL) {
    if (foreign != NULL)
      g_propagate_error (error, translate_error (foreign, context));
    else
      g_set_error (
          error, VIGIL_ERROR, VIGIL_ERROR_INVALID, "the launch text is empty");
    g_clear_pointer (&parsed, gst_object_unref);
    return NULL;
  }
  if (GST_IS_PIPELINE (parsed))
    return parsed;
  /* A text of a single element gives that element. */
  pipeline = gst_object_ref_sink (gst_pipeline_new (NULL));
  gst_bin_add (GST_BIN (pipeline), parsed);
  gst_object_unref (parsed);
  return pipeline;
}

static int
compare_destination (const void *item, const void *unused)
{
  GstElement *element = g_value_get_object (item);

  return GST_IS_APP_SINK (element) &&
                 strcmp (GST_OBJECT_NAME (element), "destination") == 0
             ? 0
             : 1;
}

GstElement *
vigil_parsed_pipeline_find_destination (GstBin *pipeline)
{
  GstIterator *iterator = gst_bin_iterate_recurse (pipeline);
  g_auto (GValue) found = G_VALUE_INIT;
  GstElement *element = NULL;

  if (gst_iterator_find_custom (iterator, compare_destination, &found, NULL))
    element = g_value_dup_object (&found);
  gst_iterator_free (iterator);
  return element;
}
