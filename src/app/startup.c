/* SPDX-License-Identifier: Apache-2.0 */

/* Options, configuration and environment files of the commands. */

#include "app/startup.h"

#include "base/error.h"
#include <stdio.h>

static const char *const env_files[] = {".env", "docker/.env", NULL};
static const char *const config_files[] = {
    "config.json", "configs/default/config.json", NULL};

/* The first that exists. Returns: (nullable). */
static const char *
find_file (const char *const *files)
{
  for (; *files != NULL; files++)
    if (g_file_test (*files, G_FILE_TEST_EXISTS))
      return *files;
  return NULL;
}

VigilEnvironment *
vigil_startup_read_environment (const char *env_file)
{
  g_autoptr (GError) error = NULL;
  VigilEnvironment *environment = vigil_environment_new (
      env_file != NULL ? env_file : find_file (env_files), &error);

  if (environment == NULL)
    fprintf (stderr, "%s: %s\n", g_get_prgname (), error->message);
  return environment;
}

VigilConfig *
vigil_startup_read_config (
    const char *path, VigilProblems *problems, GError **error)
{
  if (path == NULL)
    path = find_file (config_files);
  if (path == NULL) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_NOT_FOUND,
        "no configuration: want ./%s or %s here, or --config FILE",
        config_files[0], config_files[1]);
    return NULL;
  }
  return vigil_config_load (path, problems, error);
}

gboolean
vigil_startup_parse_options (int *argc, char ***argv, const char *parameters,
    const char *summary, const GOptionEntry *entries, int max_arguments)
{
  g_autoptr (GOptionContext) context = g_option_context_new (parameters);
  g_autoptr (GError) error = NULL;

  g_option_context_set_summary (context, summary);
  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, argc, argv, &error)) {
    fprintf (stderr, "%s: %s; --help lists the options\n", g_get_prgname (),
        error->message);
    return FALSE;
  }
  if (*argc - 1 > max_arguments) {
    fprintf (stderr, "%s: '%s' is one argument too many; see --help\n",
        g_get_prgname (), (*argv)[max_arguments + 1]);
    return FALSE;
  }
  return TRUE;
}
