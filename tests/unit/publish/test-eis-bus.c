/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/eis-bus.h"

#include "common/eis-reader.h"
#include "common/fixture.h"
#include <glib/gstdio.h>
#include <string.h>
#include <zmq.h>

typedef struct {
  VigilFixture base;
  VigilEnvironment *environment;
  VigilProblems *problems;
  VigilEisBus *bus;
} Fixture;

static void
set_up (Fixture *self, gconstpointer data)
{
  vigil_fixture_set_up (&self->base, data);
  self->environment = vigil_environment_parse ("", 0, ".env", NULL);
  self->problems = vigil_problems_new ();
}

static void
tear_down (Fixture *self, gconstpointer data)
{
  vigil_eis_bus_free (self->bus, 0);
  vigil_problems_free (self->problems);
  vigil_environment_free (self->environment);
  vigil_fixture_tear_down (&self->base, data);
}

static void
make_bus (Fixture *self, const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VigilJson) json = vigil_json_parse (text, -1, 1 << 20, 64, &error);

  g_assert_no_error (error);
  self->bus = vigil_eis_bus_new (
      json, self->environment, self->base.folder, self->problems);
}

static VigilEisSocket *
get_socket (Fixture *self, const char *name)
{
  g_autoptr (GError) error = NULL;
  VigilEisSocket *socket = vigil_eis_bus_get_socket (
      self->bus, vigil_eis_bus_find (self->bus, name), &error);

  g_assert_no_error (error);
  g_assert_nonnull (socket);
  return socket;
}

static void
test_no_interfaces (Fixture *self, gconstpointer data)
{
  g_autofree char *names = NULL;

  self->bus = vigil_eis_bus_new (NULL, self->environment, NULL, self->problems);
  names = vigil_eis_bus_dup_names (self->bus);
  g_assert_cmpstr (names, ==, "");
  g_assert_null (vigil_eis_bus_find (self->bus, NULL));
  g_assert_null (vigil_eis_bus_find (NULL, "default"));
  vigil_eis_bus_free (NULL, 0);
}

static void
test_find (Fixture *self, gconstpointer data)
{
  g_autofree char *names = NULL;

  make_bus (self,
      "{\"Publishers\":["
      "{\"Name\":\"one\",\"Type\":\"zmq_tcp\",\"EndPoint\":\"*:1\","
      "\"Topics\":[\"a\"]},"
      "{\"Name\":\"broken\",\"Type\":\"zmq_tcp\",\"EndPoint\":\"localhost:1\","
      "\"Topics\":[\"a\"]},"
      "{\"Name\":\"two\",\"Type\":\"zmq_tcp\",\"EndPoint\":\"*:2\","
      "\"Topics\":[\"b\"]}]}");
  names = vigil_eis_bus_dup_names (self->bus);
  g_assert_cmpstr (names, ==, "one, two");
  g_assert_cmpstr (vigil_eis_bus_find (self->bus, NULL)->name, ==, "one");
  g_assert_cmpstr (vigil_eis_bus_find (self->bus, "two")->topic, ==, "b");
  g_assert_null (vigil_eis_bus_find (self->bus, "broken"));
  g_assert_null (vigil_eis_bus_find (self->bus, "three"));
  g_assert_cmpuint (vigil_problems_count_errors (self->problems), ==, 1);
  g_assert_cmpstr (vigil_problems_get (self->problems, 0)->path, ==,
      "interfaces.Publishers[1].EndPoint");
}

static const struct {
  const char *name;
  const char *text;
  VigilProblemSeverity severity;
  const char *problem;
} wrong[] = {
    {"subscribers", "{\"Subscribers\":[]}", VIGIL_PROBLEM_WARNING,
        "interfaces.Subscribers: has no effect*"},
    {"grpc-clients", "{\"Clients\":[]}", VIGIL_PROBLEM_WARNING,
        "interfaces.Clients: *gRPC*"},
    {"publishers-type", "{\"Publishers\":{}}", VIGIL_PROBLEM_ERROR,
        "interfaces.Publishers: want a list*"},
    {"no-object", "{\"Publishers\":[7]}", VIGIL_PROBLEM_ERROR,
        "interfaces.Publishers?0?: want an object*"},
    {"same-name",
        "{\"Publishers\":["
        "{\"Name\":\"a\",\"Type\":\"zmq_tcp\",\"EndPoint\":\"*:1\","
        "\"Topics\":[\"a\"]},"
        "{\"Name\":\"a\",\"Type\":\"zmq_tcp\",\"EndPoint\":\"*:2\","
        "\"Topics\":[\"b\"]}]}",
        VIGIL_PROBLEM_ERROR, "interfaces.Publishers?1?: 'a' is the Name of*"},
    {"two-minds",
        "{\"Publishers\":["
        "{\"Name\":\"a\",\"Type\":\"zmq_tcp\",\"EndPoint\":\"*:1\","
        "\"Topics\":[\"a\"]},"
        "{\"Name\":\"b\",\"Type\":\"zmq_tcp\",\"EndPoint\":\"*:1\","
        "\"brokered\":true,\"Topics\":[\"b\"]}]}",
        VIGIL_PROBLEM_ERROR,
        "interfaces.Publishers?1?: 'a' and 'b' share an endpoint*"},
};

static void
test_wrong (Fixture *self, gconstpointer data)
{
  const size_t index = GPOINTER_TO_SIZE (data);
  const VigilProblem *problem;
  g_autofree char *text = NULL;

  make_bus (self, wrong[index].text);
  g_assert_cmpuint (vigil_problems_get_size (self->problems), ==, 1);
  problem = vigil_problems_get (self->problems, 0);
  g_assert_cmpint (problem->severity, ==, wrong[index].severity);
  text = g_strdup_printf ("%s: %s", problem->path, problem->text);
  g_test_message ("%s", text);
  g_assert_true (g_pattern_match_simple (wrong[index].problem, text));
}

/* Two publishers of one endpoint, each with its topic. */
static void
test_an_endpoint_has_one_socket (Fixture *self, gconstpointer data)
{
  const unsigned port = vigil_fixture_find_port ();
  const char *address = vigil_fixture_get_address ();
  g_autofree char *text = g_strdup_printf (
      "{\"Publishers\":["
      "{\"Name\":\"a\",\"Type\":\"zmq_tcp\",\"EndPoint\":\"%s:%u\","
      "\"Topics\":[\"a\"]},"
      "{\"Name\":\"b\",\"Type\":\"zmq_tcp\",\"EndPoint\":\"%s:%u\","
      "\"Topics\":[\"b\"]},"
      "{\"Name\":\"c\",\"Type\":\"zmq_ipc\",\"EndPoint\":\"%s\","
      "\"Topics\":[\"c\"]}]}",
      address, port, address, port, self->base.folder);

  make_bus (self, text);
  g_assert_cmpuint (vigil_problems_get_size (self->problems), ==, 0);
  g_assert_true (get_socket (self, "a") == get_socket (self, "b"));
  g_assert_true (get_socket (self, "a") != get_socket (self, "c"));
}

/* What was sent just before the end of the server arrives. */
static void
test_free_flushes (Fixture *self, gconstpointer data)
{
  g_autofree char *text = g_strdup_printf (
      "{\"Publishers\":[{\"Name\":\"a\",\"Type\":\"zmq_ipc\",\"EndPoint\":"
      "\"%s, s\",\"Topics\":[\"a\"]}]}",
      self->base.folder);
  g_autofree char *endpoint = g_strdup_printf ("ipc://%s/s", self->base.folder);
  g_autoptr (TestEisReader) reader = test_eis_reader_new (endpoint, NULL);
  g_autoptr (GBytes) json = g_bytes_new_static ("{}", 2);
  g_autoptr (TestEisMessage) first = NULL;
  VigilEisSocket *socket;
  unsigned count = 1;

  make_bus (self, text);
  socket = get_socket (self, "a");
  while (first == NULL) {
    g_assert_true (vigil_eis_socket_open (socket, 2));
    g_assert_true (vigil_eis_socket_send (socket, "sync", json, NULL));
    first = test_eis_reader_read (reader, 20);
  }
  for (unsigned i = 0; i < 200; i++) {
    g_autoptr (GBytes) blob = g_bytes_new_take (g_malloc0 (100000), 100000);

    g_assert_true (vigil_eis_socket_send (socket, "a", json, blob));
  }
  vigil_eis_bus_free (g_steal_pointer (&self->bus), 15000);
  while (count <= 200) {
    g_autoptr (TestEisMessage) message = test_eis_reader_read (reader, 15000);

    g_assert_nonnull (message);
    count += strcmp (message->topic, "a") == 0;
  }
}

/* One context, two lists of clients: each endpoint has its own. */
static void
test_lists_do_not_mix (Fixture *self, gconstpointer data)
{
  char secret[41], public[41], keys[2][2][41];
  g_autofree char *secret_path = NULL;
  g_autofree char *text = NULL;
  unsigned ports[2] = {vigil_fixture_find_port (), vigil_fixture_find_port ()};
  g_autoptr (GBytes) json = g_bytes_new_static ("{}", 2);

  zmq_curve_keypair (public, secret);
  secret_path = vigil_fixture_write (&self->base, "secret", secret);
  g_chmod (secret_path, 0600);
  for (unsigned i = 0; i < 2; i++) {
    g_autofree char *name = g_strdup_printf ("clients%u", i);
    g_autofree char *folder = g_build_filename (self->base.folder, name, NULL);
    g_autofree char *file = g_build_filename (folder, "visualizer", NULL);

    zmq_curve_keypair (keys[i][0], keys[i][1]);
    g_mkdir (folder, 0700);
    g_assert_true (g_file_set_contents (file, keys[i][0], -1, NULL));
  }
  text = g_strdup_printf (
      "{\"Publishers\":["
      "{\"Name\":\"a\",\"Type\":\"zmq_tcp\",\"EndPoint\":\"%s:%u\","
      "\"Topics\":[\"t\"],\"server_secret_key_file\":\"secret\","
      "\"public_keys_folder\":\"clients0\",\"AllowedClients\":[\"*\"]},"
      "{\"Name\":\"b\",\"Type\":\"zmq_tcp\",\"EndPoint\":\"%s:%u\","
      "\"Topics\":[\"t\"],\"server_secret_key_file\":\"secret\","
      "\"public_keys_folder\":\"clients1\","
      "\"AllowedClients\":[\"visualizer\"]}]}",
      vigil_fixture_get_address (), ports[0], vigil_fixture_get_address (),
      ports[1]);
  make_bus (self, text);
  g_assert_cmpuint (vigil_problems_get_size (self->problems), ==, 0);
  for (unsigned i = 0; i < 2; i++) {
    VigilEisSocket *socket = get_socket (self, i == 0 ? "a" : "b");
    g_autofree char *endpoint =
        g_strdup_printf ("tcp://%s:%u", vigil_fixture_get_address (), ports[i]);
    const TestEisReaderOptions mine = {.server_key = public,
        .public_key = keys[i][0],
        .secret_key = keys[i][1]};
    const TestEisReaderOptions others = {.server_key = public,
        .public_key = keys[1 - i][0],
        .secret_key = keys[1 - i][1]};
    g_autoptr (TestEisReader) stranger =
        test_eis_reader_new (endpoint, &others);
    g_autoptr (TestEisReader) reader = test_eis_reader_new (endpoint, &mine);
    g_autoptr (TestEisMessage) message = NULL;

    while (message == NULL) {
      g_assert_true (vigil_eis_socket_open (socket, 2));
      g_assert_true (vigil_eis_socket_send (socket, "t", json, NULL));
      message = test_eis_reader_read (reader, 20);
    }
    g_assert_true (vigil_eis_socket_send (socket, "t", json, NULL));
    g_assert_null (test_eis_reader_read (stranger, 100));
  }
}

static void
add (const char *path, gconstpointer data,
    void (*function) (Fixture *self, gconstpointer data))
{
  g_autofree char *full = g_strconcat ("/eis-bus/", path, NULL);

  g_test_add (full, Fixture, data, set_up, function, tear_down);
}

int
main (int argc, char **argv)
{
  vigil_fixture_init (&argc, &argv, 0);
  add ("no-interfaces", NULL, test_no_interfaces);
  add ("find", NULL, test_find);
  for (size_t i = 0; i < G_N_ELEMENTS (wrong); i++) {
    g_autofree char *path = g_strconcat ("wrong/", wrong[i].name, NULL);

    add (path, GSIZE_TO_POINTER (i), test_wrong);
  }
  add ("one-socket", NULL, test_an_endpoint_has_one_socket);
  add ("free-flushes", NULL, test_free_flushes);
  add ("lists-do-not-mix", NULL, test_lists_do_not_mix);
  return g_test_run ();
}
