/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Stands in for libFuzzer's main: runs a fuzz target once on each file of a
 * corpus folder, each a case of the test protocol. A target that crashes on
 * one leaves the plan unfulfilled.
 */

#include <glib.h>
#include <stdint.h>
#include <stdio.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);
int LLVMFuzzerInitialize (int *argc, char ***argv) __attribute__ ((weak));

static int
compare_names (const void *left, const void *right)
{
  return g_strcmp0 (*(char *const *)left, *(char *const *)right);
}

/* Returns: (transfer full) the files' names, sorted: (element-type: char *) */
static GPtrArray *
list_files (const char *folder, GError **error)
{
  g_autoptr (GDir) directory = g_dir_open (folder, 0, error);
  if (directory == NULL)
    return NULL;
  GPtrArray *names = g_ptr_array_new_with_free_func (g_free);
  for (const char *name = g_dir_read_name (directory); name != NULL;
       name = g_dir_read_name (directory))
    g_ptr_array_add (names, g_build_filename (folder, name, NULL));
  g_ptr_array_sort (names, compare_names);
  return names;
}

/* The data is copied to memory of its exact size, so that a sanitizer sees
 * the first byte read beyond it. */
static void
replay (const char *path, unsigned number)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;
  size_t size = 0;
  g_autofree char *name = g_path_get_basename (path);

  if (!g_file_get_contents (path, &text, &size, &error)) {
    printf ("not ok %u %s # %s\n", number, name, error->message);
    return;
  }
  g_autofree uint8_t *data = g_memdup2 (text, size);
  LLVMFuzzerTestOneInput (data, size);
  printf ("ok %u %s\n", number, name);
  fflush (stdout);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;

  if (argc != 2) {
    fprintf (stderr, "usage: %s CORPUS-FOLDER\n", argv[0]);
    return 64;
  }
  g_autoptr (GPtrArray) files = list_files (argv[1], &error);
  if (files == NULL || files->len == 0) {
    fprintf (stderr, "%s: no corpus: %s\n", argv[1],
        error != NULL ? error->message : "the folder is empty");
    return 66;
  }
  if (LLVMFuzzerInitialize != NULL)
    LLVMFuzzerInitialize (&argc, &argv);
  printf ("1..%u\n", files->len);
  fflush (stdout);
  for (unsigned i = 0; i < files->len; i++)
    replay (g_ptr_array_index (files, i), i + 1);
  return 0;
}
