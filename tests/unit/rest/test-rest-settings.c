/* SPDX-License-Identifier: Apache-2.0 */
/* Settings of REST: where it listens, and what is refused. */
#include "common/fixture.h"

#include "rest/rest-settings.h"
#include <string.h>

typedef struct {
  const char *rest;      /* members of config.rest */
  const char *variables; /* lines of the environment file */
  const char *address;   /* NULL: there is an error, with this path: */
  const char *path;
} Case;

static const Case cases[] = {
    {"", "", "127.0.0.1", NULL},
    {"\"address\":\"::1\"", "", "::1", NULL},
    {"\"address\":\"127.1.2.3\"", "", "127.1.2.3", NULL},
    {"\"address\":\"0.0.0.0\"", "", NULL, "config.rest.address"},
    {"\"address\":\"::\"", "", NULL, "config.rest.address"},
    {"\"address\":\"localhost\"", "", NULL, "config.rest.address"},
    {"\"address\":5", "", NULL, "config.rest.address"},
    {"\"allow_unauthenticated_remote\":true", "", "0.0.0.0", NULL},
    {"\"tokens_file\":\"/dev/fd/none\"", "", NULL, "config.rest.tokens_file"},
    {"\"tokens_file\":\"@\"", "", "0.0.0.0", NULL},
    {"\"tokens_file\":\"@\",\"address\":\"127.0.0.1\"", "", "127.0.0.1", NULL},
    {"\"host_names\":[1]", "", NULL, "config.rest.host_names[0]"},
    {"\"max_instances\":0", "", NULL, "config.rest.max_instances"},
    {"", "REST_SERVER_PORT=none", NULL, "REST_SERVER_PORT"},
    {"", "HTTPS=perhaps", NULL, "HTTPS"},
    {"", "HTTPS=true", NULL, "config.rest.certificate_file"},
    {"", "MTLS_VERIFICATION=true", NULL, "MTLS_VERIFICATION"},
    {"\"certificate_file\":\"@\",\"key_file\":\"@\"", "HTTPS=true", "127.0.0.1",
        NULL},
    {"\"certificate_file\":\"@\",\"key_file\":\"@\",\"client_ca_file\":\"@\"",
        "HTTPS=true\nMTLS_VERIFICATION=true", "0.0.0.0", NULL},
};

static gboolean
has_error (const VigilProblems *problems, const char *path)
{
  for (unsigned i = 0; i < vigil_problems_get_size (problems); i++) {
    const VigilProblem *problem = vigil_problems_get (problems, i);

    if (problem->severity == VIGIL_PROBLEM_ERROR &&
        strcmp (problem->path, path) == 0)
      return TRUE;
  }
  return FALSE;
}

/* Relative names start at the configuration's folder, wherever that is. */
static void
test_relative (VigilFixture *fixture, gconstpointer data)
{
  static const char text[] =
      "{\"config\":{\"pipelines\":[],\"rest\":{\"tokens_file\":\"tokens\","
      "\"folders\":[\"videos\",\"/srv\"]}}}";
  g_autofree char *file = vigil_fixture_write (fixture, "tokens", "x");
  g_autofree char *videos = g_build_filename (fixture->folder, "videos", NULL);
  g_autofree char *path = vigil_fixture_write (fixture, "config.json", text);
  g_autoptr (VigilProblems) problems = vigil_problems_new ();
  g_autoptr (VigilConfig) config = vigil_config_load (path, problems, NULL);
  g_autoptr (VigilEnvironment) environment =
      vigil_environment_parse ("", 0, ".env", NULL);
  g_autoptr (VigilRestSettings) settings =
      vigil_rest_settings_new (config, environment, problems);

  g_assert_cmpuint (vigil_problems_count_errors (problems), ==, 0);
  g_assert_cmpstr (settings->tokens_file, ==, file);
  g_assert_cmpstr (settings->folders[0], ==, videos);
  g_assert_cmpstr (settings->folders[1], ==, "/srv");
}

/* "@" stands for a file that exists. */
static void
run_case (VigilFixture *fixture, const Case *test)
{
  g_autofree char *file = vigil_fixture_write (fixture, "file", "x");
  g_auto (GStrv) parts = g_strsplit (test->rest, "@", -1);
  g_autofree char *members = g_strjoinv (file, parts);
  g_autofree char *text = g_strdup_printf (
      "{\"config\":{\"pipelines\":[],\"rest\":{%s}}}", members);
  g_autoptr (VigilProblems) ignored = vigil_problems_new ();
  g_autoptr (VigilProblems) problems = vigil_problems_new ();
  g_autoptr (VigilConfig) config =
      vigil_config_parse (text, strlen (text), "config.json", ignored, NULL);
  g_autoptr (VigilEnvironment) environment = vigil_environment_parse (
      test->variables, strlen (test->variables), ".env", NULL);
  g_autoptr (VigilRestSettings) settings =
      vigil_rest_settings_new (config, environment, problems);

  if (test->address == NULL) {
    g_assert_true (has_error (problems, test->path));
    return;
  }
  g_assert_cmpuint (vigil_problems_count_errors (problems), ==, 0);
  g_assert_cmpstr (settings->address, ==, test->address);
}

static void
test_cases (VigilFixture *fixture, gconstpointer data)
{
  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_test_message ("case %zu", i);
    run_case (fixture, &cases[i]);
  }
}

int
main (int argc, char **argv)
{
  vigil_fixture_init (&argc, &argv, 0);
  g_test_add ("/rest-settings/cases", VigilFixture, NULL, vigil_fixture_set_up,
      test_cases, vigil_fixture_tear_down);
  g_test_add ("/rest-settings/relative", VigilFixture, NULL,
      vigil_fixture_set_up, test_relative, vigil_fixture_tear_down);
  return g_test_run ();
}
