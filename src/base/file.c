/* SPDX-License-Identifier: Apache-2.0 */
/* Files that people name, read whole and within a limit. */
#include "base/file.h"

#include "base/error.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define FIRST_BYTES 4096

static void
set_error (GError **error, const char *path, int number)
{
  VigilErrorCode code =
      number == ENOENT ? VIGIL_ERROR_NOT_FOUND : VIGIL_ERROR_INVALID;
  g_set_error (error, VIGIL_ERROR, code, "%s: want a file that can be read: %s",
      path, g_strerror (number));
}

static char *
read_all (int descriptor, const char *path, size_t max_bytes, size_t *ret_size,
    GError **error)
{
  size_t room = FIRST_BYTES;
  size_t size = 0;
  g_autofree char *bytes = g_malloc (room + 1);
  for (;;) {
    ssize_t count = read (descriptor, bytes + size, room - size);
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0) {
      set_error (error, path, errno);
      return NULL;
    }
    if (count == 0)
      break;
    size += (size_t)count;
    if (size > max_bytes) {
      g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_LIMIT,
          "%s: too long: want at most %zu bytes", path, max_bytes);
      return NULL;
    }
    if (size == room) {
      room *= 2;
      bytes = g_realloc (bytes, room + 1);
    }
  }
  bytes[size] = '\0';
  *ret_size = size;
  return g_steal_pointer (&bytes);
}

char *
vigil_file_read (
    const char *path, size_t max_bytes, size_t *ret_size, GError **error)
{
  g_return_val_if_fail (path != NULL && ret_size != NULL, NULL);

  /* Without O_NONBLOCK a pipe would hold the caller until somebody opens its
   * other end. */
  int descriptor = open (path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (descriptor < 0) {
    set_error (error, path, errno);
    return NULL;
  }
  /* Whoever has it open, though, is waited for: <(...) of a shell. */
  (void)fcntl (descriptor, F_SETFL, 0);
  char *bytes = read_all (descriptor, path, max_bytes, ret_size, error);
  close (descriptor);
  return bytes;
}

char *
vigil_file_resolve (const char *path, const char *folder)
{
  g_return_val_if_fail (path != NULL, NULL);

  if (folder == NULL || g_path_is_absolute (path))
    return g_strdup (path);
  return g_build_filename (folder, path, NULL);
}
