/* SPDX-License-Identifier: Apache-2.0 */

/* vigil check-config: all that is wrong with a configuration. */

#include "app/commands.h"

#include "app/startup.h"
#include "gst/plugin.h"
#include "rest/rest-settings.h"
#include "server/entry.h"
#include "server/settings.h"
#include <stdio.h>
#include <sysexits.h>

static void
print_problems (const VigilProblems *problems)
{
  for (unsigned index = 0; index < vigil_problems_get_size (problems);
       index++) {
    const VigilProblem *problem = vigil_problems_get (problems, index);

    printf ("%s: %s: %s\n",
        problem->severity == VIGIL_PROBLEM_ERROR ? "error" : "warning",
        problem->path, problem->text);
  }
  if (vigil_problems_count_errors (problems) +
          vigil_problems_count_warnings (problems) >
      vigil_problems_get_size (problems))
    printf ("... and more, which are only counted\n");
}

static const char *
plural (unsigned count)
{
  return count == 1 ? "" : "s";
}

static int
check (const char *path, const VigilEnvironment *environment)
{
  g_autoptr (VigilProblems) problems = vigil_problems_new ();
  g_autoptr (GError) error = NULL;
  g_autoptr (VigilConfig) config =
      vigil_startup_read_config (path, problems, &error);
  g_autoptr (VigilRestSettings) rest_settings = NULL;
  g_autoptr (VigilRtspSettings) rtsp_settings = NULL;
  VigilSettings settings;
  unsigned pipelines;
  unsigned errors;
  unsigned warnings;

  if (config == NULL) {
    print_problems (problems);
    printf ("error: %s\n", error->message);
    return EX_CONFIG;
  }
  vigil_settings_init (&settings, environment, problems);
  rest_settings = vigil_rest_settings_new (config, environment, problems);
  rtsp_settings = vigil_rtsp_settings_new (config, environment, problems);
  vigil_plugin_register ();
  vigil_entry_check_all (config, environment, problems);
  print_problems (problems);
  errors = vigil_problems_count_errors (problems);
  warnings = vigil_problems_count_warnings (problems);
  pipelines = vigil_config_get_pipeline_count (config);
  printf ("%s: %u pipeline%s, %u error%s, %u warning%s\n",
      vigil_config_get_path (config), pipelines, plural (pipelines), errors,
      plural (errors), warnings, plural (warnings));
  return errors == 0 ? EX_OK : EX_CONFIG;
}

int
vigil_cmd_check_config (int argc, char **argv)
{
  g_autofree char *env_file = NULL;
  const GOptionEntry entries[] = {
      {"env-file", 'e', 0, G_OPTION_ARG_FILENAME, &env_file,
          "Variables, one NAME=VALUE a line (default: ./.env, then "
          "docker/.env)",
          "FILE"},
      G_OPTION_ENTRY_NULL,
  };
  g_autoptr (VigilEnvironment) environment = NULL;

  if (!vigil_startup_parse_options (&argc, &argv, "[FILE]",
          "Says all that is wrong with FILE (default: ./config.json, then "
          "configs/default/config.json), and starts nothing.\nEnds with 0 "
          "when it can be served, else with 78.",
          entries, 1))
    return EX_USAGE;
  environment = vigil_startup_read_environment (env_file);
  if (environment == NULL)
    return EX_CONFIG;
  return check (argc > 1 ? argv[1] : NULL, environment);
}
