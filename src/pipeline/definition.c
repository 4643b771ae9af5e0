/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pipeline of the configuration, and all that can be said against it
 * before anything is started.
 */
#include "pipeline/definition.h"

#include "base/error.h"
#include "pipeline/element-hint.h"
#include "pipeline/gst-runtime.h"
#include "pipeline/json-schema.h"
#include "pipeline/launch-text.h"
#include "pipeline/parameters.h"
#include "pipeline/parsed-pipeline.h"
#include <string.h>

#define IMAGE_INGESTOR "image_ingestor"

struct _VigilDefinition {
  char *name;
  gboolean takes_images;
  char *launch_text;
  VigilJson *parameters;   /* nullable; defaults resolved */
  VigilJson *bus_messages; /* nullable; a list of names */
};

static const char *const source_choices[] = {"gstreamer", IMAGE_INGESTOR, NULL};

const VigilSchemaKey vigil_definition_keys[] = {
    {
        .name = "name",
        .type = VIGIL_SCHEMA_STRING,
        .is_required = TRUE,
        .help = "The name under which the pipeline is started.",
    },
    {
        .name = "source",
        .type = VIGIL_SCHEMA_CHOICE,
        .choices = source_choices,
        .default_text = "gstreamer",
        .help = "Where frames come from; image_ingestor: images that are "
                "posted to the instance.",
    },
    {
        .name = "pipeline",
        .type = VIGIL_SCHEMA_STRING,
        .is_required = TRUE,
        .help = "The launch text; an appsink named destination feeds the "
                "publishers. Substitutions: {auto_source}, {env[NAME]}, "
                "{parameters[name]}; a literal brace is written twice.",
    },
    {
        .name = "parameters",
        .type = VIGIL_SCHEMA_OBJECT,
        .help = "JSON Schema of a request's parameters, with defaults and the "
                "elements that they are bound to.",
    },
    {
        .name = "bus_messages",
        .type = VIGIL_SCHEMA_ARRAY,
        .help = "Names of element messages on GStreamer's bus (`barcode`, "
                "`motion`; `*` for all) that the metadata of the next frame "
                "holds under this key.",
    },
    {0},
};

/* ---- Launch text ------------------------------------------------------- */

typedef struct {
  const char *path;
  VigilProblems *problems;
  GHashTable *seen; /* element-type: char *: factories reported */
} FactoryCheck;

static gboolean
check_factory (const char *factory, void *user_data)
{
  FactoryCheck *check = user_data;
  g_autoptr (GstElementFactory) found = gst_element_factory_find (factory);
  g_autofree char *message = NULL;

  if (found != NULL || !g_hash_table_add (check->seen, g_strdup (factory)))
    return TRUE;
  message = vigil_element_hint_dup_message (factory);
  vigil_problems_add (
      check->problems, VIGIL_PROBLEM_ERROR, check->path, "%s", message);
  return TRUE;
}

/* The part of a request that the defaults make. */
static VigilJson *
make_request (const VigilJson *parameters)
{
  const VigilJson *properties =
      vigil_json_object_get (parameters, "properties");
  VigilJson *request = vigil_json_new_object ();
  VigilJson *values = vigil_json_new_object ();
  VigilJsonIter iter = {0};
  const char *key;
  const VigilJson *property;

  while (vigil_json_object_next (properties, &iter, &key, &property)) {
    const VigilJson *value = vigil_json_object_get (property, "default");

    if (value != NULL)
      vigil_json_object_take (values, key, vigil_json_copy (value));
  }
  vigil_json_object_take (request, "parameters", values);
  return request;
}

static void
check_parsed (const char *text, const char *path, VigilProblems *problems)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GstElement) pipeline = vigil_parsed_pipeline_new (text, &error);
  g_autoptr (GstElement) sink = NULL;

  if (pipeline == NULL) {
    vigil_problems_add (
        problems, VIGIL_PROBLEM_ERROR, path, "%s", error->message);
    return;
  }
  sink = vigil_parsed_pipeline_find_destination (GST_BIN (pipeline));
  if (sink == NULL)
    vigil_problems_add (problems, VIGIL_PROBLEM_WARNING, path,
        "no appsink named destination: nothing will be published; end it in "
        "'... ! appsink name=destination'");
}

static void
check_launch_text (const char *text, const VigilJson *parameters,
    const char *path, const VigilEnvironment *environment,
    VigilProblems *problems)
{
  g_autoptr (VigilJson) request = make_request (parameters);
  VigilLaunchTextValues values = {.request = request,
      .environment = environment,
      .auto_source = "fakesrc name=source"};
  g_autoptr (GError) error = NULL;
  g_autofree char *expanded = vigil_launch_text_expand (text, &values, NULL);
  g_autoptr (GHashTable) seen =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  FactoryCheck check = {path, problems, seen};
  gboolean is_complete = expanded != NULL;

  if (!is_complete) {
    /* Perhaps it only lacks what a request will bring. */
    values.example = "x";
    expanded = vigil_launch_text_expand (text, &values, &error);
  }
  if (expanded == NULL) {
    vigil_problems_add (problems, VIGIL_PROBLEM_ERROR, path, "%s",
        g_str_has_prefix (error->message, "pipeline: ")
            ? error->message + strlen ("pipeline: ")
            : error->message);
    return;
  }
  vigil_launch_text_visit_factories (expanded, check_factory, &check);
  if (g_hash_table_size (seen) == 0 && is_complete)
    check_parsed (expanded, path, problems);
}

/* ---- Parameters -------------------------------------------------------- */

static void
check_defaults (
    const VigilJson *parameters, const char *path, VigilProblems *problems)
{
  const VigilJson *properties =
      vigil_json_object_get (parameters, "properties");
  g_autofree char *properties_path =
      vigil_schema_join_path (path, "properties");
  VigilJsonIter iter = {0};
  const char *key;
  const VigilJson *property;

  if (properties != NULL &&
      vigil_json_get_type (properties) != VIGIL_JSON_OBJECT)
    vigil_problems_add (problems, VIGIL_PROBLEM_ERROR, properties_path,
        "want an object of parameter names, got %s",
        vigil_json_type_name (vigil_json_get_type (properties)));
  while (vigil_json_object_next (properties, &iter, &key, &property)) {
    const VigilJson *value = vigil_json_object_get (property, "default");
    g_autofree char *key_path = vigil_schema_join_path (properties_path, key);
    g_autoptr (GError) error = NULL;

    if (value != NULL &&
        !vigil_json_schema_check (property, value, "default", &error))
      vigil_problems_add (
          problems, VIGIL_PROBLEM_ERROR, key_path, "%s", error->message);
  }
}

static void
check_bus_messages (
    const VigilJson *names, const char *path, VigilProblems *problems)
{
  for (size_t i = 0; i < vigil_json_array_size (names); i++) {
    const VigilJson *name = vigil_json_array_get (names, i);
    g_autofree char *item_path = g_strdup_printf ("%s[%zu]", path, i);

    if (vigil_json_get_type (name) != VIGIL_JSON_STRING)
      vigil_problems_add (problems, VIGIL_PROBLEM_ERROR, item_path,
          "want the name of a message, or \"*\", got %s",
          vigil_json_type_name (vigil_json_get_type (name)));
  }
}

/* The members of @entry that this module knows. */
static VigilJson *
take_own_keys (const VigilJson *entry)
{
  VigilJson *own = vigil_json_new_object ();

  for (size_t i = 0; vigil_definition_keys[i].name != NULL; i++) {
    const char *name = vigil_definition_keys[i].name;
    const VigilJson *value = vigil_json_object_get (entry, name);

    if (value != NULL)
      vigil_json_object_take (own, name, vigil_json_copy (value));
  }
  return own;
}

void
vigil_definition_check (const VigilJson *entry, const char *path,
    const VigilEnvironment *environment, VigilProblems *problems)
{
  g_autoptr (VigilJson) own = NULL;
  g_autoptr (VigilJson) parameters = NULL;
  g_autofree char *text_path = vigil_schema_join_path (path, "pipeline");
  g_autofree char *parameters_path =
      vigil_schema_join_path (path, "parameters");
  g_autofree char *messages_path =
      vigil_schema_join_path (path, "bus_messages");
  const VigilJson *schema = vigil_json_object_get (entry, "parameters");
  const char *text = vigil_schema_get_string (entry, "pipeline", NULL);

  g_return_if_fail (entry != NULL && path != NULL && problems != NULL);

  vigil_gst_runtime_init ();
  own = take_own_keys (entry);
  vigil_schema_check (vigil_definition_keys, own, path, problems);
  if (schema != NULL && vigil_json_get_type (schema) == VIGIL_JSON_OBJECT) {
    parameters = vigil_parameters_resolve (schema, environment);
    check_defaults (parameters, parameters_path, problems);
  }
  check_bus_messages (
      vigil_json_object_get (entry, "bus_messages"), messages_path, problems);
  if (text != NULL && *text != '\0')
    check_launch_text (text, parameters, text_path, environment, problems);
}

VigilDefinition *
vigil_definition_new (
    const VigilJson *entry, const VigilEnvironment *environment, GError **error)
{
  g_autoptr (VigilProblems) problems = vigil_problems_new ();
  const VigilJson *names = vigil_json_object_get (entry, "bus_messages");
  VigilDefinition *self;

  g_return_val_if_fail (entry != NULL, NULL);

  vigil_definition_check (entry, "", environment, problems);
  if (!vigil_problems_check (problems, error))
    return NULL;
  self = g_new0 (VigilDefinition, 1);
  self->name = g_strdup (vigil_schema_get_string (entry, "name", NULL));
  self->takes_images =
      g_strcmp0 (vigil_schema_get_string (entry, "source", "gstreamer"),
          IMAGE_INGESTOR) == 0;
  self->launch_text =
      g_strdup (vigil_schema_get_string (entry, "pipeline", NULL));
  self->parameters = vigil_parameters_resolve (
      vigil_json_object_get (entry, "parameters"), environment);
  self->bus_messages = names != NULL ? vigil_json_copy (names) : NULL;
  return self;
}

void
vigil_definition_free (VigilDefinition *self)
{
  if (self == NULL)
    return;
  g_free (self->name);
  g_free (self->launch_text);
  vigil_json_unref (self->parameters);
  vigil_json_unref (self->bus_messages);
  g_free (self);
}

const char *
vigil_definition_get_name (const VigilDefinition *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->name;
}

const char *
vigil_definition_get_launch_text (const VigilDefinition *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->launch_text;
}

const VigilJson *
vigil_definition_get_parameters (const VigilDefinition *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->parameters;
}

const VigilJson *
vigil_definition_get_bus_messages (const VigilDefinition *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->bus_messages;
}

gboolean
vigil_definition_takes_images (const VigilDefinition *self)
{
  return self->takes_images;
}
