/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "pipeline/definition.h"
#include <gst/gst.h>

/*
 * A definition and a request, made into a plan from which a GstPipeline is
 * built, and built again when its source was lost. Immutable.
 */
typedef struct _VigilAssembly VigilAssembly;

/*
 * @request: (nullable). Any thread. Errors: INVALID with the path in the
 * request, NOT_FOUND for the source's element.
 * Returns: (transfer full) (nullable).
 */
VigilAssembly *vigil_assembly_new (const VigilDefinition *definition,
    const VigilJson *request, const VigilEnvironment *environment,
    GError **error);
void vigil_assembly_free (VigilAssembly *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VigilAssembly, vigil_assembly_free)

/* The launch text as it is parsed. (transfer none). */
const char *vigil_assembly_get_launch_text (const VigilAssembly *self);

/*
 * Parses the text and sets all properties; the pipeline is in NULL. What the
 * request names and the pipeline does not have becomes one of @warnings.
 * Blocks for the parse. Errors: as new. Returns: (transfer full) (nullable).
 */
GstElement *vigil_assembly_build (
    const VigilAssembly *self, VigilProblems *warnings, GError **error);

/* TRUE when @pipeline's source is live as far as its elements know before
 * PAUSED. */
gboolean vigil_assembly_is_live (
    const VigilAssembly *self, GstElement *pipeline);
