/* SPDX-License-Identifier: Apache-2.0 */
#include "base/metrics.h"

#include <glib.h>

#define THREADS 4
#define TIMES 100000

static void
test_counter (void)
{
  VigilCounter counter = 0;
  vigil_counter_add (&counter, 3);
  vigil_counter_add (&counter, UINT64_C (1) << 40);
  g_assert_cmpuint (vigil_counter_get (&counter), ==, (UINT64_C (1) << 40) + 3);
}

static void *
run (void *counter)
{
  for (unsigned i = 0; i < TIMES; i++)
    vigil_counter_add (counter, 1);
  return NULL;
}

static void
test_threads (void)
{
  VigilCounter counter = 0;
  GThread *threads[THREADS];
  for (unsigned i = 0; i < THREADS; i++)
    threads[i] = g_thread_new ("counter", run, &counter);
  for (unsigned i = 0; i < THREADS; i++)
    g_thread_join (threads[i]);
  g_assert_cmpuint (vigil_counter_get (&counter), ==, THREADS * TIMES);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/metrics/counter", test_counter);
  g_test_add_func ("/metrics/threads", test_threads);
  return g_test_run ();
}
