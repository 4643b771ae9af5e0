/* SPDX-License-Identifier: Apache-2.0 */

/* vigil list: the pipelines of a running server. */

#include "app/commands.h"

#include "app/rest-client.h"
#include "app/text-table.h"
#include <stdio.h>
#include <sysexits.h>

/* The names of the parameters, as one reads them. */
static char *
format_parameters (const VigilJson *pipeline)
{
  const VigilJson *properties = vigil_json_object_get (
      vigil_json_object_get (pipeline, "parameters"), "properties");
  GString *text = g_string_new (NULL);
  VigilJsonIter iter = {0};
  const char *key;
  const VigilJson *value;

  while (vigil_json_object_next (properties, &iter, &key, &value))
    g_string_append_printf (text, "%s%s", text->len > 0 ? ", " : "", key);
  if (text->len == 0)
    g_string_append_c (text, '-');
  return g_string_free (text, FALSE);
}

static void
print_table (const VigilJson *pipelines)
{
  static const char *const heads[] = {"PIPELINE", "PARAMETERS", NULL};
  g_autoptr (VigilTextTable) table = vigil_text_table_new (heads);
  g_autofree char *text = NULL;

  for (size_t i = 0; i < vigil_json_array_size (pipelines); i++) {
    const VigilJson *pipeline = vigil_json_array_get (pipelines, i);
    const char *name =
        vigil_json_get_string (vigil_json_object_get (pipeline, "version"));
    char **cells = g_new0 (char *, 3);

    cells[0] = g_strdup (name == NULL ? "?" : name);
    cells[1] = format_parameters (pipeline);
    vigil_text_table_take_row (table, cells);
  }
  text = vigil_text_table_to_text (table);
  fputs (text, stdout);
}

int
vigil_cmd_list (int argc, char **argv)
{
  g_auto (VigilRestClientOptions) options = {0};
  g_autoptr (VigilJson) pipelines = NULL;
  g_autoptr (GError) error = NULL;

  if (!vigil_rest_client_parse_options (&options, &argc, &argv, NULL,
          "Lists the pipelines that a running server can start.", NULL, 0))
    return EX_USAGE;
  pipelines =
      vigil_rest_client_ask (&options, "GET", "/pipelines", NULL, &error);
  if (pipelines == NULL)
    return vigil_rest_client_fail (error);
  if (options.as_json)
    vigil_rest_client_print_json (pipelines);
  else
    print_table (pipelines);
  return EX_OK;
}
