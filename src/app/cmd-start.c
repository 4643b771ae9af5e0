/* SPDX-License-Identifier: Apache-2.0 */

/* vigil start: an instance of a pipeline of a running server. */

#include "app/commands.h"

#include "app/rest-client.h"
#include "base/error.h"
#include "base/file.h"
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#define REQUEST_BYTES_MAX (1024 * 1024)
#define REQUEST_DEPTH_MAX 32

typedef struct {
  char *request_file;
  char *uri;
  char *topic;
  gboolean publish_frame;
} Options;

static void
options_clear (Options *self)
{
  g_free (self->request_file);
  g_free (self->uri);
  g_free (self->topic);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Options, options_clear)

static VigilJson *
read_request (const char *path, GError **error)
{
  g_autofree char *text = NULL;
  size_t size;
  VigilJson *request;

  if (path == NULL)
    return vigil_json_new_object ();
  if (strcmp (path, "-") == 0)
    path = "/dev/stdin";
  text = vigil_file_read (path, REQUEST_BYTES_MAX, &size, error);
  if (text == NULL)
    return NULL;
  request = vigil_json_parse (
      text, (gssize)size, REQUEST_BYTES_MAX, REQUEST_DEPTH_MAX, error);
  if (request == NULL) {
    g_prefix_error (error, "%s: ", path);
  } else if (vigil_json_get_type (request) != VIGIL_JSON_OBJECT) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID,
        "%s: want a JSON object", path);
    g_clear_pointer (&request, vigil_json_unref);
  }
  return request;
}

/* "/path" and "path" are files; the rest is a URI. Returns: (transfer
 * full). */
static char *
make_uri (const char *text)
{
  g_autofree char *path = NULL;

  if (strstr (text, "://") != NULL)
    return g_strdup (text);
  path = g_canonicalize_filename (text, NULL);
  return g_filename_to_uri (path, NULL, NULL);
}

static void
add_options (VigilJson *request, const Options *options)
{
  if (options->uri != NULL) {
    g_autofree char *uri = make_uri (options->uri);
    VigilJson *source = vigil_json_new_object ();

    vigil_json_object_take (source, "type", vigil_json_new_string ("uri"));
    vigil_json_object_take (source, "uri", vigil_json_new_string (uri));
    vigil_json_object_take (request, "source", source);
  }
  if (options->topic != NULL || options->publish_frame) {
    VigilJson *publisher = vigil_json_new_object ();

    if (options->topic != NULL)
      vigil_json_object_take (
          publisher, "topic", vigil_json_new_string (options->topic));
    if (options->publish_frame)
      vigil_json_object_take (
          publisher, "publish_frame", vigil_json_new_boolean (TRUE));
    vigil_json_object_take (request, "mqtt_publisher", publisher);
  }
}

static int
start (const VigilRestClientOptions *client, const Options *options,
    const char *pipeline)
{
  g_autofree char *escaped = g_uri_escape_string (pipeline, NULL, FALSE);
  g_autofree char *path =
      g_strconcat ("/pipelines/user_defined_pipelines/", escaped, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (VigilJson) request = read_request (options->request_file, &error);
  g_autoptr (VigilJson) answer = NULL;

  if (request != NULL) {
    add_options (request, options);
    answer = vigil_rest_client_ask (client, "POST", path, request, &error);
  }
  if (answer == NULL)
    return vigil_rest_client_fail (error);
  if (client->as_json || vigil_json_get_string (answer) == NULL)
    vigil_rest_client_print_json (answer);
  else
    puts (vigil_json_get_string (answer));
  return EX_OK;
}

int
vigil_cmd_start (int argc, char **argv)
{
  g_auto (VigilRestClientOptions) client = {0};
  g_auto (Options) options = {0};
  const GOptionEntry entries[] = {
      {"request", 'r', 0, G_OPTION_ARG_FILENAME, &options.request_file,
          "The request, a JSON object ('-': standard input)", "FILE"},
      {"source", 'u', 0, G_OPTION_ARG_STRING, &options.uri,
          "The source: a URI, or a file of the server", "URI"},
      {"topic", 'T', 0, G_OPTION_ARG_STRING, &options.topic,
          "The topic of the first MQTT destination", "TOPIC"},
      {"publish-frame", 'f', 0, G_OPTION_ARG_NONE, &options.publish_frame,
          "Publish frames too", NULL},
      G_OPTION_ENTRY_NULL,
  };

  if (!vigil_rest_client_parse_options (&client, &argc, &argv, "PIPELINE",
          "Starts an instance of PIPELINE and prints its id.", entries, 1))
    return EX_USAGE;
  if (argc < 2) {
    fprintf (stderr, "%s: want the name of a pipeline; 'vigil list' has them\n",
        g_get_prgname ());
    return EX_USAGE;
  }
  return start (&client, &options, argv[1]);
}
