/* SPDX-License-Identifier: Apache-2.0 */

/* vigil stop: ends instances of a running server. */

#include "app/commands.h"

#include "app/instance-table.h"
#include "app/rest-client.h"
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#define INSTANCES_MAX 1000

static gboolean
stop_one (const VigilRestClientOptions *options, const char *instance,
    VigilJson *stopped, GError **error)
{
  g_autofree char *escaped = g_uri_escape_string (instance, NULL, FALSE);
  g_autofree char *path = g_strconcat ("/pipelines/", escaped, NULL);
  VigilJson *answer =
      vigil_rest_client_ask (options, "DELETE", path, NULL, error);

  if (answer == NULL) {
    g_prefix_error (error, "%s: ", instance);
    return FALSE;
  }
  vigil_json_array_take (stopped, answer);
  return TRUE;
}

/* Those that run or wait; the ended ones stay in the server's list. */
static gboolean
stop_all (
    const VigilRestClientOptions *options, VigilJson *stopped, GError **error)
{
  g_autoptr (VigilJson) statuses =
      vigil_rest_client_ask (options, "GET", "/pipelines/status", NULL, error);

  if (statuses == NULL)
    return FALSE;
  for (size_t i = 0; i < vigil_json_array_size (statuses); i++) {
    const VigilJson *status = vigil_json_array_get (statuses, i);
    const char *state =
        vigil_json_get_string (vigil_json_object_get (status, "state"));
    const char *id =
        vigil_json_get_string (vigil_json_object_get (status, "id"));

    if (id == NULL || state == NULL ||
        (strcmp (state, "QUEUED") != 0 && strcmp (state, "RUNNING") != 0))
      continue;
    if (!stop_one (options, id, stopped, error))
      return FALSE;
  }
  return TRUE;
}

int
vigil_cmd_stop (int argc, char **argv)
{
  g_auto (VigilRestClientOptions) options = {0};
  gboolean all = FALSE;
  const GOptionEntry entries[] = {
      {"all", 'a', 0, G_OPTION_ARG_NONE, &all, "Stop all that run or wait",
          NULL},
      G_OPTION_ENTRY_NULL,
  };
  g_autoptr (VigilJson) stopped = vigil_json_new_array ();
  g_autoptr (GError) error = NULL;

  if (!vigil_rest_client_parse_options (&options, &argc, &argv,
          "INSTANCE... | --all",
          "Stops instances of a running server and waits for their end.",
          entries, INSTANCES_MAX))
    return EX_USAGE;
  if (all == (argc > 1)) {
    fprintf (
        stderr, "%s: want the ids of instances, or --all\n", g_get_prgname ());
    return EX_USAGE;
  }
  if (all)
    stop_all (&options, stopped, &error);
  for (int i = 1; i < argc && error == NULL; i++)
    stop_one (&options, argv[i], stopped, &error);
  if (options.as_json)
    vigil_rest_client_print_json (stopped);
  else if (vigil_json_array_size (stopped) > 0)
    vigil_instance_table_print (stopped);
  return error == NULL ? EX_OK : vigil_rest_client_fail (error);
}
