/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/json.h"
#include "config/environment.h"

/*
 * The launch text of a pipeline with its substitutions: Python's str.format
 * as far as DLSPS configurations use it ("{{", "}}", "{name[key]}"). What
 * comes from the operator (environment, auto source) is put in as it is;
 * what may come from a request becomes a literal, in value position only,
 * so that it can never become an element or a link.
 */

typedef struct {
  /* source, parameters, tags ...: the members that "{name[key]}" reads.
   * (nullable) */
  const VigilJson *request;
  const VigilEnvironment *environment; /* for "{env[NAME]}" (nullable) */
  const char *auto_source;             /* for "{auto_source}"; NULL: an error */
  const char *example; /* stands in for a value that @request does not have;
                          plain text; NULL: an error */
} VigilLaunchTextValues;

/*
 * Errors: INVALID: braces that do not match, an unknown name, a key without
 * a value (named), a value where none may stand. UNSUPPORTED: "{models".
 * Any thread. Returns: (transfer full) (nullable).
 */
char *vigil_launch_text_expand (
    const char *text, const VigilLaunchTextValues *values, GError **error);

/*
 * Calls @visit for each name that stands where @text, expanded, names an
 * element factory; stops when it returns FALSE. Elements that
 * do not exist are named too.
 */
typedef gboolean (*VigilLaunchTextVisit) (const char *factory, void *user_data);
void vigil_launch_text_visit_factories (
    const char *text, VigilLaunchTextVisit visit, void *user_data);

/* TRUE for what may be the name of a factory or an element. */
gboolean vigil_launch_text_is_name (const char *text);
