/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "model/frame.h"
#include <gst/gst.h>

/*
 * Where frames leave GStreamer: it empties the appsinks of a pipeline, makes
 * frames of what arrives at the one named "destination", numbers them, and
 * hands them on. It outlives its pipeline, so that the numbers and counts go
 * on when a source is connected again.
 */
typedef struct _VigilReceiver VigilReceiver;

/* Streaming thread: takes @frame (transfer full). */
typedef void (*VigilReceiverCall) (void *user_data, VigilFrame *frame);

/* @bus_names: (nullable) the bus messages that go with the next frame. */
VigilReceiver *vigil_receiver_new (
    VigilReceiverCall on_frame, void *user_data, const VigilJson *bus_names);
/* Its pipeline must be gone. NULL is allowed. */
void vigil_receiver_free (VigilReceiver *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VigilReceiver, vigil_receiver_free)

/* Takes over @pipeline, which is in NULL; the one before must be gone.
 * Returns: TRUE when it has a destination. */
gboolean vigil_receiver_attach (VigilReceiver *self, GstBin *pipeline);

/* No call comes any more; waits for one that runs. Not from on_frame. */
void vigil_receiver_close (VigilReceiver *self);

/* Any thread. Frames that arrived; where there is no destination, those of
 * other appsinks. */
uint64_t vigil_receiver_get_frames (const VigilReceiver *self);
/* Mean seconds from source to sink; negative: not measured. */
double vigil_receiver_get_latency (VigilReceiver *self);
/* Monotonic time of the last sign of life of the sources, or of attach. */
int64_t vigil_receiver_get_last_activity_us (VigilReceiver *self);
