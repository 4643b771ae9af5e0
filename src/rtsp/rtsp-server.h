/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "rtsp/rtsp-settings.h"
#include "rtsp/rtsp-stream.h"

/*
 * The one RTSP server of the process. It listens from the first stream on,
 * so that a server without streams opens no port; threads and main context
 * are its own. Any thread.
 */
typedef struct _VigilRtspServer VigilRtspServer;

/* @settings must outlive the server. Opens nothing. Returns: (transfer
 * full). */
VigilRtspServer *vigil_rtsp_server_new (const VigilRtspSettings *settings);
/* Closes every connection; all streams must have been removed. NULL is
 * allowed. */
void vigil_rtsp_server_free (VigilRtspServer *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VigilRtspServer, vigil_rtsp_server_free)

/*
 * Shows @stream at its path. Errors: UNSUPPORTED when RTSP is switched off,
 * INVALID when the path is taken, UNAVAILABLE when the port cannot be had.
 */
gboolean vigil_rtsp_server_add (
    VigilRtspServer *self, VigilRtspStream *stream, GError **error);
/*
 * Ends @stream, lets its viewers go until @deadline_us (monotonic) but no
 * longer than they need to hear of it, closes the connections of those who
 * stay, and frees the path.
 */
void vigil_rtsp_server_remove (
    VigilRtspServer *self, VigilRtspStream *stream, int64_t deadline_us);

/* The port that it listens on; 0 before the first stream. */
uint16_t vigil_rtsp_server_get_port (VigilRtspServer *self);
/* Connections that are open: for tests and metrics. */
unsigned vigil_rtsp_server_count_connections (VigilRtspServer *self);
