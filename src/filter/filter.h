/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/json.h"
#include "config/problems.h"
#include "config/schema.h"

/*
 * Decides, by labels and scores, which results of a frame are published,
 * and whether the frame is. Works on the finished metadata, in every shape
 * in which elements report. Immutable once made; any thread.
 */
typedef struct _VigilFilter VigilFilter;

/* The keys of a `filter` block. */
extern const VigilSchemaKey vigil_filter_keys[];

/* Adds what the schema cannot see in a block that stands at @path. */
void vigil_filter_check (
    const VigilJson *settings, const char *path, VigilProblems *problems);

/*
 * Reads a checked block.
 * Returns: (transfer full) (nullable): NULL for an absent or empty block,
 * which filters nothing.
 */
VigilFilter *vigil_filter_new (const VigilJson *settings);
/* NULL is allowed. */
void vigil_filter_free (VigilFilter *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VigilFilter, vigil_filter_free)

/*
 * Judges @metadata, which is not changed; whatever it holds, there is an
 * answer. @ret_changed: (transfer full) (nullable): the metadata without
 * the results that were skipped; NULL when none was.
 * Returns: TRUE when the frame is to be published.
 */
gboolean vigil_filter_apply (const VigilFilter *self, const VigilJson *metadata,
    VigilJson **ret_changed);
