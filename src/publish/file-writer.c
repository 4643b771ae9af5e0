/* SPDX-License-Identifier: Apache-2.0 */
/* Records to a file, with rotation, or to a stream. */
#include "publish/file-writer.h"

#include "base/error.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#define ARRAY_END "\n]\n"

struct _VigilFileWriter {
  char *path;
  gboolean is_array;
  uint64_t max_bytes;
  unsigned max_files;
  int fd; /* -1: closed */
  int cancel_fd;
  gboolean is_stream; /* no going back: pipe, terminal, socket */
  gboolean has_records;
  uint64_t end; /* of the last record in a file */
  GString *record;
};

VigilFileWriter *
vigil_file_writer_new (const VigilFileWriterOptions *options)
{
  VigilFileWriter *self = g_new0 (VigilFileWriter, 1);

  self->path = g_strdup (options->path);
  self->is_array = options->is_array;
  self->max_bytes = options->max_bytes;
  self->max_files = options->max_files;
  self->fd = -1;
  self->cancel_fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  self->record = g_string_new (NULL);
  return self;
}

void
vigil_file_writer_free (VigilFileWriter *self)
{
  if (self == NULL)
    return;
  vigil_file_writer_close (self);
  if (self->cancel_fd >= 0)
    close (self->cancel_fd);
  g_string_free (self->record, TRUE);
  g_free (self->path);
  g_free (self);
}

void
vigil_file_writer_cancel (VigilFileWriter *self)
{
  if (self->cancel_fd >= 0)
    eventfd_write (self->cancel_fd, 1);
}

static gboolean
fail (VigilFileWriter *self, const char *what, int number, GError **error)
{
  g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_UNAVAILABLE, "%s '%s': %s", what,
      self->path, g_strerror (number));
  return FALSE;
}

/* ---- Opening ------------------------------------------------------------ */

/* A line that a crash cut off must not swallow the next one. */
static gboolean
finish_last_line (VigilFileWriter *self)
{
  char last;

  if (self->end == 0 || pread (self->fd, &last, 1, (off_t)self->end - 1) != 1 ||
      last == '\n')
    return TRUE;
  if (pwrite (self->fd, "\n", 1, (off_t)self->end) != 1)
    return FALSE;
  self->end++;
  return TRUE;
}

static gboolean
open_file (VigilFileWriter *self, GError **error)
{
  struct stat information;

  if (strcmp (self->path, "-") == 0)
    self->fd = fcntl (STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
  else
    self->fd = open (self->path,
        O_RDWR | O_CREAT | O_CLOEXEC | (self->is_array ? O_TRUNC : 0), 0666);
  if (self->fd < 0)
    return fail (self, "cannot open", errno, error);
  self->is_stream = fstat (self->fd, &information) != 0 ||
                    !S_ISREG (information.st_mode) ||
                    strcmp (self->path, "-") == 0;
  self->end = self->is_stream ? 0 : (uint64_t)information.st_size;
  self->has_records = FALSE;
  if (!self->is_stream && !self->is_array && !finish_last_line (self)) {
    int number = errno;

    close (self->fd);
    self->fd = -1;
    return fail (self, "cannot write to", number, error);
  }
  return TRUE;
}

/* PATH.2 to PATH.3, PATH.1 to PATH.2, PATH to PATH.1. What cannot be renamed
 * stays open: an array that is opened again is begun anew. */
static gboolean
rotate (VigilFileWriter *self, GError **error)
{
  for (unsigned i = self->max_files; i > 0; i--) {
    g_autofree char *newer = i > 1
                                 ? g_strdup_printf ("%s.%u", self->path, i - 1)
                                 : g_strdup (self->path);
    g_autofree char *older = g_strdup_printf ("%s.%u", self->path, i);

    if (rename (newer, older) != 0 && errno != ENOENT)
      return fail (self, "cannot rotate", errno, error);
  }
  if (self->max_files == 0 && unlink (self->path) != 0)
    return fail (self, "cannot rotate", errno, error);
  vigil_file_writer_close (self);
  return open_file (self, error);
}

/* ---- Writing ------------------------------------------------------------ */

/* Waits until the stream takes something. Returns: FALSE when cancelled. */
static gboolean
wait_writable (VigilFileWriter *self)
{
  struct pollfd descriptors[] = {{.fd = self->fd, .events = POLLOUT},
      {.fd = self->cancel_fd, .events = POLLIN}};

  while (poll (descriptors, G_N_ELEMENTS (descriptors), -1) < 0) {
    if (errno != EINTR)
      break;
  }
  return descriptors[1].revents == 0;
}

/* A stream that says it is writable takes PIPE_BUF bytes without blocking;
 * its descriptor is shared with others, so it is not made non-blocking. */
static int
write_stream (VigilFileWriter *self, const char *bytes, size_t size)
{
  while (size > 0) {
    ssize_t written;

    if (!wait_writable (self))
      return ECANCELED;
    written = write (self->fd, bytes, MIN (size, (size_t)PIPE_BUF));
    if (written < 0) {
      if (errno == EINTR || errno == EAGAIN)
        continue;
      return errno;
    }
    bytes += written;
    size -= (size_t)written;
  }
  return 0;
}

static int
write_file (
    VigilFileWriter *self, const char *bytes, size_t size, uint64_t offset)
{
  while (size > 0) {
    ssize_t written = pwrite (self->fd, bytes, size, (off_t)offset);

    if (written < 0) {
      if (errno == EINTR)
        continue;
      return errno;
    }
    bytes += written;
    offset += (uint64_t)written;
    size -= (size_t)written;
  }
  return 0;
}

/* After a record that did not fit: what stood there before comes back; its
 * blocks are still the file's. */
static void
take_back (VigilFileWriter *self)
{
  uint64_t end = self->end;

  if (self->is_array && self->has_records &&
      write_file (self, ARRAY_END, strlen (ARRAY_END), end) == 0)
    end += strlen (ARRAY_END);
  /* Should that fail too, the next record still starts at its place. */
  if (ftruncate (self->fd, (off_t)end) != 0)
    return;
}

/* The record with what stands around it. Returns: where the next one goes,
 * from the start of this one. */
static size_t
compose (VigilFileWriter *self, GBytes *const *segments)
{
  size_t length;

  g_string_truncate (self->record, 0);
  if (self->is_array)
    g_string_append (self->record, self->has_records ? ",\n" : "[");
  for (; *segments != NULL; segments++) {
    gsize size;
    const char *bytes = g_bytes_get_data (*segments, &size);

    g_string_append_len (self->record, bytes, (gssize)size);
  }
  if (!self->is_array)
    g_string_append_c (self->record, '\n');
  length = self->record->len;
  if (self->is_array && !self->is_stream)
    g_string_append (self->record, ARRAY_END);
  return length;
}

gboolean
vigil_file_writer_append (
    VigilFileWriter *self, GBytes *const *segments, GError **error)
{
  size_t length;
  int number;

  if (self->fd < 0 && !open_file (self, error))
    return FALSE;
  length = compose (self, segments);
  if (self->max_bytes > 0 && !self->is_stream && self->end > 0 &&
      self->end + self->record->len > self->max_bytes) {
    if (!rotate (self, error))
      return FALSE;
    length = compose (self, segments);
  }
  number =
      self->is_stream
          ? write_stream (self, self->record->str, self->record->len)
          : write_file (self, self->record->str, self->record->len, self->end);
  if (number != 0) {
    if (!self->is_stream)
      take_back (self);
    return fail (self, "cannot write to", number, error);
  }
  self->end += length;
  self->has_records = TRUE;
  return TRUE;
}

void
vigil_file_writer_close (VigilFileWriter *self)
{
  if (self->fd < 0)
    return;
  if (self->is_stream && self->is_array)
    write_stream (self, self->has_records ? ARRAY_END : "[]\n",
        self->has_records ? strlen (ARRAY_END) : 3);
  close (self->fd);
  self->fd = -1;
}
