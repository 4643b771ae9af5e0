/* SPDX-License-Identifier: Apache-2.0 */
/* The tests' own tools, tested: a broken one would make all else look
 * good. */
#include "common/broker.h"
#include "common/fixture.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void
test_folder (VigilFixture *fixture, gconstpointer data)
{
  g_autofree char *path = vigil_fixture_write (fixture, "file", "text");
  g_autofree char *text = NULL;
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  g_assert_cmpstr (text, ==, "text");
}

static void
test_folder_is_removed (void)
{
  VigilFixture fixture = {0};
  vigil_fixture_set_up (&fixture, NULL);
  g_autofree char *folder = g_strdup (fixture.folder);
  g_autofree char *below = g_build_filename (folder, "below", NULL);
  g_assert_cmpint (g_mkdir_with_parents (below, 0700), ==, 0);
  g_free (vigil_fixture_write (&fixture, "below/file", ""));
  vigil_fixture_tear_down (&fixture, NULL);
  g_assert_false (g_file_test (folder, G_FILE_TEST_EXISTS));
}

static void
test_watchdog (VigilFixture *fixture, gconstpointer data)
{
  if (g_test_subprocess ()) {
    raise (SIGALRM); /* as when the time is up */
    return;
  }
  g_test_trap_subprocess (NULL, 0, 0);
  g_test_trap_assert_failed ();
  g_test_trap_assert_stderr ("*watchdog: /fixture/watchdog has not*");
}

static void *
warn (void *data)
{
  g_log (data, G_LOG_LEVEL_WARNING, "the %s", "answer");
  return NULL;
}

static void
test_warning_is_fatal (VigilFixture *fixture, gconstpointer data)
{
  if (g_test_subprocess ()) {
    vigil_fixture_expect_warning ("here", "*question*");
    warn ((void *)"here");
    return;
  }
  g_test_trap_subprocess (NULL, 0, 0);
  g_test_trap_assert_failed ();
  g_test_trap_assert_stderr ("*the answer*");
}

static void
test_missing_warning_fails (VigilFixture *fixture, gconstpointer data)
{
  if (g_test_subprocess ()) {
    vigil_fixture_expect_warning ("here", "the question");
    vigil_fixture_allow_warning ("here", "some question");
    return;
  }
  g_test_trap_subprocess (NULL, 0, 0);
  g_test_trap_assert_failed ();
  g_test_trap_assert_stderr ("*expected warning has not come*");
}

static void
test_announced_warning (VigilFixture *fixture, gconstpointer data)
{
  vigil_fixture_expect_warning ("here", "the an?wer");
  g_thread_join (g_thread_new ("warner", warn, (void *)"here"));
  warn ((void *)"here");
  g_assert_cmpuint (vigil_fixture_count_warnings ("the an?wer"), ==, 2);
}

static void
test_ports (VigilFixture *fixture, gconstpointer data)
{
  /* The port is this process's alone: nobody else has the address. */
  uint16_t port = 1883;
  int fd = vigil_fixture_listen (&port);
  g_assert_cmpuint (port, ==, 1883);
  uint16_t other = vigil_fixture_find_port ();
  g_assert_cmpuint (other, !=, 0);
  g_assert_cmpuint (other, !=, 1883);
  close (fd);
}

/* Whoever found a port may take its time to listen there. */
static void
test_ports_are_found_once (VigilFixture *fixture, gconstpointer data)
{
  g_autofree gboolean *found = g_new0 (gboolean, UINT16_MAX + 1);
  for (unsigned i = 0; i < 3000; i++) {
    uint16_t port = vigil_fixture_find_port ();
    g_assert_false (found[port]);
    found[port] = TRUE;
  }
  for (unsigned i = 0; i < 100; i++) {
    uint16_t port = 0;
    close (vigil_fixture_listen (&port));
    g_assert_false (found[port]);
  }
}

static void *
raise_twice (void *data)
{
  vigil_event_raise (data);
  vigil_event_raise (data);
  return NULL;
}

static void
test_event (VigilFixture *fixture, gconstpointer data)
{
  VigilEvent event;
  vigil_event_init (&event);
  g_assert_false (vigil_event_wait (&event, 1, 1));
  GThread *thread = g_thread_new ("raiser", raise_twice, &event);
  g_assert_true (vigil_event_wait (&event, 2, 10000));
  g_assert_false (vigil_event_wait (&event, 3, 1));
  g_assert_cmpuint (vigil_event_get_count (&event), ==, 2);
  g_thread_join (thread);
  vigil_event_clear (&event);
}

static gboolean
count_to_three (void *data)
{
  unsigned *count = data;
  return ++*count >= 3;
}

static gboolean
is_never (void *data)
{
  return FALSE;
}

static void
test_wait (VigilFixture *fixture, gconstpointer data)
{
  unsigned count = 0;
  g_assert_true (vigil_fixture_wait_until (count_to_three, &count, 10000));
  g_assert_false (vigil_fixture_wait_until (is_never, NULL, 1));
  int ends[2];
  g_assert_cmpint (pipe (ends), ==, 0);
  g_assert_false (vigil_fixture_wait_fd (ends[0], POLLIN, 1));
  g_assert_cmpint (write (ends[1], "", 1), ==, 1);
  g_assert_true (vigil_fixture_wait_fd (ends[0], POLLIN, 10000));
  close (ends[0]);
  close (ends[1]);
}

static void
test_process (VigilFixture *fixture, gconstpointer data)
{
  g_autofree char *log = g_build_filename (fixture->folder, "log", NULL);
  const char *argv[] = {"sh", "-c", "echo one; echo two >&2; exit 3", NULL};
  g_autoptr (VigilProcess) process = vigil_process_start (argv, NULL, log);
  g_assert_true (vigil_process_wait_log (process, "two", 1, 10000));
  int status = 0;
  g_assert_true (vigil_process_wait (process, 10000, &status));
  g_assert_true (WIFEXITED (status));
  g_assert_cmpint (WEXITSTATUS (status), ==, 3);
  g_autofree char *text = vigil_process_read_log (process);
  g_assert_cmpstr (text, ==, "one\ntwo\n");
  g_assert_false (vigil_process_wait_log (process, "three", 1, 10000));
  g_assert_false (vigil_process_is_running (process));
}

static void
test_process_is_killed (VigilFixture *fixture, gconstpointer data)
{
  g_autofree char *log = g_build_filename (fixture->folder, "log", NULL);
  const char *argv[] = {"sleep", "1000", NULL};
  VigilProcess *process = vigil_process_start (argv, NULL, log);
  pid_t pid = vigil_process_get_pid (process);
  g_assert_true (vigil_process_is_running (process));
  g_assert_false (vigil_process_wait_log (process, "x", 1, 1));
  vigil_process_free (process);
  g_assert_cmpint (kill (pid, 0), ==, -1);
}

static void
test_broker (VigilFixture *fixture, gconstpointer data)
{
  g_autoptr (VigilBroker) broker =
      vigil_broker_new (fixture, 1883, "max_connections 7");
  VigilProcess *process = vigil_broker_get_process (broker);
  g_assert_cmpuint (vigil_broker_get_port (broker), ==, 1883);
  g_assert_true (vigil_process_wait_log (process, "New connection", 1, 10000));
  vigil_broker_freeze (broker);
  vigil_broker_thaw (broker);
  vigil_broker_kill (broker);
  vigil_broker_start (broker);
  vigil_broker_stop (broker);
  vigil_broker_start (broker);
}

#define ADD(path, function)                                                    \
  g_test_add (path, VigilFixture, NULL, vigil_fixture_set_up, function,        \
      vigil_fixture_tear_down)

int
main (int argc, char **argv)
{
  vigil_fixture_init (&argc, &argv, 0);
  ADD ("/fixture/folder", test_folder);
  g_test_add_func ("/fixture/folder-is-removed", test_folder_is_removed);
  ADD ("/fixture/watchdog", test_watchdog);
  ADD ("/fixture/warning-is-fatal", test_warning_is_fatal);
  ADD ("/fixture/missing-warning-fails", test_missing_warning_fails);
  ADD ("/fixture/announced-warning", test_announced_warning);
  ADD ("/fixture/ports", test_ports);
  ADD ("/fixture/ports-are-found-once", test_ports_are_found_once);
  ADD ("/fixture/event", test_event);
  ADD ("/fixture/wait", test_wait);
  ADD ("/fixture/process", test_process);
  ADD ("/fixture/process-is-killed", test_process_is_killed);
  ADD ("/fixture/broker", test_broker);
  return g_test_run ();
}
