/* SPDX-License-Identifier: Apache-2.0 */
#include "base/queue.h"

#include "common/fixture.h"
#include <stdatomic.h>

/* Items are numbers; the queue destroys them by adding them up here. */
static atomic_uint destroyed_sum;

static void
destroy (void *data)
{
  atomic_fetch_add (&destroyed_sum, GPOINTER_TO_UINT (data));
}

static VigilQueue *
make_queue (size_t items, size_t bytes, VigilQueuePolicy policy)
{
  atomic_store (&destroyed_sum, 0);
  return vigil_queue_new (items, bytes, policy, destroy);
}

static VigilQueueResult
push (VigilQueue *queue, unsigned number, size_t bytes)
{
  return vigil_queue_push (queue, GUINT_TO_POINTER (number), bytes);
}

static unsigned
pop (VigilQueue *queue)
{
  return GPOINTER_TO_UINT (vigil_queue_pop (queue, 0));
}

static void
test_order (VigilFixture *fixture, gconstpointer data)
{
  /* More than the first capacity, with the start of the ring moved on. */
  g_autoptr (VigilQueue) queue = make_queue (100, 0, VIGIL_QUEUE_DROP_OLDEST);
  for (unsigned i = 1; i <= 10; i++)
    push (queue, i, 1);
  for (unsigned i = 1; i <= 10; i++)
    g_assert_cmpuint (pop (queue), ==, i);
  for (unsigned i = 1; i <= 100; i++)
    g_assert_cmpint (push (queue, i, 1), ==, VIGIL_QUEUE_PUSHED);
  for (unsigned i = 1; i <= 100; i++)
    g_assert_cmpuint (pop (queue), ==, i);
  g_assert_cmpuint (pop (queue), ==, 0);
  g_assert_cmpuint (destroyed_sum, ==, 0);
}

/* ---- What a full queue does -------------------------------------------- */

typedef struct {
  const char *name;
  size_t max_items, max_bytes;
  VigilQueuePolicy policy;
  unsigned count;
  unsigned sizes[6]; /* of items 1, 2, 3 ...; the last one is judged */
  VigilQueueResult result;
  unsigned left[6];
  uint64_t dropped_oldest, refused_full;
} FullCase;

static const FullCase full_cases[] = {
    {"items-oldest", 2, 0, VIGIL_QUEUE_DROP_OLDEST, 3, {9, 9, 9},
        VIGIL_QUEUE_PUSHED_DROPPED_OLDEST, {2, 3}, 1, 0},
    {"items-newest", 2, 0, VIGIL_QUEUE_DROP_NEWEST, 3, {9, 9, 9},
        VIGIL_QUEUE_REFUSED_FULL, {1, 2}, 0, 1},
    {"one-item", 1, 0, VIGIL_QUEUE_DROP_OLDEST, 2, {9, 9},
        VIGIL_QUEUE_PUSHED_DROPPED_OLDEST, {2}, 1, 0},
    {"bytes-exact", 9, 10, VIGIL_QUEUE_DROP_OLDEST, 3, {4, 3, 3},
        VIGIL_QUEUE_PUSHED, {1, 2, 3}, 0, 0},
    {"bytes-oldest", 9, 10, VIGIL_QUEUE_DROP_OLDEST, 4, {4, 3, 3, 8},
        VIGIL_QUEUE_PUSHED_DROPPED_OLDEST, {4}, 3, 0},
    {"bytes-newest", 9, 10, VIGIL_QUEUE_DROP_NEWEST, 4, {4, 3, 3, 1},
        VIGIL_QUEUE_REFUSED_FULL, {1, 2, 3}, 0, 1},
    /* Nothing is thrown out for what could never fit. */
    {"too-large-oldest", 9, 10, VIGIL_QUEUE_DROP_OLDEST, 2, {4, 11},
        VIGIL_QUEUE_REFUSED_FULL, {1}, 0, 1},
    {"too-large-newest", 9, 10, VIGIL_QUEUE_DROP_NEWEST, 2, {4, 11},
        VIGIL_QUEUE_REFUSED_FULL, {1}, 0, 1},
    {"no-bytes", 9, 10, VIGIL_QUEUE_DROP_OLDEST, 2, {10, 0}, VIGIL_QUEUE_PUSHED,
        {1, 2}, 0, 0},
};

static void
test_full (VigilFixture *fixture, gconstpointer data)
{
  const FullCase *full = data;
  g_autoptr (VigilQueue) queue =
      make_queue (full->max_items, full->max_bytes, full->policy);
  VigilQueueResult result = VIGIL_QUEUE_PUSHED;
  for (unsigned i = 0; i < full->count; i++)
    result = push (queue, i + 1, full->sizes[i]);
  g_assert_cmpint (result, ==, full->result);

  VigilQueueStatus status;
  vigil_queue_get_status (queue, &status);
  g_assert_cmpuint (status.dropped_oldest, ==, full->dropped_oldest);
  g_assert_cmpuint (status.refused_full, ==, full->refused_full);
  g_assert_cmpuint (status.pushed + status.refused_full, ==, full->count);
  unsigned left_sum = 0, left = 0;
  for (; full->left[left] != 0; left++)
    left_sum += full->left[left];
  g_assert_cmpuint (status.items, ==, left);
  g_assert_cmpuint (
      destroyed_sum, ==, full->count * (full->count + 1) / 2 - left_sum);
  for (unsigned i = 0; i < left; i++)
    g_assert_cmpuint (pop (queue), ==, full->left[i]);
  vigil_queue_get_status (queue, &status);
  g_assert_cmpuint (status.items, ==, 0);
  g_assert_cmpuint (status.bytes, ==, 0);
  g_assert_cmpuint (status.popped, ==, left);
}

/* ---- Waiting ------------------------------------------------------------ */

typedef struct {
  VigilFixture fixture;
  VigilQueue *queue;
  VigilEvent done;
  void *popped;
  VigilQueueResult pushed;
} Waiter;

static void
set_up_waiter (Waiter *self, gconstpointer data)
{
  vigil_fixture_set_up (&self->fixture, data);
  self->queue = make_queue (1, 10, VIGIL_QUEUE_DROP_NEWEST);
  vigil_event_init (&self->done);
}

static void
tear_down_waiter (Waiter *self, gconstpointer data)
{
  vigil_queue_free (self->queue);
  vigil_event_clear (&self->done);
  vigil_fixture_tear_down (&self->fixture, data);
}

static void *
run_pop (void *data)
{
  Waiter *self = data;
  self->popped = vigil_queue_pop (self->queue, -1);
  vigil_event_raise (&self->done);
  return NULL;
}

static void *
run_push (void *data)
{
  Waiter *self = data;
  self->pushed = vigil_queue_push_wait (
      self->queue, GUINT_TO_POINTER (2), 5, vigil_fixture_deadline (20000));
  vigil_event_raise (&self->done);
  return NULL;
}

static void
test_pop_deadline (Waiter *self, gconstpointer data)
{
  int64_t deadline_us = vigil_fixture_deadline (20);
  g_assert_null (vigil_queue_pop (self->queue, deadline_us));
  g_assert_cmpint (g_get_monotonic_time (), >=, deadline_us);
}

static void
test_pop_waits_for_push (Waiter *self, gconstpointer data)
{
  GThread *thread = g_thread_new ("pop", run_pop, self);
  g_assert_false (vigil_event_wait (&self->done, 1, 10));
  push (self->queue, 7, 1);
  g_thread_join (thread);
  g_assert_cmpuint (GPOINTER_TO_UINT (self->popped), ==, 7);
}

static void
test_close_ends_pop (Waiter *self, gconstpointer data)
{
  GThread *thread = g_thread_new ("pop", run_pop, self);
  g_assert_false (vigil_event_wait (&self->done, 1, 10));
  g_assert_false (vigil_queue_is_closed (self->queue));
  vigil_queue_close (self->queue);
  g_thread_join (thread);
  g_assert_null (self->popped);
  g_assert_true (vigil_queue_is_closed (self->queue));
}

static void
test_closed_queue_empties (Waiter *self, gconstpointer data)
{
  push (self->queue, 7, 1);
  vigil_queue_close (self->queue);
  g_assert_cmpint (push (self->queue, 8, 1), ==, VIGIL_QUEUE_REFUSED_CLOSED);
  g_assert_cmpuint (destroyed_sum, ==, 8);
  VigilQueueStatus status;
  vigil_queue_get_status (self->queue, &status);
  g_assert_cmpuint (status.refused_closed, ==, 1);
  g_assert_cmpuint (
      GPOINTER_TO_UINT (vigil_queue_pop (self->queue, -1)), ==, 7);
  g_assert_null (vigil_queue_pop (self->queue, -1));
}

static void
test_push_waits_for_room (Waiter *self, gconstpointer data)
{
  push (self->queue, 1, 5);
  GThread *thread = g_thread_new ("push", run_push, self);
  g_assert_false (vigil_event_wait (&self->done, 1, 10));
  g_assert_cmpuint (pop (self->queue), ==, 1);
  g_thread_join (thread);
  g_assert_cmpint (self->pushed, ==, VIGIL_QUEUE_PUSHED);
  g_assert_cmpuint (pop (self->queue), ==, 2);
}

/* A push that waits is woken once for half a queue. */
static void
test_push_waits_for_half (Waiter *self, gconstpointer data)
{
  vigil_queue_free (self->queue);
  self->queue = make_queue (4, 0, VIGIL_QUEUE_DROP_NEWEST);
  for (unsigned i = 3; i <= 6; i++)
    push (self->queue, i, 5);
  GThread *thread = g_thread_new ("push", run_push, self);
  g_assert_false (vigil_event_wait (&self->done, 1, 10));
  g_assert_cmpuint (pop (self->queue), ==, 3);
  g_assert_cmpuint (pop (self->queue), ==, 4);
  g_thread_join (thread);
  g_assert_cmpint (self->pushed, ==, VIGIL_QUEUE_PUSHED);
  g_assert_cmpuint (pop (self->queue), ==, 5);
  g_assert_cmpuint (pop (self->queue), ==, 6);
  g_assert_cmpuint (pop (self->queue), ==, 2);
}

static void
test_close_ends_push (Waiter *self, gconstpointer data)
{
  push (self->queue, 1, 5);
  GThread *thread = g_thread_new ("push", run_push, self);
  g_assert_false (vigil_event_wait (&self->done, 1, 10));
  vigil_queue_close (self->queue);
  g_thread_join (thread);
  g_assert_cmpint (self->pushed, ==, VIGIL_QUEUE_REFUSED_CLOSED);
}

static void
test_push_deadline (Waiter *self, gconstpointer data)
{
  push (self->queue, 1, 5);
  int64_t deadline_us = vigil_fixture_deadline (20);
  g_assert_cmpint (
      vigil_queue_push_wait (self->queue, GUINT_TO_POINTER (2), 5, deadline_us),
      ==, VIGIL_QUEUE_REFUSED_FULL);
  g_assert_cmpint (g_get_monotonic_time (), >=, deadline_us);
  /* Room would never come: no wait. */
  g_assert_cmpint (
      vigil_queue_push_wait (self->queue, GUINT_TO_POINTER (2), 11, -1), ==,
      VIGIL_QUEUE_REFUSED_FULL);
  g_assert_cmpuint (destroyed_sum, ==, 4);
}

static void
test_free_destroys (VigilFixture *fixture, gconstpointer data)
{
  VigilQueue *queue = make_queue (9, 0, VIGIL_QUEUE_DROP_OLDEST);
  push (queue, 3, 0);
  push (queue, 4, 0);
  vigil_queue_free (queue);
  g_assert_cmpuint (destroyed_sum, ==, 7);
  vigil_queue_free (NULL);
}

/* ---- Many threads ------------------------------------------------------- */

#define THREADS 4
#define ITEMS_EACH 20000

typedef struct {
  VigilQueue *queue;
  uint64_t sum;
  uint64_t count;
} Worker;

static void *
run_producer (void *data)
{
  Worker *worker = data;
  for (unsigned i = 1; i <= ITEMS_EACH; i++) {
    if (i % 2 == 0)
      vigil_queue_push (worker->queue, GUINT_TO_POINTER (i), i % 7);
    else
      vigil_queue_push_wait (worker->queue, GUINT_TO_POINTER (i), i % 7,
          vigil_fixture_deadline (1000));
  }
  return NULL;
}

static void *
run_consumer (void *data)
{
  Worker *worker = data;
  void *item;
  while ((item = vigil_queue_pop (worker->queue, -1)) != NULL) {
    worker->sum += GPOINTER_TO_UINT (item);
    worker->count++;
  }
  return NULL;
}

/* Looks at the counts while they change: each picture must be right. */
static void *
run_watcher (void *data)
{
  VigilQueue *queue = data;
  while (!vigil_queue_is_closed (queue)) {
    VigilQueueStatus status;
    vigil_queue_get_status (queue, &status);
    g_assert_cmpuint (status.pushed, ==,
        status.popped + status.dropped_oldest + status.items);
    g_assert_cmpuint (status.items, <=, 32);
    g_assert_cmpuint (status.bytes, <=, 64);
  }
  return NULL;
}

/* Every item ends in one place: handed out or destroyed, and counted. */
static void
test_threads (VigilFixture *fixture, gconstpointer policy)
{
  g_autoptr (VigilQueue) queue =
      make_queue (32, 64, (VigilQueuePolicy)GPOINTER_TO_INT (policy));
  Worker workers[THREADS] = {0};
  GThread *producers[THREADS], *consumers[THREADS];
  GThread *watcher = g_thread_new ("watcher", run_watcher, queue);
  for (unsigned i = 0; i < THREADS; i++) {
    workers[i].queue = queue;
    consumers[i] = g_thread_new ("consumer", run_consumer, &workers[i]);
    producers[i] = g_thread_new ("producer", run_producer, &workers[i]);
  }
  for (unsigned i = 0; i < THREADS; i++)
    g_thread_join (producers[i]);
  vigil_queue_close (queue);
  g_thread_join (watcher);
  uint64_t sum = 0, count = 0;
  for (unsigned i = 0; i < THREADS; i++) {
    g_thread_join (consumers[i]);
    sum += workers[i].sum;
    count += workers[i].count;
  }
  VigilQueueStatus status;
  vigil_queue_get_status (queue, &status);
  g_assert_cmpuint (count, ==, status.popped);
  g_assert_cmpuint (status.items, ==, 0);
  g_assert_cmpuint (status.pushed, ==, status.popped + status.dropped_oldest);
  g_assert_cmpuint (
      status.pushed + status.refused_full, ==, THREADS * ITEMS_EACH);
  uint64_t each = (uint64_t)ITEMS_EACH * (ITEMS_EACH + 1) / 2;
  g_assert_cmpuint (sum + atomic_load (&destroyed_sum), ==, THREADS * each);
}

#define ADD_WAITER(path, function)                                             \
  g_test_add (path, Waiter, NULL, set_up_waiter, function, tear_down_waiter)

int
main (int argc, char **argv)
{
  vigil_fixture_init (&argc, &argv, 0);
  g_test_add ("/queue/order", VigilFixture, NULL, vigil_fixture_set_up,
      test_order, vigil_fixture_tear_down);
  for (size_t i = 0; i < G_N_ELEMENTS (full_cases); i++) {
    g_autofree char *path =
        g_strdup_printf ("/queue/full/%s", full_cases[i].name);
    g_test_add (path, VigilFixture, &full_cases[i], vigil_fixture_set_up,
        test_full, vigil_fixture_tear_down);
  }
  ADD_WAITER ("/queue/pop/deadline", test_pop_deadline);
  ADD_WAITER ("/queue/pop/waits-for-push", test_pop_waits_for_push);
  ADD_WAITER ("/queue/pop/close", test_close_ends_pop);
  ADD_WAITER ("/queue/pop/closed-empties", test_closed_queue_empties);
  ADD_WAITER ("/queue/push/waits-for-room", test_push_waits_for_room);
  ADD_WAITER ("/queue/push/waits-for-half", test_push_waits_for_half);
  ADD_WAITER ("/queue/push/close", test_close_ends_push);
  ADD_WAITER ("/queue/push/deadline", test_push_deadline);
  g_test_add ("/queue/free", VigilFixture, NULL, vigil_fixture_set_up,
      test_free_destroys, vigil_fixture_tear_down);
  g_test_add ("/queue/threads/drop-oldest", VigilFixture,
      GINT_TO_POINTER (VIGIL_QUEUE_DROP_OLDEST), vigil_fixture_set_up,
      test_threads, vigil_fixture_tear_down);
  g_test_add ("/queue/threads/drop-newest", VigilFixture,
      GINT_TO_POINTER (VIGIL_QUEUE_DROP_NEWEST), vigil_fixture_set_up,
      test_threads, vigil_fixture_tear_down);
  return g_test_run ();
}
