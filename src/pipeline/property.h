/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/json.h"
#include <gst/gst.h>

/*
 * Values of a request as properties of elements. A value is never read as
 * launch text: properties that hold an element are refused.
 */

/* TRUE when @element has a property @name that may be written. */
gboolean vigil_property_exists (GstElement *element, const char *name);

/* TRUE when the elements of @factory have a property @name whose value is an
 * object: GStreamer would read text for it as launch text. */
gboolean vigil_property_holds_object (const char *factory, const char *name);

/*
 * Sets the existing property @name. Numbers and booleans are set as they
 * are, within the property's limits; a string may also name an enumeration's
 * value, or be the text of caps, structures, fractions.
 * @path: where the value stands, for messages. Errors: INVALID.
 */
gboolean vigil_property_set (GstElement *element, const char *name,
    const VigilJson *value, const char *path, GError **error);

/* As gst_caps_from_string, for text of a request: GStreamer itself calls
 * some wrong texts a bug of the program. Returns: (transfer full)
 * (nullable). */
GstCaps *vigil_property_parse_caps (const char *text);
