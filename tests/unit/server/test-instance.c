/* SPDX-License-Identifier: Apache-2.0 */
/* One instance from made to released, with real GStreamer. */
#include "common/test-server.h"

#include <string.h>

/* An instance without a manager, which would release it by itself. */
typedef struct {
  TestServer server;
  VigilDefinition *definition;
  VigilInstance *instance;
  VigilEvent ended;
} Run;

static void
on_ended (VigilInstance *instance, void *user_data)
{
  Run *run = user_data;

  vigil_event_raise (&run->ended);
}

static void
run_init (Run *run, const char *entry, const char *request)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VigilJson) value =
      request == NULL ? NULL : vigil_json_parse (request, -1, 65536, 32, NULL);
  VigilInstanceOptions options;

  test_server_init (&run->server, entry, NULL);
  vigil_event_init (&run->ended);
  run->definition =
      vigil_definition_new (vigil_config_get_pipeline (run->server.config, 0),
          run->server.environment, &error);
  g_assert_no_error (error);
  options = (VigilInstanceOptions){
      .definition = run->definition,
      .entry = vigil_config_get_pipeline (run->server.config, 0),
      .request = value,
      .environment = run->server.environment,
      .settings = &run->server.settings,
      .on_ended = on_ended,
      .user_data = run,
  };
  run->instance = vigil_instance_new (&options, &error);
  g_assert_no_error (error);
}

static void
run_clear (Run *run)
{
  vigil_instance_unref (run->instance);
  vigil_definition_free (run->definition);
  vigil_event_clear (&run->ended);
  test_server_clear (&run->server);
}

static void
test_completed (VigilFixture *fixture, gconstpointer data)
{
  Run run;
  g_auto (VigilInstanceStatus) status = {0};

  run_init (&run, TEST_SERVER_ENTRY ("a", TEST_SERVER_SHORT, ""), NULL);
  g_assert_cmpint (
      test_server_get_state (run.instance), ==, VIGIL_PIPELINE_QUEUED);
  g_assert_false (vigil_instance_is_ended (run.instance));
  vigil_instance_start (run.instance);
  g_assert_cmpint (
      test_server_wait (run.instance), ==, VIGIL_PIPELINE_COMPLETED);
  g_assert_true (vigil_event_wait (&run.ended, 1, 5000));
  vigil_instance_release (run.instance);
  vigil_instance_get_status (run.instance, &status);
  g_assert_cmpint (status.pipeline.state, ==, VIGIL_PIPELINE_COMPLETED);
  g_assert_cmpuint (status.pipeline.frames, ==, 5);
  g_assert_cmpuint (status.publisher.frames, ==, 5);
  g_assert_cmpuint (vigil_event_get_count (&run.ended), ==, 1);
  run_clear (&run);
}

static void
test_stopped_while_running (VigilFixture *fixture, gconstpointer data)
{
  Run run;

  run_init (&run, TEST_SERVER_ENTRY ("a", TEST_SERVER_ENDLESS, ""), NULL);
  vigil_instance_start (run.instance);
  test_server_wait_state (run.instance, VIGIL_PIPELINE_RUNNING);
  g_assert_false (vigil_instance_wait (run.instance, 0));
  vigil_instance_stop (run.instance);
  vigil_instance_stop (run.instance);
  g_assert_cmpint (test_server_wait (run.instance), ==, VIGIL_PIPELINE_ABORTED);
  g_assert_true (vigil_event_wait (&run.ended, 1, 5000));
  vigil_instance_release (run.instance);
  g_assert_cmpuint (vigil_event_get_count (&run.ended), ==, 1);
  run_clear (&run);
}

static void
test_stopped_before_start (VigilFixture *fixture, gconstpointer data)
{
  Run run;

  run_init (&run, TEST_SERVER_ENTRY ("a", TEST_SERVER_ENDLESS, ""), NULL);
  vigil_instance_stop (run.instance);
  g_assert_cmpint (test_server_wait (run.instance), ==, VIGIL_PIPELINE_ABORTED);
  vigil_instance_start (run.instance);
  g_assert_cmpint (
      test_server_get_state (run.instance), ==, VIGIL_PIPELINE_ABORTED);
  g_assert_cmpuint (vigil_event_get_count (&run.ended), ==, 1);
  vigil_instance_release (run.instance);
  run_clear (&run);
}

/* Stops that come while the pipeline is still on its way up. */
static void
test_stopped_during_start (VigilFixture *fixture, gconstpointer data)
{
  for (unsigned i = 0; i < 20; i++) {
    Run run;

    run_init (&run, TEST_SERVER_ENTRY ("a", TEST_SERVER_ENDLESS, ""), NULL);
    vigil_instance_start (run.instance);
    vigil_instance_stop (run.instance);
    g_assert_cmpint (
        test_server_wait (run.instance), ==, VIGIL_PIPELINE_ABORTED);
    g_assert_true (vigil_event_wait (&run.ended, 1, 5000));
    vigil_instance_release (run.instance);
    run_clear (&run);
  }
}

static void
test_missing_file (VigilFixture *fixture, gconstpointer data)
{
  g_auto (VigilInstanceStatus) status = {0};
  Run run;

  run_init (&run,
      TEST_SERVER_ENTRY (
          "a", "{auto_source} ! decodebin ! appsink name=destination", ""),
      "{\"source\":{\"type\":\"uri\",\"uri\":\"file:///no/such/file.avi\"}}");
  vigil_instance_start (run.instance);
  g_assert_cmpint (test_server_wait (run.instance), ==, VIGIL_PIPELINE_ERROR);
  g_assert_true (vigil_event_wait (&run.ended, 1, 5000));
  vigil_instance_release (run.instance);
  vigil_instance_get_status (run.instance, &status);
  g_assert_nonnull (strstr (status.pipeline.message, "/no/such/file.avi"));
  run_clear (&run);
}

static void
test_id (VigilFixture *fixture, gconstpointer data)
{
  Run run;
  Run other;
  const char *id;

  run_init (&run, TEST_SERVER_ENTRY ("a", TEST_SERVER_SHORT, ""), NULL);
  run_init (&other, TEST_SERVER_ENTRY ("a", TEST_SERVER_SHORT, ""), NULL);
  id = vigil_instance_get_id (run.instance);
  g_assert_cmpuint (strlen (id), ==, VIGIL_INSTANCE_ID_LENGTH);
  g_assert_cmpuint (strspn (id, "0123456789abcdef"), ==, strlen (id));
  g_assert_cmpstr (id, !=, vigil_instance_get_id (other.instance));
  g_assert_cmpstr (vigil_instance_get_pipeline_name (run.instance), ==, "a");
  run_clear (&run);
  run_clear (&other);
}

int
main (int argc, char **argv)
{
  vigil_fixture_init (&argc, &argv, 60);
#define ADD(path, function)                                                    \
  g_test_add (path, VigilFixture, NULL, vigil_fixture_set_up, function,        \
      vigil_fixture_tear_down)
  ADD ("/instance/completed", test_completed);
  ADD ("/instance/stopped/while-running", test_stopped_while_running);
  ADD ("/instance/stopped/before-start", test_stopped_before_start);
  ADD ("/instance/stopped/during-start", test_stopped_during_start);
  ADD ("/instance/missing-file", test_missing_file);
  ADD ("/instance/id", test_id);
  return g_test_run ();
}
