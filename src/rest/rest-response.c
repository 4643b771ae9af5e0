/* SPDX-License-Identifier: Apache-2.0 */
/* Answers in the forms that clients of DLSPS know. */
#include "rest/rest-response.h"

#include "base/error.h"
#include "base/log.h"

#define JSON_TYPE "application/json"
#define PROBLEM_TYPE "application/problem+json"
#define INDENT "  "

static const struct {
  unsigned status;
  const char *reason;
} reasons[] = {
    {200, "OK"},
    {204, "No Content"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
};

const char *
vigil_rest_response_reason (unsigned status)
{
  for (size_t i = 0; i < G_N_ELEMENTS (reasons); i++)
    if (reasons[i].status == status)
      return reasons[i].reason;
  return "Error";
}

void
vigil_rest_response_init (VigilRestResponse *self)
{
  *self = (VigilRestResponse){
      .status = 200,
      .content_type = JSON_TYPE,
      .body = g_string_new (NULL),
  };
}

void
vigil_rest_response_clear (VigilRestResponse *self)
{
  if (self->body != NULL)
    g_string_free (self->body, TRUE);
  *self = (VigilRestResponse){0};
}

/* ---- Layout ------------------------------------------------------------ */

static void
break_line (GString *text, unsigned depth)
{
  g_string_append_c (text, '\n');
  for (unsigned i = 0; i < depth; i++)
    g_string_append (text, INDENT);
}

/* Appends the string that begins at @json. Returns: its last character. */
static const char *
copy_string (GString *text, const char *json)
{
  const char *end = json + 1;

  while (*end != '"')
    end += *end == '\\' ? 2 : 1;
  g_string_append_len (text, json, end - json + 1);
  return end;
}

/* DLSPS's layout of @json, which has no white space: scripts look for
 * `"state": "RUNNING"`, and people read it. */
static GString *
lay_out (const GString *json)
{
  GString *text = g_string_sized_new (2 * json->len);
  unsigned depth = 0;

  for (const char *c = json->str; *c != '\0'; c++) {
    gboolean is_opening = *c == '{' || *c == '[';

    if (*c == '"') {
      c = copy_string (text, c);
      continue;
    }
    if (*c == '}' || *c == ']')
      break_line (text, --depth);
    g_string_append_c (text, *c);
    if (*c == ':') {
      g_string_append_c (text, ' ');
    } else if (is_opening && (c[1] == '}' || c[1] == ']')) {
      g_string_append_c (text, *++c);
    } else if (is_opening) {
      break_line (text, ++depth);
    } else if (*c == ',') {
      break_line (text, depth);
    }
  }
  return text;
}

/* ---- Answers ----------------------------------------------------------- */

void
vigil_rest_response_finish_json (VigilRestResponse *self, unsigned status)
{
  GString *compact = self->body;

  self->body = lay_out (compact);
  g_string_free (compact, TRUE);
  g_string_append_c (self->body, '\n');
  self->status = status;
  self->content_type = JSON_TYPE;
}

void
vigil_rest_response_set_string (
    VigilRestResponse *self, unsigned status, const char *text)
{
  VigilJsonWriter writer;

  g_string_truncate (self->body, 0);
  vigil_json_writer_init (&writer, self->body);
  vigil_json_writer_string (&writer, text);
  vigil_rest_response_finish_json (self, status);
}

static void
set_problem_text (VigilRestResponse *self, unsigned status, const char *detail)
{
  VigilJsonWriter writer;

  g_string_truncate (self->body, 0);
  vigil_json_writer_init (&writer, self->body);
  vigil_json_writer_begin_object (&writer);
  vigil_json_writer_key (&writer, "detail");
  vigil_json_writer_string (&writer, detail);
  vigil_json_writer_key (&writer, "status");
  vigil_json_writer_integer (&writer, status);
  vigil_json_writer_key (&writer, "title");
  vigil_json_writer_string (&writer, vigil_rest_response_reason (status));
  vigil_json_writer_key (&writer, "type");
  vigil_json_writer_string (&writer, "about:blank");
  vigil_json_writer_end_object (&writer);
  vigil_rest_response_finish_json (self, status);
  self->content_type = PROBLEM_TYPE;
}

void
vigil_rest_response_set_problem (
    VigilRestResponse *self, unsigned status, const char *format, ...)
{
  g_autofree char *detail = NULL;
  va_list arguments;

  va_start (arguments, format);
  detail = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  set_problem_text (self, status, detail);
}

void
vigil_rest_response_set_error (VigilRestResponse *self, const GError *error)
{
  g_autofree char *detail = vigil_log_mask (error->message);

  set_problem_text (self, vigil_error_http_status (error), detail);
}
