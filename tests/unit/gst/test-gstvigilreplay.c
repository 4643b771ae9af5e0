/* SPDX-License-Identifier: Apache-2.0 */
/* vigilreplay in pipelines: each frame gets what was recorded for it. */
#include "common/test-run.h"
#include "gst/plugin.h"

#include <string.h>

static const char recording[] =
    "{\"frame\":0,\"pts\":0,\"detections\":[{\"label\":\"Person\","
    "\"label_id\":4,\"confidence\":0.5,\"x\":8,\"y\":4,\"w\":16,\"h\":8,"
    "\"id\":3,\"attributes\":{\"color\":{\"label\":\"red\",\"label_id\":1,"
    "\"confidence\":0.9}}},{\"label\":\"Car\",\"x\":0,\"y\":0,\"w\":0,"
    "\"h\":0}]}\n"
    "{\"frame\":2,\"pts\":80000000,\"detections\":[{\"label\":\"Dog\","
    "\"x\":60,\"y\":40,\"w\":100,\"h\":100}]}\n";

static void
start (TestRun *run, VigilFixture *fixture, const char *text,
    const char *properties)
{
  g_autofree char *path = vigil_fixture_write (fixture, "r.jsonl", text);
  g_autofree char *launch = g_strdup_printf (
      "videotestsrc num-buffers=4 ! "
      "video/x-raw,format=I420,width=64,height=48,framerate=25/1 ! tee "
      "name=t ! queue ! fakesink t. ! queue ! vigilreplay "
      "location=\"%s\" %s ! jpegenc ! appsink sync=false name=destination",
      path, properties);
  vigil_plugin_register ();
  test_run_init (run, launch, NULL, NULL);
  g_assert_no_error (run->error);
}

static const GArray *
get_regions (TestRun *run, unsigned frame)
{
  return test_run_get_frame (run, frame)->metadata->regions;
}

static void
check_all (TestRun *run)
{
  g_assert_cmpint (test_run_play (run), ==, VIGIL_PIPELINE_COMPLETED);
  g_assert_cmpuint (test_run_count_frames (run), ==, 4);
  const GArray *regions = get_regions (run, 0);
  g_assert_cmpuint (regions->len, ==, 2);
  const VigilRegion *region = &g_array_index (regions, VigilRegion, 0);
  g_assert_cmpstr (region->label, ==, "Person");
  g_assert_cmpint (region->x, ==, 8);
  g_assert_cmpint (region->height, ==, 8);
  g_assert_cmpint (region->object_id, ==, 3);
  g_assert_cmpint (region->parent_id, ==, -1);
  g_assert_cmpuint (region->results->len, ==, 2);
  const VigilResult *result = &g_array_index (region->results, VigilResult, 0);
  g_assert_cmpstr (result->name, ==, "detection");
  g_assert_cmpfloat (result->confidence, ==, 0.5);
  g_assert_cmpint (result->label_id, ==, 4);
  g_assert_true (result->has_box);
  g_assert_cmpfloat (result->x_min, ==, 0.125);
  g_assert_cmpfloat (result->y_max, ==, 0.25);
  result++;
  g_assert_cmpstr (result->name, ==, "color");
  g_assert_cmpstr (result->label, ==, "red");
  g_assert_cmpstr (result->attribute_name, ==, "color");
  region++;
  g_assert_cmpstr (region->label, ==, "Car");
  result = &g_array_index (region->results, VigilResult, 0);
  g_assert_false (result->has_confidence);
  g_assert_cmpuint (get_regions (run, 1)->len, ==, 0);
  g_assert_cmpuint (get_regions (run, 2)->len, ==, 1);
  g_assert_cmpuint (get_regions (run, 3)->len, ==, 0);
}

static void
test_match (VigilFixture *fixture, gconstpointer data)
{
  TestRun run;
  start (&run, fixture, recording, data);
  check_all (&run);
  test_run_clear (&run);
}

static void
test_errors (VigilFixture *fixture, gconstpointer data)
{
  static const struct {
    const char *text, *properties, *error;
  } cases[] = {
      {"not json", "", "r.jsonl line 1"},
      {"", "location=/nothing/there", "want a file that can be read"},
      {"", "location=\"\"", "location: want the name of a file"},
  };
  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    TestRun run;
    start (&run, fixture, cases[i].text, cases[i].properties);
    g_assert_cmpint (test_run_play (&run), ==, VIGIL_PIPELINE_ERROR);
    VigilPipelineStatus status;
    vigil_pipeline_get_status (run.pipeline, &status);
    if (strstr (status.message, cases[i].error) == NULL)
      g_error ("'%s' is not in '%s'", cases[i].error, status.message);
    test_run_clear (&run);
  }
}

int
main (int argc, char **argv)
{
  vigil_fixture_init (&argc, &argv, 0);
  g_test_add ("/replay/match/pts", VigilFixture, "", vigil_fixture_set_up,
      test_match, vigil_fixture_tear_down);
  g_test_add ("/replay/match/frame", VigilFixture, "match=frame",
      vigil_fixture_set_up, test_match, vigil_fixture_tear_down);
  g_test_add ("/replay/errors", VigilFixture, NULL, vigil_fixture_set_up,
      test_errors, vigil_fixture_tear_down);
  return g_test_run ();
}
