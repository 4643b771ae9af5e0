/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The settings of files and what stands in them. What holds for every kind
 * of destination is in the conformance suite.
 */
#include "common/fixture.h"
#include "publish/destination.h"
#include <string.h>
#include <unistd.h>

typedef struct {
  VigilFixture parent;
  VigilEnvironment *environment;
} Fixture;

static void
set_up (Fixture *self, gconstpointer data)
{
  vigil_fixture_set_up (&self->parent, data);
  self->environment = vigil_environment_new (NULL, NULL);
}

static void
tear_down (Fixture *self, gconstpointer data)
{
  vigil_environment_free (self->environment);
  vigil_fixture_tear_down (&self->parent, data);
}

/* JSON is written with single quotes. */
static VigilJson *
parse (const char *text)
{
  g_autofree char *quoted = g_strdelimit (g_strdup (text), "'", '"');
  g_autoptr (GError) error = NULL;
  VigilJson *value = vigil_json_parse (quoted, -1, 1 << 20, 16, &error);

  g_assert_no_error (error);
  return value;
}

static VigilDestinationContext
make_context (Fixture *self)
{
  return (VigilDestinationContext){.environment = self->environment,
      .config_folder = self->parent.folder,
      .instance_id = "id",
      .pipeline_name = "people"};
}

typedef struct {
  const char *settings;
  const char *error; /* path of the first error; NULL: none */
} CheckCase;

static const CheckCase check_cases[] = {
    {"{'path':'-'}", NULL},
    {"{'path':'out.json'}", NULL},
    {"{}", "p.path"},
    {"{'path':''}", "p.path"},
    {"{'path':7}", "p.path"},
    {"{'path':'no/such/out.json'}", "p.path"},
    {"{'path':'.'}", "p.path"},
    {"{'path':'/no/such/folder/out'}", "p.path"},
    {"{'path':'-','format':'json-lines','publish_frame':true,"
     "'payload_format':'object','max_bytes':10,'max_files':0,'type':'file'}",
        NULL},
    {"{'path':'-','format':'jsonl'}", "p.format"},
    {"{'path':'-','payload_format':'binary'}", "p.payload_format"},
    {"{'path':'-','max_bytes':-1}", "p.max_bytes"},
    {"{'path':'-','filter':{'type':'detection','label_score':{'a':2}}}",
        "p.filter.label_score.a"},
};

static void
test_check (Fixture *self, gconstpointer data)
{
  const VigilDestinationContext context = make_context (self);

  for (unsigned i = 0; i < G_N_ELEMENTS (check_cases); i++) {
    g_autoptr (VigilJson) settings = parse (check_cases[i].settings);
    g_autoptr (VigilProblems) problems = vigil_problems_new ();

    g_test_message ("%s", check_cases[i].settings);
    vigil_destination_check (
        vigil_destination_find ("file"), settings, "p", &context, problems);
    if (check_cases[i].error == NULL) {
      g_assert_cmpuint (vigil_problems_get_size (problems), ==, 0);
    } else {
      g_assert_cmpuint (vigil_problems_count_errors (problems), >=, 1);
      g_assert_cmpstr (
          vigil_problems_get (problems, 0)->path, ==, check_cases[i].error);
    }
  }
}

static VigilDestination *
start (Fixture *self, const char *settings_text)
{
  const VigilDestinationContext context = make_context (self);
  g_autoptr (VigilJson) settings = parse (settings_text);
  g_autoptr (GError) error = NULL;
  VigilDestination *destination = vigil_destination_new (
      vigil_destination_find ("file"), NULL, settings, &context, &error);

  g_assert_no_error (error);
  vigil_destination_start (destination, &error);
  g_assert_no_error (error);
  return destination;
}

static void
send (VigilDestination *destination, const char *metadata)
{
  g_autoptr (VigilMessage) message =
      vigil_message_new (g_bytes_new (metadata, strlen (metadata)),
          g_bytes_new ("abc", 3), FALSE, "image/jpeg", 1);

  vigil_destination_send (destination, message, vigil_fixture_deadline (10000));
}

typedef struct {
  const char *name;
  const char *settings;
  const char *text;
} FileCase;

static const FileCase file_cases[] = {
    {"json", "{'path':'out'}", "[{\"a\":1},\n{\"a\":2}\n]\n"},
    {"json-lines", "{'path':'out','format':'json-lines'}",
        "{\"a\":1}\n{\"a\":2}\n"},
    {"frames", "{'path':'out','format':'json-lines','publish_frame':true}",
        "[{\"a\":1},\"YWJj\"]\n[{\"a\":2},\"YWJj\"]\n"},
    {"objects", "{'path':'out','publish_frame':true,'payload_format':'object'}",
        "[{\"metadata\":{\"a\":1},\"blob\":\"YWJj\"},\n"
        "{\"metadata\":{\"a\":2},\"blob\":\"YWJj\"}\n]\n"},
};

/* Relative paths start beside the configuration. */
static void
test_file (Fixture *self, gconstpointer data)
{
  const FileCase *test = data;
  g_autoptr (VigilDestination) destination = start (self, test->settings);
  g_autofree char *path = g_build_filename (self->parent.folder, "out", NULL);
  g_autofree char *text = NULL;

  send (destination, "{\"a\":1}");
  send (destination, "{\"a\":2}");
  vigil_destination_stop (destination, vigil_fixture_deadline (10000));
  g_file_get_contents (path, &text, NULL, NULL);
  g_assert_cmpstr (text, ==, test->text);
}

/* "-": in a child, whose standard output is a pipe of ours. */
static void
test_standard_output (Fixture *self, gconstpointer data)
{
  if (g_test_subprocess ()) {
    g_autoptr (VigilDestination) destination =
        start (self, "{'path':'-','format':'json-lines'}");

    send (destination, "{\"a\":1}");
    vigil_destination_stop (destination, vigil_fixture_deadline (10000));
    return;
  }
  g_test_trap_subprocess (NULL, 0, 0);
  g_test_trap_assert_passed ();
  g_test_trap_assert_stdout ("*{\"a\":1}\n*");
}

static gboolean
has_failed (void *data)
{
  VigilDestinationStatus status;

  vigil_destination_get_status (data, &status);
  return strcmp (status.state, "failing") == 0;
}

static gboolean
has_written (void *data)
{
  VigilDestinationStatus status;

  vigil_destination_get_status (data, &status);
  return status.published == 1;
}

/* What failed is said once, and that it works again. */
static void
test_recovers (Fixture *self, gconstpointer data)
{
  g_autofree char *folder =
      g_build_filename (self->parent.folder, "later", NULL);
  g_autoptr (VigilDestination) destination = NULL;
  VigilDestinationStatus status;

  vigil_fixture_expect_warning ("vigil-publish", "*cannot open*");
  destination = start (self, "{'path':'later/out'}");
  send (destination, "{\"a\":1}");
  send (destination, "{\"a\":2}");
  g_assert_true (vigil_fixture_wait_until (has_failed, destination, 10000));
  vigil_destination_get_status (destination, &status);
  g_assert_nonnull (strstr (status.last_error, "later/out"));
  while (status.queued + status.in_flight > 0)
    vigil_destination_get_status (destination, &status);
  g_assert_cmpint (g_mkdir_with_parents (folder, 0700), ==, 0);
  send (destination, "{\"a\":3}");
  g_assert_true (vigil_fixture_wait_until (has_written, destination, 10000));
  vigil_destination_get_status (destination, &status);
  g_assert_cmpstr (status.state, ==, "writing");
  g_assert_cmpuint (vigil_fixture_count_warnings ("*cannot open*"), ==, 1);
}

static void
add (const char *path, void (*function) (Fixture *self, gconstpointer data))
{
  g_test_add (path, Fixture, NULL, set_up, function, tear_down);
}

int
main (int argc, char **argv)
{
  vigil_fixture_init (&argc, &argv, 0);
  add ("/file-destination/check", test_check);
  for (unsigned i = 0; i < G_N_ELEMENTS (file_cases); i++) {
    g_autofree char *path =
        g_strdup_printf ("/file-destination/%s", file_cases[i].name);

    g_test_add (path, Fixture, &file_cases[i], set_up, test_file, tear_down);
  }
  add ("/file-destination/standard-output", test_standard_output);
  add ("/file-destination/recovers", test_recovers);
  return g_test_run ();
}
