/* SPDX-License-Identifier: Apache-2.0 */

/* vigil status: the instances of a running server. */

#include "app/commands.h"

#include "app/instance-table.h"
#include "app/rest-client.h"
#include <sysexits.h>

static char *
make_path (const char *instance)
{
  g_autofree char *escaped = NULL;

  if (instance == NULL)
    return g_strdup ("/pipelines/status");
  escaped = g_uri_escape_string (instance, NULL, FALSE);
  return g_strconcat ("/pipelines/", escaped, "/status", NULL);
}

int
vigil_cmd_status (int argc, char **argv)
{
  g_auto (VigilRestClientOptions) options = {0};
  g_autoptr (VigilJson) answer = NULL;
  g_autoptr (VigilJson) list = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *path = NULL;

  if (!vigil_rest_client_parse_options (&options, &argc, &argv, "[INSTANCE]",
          "Tells how the instances of a running server do, or one of them.",
          NULL, 1))
    return EX_USAGE;
  path = make_path (argc > 1 ? argv[1] : NULL);
  answer = vigil_rest_client_ask (&options, "GET", path, NULL, &error);
  if (answer == NULL)
    return vigil_rest_client_fail (error);
  if (options.as_json) {
    vigil_rest_client_print_json (answer);
    return EX_OK;
  }
  if (argc > 1) {
    list = vigil_json_new_array ();
    vigil_json_array_take (list, vigil_json_ref (answer));
  }
  vigil_instance_table_print (list != NULL ? list : answer);
  return EX_OK;
}
