/* SPDX-License-Identifier: Apache-2.0 */
/* The log writer: one line a message, to standard error. */
#include "base/log.h"

#include "base/json.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Set once by install, before other threads exist. */
static VigilLogFormat log_format = VIGIL_LOG_TEXT;
static GLogLevelFlags log_threshold = G_LOG_LEVEL_MESSAGE;

static const struct {
  GLogLevelFlags flag;
  const char *text;
  const char *json;
} levels[] = {
    {G_LOG_LEVEL_ERROR, "FATAL", "fatal"},
    {G_LOG_LEVEL_CRITICAL, "ERROR", "error"},
    {G_LOG_LEVEL_WARNING, "WARNING", "warning"},
    {G_LOG_LEVEL_MESSAGE, "MESSAGE", "message"},
    {G_LOG_LEVEL_INFO, "INFO", "info"},
    {G_LOG_LEVEL_DEBUG, "DEBUG", "debug"},
};

static const struct {
  const char *name;
  GLogLevelFlags threshold;
} names[] = {
    {"DEBUG", G_LOG_LEVEL_DEBUG},
    {"INFO", G_LOG_LEVEL_INFO},
    {"WARN", G_LOG_LEVEL_WARNING},
    {"WARNING", G_LOG_LEVEL_WARNING},
    {"ERROR", G_LOG_LEVEL_CRITICAL},
};

gboolean
vigil_log_parse_level (const char *name, GLogLevelFlags *ret_threshold)
{
  for (size_t i = 0; name != NULL && i < G_N_ELEMENTS (names); i++) {
    if (g_ascii_strcasecmp (name, names[i].name) == 0) {
      *ret_threshold = names[i].threshold;
      return TRUE;
    }
  }
  return FALSE;
}

gboolean
vigil_log_gate_open (VigilLogGate *self, int64_t interval_ms, int64_t now_us,
    uint64_t *ret_suppressed)
{
  if (now_us < self->next_us) {
    self->suppressed++;
    return FALSE;
  }
  *ret_suppressed = self->suppressed;
  self->suppressed = 0;
  self->next_us = now_us + interval_ms * 1000;
  return TRUE;
}

static gboolean
is_port (const char *text, size_t length)
{
  return length > 0 && strspn (text, "0123456789") >= length;
}

/*
 * @authority: what follows "://". Returns: the length of the user
 * information, without its @; 0 when there is none.
 */
static size_t
find_user_information (const char *authority)
{
  size_t token = strcspn (authority, " \t\r\n\"'<>");
  size_t length = MIN (token, strcspn (authority, "/?#"));
  const char *at = memrchr (authority, '@', length);
  if (at == NULL) {
    /* "user:pa/ss@host": somebody did not escape the password. What stands
     * behind the colon then is no port. */
    const char *colon = memchr (authority, ':', length);
    if (colon == NULL || authority[0] == '[' ||
        is_port (colon + 1, length - (size_t)(colon + 1 - authority)))
      return 0;
    at = memrchr (authority, '@', token);
  }
  return at != NULL ? (size_t)(at - authority) : 0;
}

char *
vigil_log_mask (const char *text)
{
  GString *masked = g_string_sized_new (strlen (text));
  for (;;) {
    const char *mark = strstr (text, "://");
    if (mark == NULL)
      break;
    mark += 3;
    g_string_append_len (masked, text, mark - text);
    size_t length = find_user_information (mark);
    if (length > 0)
      g_string_append (masked, "***");
    text = mark + length;
  }
  g_string_append (masked, text);
  return g_string_free (masked, FALSE);
}

/* Nobody may make a second line, or move a terminal's cursor, by what they
 * have us log. */
static void
append_printable (GString *line, const char *text)
{
  const char *end = text + strlen (text);
  while (text < end) {
    gunichar character = g_utf8_get_char_validated (text, end - text);
    if (character == (gunichar)-1 || character == (gunichar)-2) {
      g_string_append_printf (line, "\\x%02x", (unsigned char)*text++);
      continue;
    }
    const char *next = g_utf8_next_char (text);
    if (character == '\n')
      g_string_append (line, "\\n");
    else if (character == '\t')
      g_string_append (line, "\\t");
    else if (g_unichar_iscntrl (character) || character == 0x2028 ||
             character == 0x2029)
      g_string_append_printf (line, "\\u%04x", character);
    else
      g_string_append_len (line, text, next - text);
    text = next;
  }
}

static void
append_line (
    GString *line, size_t level, const char *domain, const char *message)
{
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();
  g_autofree char *seconds = g_date_time_format (now, "%Y-%m-%dT%H:%M:%S");
  g_autofree char *time = g_strdup_printf (
      "%s.%03dZ", seconds, g_date_time_get_microsecond (now) / 1000);
  g_autofree char *masked = vigil_log_mask (message);

  if (log_format == VIGIL_LOG_TEXT) {
    g_string_append_printf (
        line, "%s %s %s: ", time, levels[level].text, domain);
    append_printable (line, masked);
  } else {
    VigilJsonWriter writer;
    vigil_json_writer_init (&writer, line);
    vigil_json_writer_begin_object (&writer);
    vigil_json_writer_key (&writer, "time");
    vigil_json_writer_string (&writer, time);
    vigil_json_writer_key (&writer, "level");
    vigil_json_writer_string (&writer, levels[level].json);
    vigil_json_writer_key (&writer, "domain");
    vigil_json_writer_string (&writer, domain);
    vigil_json_writer_key (&writer, "message");
    vigil_json_writer_string (&writer, masked);
    vigil_json_writer_end_object (&writer);
  }
  g_string_append_c (line, '\n');
}

/* One write for the whole line, so that lines of threads do not mix. */
static void
write_line (const GString *line)
{
  size_t written = 0;
  while (written < line->len) {
    ssize_t count =
        write (STDERR_FILENO, line->str + written, line->len - written);
    if (count < 0 && errno == EINTR)
      continue;
    if (count <= 0)
      return; /* there is nowhere left to complain to */
    written += (size_t)count;
  }
}

static gboolean
is_wanted (GLogLevelFlags level, const char *domain)
{
  if (level <= G_LOG_LEVEL_WARNING)
    return TRUE;
  if (level > log_threshold)
    return FALSE;
  /* What libraries tell their own developers is not for our readers. */
  return level <= G_LOG_LEVEL_MESSAGE || g_str_has_prefix (domain, "vigil");
}

static const char *
field_text (const GLogField *field)
{
  return field->length < 0 && field->value != NULL ? field->value : "";
}

static GLogWriterOutput
on_message (GLogLevelFlags flags, const GLogField *fields, gsize field_count,
    gpointer user_data)
{
  const char *domain = "";
  const char *message = "";
  for (gsize i = 0; i < field_count; i++) {
    if (strcmp (fields[i].key, "MESSAGE") == 0)
      message = field_text (&fields[i]);
    else if (strcmp (fields[i].key, "GLIB_DOMAIN") == 0)
      domain = field_text (&fields[i]);
  }
  for (size_t i = 0; i < G_N_ELEMENTS (levels); i++) {
    if ((flags & levels[i].flag) == 0)
      continue;
    if (is_wanted (levels[i].flag, domain)) {
      g_autoptr (GString) line = g_string_sized_new (256);
      append_line (line, i, domain[0] != '\0' ? domain : "default", message);
      write_line (line);
    }
    break;
  }
  return G_LOG_WRITER_HANDLED;
}

void
vigil_log_install (VigilLogFormat format, GLogLevelFlags threshold)
{
  log_format = format;
  log_threshold = threshold;
  g_log_set_writer_func (on_message, NULL, NULL);
}
