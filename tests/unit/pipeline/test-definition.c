/* SPDX-License-Identifier: Apache-2.0 */
/* Pipeline entries of a configuration: all that is wrong is said, with its
 * path, and nothing is started. */
#include "common/fixture.h"
#include "pipeline/definition.h"

#include "base/error.h"
#include <string.h>

typedef struct {
  const char *entry;
  const char *path; /* of the problem; NULL: there is none */
  const char *text; /* a part of it */
  gboolean is_warning;
} Case;

#define SINK " ! appsink name=destination"

static const Case cases[] = {
    {"{\"name\":\"a\",\"pipeline\":\"videotestsrc" SINK "\"}", NULL, NULL, 0},
    {"{\"name\":\"a\",\"pipeline\":\"{auto_source} name=source ! decodebin ! "
     "videoconvert ! appsink sync=false name=destination\",\"source\":"
     "\"gstreamer\"}",
        NULL, NULL, 0},
    {"{\"name\":\"a\",\"pipeline\":\"videotestsrc ! ( queue" SINK " )\"}", NULL,
        NULL, 0},
    {"{\"name\":\"a\",\"pipeline\":\"videotestsrc pattern={parameters[p]}" SINK
     "\",\"parameters\":{\"properties\":{\"p\":{\"type\":\"string\"}}}}",
        NULL, NULL, 0},
    {"{\"pipeline\":\"videotestsrc" SINK "\"}", "p.name", "", 0},
    {"{\"name\":\"a\"}", "p.pipeline", "", 0},
    {"{\"name\":\"a\",\"pipeline\":7}", "p.pipeline", "want", 0},
    {"{\"name\":\"a\",\"pipeline\":\"\"}", "p.pipeline", "not empty", 0},
    {"{\"name\":\"a\",\"pipeline\":\"videotestsrc" SINK
     "\",\"source\":\"ingestor\"}",
        "p.source", "gstreamer", 0},
    {"{\"name\":\"a\",\"pipeline\":\"videotestsrc ! fakesink\"}", "p.pipeline",
        "no appsink named destination", TRUE},
    {"{\"name\":\"a\",\"pipeline\":\"videotestsrc ! fakesink "
     "name=destination\"}",
        "p.pipeline", "no appsink named destination", TRUE},
    {"{\"name\":\"a\",\"pipeline\":\"videotestsrc ! appsink name=other\"}",
        "p.pipeline", "no appsink named destination", TRUE},
    {"{\"name\":\"a\",\"pipeline\":\"videotestsrc ! gvadetect" SINK "\"}",
        "p.pipeline", "'gvadetect': it is one of DL Streamer's", 0},
    {"{\"name\":\"a\",\"pipeline\":\"videotestsrc ! vigilnothing" SINK "\"}",
        "p.pipeline", "no element 'vigilnothing'", 0},
    {"{\"name\":\"a\",\"pipeline\":\"videotestsrc ! vigilnothing "
     "p={parameters[missing]}" SINK "\"}",
        "p.pipeline", "no element 'vigilnothing'", 0},
    {"{\"name\":\"a\",\"pipeline\":\"videotestsrc ! !" SINK "\"}", "p.pipeline",
        "gst-launch-1.0", 0},
    {"{\"name\":\"a\",\"pipeline\":\"videotestsrc nix=1" SINK "\"}",
        "p.pipeline", "no property \"nix\"", 0},
    {"{\"name\":\"a\",\"pipeline\":\"videotestsrc ! jpegdec" SINK "\"}",
        "p.pipeline", "could not link", 0},
    {"{\"name\":\"a\",\"pipeline\":\"videotestsrc pattern=rain" SINK "\"}",
        "p.pipeline", "could not set property", 0},
    {"{\"name\":\"a\",\"pipeline\":\"{oops} !" SINK "\"}", "p.pipeline",
        "'{oops}': want auto_source", 0},
    {"{\"name\":\"a\",\"pipeline\":\"videotestsrc "
     "num-buffers={env[NO_SUCH]}" SINK "\"}",
        "p.pipeline", "environment has no such variable", 0},
    {"{\"name\":\"a\",\"pipeline\":\"videotestsrc" SINK
     "\",\"bus_messages\":[\"a\",7]}",
        "p.bus_messages[1]", "want the name of a message", 0},
    {"{\"name\":\"a\",\"pipeline\":\"videotestsrc" SINK "\",\"parameters\":[]}",
        "p.parameters", "want an object", 0},
    {"{\"name\":\"a\",\"pipeline\":\"videotestsrc" SINK "\",\"parameters\":{"
     "\"properties\":{\"n\":{\"type\":\"integer\",\"default\":\"x\"}}}}",
        "p.parameters.properties.n", "default: want type integer, got a string",
        0},
    {"{\"name\":\"a\",\"pipeline\":\"videotestsrc" SINK "\",\"parameters\":{"
     "\"properties\":{\"n\":{\"minimum\":10,\"default\":50.5,"
     "\"maximum\":20}}}}",
        "p.parameters.properties.n", "default 50.5: want at most 20", 0},
    {"{\"name\":\"a\",\"pipeline\":\"videotestsrc" SINK "\",\"parameters\":{"
     "\"properties\":{\"a b\":{\"items\":{\"enum\":[1]},\"default\":[2]}}}}",
        "p.parameters.properties[\"a b\"]", "default[0] 2: want one of [1]", 0},
    {"{\"name\":\"a\",\"pipeline\":\"videotestsrc" SINK "\",\"parameters\":{"
     "\"properties\":[]}}",
        "p.parameters.properties", "want an object of parameter names", 0},
};

static VigilJson *
parse (const char *text)
{
  g_autoptr (GError) error = NULL;
  VigilJson *json = vigil_json_parse (text, -1, 65536, 64, &error);
  g_assert_no_error (error);
  return json;
}

static void
test_check (VigilFixture *fixture, gconstpointer data)
{
  const Case *item = data;
  g_autoptr (VigilJson) entry = parse (item->entry);
  g_autoptr (VigilProblems) problems = vigil_problems_new ();
  vigil_definition_check (entry, "p", NULL, problems);
  g_autoptr (GError) error = NULL;
  g_autoptr (VigilDefinition) definition =
      vigil_definition_new (entry, NULL, &error);
  if (item->path == NULL) {
    for (unsigned i = 0; i < vigil_problems_get_size (problems); i++)
      g_error ("%s", vigil_problems_get (problems, i)->text);
    g_assert_no_error (error);
    g_assert_nonnull (definition);
    return;
  }
  for (unsigned i = 0; i < vigil_problems_get_size (problems); i++)
    g_test_message ("%s: %s", vigil_problems_get (problems, i)->path,
        vigil_problems_get (problems, i)->text);
  g_assert_cmpuint (vigil_problems_get_size (problems), ==, 1);
  const VigilProblem *problem = vigil_problems_get (problems, 0);
  g_assert_cmpstr (problem->path, ==, item->path);
  if (strstr (problem->text, item->text) == NULL)
    g_error ("'%s' is not in '%s'", item->text, problem->text);
  g_assert_cmpint (problem->severity, ==,
      item->is_warning ? VIGIL_PROBLEM_WARNING : VIGIL_PROBLEM_ERROR);
  g_assert_cmpint (definition != NULL, ==, item->is_warning);
  g_assert_cmpint (error == NULL, ==, item->is_warning);
}

/* Each missing element is named once, all in one go. */
static void
test_all_missing (VigilFixture *fixture, gconstpointer data)
{
  g_autoptr (VigilJson) entry = parse (
      "{\"name\":\"a\",\"pipeline\":\"gvadetect ! gvatrack ! gvadetect\"}");
  g_autoptr (VigilProblems) problems = vigil_problems_new ();
  vigil_definition_check (entry, "p", NULL, problems);
  g_assert_cmpuint (vigil_problems_count_errors (problems), ==, 2);
}

static void
test_getters (VigilFixture *fixture, gconstpointer data)
{
  g_setenv ("VIGIL_TEST_DEVICE", "GPU", TRUE);
  g_autoptr (GError) error = NULL;
  g_autoptr (VigilEnvironment) environment =
      vigil_environment_new (NULL, &error);
  g_autoptr (VigilJson) entry = parse (
      "{\"name\":\"a\",\"pipeline\":\"videotestsrc" SINK "\",\"parameters\":{"
      "\"properties\":{\"d\":{\"type\":\"string\",\"default\":"
      "\"{env[VIGIL_TEST_DEVICE]}\"}}}}");
  g_autoptr (VigilDefinition) definition =
      vigil_definition_new (entry, environment, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (vigil_definition_get_name (definition), ==, "a");
  g_assert_cmpstr (vigil_definition_get_launch_text (definition), ==,
      "videotestsrc ! appsink name=destination");
  g_autofree char *parameters =
      vigil_json_to_text (vigil_definition_get_parameters (definition));
  g_assert_cmpstr (parameters, ==,
      "{\"properties\":{\"d\":{\"type\":\"string\",\"default\":\"GPU\"}}}");
}

int
main (int argc, char **argv)
{
  vigil_fixture_init (&argc, &argv, 0);
  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *path = g_strdup_printf ("/definition/check/%zu", i);
    g_test_add (path, VigilFixture, &cases[i], vigil_fixture_set_up, test_check,
        vigil_fixture_tear_down);
  }
#define ADD(path, function)                                                    \
  g_test_add (path, VigilFixture, NULL, vigil_fixture_set_up, function,        \
      vigil_fixture_tear_down)
  ADD ("/definition/all-missing", test_all_missing);
  ADD ("/definition/getters", test_getters);
  return g_test_run ();
}
