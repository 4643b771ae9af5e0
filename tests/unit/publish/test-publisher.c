/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/publisher.h"

#include "base/error.h"

#include "base/json.h"
#include "common/fake-destination.h"
#include "common/fixture.h"
#include <stdatomic.h>
#include <string.h>

typedef struct {
  VigilFixture parent;
  VigilEnvironment *environment;
  VigilPublisher *publisher;
  VigilEvent freed; /* frames given back */
} Fixture;

static void
set_up (Fixture *self, gconstpointer data)
{
  vigil_fixture_set_up (&self->parent, data);
  vigil_event_init (&self->freed);
  self->environment = vigil_environment_new (NULL, NULL);
}

static void
tear_down (Fixture *self, gconstpointer data)
{
  vigil_publisher_free (self->publisher);
  vigil_environment_free (self->environment);
  vigil_event_clear (&self->freed);
  vigil_fixture_tear_down (&self->parent, data);
}

static VigilJson *
parse (const char *text)
{
  g_autoptr (GError) error = NULL;
  VigilJson *value = vigil_json_parse (text, -1, 1 << 20, 32, &error);

  g_assert_no_error (error);
  return value;
}

/* A publisher of @entry without destinations. */
static void
make_publisher (Fixture *self, const char *entry, gboolean is_live)
{
  g_autoptr (VigilJson) tree = parse (entry);
  g_autoptr (GError) error = NULL;
  const VigilPublisherContext context = {
      .pipeline_name = "people",
      .instance_id = "0123456789abcdef0123456789abcdef",
      .environment = self->environment,
      .is_live = is_live,
  };

  self->publisher = vigil_publisher_new (tree, &context, &error);
  g_assert_no_error (error);
}

static FakeDestination *
add_fake (Fixture *self, const char *settings)
{
  g_autoptr (VigilJson) tree = parse (settings);
  g_autoptr (GError) error = NULL;

  vigil_publisher_add_destination (
      self->publisher, &fake_destination_ops, NULL, tree, NULL, &error);
  g_assert_no_error (error);
  return fake_destination_get ();
}

static void
start (Fixture *self)
{
  g_autoptr (GError) error = NULL;

  vigil_publisher_start (self->publisher, &error);
  g_assert_no_error (error);
}

static void
on_freed (void *event)
{
  vigil_event_raise (event);
}

static const uint8_t jpeg_bytes[] = {0xff, 0xd8, 0xff, 0xe0, 0xff, 0xd9};

/* As jpegenc makes them; the bytes are only looked at by their length. */
static VigilFrame *
make_frame (Fixture *self, uint64_t id)
{
  VigilFrame *frame = vigil_frame_new ();

  frame->caps = g_strdup ("image/jpeg, width=(int)64, height=(int)48");
  frame->media_type = g_strdup ("image/jpeg");
  frame->width = 64;
  frame->height = 48;
  frame->data = jpeg_bytes;
  frame->size = sizeof jpeg_bytes;
  frame->frame_id = id;
  frame->owner = self != NULL ? &self->freed : NULL;
  frame->free_owner = on_freed;
  return frame;
}

static VigilFrame *
make_raw_frame (Fixture *self, uint64_t id)
{
  static const uint8_t pixels[16 * 16 * 3];
  VigilFrame *frame = make_frame (self, id);

  g_free (frame->caps);
  g_free (frame->media_type);
  frame->caps = g_strdup ("video/x-raw, format=(string)RGB");
  frame->media_type = g_strdup ("video/x-raw");
  frame->format = g_strdup ("RGB");
  frame->pixels = VIGIL_PIXELS_RGB;
  frame->width = 16;
  frame->height = 16;
  frame->data = pixels;
  frame->size = sizeof pixels;
  frame->planes[0] = pixels;
  frame->strides[0] = 48;
  return frame;
}

static void
add_detection (VigilFrame *frame, const char *label, double confidence)
{
  VigilRegion *region = vigil_metadata_add_region (frame->metadata);
  VigilResult *result = vigil_metadata_add_result (region->results);

  region->label = g_strdup (label);
  region->width = 10;
  region->height = 10;
  result->name = g_intern_static_string ("detection");
  result->confidence = confidence;
  result->has_confidence = TRUE;
}

static VigilDestinationStatus
get_status (Fixture *self, unsigned index)
{
  VigilDestinationStatus status;
  const char *name;

  vigil_publisher_get_destination_status (
      self->publisher, index, &name, &status);
  return status;
}

static void
assert_equation (const VigilDestinationStatus *status)
{
  uint64_t sum = status->filtered + status->queued + status->in_flight +
                 status->published + status->acknowledged;

  for (unsigned i = 0; i < status->dropped_size; i++)
    sum += status->dropped[i].count;
  g_assert_cmpuint (status->offered, ==, sum);
  /* A difference taken the wrong way round is a very large number. */
  g_assert_cmpuint (status->queued, <=, 1);
}

static VigilJson *
get_metadata (FakeDestination *fake, unsigned index)
{
  g_autoptr (VigilMessage) message = fake_destination_dup (fake, index);
  gsize size;
  const char *text = g_bytes_get_data (message->metadata, &size);
  g_autoptr (GError) error = NULL;
  VigilJson *tree = vigil_json_parse (text, (gssize)size, 1 << 20, 64, &error);

  g_assert_no_error (error);
  return tree;
}

static int64_t
get_integer (const VigilJson *tree, const char *key)
{
  const VigilJson *value = vigil_json_object_get (tree, key);

  g_assert_nonnull (value);
  return vigil_json_get_integer (value);
}

/* ---- Order and flow ----------------------------------------------------- */

static void
test_in_order (Fixture *self, gconstpointer data)
{
  FakeDestination *fake;

  make_publisher (self, "{}", FALSE);
  fake = add_fake (self, "{}");
  start (self);
  for (uint64_t i = 0; i < 500; i++)
    vigil_publisher_push (self->publisher, make_frame (self, i));
  g_assert_true (fake_destination_wait (fake, 500, 10000));
  for (unsigned i = 0; i < 500; i++) {
    g_autoptr (VigilMessage) message = fake_destination_dup (fake, i);

    g_assert_cmpuint (message->frame_id, ==, i);
  }
  g_assert_true (vigil_event_wait (&self->freed, 500, 10000));
}

/* A file's frames wait for a destination that is slow. */
static void
test_not_live_waits (Fixture *self, gconstpointer data)
{
  FakeDestination *fake;
  VigilPublisherStatus status;
  VigilDestinationStatus destination;

  make_publisher (self, "{\"queue_maxsize\": 2}", FALSE);
  fake = add_fake (self, "{}");
  start (self);
  fake_destination_set_blocked (fake, TRUE);
  for (uint64_t i = 0; i < 3; i++)
    vigil_publisher_push (self->publisher, make_frame (self, i));
  g_assert_true (fake_destination_wait_blocked (fake, 10000));
  vigil_publisher_get_status (self->publisher, &status);
  g_assert_cmpuint (status.frames_waiting, ==, 2);
  /* The one that the worker is handing over waits as well. */
  destination = get_status (self, 0);
  assert_equation (&destination);
  g_assert_cmpuint (destination.offered, ==, 1);
  g_assert_cmpuint (destination.queued, ==, 1);
  fake_destination_set_blocked (fake, FALSE);
  g_assert_true (fake_destination_wait (fake, 3, 10000));
  vigil_publisher_stop (self->publisher, 1000);
  vigil_publisher_get_status (self->publisher, &status);
  g_assert_cmpuint (status.frames_dropped, ==, 0);
}

/* The worker is held by one destination's encode, so to say: here by the
 * instance's state, which the test keeps back. */
typedef struct {
  VigilEvent asked;
  VigilEvent allowed;
} Gate;

static void
wait_at_gate (void *data, VigilInstanceState *ret_state)
{
  Gate *gate = data;

  vigil_event_raise (&gate->asked);
  vigil_event_wait (&gate->allowed, 1, 10000);
  ret_state->state = "RUNNING";
}

static void
test_live_never_waits (Fixture *self, gconstpointer data)
{
  Gate gate;
  g_autoptr (VigilJson) entry = parse ("{\"queue_maxsize\": 3}");
  const VigilPublisherContext context = {
      .pipeline_name = "people",
      .instance_id = "id",
      .environment = self->environment,
      .is_live = TRUE,
      .get_instance_state = wait_at_gate,
      .user_data = &gate,
  };
  FakeDestination *fake;
  VigilPublisherStatus status;
  static const uint64_t expected[] = {0, 97, 98, 99};

  vigil_event_init (&gate.asked);
  vigil_event_init (&gate.allowed);
  self->publisher = vigil_publisher_new (entry, &context, NULL);
  fake = add_fake (self, "{}");
  start (self);
  vigil_publisher_push (self->publisher, make_frame (self, 0));
  g_assert_true (vigil_event_wait (&gate.asked, 1, 10000));
  for (uint64_t i = 1; i < 100; i++)
    vigil_publisher_push (self->publisher, make_frame (self, i));
  vigil_publisher_get_status (self->publisher, &status);
  g_assert_cmpuint (status.frames, ==, 100);
  g_assert_cmpuint (status.frames_waiting, ==, 3);
  g_assert_cmpuint (status.frames_dropped, ==, 96);
  vigil_event_raise (&gate.allowed);
  g_assert_true (fake_destination_wait (fake, 4, 10000));
  for (unsigned i = 0; i < 4; i++) {
    g_autoptr (VigilMessage) message = fake_destination_dup (fake, i);

    g_assert_cmpuint (message->frame_id, ==, expected[i]);
  }
  vigil_publisher_stop (self->publisher, 1000);
  vigil_event_clear (&gate.asked);
  vigil_event_clear (&gate.allowed);
}

/* ---- Frames ------------------------------------------------------------- */

static void
test_encoded_once_for_all (Fixture *self, gconstpointer data)
{
  FakeDestination *first, *second, *third;
  VigilPublisherStatus status;
  g_autoptr (VigilMessage) one = NULL;
  g_autoptr (VigilMessage) two = NULL;

  make_publisher (self, "{}", FALSE);
  first = add_fake (self, "{\"publish_frame\": true}");
  second = add_fake (self, "{\"publish_frame\": true}");
  third = add_fake (self, "{}");
  start (self);
  vigil_publisher_push (self->publisher, make_raw_frame (self, 0));
  g_assert_true (fake_destination_wait (third, 1, 10000));
  one = fake_destination_dup (first, 0);
  two = fake_destination_dup (second, 0);
  g_assert_true (one->frame != NULL && one->frame == two->frame);
  g_assert_false (one->frame_is_borrowed);
  g_assert_cmpstr (one->content_type, ==, "image/jpeg");
  vigil_publisher_get_status (self->publisher, &status);
  g_assert_cmpuint (status.encoded, ==, 1);
}

/* Nothing is encoded when nobody gets the frame. */
static void
test_not_encoded_in_vain (Fixture *self, gconstpointer data)
{
  FakeDestination *framed, *bare;
  VigilPublisherStatus status;

  make_publisher (self, "{}", FALSE);
  framed = add_fake (self,
      "{\"publish_frame\": true, \"filter\": {\"type\": \"detection\","
      "\"label_score\": {\"car\": 0.5}, \"skip_empty\": true}}");
  bare = add_fake (self, "{}");
  start (self);
  vigil_publisher_push (self->publisher, make_raw_frame (self, 0));
  g_assert_true (fake_destination_wait (bare, 1, 10000));
  fake_destination_set_accepting (framed, FALSE);
  vigil_publisher_push (self->publisher, make_raw_frame (self, 1));
  g_assert_true (fake_destination_wait (bare, 2, 10000));
  vigil_publisher_get_status (self->publisher, &status);
  g_assert_cmpuint (status.encoded, ==, 0);
  g_assert_cmpuint (fake_destination_count (framed), ==, 0);
  g_assert_cmpuint (get_status (self, 0).filtered, ==, 1);
  g_assert_cmpuint (fake_destination_count_skipped (framed), ==, 1);
}

static VigilFrame *
convert_to_rgb (const VigilFrame *frame, GError **error)
{
  VigilFrame *converted = make_raw_frame (NULL, frame->frame_id);

  converted->free_owner = NULL;
  return converted;
}

static VigilFrame *
fail_to_convert (const VigilFrame *frame, GError **error)
{
  g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_UNSUPPORTED, "no way from Y444");
  return NULL;
}

/* Publishes a frame of a format that the encoder does not know. Returns:
 * (transfer full). */
static VigilMessage *
publish_other (
    Fixture *self, VigilFrame *(*convert) (const VigilFrame *, GError **))
{
  FakeDestination *fake;
  VigilFrame *frame;

  make_publisher (self, "{}", FALSE);
  fake = add_fake (self, "{\"publish_frame\": true}");
  start (self);
  frame = make_raw_frame (self, 0);
  frame->pixels = VIGIL_PIXELS_OTHER;
  frame->convert = convert;
  vigil_publisher_push (self->publisher, frame);
  g_assert_true (fake_destination_wait (fake, 1, 10000));
  return fake_destination_dup (fake, 0);
}

static void
count_call (void *data, VigilInstanceState *ret_state)
{
  vigil_event_raise (data);
}

/* No metadata is written while nobody takes any. */
static void
test_nothing_for_nobody (Fixture *self, gconstpointer data)
{
  VigilEvent asked;
  g_autoptr (VigilJson) entry = parse ("{}");
  const VigilPublisherContext context = {
      .pipeline_name = "people",
      .instance_id = "id",
      .environment = self->environment,
      .get_instance_state = count_call,
      .user_data = &asked,
  };
  FakeDestination *fake;

  vigil_event_init (&asked);
  self->publisher = vigil_publisher_new (entry, &context, NULL);
  fake = add_fake (self, "{}");
  fake_destination_set_accepting (fake, FALSE);
  start (self);
  for (uint64_t i = 0; i < 5; i++)
    vigil_publisher_push (self->publisher, make_frame (self, i));
  vigil_publisher_stop (self->publisher, 10000);
  g_assert_cmpuint (fake_destination_count_skipped (fake), ==, 5);
  g_assert_cmpuint (vigil_event_get_count (&asked), ==, 0);
  vigil_event_clear (&asked);
}

static void
test_encode_error (Fixture *self, gconstpointer data)
{
  VigilPublisherStatus status;
  g_autoptr (VigilMessage) message = NULL;

  vigil_fixture_expect_warning (
      "vigil-publish", "*published without its picture*");
  message = publish_other (self, NULL);
  g_assert_null (message->frame);
  vigil_publisher_get_status (self->publisher, &status);
  g_assert_cmpuint (status.encode_errors, ==, 1);
  g_assert_cmpuint (status.encoded, ==, 0);
}

static void
test_converted (Fixture *self, gconstpointer data)
{
  g_autoptr (VigilMessage) message = publish_other (self, convert_to_rgb);

  g_assert_nonnull (message->frame);
}

static void
test_convert_error (Fixture *self, gconstpointer data)
{
  g_autoptr (VigilMessage) message = NULL;

  vigil_fixture_expect_warning (
      "vigil-publish", "*published without its picture: no way from Y444*");
  message = publish_other (self, fail_to_convert);
  g_assert_null (message->frame);
}

/* Encoded input goes through untouched, uncopied, and is given back. */
static void
test_passed_through (Fixture *self, gconstpointer data)
{
  FakeDestination *fake;
  VigilMessage *message;

  make_publisher (self, "{}", FALSE);
  fake = add_fake (self, "{\"publish_frame\": true}");
  start (self);
  vigil_publisher_push (self->publisher, make_frame (self, 0));
  g_assert_true (fake_destination_wait (fake, 1, 10000));
  message = fake_destination_dup (fake, 0);
  g_assert_true (g_bytes_get_data (message->frame, NULL) == jpeg_bytes);
  g_assert_true (message->frame_is_borrowed);
  g_assert_cmpstr (message->content_type, ==, "image/jpeg");
  g_assert_cmpuint (vigil_event_get_count (&self->freed), ==, 0);
  vigil_message_unref (message);
  g_clear_pointer (&self->publisher, vigil_publisher_free);
  g_assert_true (vigil_event_wait (&self->freed, 1, 10000));
}

typedef struct {
  const char *name;
  const char *entry;
  const char *destination;
  gboolean is_raw;
  const char *type; /* of the published bytes; NULL: keys absent */
  int level;
  const char *content_type; /* NULL: no bytes */
} ImageCase;

static const ImageCase image_cases[] = {
    {"jpeg-default", "{}", "{\"publish_frame\": true}", TRUE, "jpeg", 85,
        "image/jpeg"},
    {"jpeg-level", "{\"encoding\": {\"type\": \"JPEG\", \"level\": 0}}",
        "{\"publish_frame\": true}", TRUE, "jpeg", 0, "image/jpeg"},
    {"png", "{\"encoding\": {\"type\": \"png\", \"level\": 3}}",
        "{\"publish_frame\": true}", TRUE, "png", 3, "image/png"},
    {"raw", "{\"publish_raw_frame\": true}", "{\"publish_frame\": true}", TRUE,
        NULL, 0, "video/x-raw"},
    {"encoding-wins",
        "{\"publish_raw_frame\": true,"
        "\"encoding\": {\"type\": \"png\", \"level\": 1}}",
        "{\"publish_frame\": true}", TRUE, "png", 1, "image/png"},
    {"nobody-wants", "{}", "{}", TRUE, NULL, 0, NULL},
    {"encoded", "{}", "{\"publish_frame\": true}", FALSE, "jpeg", 85,
        "image/jpeg"},
    {"encoded-nobody-wants", "{}", "{}", FALSE, "jpeg", 85, NULL},
};

static void
test_image (Fixture *self, gconstpointer data)
{
  const ImageCase *test = data;
  FakeDestination *fake;
  g_autoptr (VigilMessage) message = NULL;
  g_autoptr (VigilJson) metadata = NULL;

  make_publisher (self, test->entry, FALSE);
  fake = add_fake (self, test->destination);
  start (self);
  vigil_publisher_push (self->publisher,
      test->is_raw ? make_raw_frame (self, 0) : make_frame (self, 0));
  g_assert_true (fake_destination_wait (fake, 1, 10000));
  message = fake_destination_dup (fake, 0);
  metadata = get_metadata (fake, 0);
  if (test->type == NULL) {
    g_assert_null (vigil_json_object_get (metadata, "encoding_type"));
    g_assert_null (vigil_json_object_get (metadata, "encoding_level"));
  } else {
    g_assert_cmpstr (vigil_json_get_string (
                         vigil_json_object_get (metadata, "encoding_type")),
        ==, test->type);
    g_assert_cmpint (get_integer (metadata, "encoding_level"), ==, test->level);
  }
  if (test->content_type == NULL) {
    g_assert_null (message->frame);
  } else {
    g_assert_nonnull (message->frame);
    g_assert_cmpstr (message->content_type, ==, test->content_type);
  }
  if (g_strcmp0 (test->content_type, "video/x-raw") == 0)
    g_assert_cmpuint (g_bytes_get_size (message->frame), ==, 16 * 16 * 3);
}

/* ---- Filters ------------------------------------------------------------ */

/* Each destination has its own view of the same frame. */
static void
test_filter_of_one (Fixture *self, gconstpointer data)
{
  FakeDestination *cars, *all;
  VigilFrame *frame;
  g_autoptr (VigilJson) filtered = NULL;
  g_autoptr (VigilJson) whole = NULL;

  make_publisher (self, "{}", FALSE);
  cars = add_fake (self, "{\"filter\": {\"type\": \"detection\","
                         "\"label_score\": {\"car\": 0.5}}}");
  all = add_fake (self, "{}");
  start (self);
  frame = make_frame (self, 0);
  add_detection (frame, "person", 0.9);
  add_detection (frame, "car", 0.8);
  vigil_publisher_push (self->publisher, frame);
  g_assert_true (fake_destination_wait (all, 1, 10000));
  filtered = get_metadata (cars, 0);
  whole = get_metadata (all, 0);
  g_assert_cmpuint (
      vigil_json_array_size (vigil_json_object_get (filtered, "objects")), ==,
      1);
  g_assert_cmpuint (
      vigil_json_array_size (vigil_json_object_get (whole, "objects")), ==, 2);
  frame = make_frame (self, 1);
  add_detection (frame, "person", 0.9);
  vigil_publisher_push (self->publisher, frame);
  g_assert_true (fake_destination_wait (all, 2, 10000));
  g_assert_cmpuint (fake_destination_count (cars), ==, 1);
  g_assert_cmpuint (get_status (self, 0).filtered, ==, 1);
}

/* ---- Stop --------------------------------------------------------------- */

static void
test_stop_flushes (Fixture *self, gconstpointer data)
{
  FakeDestination *fake;
  VigilPublisherStatus status;

  make_publisher (self, "{\"queue_maxsize\": 100}", TRUE);
  fake = add_fake (self, "{}");
  start (self);
  for (uint64_t i = 0; i < 100; i++)
    vigil_publisher_push (self->publisher, make_frame (self, i));
  vigil_publisher_stop (self->publisher, 10000);
  g_assert_cmpuint (fake_destination_count (fake), ==, 100);
  vigil_publisher_push (self->publisher, make_frame (self, 100));
  vigil_publisher_get_status (self->publisher, &status);
  g_assert_cmpuint (status.frames_dropped, ==, 1);
  g_assert_cmpuint (vigil_event_get_count (&self->freed), ==, 101);
}

/* A destination that never takes anything ends neither stop nor counts. */
static void
test_stop_ends_a_wait (Fixture *self, gconstpointer data)
{
  FakeDestination *fake;
  VigilPublisherStatus status;
  VigilDestinationStatus destination;
  int64_t start_us;

  make_publisher (self, "{\"queue_maxsize\": 4}", FALSE);
  fake = add_fake (self, "{}");
  start (self);
  fake_destination_set_blocked (fake, TRUE);
  for (uint64_t i = 0; i < 4; i++)
    vigil_publisher_push (self->publisher, make_frame (self, i));
  g_assert_true (fake_destination_wait_blocked (fake, 10000));
  start_us = g_get_monotonic_time ();
  vigil_publisher_stop (self->publisher, 50);
  g_assert_cmpint (g_get_monotonic_time () - start_us, <, 10 * G_USEC_PER_SEC);
  vigil_publisher_get_status (self->publisher, &status);
  destination = get_status (self, 0);
  assert_equation (&destination);
  g_assert_cmpuint (destination.offered + status.frames_dropped, ==, 4);
  g_assert_cmpuint (status.frames_waiting, ==, 0);
  g_assert_cmpuint (vigil_event_get_count (&self->freed), ==, 4);
}

static void *
push_one (void *data)
{
  Fixture *self = data;

  vigil_publisher_push (self->publisher, make_frame (self, 99));
  return NULL;
}

/* The streaming thread that waits for room gets away. */
static void
test_stop_ends_a_push (Fixture *self, gconstpointer data)
{
  FakeDestination *fake;
  pthread_t thread;

  make_publisher (self, "{\"queue_maxsize\": 1}", FALSE);
  fake = add_fake (self, "{}");
  start (self);
  fake_destination_set_blocked (fake, TRUE);
  vigil_publisher_push (self->publisher, make_frame (self, 0));
  g_assert_true (fake_destination_wait_blocked (fake, 10000));
  vigil_publisher_push (self->publisher, make_frame (self, 1));
  pthread_create (&thread, NULL, push_one, self);
  vigil_publisher_stop (self->publisher, 50);
  pthread_join (thread, NULL);
  g_assert_true (vigil_event_wait (&self->freed, 3, 10000));
}

static void
test_never_started (Fixture *self, gconstpointer data)
{
  make_publisher (self, "{}", TRUE);
  add_fake (self, "{}");
  vigil_publisher_push (self->publisher, make_frame (self, 0));
  g_clear_pointer (&self->publisher, vigil_publisher_free);
  g_assert_cmpuint (vigil_event_get_count (&self->freed), ==, 1);
}

/* ---- Counts ------------------------------------------------------------- */

static atomic_bool observing;

static void *
observe (void *data)
{
  Fixture *self = data;
  unsigned rounds = 0;

  while (atomic_load (&observing) || rounds == 0) {
    for (unsigned i = 0; i < 2; i++) {
      VigilDestinationStatus status = get_status (self, i);

      assert_equation (&status);
    }
    rounds++;
  }
  return NULL;
}

/* At every moment, while frames are pushed, filtered, dropped and sent, and
 * a destination goes away and comes back. */
static void
test_equation_under_load (Fixture *self, gconstpointer data)
{
  enum { FRAMES = 4000 };
  FakeDestination *filtered, *flapping;
  pthread_t threads[2];
  VigilPublisherStatus status;
  VigilDestinationStatus first, second;

  make_publisher (self, "{}", TRUE);
  filtered = add_fake (self, "{\"filter\": {\"type\": \"detection\","
                             "\"label_score\": {\"car\": 0.5}}}");
  flapping = add_fake (self, "{}");
  start (self);
  atomic_store (&observing, TRUE);
  for (unsigned i = 0; i < 2; i++)
    pthread_create (&threads[i], NULL, observe, self);
  for (uint64_t i = 0; i < FRAMES; i++) {
    VigilFrame *frame = make_frame (self, i);

    add_detection (frame, i % 3 == 0 ? "car" : "person", 0.7);
    fake_destination_set_accepting (flapping, i % 64 < 32);
    vigil_publisher_push (self->publisher, frame);
  }
  vigil_publisher_stop (self->publisher, 10000);
  atomic_store (&observing, FALSE);
  for (unsigned i = 0; i < 2; i++)
    pthread_join (threads[i], NULL);
  vigil_publisher_get_status (self->publisher, &status);
  first = get_status (self, 0);
  second = get_status (self, 1);
  g_assert_cmpuint (status.frames, ==, FRAMES);
  g_assert_cmpuint (first.offered, ==, FRAMES - status.frames_dropped);
  g_assert_cmpuint (second.offered, ==, first.offered);
  g_assert_cmpuint (first.published, ==, fake_destination_count (filtered));
  g_assert_cmpuint (first.published + first.filtered, ==, first.offered);
  g_assert_cmpuint (vigil_event_get_count (&self->freed), ==, FRAMES);
}

/* ---- Settings ----------------------------------------------------------- */

static void
test_names (Fixture *self, gconstpointer data)
{
  static const char *const expected[] = {
      "fake", "fake-2", "fake-3", "gate", "gate-2"};
  g_autoptr (VigilJson) settings = vigil_json_new_object ();
  VigilDestinationStatus status;
  const char *name;

  make_publisher (self, "{}", TRUE);
  for (unsigned i = 0; i < 3; i++)
    add_fake (self, "{}");
  for (unsigned i = 0; i < 2; i++)
    g_assert_true (vigil_publisher_add_destination (
        self->publisher, &fake_destination_ops, "gate", settings, NULL, NULL));
  g_assert_cmpuint (
      vigil_publisher_get_destination_count (self->publisher), ==, 5);
  for (unsigned i = 0; i < 5; i++) {
    vigil_publisher_get_destination_status (self->publisher, i, &name, &status);
    g_assert_cmpstr (name, ==, expected[i]);
  }
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
  add ("/publisher/in-order", test_in_order);
  add ("/publisher/not-live-waits", test_not_live_waits);
  add ("/publisher/live-never-waits", test_live_never_waits);
  add ("/publisher/encoded-once-for-all", test_encoded_once_for_all);
  add ("/publisher/not-encoded-in-vain", test_not_encoded_in_vain);
  add ("/publisher/nothing-for-nobody", test_nothing_for_nobody);
  add ("/publisher/encode-error", test_encode_error);
  add ("/publisher/converted", test_converted);
  add ("/publisher/convert-error", test_convert_error);
  add ("/publisher/passed-through", test_passed_through);
  add ("/publisher/filter-of-one", test_filter_of_one);
  add ("/publisher/stop/flushes", test_stop_flushes);
  add ("/publisher/stop/ends-a-wait", test_stop_ends_a_wait);
  add ("/publisher/stop/ends-a-push", test_stop_ends_a_push);
  add ("/publisher/never-started", test_never_started);
  add ("/publisher/equation-under-load", test_equation_under_load);
  add ("/publisher/names", test_names);
  for (unsigned i = 0; i < G_N_ELEMENTS (image_cases); i++) {
    g_autofree char *path =
        g_strdup_printf ("/publisher/image/%s", image_cases[i].name);

    g_test_add (path, Fixture, &image_cases[i], set_up, test_image, tear_down);
  }
  return g_test_run ();
}
