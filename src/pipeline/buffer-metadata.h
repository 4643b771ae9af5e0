/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "model/metadata.h"
#include <gst/gst.h>

/*
 * Appends what the metas of @buffer say to @metadata: regions of interest,
 * DL Streamer's JSON messages and tensors (by type name, without a
 * dependency on it). Streaming thread. Whatever the metas hold, this does
 * not fail: what cannot be read is left out.
 */
void vigil_buffer_metadata_read (GstBuffer *buffer, VigilMetadata *metadata);
