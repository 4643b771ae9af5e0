/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * The JSON messages that elements attach to a buffer (GstGVAJSONMeta),
 * merged at the top level in their order: a later member replaces an
 * earlier one of the same name, which keeps its place. Values are not taken
 * apart: their text goes to the subscriber as it came. One thread.
 */
typedef struct _VigilGvaMessages VigilGvaMessages;

/* Limits of one message; beyond them it is ignored. */
#define VIGIL_GVA_MESSAGE_BYTES_MAX (1024 * 1024)
#define VIGIL_GVA_MESSAGE_DEPTH_MAX 64

typedef struct {
  const char *key; /* between its quotes, escaped as JSON wants */
  size_t key_length;
  const char *value; /* one JSON value, on one line */
  size_t value_length;
} VigilGvaMember;

VigilGvaMessages *vigil_gva_messages_new (void);
void vigil_gva_messages_free (VigilGvaMessages *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VigilGvaMessages, vigil_gva_messages_free)

/* Forgets the members; memory is kept for the next frame. */
void vigil_gva_messages_clear (VigilGvaMessages *self);

/*
 * Merges the members of @text, which must stay until clear.
 * Returns: FALSE when the text is no use (no strict JSON, no object, a key
 * twice, over a limit): then nothing of it was merged.
 */
gboolean vigil_gva_messages_add (VigilGvaMessages *self, const char *text);

unsigned vigil_gva_messages_get_size (const VigilGvaMessages *self);
/* Valid until the next add or clear. */
const VigilGvaMember *vigil_gva_messages_get (
    const VigilGvaMessages *self, unsigned index);
/* By a name that needs no escapes. Returns: (nullable) (transfer none). */
const VigilGvaMember *vigil_gva_messages_find (
    const VigilGvaMessages *self, const char *name);
