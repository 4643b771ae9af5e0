/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "common/fixture.h"
#include "publish/destination.h"

/*
 * The other side of a destination: what the suite has to know to run for a
 * kind. A new kind of destination adds its peers here.
 */
typedef struct _Peer Peer;

typedef struct {
  const char *name; /* of this variant: in the test's path */
  const char *type; /* of the destination */
  /* (nullable) Its functions, when it is not of the registry. */
  const VigilDestinationOps *destination;
  /* It carries frames alone, and rather loses one than wait. */
  gboolean is_leaky;
  /* Returns: (transfer full) a peer that works. */
  Peer *(*open) (VigilFixture *fixture);
  void (*close) (Peer *peer);
  /* Settings that reach the peer. @extra: more members, each with a comma
   * before it. Returns: (transfer full). */
  char *(*make_settings) (Peer *peer, const char *extra);
  /* (nullable) Settings that reach nobody. Returns: (transfer full). */
  char *(*make_absent) (Peer *peer);
  /* (nullable) More of the context that the destination is made with. */
  void (*add_context) (Peer *peer, VigilDestinationContext *context);
  /* (nullable) The peer comes, now that the destination is started. */
  void (*connect) (Peer *peer, VigilDestination *destination);
  /* (nullable) A frame of the kind that it can carry. Returns: (transfer
   * full). */
  GBytes *(*make_frame) (void);
  /* (nullable) From now on the peer takes nothing, without a word. NULL: the
   * destination never knows, because something else has the queue. */
  void (*freeze) (Peer *peer);
  /* Waits until @count messages have come. */
  gboolean (*wait) (Peer *peer, unsigned count, unsigned milliseconds);
  /* The metadata of one. Returns: (transfer full) its text. */
  char *(*dup) (Peer *peer, unsigned index);
  /* The frame of one. Returns: (transfer full). */
  GBytes *(*dup_frame) (Peer *peer, unsigned index);
} PeerOps;

/* NULL-terminated. */
extern const PeerOps *const peers[];
