/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The settings of an MQTT destination. The block in the configuration wins
 * over the environment; a block of {} publishes with the defaults.
 */
#include "publish/mqtt-settings.h"

#include "base/error.h"
#include "base/file.h"
#include "filter/filter.h"
#include "publish/tls-settings.h"
#include <gio/gio.h>
#include <string.h>

#define DEFAULT_TOPIC "dlstreamer_pipeline_results"
/* MQTT 3.1.1, 1.5.3: a string's length is 16 bits. */
enum { TOPIC_BYTES_MAX = 65535, PASSWORD_BYTES_MAX = 65535 };
enum { PORT_PLAIN = 1883, PORT_TLS = 8883 };
#define PASSWORD_CREDENTIAL "mqtt-password"

static const char *const policies[] = {
    "drop_oldest", "drop_newest", "drop_frames_first", NULL};
static const char *const oversize_choices[] = {"reduce", "drop", NULL};

static const VigilSchemaKey queue_keys[] = {
    {.name = "max_messages",
        .type = VIGIL_SCHEMA_INTEGER,
        .minimum = 1,
        .maximum = 1e6,
        .default_text = "1000",
        .help = "Messages that may wait."},
    {.name = "max_bytes",
        .type = VIGIL_SCHEMA_INTEGER,
        .minimum = 1024,
        .maximum = 1e12,
        .default_text = "67108864",
        .help = "Bytes that may wait, in all."},
    {.name = "policy",
        .type = VIGIL_SCHEMA_CHOICE,
        .choices = policies,
        .default_text = "drop_oldest",
        .help = "What goes when the queue is full: `drop_frames_first` takes "
                "the images out of the oldest messages before it drops any."},
    {.name = NULL},
};

static const VigilSchemaKey host_keys[] = {
    {.name = "host",
        .type = VIGIL_SCHEMA_STRING,
        .is_required = TRUE,
        .help = "Name or address of a broker."},
    {.name = "port",
        .type = VIGIL_SCHEMA_INTEGER,
        .minimum = 1,
        .maximum = 65535,
        .default_text = "1883, with tls 8883",
        .help = "Its port."},
    {.name = NULL},
};

const VigilSchemaKey vigil_mqtt_settings_keys[] = {
    {.name = "name",
        .type = VIGIL_SCHEMA_STRING,
        .default_text = "mqtt",
        .help = "How a request, the log and the status name this "
                "destination."},
    {.name = "topic",
        .type = VIGIL_SCHEMA_STRING,
        .default_text = DEFAULT_TOPIC,
        .help = "Where messages go. No wildcards."},
    {.name = "publish_frame",
        .type = VIGIL_SCHEMA_BOOLEAN,
        .default_text = "false",
        .help = "Publish the frame beside its metadata."},
    {.name = "qos",
        .type = VIGIL_SCHEMA_INTEGER,
        .minimum = 0,
        .maximum = 2,
        .default_text = "0",
        .help = "Quality of service of every message."},
    {.name = "protocol",
        .type = VIGIL_SCHEMA_INTEGER,
        .minimum = 3,
        .maximum = 5,
        .default_text = "4",
        .help = "3 is MQTT 3.1, 4 is 3.1.1, 5 is 5.0."},
    {.name = "filter",
        .type = VIGIL_SCHEMA_OBJECT,
        .keys = vigil_filter_keys,
        .help = "Which results are published."},
    {.name = "tls",
        .type = VIGIL_SCHEMA_OBJECT,
        .keys = vigil_tls_settings_keys,
        .help = "Connect over TLS; `{}` trusts the system's CAs. Files are "
                "read again on SIGHUP and before each new connection."},
    {.name = "payload_format",
        .type = VIGIL_SCHEMA_CHOICE,
        .choices = vigil_payload_format_names,
        .default_text = "array",
        .help = "`array`: [metadata, \"base64\"]; `object`: {\"metadata\": "
                "..., \"blob\": ...}; `binary`: the image as a message of its "
                "own on TOPIC/frame/FRAME_ID. MQTT_PAYLOAD_FORMAT in the "
                "environment changes the default."},
    {.name = "host",
        .type = VIGIL_SCHEMA_STRING,
        .default_text = "MQTT_HOST",
        .help = "Name or address of the broker."},
    {.name = "port",
        .type = VIGIL_SCHEMA_INTEGER,
        .minimum = 1,
        .maximum = 65535,
        .default_text = "MQTT_PORT, else 1883, with tls 8883",
        .help = "Its port."},
    {.name = "hosts",
        .type = VIGIL_SCHEMA_ARRAY,
        .keys = host_keys,
        .help = "Several brokers, tried in order, instead of `host`."},
    {.name = "username",
        .type = VIGIL_SCHEMA_STRING,
        .default_text = "MQTT_USERNAME",
        .help = "User name for the broker. What the environment has is for "
                "the broker that it names (MQTT_HOST)."},
    {.name = "password",
        .type = VIGIL_SCHEMA_STRING,
        .allow_empty = TRUE,
        .default_text = "MQTT_PASSWORD",
        .help = "Password; `password_file` keeps it out of this file."},
    {.name = "password_file",
        .type = VIGIL_SCHEMA_STRING,
        .default_text = "MQTT_PASSWORD_FILE",
        .help = "A file whose first line is the password. The systemd "
                "credential `mqtt-password` goes before it."},
    {.name = "client_id",
        .type = VIGIL_SCHEMA_STRING,
        .default_text = "vigil- and 16 hex digits",
        .help = "Client identifier; brokers allow each once at a time."},
    {.name = "clean_session",
        .type = VIGIL_SCHEMA_BOOLEAN,
        .default_text = "true",
        .help = "false: the broker keeps the session over a lost "
                "connection; needs `client_id`."},
    {.name = "keepalive",
        .type = VIGIL_SCHEMA_INTEGER,
        .minimum = 1,
        .maximum = 65535,
        .default_text = "60",
        .help = "Seconds of silence after which the connection is probed."},
    {.name = "retain",
        .type = VIGIL_SCHEMA_BOOLEAN,
        .default_text = "false",
        .help = "The broker keeps the last message for new subscribers; not "
                "the images of payload_format `binary`, each of which has a "
                "topic of its own."},
    {.name = "message_expiry_s",
        .type = VIGIL_SCHEMA_INTEGER,
        .minimum = 1,
        .maximum = UINT32_MAX,
        .help = "Seconds after which the broker forgets a message that a "
                "subscriber has not taken. Needs `protocol` 5."},
    {.name = "user_properties",
        .type = VIGIL_SCHEMA_OBJECT,
        .help = "{NAME: TEXT}: goes with every message, beside its payload. "
                "Needs `protocol` 5."},
    {.name = "queue",
        .type = VIGIL_SCHEMA_OBJECT,
        .keys = queue_keys,
        .help = "Limits of the messages that wait to be sent."},
    {.name = "offline_queue",
        .type = VIGIL_SCHEMA_ANY,
        .default_text = "false",
        .help = "true, or {\"max_age_s\": SECONDS}: keep messages in the "
                "queue while the broker is away, instead of dropping them."},
    {.name = "stable_after_s",
        .type = VIGIL_SCHEMA_NUMBER,
        .minimum = 0,
        .maximum = 3600,
        .default_text = "0",
        .help = "How long a connection must last before the reconnect delay "
                "starts at 1 s again."},
    {.name = "jitter",
        .type = VIGIL_SCHEMA_BOOLEAN,
        .default_text = "false",
        .help = "Shorten each reconnect delay by a random part."},
    {.name = "status_topic",
        .type = VIGIL_SCHEMA_STRING,
        .help = "Where a retained online or offline message stands."},
    {.name = "oversize",
        .type = VIGIL_SCHEMA_CHOICE,
        .choices = oversize_choices,
        .default_text = "reduce",
        .help =
            "A message above the broker's limit: `reduce` sends an image that "
            "was encoded here at a lower quality, else the metadata "
            "alone; `drop` does not send it."},
    {.name = "type",
        .type = VIGIL_SCHEMA_STRING,
        .default_text = "mqtt",
        .help = "As requests have it."},
    {.name = "timeout",
        .type = VIGIL_SCHEMA_ANY,
        .ignored = "has no effect: connecting goes on until it succeeds",
        .help = "Some DLSPS examples have it."},
    {.name = NULL},
};

static gboolean
has_tls (const VigilJson *settings)
{
  const VigilJson *tls = vigil_json_object_get (settings, "tls");

  return tls != NULL && !vigil_json_is_null (tls);
}

/* FALSE when the block names a broker itself. */
static gboolean
uses_environment (const VigilJson *settings)
{
  return vigil_schema_get_string (settings, "host", NULL) == NULL &&
         vigil_json_array_size (vigil_json_object_get (settings, "hosts")) == 0;
}

/* ---- Checks -------------------------------------------------------------- */

static void
check_topic (const VigilJson *settings, const char *key, const char *path,
    VigilProblems *problems)
{
  const char *topic = vigil_schema_get_string (settings, key, NULL);

  if (topic == NULL)
    return;
  if (strpbrk (topic, "+#") != NULL)
    vigil_schema_add_error (problems, path, key,
        "want a topic without '+' and '#': they are for subscribers");
  if (strlen (topic) > TOPIC_BYTES_MAX)
    vigil_schema_add_error (
        problems, path, key, "want a topic of at most 65535 bytes");
}

/* Returns: FALSE when @text is no port. */
static gboolean
parse_port (const char *text, uint16_t *ret_port)
{
  guint64 port;

  if (!g_ascii_string_to_unsigned (text, 10, 1, 65535, &port, NULL))
    return FALSE;
  *ret_port = (uint16_t)port;
  return TRUE;
}

static void
check_host_name (const char *host, const char *path, VigilProblems *problems)
{
  /* Whether it exists is the resolver's to say, at each attempt. */
  if (strlen (host) > 253 || strpbrk (host, " \t\r\n/@") != NULL)
    vigil_problems_add (problems, VIGIL_PROBLEM_ERROR, path,
        "want a host name or an address alone, without scheme, user or port");
}

static void
check_environment (const VigilJson *settings, const char *path,
    const VigilEnvironment *environment, VigilProblems *problems)
{
  const char *host = vigil_environment_get (environment, "MQTT_HOST");
  const char *port = vigil_environment_get (environment, "MQTT_PORT");
  const char *format =
      vigil_environment_get (environment, "MQTT_PAYLOAD_FORMAT");
  VigilPayloadFormat parsed;
  uint16_t number;

  if (vigil_schema_get_string (settings, "payload_format", NULL) == NULL &&
      format != NULL && !vigil_payload_format_parse (format, &parsed))
    vigil_problems_add (problems, VIGIL_PROBLEM_ERROR, "MQTT_PAYLOAD_FORMAT",
        "'%s': want array, object or binary", format);
  if (vigil_json_array_size (vigil_json_object_get (settings, "hosts")) > 0)
    return;
  if (vigil_schema_get_string (settings, "host", NULL) == NULL) {
    if (host == NULL)
      vigil_problems_add (problems, VIGIL_PROBLEM_ERROR, path,
          "no broker to publish to: set MQTT_HOST in the environment or in "
          "the .env file, or \"host\" here");
    else
      check_host_name (host, "MQTT_HOST", problems);
  }
  if (vigil_json_object_get (settings, "port") == NULL && port != NULL &&
      !parse_port (port, &number))
    vigil_problems_add (problems, VIGIL_PROBLEM_ERROR, "MQTT_PORT",
        "'%s': want a port of 1 to 65535", port);
}

static void
check_hosts (
    const VigilJson *settings, const char *path, VigilProblems *problems)
{
  const char *host = vigil_schema_get_string (settings, "host", NULL);
  const VigilJson *hosts = vigil_json_object_get (settings, "hosts");

  if (host != NULL) {
    g_autofree char *host_path = vigil_schema_join_path (path, "host");

    check_host_name (host, host_path, problems);
  }
  if (hosts == NULL || vigil_json_get_type (hosts) != VIGIL_JSON_ARRAY)
    return;
  if (host != NULL || vigil_json_object_get (settings, "port") != NULL)
    vigil_schema_add_error (
        problems, path, "hosts", "want either hosts, or host and port");
  if (vigil_json_array_size (hosts) == 0)
    vigil_schema_add_error (problems, path, "hosts", "want at least one host");
  for (size_t i = 0; i < vigil_json_array_size (hosts); i++) {
    g_autofree char *host_path =
        g_strdup_printf ("%s.hosts[%zu].host", path, i);

    check_host_name (
        vigil_schema_get_string (vigil_json_array_get (hosts, i), "host", ""),
        host_path, problems);
  }
}

static void
check_tls (const VigilJson *settings, const char *path,
    const VigilDestinationContext *context, VigilProblems *problems)
{
  g_autofree char *tls_path = vigil_schema_join_path (path, "tls");
  const char *environment_port =
      vigil_environment_get (context->environment, "MQTT_PORT");
  uint16_t port = PORT_TLS;

  if (!has_tls (settings))
    return;
  vigil_tls_settings_check (vigil_json_object_get (settings, "tls"),
      context->config_folder, tls_path, problems);
  if (uses_environment (settings) && environment_port != NULL)
    parse_port (environment_port, &port);
  if (vigil_schema_get_integer (settings, "port", port) == PORT_PLAIN)
    vigil_problems_add (problems, VIGIL_PROBLEM_WARNING, tls_path,
        "the port is 1883, where brokers do not speak TLS as a rule; 8883 is "
        "usual");
}

static void
check_session (
    const VigilJson *settings, const char *path, VigilProblems *problems)
{
  const char *id = vigil_schema_get_string (settings, "client_id", NULL);

  if (!vigil_schema_get_boolean (settings, "clean_session", TRUE) && id == NULL)
    vigil_schema_add_error (problems, path, "client_id",
        "missing: clean_session false needs one, by which the broker finds "
        "the session again");
  if (id != NULL && strlen (id) > TOPIC_BYTES_MAX)
    vigil_schema_add_error (
        problems, path, "client_id", "want at most 65535 bytes");
}

static void
check_offline_queue (
    const VigilJson *settings, const char *path, VigilProblems *problems)
{
  const VigilJson *value = vigil_json_object_get (settings, "offline_queue");
  static const VigilSchemaKey keys[] = {
      {.name = "max_age_s",
          .type = VIGIL_SCHEMA_NUMBER,
          .minimum = 0,
          .maximum = 1e9},
      {.name = NULL},
  };
  g_autofree char *key_path = vigil_schema_join_path (path, "offline_queue");

  if (value == NULL || vigil_json_is_null (value) ||
      vigil_json_get_type (value) == VIGIL_JSON_BOOLEAN)
    return;
  if (vigil_json_get_type (value) != VIGIL_JSON_OBJECT)
    vigil_problems_add (problems, VIGIL_PROBLEM_ERROR, key_path,
        "want true, false or {\"max_age_s\": SECONDS}, got %s",
        vigil_json_type_name (vigil_json_get_type (value)));
  else
    vigil_schema_check (keys, value, key_path, problems);
}

/* ---- Reading ------------------------------------------------------------ */

static void
read_hosts (VigilMqttSettings *self, const VigilJson *settings,
    const VigilEnvironment *environment)
{
  const VigilJson *hosts = vigil_json_object_get (settings, "hosts");
  const char *port_text = vigil_environment_get (environment, "MQTT_PORT");
  size_t size = vigil_json_array_size (hosts);
  const uint16_t usual_port = has_tls (settings) ? PORT_TLS : PORT_PLAIN;
  uint16_t port = usual_port;

  self->hosts = g_new0 (VigilMqttHost, MAX (size, 1));
  self->options.hosts = self->hosts;
  for (size_t i = 0; i < size; i++) {
    const VigilJson *host = vigil_json_array_get (hosts, i);

    self->hosts[i].host = g_strdup (vigil_schema_get_string (host, "host", ""));
    self->hosts[i].port =
        (uint16_t)vigil_schema_get_integer (host, "port", usual_port);
  }
  self->options.hosts_size = (unsigned)size;
  if (size > 0)
    return;
  if (port_text != NULL)
    parse_port (port_text, &port);
  self->hosts[0].host = g_strdup (vigil_schema_get_string (
      settings, "host", vigil_environment_get (environment, "MQTT_HOST")));
  self->hosts[0].port =
      (uint16_t)vigil_schema_get_integer (settings, "port", port);
  self->options.hosts_size = self->hosts[0].host != NULL ? 1 : 0;
}

/* Returns: (nullable): NULL also without @error: there is none. */
static VigilSecret *
read_password (
    const VigilSecretSources *sources, GPtrArray *warnings, GError **error)
{
  g_autoptr (VigilSecret) password =
      vigil_secret_find (sources, warnings, error);

  if (password == NULL)
    return NULL;
  if (vigil_secret_get_length (password) <= PASSWORD_BYTES_MAX &&
      memchr (vigil_secret_get (password), '\0',
          vigil_secret_get_length (password)) == NULL)
    return g_steal_pointer (&password);
  g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID,
      "password: want 1 to 65535 bytes without NUL");
  return NULL;
}

/* Where user name and password come from. What stands in the environment
 * belongs to the broker that stands there, and goes to no other. */
static gboolean
read_credentials (VigilMqttSettings *self, const VigilJson *settings,
    const VigilDestinationContext *context, GPtrArray *warnings, GError **error)
{
  const VigilEnvironment *environment = context->environment;
  const gboolean is_environments = uses_environment (settings);
  const char *file = vigil_schema_get_string (settings, "password_file", NULL);
  const char *user = vigil_schema_get_string (settings, "username", NULL);
  VigilSecretSources *sources = &self->password_sources;

  if (file != NULL)
    sources->file = vigil_file_resolve (file, context->config_folder);
  sources->literal =
      g_strdup (vigil_schema_get_string (settings, "password", NULL));
  if (is_environments) {
    sources->credential = PASSWORD_CREDENTIAL;
    sources->environment = "MQTT_PASSWORD";
    sources->fallback_file =
        g_strdup (vigil_environment_get (environment, "MQTT_PASSWORD_FILE"));
    sources->fallback =
        g_strdup (vigil_environment_get (environment, "MQTT_PASSWORD"));
    if (user == NULL)
      user = vigil_environment_get (environment, "MQTT_USERNAME");
  }
  self->options.username = g_strdup (user);
  self->password = read_password (sources, warnings, error);
  return self->password != NULL || *error == NULL;
}

static void
read_queue (VigilMqttSettings *self, const VigilJson *settings)
{
  const VigilJson *queue = vigil_json_object_get (settings, "queue");
  const VigilJson *offline = vigil_json_object_get (settings, "offline_queue");
  const char *policy = vigil_schema_get_string (queue, "policy", "drop_oldest");

  self->options.queue_messages =
      (size_t)vigil_schema_get_integer (queue, "max_messages", 1000);
  self->options.queue_bytes =
      (size_t)vigil_schema_get_integer (queue, "max_bytes", 64 << 20);
  for (unsigned i = 0; policies[i] != NULL; i++) {
    if (strcmp (policies[i], policy) == 0)
      self->options.queue_policy = (VigilMqttQueuePolicy)i;
  }
  self->options.offline_queue =
      vigil_json_get_boolean (offline) ||
      (offline != NULL && vigil_json_get_type (offline) == VIGIL_JSON_OBJECT);
  self->options.offline_max_age_s =
      vigil_schema_get_number (offline, "max_age_s", 0);
}

static void
read_options (VigilMqttSettings *self, const VigilJson *settings)
{
  VigilMqttOptions *options = &self->options;

  options->protocol = (int)vigil_schema_get_integer (settings, "protocol", 4);
  options->qos = (int)vigil_schema_get_integer (settings, "qos", 0);
  options->retain = vigil_schema_get_boolean (settings, "retain", FALSE);
  options->client_id =
      g_strdup (vigil_schema_get_string (settings, "client_id", NULL));
  options->keep_session =
      !vigil_schema_get_boolean (settings, "clean_session", TRUE);
  options->keep_alive_s =
      (unsigned)vigil_schema_get_integer (settings, "keepalive", 60);
  options->status_topic =
      g_strdup (vigil_schema_get_string (settings, "status_topic", NULL));
  options->stable_after_s =
      vigil_schema_get_number (settings, "stable_after_s", 0);
  options->jitter = vigil_schema_get_boolean (settings, "jitter", FALSE);
}

static void
read_payload (VigilMqttSettings *self, const VigilJson *settings,
    const VigilEnvironment *environment)
{
  const char *format =
      vigil_environment_get (environment, "MQTT_PAYLOAD_FORMAT");

  self->format = VIGIL_PAYLOAD_ARRAY;
  format = vigil_schema_get_string (settings, "payload_format", format);
  vigil_payload_format_parse (format, &self->format);
  self->topic =
      g_strdup (vigil_schema_get_string (settings, "topic", DEFAULT_TOPIC));
  self->publish_frame =
      vigil_schema_get_boolean (settings, "publish_frame", FALSE);
  self->reduces_oversize =
      strcmp (vigil_schema_get_string (settings, "oversize", "reduce"),
          "reduce") == 0;
}

/* For the client; in its I/O thread. What is read here never changes but for
 * the files. */
static gboolean
get_credentials (
    void *user_data, VigilMqttCredentials *ret_credentials, GError **error)
{
  const VigilMqttSettings *self = user_data;
  g_autoptr (GError) reason = NULL;
  g_autoptr (VigilSecret) password =
      read_password (&self->password_sources, NULL, &reason);

  if (reason != NULL) {
    g_propagate_error (error, g_steal_pointer (&reason));
    return FALSE;
  }
  if (self->options.tls != NULL) {
    ret_credentials->tls =
        vigil_mqtt_tls_renew (self->options.tls, NULL, error);
    if (ret_credentials->tls == NULL)
      return FALSE;
  }
  ret_credentials->password = g_steal_pointer (&password);
  return TRUE;
}

/* ---- The check of credentials ------------------------------------------- */

static gboolean
is_loopback (const char *host)
{
  g_autoptr (GInetAddress) address = g_inet_address_new_from_string (host);

  return strcmp (host, "localhost") == 0 ||
         (address != NULL && g_inet_address_get_is_loopback (address));
}

/* What a person should know who sends a password. @probe: the hosts. */
static void
check_secrecy (const VigilMqttSettings *probe, const VigilJson *settings,
    const char *path, VigilProblems *problems)
{
  const VigilJson *tls = vigil_json_object_get (settings, "tls");
  g_autofree char *tls_path = vigil_schema_join_path (path, "tls");
  gboolean is_local = TRUE;

  for (unsigned i = 0; i < probe->options.hosts_size; i++)
    is_local = is_local && is_loopback (probe->hosts[i].host);
  if (vigil_schema_get_boolean (tls, "insecure_skip_verify", FALSE))
    vigil_schema_add_error (problems, tls_path, "insecure_skip_verify",
        "want a verified broker where a password is sent: set ca_cert, or "
        "take the password out");
  if (!has_tls (settings) && !is_local)
    vigil_problems_add (problems, VIGIL_PROBLEM_WARNING, path,
        "the password crosses the network in clear: tls would hide it");
}

/* The setting that a password comes from. */
static char *
dup_password_path (const VigilJson *settings, const char *path)
{
  if (vigil_schema_get_string (settings, "password_file", NULL) != NULL)
    return vigil_schema_join_path (path, "password_file");
  if (vigil_schema_get_string (settings, "password", NULL) != NULL)
    return vigil_schema_join_path (path, "password");
  return g_strdup ("MQTT_PASSWORD");
}

/* Reads them as the client will, wherever they come from. */
static void
check_credentials (const VigilJson *settings, const char *path,
    const VigilDestinationContext *context, VigilProblems *problems)
{
  g_autoptr (VigilMqttSettings) probe = g_new0 (VigilMqttSettings, 1);
  g_autoptr (GPtrArray) warnings = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GError) error = NULL;
  g_autofree char *password_path = dup_password_path (settings, path);

  if (vigil_schema_get_string (settings, "password", NULL) != NULL &&
      vigil_schema_get_string (settings, "password_file", NULL) != NULL)
    vigil_schema_add_error (problems, path, "password_file",
        "want either password or password_file");
  read_hosts (probe, settings, context->environment);
  if (!read_credentials (probe, settings, context, warnings, &error))
    vigil_problems_add (
        problems, VIGIL_PROBLEM_ERROR, password_path, "%s", error->message);
  if (probe->password != NULL || error != NULL) {
    /* MQTT 3.1.1, 3.1.2.9: [MQTT-3.1.2-22]. MQTT 5 allows it. */
    if (probe->options.username == NULL &&
        vigil_schema_get_integer (settings, "protocol", 4) != 5)
      vigil_schema_add_error (problems, path, "username",
          "missing: MQTT 3.1 and 3.1.1 allow no password without a user name");
    check_secrecy (probe, settings, path, problems);
  }
  for (unsigned i = 0; i < warnings->len; i++)
    vigil_problems_add (problems, VIGIL_PROBLEM_WARNING, password_path, "%s",
        (char *)warnings->pdata[i]);
}

void
vigil_mqtt_settings_check (const VigilJson *settings, const char *path,
    const VigilDestinationContext *context, VigilProblems *problems)
{
  g_autofree char *filter_path = vigil_schema_join_path (path, "filter");

  check_topic (settings, "topic", path, problems);
  check_topic (settings, "status_topic", path, problems);
  check_hosts (settings, path, problems);
  check_environment (settings, path, context->environment, problems);
  check_credentials (settings, path, context, problems);
  check_tls (settings, path, context, problems);
  check_session (settings, path, problems);
  check_offline_queue (settings, path, problems);
  vigil_mqtt_properties_check (settings, path, problems);
  vigil_filter_check (
      vigil_json_object_get (settings, "filter"), filter_path, problems);
}

VigilMqttSettings *
vigil_mqtt_settings_new (const VigilJson *settings,
    const VigilDestinationContext *context, GError **error)
{
  g_autoptr (VigilMqttSettings) self = g_new0 (VigilMqttSettings, 1);
  g_autoptr (GError) reason = NULL;

  read_payload (self, settings, context->environment);
  read_options (self, settings);
  read_queue (self, settings);
  vigil_mqtt_properties_init (&self->properties, settings);
  read_hosts (self, settings, context->environment);
  self->options.name = vigil_destination_dup_label (context);
  if (self->options.hosts_size == 0) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID,
        "no broker to publish to: set MQTT_HOST in the environment or in the "
        ".env file, or \"host\" in mqtt_publisher");
    return NULL;
  }
  if (!read_credentials (self, settings, context, NULL, &reason)) {
    g_propagate_error (error, g_steal_pointer (&reason));
    return NULL;
  }
  if (self->password != NULL)
    self->options.password = vigil_secret_get (self->password);
  if (has_tls (settings)) {
    self->options.tls = vigil_tls_settings_open (
        vigil_json_object_get (settings, "tls"), context->config_folder, error);
    if (self->options.tls == NULL) {
      g_prefix_error (error, "tls.");
      return NULL;
    }
  }
  if (self->options.tls != NULL || self->password != NULL) {
    self->options.get_credentials = get_credentials;
    self->options.credentials_data = self;
  }
  return g_steal_pointer (&self);
}

static void
free_secret (const char *secret)
{
  char *text = (char *)secret;

  if (text != NULL)
    explicit_bzero (text, strlen (text));
  g_free (text);
}

void
vigil_mqtt_settings_free (VigilMqttSettings *self)
{
  if (self == NULL)
    return;
  for (unsigned i = 0; i < self->options.hosts_size; i++)
    g_free ((char *)self->hosts[i].host);
  g_free (self->hosts);
  vigil_mqtt_properties_clear (&self->properties);
  g_free ((char *)self->options.name);
  g_free ((char *)self->options.client_id);
  g_free ((char *)self->options.username);
  vigil_secret_unref (self->password);
  g_free ((char *)self->password_sources.file);
  g_free ((char *)self->password_sources.fallback_file);
  free_secret (self->password_sources.fallback);
  free_secret (self->password_sources.literal);
  vigil_mqtt_tls_unref (self->options.tls);
  g_free ((char *)self->options.status_topic);
  g_free (self->topic);
  g_free (self);
}
