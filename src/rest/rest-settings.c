/* SPDX-License-Identifier: Apache-2.0 */
/* Settings of the REST interface. */
#include "rest/rest-settings.h"

#include "base/file.h"
#include "server/settings.h"
#include <gio/gio.h>

#define DEFAULT_PORT 8080
#define LOOPBACK "127.0.0.1"
#define EVERYWHERE "0.0.0.0"
/* Where the containers of DLSPS mount them. */
#define SECRETS_FOLDER "/run/secrets/DLStreamerPipelineServer_Server/"
#define PROBLEM_PATH "config.rest"

const VigilSchemaKey vigil_rest_settings_keys[] = {
    {
        .name = "enabled",
        .type = VIGIL_SCHEMA_BOOLEAN,
        .default_text = "true",
        .help = "Serve REST at all.",
    },
    {
        .name = "address",
        .type = VIGIL_SCHEMA_STRING,
        .default_text = "127.0.0.1; 0.0.0.0 with tokens, mutual TLS or "
                        "allow_unauthenticated_remote",
        .help = "Numeric address to listen on.",
    },
    {
        .name = "tokens_file",
        .type = VIGIL_SCHEMA_STRING,
        .help = "File of bearer tokens: lines of `read TOKEN` or `control "
                "TOKEN`. Relative files and folders start at the "
                "configuration's.",
    },
    {
        .name = "allow_unauthenticated_remote",
        .type = VIGIL_SCHEMA_BOOLEAN,
        .default_text = "false",
        .help = "Listen beyond this machine with neither tokens nor mutual "
                "TLS: whoever reaches the port controls the server.",
    },
    {
        .name = "certificate_file",
        .type = VIGIL_SCHEMA_STRING,
        .default_text = SECRETS_FOLDER "public.crt",
        .help = "Certificate chain of the server (HTTPS=true).",
    },
    {
        .name = "key_file",
        .type = VIGIL_SCHEMA_STRING,
        .default_text = SECRETS_FOLDER "private.key",
        .help = "Its key.",
    },
    {
        .name = "client_ca_file",
        .type = VIGIL_SCHEMA_STRING,
        .default_text = SECRETS_FOLDER "ca.crt",
        .help = "Authority of client certificates (MTLS_VERIFICATION=true).",
    },
    {
        .name = "host_names",
        .type = VIGIL_SCHEMA_ARRAY,
        .help = "Names, beside localhost, addresses and the machine's own, "
                "that a request's Host may have.",
    },
    {
        .name = "origins",
        .type = VIGIL_SCHEMA_ARRAY,
        .help = "Origins of web pages that may call the server "
                "(`https://host:port`).",
    },
    {
        .name = "folders",
        .type = VIGIL_SCHEMA_ARRAY,
        .help = "Folders below which a request may name files, to read or "
                "to write, when the server listens beyond this machine.",
    },
    {
        .name = "allow_elements",
        .type = VIGIL_SCHEMA_BOOLEAN,
        .default_text = "false",
        .help = "Let a request name a source element (`type` gst) or a "
                "camera (webcam) when the server listens beyond this "
                "machine.",
    },
    {
        .name = "max_instances",
        .type = VIGIL_SCHEMA_INTEGER,
        .minimum = 1,
        .maximum = 10000,
        .default_text = "100",
        .help = "Instances that may run or wait at the same time.",
    },
    {
        .name = "max_body_bytes",
        .type = VIGIL_SCHEMA_INTEGER,
        .minimum = 1024,
        .maximum = 64.0 * 1024 * 1024,
        .default_text = "1048576",
        .help = "Largest body of a request.",
    },
    {0},
};

/* A file of @object: relative ones start at @folder. */
static char *
dup_file (const VigilJson *object, const char *key, const char *folder,
    const char *fallback)
{
  const char *file = vigil_schema_get_string (object, key, fallback);

  return file != NULL ? vigil_file_resolve (file, folder) : NULL;
}

/* A list of strings; anything else in it is a problem. */
static char **
dup_strings (const VigilJson *object, const char *key, VigilProblems *problems)
{
  const VigilJson *list = vigil_json_object_get (object, key);
  g_autoptr (GPtrArray) strings = NULL;

  if (list == NULL || vigil_json_get_type (list) != VIGIL_JSON_ARRAY)
    return NULL;
  strings = g_ptr_array_new_with_free_func (g_free);
  for (size_t i = 0; i < vigil_json_array_size (list); i++) {
    const char *text = vigil_json_get_string (vigil_json_array_get (list, i));
    g_autofree char *path = g_strdup_printf (PROBLEM_PATH ".%s[%zu]", key, i);

    if (text == NULL || *text == '\0')
      vigil_problems_add (problems, VIGIL_PROBLEM_ERROR, path, "want a string");
    else
      g_ptr_array_add (strings, g_strdup (text));
  }
  g_ptr_array_add (strings, NULL);
  return (char **)g_ptr_array_free (g_steal_pointer (&strings), FALSE);
}

static void
check_file (const char *file, const char *key, VigilProblems *problems)
{
  g_autofree char *path = g_strconcat (PROBLEM_PATH ".", key, NULL);

  if (!g_file_test (file, G_FILE_TEST_IS_REGULAR))
    vigil_problems_add (problems, VIGIL_PROBLEM_ERROR, path,
        "%s: no such file; name one, or switch it off (HTTPS, "
        "MTLS_VERIFICATION)",
        file);
}

static void
read_tls (VigilRestSettings *self, const VigilJson *object, const char *folder,
    const VigilEnvironment *environment, VigilProblems *problems)
{
  self->use_tls =
      vigil_settings_get_boolean (environment, "HTTPS", FALSE, problems);
  self->verify_clients = vigil_settings_get_boolean (
      environment, "MTLS_VERIFICATION", FALSE, problems);
  self->certificate_file = dup_file (
      object, "certificate_file", folder, SECRETS_FOLDER "public.crt");
  self->key_file =
      dup_file (object, "key_file", folder, SECRETS_FOLDER "private.key");
  self->client_ca_file =
      dup_file (object, "client_ca_file", folder, SECRETS_FOLDER "ca.crt");
  if (self->verify_clients && !self->use_tls)
    vigil_problems_add (problems, VIGIL_PROBLEM_ERROR, "MTLS_VERIFICATION",
        "client certificates need TLS: set HTTPS=true as well");
  if (!self->use_tls)
    return;
  check_file (self->certificate_file, "certificate_file", problems);
  check_file (self->key_file, "key_file", problems);
  if (self->verify_clients)
    check_file (self->client_ca_file, "client_ca_file", problems);
}

/* Beyond loopback only with something that keeps strangers out. */
static void
read_address (
    VigilRestSettings *self, const VigilJson *object, VigilProblems *problems)
{
  const char *text = vigil_schema_get_string (object, "address", NULL);
  gboolean is_protected = self->tokens_file != NULL || self->verify_clients;
  gboolean is_open =
      vigil_schema_get_boolean (object, "allow_unauthenticated_remote", FALSE);
  g_autoptr (GInetAddress) address = NULL;

  if (text == NULL)
    text = is_protected || is_open ? EVERYWHERE : LOOPBACK;
  address = g_inet_address_new_from_string (text);
  self->address = g_strdup (text);
  if (address == NULL) {
    vigil_problems_add (problems, VIGIL_PROBLEM_ERROR, PROBLEM_PATH ".address",
        "'%.60s': want a numeric address such as " LOOPBACK, text);
    return;
  }
  self->is_loopback = g_inet_address_get_is_loopback (address);
  if (self->is_loopback || is_protected)
    return;
  if (is_open)
    vigil_problems_add (problems, VIGIL_PROBLEM_WARNING,
        PROBLEM_PATH ".allow_unauthenticated_remote",
        "whoever reaches port %u controls this server", self->port);
  else
    vigil_problems_add (problems, VIGIL_PROBLEM_ERROR, PROBLEM_PATH ".address",
        "'%s' is reachable from other machines: want tokens_file, or mutual "
        "TLS, or \"allow_unauthenticated_remote\": true",
        text);
}

VigilRestSettings *
vigil_rest_settings_new (const VigilConfig *config,
    const VigilEnvironment *environment, VigilProblems *problems)
{
  const VigilJson *object =
      vigil_json_object_get (vigil_config_get_root (config), "rest");
  const char *folder = vigil_config_get_folder (config);
  VigilRestSettings *self = g_new0 (VigilRestSettings, 1);

  if (object != NULL && vigil_json_get_type (object) == VIGIL_JSON_OBJECT)
    vigil_schema_check (
        vigil_rest_settings_keys, object, PROBLEM_PATH, problems);
  self->is_enabled = vigil_schema_get_boolean (object, "enabled", TRUE);
  self->port = (uint16_t)vigil_settings_get_integer (
      environment, "REST_SERVER_PORT", 0, UINT16_MAX, DEFAULT_PORT, problems);
  self->tokens_file = dup_file (object, "tokens_file", folder, NULL);
  if (self->tokens_file != NULL)
    check_file (self->tokens_file, "tokens_file", problems);
  read_tls (self, object, folder, environment, problems);
  read_address (self, object, problems);
  self->host_names = dup_strings (object, "host_names", problems);
  self->origins = dup_strings (object, "origins", problems);
  self->folders = dup_strings (object, "folders", problems);
  for (char **at = self->folders; at != NULL && *at != NULL; at++) {
    g_autofree char *written = *at;

    *at = vigil_file_resolve (written, folder);
  }
  self->allow_elements =
      vigil_schema_get_boolean (object, "allow_elements", FALSE);
  self->max_instances =
      (unsigned)vigil_schema_get_integer (object, "max_instances", 100);
  self->body_bytes_max =
      (size_t)vigil_schema_get_integer (object, "max_body_bytes", 1048576);
  self->header_bytes_max = 16 * 1024;
  self->uri_length_max = 8 * 1024;
  self->depth_max = 32;
  self->connections_max = 256;
  self->workers = 8;
  self->header_ms = 10000;
  self->body_ms = 20000;
  self->answer_ms = 20000;
  self->stop_ms = 10000;
  return self;
}

void
vigil_rest_settings_free (VigilRestSettings *self)
{
  if (self == NULL)
    return;
  g_free (self->address);
  g_free (self->tokens_file);
  g_free (self->certificate_file);
  g_free (self->key_file);
  g_free (self->client_ca_file);
  g_strfreev (self->host_names);
  g_strfreev (self->origins);
  g_strfreev (self->folders);
  g_free (self);
}
