/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks JSON objects against tables of keys. No value is ever repeated in
 * a problem but numbers and choices, which are no secrets.
 */
#include "config/schema.h"

#include <string.h>

/* Longer names and values are cut in messages. */
#define SHOWN_LENGTH_MAX 64

static const char *
type_name (VigilSchemaType type)
{
  switch (type) {
  case VIGIL_SCHEMA_ANY:
    return "any value";
  case VIGIL_SCHEMA_BOOLEAN:
    return "true or false";
  case VIGIL_SCHEMA_INTEGER:
    return "an integer";
  case VIGIL_SCHEMA_NUMBER:
    return "a number";
  case VIGIL_SCHEMA_STRING:
  case VIGIL_SCHEMA_CHOICE:
    return "a string";
  case VIGIL_SCHEMA_OBJECT:
    return "an object";
  case VIGIL_SCHEMA_ARRAY:
    return "a list";
  case VIGIL_SCHEMA_OBJECT_OR_ARRAY:
    return "an object or a list of objects";
  }
  return "nothing";
}

static gboolean
has_type (VigilSchemaType type, const VigilJson *value)
{
  VigilJsonType given = vigil_json_get_type (value);
  switch (type) {
  case VIGIL_SCHEMA_ANY:
    return TRUE;
  case VIGIL_SCHEMA_BOOLEAN:
    return given == VIGIL_JSON_BOOLEAN;
  case VIGIL_SCHEMA_INTEGER:
    return given == VIGIL_JSON_INTEGER;
  case VIGIL_SCHEMA_NUMBER:
    return vigil_json_is_number (value);
  case VIGIL_SCHEMA_STRING:
  case VIGIL_SCHEMA_CHOICE:
    return given == VIGIL_JSON_STRING;
  case VIGIL_SCHEMA_OBJECT:
    return given == VIGIL_JSON_OBJECT;
  case VIGIL_SCHEMA_ARRAY:
    return given == VIGIL_JSON_ARRAY;
  case VIGIL_SCHEMA_OBJECT_OR_ARRAY:
    return given == VIGIL_JSON_OBJECT || given == VIGIL_JSON_ARRAY;
  }
  return FALSE;
}

static gboolean
has_range (const VigilSchemaKey *key)
{
  return key->minimum != 0 || key->maximum != 0;
}

/* Limits are written as people write them: no point in whole numbers. */
static char *
format_number (double number)
{
  GString *text = g_string_new (NULL);
  vigil_json_append_number (text, number);
  return g_string_free (text, FALSE);
}

static char *
format_range (const VigilSchemaKey *key)
{
  g_autofree char *minimum = format_number (key->minimum);
  g_autofree char *maximum = format_number (key->maximum);
  /* Three values are as many as people take in at a glance. */
  if (key->type == VIGIL_SCHEMA_INTEGER && key->maximum == key->minimum + 2) {
    g_autofree char *middle = format_number (key->minimum + 1);
    return g_strdup_printf ("%s, %s or %s", minimum, middle, maximum);
  }
  return g_strdup_printf ("%s to %s", minimum, maximum);
}

static char *
format_choices (const char *const *choices, const char *quote)
{
  GString *text = g_string_new (NULL);
  for (size_t i = 0; choices[i] != NULL; i++) {
    const char *separator = "";
    if (i > 0)
      separator = choices[i + 1] == NULL ? " or " : ", ";
    g_string_append_printf (
        text, "%s%s%s%s", separator, quote, choices[i], quote);
  }
  return g_string_free (text, FALSE);
}

/* Returns: (transfer full): @text as a message may show it: cut where it is
 * long, and without a character that could move a cursor. */
static char *
clip (const char *text)
{
  GString *shown = g_string_new (NULL);
  for (unsigned i = 0; *text != '\0'; i++, text = g_utf8_next_char (text)) {
    if (i == SHOWN_LENGTH_MAX) {
      g_string_append (shown, "...");
      break;
    }
    gunichar character = g_utf8_get_char (text);
    if (g_unichar_iscntrl (character))
      g_string_append_printf (shown, "\\u%04x", character);
    else
      g_string_append_unichar (shown, character);
  }
  return g_string_free (shown, FALSE);
}

static gboolean
is_word (const char *key)
{
  return key[0] != '\0' &&
         key[strspn (key, "abcdefghijklmnopqrstuvwxyz"
                          "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")] == '\0';
}

char *
vigil_schema_join_path (const char *path, const char *key)
{
  g_autofree char *shown = clip (key);
  if (is_word (key))
    return g_strdup_printf ("%s%s%s", path, path[0] != '\0' ? "." : "", shown);
  return g_strdup_printf ("%s[\"%s\"]", path, shown);
}

void
vigil_schema_add_error (VigilProblems *problems, const char *path,
    const char *key, const char *text)
{
  g_autofree char *key_path = vigil_schema_join_path (path, key);
  vigil_problems_add (problems, VIGIL_PROBLEM_ERROR, key_path, "%s", text);
}

/* ---- The nearest key --------------------------------------------------- */

/* Case and the kind of dash are no difference to the eye. */
static char
fold (char c)
{
  return c == '-' ? '_' : g_ascii_tolower (c);
}

/*
 * How many letters must be put in, left out, replaced, or swapped with
 * their neighbour, to get from @a to @b.
 */
static unsigned
measure_distance (const char *a, const char *b)
{
  size_t width = strlen (b) + 1;
  /* The last three rows of the usual table. */
  g_autofree unsigned *rows = g_new0 (unsigned, 3 * width);
  unsigned *before = rows, *last = rows + width, *row = rows + 2 * width;
  for (size_t j = 0; j < width; j++)
    last[j] = (unsigned)j;
  for (size_t i = 1; a[i - 1] != '\0'; i++) {
    row[0] = (unsigned)i;
    for (size_t j = 1; j < width; j++) {
      char x = fold (a[i - 1]), y = fold (b[j - 1]);
      unsigned best = MIN (last[j], row[j - 1]) + 1;
      best = MIN (best, last[j - 1] + (x != y));
      if (i > 1 && j > 1 && x == fold (b[j - 2]) && fold (a[i - 2]) == y)
        best = MIN (best, before[j - 2] + 1);
      row[j] = best;
    }
    unsigned *free_row = before;
    before = last;
    last = row;
    row = free_row;
  }
  return last[width - 1];
}

const char *
vigil_schema_find_nearest (const VigilSchemaKey *keys, const char *name)
{
  size_t length = strlen (name);
  if (length > SHOWN_LENGTH_MAX)
    return NULL;
  const char *nearest = NULL;
  /* A third of the word may be wrong, and always one letter. */
  unsigned limit = MAX (1, (unsigned)(length + 1) / 3) + 1;
  for (; keys->name != NULL; keys++) {
    unsigned distance = measure_distance (name, keys->name);
    if (distance < limit) {
      limit = distance;
      nearest = keys->name;
    }
  }
  return nearest;
}

/* ---- Checking ---------------------------------------------------------- */

static const VigilSchemaKey *
find_key (const VigilSchemaKey *keys, const char *name)
{
  for (; keys->name != NULL; keys++) {
    if (strcmp (keys->name, name) == 0)
      return keys;
  }
  return NULL;
}

static void
check_unknown_key (const VigilSchemaKey *keys, const char *name,
    const char *path, VigilProblems *problems)
{
  g_autofree char *key_path = vigil_schema_join_path (path, name);
  const char *nearest = vigil_problems_is_full (problems, VIGIL_PROBLEM_WARNING)
                            ? NULL
                            : vigil_schema_find_nearest (keys, name);
  if (nearest != NULL)
    vigil_problems_add (problems, VIGIL_PROBLEM_WARNING, key_path,
        "unknown key, without effect: did you mean '%s'?", nearest);
  else
    vigil_problems_add (problems, VIGIL_PROBLEM_WARNING, key_path,
        "unknown key, without effect");
}

static void
check_list (const VigilSchemaKey *key, const VigilJson *list, const char *path,
    VigilProblems *problems)
{
  if (key->keys == NULL && key->type == VIGIL_SCHEMA_ARRAY)
    return;
  size_t size = vigil_json_array_size (list);
  for (size_t i = 0; i < size; i++) {
    g_autofree char *item_path = g_strdup_printf ("%s[%zu]", path, i);
    const VigilJson *item = vigil_json_array_get (list, i);
    if (vigil_json_get_type (item) != VIGIL_JSON_OBJECT)
      vigil_problems_add (problems, VIGIL_PROBLEM_ERROR, item_path,
          "want an object, got %s",
          vigil_json_type_name (vigil_json_get_type (item)));
    else if (key->keys != NULL)
      vigil_schema_check (key->keys, item, item_path, problems);
  }
}

static void
check_range (const VigilSchemaKey *key, const VigilJson *value,
    const char *path, VigilProblems *problems)
{
  double number = vigil_json_get_number (value);
  if (!has_range (key) || (number >= key->minimum && number <= key->maximum))
    return;
  g_autofree char *range = format_range (key);
  g_autofree char *given = vigil_json_to_text (value);
  vigil_problems_add (
      problems, VIGIL_PROBLEM_ERROR, path, "%s: want %s", given, range);
}

static void
check_choice (const VigilSchemaKey *key, const char *given, const char *path,
    VigilProblems *problems)
{
  if (g_strv_contains (key->choices, given))
    return;
  g_autofree char *choices = format_choices (key->choices, "'");
  g_autofree char *shown = clip (given);
  vigil_problems_add (
      problems, VIGIL_PROBLEM_ERROR, path, "'%s': want %s", shown, choices);
}

static void
check_value (const VigilSchemaKey *key, const VigilJson *value,
    const char *path, VigilProblems *problems)
{
  if (!has_type (key->type, value)) {
    vigil_problems_add (problems, VIGIL_PROBLEM_ERROR, path, "want %s, got %s",
        type_name (key->type),
        vigil_json_type_name (vigil_json_get_type (value)));
    return;
  }
  switch (key->type) {
  case VIGIL_SCHEMA_INTEGER:
  case VIGIL_SCHEMA_NUMBER:
    check_range (key, value, path, problems);
    return;
  case VIGIL_SCHEMA_STRING:
    if (!key->allow_empty && vigil_json_get_string (value)[0] == '\0')
      vigil_problems_add (problems, VIGIL_PROBLEM_ERROR, path,
          "want a string that is not empty");
    return;
  case VIGIL_SCHEMA_CHOICE:
    check_choice (key, vigil_json_get_string (value), path, problems);
    return;
  case VIGIL_SCHEMA_OBJECT:
  case VIGIL_SCHEMA_ARRAY:
  case VIGIL_SCHEMA_OBJECT_OR_ARRAY:
    if (vigil_json_get_type (value) == VIGIL_JSON_ARRAY)
      check_list (key, value, path, problems);
    else if (key->keys != NULL)
      vigil_schema_check (key->keys, value, path, problems);
    return;
  case VIGIL_SCHEMA_ANY:
  case VIGIL_SCHEMA_BOOLEAN:
    return;
  }
}

void
vigil_schema_check (const VigilSchemaKey *keys, const VigilJson *value,
    const char *path, VigilProblems *problems)
{
  g_return_if_fail (keys != NULL && value != NULL && path != NULL);

  if (vigil_json_get_type (value) != VIGIL_JSON_OBJECT) {
    vigil_problems_add (problems, VIGIL_PROBLEM_ERROR, path,
        "want an object, got %s",
        vigil_json_type_name (vigil_json_get_type (value)));
    return;
  }
  for (const VigilSchemaKey *key = keys; key->name != NULL; key++) {
    const VigilJson *given = vigil_json_object_get (value, key->name);
    g_autofree char *key_path = vigil_schema_join_path (path, key->name);
    if (given == NULL || vigil_json_is_null (given)) {
      if (key->is_required)
        vigil_problems_add (problems, VIGIL_PROBLEM_ERROR, key_path,
            "missing: want %s", type_name (key->type));
    } else if (key->refused != NULL) {
      vigil_problems_add (
          problems, VIGIL_PROBLEM_ERROR, key_path, "%s", key->refused);
    } else if (key->ignored != NULL) {
      vigil_problems_add (
          problems, VIGIL_PROBLEM_WARNING, key_path, "%s", key->ignored);
    } else {
      check_value (key, given, key_path, problems);
    }
  }
  VigilJsonIter iter = {0};
  const char *name;
  while (vigil_json_object_next (value, &iter, &name, NULL)) {
    if (find_key (keys, name) == NULL)
      check_unknown_key (keys, name, path, problems);
  }
}

/* ---- The reference ----------------------------------------------------- */

/* A bar would end the cell of a table. */
static void
append_cell (GString *text, const char *cell)
{
  for (; *cell != '\0'; cell++) {
    if (*cell == '|')
      g_string_append_c (text, '\\');
    g_string_append_c (text, *cell == '\n' ? ' ' : *cell);
  }
}

static char *
describe_type (const VigilSchemaKey *key)
{
  if (key->type == VIGIL_SCHEMA_CHOICE)
    return format_choices (key->choices, "`");
  if (!has_range (key))
    return g_strdup (type_name (key->type));
  g_autofree char *range = format_range (key);
  return g_strdup_printf ("%s, %s", type_name (key->type), range);
}

static void
append_row (GString *text, const VigilSchemaKey *key)
{
  g_autofree char *type = describe_type (key);
  g_string_append_printf (text, "| `%s` | ", key->name);
  append_cell (text, type);
  g_string_append (text, " | ");
  if (key->default_text != NULL) {
    g_string_append_c (text, '`');
    append_cell (text, key->default_text);
    g_string_append_c (text, '`');
  } else if (key->is_required) {
    g_string_append (text, "required");
  }
  g_string_append (text, " | ");
  append_cell (text, key->help != NULL ? key->help : "");
  if (key->refused != NULL || key->ignored != NULL) {
    if (key->help != NULL)
      g_string_append_c (text, ' ');
    g_string_append (
        text, key->refused != NULL ? "*Refused:* " : "*Ignored:* ");
    append_cell (text, key->refused != NULL ? key->refused : key->ignored);
  }
  g_string_append (text, " |\n");
}

void
vigil_schema_to_markdown (
    const VigilSchemaKey *keys, const char *title, GString *text)
{
  g_string_append_printf (text, "### %s\n\n", title);
  g_string_append (text, "| Key | Type | Default | Meaning |\n"
                         "|---|---|---|---|\n");
  for (const VigilSchemaKey *key = keys; key->name != NULL; key++)
    append_row (text, key);
  for (const VigilSchemaKey *key = keys; key->name != NULL; key++) {
    if (key->keys == NULL)
      continue;
    g_autofree char *below = g_strdup_printf ("%s.%s", title, key->name);
    g_string_append_c (text, '\n');
    vigil_schema_to_markdown (key->keys, below, text);
  }
}

/* ---- Look-ups ---------------------------------------------------------- */

static const VigilJson *
look_up (const VigilJson *object, const char *key, VigilSchemaType type)
{
  const VigilJson *value =
      object != NULL ? vigil_json_object_get (object, key) : NULL;
  return value != NULL && has_type (type, value) ? value : NULL;
}

gboolean
vigil_schema_get_boolean (
    const VigilJson *object, const char *key, gboolean fallback)
{
  const VigilJson *value = look_up (object, key, VIGIL_SCHEMA_BOOLEAN);
  return value != NULL ? vigil_json_get_boolean (value) : fallback;
}

int64_t
vigil_schema_get_integer (
    const VigilJson *object, const char *key, int64_t fallback)
{
  const VigilJson *value = look_up (object, key, VIGIL_SCHEMA_INTEGER);
  return value != NULL ? vigil_json_get_integer (value) : fallback;
}

double
vigil_schema_get_number (
    const VigilJson *object, const char *key, double fallback)
{
  const VigilJson *value = look_up (object, key, VIGIL_SCHEMA_NUMBER);
  return value != NULL ? vigil_json_get_number (value) : fallback;
}

const char *
vigil_schema_get_string (
    const VigilJson *object, const char *key, const char *fallback)
{
  const VigilJson *value = look_up (object, key, VIGIL_SCHEMA_STRING);
  return value != NULL ? vigil_json_get_string (value) : fallback;
}
