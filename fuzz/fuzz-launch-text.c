/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A value of a request in launch text, parsed by GStreamer itself: it must
 * arrive in the property as it is, or be refused, and never become an element,
 * a link or another property.
 */
#include "pipeline/launch-text.h"

#include <gst/gst.h>
#include <string.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static const char *const templates[] = {
    "filesrc name=a location={parameters[v]} ! filesink name=b location=\"e\"",
    "filesrc name=a location=\"{parameters[v]}\" ! filesink name=b location=e",
    ("filesrc name=a location=\"x{parameters[v]}y\" ! filesink name=b "
     "location=e"),
    "filesrc name=a location=x{parameters[v]}y ! filesink name=b location=e",
    "filesrc name=a location = {parameters[v]} ! filesink location=e name=b",
};

static void
check_location (GstElement *pipeline, const char *name, const char *expected)
{
  g_autoptr (GstElement) element =
      gst_bin_get_by_name (GST_BIN (pipeline), name);
  g_autofree char *location = NULL;

  g_assert_nonnull (element);
  g_object_get (element, "location", &location, NULL);
  g_assert_cmpstr (location, ==, expected);
}

static void
check_template (size_t index, const char *value, const VigilJson *request)
{
  const VigilLaunchTextValues values = {.request = request};
  g_autoptr (GError) error = NULL;
  g_autofree char *text =
      vigil_launch_text_expand (templates[index], &values, &error);
  g_autoptr (GstElement) pipeline = NULL;
  g_autofree char *wrapped = g_strconcat ("x", value, "y", NULL);

  if (text == NULL) {
    g_assert_nonnull (error);
    return;
  }
  pipeline = gst_parse_launch (text, &error);
  g_assert_no_error (error);
  g_assert_cmpint (GST_BIN_NUMCHILDREN (pipeline), ==, 2);
  check_location (pipeline, "b", "e");
  check_location (pipeline, "a", index == 2 || index == 3 ? wrapped : value);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autofree char *value = g_strndup ((const char *)data, size);
  g_autoptr (VigilJson) request = NULL;
  VigilJson *parameters;

  if (!g_utf8_validate (value, -1, NULL) || *value == '\0')
    return 0;
  gst_init (NULL, NULL);
  request = vigil_json_new_object ();
  parameters = vigil_json_new_object ();
  vigil_json_object_take (parameters, "v", vigil_json_new_string (value));
  vigil_json_object_take (request, "parameters", parameters);
  for (size_t i = 0; i < G_N_ELEMENTS (templates); i++)
    check_template (i, value, request);
  return 0;
}
