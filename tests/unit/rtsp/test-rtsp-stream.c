/* SPDX-License-Identifier: Apache-2.0 */
/* The queue before the viewers' pipeline, without a server. */
#include "rtsp/rtsp-stream.h"

#include "common/fixture.h"
#include "common/viewer.h"
#include <gst/gst.h>

static const VigilRtspJpegSize size = {64, 48};

static VigilRtspStreamStatus
get_status (VigilRtspStream *stream)
{
  VigilRtspStreamStatus status;
  uint64_t sum = 0;

  vigil_rtsp_stream_get_status (stream, &status);
  for (int i = 0; i < VIGIL_RTSP_DROP_REASONS; i++)
    sum += status.dropped[i];
  g_assert_cmpuint (status.offered, ==, sum + status.queued + status.published);
  return status;
}

static void
push (VigilRtspStream *stream, unsigned count)
{
  g_autoptr (GBytes) jpeg = test_viewer_make_jpeg ();

  for (unsigned i = 0; i < count; i++)
    vigil_rtsp_stream_push (stream, jpeg, &size);
}

/* What a first viewer's DESCRIBE makes. Returns: (transfer full). */
static GstRTSPMedia *
make_media (VigilRtspStream *stream)
{
  g_autoptr (GstRTSPMediaFactory) factory =
      vigil_rtsp_stream_new_factory (stream);
  GstRTSPUrl *url = NULL;
  GstRTSPMedia *media;

  g_assert_cmpint (
      gst_rtsp_url_parse ("rtsp://localhost/a", &url), ==, GST_RTSP_OK);
  media = gst_rtsp_media_factory_construct (factory, url);
  gst_rtsp_url_free (url);
  g_assert_nonnull (media);
  g_assert_true (vigil_rtsp_stream_of_media (media) == stream);
  return media;
}

static void
test_nobody (VigilFixture *fixture, gconstpointer data)
{
  g_autoptr (VigilRtspStream) stream = vigil_rtsp_stream_new ("a/b", 3);
  VigilRtspStreamStatus status;

  g_assert_cmpstr (vigil_rtsp_stream_get_path (stream), ==, "/a/b");
  g_assert_false (vigil_rtsp_stream_is_watched (stream));
  push (stream, 5);
  vigil_rtsp_stream_drop (stream, VIGIL_RTSP_DROP_UNUSABLE);
  status = get_status (stream);
  g_assert_cmpuint (status.dropped[VIGIL_RTSP_DROP_NO_VIEWER], ==, 5);
  g_assert_cmpuint (status.dropped[VIGIL_RTSP_DROP_UNUSABLE], ==, 1);
  vigil_rtsp_stream_end (stream);
  push (stream, 1);
  status = get_status (stream);
  g_assert_cmpuint (status.dropped[VIGIL_RTSP_DROP_STOPPED], ==, 1);
  g_assert_true (status.is_ended);
  g_assert_true (vigil_rtsp_stream_wait (stream, 0));
}

/* Before a viewer plays only the newest frame is of use. */
static void
test_newest_waits (VigilFixture *fixture, gconstpointer data)
{
  g_autoptr (VigilRtspStream) stream = vigil_rtsp_stream_new ("a", 3);
  g_autoptr (GstRTSPMedia) media = make_media (stream);
  VigilRtspStreamStatus status;

  g_assert_true (vigil_rtsp_stream_is_watched (stream));
  push (stream, 5);
  status = get_status (stream);
  g_assert_cmpuint (status.queued, ==, 1);
  g_assert_cmpuint (status.queued_bytes, >, 100);
  g_assert_cmpuint (status.dropped[VIGIL_RTSP_DROP_VIEWERS_SLOW], ==, 4);
  /* The pipeline's end. */
  g_signal_emit_by_name (media, "unprepared");
  status = get_status (stream);
  g_assert_cmpuint (status.dropped[VIGIL_RTSP_DROP_NO_VIEWER], ==, 1);
  g_assert_cmpuint (status.queued_bytes, ==, 0);
  g_assert_false (status.is_watched);
}

/* Viewers that take nothing: as many wait as may, the oldest goes. */
static void
test_slow (VigilFixture *fixture, gconstpointer data)
{
  g_autoptr (VigilRtspStream) stream = vigil_rtsp_stream_new ("a", 3);
  g_autoptr (GstRTSPMedia) media = make_media (stream);
  VigilRtspStreamStatus status;

  g_signal_emit_by_name (media, "new-state", GST_STATE_PLAYING);
  push (stream, 100);
  status = get_status (stream);
  g_assert_cmpuint (status.queued, ==, 3);
  g_assert_cmpuint (status.dropped[VIGIL_RTSP_DROP_VIEWERS_SLOW], ==, 97);
  /* At the end all that waits is handed over. */
  vigil_rtsp_stream_end (stream);
  status = get_status (stream);
  g_assert_cmpuint (status.published, ==, 3);
  g_assert_false (vigil_rtsp_stream_is_watched (stream));
  g_assert_false (vigil_rtsp_stream_wait (stream, vigil_fixture_deadline (20)));
  g_signal_emit_by_name (media, "unprepared");
  g_assert_true (vigil_rtsp_stream_wait (stream, 0));
}

/* A viewer comes while the pipeline of the last ones goes away. */
static void
test_two_media (VigilFixture *fixture, gconstpointer data)
{
  g_autoptr (VigilRtspStream) stream = vigil_rtsp_stream_new ("a", 3);
  g_autoptr (GstRTSPMedia) old = make_media (stream);
  g_autoptr (GstRTSPMedia) young = make_media (stream);

  g_signal_emit_by_name (old, "unprepared");
  g_assert_true (vigil_rtsp_stream_is_watched (stream));
  g_signal_emit_by_name (young, "unprepared");
  g_assert_false (vigil_rtsp_stream_is_watched (stream));
}

static void
add (const char *path, void (*function) (VigilFixture *, gconstpointer))
{
  g_test_add (path, VigilFixture, NULL, vigil_fixture_set_up, function,
      vigil_fixture_tear_down);
}

int
main (int argc, char **argv)
{
  vigil_fixture_init (&argc, &argv, 0);
  gst_init (NULL, NULL);
  add ("/rtsp-stream/nobody", test_nobody);
  add ("/rtsp-stream/newest-waits", test_newest_waits);
  add ("/rtsp-stream/slow", test_slow);
  add ("/rtsp-stream/two-media", test_two_media);
  return g_test_run ();
}
