/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Request sources. "postproc" is a chain of elements such as
 * "videoconvert ! videoscale method=0"; it is taken apart here, so that
 * nothing but factory names reaches the launch parser.
 */
#include "pipeline/source.h"

#include "base/error.h"
#include "config/schema.h"
#include "pipeline/element-hint.h"
#include "pipeline/launch-text.h"
#include "pipeline/property.h"
#include <string.h>

#define CAPSFILTER_NAME "vigil-source-caps"
#define POSTPROC_NAME "vigil-source-postproc"

typedef struct {
  char *factory;
  VigilJson *properties; /* an object of strings */
} Step;

struct _VigilSource {
  char *factory;
  VigilJson *properties;       /* set on "source"; an object */
  VigilJson *extra_properties; /* the request's own; nullable */
  char *capsfilter;            /* nullable */
  GPtrArray *postproc;         /* element-type: Step */
  gboolean is_live;
  char *launch_text;
};

static void
step_free (Step *step)
{
  g_free (step->factory);
  vigil_json_unref (step->properties);
  g_free (step);
}

static gboolean
check_factory (const char *factory, const char *path, GError **error)
{
  g_autoptr (GstElementFactory) found = NULL;

  if (!vigil_launch_text_is_name (factory)) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID,
        "%s '%.60s': want the name of one element; its properties go to "
        "source.properties",
        path, factory);
    return FALSE;
  }
  found = gst_element_factory_find (factory);
  if (found == NULL) {
    g_autofree char *message = vigil_element_hint_dup_message (factory);

    g_set_error (
        error, VIGIL_ERROR, VIGIL_ERROR_NOT_FOUND, "%s: %s", path, message);
    return FALSE;
  }
  return TRUE;
}

/* The value of "source.@key", which must be text that is not empty. */
static const char *
require_text (const VigilJson *json, const char *key, GError **error)
{
  const char *text = vigil_schema_get_string (json, key, NULL);

  if (text != NULL && *text != '\0')
    return text;
  g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID,
      "source.%s: want text for a source of type %s", key,
      vigil_schema_get_string (json, "type", NULL));
  return NULL;
}

/* TRUE when @uri (nullable) names a stream that somebody sends over a network,
 * live. */
static gboolean
is_network_uri (const char *uri)
{
  static const char *const schemes[] = {"rtsp", "rtsps", "rtspt", "rtspu",
      "rtsph", "rtp", "udp", "srt", "rtmp", "rtmps", "rist", "tcp", NULL};
  g_autofree char *scheme = uri != NULL ? gst_uri_get_protocol (uri) : NULL;

  return scheme != NULL && g_strv_contains (schemes, scheme);
}

static gboolean
read_uri (VigilSource *self, const VigilJson *json, GError **error)
{
  const char *uri = require_text (json, "uri", error);
  g_autofree char *protocol = NULL;

  if (uri == NULL)
    return FALSE;
  if (!gst_uri_is_valid (uri)) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID,
        "source.uri '%.60s': want a URI such as file:///folder/name or "
        "rtsp://host/path",
        uri);
    return FALSE;
  }
  protocol = gst_uri_get_protocol (uri);
  if (!gst_uri_protocol_is_supported (GST_URI_SRC, protocol)) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_UNSUPPORTED,
        "source.uri: no element reads '%.20s:' here: install its plugin, or "
        "correct the URI",
        protocol);
    return FALSE;
  }
  self->factory = g_strdup ("urisourcebin");
  vigil_json_object_take (self->properties, "uri", vigil_json_new_string (uri));
  self->is_live = is_network_uri (uri) || gst_uri_has_protocol (uri, "v4l2");
  return TRUE;
}

static gboolean
read_kind (VigilSource *self, const VigilJson *json, GError **error)
{
  const char *type = vigil_schema_get_string (json, "type", NULL);
  const char *text;

  if (g_strcmp0 (type, "uri") == 0)
    return read_uri (self, json, error);
  if (g_strcmp0 (type, "webcam") == 0) {
    text = require_text (json, "device", error);
    if (text == NULL || !check_factory ("v4l2src", "source", error))
      return FALSE;
    self->factory = g_strdup ("v4l2src");
    vigil_json_object_take (
        self->properties, "device", vigil_json_new_string (text));
    self->capsfilter = g_strdup ("image/jpeg");
    self->is_live = TRUE;
    return TRUE;
  }
  if (g_strcmp0 (type, "gst") == 0) {
    text = require_text (json, "element", error);
    if (text == NULL || !check_factory (text, "source.element", error))
      return FALSE;
    self->factory = g_strdup (text);
    return TRUE;
  }
  g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID,
      "source.type '%.60s': want uri, webcam or gst", type != NULL ? type : "");
  return FALSE;
}

static gboolean
read_capsfilter (VigilSource *self, const VigilJson *json, GError **error)
{
  const char *text = vigil_schema_get_string (json, "capsfilter", NULL);
  g_autoptr (GstCaps) caps = NULL;

  if (vigil_json_object_get (json, "capsfilter") == NULL)
    return TRUE;
  caps = vigil_property_parse_caps (text);
  if (caps == NULL) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID,
        "source.capsfilter '%.60s': want caps such as "
        "video/x-raw,width=640,height=480",
        text != NULL ? text : "");
    return FALSE;
  }
  g_free (self->capsfilter);
  self->capsfilter = g_strdup (text);
  return TRUE;
}

static Step *
step_new (const char *factory)
{
  Step *step = g_new0 (Step, 1);

  step->factory = g_strdup (factory);
  step->properties = vigil_json_new_object ();
  return step;
}

/* A step that is caps: "video/x-raw,format=BGR". */
static Step *
read_caps_step (const char *text, GError **error)
{
  g_autoptr (GstCaps) caps = vigil_property_parse_caps (text);
  Step *step;

  if (caps == NULL) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID,
        "source.postproc '%.60s': want caps such as video/x-raw,format=BGR",
        text);
    return NULL;
  }
  step = step_new ("capsfilter");
  vigil_json_object_take (
      step->properties, "caps", vigil_json_new_string (text));
  return step;
}

static Step *
read_step (char *text, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_auto (GStrv) words = NULL;
  Step *step;

  g_strstrip (text);
  if (text[strcspn (text, "/= \"'")] == '/')
    return read_caps_step (text, error);

  if (!g_shell_parse_argv (text, NULL, &words, &local)) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID,
        "source.postproc '%.60s': want elements, joined by ' ! '", text);
    return NULL;
  }
  if (!check_factory (words[0], "source.postproc", error))
    return NULL;
  step = step_new (words[0]);
  for (size_t i = 1; words[i] != NULL; i++) {
    char *equals = strchr (words[i], '=');

    if (equals == NULL || equals == words[i]) {
      g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID,
          "source.postproc '%.60s': want property=value", words[i]);
      step_free (step);
      return NULL;
    }
    *equals = '\0';
    vigil_json_object_take (
        step->properties, words[i], vigil_json_new_string (equals + 1));
  }
  return step;
}

static gboolean
read_postproc (VigilSource *self, const VigilJson *json, GError **error)
{
  const char *text = vigil_schema_get_string (json, "postproc", NULL);
  g_auto (GStrv) parts = NULL;

  if (vigil_json_object_get (json, "postproc") == NULL)
    return TRUE;
  if (text == NULL || *text == '\0') {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID,
        "source.postproc: want elements, joined by ' ! '");
    return FALSE;
  }
  parts = g_strsplit (text, "!", -1);
  for (size_t i = 0; parts[i] != NULL; i++) {
    Step *step = read_step (parts[i], error);

    if (step == NULL)
      return FALSE;
    g_ptr_array_add (self->postproc, step);
  }
  return TRUE;
}

static void
write_launch_text (VigilSource *self)
{
  GString *text = g_string_new (NULL);

  g_string_printf (text, "%s name=source", self->factory);
  if (self->capsfilter != NULL)
    g_string_append (text, " ! capsfilter name=" CAPSFILTER_NAME);
  for (unsigned i = 0; i < self->postproc->len; i++) {
    const Step *step = g_ptr_array_index (self->postproc, i);

    g_string_append_printf (
        text, " ! %s name=" POSTPROC_NAME "%u", step->factory, i);
  }
  self->launch_text = g_string_free (text, FALSE);
}

VigilSource *
vigil_source_new (const VigilJson *json, GError **error)
{
  g_autoptr (VigilSource) self = g_new0 (VigilSource, 1);
  const VigilJson *properties = vigil_json_object_get (json, "properties");

  self->properties = vigil_json_new_object ();
  self->postproc = g_ptr_array_new_with_free_func ((GDestroyNotify)step_free);
  if (json == NULL || vigil_json_get_type (json) != VIGIL_JSON_OBJECT) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID,
        "source: want an object with type uri, webcam or gst");
    return NULL;
  }
  if (properties != NULL &&
      vigil_json_get_type (properties) != VIGIL_JSON_OBJECT) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID,
        "source.properties: want an object of property names and values");
    return NULL;
  }
  if (!read_kind (self, json, error) || !read_capsfilter (self, json, error) ||
      !read_postproc (self, json, error))
    return NULL;
  if (properties != NULL)
    self->extra_properties = vigil_json_copy (properties);
  write_launch_text (self);
  return g_steal_pointer (&self);
}

void
vigil_source_free (VigilSource *self)
{
  if (self == NULL)
    return;
  g_free (self->factory);
  vigil_json_unref (self->properties);
  vigil_json_unref (self->extra_properties);
  g_free (self->capsfilter);
  g_ptr_array_unref (self->postproc);
  g_free (self->launch_text);
  g_free (self);
}

const char *
vigil_source_get_launch_text (const VigilSource *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->launch_text;
}

gboolean
vigil_source_is_live (const VigilSource *self)
{
  g_return_val_if_fail (self != NULL, FALSE);

  return self->is_live;
}

/* ---- Setting the values ------------------------------------------------ */

/* urisourcebin and its like have made the element that reads: give it what
 * was meant for it. Any thread of GStreamer's. */
static void
on_source_setup (GstElement *element, GstElement *inner, void *user_data)
{
  const VigilJson *properties = user_data;
  VigilJsonIter iter = {0};
  const char *key;
  const VigilJson *value;

  while (vigil_json_object_next (properties, &iter, &key, &value)) {
    g_autoptr (GError) error = NULL;

    if (!vigil_property_exists (inner, key))
      g_warning ("source property '%s': neither %s nor %s has it", key,
          G_OBJECT_TYPE_NAME (element), G_OBJECT_TYPE_NAME (inner));
    else if (!vigil_property_set (inner, key, value, key, &error))
      g_warning ("source property %s", error->message);
  }
}

gboolean
vigil_source_defer_property (
    GstElement *element, const char *name, const VigilJson *value)
{
  static const char key[] = "vigil-deferred-properties";
  VigilJson *deferred = g_object_get_data (G_OBJECT (element), key);

  if (g_signal_lookup ("source-setup", G_OBJECT_TYPE (element)) == 0)
    return FALSE;
  if (deferred == NULL) {
    deferred = vigil_json_new_object ();
    g_object_set_data_full (
        G_OBJECT (element), key, deferred, (GDestroyNotify)vigil_json_unref);
    g_signal_connect (
        element, "source-setup", G_CALLBACK (on_source_setup), deferred);
  }
  vigil_json_object_take (deferred, name, vigil_json_copy (value));
  return TRUE;
}

/* Sets what @element has; what it lacks is put into @left. */
static gboolean
set_properties (GstElement *element, const VigilJson *properties,
    const char *path, VigilJson *left, GError **error)
{
  VigilJsonIter iter = {0};
  const char *key;
  const VigilJson *value;

  while (vigil_json_object_next (properties, &iter, &key, &value)) {
    g_autofree char *key_path = g_strdup_printf ("%s.%s", path, key);

    if (!vigil_property_exists (element, key))
      vigil_json_object_take (left, key, vigil_json_copy (value));
    else if (!vigil_property_set (element, key, value, key_path, error))
      return FALSE;
  }
  return TRUE;
}

static void
warn_missing (GstElement *element, const char *path, const char *key,
    VigilProblems *warnings)
{
  g_autofree char *key_path = g_strdup_printf ("%s.%s", path, key);

  vigil_problems_add (warnings, VIGIL_PROBLEM_WARNING, key_path,
      "element '%s' (%s) has no property '%s' that can be set",
      GST_OBJECT_NAME (element), G_OBJECT_TYPE_NAME (element), key);
}

static gboolean
apply_to_source (const VigilSource *self, GstElement *source,
    VigilProblems *warnings, GError **error)
{
  g_autoptr (VigilJson) left = vigil_json_new_object ();
  g_autoptr (VigilJson) left_extra = vigil_json_new_object ();
  VigilJsonIter iter = {0};
  const char *key;
  const VigilJson *value;

  if (!set_properties (source, self->properties, "source", left, error))
    return FALSE;
  while (vigil_json_object_next (left, &iter, &key, &value))
    warn_missing (source, "source", key, warnings);
  iter = (VigilJsonIter){0};
  if (self->extra_properties == NULL)
    return TRUE;
  if (!set_properties (source, self->extra_properties, "source.properties",
          left_extra, error))
    return FALSE;
  while (vigil_json_object_next (left_extra, &iter, &key, &value))
    if (!vigil_source_defer_property (source, key, value))
      warn_missing (source, "source.properties", key, warnings);
  return TRUE;
}

static gboolean
apply_postproc (const VigilSource *self, GstBin *pipeline, GError **error)
{
  for (unsigned i = 0; i < self->postproc->len; i++) {
    const Step *step = g_ptr_array_index (self->postproc, i);
    g_autofree char *name = g_strdup_printf (POSTPROC_NAME "%u", i);
    g_autoptr (GstElement) element = gst_bin_get_by_name (pipeline, name);
    g_autoptr (VigilJson) left = vigil_json_new_object ();
    VigilJsonIter iter = {0};
    const char *key;
    const VigilJson *value;

    if (element == NULL)
      continue;
    if (!set_properties (
            element, step->properties, "source.postproc", left, error))
      return FALSE;
    if (vigil_json_object_next (left, &iter, &key, &value)) {
      g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID,
          "source.postproc: %s has no property '%s' that can be set",
          step->factory, key);
      return FALSE;
    }
  }
  return TRUE;
}

gboolean
vigil_source_apply (const VigilSource *self, GstBin *pipeline,
    VigilProblems *warnings, GError **error)
{
  g_autoptr (GstElement) source = NULL;
  g_autoptr (GstElement) filter = NULL;

  g_return_val_if_fail (self != NULL, FALSE);

  source = gst_bin_get_by_name (pipeline, "source");
  if (source == NULL) {
    vigil_problems_add (warnings, VIGIL_PROBLEM_WARNING, "source",
        "the pipeline has neither {auto_source} nor an element named "
        "'source': the request's source has no effect");
    return TRUE;
  }
  if (!apply_to_source (self, source, warnings, error))
    return FALSE;
  filter = gst_bin_get_by_name (pipeline, CAPSFILTER_NAME);
  if (filter != NULL && self->capsfilter != NULL)
    gst_util_set_object_arg (G_OBJECT (filter), "caps", self->capsfilter);
  return apply_postproc (self, pipeline, error);
}

/* The URI that @element reads, if it reads one. */
static char *
dup_uri (GstElement *element)
{
  GParamSpec *spec =
      g_object_class_find_property (G_OBJECT_GET_CLASS (element), "uri");
  char *uri = NULL;

  if (GST_IS_URI_HANDLER (element))
    return gst_uri_handler_get_uri_type (GST_URI_HANDLER (element)) ==
                   GST_URI_SRC
               ? gst_uri_handler_get_uri (GST_URI_HANDLER (element))
               : NULL;
  if (spec != NULL && G_IS_PARAM_SPEC_STRING (spec) &&
      (spec->flags & G_PARAM_READABLE) != 0)
    g_object_get (element, "uri", &uri, NULL);
  return uri;
}

GstElement *
vigil_source_find_network (GstBin *pipeline)
{
  GstIterator *elements = gst_bin_iterate_recurse (pipeline);
  g_auto (GValue) item = G_VALUE_INIT;
  GstElement *found = NULL;

  while (
      found == NULL && gst_iterator_next (elements, &item) == GST_ITERATOR_OK) {
    g_autofree char *uri = dup_uri (g_value_get_object (&item));

    if (is_network_uri (uri))
      found = g_value_dup_object (&item);
    g_value_reset (&item);
  }
  gst_iterator_free (elements);
  return found;
}

gboolean
vigil_source_is_origin (GstElement *source, GstMessage *message)
{
  GstObject *origin = GST_MESSAGE_SRC (message);

  return source != NULL && origin != NULL &&
         (origin == GST_OBJECT (source) ||
             gst_object_has_as_ancestor (origin, GST_OBJECT (source)));
}

gboolean
vigil_source_is_fault (GstElement *source, GstMessage *message)
{
  g_autoptr (GError) error = NULL;

  if (!vigil_source_is_origin (source, message))
    return FALSE;
  gst_message_parse_error (message, &error, NULL);
  return error->domain == GST_RESOURCE_ERROR;
}
