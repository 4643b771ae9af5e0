/* SPDX-License-Identifier: Apache-2.0 */
/* From headers to answer. */
#include "rest/rest-exchange.h"

#include <gnutls/gnutls.h>
#include <string.h>

static const char *
get_header (const VigilRestExchange *self, const char *name)
{
  return MHD_lookup_connection_value (self->connection, MHD_HEADER_KIND, name);
}

static enum MHD_Result
add_size (void *data, enum MHD_ValueKind kind, const char *key, size_t key_size,
    const char *value, size_t value_size)
{
  size_t *sum = data;

  *sum += key_size + value_size + strlen (": \r\n");
  return MHD_YES;
}

static size_t
measure_headers (const VigilRestExchange *self)
{
  size_t sum = 0;

  MHD_get_connection_values_n (
      self->connection, MHD_HEADER_KIND, add_size, &sum);
  return sum;
}

/* The library asks for a client certificate and leaves it to us to judge. */
static gboolean
has_valid_certificate (const VigilRestExchange *self)
{
  const union MHD_ConnectionInfo *info = MHD_get_connection_info (
      self->connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
  unsigned status = 0;

  return info != NULL && info->tls_session != NULL &&
         gnutls_certificate_verify_peers2 (
             (gnutls_session_t)info->tls_session, &status) == 0 &&
         status == 0;
}

static gboolean
check_sizes (VigilRestExchange *self, const char *path)
{
  const VigilRestSettings *settings = self->context->settings;

  if (strlen (path) > settings->uri_length_max) {
    vigil_rest_response_set_problem (&self->response, 414,
        "the path is longer than %zu bytes", settings->uri_length_max);
    return FALSE;
  }
  if (measure_headers (self) > settings->header_bytes_max) {
    vigil_rest_response_set_problem (&self->response, 431,
        "the headers are larger than %zu bytes", settings->header_bytes_max);
    return FALSE;
  }
  return TRUE;
}

/* A token or a certificate does not come from a page by itself, so names
 * need only be ours where there is neither. */
static gboolean
check_source (VigilRestExchange *self)
{
  const VigilRestSettings *settings = self->context->settings;
  const char *host = get_header (self, "Host");
  const char *origin = get_header (self, "Origin");

  if (!vigil_rest_access_has_tokens (self->access) &&
      !settings->verify_clients &&
      !vigil_rest_access_is_host_ours (
          host, (const char *const *)settings->host_names)) {
    vigil_rest_response_set_problem (&self->response, 403,
        "Host: want an address, localhost, or a name of "
        "config.rest.host_names");
    return FALSE;
  }
  if (!vigil_rest_access_is_origin_ours (
          origin, host, (const char *const *)settings->origins)) {
    vigil_rest_response_set_problem (&self->response, 403,
        "Origin: web pages of this origin may not call the server; the "
        "operator lists them in config.rest.origins");
    return FALSE;
  }
  self->origin = origin;
  if (settings->verify_clients && !has_valid_certificate (self)) {
    vigil_rest_response_set_problem (&self->response, 403,
        "want a client certificate that the server's authority signed");
    return FALSE;
  }
  return TRUE;
}

static gboolean
check_role (VigilRestExchange *self, VigilRestRole wanted)
{
  const char *authorization = get_header (self, "Authorization");
  VigilRestRole role = vigil_rest_access_get_role (self->access, authorization);

  if (role >= wanted)
    return TRUE;
  if (role == VIGIL_REST_ROLE_NONE)
    vigil_rest_response_set_problem (&self->response, 401, "%s",
        authorization == NULL
            ? "want 'Authorization: Bearer TOKEN'"
            : "the token is not one of the server's: want 'Authorization: "
              "Bearer TOKEN'");
  else
    vigil_rest_response_set_problem (
        &self->response, 403, "the token may only read: want a control token");
  return FALSE;
}

static gboolean
check_route (VigilRestExchange *self, const char *method, const char *path)
{
  g_autofree char *allow = NULL;

  self->route =
      vigil_rest_routes_find (method, path, self->request.arguments, &allow);
  if (self->route != NULL)
    return TRUE;
  if (allow == NULL) {
    vigil_rest_response_set_problem (
        &self->response, 404, "no such path; see /openapi.json");
    return FALSE;
  }
  vigil_rest_response_set_problem (
      &self->response, 405, "%s: want %s", method, allow);
  self->response.allow = g_intern_string (allow);
  return FALSE;
}

static gboolean
is_json_type (const char *type)
{
  size_t length = strlen ("application/json");

  return type != NULL &&
         g_ascii_strncasecmp (type, "application/json", length) == 0 &&
         (type[length] == '\0' || type[length] == ';' || type[length] == ' ');
}

/* Another type than JSON is what a form in a web page can send without
 * being asked first. */
static gboolean
check_body_headers (VigilRestExchange *self)
{
  const char *length = get_header (self, "Content-Length");
  guint64 size;

  if (length != NULL &&
      (!g_ascii_string_to_unsigned (length, 10, 0, G_MAXUINT64, &size, NULL) ||
          size > self->context->settings->body_bytes_max)) {
    vigil_rest_response_set_problem (&self->response, 413,
        "the body is larger than %zu bytes",
        self->context->settings->body_bytes_max);
    return FALSE;
  }
  if (self->route->takes_body &&
      !is_json_type (get_header (self, "Content-Type"))) {
    vigil_rest_response_set_problem (
        &self->response, 415, "Content-Type: want application/json");
    return FALSE;
  }
  return TRUE;
}

/* What a browser asks before a page of another origin may call. */
static gboolean
answer_preflight (VigilRestExchange *self, const char *method)
{
  if (strcmp (method, "OPTIONS") != 0 || self->origin == NULL ||
      get_header (self, "Access-Control-Request-Method") == NULL)
    return FALSE;
  self->response.status = 204;
  return TRUE;
}

VigilRestExchange *
vigil_rest_exchange_new (const VigilRestContext *context,
    const VigilRestAccess *access, struct MHD_Connection *connection,
    const char *method, const char *path)
{
  VigilRestExchange *self = g_new0 (VigilRestExchange, 1);

  self->context = context;
  self->access = access;
  self->connection = connection;
  self->request.context = context;
  vigil_rest_response_init (&self->response);
  self->is_answered =
      !check_sizes (self, path) || !check_source (self) ||
      answer_preflight (self, method) || !check_route (self, method, path) ||
      !check_role (self, self->route->role) || !check_body_headers (self);
  return self;
}

void
vigil_rest_exchange_free (VigilRestExchange *self)
{
  if (self == NULL)
    return;
  for (unsigned i = 0; i < VIGIL_REST_REQUEST_ARGUMENTS_MAX; i++)
    g_free (self->request.arguments[i]);
  if (self->body != NULL)
    g_string_free (self->body, TRUE);
  if (self->value != NULL)
    vigil_json_unref (self->value);
  vigil_rest_response_clear (&self->response);
  g_free (self);
}

gboolean
vigil_rest_exchange_has_body (const VigilRestExchange *self)
{
  const char *length = get_header (self, "Content-Length");

  return (length != NULL && strcmp (length, "0") != 0) ||
         get_header (self, "Transfer-Encoding") != NULL;
}

void
vigil_rest_exchange_append (
    VigilRestExchange *self, const char *data, size_t size)
{
  size_t limit = self->context->settings->body_bytes_max;

  if (self->is_answered)
    return;
  if (self->body == NULL)
    self->body = g_string_new (NULL);
  if (self->body->len + size > limit) {
    vigil_rest_response_set_problem (
        &self->response, 413, "the body is larger than %zu bytes", limit);
    self->is_answered = TRUE;
    return;
  }
  g_string_append_len (self->body, data, (gssize)size);
}

void
vigil_rest_exchange_end_body (VigilRestExchange *self)
{
  const VigilRestSettings *settings = self->context->settings;
  g_autoptr (GError) error = NULL;

  if (self->is_answered || !self->route->takes_body)
    return;
  if (self->body != NULL)
    self->value = vigil_json_parse (self->body->str, (gssize)self->body->len,
        settings->body_bytes_max, settings->depth_max, &error);
  if (self->value == NULL) {
    vigil_rest_response_set_problem (&self->response, 400, "body: %s",
        error == NULL ? "empty: want a JSON object, at least {}"
                      : error->message);
    self->is_answered = TRUE;
  } else if (vigil_json_get_type (self->value) != VIGIL_JSON_OBJECT) {
    vigil_rest_response_set_problem (&self->response, 400,
        "body: %s: want an object",
        vigil_json_type_name (vigil_json_get_type (self->value)));
    self->is_answered = TRUE;
  }
  self->request.body = self->value;
}

void
vigil_rest_exchange_handle (VigilRestExchange *self)
{
  self->route->handle (&self->request, &self->response);
  self->is_answered = TRUE;
}

static void
add_origin_headers (VigilRestExchange *self, struct MHD_Response *response)
{
  if (self->origin == NULL)
    return;
  MHD_add_response_header (
      response, "Access-Control-Allow-Origin", self->origin);
  MHD_add_response_header (response, "Vary", "Origin");
  if (self->response.status == 204) {
    MHD_add_response_header (
        response, "Access-Control-Allow-Methods", "GET, POST, DELETE");
    MHD_add_response_header (response, "Access-Control-Allow-Headers",
        "Authorization, Content-Type");
  }
}

enum MHD_Result
vigil_rest_exchange_answer (VigilRestExchange *self)
{
  VigilRestResponse *answer = &self->response;
  size_t size = answer->body->len;
  struct MHD_Response *response;
  enum MHD_Result result;

  response = MHD_create_response_from_buffer (
      size, answer->body->str, MHD_RESPMEM_MUST_COPY);
  if (response == NULL)
    return MHD_NO;
  MHD_add_response_header (response, "Content-Type", answer->content_type);
  MHD_add_response_header (response, "Cache-Control", "no-store");
  MHD_add_response_header (response, "X-Content-Type-Options", "nosniff");
  if (answer->allow != NULL)
    MHD_add_response_header (response, "Allow", answer->allow);
  if (answer->status == 401)
    MHD_add_response_header (response, "WWW-Authenticate", "Bearer");
  if (answer->retry_after_s > 0) {
    char text[16];

    g_snprintf (text, sizeof text, "%u", answer->retry_after_s);
    MHD_add_response_header (response, "Retry-After", text);
  }
  add_origin_headers (self, response);
  result = MHD_queue_response (self->connection, answer->status, response);
  MHD_destroy_response (response);
  return result;
}
