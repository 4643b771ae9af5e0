/* SPDX-License-Identifier: Apache-2.0 */

/* Requests to a running server, on libcurl. */

#include "app/rest-client.h"

#include "app/startup.h"
#include "app/text-table.h"
#include "base/error.h"
#include "base/file.h"
#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

#define SERVER_DEFAULT "http://127.0.0.1:8080"
#define TOKEN_BYTES_MAX 4096
#define ANSWER_BYTES_MAX (64 * 1024 * 1024)
#define ANSWER_DEPTH_MAX 64
#define CONNECT_TIMEOUT_S 5L
/* A stop waits for the end of the stream and for the destinations. */
#define TIMEOUT_S 60L
#define SHOWN_BYTES_MAX 200

void
vigil_rest_client_options_clear (VigilRestClientOptions *self)
{
  g_clear_pointer (&self->server, g_free);
  g_clear_pointer (&self->token_file, g_free);
  g_clear_pointer (&self->ca_file, g_free);
  g_clear_pointer (&self->certificate_file, g_free);
  g_clear_pointer (&self->key_file, g_free);
}

/* What no option says: the environment, then the server's own default. */
static void
take_defaults (VigilRestClientOptions *self)
{
  const char *port = g_getenv ("REST_SERVER_PORT");

  if (self->server == NULL)
    self->server = g_strdup (g_getenv ("VIGIL_SERVER"));
  if (self->server == NULL)
    self->server = port == NULL || *port == '\0'
                       ? g_strdup (SERVER_DEFAULT)
                       : g_strconcat ("http://127.0.0.1:", port, NULL);
  if (self->token_file == NULL)
    self->token_file = g_strdup (g_getenv ("VIGIL_TOKEN_FILE"));
  if (g_str_has_suffix (self->server, "/"))
    self->server[strlen (self->server) - 1] = '\0';
}

gboolean
vigil_rest_client_parse_options (VigilRestClientOptions *self, int *argc,
    char ***argv, const char *parameters, const char *summary,
    const GOptionEntry *more, int max_arguments)
{
  const GOptionEntry shared[] = {
      {"server", 's', 0, G_OPTION_ARG_STRING, &self->server,
          "The server (default: $VIGIL_SERVER, then " SERVER_DEFAULT
          " with $REST_SERVER_PORT)",
          "URL"},
      {"token-file", 't', 0, G_OPTION_ARG_FILENAME, &self->token_file,
          "File that holds the bearer token (default: $VIGIL_TOKEN_FILE)",
          "FILE"},
      {"ca-file", 0, 0, G_OPTION_ARG_FILENAME, &self->ca_file,
          "Authority of the server's certificate", "FILE"},
      {"cert", 0, 0, G_OPTION_ARG_FILENAME, &self->certificate_file,
          "Client certificate", "FILE"},
      {"key", 0, 0, G_OPTION_ARG_FILENAME, &self->key_file,
          "Key of the client certificate", "FILE"},
      {"json", 'j', 0, G_OPTION_ARG_NONE, &self->as_json,
          "Print the server's answer as JSON", NULL},
      G_OPTION_ENTRY_NULL,
  };
  g_autoptr (GArray) entries = g_array_new (TRUE, TRUE, sizeof (GOptionEntry));

  for (; more != NULL && more->long_name != NULL; more++)
    g_array_append_vals (entries, more, 1);
  for (const GOptionEntry *entry = shared; entry->long_name != NULL; entry++)
    g_array_append_vals (entries, entry, 1);
  if (!vigil_startup_parse_options (argc, argv, parameters, summary,
          (const GOptionEntry *)entries->data, max_arguments))
    return FALSE;
  take_defaults (self);
  return TRUE;
}

/* ---- One request ------------------------------------------------------- */

static size_t
on_data (char *data, size_t size, size_t count, void *user_data)
{
  GString *body = user_data;

  if (body->len + size * count > ANSWER_BYTES_MAX)
    return 0; /* ends the transfer */
  g_string_append_len (body, data, (gssize)(size * count));
  return size * count;
}

static gboolean
add_token (const char *path, struct curl_slist **headers, GError **error)
{
  size_t size;
  g_autofree char *token = NULL;
  g_autofree char *header = NULL;

  if (path == NULL)
    return TRUE;
  token = vigil_file_read (path, TOKEN_BYTES_MAX, &size, error);
  if (token == NULL)
    return FALSE;
  g_strstrip (token);
  if (*token == '\0' || strpbrk (token, "\r\n") != NULL) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID,
        "%s: want one token and nothing else in it", path);
    return FALSE;
  }
  header = g_strconcat ("Authorization: Bearer ", token, NULL);
  *headers = curl_slist_append (*headers, header);
  return TRUE;
}

static void
set_options (CURL *curl, const VigilRestClientOptions *options,
    const char *method, const char *url, const char *body)
{
  curl_easy_setopt (curl, CURLOPT_URL, url);
  curl_easy_setopt (curl, CURLOPT_CUSTOMREQUEST, method);
  curl_easy_setopt (curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt (curl, CURLOPT_NOPROXY, "127.0.0.1,localhost,::1");
  curl_easy_setopt (curl, CURLOPT_CONNECTTIMEOUT, CONNECT_TIMEOUT_S);
  curl_easy_setopt (curl, CURLOPT_TIMEOUT, TIMEOUT_S);
  curl_easy_setopt (curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt (curl, CURLOPT_WRITEFUNCTION, on_data);
  if (body != NULL)
    curl_easy_setopt (curl, CURLOPT_POSTFIELDS, body);
  if (options->ca_file != NULL)
    curl_easy_setopt (curl, CURLOPT_CAINFO, options->ca_file);
  if (options->certificate_file != NULL)
    curl_easy_setopt (curl, CURLOPT_SSLCERT, options->certificate_file);
  if (options->key_file != NULL)
    curl_easy_setopt (curl, CURLOPT_SSLKEY, options->key_file);
}

/* What to do when no answer came. */
static const char *
get_advice (CURLcode result)
{
  switch ((int)result) {
  case CURLE_COULDNT_RESOLVE_HOST:
  case CURLE_URL_MALFORMAT:
  case CURLE_UNSUPPORTED_PROTOCOL:
    return "--server wants a URL such as http://127.0.0.1:8080";
  case CURLE_SSL_CONNECT_ERROR:
    return "if it serves without TLS, --server wants http://; if it asks for "
           "a certificate, --cert and --key name one";
  case CURLE_PEER_FAILED_VERIFICATION:
    return "--ca-file names the authority of its certificate";
  case CURLE_SSL_CACERT_BADFILE:
    return "--ca-file wants a PEM file";
  case CURLE_SSL_CERTPROBLEM:
    return "--cert and --key want PEM files that belong together";
  case CURLE_GOT_NOTHING:
  case CURLE_RECV_ERROR:
    return "if it serves with TLS, --server wants https://; if it asks for a "
           "certificate, --cert and --key name one";
  default:
    return "does 'vigil serve' run there? --server names another";
  }
}

/* Returns: the HTTP status; 0 with @error. */
static long
send_request (const VigilRestClientOptions *options, const char *method,
    const char *path, const char *body, GString *answer, GError **error)
{
  g_autofree char *url = g_strconcat (options->server, path, NULL);
  struct curl_slist *headers =
      curl_slist_append (NULL, "Content-Type: application/json");
  CURL *curl = curl_easy_init ();
  CURLcode result = CURLE_OUT_OF_MEMORY;
  long status = 0;

  if (curl != NULL && add_token (options->token_file, &headers, error)) {
    set_options (curl, options, method, url, body);
    curl_easy_setopt (curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt (curl, CURLOPT_WRITEDATA, answer);
    result = curl_easy_perform (curl);
    if (result == CURLE_OK)
      curl_easy_getinfo (curl, CURLINFO_RESPONSE_CODE, &status);
    else
      g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_UNAVAILABLE, "%s: %s; %s",
          options->server, curl_easy_strerror (result), get_advice (result));
  }
  curl_slist_free_all (headers);
  curl_easy_cleanup (curl);
  return status;
}

/* What to do about a refusal. Returns: text to append. */
static const char *
get_hint (long status, const char *text)
{
  if (status == 401)
    return "; --token-file names the file with the token";
  if (strcmp (text, "Pipeline not found") == 0)
    return "; 'vigil list' has the names";
  if (strcmp (text, "Invalid instance") == 0 ||
      strcmp (text, "Invalid pipeline, version or instance") == 0)
    return "; 'vigil status' has the ids";
  return "";
}

/* The reason in a refusal: a string, or the detail of a problem. */
static void
set_refusal (long status, const VigilJson *value, GError **error)
{
  const char *text = vigil_json_get_string (value);

  if (text == NULL)
    text = vigil_json_get_string (vigil_json_object_get (value, "detail"));
  if (text == NULL)
    text = "no reason given";
  g_set_error (error, VIGIL_ERROR,
      status == 503 ? VIGIL_ERROR_UNAVAILABLE : VIGIL_ERROR_INVALID,
      "%s (%ld)%s", text, status, get_hint (status, text));
}

VigilJson *
vigil_rest_client_ask (const VigilRestClientOptions *options,
    const char *method, const char *path, const VigilJson *body, GError **error)
{
  g_autofree char *text = body == NULL ? NULL : vigil_json_to_text (body);
  g_autoptr (GString) answer = g_string_new (NULL);
  g_autoptr (VigilJson) value = NULL;
  long status = send_request (options, method, path, text, answer, error);

  if (status == 0)
    return NULL;
  value = vigil_json_parse (answer->str, (gssize)answer->len, ANSWER_BYTES_MAX,
      ANSWER_DEPTH_MAX, NULL);
  if (value == NULL) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_PROTOCOL,
        "%s: what answers there is no vigil (%ld: %.*s)", options->server,
        status, SHOWN_BYTES_MAX, answer->str);
    return NULL;
  }
  if (status < 200 || status > 299) {
    set_refusal (status, value, error);
    return NULL;
  }
  return g_steal_pointer (&value);
}

void
vigil_rest_client_print_json (const VigilJson *value)
{
  g_autofree char *text = vigil_json_to_text (value);

  puts (text);
}

int
vigil_rest_client_fail (const GError *error)
{
  g_autofree char *printable = vigil_text_table_dup_printable (error->message);

  fprintf (stderr, "%s: %s\n", g_get_prgname (), printable);
  return vigil_error_exit_status (error);
}
