/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The process environment and a file of KEY=VALUE lines, read the way docker
 * compose reads its .env file: comments, quotes, escapes in double quotes,
 * values over several lines in quotes, and variables in values.
 */
#include "config/environment.h"

#include "base/error.h"
#include "base/file.h"
#include <string.h>

#define FILE_BYTES_MAX (1024 * 1024)
/* All values with their variables: thirty lines that each name the one before
 * twice would come to a gigabyte. */
#define VALUES_BYTES_MAX (4 * FILE_BYTES_MAX)
#define BYTE_ORDER_MARK "\xef\xbb\xbf"
#define SPACES " \t\r"

typedef struct {
  char *value;   /* never empty */
  unsigned line; /* of the file; 0: from the process */
} Setting;

struct _VigilEnvironment {
  char *file;           /* nullable */
  GHashTable *settings; /* name -> Setting */
};

/* What is read, and where we are in it. */
typedef struct {
  VigilEnvironment *environment;
  const char *text; /* what is left */
  unsigned line;
  size_t values_bytes; /* of the values read so far */
} Reader;

static void
free_setting (void *data)
{
  Setting *setting = data;
  g_free (setting->value);
  g_free (setting);
}

void
vigil_environment_free (VigilEnvironment *self)
{
  if (self == NULL)
    return;
  g_hash_table_unref (self->settings);
  g_free (self->file);
  g_free (self);
}

static void
set (VigilEnvironment *self, const char *name, const char *value, unsigned line)
{
  const Setting *old = g_hash_table_lookup (self->settings, name);
  if (old != NULL && old->line == 0)
    return;
  if (value[0] == '\0') {
    g_hash_table_remove (self->settings, name);
    return;
  }
  Setting *setting = g_new0 (Setting, 1);
  setting->value = g_strdup (value);
  setting->line = line;
  g_hash_table_replace (self->settings, g_strdup (name), setting);
}

const char *
vigil_environment_get (const VigilEnvironment *self, const char *name)
{
  const Setting *setting = g_hash_table_lookup (self->settings, name);
  return setting != NULL ? setting->value : NULL;
}

static gboolean
fail (const Reader *reader, unsigned line, const char *wanted, GError **error)
{
  g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID, "%s, line %u: %s",
      reader->environment->file, line, wanted);
  return FALSE;
}

/* ---- Variables in values ----------------------------------------------- */

static size_t
measure_name (const char *text)
{
  if (g_ascii_isdigit (text[0]))
    return 0;
  size_t length = 0;
  while (g_ascii_isalnum (text[length]) || text[length] == '_')
    length++;
  return length;
}

/*
 * Expands one "${...}", whose inside @text starts with. Returns: what comes
 * after the closing brace; NULL when it is no form we know.
 */
static const char *
expand_braces (const Reader *reader, const char *text, GString *value)
{
  size_t length = measure_name (text);
  const char *end = strchr (text, '}');
  if (length == 0 || end == NULL)
    return NULL;
  g_autofree char *name = g_strndup (text, length);
  const char *found = vigil_environment_get (reader->environment, name);
  const char *rest = text + length;
  if (rest[0] == '}') {
    g_string_append (value, found != NULL ? found : "");
    return end + 1;
  }
  if (rest[0] == ':')
    rest++;
  if (rest[0] != '-')
    return NULL;
  /* "empty" and "unset" are the same here, so ":-" and "-" are too. */
  if (found != NULL)
    g_string_append (value, found);
  else
    g_string_append_len (value, rest + 1, end - (rest + 1));
  return end + 1;
}

/* Replaces $NAME, ${NAME} and ${NAME:-text}; "$$" is a dollar sign. */
static gboolean
expand (Reader *reader, unsigned line, const char *text, GString *ret_value,
    GError **error)
{
  while (*text != '\0') {
    size_t plain = strcspn (text, "$");
    g_string_append_len (ret_value, text, (gssize)plain);
    text += plain;
    if (text[0] == '\0')
      break;
    text++;
    size_t length = measure_name (text);
    if (text[0] == '$') {
      g_string_append_c (ret_value, '$');
      text++;
    } else if (text[0] == '{') {
      text = expand_braces (reader, text + 1, ret_value);
      if (text == NULL)
        return fail (reader, line,
            "'${' in a value: want ${NAME} or ${NAME:-text}; write $$ for a "
            "dollar sign, or use single quotes",
            error);
    } else if (length > 0) {
      g_autofree char *name = g_strndup (text, length);
      const char *found = vigil_environment_get (reader->environment, name);
      g_string_append (ret_value, found != NULL ? found : "");
      text += length;
    } else {
      g_string_append_c (ret_value, '$');
    }
    if (reader->values_bytes + ret_value->len > VALUES_BYTES_MAX)
      return fail (reader, line,
          "the variables in the values come to too much: want at most 4 MiB",
          error);
  }
  reader->values_bytes += ret_value->len;
  return TRUE;
}

/* ---- Lines ------------------------------------------------------------- */

static void
skip_spaces (Reader *reader)
{
  reader->text += strspn (reader->text, SPACES);
}

/* To the start of the next line. */
static void
skip_line (Reader *reader)
{
  reader->text += strcspn (reader->text, "\n");
  if (reader->text[0] == '\n') {
    reader->text++;
    reader->line++;
  }
}

/* What an escape in double quotes stands for; an unknown one stays as it is
 * written. */
static void
append_escaped (GString *text, char c)
{
  static const char names[] = "nrtabfv\"\\'";
  static const char meanings[] = "\n\r\t\a\b\f\v\"\\'";
  const char *found = c != '\0' ? strchr (names, c) : NULL;
  if (found != NULL) {
    g_string_append_c (text, meanings[found - names]);
  } else if (c == '$') {
    g_string_append (text, "$$");
  } else {
    g_string_append_c (text, '\\');
    g_string_append_c (text, c);
  }
}

/*
 * Reads a value in quotes, the opening one of which is next; it may go over
 * several lines. @ret_text: still with its variables.
 */
static gboolean
read_quoted (Reader *reader, GString *ret_text, GError **error)
{
  unsigned first_line = reader->line;
  char quote = *reader->text++;
  for (; *reader->text != quote; reader->text++) {
    char c = *reader->text;
    if (c == '\0')
      return fail (reader, first_line,
          "a quote is opened and not closed: want one at the end of the "
          "value",
          error);
    if (c == '\n')
      reader->line++;
    if (c == '\\' && quote == '"' && reader->text[1] != '\0')
      append_escaped (ret_text, *++reader->text);
    else if (c == '\\' && reader->text[1] == '\'')
      g_string_append_c (ret_text, *++reader->text);
    else
      g_string_append_c (ret_text, c);
  }
  reader->text++;
  skip_spaces (reader);
  if (strchr ("\n#", *reader->text) == NULL && *reader->text != '\0')
    return fail (reader, reader->line,
        "text after the closing quote: want a comment or the end of the line",
        error);
  return TRUE;
}

/* A value without quotes ends at a # that follows a space, or with the
 * line. */
static char *
read_bare (Reader *reader)
{
  size_t length = strcspn (reader->text, "\n");
  for (size_t i = 0; i < length; i++) {
    /* What stands before the value is a space or the sign after the name. */
    if (reader->text[i] == '#' &&
        strchr (SPACES, reader->text[(ptrdiff_t)i - 1]) != NULL)
      length = i;
  }
  char *value = g_strndup (reader->text, length);
  reader->text += length;
  return g_strchomp (value);
}

static char *
read_name (Reader *reader, GError **error)
{
  if (g_str_has_prefix (reader->text, "export") &&
      strchr (" \t", reader->text[6]) != NULL && reader->text[6] != '\0') {
    reader->text += 6;
    skip_spaces (reader);
  }
  size_t length = 0;
  while (g_ascii_isalnum (reader->text[length]) ||
         (reader->text[length] != '\0' &&
             strchr ("_.-", reader->text[length]) != NULL))
    length++;
  g_autofree char *name = g_strndup (reader->text, length);
  reader->text += length;
  skip_spaces (reader);
  if (length == 0 || (*reader->text != '=' && *reader->text != ':')) {
    fail (reader, reader->line,
        "want KEY=VALUE, a comment that starts with #, or nothing", error);
    return NULL;
  }
  reader->text++;
  skip_spaces (reader);
  return g_steal_pointer (&name);
}

static gboolean
read_setting (Reader *reader, GError **error)
{
  unsigned line = reader->line;
  g_autofree char *name = read_name (reader, error);
  if (name == NULL)
    return FALSE;

  g_autoptr (GString) value = g_string_new (NULL);
  char quote = *reader->text;
  if (quote == '\'') {
    if (!read_quoted (reader, value, error))
      return FALSE;
  } else if (quote == '"') {
    g_autoptr (GString) text = g_string_new (NULL);
    if (!read_quoted (reader, text, error) ||
        !expand (reader, line, text->str, value, error))
      return FALSE;
  } else {
    g_autofree char *text = read_bare (reader);
    if (!expand (reader, line, text, value, error))
      return FALSE;
  }
  set (reader->environment, name, value->str, line);
  return TRUE;
}

static gboolean
read_text (
    VigilEnvironment *self, const char *text, size_t size, GError **error)
{
  Reader reader = {.environment = self, .text = text, .line = 1};
  if (memchr (text, '\0', size) != NULL)
    return fail (&reader, 1, "a NUL byte: want a text file", error);
  if (g_str_has_prefix (text, BYTE_ORDER_MARK))
    reader.text += strlen (BYTE_ORDER_MARK);
  while (*reader.text != '\0') {
    skip_spaces (&reader);
    if (strchr ("#\n", *reader.text) == NULL && !read_setting (&reader, error))
      return FALSE;
    skip_line (&reader);
  }
  return TRUE;
}

/* ---- Public ------------------------------------------------------------ */

static VigilEnvironment *
new_from_process (void)
{
  VigilEnvironment *self = g_new0 (VigilEnvironment, 1);
  self->settings =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, free_setting);
  g_auto (GStrv) names = g_listenv ();
  for (size_t i = 0; names[i] != NULL; i++) {
    const char *value = g_getenv (names[i]);
    if (value != NULL)
      set (self, names[i], value, 0);
  }
  return self;
}

VigilEnvironment *
vigil_environment_parse (
    const char *text, size_t size, const char *file, GError **error)
{
  g_return_val_if_fail (text != NULL && file != NULL, NULL);

  g_autoptr (VigilEnvironment) self = new_from_process ();
  self->file = g_strdup (file);
  if (size > FILE_BYTES_MAX) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_LIMIT,
        "%s: %zu bytes: want at most %d", file, size, FILE_BYTES_MAX);
    return NULL;
  }
  g_autofree char *copy = g_strndup (text, size);
  if (!read_text (self, copy, size, error))
    return NULL;
  return g_steal_pointer (&self);
}

VigilEnvironment *
vigil_environment_new (const char *env_file, GError **error)
{
  if (env_file == NULL)
    return new_from_process ();
  size_t size = 0;
  g_autofree char *text =
      vigil_file_read (env_file, FILE_BYTES_MAX, &size, error);
  if (text == NULL)
    return NULL;
  return vigil_environment_parse (text, size, env_file, error);
}

static char *
describe_origin (const VigilEnvironment *self, const Setting *setting)
{
  if (setting->line == 0)
    return g_strdup ("the environment");
  return g_strdup_printf ("%s, line %u", self->file, setting->line);
}

gboolean
vigil_environment_get_integer (const VigilEnvironment *self, const char *name,
    int64_t minimum, int64_t maximum, int64_t *ret_value, GError **error)
{
  const Setting *setting = g_hash_table_lookup (self->settings, name);
  g_autofree char *origin = NULL;
  int64_t value;

  if (setting == NULL)
    return TRUE;
  if (g_ascii_string_to_signed (
          setting->value, 10, minimum, maximum, &value, NULL)) {
    *ret_value = value;
    return TRUE;
  }
  origin = describe_origin (self, setting);
  g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID,
      "%s '%s' in %s: want %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT, name,
      setting->value, origin, minimum, maximum);
  return FALSE;
}

gboolean
vigil_environment_get_boolean (const VigilEnvironment *self, const char *name,
    gboolean *ret_value, GError **error)
{
  static const char *const words[][2] = {{"n", "y"}, {"no", "yes"}, {"f", "t"},
      {"false", "true"}, {"off", "on"}, {"0", "1"}};
  const Setting *setting = g_hash_table_lookup (self->settings, name);
  g_autofree char *origin = NULL;

  if (setting == NULL)
    return TRUE;
  for (size_t i = 0; i < G_N_ELEMENTS (words); i++) {
    for (int value = FALSE; value <= TRUE; value++) {
      if (g_ascii_strcasecmp (setting->value, words[i][value]) != 0)
        continue;
      *ret_value = value;
      return TRUE;
    }
  }
  origin = describe_origin (self, setting);
  g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID,
      "%s '%.40s' in %s: want true or false", name, setting->value, origin);
  return FALSE;
}
