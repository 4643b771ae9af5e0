/* SPDX-License-Identifier: Apache-2.0 */
/* Variables of the server. */
#include "common/fixture.h"
#include "server/settings.h"

#include <string.h>

static VigilEnvironment *
parse (const char *text)
{
  g_autoptr (GError) error = NULL;
  VigilEnvironment *environment =
      vigil_environment_parse (text, strlen (text), ".env", &error);

  g_assert_no_error (error);
  return environment;
}

static void
test_defaults (VigilFixture *fixture, gconstpointer data)
{
  g_autoptr (VigilEnvironment) environment = parse ("");
  g_autoptr (VigilProblems) problems = vigil_problems_new ();
  VigilSettings settings;

  vigil_settings_init (&settings, environment, problems);
  g_assert_cmpint (settings.max_running, ==, -1);
  g_assert_cmpint (settings.flush_ms, ==, 2000);
  g_assert_cmpuint (vigil_problems_get_size (problems), ==, 0);
}

static const struct {
  const char *text;
  int max_running;
  unsigned problems;
} limits[] = {
    {"MAX_RUNNING_PIPELINES=3\n", 3, 0},
    {"MAX_RUNNING_PIPELINES=0\n", 0, 0},
    {"MAX_RUNNING_PIPELINES=-1\n", -1, 0},
    {"MAX_RUNNING_PIPELINES=\n", -1, 0},
    {"MAX_RUNNING_PIPELINES=many\n", -1, 1},
    {"MAX_RUNNING_PIPELINES=99999999999999999999\n", -1, 1},
};

static void
test_limits (VigilFixture *fixture, gconstpointer data)
{
  for (size_t i = 0; i < G_N_ELEMENTS (limits); i++) {
    g_autoptr (VigilEnvironment) environment = parse (limits[i].text);
    g_autoptr (VigilProblems) problems = vigil_problems_new ();
    VigilSettings settings;

    vigil_settings_init (&settings, environment, problems);
    g_assert_cmpint (settings.max_running, ==, limits[i].max_running);
    g_assert_cmpuint (
        vigil_problems_count_errors (problems), ==, limits[i].problems);
  }
}

static const struct {
  const char *text;
  gboolean value;
  unsigned problems;
} booleans[] = {
    {"", TRUE, 0},
    {"X=y\n", TRUE, 0},
    {"X=On\n", TRUE, 0},
    {"X=1\n", TRUE, 0},
    {"X=FALSE\n", FALSE, 0},
    {"X=off\n", FALSE, 0},
    {"X=n\n", FALSE, 0},
    {"X=maybe\n", TRUE, 1},
};

static void
test_booleans (VigilFixture *fixture, gconstpointer data)
{
  for (size_t i = 0; i < G_N_ELEMENTS (booleans); i++) {
    g_autoptr (VigilEnvironment) environment = parse (booleans[i].text);
    g_autoptr (VigilProblems) problems = vigil_problems_new ();

    g_assert_cmpint (
        vigil_settings_get_boolean (environment, "X", TRUE, problems), ==,
        booleans[i].value);
    g_assert_cmpuint (
        vigil_problems_count_errors (problems), ==, booleans[i].problems);
  }
}

int
main (int argc, char **argv)
{
  vigil_fixture_init (&argc, &argv, 0);
#define ADD(path, function)                                                    \
  g_test_add (path, VigilFixture, NULL, vigil_fixture_set_up, function,        \
      vigil_fixture_tear_down)
  ADD ("/settings/defaults", test_defaults);
  ADD ("/settings/limits", test_limits);
  ADD ("/settings/booleans", test_booleans);
  return g_test_run ();
}
