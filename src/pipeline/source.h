/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/json.h"
#include "config/problems.h"
#include <gst/gst.h>

/*
 * The source of a request: {type: "uri" | "webcam" | "gst", ...}, with
 * properties, capsfilter and postproc. What enters the launch text is
 * factory names that exist and element names of ours; all values are set as
 * properties after the parse.
 */
typedef struct _VigilSource VigilSource;

/* @json: the request's "source". Errors: INVALID with the path, NOT_FOUND
 * for an element. Returns: (transfer full) (nullable). */
VigilSource *vigil_source_new (const VigilJson *json, GError **error);
void vigil_source_free (VigilSource *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VigilSource, vigil_source_free)

/* What {auto_source} becomes. (transfer none). */
const char *vigil_source_get_launch_text (const VigilSource *self);

/*
 * Sets the values on the elements of @pipeline, which was parsed from a text
 * with get_launch_text or has an element named "source". Properties that
 * urisourcebin (or a like element) does not have are kept for the element
 * that it makes inside. Names that nothing has become @warnings.
 */
gboolean vigil_source_apply (const VigilSource *self, GstBin *pipeline,
    VigilProblems *warnings, GError **error);

/*
 * Keeps a value for the element that @element (urisourcebin, uridecodebin
 * ...) will make inside; there it is set, or logged as a warning. Returns:
 * FALSE when @element makes none.
 */
gboolean vigil_source_defer_property (
    GstElement *element, const char *name, const VigilJson *value);

/* The element of @pipeline that a network stream comes through. Returns:
 * (transfer full) (nullable). */
GstElement *vigil_source_find_network (GstBin *pipeline);

/* TRUE when @message comes from @source (nullable) or what is inside it. */
gboolean vigil_source_is_origin (GstElement *source, GstMessage *message);

/* TRUE when the error @message says that @source (nullable) cannot be reached
 * or read. */
gboolean vigil_source_is_fault (GstElement *source, GstMessage *message);

/* TRUE when the source is known to be live from what the request says: a
 * camera, a network stream. */
gboolean vigil_source_is_live (const VigilSource *self);
