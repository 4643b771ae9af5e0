/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "pipeline/definition.h"
#include <gst/gst.h>

/*
 * A definition and a request become a GstPipeline in NULL, with all
 * properties set.
 */
typedef struct {
  GstElement *pipeline; /* (transfer full) */
  char *launch_text;    /* (transfer full): as it was parsed */
  gboolean is_live;     /* as far as the elements know before PAUSED */
} VigilAssembly;

/*
 * Fills @self, which is untouched on failure. @request: (nullable). What the
 * request names and the pipeline does not have becomes one of @warnings.
 * Any thread; blocks for the parse. Errors: INVALID with the path in the
 * request, NOT_FOUND for an element.
 */
gboolean vigil_assembly_init (VigilAssembly *self,
    const VigilDefinition *definition, const VigilJson *request,
    const VigilEnvironment *environment, VigilProblems *warnings,
    GError **error);
