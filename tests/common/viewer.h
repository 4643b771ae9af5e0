/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <stdint.h>

/* Who watches an RTSP stream: GStreamer's own client, which shares nothing
 * with ours. */
typedef struct _TestViewer TestViewer;

/* Opens rtsp://@address:@port/@path over @protocols ("tcp", "udp").
 * Returns: (transfer full), connecting. */
TestViewer *test_viewer_new (const char *address, uint16_t port,
    const char *path, const char *protocols);
void test_viewer_free (TestViewer *self);

/* Waits until @count frames have come. */
gboolean test_viewer_wait (
    TestViewer *self, unsigned count, unsigned milliseconds);
unsigned test_viewer_count (TestViewer *self);
/* One as it was put together again: a JPEG. Returns: (transfer full). */
GBytes *test_viewer_dup_frame (TestViewer *self, unsigned index);
/* Waits for the end of the stream. FALSE: for an error, or for nothing. */
gboolean test_viewer_wait_end (TestViewer *self, unsigned milliseconds);

/*
 * A viewer that asks for the stream over TCP, and never reads any of it.
 * @last: the last request that it makes: "DESCRIBE", "SETUP" or "PLAY".
 * Returns: its socket; each request but a last DESCRIBE was answered.
 */
int test_viewer_freeze (
    const char *address, uint16_t port, const char *path, const char *last);

/* What videotestsrc ! @elements makes of its first picture. Returns:
 * (transfer full). */
GBytes *test_viewer_make_frame (const char *elements);
/* A small JPEG that is the same after a way over RTP. */
GBytes *test_viewer_make_jpeg (void);
