/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "publish/destination.h"
#include <glib.h>
#include <stdint.h>

/*
 * The answer to one posted image: a destination inside the program, beside
 * those of the configuration, that hands over the message of the image that
 * somebody waits for and drops the others.
 */
typedef struct _VigilImageResponse VigilImageResponse;

VigilImageResponse *vigil_image_response_new (void);
void vigil_image_response_free (VigilImageResponse *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VigilImageResponse, vigil_image_response_free)

/* For vigil_publisher_add_destination, with the response as user data; it
 * must outlive the publisher. */
extern const VigilDestinationOps vigil_image_response_ops;

/* From here on the message of the frame at @pts_ns is waited for. One at a
 * time. Any thread, like the next one. */
void vigil_image_response_expect (VigilImageResponse *self, int64_t pts_ns);

/*
 * Waits for it until @deadline_us (monotonic). @with_frame: FALSE: the blob
 * stays empty. Returns: (transfer full) (nullable): {"metadata", "blob"} as
 * text; NULL when the deadline came first, or the instance ended.
 */
char *vigil_image_response_wait (
    VigilImageResponse *self, gboolean with_frame, int64_t deadline_us);
