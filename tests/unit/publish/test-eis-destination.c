/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"
#include "common/eis-reader.h"
#include "common/fixture.h"
#include "publish/destination.h"
#include <string.h>
#include <zmq.h>

typedef struct {
  VigilFixture base;
  VigilEnvironment *environment;
  VigilProblems *problems;
  VigilJson *interfaces;
  VigilEisBus *bus;
  char *endpoint;
  VigilDestination *destination;
} Fixture;

static void
set_up (Fixture *self, gconstpointer data)
{
  const unsigned port = vigil_fixture_find_port ();
  const char *address = vigil_fixture_get_address ();
  g_autofree char *text = g_strdup_printf (
      "{\"Publishers\":[{\"Name\":\"default\",\"Type\":\"zmq_tcp\","
      "\"EndPoint\":\"%s:%u\",\"Topics\":[\"results\"]},"
      "{\"Name\":\"second\",\"Type\":\"zmq_tcp\",\"EndPoint\":\"%s:%u\","
      "\"Topics\":[\"others\"]}]}",
      address, port, address, port);
  const char *environment = data != NULL ? data : "";

  vigil_fixture_set_up (&self->base, data);
  self->interfaces = vigil_json_parse (text, -1, 1 << 20, 64, NULL);
  self->environment =
      vigil_environment_parse (environment, strlen (environment), ".env", NULL);
  self->problems = vigil_problems_new ();
  self->bus = vigil_eis_bus_new (
      self->interfaces, self->environment, NULL, self->problems);
  g_assert_cmpuint (vigil_problems_get_size (self->problems), ==, 0);
  self->endpoint = g_strdup_printf ("tcp://%s:%u", address, port);
}

static void
tear_down (Fixture *self, gconstpointer data)
{
  vigil_destination_free (self->destination);
  vigil_eis_bus_free (self->bus, 0);
  vigil_json_unref (self->interfaces);
  vigil_problems_free (self->problems);
  vigil_environment_free (self->environment);
  g_free (self->endpoint);
  vigil_fixture_tear_down (&self->base, data);
}

static VigilDestination *
new_destination (Fixture *self, const char *text, GError **error)
{
  g_autoptr (VigilJson) settings =
      vigil_json_parse (text, -1, 1 << 20, 64, NULL);
  const VigilDestinationContext context = {
      .environment = self->environment,
      .pipeline_name = "people",
      .eis_bus = self->bus,
  };

  return vigil_destination_new (
      vigil_destination_find ("eis"), NULL, settings, &context, error);
}

static void
start (Fixture *self, const char *text)
{
  g_autoptr (GError) error = NULL;

  self->destination = new_destination (self, text, &error);
  g_assert_no_error (error);
  g_assert_true (vigil_destination_start (self->destination, &error));
  g_assert_no_error (error);
}

static VigilMessage *
new_message (const char *json, const char *frame, gboolean is_borrowed)
{
  return vigil_message_new (g_bytes_new (json, strlen (json)),
      frame != NULL ? g_bytes_new (frame, strlen (frame)) : NULL, is_borrowed,
      "image/jpeg", 1);
}

static void
send_sync (const char *json, void *socket)
{
  g_autoptr (GBytes) bytes = g_bytes_new (json, strlen (json));

  /* as large as any message here: it must not be opened anew */
  g_assert_true (vigil_eis_socket_open (socket, 1 << 20));
  g_assert_true (vigil_eis_socket_send (socket, "sync", bytes, NULL));
}

/* Another one opens the endpoint, and waits until the reader has come. */
static void
join (Fixture *self, TestEisReader *reader)
{
  g_autoptr (GError) error = NULL;
  VigilEisSocket *socket = vigil_eis_bus_get_socket (
      self->bus, vigil_eis_bus_find (self->bus, NULL), &error);

  g_assert_no_error (error);
  test_eis_reader_join (reader, send_sync, socket);
}

/* As for a source that is not live: waits for subscribers to come. */
static void
send_json (Fixture *self, const char *json, const char *frame)
{
  g_autoptr (VigilMessage) message = new_message (json, frame, FALSE);

  vigil_destination_send (self->destination, message, G_MAXINT64);
}

static void
assert_counts (Fixture *self, uint64_t published, uint64_t dropped)
{
  VigilDestinationStatus status;
  uint64_t all_dropped = 0;

  vigil_destination_get_status (self->destination, &status);
  for (unsigned i = 0; i < status.dropped_size; i++)
    all_dropped += status.dropped[i].count;
  g_assert_cmpuint (status.published, ==, published);
  g_assert_cmpuint (all_dropped, ==, dropped);
  g_assert_cmpuint (status.offered, ==, published + dropped);
  g_assert_cmpuint (status.queued + status.in_flight, ==, 0);
}

/* The endpoint is closed; the next message opens it anew. */
static void
close_endpoint (Fixture *self)
{
  g_clear_pointer (&self->destination, vigil_destination_free);
  vigil_eis_bus_free (self->bus, 0);
  self->bus = vigil_eis_bus_new (
      self->interfaces, self->environment, NULL, self->problems);
}

static void
send_number (Fixture *self, unsigned number)
{
  g_autofree char *text = g_strdup_printf ("{\"frame_id\":%u}", number);
  g_autofree char *frame = g_strdup_printf ("picture %u", number);

  send_json (self, text, frame);
}

static unsigned
read_number (const TestEisMessage *message)
{
  g_autofree char *frame = NULL;
  unsigned number;

  g_assert_cmpstr (message->topic, ==, "results");
  g_assert_cmpint (sscanf (message->json, "{\"frame_id\":%u}", &number), ==, 1);
  frame = g_strdup_printf ("picture %u", number);
  g_assert_cmpmem (g_bytes_get_data (message->blob, NULL),
      g_bytes_get_size (message->blob), frame, strlen (frame));
  return number;
}

/* Returns: how many of the first messages a subscriber missed that was there
 * before the publisher; it has got all the others. */
static unsigned
count_missed (Fixture *self)
{
  g_autoptr (TestEisReader) reader = test_eis_reader_new (self->endpoint, NULL);
  g_autoptr (TestEisMessage) first = NULL;
  unsigned sent = 0;
  unsigned missed;

  start (self, "{\"publish_frame\":true}");
  while (first == NULL) {
    send_number (self, sent++);
    first = test_eis_reader_read (reader, 20);
  }
  missed = read_number (first);
  for (unsigned i = missed + 1; i < missed + 50; i++) {
    g_autoptr (TestEisMessage) message = NULL;

    if (i == sent)
      send_number (self, sent++);
    message = test_eis_reader_read (reader, 15000);
    g_assert_nonnull (message);
    g_assert_cmpuint (read_number (message), ==, i);
  }
  assert_counts (self, sent, 0);
  return missed;
}

/* A subscriber that was there before the publisher gets all, from the first
 * message on. The best of some: on a busy machine it may need more than the
 * 250 ms that it is given; were it given none, it would miss some each time. */
static void
test_a_waiting_subscriber_gets_all (Fixture *self, gconstpointer data)
{
  unsigned missed = 1;

  for (unsigned i = 0; i < 20 && missed > 0; i++) {
    close_endpoint (self);
    missed = count_missed (self);
  }
  g_assert_cmpuint (missed, ==, 0);
}

static void
test_metadata_alone (Fixture *self, gconstpointer data)
{
  g_autoptr (TestEisReader) reader = test_eis_reader_new (self->endpoint, NULL);
  g_autoptr (TestEisMessage) message = NULL;

  join (self, reader);
  start (self, "{\"name\":\"second\"}");
  g_assert_false (vigil_destination_wants_frame (self->destination));
  /* another destination wanted the frame */
  send_json (self, "{\"a\":null,\"encoding_level\":85,\"b\":[1]}", "picture");
  message = test_eis_reader_read (reader, 15000);
  g_assert_nonnull (message);
  g_assert_cmpstr (message->topic, ==, "others");
  g_assert_cmpstr (message->json, ==, "{\"encoding_level\":85,\"b\":[1]}");
  g_assert_null (message->blob);
}

/* The pipeline's memory is not kept: it may change after the send. */
static void
test_borrowed_frames_are_copied (Fixture *self, gconstpointer data)
{
  enum { SIZE = 1 << 20 };
  g_autofree char *memory = g_malloc (SIZE);
  g_autoptr (TestEisReader) reader = test_eis_reader_new (self->endpoint, NULL);
  g_autoptr (VigilMessage) message = NULL;
  g_autoptr (TestEisMessage) read = NULL;
  const char *blob;

  memset (memory, 'a', SIZE);
  message = vigil_message_new (g_bytes_new_static ("{}", 2),
      g_bytes_new_static (memory, SIZE), TRUE, "image/jpeg", 1);
  join (self, reader);
  start (self, "{\"publish_frame\":true}");
  vigil_destination_send (self->destination, message, G_MAXINT64);
  memset (memory, 'b', SIZE);
  read = test_eis_reader_read (reader, 15000);
  g_assert_nonnull (read);
  blob = g_bytes_get_data (read->blob, NULL);
  for (unsigned i = 0; i < SIZE; i++)
    g_assert_cmpint (blob[i], ==, 'a');
}

static VigilMessage *
new_raw_message (VigilPixels pixels, const uint8_t *pixel_bytes, size_t size)
{
  g_autoptr (VigilFrame) frame = vigil_frame_new ();
  VigilMessage *message;

  frame->format = g_strdup (pixels == VIGIL_PIXELS_BGR ? "BGR" : "NV12");
  frame->pixels = pixels;
  frame->width = 3;
  frame->height = 2;
  frame->planes[0] = frame->planes[1] = pixel_bytes;
  frame->strides[0] = frame->strides[1] = 12;
  message = vigil_message_new (g_bytes_new_static ("{\"frame_id\":1}", 14),
      g_bytes_new_static (pixel_bytes, size), TRUE, "video/x-raw", 1);
  vigil_message_set_raw (message, frame);
  return message;
}

/* Width times height times three, in the order of the rows: what readers
 * shape an array of. */
static void
test_raw_frames_have_no_padding (Fixture *self, gconstpointer data)
{
  static const uint8_t padded[24] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 0, 0, 11, 12,
      13, 14, 15, 16, 17, 18, 19, 0, 0, 0};
  static const uint8_t packed[18] = {
      1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15, 16, 17, 18, 19};
  g_autoptr (VigilMessage) message =
      new_raw_message (VIGIL_PIXELS_BGR, padded, sizeof (padded));
  g_autoptr (TestEisReader) reader = test_eis_reader_new (self->endpoint, NULL);
  g_autoptr (TestEisMessage) read = NULL;

  join (self, reader);
  start (self, "{\"publish_frame\":true}");
  vigil_destination_send (self->destination, message, G_MAXINT64);
  read = test_eis_reader_read (reader, 15000);
  g_assert_nonnull (read);
  g_assert_nonnull (read->blob);
  g_assert_cmpmem (g_bytes_get_data (read->blob, NULL),
      g_bytes_get_size (read->blob), packed, sizeof (packed));
}

static void
test_other_raw_frames_stay_away (Fixture *self, gconstpointer data)
{
  static const uint8_t bytes[24];
  g_autoptr (VigilMessage) message =
      new_raw_message (VIGIL_PIXELS_NV12, bytes, sizeof (bytes));
  g_autoptr (TestEisReader) reader = test_eis_reader_new (self->endpoint, NULL);

  vigil_fixture_expect_warning ("vigil-publish", "*format NV12*want BGR*");
  join (self, reader);
  start (self, "{\"publish_frame\":true}");
  for (unsigned i = 0; i < 3; i++) {
    g_autoptr (TestEisMessage) read = NULL;

    vigil_destination_send (self->destination, message, G_MAXINT64);
    read = test_eis_reader_read (reader, 15000);
    g_assert_nonnull (read);
    g_assert_cmpstr (read->json, ==, "{\"frame_id\":1}");
    g_assert_null (read->blob);
  }
  g_assert_cmpuint (
      vigil_fixture_count_warnings ("*format NV12*want BGR*"), ==, 1);
}

/* How long the message that opens the socket takes. */
static int64_t
measure_first_send (Fixture *self)
{
  g_autoptr (VigilMessage) message = new_message ("{}", NULL, FALSE);
  int64_t start_us;

  close_endpoint (self);
  start (self, "{}");
  start_us = g_get_monotonic_time ();
  vigil_destination_send (self->destination, message, 0);
  assert_counts (self, 1, 0);
  return g_get_monotonic_time () - start_us;
}

/* The best of some: a wait for subscribers would be 250 ms in each. */
static void
test_live_never_waits (Fixture *self, gconstpointer data)
{
  int64_t shortest_us = G_MAXINT64;

  for (unsigned i = 0; i < 20 && shortest_us >= 150 * 1000; i++)
    shortest_us = measure_first_send (self);
  g_assert_cmpint (shortest_us, <, 150 * 1000);
}

typedef struct {
  VigilDestination *destination;
  int64_t ended_us;
} Stopping;

static void *
stop_destination (void *data)
{
  Stopping *self = data;

  vigil_destination_stop (self->destination, g_get_monotonic_time ());
  self->ended_us = g_get_monotonic_time ();
  return NULL;
}

/* Returns: when the stop was over, from the start of the send on. */
static int64_t
stop_during_a_send (Fixture *self)
{
  g_autoptr (VigilMessage) message = new_message ("{}", NULL, FALSE);
  Stopping stopping;
  GThread *thread;
  int64_t start_us;

  close_endpoint (self);
  start (self, "{}");
  stopping.destination = self->destination;
  start_us = g_get_monotonic_time ();
  thread = g_thread_new ("stop", stop_destination, &stopping);
  vigil_destination_send (self->destination, message, G_MAXINT64);
  g_thread_join (thread);
  vigil_destination_send (self->destination, message, G_MAXINT64);
  return stopping.ended_us - start_us;
}

/* A stop that came after the wait, for want of a processor, tells nothing. */
static void
test_stop_ends_the_wait (Fixture *self, gconstpointer data)
{
  while (stop_during_a_send (self) >= 250 * 1000)
    continue;
  assert_counts (self, 0, 2);
}

static void
test_a_taken_port_drops (Fixture *self, gconstpointer data)
{
  void *context = zmq_ctx_new ();
  void *other = zmq_socket (context, ZMQ_PUB);
  VigilDestinationStatus status;
  gboolean is_accepting;
  int64_t tried_us;

  g_assert_cmpint (zmq_bind (other, self->endpoint), ==, 0);
  start (self, "{}");
  g_assert_true (vigil_destination_is_accepting (self->destination));
  tried_us = g_get_monotonic_time ();
  send_json (self, "{}", NULL);
  is_accepting = vigil_destination_is_accepting (self->destination);
  /* until a second has passed */
  g_assert_true (
      !is_accepting || g_get_monotonic_time () - tried_us >= G_USEC_PER_SEC);
  vigil_destination_skip (self->destination);
  assert_counts (self, 0, 2);
  vigil_destination_get_status (self->destination, &status);
  g_assert_cmpstr (status.state, ==, "retrying");
  g_assert_cmpstr (status.last_error, !=, "");
  g_assert_cmpint (status.next_retry_ms, >=, 0);
  zmq_close (other);
  zmq_ctx_term (context);
}

/* Two instances on one socket; the one that stops does not close it. */
static void
test_instances_share_the_endpoint (Fixture *self, gconstpointer data)
{
  g_autoptr (TestEisReader) reader = test_eis_reader_new (self->endpoint, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (VigilDestination) other =
      new_destination (self, "{\"name\":\"second\"}", &error);
  g_autoptr (VigilMessage) message = new_message ("{}", NULL, FALSE);

  g_assert_no_error (error);
  g_assert_true (vigil_destination_start (other, &error));
  join (self, reader);
  start (self, "{}");
  for (unsigned i = 0; i < 4; i++) {
    g_autoptr (TestEisMessage) read = NULL;

    if (i == 3)
      vigil_destination_stop (other, g_get_monotonic_time ());
    vigil_destination_send (
        i == 1 ? other : self->destination, message, G_MAXINT64);
    read = test_eis_reader_read (reader, 15000);
    g_assert_nonnull (read);
    g_assert_cmpstr (read->topic, ==, i == 1 ? "others" : "results");
  }
}

static void
test_the_topic_with_the_pipelines_name (Fixture *self, gconstpointer data)
{
  g_autoptr (TestEisReader) reader = test_eis_reader_new (self->endpoint, NULL);
  g_autoptr (TestEisMessage) message = NULL;

  join (self, reader);
  start (self, "{}");
  send_json (self, "{}", NULL);
  message = test_eis_reader_read (reader, 15000);
  g_assert_nonnull (message);
  g_assert_cmpstr (message->topic, ==, "results_people");
}

static void
test_wrong_names (Fixture *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VigilJson) settings =
      vigil_json_parse ("{\"name\":\"third\"}", -1, 1 << 20, 64, NULL);
  const VigilDestinationContext context = {
      .environment = self->environment,
      .eis_bus = self->bus,
  };
  const VigilDestinationContext no_bus = {.environment = self->environment};

  g_assert_null (new_destination (self, "{\"name\":\"third\"}", &error));
  g_assert_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID);
  g_assert_cmpstr (error->message, ==,
      "'third': want a Name of interfaces.Publishers: default, second");
  vigil_destination_check (
      vigil_destination_find ("eis"), settings, "e", &context, self->problems);
  vigil_destination_check (
      vigil_destination_find ("eis"), settings, "e", &no_bus, self->problems);
  g_assert_cmpuint (vigil_problems_count_errors (self->problems), ==, 2);
  g_assert_cmpstr (vigil_problems_get (self->problems, 0)->path, ==, "e.name");
  g_assert_true (strstr (vigil_problems_get (self->problems, 1)->text,
                     "no usable entry in interfaces.Publishers") != NULL);
}

static void
add (const char *path, gconstpointer data,
    void (*function) (Fixture *self, gconstpointer data))
{
  g_autofree char *full = g_strconcat ("/eis-destination/", path, NULL);

  g_test_add (full, Fixture, data, set_up, function, tear_down);
}

int
main (int argc, char **argv)
{
  vigil_fixture_init (&argc, &argv, 0);
  add ("waiting-subscriber", NULL, test_a_waiting_subscriber_gets_all);
  add ("metadata-alone", NULL, test_metadata_alone);
  add ("borrowed-frames", NULL, test_borrowed_frames_are_copied);
  add ("raw/no-padding", NULL, test_raw_frames_have_no_padding);
  add ("raw/other-formats", NULL, test_other_raw_frames_stay_away);
  add ("live", NULL, test_live_never_waits);
  add ("stop", NULL, test_stop_ends_the_wait);
  add ("taken-port", NULL, test_a_taken_port_drops);
  add ("shared-endpoint", NULL, test_instances_share_the_endpoint);
  add ("pipeline-name", "APPEND_PIPELINE_NAME_TO_PUBLISHER_TOPIC=true\n",
      test_the_topic_with_the_pipelines_name);
  add ("wrong-names", NULL, test_wrong_names);
  return g_test_run ();
}
