/* SPDX-License-Identifier: Apache-2.0 */
/* The table of instances, with real pipelines. */
#include "common/test-server.h"

#include "base/error.h"
#include <dirent.h>
#include <string.h>

#define SHORT(name, more) TEST_SERVER_ENTRY (name, TEST_SERVER_SHORT, more)
#define ENDLESS(name, more) TEST_SERVER_ENTRY (name, TEST_SERVER_ENDLESS, more)
#define BROKEN(name, more)                                                     \
  TEST_SERVER_ENTRY (name, "videotestsrc ! nosuchelement", more)
#define AUTO ",\"auto_start\":true"
#define DOMAIN "vigil-server"

static VigilInstance *
get_instance (TestServer *server, unsigned index)
{
  g_autoptr (GPtrArray) instances =
      vigil_instance_manager_list (server->manager);

  g_assert_cmpuint (index, <, instances->len);
  return vigil_instance_ref (g_ptr_array_index (instances, index));
}

static unsigned
count_instances (TestServer *server)
{
  g_autoptr (GPtrArray) instances =
      vigil_instance_manager_list (server->manager);

  return instances->len;
}

static gboolean
is_idle (void *data)
{
  TestServer *server = data;

  return vigil_instance_manager_get_unended_count (server->manager) == 0;
}

static void
wait_idle (TestServer *server)
{
  g_assert_true (vigil_fixture_wait_until (is_idle, server, 10000));
}

static void
test_auto_start (VigilFixture *fixture, gconstpointer data)
{
  TestServer server;
  g_autoptr (VigilInstance) first = NULL;
  g_autoptr (VigilInstance) second = NULL;

  test_server_init (&server,
      SHORT ("plain", AUTO) "," SHORT ("no", "") "," SHORT (
          "payload", AUTO ",\"payload\":{\"tags\":{\"camera\":7}}"),
      NULL);
  g_assert_cmpuint (vigil_instance_manager_auto_start (server.manager), ==, 2);
  first = get_instance (&server, 0);
  second = get_instance (&server, 1);
  g_assert_cmpint (test_server_wait (first), ==, VIGIL_PIPELINE_COMPLETED);
  g_assert_cmpint (test_server_wait (second), ==, VIGIL_PIPELINE_COMPLETED);
  g_assert_cmpstr (vigil_instance_get_pipeline_name (second), ==, "payload");
  g_assert_nonnull (
      vigil_json_object_get (vigil_instance_get_request (second), "tags"));
  test_server_clear (&server);
}

static void
test_one_bad_pipeline (VigilFixture *fixture, gconstpointer data)
{
  TestServer server;
  g_autoptr (GError) error = NULL;

  test_server_init (
      &server, BROKEN ("bad", AUTO) ",7," SHORT ("good", AUTO), NULL);
  g_assert_cmpuint (vigil_problems_count_errors (server.problems), ==, 2);
  g_assert_cmpuint (
      vigil_instance_manager_get_definition_count (server.manager), ==, 1);
  g_assert_cmpuint (vigil_instance_manager_auto_start (server.manager), ==, 1);
  g_assert_null (
      vigil_instance_manager_start (server.manager, "bad", NULL, &error));
  g_assert_nonnull (error);
  g_assert_nonnull (strstr (error->message, "nosuchelement"));
  g_assert_true (vigil_instance_manager_knows (server.manager, "bad"));
  test_server_clear (&server);
}

static void
test_unknown_pipeline (VigilFixture *fixture, gconstpointer data)
{
  TestServer server;
  g_autoptr (GError) error = NULL;

  test_server_init (&server, SHORT ("a", ""), NULL);
  g_assert_null (
      vigil_instance_manager_start (server.manager, "b", NULL, &error));
  g_assert_error (error, VIGIL_ERROR, VIGIL_ERROR_NOT_FOUND);
  g_assert_false (vigil_instance_manager_knows (server.manager, "b"));
  test_server_clear (&server);
}

static void
test_auto_start_fault (VigilFixture *fixture, gconstpointer data)
{
  TestServer server;

  vigil_fixture_expect_warning (
      DOMAIN, "config.pipelines?0?: 'a' was not started: *parameters*");
  test_server_init (&server,
      TEST_SERVER_ENTRY ("a",
          "videotestsrc num-buffers={parameters[n]} ! appsink name=destination",
          AUTO) "," SHORT ("b", AUTO),
      NULL);
  g_assert_cmpuint (vigil_instance_manager_auto_start (server.manager), ==, 1);
  test_server_clear (&server);
}

static void
test_limit_of_running (VigilFixture *fixture, gconstpointer data)
{
  TestServer server;
  g_autoptr (VigilInstance) first = NULL;
  g_autoptr (VigilInstance) second = NULL;
  g_autoptr (VigilInstance) third = NULL;

  test_server_init (&server, ENDLESS ("a", ""), "MAX_RUNNING_PIPELINES=1\n");
  first = test_server_start (&server, "a", NULL);
  second = test_server_start (&server, "a", NULL);
  third = test_server_start (&server, "a", NULL);
  test_server_wait_state (first, VIGIL_PIPELINE_RUNNING);
  g_assert_cmpint (test_server_get_state (second), ==, VIGIL_PIPELINE_QUEUED);
  g_assert_cmpint (test_server_get_state (third), ==, VIGIL_PIPELINE_QUEUED);
  /* One that leaves the queue is no start. */
  vigil_instance_stop (second);
  g_assert_cmpint (test_server_wait (second), ==, VIGIL_PIPELINE_ABORTED);
  g_assert_cmpint (test_server_get_state (third), ==, VIGIL_PIPELINE_QUEUED);
  vigil_instance_stop (first);
  test_server_wait_state (third, VIGIL_PIPELINE_RUNNING);
  test_server_clear (&server);
}

static void
test_finished_are_forgotten (VigilFixture *fixture, gconstpointer data)
{
  TestServer server;
  g_autoptr (VigilInstance) endless = NULL;
  g_autoptr (VigilInstance) first = NULL;

  test_server_init (&server, SHORT ("a", "") "," ENDLESS ("b", ""), NULL);
  vigil_instance_manager_free (server.manager);
  server.settings.keep_finished = 2;
  server.manager = vigil_instance_manager_new (
      server.config, server.environment, &server.settings, server.problems);
  endless = test_server_start (&server, "b", NULL);
  first = test_server_start (&server, "a", NULL);
  test_server_wait (first);
  for (unsigned i = 0; i < 4; i++) {
    g_autoptr (VigilInstance) instance = test_server_start (&server, "a", NULL);

    test_server_wait (instance);
  }
  vigil_instance_stop (endless);
  wait_idle (&server);
  g_assert_cmpuint (count_instances (&server), ==, 2);
  g_assert_null (vigil_instance_manager_find (
      server.manager, vigil_instance_get_id (first)));
  /* Who still holds it can still read it. */
  g_assert_cmpint (test_server_get_state (first), ==, VIGIL_PIPELINE_COMPLETED);
  test_server_clear (&server);
}

static void
test_find (VigilFixture *fixture, gconstpointer data)
{
  TestServer server;
  g_autoptr (VigilInstance) instance = NULL;
  g_autoptr (VigilInstance) found = NULL;

  test_server_init (&server, SHORT ("a", ""), NULL);
  instance = test_server_start (&server, "a", "{}");
  found = vigil_instance_manager_find (
      server.manager, vigil_instance_get_id (instance));
  g_assert_true (found == instance);
  g_assert_null (vigil_instance_manager_find (server.manager, ""));
  g_assert_null (vigil_instance_manager_find (server.manager, "nonsense"));
  test_server_clear (&server);
}

static void
test_stop_all (VigilFixture *fixture, gconstpointer data)
{
  TestServer server;
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) instances = NULL;

  test_server_init (&server, ENDLESS ("a", ""), "MAX_RUNNING_PIPELINES=3\n");
  for (unsigned i = 0; i < 5; i++)
    vigil_instance_unref (test_server_start (&server, "a", NULL));
  g_assert_false (vigil_instance_manager_is_stopping (server.manager));
  g_assert_cmpuint (vigil_instance_manager_stop_all (
                        server.manager, vigil_fixture_deadline (10000)),
      ==, 0);
  g_assert_true (vigil_instance_manager_is_stopping (server.manager));
  instances = vigil_instance_manager_list (server.manager);
  for (unsigned i = 0; i < instances->len; i++)
    g_assert_cmpint (test_server_get_state (g_ptr_array_index (instances, i)),
        ==, VIGIL_PIPELINE_ABORTED);
  g_assert_null (
      vigil_instance_manager_start (server.manager, "a", NULL, &error));
  g_assert_error (error, VIGIL_ERROR, VIGIL_ERROR_UNAVAILABLE);
  test_server_clear (&server);
}

static unsigned
count_entries (const char *folder)
{
  DIR *directory = opendir (folder);
  unsigned count = 0;

  while (readdir (directory) != NULL)
    count++;
  closedir (directory);
  return count;
}

typedef struct {
  unsigned descriptors;
  unsigned threads;
} Resources;

static gboolean
is_back_to (void *data)
{
  const Resources *before = data;

  return count_entries ("/proc/self/fd") <= before->descriptors &&
         count_entries ("/proc/self/task") <= before->threads;
}

static void
test_nothing_is_left_behind (VigilFixture *fixture, gconstpointer data)
{
  TestServer server;
  Resources before = {0};
  int idle_max = g_thread_pool_get_max_unused_threads ();

  test_server_init (&server, ENDLESS ("a", ""), NULL);
  for (unsigned i = 0; i < 60; i++) {
    g_autoptr (VigilInstance) instance = test_server_start (&server, "a", NULL);

    vigil_instance_stop (instance);
    g_assert_cmpint (test_server_wait (instance), ==, VIGIL_PIPELINE_ABORTED);
    wait_idle (&server);
    /* The first ones load plugins and fill pools of threads. */
    if (i == 20) {
      before.descriptors = count_entries ("/proc/self/fd");
      before.threads = count_entries ("/proc/self/task");
    }
  }
  /* GLib keeps threads that have nothing to do for 15 s. */
  g_thread_pool_set_max_unused_threads (0);
  g_assert_true (vigil_fixture_wait_until (is_back_to, &before, 10000));
  g_thread_pool_set_max_unused_threads (idle_max);
  test_server_clear (&server);
}

#define CLIENTS 4
#define STARTS 8

static gpointer
start_and_stop (gpointer data)
{
  for (unsigned i = 0; i < STARTS; i++) {
    g_autoptr (VigilInstance) instance =
        test_server_start (data, i % 2 == 0 ? "a" : "b", NULL);
    g_autoptr (VigilInstance) found = vigil_instance_manager_find (
        ((TestServer *)data)->manager, vigil_instance_get_id (instance));

    g_assert_true (found == instance);
    vigil_instance_stop (instance);
    test_server_wait (instance);
  }
  return NULL;
}

static void
test_many_clients (VigilFixture *fixture, gconstpointer data)
{
  TestServer server;
  GThread *threads[CLIENTS];

  test_server_init (&server, SHORT ("a", "") "," ENDLESS ("b", ""),
      "MAX_RUNNING_PIPELINES=3\n");
  for (unsigned i = 0; i < CLIENTS; i++)
    threads[i] = g_thread_new ("client", start_and_stop, &server);
  for (unsigned i = 0; i < CLIENTS; i++)
    g_thread_join (threads[i]);
  wait_idle (&server);
  g_assert_cmpuint (count_instances (&server), ==, CLIENTS * STARTS);
  test_server_clear (&server);
}

int
main (int argc, char **argv)
{
  vigil_fixture_init (&argc, &argv, 60);
#define ADD(path, function)                                                    \
  g_test_add (path, VigilFixture, NULL, vigil_fixture_set_up, function,        \
      vigil_fixture_tear_down)
  ADD ("/instance-manager/auto-start", test_auto_start);
  ADD ("/instance-manager/auto-start/fault", test_auto_start_fault);
  ADD ("/instance-manager/one-bad-pipeline", test_one_bad_pipeline);
  ADD ("/instance-manager/unknown-pipeline", test_unknown_pipeline);
  ADD ("/instance-manager/limit-of-running", test_limit_of_running);
  ADD ("/instance-manager/finished-are-forgotten", test_finished_are_forgotten);
  ADD ("/instance-manager/find", test_find);
  ADD ("/instance-manager/stop-all", test_stop_all);
  ADD ("/instance-manager/nothing-is-left-behind", test_nothing_is_left_behind);
  ADD ("/instance-manager/many-clients", test_many_clients);
  return g_test_run ();
}
