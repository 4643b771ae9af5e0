/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <stdint.h>

/*
 * Writes records to a file or a stream, each whole or not at all: what a
 * full disk cut off is taken back. A JSON array in a file is complete after
 * every record, so also after a crash. One thread, but for cancel.
 */
typedef struct _VigilFileWriter VigilFileWriter;

/* Copied by new. */
typedef struct {
  const char *path;   /* "-": standard output */
  gboolean is_array;  /* one JSON array; else one record a line, appended */
  uint64_t max_bytes; /* a file that would grow beyond is rotated; 0: never */
  unsigned max_files; /* rotated ones that are kept: PATH.1 is the newest */
} VigilFileWriterOptions;

/* Opens nothing yet. Returns: (transfer full). */
VigilFileWriter *vigil_file_writer_new (const VigilFileWriterOptions *options);
/* Also closes. NULL is allowed. */
void vigil_file_writer_free (VigilFileWriter *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VigilFileWriter, vigil_file_writer_free)

/*
 * Appends the record made of @segments (the last one NULL), opening and
 * rotating the file as need be. Blocks on the disk, or until a stream takes
 * it. Errors: UNAVAILABLE (no such folder, disk full, nobody reads): the
 * file holds what it held before, and the next record may do better.
 */
gboolean vigil_file_writer_append (
    VigilFileWriter *self, GBytes *const *segments, GError **error);

/* Ends the array of a stream, closes the file. */
void vigil_file_writer_close (VigilFileWriter *self);

/* Any thread: ends an append that waits for a stream, now and ever after. */
void vigil_file_writer_cancel (VigilFileWriter *self);
