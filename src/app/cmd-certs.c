/* SPDX-License-Identifier: Apache-2.0 */

/* vigil certs: certificates for a broker and its publishers, placed and
 * named as the documentation has them, and configurations that use them. */

#include "app/commands.h"

#include "app/certificate.h"
#include "app/startup.h"
#include "base/error.h"
#include "base/json.h"
#include <errno.h>
#include <glib/gstdio.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#define TLS_PORT 8883
#define DAYS_DEFAULT 365
/* A new CA means new files on every machine, so it lives longer. */
#define AUTHORITY_DAYS 3650
#define COMMON_NAME_BYTES_MAX 64

typedef struct {
  char *folder; /* absolute */
  char **hosts;
  int days;
  gboolean is_renewal;
  char *broker_user;
  char *client_user;
} Options;

static void
options_clear (Options *self)
{
  g_free (self->folder);
  g_strfreev (self->hosts);
  g_free (self->broker_user);
  g_free (self->client_user);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Options, options_clear)

static char *
dup_path (const Options *options, const char *name)
{
  return g_build_filename (options->folder, name, NULL);
}

/* ---- Files ----------------------------------------------------------- */

static gboolean
make_folder (const Options *options, const char *name, GError **error)
{
  g_autofree char *path = dup_path (options, name);

  if (g_mkdir_with_parents (path, 0755) == 0)
    return TRUE;
  g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_FAILED,
      "cannot make the folder '%s': %s", path, g_strerror (errno));
  return FALSE;
}

/* Replaces the file in one step: nobody ever reads half of it, and a key is
 * never readable by others, not even for a moment. */
static gboolean
write_file (const Options *options, const char *name, const char *bytes,
    size_t length, mode_t mode, GError **error)
{
  g_autofree char *path = dup_path (options, name);
  g_autoptr (GError) inner = NULL;

  if (g_file_set_contents_full (path, bytes, (gssize)length,
          G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE,
          (int)(mode & 0600), &inner) &&
      g_chmod (path, mode) == 0)
    return TRUE;
  g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_FAILED, "cannot write '%s': %s",
      path, inner != NULL ? inner->message : g_strerror (errno));
  return FALSE;
}

/* NAME.key, then NAME.crt. */
static gboolean
write_pair (const Options *options, const char *name,
    const VigilCertificate *certificate, GError **error)
{
  g_autofree char *key_name = g_strconcat (name, ".key", NULL);
  g_autofree char *certificate_name = g_strconcat (name, ".crt", NULL);
  g_autoptr (VigilSecret) key = vigil_certificate_dup_key_pem (certificate);
  g_autofree char *text = vigil_certificate_to_pem (certificate);

  return write_file (options, key_name, vigil_secret_get (key),
             vigil_secret_get_length (key), 0600, error) &&
         write_file (
             options, certificate_name, text, strlen (text), 0644, error);
}

static gboolean
file_exists (const Options *options, const char *name)
{
  g_autofree char *path = dup_path (options, name);

  return g_file_test (path, G_FILE_TEST_EXISTS);
}

/* ---- Certificates ---------------------------------------------------- */

static VigilCertificate *
open_authority (const Options *options, GError **error)
{
  const VigilCertificateRequest request = {
      .kind = VIGIL_CERTIFICATE_AUTHORITY,
      .common_name = "vigil MQTT CA",
      .days = MAX ((unsigned)options->days, AUTHORITY_DAYS),
  };

  if (file_exists (options, "ca.key") || file_exists (options, "ca.crt")) {
    g_autofree char *certificate = dup_path (options, "ca.crt");
    g_autofree char *key = dup_path (options, "ca.key");
    VigilCertificate *authority =
        vigil_certificate_read (certificate, key, error);
    if (authority == NULL)
      g_prefix_error (
          error, "the CA in '%s' cannot be used again: ", options->folder);
    return authority;
  }
  g_autoptr (VigilCertificate) made =
      vigil_certificate_new (&request, NULL, error);
  if (made == NULL || !write_pair (options, "ca", made, error))
    return NULL;
  return g_steal_pointer (&made);
}

static gboolean
make_signed (const Options *options, VigilCertificateKind kind,
    const char *name, const VigilCertificate *authority, GError **error)
{
  gboolean is_server = kind == VIGIL_CERTIFICATE_SERVER;
  const char *host = options->hosts[0];
  const VigilCertificateRequest request = {
      .kind = kind,
      .common_name = !is_server                               ? "vigil"
                     : strlen (host) <= COMMON_NAME_BYTES_MAX ? host
                                                              : "MQTT broker",
      .hosts = is_server ? (const char *const *)options->hosts : NULL,
      .days = (unsigned)options->days,
  };
  g_autoptr (VigilCertificate) certificate =
      vigil_certificate_new (&request, authority, error);

  return certificate != NULL && write_pair (options, name, certificate, error);
}

/* ---- Configurations -------------------------------------------------- */

static gboolean
write_broker_config (const Options *options, GError **error)
{
  g_autoptr (GString) text = g_string_new (NULL);

  g_string_append_printf (text,
      "# TLS for everybody, and a certificate from every client.\n"
      "allow_anonymous true\n"
      "listener %d\n"
      "cafile %s/ca.crt\n"
      "keyfile %s/server/server.key\n"
      "certfile %s/server/server.crt\n"
      "require_certificate true\n",
      TLS_PORT, options->folder, options->folder, options->folder);
  return write_file (
      options, "mosquitto-tls.conf", text->str, text->len, 0644, error);
}

static void
write_tls_block (VigilJsonWriter *writer)
{
  const char *const files[][2] = {
      {"ca_cert", "ca.crt"},
      {"client_cert", "client/client.crt"},
      {"client_key", "client/client.key"},
  };

  vigil_json_writer_key (writer, "tls");
  vigil_json_writer_begin_object (writer);
  for (unsigned i = 0; i < G_N_ELEMENTS (files); i++) {
    vigil_json_writer_key (writer, files[i][0]);
    vigil_json_writer_string (writer, files[i][1]);
  }
  vigil_json_writer_end_object (writer);
}

/* A picture that moves, so that there is something to see at once. */
static gboolean
write_vigil_config (const Options *options, GError **error)
{
  g_autoptr (GString) text = g_string_new (NULL);
  VigilJsonWriter writer;

  vigil_json_writer_init (&writer, text);
  vigil_json_writer_begin_object (&writer);
  vigil_json_writer_key (&writer, "config");
  vigil_json_writer_begin_object (&writer);
  vigil_json_writer_key (&writer, "pipelines");
  vigil_json_writer_begin_array (&writer);
  vigil_json_writer_begin_object (&writer);
  vigil_json_writer_key (&writer, "name");
  vigil_json_writer_string (&writer, "test_picture");
  vigil_json_writer_key (&writer, "source");
  vigil_json_writer_string (&writer, "gstreamer");
  vigil_json_writer_key (&writer, "pipeline");
  vigil_json_writer_string (&writer,
      "videotestsrc is-live=true pattern=ball ! video/x-raw,format=I420,"
      "width=640,height=480,framerate=10/1 ! jpegenc ! appsink "
      "name=destination");
  vigil_json_writer_key (&writer, "auto_start");
  vigil_json_writer_boolean (&writer, TRUE);
  vigil_json_writer_key (&writer, "payload");
  vigil_json_writer_begin_object (&writer);
  vigil_json_writer_end_object (&writer);
  vigil_json_writer_key (&writer, "mqtt_publisher");
  vigil_json_writer_begin_object (&writer);
  vigil_json_writer_key (&writer, "publish_frame");
  vigil_json_writer_boolean (&writer, TRUE);
  vigil_json_writer_key (&writer, "host");
  vigil_json_writer_string (&writer, options->hosts[0]);
  vigil_json_writer_key (&writer, "port");
  vigil_json_writer_integer (&writer, TLS_PORT);
  write_tls_block (&writer);
  vigil_json_writer_end_object (&writer);
  vigil_json_writer_end_object (&writer);
  vigil_json_writer_end_array (&writer);
  vigil_json_writer_end_object (&writer);
  vigil_json_writer_end_object (&writer);
  g_string_append_c (text, '\n');
  return write_file (
      options, "config-tls.json", text->str, text->len, 0644, error);
}

/* ---- Who may read ---------------------------------------------------- */

static gboolean
can_enter (const char *folder, const struct passwd *user)
{
  struct stat info;

  if (stat (folder, &info) < 0)
    return FALSE;
  if (info.st_uid == user->pw_uid)
    return (info.st_mode & S_IXUSR) != 0;
  if (info.st_gid == user->pw_gid)
    return (info.st_mode & S_IXGRP) != 0;
  return (info.st_mode & S_IXOTH) != 0;
}

/* Says which folder on the way keeps @user out of the files. */
static void
print_obstacle (const Options *options, const struct passwd *user)
{
  g_autofree char *folder = g_strdup (options->folder);

  for (;;) {
    if (!can_enter (folder, user))
      printf ("note: user '%s' cannot enter '%s': choose another folder, or "
              "chmod o+x it\n",
          user->pw_name, folder);
    char *parent = g_path_get_dirname (folder);
    gboolean is_root = g_str_equal (parent, folder);
    g_free (folder);
    folder = parent;
    if (is_root)
      return;
  }
}

/* Gives the key to @name, who alone needs it besides root. */
static gboolean
give_key (
    const Options *options, const char *key, const char *name, GError **error)
{
  g_autofree char *path = dup_path (options, key);
  const struct passwd *user = getpwnam (name);

  if (user == NULL) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_NOT_FOUND,
        "user '%s' does not exist on this machine", name);
    return FALSE;
  }
  if (user->pw_uid != geteuid () &&
      chown (path, user->pw_uid, user->pw_gid) < 0) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_FAILED,
        "cannot give '%s' to user '%s': %s; run this command as root", path,
        name, g_strerror (errno));
    return FALSE;
  }
  print_obstacle (options, user);
  return TRUE;
}

/* mosquitto runs as a user of its own when root starts it, and reads its
 * key as that user. */
static gboolean
share_keys (const Options *options, GError **error)
{
  if (options->client_user != NULL &&
      !give_key (options, "client/client.key", options->client_user, error))
    return FALSE;
  if (options->broker_user != NULL)
    return give_key (options, "server/server.key", options->broker_user, error);
  if (geteuid () == 0 && getpwnam ("mosquitto") != NULL)
    return give_key (options, "server/server.key", "mosquitto", error);
  printf ("note: server/server.key can be read by you alone. A broker that "
          "runs as a user\n      of its own needs it: chown mosquitto '%s/"
          "server/server.key'\n",
      options->folder);
  return TRUE;
}

/* ---- The command ----------------------------------------------------- */

/* For a line that is copied into a shell. */
static char *
dup_quoted (const char *path)
{
  const size_t plain =
      strspn (path, G_CSET_a_2_z G_CSET_A_2_Z "0123456789/._-");

  return path[plain] == '\0' ? g_strdup (path) : g_shell_quote (path);
}

static void
print_summary (const Options *options)
{
  g_autofree char *quoted = dup_quoted (options->folder);

  printf ("certificates for %d days in %s:\n"
          "  ca.crt              for the broker and every client\n"
          "  ca.key              signs more of them; keep it off the broker "
          "and the clients\n"
          "  server/server.crt, server/server.key   for the broker\n"
          "  client/client.crt, client/client.key   for vigil\n"
          "start the broker:\n"
          "  mosquitto -c %s/mosquitto-tls.conf\n"
          "subscribe:\n"
          "  mosquitto_sub -t dlstreamer_pipeline_results -h %s -p %d "
          "--cafile %s/ca.crt --cert %s/client/client.crt --key "
          "%s/client/client.key\n"
          "publish:\n"
          "  vigil serve --config %s/config-tls.json\n",
      options->days, quoted, quoted, options->hosts[0], TLS_PORT, quoted,
      quoted, quoted, quoted);
}

static gboolean
make_all (const Options *options, GError **error)
{
  const char *const made[] = {"server/server.key", "server/server.crt",
      "client/client.key", "client/client.crt"};

  for (unsigned i = 0; i < G_N_ELEMENTS (made); i++) {
    if (options->is_renewal || !file_exists (options, made[i]))
      continue;
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID,
        "'%s/%s' exists: use --renew to replace the certificates of broker "
        "and client (the CA stays), or choose another folder",
        options->folder, made[i]);
    return FALSE;
  }
  if (!make_folder (options, "server", error) ||
      !make_folder (options, "client", error))
    return FALSE;
  g_autoptr (VigilCertificate) authority = open_authority (options, error);
  return authority != NULL &&
         make_signed (options, VIGIL_CERTIFICATE_SERVER, "server/server",
             authority, error) &&
         make_signed (options, VIGIL_CERTIFICATE_CLIENT, "client/client",
             authority, error) &&
         write_broker_config (options, error) &&
         write_vigil_config (options, error) && share_keys (options, error);
}

/* Moves what stands behind DIR to the hosts, and checks them. */
static gboolean
take_arguments (Options *options, int argc, char **argv, GError **error)
{
  g_autoptr (GStrvBuilder) hosts = g_strv_builder_new ();

  if (argc < 2) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID,
        "want a folder: vigil certs DIR --broker HOST_OR_IP");
    return FALSE;
  }
  options->folder = g_canonicalize_filename (argv[1], NULL);
  g_strv_builder_addv (hosts, (const char **)options->hosts);
  g_strv_builder_addv (hosts, (const char **)argv + 2);
  g_strfreev (options->hosts);
  options->hosts = g_strv_builder_end (hosts);
  for (unsigned i = 0; options->hosts[i] != NULL; i++) {
    if (vigil_certificate_is_host (options->hosts[i]))
      continue;
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID,
        "--broker '%s': want a host name or an IP address", options->hosts[i]);
    return FALSE;
  }
  /* OpenSSL counts days in an int, from 1970 on. */
  if (options->days >= 1 && options->days <= 36500)
    return TRUE;
  g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID,
      "--days %d: want 1 to 36500", options->days);
  return FALSE;
}

int
vigil_cmd_certs (int argc, char **argv)
{
  g_auto (Options) options = {.days = DAYS_DEFAULT};
  const GOptionEntry entries[] = {
      {"broker", 'b', 0, G_OPTION_ARG_STRING_ARRAY, &options.hosts,
          "A name or address under which the broker is reached; more may "
          "follow",
          "HOST_OR_IP"},
      {"days", 0, 0, G_OPTION_ARG_INT, &options.days,
          "How long the certificates are valid (default: 365)", "DAYS"},
      {"renew", 0, 0, G_OPTION_ARG_NONE, &options.is_renewal,
          "Replace the certificates of broker and client; the CA stays", NULL},
      {"broker-user", 0, 0, G_OPTION_ARG_STRING, &options.broker_user,
          "The user that the broker runs as (default for root: mosquitto)",
          "USER"},
      {"client-user", 0, 0, G_OPTION_ARG_STRING, &options.client_user,
          "The user that vigil runs as (default: you)", "USER"},
      G_OPTION_ENTRY_NULL,
  };
  g_autoptr (GError) error = NULL;

  if (!vigil_startup_parse_options (&argc, &argv, "DIR --broker HOST_OR_IP...",
          "Makes a CA and certificates for a broker and for vigil in DIR, and "
          "configurations for\nmosquitto and vigil that use them. Asks "
          "nothing, and overwrites no key unless told to.",
          entries, G_MAXINT))
    return EX_USAGE;
  if (options.hosts == NULL) {
    fputs ("vigil certs: want --broker HOST_OR_IP: the name or address that "
           "clients will use\n",
        stderr);
    return EX_USAGE;
  }
  if (!take_arguments (&options, argc, argv, &error)) {
    fprintf (stderr, "vigil certs: %s\n", error->message);
    return EX_USAGE;
  }
  if (!make_all (&options, &error)) {
    fprintf (stderr, "vigil certs: %s\n", error->message);
    return vigil_error_exit_status (error);
  }
  print_summary (&options);
  return EX_OK;
}
