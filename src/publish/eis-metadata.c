/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One pass over JSON text that is known to be valid, because we wrote it.
 * Most metadata holds no null, and then is not copied at all.
 */
#include "publish/eis-metadata.h"

#include <string.h>

#define ALPHA_CHANNELS "\"channels\":4"

/* The frame's own keys stand at the beginning, channels is the third. */
enum { HEAD_BYTES = 256 };

typedef struct {
  const char *text;
  size_t size;
  size_t at;
  unsigned depth;
  gboolean is_jpeg;
  GString *out;
} Pass;

/* By its rarest letter: memmem takes longer than all else in a send. */
static gboolean
contains_null (const Pass *self)
{
  const char *end = self->text + self->size;
  const char *u = self->text;

  while ((u = memchr (u, 'u', (size_t)(end - u))) != NULL) {
    if (u > self->text && u[-1] == 'n' && end - u >= 3 && u[1] == 'l' &&
        u[2] == 'l')
      return TRUE;
    u++;
  }
  return FALSE;
}

static gboolean
has_alpha (const Pass *self)
{
  return memmem (self->text, MIN (self->size, HEAD_BYTES), ALPHA_CHANNELS,
             strlen (ALPHA_CHANNELS)) != NULL;
}

static gboolean
starts_with (const Pass *self, size_t at, const char *word)
{
  const size_t length = strlen (word);

  return self->size - at >= length &&
         memcmp (self->text + at, word, length) == 0;
}

/* The place behind the string that starts at @at. */
static size_t
find_string_end (const Pass *self, size_t at)
{
  for (at++; at < self->size && self->text[at] != '"'; at++) {
    if (self->text[at] == '\\')
      at++;
  }
  return MIN (at + 1, self->size);
}

static size_t
skip_space (const Pass *self, size_t at)
{
  while (at < self->size && strchr (" \t\r\n", self->text[at]) != NULL)
    at++;
  return at;
}

/* Leaves out the member whose null ends at @at, and one comma with it. */
static void
drop_member (Pass *self, size_t at)
{
  at = skip_space (self, at);
  if (at < self->size && self->text[at] == ',')
    at++;
  else if (self->out->str[self->out->len - 1] == ',')
    g_string_truncate (self->out, self->out->len - 1);
  self->at = at;
}

/* At the quote of a string: a key or a value. */
static void
take_string (Pass *self)
{
  const size_t end = find_string_end (self, self->at);
  const size_t colon = skip_space (self, end);
  size_t value;

  if (colon < self->size && self->text[colon] == ':') {
    value = skip_space (self, colon + 1);
    if (starts_with (self, value, "null")) {
      drop_member (self, value + strlen ("null"));
      return;
    }
    if (self->is_jpeg && self->depth == 1 &&
        starts_with (self, self->at, ALPHA_CHANNELS)) {
      g_string_append (self->out, "\"channels\":3");
      self->at += strlen (ALPHA_CHANNELS);
      return;
    }
  }
  g_string_append_len (
      self->out, self->text + self->at, (gssize)(end - self->at));
  self->at = end;
}

static void
take_character (Pass *self)
{
  const char character = self->text[self->at++];

  if (character == '{' || character == '[')
    self->depth++;
  else if (character == '}' || character == ']')
    self->depth--;
  g_string_append_c (self->out, character);
}

GBytes *
vigil_eis_metadata_convert (GBytes *metadata, gboolean is_jpeg)
{
  Pass pass = {.is_jpeg = is_jpeg};

  g_return_val_if_fail (metadata != NULL, NULL);

  pass.text = g_bytes_get_data (metadata, &pass.size);
  if (!contains_null (&pass) && !(is_jpeg && has_alpha (&pass)))
    return g_bytes_ref (metadata);
  pass.out = g_string_sized_new (pass.size);
  while ((pass.at = skip_space (&pass, pass.at)) < pass.size) {
    if (pass.text[pass.at] == '"')
      take_string (&pass);
    else
      take_character (&pass);
  }
  return g_string_free_to_bytes (pass.out);
}
