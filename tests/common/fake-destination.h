/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "publish/destination.h"

/*
 * A destination without a peer: the test tells it what to do and sees what
 * it was given. One at a time for each object of settings; the last one that
 * was opened is the one that the functions below mean. Built on pthread
 * alone, for ThreadSanitizer.
 */
extern const VigilDestinationOps fake_destination_ops;

typedef struct _FakeDestination FakeDestination;

/* The one opened last; valid until it is closed. */
FakeDestination *fake_destination_get (void);

/* FALSE: as if the peer were away. TRUE at first. */
void fake_destination_set_accepting (FakeDestination *self, gboolean accepts);
/* TRUE: send waits until its deadline, or stop, or FALSE here. */
void fake_destination_set_blocked (FakeDestination *self, gboolean blocks);

/* Messages taken so far; the ones kept are the oldest 10,000. */
unsigned fake_destination_count (FakeDestination *self);
unsigned fake_destination_count_skipped (FakeDestination *self);
/* Returns: FALSE when fewer than @count came within @milliseconds. */
gboolean fake_destination_wait (
    FakeDestination *self, unsigned count, unsigned milliseconds);
/* Waits until a send is blocked. */
gboolean fake_destination_wait_blocked (
    FakeDestination *self, unsigned milliseconds);
/* Returns: (transfer full) the message. */
VigilMessage *fake_destination_dup (FakeDestination *self, unsigned index);
