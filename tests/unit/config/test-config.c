/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config.h"

#include "base/error.h"
#include "common/fixture.h"
#include <string.h>

typedef struct {
  VigilFixture fixture;
  VigilProblems *problems;
} Context;

static void
set_up (Context *self, gconstpointer data)
{
  vigil_fixture_set_up (&self->fixture, data);
  self->problems = vigil_problems_new ();
}

static void
tear_down (Context *self, gconstpointer data)
{
  vigil_problems_free (self->problems);
  vigil_fixture_tear_down (&self->fixture, data);
}

static void
test_load (Context *self, gconstpointer data)
{
  g_autofree char *path = vigil_fixture_write (&self->fixture, "config.json",
      "\xef\xbb\xbf{\"config\":{\"pipelines\":[{\"name\":\"a\"},"
      "{\"name\":\"b\"}]}}\n");
  g_autoptr (GError) error = NULL;
  g_autoptr (VigilConfig) config =
      vigil_config_load (path, self->problems, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (vigil_problems_get_size (self->problems), ==, 0);
  g_assert_cmpstr (vigil_config_get_path (config), ==, path);
  g_assert_cmpstr (vigil_config_get_folder (config), ==, self->fixture.folder);
  g_assert_cmpuint (vigil_config_get_pipeline_count (config), ==, 2);
  const VigilJson *entry = vigil_config_get_pipeline (config, 1);
  g_assert_cmpstr (
      vigil_json_get_string (vigil_json_object_get (entry, "name")), ==, "b");
  g_assert_null (vigil_config_get_pipeline (config, 2));
  g_assert_nonnull (
      vigil_json_object_get (vigil_config_get_root (config), "pipelines"));
  g_autofree char *place = vigil_config_dup_pipeline_path (config, 1);
  g_assert_cmpstr (place, ==, "config.pipelines[1]");
}

static void
test_folder_of_bare_name (Context *self, gconstpointer data)
{
  const char *text = "{\"config\":{\"pipelines\":[]}}";
  g_autoptr (GError) error = NULL;
  g_autoptr (VigilConfig) config = vigil_config_parse (
      text, strlen (text), "config.json", self->problems, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (vigil_config_get_folder (config), ==, ".");
  g_assert_cmpuint (vigil_config_get_pipeline_count (config), ==, 0);
}

/* ---- Faults of the whole file ---------------------------------------------
 */

static const struct {
  const char *name;
  const char *text;
  const char *message;
} faults[] = {
    {"empty", "", "c.json: nothing is in it: *"},
    {"syntax", "{\"config\":\n{]}", "c.json: line 2, column 2: *"},
    {"duplicate", "{\"config\":1,\"config\":2}",
        "c.json: line 1, column *each key once*"},
    {"list", "[]", "c.json: want {\"config\"*"},
    {"no-config", "{}", "c.json: want {\"config\"*"},
    {"config-list", "{\"config\":[]}", "c.json: want {\"config\"*"},
    {"no-pipelines", "{\"config\":{}}",
        "c.json: config.pipelines: want a list*No pipelines found in config*"},
    {"pipelines-object", "{\"config\":{\"pipelines\":{}}}",
        "c.json: config.pipelines: want a list*"},
};

static void
test_fault (Context *self, gconstpointer data)
{
  const typeof (faults[0]) *row = data;
  g_autoptr (GError) error = NULL;
  g_assert_null (vigil_config_parse (
      row->text, strlen (row->text), "c.json", self->problems, &error));
  g_assert_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID);
  g_assert_cmpint (vigil_error_exit_status (error), ==, 78);
  if (!g_pattern_match_simple (row->message, error->message))
    g_error ("'%s' gives '%s'", row->text, error->message);
}

static void
test_too_deep (Context *self, gconstpointer data)
{
  g_autofree char *text = g_strnfill (100, '[');
  g_autoptr (GError) error = NULL;
  g_assert_null (vigil_config_parse (
      text, strlen (text), "c.json", self->problems, &error));
  g_assert_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID);
}

static void
test_missing_file (Context *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_assert_null (
      vigil_config_load ("/nowhere/config.json", self->problems, &error));
  g_assert_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID);
  g_assert_true (
      g_str_has_prefix (error->message, "/nowhere/config.json: want "));
}

/* ---- What is wrong inside --------------------------------------------------
 */

static const struct {
  const char *name;
  const char *text;
  VigilProblemSeverity severity;
  const char *path;
  const char *problem;
} inside[] = {
    {"entry-type", "{\"config\":{\"pipelines\":[{},7]}}", VIGIL_PROBLEM_ERROR,
        "config.pipelines[1]", "want an object, got an integer"},
    {"interfaces", "{\"config\":{\"pipelines\":[]},\"interfaces\":[]}",
        VIGIL_PROBLEM_ERROR, "interfaces", "want an object*"},
    {"root-publisher",
        "{\"config\":{\"pipelines\":[],\"mqtt_publisher\":[{}]}}",
        VIGIL_PROBLEM_WARNING, "config.mqtt_publisher",
        "has no effect here: put it into an entry*"},
    {"logging", "{\"config\":{\"pipelines\":[],\"logging\":{}}}",
        VIGIL_PROBLEM_WARNING, "config.logging", "*LOG_LEVEL*"},
    {"unknown-key", "{\"config\":{\"pipelines\":[],\"pipeline\":[]}}",
        VIGIL_PROBLEM_WARNING, "config.pipeline", "*did you mean 'pipelines'?"},
    {"unknown-part", "{\"config\":{\"pipelines\":[]},\"Config\":{}}",
        VIGIL_PROBLEM_WARNING, "Config", "*did you mean 'config'?"},
};

static void
test_inside (Context *self, gconstpointer data)
{
  const typeof (inside[0]) *row = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (VigilConfig) config = vigil_config_parse (
      row->text, strlen (row->text), "c.json", self->problems, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (vigil_problems_get_size (self->problems), ==, 1);
  const VigilProblem *problem = vigil_problems_get (self->problems, 0);
  g_assert_cmpint (problem->severity, ==, row->severity);
  g_assert_cmpstr (problem->path, ==, row->path);
  g_assert_true (g_pattern_match_simple (row->problem, problem->text));
}

static void
test_entry_that_is_none (Context *self, gconstpointer data)
{
  const char *text = "{\"config\":{\"pipelines\":[7]}}";
  g_autoptr (VigilConfig) config =
      vigil_config_parse (text, strlen (text), "c.json", self->problems, NULL);
  g_assert_cmpuint (vigil_config_get_pipeline_count (config), ==, 1);
  g_assert_null (vigil_config_get_pipeline (config, 0));
}

static void
add (const char *path, gconstpointer data,
    void (*function) (Context *, gconstpointer))
{
  g_test_add (path, Context, data, set_up, function, tear_down);
}

int
main (int argc, char **argv)
{
  vigil_fixture_init (&argc, &argv, 0);
  add ("/config/load", NULL, test_load);
  add ("/config/folder-of-bare-name", NULL, test_folder_of_bare_name);
  for (size_t i = 0; i < G_N_ELEMENTS (faults); i++) {
    g_autofree char *path =
        g_strdup_printf ("/config/fault/%s", faults[i].name);
    add (path, &faults[i], test_fault);
  }
  add ("/config/fault/too-deep", NULL, test_too_deep);
  add ("/config/fault/missing-file", NULL, test_missing_file);
  for (size_t i = 0; i < G_N_ELEMENTS (inside); i++) {
    g_autofree char *path =
        g_strdup_printf ("/config/inside/%s", inside[i].name);
    add (path, &inside[i], test_inside);
  }
  add ("/config/entry-that-is-none", NULL, test_entry_that_is_none);
  return g_test_run ();
}
