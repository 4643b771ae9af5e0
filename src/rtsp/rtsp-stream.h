/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "rtsp/rtsp-jpeg.h"
#include <gst/rtsp-server/rtsp-server.h>
#include <stdint.h>

/*
 * What viewers of one path see: JPEGs go in, and into the one GStreamer
 * pipeline that all of them share. That pipeline is there only while there
 * are viewers. Between the two stands a queue of a few frames which loses
 * its oldest, so that nothing that a viewer does reaches the caller.
 * Reference-counted; every function may be called from any thread.
 */
typedef struct _VigilRtspStream VigilRtspStream;

typedef enum {
  VIGIL_RTSP_DROP_NO_VIEWER,
  VIGIL_RTSP_DROP_VIEWERS_SLOW, /* the queue lost it */
  VIGIL_RTSP_DROP_UNUSABLE,     /* cannot be sent as RTP/JPEG */
  VIGIL_RTSP_DROP_STOPPED,
  VIGIL_RTSP_DROP_REASONS,
} VigilRtspDrop;

/* At every moment: offered == dropped + queued + published. */
typedef struct {
  uint64_t offered;
  uint64_t dropped[VIGIL_RTSP_DROP_REASONS];
  uint64_t queued;
  uint64_t queued_bytes;
  uint64_t published; /* handed over to be sent */
  uint64_t bytes;
  uint64_t viewers; /* that ever asked to play */
  gboolean is_watched;
  gboolean is_ended;
} VigilRtspStreamStatus;

/* @queue_length: frames that may wait, at least 1. Returns: (transfer
 * full). */
VigilRtspStream *vigil_rtsp_stream_new (
    const char *path, unsigned queue_length);
VigilRtspStream *vigil_rtsp_stream_ref (VigilRtspStream *self);
/* NULL is allowed. */
void vigil_rtsp_stream_unref (VigilRtspStream *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VigilRtspStream, vigil_rtsp_stream_unref)

/* With a slash in front. (transfer none). */
const char *vigil_rtsp_stream_get_path (const VigilRtspStream *self);

/* For the server: makes the shared pipeline for the first viewer. Holds a
 * reference. Returns: (transfer full). */
GstRTSPMediaFactory *vigil_rtsp_stream_new_factory (VigilRtspStream *self);
/* The stream that @media shows. Returns: (transfer none) (nullable). */
VigilRtspStream *vigil_rtsp_stream_of_media (GstRTSPMedia *media);
/* One more viewer plays. */
void vigil_rtsp_stream_count_viewer (VigilRtspStream *self);

/* TRUE while frames are wanted: there is a viewer, or one is coming. */
gboolean vigil_rtsp_stream_is_watched (VigilRtspStream *self);

/* Hands over @jpeg (transfer none), of @size, which the check of rtsp-jpeg
 * passed; never waits. */
void vigil_rtsp_stream_push (
    VigilRtspStream *self, GBytes *jpeg, const VigilRtspJpegSize *size);
/* Counts a frame that was not pushed: offered, and dropped. */
void vigil_rtsp_stream_drop (VigilRtspStream *self, VigilRtspDrop reason);

/* What waits goes out, and then the end of the stream to every viewer. What
 * is pushed later is dropped. Does not wait. */
void vigil_rtsp_stream_end (VigilRtspStream *self);
/* Waits until nobody watches. Returns: FALSE when @deadline_us (monotonic)
 * came first. */
gboolean vigil_rtsp_stream_wait (VigilRtspStream *self, int64_t deadline_us);

void vigil_rtsp_stream_get_status (
    VigilRtspStream *self, VigilRtspStreamStatus *ret_status);
