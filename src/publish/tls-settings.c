/* SPDX-License-Identifier: Apache-2.0 */
/* From a `tls` block to the TLS of a connection. */
#define G_LOG_DOMAIN "vigil-publish"

#include "publish/tls-settings.h"

#include "base/file.h"
#include <string.h>

#define CONTAINER_FOLDER "/MqttCerts/"

const VigilSchemaKey vigil_tls_settings_keys[] = {
    {.name = "ca_cert",
        .type = VIGIL_SCHEMA_STRING,
        .default_text = "the system's CAs",
        .help = "PEM file of the CAs that may have signed the broker's "
                "certificate."},
    {.name = "client_cert",
        .type = VIGIL_SCHEMA_STRING,
        .help = "PEM file of our certificate, for brokers that want one; its "
                "chain may follow."},
    {.name = "client_key",
        .type = VIGIL_SCHEMA_STRING,
        .help = "PEM file of its private key."},
    {.name = "key_password_file",
        .type = VIGIL_SCHEMA_STRING,
        .help = "A file whose first line is the pass-phrase of an encrypted "
                "key."},
    {.name = "crl",
        .type = VIGIL_SCHEMA_STRING,
        .help = "PEM file of revocation lists: a broker whose certificate is "
                "in them is refused."},
    {.name = "min_version",
        .type = VIGIL_SCHEMA_CHOICE,
        .choices = vigil_mqtt_tls_versions,
        .default_text = "1.2",
        .help = "The oldest version of TLS that is spoken."},
    {.name = "alpn",
        .type = VIGIL_SCHEMA_STRING,
        .help = "Protocol to ask for in the handshake (ALPN), where a broker "
                "shares its port with others."},
    {.name = "insecure_skip_verify",
        .type = VIGIL_SCHEMA_BOOLEAN,
        .default_text = "false",
        .help = "Take whoever answers for the broker. For a test at the "
                "desk only; refused together with a password."},
    {.name = NULL},
};

/* ---- Paths --------------------------------------------------------------- */

static gboolean
exists (const char *path)
{
  return g_file_test (path, G_FILE_TEST_EXISTS);
}

/* FOLDER/certificates. Returns: (transfer full) (nullable): when the folder
 * holds @file. */
static char *
find_in (const char *folder, const char *file)
{
  g_autofree char *certificates =
      g_build_filename (folder, "certificates", NULL);
  g_autofree char *path = g_build_filename (certificates, file, NULL);

  return exists (path) ? g_steal_pointer (&certificates) : NULL;
}

/* Where the files of the container's folder are instead. */
static char *
find_certificates (const char *file, const char *config_folder)
{
  g_autofree char *folder = g_canonicalize_filename (
      config_folder != NULL ? config_folder : ".", NULL);
  char *found = find_in (folder, file);

  if (found != NULL)
    return found;
  g_autofree char *parent = g_path_get_dirname (folder);
  g_autofree char *name = g_path_get_basename (parent);
  if (strcmp (name, "configs") != 0)
    return NULL;
  g_autofree char *root = g_path_get_dirname (parent);
  return find_in (root, file);
}

char *
vigil_tls_settings_dup_path (
    const char *file, const char *config_folder, char **ret_folder)
{
  g_return_val_if_fail (file != NULL, NULL);

  if (ret_folder != NULL)
    *ret_folder = NULL;
  if (!g_str_has_prefix (file, CONTAINER_FOLDER) || exists (file))
    return vigil_file_resolve (file, config_folder);

  const char *rest = file + strlen (CONTAINER_FOLDER);
  g_autofree char *folder = find_certificates (rest, config_folder);
  if (folder == NULL)
    return g_strdup (file);
  char *path = g_build_filename (folder, rest, NULL);
  if (ret_folder != NULL)
    *ret_folder = g_steal_pointer (&folder);
  return path;
}

/* ---- Reading ------------------------------------------------------------- */

/* The files of a block, as paths. */
typedef struct {
  VigilMqttTlsSettings settings;
  char *files[5];     /* what the settings point to */
  char *certificates; /* nullable: used instead of the container's */
} Files;

static void
files_clear (Files *self)
{
  for (unsigned i = 0; i < G_N_ELEMENTS (self->files); i++)
    g_free (self->files[i]);
  g_free (self->certificates);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Files, files_clear)

static void
files_init (Files *self, const VigilJson *block, const char *config_folder)
{
  static const char *const keys[] = {
      "ca_cert", "client_cert", "client_key", "key_password_file", "crl"};
  const char **targets[] = {&self->settings.ca_cert,
      &self->settings.client_cert, &self->settings.client_key,
      &self->settings.key_password_file, &self->settings.crl};

  *self = (Files){0};
  for (unsigned i = 0; i < G_N_ELEMENTS (keys); i++) {
    const char *file = vigil_schema_get_string (block, keys[i], NULL);
    g_autofree char *folder = NULL;
    if (file == NULL)
      continue;
    self->files[i] = vigil_tls_settings_dup_path (file, config_folder, &folder);
    *targets[i] = self->files[i];
    if (folder != NULL && self->certificates == NULL)
      self->certificates = g_steal_pointer (&folder);
  }
  self->settings.min_version =
      vigil_schema_get_string (block, "min_version", NULL);
  self->settings.alpn = vigil_schema_get_string (block, "alpn", NULL);
  self->settings.insecure_skip_verify =
      vigil_schema_get_boolean (block, "insecure_skip_verify", FALSE);
}

/* @message begins with the key: "ca_cert '/x': ..."; so it moves into the
 * path. */
static void
add_problem (VigilProblems *problems, VigilProblemSeverity severity,
    const char *path, const char *message)
{
  size_t length = strcspn (message, " :");
  g_autofree char *key = g_strndup (message, length);

  for (unsigned i = 0; vigil_tls_settings_keys[i].name != NULL; i++) {
    if (strcmp (vigil_tls_settings_keys[i].name, key) != 0)
      continue;
    g_autofree char *key_path = vigil_schema_join_path (path, key);
    vigil_problems_add (problems, severity, key_path, "%s",
        message + length + strspn (message + length, " :"));
    return;
  }
  vigil_problems_add (problems, severity, path, "%s", message);
}

void
vigil_tls_settings_check (const VigilJson *block, const char *config_folder,
    const char *path, VigilProblems *problems)
{
  g_auto (Files) files;
  g_autoptr (GPtrArray) warnings = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GError) error = NULL;

  files_init (&files, block, config_folder);
  g_autoptr (VigilMqttTls) tls =
      vigil_mqtt_tls_new (&files.settings, warnings, &error);
  for (unsigned i = 0; i < warnings->len; i++)
    add_problem (problems, VIGIL_PROBLEM_WARNING, path, warnings->pdata[i]);
  if (tls == NULL)
    add_problem (problems, VIGIL_PROBLEM_ERROR, path, error->message);
}

VigilMqttTls *
vigil_tls_settings_open (
    const VigilJson *block, const char *config_folder, GError **error)
{
  g_auto (Files) files;

  files_init (&files, block, config_folder);
  if (files.certificates != NULL)
    g_message ("tls: there is no " CONTAINER_FOLDER
               " here; its files are taken from '%s'",
        files.certificates);
  return vigil_mqtt_tls_new (&files.settings, NULL, error);
}
