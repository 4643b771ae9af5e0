/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "model/frame.h"
#include <gst/gst.h>

/*
 * Makes frames of the samples of one appsink. It keeps what it read from
 * the last caps, so that a frame of the same caps costs little. Belongs to
 * the streaming thread of its appsink.
 */
typedef struct _VigilSampleReader VigilSampleReader;

/* @sink: (transfer none): the appsink; asked once for each new caps for the
 * encoder in front of it. */
VigilSampleReader *vigil_sample_reader_new (GstElement *sink);
void vigil_sample_reader_free (VigilSampleReader *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VigilSampleReader, vigil_sample_reader_free)

/*
 * Wraps @sample's memory, which stays mapped until the last reference to
 * the frame is gone, and reads its metas. frame_id is left at 0.
 * Returns: (transfer full) (nullable): NULL when the buffer cannot be
 * mapped for reading. Errors: FAILED.
 */
VigilFrame *vigil_sample_reader_read (
    VigilSampleReader *self, GstSample *sample, GError **error);
