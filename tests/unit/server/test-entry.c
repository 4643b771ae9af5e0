/* SPDX-License-Identifier: Apache-2.0 */
/* What is wrong with a pipeline entry, each with its path. */
#include "common/test-server.h"

#include "server/entry.h"
#include <string.h>

#define GOOD                                                                   \
  "\"name\":\"a\",\"source\":\"gstreamer\",\"pipeline\":\"" TEST_SERVER_SHORT  \
  "\""

typedef struct {
  const char *entries;
  VigilProblemSeverity severity;
  const char *path; /* of the one problem; NULL: there is none */
  const char *text; /* part of it */
} Case;

static const Case cases[] = {
    {"{" GOOD "}", 0, NULL, NULL},
    {"{" GOOD ",\"auto_start\":true,\"payload\":{}}", 0, NULL, NULL},
    {"{" GOOD ",\"auto_start\":true}", 0, NULL, NULL},
    {"5", VIGIL_PROBLEM_ERROR, "config.pipelines[0]", "want an object"},
    {"{" GOOD ",\"auto_start\":\"yes\"}", VIGIL_PROBLEM_ERROR,
        "config.pipelines[0].auto_start", "true or false"},
    {"{" GOOD ",\"autostart\":true}", VIGIL_PROBLEM_WARNING,
        "config.pipelines[0].autostart", "auto_start"},
    {"{" GOOD ",\"opcua_publisher\":{}}", VIGIL_PROBLEM_WARNING,
        "config.pipelines[0].opcua_publisher", "no such destination"},
    {"{" GOOD ",\"S3_write\":{}}", VIGIL_PROBLEM_WARNING,
        "config.pipelines[0].S3_write", "no such destination"},
    {"{" GOOD ",\"udfs\":{}}", VIGIL_PROBLEM_WARNING,
        "config.pipelines[0].udfs", "user-defined functions"},
    {"{" GOOD ",\"payload\":{}}", 0, NULL, NULL},
    {"{" GOOD ",\"payload\":{\"source\":{\"type\":\"uri\",\"uri\":\"/x\"}}}",
        VIGIL_PROBLEM_ERROR, "config.pipelines[0].payload", "want a URI"},
    {"{\"name\":\"a\",\"auto_start\":true,"
     "\"pipeline\":\"{auto_source} ! appsink name=destination\"}",
        VIGIL_PROBLEM_ERROR, "config.pipelines[0].payload", "want a source"},
    {"{" GOOD ",\"auto_start\":true,\"payload\":7}", VIGIL_PROBLEM_ERROR,
        "config.pipelines[0].payload", "an object"},
    {"{" GOOD ",\"auto_start\":true,\"payload\":{\"destination\":{}}}",
        VIGIL_PROBLEM_ERROR, "config.pipelines[0].payload.destination",
        "metadata"},
    {"{" GOOD ",\"auto_start\":true,\"payload\":{\"sorce\":{}}}",
        VIGIL_PROBLEM_WARNING, "config.pipelines[0].payload.sorce", "source"},
    {"{\"name\":\"a/b\",\"pipeline\":\"" TEST_SERVER_SHORT "\"}",
        VIGIL_PROBLEM_ERROR, "config.pipelines[0].name", "without '/'"},
    {"{\"pipeline\":\"" TEST_SERVER_SHORT "\"}", VIGIL_PROBLEM_ERROR,
        "config.pipelines[0].name", "missing"},
    {"{" GOOD "},{" GOOD "}", VIGIL_PROBLEM_ERROR, "config.pipelines[1].name",
        "name of config.pipelines[0]"},
    {"{\"name\":\"a\",\"pipeline\":\"videotestsrc ! nosuch\"}",
        VIGIL_PROBLEM_ERROR, "config.pipelines[0].pipeline", "nosuch"},
    {"{" GOOD ",\"queue_maxsize\":\"8\"}", VIGIL_PROBLEM_ERROR,
        "config.pipelines[0].queue_maxsize", "an integer"},
};

static void
test_case (gconstpointer data)
{
  const Case *test = data;
  TestServer server;

  test_server_init (&server, test->entries, NULL);
  g_assert_cmpuint (vigil_problems_get_size (server.problems), ==,
      test->path == NULL ? 0 : 1);
  if (test->path != NULL) {
    const VigilProblem *problem = vigil_problems_get (server.problems, 0);

    g_assert_cmpstr (problem->path, ==, test->path);
    g_assert_cmpint (problem->severity, ==, test->severity);
    if (strstr (problem->text, test->text) == NULL)
      g_error ("'%s' is not in '%s'", test->text, problem->text);
  }
  test_server_clear (&server);
}

/* The table of the reference has every module's keys, each once. */
static void
test_keys (VigilFixture *fixture, gconstpointer data)
{
  static const char *const wanted[] = {"name", "pipeline", "parameters",
      "queue_maxsize", "mqtt_publisher", "auto_start", "payload"};
  const VigilSchemaKey *keys = vigil_entry_list_keys ();
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);

  for (; keys->name != NULL; keys++)
    g_assert_true (g_hash_table_add (seen, (gpointer)keys->name));
  for (size_t i = 0; i < G_N_ELEMENTS (wanted); i++)
    g_assert_true (g_hash_table_contains (seen, wanted[i]));
}

int
main (int argc, char **argv)
{
  vigil_fixture_init (&argc, &argv, 0);
  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *path = g_strdup_printf ("/entry/problem/%zu", i);

    g_test_add_data_func (path, &cases[i], test_case);
  }
  g_test_add ("/entry/keys", VigilFixture, NULL, vigil_fixture_set_up,
      test_keys, vigil_fixture_tear_down);
  return g_test_run ();
}
