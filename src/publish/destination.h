/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/histogram.h"
#include "base/json.h"
#include "config/environment.h"
#include "config/problems.h"
#include "config/schema.h"
#include "publish/eis-bus.h"
#include "publish/message.h"
#include <glib.h>
#include <stdint.h>

/*
 * A destination takes the messages of one instance to somewhere outside.
 * Each implementation is an ops table and one line in the registry array of
 * destination.c; the conformance suite then runs for it.
 */
typedef struct _VigilDestination VigilDestination;

/* What a destination may need to know besides its own settings. */
typedef struct {
  const VigilEnvironment *environment;
  const char *config_folder; /* nullable: relative paths start there */
  const char *instance_id;   /* nullable in checks */
  const char *pipeline_name; /* nullable in checks */
  const char *name;          /* of this one; nullable in checks */
  void *user_data;           /* nullable: of who added it by itself */
  gboolean is_live;          /* FALSE: send may wait, see send */
  VigilEisBus *eis_bus;      /* nullable: no `interfaces` are configured */
} VigilDestinationContext;

/* Returns: (transfer full) by what the log names a destination: pipeline,
 * instance and name, as far as they are known, with slashes between. For
 * open. */
char *vigil_destination_dup_label (const VigilDestinationContext *context);

#define VIGIL_DESTINATION_DROP_REASONS_MAX 12

/*
 * One consistent picture. At every moment:
 * offered == filtered + sum (dropped) + queued + in_flight + published +
 * acknowledged. An implementation counts the messages that it was given
 * (send and skip) as offered; the publisher adds what it filtered out, and
 * the one message that it may be handing over, which counts as queued.
 */
typedef struct {
  const char *state;     /* interned word: "connecting", "connected" ... */
  char last_error[256];  /* "" when there was none; never a secret */
  int64_t next_retry_ms; /* until the next attempt; -1: none planned */
  uint64_t offered;
  uint64_t filtered;
  struct {
    const char *reason; /* static word: "not_connected", "queue_full" ... */
    uint64_t count;
  } dropped[VIGIL_DESTINATION_DROP_REASONS_MAX];
  unsigned dropped_size;
  uint64_t queued;
  uint64_t queued_bytes;
  uint64_t in_flight;
  uint64_t published; /* written whole, no acknowledgement asked */
  uint64_t acknowledged;
  VigilHistogram latencies; /* of acknowledged, from send on */
  uint64_t bytes;           /* payload bytes of published and acknowledged */
  uint64_t reduced;         /* sent in a smaller form; counted above as well */
  uint64_t connects;        /* successful ones, ever */
} VigilDestinationStatus;

typedef struct {
  const char *type;           /* "mqtt", "file": as `type` in a request */
  const char *config_key;     /* "mqtt_publisher": as in config.json */
  const VigilSchemaKey *keys; /* of its settings */

  /* Checks what the schema cannot: adds problems with paths below @path.
   * @settings is an object; what the schema found wrong in it (a value of
   * another type, say) has been added already. Starts nothing, touches no
   * network. */
  void (*check) (const VigilJson *settings, const char *path,
      const VigilDestinationContext *context, VigilProblems *problems);
  /* Makes the destination from checked settings. Nothing runs yet.
   * Returns: (transfer full) (nullable) its state. */
  void *(*open) (const VigilJson *settings,
      const VigilDestinationContext *context, GError **error);
  /* Starts threads and connections; returns at once. */
  gboolean (*start) (void *state, GError **error);
  /* TRUE when it wants the frame's bytes beside the metadata. */
  gboolean (*wants_frame) (const void *state);
  /* FALSE when a message sent now would only be dropped: the worker then
   * makes none for it and calls skip instead. */
  gboolean (*is_accepting) (void *state);
  /* Counts a message that was not made: offered, and dropped for the reason
   * that is_accepting had. Called by the worker alone. */
  void (*skip) (void *state);
  /* Reads certificates and passwords again and connects anew with them,
   * without losing a message. Returns at once. Any thread; only between
   * start and stop. NULL for a destination that has none. */
  void (*renew) (void *state);
  /*
   * Enqueues or drops @message (transfer none); counts either. Called by the
   * worker alone. Live: @deadline_us is 0, it never waits. Not live: waits
   * for room up to @deadline_us (monotonic) while connected or first
   * connecting, never while down. A stop ends the wait.
   */
  void (*send) (void *state, VigilMessage *message, int64_t deadline_us);
  /* Flushes until @deadline_us, then drops and counts the rest, closes the
   * connection and ends the threads. A send after that drops. */
  void (*stop) (void *state, int64_t deadline_us);
  /* Any thread. Fills all but filtered, which is 0. */
  void (*get_status) (void *state, VigilDestinationStatus *ret_status);
  /* Frees; after stop, or instead of start. */
  void (*close) (void *state);
} VigilDestinationOps;

/* The registry, NULL-terminated. */
const VigilDestinationOps *const *vigil_destination_list (void);
/* By `type`. Returns: (transfer none) (nullable). */
const VigilDestinationOps *vigil_destination_find (const char *type);

/*
 * Checks @settings (one object) against the schema of @ops and what lies
 * behind it.
 */
void vigil_destination_check (const VigilDestinationOps *ops,
    const VigilJson *settings, const char *path,
    const VigilDestinationContext *context, VigilProblems *problems);

/* One destination: the ops' functions, each slot present, plus its name.
 * @name: (nullable): the type when NULL; its open finds it in the context. */
VigilDestination *vigil_destination_new (const VigilDestinationOps *ops,
    const char *name, const VigilJson *settings,
    const VigilDestinationContext *context, GError **error);
/* Also stops it, at once, if it was started and not stopped. */
void vigil_destination_free (VigilDestination *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VigilDestination, vigil_destination_free)

const char *vigil_destination_get_name (const VigilDestination *self);
gboolean vigil_destination_start (VigilDestination *self, GError **error);
gboolean vigil_destination_wants_frame (const VigilDestination *self);
gboolean vigil_destination_is_accepting (VigilDestination *self);
void vigil_destination_skip (VigilDestination *self);
/* Any thread. */
void vigil_destination_renew (VigilDestination *self);
void vigil_destination_send (
    VigilDestination *self, VigilMessage *message, int64_t deadline_us);
void vigil_destination_stop (VigilDestination *self, int64_t deadline_us);
void vigil_destination_get_status (
    VigilDestination *self, VigilDestinationStatus *ret_status);
