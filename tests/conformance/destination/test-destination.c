/* SPDX-License-Identifier: Apache-2.0 */
/* What every destination promises, for each entry of the registry. */
#include "publish/destination.h"

#include "base/json.h"
#include "peer.h"
#include <stdatomic.h>
#include <string.h>

/* A message of which not many fill a queue. */
enum { FILLING_BYTES = 64 * 1024 };

/* What make_message puts into a message: a frame of the peer at hand. */
static GBytes *image;

typedef struct {
  VigilFixture parent;
  const PeerOps *ops;
  Peer *peer;
  VigilEnvironment *environment;
  VigilDestination *destination;
} Fixture;

static void
set_up (Fixture *self, gconstpointer data)
{
  vigil_fixture_set_up (&self->parent, data);
  vigil_fixture_allow_warning ("vigil-mqtt", "*");
  vigil_fixture_allow_warning ("vigil-publish", "*");
  self->ops = data;
  image = self->ops->make_frame != NULL ? self->ops->make_frame ()
                                        : g_bytes_new_static ("an image", 8);
  self->peer = self->ops->open (&self->parent);
  self->environment = vigil_environment_new (NULL, NULL);
}

static void
tear_down (Fixture *self, gconstpointer data)
{
  vigil_destination_free (self->destination);
  vigil_environment_free (self->environment);
  self->ops->close (self->peer);
  g_clear_pointer (&image, g_bytes_unref);
  vigil_fixture_tear_down (&self->parent, data);
}

static void
make_destination (Fixture *self, const char *text, gboolean is_live)
{
  const VigilDestinationOps *ops =
      self->ops->destination != NULL ? self->ops->destination
                                     : vigil_destination_find (self->ops->type);
  VigilDestinationContext context = {
      .environment = self->environment,
      .instance_id = "0123456789abcdef0123456789abcdef",
      .pipeline_name = "people",
      .is_live = is_live,
  };
  g_autoptr (GError) error = NULL;
  g_autoptr (VigilJson) settings =
      vigil_json_parse (text, -1, 1 << 20, 16, &error);

  g_assert_no_error (error);
  if (self->ops->add_context != NULL)
    self->ops->add_context (self->peer, &context);
  self->destination =
      vigil_destination_new (ops, NULL, settings, &context, &error);
  g_assert_no_error (error);
}

/* Made with settings that the check approves, and started. */
static void
start (Fixture *self, const char *extra, gboolean is_live)
{
  g_autofree char *text = self->ops->make_settings (self->peer, extra);
  g_autoptr (GError) error = NULL;

  make_destination (self, text, is_live);
  vigil_destination_start (self->destination, &error);
  g_assert_no_error (error);
  if (self->ops->connect != NULL)
    self->ops->connect (self->peer, self->destination);
}

static VigilMessage *
make_message (uint64_t id, size_t padding)
{
  g_autofree char *spaces = g_strnfill (padding, ' ');
  g_autofree char *text = g_strdup_printf (
      "{\"frame_id\":%" G_GUINT64_FORMAT ",\"padding\":\"%s\"}", id, spaces);
  size_t length = strlen (text);

  return vigil_message_new (g_bytes_new_take (g_steal_pointer (&text), length),
      g_bytes_ref (image), TRUE, "image/jpeg", id);
}

static void
send_many (Fixture *self, unsigned count, size_t padding, gboolean is_live)
{
  for (unsigned i = 0; i < count; i++) {
    g_autoptr (VigilMessage) message = make_message (i, padding);

    vigil_destination_send (self->destination, message,
        is_live ? 0 : vigil_fixture_deadline (20000));
  }
}

static VigilDestinationStatus
get_status (Fixture *self)
{
  VigilDestinationStatus status;

  vigil_destination_get_status (self->destination, &status);
  return status;
}

static uint64_t
sum_dropped (const VigilDestinationStatus *status)
{
  uint64_t sum = 0;

  for (unsigned i = 0; i < status->dropped_size; i++) {
    g_assert_nonnull (status->dropped[i].reason);
    sum += status->dropped[i].count;
  }
  return sum;
}

static void
assert_equation (const VigilDestinationStatus *status)
{
  g_assert_cmpuint (status->offered, ==,
      status->filtered + sum_dropped (status) + status->queued +
          status->in_flight + status->published + status->acknowledged);
  g_assert_cmpuint (status->filtered, ==, 0);
  g_assert_nonnull (status->state);
}

/* ---- What arrives ------------------------------------------------------- */

static void
test_in_order (Fixture *self, gconstpointer data)
{
  enum { COUNT = 300 };
  VigilDestinationStatus status;
  int64_t start_us;

  start (self, "", FALSE);
  g_assert_false (vigil_destination_wants_frame (self->destination));
  send_many (self, COUNT, 10, FALSE);
  g_assert_true (self->ops->wait (self->peer, COUNT, 15000));
  start_us = g_get_monotonic_time ();
  vigil_destination_stop (self->destination, start_us + 30 * G_USEC_PER_SEC);
  /* There is nothing left to wait for. */
  g_assert_cmpint (g_get_monotonic_time () - start_us, <, 20 * G_USEC_PER_SEC);
  for (unsigned i = 0; i < COUNT; i++) {
    g_autofree char *text = self->ops->dup (self->peer, i);
    g_autoptr (VigilJson) tree = vigil_json_parse (text, -1, 1 << 20, 16, NULL);

    g_assert_nonnull (tree);
    g_assert_cmpint (
        vigil_json_get_integer (vigil_json_object_get (tree, "frame_id")), ==,
        i);
  }
  status = get_status (self);
  assert_equation (&status);
  g_assert_cmpuint (status.offered, ==, COUNT);
  g_assert_cmpuint (status.published + status.acknowledged, ==, COUNT);
  g_assert_cmpuint (status.bytes, >, COUNT * 30);
}

static void
test_frames (Fixture *self, gconstpointer data)
{
  g_autoptr (GBytes) frame = NULL;

  start (self, ", \"publish_frame\": true", FALSE);
  g_assert_true (vigil_destination_wants_frame (self->destination));
  /* One is enough, but where some may be lost. */
  for (int i = 0; i < (self->ops->is_leaky ? 500 : 1); i++) {
    send_many (self, 1, 0, FALSE);
    if (self->ops->wait (self->peer, 1, self->ops->is_leaky ? 20 : 15000))
      break;
  }
  g_assert_true (self->ops->wait (self->peer, 1, 0));
  frame = self->ops->dup_frame (self->peer, 0);
  g_assert_cmpmem (g_bytes_get_data (frame, NULL), g_bytes_get_size (frame),
      g_bytes_get_data (image, NULL), g_bytes_get_size (image));
}

/* The end of a stream: what waits goes out before stop returns. */
static void
test_stop_flushes (Fixture *self, gconstpointer data)
{
  enum { COUNT = 500 };
  VigilDestinationStatus status;

  start (self, "", FALSE);
  send_many (self, COUNT, 1000, FALSE);
  vigil_destination_stop (self->destination, vigil_fixture_deadline (15000));
  status = get_status (self);
  assert_equation (&status);
  g_assert_cmpuint (status.published + status.acknowledged, ==, COUNT);
  g_assert_true (self->ops->wait (self->peer, COUNT, 15000));
}

/* ---- Counts
 * -------------------------------------------------------------------- */

static atomic_bool observing;

static void *
observe (void *data)
{
  Fixture *self = data;
  VigilDestinationStatus last = {0};

  do {
    VigilDestinationStatus status = get_status (self);

    assert_equation (&status);
    g_assert_cmpuint (status.offered, >=, last.offered);
    g_assert_cmpuint (status.published, >=, last.published);
    g_assert_cmpuint (status.acknowledged, >=, last.acknowledged);
    last = status;
  } while (atomic_load (&observing));
  return NULL;
}

/* True at every moment: queues that overflow, skips, stop. */
static void
test_equation_under_load (Fixture *self, gconstpointer data)
{
  enum { COUNT = 3000, SKIPS = 100 };
  VigilDestinationStatus status;
  pthread_t thread;

  start (self, "", TRUE);
  atomic_store (&observing, TRUE);
  pthread_create (&thread, NULL, observe, self);
  send_many (self, COUNT, 4000, TRUE);
  for (unsigned i = 0; i < SKIPS; i++)
    vigil_destination_skip (self->destination);
  vigil_destination_stop (self->destination, vigil_fixture_deadline (100));
  atomic_store (&observing, FALSE);
  pthread_join (thread, NULL);
  status = get_status (self);
  assert_equation (&status);
  g_assert_cmpuint (status.offered, ==, COUNT + SKIPS);
  g_assert_cmpuint (status.queued + status.in_flight, ==, 0);
}

/* ---- A peer that does not answer
 * -------------------------------------------------- */

/* Freezes the peer and sends until messages are dropped. */
static void
fill (Fixture *self)
{
  self->ops->freeze (self->peer);
  start (self, "", TRUE);
  for (unsigned i = 0; i < 20000; i++) {
    g_autoptr (VigilMessage) message = make_message (i, FILLING_BYTES);
    VigilDestinationStatus status;

    vigil_destination_send (self->destination, message, 0);
    status = get_status (self);
    assert_equation (&status);
    if (sum_dropped (&status) > 0)
      return;
  }
  g_assert_not_reached ();
}

static void
test_frozen_live_never_waits (Fixture *self, gconstpointer data)
{
  int64_t longest_us = 0;

  fill (self);
  for (unsigned i = 0; i < 500; i++) {
    g_autoptr (VigilMessage) message = make_message (i, FILLING_BYTES);
    int64_t start_us = g_get_monotonic_time ();

    vigil_destination_send (self->destination, message, 0);
    longest_us = MAX (longest_us, g_get_monotonic_time () - start_us);
  }
  /* Far above what a busy machine takes away; a wait would last until the
   * peer is given up, or for ever. */
  g_assert_cmpint (longest_us, <, 5 * G_USEC_PER_SEC);
  vigil_destination_stop (self->destination, vigil_fixture_deadline (0));
}

static void
test_frozen_wait_ends (Fixture *self, gconstpointer data)
{
  g_autoptr (VigilMessage) message = make_message (1, FILLING_BYTES);
  int64_t start_us;
  int64_t waited_us;

  fill (self);
  start_us = g_get_monotonic_time ();
  vigil_destination_send (self->destination, message, start_us + 200 * 1000);
  waited_us = g_get_monotonic_time () - start_us;
  g_assert_cmpint (waited_us, >=, 190 * 1000);
  g_assert_cmpint (waited_us, <, 10 * G_USEC_PER_SEC);
}

static void
test_frozen_stop (Fixture *self, gconstpointer data)
{
  VigilDestinationStatus status;
  int64_t start_us;

  fill (self);
  start_us = g_get_monotonic_time ();
  vigil_destination_stop (self->destination, start_us + 200 * 1000);
  g_assert_cmpint (g_get_monotonic_time () - start_us, <, 8 * G_USEC_PER_SEC);
  status = get_status (self);
  assert_equation (&status);
  g_assert_cmpuint (status.queued + status.in_flight, ==, 0);
  g_assert_cmpuint (sum_dropped (&status), >, 0);
}

static void *
send_waiting (void *data)
{
  Fixture *self = data;
  g_autoptr (VigilMessage) message = make_message (1, FILLING_BYTES);

  vigil_destination_send (
      self->destination, message, vigil_fixture_deadline (60000));
  return NULL;
}

/* Stop wakes the worker that waits in send. */
static void
test_frozen_stop_ends_a_send (Fixture *self, gconstpointer data)
{
  pthread_t thread;
  int64_t start_us;
  VigilDestinationStatus status;

  fill (self);
  pthread_create (&thread, NULL, send_waiting, self);
  start_us = g_get_monotonic_time ();
  vigil_destination_stop (self->destination, start_us + 200 * 1000);
  pthread_join (thread, NULL);
  g_assert_cmpint (g_get_monotonic_time () - start_us, <, 8 * G_USEC_PER_SEC);
  status = get_status (self);
  assert_equation (&status);
}

/* ---- A peer that is not there
 * -------------------------------------------------------- */

static gboolean
has_error (void *data)
{
  VigilDestinationStatus status = get_status (data);

  return status.last_error[0] != '\0';
}

typedef struct {
  Fixture *fixture;
  uint64_t dropped;
} Wanted;

static gboolean
has_dropped (void *data)
{
  const Wanted *wanted = data;
  VigilDestinationStatus status = get_status (wanted->fixture);

  assert_equation (&status);
  return sum_dropped (&status) >= wanted->dropped;
}

/* What was accepted before the first outcome may wait for the peer (QoS 1
 * and 2); what comes after it is dropped. */
static void
test_absent (Fixture *self, gconstpointer data)
{
  g_autofree char *text = self->ops->make_absent (self->peer);
  g_autoptr (GError) error = NULL;
  Wanted wanted = {self, 0};
  VigilDestinationStatus status;

  make_destination (self, text, TRUE);
  g_assert_true (vigil_destination_start (self->destination, &error));
  send_many (self, 10, 10, TRUE);
  g_assert_true (vigil_fixture_wait_until (has_error, self, 15000));
  status = get_status (self);
  wanted.dropped = sum_dropped (&status) + 10;
  send_many (self, 10, 10, TRUE);
  g_assert_true (vigil_fixture_wait_until (has_dropped, &wanted, 15000));
  g_assert_cmpuint (get_status (self).offered, ==, 20);
}

/* A file's pipeline does not wait for a peer that is down. */
static void
test_absent_does_not_wait (Fixture *self, gconstpointer data)
{
  g_autofree char *text = self->ops->make_absent (self->peer);
  int64_t start_us;

  make_destination (self, text, FALSE);
  g_assert_true (vigil_destination_start (self->destination, NULL));
  send_many (self, 1, 10, FALSE);
  g_assert_true (vigil_fixture_wait_until (has_error, self, 15000));
  start_us = g_get_monotonic_time ();
  for (unsigned i = 0; i < 2000; i++) {
    g_autoptr (VigilMessage) message = make_message (i, 10);

    if (vigil_destination_is_accepting (self->destination))
      vigil_destination_send (
          self->destination, message, vigil_fixture_deadline (60000));
    else
      vigil_destination_skip (self->destination);
  }
  g_assert_cmpint (g_get_monotonic_time () - start_us, <, 10 * G_USEC_PER_SEC);
}

/* ---- Its life
 * ----------------------------------------------------------------------- */

static void
test_never_started (Fixture *self, gconstpointer data)
{
  g_autofree char *text = self->ops->make_settings (self->peer, "");
  VigilDestinationStatus status;

  make_destination (self, text, TRUE);
  status = get_status (self);
  assert_equation (&status);
  g_assert_cmpstr (status.last_error, ==, "");
}

static void
test_stop_without_messages (Fixture *self, gconstpointer data)
{
  int64_t start_us;

  start (self, "", TRUE);
  start_us = g_get_monotonic_time ();
  vigil_destination_stop (self->destination, start_us + 2 * G_USEC_PER_SEC);
  g_assert_cmpint (g_get_monotonic_time () - start_us, <, 10 * G_USEC_PER_SEC);
  g_assert_cmpstr (get_status (self).state, ==, "stopped");
}

static void
test_send_after_stop (Fixture *self, gconstpointer data)
{
  VigilDestinationStatus status;

  start (self, "", TRUE);
  vigil_destination_stop (self->destination, vigil_fixture_deadline (5000));
  send_many (self, 5, 10, TRUE);
  send_many (self, 5, 10, FALSE);
  status = get_status (self);
  assert_equation (&status);
  g_assert_cmpuint (sum_dropped (&status), ==, 10);
  g_assert_false (vigil_destination_is_accepting (self->destination));
}

/* ---- Suite -------------------------------------------------------------- */

static void
add (const PeerOps *peer, const char *claim,
    void (*function) (Fixture *self, gconstpointer data))
{
  g_autofree char *path =
      g_strdup_printf ("/destination/%s/%s", peer->name, claim);

  g_test_add (path, Fixture, peer, set_up, function, tear_down);
}

/* A kind without a peer would go untested. */
static void
test_every_kind_has_a_peer (void)
{
  for (unsigned i = 0; vigil_destination_list ()[i] != NULL; i++) {
    gboolean is_found = FALSE;

    for (unsigned j = 0; peers[j] != NULL; j++)
      is_found |=
          strcmp (peers[j]->type, vigil_destination_list ()[i]->type) == 0;
    g_assert_true (is_found);
  }
}

static void
add_all (const PeerOps *peer)
{
  add (peer, "frames", test_frames);
  add (peer, "equation-under-load", test_equation_under_load);
  add (peer, "never-started", test_never_started);
  add (peer, "stop-without-messages", test_stop_without_messages);
  add (peer, "send-after-stop", test_send_after_stop);
  if (!peer->is_leaky) {
    add (peer, "in-order", test_in_order);
    add (peer, "stop-flushes", test_stop_flushes);
  }
  if (peer->make_absent != NULL) {
    add (peer, "absent", test_absent);
    add (peer, "absent-does-not-wait", test_absent_does_not_wait);
  }
  if (peer->freeze != NULL) {
    add (peer, "frozen/live-never-waits", test_frozen_live_never_waits);
    add (peer, "frozen/wait-ends", test_frozen_wait_ends);
    add (peer, "frozen/stop", test_frozen_stop);
    add (peer, "frozen/stop-ends-a-send", test_frozen_stop_ends_a_send);
  }
}

int
main (int argc, char **argv)
{
  vigil_fixture_init (&argc, &argv, 60);
  g_test_add_func (
      "/destination/every-kind-has-a-peer", test_every_kind_has_a_peer);
  for (unsigned i = 0; peers[i] != NULL; i++)
    add_all (peers[i]);
  return g_test_run ();
}
