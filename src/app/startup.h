/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "config/config.h"
#include "config/environment.h"
#include "config/problems.h"

/*
 * What the commands that read a configuration do first: find the files,
 * read them, say what is wrong. For the main thread.
 */

/*
 * The environment and @env_file; without one (nullable) the first of ./.env
 * and docker/.env that exists, or none. Says on standard error what is
 * wrong. Returns: (transfer full) (nullable).
 */
VigilEnvironment *vigil_startup_read_environment (const char *env_file);

/*
 * The configuration @path; without one (nullable) the first of
 * ./config.json and configs/default/config.json that exists.
 * Errors: NOT_FOUND names the files that were looked for; as
 * vigil_config_load. Returns: (transfer full) (nullable).
 */
VigilConfig *vigil_startup_read_config (
    const char *path, VigilProblems *problems, GError **error);

/*
 * Parses options of a command that takes at most @max_arguments beside
 * them. @entries: terminated as GOption wants. Says on standard error what
 * is wrong. Returns: FALSE then.
 */
gboolean vigil_startup_parse_options (int *argc, char ***argv,
    const char *parameters, const char *summary, const GOptionEntry *entries,
    int max_arguments);
