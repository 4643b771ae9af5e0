/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/eis-socket.h"

#include "common/eis-reader.h"
#include "common/fixture.h"
#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

/* libzmq frees a port in a thread of its own, and the pauses between attempts
 * grow: 1, 2, 4, 8 s. */
enum { OPEN_MS = 20000 };

typedef struct {
  VigilFixture base;
  void *context;
  VigilEisZap *zap;
  VigilEisSettings settings; /* texts are the fixture's */
  VigilEisSocket *socket;
  size_t message_bytes; /* what it opens for */
} Fixture;

static void
set_up (Fixture *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  vigil_fixture_set_up (&self->base, data);
  self->context = zmq_ctx_new ();
  self->zap = vigil_eis_zap_new (self->context, &error);
  g_assert_no_error (error);
  self->settings.name = (char *)"p";
  self->settings.topic = (char *)"t";
  self->settings.endpoint = g_strdup_printf (
      "tcp://%s:%u", vigil_fixture_get_address (), vigil_fixture_find_port ());
  self->settings.socket_mode = -1;
  self->settings.max_bytes = 64 << 20;
  self->message_bytes = 100;
  self->socket =
      vigil_eis_socket_new (self->context, self->zap, &self->settings);
}

static void
tear_down (Fixture *self, gconstpointer data)
{
  vigil_eis_socket_free (self->socket, 0);
  zmq_ctx_shutdown (self->context);
  vigil_eis_zap_free (self->zap);
  zmq_ctx_term (self->context);
  g_free (self->settings.endpoint);
  g_free (self->settings.socket_path);
  vigil_fixture_tear_down (&self->base, data);
}

static void
send_text (Fixture *self, const char *topic, const char *json, GBytes *blob)
{
  g_autoptr (GBytes) bytes = g_bytes_new (json, strlen (json));

  g_assert_true (
      vigil_eis_socket_open (self->socket, g_bytes_get_size (bytes)));
  g_assert_true (vigil_eis_socket_send (self->socket, topic, bytes, blob));
}

typedef struct {
  Fixture *fixture;
  const char *topic;
} Joining;

static void
send_sync (const char *json, void *data)
{
  const Joining *joining = data;

  send_text (joining->fixture, joining->topic, json, NULL);
}

static void
join (Fixture *self, TestEisReader *reader, const char *topic)
{
  Joining joining = {self, topic};

  test_eis_reader_join (reader, send_sync, &joining);
}

static GBytes *
new_blob (size_t size, uint8_t value)
{
  uint8_t *data = g_malloc (size);

  memset (data, value, size);
  return g_bytes_new_take (data, size);
}

static void
assert_frame (
    GPtrArray *frames, unsigned index, const void *wanted, size_t size)
{
  size_t got_size;
  const void *got = g_bytes_get_data (frames->pdata[index], &got_size);

  g_assert_cmpmem (got, got_size, wanted, size);
}

/* ---- The wire ------------------------------------------------------------ */

/* The two dumps of the format's description, byte for byte. */
static void
test_frames_of_json (Fixture *self, gconstpointer data)
{
  static const char json[] = "{\"hello\":42,\"world\":55.5}";
  g_autoptr (TestEisReader) reader =
      test_eis_reader_new (self->settings.endpoint, NULL);
  g_autoptr (GPtrArray) frames = NULL;

  join (self, reader, "publish_test");
  send_text (self, "publish_test", json, NULL);
  frames = test_eis_reader_read_frames (reader, 15000);
  g_assert_cmpuint (frames->len, ==, 4);
  assert_frame (frames, 0, "publish_test\0", 13);
  assert_frame (frames, 1, "\x00", 1);
  assert_frame (frames, 2, "\x01", 1);
  assert_frame (frames, 3, json, 25);
}

static void
test_frames_of_json_and_blob (Fixture *self, gconstpointer data)
{
  static const char json[] =
      "{\"channels\":3,\"gva_meta\":[{\"x\":333,\"confidence\":"
      "0.91967731714248657,\"ok\":true,\"y\":127,\"none\":null}],\"height\":2,"
      "\"img_handle\":\"A1B2C3D4E5\",\"width\":3,\"frame_id\":0}";
  static const uint8_t pixels[18] = {
      0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17};
  g_autoptr (GBytes) blob = g_bytes_new_static (pixels, sizeof (pixels));
  g_autoptr (TestEisReader) reader =
      test_eis_reader_new (self->settings.endpoint, NULL);
  g_autoptr (GPtrArray) frames = NULL;

  join (self, reader, "edge_video_analytics_results");
  send_text (self, "edge_video_analytics_results", json, blob);
  frames = test_eis_reader_read_frames (reader, 15000);
  g_assert_cmpuint (frames->len, ==, 5);
  assert_frame (frames, 0, "edge_video_analytics_results\0", 29);
  assert_frame (frames, 1, "\x00", 1);
  assert_frame (frames, 2, "\x02", 1);
  assert_frame (frames, 3, json, 160);
  assert_frame (frames, 4, pixels, 18);
}

static void
test_empty_topic_and_empty_blob (Fixture *self, gconstpointer data)
{
  g_autoptr (GBytes) blob = g_bytes_new (NULL, 0);
  g_autoptr (TestEisReader) reader =
      test_eis_reader_new (self->settings.endpoint, NULL);
  g_autoptr (GPtrArray) frames = NULL;

  join (self, reader, "");
  send_text (self, "", "{}", blob);
  frames = test_eis_reader_read_frames (reader, 15000);
  g_assert_cmpuint (frames->len, ==, 4);
  assert_frame (frames, 0, "", 1);
  assert_frame (frames, 2, "\x01", 1);
}

static void
test_large_parts_are_kept_not_copied (Fixture *self, gconstpointer data)
{
  g_autoptr (TestEisReader) reader =
      test_eis_reader_new (self->settings.endpoint, NULL);
  g_autoptr (GString) json = g_string_new ("{\"a\":\"");
  g_autofree char *large = g_strnfill (100000, 'x');

  g_string_append (json, large);
  g_string_append (json, "\"}");
  join (self, reader, "t");
  for (unsigned i = 0; i < 20; i++) {
    g_autoptr (GBytes) blob = new_blob (6 << 20, (uint8_t)i);
    g_autoptr (TestEisMessage) message = NULL;

    send_text (self, "t", json->str, blob);
    message = test_eis_reader_read (reader, 15000);
    g_assert_nonnull (message);
    g_assert_cmpstr (message->json, ==, json->str);
    g_assert_true (g_bytes_equal (message->blob, blob));
  }
}

static void
test_subscriptions_match_by_prefix (Fixture *self, gconstpointer data)
{
  static const struct {
    const char *prefix;
    const char *topics; /* that arrive, of cam, cam1, cam10, dog */
  } cases[] = {
      {"cam1", "cam1 cam10 "},
      {"cam", "cam cam1 cam10 "},
      {"", "cam cam1 cam10 dog "},
      {"dog", "dog "},
  };
  static const char *const topics[] = {"cam", "cam1", "cam10", "dog"};

  for (unsigned i = 0; i < G_N_ELEMENTS (cases); i++) {
    const TestEisReaderOptions options = {.topic_prefix = cases[i].prefix};
    g_autoptr (TestEisReader) reader =
        test_eis_reader_new (self->settings.endpoint, &options);
    g_autoptr (GString) got = g_string_new (NULL);

    join (self, reader,
        strcmp (cases[i].prefix, "") != 0 ? cases[i].prefix : "x");
    for (unsigned j = 0; j < G_N_ELEMENTS (topics); j++)
      send_text (self, topics[j], "{}", NULL);
    while (strcmp (got->str, cases[i].topics) != 0) {
      g_autoptr (TestEisMessage) message = test_eis_reader_read (reader, 15000);

      g_assert_nonnull (message);
      g_string_append_printf (got, "%s ", message->topic);
    }
  }
}

/* ---- Coming and going ---------------------------------------------------- */

static gboolean
opens (void *data)
{
  Fixture *self = data;

  return vigil_eis_socket_open (self->socket, self->message_bytes);
}

static void
test_publisher_restarts (Fixture *self, gconstpointer data)
{
  g_autoptr (TestEisReader) reader =
      test_eis_reader_new (self->settings.endpoint, NULL);

  for (unsigned i = 0; i < 3; i++) {
    g_assert_true (vigil_fixture_wait_until (opens, self, OPEN_MS));
    join (self, reader, "t");
    vigil_eis_socket_free (self->socket, 0);
    self->socket =
        vigil_eis_socket_new (self->context, self->zap, &self->settings);
  }
}

static void
test_subscriber_restarts (Fixture *self, gconstpointer data)
{
  for (unsigned i = 0; i < 3; i++) {
    g_autoptr (TestEisReader) reader =
        test_eis_reader_new (self->settings.endpoint, NULL);

    join (self, reader, "t");
  }
}

static void
test_a_taken_port_is_tried_again (Fixture *self, gconstpointer data)
{
  void *other = zmq_socket (self->context, ZMQ_PUB);
  VigilEisSocketStatus status;
  int64_t tried_us;
  gboolean is_accepting;
  int64_t passed_ms;

  g_assert_cmpint (zmq_bind (other, self->settings.endpoint), ==, 0);
  tried_us = g_get_monotonic_time ();
  g_assert_false (vigil_eis_socket_open (self->socket, 100));
  is_accepting = vigil_eis_socket_is_accepting (self->socket);
  vigil_eis_socket_get_status (self->socket, &status);
  passed_ms = (g_get_monotonic_time () - tried_us) / 1000 + 1;
  /* a second after the attempt */
  g_assert_true (!is_accepting || passed_ms >= 1000);
  g_assert_cmpint (status.next_retry_ms + passed_ms, >=, 1000);
  g_assert_cmpint (status.next_retry_ms, <=, 1000);
  g_assert_cmpstr (status.state, ==, "retrying");
  g_assert_cmpstr (status.last_error, !=, "");
  g_assert_true (strstr (status.last_error, "in use") != NULL);
  zmq_close (other);
  g_assert_true (vigil_fixture_wait_until (opens, self, OPEN_MS));
  vigil_eis_socket_get_status (self->socket, &status);
  g_assert_cmpstr (status.state, ==, "open");
  g_assert_cmpint (status.next_retry_ms, ==, -1);
  g_assert_cmpuint (status.opens, ==, 1);
}

static void
test_nothing_is_sent_before_it_opens (Fixture *self, gconstpointer data)
{
  g_autoptr (GBytes) json = g_bytes_new_static ("{}", 2);
  VigilEisSocketStatus status;
  int64_t opened_us;

  g_assert_true (vigil_eis_socket_is_accepting (self->socket));
  g_assert_cmpint (vigil_eis_socket_get_ready_us (self->socket), ==, 0);
  g_assert_false (vigil_eis_socket_send (self->socket, "t", json, NULL));
  vigil_eis_socket_get_status (self->socket, &status);
  g_assert_cmpstr (status.state, ==, "waiting");
  opened_us = g_get_monotonic_time ();
  g_assert_true (opens (self));
  g_assert_cmpint (
      vigil_eis_socket_get_ready_us (self->socket), >, opened_us + 200 * 1000);
}

/* ---- Slow subscribers ---------------------------------------------------- */

static void
test_the_mark_follows_the_size (Fixture *self, gconstpointer data)
{
  static const struct {
    size_t bytes;
    int mark;
  } cases[] = {{1, 1000}, {32 << 10, 1000}, {1 << 20, 32}, {6220800, 5},
      {32 << 20, 4}, {1 << 30, 4}};

  for (unsigned i = 0; i < G_N_ELEMENTS (cases); i++) {
    VigilEisSocketStatus status;

    vigil_eis_socket_free (self->socket, 0);
    self->socket =
        vigil_eis_socket_new (self->context, self->zap, &self->settings);
    self->message_bytes = cases[i].bytes;
    g_assert_true (vigil_fixture_wait_until (opens, self, OPEN_MS));
    vigil_eis_socket_get_status (self->socket, &status);
    g_assert_cmpint (status.high_water_mark, ==, cases[i].mark);
  }
}

static void
test_larger_messages_lower_the_mark (Fixture *self, gconstpointer data)
{
  g_autoptr (TestEisReader) reader =
      test_eis_reader_new (self->settings.endpoint, NULL);
  VigilEisSocketStatus status;

  join (self, reader, "t");
  self->message_bytes = 8 << 20;
  g_assert_true (vigil_fixture_wait_until (opens, self, OPEN_MS));
  vigil_eis_socket_get_status (self->socket, &status);
  g_assert_cmpint (status.high_water_mark, ==, 4);
  g_assert_cmpuint (status.opens, ==, 2);
  /* and the subscriber comes back */
  join (self, reader, "t");
  vigil_eis_socket_get_status (self->socket, &status);
  g_assert_cmpuint (status.opens, ==, 2);
}

/* Pictures of one stream differ; subscribers must not feel it. */
static void
test_a_stream_keeps_its_socket (Fixture *self, gconstpointer data)
{
  VigilEisSocketStatus status;

  for (unsigned i = 0; i < 100; i++)
    g_assert_true (
        vigil_eis_socket_open (self->socket, (300 + i * 37 % 900) << 10));
  vigil_eis_socket_get_status (self->socket, &status);
  g_assert_cmpuint (status.opens, ==, 1);
}

static int blobs_alive; /* atomic */

static void
free_blob (void *memory)
{
  g_atomic_int_add (&blobs_alive, -1);
  g_free (memory);
}

/* A subscriber that reads nothing beside one that reads all: the caller is
 * never held, memory is bounded, the healthy one misses nothing. */
static void
test_a_stalled_subscriber (Fixture *self, gconstpointer data)
{
  enum { BYTES = 100000, MESSAGES = 1500, MARK = 20 };
  const TestEisReaderOptions stalled_options = {
      .receive_mark = 1, .receive_buffer = 4096};
  g_autoptr (TestEisReader) healthy =
      test_eis_reader_new (self->settings.endpoint, NULL);
  g_autoptr (TestEisReader) stalled = NULL;
  int64_t slowest_us = 0;
  int most_alive = 0;

  self->settings.max_bytes = 2 * MARK * BYTES;
  g_assert_true (vigil_eis_socket_open (self->socket, BYTES));
  join (self, healthy, "t");
  stalled = test_eis_reader_new (self->settings.endpoint, &stalled_options);
  join (self, stalled, "t");
  /* what was sent for the stalled one came to the healthy one too */
  join (self, healthy, "t");
  for (int i = 0; i < MESSAGES; i++) {
    g_autofree char *text = g_strdup_printf ("{\"n\":%d}", i);
    void *memory = g_malloc (BYTES);
    g_autoptr (GBytes) blob =
        g_bytes_new_with_free_func (memory, BYTES, free_blob, memory);
    g_autoptr (GBytes) json = g_bytes_new (text, strlen (text));
    g_autoptr (TestEisMessage) message = NULL;
    int64_t start_us;

    memset (memory, i, BYTES);
    g_atomic_int_inc (&blobs_alive);
    start_us = g_get_monotonic_time ();
    g_assert_true (vigil_eis_socket_send (self->socket, "t", json, blob));
    slowest_us = MAX (slowest_us, g_get_monotonic_time () - start_us);
    most_alive = MAX (most_alive, g_atomic_int_get (&blobs_alive));
    message = test_eis_reader_read (healthy, 15000);
    g_assert_nonnull (message);
    g_assert_cmpstr (message->json, ==, text);
  }
  g_test_message (
      "slowest send %d us, at most %d blobs kept", (int)slowest_us, most_alive);
  /* two in the hands of each connection beside the queue */
  g_assert_cmpint (most_alive, <=, MARK + 6);
  /* a send has nothing to wait for; a busy machine may take its turn */
  g_assert_cmpint (slowest_us, <, 5 * G_USEC_PER_SEC);
}

typedef struct {
  Fixture *fixture;
  unsigned number;
} Sender;

static void *
send_many (void *data)
{
  const Sender *self = data;

  for (unsigned i = 0; i < 300; i++) {
    g_autofree char *text =
        g_strdup_printf ("{\"sender\":%u,\"n\":%u}", self->number, i);
    g_autoptr (GBytes) blob = new_blob (3000, (uint8_t)self->number);

    send_text (self->fixture, "t", text, blob);
  }
  return NULL;
}

/* Several instances on one socket: whole messages, each sender's in order. */
static void
test_threads_share_the_socket (Fixture *self, gconstpointer data)
{
  enum { SENDERS = 3 };
  g_autoptr (TestEisReader) reader =
      test_eis_reader_new (self->settings.endpoint, NULL);
  Sender senders[SENDERS];
  GThread *threads[SENDERS];
  unsigned next[SENDERS] = {0};

  join (self, reader, "t");
  for (unsigned i = 0; i < SENDERS; i++) {
    senders[i] = (Sender){self, i};
    threads[i] = g_thread_new ("sender", send_many, &senders[i]);
  }
  for (unsigned i = 0; i < SENDERS * 300; i++) {
    g_autoptr (TestEisMessage) message = test_eis_reader_read (reader, 15000);
    unsigned sender, number;

    g_assert_nonnull (message);
    g_assert_cmpint (
        sscanf (message->json, "{\"sender\":%u,\"n\":%u}", &sender, &number),
        ==, 2);
    g_assert_cmpuint (number, ==, next[sender]);
    next[sender]++;
    g_assert_cmpuint (
        *(const uint8_t *)g_bytes_get_data (message->blob, NULL), ==, sender);
  }
  for (unsigned i = 0; i < SENDERS; i++)
    g_thread_join (threads[i]);
}

/* ---- IPC, broker --------------------------------------------------------- */

static void
use_ipc (Fixture *self, int mode)
{
  g_free (self->settings.endpoint);
  self->settings.socket_path =
      g_build_filename (self->base.folder, "topic", NULL);
  self->settings.endpoint =
      g_strconcat ("ipc://", self->settings.socket_path, NULL);
  self->settings.socket_mode = mode;
}

static void
test_ipc_and_its_mode (Fixture *self, gconstpointer data)
{
  g_autoptr (TestEisReader) reader = NULL;
  struct stat status;

  use_ipc (self, 0620);
  reader = test_eis_reader_new (self->settings.endpoint, NULL);
  join (self, reader, "t");
  g_assert_cmpint (stat (self->settings.socket_path, &status), ==, 0);
  g_assert_true (S_ISSOCK (status.st_mode));
  g_assert_cmpint (status.st_mode & 0777, ==, 0620);
}

static void
test_ipc_without_folder (Fixture *self, gconstpointer data)
{
  VigilEisSocketStatus status;

  use_ipc (self, -1);
  g_assert_cmpint (g_rmdir (self->base.folder), ==, 0);
  g_assert_false (vigil_eis_socket_open (self->socket, 10));
  vigil_eis_socket_get_status (self->socket, &status);
  g_assert_true (strstr (status.last_error, "No such file") != NULL);
  g_assert_cmpint (g_mkdir (self->base.folder, 0700), ==, 0);
  g_assert_true (vigil_fixture_wait_until (opens, self, OPEN_MS));
}

typedef struct {
  void *context;
  void *front, *back;
  char *front_endpoint, *back_endpoint;
  GThread *thread;
} Broker;

static void *
run_broker (void *data)
{
  Broker *self = data;

  zmq_proxy (self->front, self->back, NULL);
  zmq_close (self->front);
  zmq_close (self->back);
  return NULL;
}

/* ZmqBroker's sockets: XSUB towards publishers, XPUB towards subscribers. */
static void
start_broker (Broker *self, const char *secret_key)
{
  const int yes = 1, no_linger = 0;

  self->context = zmq_ctx_new ();
  self->front = zmq_socket (self->context, ZMQ_XSUB);
  self->back = zmq_socket (self->context, ZMQ_XPUB);
  zmq_setsockopt (self->front, ZMQ_LINGER, &no_linger, sizeof (no_linger));
  zmq_setsockopt (self->back, ZMQ_LINGER, &no_linger, sizeof (no_linger));
  if (secret_key != NULL) {
    zmq_setsockopt (self->front, ZMQ_CURVE_SERVER, &yes, sizeof (yes));
    zmq_setsockopt (self->front, ZMQ_CURVE_SECRETKEY, secret_key, 40);
  }
  self->front_endpoint = g_strdup_printf (
      "tcp://%s:%u", vigil_fixture_get_address (), vigil_fixture_find_port ());
  self->back_endpoint = g_strdup_printf (
      "tcp://%s:%u", vigil_fixture_get_address (), vigil_fixture_find_port ());
  g_assert_cmpint (zmq_bind (self->front, self->front_endpoint), ==, 0);
  g_assert_cmpint (zmq_bind (self->back, self->back_endpoint), ==, 0);
  self->thread = g_thread_new ("broker", run_broker, self);
}

static void
stop_broker (Broker *self)
{
  zmq_ctx_shutdown (self->context);
  g_thread_join (self->thread);
  zmq_ctx_term (self->context);
  g_free (self->front_endpoint);
  g_free (self->back_endpoint);
}

static void
test_broker (Fixture *self, gconstpointer data)
{
  const gboolean is_secured = GPOINTER_TO_INT (data);
  char broker_secret[VIGIL_EIS_KEY_SIZE];
  TestEisReader *reader;
  Broker broker;

  zmq_curve_keypair (self->settings.server_key, broker_secret);
  zmq_curve_keypair (self->settings.public_key, self->settings.secret_key);
  start_broker (&broker, is_secured ? broker_secret : NULL);
  g_free (self->settings.endpoint);
  self->settings.endpoint = g_strdup (broker.front_endpoint);
  self->settings.is_brokered = TRUE;
  self->settings.is_secured = is_secured;
  reader = test_eis_reader_new (broker.back_endpoint, NULL);
  join (self, reader, "t");
  test_eis_reader_free (reader);
  vigil_eis_socket_free (g_steal_pointer (&self->socket), 0);
  stop_broker (&broker);
}

/* ---- Keys ---------------------------------------------------------------- */

typedef struct {
  char secret[VIGIL_EIS_KEY_SIZE], public[VIGIL_EIS_KEY_SIZE];
} KeyPair;

static void
test_curve (Fixture *self, gconstpointer data)
{
  KeyPair server, friend, stranger;
  char *allowed[] = {friend.public, NULL};
  TestEisReaderOptions good, wrong_server, not_allowed, plain = {0};

  zmq_curve_keypair (server.public, server.secret);
  zmq_curve_keypair (friend.public, friend.secret);
  zmq_curve_keypair (stranger.public, stranger.secret);
  self->settings.is_secured = TRUE;
  self->settings.allowed = allowed;
  memcpy (self->settings.secret_key, server.secret, VIGIL_EIS_KEY_SIZE);
  good = (TestEisReaderOptions){.server_key = server.public,
      .public_key = friend.public,
      .secret_key = friend.secret};
  wrong_server = good;
  wrong_server.server_key = stranger.public;
  not_allowed = good;
  not_allowed.public_key = stranger.public;
  not_allowed.secret_key = stranger.secret;
  {
    const char *endpoint = self->settings.endpoint;
    g_autoptr (TestEisReader) reader = test_eis_reader_new (endpoint, &good);
    g_autoptr (TestEisReader) first =
        test_eis_reader_new (endpoint, &wrong_server);
    g_autoptr (TestEisReader) second =
        test_eis_reader_new (endpoint, &not_allowed);
    g_autoptr (TestEisReader) third = test_eis_reader_new (endpoint, &plain);

    /* three times the reader joins: the others had every chance, too */
    for (unsigned i = 0; i < 3; i++)
      join (self, reader, "t");
    g_assert_null (test_eis_reader_read (first, 200));
    g_assert_null (test_eis_reader_read (second, 0));
    g_assert_null (test_eis_reader_read (third, 0));
    /* and the publisher lives on */
    join (self, reader, "t");
  }
}

static void
test_curve_towards_a_plain_publisher (Fixture *self, gconstpointer data)
{
  KeyPair server, client;
  TestEisReaderOptions options;
  g_autoptr (TestEisReader) plain =
      test_eis_reader_new (self->settings.endpoint, NULL);
  g_autoptr (TestEisReader) secured = NULL;

  zmq_curve_keypair (server.public, server.secret);
  zmq_curve_keypair (client.public, client.secret);
  options = (TestEisReaderOptions){.server_key = server.public,
      .public_key = client.public,
      .secret_key = client.secret};
  secured = test_eis_reader_new (self->settings.endpoint, &options);
  for (unsigned i = 0; i < 3; i++)
    join (self, plain, "t");
  g_assert_null (test_eis_reader_read (secured, 200));
}

static void
test_curve_for_everybody (Fixture *self, gconstpointer data)
{
  KeyPair server, client;
  TestEisReaderOptions options;
  g_autoptr (TestEisReader) reader = NULL;

  zmq_curve_keypair (server.public, server.secret);
  zmq_curve_keypair (client.public, client.secret);
  self->settings.is_secured = TRUE;
  memcpy (self->settings.secret_key, server.secret, VIGIL_EIS_KEY_SIZE);
  options = (TestEisReaderOptions){.server_key = server.public,
      .public_key = client.public,
      .secret_key = client.secret};
  reader = test_eis_reader_new (self->settings.endpoint, &options);
  join (self, reader, "t");
}

static void
add (const char *path, gconstpointer data,
    void (*function) (Fixture *self, gconstpointer data))
{
  g_autofree char *full = g_strconcat ("/eis-socket/", path, NULL);

  g_test_add (full, Fixture, data, set_up, function, tear_down);
}

int
main (int argc, char **argv)
{
  vigil_fixture_init (&argc, &argv, 40);
  add ("frames/json", NULL, test_frames_of_json);
  add ("frames/json-and-blob", NULL, test_frames_of_json_and_blob);
  add ("frames/empty-topic", NULL, test_empty_topic_and_empty_blob);
  add ("frames/large", NULL, test_large_parts_are_kept_not_copied);
  add ("prefixes", NULL, test_subscriptions_match_by_prefix);
  add ("publisher-restarts", NULL, test_publisher_restarts);
  add ("subscriber-restarts", NULL, test_subscriber_restarts);
  add ("taken-port", NULL, test_a_taken_port_is_tried_again);
  add ("before-it-opens", NULL, test_nothing_is_sent_before_it_opens);
  add ("mark/follows-the-size", NULL, test_the_mark_follows_the_size);
  add ("mark/stays", NULL, test_a_stream_keeps_its_socket);
  add ("mark/is-lowered", NULL, test_larger_messages_lower_the_mark);
  add ("stalled-subscriber", NULL, test_a_stalled_subscriber);
  add ("threads", NULL, test_threads_share_the_socket);
  add ("ipc/mode", NULL, test_ipc_and_its_mode);
  add ("ipc/no-folder", NULL, test_ipc_without_folder);
  add ("broker/plain", GINT_TO_POINTER (FALSE), test_broker);
  add ("broker/curve", GINT_TO_POINTER (TRUE), test_broker);
  add ("curve/allowed-and-not", NULL, test_curve);
  add ("curve/plain-publisher", NULL, test_curve_towards_a_plain_publisher);
  add ("curve/everybody", NULL, test_curve_for_everybody);
  return g_test_run ();
}
