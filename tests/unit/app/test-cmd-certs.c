/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command itself, and the files it makes under a real mosquitto with
 * mutual TLS, as its own clients see them.
 */
#include "app/commands.h"
#include "common/broker.h"
#include "common/fixture.h"
#include "mqtt/mqtt-tls.h"

#include <glib/gstdio.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

/* Runs the command with standard output in a file of the folder. */
static int
run (VigilFixture *self, char **ret_output, const char *first, ...)
{
  g_autoptr (GPtrArray) arguments = g_ptr_array_new ();
  g_autofree char *path = g_build_filename (self->folder, "output", NULL);
  va_list rest;

  g_ptr_array_add (arguments, (char *)"certs");
  va_start (rest, first);
  for (const char *next = first; next != NULL; next = va_arg (rest, char *))
    g_ptr_array_add (arguments, (char *)next);
  va_end (rest);
  int argc = (int)arguments->len;
  g_ptr_array_add (arguments, NULL);

  fflush (stdout);
  int saved = dup (STDOUT_FILENO);
  g_assert_nonnull (freopen (path, "w", stdout));
  int status = vigil_cmd_certs (argc, (char **)arguments->pdata);
  fflush (stdout);
  dup2 (saved, STDOUT_FILENO);
  close (saved);
  if (ret_output != NULL)
    g_assert_true (g_file_get_contents (path, ret_output, NULL, NULL));
  return status;
}

static char *
certs_folder (VigilFixture *self)
{
  return g_build_filename (self->folder, "certificates", NULL);
}

static mode_t
mode_of (const char *folder, const char *name, uid_t *ret_owner)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  struct stat info;

  g_assert_cmpint (stat (path, &info), ==, 0);
  if (ret_owner != NULL)
    *ret_owner = info.st_uid;
  return info.st_mode & 0777;
}

static char *
read_file (const char *folder, const char *name)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  char *text = NULL;

  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  return text;
}

static void
test_files (VigilFixture *self, const void *data)
{
  g_autofree char *folder = certs_folder (self);
  g_autofree char *output = NULL;
  uid_t owner;

  g_assert_cmpint (
      run (self, &output, folder, "--broker", "localhost", "192.0.2.7", NULL),
      ==, EX_OK);
  g_assert_cmpint (mode_of (folder, "ca.crt", NULL), ==, 0644);
  g_assert_cmpint (mode_of (folder, "ca.key", &owner), ==, 0600);
  g_assert_cmpint (owner, ==, geteuid ());
  g_assert_cmpint (mode_of (folder, "server/server.crt", NULL), ==, 0644);
  g_assert_cmpint (mode_of (folder, "server/server.key", &owner), ==, 0600);
  const struct passwd *mosquitto = getpwnam ("mosquitto");
  if (geteuid () == 0 && mosquitto != NULL)
    g_assert_cmpint (owner, ==, mosquitto->pw_uid);
  g_assert_cmpint (mode_of (folder, "client/client.crt", NULL), ==, 0644);
  g_assert_cmpint (mode_of (folder, "client/client.key", &owner), ==, 0600);
  g_assert_cmpint (owner, ==, geteuid ());

  g_assert_nonnull (strstr (output, "mosquitto_sub -t"));
  g_assert_null (strstr (output, "PRIVATE KEY"));
  g_autofree char *config = read_file (folder, "config-tls.json");
  g_assert_nonnull (strstr (config, "\"client_key\":\"client/client.key\""));
}

static void
test_again (VigilFixture *self, const void *data)
{
  g_autofree char *folder = certs_folder (self);

  g_assert_cmpint (
      run (self, NULL, folder, "--broker", "localhost", NULL), ==, EX_OK);
  g_autofree char *authority = read_file (folder, "ca.crt");
  g_autofree char *key = read_file (folder, "server/server.key");

  /* Nothing is overwritten by mistake ... */
  if (g_test_subprocess ())
    exit (run (self, NULL, folder, "--broker", "localhost", NULL));
  g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
  g_test_trap_assert_failed ();
  g_test_trap_assert_stderr ("*exists: use --renew*");
  g_autofree char *same = read_file (folder, "server/server.key");
  g_assert_cmpstr (same, ==, key);

  /* ... and a renewal keeps the CA. */
  g_assert_cmpint (
      run (self, NULL, folder, "--broker", "localhost", "--renew", NULL), ==,
      EX_OK);
  g_autofree char *authority_after = read_file (folder, "ca.crt");
  g_autofree char *key_after = read_file (folder, "server/server.key");
  g_assert_cmpstr (authority_after, ==, authority);
  g_assert_cmpstr (key_after, !=, key);
}

static void
test_wrong_use (VigilFixture *self, const void *data)
{
  static const struct {
    const char *arguments[5];
    const char *message;
  } cases[] = {
      {{NULL}, "*want --broker HOST_OR_IP*"},
      {{"--broker", "a"}, "*want a folder*"},
      {{"DIR"}, "*want --broker HOST_OR_IP*"},
      {{"DIR", "--broker", "a b"}, "*'a b': want a host name or an IP*"},
      {{"DIR", "--broker", "a", "http://b"}, "*'http://b': want a host*"},
      {{"DIR", "--broker", "a", "--days", "0"}, "*--days 0: want 1 to*"},
      {{"DIR", "--broker", "a", "--days", "x"}, "*days*"},
      {{"/dev/null/x", "--broker", "a"}, "*cannot make the folder*"},
      {{"DIR", "--broker", "a", "--broker-user", "no-such-user"},
          "*user 'no-such-user' does not exist*"},
  };
  size_t index = GPOINTER_TO_SIZE (data);

  if (g_test_subprocess ()) {
    const char *const *a = cases[index].arguments;
    exit (run (self, NULL,
        a[0] == NULL || strcmp (a[0], "DIR") != 0 ? a[0] : self->folder,
        a[0] != NULL ? a[1] : NULL, a[2], a[3], a[4], NULL));
  }
  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *path =
        g_strdup_printf ("/cmd-certs/wrong-use/subprocess/%zu", i);
    g_test_trap_subprocess (path, 0, G_TEST_SUBPROCESS_DEFAULT);
    g_test_trap_assert_failed ();
    g_test_trap_assert_stderr (cases[i].message);
  }
}

/* The broker's configuration as made, but on the test's own address. */
static VigilBroker *
start_broker (VigilFixture *self, const char *folder)
{
  g_autofree char *lines = g_strdup_printf (
      "cafile %s/ca.crt\nkeyfile %s/server/server.key\n"
      "certfile %s/server/server.crt\nrequire_certificate true\n",
      folder, folder, folder);
  g_autofree char *config = read_file (folder, "mosquitto-tls.conf");

  g_assert_nonnull (strstr (config, lines));
  return vigil_broker_new (self, 0, lines);
}

static void
test_mutual_tls (VigilFixture *self, const void *data)
{
  g_autofree char *folder = certs_folder (self);
  const char *address = vigil_fixture_get_address ();

  g_assert_cmpint (
      run (self, NULL, folder, "--broker", address, NULL), ==, EX_OK);
  g_autoptr (VigilBroker) broker = start_broker (self, folder);
  g_autofree char *publish = g_strdup_printf (
      "mosquitto_pub -h %s -p %u -t t -m hello -q 1 --cafile %s/ca.crt",
      address, vigil_broker_get_port (broker), folder);
  int status = -1;

  g_autofree char *with = g_strdup_printf (
      "%s --cert %s/client/client.crt --key %s/client/client.key", publish,
      folder, folder);
  g_assert_true (g_spawn_command_line_sync (with, NULL, NULL, &status, NULL));
  g_assert_cmpint (status, ==, 0);
  /* The broker asks for a certificate. */
  g_assert_true (
      g_spawn_command_line_sync (publish, NULL, NULL, &status, NULL));
  g_assert_cmpint (status, !=, 0);

  /* What was made is taken by our own client without a warning. */
  g_autofree char *ca = g_build_filename (folder, "ca.crt", NULL);
  g_autofree char *crt = g_build_filename (folder, "client/client.crt", NULL);
  g_autofree char *key = g_build_filename (folder, "client/client.key", NULL);
  const VigilMqttTlsSettings settings = {
      .ca_cert = ca, .client_cert = crt, .client_key = key};
  g_autoptr (GPtrArray) warnings = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GError) error = NULL;
  g_autoptr (VigilMqttTls) tls =
      vigil_mqtt_tls_new (&settings, warnings, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (warnings->len, ==, 0);
}

int
main (int argc, char **argv)
{
  vigil_fixture_init (&argc, &argv, 0);
#define ADD(path, data, function)                                              \
  g_test_add (path, VigilFixture, data, vigil_fixture_set_up, function,        \
      vigil_fixture_tear_down)
  ADD ("/cmd-certs/files", NULL, test_files);
  ADD ("/cmd-certs/again", NULL, test_again);
  ADD ("/cmd-certs/wrong-use", NULL, test_wrong_use);
  for (size_t i = 0; i < 9; i++) {
    g_autofree char *path =
        g_strdup_printf ("/cmd-certs/wrong-use/subprocess/%zu", i);
    ADD (path, GSIZE_TO_POINTER (i), test_wrong_use);
  }
  ADD ("/cmd-certs/mutual-tls", NULL, test_mutual_tls);
  return g_test_run ();
}
