/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/json.h"
#include "model/frame.h"
#include "publish/instance-state.h"
#include <glib.h>

/*
 * Writes the metadata of one frame after another: the JSON object that
 * every destination publishes. Buffers are kept from frame to frame. One
 * thread.
 */
typedef struct _VigilMetadataJson VigilMetadataJson;

/* Copied by new. */
typedef struct {
  const char *pipeline_name; /* "version" in the published object */
  const char *instance_id;
  const char *tags_json; /* (nullable) a JSON object: replaces other tags */
  unsigned img_handle_length;
  gboolean convert_to_dcaas;
} VigilMetadataJsonOptions;

/* What the published bytes are. */
typedef struct {
  gboolean is_known; /* FALSE: both keys are left out */
  const char *type;  /* "jpeg"; NULL: null */
  int level;         /* negative: null */
} VigilImageEncoding;

/* Returns: (transfer full). */
VigilMetadataJson *vigil_metadata_json_new (
    const VigilMetadataJsonOptions *options);
void vigil_metadata_json_free (VigilMetadataJson *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VigilMetadataJson, vigil_metadata_json_free)

/*
 * Writes the metadata of @frame in the contract's order: the frame's own
 * keys, what the messages bring, regions, encoding, pipeline, times. @now_ns
 * is the UTC time of `time`. Messages that are no use are left out and
 * counted in @ret_errors.
 * Returns: (transfer none): one valid JSON object on one line, until the
 * next call.
 */
const GString *vigil_metadata_json_write (VigilMetadataJson *self,
    const VigilFrame *frame, const VigilImageEncoding *encoding,
    const VigilInstanceState *state, int64_t now_ns, unsigned *ret_errors);

/* What write has written, as a tree to be looked at and changed, and a tree
 * as it would write it. Any thread. Returns: (transfer full), nullable for
 * what is no metadata. */
VigilJson *vigil_metadata_json_parse (GBytes *text);
GBytes *vigil_metadata_json_print (const VigilJson *tree);
