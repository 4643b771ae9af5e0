/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Entries of `interfaces.Publishers`, as EII services have them. What the
 * key store of EII holds comes from files here.
 */
#include "publish/eis-settings.h"

#include "base/file.h"
#include "base/secret.h"
#include "publish/eis-keys.h"
#include <net/if.h>
#include <string.h>
#include <sys/un.h>

#define DEFAULT_MAX_BYTES (64 * 1024 * 1024)
/* Subscribers read a longer topic, with its NUL, from memory that they have
 * freed: libzmq keeps up to 32 bytes inside the message's own structure. */
enum { SAFE_TOPIC_LENGTH = 31 };

static const char *const types[] = {"zmq_tcp", "zmq_ipc", NULL};

const VigilSchemaKey vigil_eis_settings_keys[] = {
    {.name = "Name",
        .type = VIGIL_SCHEMA_STRING,
        .is_required = TRUE,
        .help = "What `eis_publisher` blocks and the variables "
                "PUBLISHER_NAME_ENDPOINT and PUBLISHER_NAME_TYPE call it."},
    {.name = "Type",
        .type = VIGIL_SCHEMA_CHOICE,
        .choices = types,
        .is_required = TRUE,
        .help =
            "`zmq_tcp` or `zmq_ipc`. PUBLISHER_NAME_TYPE and PUBLISHER_TYPE "
            "in the environment win."},
    {.name = "EndPoint",
        .type = VIGIL_SCHEMA_ANY,
        .is_required = TRUE,
        .help =
            "TCP: \"host:port\"; to bind, the host is an IPv4 address, `*` "
            "or a network interface. IPC: \"/folder\", \"/folder, file\" or "
            "{\"SocketDir\": ..., \"SocketFile\": ...}; the file's name is "
            "the topic unless given. PUBLISHER_NAME_ENDPOINT and "
            "PUBLISHER_ENDPOINT in the environment win."},
    {.name = "Topics",
        .type = VIGIL_SCHEMA_ARRAY,
        .is_required = TRUE,
        .help = "The first is published on; `*` is the empty topic."},
    {.name = "AllowedClients",
        .type = VIGIL_SCHEMA_ARRAY,
        .default_text = "[\"*\"]",
        .help = "With keys: the subscribers that are let in, by the names of "
                "their files in `public_keys_folder`; `*` is every file there, "
                "or everybody without that folder."},
    {.name = "brokered",
        .type = VIGIL_SCHEMA_BOOLEAN,
        .default_text = "false",
        .help = "Connect to a broker (ZmqBroker's frontend) instead of "
                "binding."},
    {.name = "BrokerAppName",
        .type = VIGIL_SCHEMA_STRING,
        .ignored = "has no effect: `server_public_key_file` names the broker's "
                   "key"},
    {.name = "zmq_recv_hwm",
        .type = VIGIL_SCHEMA_INTEGER,
        .ignored = "has no effect on a publisher; see `max_bytes`"},
    {.name = "max_bytes",
        .type = VIGIL_SCHEMA_INTEGER,
        .minimum = 1024,
        .maximum = 1e12,
        .default_text = "67108864",
        .help = "What may wait for one slow subscriber; kept by limiting its "
                "messages to 4 at least and 1000 at most."},
    {.name = "socket_mode",
        .type = VIGIL_SCHEMA_STRING,
        .default_text = "what the umask leaves",
        .help = "Octal permissions of an IPC socket, as \"0660\": who may "
                "write to it may subscribe."},
    {.name = "server_secret_key_file",
        .type = VIGIL_SCHEMA_STRING,
        .help = "A file with our CURVE secret key (40 characters of Z85): TCP "
                "is encrypted, and plain subscribers are refused."},
    {.name = "public_keys_folder",
        .type = VIGIL_SCHEMA_STRING,
        .help = "A folder with one file for each subscriber's public key."},
    {.name = "server_public_key_file",
        .type = VIGIL_SCHEMA_STRING,
        .help = "With `brokered`: the broker's public key."},
    {.name = "client_secret_key_file",
        .type = VIGIL_SCHEMA_STRING,
        .help = "With `brokered`: our secret key."},
    {.name = NULL},
};

/* What one reading shares. */
typedef struct {
  const VigilJson *json;
  const char *path;
  const VigilEnvironment *environment;
  const char *config_folder; /* nullable */
  VigilProblems *problems;
  VigilEisSettings *settings; /* being filled */
} Reading;

static void G_GNUC_PRINTF (4, 5) add_problem (const Reading *self,
    VigilProblemSeverity severity, const char *key, const char *format, ...)
{
  g_autofree char *path = vigil_schema_join_path (self->path, key);
  g_autofree char *text = NULL;
  va_list arguments;

  va_start (arguments, format);
  text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  vigil_problems_add (self->problems, severity, path, "%s", text);
}

/* The value of PUBLISHER_<end>, else of PUBLISHER_<name>_<end>: the general
 * one is applied last in EII too. */
static const char *
get_override (const Reading *self, const char *end)
{
  g_autofree char *all = g_strconcat ("PUBLISHER_", end, NULL);
  g_autofree char *one =
      g_strconcat ("PUBLISHER_", self->settings->name, "_", end, NULL);
  const char *value = vigil_environment_get (self->environment, all);

  return value != NULL ? value : vigil_environment_get (self->environment, one);
}

/* ---- Topic --------------------------------------------------------------- */

static void
check_topic (const Reading *self, const char *topic)
{
  /* Keys that stand beside topics in a subscriber's settings. */
  static const char *const taken[] = {"type", "allowed_clients",
      "zmq_tcp_publish", "socket_dir", "zmq_recv_hwm", "zmq_connect_retries"};

  if (strlen (topic) > SAFE_TOPIC_LENGTH)
    add_problem (self, VIGIL_PROBLEM_WARNING, "Topics",
        "'%s' has %zu bytes: EII's subscribers read topics of over %d bytes "
        "from memory they have freed; choose a shorter one",
        topic, strlen (topic), SAFE_TOPIC_LENGTH);
  for (unsigned i = 0; i < G_N_ELEMENTS (taken); i++) {
    if (g_ascii_strcasecmp (topic, taken[i]) == 0)
      add_problem (self, VIGIL_PROBLEM_ERROR, "Topics",
          "'%s' is a key of a subscriber's settings: want another name", topic);
  }
}

static void
read_topic (const Reading *self)
{
  const VigilJson *topics = vigil_json_object_get (self->json, "Topics");
  const char *topic = NULL;

  if (vigil_json_array_size (topics) > 0)
    topic = vigil_json_get_string (vigil_json_array_get (topics, 0));
  if (topic == NULL || *topic == '\0') {
    add_problem (self, VIGIL_PROBLEM_ERROR, "Topics",
        "want a list with at least one name");
    return;
  }
  if (vigil_json_array_size (topics) > 1)
    add_problem (self, VIGIL_PROBLEM_WARNING, "Topics",
        "only the first is published on");
  if (strcmp (topic, "*") == 0)
    topic = "";
  check_topic (self, topic);
  self->settings->topic = g_strdup (topic);
}

/* ---- Endpoints ----------------------------------------------------------- */

static gboolean
is_bindable (const char *host)
{
  /* An IPv6 address has colons, which end the host in EII. */
  return strcmp (host, "*") == 0 || g_hostname_is_ip_address (host) ||
         if_nametoindex (host) != 0;
}

static void
read_tcp_endpoint (const Reading *self, const char *text)
{
  const char *colon = strrchr (text, ':');
  g_autofree char *host = NULL;
  uint64_t port;

  if (colon == NULL || colon == text || strchr (text, ':') != colon ||
      !g_ascii_string_to_unsigned (colon + 1, 10, 1, 65535, &port, NULL)) {
    add_problem (self, VIGIL_PROBLEM_ERROR, "EndPoint",
        "'%s': want \"host:port\" with an IPv4 address and a port of 1 to "
        "65535",
        text);
    return;
  }
  host = g_strndup (text, (size_t)(colon - text));
  g_strstrip (host);
  if (!self->settings->is_brokered && !is_bindable (host)) {
    add_problem (self, VIGIL_PROBLEM_ERROR, "EndPoint",
        "'%s': a name cannot be bound; want an address as 127.0.0.1 or "
        "0.0.0.0, *, or a network interface of this machine",
        host);
    return;
  }
  self->settings->endpoint =
      g_strdup_printf ("tcp://%s:%" G_GUINT64_FORMAT, host, port);
}

static void
set_ipc_endpoint (const Reading *self, const char *folder, const char *file)
{
  VigilEisSettings *settings = self->settings;
  g_autofree char *path = NULL;

  if (file == NULL && settings->topic != NULL)
    file = settings->topic;
  if (file == NULL || *file == '\0' || strchr (file, '/') != NULL) {
    add_problem (self, VIGIL_PROBLEM_ERROR, "EndPoint",
        "want a socket file (\"/folder, file\"): the topic cannot be the "
        "name of one");
    return;
  }
  path = g_build_filename (folder, file, NULL);
  if (!g_path_is_absolute (folder) ||
      strlen (path) >= sizeof (((struct sockaddr_un *)NULL)->sun_path)) {
    add_problem (self, VIGIL_PROBLEM_ERROR, "EndPoint",
        "'%s': want an absolute path of at most %zu bytes", path,
        sizeof (((struct sockaddr_un *)NULL)->sun_path) - 1);
    return;
  }
  if (!settings->is_brokered && !g_file_test (folder, G_FILE_TEST_IS_DIR))
    add_problem (self, VIGIL_PROBLEM_WARNING, "EndPoint",
        "'%s': there is no such folder yet", folder);
  settings->endpoint = g_strconcat ("ipc://", path, NULL);
  if (!settings->is_brokered)
    settings->socket_path = g_steal_pointer (&path);
}

static void
read_ipc_endpoint (const Reading *self, const char *text)
{
  g_auto (GStrv) parts = g_strsplit (text, ",", 2);

  set_ipc_endpoint (self, parts[0] != NULL ? g_strstrip (parts[0]) : "",
      parts[0] != NULL && parts[1] != NULL ? g_strstrip (parts[1]) : NULL);
}

static void
read_endpoint (const Reading *self)
{
  const VigilJson *json = vigil_json_object_get (self->json, "EndPoint");
  const char *folder = vigil_schema_get_string (json, "SocketDir", NULL);
  const char *text = get_override (self, "ENDPOINT");
  const char *type = get_override (self, "TYPE");

  if (type == NULL)
    type = vigil_schema_get_string (self->json, "Type", "zmq_tcp");
  if (!g_strv_contains (types, type)) {
    add_problem (self, VIGIL_PROBLEM_ERROR, "Type",
        "'%s' from the environment: want zmq_tcp or zmq_ipc", type);
    return;
  }
  if (text == NULL)
    text = vigil_json_get_string (json);
  if (strcmp (type, "zmq_tcp") == 0 && text != NULL)
    read_tcp_endpoint (self, text);
  else if (strcmp (type, "zmq_ipc") == 0 && text != NULL)
    read_ipc_endpoint (self, text);
  else if (strcmp (type, "zmq_ipc") == 0 && folder != NULL)
    set_ipc_endpoint (
        self, folder, vigil_schema_get_string (json, "SocketFile", NULL));
  else
    add_problem (self, VIGIL_PROBLEM_ERROR, "EndPoint",
        "want \"host:port\" for zmq_tcp; \"/folder\", \"/folder, file\" or "
        "{\"SocketDir\": ..., \"SocketFile\": ...} for zmq_ipc");
}

static void
read_socket_mode (const Reading *self)
{
  const char *text = vigil_schema_get_string (self->json, "socket_mode", NULL);
  uint64_t mode;

  self->settings->socket_mode = -1;
  if (text == NULL)
    return;
  if (!g_ascii_string_to_unsigned (text, 8, 0, 0777, &mode, NULL)) {
    add_problem (self, VIGIL_PROBLEM_ERROR, "socket_mode",
        "want octal permissions as \"0660\"");
    return;
  }
  if (self->settings->socket_path == NULL)
    add_problem (self, VIGIL_PROBLEM_WARNING, "socket_mode",
        "has an effect on an IPC socket that is bound only");
  self->settings->socket_mode = (int)mode;
}

/* ---- Keys ---------------------------------------------------------------- */

/* Reads the file that @key names. Returns: FALSE when there is none, which
 * is a problem then. */
static gboolean
read_key_file (const Reading *self, const char *key, gboolean is_secret,
    char ret_key[VIGIL_EIS_KEY_SIZE])
{
  const char *file = vigil_schema_get_string (self->json, key, NULL);
  g_autofree char *path = NULL;
  g_autofree char *exposure = NULL;
  g_autoptr (GError) error = NULL;

  if (file == NULL) {
    add_problem (
        self, VIGIL_PROBLEM_ERROR, key, "is missing: want the file of a key");
    return FALSE;
  }
  path = vigil_file_resolve (file, self->config_folder);
  if (!vigil_eis_keys_read_file (path, ret_key, &error)) {
    add_problem (self, VIGIL_PROBLEM_ERROR, key, "%s", error->message);
    return FALSE;
  }
  if (is_secret)
    exposure = vigil_secret_check_permissions (path);
  if (exposure != NULL)
    add_problem (self, VIGIL_PROBLEM_WARNING, key, "%s", exposure);
  return TRUE;
}

static void
read_allowed_clients (const Reading *self)
{
  const VigilJson *clients =
      vigil_json_object_get (self->json, "AllowedClients");
  const char *folder =
      vigil_schema_get_string (self->json, "public_keys_folder", NULL);
  g_autofree char *path = NULL;
  g_autoptr (GStrvBuilder) names = g_strv_builder_new ();
  g_auto (GStrv) list = NULL;
  g_autoptr (GError) error = NULL;

  if (clients == NULL)
    g_strv_builder_add (names, "*");
  for (size_t i = 0; i < vigil_json_array_size (clients); i++) {
    const char *name =
        vigil_json_get_string (vigil_json_array_get (clients, i));

    if (name != NULL)
      g_strv_builder_add (names, name);
  }
  list = g_strv_builder_end (names);
  if (folder == NULL) {
    if (!g_strv_contains ((const char *const *)list, "*"))
      add_problem (self, VIGIL_PROBLEM_ERROR, "public_keys_folder",
          "is missing: want the folder with the keys of AllowedClients");
    return;
  }
  path = vigil_file_resolve (folder, self->config_folder);
  self->settings->allowed =
      vigil_eis_keys_read_folder (path, (const char *const *)list, &error);
  if (self->settings->allowed == NULL)
    add_problem (
        self, VIGIL_PROBLEM_ERROR, "AllowedClients", "%s", error->message);
}

static gboolean
names_clients (const Reading *self)
{
  const VigilJson *clients =
      vigil_json_object_get (self->json, "AllowedClients");

  return vigil_json_array_size (clients) > 0 &&
         g_strcmp0 (vigil_json_get_string (vigil_json_array_get (clients, 0)),
             "*") != 0;
}

/* DEV_MODE is EII's switch: true, its default, means no keys at all. Here
 * the key file decides, unless the variable says otherwise. */
static gboolean
wants_keys (const Reading *self, const char *key)
{
  const char *mode = vigil_environment_get (self->environment, "DEV_MODE");
  const gboolean has_key = vigil_json_object_get (self->json, key) != NULL;
  const gboolean is_tcp = self->settings->endpoint != NULL &&
                          g_str_has_prefix (self->settings->endpoint, "tcp:");

  if (!is_tcp) {
    if (has_key)
      add_problem (self, VIGIL_PROBLEM_WARNING, key,
          "has no effect on IPC, which its permissions protect");
    return FALSE;
  }
  if (mode != NULL && g_ascii_strcasecmp (mode, "true") == 0) {
    if (has_key)
      add_problem (self, VIGIL_PROBLEM_WARNING, key,
          "is not used: DEV_MODE is true, so nothing is encrypted");
    return FALSE;
  }
  if (!has_key && mode != NULL && g_ascii_strcasecmp (mode, "false") == 0)
    return TRUE;
  if (!has_key && names_clients (self))
    add_problem (self, VIGIL_PROBLEM_WARNING, "AllowedClients",
        "has no effect without `%s`: everybody may subscribe", key);
  return has_key;
}

static void
read_keys (const Reading *self)
{
  VigilEisSettings *settings = self->settings;
  const char *key = settings->is_brokered ? "client_secret_key_file"
                                          : "server_secret_key_file";

  if (!wants_keys (self, key) ||
      !read_key_file (self, key, TRUE, settings->secret_key))
    return;
  vigil_eis_keys_get_public (settings->secret_key, settings->public_key);
  settings->is_secured = TRUE;
  if (settings->is_brokered)
    read_key_file (self, "server_public_key_file", FALSE, settings->server_key);
  else
    read_allowed_clients (self);
}

/* ---- The whole ----------------------------------------------------------- */

VigilEisSettings *
vigil_eis_settings_new (const VigilJson *json, const char *path,
    const VigilEnvironment *environment, const char *config_folder,
    VigilProblems *problems)
{
  const unsigned errors = vigil_problems_count_errors (problems);
  g_autoptr (VigilEisSettings) self = g_new0 (VigilEisSettings, 1);
  const Reading reading = {
      json, path, environment, config_folder, problems, self};

  vigil_schema_check (vigil_eis_settings_keys, json, path, problems);
  if (vigil_problems_count_errors (problems) > errors)
    return NULL;
  self->name = g_strdup (vigil_schema_get_string (json, "Name", ""));
  self->is_brokered = vigil_schema_get_boolean (json, "brokered", FALSE);
  self->max_bytes =
      (size_t)vigil_schema_get_integer (json, "max_bytes", DEFAULT_MAX_BYTES);
  read_topic (&reading);
  read_endpoint (&reading);
  read_socket_mode (&reading);
  read_keys (&reading);
  if (vigil_problems_count_errors (problems) > errors)
    return NULL;
  return g_steal_pointer (&self);
}

void
vigil_eis_settings_free (VigilEisSettings *self)
{
  if (self == NULL)
    return;
  g_free (self->name);
  g_free (self->endpoint);
  g_free (self->socket_path);
  g_free (self->topic);
  g_strfreev (self->allowed);
  explicit_bzero (self->secret_key, sizeof (self->secret_key));
  g_free (self);
}
