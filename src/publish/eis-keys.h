/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "publish/eis-settings.h"

/* CURVE keys in files, 40 characters of Z85 each (ZeroMQ RFC 32). */

/* Errors: those of vigil_file_read, INVALID for what is no key; never the
 * content. */
gboolean vigil_eis_keys_read_file (
    const char *path, char ret_key[VIGIL_EIS_KEY_SIZE], GError **error);

/*
 * The keys of the files @names in @folder; of every file there when "*" is
 * among them. An empty list has no keys.
 * Returns: (transfer full) (nullable). Errors: as read_file.
 */
GStrv vigil_eis_keys_read_folder (
    const char *folder, const char *const *names, GError **error);

/* The public key that belongs to a secret one. */
void vigil_eis_keys_get_public (const char secret_key[VIGIL_EIS_KEY_SIZE],
    char ret_key[VIGIL_EIS_KEY_SIZE]);
