/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/json.h"
#include "config/problems.h"
#include "config/schema.h"

/*
 * A start request: what a client posts to start an instance, and what
 * `payload` of an entry holds. Here it is checked as far as it concerns no
 * GStreamer element, and merged with the entry that it starts.
 */

extern const VigilSchemaKey vigil_request_keys[];

/*
 * Adds every problem of @request, which stands at @path (for a posted one:
 * ""): wrong types, destinations that do not exist. The source and the
 * parameters are the pipeline's business. Any thread.
 */
void vigil_request_check (
    const VigilJson *request, const char *path, VigilProblems *problems);

/*
 * The entry that an instance runs with: @entry with the request's tags and
 * destinations over it. An object in `mqtt_publisher` or
 * `destination.metadata` is merged key by key over the destination of the
 * same name (without a name: the first); a null removes a key; a list
 * replaces the destinations of its type. Order: entry, then
 * `mqtt_publisher`, then `destination.metadata`.
 *
 * @is_trusted: the request stands in config.json. Otherwise broker address,
 * credentials and TLS files are refused, unless the entry says
 * `allow_request_broker`; a changed address inherits no credentials.
 * @request was checked; (nullable). Errors: INVALID with the path in the
 * request.
 * Returns: (transfer full) (nullable).
 */
VigilJson *vigil_request_merge (const VigilJson *entry,
    const VigilJson *request, gboolean is_trusted, GError **error);
