/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

/*
 * Delay before a reconnect attempt: 1, 2, 4, 8, 16, 30, 30 ... seconds.
 * Pure arithmetic: no clock, no I/O, no state.
 *
 * @failures: how many attempts have failed (or connections were lost) since
 *   the last success; 0 means "now".
 * Returns: milliseconds to wait.
 */
int64_t vigil_backoff_delay_ms (unsigned failures);
