/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Merging of JSON messages by their text.
 *
 * A frame's message is read only to find its top-level members; building a
 * tree of it and printing that again costs several times more. So a strict
 * scanner walks the usual kind of text. What is unusual (escaped names,
 * line breaks between values, huge numbers, very many names in one object)
 * is not judged here: the JSON library reads and prints it anew. The rule
 * that keeps both ways alike: what the scanner takes, the library takes.
 */
#include "publish/gva-messages.h"

#include "base/json.h"
#include <stdint.h>
#include <string.h>

/* Names in one object up to which the scanner looks for doubles itself. */
enum { SCANNED_NAMES_MAX = 32 };
enum { SLOTS_KEPT_MAX = 1024 };

struct _VigilGvaMessages {
  GArray *members;  /* element-type: VigilGvaMember */
  GArray *scanned;  /* element-type: VigilGvaMember; of one message */
  GPtrArray *texts; /* element-type: char *; printed anew, owned */
  /* Open addressing: index into members plus one; 0 is empty. */
  uint32_t *slots;
  size_t slots_size; /* a power of two */
};

/* ---- Scanner --------------------------------------------------------- */

typedef struct {
  const char *at;
  const char *end;
} Scanner;

static void
skip_spaces (Scanner *self)
{
  /* Only spaces: a line break inside would make a record of the file
   * destination two lines. */
  while (self->at < self->end && *self->at == ' ')
    self->at++;
}

static gboolean
take (Scanner *self, char wanted)
{
  if (self->at >= self->end || *self->at != wanted)
    return FALSE;
  self->at++;
  return TRUE;
}

static int
scan_hex4 (Scanner *self)
{
  int value = 0;

  if (self->end - self->at < 4)
    return -1;
  for (unsigned i = 0; i < 4; i++) {
    int digit = g_ascii_xdigit_value (*self->at++);

    if (digit < 0)
      return -1;
    value = value * 16 + digit;
  }
  return value;
}

/* After the backslash. Surrogates and NUL are left to the library. */
static gboolean
scan_escape (Scanner *self)
{
  int unit;

  if (self->at >= self->end)
    return FALSE;
  switch (*self->at++) {
  case '"':
  case '\\':
  case '/':
  case 'b':
  case 'f':
  case 'n':
  case 'r':
  case 't':
    return TRUE;
  case 'u':
    unit = scan_hex4 (self);
    return unit > 0 && (unit < 0xd800 || unit > 0xdfff);
  default:
    return FALSE;
  }
}

/* The whole text was found to be UTF-8 before. */
static gboolean
scan_string (Scanner *self)
{
  if (!take (self, '"'))
    return FALSE;
  while (self->at < self->end) {
    unsigned char byte = *self->at++;

    if (byte == '"')
      return TRUE;
    if (byte < 0x20 || (byte == '\\' && !scan_escape (self)))
      return FALSE;
  }
  return FALSE;
}

/* A name without escapes, so that equal names are equal texts. */
static gboolean
scan_name (Scanner *self, uint64_t *ret_hash)
{
  uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a */

  if (!take (self, '"'))
    return FALSE;
  while (self->at < self->end) {
    unsigned char byte = *self->at++;

    if (byte == '"') {
      *ret_hash = hash;
      return TRUE;
    }
    if (byte < 0x20 || byte == '\\')
      return FALSE;
    hash = (hash ^ byte) * 0x100000001b3u;
  }
  return FALSE;
}

static unsigned
scan_digits (Scanner *self)
{
  const char *start = self->at;

  while (self->at < self->end && g_ascii_isdigit (*self->at))
    self->at++;
  return self->at - start;
}

/* Numbers that surely fit in 64 bits or a double. */
static gboolean
scan_number (Scanner *self)
{
  const char *start;
  unsigned digits;

  take (self, '-');
  start = self->at;
  digits = scan_digits (self);
  if (digits == 0 || digits > 18 || (digits > 1 && *start == '0'))
    return FALSE;
  if (take (self, '.')) {
    digits = scan_digits (self);
    if (digits == 0 || digits > 40)
      return FALSE;
  }
  if (take (self, 'e') || take (self, 'E')) {
    if (!take (self, '-'))
      take (self, '+');
    digits = scan_digits (self);
    return digits > 0 && digits <= 2;
  }
  return TRUE;
}

static gboolean
scan_word (Scanner *self, const char *word)
{
  size_t length = strlen (word);

  if ((size_t)(self->end - self->at) < length ||
      memcmp (self->at, word, length) != 0)
    return FALSE;
  self->at += length;
  return TRUE;
}

static gboolean scan_value (Scanner *self, unsigned depth);

/* @members: (nullable) takes the members. */
static gboolean
scan_object (Scanner *self, unsigned depth, GArray *members)
{
  uint64_t hashes[SCANNED_NAMES_MAX];
  unsigned size = 0;

  if (depth > VIGIL_GVA_MESSAGE_DEPTH_MAX || !take (self, '{'))
    return FALSE;
  skip_spaces (self);
  if (take (self, '}'))
    return TRUE;
  do {
    VigilGvaMember member;

    skip_spaces (self);
    member.key = self->at + 1;
    if (size == SCANNED_NAMES_MAX || !scan_name (self, &hashes[size]))
      return FALSE;
    member.key_length = self->at - 1 - member.key;
    for (unsigned i = 0; i < size; i++) {
      if (hashes[i] == hashes[size])
        return FALSE;
    }
    size++;
    skip_spaces (self);
    if (!take (self, ':'))
      return FALSE;
    skip_spaces (self);
    member.value = self->at;
    if (!scan_value (self, depth))
      return FALSE;
    member.value_length = self->at - member.value;
    if (members != NULL)
      g_array_append_val (members, member);
    skip_spaces (self);
  } while (take (self, ','));
  return take (self, '}');
}

static gboolean
scan_array (Scanner *self, unsigned depth)
{
  if (depth > VIGIL_GVA_MESSAGE_DEPTH_MAX || !take (self, '['))
    return FALSE;
  skip_spaces (self);
  if (take (self, ']'))
    return TRUE;
  do {
    skip_spaces (self);
    if (!scan_value (self, depth))
      return FALSE;
    skip_spaces (self);
  } while (take (self, ','));
  return take (self, ']');
}

/* @depth: of the container that holds the value. */
static gboolean
scan_value (Scanner *self, unsigned depth)
{
  if (self->at >= self->end)
    return FALSE;
  switch (*self->at) {
  case '{':
    return scan_object (self, depth + 1, NULL);
  case '[':
    return scan_array (self, depth + 1);
  case '"':
    return scan_string (self);
  case 't':
    return scan_word (self, "true");
  case 'f':
    return scan_word (self, "false");
  case 'n':
    return scan_word (self, "null");
  default:
    return scan_number (self);
  }
}

/* FALSE: not of the usual kind, which says nothing about its being valid. */
static gboolean
scan_message (const char *text, size_t length, GArray *members)
{
  Scanner scanner = {text, text + length};

  if (!g_utf8_validate_len (text, length, NULL))
    return FALSE;
  skip_spaces (&scanner);
  if (!scan_object (&scanner, 1, members))
    return FALSE;
  skip_spaces (&scanner);
  return scanner.at == scanner.end;
}

/* ---- The library's way ------------------------------------------------ */

static gboolean
print_anew (VigilGvaMessages *self, const char *text, size_t length)
{
  g_autoptr (VigilJson) tree = vigil_json_parse (text, length,
      VIGIL_GVA_MESSAGE_BYTES_MAX, VIGIL_GVA_MESSAGE_DEPTH_MAX, NULL);
  VigilJsonIter iter = {0};
  const char *name;
  const VigilJson *value;

  if (tree == NULL || vigil_json_get_type (tree) != VIGIL_JSON_OBJECT)
    return FALSE;
  while (vigil_json_object_next (tree, &iter, &name, &value)) {
    g_autoptr (VigilJson) name_value = vigil_json_new_string (name);
    char *key = vigil_json_to_text (name_value);
    char *printed = vigil_json_to_text (value);
    VigilGvaMember member = {
        key + 1, strlen (key) - 2, printed, strlen (printed)};

    g_ptr_array_add (self->texts, key);
    g_ptr_array_add (self->texts, printed);
    g_array_append_val (self->scanned, member);
  }
  return TRUE;
}

/* ---- Members ----------------------------------------------------------- */

static uint32_t *
find_slot (const VigilGvaMessages *self, const char *key, size_t length)
{
  uint64_t hash = 0xcbf29ce484222325u;
  size_t mask = self->slots_size - 1;

  for (size_t i = 0; i < length; i++)
    hash = (hash ^ (unsigned char)key[i]) * 0x100000001b3u;
  for (size_t i = hash & mask;; i = (i + 1) & mask) {
    const VigilGvaMember *member;

    if (self->slots[i] == 0)
      return &self->slots[i];
    member = &g_array_index (self->members, VigilGvaMember, self->slots[i] - 1);
    if (member->key_length == length && memcmp (member->key, key, length) == 0)
      return &self->slots[i];
  }
}

/* At most half full, so that find_slot ends. */
static void
make_room (VigilGvaMessages *self, size_t members)
{
  size_t size = self->slots_size;

  while (size < members * 2)
    size *= 2;
  if (size == self->slots_size)
    return;
  g_free (self->slots);
  self->slots = g_new0 (uint32_t, size);
  self->slots_size = size;
  for (unsigned i = 0; i < self->members->len; i++) {
    const VigilGvaMember *member =
        &g_array_index (self->members, VigilGvaMember, i);

    *find_slot (self, member->key, member->key_length) = i + 1;
  }
}

static void
merge (VigilGvaMessages *self)
{
  make_room (self, self->members->len + self->scanned->len);
  for (unsigned i = 0; i < self->scanned->len; i++) {
    const VigilGvaMember *member =
        &g_array_index (self->scanned, VigilGvaMember, i);
    uint32_t *slot = find_slot (self, member->key, member->key_length);

    if (*slot != 0) {
      g_array_index (self->members, VigilGvaMember, *slot - 1) = *member;
      continue;
    }
    g_array_append_vals (self->members, member, 1);
    *slot = self->members->len;
  }
}

/* ---- Public ------------------------------------------------------------ */

VigilGvaMessages *
vigil_gva_messages_new (void)
{
  VigilGvaMessages *self = g_new0 (VigilGvaMessages, 1);

  self->members = g_array_new (FALSE, FALSE, sizeof (VigilGvaMember));
  self->scanned = g_array_new (FALSE, FALSE, sizeof (VigilGvaMember));
  self->texts = g_ptr_array_new_with_free_func (g_free);
  self->slots_size = 64;
  self->slots = g_new0 (uint32_t, self->slots_size);
  return self;
}

void
vigil_gva_messages_free (VigilGvaMessages *self)
{
  if (self == NULL)
    return;
  g_array_unref (self->members);
  g_array_unref (self->scanned);
  g_ptr_array_unref (self->texts);
  g_free (self->slots);
  g_free (self);
}

void
vigil_gva_messages_clear (VigilGvaMessages *self)
{
  if (self->members->len == 0)
    return;
  g_array_set_size (self->members, 0);
  g_ptr_array_set_size (self->texts, 0);
  /* One message of very many members must not cost every later frame. */
  self->slots_size = MIN (self->slots_size, SLOTS_KEPT_MAX);
  memset (self->slots, 0, self->slots_size * sizeof *self->slots);
}

gboolean
vigil_gva_messages_add (VigilGvaMessages *self, const char *text)
{
  size_t length = strnlen (text, VIGIL_GVA_MESSAGE_BYTES_MAX + 1);

  if (length > VIGIL_GVA_MESSAGE_BYTES_MAX)
    return FALSE;
  g_array_set_size (self->scanned, 0);
  if (!scan_message (text, length, self->scanned)) {
    g_array_set_size (self->scanned, 0);
    if (!print_anew (self, text, length))
      return FALSE;
  }
  merge (self);
  return TRUE;
}

unsigned
vigil_gva_messages_get_size (const VigilGvaMessages *self)
{
  return self->members->len;
}

const VigilGvaMember *
vigil_gva_messages_get (const VigilGvaMessages *self, unsigned index)
{
  return &g_array_index (self->members, VigilGvaMember, index);
}

const VigilGvaMember *
vigil_gva_messages_find (const VigilGvaMessages *self, const char *name)
{
  const uint32_t *slot = find_slot (self, name, strlen (name));

  return *slot == 0 ? NULL
                    : &g_array_index (self->members, VigilGvaMember, *slot - 1);
}
