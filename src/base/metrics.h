/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

/*
 * A count that one or more threads raise and any thread reads. Relaxed
 * order: each count is right, two counts read together need a lock of
 * their owner.
 */
typedef _Atomic uint64_t VigilCounter;

static inline void
vigil_counter_add (VigilCounter *self, uint64_t amount)
{
  atomic_fetch_add_explicit (self, amount, memory_order_relaxed);
}

static inline uint64_t
vigil_counter_get (const VigilCounter *self)
{
  return atomic_load_explicit (self, memory_order_relaxed);
}
