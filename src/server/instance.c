/* SPDX-License-Identifier: Apache-2.0 */

/* An instance: one pipeline and its publisher, joined. */

#include "server/instance.h"

#include "base/error.h"
#include "rtsp/rtsp-destination.h"
#include "server/image-response.h"
#include "server/request.h"
#include <pthread.h>
#include <string.h>
#include <sys/random.h>

/* A pipeline that shows no frames at all must not have them all kept. */
enum { PENDING_MAX = 1000 };

typedef enum {
  PHASE_QUEUED,
  PHASE_STARTED,
  PHASE_ENDED,
  PHASE_RELEASED,
} Phase;

struct _VigilInstance {
  gatomicrefcount reference_count;
  char id[VIGIL_INSTANCE_ID_LENGTH + 1];
  char *pipeline_name;
  VigilJson *request; /* nullable */
  char *launch_text;
  char **warnings;
  VigilSettings settings;
  void (*on_ended) (VigilInstance *self, void *user_data);
  void *user_data;

  gboolean takes_images;
  VigilImageResponse *response; /* nullable: not synchronous */
  pthread_mutex_t turn; /* of ingest: one result is waited for at a time */
  int64_t started_us;

  pthread_mutex_t lock; /* protects what follows, up to the next blank line */
  pthread_cond_t ended; /* phase has become PHASE_ENDED */
  Phase phase;
  VigilPipelineState end_state; /* valid from PHASE_ENDED on */
  char *end_message; /* nullable: why it ended, when the pipeline has no text */
  VigilInstanceStatus last_status; /* valid in PHASE_RELEASED */

  int64_t last_pts_ns; /* of the last image */
  GQueue images;       /* of Pending: in the pipeline, in order */

  /* Made by new and freed by release, which changes them under the lock;
   * their own threads use them without, because they end before that. */
  VigilPipeline *pipeline;
  VigilPublisher *publisher; /* nullable: no appsink named destination */

  VigilPipelineStatus worker_status; /* publisher's worker only */
};

static void
make_id (char id[VIGIL_INSTANCE_ID_LENGTH + 1])
{
  unsigned char bytes[VIGIL_INSTANCE_ID_LENGTH / 2];

  /* Never fails nor is short for so few bytes once the kernel is seeded. */
  while (getrandom (bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
    continue;
  for (size_t index = 0; index < sizeof bytes; index++)
    g_snprintf (id + 2 * index, 3, "%02x", bytes[index]);
}

/* ---- The two halves meet ---------------------------------------------- */

/* What was said about an image that is in the pipeline. */
typedef struct {
  int64_t pts_ns;
  char *metadata; /* JSON object */
} Pending;

static void
pending_free (gpointer data)
{
  Pending *pending = data;

  g_free (pending->metadata);
  g_free (pending);
}

/* What was said about the image becomes metadata of its frame. Images that
 * the pipeline lost are forgotten with the next one that comes through. */
static void
add_image_metadata (VigilInstance *self, VigilFrame *frame)
{
  Pending *pending;

  pthread_mutex_lock (&self->lock);
  while ((pending = g_queue_peek_head (&self->images)) != NULL &&
         pending->pts_ns <= frame->pts) {
    if (pending->pts_ns == frame->pts)
      vigil_metadata_take_message (
          frame->metadata, g_steal_pointer (&pending->metadata));
    pending_free (g_queue_pop_head (&self->images));
  }
  pthread_mutex_unlock (&self->lock);
}

static void
on_frame (void *user_data, VigilFrame *frame)
{
  VigilInstance *self = user_data;

  if (self->takes_images)
    add_image_metadata (self, frame);
  if (self->publisher != NULL)
    vigil_publisher_push (self->publisher, frame);
  else
    vigil_frame_unref (frame);
}

/* Marks the end and tells it; the first call counts. */
static void
end (VigilInstance *self, VigilPipelineState state, const char *message)
{
  pthread_mutex_lock (&self->lock);
  if (self->phase >= PHASE_ENDED) {
    pthread_mutex_unlock (&self->lock);
    return;
  }
  self->phase = PHASE_ENDED;
  self->end_state = state;
  self->end_message = g_strdup (message);
  pthread_cond_broadcast (&self->ended);
  pthread_mutex_unlock (&self->lock);
  if (self->on_ended != NULL)
    self->on_ended (self, self->user_data);
}

/* Control thread: no frame comes any more, so what was taken goes out
 * before anybody is told that it is over. */
static void
on_pipeline_ended (void *user_data, VigilPipelineState state)
{
  VigilInstance *self = user_data;

  if (self->publisher != NULL)
    vigil_publisher_stop (self->publisher, self->settings.flush_ms);
  end (self, state, NULL);
}

/* Worker, for every frame. */
static void
get_instance_state (void *user_data, VigilInstanceState *ret_state)
{
  VigilInstance *self = user_data;
  VigilPipelineStatus *status = &self->worker_status;

  vigil_pipeline_get_status (self->pipeline, status);
  *ret_state = (VigilInstanceState){
      .state = vigil_pipeline_state_name (status->state),
      .avg_fps = status->avg_fps,
      .avg_pipeline_latency = status->avg_latency,
      .start_time = status->start_time,
      .elapsed_time = status->elapsed_time,
      .message = status->message,
  };
}

/* ---- Life ------------------------------------------------------------- */

/* A synchronous image ingestor also answers who posted the image. */
static gboolean
add_response (VigilInstance *self, GError **error)
{
  g_autoptr (VigilJson) settings = vigil_json_new_object ();

  if (!self->takes_images ||
      !vigil_schema_get_boolean (self->request, "sync", FALSE))
    return TRUE;
  self->response = vigil_image_response_new ();
  return vigil_publisher_add_destination (self->publisher,
      &vigil_image_response_ops, NULL, settings, self->response, error);
}

/* The checked `destination.frame` of the request: one, or a list. */
static gboolean
add_frame_destinations (
    VigilInstance *self, VigilRtspServer *server, GError **error)
{
  const VigilJson *frame = vigil_json_object_get (
      vigil_json_object_get (self->request, "destination"), "frame");
  gboolean is_list =
      frame != NULL && vigil_json_get_type (frame) == VIGIL_JSON_ARRAY;
  size_t size = is_list ? vigil_json_array_size (frame) : frame != NULL;

  for (size_t index = 0; index < size; index++)
    if (!vigil_publisher_add_destination (self->publisher,
            &vigil_rtsp_destination_ops, NULL,
            is_list ? vigil_json_array_get (frame, index) : frame, server,
            error)) {
      if (is_list)
        g_prefix_error (error, "destination.frame[%zu]: ", index);
      else
        g_prefix_error (error, "destination.frame: ");
      return FALSE;
    }
  return TRUE;
}

static gboolean
make_publisher (VigilInstance *self, const VigilInstanceOptions *options,
    const VigilJson *entry, GError **error)
{
  const VigilPublisherContext context = {
      .pipeline_name = self->pipeline_name,
      .instance_id = self->id,
      .config_folder = options->config_folder,
      .environment = options->environment,
      .eis_bus = options->eis_bus,
      .is_live = vigil_pipeline_is_live (self->pipeline),
      .get_instance_state = get_instance_state,
      .user_data = self,
  };
  g_autoptr (VigilProblems) problems = vigil_problems_new ();

  vigil_publisher_check (entry, "request", &context, problems);
  if (!vigil_problems_check (problems, error))
    return FALSE;
  self->publisher = vigil_publisher_new (entry, &context, error);
  return self->publisher != NULL && add_response (self, error) &&
         add_frame_destinations (self, options->rtsp_server, error);
}

static gboolean
names_destination (const VigilJson *request)
{
  return vigil_json_object_get (request, "destination") != NULL ||
         vigil_json_object_get (request, "mqtt_publisher") != NULL;
}

static void
set_no_destination (const VigilInstance *self, GError **error)
{
  g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID,
      "destination: pipeline '%s' has no appsink named destination, so "
      "nothing can be published from it",
      self->pipeline_name);
}

/* The pipeline goes before the instance; what it says about itself stays. */
static void
keep_descriptions (VigilInstance *self)
{
  const VigilProblems *problems = vigil_pipeline_get_warnings (self->pipeline);
  g_autoptr (GPtrArray) warnings = g_ptr_array_new ();

  for (unsigned i = 0; i < vigil_problems_get_size (problems); i++) {
    const VigilProblem *problem = vigil_problems_get (problems, i);

    g_ptr_array_add (
        warnings, g_strdup_printf ("%s: %s", problem->path, problem->text));
  }
  g_ptr_array_add (warnings, NULL);
  self->warnings =
      (char **)g_ptr_array_free (g_steal_pointer (&warnings), FALSE);
  self->launch_text =
      g_strdup (vigil_pipeline_get_launch_text (self->pipeline));
}

VigilInstance *
vigil_instance_new (const VigilInstanceOptions *options, GError **error)
{
  g_autoptr (VigilInstance) self = g_new0 (VigilInstance, 1);
  g_autoptr (VigilJson) entry = NULL;
  VigilPipelineCallbacks callbacks = {
      .on_frame = on_frame,
      .on_ended = on_pipeline_ended,
      .user_data = self,
  };

  g_atomic_ref_count_init (&self->reference_count);
  pthread_mutex_init (&self->lock, NULL);
  pthread_cond_init (&self->ended, NULL);
  pthread_mutex_init (&self->turn, NULL);
  g_queue_init (&self->images);
  make_id (self->id);
  self->pipeline_name =
      g_strdup (vigil_definition_get_name (options->definition));
  self->takes_images = vigil_definition_takes_images (options->definition);
  self->settings = *options->settings;
  self->on_ended = options->on_ended;
  self->user_data = options->user_data;
  if (options->request != NULL)
    self->request = vigil_json_copy (options->request);

  entry = vigil_request_merge (
      options->entry, self->request, options->is_trusted, error);
  if (entry == NULL)
    return NULL;
  self->pipeline = vigil_pipeline_new (options->definition, self->request,
      options->environment, &callbacks, error);
  if (self->pipeline == NULL)
    return NULL;
  keep_descriptions (self);
  if (vigil_pipeline_has_destination (self->pipeline)) {
    if (!make_publisher (self, options, entry, error))
      return NULL;
  } else if (names_destination (self->request)) {
    set_no_destination (self, error);
    return NULL;
  }
  return g_steal_pointer (&self);
}

VigilInstance *
vigil_instance_ref (VigilInstance *self)
{
  g_atomic_ref_count_inc (&self->reference_count);
  return self;
}

void
vigil_instance_unref (VigilInstance *self)
{
  if (self == NULL || !g_atomic_ref_count_dec (&self->reference_count))
    return;
  /* The pipeline first: it is what pushes into the publisher. */
  vigil_pipeline_free (self->pipeline);
  vigil_publisher_free (self->publisher);
  vigil_instance_status_clear (&self->last_status);
  vigil_json_unref (self->request);
  g_queue_clear_full (&self->images, pending_free);
  vigil_image_response_free (self->response);
  pthread_mutex_destroy (&self->turn);
  g_free (self->end_message);
  g_free (self->launch_text);
  g_strfreev (self->warnings);
  g_free (self->pipeline_name);
  pthread_cond_destroy (&self->ended);
  pthread_mutex_destroy (&self->lock);
  g_free (self);
}

const char *
vigil_instance_get_id (const VigilInstance *self)
{
  return self->id;
}

const char *
vigil_instance_get_pipeline_name (const VigilInstance *self)
{
  return self->pipeline_name;
}

const char *
vigil_instance_get_launch_text (const VigilInstance *self)
{
  return self->launch_text;
}

const char *const *
vigil_instance_get_warnings (const VigilInstance *self)
{
  return (const char *const *)self->warnings;
}

const VigilJson *
vigil_instance_get_request (const VigilInstance *self)
{
  return self->request;
}

void
vigil_instance_start (VigilInstance *self)
{
  g_autoptr (GError) error = NULL;

  /* The lock keeps a stop from coming between the two halves. */
  pthread_mutex_lock (&self->lock);
  if (self->phase == PHASE_QUEUED) {
    self->phase = PHASE_STARTED;
    self->started_us = g_get_monotonic_time ();
    if (self->publisher == NULL ||
        vigil_publisher_start (self->publisher, &error))
      vigil_pipeline_start (self->pipeline);
  }
  pthread_mutex_unlock (&self->lock);
  if (error != NULL)
    end (self, VIGIL_PIPELINE_ERROR, error->message);
}

void
vigil_instance_stop (VigilInstance *self)
{
  gboolean was_queued;

  pthread_mutex_lock (&self->lock);
  was_queued = self->phase == PHASE_QUEUED;
  if (self->phase == PHASE_STARTED && self->publisher != NULL)
    vigil_publisher_close (self->publisher);
  if (self->phase == PHASE_STARTED)
    vigil_pipeline_stop (self->pipeline, self->settings.eos_ms);
  pthread_mutex_unlock (&self->lock);
  if (was_queued)
    end (self, VIGIL_PIPELINE_ABORTED, NULL);
}

gboolean
vigil_instance_is_ended (VigilInstance *self)
{
  gboolean is_ended;

  pthread_mutex_lock (&self->lock);
  is_ended = self->phase >= PHASE_ENDED;
  pthread_mutex_unlock (&self->lock);
  return is_ended;
}

void
vigil_instance_renew (VigilInstance *self)
{
  pthread_mutex_lock (&self->lock);
  if (self->phase == PHASE_STARTED && self->publisher != NULL)
    vigil_publisher_renew (self->publisher);
  pthread_mutex_unlock (&self->lock);
}

gboolean
vigil_instance_wait (VigilInstance *self, int64_t deadline_us)
{
  struct timespec deadline = {
      .tv_sec = deadline_us / G_USEC_PER_SEC,
      .tv_nsec = deadline_us % G_USEC_PER_SEC * 1000,
  };
  gboolean is_ended;
  int status = 0;

  pthread_mutex_lock (&self->lock);
  while (self->phase < PHASE_ENDED && status == 0)
    status = pthread_cond_clockwait (
        &self->ended, &self->lock, CLOCK_MONOTONIC, &deadline);
  is_ended = self->phase >= PHASE_ENDED;
  pthread_mutex_unlock (&self->lock);
  return is_ended;
}

/* ---- Images ------------------------------------------------------------ */

gboolean
vigil_instance_takes_images (const VigilInstance *self)
{
  return self->takes_images;
}

/* Puts the image in and remembers what was said about it. */
static gboolean
push_image (
    VigilInstance *self, const VigilInstanceImage *image, GError **error)
{
  int64_t now_ns;
  gboolean is_pushed = FALSE;

  pthread_mutex_lock (&self->lock);
  now_ns = (g_get_monotonic_time () - self->started_us) * 1000;
  if (self->phase != PHASE_STARTED) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_UNAVAILABLE,
        "the instance is not running");
  } else {
    Pending *pending = g_new0 (Pending, 1);

    /* Each has a time of its own, by which its frame is known again. */
    self->last_pts_ns = MAX (now_ns, self->last_pts_ns + 1);
    pending->pts_ns = self->last_pts_ns;
    pending->metadata = g_strdup (image->metadata);
    g_queue_push_tail (&self->images, pending);
    if (self->images.length > PENDING_MAX)
      pending_free (g_queue_pop_head (&self->images));
    if (self->response != NULL)
      vigil_image_response_expect (self->response, pending->pts_ns);
    is_pushed = vigil_pipeline_push_image (
        self->pipeline, image->image, pending->pts_ns, error);
    if (!is_pushed)
      pending_free (g_queue_pop_tail (&self->images));
  }
  pthread_mutex_unlock (&self->lock);
  return is_pushed;
}

static gboolean
ingest_and_wait (VigilInstance *self, const VigilInstanceImage *image,
    char **ret_result, GError **error)
{
  const struct timespec deadline = {
      .tv_sec = image->deadline_us / G_USEC_PER_SEC,
      .tv_nsec = image->deadline_us % G_USEC_PER_SEC * 1000,
  };
  g_autofree char *result = NULL;
  gboolean is_pushed;

  if (pthread_mutex_clocklock (&self->turn, CLOCK_MONOTONIC, &deadline) != 0) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_LIMIT,
        "other images were not done in time");
    return FALSE;
  }
  is_pushed = push_image (self, image, error);
  if (is_pushed)
    result = vigil_image_response_wait (
        self->response, image->with_frame, image->deadline_us);
  pthread_mutex_unlock (&self->turn);
  if (!is_pushed)
    return FALSE;
  if (result == NULL) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_TIMEOUT,
        "no frame came of the image in time");
    return FALSE;
  }
  *ret_result = g_steal_pointer (&result);
  return TRUE;
}

gboolean
vigil_instance_ingest (VigilInstance *self, const VigilInstanceImage *image,
    char **ret_result, GError **error)
{
  g_return_val_if_fail (self->takes_images, FALSE);

  if (self->response != NULL)
    return ingest_and_wait (self, image, ret_result, error);
  if (!push_image (self, image, error))
    return FALSE;
  *ret_result = NULL;
  return TRUE;
}

/* ---- Status ----------------------------------------------------------- */

static void
read_destinations (VigilPublisher *publisher, VigilInstanceStatus *ret_status)
{
  unsigned size = vigil_publisher_get_destination_count (publisher);

  ret_status->destinations = g_new0 (VigilInstanceDestination, size);
  ret_status->destinations_size = size;
  for (unsigned index = 0; index < size; index++) {
    VigilInstanceDestination *destination = &ret_status->destinations[index];
    const char *name = NULL;

    vigil_publisher_get_destination_status (
        publisher, index, &name, &destination->status);
    destination->name = g_strdup (name);
  }
}

static void
copy_status (const VigilInstanceStatus *source, VigilInstanceStatus *target)
{
  *target = *source;
  target->destinations =
      g_new0 (VigilInstanceDestination, source->destinations_size);
  for (unsigned index = 0; index < source->destinations_size; index++) {
    target->destinations[index] = source->destinations[index];
    target->destinations[index].name =
        g_strdup (source->destinations[index].name);
  }
}

/* With the lock. */
static void
read_status (VigilInstance *self, VigilInstanceStatus *ret_status)
{
  memset (ret_status, 0, sizeof *ret_status);
  vigil_pipeline_get_status (self->pipeline, &ret_status->pipeline);
  if (self->publisher != NULL) {
    vigil_publisher_get_status (self->publisher, &ret_status->publisher);
    read_destinations (self->publisher, ret_status);
  }
  if (self->phase >= PHASE_ENDED) {
    ret_status->pipeline.state = self->end_state;
    if (self->end_message != NULL)
      g_strlcpy (ret_status->pipeline.message, self->end_message,
          sizeof ret_status->pipeline.message);
  } else if (self->phase == PHASE_QUEUED) {
    ret_status->pipeline.state = VIGIL_PIPELINE_QUEUED;
  } else if (ret_status->pipeline.state > VIGIL_PIPELINE_RUNNING) {
    /* The pipeline is over, its last messages are not. */
    ret_status->pipeline.state = VIGIL_PIPELINE_RUNNING;
  }
}

void
vigil_instance_get_status (VigilInstance *self, VigilInstanceStatus *ret_status)
{
  pthread_mutex_lock (&self->lock);
  if (self->phase == PHASE_RELEASED)
    copy_status (&self->last_status, ret_status);
  else
    read_status (self, ret_status);
  pthread_mutex_unlock (&self->lock);
}

void
vigil_instance_status_clear (VigilInstanceStatus *self)
{
  for (unsigned index = 0; index < self->destinations_size; index++)
    g_free (self->destinations[index].name);
  g_free (self->destinations);
  memset (self, 0, sizeof *self);
}

void
vigil_instance_release (VigilInstance *self)
{
  VigilPipeline *pipeline = NULL;
  VigilPublisher *publisher = NULL;

  pthread_mutex_lock (&self->lock);
  if (self->phase == PHASE_ENDED) {
    read_status (self, &self->last_status);
    self->phase = PHASE_RELEASED;
    pipeline = g_steal_pointer (&self->pipeline);
    publisher = g_steal_pointer (&self->publisher);
  }
  pthread_mutex_unlock (&self->lock);
  vigil_pipeline_free (pipeline);
  vigil_publisher_free (publisher);
}
