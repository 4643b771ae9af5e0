/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "model/frame.h"
#include "publish/destination.h"
#include "publish/instance-state.h"

/*
 * The network half of an instance: a bounded frame queue, and one worker
 * thread that builds the metadata, filters, encodes a frame at most once,
 * and hands a message to each destination. No GStreamer here.
 */
typedef struct _VigilPublisher VigilPublisher;

/* What of a pipeline entry concerns publishing: queue_maxsize, encoding,
 * publish_raw_frame, img_handle_length, tags, mqtt_publisher ... */
extern const VigilSchemaKey vigil_publisher_keys[];

typedef struct {
  const char *pipeline_name; /* "version" in the contract's words */
  const char *instance_id;
  const char *config_folder; /* nullable */
  const VigilEnvironment *environment;
  gboolean is_live;
  VigilEisBus *eis_bus; /* nullable; must outlive the publisher */
  /* Called by the worker for each frame; any thread-safe function. */
  void (*get_instance_state) (void *user_data, VigilInstanceState *ret_state);
  void *user_data;
} VigilPublisherContext;

/*
 * Adds the problems of @entry (a pipeline entry at @path) that its schema
 * (vigil_publisher_keys, checked by the caller with the entry's other keys)
 * cannot see, and all those of its destinations. Starts nothing.
 */
void vigil_publisher_check (const VigilJson *entry, const char *path,
    const VigilPublisherContext *context, VigilProblems *problems);

/* Makes the publisher and its destinations; connects nothing yet.
 * Returns: (transfer full) (nullable). */
VigilPublisher *vigil_publisher_new (const VigilJson *entry,
    const VigilPublisherContext *context, GError **error);
/* Stops at once if it still runs. NULL is allowed. */
void vigil_publisher_free (VigilPublisher *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VigilPublisher, vigil_publisher_free)

/*
 * Adds a destination beside those of the entry. Before start.
 * @name: (nullable): the type's when NULL; made unique. @user_data: for its
 * open, in the context.
 */
gboolean vigil_publisher_add_destination (VigilPublisher *self,
    const VigilDestinationOps *ops, const char *name, const VigilJson *settings,
    void *user_data, GError **error);

/* Starts the worker and every destination; returns at once. Call before the
 * pipeline plays. */
gboolean vigil_publisher_start (VigilPublisher *self, GError **error);

/*
 * Hands over @frame (transfer full). Streaming thread. Live: never waits, a
 * full queue loses its oldest frame. Not live: waits for room, until the
 * publisher is stopped.
 */
void vigil_publisher_push (VigilPublisher *self, VigilFrame *frame);

/*
 * Takes no more frames: a push drops its frame, one that waits returns. What
 * was taken is still worked off. Any thread, before stop; more calls do
 * nothing. For a pipeline that is to stop: it must not wait for room.
 */
void vigil_publisher_close (VigilPublisher *self);

/*
 * Works off the frames that wait, then flushes the destinations, all within
 * @flush_ms; what is left is dropped and counted. Wakes a push that waits.
 */
void vigil_publisher_stop (VigilPublisher *self, int64_t flush_ms);

typedef struct {
  uint64_t frames;         /* pushed */
  uint64_t frames_dropped; /* by the full frame queue, or left at stop */
  uint64_t frames_waiting;
  uint64_t encoded;
  uint64_t encode_errors;
  uint64_t encode_us;       /* thread time, sum */
  uint64_t metadata_errors; /* messages of elements that were no use */
} VigilPublisherStatus;

/* Any thread. */
void vigil_publisher_get_status (
    VigilPublisher *self, VigilPublisherStatus *ret_status);
/* Has every destination read its certificates and passwords again, see
 * VigilDestinationOps. Any thread, until stop. */
void vigil_publisher_renew (VigilPublisher *self);
unsigned vigil_publisher_get_destination_count (const VigilPublisher *self);
/* @index below the count; the name is (transfer none). */
void vigil_publisher_get_destination_status (VigilPublisher *self,
    unsigned index, const char **ret_name, VigilDestinationStatus *ret_status);
