/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a configuration file and finds its parts. */
#include "config/config.h"

#include "base/error.h"
#include "base/file.h"
#include "config/schema.h"
#include <string.h>

#define FILE_BYTES_MAX (16 * 1024 * 1024)
#define FILE_DEPTH_MAX 64
#define BYTE_ORDER_MARK "\xef\xbb\xbf"

struct _VigilConfig {
  char *path;
  char *folder;
  VigilJson *document;
  const VigilJson *root;      /* of document */
  const VigilJson *pipelines; /* of document */
};

static const VigilSchemaKey root_keys[] = {
    {
        .name = "pipelines",
        .type = VIGIL_SCHEMA_ARRAY,
        .is_required = TRUE,
        .help = "The pipelines, each an object.",
    },
    {
        .name = "rest",
        .type = VIGIL_SCHEMA_OBJECT,
        .help = "The REST interface: who may reach it, and its limits.",
    },
    {
        .name = "rtsp",
        .type = VIGIL_SCHEMA_OBJECT,
        .help = "The RTSP server of `destination.frame`.",
    },
    {
        .name = "mqtt_publisher",
        .ignored = "has no effect here: put it into an entry of "
                   "config.pipelines",
    },
    {
        .name = "logging",
        .ignored = "has no effect: set LOG_LEVEL in the environment",
    },
    {
        .name = "model_registry",
        .ignored = "has no effect: this release has no model registry",
    },
    {0},
};

static const VigilSchemaKey document_keys[] = {
    {
        .name = "config",
        .type = VIGIL_SCHEMA_OBJECT,
        .is_required = TRUE,
        .keys = root_keys,
    },
    {
        .name = "interfaces",
        .type = VIGIL_SCHEMA_OBJECT,
    },
    {0},
};

void
vigil_config_free (VigilConfig *self)
{
  if (self == NULL)
    return;
  if (self->document != NULL)
    vigil_json_unref (self->document);
  g_free (self->folder);
  g_free (self->path);
  g_free (self);
}

static gboolean
find_parts (VigilConfig *self, GError **error)
{
  self->root = vigil_json_object_get (self->document, "config");
  if (self->root == NULL ||
      vigil_json_get_type (self->root) != VIGIL_JSON_OBJECT) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID,
        "%s: want {\"config\": {\"pipelines\": [...]}}: there is no object "
        "\"config\"",
        self->path);
    return FALSE;
  }
  self->pipelines = vigil_json_object_get (self->root, "pipelines");
  if (self->pipelines == NULL ||
      vigil_json_get_type (self->pipelines) != VIGIL_JSON_ARRAY) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID,
        "%s: config.pipelines: want a list of pipelines (\"No pipelines "
        "found in config\")",
        self->path);
    return FALSE;
  }
  return TRUE;
}

static void
check_pipelines (const VigilConfig *self, VigilProblems *problems)
{
  for (unsigned i = 0; i < vigil_config_get_pipeline_count (self); i++) {
    const VigilJson *entry = vigil_json_array_get (self->pipelines, i);
    VigilJsonType type = vigil_json_get_type (entry);
    if (type == VIGIL_JSON_OBJECT)
      continue;
    g_autofree char *path = vigil_config_dup_pipeline_path (self, i);
    vigil_problems_add (problems, VIGIL_PROBLEM_ERROR, path,
        "want an object, got %s", vigil_json_type_name (type));
  }
}

VigilConfig *
vigil_config_load (const char *path, VigilProblems *problems, GError **error)
{
  g_return_val_if_fail (path != NULL && problems != NULL, NULL);

  size_t size = 0;
  g_autoptr (GError) cause = NULL;
  g_autofree char *text = vigil_file_read (path, FILE_BYTES_MAX, &size, &cause);
  if (text == NULL) {
    /* A configuration that is not there is as wrong as a bad one. */
    g_set_error_literal (
        error, VIGIL_ERROR, VIGIL_ERROR_INVALID, cause->message);
    return NULL;
  }
  return vigil_config_parse (text, size, path, problems, error);
}

VigilConfig *
vigil_config_parse (const char *text, size_t size, const char *path,
    VigilProblems *problems, GError **error)
{
  /* Editors of other systems put one there. */
  if (size >= 3 && memcmp (text, BYTE_ORDER_MARK, 3) == 0) {
    text += 3;
    size -= 3;
  }
  g_autoptr (VigilConfig) self = g_new0 (VigilConfig, 1);
  self->path = g_strdup (path);
  self->folder = g_path_get_dirname (path);
  g_autoptr (GError) cause = NULL;
  self->document = vigil_json_parse (
      text, (gssize)size, FILE_BYTES_MAX, FILE_DEPTH_MAX, &cause);
  if (self->document == NULL) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID, "%s: %s", path,
        cause->message);
    return NULL;
  }
  if (!find_parts (self, error))
    return NULL;
  vigil_schema_check (document_keys, self->document, "", problems);
  check_pipelines (self, problems);
  return g_steal_pointer (&self);
}

const char *
vigil_config_get_path (const VigilConfig *self)
{
  return self->path;
}

const char *
vigil_config_get_folder (const VigilConfig *self)
{
  return self->folder;
}

const VigilJson *
vigil_config_get_root (const VigilConfig *self)
{
  return self->root;
}

const VigilJson *
vigil_config_get_interfaces (const VigilConfig *self)
{
  const VigilJson *interfaces =
      vigil_json_object_get (self->document, "interfaces");

  return interfaces != NULL &&
                 vigil_json_get_type (interfaces) == VIGIL_JSON_OBJECT
             ? interfaces
             : NULL;
}

unsigned
vigil_config_get_pipeline_count (const VigilConfig *self)
{
  return (unsigned)vigil_json_array_size (self->pipelines);
}

const VigilJson *
vigil_config_get_pipeline (const VigilConfig *self, unsigned index)
{
  const VigilJson *entry = vigil_json_array_get (self->pipelines, index);
  if (entry == NULL || vigil_json_get_type (entry) != VIGIL_JSON_OBJECT)
    return NULL;
  return entry;
}

char *
vigil_config_dup_pipeline_path (const VigilConfig *self, unsigned index)
{
  return g_strdup_printf ("config.pipelines[%u]", index);
}
