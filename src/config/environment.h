/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The settings that come from outside config.json: the process environment
 * first, then a file in the form of docker's .env. An empty value counts as
 * unset. Immutable once made; any thread may read.
 */
typedef struct _VigilEnvironment VigilEnvironment;

/*
 * Reads @env_file (nullable: none) the way docker compose reads its .env:
 * lines of KEY=VALUE, "export " before it is allowed; # starts a comment at
 * the start of a line and after a space; quotes are taken off, and a value
 * in quotes may go over several lines; double quotes know the usual escapes;
 * $NAME, ${NAME} and ${NAME:-text} are replaced but in single quotes. A line
 * that is none of these is an error that names file and line, and never the
 * value.
 * Returns: (transfer full) (nullable).
 */
VigilEnvironment *vigil_environment_new (const char *env_file, GError **error);

/* The same for a file's text that is in memory; @file names it in
 * messages. */
VigilEnvironment *vigil_environment_parse (
    const char *text, size_t size, const char *file, GError **error);
void vigil_environment_free (VigilEnvironment *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VigilEnvironment, vigil_environment_free)

/* Returns: (transfer none) (nullable): NULL when unset or empty. */
const char *vigil_environment_get (
    const VigilEnvironment *self, const char *name);

/*
 * Sets @ret_value to the integer that @name holds; leaves it alone when
 * @name is unset. Returns: FALSE, with an error that says where it was set,
 * when it is none or outside @minimum..@maximum.
 */
gboolean vigil_environment_get_integer (const VigilEnvironment *self,
    const char *name, int64_t minimum, int64_t maximum, int64_t *ret_value,
    GError **error);

/* The same for a boolean: y, yes, t, true, on, 1 and their opposites, in any
 * case. */
gboolean vigil_environment_get_boolean (const VigilEnvironment *self,
    const char *name, gboolean *ret_value, GError **error);
