/* SPDX-License-Identifier: Apache-2.0 */
/* Images put into a pipeline, one buffer each. */
#include "common/fixture.h"

#include "base/error.h"
#include "pipeline/image-source.h"
#include <gst/app/gstappsink.h>

/* The smallest GIF there is: what it holds does not matter here. */
static const char gif[] = "GIF89a\1\0\1\0\0\0\0;";

static GstElement *
make_pipeline (const char *text)
{
  g_autoptr (GError) error = NULL;
  GstElement *pipeline = gst_parse_launch (text, &error);

  g_assert_no_error (error);
  return pipeline;
}

static GBytes *
make_image (void)
{
  return g_bytes_new_static (gif, sizeof gif - 1);
}

static void
test_buffers_and_times (VigilFixture *fixture, gconstpointer data)
{
  g_autoptr (GstElement) pipeline =
      make_pipeline ("appsrc name=source ! appsink name=sink sync=false");
  g_autoptr (GstElement) sink =
      gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  g_autoptr (GError) error = NULL;
  static const int64_t times[] = {5, 17, 1000000000};

  g_assert_true (vigil_image_source_init (GST_BIN (pipeline), &error));
  g_assert_no_error (error);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  for (size_t i = 0; i < G_N_ELEMENTS (times); i++) {
    g_autoptr (GBytes) image = make_image ();

    g_assert_true (
        vigil_image_source_push (GST_BIN (pipeline), image, times[i], &error));
    g_assert_no_error (error);
  }
  for (size_t i = 0; i < G_N_ELEMENTS (times); i++) {
    g_autoptr (GstSample) sample =
        gst_app_sink_try_pull_sample (GST_APP_SINK (sink), 10 * GST_SECOND);
    GstStructure *structure;

    g_assert_nonnull (sample);
    structure = gst_caps_get_structure (gst_sample_get_caps (sample), 0);
    g_assert_cmpstr (gst_structure_get_name (structure), ==, "image/gif");
    g_assert_cmpint (
        GST_BUFFER_PTS (gst_sample_get_buffer (sample)), ==, times[i]);
    g_assert_cmpuint (gst_buffer_get_size (gst_sample_get_buffer (sample)), ==,
        sizeof gif - 1);
  }
  gst_element_set_state (pipeline, GST_STATE_NULL);
}

static void
test_no_image (VigilFixture *fixture, gconstpointer data)
{
  g_autoptr (GstElement) pipeline =
      make_pipeline ("appsrc name=source ! fakesink");
  static const struct {
    const char *bytes;
    size_t size;
    const char *message;
  } cases[] = {
      {"\0\1\2\3", 4, "the bytes are of type unknown: want an image"},
      {"%PDF-1.4\n", 9, "the bytes are of type application/pdf: want an image"},
  };

  g_assert_true (vigil_image_source_init (GST_BIN (pipeline), NULL));
  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GBytes) image =
        g_bytes_new_static (cases[i].bytes, cases[i].size);
    g_autoptr (GError) error = NULL;

    g_assert_false (
        vigil_image_source_push (GST_BIN (pipeline), image, 0, &error));
    g_assert_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID);
    g_assert_cmpstr (error->message, ==, cases[i].message);
  }
}

static void
test_too_many (VigilFixture *fixture, gconstpointer data)
{
  g_autoptr (GstElement) pipeline =
      make_pipeline ("appsrc name=source ! fakesink");
  g_autoptr (GBytes) image = make_image ();
  g_autoptr (GError) error = NULL;

  /* Nothing is taken out before the pipeline runs. */
  g_assert_true (vigil_image_source_init (GST_BIN (pipeline), NULL));
  for (int i = 0; i < 100; i++)
    g_assert_true (
        vigil_image_source_push (GST_BIN (pipeline), image, i, NULL));
  g_assert_false (
      vigil_image_source_push (GST_BIN (pipeline), image, 100, &error));
  g_assert_error (error, VIGIL_ERROR, VIGIL_ERROR_LIMIT);
}

static void
test_no_source (VigilFixture *fixture, gconstpointer data)
{
  static const char *const texts[] = {
      "fakesrc name=source ! fakesink", "appsrc name=other ! fakesink"};

  for (size_t i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_autoptr (GstElement) pipeline = make_pipeline (texts[i]);
    g_autoptr (GBytes) image = make_image ();
    g_autoptr (GError) error = NULL;

    g_assert_false (vigil_image_source_init (GST_BIN (pipeline), &error));
    g_assert_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID);
    g_clear_error (&error);
    g_assert_false (
        vigil_image_source_push (GST_BIN (pipeline), image, 0, &error));
    g_assert_error (error, VIGIL_ERROR, VIGIL_ERROR_UNAVAILABLE);
  }
}

int
main (int argc, char **argv)
{
  vigil_fixture_init (&argc, &argv, 0);
  gst_init (NULL, NULL);
#define ADD(path, function)                                                    \
  g_test_add (path, VigilFixture, NULL, vigil_fixture_set_up, function,        \
      vigil_fixture_tear_down)
  ADD ("/image-source/buffers-and-times", test_buffers_and_times);
  ADD ("/image-source/no-image", test_no_image);
  ADD ("/image-source/too-many", test_too_many);
  ADD ("/image-source/no-source", test_no_source);
  return g_test_run ();
}
