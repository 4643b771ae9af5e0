/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* A table for people: columns as wide as their widest cell, two spaces
 * between them, nothing behind the last one. */
typedef struct _VigilTextTable VigilTextTable;

/* @heads: NULL-terminated titles; copied. */
VigilTextTable *vigil_text_table_new (const char *const *heads);
void vigil_text_table_free (VigilTextTable *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VigilTextTable, vigil_text_table_free)

/* @text with spaces for control characters: what a server sends must not
 * move a terminal's cursor. Returns: (transfer full). */
char *vigil_text_table_dup_printable (const char *text);
/* @cells (transfer full): as many as there are heads; made printable. */
void vigil_text_table_take_row (VigilTextTable *self, char **cells);
/* Returns: (transfer full): the lines. */
char *vigil_text_table_to_text (const VigilTextTable *self);
