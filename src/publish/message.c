/* SPDX-License-Identifier: Apache-2.0 */
/* One frame's metadata and bytes, as the destinations of an instance share
 * them. */
#include "publish/message.h"

VigilMessage *
vigil_message_new (GBytes *metadata, GBytes *frame, gboolean frame_is_borrowed,
    const char *content_type, uint64_t frame_id)
{
  VigilMessage *self;

  g_return_val_if_fail (metadata != NULL, NULL);
  self = g_new0 (VigilMessage, 1);
  self->metadata = metadata;
  self->frame = frame;
  self->frame_is_borrowed = frame_is_borrowed;
  self->content_type = content_type;
  self->frame_id = frame_id;
  self->pts = VIGIL_TIME_NONE;
  atomic_init (&self->reference_count, 1);
  return self;
}

void
vigil_message_set_raw (VigilMessage *self, VigilFrame *frame)
{
  g_return_if_fail (self != NULL && self->raw == NULL);

  self->raw = vigil_frame_ref (frame);
}

VigilMessage *
vigil_message_ref (VigilMessage *self)
{
  atomic_fetch_add_explicit (&self->reference_count, 1, memory_order_relaxed);
  return self;
}

void
vigil_message_unref (VigilMessage *self)
{
  /* Release and acquire: what any holder did with the message comes before
   * its memory goes. */
  if (self == NULL || atomic_fetch_sub_explicit (
                          &self->reference_count, 1, memory_order_acq_rel) != 1)
    return;
  g_bytes_unref (self->metadata);
  g_clear_pointer (&self->frame, g_bytes_unref);
  vigil_frame_unref (self->raw);
  g_free (self);
}
