/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON values to GObject properties, with errors that say what the property
 * wants.
 */
#include "pipeline/property.h"

#include "base/error.h"
#include <math.h>
#include <string.h>

static GParamSpec *
find (GstElement *element, const char *name)
{
  return g_object_class_find_property (G_OBJECT_GET_CLASS (element), name);
}

gboolean
vigil_property_exists (GstElement *element, const char *name)
{
  GParamSpec *spec = find (element, name);

  return spec != NULL && (spec->flags & G_PARAM_WRITABLE) != 0 &&
         (spec->flags & G_PARAM_CONSTRUCT_ONLY) == 0;
}

static gboolean
is_object (GParamSpec *spec)
{
  return g_type_is_a (G_PARAM_SPEC_VALUE_TYPE (spec), G_TYPE_OBJECT);
}

gboolean
vigil_property_holds_object (const char *factory, const char *name)
{
  g_autoptr (GstElementFactory) found = gst_element_factory_find (factory);
  g_autoptr (GstPluginFeature) loaded = NULL;
  g_autoptr (GTypeClass) class = NULL;
  GParamSpec *spec;

  if (found == NULL)
    return FALSE;
  loaded = gst_plugin_feature_load (GST_PLUGIN_FEATURE (found));
  if (loaded == NULL)
    return FALSE;
  class = g_type_class_ref (
      gst_element_factory_get_element_type (GST_ELEMENT_FACTORY (loaded)));
  spec = g_object_class_find_property (G_OBJECT_CLASS (class), name);
  return spec != NULL && is_object (spec);
}

/* The largest double that an int64_t holds: a number of a request goes through
 * one. */
#define WHOLE_MAX 9223372036854774784.0

/* The limits of types that a number can be set to, as doubles for the
 * comparison. */
static gboolean
get_limits (GParamSpec *spec, double *ret_minimum, double *ret_maximum)
{
  if (G_IS_PARAM_SPEC_BOOLEAN (spec) || G_IS_PARAM_SPEC_ENUM (spec) ||
      G_IS_PARAM_SPEC_FLAGS (spec)) {
    *ret_minimum = G_MININT;
    *ret_maximum = G_MAXINT;
    return TRUE;
  }
#define LIMITS(NAME, Name)                                                     \
  if (G_IS_PARAM_SPEC_##NAME (spec)) {                                         \
    *ret_minimum = (double)((GParamSpec##Name *)spec)->minimum;                \
    *ret_maximum = (double)((GParamSpec##Name *)spec)->maximum;                \
    return TRUE;                                                               \
  }
  LIMITS (INT, Int)
  LIMITS (UINT, UInt)
  LIMITS (INT64, Int64)
  LIMITS (UINT64, UInt64)
  LIMITS (LONG, Long)
  LIMITS (ULONG, ULong)
  LIMITS (FLOAT, Float)
  LIMITS (DOUBLE, Double)
#undef LIMITS
  return FALSE;
}

/* "a number", or GStreamer's name of the type. */
static const char *
describe_type (GType type)
{
  switch (type) {
  case G_TYPE_BOOLEAN:
    return "true or false";
  case G_TYPE_STRING:
    return "text";
  case G_TYPE_FLOAT:
  case G_TYPE_DOUBLE:
    return "a number";
  case G_TYPE_INT:
  case G_TYPE_UINT:
  case G_TYPE_LONG:
  case G_TYPE_ULONG:
  case G_TYPE_INT64:
  case G_TYPE_UINT64:
    return "a whole number";
  default:
    return g_type_name (type);
  }
}

static gboolean
convert_number (GParamSpec *spec, const VigilJson *json, GValue *value,
    const char *path, GError **error)
{
  GType type = G_PARAM_SPEC_VALUE_TYPE (spec);
  double number = vigil_json_get_number (json);
  gboolean is_real = type == G_TYPE_FLOAT || type == G_TYPE_DOUBLE;
  g_auto (GValue) source = G_VALUE_INIT;
  double minimum, maximum;

  if (!get_limits (spec, &minimum, &maximum)) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID, "%s: want %s, got %s",
        path, describe_type (type),
        vigil_json_type_name (vigil_json_get_type (json)));
    return FALSE;
  }
  if (vigil_json_get_type (json) == VIGIL_JSON_REAL && !is_real)
    maximum = MIN (maximum, WHOLE_MAX);
  if (number < minimum || number > maximum ||
      (!is_real && fmod (number, 1) != 0)) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID,
        "%s %g: want %s from %g to %g", path, number,
        is_real ? "a number" : "a whole number", minimum, maximum);
    return FALSE;
  }
  if (is_real) {
    g_value_init (&source, G_TYPE_DOUBLE);
    g_value_set_double (&source, number);
  } else {
    g_value_init (&source, G_TYPE_INT64);
    g_value_set_int64 (&source, vigil_json_get_type (json) == VIGIL_JSON_INTEGER
                                    ? vigil_json_get_integer (json)
                                    : (int64_t)number);
  }
  if (G_IS_PARAM_SPEC_ENUM (spec) &&
      g_enum_get_value (G_PARAM_SPEC_ENUM (spec)->enum_class,
          (int)g_value_get_int64 (&source)) == NULL) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID,
        "%s %g: %s has no such value", path, number, g_type_name (type));
    return FALSE;
  }
  return g_value_transform (&source, value);
}

GstCaps *
vigil_property_parse_caps (const char *text)
{
  for (const char *p = text; p != NULL;) {
    p += strspn (p, "; \t\r\n");
    if (!g_ascii_isalpha (*p))
      return NULL;
    p = strchr (p, ';');
  }
  return text != NULL ? gst_caps_from_string (text) : NULL;
}

static char *
describe_choices (GParamSpec *spec)
{
  GEnumClass *class = G_PARAM_SPEC_ENUM (spec)->enum_class;
  GString *text = g_string_new (NULL);

  for (unsigned i = 0; i < class->n_values; i++)
    g_string_append_printf (
        text, "%s%s", i > 0 ? ", " : "", class->values[i].value_nick);
  return g_string_free (text, FALSE);
}

static gboolean
convert_string (GParamSpec *spec, const char *text, GValue *value,
    const char *path, GError **error)
{
  g_autofree char *choices = NULL;

  if (G_VALUE_HOLDS_STRING (value)) {
    g_value_set_string (value, text);
    return TRUE;
  }
  if (GST_VALUE_HOLDS_CAPS (value)) {
    GstCaps *caps = vigil_property_parse_caps (text);

    if (caps != NULL) {
      g_value_take_boxed (value, caps);
      return TRUE;
    }
  } else if (gst_value_deserialize (value, text)) {
    return TRUE;
  }
  if (G_IS_PARAM_SPEC_ENUM (spec))
    choices = describe_choices (spec);
  g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID, "%s '%.60s': want %s%s",
      path, text, choices != NULL ? "one of " : "",
      choices != NULL ? choices : describe_type (G_VALUE_TYPE (value)));
  return FALSE;
}

gboolean
vigil_property_set (GstElement *element, const char *name,
    const VigilJson *value, const char *path, GError **error)
{
  g_auto (GValue) converted = G_VALUE_INIT;
  GParamSpec *spec;

  g_return_val_if_fail (GST_IS_ELEMENT (element) && value != NULL, FALSE);

  spec = find (element, name);
  g_return_val_if_fail (spec != NULL, FALSE);

  if (is_object (spec)) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID,
        "%s: the property '%s' holds an object, which a request cannot set",
        path, name);
    return FALSE;
  }
  g_value_init (&converted, G_PARAM_SPEC_VALUE_TYPE (spec));
  switch (vigil_json_get_type (value)) {
  case VIGIL_JSON_STRING:
    if (!convert_string (
            spec, vigil_json_get_string (value), &converted, path, error))
      return FALSE;
    break;
  case VIGIL_JSON_INTEGER:
  case VIGIL_JSON_REAL:
    if (!convert_number (spec, value, &converted, path, error))
      return FALSE;
    break;
  case VIGIL_JSON_BOOLEAN:
    if (G_VALUE_HOLDS_BOOLEAN (&converted)) {
      g_value_set_boolean (&converted, vigil_json_get_boolean (value));
      break;
    }
    G_GNUC_FALLTHROUGH;
  case VIGIL_JSON_OBJECT:
  case VIGIL_JSON_ARRAY:
  case VIGIL_JSON_NULL:
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID,
        "%s: want %s for property '%s', got %s", path,
        describe_type (G_VALUE_TYPE (&converted)), name,
        vigil_json_type_name (vigil_json_get_type (value)));
    return FALSE;
  }
  g_object_set_property (G_OBJECT (element), name, &converted);
  return TRUE;
}
