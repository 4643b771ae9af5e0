/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gst/gst.h>

/*
 * How long frames take from their source to the sink: the first element
 * that gives a buffer its timestamp (source or demuxer) stamps it with the
 * clock, the sink looks the stamp up. The table is a ring of fixed size, so
 * frames that never arrive cost nothing.
 */
typedef struct _VigilLatency VigilLatency;

VigilLatency *vigil_latency_new (void);
/* The pipelines that were watched must be in NULL, or gone. */
void vigil_latency_free (VigilLatency *self);

/* Watches the sources of @pipeline, which is in NULL, those to come too. */
void vigil_latency_watch (VigilLatency *self, GstBin *pipeline);

/* A buffer with @pts has reached the sink. Streaming thread. */
void vigil_latency_mark_arrival (VigilLatency *self, GstClockTime pts);

/* Mean in seconds, negative when nothing was measured. Any thread. */
double vigil_latency_get_average (VigilLatency *self);
/* Monotonic time when a source last sent anything, or when the watch began.
 * Any thread. */
int64_t vigil_latency_get_last_activity_us (VigilLatency *self);
