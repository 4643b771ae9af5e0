/* SPDX-License-Identifier: Apache-2.0 */
/* A network source that comes late, goes away and comes back, in the same
 * pipeline: with a real RTSP server. */
#include "common/test-run.h"

#include <gst/rtsp-server/rtsp-server.h>
#include <string.h>

#define DEADLINE_MS (30 * 1000)

typedef struct {
  GstRTSPServer *server;
  GMainContext *context;
  GMainLoop *loop;
  GThread *thread;
  guint source;
} Server;

static void *
run_server (void *data)
{
  Server *self = data;
  g_main_context_push_thread_default (self->context);
  g_main_loop_run (self->loop);
  g_main_context_pop_thread_default (self->context);
  return NULL;
}

static void
server_start (Server *self, unsigned port)
{
  g_autofree char *service = g_strdup_printf ("%u", port);
  self->context = g_main_context_new ();
  self->loop = g_main_loop_new (self->context, FALSE);
  self->server = gst_rtsp_server_new ();
  gst_rtsp_server_set_address (self->server, vigil_fixture_get_address ());
  gst_rtsp_server_set_service (self->server, service);
  GstRTSPMediaFactory *factory = gst_rtsp_media_factory_new ();
  gst_rtsp_media_factory_set_launch (factory,
      "( videotestsrc is-live=true ! "
      "video/x-raw,format=I420,width=64,height=48,framerate=25/1 ! jpegenc ! "
      "rtpjpegpay name=pay0 pt=26 )");
  GstRTSPMountPoints *mounts = gst_rtsp_server_get_mount_points (self->server);
  gst_rtsp_mount_points_add_factory (mounts, "/video", factory);
  g_object_unref (mounts);
  self->source = gst_rtsp_server_attach (self->server, self->context);
  g_assert_cmpuint (self->source, !=, 0);
  self->thread = g_thread_new ("rtsp-server", run_server, self);
}

/* Nothing may send through a client that is taken away. */
static GstRTSPFilterResult
remove_client (GstRTSPServer *server, GstRTSPClient *client, void *user_data)
{
  gst_rtsp_client_set_send_func (client, NULL, NULL, NULL);
  gst_rtsp_client_set_send_messages_func (client, NULL, NULL, NULL);
  return GST_RTSP_FILTER_REMOVE;
}

/* As when the camera's plug is pulled: nobody listens, nobody answers. */
static void
server_stop (Server *self)
{
  g_source_destroy (
      g_main_context_find_source_by_id (self->context, self->source));
  g_list_free_full (
      gst_rtsp_server_client_filter (self->server, remove_client, NULL),
      g_object_unref);
  g_main_loop_quit (self->loop);
  g_thread_join (self->thread);
  g_object_unref (self->server);
  g_main_loop_unref (self->loop);
  g_main_context_unref (self->context);
}

static void
init (TestRun *run, unsigned port)
{
  g_autofree char *request = g_strdup_printf (
      "{\"source\":{\"type\":\"uri\",\"uri\":\"rtsp://u:canary@%s:%u/video\","
      "\"properties\":{\"protocols\":\"tcp\",\"latency\":0}}}",
      vigil_fixture_get_address (), port);
  vigil_fixture_allow_warning ("vigil-pipeline", "*the source is lost*");
  test_run_init (run,
      "{auto_source} name=source ! decodebin ! appsink name=destination "
      "sync=false",
      NULL, request);
  g_assert_no_error (run->error);
  g_assert_true (vigil_pipeline_is_live (run->pipeline));
}

static gboolean
is_lost (void *data)
{
  VigilPipelineStatus status;
  vigil_pipeline_get_status (data, &status);
  g_assert_null (strstr (status.message, "canary"));
  return status.state == VIGIL_PIPELINE_RUNNING &&
         strstr (status.message, "the source is lost, next attempt") != NULL;
}

static void
test_comes_late (VigilFixture *fixture, gconstpointer data)
{
  unsigned port = vigil_fixture_find_port ();
  TestRun run;
  init (&run, port);
  test_run_start (&run);
  g_assert_true (vigil_fixture_wait_until (is_lost, run.pipeline, DEADLINE_MS));
  Server server;
  server_start (&server, port);
  g_assert_true (vigil_event_wait (&run.frames_event, 3, DEADLINE_MS));
  VigilPipelineStatus status;
  vigil_pipeline_get_status (run.pipeline, &status);
  g_assert_cmpstr (status.message, ==, "");
  g_assert_cmpuint (status.reconnects, >=, 1);
  test_run_clear (&run);
  server_stop (&server);
}

typedef struct {
  VigilPipeline *pipeline;
  unsigned reconnects;
} Wanted;

static gboolean
has_reconnected (void *data)
{
  const Wanted *wanted = data;
  VigilPipelineStatus status;
  vigil_pipeline_get_status (wanted->pipeline, &status);
  return status.reconnects >= wanted->reconnects;
}

/* Waits for frames that came after so many reconnects; before, some may still
 * be on their way. Returns: how many there are by now. */
static unsigned
wait_frames (TestRun *run, unsigned reconnects)
{
  Wanted wanted = {run->pipeline, reconnects};
  g_assert_true (
      vigil_fixture_wait_until (has_reconnected, &wanted, DEADLINE_MS));
  unsigned frames = test_run_count_frames (run) + 3;
  g_assert_true (vigil_event_wait (&run->frames_event, frames, DEADLINE_MS));
  return frames;
}

static void
test_comes_back (VigilFixture *fixture, gconstpointer data)
{
  unsigned port = vigil_fixture_find_port ();
  Server server;
  server_start (&server, port);
  TestRun run;
  init (&run, port);
  test_run_start (&run);
  for (unsigned i = 0; i < 2; i++) {
    wait_frames (&run, i);
    server_stop (&server);
    g_assert_true (
        vigil_fixture_wait_until (is_lost, run.pipeline, DEADLINE_MS));
    server_start (&server, port);
  }
  unsigned frames = wait_frames (&run, 2);
  /* One instance: the numbers go on. */
  for (unsigned i = 0; i < frames; i++)
    g_assert_cmpuint (test_run_get_frame (&run, i)->frame_id, ==, i);
  VigilPipelineStatus status;
  vigil_pipeline_get_status (run.pipeline, &status);
  g_assert_cmpint (status.state, ==, VIGIL_PIPELINE_RUNNING);
  g_assert_cmpuint (status.reconnects, >=, 2);
  vigil_pipeline_stop (run.pipeline, 3000);
  g_assert_true (vigil_event_wait (&run.ended_event, 1, DEADLINE_MS));
  g_assert_cmpint (run.end_state, ==, VIGIL_PIPELINE_ABORTED);
  test_run_clear (&run);
  server_stop (&server);
}

static void
test_stop_while_lost (VigilFixture *fixture, gconstpointer data)
{
  TestRun run;
  init (&run, vigil_fixture_find_port ());
  test_run_start (&run);
  g_assert_true (vigil_fixture_wait_until (is_lost, run.pipeline, DEADLINE_MS));
  /* It does not wait for an end of stream that cannot come. */
  vigil_pipeline_stop (run.pipeline, 2 * DEADLINE_MS);
  g_assert_true (vigil_event_wait (&run.ended_event, 1, DEADLINE_MS));
  g_assert_cmpint (run.end_state, ==, VIGIL_PIPELINE_ABORTED);
  test_run_clear (&run);
  g_assert_cmpuint (vigil_event_get_count (&run.ended_event), ==, 1);
}

/* What is wrong with the pipeline itself does not get better by itself. */
static void
test_own_fault (VigilFixture *fixture, gconstpointer data)
{
  unsigned port = vigil_fixture_find_port ();
  Server server;
  server_start (&server, port);
  g_autofree char *request = g_strdup_printf (
      "{\"source\":{\"type\":\"uri\",\"uri\":\"rtsp://%s:%u/video\","
      "\"properties\":{\"protocols\":\"tcp\",\"latency\":0}}}",
      vigil_fixture_get_address (), port);
  TestRun run;
  test_run_init (&run,
      "{auto_source} name=source ! decodebin ! identity error-after=3 ! "
      "appsink name=destination sync=false",
      NULL, request);
  g_assert_cmpint (test_run_play (&run), ==, VIGIL_PIPELINE_ERROR);
  test_run_clear (&run);
  server_stop (&server);
}

int
main (int argc, char **argv)
{
  /* GNOME's resolver wants settings that an isolated test does not have. */
  g_setenv ("GIO_USE_PROXY_RESOLVER", "dummy", TRUE);
  vigil_fixture_init (&argc, &argv, 120);
  gst_init (&argc, &argv);
#define ADD(path, function)                                                    \
  g_test_add (path, VigilFixture, NULL, vigil_fixture_set_up, function,        \
      vigil_fixture_tear_down)
  ADD ("/reconnect/comes-late", test_comes_late);
  ADD ("/reconnect/comes-back", test_comes_back);
  ADD ("/reconnect/stop-while-lost", test_stop_while_lost);
  ADD ("/reconnect/own-fault", test_own_fault);
  return g_test_run ();
}
