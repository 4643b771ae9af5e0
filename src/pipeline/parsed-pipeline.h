/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gst/gst.h>

/*
 * Parses launch text (no substitutions left) into a GstPipeline in NULL.
 * Errors: NOT_FOUND for an element (with what to install), INVALID for all
 * else, GStreamer's warnings too. Any thread; blocks for the parse.
 * Returns: (transfer full) (nullable).
 */
GstElement *vigil_parsed_pipeline_new (const char *text, GError **error);

/*
 * The appsink named "destination", in whatever bin it stands.
 * Returns: (transfer full) (nullable).
 */
GstElement *vigil_parsed_pipeline_find_destination (GstBin *pipeline);
