/* SPDX-License-Identifier: Apache-2.0 */
/* Launch text becomes a pipeline, or an error to act on. */
#include "common/fixture.h"
#include "pipeline/parsed-pipeline.h"

#include "base/error.h"
#include <string.h>

static void
test_parse (VigilFixture *fixture, gconstpointer data)
{
  static const char *const texts[] = {
      "videotestsrc ! fakesink", "videotestsrc", "( videotestsrc ! fakesink )"};
  for (size_t i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (GstElement) pipeline =
        vigil_parsed_pipeline_new (texts[i], &error);
    g_assert_no_error (error);
    g_assert_true (GST_IS_PIPELINE (pipeline));
    g_assert_false (g_object_is_floating (pipeline));
  }
}

static void
test_errors (VigilFixture *fixture, gconstpointer data)
{
  static const struct {
    const char *text;
    int code;
    const char *error;
  } cases[] = {
      {"", VIGIL_ERROR_INVALID, "empty"},
      {"videotestsrc !", VIGIL_ERROR_INVALID, ""},
      {"! !", VIGIL_ERROR_INVALID, "want 'element property=value"},
      {"videotestsrc ! x264nothing ! fakesink", VIGIL_ERROR_NOT_FOUND,
          "no element 'x264nothing'"},
      {"videotestsrc nix=1 ! fakesink", VIGIL_ERROR_INVALID, "no property"},
      {"videotestsrc ! jpegdec ! fakesink", VIGIL_ERROR_INVALID,
          "could not link"},
      {"videotestsrc num-buffers=x ! fakesink", VIGIL_ERROR_INVALID,
          "could not set property"},
  };
  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    g_assert_null (vigil_parsed_pipeline_new (cases[i].text, &error));
    g_assert_error (error, VIGIL_ERROR, cases[i].code);
    if (strstr (error->message, cases[i].error) == NULL)
      g_error ("'%s' is not in '%s'", cases[i].error, error->message);
  }
}

static void
test_destination (VigilFixture *fixture, gconstpointer data)
{
  static const struct {
    const char *text;
    gboolean is_found;
  } cases[] = {
      {"videotestsrc ! appsink name=destination", TRUE},
      {"videotestsrc ! appsink sync=false name=destination", TRUE},
      {"videotestsrc ! ( queue ! ( appsink name=destination ) )", TRUE},
      {"videotestsrc ! fakesink name=destination", FALSE},
      {"videotestsrc ! appsink name=other", FALSE},
      {"videotestsrc ! identity name=destination ! appsink", FALSE},
  };
  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (GstElement) pipeline =
        vigil_parsed_pipeline_new (cases[i].text, &error);
    g_assert_no_error (error);
    g_autoptr (GstElement) sink =
        vigil_parsed_pipeline_find_destination (GST_BIN (pipeline));
    g_assert_cmpint (sink != NULL, ==, cases[i].is_found);
  }
}

int
main (int argc, char **argv)
{
  vigil_fixture_init (&argc, &argv, 0);
  gst_init (&argc, &argv);
#define ADD(path, function)                                                    \
  g_test_add (path, VigilFixture, NULL, vigil_fixture_set_up, function,        \
      vigil_fixture_tear_down)
  ADD ("/parsed-pipeline/parse", test_parse);
  ADD ("/parsed-pipeline/errors", test_errors);
  ADD ("/parsed-pipeline/destination", test_destination);
  return g_test_run ();
}
