/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/json.h"

/*
 * The part of JSON Schema (draft 4) that pipeline definitions use for the
 * parameters of a request: type, enum, minimum, maximum, exclusiveMinimum,
 * exclusiveMaximum, multipleOf, minLength, maxLength, pattern, items,
 * minItems, maxItems, properties, required, additionalProperties, anyOf,
 * oneOf, allOf. Other keywords have no effect.
 *
 * Checks @value, which stands at @path, against @schema (nullable: anything
 * goes). Errors: INVALID with the path and what was wanted. Any thread.
 */
gboolean vigil_json_schema_check (const VigilJson *schema,
    const VigilJson *value, const char *path, GError **error);
