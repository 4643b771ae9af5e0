/* SPDX-License-Identifier: Apache-2.0 */
/* What is said of elements that are not there. */
#include "common/fixture.h"
#include "pipeline/element-hint.h"

static void
test_messages (VigilFixture *fixture, gconstpointer data)
{
  static const struct {
    const char *factory, *message;
  } cases[] = {
      {"x264enc",
          "no element 'x264enc': install gstreamer1.0-plugins-ugly (Debian)"},
      {"h264parse",
          "no element 'h264parse': install gstreamer1.0-plugins-bad (Debian)"},
      {"avdec_h264",
          "no element 'avdec_h264': install gstreamer1.0-libav (Debian)"},
      {"vaapih264dec",
          "no element 'vaapih264dec': install gstreamer1.0-vaapi (Debian)"},
      {"vah264dec",
          "no element 'vah264dec': install gstreamer1.0-plugins-bad (Debian)"},
      {"jpegparse",
          "no element 'jpegparse': install gstreamer1.0-plugins-bad (Debian)"},
      {"gvadetect", "no element 'gvadetect': it is one of DL Streamer's, which "
                    "must be installed and in GST_PLUGIN_PATH"},
      {"nothing", "no element 'nothing': check the name with gst-inspect-1.0, "
                  "or install its plugin"},
      {"x264", "no element 'x264': check the name with gst-inspect-1.0, or "
               "install its plugin"},
  };
  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *message =
        vigil_element_hint_dup_message (cases[i].factory);
    g_assert_cmpstr (message, ==, cases[i].message);
  }
}

int
main (int argc, char **argv)
{
  vigil_fixture_init (&argc, &argv, 0);
  g_test_add ("/element-hint/messages", VigilFixture, NULL,
      vigil_fixture_set_up, test_messages, vigil_fixture_tear_down);
  return g_test_run ();
}
