/* SPDX-License-Identifier: Apache-2.0 */

/* Settings of the server that come from the environment. */

#include "server/settings.h"

#define KEEP_FINISHED 100
#define EOS_MS 1000
#define FLUSH_MS 2000
/* Above the sum of the parts: GStreamer may need its time for NULL. */
#define STOP_MS 10000

int64_t
vigil_settings_get_integer (const VigilEnvironment *environment,
    const char *name, int64_t minimum, int64_t maximum, int64_t fallback,
    VigilProblems *problems)
{
  g_autoptr (GError) error = NULL;
  int64_t value = fallback;

  if (!vigil_environment_get_integer (
          environment, name, minimum, maximum, &value, &error))
    vigil_problems_add (
        problems, VIGIL_PROBLEM_ERROR, name, "%s", error->message);
  return value;
}

gboolean
vigil_settings_get_boolean (const VigilEnvironment *environment,
    const char *name, gboolean fallback, VigilProblems *problems)
{
  static const char *const yes[] = {"y", "yes", "t", "true", "on", "1"};
  static const char *const no[] = {"n", "no", "f", "false", "off", "0"};
  const char *text = vigil_environment_get (environment, name);

  if (text == NULL)
    return fallback;
  for (size_t index = 0; index < G_N_ELEMENTS (yes); index++) {
    if (g_ascii_strcasecmp (text, yes[index]) == 0)
      return TRUE;
    if (g_ascii_strcasecmp (text, no[index]) == 0)
      return FALSE;
  }
  vigil_problems_add (
      problems, VIGIL_PROBLEM_ERROR, name, "'%.40s': want true or false", text);
  return fallback;
}

void
vigil_settings_init (VigilSettings *self, const VigilEnvironment *environment,
    VigilProblems *problems)
{
  *self = (VigilSettings){
      .max_running = (int)vigil_settings_get_integer (
          environment, "MAX_RUNNING_PIPELINES", -1, 10000, -1, problems),
      .keep_finished = KEEP_FINISHED,
      .eos_ms = EOS_MS,
      .flush_ms = FLUSH_MS,
      .stop_ms = STOP_MS,
  };
}
