/* SPDX-License-Identifier: Apache-2.0 */
/* Deadlines of connections, on a clock of the test's own. */
#include "common/fixture.h"

#include "rest/rest-connections.h"

#define HEADERS VIGIL_REST_CONNECTIONS_HEADERS
#define BODY VIGIL_REST_CONNECTIONS_BODY
#define HANDLING VIGIL_REST_CONNECTIONS_HANDLING
#define ANSWER VIGIL_REST_CONNECTIONS_ANSWER

/* What was given up last, and how often. */
typedef struct {
  VigilRestConnections *connections;
  int socket;
  VigilRestConnectionsPhase phase;
  unsigned count;
} Run;

static void
give_up (int socket, VigilRestConnectionsPhase phase, void *user_data)
{
  Run *run = user_data;

  run->socket = socket;
  run->phase = phase;
  run->count++;
}

static void
run_init (Run *run)
{
  const VigilRestConnectionsLimits limits = {
      .connections_max = 3,
      .header_us = 10,
      .body_us = 30,
      .answer_us = 20,
      .give_up = give_up,
      .user_data = run,
  };

  *run = (Run){.connections = vigil_rest_connections_new (&limits)};
}

static int64_t
expire (Run *run, int64_t now_us)
{
  return vigil_rest_connections_expire (run->connections, now_us);
}

static void
test_phases (void)
{
  Run run;
  VigilRestConnection *connection;

  run_init (&run);
  g_assert_cmpint (expire (&run, 0), ==, -1);
  connection = vigil_rest_connections_add (run.connections, 5, 100);
  g_assert_cmpint (expire (&run, 109), ==, 110);
  vigil_rest_connections_set_phase (run.connections, connection, BODY, 109);
  g_assert_cmpint (expire (&run, 138), ==, 139);
  /* Our own time does not count. */
  vigil_rest_connections_set_phase (run.connections, connection, HANDLING, 138);
  g_assert_cmpint (expire (&run, 100000), ==, -1);
  vigil_rest_connections_set_phase (run.connections, connection, ANSWER, 200);
  g_assert_cmpint (expire (&run, 219), ==, 220);
  g_assert_cmpuint (run.count, ==, 0);
  g_assert_cmpint (expire (&run, 220), ==, -1);
  g_assert_cmpuint (run.count, ==, 1);
  g_assert_cmpint (run.socket, ==, 5);
  g_assert_cmpint (run.phase, ==, ANSWER);
  /* Once is enough, and nothing brings it back. */
  vigil_rest_connections_set_phase (run.connections, connection, HEADERS, 230);
  g_assert_cmpint (expire (&run, 100000), ==, -1);
  g_assert_cmpuint (run.count, ==, 1);
  vigil_rest_connections_remove (run.connections, connection);
  g_assert_cmpuint (vigil_rest_connections_get_size (run.connections), ==, 0);
  vigil_rest_connections_free (run.connections);
}

/* Bytes that drip in do not move the deadline. */
static void
test_deadline_is_absolute (void)
{
  Run run;

  run_init (&run);
  vigil_rest_connections_add (run.connections, 5, 0);
  for (int64_t now_us = 0; now_us < 10; now_us++)
    g_assert_cmpint (expire (&run, now_us), ==, 10);
  expire (&run, 10);
  g_assert_cmpuint (run.count, ==, 1);
  vigil_rest_connections_free (run.connections);
}

static void
test_a_crowd_gives_way (void)
{
  Run run;
  VigilRestConnection *first;

  run_init (&run);
  first = vigil_rest_connections_add (run.connections, 1, 0);
  vigil_rest_connections_add (run.connections, 2, 1);
  vigil_rest_connections_add (run.connections, 3, 2);
  g_assert_cmpuint (run.count, ==, 0);
  /* The first one is being handled, so the second has waited longest. */
  vigil_rest_connections_set_phase (run.connections, first, HANDLING, 3);
  vigil_rest_connections_add (run.connections, 4, 4);
  g_assert_cmpuint (run.count, ==, 1);
  g_assert_cmpint (run.socket, ==, 2);
  vigil_rest_connections_add (run.connections, 5, 5);
  g_assert_cmpint (run.socket, ==, 3);
  vigil_rest_connections_free (run.connections);
}

/* Who sends no body keeps nobody out either, nor who takes no answer; who has
 * just come stays. */
static void
test_crowds_of_every_kind_give_way (void)
{
  VigilRestConnection *crowd[3];
  Run run;

  run_init (&run);
  for (int i = 0; i < 3; i++)
    crowd[i] = vigil_rest_connections_add (run.connections, i, i);
  vigil_rest_connections_set_phase (run.connections, crowd[0], ANSWER, 3);
  vigil_rest_connections_set_phase (run.connections, crowd[1], HANDLING, 4);
  vigil_rest_connections_set_phase (run.connections, crowd[2], BODY, 5);
  vigil_rest_connections_add (run.connections, 3, 6);
  g_assert_cmpint (run.socket, ==, 0);
  g_assert_cmpint (run.phase, ==, ANSWER);
  vigil_rest_connections_add (run.connections, 4, 7);
  g_assert_cmpint (run.socket, ==, 2);
  g_assert_cmpint (run.phase, ==, BODY);
  g_assert_cmpuint (run.count, ==, 2);
  vigil_rest_connections_free (run.connections);
}

int
main (int argc, char **argv)
{
  vigil_fixture_init (&argc, &argv, 0);
  g_test_add_func ("/rest-connections/phases", test_phases);
  g_test_add_func (
      "/rest-connections/deadline-is-absolute", test_deadline_is_absolute);
  g_test_add_func (
      "/rest-connections/a-crowd-gives-way", test_a_crowd_gives_way);
  g_test_add_func ("/rest-connections/crowds-of-every-kind-give-way",
      test_crowds_of_every_kind_give_way);
  return g_test_run ();
}
