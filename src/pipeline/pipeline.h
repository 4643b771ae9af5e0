/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "model/frame.h"
#include "pipeline/definition.h"

/*
 * One running GStreamer pipeline, with a control thread and a GMainContext
 * of its own for parse, PLAYING, bus and NULL. GStreamer's headers are not
 * needed to use it.
 */
typedef struct _VigilPipeline VigilPipeline;

typedef enum {
  VIGIL_PIPELINE_QUEUED,
  VIGIL_PIPELINE_RUNNING,
  VIGIL_PIPELINE_COMPLETED, /* end of stream */
  VIGIL_PIPELINE_ERROR,
  VIGIL_PIPELINE_ABORTED, /* stopped by request */
} VigilPipelineState;

/* "QUEUED" ...: the words of the contract. */
const char *vigil_pipeline_state_name (VigilPipelineState state);

typedef struct {
  /* Streaming thread: takes @frame (transfer full). */
  void (*on_frame) (void *user_data, VigilFrame *frame);
  /* Control thread, once, when the pipeline has ended (COMPLETED, ERROR or
   * ABORTED) and no on_frame will come any more. */
  void (*on_ended) (void *user_data, VigilPipelineState state);
  void *user_data;
} VigilPipelineCallbacks;

/*
 * Expands the launch text with @request (source, parameters, tags; nullable
 * members), parses it, binds the appsink named destination and sets the
 * properties; the pipeline stays in NULL. Blocks for the parse; any thread.
 * Errors: INVALID with the path in the request, NOT_FOUND for an element
 * (with what to install).
 * Returns: (transfer full) (nullable).
 */
VigilPipeline *vigil_pipeline_new (const VigilDefinition *definition,
    const VigilJson *request, const VigilEnvironment *environment,
    const VigilPipelineCallbacks *callbacks, GError **error);
/* Stops, waiting for at most the NULL deadline, and frees. A pipeline whose
 * NULL hangs is left behind and counted, see get_abandoned_count. */
void vigil_pipeline_free (VigilPipeline *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VigilPipeline, vigil_pipeline_free)

/* FALSE when no frame ever waits for us: a camera, a network stream. Known
 * after new (from the source elements), settled at PAUSED. */
gboolean vigil_pipeline_is_live (const VigilPipeline *self);
gboolean vigil_pipeline_has_destination (const VigilPipeline *self);
/* What the request names and the pipeline does not have (an element, a
 * property), with its path in the request. (transfer none). */
const VigilProblems *vigil_pipeline_get_warnings (const VigilPipeline *self);
/* The launch text as it was parsed. (transfer none). */
const char *vigil_pipeline_get_launch_text (const VigilPipeline *self);

/*
 * Image ingestors: puts @image, in an encoding that the pipeline decodes,
 * behind those that wait. @pts_ns: of the frame that it becomes; larger than
 * the last one. Any thread; never waits. Errors: INVALID: no image;
 * UNAVAILABLE: not running; LIMIT: too many wait.
 */
gboolean vigil_pipeline_push_image (
    VigilPipeline *self, GBytes *image, int64_t pts_ns, GError **error);

/* Asks for PLAYING; returns at once. */
void vigil_pipeline_start (VigilPipeline *self);
/* Asks for the stop: sends EOS, waits up to @eos_ms for it, then NULL.
 * Returns at once; on_ended tells. More calls do nothing. */
void vigil_pipeline_stop (VigilPipeline *self, int64_t eos_ms);

typedef struct {
  VigilPipelineState state;
  uint64_t frames;
  double avg_fps;
  double avg_latency;  /* seconds, source to appsink; negative: unknown */
  double start_time;   /* epoch seconds; negative: not started */
  double elapsed_time; /* seconds; negative: not started */
  unsigned reconnects; /* of a network source that was lost */
  char message[512];   /* error text and debug text; "" without */
} VigilPipelineStatus;

/* Any thread; never waits for the pipeline. */
void vigil_pipeline_get_status (
    VigilPipeline *self, VigilPipelineStatus *ret_status);

/* Pipelines of this process whose NULL never came back. */
unsigned vigil_pipeline_get_abandoned_count (void);
