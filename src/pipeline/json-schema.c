/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON Schema for request parameters: one function for each group of
 * keywords. Schemas come from the operator, values from requests; both have
 * a bounded depth, which the JSON reader saw to.
 */
#include "pipeline/json-schema.h"

#include "base/error.h"
#include <math.h>
#include <string.h>

static gboolean
has_type (const VigilJson *value, const char *type)
{
  switch (vigil_json_get_type (value)) {
  case VIGIL_JSON_OBJECT:
    return strcmp (type, "object") == 0;
  case VIGIL_JSON_ARRAY:
    return strcmp (type, "array") == 0;
  case VIGIL_JSON_STRING:
    return strcmp (type, "string") == 0;
  case VIGIL_JSON_INTEGER:
    return strcmp (type, "integer") == 0 || strcmp (type, "number") == 0;
  case VIGIL_JSON_REAL:
    return strcmp (type, "number") == 0 ||
           (strcmp (type, "integer") == 0 &&
               fmod (vigil_json_get_number (value), 1) == 0);
  case VIGIL_JSON_BOOLEAN:
    return strcmp (type, "boolean") == 0;
  case VIGIL_JSON_NULL:
    return strcmp (type, "null") == 0;
  }
  return FALSE;
}

static gboolean
check_type (const VigilJson *schema, const VigilJson *value, const char *path,
    GError **error)
{
  const VigilJson *type = vigil_json_object_get (schema, "type");
  const char *name = type != NULL ? vigil_json_get_string (type) : NULL;
  g_autofree char *wanted = NULL;
  size_t size = vigil_json_array_size (type);

  if (type == NULL || (name != NULL && has_type (value, name)))
    return TRUE;
  for (size_t i = 0; i < size; i++) {
    const char *item = vigil_json_get_string (vigil_json_array_get (type, i));

    if (item != NULL && has_type (value, item))
      return TRUE;
  }
  wanted = name != NULL ? g_strdup (name) : vigil_json_to_text (type);
  g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID,
      "%s: want type %s, got %s", path, wanted,
      vigil_json_type_name (vigil_json_get_type (value)));
  return FALSE;
}

static gboolean
is_equal (const VigilJson *a, const VigilJson *b)
{
  g_autofree char *a_text = NULL;
  g_autofree char *b_text = NULL;

  if (vigil_json_is_number (a) && vigil_json_is_number (b))
    return vigil_json_get_number (a) == vigil_json_get_number (b);
  a_text = vigil_json_to_text (a);
  b_text = vigil_json_to_text (b);
  return strcmp (a_text, b_text) == 0;
}

static gboolean
check_enum (const VigilJson *schema, const VigilJson *value, const char *path,
    GError **error)
{
  const VigilJson *choices = vigil_json_object_get (schema, "enum");
  g_autofree char *text = NULL;
  g_autofree char *wanted = NULL;

  if (choices == NULL)
    return TRUE;
  for (size_t i = 0; i < vigil_json_array_size (choices); i++)
    if (is_equal (vigil_json_array_get (choices, i), value))
      return TRUE;
  text = vigil_json_to_text (value);
  wanted = vigil_json_to_text (choices);
  g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID,
      "%s %.60s: want one of %s", path, text, wanted);
  return FALSE;
}

/* Draft 4 has exclusiveMinimum as a flag beside minimum, later drafts as a
 * limit of its own. */
static gboolean
check_limit (const VigilJson *schema, const char *key,
    const char *exclusive_key, int sign, double number, const char *path,
    GError **error)
{
  const VigilJson *limit = vigil_json_object_get (schema, key);
  const VigilJson *exclusive = vigil_json_object_get (schema, exclusive_key);
  static const char *const words[2][2] = {
      {"at least", "more than"}, {"at most", "less than"}};
  gboolean is_strict = FALSE;
  double distance;

  if (exclusive != NULL && vigil_json_is_number (exclusive)) {
    limit = exclusive;
    is_strict = TRUE;
  } else if (exclusive != NULL) {
    is_strict = vigil_json_get_boolean (exclusive);
  }
  if (limit == NULL || !vigil_json_is_number (limit))
    return TRUE;
  distance = sign * (number - vigil_json_get_number (limit));
  if (distance > 0 || (distance == 0 && !is_strict))
    return TRUE;
  g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID, "%s %g: want %s %g",
      path, number, words[sign < 0][is_strict], vigil_json_get_number (limit));
  return FALSE;
}

static gboolean
check_number (const VigilJson *schema, const VigilJson *value, const char *path,
    GError **error)
{
  const VigilJson *multiple = vigil_json_object_get (schema, "multipleOf");
  double number = vigil_json_get_number (value);
  double unit = multiple != NULL ? vigil_json_get_number (multiple) : 0;

  if (!check_limit (
          schema, "minimum", "exclusiveMinimum", 1, number, path, error) ||
      !check_limit (
          schema, "maximum", "exclusiveMaximum", -1, number, path, error))
    return FALSE;
  if (unit > 0 && fabs (remainder (number, unit)) > unit * 1e-9) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID,
        "%s %g: want a multiple of %g", path, number, unit);
    return FALSE;
  }
  return TRUE;
}

static gboolean
check_size (const VigilJson *schema, const char *minimum_key,
    const char *maximum_key, size_t size, const char *what, const char *path,
    GError **error)
{
  const VigilJson *minimum = vigil_json_object_get (schema, minimum_key);
  const VigilJson *maximum = vigil_json_object_get (schema, maximum_key);

  if (minimum != NULL && (double)size < vigil_json_get_number (minimum)) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID,
        "%s: want at least %g %s", path, vigil_json_get_number (minimum), what);
    return FALSE;
  }
  if (maximum != NULL && (double)size > vigil_json_get_number (maximum)) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID,
        "%s: want at most %g %s", path, vigil_json_get_number (maximum), what);
    return FALSE;
  }
  return TRUE;
}

static gboolean
check_string (const VigilJson *schema, const VigilJson *value, const char *path,
    GError **error)
{
  const char *text = vigil_json_get_string (value);
  const VigilJson *pattern = vigil_json_object_get (schema, "pattern");
  g_autoptr (GRegex) regex = NULL;

  if (!check_size (schema, "minLength", "maxLength",
          (size_t)g_utf8_strlen (text, -1), "characters", path, error))
    return FALSE;
  if (pattern == NULL || vigil_json_get_string (pattern) == NULL)
    return TRUE;
  regex = g_regex_new (vigil_json_get_string (pattern), 0, 0, NULL);
  if (regex != NULL && g_regex_match (regex, text, 0, NULL))
    return TRUE;
  g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID,
      "%s '%.60s': want text that matches the pattern %s", path, text,
      vigil_json_get_string (pattern));
  return FALSE;
}

static gboolean
check_array (const VigilJson *schema, const VigilJson *value, const char *path,
    GError **error)
{
  const VigilJson *items = vigil_json_object_get (schema, "items");
  size_t size = vigil_json_array_size (value);

  if (!check_size (schema, "minItems", "maxItems", size, "items", path, error))
    return FALSE;
  if (items == NULL || vigil_json_get_type (items) != VIGIL_JSON_OBJECT)
    return TRUE;
  for (size_t i = 0; i < size; i++) {
    g_autofree char *item_path = g_strdup_printf ("%s[%zu]", path, i);

    if (!vigil_json_schema_check (
            items, vigil_json_array_get (value, i), item_path, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
check_object (const VigilJson *schema, const VigilJson *value, const char *path,
    GError **error)
{
  const VigilJson *properties = vigil_json_object_get (schema, "properties");
  const VigilJson *required = vigil_json_object_get (schema, "required");
  const VigilJson *additional =
      vigil_json_object_get (schema, "additionalProperties");
  VigilJsonIter iter = {0};
  const char *key;
  const VigilJson *member;

  for (size_t i = 0; i < vigil_json_array_size (required); i++) {
    const char *name =
        vigil_json_get_string (vigil_json_array_get (required, i));

    if (name != NULL && vigil_json_object_get (value, name) == NULL) {
      g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID,
          "%s.%s: want a value, it is required", path, name);
      return FALSE;
    }
  }
  while (vigil_json_object_next (value, &iter, &key, &member)) {
    const VigilJson *child = vigil_json_object_get (properties, key);
    g_autofree char *child_path = g_strdup_printf ("%s.%s", path, key);

    if (child == NULL && additional != NULL &&
        vigil_json_get_type (additional) == VIGIL_JSON_BOOLEAN &&
        !vigil_json_get_boolean (additional)) {
      g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID,
          "%s: the pipeline's parameters have no such name", child_path);
      return FALSE;
    }
    if (child == NULL)
      child = additional;
    if (!vigil_json_schema_check (child, member, child_path, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
check_alternatives (const VigilJson *schema, const VigilJson *value,
    const char *path, GError **error)
{
  const VigilJson *all = vigil_json_object_get (schema, "allOf");
  const char *const keys[] = {"anyOf", "oneOf"};

  for (size_t i = 0; i < vigil_json_array_size (all); i++)
    if (!vigil_json_schema_check (
            vigil_json_array_get (all, i), value, path, error))
      return FALSE;
  for (size_t k = 0; k < G_N_ELEMENTS (keys); k++) {
    const VigilJson *list = vigil_json_object_get (schema, keys[k]);
    size_t size = vigil_json_array_size (list);
    size_t matches = 0;
    g_autoptr (GError) first = NULL;

    for (size_t i = 0; i < size; i++)
      if (vigil_json_schema_check (vigil_json_array_get (list, i), value, path,
              first == NULL ? &first : NULL))
        matches++;
    if (size > 0 && matches == 0) {
      g_propagate_error (error, g_steal_pointer (&first));
      return FALSE;
    }
    if (matches > 1 && k == 1) {
      g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID,
          "%s: fits %zu of the schema's alternatives, want exactly one", path,
          matches);
      return FALSE;
    }
  }
  return TRUE;
}

gboolean
vigil_json_schema_check (const VigilJson *schema, const VigilJson *value,
    const char *path, GError **error)
{
  g_return_val_if_fail (value != NULL && path != NULL, FALSE);

  if (schema == NULL || vigil_json_get_type (schema) != VIGIL_JSON_OBJECT)
    return TRUE;
  if (!check_type (schema, value, path, error) ||
      !check_enum (schema, value, path, error) ||
      !check_alternatives (schema, value, path, error))
    return FALSE;
  switch (vigil_json_get_type (value)) {
  case VIGIL_JSON_OBJECT:
    return check_object (schema, value, path, error);
  case VIGIL_JSON_ARRAY:
    return check_array (schema, value, path, error);
  case VIGIL_JSON_STRING:
    return check_string (schema, value, path, error);
  case VIGIL_JSON_INTEGER:
  case VIGIL_JSON_REAL:
    return check_number (schema, value, path, error);
  case VIGIL_JSON_BOOLEAN:
  case VIGIL_JSON_NULL:
    break;
  }
  return TRUE;
}
