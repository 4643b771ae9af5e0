/* SPDX-License-Identifier: Apache-2.0 */
/* The peers: a real mosquitto with an independent subscriber, and files. */
#include "peer.h"

#include "common/broker.h"
#include "common/subscriber.h"
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
};

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
dup_mqtt (Peer *self, unsigned index)
{
  g_autoptr (GBytes) payload =
      vigil_subscriber_dup_payload (self->subscriber, index);
  gsize size;
  const char *text = g_bytes_get_data (payload, &size);

  return g_strndup (text, size);
}

#define MQTT_PEER(qos_name, opener)                                            \
  {                                                                            \
    .name = qos_name, .type = "mqtt", .open = opener, .close = close_mqtt,     \
    .make_settings = make_mqtt_settings, .make_absent = make_mqtt_absent,      \
    .freeze = freeze_mqtt, .wait = wait_mqtt, .dup = dup_mqtt,                 \
    .filling_bytes = 64 * 1024                                                 \
  }

static const PeerOps mqtt_0 = MQTT_PEER ("mqtt-qos-0", open_mqtt_0);
static const PeerOps mqtt_1 = MQTT_PEER ("mqtt-qos-1", open_mqtt_1);
static const PeerOps mqtt_2 = MQTT_PEER ("mqtt-qos-2", open_mqtt_2);

/* ---- Files -----------------------------------------------------------------
 */

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
dup_file (Peer *self, unsigned index)
{
  g_auto (GStrv) lines = read_lines (self);

  g_assert_cmpuint (index, <, g_strv_length (lines));
  return g_strdup (lines[index]);
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
    .filling_bytes = 64 * 1024,
};

const PeerOps *const peers[] = {&mqtt_0, &mqtt_1, &mqtt_2, &file, NULL};
