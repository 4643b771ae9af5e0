/* SPDX-License-Identifier: Apache-2.0 */
/* The peers: a real mosquitto with an independent subscriber, files, and
 * a plain libzmq reader. */
#include "peer.h"

#include "common/broker.h"
#include "common/eis-reader.h"
#include "common/subscriber.h"
#include "common/viewer.h"
#include "rtsp/rtsp-destination.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct _Peer {
  VigilFixture *fixture;
  int qos;
  VigilBroker *broker;
  VigilSubscriber *subscriber;
  char *path;
  char *stream_path;
  int stream_fd; /* our end of a stream that nobody reads */
  gboolean is_frozen;
  VigilEnvironment *environment;
  VigilProblems *problems;
  VigilEisBus *bus;
  TestEisReader *reader;
  GPtrArray *messages; /* element-type: TestEisMessage */
  VigilRtspSettings rtsp_settings;
  VigilRtspServer *rtsp_server;
  TestViewer *viewer; /* nullable */
};

/* ---- Text: [metadata, "base64"] or the bare metadata -------------------- */

static char *
dup_metadata (const char *text)
{
  g_autoptr (VigilJson) tree = vigil_json_parse (text, -1, 1 << 20, 16, NULL);

  g_assert_nonnull (tree);
  return vigil_json_to_text (
      vigil_json_array_size (tree) > 0 ? vigil_json_array_get (tree, 0) : tree);
}

static GBytes *
dup_base64 (const char *text)
{
  g_autoptr (VigilJson) tree = vigil_json_parse (text, -1, 1 << 20, 16, NULL);
  gsize size;
  guchar *data = g_base64_decode (
      vigil_json_get_string (vigil_json_array_get (tree, 1)), &size);

  return g_bytes_new_take (data, size);
}

/* ---- MQTT --------------------------------------------------------------- */

static Peer *
open_mqtt (VigilFixture *fixture, int qos)
{
  Peer *self = g_new0 (Peer, 1);

  self->fixture = fixture;
  self->qos = qos;
  self->broker = vigil_broker_new (fixture, 0, NULL);
  self->subscriber =
      vigil_subscriber_new (vigil_broker_get_address (self->broker),
          vigil_broker_get_port (self->broker), "conformance/#", 2);
  return self;
}

static Peer *
open_mqtt_0 (VigilFixture *fixture)
{
  return open_mqtt (fixture, 0);
}

static Peer *
open_mqtt_1 (VigilFixture *fixture)
{
  return open_mqtt (fixture, 1);
}

static Peer *
open_mqtt_2 (VigilFixture *fixture)
{
  return open_mqtt (fixture, 2);
}

static void
close_mqtt (Peer *self)
{
  if (self->is_frozen)
    vigil_broker_thaw (self->broker);
  vigil_subscriber_free (self->subscriber);
  vigil_broker_free (self->broker);
  g_free (self);
}

static char *
make_mqtt_settings (Peer *self, const char *extra)
{
  return g_strdup_printf ("{\"host\": \"%s\", \"port\": %u, \"qos\": %d, "
                          "\"topic\": \"conformance/a\"%s}",
      vigil_broker_get_address (self->broker),
      vigil_broker_get_port (self->broker), self->qos, extra);
}

static char *
make_mqtt_absent (Peer *self)
{
  return g_strdup_printf ("{\"host\": \"%s\", \"port\": %u, \"qos\": %d}",
      vigil_fixture_get_address (), vigil_fixture_find_port (), self->qos);
}

static void
freeze_mqtt (Peer *self)
{
  vigil_broker_freeze (self->broker);
  self->is_frozen = TRUE;
}

static gboolean
wait_mqtt (Peer *self, unsigned count, unsigned milliseconds)
{
  return vigil_subscriber_wait (self->subscriber, count, milliseconds);
}

static char *
dup_mqtt_text (Peer *self, unsigned index)
{
  g_autoptr (GBytes) payload =
      vigil_subscriber_dup_payload (self->subscriber, index);
  gsize size;
  const char *text = g_bytes_get_data (payload, &size);

  return g_strndup (text, size);
}

static char *
dup_mqtt (Peer *self, unsigned index)
{
  g_autofree char *text = dup_mqtt_text (self, index);

  return dup_metadata (text);
}

static GBytes *
dup_mqtt_frame (Peer *self, unsigned index)
{
  g_autofree char *text = dup_mqtt_text (self, index);

  return dup_base64 (text);
}

#define MQTT_PEER(qos_name, opener)                                            \
  {                                                                            \
    .name = qos_name, .type = "mqtt", .open = opener, .close = close_mqtt,     \
    .make_settings = make_mqtt_settings, .make_absent = make_mqtt_absent,      \
    .freeze = freeze_mqtt, .wait = wait_mqtt, .dup = dup_mqtt,                 \
    .dup_frame = dup_mqtt_frame                                                \
  }

static const PeerOps mqtt_0 = MQTT_PEER ("mqtt-qos-0", open_mqtt_0);
static const PeerOps mqtt_1 = MQTT_PEER ("mqtt-qos-1", open_mqtt_1);
static const PeerOps mqtt_2 = MQTT_PEER ("mqtt-qos-2", open_mqtt_2);

/* ---- Files -------------------------------------------------------------- */

static Peer *
open_file (VigilFixture *fixture)
{
  Peer *self = g_new0 (Peer, 1);

  self->fixture = fixture;
  self->path = g_build_filename (fixture->folder, "messages.jsonl", NULL);
  self->stream_path = g_build_filename (fixture->folder, "stream", NULL);
  self->stream_fd = -1;
  return self;
}

static void
close_file (Peer *self)
{
  if (self->stream_fd >= 0)
    close (self->stream_fd);
  g_free (self->path);
  g_free (self->stream_path);
  g_free (self);
}

/* Frozen before it was opened: a pipe whose reader sleeps. */
static void
freeze_file (Peer *self)
{
  g_assert_cmpint (mkfifo (self->stream_path, 0600), ==, 0);
  self->stream_fd = open (self->stream_path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  g_assert_cmpint (self->stream_fd, >=, 0);
  self->is_frozen = TRUE;
}

static char *
make_file_settings (Peer *self, const char *extra)
{
  return g_strdup_printf ("{\"path\": \"%s\", \"format\": \"json-lines\"%s}",
      self->is_frozen ? self->stream_path : self->path, extra);
}

static char *
make_file_absent (Peer *self)
{
  return g_strdup_printf (
      "{\"path\": \"%s/no/such/folder\"}", self->fixture->folder);
}

static char **
read_lines (Peer *self)
{
  g_autofree char *text = NULL;
  char **lines;

  if (!g_file_get_contents (self->path, &text, NULL, NULL))
    return g_new0 (char *, 1);
  lines = g_strsplit (text, "\n", -1);
  return lines;
}

typedef struct {
  Peer *peer;
  unsigned count;
} Wanted;

static gboolean
has_lines (void *data)
{
  const Wanted *wanted = data;
  g_auto (GStrv) lines = read_lines (wanted->peer);

  /* One more, empty, after the last line's end. */
  return g_strv_length (lines) > wanted->count;
}

static gboolean
wait_file (Peer *self, unsigned count, unsigned milliseconds)
{
  Wanted wanted = {self, count};

  return vigil_fixture_wait_until (has_lines, &wanted, milliseconds);
}

static char *
dup_line (Peer *self, unsigned index)
{
  g_auto (GStrv) lines = read_lines (self);

  g_assert_cmpuint (index, <, g_strv_length (lines));
  return g_strdup (lines[index]);
}

static char *
dup_file (Peer *self, unsigned index)
{
  g_autofree char *line = dup_line (self, index);

  return dup_metadata (line);
}

static GBytes *
dup_file_frame (Peer *self, unsigned index)
{
  g_autofree char *line = dup_line (self, index);

  return dup_base64 (line);
}

static const PeerOps file = {
    .name = "file",
    .type = "file",
    .open = open_file,
    .close = close_file,
    .make_settings = make_file_settings,
    .make_absent = make_file_absent,
    .freeze = freeze_file,
    .wait = wait_file,
    .dup = dup_file,
    .dup_frame = dup_file_frame,
};

/* ---- EIS Message Bus ---------------------------------------------------- */

static Peer *
open_eis (VigilFixture *fixture)
{
  Peer *self = g_new0 (Peer, 1);
  const char *address = vigil_fixture_get_address ();
  const unsigned port = vigil_fixture_find_port ();
  uint16_t taken_port = 0;
  g_autofree char *text = NULL;
  g_autofree char *endpoint = g_strdup_printf ("tcp://%s:%u", address, port);
  g_autoptr (VigilJson) interfaces = NULL;

  self->fixture = fixture;
  self->stream_fd = vigil_fixture_listen (&taken_port);
  text = g_strdup_printf (
      "{\"Publishers\": [{\"Name\": \"good\", \"Type\": \"zmq_tcp\", "
      "\"EndPoint\": \"%s:%u\", \"Topics\": [\"a\"]}, "
      "{\"Name\": \"taken\", \"Type\": \"zmq_tcp\", "
      "\"EndPoint\": \"%s:%u\", \"Topics\": [\"a\"]}]}",
      address, port, address, taken_port);
  interfaces = vigil_json_parse (text, -1, 1 << 20, 16, NULL);
  self->environment = vigil_environment_new (NULL, NULL);
  self->problems = vigil_problems_new ();
  self->bus =
      vigil_eis_bus_new (interfaces, self->environment, NULL, self->problems);
  g_assert_cmpuint (vigil_problems_get_size (self->problems), ==, 0);
  self->reader = test_eis_reader_new (endpoint, NULL);
  self->messages =
      g_ptr_array_new_with_free_func ((GDestroyNotify)test_eis_message_free);
  return self;
}

static void
close_eis (Peer *self)
{
  vigil_eis_bus_free (self->bus, 0);
  test_eis_reader_free (self->reader);
  g_ptr_array_unref (self->messages);
  vigil_problems_free (self->problems);
  vigil_environment_free (self->environment);
  close (self->stream_fd);
  g_free (self);
}

static char *
make_eis_settings (Peer *self, const char *extra)
{
  return g_strdup_printf ("{\"name\": \"good\"%s}", extra);
}

static char *
make_eis_absent (Peer *self)
{
  return g_strdup ("{\"name\": \"taken\"}");
}

static void
add_eis_context (Peer *self, VigilDestinationContext *context)
{
  context->eis_bus = self->bus;
}

static void
send_sync (const char *json, void *socket)
{
  g_autoptr (GBytes) bytes = g_bytes_new (json, strlen (json));

  g_assert_true (vigil_eis_socket_open (socket, strlen (json)));
  g_assert_true (vigil_eis_socket_send (socket, "sync", bytes, NULL));
}

/* The endpoint is open already, by another instance, so to say: what the
 * first message of all is given for its subscribers is a matter of time. */
static void
connect_eis (Peer *self, VigilDestination *destination)
{
  test_eis_reader_join (self->reader, send_sync,
      vigil_eis_bus_get_socket (
          self->bus, vigil_eis_bus_find (self->bus, "good"), NULL));
}

static gboolean
wait_eis (Peer *self, unsigned count, unsigned milliseconds)
{
  while (self->messages->len < count) {
    TestEisMessage *message = test_eis_reader_read (self->reader, milliseconds);

    if (message == NULL)
      return FALSE;
    g_ptr_array_add (self->messages, message);
  }
  return TRUE;
}

static char *
dup_eis (Peer *self, unsigned index)
{
  const TestEisMessage *message = g_ptr_array_index (self->messages, index);

  return g_strdup (message->json);
}

static GBytes *
dup_eis_frame (Peer *self, unsigned index)
{
  const TestEisMessage *message = g_ptr_array_index (self->messages, index);

  return g_bytes_ref (message->blob);
}

static const PeerOps eis = {
    .name = "eis",
    .type = "eis",
    .open = open_eis,
    .close = close_eis,
    .make_settings = make_eis_settings,
    .make_absent = make_eis_absent,
    .add_context = add_eis_context,
    .connect = connect_eis,
    .wait = wait_eis,
    .dup = dup_eis,
    .dup_frame = dup_eis_frame,
};

/* ---- RTSP --------------------------------------------------------------- */

static Peer *
open_rtsp (VigilFixture *fixture)
{
  Peer *self = g_new0 (Peer, 1);

  self->fixture = fixture;
  self->rtsp_settings = (VigilRtspSettings){
      .is_enabled = TRUE,
      .address = (char *)vigil_fixture_get_address (),
      .is_loopback = TRUE,
      .viewers_max = 8,
  };
  self->rtsp_server = vigil_rtsp_server_new (&self->rtsp_settings);
  return self;
}

static void
close_rtsp (Peer *self)
{
  if (self->viewer != NULL)
    test_viewer_free (self->viewer);
  vigil_rtsp_server_free (self->rtsp_server);
  g_free (self);
}

static char *
make_rtsp_settings (Peer *self, const char *extra)
{
  return g_strdup_printf ("{\"path\": \"conformance\"%s}", extra);
}

static void
add_rtsp_context (Peer *self, VigilDestinationContext *context)
{
  context->user_data = self->rtsp_server;
}

static gboolean
is_accepting (void *destination)
{
  return vigil_destination_is_accepting (destination);
}

static void
connect_rtsp (Peer *self, VigilDestination *destination)
{
  self->viewer = test_viewer_new (self->rtsp_settings.address,
      vigil_rtsp_server_get_port (self->rtsp_server), "conformance", "tcp");
  g_assert_true (vigil_fixture_wait_until (is_accepting, destination, 20000));
}

static gboolean
wait_rtsp (Peer *self, unsigned count, unsigned milliseconds)
{
  return test_viewer_wait (self->viewer, count, milliseconds);
}

static GBytes *
dup_rtsp_frame (Peer *self, unsigned index)
{
  return test_viewer_dup_frame (self->viewer, index);
}

static const PeerOps rtsp = {
    .name = "rtsp",
    .type = "rtsp",
    .destination = &vigil_rtsp_destination_ops,
    .is_leaky = TRUE,
    .open = open_rtsp,
    .close = close_rtsp,
    .make_settings = make_rtsp_settings,
    .add_context = add_rtsp_context,
    .connect = connect_rtsp,
    .make_frame = test_viewer_make_jpeg,
    .wait = wait_rtsp,
    .dup_frame = dup_rtsp_frame,
};

const PeerOps *const peers[] = {
    &mqtt_0, &mqtt_1, &mqtt_2, &file, &eis, &rtsp, NULL};
