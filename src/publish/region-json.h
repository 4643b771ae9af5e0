/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "model/frame.h"
#include <glib.h>

/*
 * The regions of a frame as JSON, in the shapes that subscribers know. Each
 * function appends one value to @text and can neither fail nor write
 * anything but valid JSON. One thread.
 */

/*
 * The list `objects`, as gvametaconvert makes it; results of the whole frame
 * become one more object of the frame's size. Extra parameters that are no
 * JSON object are left out and counted in @ret_errors.
 */
void vigil_region_json_append_objects (
    GString *text, const VigilFrame *frame, unsigned *ret_errors);

/* The list `gva_meta`: one entry per region with its tensors. */
void vigil_region_json_append_gva_meta (
    GString *text, const VigilMetadata *metadata);

/* The object `annotations` of the "dcaas" form: label and score of each
 * region's first result; object_id is kept where a tracker gave one. */
void vigil_region_json_append_annotations (
    GString *text, const VigilMetadata *metadata);

/*
 * @annotations: the text of that member of a message. When it holds a list
 * `objects`, appends it with an object_id in each: that of the tracked
 * region whose box is the object's `bbox`, else null.
 * Returns: FALSE, and nothing appended, when there is no such list.
 */
gboolean vigil_region_json_append_tracked (GString *text,
    const char *annotations, gssize length, const VigilMetadata *metadata);
