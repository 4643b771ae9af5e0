/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/file-writer.h"

#include "base/error.h"
#include "base/json.h"
#include "common/fixture.h"
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct {
  VigilFixture parent;
  char *path;
  VigilFileWriter *writer;
} Fixture;

static void
set_up (Fixture *self, gconstpointer data)
{
  vigil_fixture_set_up (&self->parent, data);
  self->path = g_build_filename (self->parent.folder, "out", NULL);
}

static void
tear_down (Fixture *self, gconstpointer data)
{
  vigil_file_writer_free (self->writer);
  g_free (self->path);
  vigil_fixture_tear_down (&self->parent, data);
}

static void
open_writer (
    Fixture *self, gboolean is_array, uint64_t max_bytes, unsigned max_files)
{
  g_clear_pointer (&self->writer, vigil_file_writer_free);
  self->writer = vigil_file_writer_new (&(VigilFileWriterOptions){
      .path = self->path,
      .is_array = is_array,
      .max_bytes = max_bytes,
      .max_files = max_files,
  });
}

/* In two pieces, as payloads come. */
static gboolean
append (Fixture *self, const char *record, GError **error)
{
  size_t half = strlen (record) / 2;
  g_autoptr (GBytes) head = g_bytes_new (record, half);
  g_autoptr (GBytes) tail = g_bytes_new (record + half, strlen (record) - half);
  GBytes *segments[] = {head, tail, NULL};

  return vigil_file_writer_append (self->writer, segments, error);
}

static void
append_all (Fixture *self, const char *const *records)
{
  for (; *records != NULL; records++) {
    g_autoptr (GError) error = NULL;

    append (self, *records, &error);
    g_assert_no_error (error);
  }
}

static void
assert_file (Fixture *self, const char *suffix, const char *wanted)
{
  g_autofree char *path = g_strconcat (self->path, suffix, NULL);
  g_autofree char *text = NULL;

  g_file_get_contents (path, &text, NULL, NULL);
  g_assert_cmpstr (text, ==, wanted);
}

static void
test_array (Fixture *self, gconstpointer data)
{
  open_writer (self, TRUE, 0, 0);
  append_all (self, (const char *[]){"{\"a\":1}", NULL});
  /* Whole after each record: a crash leaves valid JSON. */
  assert_file (self, "", "[{\"a\":1}\n]\n");
  append_all (self, (const char *[]){"{\"a\":2}", "{\"a\":3}", NULL});
  assert_file (self, "", "[{\"a\":1},\n{\"a\":2},\n{\"a\":3}\n]\n");
  vigil_file_writer_close (self->writer);
  assert_file (self, "", "[{\"a\":1},\n{\"a\":2},\n{\"a\":3}\n]\n");
  /* Begun anew. */
  open_writer (self, TRUE, 0, 0);
  append_all (self, (const char *[]){"{\"b\":1}", NULL});
  assert_file (self, "", "[{\"b\":1}\n]\n");
}

static void
test_lines (Fixture *self, gconstpointer data)
{
  open_writer (self, FALSE, 0, 0);
  append_all (self, (const char *[]){"{\"a\":1}", "{\"a\":2}", NULL});
  assert_file (self, "", "{\"a\":1}\n{\"a\":2}\n");
  /* Appended to. */
  open_writer (self, FALSE, 0, 0);
  append_all (self, (const char *[]){"{\"a\":3}", NULL});
  assert_file (self, "", "{\"a\":1}\n{\"a\":2}\n{\"a\":3}\n");
}

static void
test_line_that_a_crash_cut_off (Fixture *self, gconstpointer data)
{
  g_file_set_contents (self->path, "{\"a\":1}\n{\"a\"", -1, NULL);
  open_writer (self, FALSE, 0, 0);
  append_all (self, (const char *[]){"{\"a\":3}", NULL});
  assert_file (self, "", "{\"a\":1}\n{\"a\"\n{\"a\":3}\n");
}

static void
test_rotation (Fixture *self, gconstpointer data)
{
  open_writer (self, FALSE, 20, 2);
  append_all (self, (const char *[]){"{\"a\":1}", "{\"a\":2}", NULL});
  assert_file (self, ".1", NULL);
  append_all (self, (const char *[]){"{\"a\":3}", NULL});
  assert_file (self, ".1", "{\"a\":1}\n{\"a\":2}\n");
  assert_file (self, "", "{\"a\":3}\n");
  /* One record may be larger than the limit. */
  append_all (self,
      (const char *[]){"{\"a\":\"far beyond the limit\"}", "{\"a\":5}", NULL});
  assert_file (self, ".2", "{\"a\":3}\n");
  assert_file (self, ".1", "{\"a\":\"far beyond the limit\"}\n");
  assert_file (self, "", "{\"a\":5}\n");
  assert_file (self, ".3", NULL);
}

static void
test_rotation_of_arrays (Fixture *self, gconstpointer data)
{
  open_writer (self, TRUE, 22, 1);
  append_all (
      self, (const char *[]){"{\"a\":1}", "{\"a\":2}", "{\"a\":3}", NULL});
  assert_file (self, ".1", "[{\"a\":1},\n{\"a\":2}\n]\n");
  assert_file (self, "", "[{\"a\":3}\n]\n");
}

/* What cannot be renamed keeps its records. */
static void
test_rotation_that_fails (Fixture *self, gconstpointer data)
{
  g_autofree char *older = g_strconcat (self->path, ".1", NULL);

  open_writer (self, TRUE, 12, 1);
  append_all (self, (const char *[]){"{\"a\":1}", NULL});
  g_assert_cmpint (g_mkdir (older, 0755), ==, 0);
  for (unsigned i = 0; i < 2; i++) {
    g_autoptr (GError) error = NULL;

    g_assert_false (append (self, "{\"a\":2}", &error));
    g_assert_error (error, VIGIL_ERROR, VIGIL_ERROR_UNAVAILABLE);
    assert_file (self, "", "[{\"a\":1}\n]\n");
  }
  g_assert_cmpint (g_rmdir (older), ==, 0);
  append_all (self, (const char *[]){"{\"a\":3}", NULL});
  assert_file (self, ".1", "[{\"a\":1}\n]\n");
  assert_file (self, "", "[{\"a\":3}\n]\n");
}

static void
test_rotation_keeping_none (Fixture *self, gconstpointer data)
{
  open_writer (self, FALSE, 10, 0);
  append_all (self, (const char *[]){"{\"a\":1}", "{\"a\":2}", NULL});
  assert_file (self, "", "{\"a\":2}\n");
  assert_file (self, ".1", NULL);
}

/* A disk that is full after some kilobytes, by the process' own limit. */
static void
limit_files (rlim_t bytes)
{
  const struct rlimit limit = {.rlim_cur = bytes, .rlim_max = RLIM_INFINITY};

  signal (SIGXFSZ, SIG_IGN);
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &limit), ==, 0);
}

static void
test_full_disk (Fixture *self, gconstpointer data)
{
  gboolean is_array = data != NULL;
  g_autofree char *spaces = g_strnfill (1500, ' ');
  g_autofree char *record = g_strdup_printf ("{\"a\":\"%s\"}", spaces);
  g_autofree char *cut = NULL;
  g_autofree char *full = NULL;
  g_autofree char *after = NULL;
  g_autoptr (GError) error = NULL;
  unsigned written = 0;

  open_writer (self, is_array, 0, 0);
  limit_files (8192);
  while (append (self, record, &error))
    written++;
  g_assert_cmpuint (written, ==, 5);
  g_assert_error (error, VIGIL_ERROR, VIGIL_ERROR_UNAVAILABLE);
  /* Nothing of the record is left, and what fits still goes in. */
  g_file_get_contents (self->path, &cut, NULL, NULL);
  g_assert_true (g_str_has_suffix (cut, is_array ? "}\n]\n" : "}\n"));
  g_assert_true (append (self, "{\"a\":7}", NULL));
  g_file_get_contents (self->path, &full, NULL, NULL);
  limit_files (RLIM_INFINITY);
  g_assert_true (append (self, record, NULL));
  g_file_get_contents (self->path, &after, NULL, NULL);
  if (is_array) {
    g_autoptr (VigilJson) tree = vigil_json_parse (full, -1, 1 << 20, 8, NULL);
    g_autoptr (VigilJson) later =
        vigil_json_parse (after, -1, 1 << 20, 8, NULL);

    g_assert_cmpuint (vigil_json_array_size (tree), ==, written + 1);
    g_assert_cmpuint (vigil_json_array_size (later), ==, written + 2);
  } else {
    g_auto (GStrv) lines = g_strsplit (after, "\n", -1);

    g_assert_cmpuint (g_strv_length (lines), ==, written + 3);
    for (unsigned i = 0; i < written + 2; i++)
      g_assert_cmpstr (lines[i], ==, i == written ? "{\"a\":7}" : record);
  }
}

static void
test_no_folder (Fixture *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *folder = g_strdup (self->path);

  g_free (self->path);
  self->path = g_build_filename (folder, "out", NULL);
  open_writer (self, TRUE, 0, 0);
  g_assert_false (append (self, "{}", &error));
  g_assert_error (error, VIGIL_ERROR, VIGIL_ERROR_UNAVAILABLE);
  g_assert_nonnull (strstr (error->message, self->path));
  /* It comes into being, and the next record finds it. */
  g_assert_cmpint (mkdir (folder, 0700), ==, 0);
  g_assert_true (append (self, "{}", NULL));
  assert_file (self, "", "[{}\n]\n");
}

/* ---- Streams
 * ----------------------------------------------------------------- */

static int
make_pipe (Fixture *self)
{
  int fd;

  g_assert_cmpint (mkfifo (self->path, 0600), ==, 0);
  fd = open (self->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  g_assert_cmpint (fd, >=, 0);
  return fd;
}

static void
assert_read (int fd, const char *wanted)
{
  char buffer[256] = {0};

  g_assert_cmpint (
      read (fd, buffer, sizeof buffer - 1), ==, (int)strlen (wanted));
  g_assert_cmpstr (buffer, ==, wanted);
}

static void
test_stream_array (Fixture *self, gconstpointer data)
{
  int fd = make_pipe (self);

  open_writer (self, TRUE, 5, 1);
  append_all (self, (const char *[]){"{\"a\":1}", "{\"a\":2}", NULL});
  assert_read (fd, "[{\"a\":1},\n{\"a\":2}");
  vigil_file_writer_close (self->writer);
  assert_read (fd, "\n]\n");
  close (fd);
}

static void
test_stream_lines (Fixture *self, gconstpointer data)
{
  int fd = make_pipe (self);

  open_writer (self, FALSE, 0, 0);
  append_all (self, (const char *[]){"{\"a\":1}", "{\"a\":2}", NULL});
  assert_read (fd, "{\"a\":1}\n{\"a\":2}\n");
  close (fd);
}

static void *
cancel (void *data)
{
  vigil_file_writer_cancel (data);
  return NULL;
}

/* Nobody reads: only cancel ends the wait, also the ones to come. */
static void
test_cancel (Fixture *self, gconstpointer data)
{
  int fd = make_pipe (self);
  g_autofree char *large = g_strnfill (1 << 20, ' ');
  pthread_t thread;

  open_writer (self, FALSE, 0, 0);
  pthread_create (&thread, NULL, cancel, self->writer);
  for (unsigned i = 0; i < 2; i++) {
    g_autoptr (GError) error = NULL;

    g_assert_false (append (self, large, &error));
    g_assert_error (error, VIGIL_ERROR, VIGIL_ERROR_UNAVAILABLE);
  }
  pthread_join (thread, NULL);
  close (fd);
}

/* /dev/full takes nothing, like a stream whose reader's disk is full. */
static void
test_stream_that_fails (Fixture *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  g_free (self->path);
  self->path = g_strdup ("/dev/full");
  open_writer (self, FALSE, 0, 0);
  g_assert_false (append (self, "{}", &error));
  g_assert_error (error, VIGIL_ERROR, VIGIL_ERROR_UNAVAILABLE);
  g_assert_nonnull (strstr (error->message, g_strerror (ENOSPC)));
}

static void
add (const char *path, void (*function) (Fixture *self, gconstpointer data))
{
  g_test_add (path, Fixture, NULL, set_up, function, tear_down);
}

int
main (int argc, char **argv)
{
  vigil_fixture_init (&argc, &argv, 0);
  add ("/file-writer/array", test_array);
  add ("/file-writer/lines", test_lines);
  add (
      "/file-writer/line-that-a-crash-cut-off", test_line_that_a_crash_cut_off);
  add ("/file-writer/rotation", test_rotation);
  add ("/file-writer/rotation-of-arrays", test_rotation_of_arrays);
  add ("/file-writer/rotation-that-fails", test_rotation_that_fails);
  add ("/file-writer/rotation-keeping-none", test_rotation_keeping_none);
  add ("/file-writer/full-disk/lines", test_full_disk);
  g_test_add ("/file-writer/full-disk/array", Fixture, "array", set_up,
      test_full_disk, tear_down);
  add ("/file-writer/no-folder", test_no_folder);
  add ("/file-writer/stream/array", test_stream_array);
  add ("/file-writer/stream/lines", test_stream_lines);
  add ("/file-writer/stream/cancel", test_cancel);
  add ("/file-writer/stream/fails", test_stream_that_fails);
  return g_test_run ();
}
