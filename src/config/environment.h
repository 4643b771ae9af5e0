/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * The settings that come from outside config.json: the process environment
 * first, then a file in the form of docker's .env. An empty value counts as
 * unset. Immutable once made; any thread may read.
 */
typedef struct _VigilEnvironment VigilEnvironment;

/*
 * Reads @env_file (nullable: none). Lines are KEY=VALUE, "export " before
 * it is allowed, blank lines and lines that start with # are skipped;
 * quotes around a value are taken off. A line that is none of these is an
 * error that names file and line.
 * Returns: (transfer full) (nullable).
 */
VigilEnvironment *vigil_environment_new (const char *env_file, GError **error);
void vigil_environment_free (VigilEnvironment *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VigilEnvironment, vigil_environment_free)

/* Returns: (transfer none) (nullable): NULL when unset or empty. */
const char *vigil_environment_get (
    const VigilEnvironment *self, const char *name);
