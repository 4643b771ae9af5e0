/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <gst/gst.h>
#include <stdint.h>

/*
 * The appsrc of an image ingestor: whoever calls puts images into the
 * pipeline, one buffer each, in whatever encoding it decodes.
 */

/* Prepares the appsrc named "source" in @pipeline. Error: INVALID when there
 * is none. */
gboolean vigil_image_source_init (GstBin *pipeline, GError **error);

/*
 * Puts @image into @pipeline, behind those that wait. @pts_ns: of the frame
 * that it becomes; larger than the last one. Any thread; never waits.
 * Errors: INVALID: no image; UNAVAILABLE: the pipeline takes nothing (any
 * more); LIMIT: too many wait.
 */
gboolean vigil_image_source_push (
    GstBin *pipeline, GBytes *image, int64_t pts_ns, GError **error);
