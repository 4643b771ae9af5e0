/* SPDX-License-Identifier: Apache-2.0 */
/* One pipeline under test. */
#include "common/test-run.h"

#include <gst/gst.h>

#define JSON_BYTES_MAX (1024 * 1024)
#define JSON_DEPTH_MAX 64
#define END_DEADLINE_MS (15 * 1000)

static void
on_frame (void *user_data, VigilFrame *frame)
{
  TestRun *self = user_data;
  if (self->keeps_frames) {
    pthread_mutex_lock (&self->lock);
    g_ptr_array_add (self->frames, frame);
    pthread_mutex_unlock (&self->lock);
  } else {
    vigil_frame_unref (frame);
  }
  vigil_event_raise (&self->frames_event);
}

static void
on_ended (void *user_data, VigilPipelineState state)
{
  TestRun *self = user_data;
  self->end_state = state;
  vigil_event_raise (&self->ended_event);
}

static VigilJson *
parse (const char *text)
{
  g_autoptr (GError) error = NULL;
  VigilJson *json =
      vigil_json_parse (text, -1, JSON_BYTES_MAX, JSON_DEPTH_MAX, &error);
  g_assert_no_error (error);
  return json;
}

static void
init (TestRun *self, const VigilJson *entry, const char *request)
{
  *self = (TestRun){.keeps_frames = TRUE};
  vigil_event_init (&self->frames_event);
  vigil_event_init (&self->ended_event);
  pthread_mutex_init (&self->lock, NULL);
  self->frames =
      g_ptr_array_new_with_free_func ((GDestroyNotify)vigil_frame_unref);
  self->definition = vigil_definition_new (entry, NULL, &self->error);
  if (self->definition == NULL)
    return;
  g_autoptr (VigilJson) json = request != NULL ? parse (request) : NULL;
  VigilPipelineCallbacks callbacks = {on_frame, on_ended, self};
  self->pipeline = vigil_pipeline_new (
      self->definition, json, NULL, &callbacks, &self->error);
}

void
test_run_init (TestRun *self, const char *launch, const char *parameters,
    const char *request)
{
  g_autoptr (VigilJson) entry = vigil_json_new_object ();
  vigil_json_object_take (entry, "name", vigil_json_new_string ("test"));
  vigil_json_object_take (entry, "pipeline", vigil_json_new_string (launch));
  if (parameters != NULL)
    vigil_json_object_take (entry, "parameters", parse (parameters));
  init (self, entry, request);
}

void
test_run_init_entry (TestRun *self, const char *entry, const char *request)
{
  g_autoptr (VigilJson) json = parse (entry);
  init (self, json, request);
}

void
test_run_start (TestRun *self)
{
  g_assert_no_error (self->error);
  vigil_pipeline_start (self->pipeline);
}

VigilPipelineState
test_run_play (TestRun *self)
{
  test_run_start (self);
  g_assert_true (vigil_event_wait (&self->ended_event, 1, END_DEADLINE_MS));
  return self->end_state;
}

const VigilFrame *
test_run_get_frame (TestRun *self, unsigned index)
{
  pthread_mutex_lock (&self->lock);
  g_assert_cmpuint (index, <, self->frames->len);
  const VigilFrame *frame = self->frames->pdata[index];
  pthread_mutex_unlock (&self->lock);
  return frame;
}

unsigned
test_run_count_frames (TestRun *self)
{
  return vigil_event_get_count (&self->frames_event);
}

void
test_run_clear (TestRun *self)
{
  g_clear_pointer (&self->pipeline, vigil_pipeline_free);
  g_clear_pointer (&self->definition, vigil_definition_free);
  g_clear_pointer (&self->frames, g_ptr_array_unref);
  g_clear_error (&self->error);
  pthread_mutex_destroy (&self->lock);
  vigil_event_clear (&self->ended_event);
  vigil_event_clear (&self->frames_event);
}

char *
test_run_make_video (
    VigilFixture *fixture, unsigned frames, int width, int height)
{
  g_autofree char *path = g_build_filename (fixture->folder, "video.avi", NULL);
  g_autofree char *launch = g_strdup_printf (
      "videotestsrc num-buffers=%u ! "
      "video/x-raw,format=I420,width=%d,height=%d,framerate=25/1 ! "
      "jpegenc ! avimux ! filesink location=\"%s\"",
      frames, width, height, path);
  g_autoptr (GError) error = NULL;
  gst_init (NULL, NULL);
  g_autoptr (GstElement) pipeline = gst_parse_launch (launch, &error);
  g_assert_no_error (error);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  g_autoptr (GstMessage) message = gst_bus_timed_pop_filtered (
      bus, 10 * GST_SECOND, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  g_assert_nonnull (message);
  g_assert_cmpint (GST_MESSAGE_TYPE (message), ==, GST_MESSAGE_EOS);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  return gst_filename_to_uri (path, NULL);
}
