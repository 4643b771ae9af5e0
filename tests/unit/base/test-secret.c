/* SPDX-License-Identifier: Apache-2.0 */
#include "base/secret.h"

#include "base/error.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct {
  char *folder;
} Fixture;

static void
set_up (Fixture *self, const void *data)
{
  self->folder = g_dir_make_tmp ("vigil-secret-XXXXXX", NULL);
  g_assert_nonnull (self->folder);
}

static void
tear_down (Fixture *self, const void *data)
{
  g_autoptr (GDir) folder = g_dir_open (self->folder, 0, NULL);

  for (const char *name = g_dir_read_name (folder); name != NULL;
       name = g_dir_read_name (folder)) {
    g_autofree char *path = g_build_filename (self->folder, name, NULL);
    g_assert_cmpint (g_remove (path), ==, 0);
  }
  g_assert_cmpint (g_rmdir (self->folder), ==, 0);
  g_free (self->folder);
}

static char *
write_file (Fixture *self, const char *name, const char *text, gssize length)
{
  char *path = g_build_filename (self->folder, name, NULL);

  g_assert_true (g_file_set_contents_full (
      path, text, length, G_FILE_SET_CONTENTS_CONSISTENT, 0600, NULL));
  return path;
}

static void
assert_value (VigilSecret *secret, const char *value)
{
  g_assert_nonnull (secret);
  g_assert_cmpstr (vigil_secret_get (secret), ==, value);
  g_assert_cmpuint (vigil_secret_get_length (secret), ==, strlen (value));
}

/* What /proc/self/smaps says of the mapping that holds @address. */
static gboolean
has_flag (const void *address, const char *flag)
{
  g_autofree char *text = NULL;
  gboolean is_inside = FALSE;

  g_assert_true (g_file_get_contents ("/proc/self/smaps", &text, NULL, NULL));
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  for (unsigned i = 0; lines[i] != NULL; i++) {
    unsigned long start, end;
    if (sscanf (lines[i], "%lx-%lx ", &start, &end) == 2)
      is_inside =
          (unsigned long)address >= start && (unsigned long)address < end;
    else if (is_inside && g_str_has_prefix (lines[i], "VmFlags:"))
      return strstr (lines[i], flag) != NULL;
  }
  g_assert_not_reached ();
}

static void
test_memory (Fixture *self, const void *data)
{
  g_autoptr (VigilSecret) secret = vigil_secret_new ("s3cret", 6);
  g_autoptr (VigilSecret) again = vigil_secret_ref (secret);

  assert_value (again, "s3cret");
  g_assert_true (has_flag (vigil_secret_get (secret), " dd"));
  vigil_secret_unref (NULL);
}

static void
test_empty (Fixture *self, const void *data)
{
  g_autoptr (VigilSecret) secret = vigil_secret_new (NULL, 0);

  assert_value (secret, "");
}

static void
test_read_file (Fixture *self, const void *data)
{
  g_autofree char *path = write_file (self, "key", "a\0b\n", 4);
  g_autoptr (GError) error = NULL;
  g_autoptr (VigilSecret) secret = vigil_secret_read_file (path, &error);

  g_assert_no_error (error);
  g_assert_cmpmem (
      vigil_secret_get (secret), vigil_secret_get_length (secret), "a\0b\n", 4);
}

static void
test_read_line (Fixture *self, const void *data)
{
  const struct {
    const char *text;
    const char *value; /* NULL: an error */
  } cases[] = {
      {"word", "word"},
      {"word\n", "word"},
      {"word\r\nmore\n", "word"},
      {" with spaces \n", " with spaces "},
      {"", NULL},
      {"\nword\n", NULL},
      {"\r\n", NULL},
  };

  for (unsigned i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *path = write_file (self, "line", cases[i].text, -1);
    g_autoptr (GError) error = NULL;
    g_autoptr (VigilSecret) secret = vigil_secret_read_line (path, &error);
    if (cases[i].value == NULL) {
      g_assert_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID);
      g_assert_nonnull (strstr (error->message, "first line"));
      continue;
    }
    g_assert_no_error (error);
    assert_value (secret, cases[i].value);
  }
}

static void
test_read_bad (Fixture *self, const void *data)
{
  g_autofree char *fifo = g_build_filename (self->folder, "fifo", NULL);
  g_autofree char *big = g_build_filename (self->folder, "big", NULL);
  g_autofree char *missing = g_build_filename (self->folder, "none", NULL);

  g_assert_cmpint (mkfifo (fifo, 0600), ==, 0);
  g_autoptr (GError) error = NULL;
  g_assert_null (vigil_secret_read_file (fifo, &error));
  g_assert_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID);
  g_clear_error (&error);

  g_assert_null (vigil_secret_read_file (self->folder, &error));
  g_assert_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID);
  g_clear_error (&error);

  g_assert_null (vigil_secret_read_file (missing, &error));
  g_assert_error (error, VIGIL_ERROR, VIGIL_ERROR_NOT_FOUND);
  g_assert_nonnull (strstr (error->message, missing));
  g_clear_error (&error);

  g_assert_true (g_file_set_contents (big, "", 0, NULL));
  g_assert_cmpint (truncate (big, VIGIL_SECRET_FILE_MAX_BYTES + 1), ==, 0);
  g_assert_null (vigil_secret_read_file (big, &error));
  g_assert_error (error, VIGIL_ERROR, VIGIL_ERROR_LIMIT);
}

static void
test_permissions (Fixture *self, const void *data)
{
  const struct {
    mode_t mode;
    const char *word; /* NULL: nothing to say */
  } cases[] = {
      {0600, NULL},
      {0400, NULL},
      {0640, NULL},
      {0644, "read by every user: chmod 640"},
      {0604, "read by every user: chmod 600"},
      {0660, "changed by its group"},
      {0666, "changed by every user"},
  };
  g_autofree char *path = write_file (self, "key", "x", -1);

  for (unsigned i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_test_message ("%o", cases[i].mode);
    g_assert_cmpint (g_chmod (path, cases[i].mode), ==, 0);
    g_autofree char *text = vigil_secret_check_permissions (path);
    if (cases[i].word == NULL)
      g_assert_null (text);
    else
      g_assert_nonnull (strstr (text, cases[i].word));
  }
  g_assert_null (vigil_secret_check_permissions ("/does/not/exist"));
}

/* The text that every process of the same user can see. */
static gboolean
is_in_proc_environ (const char *needle)
{
  g_autofree char *text = NULL;
  size_t size;

  g_assert_true (
      g_file_get_contents ("/proc/self/environ", &text, &size, NULL));
  return memmem (text, size, needle, strlen (needle)) != NULL;
}

static void
test_environment_wiped (void)
{
  if (g_getenv ("VIGIL_TEST_SECRET") == NULL && !g_test_subprocess ()) {
    /* /proc shows the environment that a process was started with. */
    g_auto (GStrv) environment = g_environ_setenv (
        g_get_environ (), "VIGIL_TEST_SECRET", "CANARY-42", TRUE);
    char *arguments[] = {(char *)"/proc/self/exe", (char *)"-p",
        (char *)"/secret/environment-wiped", NULL};
    g_autofree char *self_path = g_file_read_link ("/proc/self/exe", NULL);
    arguments[0] = self_path;
    int status = -1;
    g_assert_true (g_spawn_sync (NULL, arguments, environment,
        G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL, NULL, NULL, &status, NULL));
    g_assert_true (g_spawn_check_wait_status (status, NULL));
    return;
  }
  g_assert_true (is_in_proc_environ ("CANARY-42"));
  g_autoptr (VigilSecret) first =
      vigil_secret_take_environment ("VIGIL_TEST_SECRET");
  assert_value (first, "CANARY-42");
  g_assert_false (is_in_proc_environ ("CANARY-42"));
  g_autoptr (VigilSecret) second =
      vigil_secret_take_environment ("VIGIL_TEST_SECRET");
  assert_value (second, "CANARY-42");
  g_assert_null (vigil_secret_take_environment ("VIGIL_TEST_NOTHING"));
}

static void
test_order (Fixture *self, const void *data)
{
  g_autofree char *credential =
      write_file (self, "mqtt-password", "credential", -1);
  g_autofree char *file = write_file (self, "file", "file", -1);
  g_autofree char *variable = write_file (self, "variable", "variable", -1);
  g_autofree char *fallback = write_file (self, "fallback", "dotfile", -1);
  VigilSecretSources sources = {
      "mqtt-password", file, "VIGIL_TEST_ORDER", fallback, "dotenv", "literal"};
  const char *expected[] = {"credential", "file", "variable", "value",
      "dotfile", "dotenv", "literal"};

  g_setenv ("CREDENTIALS_DIRECTORY", self->folder, TRUE);
  g_setenv ("VIGIL_TEST_ORDER_FILE", variable, TRUE);
  g_setenv ("VIGIL_TEST_ORDER", "value", TRUE);
  for (unsigned i = 0; i < G_N_ELEMENTS (expected); i++) {
    g_autoptr (GPtrArray) warnings = g_ptr_array_new_with_free_func (g_free);
    g_autoptr (GError) error = NULL;
    g_autoptr (VigilSecret) secret =
        vigil_secret_find (&sources, warnings, &error);
    g_assert_no_error (error);
    assert_value (secret, expected[i]);
    g_assert_cmpuint (warnings->len, ==, i == 6 ? 1 : 0);
    /* Take the source that won away, so that the next one does. */
    if (i == 0)
      sources.credential = NULL;
    else if (i == 1)
      sources.file = NULL;
    else if (i == 2)
      g_unsetenv ("VIGIL_TEST_ORDER_FILE");
    else if (i == 3)
      sources.environment = NULL;
    else if (i == 4)
      sources.fallback_file = NULL;
    else if (i == 5)
      sources.fallback = NULL;
  }
  sources.literal = NULL;
  g_autoptr (GError) error = NULL;
  g_assert_null (vigil_secret_find (&sources, NULL, &error));
  g_assert_no_error (error);
  g_unsetenv ("CREDENTIALS_DIRECTORY");
}

static void
test_find_bad (Fixture *self, const void *data)
{
  g_autofree char *path = write_file (self, "loose", "word", -1);
  VigilSecretSources sources = {.file = "/does/not/exist", .literal = "x"};
  g_autoptr (GPtrArray) warnings = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GError) error = NULL;

  /* A file that was named and is not there must not fall back to a weaker
   * source. */
  g_assert_null (vigil_secret_find (&sources, warnings, &error));
  g_assert_error (error, VIGIL_ERROR, VIGIL_ERROR_NOT_FOUND);

  g_assert_cmpint (g_chmod (path, 0644), ==, 0);
  sources.file = path;
  g_autoptr (VigilSecret) secret = vigil_secret_find (&sources, warnings, NULL);
  assert_value (secret, "word");
  g_assert_cmpuint (warnings->len, ==, 1);
  g_assert_null (strstr (warnings->pdata[0], "word"));
}

static void
test_protect (void)
{
  if (g_test_subprocess ()) {
    vigil_secret_protect_process ();
    g_assert_cmpint (prctl (PR_GET_DUMPABLE), ==, 0);
    return;
  }
  g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
  g_test_trap_assert_passed ();
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(path, function)                                                    \
  g_test_add (path, Fixture, NULL, set_up, function, tear_down)
  ADD ("/secret/memory", test_memory);
  ADD ("/secret/empty", test_empty);
  ADD ("/secret/read-file", test_read_file);
  ADD ("/secret/read-line", test_read_line);
  ADD ("/secret/read-bad", test_read_bad);
  ADD ("/secret/permissions", test_permissions);
  g_test_add_func ("/secret/environment-wiped", test_environment_wiped);
  ADD ("/secret/order", test_order);
  ADD ("/secret/find-bad", test_find_bad);
  g_test_add_func ("/secret/protect", test_protect);
  return g_test_run ();
}
