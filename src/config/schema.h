/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/json.h"
#include "config/problems.h"

/*
 * A module describes the keys of its part of the configuration as a static
 * table; checking, defaults and the reference documentation follow from it.
 */

typedef enum {
  VIGIL_SCHEMA_ANY,
  VIGIL_SCHEMA_BOOLEAN,
  /* minimum <= value <= maximum, unless both are 0 */
  VIGIL_SCHEMA_INTEGER,
  VIGIL_SCHEMA_NUMBER,
  VIGIL_SCHEMA_STRING,          /* not empty unless allow_empty */
  VIGIL_SCHEMA_CHOICE,          /* a string of choices */
  VIGIL_SCHEMA_OBJECT,          /* keys: its own table, or NULL for free form */
  VIGIL_SCHEMA_ARRAY,           /* of anything, or with keys: of such objects */
  VIGIL_SCHEMA_OBJECT_OR_ARRAY, /* one object, or a list of such objects */
} VigilSchemaType;

typedef struct _VigilSchemaKey VigilSchemaKey;

struct _VigilSchemaKey {
  const char *name;
  VigilSchemaType type;
  gboolean is_required;
  gboolean allow_empty;
  double minimum;
  double maximum;
  const char *const *choices; /* NULL-terminated, for CHOICE */
  const VigilSchemaKey *keys; /* terminated by a NULL name, for objects */
  const char *default_text;   /* for the reference; NULL: none */
  const char *help;           /* one sentence for the reference */
  /* Set: the key is known, but using it is refused as an error with this
   * text ("TLS is not in this release; ..."). */
  const char *refused;
  /* Set: the key is known and has no effect here; a warning with this
   * text. */
  const char *ignored;
};

/*
 * Checks @value, which stands at @path, against @keys, and adds every
 * problem: wrong type, out of range, missing, refused; a key that is not in
 * the table is a warning that names the nearest known one. A key that is
 * null counts as absent. No string of the value but a wrong choice gets
 * into a problem: it could be a secret.
 */
void vigil_schema_check (const VigilSchemaKey *keys, const VigilJson *value,
    const char *path, VigilProblems *problems);

/* The path of @key in the object at @path. Returns: (transfer full). */
char *vigil_schema_join_path (const char *path, const char *key);

/* Adds the error @text at @key of the object at @path. */
void vigil_schema_add_error (VigilProblems *problems, const char *path,
    const char *key, const char *text);

/* The name in @keys that looks most like @name. Returns: (transfer none)
 * (nullable): NULL when none looks like it. */
const char *vigil_schema_find_nearest (
    const VigilSchemaKey *keys, const char *name);

/* Appends the table as Markdown (key, type, default, meaning), sub-tables
 * after it. */
void vigil_schema_to_markdown (
    const VigilSchemaKey *keys, const char *title, GString *text);

/*
 * Typed look-ups in a checked object: the value, or @fallback when the key
 * is absent, null, or of another type (which check has reported).
 */
gboolean vigil_schema_get_boolean (
    const VigilJson *object, const char *key, gboolean fallback);
int64_t vigil_schema_get_integer (
    const VigilJson *object, const char *key, int64_t fallback);
double vigil_schema_get_number (
    const VigilJson *object, const char *key, double fallback);
/* Returns: (transfer none) (nullable). */
const char *vigil_schema_get_string (
    const VigilJson *object, const char *key, const char *fallback);
