/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "config/problems.h"
#include "config/schema.h"
#include "mqtt/mqtt-tls.h"

/*
 * The `tls` block of a destination: where its files are, and what they make
 * together. No network.
 */

/* Its keys. */
extern const VigilSchemaKey vigil_tls_settings_keys[];

/*
 * A path of the block as a file: relative ones start at @config_folder
 * (nullable: the working folder). /MqttCerts is where the documentation's
 * container mounts the folder `certificates`; outside of it, when the file
 * is not there, it is looked for in `certificates` beside the configuration,
 * or beside the folder `configs` that the configuration lies in.
 * @ret_folder: (nullable) (transfer full): set to that folder when it was
 *   used, else to NULL.
 * Returns: (transfer full).
 */
char *vigil_tls_settings_dup_path (
    const char *file, const char *config_folder, char **ret_folder);

/* Reads every file of a @block that fits the schema, and adds what is wrong
 * or should be known, each below @path. */
void vigil_tls_settings_check (const VigilJson *block,
    const char *config_folder, const char *path, VigilProblems *problems);

/* Reads the files. Logs once where they are looked for instead of
 * /MqttCerts. Returns: (transfer full) (nullable). */
VigilMqttTls *vigil_tls_settings_open (
    const VigilJson *block, const char *config_folder, GError **error);
