/* SPDX-License-Identifier: Apache-2.0 */
/* What comes after an answer is thrown away, within limits, on a clock of the
 * test's own. */
#include "common/fixture.h"

#include "rest/rest-linger.h"
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#define WAIT_MS 10000

typedef struct {
  VigilFixture fixture;
  VigilRestLinger *linger;
  int client;
  int server;
} Run;

static void
set_up (Run *run, gconstpointer data)
{
  const VigilRestLingerLimits limits = {
      .sockets_max = 2, .bytes_max = 1000, .time_us = 100};
  struct sockaddr_storage address;
  socklen_t size = sizeof address;
  uint16_t port = 0;
  int listener;

  vigil_fixture_set_up (&run->fixture, data);
  run->linger = vigil_rest_linger_new (&limits);
  listener = vigil_fixture_listen (&port);
  g_assert_cmpint (
      getsockname (listener, (struct sockaddr *)&address, &size), ==, 0);
  run->client = socket (address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  g_assert_cmpint (
      connect (run->client, (struct sockaddr *)&address, size), ==, 0);
  /* The listener may be one that does not block. */
  g_assert_true (vigil_fixture_wait_fd (listener, POLLIN, WAIT_MS));
  run->server = accept (listener, NULL, NULL);
  g_assert_cmpint (run->server, >=, 0);
  close (listener);
}

static void
tear_down (Run *run, gconstpointer data)
{
  vigil_rest_linger_free (run->linger);
  close (run->client);
  if (run->server >= 0)
    close (run->server);
  vigil_fixture_tear_down (&run->fixture, data);
}

static unsigned
get_size (Run *run)
{
  return vigil_rest_linger_get_size (run->linger);
}

static void
write_bytes (Run *run, size_t count)
{
  char bytes[1000] = {0};

  g_assert_cmpint (send (run->client, bytes, count, MSG_NOSIGNAL), ==, count);
}

static void
wait_for_input (Run *run)
{
  g_assert_true (vigil_fixture_wait_fd (
      vigil_rest_linger_get_fd (run->linger), POLLIN, WAIT_MS));
}

/* The client reads the answer although it was still sending, then the end. */
static void
test_answer_is_kept (Run *run, gconstpointer data)
{
  char answer[10] = "";

  write_bytes (run, 400);
  g_assert_true (vigil_fixture_wait_fd (run->server, POLLIN, WAIT_MS));
  g_assert_cmpint (send (run->server, "answer", 6, MSG_NOSIGNAL), ==, 6);
  vigil_rest_linger_add (run->linger, run->server, TRUE, 0);
  close (run->server);
  run->server = -1;
  write_bytes (run, 400);
  wait_for_input (run);
  g_assert_cmpint (vigil_rest_linger_run (run->linger, 10), ==, 100);
  g_assert_cmpint (recv (run->client, answer, sizeof answer, 0), ==, 6);
  g_assert_cmpstr (answer, ==, "answer");
  g_assert_cmpint (recv (run->client, answer, sizeof answer, 0), ==, 0);
  /* When the client has closed, we have too. */
  shutdown (run->client, SHUT_RDWR);
  while (get_size (run) > 0) {
    wait_for_input (run);
    vigil_rest_linger_run (run->linger, 20);
  }
  g_assert_cmpint (vigil_rest_linger_run (run->linger, 30), ==, -1);
}

static void
test_nothing_to_wait_for (Run *run, gconstpointer data)
{
  /* Nothing has come, and nothing is expected. */
  vigil_rest_linger_add (run->linger, run->server, FALSE, 0);
  g_assert_cmpuint (get_size (run), ==, 0);
  /* The end has come. */
  shutdown (run->client, SHUT_WR);
  g_assert_true (vigil_fixture_wait_fd (run->server, POLLIN, WAIT_MS));
  vigil_rest_linger_add (run->linger, run->server, TRUE, 0);
  g_assert_cmpuint (get_size (run), ==, 0);
}

static void
test_unread_bytes_are_found (Run *run, gconstpointer data)
{
  write_bytes (run, 1);
  g_assert_true (vigil_fixture_wait_fd (run->server, POLLIN, WAIT_MS));
  vigil_rest_linger_add (run->linger, run->server, FALSE, 0);
  g_assert_cmpuint (get_size (run), ==, 1);
}

static void
test_limit_of_time (Run *run, gconstpointer data)
{
  vigil_rest_linger_add (run->linger, run->server, TRUE, 0);
  g_assert_cmpint (vigil_rest_linger_run (run->linger, 99), ==, 100);
  g_assert_cmpuint (get_size (run), ==, 1);
  g_assert_cmpint (vigil_rest_linger_run (run->linger, 100), ==, -1);
  g_assert_cmpuint (get_size (run), ==, 0);
}

static void
test_limit_of_bytes (Run *run, gconstpointer data)
{
  vigil_rest_linger_add (run->linger, run->server, TRUE, 0);
  write_bytes (run, 999);
  wait_for_input (run);
  vigil_rest_linger_run (run->linger, 1);
  g_assert_cmpuint (get_size (run), ==, 1);
  write_bytes (run, 1);
  wait_for_input (run);
  g_assert_cmpint (vigil_rest_linger_run (run->linger, 2), ==, -1);
  g_assert_cmpuint (get_size (run), ==, 0);
}

static void
test_limit_of_sockets (Run *run, gconstpointer data)
{
  for (int64_t now_us = 0; now_us < 5; now_us++)
    vigil_rest_linger_add (run->linger, run->server, TRUE, now_us);
  g_assert_cmpuint (get_size (run), ==, 2);
  /* Those that are left are the last ones. */
  g_assert_cmpint (vigil_rest_linger_run (run->linger, 50), ==, 103);
}

static void
add (const char *path, void (*test) (Run *, gconstpointer))
{
  g_test_add (path, Run, NULL, set_up, test, tear_down);
}

int
main (int argc, char **argv)
{
  vigil_fixture_init (&argc, &argv, 0);
  add ("/rest-linger/answer-is-kept", test_answer_is_kept);
  add ("/rest-linger/nothing-to-wait-for", test_nothing_to_wait_for);
  add ("/rest-linger/unread-bytes-are-found", test_unread_bytes_are_found);
  add ("/rest-linger/limit-of-time", test_limit_of_time);
  add ("/rest-linger/limit-of-bytes", test_limit_of_bytes);
  add ("/rest-linger/limit-of-sockets", test_limit_of_sockets);
  return g_test_run ();
}
