/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parameters of a request: defaults, check, binding to elements (contract of
 * DLSPS: "element" is a name, an object {name, property, format}, or a list
 * of these).
 */
#include "pipeline/parameters.h"

#include "base/error.h"
#include "pipeline/json-schema.h"
#include "pipeline/property.h"
#include "pipeline/source.h"
#include <string.h>

#define DEFAULT_MAX_BYTES (1024 * 1024)
#define DEFAULT_MAX_DEPTH 64

/* "{env[NAME]}" anywhere in @text. Returns: (transfer full) (nullable): NULL
 * when a variable is not set. */
static char *
expand_environment (const char *text, const VigilEnvironment *environment)
{
  GString *out = g_string_new (NULL);
  const char *start;

  while ((start = strstr (text, "{env[")) != NULL) {
    const char *end = strstr (start, "]}");
    g_autofree char *name = NULL;
    const char *value;

    if (end == NULL)
      break;
    name = g_strndup (start + 5, end - start - 5);
    value =
        environment != NULL ? vigil_environment_get (environment, name) : NULL;
    if (value == NULL) {
      g_string_free (out, TRUE);
      return NULL;
    }
    g_string_append_len (out, text, start - text);
    g_string_append (out, value);
    text = end + 2;
  }
  g_string_append (out, text);
  return g_string_free (out, FALSE);
}

/* The default of @property with its variables; NULL: none. */
static VigilJson *
resolve_default (const VigilJson *property, const VigilEnvironment *environment)
{
  const VigilJson *value = vigil_json_object_get (property, "default");
  const VigilJson *type = vigil_json_object_get (property, "type");
  const char *text = value != NULL ? vigil_json_get_string (value) : NULL;
  g_autofree char *expanded = NULL;
  VigilJson *parsed;

  if (text == NULL || strstr (text, "{env[") == NULL)
    return value != NULL ? vigil_json_copy (value) : NULL;
  expanded = expand_environment (text, environment);
  if (expanded == NULL)
    return NULL;
  if (type != NULL && g_strcmp0 (vigil_json_get_string (type), "string") != 0) {
    parsed = vigil_json_parse (
        expanded, -1, DEFAULT_MAX_BYTES, DEFAULT_MAX_DEPTH, NULL);
    if (parsed != NULL)
      return parsed;
  }
  return vigil_json_new_string (expanded);
}

VigilJson *
vigil_parameters_resolve (
    const VigilJson *schema, const VigilEnvironment *environment)
{
  const VigilJson *properties = vigil_json_object_get (schema, "properties");
  g_autoptr (VigilJson) self = NULL;
  VigilJson *resolved;
  VigilJsonIter iter = {0};
  const char *key;
  const VigilJson *property;

  if (schema == NULL)
    return NULL;
  self = vigil_json_copy (schema);
  if (properties == NULL ||
      vigil_json_get_type (properties) != VIGIL_JSON_OBJECT)
    return g_steal_pointer (&self);
  resolved = vigil_json_new_object ();
  while (vigil_json_object_next (properties, &iter, &key, &property)) {
    VigilJson *copy = vigil_json_copy (property);

    if (vigil_json_object_get (property, "default") != NULL) {
      VigilJson *value = resolve_default (property, environment);

      vigil_json_object_remove (copy, "default");
      if (value != NULL)
        vigil_json_object_take (copy, "default", value);
    }
    vigil_json_object_take (resolved, key, copy);
  }
  vigil_json_object_remove (self, "properties");
  vigil_json_object_take (self, "properties", resolved);
  return g_steal_pointer (&self);
}

VigilJson *
vigil_parameters_complete (
    const VigilJson *schema, const VigilJson *given, GError **error)
{
  const VigilJson *properties = vigil_json_object_get (schema, "properties");
  g_autoptr (VigilJson) values = NULL;
  VigilJsonIter iter = {0};
  const char *key;
  const VigilJson *property;

  if (given != NULL && vigil_json_get_type (given) != VIGIL_JSON_OBJECT) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID,
        "parameters: want an object, got %s",
        vigil_json_type_name (vigil_json_get_type (given)));
    return NULL;
  }
  values = given != NULL ? vigil_json_copy (given) : vigil_json_new_object ();
  while (vigil_json_object_next (properties, &iter, &key, &property)) {
    const VigilJson *value = vigil_json_object_get (property, "default");

    if (value != NULL && vigil_json_object_get (values, key) == NULL)
      vigil_json_object_take (values, key, vigil_json_copy (value));
  }
  if (!vigil_json_schema_check (schema, values, "parameters", error))
    return NULL;
  return g_steal_pointer (&values);
}

/* ---- Binding ----------------------------------------------------------- */

typedef struct {
  GstBin *pipeline;
  VigilProblems *warnings;
} Target;

static gboolean
set_one (const Target *target, GstElement *element, const char *property,
    const VigilJson *value, const char *path, GError **error)
{
  if (vigil_property_exists (element, property))
    return vigil_property_set (element, property, value, path, error);
  if (strcmp (GST_OBJECT_NAME (element), "source") == 0 &&
      vigil_source_defer_property (element, property, value))
    return TRUE;
  vigil_problems_add (target->warnings, VIGIL_PROBLEM_WARNING, path,
      "element '%s' (%s) has no property '%s' that can be set",
      GST_OBJECT_NAME (element), G_OBJECT_TYPE_NAME (element), property);
  return TRUE;
}

static gboolean
set_each (const Target *target, GstElement *element, const VigilJson *values,
    const char *path, GError **error)
{
  VigilJsonIter iter = {0};
  const char *key;
  const VigilJson *value;

  if (vigil_json_get_type (values) != VIGIL_JSON_OBJECT) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID,
        "%s: want an object of properties of element '%s', got %s", path,
        GST_OBJECT_NAME (element),
        vigil_json_type_name (vigil_json_get_type (values)));
    return FALSE;
  }
  while (vigil_json_object_next (values, &iter, &key, &value)) {
    g_autofree char *key_path = g_strdup_printf ("%s.%s", path, key);

    if (!set_one (target, element, key, value, key_path, error))
      return FALSE;
  }
  return TRUE;
}

/* @binding: an element's name, or an object {name, property, format}. */
static gboolean
bind_one (const Target *target, const char *key, const VigilJson *binding,
    const VigilJson *value, GError **error)
{
  g_autofree char *path = g_strdup_printf ("parameters.%s", key);
  const char *name = vigil_json_get_string (binding);
  const char *property = key;
  const char *format = NULL;
  g_autoptr (GstElement) element = NULL;
  g_autoptr (VigilJson) text = NULL;

  if (name == NULL) {
    const char *given =
        vigil_json_get_string (vigil_json_object_get (binding, "property"));

    name = vigil_json_get_string (vigil_json_object_get (binding, "name"));
    format = vigil_json_get_string (vigil_json_object_get (binding, "format"));
    property = given != NULL ? given : key;
  }
  element = name != NULL ? gst_bin_get_by_name (target->pipeline, name) : NULL;
  if (element == NULL) {
    vigil_problems_add (target->warnings, VIGIL_PROBLEM_WARNING, path,
        "the pipeline has no element named '%s'", name != NULL ? name : "");
    return TRUE;
  }
  if (g_strcmp0 (format, "element-properties") == 0)
    return set_each (target, element, value, path, error);
  if (g_strcmp0 (format, "json") == 0) {
    g_autofree char *json = vigil_json_to_text (value);

    text = vigil_json_new_string (json);
    value = text;
  }
  return set_one (target, element, property, value, path, error);
}

gboolean
vigil_parameters_apply (const VigilJson *schema, const VigilJson *values,
    GstBin *pipeline, VigilProblems *warnings, GError **error)
{
  const VigilJson *properties = vigil_json_object_get (schema, "properties");
  Target target = {pipeline, warnings};
  VigilJsonIter iter = {0};
  const char *key;
  const VigilJson *property;

  while (vigil_json_object_next (properties, &iter, &key, &property)) {
    const VigilJson *value = vigil_json_object_get (values, key);
    const VigilJson *binding = vigil_json_object_get (property, "element");
    size_t size = vigil_json_array_size (binding);

    if (value == NULL || vigil_json_is_null (value) || binding == NULL)
      continue;
    if (vigil_json_get_type (binding) != VIGIL_JSON_ARRAY &&
        !bind_one (&target, key, binding, value, error))
      return FALSE;
    for (size_t i = 0; i < size; i++)
      if (!bind_one (
              &target, key, vigil_json_array_get (binding, i), value, error))
        return FALSE;
  }
  return TRUE;
}
