/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "common/fixture.h"

/*
 * The other side of a destination: what the suite has to know to run for a
 * kind. A new kind of destination adds its peers here.
 */
typedef struct _Peer Peer;

typedef struct {
  const char *name; /* of this variant: in the test's path */
  const char *type; /* of the destination */
  /* Returns: (transfer full) a peer that works. */
  Peer *(*open) (VigilFixture *fixture);
  void (*close) (Peer *peer);
  /* Settings that reach the peer. @extra: more members, each with a comma
   * before it. Returns: (transfer full). */
  char *(*make_settings) (Peer *peer, const char *extra);
  /* Settings that reach nobody. Returns: (transfer full). */
  char *(*make_absent) (Peer *peer);
  /* From now on the peer takes nothing, without a word. */
  void (*freeze) (Peer *peer);
  /* Waits until @count messages have come. */
  gboolean (*wait) (Peer *peer, unsigned count, unsigned milliseconds);
  /* The text of one. Returns: (transfer full). */
  char *(*dup) (Peer *peer, unsigned index);
  /* A message that fills the queue of a frozen peer soon. */
  size_t filling_bytes;
} PeerOps;

/* NULL-terminated. */
extern const PeerOps *const peers[];
