/* SPDX-License-Identifier: Apache-2.0 */
/* Files of recorded detections: what they hold, what is wrong with them. */
#include "common/fixture.h"
#include "gst/recording.h"

#include "base/error.h"
#include <string.h>

#define BOX "\"x\":1,\"y\":2,\"w\":3,\"h\":4"

static const VigilRecordedDetection *
get (const GArray *detections, unsigned index)
{
  g_assert_nonnull (detections);
  g_assert_cmpuint (index, <, detections->len);
  return &g_array_index (detections, VigilRecordedDetection, index);
}

static void
test_read (VigilFixture *fixture, gconstpointer data)
{
  g_autofree char *path = vigil_fixture_write (fixture, "r.jsonl",
      "{\"frame\":1,\"pts\":100,\"detections\":[]}\n"
      "\n"
      "  {\"frame\":0,\"pts\":0,\"detections\":[{\"label\":\"a\\\"b\","
      "\"label_id\":4,\"confidence\":0.5," BOX
      ",\"id\":7,\"attributes\":{\"color\":{\"label\":\"red\"}}},"
      "{" BOX "}]}\r\n"
      "{\"pts\":300,\"detections\":[{\"x\":-5,\"y\":-1.4,\"w\":3,\"h\":9.6}]}");
  g_autoptr (GError) error = NULL;
  g_autoptr (VigilRecording) recording = vigil_recording_read (path, &error);
  g_assert_no_error (error);

  const GArray *found = vigil_recording_find_frame (recording, 0);
  const VigilRecordedDetection *detection = get (found, 0);
  g_assert_cmpuint (found->len, ==, 2);
  g_assert_cmpstr (detection->result.name, ==, "detection");
  g_assert_cmpstr (detection->result.label, ==, "a\"b");
  g_assert_cmpint (detection->result.label_id, ==, 4);
  g_assert_cmpfloat (detection->result.confidence, ==, 0.5);
  g_assert_cmpint (detection->x, ==, 1);
  g_assert_cmpint (detection->height, ==, 4);
  g_assert_cmpint (detection->object_id, ==, 7);
  g_assert_cmpuint (detection->attributes->len, ==, 1);
  detection = get (found, 1);
  g_assert_null (detection->result.label);
  g_assert_cmpfloat (detection->result.confidence, <, 0);
  g_assert_cmpint (detection->result.label_id, <, 0);
  g_assert_null (detection->attributes);

  g_assert_cmpuint (vigil_recording_find_frame (recording, 1)->len, ==, 0);
  g_assert_null (vigil_recording_find_frame (recording, 2));
  /* What lies outside at the top and left is cut off. */
  detection = get (vigil_recording_find_pts (recording, 300, 0), 0);
  g_assert_cmpint (detection->x, ==, 0);
  g_assert_cmpint (detection->width, ==, 0);
  g_assert_cmpint (detection->y, ==, 0);
  g_assert_cmpint (detection->height, ==, 8);
}

static void
test_nearest (VigilFixture *fixture, gconstpointer data)
{
  static const struct {
    int64_t pts, tolerance;
    int label; /* -1: none */
  } cases[] = {
      {0, 0, 0},
      {49, 50, 0},
      {51, 50, 1},
      {100, 0, 1},
      {149, 50, 1},
      {151, 50, 2},
      {250, 50, 2},
      {251, 50, -1},
      {50, 49, -1},
      {9000, 10, -1},
  };
  g_autofree char *path = vigil_fixture_write (fixture, "r.jsonl",
      "{\"pts\":200,\"detections\":[{\"label_id\":2," BOX "}]}\n"
      "{\"pts\":0,\"detections\":[{\"label_id\":0," BOX "}]}\n"
      "{\"pts\":100,\"detections\":[{\"label_id\":1," BOX "}]}\n");
  g_autoptr (GError) error = NULL;
  g_autoptr (VigilRecording) recording = vigil_recording_read (path, &error);
  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    const GArray *found =
        vigil_recording_find_pts (recording, cases[i].pts, cases[i].tolerance);
    if (cases[i].label < 0)
      g_assert_null (found);
    else
      g_assert_cmpint (get (found, 0)->result.label_id, ==, cases[i].label);
  }
}

/* Python writes 40000000.0 for what it has computed; an integer may have more
 * digits than a double. */
static void
test_forms_of_pts (VigilFixture *fixture, gconstpointer data)
{
  static const int64_t times[] = {40000000, 1763836800123456789, 1};
  g_autofree char *path = vigil_fixture_write (fixture, "r.jsonl",
      "{\"pts\":40000000.0,\"detections\":[{" BOX "}]}\n"
      "{\"pts\":1763836800123456789,\"detections\":[{" BOX "}]}\n"
      "{\"pts\":1e0,\"detections\":[{" BOX "}]}\n");
  g_autoptr (GError) error = NULL;
  g_autoptr (VigilRecording) recording = vigil_recording_read (path, &error);
  g_assert_no_error (error);
  for (size_t i = 0; i < G_N_ELEMENTS (times); i++)
    g_assert_nonnull (vigil_recording_find_pts (recording, times[i], 0));
}

static void
test_empty (VigilFixture *fixture, gconstpointer data)
{
  g_autofree char *path = vigil_fixture_write (fixture, "r.jsonl", "");
  g_autoptr (GError) error = NULL;
  g_autoptr (VigilRecording) recording = vigil_recording_read (path, &error);
  g_assert_no_error (error);
  g_assert_null (vigil_recording_find_frame (recording, 0));
  g_assert_null (vigil_recording_find_pts (recording, 0, 1000));
}

static void
test_errors (VigilFixture *fixture, gconstpointer data)
{
  static const struct {
    const char *text;
    const char *error;
  } cases[] = {
      {"{", "line 1"},
      {"\n\n[]", "line 3: want an object with frame or pts"},
      {"{\"frame\":0}", "detections: want a list"},
      {"{\"frame\":-1,\"detections\":[]}", "frame: want a number"},
      {"{\"frame\":\"0\",\"detections\":[]}", "frame: want a number"},
      {"{\"pts\":1e300,\"detections\":[]}", "pts: want a number"},
      {"{\"frame\":0,\"detections\":{}}", "detections: want a list"},
      {"{\"frame\":0,\"detections\":[7]}", "detections[0]: detection: want an"},
      {"{\"frame\":0,\"detections\":[{\"x\":1,\"y\":1,\"w\":1}]}",
          "detections[0]: h: want a number"},
      {"{\"frame\":0,\"detections\":[{\"x\":1,\"y\":1,\"w\":-1,\"h\":1}]}",
          "w: want a number from 0"},
      {"{\"frame\":0,\"detections\":[{\"x\":1e9,\"y\":1,\"w\":1,\"h\":1}]}",
          "x: want a number"},
      {"{\"frame\":0,\"detections\":[{\"label\":5," BOX "}]}",
          "label: want text"},
      {"{\"frame\":0,\"detections\":[{\"confidence\":1.1," BOX "}]}",
          "confidence: want a number from 0 to 1"},
      {"{\"frame\":0,\"detections\":[{\"confidence\":NaN," BOX "}]}", "line 1"},
      {"{\"frame\":0,\"detections\":[{\"label\":\"\xff\"," BOX "}]}", "line 1"},
      {"{\"frame\":0,\"frame\":1,\"detections\":[]}", "line 1"},
      {"{\"frame\":0,\"detections\":[{\"attributes\":[]," BOX "}]}",
          "attributes: want an object"},
      {"{\"frame\":0,\"detections\":[{\"attributes\":{\"a b\":{}}," BOX "}]}",
          "attributes 'a b': want a name"},
      {"{\"frame\":0,\"detections\":[{\"attributes\":{\"\":{}}," BOX "}]}",
          "attributes '': want a name"},
      {"{\"frame\":0,\"detections\":[{\"attributes\":{\"a\":1}," BOX "}]}",
          "a: want an object"},
  };
  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *path =
        vigil_fixture_write (fixture, "r.jsonl", cases[i].text);
    g_autoptr (GError) error = NULL;
    g_assert_null (vigil_recording_read (path, &error));
    g_assert_nonnull (error);
    g_assert_cmpint (error->domain, ==, VIGIL_ERROR);
    g_assert_true (g_str_has_prefix (error->message, path));
    if (strstr (error->message, cases[i].error) == NULL)
      g_error ("'%s' is not in '%s'", cases[i].error, error->message);
  }
}

static void
test_deep (VigilFixture *fixture, gconstpointer data)
{
  g_autoptr (GString) text = g_string_new ("{\"frame\":0,\"detections\":");
  for (unsigned i = 0; i < 100000; i++)
    g_string_append_c (text, '[');
  g_autofree char *path = vigil_fixture_write (fixture, "r.jsonl", text->str);
  g_autoptr (GError) error = NULL;
  g_assert_null (vigil_recording_read (path, &error));
  g_assert_nonnull (error);
}

static void
test_missing (VigilFixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_assert_null (vigil_recording_read ("/nothing/there", &error));
  g_assert_error (error, VIGIL_ERROR, VIGIL_ERROR_NOT_FOUND);
  g_clear_error (&error);
  g_assert_null (vigil_recording_read (fixture->folder, &error));
  g_assert_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID);
  g_assert_true (g_str_has_prefix (error->message, fixture->folder));
}

/* The record that comes with vigil. */
static void
test_vtest (VigilFixture *fixture, gconstpointer data)
{
  g_autofree char *path = g_build_filename (
      g_getenv ("VIGIL_SOURCE_ROOT"), "data", "vtest-detections.jsonl", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (VigilRecording) recording = vigil_recording_read (path, &error);
  g_assert_no_error (error);
  const VigilRecordedDetection *detection =
      get (vigil_recording_find_frame (recording, 0), 0);
  g_assert_cmpstr (detection->result.label, ==, "Person");
  g_assert_cmpint (detection->x, ==, 644);
  g_assert_nonnull (vigil_recording_find_frame (recording, 794));
  g_assert_null (vigil_recording_find_frame (recording, 795));
}

int
main (int argc, char **argv)
{
  vigil_fixture_init (&argc, &argv, 0);
#define ADD(path, function)                                                    \
  g_test_add (path, VigilFixture, NULL, vigil_fixture_set_up, function,        \
      vigil_fixture_tear_down)
  ADD ("/recording/read", test_read);
  ADD ("/recording/nearest", test_nearest);
  ADD ("/recording/forms-of-pts", test_forms_of_pts);
  ADD ("/recording/empty", test_empty);
  ADD ("/recording/errors", test_errors);
  ADD ("/recording/deep", test_deep);
  ADD ("/recording/missing", test_missing);
  ADD ("/recording/vtest", test_vtest);
  return g_test_run ();
}
