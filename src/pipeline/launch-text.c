/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Substitution in launch text. To know what a placeholder's value may become
 * there, the text before it is read by the rules of gst_parse_launch: words,
 * assignments, links, caps, quotes.
 */
#include "pipeline/launch-text.h"

#include "base/error.h"
#include "pipeline/property.h"
#include <string.h>

/* ---- Reading launch text ---------------------------------------------- */

typedef enum {
  TOKEN_END,
  TOKEN_LINK, /* "!" */
  TOKEN_WORD, /* element, pad reference, quoted caps */
  TOKEN_ASSIGNMENT,
  TOKEN_CAPS, /* up to the next link */
} TokenType;

typedef struct {
  TokenType type;
  const char *start;
  const char *end;
  char open_quote;    /* the text ended inside this quote; 0: it did not */
  gboolean is_quoted; /* it ends with its closing quote */
} Token;

/* Skips the caps that start at @p: they end only at a link. */
static const char *
skip_caps (const char *p)
{
  while (*p != '\0' && *p != '!')
    p += *p == '\\' && p[1] != '\0' ? 2 : 1;
  return p;
}

/*
 * Skips the value or word that @token ends in. As in the lexer of
 * gst_parse_launch, a quote counts only as the first character, and a
 * backslash in quotes only before a quote.
 */
static const char *
skip_word (const char *p, Token *token)
{
  char quote = *p;

  if (quote != '"' && quote != '\'') {
    while (*p != '\0' && !g_ascii_isspace (*p))
      p += *p == '\\' && p[1] != '\0' ? 2 : 1;
    return p;
  }
  for (p++; *p != '\0' && *p != quote;)
    p += *p == '\\' && p[1] == quote ? 2 : 1;
  if (*p == '\0') {
    token->open_quote = quote;
    return p;
  }
  token->is_quoted = TRUE;
  return p + 1;
}

static gboolean
is_caps (const char *start)
{
  const char *p = start;

  while (g_ascii_isalnum (*p) || *p == '-')
    p++;
  return p > start && *p == '/';
}

/* Reads the token at or after *@position and moves behind it. */
static Token
next_token (const char **position)
{
  Token token = {0};
  const char *p = *position;
  const char *equals;

  while (g_ascii_isspace (*p))
    p++;
  token.start = p;
  if (*p == '\0') {
    token.type = TOKEN_END;
  } else if (*p == '!') {
    token.type = TOKEN_LINK;
    p++;
  } else if (is_caps (p)) {
    token.type = TOKEN_CAPS;
    p = skip_caps (p);
  } else {
    /* An assignment may have spaces around its '='. */
    for (equals = p; g_ascii_isalnum (*equals) || strchr ("_-%:", *equals);
         equals++)
      if (*equals == '\0')
        break;
    while (g_ascii_isspace (*equals))
      equals++;
    if (*equals == '=' && equals > p) {
      token.type = TOKEN_ASSIGNMENT;
      for (p = equals + 1; g_ascii_isspace (*p);)
        p++;
      p = skip_word (p, &token);
    } else {
      token.type = TOKEN_WORD;
      p = skip_word (p, &token);
    }
  }
  token.end = p;
  *position = p;
  return token;
}

gboolean
vigil_launch_text_is_name (const char *text)
{
  if (text == NULL || !(g_ascii_isalnum (*text) || *text == '_'))
    return FALSE;
  for (; *text != '\0'; text++)
    if (!g_ascii_isalnum (*text) && *text != '_' && *text != '-')
      return FALSE;
  return TRUE;
}

void
vigil_launch_text_visit_factories (
    const char *text, VigilLaunchTextVisit visit, void *user_data)
{
  for (;;) {
    Token token = next_token (&text);
    g_autofree char *word = NULL;

    if (token.type == TOKEN_END)
      return;
    if (token.type != TOKEN_WORD)
      continue;
    /* Parentheses and "type.(" group elements into bins. */
    while (token.start < token.end && strchr ("({", *token.start) != NULL)
      token.start++;
    while (token.end > token.start && strchr (")}", token.end[-1]) != NULL)
      token.end--;
    word = g_strndup (token.start, token.end - token.start);
    if (vigil_launch_text_is_name (word) && !visit (word, user_data))
      return;
  }
}

/* ---- Where a placeholder stands --------------------------------------- */

typedef enum {
  PLACE_NONE,      /* where an element, a pad or a property is named */
  PLACE_VALUE,     /* right after '=' */
  PLACE_IN_VALUE,  /* behind the start of an unquoted value */
  PLACE_IN_QUOTES, /* in a value in double quotes */
  PLACE_IN_CAPS,   /* in caps, or in quotes of another kind */
} Place;

/* @ret_word: the last word before it, which in a value is the element's
 * factory; @ret_assignment: the last assignment. */
static Place
find_place (const char *text, Token *ret_word, Token *ret_assignment)
{
  Place place = PLACE_NONE;
  const char *p = text;

  for (;;) {
    Token token = next_token (&p);
    const char *last;

    if (token.type == TOKEN_END)
      return place;
    if (token.type == TOKEN_WORD)
      *ret_word = token;
    if (token.type == TOKEN_ASSIGNMENT)
      *ret_assignment = token;
    place = PLACE_NONE;
    for (last = token.end; last > token.start && g_ascii_isspace (last[-1]);)
      last--;
    if (token.type == TOKEN_CAPS && *p == '\0') {
      /* Behind '=' and before the next comma a value of the caps stands. */
      const char *equals =
          g_strrstr_len (token.start, token.end - token.start, "=");
      const char *comma =
          g_strrstr_len (token.start, token.end - token.start, ",");

      if (equals != NULL && (comma == NULL || comma < equals))
        place = PLACE_IN_CAPS;
    } else if (token.open_quote == '"' && token.type == TOKEN_ASSIGNMENT) {
      place = PLACE_IN_QUOTES;
    } else if (token.open_quote != 0) {
      place = PLACE_IN_CAPS;
    } else if (token.type == TOKEN_ASSIGNMENT && !token.is_quoted &&
               *p == '\0') {
      place = last[-1] == '=' ? PLACE_VALUE : PLACE_IN_VALUE;
    }
  }
}

/* What may stand unquoted in a value or in caps without ending it. */
static gboolean
is_plain (const char *value)
{
  if (*value == '\0')
    return FALSE;
  for (; *value != '\0'; value++)
    if (!g_ascii_isalnum (*value) && strchr ("_.:/+@%-", *value) == NULL)
      return FALSE;
  return TRUE;
}

static void
append_escaped (GString *out, const char *value)
{
  for (; *value != '\0'; value++) {
    if (*value == '"' || *value == '\\')
      g_string_append_c (out, '\\');
    g_string_append_c (out, *value);
  }
}

/*
 * gst_parse_launch takes the longest match for a quoted value, so that a
 * backslash before the closing quote would carry the value on into the text
 * behind it; it unwraps a value that begins with a quote once more, and the
 * word NULL means no text at all.
 */
static gboolean
check_quotable (const char *value, const char *field, GError **error)
{
  size_t length = strlen (value);

  if (length == 0 || (value[0] != '"' && value[length - 1] != '\\' &&
                         strcmp (value, "NULL") != 0))
    return TRUE;
  g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID,
      "pipeline: the value of '{%s}' begins with a quote, ends in a "
      "backslash or is NULL: launch text cannot hold that; bind the "
      "parameter with \"element\"",
      field);
  return FALSE;
}

/* A property that holds an element reads text as launch text. */
static gboolean
holds_element (const Token *word, const Token *assignment)
{
  g_autofree char *factory = NULL;
  g_autofree char *property = NULL;

  if (word->start == NULL || assignment->start == NULL)
    return FALSE;
  factory = g_strndup (word->start, word->end - word->start);
  property =
      g_strndup (assignment->start, strcspn (assignment->start, " \t\r\n="));
  return vigil_property_holds_object (
      factory + strspn (factory, "("), property);
}

static gboolean
append_literal (GString *out, const char *value, gboolean is_text,
    const char *field, char next, GError **error)
{
  Token word = {0};
  Token assignment = {0};
  Place place = find_place (out->str, &word, &assignment);
  gboolean is_whole = next == '\0' || g_ascii_isspace (next);

  if (place == PLACE_NONE) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID,
        "pipeline: '{%s}' stands where an element, a pad or a property is "
        "named: want it behind '='",
        field);
    return FALSE;
  }
  if (!is_text) {
    g_string_append (out, value);
    return TRUE;
  }
  if (place != PLACE_IN_CAPS && holds_element (&word, &assignment)) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID,
        "pipeline: '{%s}': the property holds an element, which a request "
        "cannot choose",
        field);
    return FALSE;
  }
  if (place == PLACE_IN_QUOTES || (place == PLACE_VALUE && is_whole)) {
    if (!check_quotable (value, field, error))
      return FALSE;
    if (place == PLACE_VALUE)
      g_string_append_c (out, '"');
    append_escaped (out, value);
    if (place == PLACE_VALUE)
      g_string_append_c (out, '"');
    return TRUE;
  }
  if (!is_plain (value)) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID,
        "pipeline: the value of '{%s}' has characters other than letters, "
        "digits and _.:/+@%%-: put the whole property value in double "
        "quotes in the launch text",
        field);
    return FALSE;
  }
  g_string_append (out, value);
  return TRUE;
}

/* ---- Substitution ----------------------------------------------------- */

/* Splits "name[a][b]" into its parts. Returns: (transfer full) (nullable):
 * NULL when @field has another form. */
static GStrv
split_field (const char *field)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  const char *p = field + strcspn (field, "[");
  g_autofree char *name = g_strndup (field, p - field);

  if (!vigil_launch_text_is_name (name))
    return NULL;
  g_strv_builder_add (builder, name);
  while (*p == '[') {
    const char *close = strchr (p, ']');
    g_autofree char *key = NULL;

    if (close == NULL || close == p + 1)
      return NULL;
    key = g_strndup (p + 1, close - p - 1);
    g_strv_builder_add (builder, key);
    p = close + 1;
  }
  return *p == '\0' ? g_strv_builder_end (builder) : NULL;
}

static const VigilJson *
look_up (const VigilJson *object, GStrv parts)
{
  for (size_t i = 0; parts[i] != NULL && object != NULL; i++) {
    guint64 index;

    if (vigil_json_get_type (object) != VIGIL_JSON_ARRAY)
      object = vigil_json_object_get (object, parts[i]);
    else if (g_ascii_string_to_unsigned (
                 parts[i], 10, 0, G_MAXSIZE, &index, NULL))
      object = vigil_json_array_get (object, (size_t)index);
    else
      object = NULL;
  }
  return object;
}

static gboolean
append_request_value (GString *out, const VigilLaunchTextValues *values,
    GStrv parts, const char *field, char next, GError **error)
{
  const VigilJson *value = look_up (values->request, parts);
  g_autofree char *text = NULL;
  gboolean is_text;

  if (value == NULL && values->example != NULL)
    return append_literal (out, values->example, TRUE, field, next, error);
  if (value == NULL || vigil_json_is_null (value)) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID,
        "pipeline: no value for '{%s}': give it in the request%s", field,
        strcmp (parts[0], "parameters") == 0
            ? " or as \"default\" in the configuration's parameters"
            : "");
    return FALSE;
  }
  is_text = !vigil_json_is_number (value) &&
            vigil_json_get_type (value) != VIGIL_JSON_BOOLEAN;
  text = vigil_json_get_type (value) == VIGIL_JSON_STRING
             ? g_strdup (vigil_json_get_string (value))
             : vigil_json_to_text (value);
  return append_literal (out, text, is_text, field, next, error);
}

static gboolean
append_environment (GString *out, const VigilLaunchTextValues *values,
    GStrv parts, const char *field, GError **error)
{
  const char *value = NULL;

  if (parts[1] != NULL && parts[2] == NULL && values->environment != NULL)
    value = vigil_environment_get (values->environment, parts[1]);
  if (value == NULL) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID,
        "pipeline: '{%s}': the environment has no such variable", field);
    return FALSE;
  }
  g_string_append (out, value);
  return TRUE;
}

/* The number of characters at @text that name the element "source" again,
 * as every DLSPS sample does behind {auto_source}. */
static size_t
skip_source_name (const char *text)
{
  const char *p = text;
  const char *words[] = {"name", "=", "source"};

  for (size_t i = 0; i < G_N_ELEMENTS (words); i++) {
    while (g_ascii_isspace (*p))
      p++;
    if (!g_str_has_prefix (p, words[i]))
      return 0;
    p += strlen (words[i]);
  }
  return *p == '\0' || g_ascii_isspace (*p) ? (size_t)(p - text) : 0;
}

static gboolean
append_field (GString *out, const char *field, const char **rest,
    const VigilLaunchTextValues *values, GError **error)
{
  g_auto (GStrv) parts = split_field (field);
  const char *const request_names[] = {
      "source", "parameters", "tags", "destination", NULL};

  if (parts == NULL) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID,
        "pipeline: '{%s}': want {auto_source} or {name[key]}; a literal "
        "brace is written twice",
        field);
    return FALSE;
  }
  if (strcmp (field, "auto_source") == 0) {
    if (values->auto_source == NULL) {
      g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID,
          "source: the pipeline has {auto_source}: want a source in the "
          "request");
      return FALSE;
    }
    g_string_append (out, values->auto_source);
    *rest += skip_source_name (*rest);
    return TRUE;
  }
  if (strcmp (parts[0], "env") == 0)
    return append_environment (out, values, parts, field, error);
  if (strcmp (parts[0], "models") == 0) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_UNSUPPORTED,
        "pipeline: '{%s}': there is no folder of models here: write the "
        "model's path, or {env[NAME]} or {parameters[name]}",
        field);
    return FALSE;
  }
  if (g_strv_contains (request_names, parts[0]))
    return append_request_value (out, values, parts, field, **rest, error);
  g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID,
      "pipeline: '{%s}': want auto_source, env[...], parameters[...], "
      "source[...] or tags[...]; a literal brace is written twice",
      field);
  return FALSE;
}

/* An open quote would give the literals in it another meaning. */
static gboolean
check_quotes (const char *text, GError **error)
{
  for (;;) {
    Token token = next_token (&text);

    if (token.open_quote != 0) {
      /* What stands in the quotes may be a password. */
      g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID,
          "pipeline: the quote %c behind '%.*s' is not closed",
          token.open_quote, (int)strcspn (token.start, "\"'"), token.start);
      return FALSE;
    }
    if (token.type == TOKEN_END)
      return TRUE;
  }
}

char *
vigil_launch_text_expand (
    const char *text, const VigilLaunchTextValues *values, GError **error)
{
  g_autoptr (GString) out = g_string_new (NULL);
  const char *p = text;

  g_return_val_if_fail (text != NULL && values != NULL, NULL);

  while (*p != '\0') {
    g_autofree char *field = NULL;
    const char *close;

    if ((*p == '{' || *p == '}') && p[1] == *p) {
      g_string_append_c (out, *p);
      p += 2;
      continue;
    }
    if (*p != '{' && *p != '}') {
      g_string_append_c (out, *p++);
      continue;
    }
    close = strchr (p, '}');
    if (*p == '}' || close == NULL) {
      g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID,
          "pipeline: a single '%c' at character %d: a literal brace is "
          "written twice",
          *p, (int)(p - text) + 1);
      return NULL;
    }
    field = g_strndup (p + 1, close - p - 1);
    p = close + 1;
    if (!append_field (out, field, &p, values, error))
      return NULL;
  }
  if (!check_quotes (out->str, error))
    return NULL;
  return g_string_free (g_steal_pointer (&out), FALSE);
}
