/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <pthread.h>
#include <stdint.h>

/*
 * What every test starts from: a folder of its own, a watchdog, fatal
 * warnings, an address of its own. A test's struct begins with this one:
 *
 *   g_test_add ("/queue/close", VigilFixture, NULL, vigil_fixture_set_up,
 *       test_close, vigil_fixture_tear_down);
 */
typedef struct {
  char *folder; /* empty at first, removed with all that is in it */
} VigilFixture;

/* The start of main, instead of g_test_init. Makes the watchdog bark after
 * @seconds in one test (0: 20). */
void vigil_fixture_init (int *argc, char ***argv, unsigned seconds);
/* For a test that measures time: this thread, those it makes and programs it
 * starts run before other programs, so that a busy machine does not spoil
 * the figures. Without the right to that, as before. */
void vigil_fixture_go_first (void);
void vigil_fixture_set_up (VigilFixture *self, gconstpointer data);
/* Also fails the test when an expected warning has not come. */
void vigil_fixture_tear_down (VigilFixture *self, gconstpointer data);

/* Writes @text to the file @name in the folder. Returns: its path (transfer
 * full). */
char *vigil_fixture_write (
    VigilFixture *self, const char *name, const char *text);

/*
 * Warnings and worse end the test, from any thread, unless announced here:
 * @pattern (with * and ?) in @domain must come at least once, in any order;
 * for allow it need not come. Both hold until tear_down.
 */
void vigil_fixture_expect_warning (const char *domain, const char *pattern);
void vigil_fixture_allow_warning (const char *domain, const char *pattern);
/* Returns: how often an announced warning of this pattern has come. */
unsigned vigil_fixture_count_warnings (const char *pattern);

/* A loopback address that no other test process uses, so that parallel tests
 * may each listen on port 1883. Any thread. (transfer none). */
const char *vigil_fixture_get_address (void);
/* A TCP port that is free on that address, another one each time. */
uint16_t vigil_fixture_find_port (void);
/* A socket that listens on that address, at *@port or, when it is 0, at a
 * free port that is then set. */
int vigil_fixture_listen (uint16_t *port);

/* ---- Waiting ----------------------------------------------------------- */

/* Returns: the monotonic time in @milliseconds from now, in microseconds. */
int64_t vigil_fixture_deadline (unsigned milliseconds);

/* A count that one thread raises and another waits for. */
typedef struct {
  pthread_mutex_t lock;
  pthread_cond_t changed;
  unsigned count;
} VigilEvent;

void vigil_event_init (VigilEvent *self);
void vigil_event_clear (VigilEvent *self);
void vigil_event_raise (VigilEvent *self);
unsigned vigil_event_get_count (VigilEvent *self);
/* Returns: FALSE when @count has not been reached after @milliseconds. */
gboolean vigil_event_wait (
    VigilEvent *self, unsigned count, unsigned milliseconds);

/* Waits until @fd has one of @events (poll). Returns: FALSE in case of
 * timeout. */
gboolean vigil_fixture_wait_fd (int fd, short events, unsigned milliseconds);

/*
 * For what has no event to wait for (a counter in a status): looks again
 * every other millisecond. Returns: FALSE when @is_so has not come true
 * after @milliseconds.
 */
gboolean vigil_fixture_wait_until (
    gboolean (*is_so) (void *data), void *data, unsigned milliseconds);
