/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an MQTT subscriber sees. What holds for every kind of destination is
 * in the conformance suite.
 */
#include "common/broker.h"
#include "common/fixture.h"
#include "common/subscriber.h"
#include "encode/encoder.h"
#include "publish/destination.h"
#include <string.h>

typedef struct {
  VigilFixture parent;
  VigilEnvironment *environment;
  VigilBroker *broker;
  VigilSubscriber *subscriber;
  VigilDestination *destination;
} Fixture;

static void
set_up (Fixture *self, gconstpointer data)
{
  vigil_fixture_set_up (&self->parent, data);
  self->environment = vigil_environment_new (NULL, NULL);
  /* Larger packets end the connection. */
  self->broker = vigil_broker_new (&self->parent, 0, "max_packet_size 20000");
  self->subscriber =
      vigil_subscriber_new (vigil_broker_get_address (self->broker),
          vigil_broker_get_port (self->broker), "vigil/#", 2);
}

static void
tear_down (Fixture *self, gconstpointer data)
{
  vigil_destination_free (self->destination);
  vigil_subscriber_free (self->subscriber);
  vigil_broker_free (self->broker);
  vigil_environment_free (self->environment);
  vigil_fixture_tear_down (&self->parent, data);
}

/* @extra: more members, each with a comma before it. */
static void
start (Fixture *self, const char *extra)
{
  g_autofree char *text = g_strdup_printf (
      "{\"host\": \"%s\", \"port\": %u, \"topic\": \"vigil/a\"%s}",
      vigil_broker_get_address (self->broker),
      vigil_broker_get_port (self->broker), extra);
  g_autoptr (VigilJson) settings =
      vigil_json_parse (text, -1, 1 << 20, 16, NULL);
  const VigilDestinationContext context = {
      .environment = self->environment,
      .instance_id = "0123456789abcdef0123456789abcdef",
      .pipeline_name = "people",
  };
  g_autoptr (GError) error = NULL;

  self->destination = vigil_destination_new (
      vigil_destination_find ("mqtt"), NULL, settings, &context, &error);
  g_assert_no_error (error);
  vigil_destination_start (self->destination, &error);
  g_assert_no_error (error);
}

static void
send (Fixture *self, const char *metadata, const char *frame, uint64_t id)
{
  g_autoptr (VigilMessage) message =
      vigil_message_new (g_bytes_new (metadata, strlen (metadata)),
          frame != NULL ? g_bytes_new (frame, strlen (frame)) : NULL, FALSE,
          "image/jpeg", id);

  vigil_destination_send (
      self->destination, message, vigil_fixture_deadline (10000));
}

static void
assert_message (
    Fixture *self, unsigned index, const char *topic, const char *payload)
{
  g_autofree char *given_topic = NULL;
  g_autoptr (GBytes) given = NULL;

  g_assert_true (vigil_subscriber_wait (self->subscriber, index + 1, 10000));
  given_topic = vigil_subscriber_dup_topic (self->subscriber, index);
  given = vigil_subscriber_dup_payload (self->subscriber, index);
  g_assert_cmpstr (given_topic, ==, topic);
  g_assert_cmpmem (g_bytes_get_data (given, NULL), g_bytes_get_size (given),
      payload, strlen (payload));
}

typedef struct {
  const char *name;
  const char *extra;
  const char *topic;
  const char *payload;
  const char *second_topic; /* nullable */
  const char *second_payload;
} Case;

static const Case cases[] = {
    {"metadata", "", "vigil/a", "{\"a\":1}", NULL, NULL},
    {"array", ", \"publish_frame\": true", "vigil/a", "[{\"a\":1},\"YWJj\"]",
        NULL, NULL},
    {"object", ", \"publish_frame\": true, \"payload_format\": \"object\"",
        "vigil/a", "{\"metadata\":{\"a\":1},\"blob\":\"YWJj\"}", NULL, NULL},
    {"binary", ", \"publish_frame\": true, \"payload_format\": \"binary\"",
        "vigil/a/frame/42", "abc", "vigil/a", "{\"a\":1}"},
    {"binary-in-5",
        ", \"publish_frame\": true, \"payload_format\": \"binary\", "
        "\"protocol\": 5, \"qos\": 1",
        "vigil/a/frame/42", "abc", "vigil/a", "{\"a\":1}"},
    {"protocol-3", ", \"protocol\": 3", "vigil/a", "{\"a\":1}", NULL, NULL},
    {"qos-2-in-5", ", \"protocol\": 5, \"qos\": 2", "vigil/a", "{\"a\":1}",
        NULL, NULL},
};

static void
test_case (Fixture *self, gconstpointer data)
{
  const Case *test = data;

  start (self, test->extra);
  send (self, "{\"a\":1}", "abc", 42);
  assert_message (self, 0, test->topic, test->payload);
  if (test->second_topic != NULL)
    assert_message (self, 1, test->second_topic, test->second_payload);
}

/* Image and metadata are one message of the queue and of the counts. */
static void
test_binary_counts_once (Fixture *self, gconstpointer data)
{
  VigilDestinationStatus status;

  start (self, ", \"publish_frame\": true, \"payload_format\": \"binary\"");
  send (self, "{\"a\":1}", "abc", 1);
  send (self, "{\"a\":2}", NULL, 2);
  g_assert_true (vigil_subscriber_wait (self->subscriber, 3, 10000));
  assert_message (self, 2, "vigil/a", "{\"a\":2}");
  vigil_destination_stop (self->destination, vigil_fixture_deadline (5000));
  vigil_destination_get_status (self->destination, &status);
  g_assert_cmpuint (status.offered, ==, 2);
  g_assert_cmpuint (status.published, ==, 2);
}

/* A broker of MQTT 5 says what it takes: then the metadata goes alone. */
static void
test_oversize_is_reduced (Fixture *self, gconstpointer data)
{
  g_autofree char *frame = g_strnfill (30000, 'x');

  start (self, ", \"publish_frame\": true, \"protocol\": 5, \"qos\": 1");
  send (self, "{\"a\":1}", "abc", 1);
  assert_message (self, 0, "vigil/a", "[{\"a\":1},\"YWJj\"]");
  send (self, "{\"a\":2}", frame, 2);
  assert_message (self, 1, "vigil/a", "[{\"a\":2},\"\"]");
}

/* Noise, of which much can be saved. Returns: (transfer full). */
static GBytes *
make_jpeg (void)
{
  enum { SIDE = 120 };
  g_autofree uint8_t *noise = g_malloc (SIDE * SIDE * 3);
  g_autoptr (VigilFrame) frame = vigil_frame_new ();
  g_autoptr (VigilEncoder) encoder =
      vigil_encoder_new (vigil_encoder_find ("jpeg"), 95, NULL);
  g_autoptr (GRand) random = g_rand_new_with_seed (1);
  GBytes *jpeg;

  for (unsigned i = 0; i < SIDE * SIDE * 3; i++)
    noise[i] = (uint8_t)g_rand_int_range (random, 0, 256);
  frame->pixels = VIGIL_PIXELS_RGB;
  frame->width = frame->height = SIDE;
  frame->planes[0] = noise;
  frame->strides[0] = SIDE * 3;
  jpeg = vigil_encoder_encode (encoder, frame, NULL);
  g_assert_cmpuint (g_bytes_get_size (jpeg), >, 16000);
  return jpeg;
}

typedef struct {
  const char *name;
  const char *format;
  gboolean is_borrowed; /* from the pipeline: not ours to encode again */
} ShrinkCase;

static const ShrinkCase shrink_cases[] = {
    {"array", "array", FALSE},
    {"object", "object", FALSE},
    {"encoded-by-the-pipeline", "array", TRUE},
};

/* An image of ours is sent at a lower quality, and the metadata says so. */
static void
test_oversize_is_encoded_again (Fixture *self, gconstpointer data)
{
  const ShrinkCase *test = data;
  const char *metadata = "{\"encoding_level\":95,\"frame_id\":1}";
  g_autofree char *extra =
      g_strdup_printf (", \"publish_frame\": true, \"protocol\": 5, "
                       "\"qos\": 1, \"payload_format\": \"%s\"",
          test->format);
  g_autoptr (VigilMessage) message = NULL;
  g_autoptr (GBytes) payload = NULL;
  g_autoptr (VigilJson) tree = NULL;
  const VigilJson *part, *image;
  VigilDestinationStatus status;
  gsize size;
  const char *text;

  start (self, extra);
  send (self, "{\"a\":1}", "abc", 0);
  g_assert_true (vigil_subscriber_wait (self->subscriber, 1, 10000));
  message = vigil_message_new (g_bytes_new (metadata, strlen (metadata)),
      make_jpeg (), test->is_borrowed, "image/jpeg", 1);
  vigil_destination_send (
      self->destination, message, vigil_fixture_deadline (10000));
  g_assert_true (vigil_subscriber_wait (self->subscriber, 2, 10000));
  payload = vigil_subscriber_dup_payload (self->subscriber, 1);
  text = g_bytes_get_data (payload, &size);
  g_assert_cmpuint (size, <, 20000);
  tree = vigil_json_parse (text, (gssize)size, 1 << 20, 8, NULL);
  part = strcmp (test->format, "array") == 0
             ? vigil_json_array_get (tree, 0)
             : vigil_json_object_get (tree, "metadata");
  image = strcmp (test->format, "array") == 0
              ? vigil_json_array_get (tree, 1)
              : vigil_json_object_get (tree, "blob");
  if (test->is_borrowed) {
    g_assert_cmpstr (vigil_json_get_string (image), ==, "");
    return;
  }
  g_assert_cmpint (
      vigil_json_get_integer (vigil_json_object_get (part, "encoding_level")),
      <, 95);
  vigil_destination_get_status (self->destination, &status);
  g_assert_cmpuint (status.reduced, ==, 1);
  /* "/9j/" is how a JPEG begins. */
  g_assert_true (g_str_has_prefix (vigil_json_get_string (image), "/9j/"));
  g_assert_cmpuint (strlen (vigil_json_get_string (image)), >, 4000);
}

typedef struct {
  VigilDestination *destination;
  const char *reason;
} Dropped;

static gboolean
has_dropped (void *data)
{
  const Dropped *wanted = data;
  VigilDestinationStatus status;

  vigil_destination_get_status (wanted->destination, &status);
  for (unsigned i = 0; i < status.dropped_size; i++) {
    if (strcmp (status.dropped[i].reason, wanted->reason) == 0 &&
        status.dropped[i].count == 1)
      return TRUE;
  }
  return FALSE;
}

static void
test_oversize_is_dropped (Fixture *self, gconstpointer data)
{
  g_autofree char *frame = g_strnfill (30000, 'x');
  Dropped wanted = {.reason = "oversize"};

  vigil_fixture_allow_warning ("vigil-mqtt", "*");
  start (self, ", \"publish_frame\": true, \"protocol\": 5, \"qos\": 1, "
               "\"oversize\": \"drop\"");
  send (self, "{\"a\":1}", "abc", 1);
  assert_message (self, 0, "vigil/a", "[{\"a\":1},\"YWJj\"]");
  send (self, "{\"a\":2}", frame, 2);
  wanted.destination = self->destination;
  g_assert_true (vigil_fixture_wait_until (has_dropped, &wanted, 10000));
  send (self, "{\"a\":3}", "abc", 3);
  assert_message (self, 1, "vigil/a", "[{\"a\":3},\"YWJj\"]");
}

static void
add (const char *path, void (*function) (Fixture *self, gconstpointer data))
{
  g_test_add (path, Fixture, NULL, set_up, function, tear_down);
}

int
main (int argc, char **argv)
{
  vigil_fixture_init (&argc, &argv, 0);
  for (unsigned i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *path =
        g_strdup_printf ("/mqtt-destination/%s", cases[i].name);

    g_test_add (path, Fixture, &cases[i], set_up, test_case, tear_down);
  }
  add ("/mqtt-destination/binary-counts-once", test_binary_counts_once);
  for (unsigned i = 0; i < G_N_ELEMENTS (shrink_cases); i++) {
    g_autofree char *path = g_strdup_printf (
        "/mqtt-destination/oversize/again/%s", shrink_cases[i].name);

    g_test_add (path, Fixture, &shrink_cases[i], set_up,
        test_oversize_is_encoded_again, tear_down);
  }
  add ("/mqtt-destination/oversize/reduced", test_oversize_is_reduced);
  add ("/mqtt-destination/oversize/dropped", test_oversize_is_dropped);
  return g_test_run ();
}
