/* SPDX-License-Identifier: Apache-2.0 */
/* JSON values as properties of real elements. */
#include "common/fixture.h"
#include "pipeline/property.h"

#include "base/error.h"
#include <string.h>

typedef struct {
  const char *factory;
  const char *property;
  const char *value; /* JSON */
  const char *set;   /* the property's value then, as GStreamer writes it */
  const char *error; /* a part of it, when it is refused */
} Case;

static const Case cases[] = {
    {"videotestsrc", "num-buffers", "7", "7", NULL},
    {"videotestsrc", "num-buffers", "7.0", "7", NULL},
    {"videotestsrc", "num-buffers", "\"7\"", "7", NULL},
    {"videotestsrc", "num-buffers", "7.5", NULL, "whole number"},
    {"videotestsrc", "num-buffers", "-2", NULL, "from -1 to"},
    {"videotestsrc", "num-buffers", "99999999999", NULL, "from -1 to"},
    {"videotestsrc", "num-buffers", "\"x\"", NULL, "want a whole number"},
    {"videotestsrc", "num-buffers", "true", NULL,
        "want a whole number for property"},
    {"videotestsrc", "num-buffers", "{}", NULL, "got an object"},
    {"videotestsrc", "num-buffers", "null", NULL, "got null"},
    {"videotestsrc", "is-live", "true", "true", NULL},
    {"videotestsrc", "is-live", "1", "true", NULL},
    {"videotestsrc", "is-live", "\"true\"", "true", NULL},
    {"videotestsrc", "is-live", "\"maybe\"", NULL, "want true or false"},
    {"videotestsrc", "pattern", "\"snow\"", "snow", NULL},
    {"videotestsrc", "pattern", "1", "snow", NULL},
    {"videotestsrc", "pattern", "\"rain\"", NULL, "one of smpte, snow"},
    {"videotestsrc", "pattern", "9999", NULL, "no such value"},
    {"videotestsrc", "pattern", "4294967297", NULL, "want a whole number"},
    {"videotestsrc", "pattern", "1.5", NULL, "want a whole number"},
    {"videotestsrc", "is-live", "0.5", NULL, "want a whole number"},
    {"videotestsrc", "timestamp-offset", "9223372036854775808.0", NULL,
        "want a whole number"},
    {"queue", "max-size-time", "1e18", "1000000000000000000", NULL},
    {"queue", "max-size-time", "1e19", NULL, "want a whole number"},
    {"queue", "max-size-time", "9223372036854775807", "9223372036854775807",
        NULL},
    {"videotestsrc", "timestamp-offset", "5", "5", NULL},
    {"filesrc", "location", "\"/a b\\\"c\"", "/a b\"c", NULL},
    {"filesrc", "location", "5", NULL, "want text, got"},
    {"capsfilter", "caps", "\"video/x-raw,width=3\"",
        "\"video/x-raw\\,\\ width\\=\\(int\\)3\"", NULL},
    {"capsfilter", "caps", "\"/\"", NULL, "GstCaps"},
    {"volume", "volume", "0.5", "0.5", NULL},
    {"volume", "volume", "2", "2", NULL},
    {"volume", "volume", "11", NULL, "from 0 to 10"},
    {"playbin", "video-sink", "\"fakesink\"", NULL, "holds an object"},
    {"playbin", "flags", "\"video+audio\"",
        "Render the video stream+Render the audio stream", NULL},
};

static void
test_case (VigilFixture *fixture, gconstpointer data)
{
  const Case *item = data;
  g_autoptr (GstElement) element =
      gst_object_ref_sink (gst_element_factory_make (item->factory, NULL));
  g_autoptr (VigilJson) value =
      vigil_json_parse (item->value, -1, 65536, 64, NULL);
  g_assert_true (vigil_property_exists (element, item->property));
  g_autoptr (GError) error = NULL;
  gboolean is_set = vigil_property_set (
      element, item->property, value, "parameters.x", &error);
  g_assert_cmpint (is_set, ==, item->error == NULL);
  if (item->error != NULL) {
    g_assert_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID);
    g_assert_true (g_str_has_prefix (error->message, "parameters.x"));
    if (strstr (error->message, item->error) == NULL)
      g_error ("'%s' is not in '%s'", item->error, error->message);
    return;
  }
  g_auto (GValue) got = G_VALUE_INIT;
  g_object_get_property (G_OBJECT (element), item->property, &got);
  g_autofree char *text = G_VALUE_HOLDS_STRING (&got)
                              ? g_value_dup_string (&got)
                              : gst_value_serialize (&got);
  g_assert_cmpstr (text, ==, item->set);
}

static void
test_exists (VigilFixture *fixture, gconstpointer data)
{
  g_autoptr (GstElement) sink =
      gst_object_ref_sink (gst_element_factory_make ("fakesink", NULL));
  g_assert_true (vigil_property_exists (sink, "sync"));
  g_assert_false (vigil_property_exists (sink, "last-sample"));
  g_assert_false (vigil_property_exists (sink, "nothing"));
  g_assert_true (vigil_property_holds_object ("playbin", "video-sink"));
  g_assert_false (vigil_property_holds_object ("playbin", "uri"));
  g_assert_false (vigil_property_holds_object ("nothing", "uri"));
}

int
main (int argc, char **argv)
{
  vigil_fixture_init (&argc, &argv, 0);
  gst_init (&argc, &argv);
  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *path = g_strdup_printf ("/property/set/%zu", i);
    g_test_add (path, VigilFixture, &cases[i], vigil_fixture_set_up, test_case,
        vigil_fixture_tear_down);
  }
  g_test_add ("/property/exists", VigilFixture, NULL, vigil_fixture_set_up,
      test_exists, vigil_fixture_tear_down);
  return g_test_run ();
}
