/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/json.h"
#include "pipeline/pipeline.h"
#include "publish/publisher.h"
#include "rtsp/rtsp-server.h"
#include "server/settings.h"

/*
 * One run of a pipeline: the only place that knows the GStreamer half and
 * the network half, and joins them. Its life: made (QUEUED), started
 * (RUNNING), ended (COMPLETED, ERROR, ABORTED: the pipeline is in NULL and
 * the destinations are flushed), released (both halves freed, the last
 * status kept). Reference-counted; every function may be called from any
 * thread unless it says otherwise.
 */
typedef struct _VigilInstance VigilInstance;

#define VIGIL_INSTANCE_ID_LENGTH 32

typedef struct {
  const VigilDefinition *definition; /* must outlive the instance */
  const VigilJson *entry;            /* the definition's entry in config.json */
  const VigilJson *request;          /* nullable: as an empty object */
  gboolean is_trusted;               /* the request stands in config.json */
  const VigilEnvironment *environment; /* must outlive the instance */
  const char *config_folder;           /* nullable */
  VigilEisBus *eis_bus;                /* nullable; must outlive the instance */
  VigilRtspServer *rtsp_server;        /* the same */
  const VigilSettings *settings;
  /*
   * The instance has ended. Once; in the pipeline's control thread, or in
   * the caller of stop or start when nothing ran. Must not release @self.
   */
  void (*on_ended) (VigilInstance *self, void *user_data);
  void *user_data;
} VigilInstanceOptions;

/*
 * Merges entry and request, parses the pipeline, makes the destinations.
 * Nothing runs yet. Blocks for the parse. Errors: INVALID with the path in
 * the request, NOT_FOUND, UNSUPPORTED.
 * Returns: (transfer full) (nullable).
 */
VigilInstance *vigil_instance_new (
    const VigilInstanceOptions *options, GError **error);
VigilInstance *vigil_instance_ref (VigilInstance *self);
/* The last one releases. NULL is allowed. */
void vigil_instance_unref (VigilInstance *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VigilInstance, vigil_instance_unref)

/* 32 lower-case hex digits, random. */
const char *vigil_instance_get_id (const VigilInstance *self);
const char *vigil_instance_get_pipeline_name (const VigilInstance *self);
/* The launch text as it was parsed. (transfer none). */
const char *vigil_instance_get_launch_text (const VigilInstance *self);
/* What the request names and the pipeline does not have, each "path: text".
 * (transfer none), NULL-terminated. */
const char *const *vigil_instance_get_warnings (const VigilInstance *self);
/* As it came. (transfer none) (nullable). */
const VigilJson *vigil_instance_get_request (const VigilInstance *self);

/* Starts the destinations and asks for PLAYING; returns at once. What fails
 * ends the instance with ERROR. Does nothing after stop. */
void vigil_instance_start (VigilInstance *self);

/* One image for an instance of an image ingestor. */
typedef struct {
  GBytes *image;        /* in an encoding that the pipeline decodes */
  const char *metadata; /* JSON object: merged into the frame's metadata */
  gboolean with_frame;  /* the result has the frame */
  int64_t deadline_us;  /* monotonic; for the result */
} VigilInstanceImage;

/* TRUE when images are put in by ingest. */
gboolean vigil_instance_takes_images (const VigilInstance *self);

/*
 * Puts @image in. Synchronous (the request said "sync"): waits for its turn and
 * for what becomes of the image, and sets @ret_result (transfer full):
 * {"metadata", "blob"} as text. Otherwise returns at once and sets it to NULL.
 * Errors: INVALID: no image; UNAVAILABLE: it does not run; LIMIT: too many
 * wait; TIMEOUT.
 */
gboolean vigil_instance_ingest (VigilInstance *self,
    const VigilInstanceImage *image, char **ret_result, GError **error);

/* Asks for the end: end of stream, NULL, flush. Returns at once. */
void vigil_instance_stop (VigilInstance *self);

/* Has the destinations of a running instance read certificates and passwords
 * again, and connect anew; the pipeline does not notice. Returns at once. */
void vigil_instance_renew (VigilInstance *self);

/* Waits until the instance has ended. Returns: FALSE when @deadline_us
 * (monotonic) came first. */
gboolean vigil_instance_wait (VigilInstance *self, int64_t deadline_us);

/* Frees both halves of an ended instance and keeps its last status. May
 * block for the pipeline's NULL deadline; not in its control thread. */
void vigil_instance_release (VigilInstance *self);

typedef struct {
  char *name;
  VigilDestinationStatus status;
} VigilInstanceDestination;

typedef struct {
  VigilPipelineStatus pipeline; /* its state is the instance's */
  VigilPublisherStatus publisher;
  unsigned destinations_size;
  VigilInstanceDestination *destinations;
} VigilInstanceStatus;

/* One picture of the instance. Never waits for the pipeline or a
 * destination. The caller clears it. */
void vigil_instance_get_status (
    VigilInstance *self, VigilInstanceStatus *ret_status);
void vigil_instance_status_clear (VigilInstanceStatus *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (
    VigilInstanceStatus, vigil_instance_status_clear)

/* TRUE for COMPLETED, ERROR and ABORTED. */
gboolean vigil_instance_is_ended (VigilInstance *self);
