/* SPDX-License-Identifier: Apache-2.0 */
/* Pipelines from start to end: every frame, every way to end, nothing left
 * behind. */
#include "common/test-meta.h"
#include "common/test-run.h"

#include "base/error.h"
#include <dirent.h>
#include <string.h>

#define FRAMES 30
#define DEADLINE_MS (30 * 1000)

/* ---- Frames ------------------------------------------------------------ */

static void
test_file_all_frames (VigilFixture *fixture, gconstpointer data)
{
  g_autofree char *uri = test_run_make_video (fixture, FRAMES, 64, 48);
  g_autofree char *request =
      g_strdup_printf ("{\"source\":{\"type\":\"uri\",\"uri\":\"%s\"}}", uri);
  TestRun run;
  test_run_init (&run,
      "{auto_source} name=source ! decodebin ! videoconvert ! "
      "video/x-raw,format=BGR ! appsink name=destination sync=false",
      NULL, request);
  g_assert_no_error (run.error);
  g_assert_true (vigil_pipeline_has_destination (run.pipeline));
  g_assert_false (vigil_pipeline_is_live (run.pipeline));
  g_assert_cmpint (test_run_play (&run), ==, VIGIL_PIPELINE_COMPLETED);
  g_assert_cmpuint (test_run_count_frames (&run), ==, FRAMES);
  for (unsigned i = 0; i < FRAMES; i++) {
    const VigilFrame *frame = test_run_get_frame (&run, i);
    g_assert_cmpuint (frame->frame_id, ==, i);
    g_assert_cmpint (frame->pts, ==, (int64_t)i * 40 * 1000 * 1000);
    g_assert_cmpint (frame->stream_time, ==, frame->pts);
    g_assert_cmpint (frame->pixels, ==, VIGIL_PIXELS_BGR);
    g_assert_cmpint (frame->width, ==, 64);
    g_assert_cmpint (frame->height, ==, 48);
  }
  VigilPipelineStatus status;
  vigil_pipeline_get_status (run.pipeline, &status);
  g_assert_cmpint (status.state, ==, VIGIL_PIPELINE_COMPLETED);
  g_assert_cmpuint (status.frames, ==, FRAMES);
  g_assert_cmpstr (status.message, ==, "");
  g_assert_cmpfloat (status.avg_fps, >, 0);
  g_assert_cmpfloat (status.avg_latency, >=, 0);
  g_assert_cmpfloat (status.elapsed_time, >, 0);
  test_run_clear (&run);
}

/* The appsink's properties are the operator's: one that drops, drops. */
static void
test_appsink_properties (VigilFixture *fixture, gconstpointer data)
{
  TestRun run;
  test_run_init (&run,
      "videotestsrc num-buffers=5 ! jpegenc ! "
      "appsink sync=false max-buffers=3 drop=true emit-signals=false "
      "name=destination",
      NULL, NULL);
  g_assert_cmpint (test_run_play (&run), ==, VIGIL_PIPELINE_COMPLETED);
  g_assert_cmpuint (test_run_count_frames (&run), ==, 5);
  g_assert_cmpstr (test_run_get_frame (&run, 4)->media_type, ==, "image/jpeg");
  test_run_clear (&run);
}

static void
test_destination_in_bins (VigilFixture *fixture, gconstpointer data)
{
  TestRun run;
  test_run_init (&run,
      "videotestsrc num-buffers=5 ! tee name=t ! queue ! "
      "( queue ! ( appsink sync=false name=destination ) ) "
      "t. ! queue ! appsink name=other sync=false",
      NULL, NULL);
  g_assert_no_error (run.error);
  g_assert_true (vigil_pipeline_has_destination (run.pipeline));
  g_assert_cmpint (test_run_play (&run), ==, VIGIL_PIPELINE_COMPLETED);
  g_assert_cmpuint (test_run_count_frames (&run), ==, 5);
  test_run_clear (&run);
}

static void
test_no_destination (VigilFixture *fixture, gconstpointer data)
{
  TestRun run;
  test_run_init (
      &run, "videotestsrc num-buffers=5 ! fakesink sync=false", NULL, NULL);
  g_assert_no_error (run.error);
  g_assert_false (vigil_pipeline_has_destination (run.pipeline));
  g_assert_cmpint (test_run_play (&run), ==, VIGIL_PIPELINE_COMPLETED);
  g_assert_cmpuint (test_run_count_frames (&run), ==, 0);
  test_run_clear (&run);
}

/* DLSPS's own sample: something else is called destination, and frames end in
 * an appsink of another name. */
static void
test_other_appsink (VigilFixture *fixture, gconstpointer data)
{
  TestRun run;
  test_run_init (&run,
      "videotestsrc num-buffers=5 ! identity name=destination ! "
      "appsink name=appsink sync=false",
      NULL, NULL);
  g_assert_false (vigil_pipeline_has_destination (run.pipeline));
  g_assert_cmpint (test_run_play (&run), ==, VIGIL_PIPELINE_COMPLETED);
  g_assert_cmpuint (test_run_count_frames (&run), ==, 0);
  VigilPipelineStatus status;
  vigil_pipeline_get_status (run.pipeline, &status);
  g_assert_cmpuint (status.frames, ==, 5);
  test_run_clear (&run);
}

static void
test_live (VigilFixture *fixture, gconstpointer data)
{
  TestRun run;
  test_run_init (&run,
      "videotestsrc is-live=true num-buffers=5 ! "
      "video/x-raw,format=NV12,framerate=50/1 ! appsink name=destination",
      NULL, NULL);
  g_assert_true (vigil_pipeline_is_live (run.pipeline));
  g_assert_cmpint (test_run_play (&run), ==, VIGIL_PIPELINE_COMPLETED);
  g_assert_cmpuint (test_run_count_frames (&run), ==, 5);
  VigilPipelineStatus status;
  vigil_pipeline_get_status (run.pipeline, &status);
  g_assert_cmpfloat (status.avg_latency, >=, 0);
  g_assert_cmpfloat (status.avg_latency, <=, status.elapsed_time);
  test_run_clear (&run);
}

/* Liveness that only PAUSED shows. */
static gboolean
is_live (void *data)
{
  return vigil_pipeline_is_live (data);
}

static void
test_live_late (VigilFixture *fixture, gconstpointer data)
{
  TestRun run;
  test_run_init (&run,
      "appsrc name=source is-live=true format=time ! appsink name=destination",
      NULL, NULL);
  g_assert_no_error (run.error);
  test_run_start (&run);
  g_assert_true (vigil_fixture_wait_until (is_live, run.pipeline, DEADLINE_MS));
  test_run_clear (&run);
}

/* Metas of elements pass encoders, tee and converters whole; what scales moves
 * the boxes. */
typedef struct {
  const char *path;
  const char *format;
  const char *elements;
  int x, width;
} Survival;

static const Survival survivals[] = {
    {"/pipeline/metas/tee", "I420", "tee ! queue", 8, 4},
    {"/pipeline/metas/jpegenc", "I420", "jpegenc", 8, 4},
    {"/pipeline/metas/pngenc", "RGB", "pngenc", 8, 4},
    {"/pipeline/metas/videorate", "I420",
        "videorate ! video/x-raw,framerate=30/1 ! jpegenc", 8, 4},
    {"/pipeline/metas/videoconvert", "RGB", "videoconvert ! jpegenc", 8, 4},
    {"/pipeline/metas/videoscale", "I420",
        "videoscale ! video/x-raw,width=128,height=128 ! jpegenc", 16, 8},
};

static void
test_metas_survive (VigilFixture *fixture, gconstpointer data)
{
  const Survival *item = data;
  test_meta_register ();
  g_autofree char *launch = g_strdup_printf (
      "videotestsrc num-buffers=3 ! "
      "video/x-raw,format=%s,width=64,height=64 ! "
      "vigiltestmeta region=\"car,x=8,y=16,w=4,h=2\" "
      "results=\"detection,confidence=(double)0.5\" "
      "message=\"{{\\\"a\\\":1}}\" tensor=\"t,label=(string)x\" ! "
      "%s ! appsink sync=false name=destination",
      item->format, item->elements);
  TestRun run;
  test_run_init (&run, launch, NULL, NULL);
  g_assert_cmpint (test_run_play (&run), ==, VIGIL_PIPELINE_COMPLETED);
  for (unsigned i = 0; i < 3; i++) {
    const VigilMetadata *metadata = test_run_get_frame (&run, i)->metadata;
    g_assert_cmpuint (metadata->regions->len, ==, 1);
    const VigilRegion *region =
        &g_array_index (metadata->regions, VigilRegion, 0);
    g_assert_cmpstr (region->label, ==, "car");
    g_assert_cmpint (region->x, ==, item->x);
    g_assert_cmpint (region->width, ==, item->width);
    g_assert_cmpuint (region->results->len, ==, 1);
    g_assert_cmpfloat (
        g_array_index (region->results, VigilResult, 0).confidence, ==, 0.5);
    g_assert_cmpuint (metadata->messages->len, ==, 1);
    g_assert_cmpstr (metadata->messages->pdata[0], ==, "{\"a\":1}");
    g_assert_cmpuint (metadata->results->len, ==, 1);
  }
  test_run_clear (&run);
}

/* ---- Errors ------------------------------------------------------------ */

typedef struct {
  const char *path;
  const char *launch;
  const char *content; /* of the file that the request names; NULL: none */
  const char *message; /* a part of it */
  const char *request; /* NULL: the file */
} Failure;

#define DECODE                                                                 \
  "{auto_source} name=source ! decodebin ! videoconvert ! "                    \
  "appsink name=destination sync=false"

static const Failure failures[] = {
    {"/pipeline/error/missing-file", DECODE, NULL, "No such file", NULL},
    {"/pipeline/error/empty-file", DECODE, "", "Stream contains no data", NULL},
    {"/pipeline/error/no-video", DECODE, "plain text, and no more than that",
        "the input is no video, or broken", NULL},
    {"/pipeline/error/no-frames",
        "videotestsrc num-buffers=3 ! identity drop-probability=1 ! "
        "appsink name=destination sync=false",
        "x", "without a single frame", NULL},
    {"/pipeline/error/audio-only",
        "audiotestsrc num-buffers=9 ! wavenc ! decodebin ! videoconvert ! "
        "appsink name=destination sync=false",
        "x", "may have no video", NULL},
    {"/pipeline/error/not-negotiated",
        "{auto_source} ! video/x-raw,format=RGB ! appsink name=destination",
        NULL, "try videoconvert",
        "{\"source\":{\"type\":\"gst\",\"element\":\"videotestsrc\","
        "\"capsfilter\":\"video/x-raw,format=I420\"}}"},
};

static void
test_failure (VigilFixture *fixture, gconstpointer data)
{
  const Failure *item = data;
  g_autofree char *path = g_build_filename (fixture->folder, "file", NULL);
  if (item->content != NULL)
    g_free (vigil_fixture_write (fixture, "file", item->content));
  g_autofree char *request = g_strdup_printf (
      "{\"source\":{\"type\":\"uri\",\"uri\":\"file://%s\"}}", path);
  TestRun run;
  test_run_init (&run, item->launch, NULL,
      item->request != NULL ? item->request : request);
  g_assert_cmpint (test_run_play (&run), ==, VIGIL_PIPELINE_ERROR);
  VigilPipelineStatus status;
  vigil_pipeline_get_status (run.pipeline, &status);
  if (strstr (status.message, item->message) == NULL)
    g_error ("'%s' is not in '%s'", item->message, status.message);
  test_run_clear (&run);
}

/* What a request can get wrong, said before anything runs. */
static void
test_request_errors (VigilFixture *fixture, gconstpointer data)
{
  static const struct {
    const char *launch, *parameters, *request, *error;
  } cases[] = {
      {DECODE, NULL, NULL, "source: the pipeline has {auto_source}"},
      {DECODE, NULL, "{\"source\":{\"type\":\"x\"}}", "source.type 'x'"},
      {"videotestsrc pattern={parameters[p]} ! appsink name=destination",
          "{\"properties\":{\"p\":{\"type\":\"string\"}}}", "{}",
          "no value for '{parameters[p]}'"},
      {"videotestsrc pattern={parameters[p]} ! appsink name=destination",
          "{\"properties\":{\"p\":{\"type\":\"string\"}}}",
          "{\"parameters\":{\"p\":\"rain\"}}", "could not set property"},
      {"videotestsrc ! appsink name=destination",
          "{\"properties\":{\"p\":{\"type\":\"string\"}}}",
          "{\"parameters\":{\"p\":1}}", "parameters.p: want type string"},
      {"videotestsrc name=a ! appsink name=destination",
          "{\"properties\":{\"num-buffers\":{\"element\":\"a\"}}}",
          "{\"parameters\":{\"num-buffers\":\"x\"}}",
          "parameters.num-buffers 'x': want a whole number"},
  };
  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    TestRun run;
    test_run_init (
        &run, cases[i].launch, cases[i].parameters, cases[i].request);
    g_assert_null (run.pipeline);
    g_assert_error (run.error, VIGIL_ERROR, VIGIL_ERROR_INVALID);
    if (strstr (run.error->message, cases[i].error) == NULL)
      g_error ("'%s' is not in '%s'", cases[i].error, run.error->message);
    test_run_clear (&run);
  }
}

static void
test_warnings (VigilFixture *fixture, gconstpointer data)
{
  TestRun run;
  test_run_init (&run, "videotestsrc name=a ! appsink name=destination",
      "{\"properties\":{\"p\":{\"element\":\"nothing\"},"
      "\"num-buffers\":{\"element\":\"a\"}}}",
      "{\"parameters\":{\"p\":1,\"num-buffers\":2},\"tags\":{\"a\":1}}");
  g_assert_no_error (run.error);
  const VigilProblems *warnings = vigil_pipeline_get_warnings (run.pipeline);
  g_assert_cmpuint (vigil_problems_get_size (warnings), ==, 1);
  g_assert_cmpstr (vigil_problems_get (warnings, 0)->path, ==, "parameters.p");
  g_assert_cmpint (test_run_play (&run), ==, VIGIL_PIPELINE_COMPLETED);
  g_assert_cmpuint (test_run_count_frames (&run), ==, 2);
  test_run_clear (&run);
}

/* Passwords of URIs are in no message. */
static void
test_masked (VigilFixture *fixture, gconstpointer data)
{
  TestRun run;
  test_run_init (&run,
      "{auto_source} name=source ! decodebin ! appsink name=destination", NULL,
      "{\"source\":{\"type\":\"uri\","
      "\"uri\":\"file://user:canary@host/path\"}}");
  g_assert_no_error (run.error);
  g_assert_cmpint (test_run_play (&run), ==, VIGIL_PIPELINE_ERROR);
  VigilPipelineStatus status;
  vigil_pipeline_get_status (run.pipeline, &status);
  g_assert_cmpstr (status.message, !=, "");
  g_assert_null (strstr (status.message, "canary"));
  test_run_clear (&run);
}

/* ---- Stop -------------------------------------------------------------- */

static void
test_stop (VigilFixture *fixture, gconstpointer data)
{
  TestRun run;
  test_run_init (
      &run, "videotestsrc is-live=true ! appsink name=destination", NULL, NULL);
  test_run_start (&run);
  g_assert_true (vigil_event_wait (&run.frames_event, 3, DEADLINE_MS));
  vigil_pipeline_stop (run.pipeline, 5000);
  vigil_pipeline_stop (run.pipeline, 5000);
  g_assert_true (vigil_event_wait (&run.ended_event, 1, DEADLINE_MS));
  g_assert_cmpint (run.end_state, ==, VIGIL_PIPELINE_ABORTED);
  unsigned frames = test_run_count_frames (&run);
  vigil_pipeline_stop (run.pipeline, 0);
  test_run_clear (&run);
  g_assert_cmpuint (frames, >=, 3);
}

/* The end of stream goes through first, so that a muxer finishes its file. */
static void
test_stop_finishes_files (VigilFixture *fixture, gconstpointer data)
{
  g_autofree char *path = g_build_filename (fixture->folder, "out.mp4", NULL);
  g_autofree char *launch = g_strdup_printf (
      "videotestsrc is-live=true ! video/x-raw,width=64,height=64 ! tee "
      "name=t ! queue ! appsink name=destination t. ! queue ! avenc_mpeg4 ! "
      "mp4mux ! filesink location=\"%s\"",
      path);
  TestRun run;
  test_run_init (&run, launch, NULL, NULL);
  test_run_start (&run);
  g_assert_true (vigil_event_wait (&run.frames_event, 5, DEADLINE_MS));
  vigil_pipeline_stop (run.pipeline, 5000);
  g_assert_true (vigil_event_wait (&run.ended_event, 1, DEADLINE_MS));
  test_run_clear (&run);
  g_autofree char *bytes = NULL;
  gsize size = 0;
  g_assert_true (g_file_get_contents (path, &bytes, &size, NULL));
  g_assert_nonnull (memmem (bytes, size, "moov", 4));
}

static void
test_stop_before_start (VigilFixture *fixture, gconstpointer data)
{
  TestRun run;
  test_run_init (&run, "videotestsrc ! appsink name=destination", NULL, NULL);
  VigilPipelineStatus status;
  vigil_pipeline_get_status (run.pipeline, &status);
  g_assert_cmpint (status.state, ==, VIGIL_PIPELINE_QUEUED);
  g_assert_cmpfloat (status.start_time, <, 0);
  vigil_pipeline_stop (run.pipeline, 1000);
  g_assert_true (vigil_event_wait (&run.ended_event, 1, DEADLINE_MS));
  g_assert_cmpint (run.end_state, ==, VIGIL_PIPELINE_ABORTED);
  vigil_pipeline_start (run.pipeline);
  test_run_clear (&run);
}

static void
test_free_while_running (VigilFixture *fixture, gconstpointer data)
{
  TestRun run;
  test_run_init (&run,
      "videotestsrc ! jpegenc ! appsink sync=false name=destination", NULL,
      NULL);
  run.keeps_frames = FALSE;
  test_run_start (&run);
  g_assert_true (vigil_event_wait (&run.frames_event, 3, DEADLINE_MS));
  g_clear_pointer (&run.pipeline, vigil_pipeline_free);
  g_assert_cmpint (vigil_event_get_count (&run.ended_event), ==, 1);
  test_run_clear (&run);
}

/* Frames keep their memory when the pipeline is gone. */
static void
test_frames_outlive (VigilFixture *fixture, gconstpointer data)
{
  TestRun run;
  test_run_init (&run,
      "videotestsrc num-buffers=4 pattern=white ! "
      "video/x-raw,format=GRAY8,width=16,height=16 ! "
      "appsink sync=false name=destination",
      NULL, NULL);
  test_run_play (&run);
  g_clear_pointer (&run.pipeline, vigil_pipeline_free);
  for (unsigned i = 0; i < 4; i++)
    g_assert_cmpint (test_run_get_frame (&run, i)->planes[0][17], >=, 235);
  test_run_clear (&run);
}

static unsigned
count_entries (const char *path)
{
  unsigned count = 0;
  DIR *folder = opendir (path);
  while (readdir (folder) != NULL)
    count++;
  closedir (folder);
  return count;
}

static gboolean
has_few_threads (void *data)
{
  return count_entries ("/proc/self/task") <= *(unsigned *)data;
}

/* Waits until there are no more than @count threads, idle ones not counted:
 * GLib keeps some of those for 15 s, unless it is told otherwise. */
static void
wait_threads (unsigned count)
{
  int idle_max = g_thread_pool_get_max_unused_threads ();
  g_thread_pool_set_max_unused_threads (0);
  g_assert_true (
      vigil_fixture_wait_until (has_few_threads, &count, DEADLINE_MS));
  g_thread_pool_set_max_unused_threads (idle_max);
}

/* An element whose way to NULL hangs is left behind; the rest goes on, and
 * the times stand still. */
static VigilEvent release_event;

static GstStateChangeReturn
hang_on_null (GstElement *element, GstStateChange transition)
{
  GstElementClass *parent =
      g_type_class_peek_parent (GST_ELEMENT_GET_CLASS (element));
  if (transition == GST_STATE_CHANGE_READY_TO_NULL)
    vigil_event_wait (&release_event, 1, 60 * 1000);
  return parent->change_state (element, transition);
}

static void
init_hanging_class (void *class, void *data)
{
  ((GstElementClass *)class)->change_state = hang_on_null;
}

static void
test_hanging_null (VigilFixture *fixture, gconstpointer data)
{
  g_autoptr (GstElement) model =
      gst_object_ref_sink (gst_element_factory_make ("identity", NULL));
  GTypeQuery query;
  g_type_query (G_OBJECT_TYPE (model), &query);
  unsigned threads = count_entries ("/proc/self/task");
  GTypeInfo info = {
      .class_size = (guint16)query.class_size,
      .class_init = init_hanging_class,
      .instance_size = (guint16)query.instance_size,
  };
  GType type = g_type_register_static (
      G_OBJECT_TYPE (model), "VigilTestHanging", &info, 0);
  gst_element_register (NULL, "vigiltesthanging", GST_RANK_NONE, type);
  vigil_event_init (&release_event);
  vigil_fixture_expect_warning (
      "vigil-pipeline", "pipeline test does not stop*is left behind");
  vigil_fixture_expect_warning (
      "vigil-pipeline", "pipeline test: the source is lost*");
  unsigned before = vigil_pipeline_get_abandoned_count ();
  TestRun run, lost;
  test_run_init (&run,
      "videotestsrc is-live=true ! vigiltesthanging ! appsink "
      "name=destination",
      NULL, NULL);
  g_assert_no_error (run.error);
  test_run_start (&run);
  g_autofree char *launch = g_strdup_printf (
      "rtspsrc protocols=tcp location=rtsp://%s:%u/ ! vigiltesthanging ! "
      "appsink name=destination",
      vigil_fixture_get_address (), vigil_fixture_find_port ());
  test_run_init (&lost, launch, NULL, NULL);
  g_assert_no_error (lost.error);
  test_run_start (&lost);
  g_assert_true (vigil_event_wait (&run.frames_event, 1, DEADLINE_MS));
  vigil_pipeline_stop (run.pipeline, 0);
  g_assert_true (vigil_event_wait (&run.ended_event, 1, DEADLINE_MS));
  g_assert_cmpint (run.end_state, ==, VIGIL_PIPELINE_ABORTED);
  g_assert_true (vigil_event_wait (&lost.ended_event, 1, DEADLINE_MS));
  g_assert_cmpint (lost.end_state, ==, VIGIL_PIPELINE_ERROR);
  VigilPipelineStatus status, again;
  vigil_pipeline_get_status (lost.pipeline, &status);
  g_assert_cmpstr (
      status.message, ==, "the source is lost, and its elements do not stop");
  vigil_pipeline_get_status (lost.pipeline, &again);
  g_assert_cmpfloat (again.elapsed_time, ==, status.elapsed_time);
  g_assert_cmpuint (vigil_pipeline_get_abandoned_count (), ==, before + 2);
  test_run_clear (&run);
  test_run_clear (&lost);
  vigil_event_raise (&release_event);
  wait_threads (threads);
}

/* ---- Nothing left behind ----------------------------------------------- */

static gboolean
has_few_files (void *data)
{
  return count_entries ("/proc/self/fd") <= *(unsigned *)data;
}

static size_t
get_resident_kib (void)
{
  g_autofree char *text = NULL;
  g_assert_true (g_file_get_contents ("/proc/self/statm", &text, NULL, NULL));
  return (size_t)g_ascii_strtoull (strchr (text, ' '), NULL, 10) * 4;
}

static void
cycle (unsigned times)
{
  for (unsigned i = 0; i < times; i++) {
    TestRun run;
    test_run_init (&run,
        "videotestsrc is-live=true ! "
        "video/x-raw,width=32,height=32,framerate=500/1 ! appsink "
        "name=destination",
        NULL, NULL);
    test_run_start (&run);
    if (i % 2 == 0)
      g_assert_true (vigil_event_wait (&run.frames_event, 1, DEADLINE_MS));
    test_run_clear (&run);
  }
}

static void
test_cycles (VigilFixture *fixture, gconstpointer data)
{
  cycle (50); /* what GLib and GStreamer keep is there now */
  unsigned threads = count_entries ("/proc/self/task");
  unsigned files = count_entries ("/proc/self/fd");
  size_t memory_kib = get_resident_kib ();
  cycle (1000);
  wait_threads (threads);
  /* A thread that has left the list closes its files a moment later. */
  g_assert_true (vigil_fixture_wait_until (has_few_files, &files, DEADLINE_MS));
  g_test_message ("memory: %zu KiB more", get_resident_kib () - memory_kib);
#if !defined(__SANITIZE_ADDRESS__)
  g_assert_cmpuint (get_resident_kib (), <, memory_kib + 4 * 1024);
#endif
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
  ADD ("/pipeline/file/all-frames", test_file_all_frames);
  ADD ("/pipeline/appsink-properties", test_appsink_properties);
  ADD ("/pipeline/destination-in-bins", test_destination_in_bins);
  ADD ("/pipeline/no-destination", test_no_destination);
  ADD ("/pipeline/other-appsink", test_other_appsink);
  ADD ("/pipeline/live", test_live);
  ADD ("/pipeline/live-late", test_live_late);
  for (size_t i = 0; i < G_N_ELEMENTS (survivals); i++)
    g_test_add (survivals[i].path, VigilFixture, &survivals[i],
        vigil_fixture_set_up, test_metas_survive, vigil_fixture_tear_down);
  for (size_t i = 0; i < G_N_ELEMENTS (failures); i++)
    g_test_add (failures[i].path, VigilFixture, &failures[i],
        vigil_fixture_set_up, test_failure, vigil_fixture_tear_down);
  ADD ("/pipeline/request-errors", test_request_errors);
  ADD ("/pipeline/warnings", test_warnings);
  ADD ("/pipeline/masked", test_masked);
  ADD ("/pipeline/stop/running", test_stop);
  ADD ("/pipeline/stop/finishes-files", test_stop_finishes_files);
  ADD ("/pipeline/stop/before-start", test_stop_before_start);
  ADD ("/pipeline/stop/free-while-running", test_free_while_running);
  ADD ("/pipeline/stop/hanging-null", test_hanging_null);
  ADD ("/pipeline/frames-outlive", test_frames_outlive);
  ADD ("/pipeline/cycles", test_cycles);
  return g_test_run ();
}
