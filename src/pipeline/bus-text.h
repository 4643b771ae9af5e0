/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gst/gst.h>

/*
 * What an error message of the bus says, for people: the element, the error
 * text, the debug text without the place in GStreamer's sources, and what to
 * do where that is known.
 * @missing_plugin: (nullable) from dup_missing_plugin.
 * Returns: (transfer full).
 */
char *vigil_bus_text_dup_error (
    GstMessage *message, const char *missing_plugin);

/* What a "missing-plugin" message asks for. Returns: (transfer full). */
char *vigil_bus_text_dup_missing_plugin (GstMessage *message);
