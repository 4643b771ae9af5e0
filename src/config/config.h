/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/json.h"
#include "config/environment.h"
#include "config/problems.h"

/*
 * A configuration file: {"config": {"pipelines": [...]}}. This module finds
 * the parts; each part's meaning belongs to the module that it configures.
 * Immutable once loaded.
 */
typedef struct _VigilConfig VigilConfig;

/*
 * Reads and parses @path. Only faults of the whole file are errors here
 * (missing, not JSON, no "config", no "config.pipelines" list); what is
 * wrong inside is added to @problems with its path.
 * Returns: (transfer full) (nullable).
 */
VigilConfig *vigil_config_load (
    const char *path, VigilProblems *problems, GError **error);

/* The same for text that is already in memory; @path is its name in messages
 * and tells its folder. */
VigilConfig *vigil_config_parse (const char *text, size_t size,
    const char *path, VigilProblems *problems, GError **error);
void vigil_config_free (VigilConfig *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VigilConfig, vigil_config_free)

/* The file's name as given, and its folder. (transfer none). */
const char *vigil_config_get_path (const VigilConfig *self);
const char *vigil_config_get_folder (const VigilConfig *self);

/* The "config" object. (transfer none). */
const VigilJson *vigil_config_get_root (const VigilConfig *self);

/* The "interfaces" object beside it: the EIS Message Bus. Returns: (transfer
 * none) (nullable): NULL when there is none. */
const VigilJson *vigil_config_get_interfaces (const VigilConfig *self);

unsigned vigil_config_get_pipeline_count (const VigilConfig *self);
/* The object at config.pipelines[index]. Returns: (transfer none)
 * (nullable): NULL when it is no object, which is among the problems. */
const VigilJson *vigil_config_get_pipeline (
    const VigilConfig *self, unsigned index);
/* Its path for messages. Returns: (transfer full). */
char *vigil_config_dup_pipeline_path (const VigilConfig *self, unsigned index);
