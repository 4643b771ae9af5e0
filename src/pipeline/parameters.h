/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/json.h"
#include "config/environment.h"
#include "config/problems.h"
#include <gst/gst.h>

/*
 * The "parameters" of a definition: a JSON Schema of what a request may
 * give, with defaults, and with the elements and properties that the values
 * go to.
 */

/*
 * A copy of @schema (nullable) in which "{env[NAME]}" in the defaults is
 * replaced; a default whose variable is not set is removed.
 * Returns: (transfer full) (nullable).
 */
VigilJson *vigil_parameters_resolve (
    const VigilJson *schema, const VigilEnvironment *environment);

/*
 * The values of a request: @given (nullable) plus the defaults of @schema
 * (nullable), checked. Errors: INVALID with "parameters.name".
 * Returns: (transfer full) (nullable): an object.
 */
VigilJson *vigil_parameters_complete (
    const VigilJson *schema, const VigilJson *given, GError **error);

/*
 * Sets @values as @schema binds them ("element") on the elements of
 * @pipeline. An element or property that does not exist becomes one of
 * @warnings; one that @pipeline's "source" does not have is kept for the
 * element that a urisourcebin makes inside. Errors: INVALID.
 */
gboolean vigil_parameters_apply (const VigilJson *schema,
    const VigilJson *values, GstBin *pipeline, VigilProblems *warnings,
    GError **error);
