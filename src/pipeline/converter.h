/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "model/frame.h"
#include <gst/video/video.h>

/*
 * Converts raw video in a format that no encoder takes into one that they
 * take, of the same colorimetry where both are YUV. Shared by the frames of
 * one caps; one conversion at a time, any thread.
 */
typedef struct _VigilConverter VigilConverter;

/* Cheap: the tables are made by the first conversion. */
VigilConverter *vigil_converter_new (const GstVideoInfo *info);
VigilConverter *vigil_converter_ref (VigilConverter *self);
void vigil_converter_unref (VigilConverter *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VigilConverter, vigil_converter_unref)

/*
 * @buffer: a picture of the converter's format. Returns: (transfer full)
 * (nullable): a frame with its own memory, pixels and sizes, and no times
 * or metadata. Errors: UNSUPPORTED, LIMIT (no memory), FAILED.
 */
VigilFrame *vigil_converter_convert (
    VigilConverter *self, GstBuffer *buffer, GError **error);
