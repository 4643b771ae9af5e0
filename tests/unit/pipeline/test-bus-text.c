/* SPDX-License-Identifier: Apache-2.0 */
/* Errors of the bus in words. */
#include "common/fixture.h"
#include "pipeline/bus-text.h"

#include <string.h>

static void
test_errors (VigilFixture *fixture, gconstpointer data)
{
  static const struct {
    GQuark (*domain) (void);
    int code;
    const char *message, *debug, *missing, *text;
  } cases[] = {
      {gst_resource_error_quark, GST_RESOURCE_ERROR_NOT_FOUND, "Not found.",
          "gstfile.c(12): open (): /pipeline:\nNo such file", NULL,
          "e: Not found. No such file"},
      {gst_resource_error_quark, GST_RESOURCE_ERROR_READ, "Bad.", NULL, NULL,
          "e: Bad."},
      {gst_resource_error_quark, GST_RESOURCE_ERROR_READ, "Bad.",
          "only a place", NULL, "e: Bad."},
      {gst_stream_error_quark, GST_STREAM_ERROR_FAILED, "Internal.",
          "x.c(1): f ():\nstreaming stopped,\nreason not-negotiated (-4)", NULL,
          "e: Internal. streaming stopped, reason not-negotiated (-4) (two "
          "elements do not agree on a format: try videoconvert between "
          "them)"},
      {gst_stream_error_quark, GST_STREAM_ERROR_TYPE_NOT_FOUND, "No type.",
          NULL, NULL, "e: No type. (the input is no video, or broken)"},
      {gst_stream_error_quark, GST_STREAM_ERROR_CODEC_NOT_FOUND, "No codec.",
          NULL, "H.264 decoder",
          "e: No codec. (missing: H.264 decoder; gstreamer1.0-libav, "
          "-plugins-bad and -plugins-ugly have most decoders)"},
  };
  g_autoptr (GstElement) element =
      gst_object_ref_sink (gst_element_factory_make ("identity", "e"));
  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = g_error_new_literal (
        cases[i].domain (), cases[i].code, cases[i].message);
    g_autoptr (GstMessage) message =
        gst_message_new_error (GST_OBJECT (element), error, cases[i].debug);
    g_autofree char *text =
        vigil_bus_text_dup_error (message, cases[i].missing);
    g_assert_cmpstr (text, ==, cases[i].text);
  }
}

static void
test_missing_plugin (VigilFixture *fixture, gconstpointer data)
{
  static const struct {
    const char *structure, *text;
  } cases[] = {
      {"missing-plugin, type=(string)decoder, name=(string)\"AV1 decoder\"",
          "AV1 decoder"},
      {"missing-plugin, type=(string)decoder", "a plugin"},
  };
  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GstMessage) message = gst_message_new_element (
        NULL, gst_structure_from_string (cases[i].structure, NULL));
    g_autofree char *text = vigil_bus_text_dup_missing_plugin (message);
    g_assert_cmpstr (text, ==, cases[i].text);
  }
}

int
main (int argc, char **argv)
{
  vigil_fixture_init (&argc, &argv, 0);
  gst_init (&argc, &argv);
  g_test_add ("/bus-text/errors", VigilFixture, NULL, vigil_fixture_set_up,
      test_errors, vigil_fixture_tear_down);
  g_test_add ("/bus-text/missing-plugin", VigilFixture, NULL,
      vigil_fixture_set_up, test_missing_plugin, vigil_fixture_tear_down);
  return g_test_run ();
}
