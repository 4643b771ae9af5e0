/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/json.h"
#include "config/environment.h"
#include "config/problems.h"
#include "config/schema.h"

/*
 * A pipeline as config.json defines it: name, launch text, parameters
 * schema. Immutable; shared by its instances.
 */
typedef struct _VigilDefinition VigilDefinition;

/* What of a pipeline entry concerns the pipeline itself: name, source,
 * pipeline, parameters ... */
extern const VigilSchemaKey vigil_definition_keys[];

/*
 * Adds every problem of @entry (a pipeline entry at @path): schema, launch
 * text that does not parse with default values, elements that do not exist
 * (DL Streamer's: what to install), no appsink named destination (a
 * warning). Starts nothing.
 */
void vigil_definition_check (const VigilJson *entry, const char *path,
    const VigilEnvironment *environment, VigilProblems *problems);

/* Returns: (transfer full) (nullable). Errors: as check. */
VigilDefinition *vigil_definition_new (const VigilJson *entry,
    const VigilEnvironment *environment, GError **error);
void vigil_definition_free (VigilDefinition *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VigilDefinition, vigil_definition_free)

const char *vigil_definition_get_name (const VigilDefinition *self);
const char *vigil_definition_get_launch_text (const VigilDefinition *self);
/* The names of the bus messages that are published with the next frame.
 * Returns: (transfer none) (nullable). */
const VigilJson *vigil_definition_get_bus_messages (
    const VigilDefinition *self);
/* TRUE for source "image_ingestor": images are put in, see
 * vigil_pipeline_push_image. */
gboolean vigil_definition_takes_images (const VigilDefinition *self);
/* The parameters schema with defaults from the environment resolved.
 * Returns: (transfer none) (nullable). */
const VigilJson *vigil_definition_get_parameters (const VigilDefinition *self);
