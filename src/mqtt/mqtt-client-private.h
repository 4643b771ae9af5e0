/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/secret.h"
#include "mqtt/mqtt-client.h"
#include "mqtt/mqtt-dialer.h"
#include "mqtt/mqtt-queue.h"
#include "mqtt/mqtt-session.h"
#include <pthread.h>
#include <stdatomic.h>

/* The client's state, shared by mqtt-client.c (what callers call),
 * mqtt-account.c (queue and counts, under the lock) and mqtt-loop.c (the
 * I/O thread). */

/* A message that has ended, until its outcome is counted and told. */
typedef struct {
  VigilMqttMessage *message; /* owned */
  VigilMqttOutcome outcome;
  VigilMqttDropReason drop;
  char *reason;        /* nullable, owned */
  gboolean was_queued; /* else it was in flight */
} VigilMqttEnded;

struct _VigilMqttClient {
  /* Constant after new */
  VigilMqttOptions options;          /* strings are owned but for password */
  VigilSecret *password;             /* nullable: what options has of it */
  VigilMqttHost *hosts;              /* owned */
  VigilMqttOutcomeFunc outcome_func; /* nullable */
  void *outcome_data;
  int event; /* eventfd: wakes the I/O thread */
  pthread_t thread;
  gboolean is_started;

  atomic_bool wants_renewal; /* asked for, not begun */

  /* Under lock. The equation of VigilMqttStatus holds whenever it is free. */
  pthread_mutex_t lock;
  pthread_cond_t room; /* a waiting send may try again */
  VigilMqttQueue queue;
  VigilMqttStatus status; /* all but queued, queued_bytes, next_retry_ms */
  size_t in_flight_bytes;
  unsigned waiters; /* sends that wait for room */
  int64_t room_us;  /* when they were last told of some */
  /* The I/O thread sleeps and could send: so many queued messages wake it.
   * 0: no message does. */
  size_t wake_size;
  gboolean is_stopping;
  int64_t stop_us;  /* drain until then */
  int64_t retry_us; /* when the next attempt starts; 0: none planned */

  /* I/O thread only (before start and after the join: the caller's) */
  VigilMqttSession *session;
  VigilMqttDialer *dialer;
  VigilMqttTransport *transport; /* nullable */
  GArray *ended;                 /* VigilMqttEnded */
  unsigned failures;             /* in a row, for the back-off */
  int64_t connected_us;
  int64_t taken_us; /* when messages last left the queue */
  int64_t attempt_deadline_us;
  int64_t linger_us; /* after DISCONNECT, until then; 0: not yet sent */
  gboolean is_write_blocked;
  gboolean is_gathering;   /* messages come so fast that some are awaited */
  gboolean is_saturated;   /* messages wait, and there is no room for them */
  gboolean has_progress;   /* the last look for bytes found some */
  gboolean is_bulk_due;    /* this look is for all answers there are */
  gboolean is_answered;    /* the broker has sent something */
  int64_t renewal_us;      /* drains until then, to connect anew; 0: does not */
  char *credentials_error; /* nullable: what was last said of them */
  gboolean has_read_end;   /* the peer has closed */
  char *logged_error;      /* nullable: what the last warning said */
  uint64_t dropped_before; /* drops when the connection was lost */
  GHashTable *logged_rejections; /* set of owned strings */
};

/* ---- mqtt-account.c ------------------------------------------------------ */

/* A message that was taken by send has ended; told by flush. I/O thread. */
void vigil_mqtt_account_end (VigilMqttClient *self, VigilMqttMessage *message,
    VigilMqttOutcome outcome, VigilMqttDropReason drop, const char *reason,
    gboolean was_queued);
/* Counts and tells what has ended. I/O thread, without the lock. */
void vigil_mqtt_account_flush (VigilMqttClient *self);
/* A smaller form took a message's place in flight. */
void vigil_mqtt_account_reduce (
    VigilMqttClient *self, VigilMqttMessage *from, VigilMqttMessage *to);
/*
 * Moves up to @limit messages from the queue to in flight. Returns: their
 * number; entries are (transfer full).
 */
unsigned vigil_mqtt_account_take (
    VigilMqttClient *self, VigilMqttQueueEntry *ret_entries, unsigned limit);
/* Drops queued messages: all, or those taken before @before_us. */
void vigil_mqtt_account_drop_queued (
    VigilMqttClient *self, VigilMqttDropReason drop, int64_t before_us);
/* A change of state, seen by get_status and by waiting sends. */
void vigil_mqtt_account_set_state (VigilMqttClient *self, VigilMqttState state,
    const char *error, int64_t retry_us);
/* Sum of all drops. */
uint64_t vigil_mqtt_account_get_dropped (VigilMqttClient *self);

/* ---- mqtt-renewal.c ----------------------------------------------------
 */

/* Takes the credentials as they are now into use for the next attempt; says
 * so when it cannot. I/O thread. */
gboolean vigil_mqtt_renewal_read (VigilMqttClient *self);

/* ---- mqtt-loop.c ----------------------------------------------------------
 */

/* The I/O thread's function; @data: the client. */
void *vigil_mqtt_loop_run (void *data);
