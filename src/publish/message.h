/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <stdint.h>

/*
 * What the worker gives to a destination for one frame: the metadata text,
 * and the frame's bytes if the destination takes them. Immutable and
 * reference-counted; shared by all destinations of an instance.
 */
typedef struct {
  GBytes *metadata; /* one JSON object, UTF-8 */
  GBytes *frame;    /* nullable: image bytes, or raw ones when asked for */
  const char *content_type; /* of the frame; interned */
  uint64_t frame_id;
  gatomicrefcount reference_count;
} VigilMessage;

/* Takes over @metadata and @frame (transfer full). @content_type is
 * interned here. */
VigilMessage *vigil_message_new (GBytes *metadata, GBytes *frame,
    const char *content_type, uint64_t frame_id);
VigilMessage *vigil_message_ref (VigilMessage *self);
void vigil_message_unref (VigilMessage *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VigilMessage, vigil_message_unref)
