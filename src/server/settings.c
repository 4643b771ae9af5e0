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
  g_autoptr (GError) error = NULL;
  gboolean value = fallback;

  if (!vigil_environment_get_boolean (environment, name, &value, &error))
    vigil_problems_add (
        problems, VIGIL_PROBLEM_ERROR, name, "%s", error->message);
  return value;
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
