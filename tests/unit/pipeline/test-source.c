/* SPDX-License-Identifier: Apache-2.0 */
/* Request sources: what they become, and that nothing of them is launch
 * syntax. */
#include "common/fixture.h"
#include "pipeline/source.h"

#include "base/error.h"
#include "pipeline/parsed-pipeline.h"
#include <string.h>

static VigilJson *
parse (const char *text)
{
  g_autoptr (GError) error = NULL;
  VigilJson *json = vigil_json_parse (text, -1, 65536, 64, &error);
  g_assert_no_error (error);
  return json;
}

typedef struct {
  const char *json;
  const char *text; /* of the launch text; NULL: an error */
  gboolean is_live;
  int code;
  const char *error; /* a part of it */
} Case;

#define INVALID VIGIL_ERROR_INVALID

static const Case cases[] = {
    {"{\"type\":\"uri\",\"uri\":\"file:///a b\"}", "urisourcebin name=source",
        FALSE, 0, NULL},
    {"{\"type\":\"uri\",\"uri\":\"rtsp://h/x\"}", "urisourcebin name=source",
        TRUE, 0, NULL},
    {"{\"type\":\"uri\",\"uri\":\"http://h/x\"}", "urisourcebin name=source",
        FALSE, 0, NULL},
    {"{\"type\":\"webcam\",\"device\":\"/dev/video0\"}",
        "v4l2src name=source ! capsfilter name=vigil-source-caps", TRUE, 0,
        NULL},
    {"{\"type\":\"gst\",\"element\":\"videotestsrc\"}",
        "videotestsrc name=source", FALSE, 0, NULL},
    {"{\"type\":\"gst\",\"element\":\"videotestsrc\",\"capsfilter\":"
     "\"video/x-raw,width=3\",\"postproc\":\"videoconvert ! "
     "video/x-raw,format=RGB ! videoscale method=0\"}",
        "videotestsrc name=source ! capsfilter name=vigil-source-caps ! "
        "videoconvert name=vigil-source-postproc0 ! capsfilter "
        "name=vigil-source-postproc1 ! videoscale "
        "name=vigil-source-postproc2",
        FALSE, 0, NULL},
    {"7", NULL, 0, INVALID, "source: want an object"},
    {"{}", NULL, 0, INVALID, "source.type '': want uri, webcam or gst"},
    {"{\"type\":\"application\"}", NULL, 0, INVALID, "want uri, webcam"},
    {"{\"type\":\"uri\"}", NULL, 0, INVALID, "source.uri: want text"},
    {"{\"type\":\"uri\",\"uri\":5}", NULL, 0, INVALID, "source.uri: want"},
    {"{\"type\":\"uri\",\"uri\":\"/path\"}", NULL, 0, INVALID, "want a URI"},
    {"{\"type\":\"uri\",\"uri\":\"nothing://user:canary@h\"}", NULL, 0,
        VIGIL_ERROR_UNSUPPORTED, "source.uri: no element reads 'nothing:'"},
    {"{\"type\":\"webcam\"}", NULL, 0, INVALID, "source.device: want text"},
    {"{\"type\":\"gst\",\"element\":\"a ! b\"}", NULL, 0, INVALID,
        "name of one element"},
    {"{\"type\":\"gst\",\"element\":\"videotestsrc is-live=1\"}", NULL, 0,
        INVALID, "source.properties"},
    {"{\"type\":\"gst\",\"element\":\"vigilnothing\"}", NULL, 0,
        VIGIL_ERROR_NOT_FOUND, "no element 'vigilnothing'"},
    {"{\"type\":\"gst\",\"element\":\"videotestsrc\",\"capsfilter\":\"/\"}",
        NULL, 0, INVALID, "source.capsfilter '/': want caps"},
    {"{\"type\":\"gst\",\"element\":\"videotestsrc\",\"capsfilter\":3}", NULL,
        0, INVALID, "source.capsfilter '': want caps"},
    {"{\"type\":\"gst\",\"element\":\"videotestsrc\",\"postproc\":\"\"}", NULL,
        0, INVALID, "source.postproc: want elements"},
    {"{\"type\":\"gst\",\"element\":\"videotestsrc\",\"postproc\":\"a b\"}",
        NULL, 0, VIGIL_ERROR_NOT_FOUND, "no element 'a'"},
    {"{\"type\":\"gst\",\"element\":\"videotestsrc\",\"postproc\":"
     "\"videoscale x\"}",
        NULL, 0, INVALID, "'x': want property=value"},
    {"{\"type\":\"gst\",\"element\":\"videotestsrc\",\"postproc\":"
     "\"videoscale ! ! queue\"}",
        NULL, 0, INVALID, "source.postproc"},
    {"{\"type\":\"gst\",\"element\":\"videotestsrc\",\"postproc\":"
     "\"video/x-raw,width=\"}",
        NULL, 0, INVALID, "want caps such as"},
    {"{\"type\":\"gst\",\"element\":\"videotestsrc\",\"properties\":[]}", NULL,
        0, INVALID, "source.properties: want an object"},
};

static void
test_new (VigilFixture *fixture, gconstpointer data)
{
  const Case *item = data;
  g_autoptr (VigilJson) json = parse (item->json);
  g_autoptr (GError) error = NULL;
  g_autoptr (VigilSource) source = vigil_source_new (json, &error);
  if (item->text == NULL) {
    g_assert_null (source);
    g_assert_error (error, VIGIL_ERROR, item->code);
    if (strstr (error->message, item->error) == NULL)
      g_error ("'%s' is not in '%s'", item->error, error->message);
    return;
  }
  g_assert_no_error (error);
  g_assert_cmpstr (vigil_source_get_launch_text (source), ==, item->text);
  g_assert_cmpint (vigil_source_is_live (source), ==, item->is_live);
}

/* Makes pipeline "SOURCE ! fakesink" and applies the source. */
static GstElement *
apply (const char *text, VigilProblems *warnings, GError **error)
{
  g_autoptr (VigilJson) json = parse (text);
  g_autoptr (VigilSource) source = vigil_source_new (json, error);
  g_assert_nonnull (source);
  g_autofree char *launch =
      g_strdup_printf ("%s ! fakesink", vigil_source_get_launch_text (source));
  GstElement *pipeline = vigil_parsed_pipeline_new (launch, error);
  g_assert_nonnull (pipeline);
  if (!vigil_source_apply (source, GST_BIN (pipeline), warnings, error))
    g_clear_pointer (&pipeline, gst_object_unref);
  return pipeline;
}

static char *
get_text (GstElement *pipeline, const char *element, const char *property)
{
  g_autoptr (GstElement) found =
      gst_bin_get_by_name (GST_BIN (pipeline), element);
  g_assert_nonnull (found);
  g_auto (GValue) value = G_VALUE_INIT;
  g_object_get_property (G_OBJECT (found), property, &value);
  return G_VALUE_HOLDS_STRING (&value) ? g_value_dup_string (&value)
                                       : gst_value_serialize (&value);
}

static void
test_apply (VigilFixture *fixture, gconstpointer data)
{
  g_autoptr (VigilProblems) warnings = vigil_problems_new ();
  g_autoptr (GError) error = NULL;
  g_autoptr (GstElement) pipeline = apply (
      "{\"type\":\"gst\",\"element\":\"videotestsrc\",\"properties\":{"
      "\"num-buffers\":4,\"nix\":1},\"capsfilter\":\"video/x-raw,width=32\","
      "\"postproc\":\"videobox left=-3 ! videoflip method=rotate-180\"}",
      warnings, &error);
  g_assert_no_error (error);
  g_autofree char *buffers = get_text (pipeline, "source", "num-buffers");
  g_assert_cmpstr (buffers, ==, "4");
  g_autofree char *caps = get_text (pipeline, "vigil-source-caps", "caps");
  g_assert_nonnull (strstr (caps, "width"));
  g_autofree char *left = get_text (pipeline, "vigil-source-postproc0", "left");
  g_assert_cmpstr (left, ==, "-3");
  g_assert_cmpuint (vigil_problems_get_size (warnings), ==, 1);
  g_assert_cmpstr (
      vigil_problems_get (warnings, 0)->path, ==, "source.properties.nix");
}

/* Values that would break out of launch text are plain values here. */
static void
test_hostile_uri (VigilFixture *fixture, gconstpointer data)
{
  g_autoptr (VigilProblems) warnings = vigil_problems_new ();
  g_autoptr (GError) error = NULL;
  g_autoptr (GstElement) pipeline = apply (
      "{\"type\":\"uri\",\"uri\":\"file:///x\\\" ! filesink location=/y \"}",
      warnings, &error);
  g_assert_no_error (error);
  g_assert_cmpint (GST_BIN_NUMCHILDREN (pipeline), ==, 2);
  g_autofree char *uri = get_text (pipeline, "source", "uri");
  g_assert_cmpstr (uri, ==, "file:///x\" ! filesink location=/y ");
}

static void
test_wrong_values (VigilFixture *fixture, gconstpointer data)
{
  g_autoptr (VigilProblems) warnings = vigil_problems_new ();
  g_autoptr (GError) error = NULL;
  g_assert_null (apply ("{\"type\":\"gst\",\"element\":\"videotestsrc\","
                        "\"properties\":{\"num-buffers\":\"x\"}}",
      warnings, &error));
  g_assert_nonnull (strstr (error->message, "source.properties.num-buffers"));
  g_clear_error (&error);
  g_assert_null (apply ("{\"type\":\"gst\",\"element\":\"videotestsrc\","
                        "\"postproc\":\"videoscale nix=1\"}",
      warnings, &error));
  g_assert_nonnull (
      strstr (error->message, "videoscale has no property 'nix'"));
}

static void
test_no_source_element (VigilFixture *fixture, gconstpointer data)
{
  g_autoptr (VigilJson) json =
      parse ("{\"type\":\"uri\",\"uri\":\"file:///x\"}");
  g_autoptr (GError) error = NULL;
  g_autoptr (VigilSource) source = vigil_source_new (json, &error);
  g_autoptr (GstElement) pipeline =
      vigil_parsed_pipeline_new ("videotestsrc ! fakesink", &error);
  g_autoptr (VigilProblems) warnings = vigil_problems_new ();
  g_assert_true (
      vigil_source_apply (source, GST_BIN (pipeline), warnings, &error));
  g_assert_cmpuint (vigil_problems_get_size (warnings), ==, 1);
}

static void
test_network (VigilFixture *fixture, gconstpointer data)
{
  static const struct {
    const char *launch;
    const char *name; /* of the element that is found; NULL: none */
  } elements[] = {
      {"urisourcebin name=a uri=rtsp://h/x ! fakesink", "a"},
      {"rtspsrc name=b location=rtsp://h/x ! fakesink", "b"},
      {"uridecodebin name=c uri=rtmp://h/x ! fakesink", "c"},
      {"( srtsrc name=d uri=srt://h:1 ! fakesink )", "d"},
      {"urisourcebin uri=file:///x ! fakesink", NULL},
      {"filesrc location=/x ! fakesink", NULL},
      {"videotestsrc ! fakesink", NULL},
      {"videotestsrc ! udpsink host=127.0.0.1", NULL},
  };
  for (size_t i = 0; i < G_N_ELEMENTS (elements); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (GstElement) pipeline =
        vigil_parsed_pipeline_new (elements[i].launch, &error);
    if (g_error_matches (error, VIGIL_ERROR, VIGIL_ERROR_NOT_FOUND))
      continue; /* srtsrc is of gstreamer1.0-plugins-bad */
    g_assert_no_error (error);
    g_autoptr (GstElement) found =
        vigil_source_find_network (GST_BIN (pipeline));
    g_assert_cmpstr (
        found != NULL ? GST_OBJECT_NAME (found) : NULL, ==, elements[i].name);
  }
}

int
main (int argc, char **argv)
{
  vigil_fixture_init (&argc, &argv, 0);
  gst_init (&argc, &argv);
  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *path = g_strdup_printf ("/source/new/%zu", i);
    g_test_add (path, VigilFixture, &cases[i], vigil_fixture_set_up, test_new,
        vigil_fixture_tear_down);
  }
#define ADD(path, function)                                                    \
  g_test_add (path, VigilFixture, NULL, vigil_fixture_set_up, function,        \
      vigil_fixture_tear_down)
  ADD ("/source/network", test_network);
  ADD ("/source/apply", test_apply);
  ADD ("/source/hostile-uri", test_hostile_uri);
  ADD ("/source/wrong-values", test_wrong_values);
  ADD ("/source/no-source-element", test_no_source_element);
  return g_test_run ();
}
