/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"
#include "base/file.h"

#include "common/fixture.h"
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void
test_whole_file (VigilFixture *fixture, gconstpointer data)
{
  /* Longer than one read. */
  g_autofree char *content = g_strnfill (100000, 'x');
  g_autofree char *path = vigil_fixture_write (fixture, "file", content);
  g_autoptr (GError) error = NULL;
  size_t size = 0;
  g_autofree char *bytes = vigil_file_read (path, 100000, &size, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (size, ==, 100000);
  g_assert_cmpstr (bytes, ==, content);
}

static void
test_empty_file (VigilFixture *fixture, gconstpointer data)
{
  g_autofree char *path = vigil_fixture_write (fixture, "file", "");
  g_autoptr (GError) error = NULL;
  size_t size = 1;
  g_autofree char *bytes = vigil_file_read (path, 0, &size, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (size, ==, 0);
  g_assert_cmpstr (bytes, ==, "");
}

/* Nobody has the other end open, and nobody will. */
static void
test_pipe_without_writer (VigilFixture *fixture, gconstpointer data)
{
  g_autofree char *path = g_build_filename (fixture->folder, "pipe", NULL);
  g_autoptr (GError) error = NULL;
  size_t size = 1;
  g_assert_cmpint (mkfifo (path, 0600), ==, 0);
  g_autofree char *bytes = vigil_file_read (path, 100, &size, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (size, ==, 0);
  g_assert_cmpstr (bytes, ==, "");
}

static void *
write_late (void *data)
{
  int descriptor = GPOINTER_TO_INT (data);
  g_usleep (20 * 1000);
  g_assert_cmpint (write (descriptor, "late", 4), ==, 4);
  close (descriptor);
  return NULL;
}

/* As a shell's <(...): open, but silent at first. */
static void
test_pipe_with_writer (VigilFixture *fixture, gconstpointer data)
{
  int ends[2];
  g_assert_cmpint (pipe (ends), ==, 0);
  g_autofree char *path = g_strdup_printf ("/dev/fd/%d", ends[0]);
  GThread *writer =
      g_thread_new ("writer", write_late, GINT_TO_POINTER (ends[1]));
  g_autoptr (GError) error = NULL;
  size_t size = 0;
  g_autofree char *bytes = vigil_file_read (path, 100, &size, &error);
  g_thread_join (writer);
  close (ends[0]);
  g_assert_no_error (error);
  g_assert_cmpstr (bytes, ==, "late");
}

static const struct {
  const char *name;
  const char *path;
  VigilErrorCode code;
  const char *text;
} faults[] = {
    {"missing", "/nowhere/file", VIGIL_ERROR_NOT_FOUND,
        "/nowhere/file: want a file that can be read: *"},
    {"folder", "/", VIGIL_ERROR_INVALID, "/: want a file that can be read: *"},
    {"endless", "/dev/zero", VIGIL_ERROR_LIMIT,
        "/dev/zero: too long: want at most 10000 bytes"},
};

static void
test_fault (VigilFixture *fixture, gconstpointer data)
{
  const typeof (faults[0]) *fault = data;
  g_autoptr (GError) error = NULL;
  size_t size = 7;
  g_assert_null (vigil_file_read (fault->path, 10000, &size, &error));
  g_assert_error (error, VIGIL_ERROR, (int)fault->code);
  g_assert_true (g_pattern_match_simple (fault->text, error->message));
  g_assert_cmpuint (size, ==, 7);
}

static void
test_resolve (void)
{
  static const struct {
    const char *path;
    const char *folder;
    const char *want;
  } cases[] = {
      {"a/b", "/c", "/c/a/b"},
      {"/a/b", "/c", "/a/b"},
      {"a/b", NULL, "a/b"},
      {"../a", "/c/d/", "/c/d/../a"},
  };

  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *path = vigil_file_resolve (cases[i].path, cases[i].folder);

    g_assert_cmpstr (path, ==, cases[i].want);
  }
}

int
main (int argc, char **argv)
{
  vigil_fixture_init (&argc, &argv, 0);
  g_test_add ("/file/whole-file", VigilFixture, NULL, vigil_fixture_set_up,
      test_whole_file, vigil_fixture_tear_down);
  g_test_add ("/file/empty-file", VigilFixture, NULL, vigil_fixture_set_up,
      test_empty_file, vigil_fixture_tear_down);
  g_test_add_func ("/file/resolve", test_resolve);
  g_test_add ("/file/pipe-without-writer", VigilFixture, NULL,
      vigil_fixture_set_up, test_pipe_without_writer, vigil_fixture_tear_down);
  g_test_add ("/file/pipe-with-writer", VigilFixture, NULL,
      vigil_fixture_set_up, test_pipe_with_writer, vigil_fixture_tear_down);
  for (size_t i = 0; i < G_N_ELEMENTS (faults); i++) {
    g_autofree char *path = g_strdup_printf ("/file/fault/%s", faults[i].name);
    g_test_add (path, VigilFixture, &faults[i], vigil_fixture_set_up,
        test_fault, vigil_fixture_tear_down);
  }
  return g_test_run ();
}
