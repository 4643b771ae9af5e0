/* SPDX-License-Identifier: Apache-2.0 */
/* Substitution in launch text: what each placeholder becomes, where it may
 * stand, and that nothing of a request ever becomes launch syntax. */
#include "common/fixture.h"
#include "pipeline/launch-text.h"

#include "base/error.h"
#include <gst/gst.h>
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
  const char *text;
  const char *request; /* nullable */
  const char *result;  /* NULL: an error */
  const char *error;   /* a part of it */
} Case;

static const char text_request[] =
    "{\"parameters\":{\"s\":\"a b\",\"plain\":\"RGB\",\"n\":3,\"x\":-0.5,"
    "\"t\":true,\"q\":\"say \\\"hi\\\" \\\\ !\",\"end\":\"a\\\\\","
    "\"quote\":\"\\\"a\\\"\",\"o\":{\"k\":[1,2]},\"none\":null,\"e\":\"\"},"
    "\"source\":{\"uri\":\"file:///x\"}}";

static const Case cases[] = {
    {"a ! b", NULL, "a ! b", NULL},
    {"{{}} {{x}}", NULL, "{} {x}", NULL},
    {"caps=\"x,format={{RGB,BGR}}\"", NULL, "caps=\"x,format={RGB,BGR}\"",
        NULL},
    {"{auto_source} ! b", NULL, "SRC ! b", NULL},
    {"{auto_source} name=source ! b", NULL, "SRC ! b", NULL},
    {"{auto_source} name = source", NULL, "SRC", NULL},
    {"{auto_source} name=source2 ! b", NULL, "SRC name=source2 ! b", NULL},
    {"{auto_source} uri=x name=source", NULL, "SRC uri=x name=source", NULL},
    {"a p={parameters[n]} q={parameters[x]} r={parameters[t]}", text_request,
        "a p=3 q=-0.5 r=true", NULL},
    {"a p={parameters[s]} ! b", text_request, "a p=\"a b\" ! b", NULL},
    {"a p = {parameters[s]} ! b", text_request, "a p = \"a b\" ! b", NULL},
    {"a p={parameters[e]}", text_request, "a p=\"\"", NULL},
    {"a p=\"{parameters[s]}/c\"", text_request, "a p=\"a b/c\"", NULL},
    {"a p=\"{parameters[q]}\"", text_request, "a p=\"say \\\"hi\\\" \\\\ !\"",
        NULL},
    {"a p={parameters[o]}", text_request, "a p=\"{\\\"k\\\":[1,2]}\"", NULL},
    {"a p={parameters[o][k][1]}", text_request, "a p=2", NULL},
    {"a p={parameters[o][k][first]}", text_request, NULL, "no value for"},
    {"a p={parameters[o][k][2]}", text_request, NULL, "no value for"},
    {"playbin video-sink={parameters[plain]}", text_request, NULL,
        "holds an element"},
    {"( playbin video-sink=\"{parameters[plain]}\" )", text_request, NULL,
        "holds an element"},
    {"playbin video-sink=a{parameters[plain]}", text_request, NULL,
        "holds an element"},
    {"a p={source[uri]}", text_request, "a p=\"file:///x\"", NULL},
    {"a p=/m/{parameters[plain]}.xml", text_request, "a p=/m/RGB.xml", NULL},
    {"a ! video/x-raw,width={parameters[n]},height=2 ! b", text_request,
        "a ! video/x-raw,width=3,height=2 ! b", NULL},
    {"a ! video/x-raw, format={parameters[plain]} ! b", text_request,
        "a ! video/x-raw, format=RGB ! b", NULL},
    {"a ! video/x-raw,format={parameters[s]} ! b", text_request, NULL,
        "double quotes"},
    {"a p=/m/{parameters[s]}.xml", text_request, NULL, "double quotes"},
    {"a p={parameters[end]} q=\"b\"", text_request, NULL, "backslash"},
    {"a p=\"{parameters[end]}\"", text_request, NULL, "backslash"},
    {"a p={parameters[quote]}", text_request, NULL, "begins with a quote"},
    {"{parameters[plain]} ! b", text_request, NULL, "behind '='"},
    {"a {parameters[n]}", text_request, NULL, "behind '='"},
    {"a p=\"x\"{parameters[plain]}", text_request, NULL, "behind '='"},
    {"a p=\"x {parameters[plain]}", text_request, NULL, "not closed"},
    {"a p=1 user-pw=\"hunter2 ! b", NULL, NULL,
        "the quote \" behind 'user-pw=' is not closed"},
    {"a ! {parameters[plain]}/x-raw", text_request, NULL, "behind '='"},
    {"a p={parameters[missing]}", text_request, NULL,
        "no value for '{parameters[missing]}'"},
    {"a p={parameters[none]}", text_request, NULL, "no value for"},
    {"a p={parameters[s][deep]}", text_request, NULL, "no value for"},
    {"a p={parameters[n]}", NULL, NULL, "no value for"},
    {"a p={env[VIGIL_TEST_NOT_SET]}", NULL, NULL, "no such variable"},
    {"a p={env[VIGIL_TEST_SET]} ! c", NULL, "a p=x ! b ! c", NULL},
    {"a p={models[m][1][network]}", NULL, NULL, "model's path"},
    {"a p={unknown}", NULL, NULL, "want auto_source"},
    {"a p={parameters[s]!r}", text_request, NULL, "{name[key]}"},
    {"a p={parameters.s}", text_request, NULL, "{name[key]}"},
    {"a p={}", NULL, NULL, "{name[key]}"},
    {"a p={parameters[]}", text_request, NULL, "{name[key]}"},
    {"a } b", NULL, NULL, "single '}' at character 3"},
    {"a { b", NULL, NULL, "single '{' at character 3"},
};

static void
test_expand (VigilFixture *fixture, gconstpointer data)
{
  const Case *item = data;
  g_autoptr (VigilJson) request =
      item->request != NULL ? parse (item->request) : NULL;
  g_setenv ("VIGIL_TEST_SET", "x ! b", TRUE);
  g_autoptr (GError) error = NULL;
  g_autoptr (VigilEnvironment) environment =
      vigil_environment_new (NULL, &error);
  g_assert_no_error (error);
  VigilLaunchTextValues values = {
      .request = request,
      .environment = environment,
      .auto_source = "SRC",
  };
  g_autofree char *result =
      vigil_launch_text_expand (item->text, &values, &error);
  g_assert_cmpstr (result, ==, item->result);
  if (item->error != NULL) {
    g_assert_nonnull (error);
    g_assert_cmpint (error->domain, ==, VIGIL_ERROR);
    if (strstr (error->message, item->error) == NULL)
      g_error ("'%s' is not in '%s'", item->error, error->message);
  }
}

static void
test_source_required (VigilFixture *fixture, gconstpointer data)
{
  VigilLaunchTextValues values = {0};
  g_autoptr (GError) error = NULL;
  g_assert_null (
      vigil_launch_text_expand ("{auto_source} ! b", &values, &error));
  g_assert_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID);
  g_assert_nonnull (strstr (error->message, "source"));
}

/* Values that try to break out, through GStreamer's own parser: the text must
 * arrive in the property unchanged, and no second element with it. */
static void
test_literal_survives (VigilFixture *fixture, gconstpointer data)
{
  static const char *const values[] = {
      "plain",
      "a b",
      " ! fakesink",
      "\\\" ! fakesink name=x \\\"",
      "a\" ! fakesink name=x \"b",
      "\\\\\" ! fakesink",
      "'",
      "a'b\"c'd",
      "a\\b",
      "\\",
      "a\\\"",
      "a\\\\",
      "x=y",
      "{}",
      "(a)",
      "a\\ b",
      "a\nb",
      "\t",
      "name=x",
      "\xc3\xa9",
      "%s%n",
      "a.b:c",
      "\"",
      "\"a",
  };
  for (size_t i = 0; i < G_N_ELEMENTS (values); i++) {
    g_autoptr (VigilJson) request = vigil_json_new_object ();
    VigilJson *parameters = vigil_json_new_object ();
    vigil_json_object_take (parameters, "v", vigil_json_new_string (values[i]));
    vigil_json_object_take (request, "parameters", parameters);
    VigilLaunchTextValues lookup = {.request = request};
    static const char *const templates[] = {
        "filesrc name=first location={parameters[v]} ! "
        "filesink name=last location=\"end\"",
        "filesrc name=first location=\"{parameters[v]}\" ! "
        "filesink name=last location=\"end\"",
    };
    for (size_t t = 0; t < G_N_ELEMENTS (templates); t++) {
      g_autofree char *text =
          vigil_launch_text_expand (templates[t], &lookup, NULL);
      if (text == NULL)
        continue; /* refused is safe too; cases[] says which are */
      g_autoptr (GError) error = NULL;
      g_autoptr (GstElement) pipeline = gst_parse_launch (text, &error);
      g_assert_no_error (error);
      g_assert_cmpint (GST_BIN_NUMCHILDREN (pipeline), ==, 2);
      g_autoptr (GstElement) first =
          gst_bin_get_by_name (GST_BIN (pipeline), "first");
      g_autofree char *location = NULL;
      g_object_get (first, "location", &location, NULL);
      g_assert_cmpstr (location, ==, values[i]);
      g_autoptr (GstElement) last =
          gst_bin_get_by_name (GST_BIN (pipeline), "last");
      g_autofree char *end = NULL;
      g_object_get (last, "location", &end, NULL);
      g_assert_cmpstr (end, ==, "end");
    }
  }
}

static gboolean
add_name (const char *factory, void *user_data)
{
  g_string_append_printf (user_data, "%s ", factory);
  return TRUE;
}

static void
test_factories (VigilFixture *fixture, gconstpointer data)
{
  g_autoptr (GString) names = g_string_new (NULL);
  vigil_launch_text_visit_factories (
      "a name=x p = y ! video/x-raw, format=RGB, width=3 ! b caps=\"c d\" ! "
      "\"video/x-raw\" ! tee name=t t. ! queue ! ( e ! f ) t.src_0 ! g h=i",
      add_name, names);
  g_assert_cmpstr (names->str, ==, "a b tee queue e f g ");
}

int
main (int argc, char **argv)
{
  vigil_fixture_init (&argc, &argv, 0);
  gst_init (&argc, &argv);
  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *path = g_strdup_printf ("/launch-text/expand/%zu", i);
    g_test_add (path, VigilFixture, &cases[i], vigil_fixture_set_up,
        test_expand, vigil_fixture_tear_down);
  }
#define ADD(path, function)                                                    \
  g_test_add (path, VigilFixture, NULL, vigil_fixture_set_up, function,        \
      vigil_fixture_tear_down)
  ADD ("/launch-text/source-required", test_source_required);
  ADD ("/launch-text/literal-survives", test_literal_survives);
  ADD ("/launch-text/factories", test_factories);
  return g_test_run ();
}
