/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <stdint.h>

/*
 * JSON: a reader for what people and elements write, and an append-only
 * writer for what we publish. The library behind the reader is known to
 * json.c alone.
 */

/* ---- Reader ---------------------------------------------------------- */

/* A value: immutable once parsed; reference-counted, from any one thread at
 * a time. */
typedef struct json_t VigilJson;

typedef enum {
  VIGIL_JSON_OBJECT,
  VIGIL_JSON_ARRAY,
  VIGIL_JSON_STRING,
  VIGIL_JSON_INTEGER,
  VIGIL_JSON_REAL,
  VIGIL_JSON_BOOLEAN,
  VIGIL_JSON_NULL,
} VigilJsonType;

/*
 * Parses @length bytes (-1: up to the NUL) of strict RFC 8259 text of at
 * most @max_bytes and @max_depth levels (at most 2048); duplicate keys are
 * an error. The error message has line and column.
 * Returns: (transfer full) (nullable).
 */
VigilJson *vigil_json_parse (const char *text, gssize length, size_t max_bytes,
    unsigned max_depth, GError **error);

VigilJson *vigil_json_ref (VigilJson *self);
void vigil_json_unref (VigilJson *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VigilJson, vigil_json_unref)

VigilJsonType vigil_json_get_type (const VigilJson *self);
/* "an object", "a string" ...: for messages. */
const char *vigil_json_type_name (VigilJsonType type);

/* Object. Returns: (transfer none) (nullable): NULL also when @self is NULL
 * or no object, so that look-ups chain. */
const VigilJson *vigil_json_object_get (const VigilJson *self, const char *key);
size_t vigil_json_object_size (const VigilJson *self);

/* Walks the members in the order of the text. Start with a zeroed iterator;
 * @self must outlive the walk. */
typedef struct {
  void *position;
  gboolean is_started;
} VigilJsonIter;
gboolean vigil_json_object_next (const VigilJson *self, VigilJsonIter *iter,
    const char **ret_key, const VigilJson **ret_value);

/* Array. Element: (transfer none) (nullable). */
size_t vigil_json_array_size (const VigilJson *self);
const VigilJson *vigil_json_array_get (const VigilJson *self, size_t index);

/* Scalars; a value of another type gives NULL, 0 or FALSE. The string is
 * (transfer none), valid UTF-8 and free of NUL bytes. get_number takes
 * integers and reals. */
const char *vigil_json_get_string (const VigilJson *self);
int64_t vigil_json_get_integer (const VigilJson *self);
double vigil_json_get_number (const VigilJson *self);
gboolean vigil_json_get_boolean (const VigilJson *self);
gboolean vigil_json_is_number (const VigilJson *self);
gboolean vigil_json_is_null (const VigilJson *self);

/* Compact text of the value. Returns: (transfer full). */
char *vigil_json_to_text (const VigilJson *self);
/* The same for people: over several lines, indented. Returns: (transfer
 * full). */
char *vigil_json_to_pretty_text (const VigilJson *self);

/* ---- Building (configuration and REST, not the publish path) ---------- */

VigilJson *vigil_json_new_object (void);
VigilJson *vigil_json_new_array (void);
VigilJson *vigil_json_new_string (const char *value);
VigilJson *vigil_json_new_integer (int64_t value);
VigilJson *vigil_json_new_boolean (gboolean value);
VigilJson *vigil_json_new_null (void);
/* Both take @value (transfer full). */
void vigil_json_object_take (
    VigilJson *self, const char *key, VigilJson *value);
void vigil_json_array_take (VigilJson *self, VigilJson *value);
/* A deep copy that may be changed. Returns: (transfer full). */
VigilJson *vigil_json_copy (const VigilJson *self);
/* Removes @key if it is there. */
void vigil_json_object_remove (VigilJson *self, const char *key);

/* ---- Writer: appends to a GString; always valid JSON ------------------ */

/*
 * Commas and colons are the writer's business: begin, keys and values in
 * order, end. @text is borrowed for the writer's life. A writer on the
 * stack is set up with init; nothing to free. Depth at most 64.
 */
typedef struct {
  GString *text;
  unsigned depth;
  uint64_t has_items; /* one bit for each level */
  gboolean after_key;
} VigilJsonWriter;

void vigil_json_writer_init (VigilJsonWriter *self, GString *text);
void vigil_json_writer_begin_object (VigilJsonWriter *self);
void vigil_json_writer_end_object (VigilJsonWriter *self);
void vigil_json_writer_begin_array (VigilJsonWriter *self);
void vigil_json_writer_end_array (VigilJsonWriter *self);
/* Invalid UTF-8 becomes U+FFFD; NULL becomes "". */
void vigil_json_writer_key (VigilJsonWriter *self, const char *key);
/* NULL becomes null. */
void vigil_json_writer_string (VigilJsonWriter *self, const char *value);
void vigil_json_writer_integer (VigilJsonWriter *self, int64_t value);
void vigil_json_writer_boolean (VigilJsonWriter *self, gboolean value);
void vigil_json_writer_null (VigilJsonWriter *self);
/* At most 9 digits after the point and 16 in all, trailing zeros cut, never
 * an exponent in -1e15..1e15; NaN and infinities become null. */
void vigil_json_writer_number (VigilJsonWriter *self, double value);
/* A value parsed before, of any depth; NULL becomes null. Reals as in number,
 * except that those below 0.001 keep all their digits. */
void vigil_json_writer_value (VigilJsonWriter *self, const VigilJson *value);
/* @json: one complete JSON value, known to be valid. */
void vigil_json_writer_raw (
    VigilJsonWriter *self, const char *json, gssize length);

/* The pieces of the writer, for texts put together by hand: a value in its
 * JSON form, a string with its quotes (@length -1: up to the NUL). */
void vigil_json_append_string (GString *text, const char *value, gssize length);
void vigil_json_append_integer (GString *text, int64_t value);
void vigil_json_append_number (GString *text, double value);
