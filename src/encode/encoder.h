/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "model/frame.h"

/*
 * Turns a raw frame into the bytes of an image file. An encoder object keeps
 * its library's state and buffers from frame to frame and belongs to one
 * thread; what it returns may be shared.
 */
typedef struct _VigilEncoder VigilEncoder;

/* Widest and highest picture that is taken: the limit of libjpeg. */
#define VIGIL_ENCODER_SIZE_MAX 65500

/* One implementation; the registry in encoder.c lists them. The functions
 * see checked input only: see vigil_encoder_encode. */
typedef struct {
  const char *name;         /* "jpeg", "png" */
  const char *content_type; /* "image/jpeg" */
  int minimum_level, maximum_level, default_level;
  /* Returns: (transfer full) (nullable) the state. Errors: FAILED. */
  void *(*open) (int level, GError **error);
  /* Returns: (transfer full) (nullable). Errors: LIMIT, FAILED. */
  GBytes *(*encode) (void *state, const VigilFrame *frame, GError **error);
  void (*close) (void *state);
} VigilEncoderOps;

/* Returns: (transfer none) (nullable): NULL when @name, in any case, is not
 * known. */
const VigilEncoderOps *vigil_encoder_find (const char *name);
/* The registry, NULL-terminated: for messages and the conformance suite. */
const VigilEncoderOps *const *vigil_encoder_list (void);

/*
 * @level: -1 for the default.
 * Returns: (transfer full) (nullable). Errors: INVALID for a level outside
 * the limits of @ops, FAILED.
 */
VigilEncoder *vigil_encoder_new (
    const VigilEncoderOps *ops, int level, GError **error);
/* NULL is allowed. */
void vigil_encoder_free (VigilEncoder *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VigilEncoder, vigil_encoder_free)

int vigil_encoder_get_level (const VigilEncoder *self);

/*
 * Encodes @frame, which must be raw (vigil_frame_is_raw), of any stride and
 * odd sizes. The decoded image shows the source's colours: limited range is
 * expanded, BT.709 converted. Blocks for the time of the encode.
 * Returns: (transfer full) (nullable). Errors: UNSUPPORTED for a frame that
 * is not raw or must be converted first (VIGIL_PIXELS_OTHER), INVALID for a
 * picture without planes, size or a stride that holds its rows, LIMIT for
 * one that is too large, FAILED when the library fails. The encoder can be
 * used again after each of them.
 */
GBytes *vigil_encoder_encode (
    VigilEncoder *self, const VigilFrame *frame, GError **error);
