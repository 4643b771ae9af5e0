/* SPDX-License-Identifier: Apache-2.0 */
/* JSON read with jansson, which no other file knows. */
#include "base/json.h"

#include "base/error.h"
#include <jansson.h>
#include <string.h>

#define DEPTH_MAX 2048

/* jansson's calls take values that they do not change as changeable. */
static json_t *
unconst (const VigilJson *self)
{
  return (json_t *)self;
}

/* ---- Parsing ---------------------------------------------------------- */

/*
 * The parser recurses, so depth is measured before it runs. Returns: the
 * offset of the bracket that goes too deep, or @size. Text that is no JSON
 * gives some answer, and an error from the parser later.
 */
static size_t
find_too_deep (const char *text, size_t size, unsigned max_depth)
{
  unsigned depth = 0;
  gboolean in_string = FALSE;
  for (size_t i = 0; i < size; i++) {
    char c = text[i];
    if (in_string) {
      if (c == '\\')
        i++;
      else if (c == '"')
        in_string = FALSE;
    } else if (c == '"') {
      in_string = TRUE;
    } else if (c == '[' || c == '{') {
      if (depth++ == max_depth)
        return i;
    } else if ((c == ']' || c == '}') && depth > 0) {
      depth--;
    }
  }
  return size;
}

static gboolean
is_blank (const char *text, size_t size)
{
  for (size_t i = 0; i < size; i++) {
    if (strchr (" \t\r\n", text[i]) == NULL || text[i] == '\0')
      return FALSE;
  }
  return TRUE;
}

static void
find_position (
    const char *text, size_t offset, unsigned *ret_line, unsigned *ret_column)
{
  *ret_line = 1;
  *ret_column = 1;
  for (size_t i = 0; i < offset; i++) {
    if (text[i] == '\n') {
      ++*ret_line;
      *ret_column = 1;
    } else if (((unsigned char)text[i] & 0xc0) != 0x80) {
      ++*ret_column; /* not for the later bytes of a character */
    }
  }
}

static const char *
get_advice (enum json_error_code code)
{
  switch (code) {
  case json_error_premature_end_of_input:
    return "the text ends before its last bracket or quote is closed";
  case json_error_end_of_input_expected:
    return "want nothing after the value";
  case json_error_invalid_utf8:
    return "want the text in UTF-8";
  case json_error_null_character:
  case json_error_null_byte_in_key:
    return "want no NUL character in strings";
  case json_error_numeric_overflow:
    return "want integers of 64 bits and reals of double precision";
  default:
    return "want JSON (RFC 8259): double quotes, no comments, no comma "
           "before a closing bracket";
  }
}

static void
set_parse_error (GError **error, const json_error_t *details)
{
  enum json_error_code code = json_error_code (details);
  g_autofree char *text = g_strdup (details->text);
  /* A key may hold DEL, the one control character that JSON lets stand. */
  g_strdelimit (text, "\x7f", '?');
  if (code == json_error_duplicate_key) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID,
        "line %d, column %d: %s: want each key once in its object",
        details->line, details->column, text);
    return;
  }
  /* What stands near the error may be a secret; and nobody who writes JSON
   * can set the library's flags. */
  static const char *const ends[] = {" near ", " without JSON_"};
  for (unsigned i = 0; i < G_N_ELEMENTS (ends); i++) {
    char *end = strstr (text, ends[i]);
    if (end != NULL)
      *end = '\0';
  }
  g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID,
      "line %d, column %d: %s: %s", details->line, details->column, text,
      get_advice (code));
}

VigilJson *
vigil_json_parse (const char *text, gssize length, size_t max_bytes,
    unsigned max_depth, GError **error)
{
  g_return_val_if_fail (text != NULL, NULL);

  size_t size = length < 0 ? strlen (text) : (size_t)length;
  if (size > max_bytes) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_LIMIT,
        "%zu bytes of JSON: want at most %zu", size, max_bytes);
    return NULL;
  }
  if (is_blank (text, size)) {
    g_set_error_literal (error, VIGIL_ERROR, VIGIL_ERROR_INVALID,
        "nothing is in it: want a JSON value");
    return NULL;
  }
  max_depth = MIN (max_depth, DEPTH_MAX);
  size_t deep = find_too_deep (text, size, max_depth);
  if (deep < size) {
    unsigned line, column;
    find_position (text, deep, &line, &column);
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_LIMIT,
        "line %u, column %u: nested too deep: want at most %u levels", line,
        column, max_depth);
    return NULL;
  }
  json_error_t details;
  json_t *value = json_loadb (
      text, size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &details);
  if (value == NULL)
    set_parse_error (error, &details);
  return value;
}

VigilJson *
vigil_json_ref (VigilJson *self)
{
  return json_incref (self);
}

void
vigil_json_unref (VigilJson *self)
{
  json_decref (self);
}

/* ---- Reading ---------------------------------------------------------- */

VigilJsonType
vigil_json_get_type (const VigilJson *self)
{
  g_return_val_if_fail (self != NULL, VIGIL_JSON_NULL);

  switch (json_typeof (self)) {
  case JSON_OBJECT:
    return VIGIL_JSON_OBJECT;
  case JSON_ARRAY:
    return VIGIL_JSON_ARRAY;
  case JSON_STRING:
    return VIGIL_JSON_STRING;
  case JSON_INTEGER:
    return VIGIL_JSON_INTEGER;
  case JSON_REAL:
    return VIGIL_JSON_REAL;
  case JSON_TRUE:
  case JSON_FALSE:
    return VIGIL_JSON_BOOLEAN;
  case JSON_NULL:
    return VIGIL_JSON_NULL;
  }
  return VIGIL_JSON_NULL;
}

const char *
vigil_json_type_name (VigilJsonType type)
{
  switch (type) {
  case VIGIL_JSON_OBJECT:
    return "an object";
  case VIGIL_JSON_ARRAY:
    return "a list";
  case VIGIL_JSON_STRING:
    return "a string";
  case VIGIL_JSON_INTEGER:
    return "an integer";
  case VIGIL_JSON_REAL:
    return "a number";
  case VIGIL_JSON_BOOLEAN:
    return "true or false";
  case VIGIL_JSON_NULL:
    return "null";
  }
  return "nothing";
}

const VigilJson *
vigil_json_object_get (const VigilJson *self, const char *key)
{
  return json_object_get (self, key);
}

size_t
vigil_json_object_size (const VigilJson *self)
{
  return json_object_size (self);
}

gboolean
vigil_json_object_next (const VigilJson *self, VigilJsonIter *iter,
    const char **ret_key, const VigilJson **ret_value)
{
  if (!iter->is_started) {
    iter->position = json_object_iter (unconst (self));
    iter->is_started = TRUE;
  } else if (iter->position != NULL) {
    iter->position = json_object_iter_next (unconst (self), iter->position);
  }
  if (iter->position == NULL)
    return FALSE;
  if (ret_key != NULL)
    *ret_key = json_object_iter_key (iter->position);
  if (ret_value != NULL)
    *ret_value = json_object_iter_value (iter->position);
  return TRUE;
}

size_t
vigil_json_array_size (const VigilJson *self)
{
  return json_array_size (self);
}

const VigilJson *
vigil_json_array_get (const VigilJson *self, size_t index)
{
  return json_array_get (self, index);
}

const char *
vigil_json_get_string (const VigilJson *self)
{
  return json_string_value (self);
}

int64_t
vigil_json_get_integer (const VigilJson *self)
{
  return json_integer_value (self);
}

double
vigil_json_get_number (const VigilJson *self)
{
  return json_number_value (self);
}

gboolean
vigil_json_get_boolean (const VigilJson *self)
{
  return json_is_true (self);
}

gboolean
vigil_json_is_number (const VigilJson *self)
{
  return json_is_number (self);
}

gboolean
vigil_json_is_null (const VigilJson *self)
{
  return json_is_null (self);
}

char *
vigil_json_to_pretty_text (const VigilJson *self)
{
  /* 15 digits are what a double holds of a decimal number: 0.1 stays 0.1. */
  return json_dumps (
      self, JSON_INDENT (2) | JSON_REAL_PRECISION (15) | JSON_ENCODE_ANY);
}

/* ---- Building --------------------------------------------------------- */

VigilJson *
vigil_json_new_object (void)
{
  return json_object ();
}

VigilJson *
vigil_json_new_array (void)
{
  return json_array ();
}

VigilJson *
vigil_json_new_string (const char *value)
{
  g_return_val_if_fail (value != NULL, NULL);

  g_autofree char *valid = g_utf8_make_valid (value, -1);
  return json_string (valid);
}

VigilJson *
vigil_json_new_integer (int64_t value)
{
  return json_integer (value);
}

VigilJson *
vigil_json_new_boolean (gboolean value)
{
  return json_boolean (value);
}

VigilJson *
vigil_json_new_null (void)
{
  return json_null ();
}

void
vigil_json_object_take (VigilJson *self, const char *key, VigilJson *value)
{
  g_return_if_fail (json_is_object (self) && key != NULL && value != NULL);

  g_autofree char *valid = g_utf8_make_valid (key, -1);
  json_object_set_new (self, valid, value);
}

void
vigil_json_array_take (VigilJson *self, VigilJson *value)
{
  g_return_if_fail (json_is_array (self) && value != NULL);

  json_array_append_new (self, value);
}

VigilJson *
vigil_json_copy (const VigilJson *self)
{
  return json_deep_copy (self);
}

void
vigil_json_object_remove (VigilJson *self, const char *key)
{
  json_object_del (self, key);
}
