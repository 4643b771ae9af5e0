/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "model/frame.h"
#include <glib.h>
#include <stdatomic.h>
#include <stdint.h>

/*
 * What the worker gives to a destination for one frame: the metadata text,
 * and the frame's bytes if the destination takes them. Immutable and
 * reference-counted; shared by all destinations of an instance.
 */
typedef struct {
  GBytes *metadata; /* one JSON object, UTF-8 */
  GBytes *frame;    /* nullable: image bytes, or raw ones when asked for */
  /* TRUE: the frame's memory is the pipeline's. Sources have few buffers, so
   * a destination that keeps the bytes after its send copies them. */
  gboolean frame_is_borrowed;
  const char *content_type; /* (nullable) of the frame; interned or static */
  uint64_t frame_id;
  int64_t pts;     /* of the frame, or VIGIL_TIME_NONE; set before sharing */
  VigilFrame *raw; /* (nullable) the picture, when the bytes are raw ones */
  /* Not GLib's count: ThreadSanitizer sees only what is compiled with it. */
  atomic_uint reference_count;
} VigilMessage;

/*
 * Takes over @metadata and @frame (both transfer full; @frame nullable).
 * @content_type must live for ever.
 * Returns: (transfer full) a message with one reference. Any thread.
 */
VigilMessage *vigil_message_new (GBytes *metadata, GBytes *frame,
    gboolean frame_is_borrowed, const char *content_type, uint64_t frame_id);
/* Says that the bytes are those of @frame, as they lie there. Before the
 * message is shared. */
void vigil_message_set_raw (VigilMessage *self, VigilFrame *frame);
/* Returns: (transfer full) @self. Any thread. */
VigilMessage *vigil_message_ref (VigilMessage *self);
/* NULL is allowed. Any thread. */
void vigil_message_unref (VigilMessage *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VigilMessage, vigil_message_unref)
