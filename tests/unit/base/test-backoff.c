/* SPDX-License-Identifier: Apache-2.0 */
#include "base/backoff.h"

#include <glib.h>
#include <limits.h>

static const struct {
  unsigned failures;
  int64_t delay_ms;
} cases[] = {
    {0, 0},
    {1, 1000},
    {2, 2000},
    {3, 4000},
    {4, 8000},
    {5, 16000},
    {6, 30000},
    {7, 30000},
    {64, 30000},
    {UINT_MAX, 30000},
};

static void
test_delays (void)
{
  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++)
    g_assert_cmpint (
        vigil_backoff_delay_ms (cases[i].failures), ==, cases[i].delay_ms);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/backoff/delays", test_delays);
  return g_test_run ();
}
