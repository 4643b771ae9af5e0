/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "publish/buffer-pool.h"
#include "publish/message.h"

/*
 * The wire formats: what a subscriber receives for one frame. No other file
 * knows them. The shape never changes within a stream: a frame that could
 * not be had is an empty string.
 */
typedef enum {
  /* [metadata,"<base64>"] with frames, else the bare metadata: what the
   * subscriber script of the documentation reads. */
  VIGIL_PAYLOAD_ARRAY,
  /* {"metadata":...,"blob":"<base64>"}: what DLSPS 2.3 and later send. */
  VIGIL_PAYLOAD_OBJECT,
  /* The bare image in a message of its own, then the bare metadata. */
  VIGIL_PAYLOAD_BINARY,
} VigilPayloadFormat;

/* "array", "object", "binary", NULL: in the order of the enum. */
extern const char *const vigil_payload_format_names[];

/* Returns: FALSE when @name is no format. */
gboolean vigil_payload_format_parse (
    const char *name, VigilPayloadFormat *ret_format);

#define VIGIL_PAYLOAD_SEGMENTS_MAX 4

typedef struct {
  /* The main message, in order; NULL after the last. */
  GBytes *segments[VIGIL_PAYLOAD_SEGMENTS_MAX];
  /* (nullable) binary: the image, which goes first, alone. */
  GBytes *image;
} VigilPayload;

/*
 * Fills @ret_payload (transfer full: clear it) from @message. The metadata
 * is shared, not copied; the base64 is written straight into a buffer of
 * @pool; nothing in it borrows the pipeline's memory. Without memory for
 * the frame, the frame is left out as if there were none. Any thread.
 * @with_frame: FALSE: this destination publishes no frames.
 */
void vigil_payload_init (VigilPayload *ret_payload, VigilPayloadFormat format,
    gboolean with_frame, const VigilMessage *message, VigilBufferPool *pool);
void vigil_payload_clear (VigilPayload *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (VigilPayload, vigil_payload_clear)

/*
 * The image of a payload as it was before: of @segments, or the @image
 * itself. Returns: (transfer full) (nullable): NULL when there is none.
 */
GBytes *vigil_payload_dup_image (
    VigilPayloadFormat format, GBytes *const *segments, GBytes *image);

/* How many bytes of image fit into @limit_bytes, beside the metadata if they
 * share a message. */
size_t vigil_payload_get_room (
    VigilPayloadFormat format, size_t limit_bytes, GBytes *metadata);

/* Bytes of all segments, without the image. */
size_t vigil_payload_get_size (const VigilPayload *self);
