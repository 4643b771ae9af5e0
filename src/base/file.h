/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <stddef.h>

/*
 * Reads all of @path, at most @max_bytes: a device or a pipe without end is
 * an error, not a full memory. Blocks on the disk, and while a pipe's writer
 * is silent; a pipe that nobody writes to is empty. The errors are
 * VIGIL_ERROR_NOT_FOUND (there is no such file), _INVALID (a folder, no
 * permission, cannot be read) and _LIMIT; their text starts with @path.
 * Returns: (transfer full) (nullable): the bytes with a NUL behind them.
 */
char *vigil_file_read (
    const char *path, size_t max_bytes, size_t *ret_size, GError **error);

/* @path, below @folder (nullable: the working folder) when it is relative.
 * Returns: (transfer full). */
char *vigil_file_resolve (const char *path, const char *folder);
