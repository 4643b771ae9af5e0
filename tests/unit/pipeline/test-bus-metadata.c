/* SPDX-License-Identifier: Apache-2.0 */
/* Messages of elements on the bus as metadata: what is kept, as what JSON,
 * how much. */
#include "common/test-run.h"
#include "pipeline/bus-metadata.h"

#include <gst/gst.h>
#include <math.h>
#include <string.h>

static VigilBusMetadata *
new_for (const char *names_text)
{
  g_autoptr (VigilJson) names =
      vigil_json_parse (names_text, -1, 65536, 64, NULL);
  return vigil_bus_metadata_new (names);
}

/* @structure: (transfer full). */
static void
post (VigilBusMetadata *metadata, GstStructure *structure)
{
  g_autoptr (GstElement) element =
      gst_object_ref_sink (gst_element_factory_make ("identity", "e"));
  g_autoptr (GstMessage) message =
      gst_message_new_element (GST_OBJECT (element), structure);
  vigil_bus_metadata_collect (metadata, message);
}

static void
check (VigilBusMetadata *metadata, const char *expected)
{
  g_autofree char *json = vigil_bus_metadata_take (metadata);
  g_assert_cmpstr (json, ==, expected);
}

#define ONE(fields)                                                            \
  "{\"bus_messages\":[{\"name\":\"barcode\",\"element\":\"e\",\"fields\":"     \
  "{" fields "}}]}"

static void
test_names (VigilFixture *fixture, gconstpointer data)
{
  g_autoptr (VigilBusMetadata) some = new_for ("[\"motion\",\"barcode\"]");
  post (some, gst_structure_new_empty ("other"));
  check (some, NULL);
  post (some, gst_structure_new_empty ("barcode"));
  check (some, ONE (""));
  check (some, NULL);
  g_autoptr (GstMessage) end = gst_message_new_eos (NULL);
  vigil_bus_metadata_collect (some, end);
  check (some, NULL);

  g_autoptr (VigilBusMetadata) all = new_for ("[\"*\"]");
  post (all, gst_structure_new_empty ("barcode"));
  check (all, ONE (""));
  vigil_bus_metadata_collect (all, end);
  check (all, NULL);
}

static void
test_fields (VigilFixture *fixture, gconstpointer data)
{
  static const struct {
    const char *fields, *json;
  } cases[] = {
      {"a=(string)\"x \\\"y\\\"\"", "\"a\":\"x \\\"y\\\"\""},
      {"a=(int)-3", "\"a\":-3"},
      {"a=(guint64)7", "\"a\":7"},
      {"a=(double)0.25", "\"a\":0.25"},
      {"a=(boolean)true", "\"a\":true"},
      {"a=(fraction)1/2", "\"a\":\"1/2\""},
      {"a=(int)<1,2>", "\"a\":[1,2]"},
      {"a=(int){1,2}", "\"a\":[1,2]"},
      {"a=(structure)\"in,b=(int)1;\"", "\"a\":{\"b\":1}"},
  };
  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (VigilBusMetadata) metadata = new_for ("[\"*\"]");
    g_autofree char *text = g_strdup_printf ("barcode,%s", cases[i].fields);
    GstStructure *structure = gst_structure_from_string (text, NULL);
    g_assert_nonnull (structure);
    post (metadata, structure);
    g_autofree char *expected = g_strdup_printf (ONE ("%s"), cases[i].json);
    check (metadata, expected);
  }
}

/* Pictures and pointers are left out, NaN is null. */
static void
test_odd_fields (VigilFixture *fixture, gconstpointer data)
{
  g_autoptr (VigilBusMetadata) metadata = new_for ("[\"*\"]");
  g_autoptr (GstBuffer) buffer = gst_buffer_new ();
  g_autoptr (GstSample) sample = gst_sample_new (buffer, NULL, NULL, NULL);
  post (metadata,
      gst_structure_new ("barcode", "frame", GST_TYPE_SAMPLE, sample, "buffer",
          GST_TYPE_BUFFER, buffer, "pointer", G_TYPE_POINTER, metadata, "nan",
          G_TYPE_DOUBLE, (double)NAN, NULL));
  check (metadata, ONE ("\"nan\":null"));
}

static void
test_bounded (VigilFixture *fixture, gconstpointer data)
{
  g_autoptr (VigilBusMetadata) metadata = new_for ("[\"*\"]");
  for (int i = 0; i < 1000; i++)
    post (metadata, gst_structure_new ("n", "i", G_TYPE_INT, i, NULL));
  g_autofree char *huge = g_strnfill (1024 * 1024, 'x');
  post (metadata, gst_structure_new ("n", "t", G_TYPE_STRING, huge, NULL));
  g_autofree char *json = vigil_bus_metadata_take (metadata);
  g_autoptr (VigilJson) parsed =
      vigil_json_parse (json, -1, 1024 * 1024, 64, NULL);
  const VigilJson *list = vigil_json_object_get (parsed, "bus_messages");
  g_assert_cmpuint (vigil_json_array_size (list), ==, 64);
  const VigilJson *last = vigil_json_object_get (
      vigil_json_object_get (vigil_json_array_get (list, 63), "fields"), "i");
  g_assert_cmpint (vigil_json_get_integer (last), ==, 999);
}

/* A real element's, each with the frame that it was found in. */
static void
test_pipeline (VigilFixture *fixture, gconstpointer data)
{
  gst_init (NULL, NULL);
  g_autoptr (GstElementFactory) factory =
      gst_element_factory_find ("simplevideomarkdetect");
  if (factory == NULL) {
    g_test_skip ("gstreamer1.0-plugins-bad is not installed");
    return;
  }
  TestRun run;
  test_run_init_entry (&run,
      "{\"name\":\"a\",\"bus_messages\":[\"GstSimpleVideoMarkDetect\"],"
      "\"pipeline\":\"videotestsrc num-buffers=3 pattern=black ! "
      "video/x-raw,format=I420,width=320,height=240 ! simplevideomark "
      "pattern-data=5 ! simplevideomarkdetect ! "
      "appsink name=destination sync=false\"}",
      NULL);
  g_assert_no_error (run.error);
  g_assert_cmpint (test_run_play (&run), ==, VIGIL_PIPELINE_COMPLETED);
  for (unsigned i = 0; i < 3; i++) {
    const VigilMetadata *metadata = test_run_get_frame (&run, i)->metadata;
    g_assert_cmpuint (metadata->messages->len, ==, 1);
    const char *json = metadata->messages->pdata[0];
    g_assert_nonnull (strstr (json, "\"have-pattern\":true"));
    g_assert_nonnull (strstr (json, "\"data\":5"));
  }
  test_run_clear (&run);
}

int
main (int argc, char **argv)
{
  vigil_fixture_init (&argc, &argv, 0);
  gst_init (&argc, &argv);
#define ADD(path, function)                                                    \
  g_test_add (path, VigilFixture, NULL, vigil_fixture_set_up, function,        \
      vigil_fixture_tear_down)
  ADD ("/bus-metadata/names", test_names);
  ADD ("/bus-metadata/fields", test_fields);
  ADD ("/bus-metadata/odd-fields", test_odd_fields);
  ADD ("/bus-metadata/bounded", test_bounded);
  ADD ("/bus-metadata/pipeline", test_pipeline);
  return g_test_run ();
}
