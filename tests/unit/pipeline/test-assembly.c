/* SPDX-License-Identifier: Apache-2.0 */
/* Definition and request become elements with their properties. */
#include "common/fixture.h"
#include "pipeline/assembly.h"

#include "base/error.h"
#include <string.h>

static VigilJson *
parse (const char *text)
{
  g_autoptr (GError) error = NULL;
  VigilJson *json = vigil_json_parse (text, -1, 65536, 64, &error);
  g_assert_no_error (error);
  return json;
}

/* What the tests look at of an assembly and what it builds. */
typedef struct {
  GstElement *pipeline;
  char *launch_text;
  gboolean is_live;
} Built;

static gboolean
assemble (Built *built, const char *entry_text, const char *request_text,
    VigilProblems *warnings, GError **error)
{
  g_autoptr (VigilJson) entry = parse (entry_text);
  g_autoptr (VigilJson) request =
      request_text != NULL ? parse (request_text) : NULL;
  g_autoptr (VigilDefinition) definition =
      vigil_definition_new (entry, NULL, error);
  g_assert_nonnull (definition);
  g_autoptr (VigilAssembly) assembly =
      vigil_assembly_new (definition, request, NULL, error);
  if (assembly == NULL)
    return FALSE;
  built->pipeline = vigil_assembly_build (assembly, warnings, error);
  if (built->pipeline == NULL)
    return FALSE;
  built->launch_text = g_strdup (vigil_assembly_get_launch_text (assembly));
  built->is_live = vigil_assembly_is_live (assembly, built->pipeline);
  /* It can be built again, by itself. */
  g_autoptr (VigilProblems) others = vigil_problems_new ();
  g_autoptr (GstElement) again = vigil_assembly_build (assembly, others, error);
  g_assert_nonnull (again);
  g_assert_true (again != built->pipeline);
  return TRUE;
}

static int
get_integer (GstElement *pipeline, const char *name, const char *property)
{
  g_autoptr (GstElement) element =
      gst_bin_get_by_name (GST_BIN (pipeline), name);
  g_assert_nonnull (element);
  int value = 0;
  g_object_get (element, property, &value, NULL);
  return value;
}

static void
clear (Built *assembly)
{
  gst_object_unref (assembly->pipeline);
  g_free (assembly->launch_text);
}

/* The request's values over the defaults, in text and in properties. */
static void
test_all (VigilFixture *fixture, gconstpointer data)
{
  g_autoptr (VigilProblems) warnings = vigil_problems_new ();
  g_autoptr (GError) error = NULL;
  Built assembly;
  g_assert_true (assemble (&assembly,
      "{\"name\":\"a\",\"pipeline\":\"{auto_source} name=source ! "
      "queue name=q max-size-buffers={parameters[size]} ! appsink "
      "name=destination\",\"parameters\":{\"properties\":{\"size\":{"
      "\"type\":\"integer\",\"default\":3},\"q\":{\"element\":{\"name\":"
      "\"q\",\"format\":\"element-properties\"},\"default\":{"
      "\"max-size-bytes\":7}}}}}",
      "{\"source\":{\"type\":\"gst\",\"element\":\"videotestsrc\","
      "\"properties\":{\"num-buffers\":2}},\"parameters\":{\"size\":5}}",
      warnings, &error));
  g_assert_cmpstr (assembly.launch_text, ==,
      "videotestsrc name=source ! queue name=q max-size-buffers=5 ! appsink "
      "name=destination");
  g_assert_cmpint (
      get_integer (assembly.pipeline, "q", "max-size-buffers"), ==, 5);
  g_assert_cmpint (
      get_integer (assembly.pipeline, "q", "max-size-bytes"), ==, 7);
  g_assert_cmpint (
      get_integer (assembly.pipeline, "source", "num-buffers"), ==, 2);
  g_assert_false (assembly.is_live);
  g_assert_cmpuint (vigil_problems_get_size (warnings), ==, 0);
  clear (&assembly);
}

/* Stands in for gvametaconvert, which has a property of this name. */
static char *tags_set;

static void
set_tags (GObject *object, guint id, const GValue *value, GParamSpec *spec)
{
  g_free (tags_set);
  tags_set = g_value_dup_string (value);
}

static void
init_tagged_class (void *class, void *data)
{
  ((GObjectClass *)class)->set_property = set_tags;
  g_object_class_install_property (
      class, 1, g_param_spec_string ("tags", "", "", NULL, G_PARAM_WRITABLE));
}

static void
register_tagged (void)
{
  g_autoptr (GstElement) model =
      gst_object_ref_sink (gst_element_factory_make ("identity", NULL));
  GTypeQuery query;
  g_type_query (G_OBJECT_TYPE (model), &query);
  GTypeInfo info = {
      .class_size = (guint16)query.class_size,
      .class_init = init_tagged_class,
      .instance_size = (guint16)query.instance_size,
  };
  gst_element_register (NULL, "vigiltesttagged", GST_RANK_NONE,
      g_type_register_static (
          G_OBJECT_TYPE (model), "VigilTestTagged", &info, 0));
}

/* The request's tags go to an element "metaconvert" as JSON text. */
static void
test_tags (VigilFixture *fixture, gconstpointer data)
{
  static const struct {
    const char *request, *tags;
  } cases[] = {
      {"{\"tags\":{\"a\":[1,\"x\"]}}", "{\"a\":[1,\"x\"]}"},
      {"{}", "{}"},
      {NULL, "{}"},
  };
  static const char entry[] =
      "{\"name\":\"a\",\"pipeline\":\"videotestsrc ! vigiltesttagged "
      "name=metaconvert ! appsink name=destination\"}";
  register_tagged ();
  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (VigilProblems) warnings = vigil_problems_new ();
    g_autoptr (GError) error = NULL;
    Built assembly;
    g_assert_true (
        assemble (&assembly, entry, cases[i].request, warnings, &error));
    g_assert_no_error (error);
    g_assert_cmpstr (tags_set, ==, cases[i].tags);
    clear (&assembly);
  }
  g_clear_pointer (&tags_set, g_free);
}

static void
test_live (VigilFixture *fixture, gconstpointer data)
{
  static const struct {
    const char *entry;
    gboolean is_live;
  } cases[] = {
      {"{\"name\":\"a\",\"pipeline\":\"videotestsrc ! appsink "
       "name=destination\"}",
          FALSE},
      {"{\"name\":\"a\",\"pipeline\":\"videotestsrc is-live=true ! appsink "
       "name=destination\"}",
          TRUE},
      {"{\"name\":\"a\",\"pipeline\":\"v4l2src ! appsink "
       "name=destination\"}",
          TRUE},
      {"{\"name\":\"a\",\"pipeline\":\"rtspsrc location=rtsp://h/ ! appsink "
       "name=destination\"}",
          TRUE},
      {"{\"name\":\"a\",\"pipeline\":\"udpsrc ! appsink "
       "name=destination\"}",
          TRUE},
  };
  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (VigilProblems) warnings = vigil_problems_new ();
    g_autoptr (GError) error = NULL;
    Built assembly;
    g_assert_true (
        assemble (&assembly, cases[i].entry, NULL, warnings, &error));
    g_assert_cmpint (assembly.is_live, ==, cases[i].is_live);
    clear (&assembly);
  }
}

static void
test_errors (VigilFixture *fixture, gconstpointer data)
{
  static const char entry[] =
      "{\"name\":\"a\",\"pipeline\":\"{auto_source} ! appsink "
      "name=destination\"}";
  static const struct {
    const char *request;
    int code;
    const char *error;
  } cases[] = {
      {NULL, VIGIL_ERROR_INVALID, "want a source in the request"},
      {"{\"parameters\":7}", VIGIL_ERROR_INVALID, "parameters: want"},
      {"{\"source\":{\"type\":\"gst\",\"element\":\"vigilnothing\"}}",
          VIGIL_ERROR_NOT_FOUND, "source.element: no element"},
      {"{\"source\":{\"type\":\"gst\",\"element\":\"fakesink\"}}",
          VIGIL_ERROR_INVALID, "pipeline: could not link"},
  };
  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (VigilProblems) warnings = vigil_problems_new ();
    g_autoptr (GError) error = NULL;
    Built assembly;
    g_assert_false (
        assemble (&assembly, entry, cases[i].request, warnings, &error));
    g_assert_error (error, VIGIL_ERROR, cases[i].code);
    if (strstr (error->message, cases[i].error) == NULL)
      g_error ("'%s' is not in '%s'", cases[i].error, error->message);
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
  ADD ("/assembly/all", test_all);
  ADD ("/assembly/tags", test_tags);
  ADD ("/assembly/live", test_live);
  ADD ("/assembly/errors", test_errors);
  return g_test_run ();
}
