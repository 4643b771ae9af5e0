/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <string.h>

/*
 * Appending of text whose length is known when compiled: metadata is for
 * the most part names, and GLib's append is a call with checks for each.
 */
static inline void
vigil_json_text_append (GString *text, const char *bytes, size_t length)
{
  if (G_UNLIKELY (text->allocated_len - text->len <= length)) {
    g_string_append_len (text, bytes, (gssize)length);
    return;
  }
  memcpy (text->str + text->len, bytes, length);
  text->len += length;
  text->str[text->len] = '\0';
}

/* @literal: a string literal. */
#define VIGIL_JSON_TEXT_APPEND(text, literal)                                  \
  vigil_json_text_append ((text), "" literal, sizeof (literal) - 1)
