/* SPDX-License-Identifier: Apache-2.0 */

/*
 * vigil subscribe: shows what a vigil, or a DLSPS, publishes. Built on
 * libmosquitto and not on our own client, so that the two ends share no
 * mistake. Options are named as in mosquitto_sub.
 */

#include "app/commands.h"

#include "app/payload-reader.h"
#include "app/startup.h"
#include "base/backoff.h"
#include "base/error.h"
#include <errno.h>
#include <glib-unix.h>
#include <glib/gstdio.h>
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <stdio.h>
#include <sysexits.h>

#define DEFAULT_TOPIC "dlstreamer_pipeline_results"
#define DEFAULT_PORT 1883
#define DEFAULT_TLS_PORT 8883
/* How long one round of libmosquitto waits for the network. A signal ends
 * the wait early. */
#define ROUND_MS 200

typedef struct {
  char *host;
  int port;
  char **topics;
  int qos;
  char *username;
  char *password;
  char *protocol;
  char *client_id;
  int keep_alive_s;
  int count;  /* 0: no limit */
  int wait_s; /* 0: no limit */
  char *ca_file;
  char *ca_path;
  char *certificate;
  char *key;
  gboolean is_insecure;
  gboolean is_pretty;
  gboolean is_verbose;
  char *save_folder;
} Options;

typedef struct {
  Options options;
  struct mosquitto *client;
  int protocol_version;
  gboolean is_connected;
  gboolean is_done;
  GError *error; /* set once: the reason to end */
  /* counts, for the last line */
  uint64_t messages;
  uint64_t frames;
  uint64_t bytes;
  uint64_t not_understood;
  int64_t start_us;
} Subscriber;

static void
subscriber_clear (Subscriber *self)
{
  Options *options = &self->options;

  g_clear_pointer (&self->client, mosquitto_destroy);
  g_clear_error (&self->error);
  g_clear_pointer (&options->host, g_free);
  g_clear_pointer (&options->topics, g_strfreev);
  g_clear_pointer (&options->username, g_free);
  g_clear_pointer (&options->password, g_free);
  g_clear_pointer (&options->protocol, g_free);
  g_clear_pointer (&options->client_id, g_free);
  g_clear_pointer (&options->ca_file, g_free);
  g_clear_pointer (&options->ca_path, g_free);
  g_clear_pointer (&options->certificate, g_free);
  g_clear_pointer (&options->key, g_free);
  g_clear_pointer (&options->save_folder, g_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Subscriber, subscriber_clear)

G_GNUC_PRINTF (3, 4)
static void
end_with_error (Subscriber *self, VigilErrorCode code, const char *format, ...)
{
  va_list arguments;

  self->is_done = TRUE;
  if (self->error != NULL)
    return;
  va_start (arguments, format);
  self->error = g_error_new_valist (VIGIL_ERROR, code, format, arguments);
  va_end (arguments);
}

/* ---- Messages --------------------------------------------------------- */

static void
print_metadata (Subscriber *self, const char *topic, const VigilJson *metadata)
{
  g_autofree char *text = self->options.is_pretty
                              ? vigil_json_to_pretty_text (metadata)
                              : vigil_json_to_text (metadata);

  if (self->options.is_verbose) {
    g_autofree char *printable = g_strescape (topic, NULL);
    printf ("%s ", printable);
  }
  puts (text);
  if (fflush (stdout) != 0)
    end_with_error (
        self, VIGIL_ERROR_FAILED, "standard output: %s", g_strerror (errno));
}

static void
save_frame (
    Subscriber *self, const char *topic, const VigilPayloadReader *reader)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *name =
      vigil_payload_reader_dup_file_name (reader, topic, self->frames);
  g_autofree char *path =
      g_build_filename (self->options.save_folder, name, NULL);
  size_t size;
  const char *data = g_bytes_get_data (reader->frame, &size);

  /* A file appears whole or not at all, for whoever watches the folder. */
  if (!g_file_set_contents_full (
          path, data, size, G_FILE_SET_CONTENTS_CONSISTENT, 0666, &error))
    end_with_error (self, VIGIL_ERROR_FAILED, "%s", error->message);
}

static void
on_message (struct mosquitto *client, void *user_data,
    const struct mosquitto_message *message)
{
  Subscriber *self = user_data;
  g_auto (VigilPayloadReader) reader = {0};
  g_autoptr (GError) error = NULL;

  if (self->is_done)
    return;
  if (!vigil_payload_reader_init (&reader, message->topic, message->payload,
          message->payloadlen, &error)) {
    self->not_understood++;
    fprintf (stderr, "%s: a message of %d bytes is not understood: %s\n",
        g_get_prgname (), message->payloadlen, error->message);
    return;
  }
  self->bytes += message->payloadlen;
  if (reader.frame != NULL) {
    if (self->options.save_folder != NULL)
      save_frame (self, message->topic, &reader);
    self->frames++;
  }
  /* A frame of its own is followed by its metadata: together they are one. */
  if (reader.metadata == NULL)
    return;
  print_metadata (self, message->topic, reader.metadata);
  self->messages++;
  if (self->options.count > 0 &&
      self->messages >= (uint64_t)self->options.count)
    self->is_done = TRUE;
}

/* ---- Connection ------------------------------------------------------- */

/* The frames of payload_format "binary" come on topics of their own. */
static char *
dup_frame_topic (const char *topic)
{
  if (g_str_has_suffix (topic, "#"))
    return NULL;
  return g_strconcat (topic, "/frame/+", NULL);
}

static void
subscribe (Subscriber *self, const char *topic)
{
  int status =
      mosquitto_subscribe (self->client, NULL, topic, self->options.qos);

  if (status != MOSQ_ERR_SUCCESS)
    end_with_error (self, VIGIL_ERROR_UNAVAILABLE, "cannot subscribe: %s",
        mosquitto_strerror (status));
}

static void
on_connect (struct mosquitto *client, void *user_data, int reason, int flags,
    const mosquitto_property *properties)
{
  Subscriber *self = user_data;

  if (reason != 0) {
    end_with_error (self, VIGIL_ERROR_UNAVAILABLE,
        "%s port %d: the broker refuses the connection: %s", self->options.host,
        self->options.port,
        self->protocol_version == MQTT_PROTOCOL_V5
            ? mosquitto_reason_string (reason)
            : mosquitto_connack_string (reason));
    return;
  }
  self->is_connected = TRUE;
  for (char **topic = self->options.topics; *topic != NULL; topic++) {
    g_autofree char *frame_topic = dup_frame_topic (*topic);

    subscribe (self, *topic);
    if (frame_topic != NULL)
      subscribe (self, frame_topic);
  }
}

static void
on_subscribe (struct mosquitto *client, void *user_data, int message_id,
    int size, const int *granted)
{
  Subscriber *self = user_data;

  for (int i = 0; i < size; i++)
    if (granted[i] >= 128)
      end_with_error (self, VIGIL_ERROR_UNAVAILABLE,
          "the broker refuses the subscription (reason %d): its access "
          "rules decide",
          granted[i]);
}

/* Why libmosquitto could not connect or lost the connection, in words. */
static char *
describe_failure (int status, int system_error)
{
  if (status == MOSQ_ERR_ERRNO)
    return g_strdup (system_error == ECONNREFUSED
                         ? "connection refused: is a broker listening there?"
                         : g_strerror (system_error));
  if (status == MOSQ_ERR_EAI)
    return g_strdup ("the name cannot be resolved");
  return g_strdup (mosquitto_strerror (status));
}

static gboolean
connect_first (Subscriber *self)
{
  Options *options = &self->options;
  int status = mosquitto_connect (
      self->client, options->host, options->port, options->keep_alive_s);
  int system_error = errno;

  if (status == MOSQ_ERR_SUCCESS)
    return TRUE;
  g_autofree char *reason = describe_failure (status, system_error);
  end_with_error (self, VIGIL_ERROR_UNAVAILABLE, "%s port %d: %s",
      options->host, options->port, reason);
  return FALSE;
}

static gboolean
on_wait_over (void *user_data)
{
  gboolean *is_over = user_data;

  *is_over = TRUE;
  return G_SOURCE_REMOVE;
}

/* Waits as the back-off says, or until the end is asked for. */
static void
wait_before_attempt (Subscriber *self, unsigned failures)
{
  gboolean is_over = FALSE;
  unsigned source =
      g_timeout_add (vigil_backoff_delay_ms (failures), on_wait_over, &is_over);

  while (!is_over && !self->is_done)
    g_main_context_iteration (NULL, TRUE);
  if (!is_over)
    g_source_remove (source);
}

/* After a connection that had worked: tries once more, after its pause. */
static void
reconnect (Subscriber *self, unsigned failures, const char *reason)
{
  if (failures == 1)
    fprintf (stderr, "%s: connection lost: %s; trying again\n",
        g_get_prgname (), reason);
  wait_before_attempt (self, failures);
  if (!self->is_done)
    mosquitto_reconnect (self->client);
}

static void
run (Subscriber *self)
{
  gboolean was_connected = FALSE;
  unsigned failures = 0;

  while (!self->is_done) {
    int status = mosquitto_loop (self->client, ROUND_MS, 1);
    int system_error = errno;

    g_main_context_iteration (NULL, FALSE);
    if (self->is_connected) {
      was_connected = TRUE;
      failures = 0;
    }
    if (status == MOSQ_ERR_SUCCESS || self->is_done)
      continue;
    g_autofree char *reason = describe_failure (status, system_error);
    if (was_connected) {
      self->is_connected = FALSE;
      reconnect (self, ++failures, reason);
    } else {
      end_with_error (self, VIGIL_ERROR_UNAVAILABLE,
          "%s port %d: no MQTT connection: %s", self->options.host,
          self->options.port, reason);
    }
  }
}

static gboolean
on_signal (void *user_data)
{
  Subscriber *self = user_data;

  self->is_done = TRUE;
  /* A second signal has its plain effect. */
  return G_SOURCE_REMOVE;
}

static gboolean
on_time_over (void *user_data)
{
  Subscriber *self = user_data;

  self->is_done = TRUE;
  if (self->options.count > 0)
    end_with_error (self, VIGIL_ERROR_TIMEOUT,
        "%" G_GUINT64_FORMAT " of %d messages came within %d s", self->messages,
        self->options.count, self->options.wait_s);
  return G_SOURCE_REMOVE;
}

/* ---- Set-up ----------------------------------------------------------- */

static gboolean
parse_protocol (const char *name, int *ret_version)
{
  static const struct {
    const char *name;
    int version;
  } versions[] = {
      {"mqttv31", MQTT_PROTOCOL_V31},
      {"31", MQTT_PROTOCOL_V31},
      {"mqttv311", MQTT_PROTOCOL_V311},
      {"311", MQTT_PROTOCOL_V311},
      {"mqttv5", MQTT_PROTOCOL_V5},
      {"5", MQTT_PROTOCOL_V5},
  };

  for (size_t i = 0; i < G_N_ELEMENTS (versions); i++)
    if (g_strcmp0 (name, versions[i].name) == 0) {
      *ret_version = versions[i].version;
      return TRUE;
    }
  return FALSE;
}

static gboolean
is_in_range (const char *option, int value, int minimum, int maximum)
{
  if (value >= minimum && value <= maximum)
    return TRUE;
  fprintf (stderr, "%s: --%s %d: want %d to %d\n", g_get_prgname (), option,
      value, minimum, maximum);
  return FALSE;
}

/* Fills in what was not given, and says what cannot be. */
static gboolean
complete_options (Subscriber *self)
{
  Options *options = &self->options;
  static const char *const default_topics[] = {DEFAULT_TOPIC, NULL};

  if (options->host == NULL)
    options->host = g_strdup ("localhost");
  if (options->port == -1)
    options->port = options->ca_file != NULL || options->ca_path != NULL
                        ? DEFAULT_TLS_PORT
                        : DEFAULT_PORT;
  if (options->topics == NULL)
    options->topics = g_strdupv ((char **)default_topics);
  for (char **topic = options->topics; *topic != NULL; topic++)
    if (mosquitto_sub_topic_check (*topic) != MOSQ_ERR_SUCCESS) {
      fprintf (stderr, "%s: topic '%s': want a valid topic filter\n",
          g_get_prgname (), *topic);
      return FALSE;
    }
  if (!parse_protocol (options->protocol != NULL ? options->protocol : "311",
          &self->protocol_version)) {
    fprintf (stderr, "%s: protocol '%s': want mqttv31, mqttv311 or mqttv5\n",
        g_get_prgname (), options->protocol);
    return FALSE;
  }
  if (options->password != NULL && options->username == NULL) {
    fprintf (stderr, "%s: a password needs --username\n", g_get_prgname ());
    return FALSE;
  }
  if ((options->certificate == NULL) != (options->key == NULL)) {
    fprintf (stderr, "%s: --cert and --key go together\n", g_get_prgname ());
    return FALSE;
  }
  return is_in_range ("port", options->port, 1, 65535) &&
         is_in_range ("qos", options->qos, 0, 2) &&
         is_in_range ("keepalive", options->keep_alive_s, 5, 65535) &&
         is_in_range ("count", options->count, 0, G_MAXINT) &&
         is_in_range ("timeout", options->wait_s, 0, G_MAXINT / 1000);
}

static gboolean
set_up_tls (Subscriber *self)
{
  Options *options = &self->options;
  int status;

  if (options->ca_file == NULL && options->ca_path == NULL)
    return TRUE;
  status = mosquitto_tls_set (self->client, options->ca_file, options->ca_path,
      options->certificate, options->key, NULL);
  if (status == MOSQ_ERR_SUCCESS)
    status = mosquitto_tls_insecure_set (self->client, options->is_insecure);
  if (status == MOSQ_ERR_SUCCESS)
    return TRUE;
  end_with_error (self, VIGIL_ERROR_INVALID,
      "TLS: %s: check that --cafile, --cert and --key can be read",
      mosquitto_strerror (status));
  return FALSE;
}

static gboolean
set_up (Subscriber *self)
{
  Options *options = &self->options;

  if (options->save_folder != NULL &&
      g_mkdir_with_parents (options->save_folder, 0777) != 0) {
    end_with_error (self, VIGIL_ERROR_INVALID, "%s: %s", options->save_folder,
        g_strerror (errno));
    return FALSE;
  }
  self->client = mosquitto_new (options->client_id, TRUE, self);
  if (self->client == NULL) {
    end_with_error (self, VIGIL_ERROR_INVALID, "client id '%s': %s",
        options->client_id, g_strerror (errno));
    return FALSE;
  }
  mosquitto_int_option (
      self->client, MOSQ_OPT_PROTOCOL_VERSION, self->protocol_version);
  mosquitto_username_pw_set (
      self->client, options->username, options->password);
  mosquitto_connect_v5_callback_set (self->client, on_connect);
  mosquitto_subscribe_callback_set (self->client, on_subscribe);
  mosquitto_message_callback_set (self->client, on_message);
  return set_up_tls (self);
}

static gboolean
parse_options (Subscriber *self, int *argc, char ***argv)
{
  Options *options = &self->options;
  const GOptionEntry entries[] = {
      {"host", 'h', 0, G_OPTION_ARG_STRING, &options->host,
          "Broker (default: localhost)", "HOST"},
      {"port", 'p', 0, G_OPTION_ARG_INT, &options->port,
          "Its port (default: 1883, with TLS 8883)", "PORT"},
      {"topic", 't', 0, G_OPTION_ARG_STRING_ARRAY, &options->topics,
          "Topic filter, may be repeated (default: " DEFAULT_TOPIC ")",
          "TOPIC"},
      {"qos", 'q', 0, G_OPTION_ARG_INT, &options->qos,
          "Quality of service (default: 0)", "0|1|2"},
      {"username", 'u', 0, G_OPTION_ARG_STRING, &options->username, "User name",
          "NAME"},
      {"pw", 'P', 0, G_OPTION_ARG_STRING, &options->password, "Password",
          "PASSWORD"},
      {"protocol-version", 'V', 0, G_OPTION_ARG_STRING, &options->protocol,
          "mqttv31, mqttv311 (default) or mqttv5", "VERSION"},
      {"id", 'i', 0, G_OPTION_ARG_STRING, &options->client_id,
          "Client id (default: one is made up)", "ID"},
      {"keepalive", 'k', 0, G_OPTION_ARG_INT, &options->keep_alive_s,
          "Keep-alive in seconds (default: 60)", "SECONDS"},
      {"count", 'C', 0, G_OPTION_ARG_INT, &options->count,
          "End after so many messages", "N"},
      {"timeout", 'W', 0, G_OPTION_ARG_INT, &options->wait_s,
          "End after so many seconds; with --count fewer messages are an "
          "error",
          "SECONDS"},
      {"cafile", 0, 0, G_OPTION_ARG_FILENAME, &options->ca_file,
          "Use TLS; the certificate of the broker's CA", "FILE"},
      {"capath", 0, 0, G_OPTION_ARG_FILENAME, &options->ca_path,
          "Use TLS; a folder of CA certificates", "FOLDER"},
      {"cert", 0, 0, G_OPTION_ARG_FILENAME, &options->certificate,
          "Our certificate, if the broker asks for one", "FILE"},
      {"key", 0, 0, G_OPTION_ARG_FILENAME, &options->key, "And its key",
          "FILE"},
      {"insecure", 0, 0, G_OPTION_ARG_NONE, &options->is_insecure,
          "Do not check that the certificate names the host", NULL},
      {"save-frames", 0, 0, G_OPTION_ARG_FILENAME, &options->save_folder,
          "Save the frames there, as TOPIC-NUMBER.jpg", "FOLDER"},
      {"pretty", 0, 0, G_OPTION_ARG_NONE, &options->is_pretty,
          "Metadata over several lines", NULL},
      {"verbose", 'v', 0, G_OPTION_ARG_NONE, &options->is_verbose,
          "The topic in front of each message", NULL},
      G_OPTION_ENTRY_NULL,
  };

  return vigil_startup_parse_options (argc, argv, NULL,
             "Shows what vigil publishes: a line of metadata for each "
             "message, on standard output.",
             entries, 0) &&
         complete_options (self);
}

static void
print_summary (const Subscriber *self)
{
  fprintf (stderr,
      "%s: %" G_GUINT64_FORMAT " messages, %" G_GUINT64_FORMAT
      " frames, %" G_GUINT64_FORMAT " bytes in %.1f s",
      g_get_prgname (), self->messages, self->frames, self->bytes,
      (g_get_monotonic_time () - self->start_us) / 1e6);
  if (self->not_understood > 0)
    fprintf (
        stderr, ", %" G_GUINT64_FORMAT " not understood", self->not_understood);
  fputc ('\n', stderr);
}

static int
report_end (const Subscriber *self)
{
  if (self->error != NULL)
    fprintf (stderr, "%s: %s\n", g_get_prgname (), self->error->message);
  return vigil_error_exit_status (self->error);
}

static int
show_messages (int argc, char **argv)
{
  g_auto (Subscriber) self = {.options = {.port = -1, .keep_alive_s = 60}};

  if (!parse_options (&self, &argc, &argv))
    return EX_USAGE;
  if (!set_up (&self) || !connect_first (&self))
    return report_end (&self);
  g_unix_signal_add (SIGINT, on_signal, &self);
  g_unix_signal_add (SIGTERM, on_signal, &self);
  if (self.options.wait_s > 0)
    g_timeout_add (self.options.wait_s * 1000u, on_time_over, &self);
  self.start_us = g_get_monotonic_time ();
  run (&self);
  mosquitto_disconnect (self.client);
  print_summary (&self);
  return report_end (&self);
}

int
vigil_cmd_subscribe (int argc, char **argv)
{
  int status;

  mosquitto_lib_init ();
  status = show_messages (argc, argv);
  mosquitto_lib_cleanup ();
  return status;
}
