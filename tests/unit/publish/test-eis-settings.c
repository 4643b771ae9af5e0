/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/eis-settings.h"

#include "common/fixture.h"
#include <glib/gstdio.h>
#include <string.h>
#include <zmq.h>

#define ENTRY(more)                                                            \
  "{\"Name\":\"default\",\"Type\":\"zmq_tcp\",\"EndPoint\":\"127.0.0.1:"       \
  "65114\","                                                                   \
  "\"Topics\":[\"results\"]" more "}"
#define TCP(endpoint)                                                          \
  "{\"Name\":\"p\",\"Type\":\"zmq_tcp\",\"Topics\":[\"t\"],"                   \
  "\"EndPoint\":" endpoint "}"
#define IPC(endpoint)                                                          \
  "{\"Name\":\"p\",\"Type\":\"zmq_ipc\",\"Topics\":[\"t\"],"                   \
  "\"EndPoint\":" endpoint "}"

typedef struct {
  const char *name;
  const char *json;
  const char *environment; /* NULL: empty */
  const char *endpoint;    /* NULL: refused */
  const char *problem;     /* "path: text" as a pattern; NULL: none at all */
} Case;

static const Case cases[] = {
    {"sample", ENTRY (",\"AllowedClients\":[\"*\"]"), NULL,
        "tcp://127.0.0.1:65114", NULL},
    {"star", TCP ("\"*:65114\""), NULL, "tcp://*:65114", NULL},
    {"interface", TCP ("\"lo:65114\""), NULL, "tcp://lo:65114", NULL},
    {"localhost", TCP ("\"localhost:65114\""), NULL, NULL,
        "p.EndPoint: 'localhost': a name cannot be bound; want an address as "
        "127.0.0.1 or 0.0.0.0*"},
    {"broker-by-name",
        "{\"Name\":\"p\",\"Type\":\"zmq_tcp\",\"Topics\":[\"t\"],"
        "\"EndPoint\":\"ia_zmq_broker:60514\",\"brokered\":true}",
        NULL, "tcp://ia_zmq_broker:60514", NULL},
    {"no-port", TCP ("\"127.0.0.1\""), NULL, NULL, "p.EndPoint: *host:port*"},
    {"port-0", TCP ("\"127.0.0.1:0\""), NULL, NULL, "p.EndPoint: *1 to 65535"},
    {"port-text", TCP ("\"127.0.0.1:x\""), NULL, NULL, "p.EndPoint: *"},
    {"ipv6", TCP ("\"::1:65114\""), NULL, NULL, "p.EndPoint: *IPv4*"},
    {"no-host", TCP ("\":65114\""), NULL, NULL, "p.EndPoint: *"},
    {"tcp-object", TCP ("{\"SocketDir\":\"/tmp\"}"), NULL, NULL,
        "p.EndPoint: want \"host:port\"*"},
    {"tcp-number", TCP ("65114"), NULL, NULL, "p.EndPoint: want *"},
    {"ipc-folder", IPC ("\"/tmp\""), NULL, "ipc:///tmp/t", NULL},
    {"ipc-file", IPC ("\"/tmp, file\""), NULL, "ipc:///tmp/file", NULL},
    {"ipc-object", IPC ("{\"SocketDir\":\"/tmp\",\"SocketFile\":\"f\"}"), NULL,
        "ipc:///tmp/f", NULL},
    {"ipc-object-folder", IPC ("{\"SocketDir\":\"/tmp\"}"), NULL,
        "ipc:///tmp/t", NULL},
    {"ipc-relative", IPC ("\"sockets\""), NULL, NULL,
        "p.EndPoint: *absolute path*"},
    {"ipc-slash", IPC ("\"/tmp, a/b\""), NULL, NULL,
        "p.EndPoint: want a socket file*"},
    {"ipc-no-folder", IPC ("\"/nowhere-at-all, f\""), NULL,
        "ipc:///nowhere-at-all/f", "p.EndPoint: *no such folder yet"},
    {"ipc-long",
        IPC ("\"/tmp, "
             "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
             "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\""),
        NULL, NULL, "p.EndPoint: *at most 107 bytes"},
    {"ipc-star",
        "{\"Name\":\"p\",\"Type\":\"zmq_ipc\",\"Topics\":[\"*\"],"
        "\"EndPoint\":\"/tmp\"}",
        NULL, NULL, "p.EndPoint: want a socket file*"},
    {"ipc-star-with-file",
        "{\"Name\":\"p\",\"Type\":\"zmq_ipc\",\"Topics\":[\"*\"],"
        "\"EndPoint\":\"/tmp, f\"}",
        NULL, "ipc:///tmp/f", NULL},
    {"no-topics",
        "{\"Name\":\"p\",\"Type\":\"zmq_tcp\",\"Topics\":[],"
        "\"EndPoint\":\"*:1\"}",
        NULL, NULL, "p.Topics: want a list with at least one name"},
    {"long-topic",
        "{\"Name\":\"p\",\"Type\":\"zmq_tcp\",\"EndPoint\":\"*:1\","
        "\"Topics\":[\"0123456789012345678901234567890\"]}",
        NULL, "tcp://*:1", NULL},
    {"too-long-topic",
        "{\"Name\":\"p\",\"Type\":\"zmq_tcp\",\"EndPoint\":\"*:1\","
        "\"Topics\":[\"01234567890123456789012345678901\"]}",
        NULL, "tcp://*:1", "p.Topics: *32 bytes*memory they have freed*"},
    {"reserved-topic",
        "{\"Name\":\"p\",\"Type\":\"zmq_tcp\",\"EndPoint\":\"*:1\","
        "\"Topics\":[\"Socket_Dir\"]}",
        NULL, NULL, "p.Topics: 'Socket_Dir' is a key*"},
    {"two-topics",
        "{\"Name\":\"p\",\"Type\":\"zmq_tcp\",\"EndPoint\":\"*:1\","
        "\"Topics\":[\"a\",\"b\"]}",
        NULL, "tcp://*:1", "p.Topics: only the first*"},
    {"no-name",
        "{\"Type\":\"zmq_tcp\",\"Topics\":[\"t\"],\"EndPoint\":\"*:1\"}", NULL,
        NULL, "p.Name: *"},
    {"bad-type",
        "{\"Name\":\"p\",\"Type\":\"grpc\",\"Topics\":[\"t\"],"
        "\"EndPoint\":\"*:1\"}",
        NULL, NULL, "p.Type: *"},
    {"endpoint-of-name", ENTRY (""), "PUBLISHER_default_ENDPOINT=*:1\n",
        "tcp://*:1", NULL},
    {"endpoint-of-another", ENTRY (""), "PUBLISHER_other_ENDPOINT=*:1\n",
        "tcp://127.0.0.1:65114", NULL},
    {"endpoint-of-all", ENTRY (""),
        "PUBLISHER_default_ENDPOINT=*:1\nPUBLISHER_ENDPOINT=*:2\n", "tcp://*:2",
        NULL},
    {"endpoint-empty", ENTRY (""), "PUBLISHER_ENDPOINT=\n",
        "tcp://127.0.0.1:65114", NULL},
    {"type-of-all", ENTRY (""),
        "PUBLISHER_TYPE=zmq_ipc\nPUBLISHER_ENDPOINT=/tmp\n",
        "ipc:///tmp/results", NULL},
    {"type-wrong", ENTRY (""), "PUBLISHER_TYPE=grpc\n", NULL,
        "p.Type: 'grpc' from the environment*"},
    {"recv-hwm", ENTRY (",\"zmq_recv_hwm\":50"), NULL, "tcp://127.0.0.1:65114",
        "p.zmq_recv_hwm: has no effect*"},
    {"max-bytes", ENTRY (",\"max_bytes\":1"), NULL, NULL, "p.max_bytes: *"},
    {"mode-on-tcp", ENTRY (",\"socket_mode\":\"0660\""), NULL,
        "tcp://127.0.0.1:65114", "p.socket_mode: *IPC*"},
    {"mode-wrong",
        "{\"Name\":\"p\",\"Type\":\"zmq_ipc\",\"Topics\":[\"t\"],"
        "\"EndPoint\":\"/tmp\",\"socket_mode\":\"rw\"}",
        NULL, NULL, "p.socket_mode: want octal*"},
    {"names-without-keys", ENTRY (",\"AllowedClients\":[\"Visualizer\"]"), NULL,
        "tcp://127.0.0.1:65114",
        "p.AllowedClients: has no effect without*everybody may subscribe"},
    {"keys-demanded", ENTRY (""), "DEV_MODE=false\n", NULL,
        "p.server_secret_key_file: is missing*"},
    {"keys-not-there", ENTRY (",\"server_secret_key_file\":\"/nowhere/key\""),
        NULL, NULL, "p.server_secret_key_file: /nowhere/key: *"},
    {"keys-switched-off",
        ENTRY (",\"server_secret_key_file\":\"/nowhere/key\""),
        "DEV_MODE=TRUE\n", "tcp://127.0.0.1:65114",
        "p.server_secret_key_file: is not used: DEV_MODE*"},
    {"keys-on-ipc",
        "{\"Name\":\"p\",\"Type\":\"zmq_ipc\",\"Topics\":[\"t\"],"
        "\"EndPoint\":\"/tmp\",\"server_secret_key_file\":\"k\"}",
        NULL, "ipc:///tmp/t", "p.server_secret_key_file: *IPC*"},
};

static VigilEisSettings *
read_settings (const char *json_text, const char *environment_text,
    const char *folder, VigilProblems *problems)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VigilJson) json =
      vigil_json_parse (json_text, -1, 1 << 20, 64, &error);
  g_autoptr (VigilEnvironment) environment = NULL;

  g_assert_no_error (error);
  environment = vigil_environment_parse (
      environment_text, strlen (environment_text), ".env", &error);
  g_assert_no_error (error);
  return vigil_eis_settings_new (json, "p", environment, folder, problems);
}

static void
test_case (const void *data)
{
  const Case *self = data;
  g_autoptr (VigilProblems) problems = vigil_problems_new ();
  g_autoptr (VigilEisSettings) settings = read_settings (self->json,
      self->environment != NULL ? self->environment : "", NULL, problems);

  for (unsigned i = 0; i < vigil_problems_get_size (problems); i++) {
    const VigilProblem *problem = vigil_problems_get (problems, i);
    g_autofree char *text =
        g_strdup_printf ("%s: %s", problem->path, problem->text);

    g_test_message ("%s", text);
    g_assert_nonnull (self->problem);
    g_assert_cmpuint (vigil_problems_get_size (problems), ==, 1);
    g_assert_true (g_pattern_match_simple (self->problem, text));
  }
  if (self->problem != NULL)
    g_assert_cmpuint (vigil_problems_get_size (problems), ==, 1);
  if (self->endpoint == NULL) {
    g_assert_null (settings);
  } else {
    g_assert_nonnull (settings);
    g_assert_cmpstr (settings->endpoint, ==, self->endpoint);
  }
}

static void
test_values (VigilFixture *fixture, gconstpointer data)
{
  g_autoptr (VigilProblems) problems = vigil_problems_new ();
  g_autoptr (VigilEisSettings) first =
      read_settings (ENTRY (""), "", NULL, problems);
  g_autoptr (VigilEisSettings) second = read_settings (
      "{\"Name\":\"p\",\"Type\":\"zmq_ipc\",\"Topics\":[\"*\"],"
      "\"EndPoint\":\"/tmp, f\",\"socket_mode\":\"0620\",\"max_bytes\":4096}",
      "", NULL, problems);

  g_assert_cmpuint (vigil_problems_get_size (problems), ==, 0);
  g_assert_cmpstr (first->name, ==, "default");
  g_assert_cmpstr (first->topic, ==, "results");
  g_assert_null (first->socket_path);
  g_assert_cmpint (first->socket_mode, ==, -1);
  g_assert_cmpuint (first->max_bytes, ==, 64 << 20);
  g_assert_false (first->is_brokered);
  g_assert_false (first->is_secured);
  g_assert_cmpstr (second->topic, ==, "");
  g_assert_cmpstr (second->socket_path, ==, "/tmp/f");
  g_assert_cmpint (second->socket_mode, ==, 0620);
  g_assert_cmpuint (second->max_bytes, ==, 4096);
  vigil_eis_settings_free (NULL);
}

static void
test_keys_of_a_binder (VigilFixture *fixture, gconstpointer data)
{
  char secret[VIGIL_EIS_KEY_SIZE], public[VIGIL_EIS_KEY_SIZE];
  g_autoptr (VigilProblems) problems = vigil_problems_new ();
  g_autoptr (VigilEisSettings) everybody = NULL;
  g_autoptr (VigilEisSettings) one = NULL;
  g_autofree char *path = NULL;

  g_assert_cmpint (zmq_curve_keypair (public, secret), ==, 0);
  path = vigil_fixture_write (fixture, "secret", secret);
  g_assert_cmpint (g_chmod (path, 0600), ==, 0);
  everybody = read_settings (ENTRY (",\"server_secret_key_file\":\"secret\""),
      "DEV_MODE=false\n", fixture->folder, problems);
  g_assert_cmpuint (vigil_problems_get_size (problems), ==, 0);
  g_assert_true (everybody->is_secured);
  g_assert_cmpstr (everybody->secret_key, ==, secret);
  g_assert_cmpstr (everybody->public_key, ==, public);
  g_assert_null (everybody->allowed);

  one = read_settings (
      ENTRY (",\"server_secret_key_file\":\"secret\",\"AllowedClients\":"
             "[\"missing\"],\"public_keys_folder\":\".\""),
      "", fixture->folder, problems);
  g_assert_null (one);
  g_assert_cmpuint (vigil_problems_count_errors (problems), ==, 1);
  g_assert_cmpstr (
      vigil_problems_get (problems, 0)->path, ==, "p.AllowedClients");
}

static void
test_names_need_a_folder (VigilFixture *fixture, gconstpointer data)
{
  char secret[VIGIL_EIS_KEY_SIZE], public[VIGIL_EIS_KEY_SIZE];
  g_autoptr (VigilProblems) problems = vigil_problems_new ();
  g_autofree char *path = NULL;

  g_assert_cmpint (zmq_curve_keypair (public, secret), ==, 0);
  path = vigil_fixture_write (fixture, "secret", secret);
  g_assert_cmpint (g_chmod (path, 0644), ==, 0);
  g_assert_null (read_settings (
      ENTRY (",\"server_secret_key_file\":\"secret\",\"AllowedClients\":"
             "[\"Visualizer\"]"),
      "", fixture->folder, problems));
  /* the loose permission, and the folder */
  g_assert_cmpuint (vigil_problems_get_size (problems), ==, 2);
  g_assert_cmpuint (vigil_problems_count_errors (problems), ==, 1);
  g_assert_cmpstr (
      vigil_problems_get (problems, 1)->path, ==, "p.public_keys_folder");
}

static void
test_keys_of_a_broker (VigilFixture *fixture, gconstpointer data)
{
  char secret[VIGIL_EIS_KEY_SIZE], public[VIGIL_EIS_KEY_SIZE];
  char broker_secret[VIGIL_EIS_KEY_SIZE], broker_public[VIGIL_EIS_KEY_SIZE];
  g_autoptr (VigilProblems) problems = vigil_problems_new ();
  g_autoptr (VigilEisSettings) settings = NULL;
  g_autofree char *path = NULL;
  g_autofree char *broker_path = NULL;

  g_assert_cmpint (zmq_curve_keypair (public, secret), ==, 0);
  g_assert_cmpint (zmq_curve_keypair (broker_public, broker_secret), ==, 0);
  path = vigil_fixture_write (fixture, "secret", secret);
  broker_path = vigil_fixture_write (fixture, "broker", broker_public);
  g_assert_cmpint (g_chmod (path, 0600), ==, 0);
  g_assert_null (read_settings (
      ENTRY (",\"brokered\":true,\"client_secret_key_file\":\"secret\""), "",
      fixture->folder, problems));
  g_assert_cmpuint (vigil_problems_count_errors (problems), ==, 1);
  settings = read_settings (
      ENTRY (",\"brokered\":true,\"client_secret_key_file\":\"secret\","
             "\"server_public_key_file\":\"broker\""),
      "", fixture->folder, problems);
  g_assert_nonnull (settings);
  g_assert_cmpstr (settings->server_key, ==, broker_public);
  g_assert_cmpstr (settings->public_key, ==, public);
}

static void
add (const char *path,
    void (*function) (VigilFixture *fixture, gconstpointer data))
{
  g_test_add (path, VigilFixture, NULL, vigil_fixture_set_up, function,
      vigil_fixture_tear_down);
}

int
main (int argc, char **argv)
{
  vigil_fixture_init (&argc, &argv, 0);
  for (unsigned i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *path = g_strconcat ("/eis-settings/", cases[i].name, NULL);

    g_test_add_data_func (path, &cases[i], test_case);
  }
  add ("/eis-settings/values", test_values);
  add ("/eis-settings/keys-of-a-binder", test_keys_of_a_binder);
  add ("/eis-settings/names-need-a-folder", test_names_need_a_folder);
  add ("/eis-settings/keys-of-a-broker", test_keys_of_a_broker);
  return g_test_run ();
}
