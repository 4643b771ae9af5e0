/* SPDX-License-Identifier: Apache-2.0 */

/* One pipeline entry of config.json, seen by all modules it concerns. */

#include "server/entry.h"

#include "pipeline/definition.h"
#include "pipeline/source.h"
#include "publish/publisher.h"
#include "server/request.h"
#include <string.h>

#define NAME_LENGTH_MAX 255
#define NOT_HERE "vigil has no such destination; it is left out"

const VigilSchemaKey vigil_entry_keys[] = {
    {.name = "auto_start",
        .type = VIGIL_SCHEMA_BOOLEAN,
        .default_text = "false",
        .help = "Start one instance when the server starts."},
    {.name = "payload",
        .type = VIGIL_SCHEMA_OBJECT,
        .default_text = "{}",
        .help = "The request that `auto_start` starts it with: `source`, "
                "`destination`, `parameters`, `tags`."},
    {.name = "allow_request_broker",
        .type = VIGIL_SCHEMA_BOOLEAN,
        .default_text = "false",
        .help = "Let a request choose the broker's address, credentials and "
                "TLS files."},
    {.name = "opcua_publisher",
        .type = VIGIL_SCHEMA_ANY,
        .help = "OPC UA (DLSPS only).",
        .ignored = NOT_HERE},
    {.name = "S3_write",
        .type = VIGIL_SCHEMA_ANY,
        .help = "S3 (DLSPS only).",
        .ignored = NOT_HERE},
    {.name = "influx_write",
        .type = VIGIL_SCHEMA_ANY,
        .help = "InfluxDB (DLSPS only).",
        .ignored = NOT_HERE},
    {.name = "ros2_publisher",
        .type = VIGIL_SCHEMA_ANY,
        .help = "ROS 2 (DLSPS only).",
        .ignored = NOT_HERE},
    {.name = "udfs",
        .type = VIGIL_SCHEMA_ANY,
        .help = "User-defined functions (DLSPS only).",
        .ignored = "vigil runs no user-defined functions; put an element of "
                   "GStreamer in the pipeline instead"},
    {.name = "model_parameters",
        .type = VIGIL_SCHEMA_ANY,
        .help = "Model registry (DLSPS only).",
        .ignored = "vigil has no model registry; set the properties of the "
                   "inference element in the pipeline"},
    {.name = "model_params",
        .type = VIGIL_SCHEMA_ANY,
        .help = "Model registry (DLSPS only).",
        .ignored = "vigil has no model registry; download the model and name "
                   "its file in the pipeline"},
    {.name = "xiris",
        .type = VIGIL_SCHEMA_ANY,
        .help = "Xiris camera (DLSPS only).",
        .ignored = "vigil has no Xiris camera source"},
    {.name = "publish_frame",
        .type = VIGIL_SCHEMA_ANY,
        .help = "Belongs inside `mqtt_publisher`.",
        .ignored = "has no effect here; set it inside mqtt_publisher"},
    {.name = NULL},
};

/* @checks_definition: FALSE: the definition's keys by name alone, because
 * its own check reports what is wrong with them. */
static VigilSchemaKey *
build_keys (gboolean checks_definition)
{
  const VigilSchemaKey *const tables[] = {
      vigil_definition_keys, vigil_publisher_keys, vigil_entry_keys};
  GArray *keys = g_array_new (TRUE, TRUE, sizeof (VigilSchemaKey));

  for (size_t table = 0; table < G_N_ELEMENTS (tables); table++)
    for (const VigilSchemaKey *key = tables[table]; key->name != NULL; key++) {
      VigilSchemaKey copy = *key;

      if (tables[table] == vigil_definition_keys && !checks_definition)
        copy = (VigilSchemaKey){.name = key->name};
      g_array_append_val (keys, copy);
    }
  return (VigilSchemaKey *)g_array_free (keys, FALSE);
}

static gpointer
build_listed_keys (gpointer unused)
{
  return build_keys (TRUE);
}

static gpointer
build_checked_keys (gpointer unused)
{
  return build_keys (FALSE);
}

const VigilSchemaKey *
vigil_entry_list_keys (void)
{
  static GOnce once = G_ONCE_INIT;

  return g_once (&once, build_listed_keys, NULL);
}

static const VigilSchemaKey *
get_checked_keys (void)
{
  static GOnce once = G_ONCE_INIT;

  return g_once (&once, build_checked_keys, NULL);
}

const char *
vigil_entry_get_name (const VigilJson *entry)
{
  const char *name = vigil_schema_get_string (entry, "name", NULL);

  return name == NULL || *name == '\0' ? NULL : name;
}

/* An earlier entry of the same name keeps it. */
static void
check_twins (const VigilConfig *config, unsigned index, const char *name,
    const char *name_path, VigilProblems *problems)
{
  for (unsigned other = 0; other < index; other++) {
    g_autofree char *other_path = NULL;

    if (g_strcmp0 (
            vigil_entry_get_name (vigil_config_get_pipeline (config, other)),
            name) != 0)
      continue;
    other_path = vigil_config_dup_pipeline_path (config, other);
    vigil_problems_add (problems, VIGIL_PROBLEM_ERROR, name_path,
        "'%s' is the name of %s: want a name of its own", name, other_path);
    return;
  }
}

/* The name is a folder of a URL and a label of metrics. */
static void
check_name (const VigilConfig *config, unsigned index, const char *path,
    VigilProblems *problems)
{
  g_autofree char *name_path = g_strconcat (path, ".name", NULL);
  const char *name =
      vigil_entry_get_name (vigil_config_get_pipeline (config, index));

  if (name == NULL)
    return; /* reported by the schema */
  if (strchr (name, '/') != NULL || strlen (name) > NAME_LENGTH_MAX)
    vigil_problems_add (problems, VIGIL_PROBLEM_ERROR, name_path,
        "'%.40s': want at most %d bytes without '/': it is part of a URL", name,
        NAME_LENGTH_MAX);
  check_twins (config, index, name, name_path, problems);
}

/* What would only be found when the pipeline is started by itself. */
static void
check_source (const VigilJson *entry, const VigilJson *source,
    const char *payload_path, VigilProblems *problems)
{
  const char *text = vigil_schema_get_string (entry, "pipeline", "");
  const char *kind = vigil_schema_get_string (entry, "source", "");
  g_autoptr (VigilSource) parsed = NULL;
  g_autoptr (GError) error = NULL;

  if (source == NULL) {
    if (strcmp (kind, "image_ingestor") != 0 &&
        vigil_schema_get_boolean (entry, "auto_start", FALSE) &&
        strstr (text, "{auto_source}") != NULL)
      vigil_problems_add (problems, VIGIL_PROBLEM_ERROR, payload_path,
          "the pipeline has {auto_source}: want a source here, or no "
          "auto_start");
    return;
  }
  if (vigil_json_get_type (source) != VIGIL_JSON_OBJECT)
    return; /* reported by the schema */
  parsed = vigil_source_new (source, &error);
  if (parsed == NULL)
    vigil_problems_add (
        problems, VIGIL_PROBLEM_ERROR, payload_path, "%s", error->message);
}

static void
check_payload (
    const VigilJson *entry, const char *path, VigilProblems *problems)
{
  const VigilJson *payload = vigil_json_object_get (entry, "payload");
  g_autofree char *payload_path = g_strconcat (path, ".payload", NULL);

  if (payload != NULL && vigil_json_get_type (payload) != VIGIL_JSON_OBJECT)
    return; /* reported by the schema */
  if (payload != NULL)
    vigil_request_check (payload, payload_path, problems);
  check_source (entry,
      payload != NULL ? vigil_json_object_get (payload, "source") : NULL,
      payload_path, problems);
}

void
vigil_entry_check (const VigilConfig *config, unsigned index,
    const VigilEnvironment *environment, VigilEisBus *eis_bus,
    VigilProblems *problems)
{
  const VigilJson *entry = vigil_config_get_pipeline (config, index);
  g_autofree char *path = vigil_config_dup_pipeline_path (config, index);
  const VigilPublisherContext context = {
      .pipeline_name = vigil_entry_get_name (entry),
      .config_folder = vigil_config_get_folder (config),
      .environment = environment,
      .eis_bus = eis_bus,
  };

  if (entry == NULL)
    return; /* no object: config has said so */
  vigil_schema_check (get_checked_keys (), entry, path, problems);
  check_name (config, index, path, problems);
  vigil_definition_check (entry, path, environment, problems);
  vigil_publisher_check (entry, path, &context, problems);
  check_payload (entry, path, problems);
}

void
vigil_entry_check_all (const VigilConfig *config,
    const VigilEnvironment *environment, VigilProblems *problems)
{
  VigilEisBus *eis_bus =
      vigil_eis_bus_new (vigil_config_get_interfaces (config), environment,
          vigil_config_get_folder (config), problems);

  for (unsigned index = 0; index < vigil_config_get_pipeline_count (config);
       index++)
    vigil_entry_check (config, index, environment, eis_bus, problems);
  vigil_eis_bus_free (eis_bus, 0);
}
