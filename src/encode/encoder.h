/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "model/frame.h"

/*
 * Turns a raw frame into the bytes of an image file. An encoder object keeps
 * its library's state and buffers from frame to frame and belongs to one
 * thread; what it returns may be shared.
 */
typedef struct _VigilEncoder VigilEncoder;

/* One implementation; the registry in encoder.c lists them. */
typedef struct {
  const char *name; /* "jpeg", "png" */
  const char *content_type; /* "image/jpeg" */
  int minimum_level, maximum_level, default_level;
  /* Returns: (transfer full) the state. */
  void *(*open) (int level);
  /* Returns: (transfer full) (nullable). Errors: UNSUPPORTED for a format
   * this encoder is not given by vigil_encoder_encode, FAILED. */
  GBytes *(*encode) (void *state, const VigilFrame *frame, GError **error);
  void (*close) (void *state);
} VigilEncoderOps;

/* Returns: (transfer none) (nullable): NULL when @name is not known. */
const VigilEncoderOps *vigil_encoder_find (const char *name);
/* The registry, NULL-terminated: for messages and the conformance suite. */
const VigilEncoderOps *const *vigil_encoder_list (void);

/* @level: within the ops' limits; -1 for the default. */
VigilEncoder *vigil_encoder_new (const VigilEncoderOps *ops, int level);
void vigil_encoder_free (VigilEncoder *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VigilEncoder, vigil_encoder_free)

const VigilEncoderOps *vigil_encoder_get_ops (const VigilEncoder *self);
int vigil_encoder_get_level (const VigilEncoder *self);

/*
 * Encodes @frame, which must be raw (vigil_frame_is_raw), of any stride and
 * odd sizes. The decoded image shows the source's colours: limited range is
 * expanded, BT.709 converted. Blocks for the time of the encode.
 * Returns: (transfer full) (nullable).
 */
GBytes *vigil_encoder_encode (
    VigilEncoder *self, const VigilFrame *frame, GError **error);
