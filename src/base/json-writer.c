/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The append-only JSON writer. It runs for every frame: runs of plain
 * characters are copied at once, numbers are made without printf, and
 * nothing is allocated but what the text itself grows by.
 */
#include "base/json.h"

#include <math.h>
#include <string.h>

#define WRITER_DEPTH_MAX 64
/* "-9223372036854775808" */
#define INTEGER_LENGTH_MAX 20
#define FRACTION_DIGITS 9
/* A double tells 15 to 17 digits; with 16, a time in microseconds of today
 * comes out as it went in. */
#define SIGNIFICANT_DIGITS 16
#define FIXED_LIMIT 1e15

static const uint64_t powers_of_ten[] = {
    1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000};

/* U+FFFD */
#define REPLACEMENT "\xef\xbf\xbd"

/* Makes room for @length more bytes. Returns: where they go. */
static inline char *
reserve (GString *text, size_t length)
{
  if (G_UNLIKELY (text->allocated_len - text->len <= length)) {
    size_t used = text->len;
    g_string_set_size (text, used + length);
    text->len = used;
  }
  return text->str + text->len;
}

static inline void
commit (GString *text, char *end)
{
  *end = '\0';
  text->len = (size_t)(end - text->str);
}

static inline void
append_bytes (GString *text, const char *bytes, size_t length)
{
  char *out = reserve (text, length);
  memcpy (out, bytes, length);
  commit (text, out + length);
}

static inline void
append_character (GString *text, char character)
{
  char *out = reserve (text, 1);
  *out = character;
  commit (text, out + 1);
}

/* ---- Strings ----------------------------------------------------------- */

static inline gboolean
is_plain (unsigned char c)
{
  return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

/* TRUE when no byte of @word is below 0x20, a quote, a backslash or not
 * ASCII. */
static inline gboolean
are_plain (uint64_t word)
{
  const uint64_t ones = UINT64_C (0x0101010101010101);
  const uint64_t tops = UINT64_C (0x8080808080808080);
  /* A byte that counts gets its top bit here; a borrow can give it to the
   * bytes above one that counts, never without one. */
  uint64_t quote = word ^ (ones * '"');
  uint64_t backslash = word ^ (ones * '\\');
  uint64_t special =
      (word - ones * 0x20) | (quote - ones) | (backslash - ones) | word;
  return (special & tops) == 0;
}

/* Copies the plain characters that @in starts with to @out, which has room
 * for all up to @end. Returns: how many. */
static inline size_t
copy_plain (char *out, const unsigned char *in, const unsigned char *end)
{
  const unsigned char *start = in;
  while (end - in >= 8) {
    uint64_t word;
    memcpy (&word, in, 8);
    if (!are_plain (word))
      break;
    memcpy (out, &word, 8);
    in += 8;
    out += 8;
  }
  while (in < end && is_plain (*in))
    *out++ = (char)*in++;
  return (size_t)(in - start);
}

static inline gboolean
is_tail (unsigned char c)
{
  return (c & 0xc0) == 0x80;
}

/* Returns: the length of the UTF-8 character of two or more bytes that @in
 * starts with; 0 when it is none (RFC 3629: no overlong forms, no
 * surrogates, nothing above U+10FFFF). */
static size_t
measure_character (const unsigned char *in, const unsigned char *end)
{
  ptrdiff_t left = end - in;
  if (in[0] >= 0xc2 && in[0] <= 0xdf)
    return left >= 2 && is_tail (in[1]) ? 2 : 0;
  if (in[0] >= 0xe0 && in[0] <= 0xef) {
    if (left < 3 || !is_tail (in[1]) || !is_tail (in[2]))
      return 0;
    if ((in[0] == 0xe0 && in[1] < 0xa0) || (in[0] == 0xed && in[1] > 0x9f))
      return 0;
    return 3;
  }
  if (in[0] >= 0xf0 && in[0] <= 0xf4) {
    if (left < 4 || !is_tail (in[1]) || !is_tail (in[2]) || !is_tail (in[3]))
      return 0;
    if ((in[0] == 0xf0 && in[1] < 0x90) || (in[0] == 0xf4 && in[1] > 0x8f))
      return 0;
    return 4;
  }
  return 0;
}

static void
append_escape (GString *text, unsigned char c)
{
  static const char hex[] = "0123456789abcdef";
  switch (c) {
  case '"':
    append_bytes (text, "\\\"", 2);
    return;
  case '\\':
    append_bytes (text, "\\\\", 2);
    return;
  case '\n':
    append_bytes (text, "\\n", 2);
    return;
  case '\r':
    append_bytes (text, "\\r", 2);
    return;
  case '\t':
    append_bytes (text, "\\t", 2);
    return;
  default: {
    char escape[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
    append_bytes (text, escape, sizeof escape);
    return;
  }
  }
}

/* The rest of a string, from the first character on that is not plain. */
static void
append_rest (GString *text, const unsigned char *in, const unsigned char *end)
{
  while (in < end) {
    char *out = reserve (text, (size_t)(end - in));
    size_t run = copy_plain (out, in, end);
    commit (text, out + run);
    in += run;
    if (in == end)
      return;
    if (*in < 0x80) {
      append_escape (text, *in++);
      continue;
    }
    size_t count = measure_character (in, end);
    if (count == 0) {
      append_bytes (text, REPLACEMENT, strlen (REPLACEMENT));
      in++;
    } else {
      append_bytes (text, (const char *)in, count);
      in += count;
    }
  }
}

/* @before, @behind: a character to put there, or NUL. */
static inline void
append_quoted (
    GString *text, char before, const char *value, size_t size, char behind)
{
  const unsigned char *in = (const unsigned char *)value;
  const unsigned char *end = in + size;
  char *out = reserve (text, size + 4);
  if (before != '\0')
    *out++ = before;
  *out++ = '"';
  size_t run = copy_plain (out, in, end);
  out += run;
  if (G_UNLIKELY (run < size)) {
    commit (text, out);
    append_rest (text, in + run, end);
    out = reserve (text, 2);
  }
  *out++ = '"';
  if (behind != '\0')
    *out++ = behind;
  commit (text, out);
}

void
vigil_json_append_string (GString *text, const char *value, gssize length)
{
  append_quoted (
      text, '\0', value, length < 0 ? strlen (value) : (size_t)length, '\0');
}

/* ---- Numbers ----------------------------------------------------------- */

/* Writes @value backwards, ending before @end. Returns: its first digit. */
static inline char *
put_digits (char *end, uint64_t value)
{
  static const char pairs[] = "00010203040506070809"
                              "10111213141516171819"
                              "20212223242526272829"
                              "30313233343536373839"
                              "40414243444546474849"
                              "50515253545556575859"
                              "60616263646566676869"
                              "70717273747576777879"
                              "80818283848586878889"
                              "90919293949596979899";
  while (value >= 100) {
    end -= 2;
    memcpy (end, pairs + value % 100 * 2, 2);
    value /= 100;
  }
  if (value >= 10) {
    end -= 2;
    memcpy (end, pairs + value * 2, 2);
  } else {
    *--end = (char)('0' + value);
  }
  return end;
}

void
vigil_json_append_integer (GString *text, int64_t value)
{
  char digits[INTEGER_LENGTH_MAX];
  char *end = digits + sizeof digits;
  /* Negated as unsigned: INT64_MIN has no positive counterpart. */
  uint64_t magnitude = value < 0 ? -(uint64_t)value : (uint64_t)value;
  char *start = put_digits (end, magnitude);
  if (value < 0)
    *--start = '-';
  append_bytes (text, start, (size_t)(end - start));
}

/* Appends the point and @digits digits of @fraction, less the zeros at the
 * end. */
static void
append_fraction (GString *text, uint64_t fraction, int digits)
{
  if (fraction == 0)
    return;
  while (fraction % 10 == 0) {
    fraction /= 10;
    digits--;
  }
  char *out = reserve (text, (size_t)digits + 1);
  out[0] = '.';
  char *first = put_digits (out + 1 + digits, fraction);
  memset (out + 1, '0', (size_t)(first - (out + 1)));
  commit (text, out + 1 + digits);
}

static void
append_exponent_form (GString *text, double value)
{
  char buffer[G_ASCII_DTOSTR_BUF_SIZE];
  g_ascii_formatd (buffer, sizeof buffer, "%.17g", value);
  append_bytes (text, buffer, strlen (buffer));
}

void
vigil_json_append_number (GString *text, double value)
{
  if (!isfinite (value)) {
    append_bytes (text, "null", 4);
    return;
  }
  double magnitude = fabs (value);
  if (magnitude >= FIXED_LIMIT) {
    append_exponent_form (text, value);
    return;
  }
  uint64_t whole = (uint64_t)magnitude;
  int digits = FRACTION_DIGITS;
  for (uint64_t limit = 10000000; digits > 0 && whole >= limit; limit *= 10)
    digits--;
  uint64_t scale = powers_of_ten[digits];
  /* The difference is exact; adding a half before the cut rounds. */
  uint64_t fraction =
      (uint64_t)((magnitude - (double)whole) * (double)scale + 0.5);
  if (fraction >= scale) {
    whole++;
    fraction = 0;
  }
  if (value < 0 && (whole > 0 || fraction > 0))
    append_character (text, '-');
  vigil_json_append_integer (text, (int64_t)whole);
  append_fraction (text, fraction, digits);
}

G_STATIC_ASSERT (SIGNIFICANT_DIGITS == 7 + FRACTION_DIGITS);

/* ---- The writer -------------------------------------------------------- */

void
vigil_json_writer_init (VigilJsonWriter *self, GString *text)
{
  *self = (VigilJsonWriter){.text = text};
}

/* Before each key, and each value that has none. Returns: the character that
 * must come before it, or NUL. */
static inline char
begin_item (VigilJsonWriter *self)
{
  if (self->after_key) {
    self->after_key = FALSE;
    return '\0';
  }
  if (self->depth == 0)
    return '\0';
  uint64_t bit = UINT64_C (1) << (self->depth - 1);
  char separator = (self->has_items & bit) != 0 ? ',' : '\0';
  self->has_items |= bit;
  return separator;
}

static inline void
append_separator (VigilJsonWriter *self)
{
  if (begin_item (self) != '\0')
    append_character (self->text, ',');
}

static inline void
begin_level (VigilJsonWriter *self, char bracket)
{
  g_return_if_fail (self->depth < WRITER_DEPTH_MAX);

  append_separator (self);
  append_character (self->text, bracket);
  self->has_items &= ~(UINT64_C (1) << self->depth);
  self->depth++;
}

static inline void
end_level (VigilJsonWriter *self, char bracket)
{
  g_return_if_fail (self->depth > 0 && !self->after_key);

  self->depth--;
  append_character (self->text, bracket);
}

void
vigil_json_writer_begin_object (VigilJsonWriter *self)
{
  begin_level (self, '{');
}

void
vigil_json_writer_end_object (VigilJsonWriter *self)
{
  end_level (self, '}');
}

void
vigil_json_writer_begin_array (VigilJsonWriter *self)
{
  begin_level (self, '[');
}

void
vigil_json_writer_end_array (VigilJsonWriter *self)
{
  end_level (self, ']');
}

void
vigil_json_writer_key (VigilJsonWriter *self, const char *key)
{
  g_return_if_fail (self->depth > 0 && !self->after_key);

  char separator = begin_item (self);
  if (key == NULL)
    key = "";
  append_quoted (self->text, separator, key, strlen (key), ':');
  self->after_key = TRUE;
}

void
vigil_json_writer_string (VigilJsonWriter *self, const char *value)
{
  char separator = begin_item (self);
  if (value != NULL)
    append_quoted (self->text, separator, value, strlen (value), '\0');
  else {
    if (separator != '\0')
      append_character (self->text, separator);
    append_bytes (self->text, "null", 4);
  }
}

void
vigil_json_writer_integer (VigilJsonWriter *self, int64_t value)
{
  append_separator (self);
  vigil_json_append_integer (self->text, value);
}

void
vigil_json_writer_boolean (VigilJsonWriter *self, gboolean value)
{
  append_separator (self);
  if (value)
    append_bytes (self->text, "true", 4);
  else
    append_bytes (self->text, "false", 5);
}

void
vigil_json_writer_null (VigilJsonWriter *self)
{
  append_separator (self);
  append_bytes (self->text, "null", 4);
}

void
vigil_json_writer_number (VigilJsonWriter *self, double value)
{
  append_separator (self);
  vigil_json_append_number (self->text, value);
}

/* A real that somebody else wrote: small ones keep their digits, which the
 * fixed form would cut. */
static void
append_real (GString *text, double value)
{
  if (value != 0 && fabs (value) < 1e-3)
    append_exponent_form (text, value);
  else
    vigil_json_append_number (text, value);
}

static void append_value (GString *text, const VigilJson *value);

static void
append_object (GString *text, const VigilJson *object)
{
  VigilJsonIter iter = {0};
  const char *key;
  const VigilJson *value;
  gboolean is_first = TRUE;
  append_character (text, '{');
  while (vigil_json_object_next (object, &iter, &key, &value)) {
    if (!is_first)
      append_character (text, ',');
    is_first = FALSE;
    append_quoted (text, '\0', key, strlen (key), ':');
    append_value (text, value);
  }
  append_character (text, '}');
}

static void
append_array (GString *text, const VigilJson *array)
{
  size_t size = vigil_json_array_size (array);
  append_character (text, '[');
  for (size_t i = 0; i < size; i++) {
    if (i > 0)
      append_character (text, ',');
    append_value (text, vigil_json_array_get (array, i));
  }
  append_character (text, ']');
}

/* Recurses as deep as the value, which parsing has limited. */
static void
append_value (GString *text, const VigilJson *value)
{
  switch (vigil_json_get_type (value)) {
  case VIGIL_JSON_OBJECT:
    append_object (text, value);
    return;
  case VIGIL_JSON_ARRAY:
    append_array (text, value);
    return;
  case VIGIL_JSON_STRING:
    vigil_json_append_string (text, vigil_json_get_string (value), -1);
    return;
  case VIGIL_JSON_INTEGER:
    vigil_json_append_integer (text, vigil_json_get_integer (value));
    return;
  case VIGIL_JSON_REAL:
    append_real (text, vigil_json_get_number (value));
    return;
  case VIGIL_JSON_BOOLEAN:
    g_string_append (text, vigil_json_get_boolean (value) ? "true" : "false");
    return;
  case VIGIL_JSON_NULL:
    append_bytes (text, "null", 4);
    return;
  }
}

void
vigil_json_writer_value (VigilJsonWriter *self, const VigilJson *value)
{
  append_separator (self);
  if (value == NULL)
    append_bytes (self->text, "null", 4);
  else
    append_value (self->text, value);
}

void
vigil_json_writer_raw (VigilJsonWriter *self, const char *json, gssize length)
{
  append_separator (self);
  append_bytes (self->text, json, length < 0 ? strlen (json) : (size_t)length);
}

char *
vigil_json_to_text (const VigilJson *self)
{
  GString *text = g_string_new (NULL);
  VigilJsonWriter writer;
  vigil_json_writer_init (&writer, text);
  vigil_json_writer_value (&writer, self);
  return g_string_free (text, FALSE);
}
