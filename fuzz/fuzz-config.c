/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A configuration file of anybody, its entries checked against a table that
 * has every type. Every problem must be fit to be printed.
 */
#include "config/config.h"
#include "config/schema.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static const char *const choices[] = {"drop_oldest", "drop_newest", NULL};

static const VigilSchemaKey label_keys[] = {
    {.name = "type",
        .type = VIGIL_SCHEMA_CHOICE,
        .choices = choices,
        .is_required = TRUE},
    {.name = "threshold", .type = VIGIL_SCHEMA_NUMBER, .maximum = 1},
    {0},
};

static const VigilSchemaKey publisher_keys[] = {
    {.name = "topic", .type = VIGIL_SCHEMA_STRING},
    {.name = "qos", .type = VIGIL_SCHEMA_INTEGER, .maximum = 2},
    {.name = "publish_frame", .type = VIGIL_SCHEMA_BOOLEAN},
    {.name = "filter", .type = VIGIL_SCHEMA_OBJECT, .keys = label_keys},
    {.name = "hosts", .type = VIGIL_SCHEMA_ARRAY, .keys = label_keys},
    {.name = "tls", .type = VIGIL_SCHEMA_OBJECT, .refused = "not here"},
    {0},
};

static const VigilSchemaKey entry_keys[] = {
    {.name = "name", .type = VIGIL_SCHEMA_STRING, .is_required = TRUE},
    {.name = "pipeline", .type = VIGIL_SCHEMA_STRING, .allow_empty = TRUE},
    {.name = "tags", .type = VIGIL_SCHEMA_OBJECT},
    {.name = "mqtt_publisher",
        .type = VIGIL_SCHEMA_OBJECT_OR_ARRAY,
        .keys = publisher_keys},
    {.name = "payload", .type = VIGIL_SCHEMA_ANY},
    {.name = "source", .ignored = "no effect"},
    {0},
};

static void
check_text (const char *text)
{
  g_assert_true (g_utf8_validate (text, -1, NULL));
  for (; *text != '\0'; text++)
    g_assert_false (g_ascii_iscntrl (*text));
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (VigilProblems) problems = vigil_problems_new ();
  g_autoptr (GError) error = NULL;
  g_autoptr (VigilConfig) config = vigil_config_parse (
      size > 0 ? (const char *)data : "", size, "f", problems, &error);
  g_assert_true ((config == NULL) == (error != NULL));
  if (error != NULL)
    check_text (error->message);
  if (config == NULL)
    return 0;
  for (unsigned i = 0; i < vigil_config_get_pipeline_count (config); i++) {
    const VigilJson *entry = vigil_config_get_pipeline (config, i);
    g_autofree char *path = vigil_config_dup_pipeline_path (config, i);
    if (entry != NULL)
      vigil_schema_check (entry_keys, entry, path, problems);
  }
  for (unsigned i = 0; i < vigil_problems_get_size (problems); i++) {
    check_text (vigil_problems_get (problems, i)->path);
    check_text (vigil_problems_get (problems, i)->text);
  }
  return 0;
}
