/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "rest/rest-settings.h"

/*
 * What a request from outside may read and write. An operator's cameras
 * live in private networks, so those are open; what no camera is, is not:
 * link-local addresses (among them the metadata services of clouds) and our
 * own port. While the server listens on loopback alone, every file is open.
 */

/*
 * Checks `source` and the files of `destination` in @request. @port: our
 * own. Resolves host names, so it may block as long as the resolver does.
 * Error: INVALID with the path in the request.
 */
gboolean vigil_rest_source_check (const VigilJson *request,
    const VigilRestSettings *settings, uint16_t port, GError **error);

/* Checks one file, which stands at @path in the request. Error: INVALID. */
gboolean vigil_rest_source_check_file (const char *file, const char *path,
    const VigilRestSettings *settings, GError **error);
