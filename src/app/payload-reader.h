/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/json.h"
#include <glib.h>

/*
 * The reading end of what vigil publishes: takes one MQTT message apart,
 * whichever payload_format made it.
 */
typedef struct {
  VigilJson *metadata; /* nullable: a frame of its own has none */
  GBytes *frame;       /* nullable: no frame was sent */
  int64_t frame_id;    /* -1: the message does not say */
} VigilPayloadReader;

/*
 * Fills @ret_reader from a message that came on @topic. Understood are an
 * array [metadata, base64], an object {metadata, blob}, the metadata alone,
 * and, on a topic that ends in /frame/NUMBER, the bytes of a frame. Any
 * thread. Errors: INVALID.
 */
gboolean vigil_payload_reader_init (VigilPayloadReader *ret_reader,
    const char *topic, const void *payload, size_t size, GError **error);
void vigil_payload_reader_clear (VigilPayloadReader *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (
    VigilPayloadReader, vigil_payload_reader_clear)

/*
 * The name of a file for the frame: of @topic what is harmless in a name,
 * the frame's number (@fallback when it is not known), and the ending that
 * its bytes ask for. Never leads out of the folder. Only with a frame.
 * Returns: (transfer full).
 */
char *vigil_payload_reader_dup_file_name (
    const VigilPayloadReader *self, const char *topic, uint64_t fallback);
