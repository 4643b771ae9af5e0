/* SPDX-License-Identifier: Apache-2.0 */
/* The pause before a reconnect attempt. */
#include "base/backoff.h"

#define FIRST_MS 1000
#define LONGEST_MS 30000
/* 1 s doubled five times is 32 s, which the longest pause replaces. */
#define DOUBLINGS_MAX 5

int64_t
vigil_backoff_delay_ms (unsigned failures)
{
  if (failures == 0)
    return 0;
  if (failures > DOUBLINGS_MAX)
    return LONGEST_MS;
  return (int64_t)FIRST_MS << (failures - 1);
}
