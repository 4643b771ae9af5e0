/* SPDX-License-Identifier: Apache-2.0 */
/* Parameters: defaults from the environment, the check, and each form of
 * binding on real elements. */
#include "common/fixture.h"
#include "pipeline/parameters.h"

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

static void
check_resolve (const char *property, const char *expected)
{
  g_autofree char *text =
      g_strdup_printf ("{\"properties\":{\"p\":%s}}", property);
  g_autoptr (VigilJson) schema = parse (text);
  g_autoptr (GError) error = NULL;
  g_autoptr (VigilEnvironment) environment =
      vigil_environment_new (NULL, &error);
  g_autoptr (VigilJson) resolved =
      vigil_parameters_resolve (schema, environment);
  const VigilJson *value = vigil_json_object_get (
      vigil_json_object_get (
          vigil_json_object_get (resolved, "properties"), "p"),
      "default");
  g_autofree char *got = value != NULL ? vigil_json_to_text (value) : NULL;
  g_assert_cmpstr (got, ==, expected);
}

static void
test_resolve (VigilFixture *fixture, gconstpointer data)
{
  g_setenv ("VIGIL_TEST_A", "0.5", TRUE);
  g_unsetenv ("VIGIL_TEST_B");
  check_resolve ("{\"default\":5}", "5");
  check_resolve ("{}", NULL);
  check_resolve (
      "{\"type\":\"string\",\"default\":\"{env[VIGIL_TEST_A]}\"}", "\"0.5\"");
  check_resolve (
      "{\"type\":\"number\",\"default\":\"{env[VIGIL_TEST_A]}\"}", "0.5");
  check_resolve ("{\"default\":\"a{env[VIGIL_TEST_A]}b{env[VIGIL_TEST_A]}\"}",
      "\"a0.5b0.5\"");
  check_resolve (
      "{\"type\":\"object\",\"default\":\"x{env[VIGIL_TEST_A]}\"}", "\"x0.5\"");
  check_resolve ("{\"default\":\"{env[VIGIL_TEST_B]}\"}", NULL);
  check_resolve ("{\"default\":\"{env[open\"}", "\"{env[open\"");
  g_assert_null (vigil_parameters_resolve (NULL, NULL));
}

static void
test_complete (VigilFixture *fixture, gconstpointer data)
{
  g_autoptr (VigilJson) schema =
      parse ("{\"properties\":{\"a\":{\"default\":1},\"b\":{\"type\":"
             "\"string\"},\"c\":{\"default\":[2]}}}");
  g_autoptr (VigilJson) given = parse ("{\"a\":5,\"b\":\"x\",\"z\":null}");
  g_autoptr (GError) error = NULL;
  g_autoptr (VigilJson) values =
      vigil_parameters_complete (schema, given, &error);
  g_assert_no_error (error);
  g_autofree char *text = vigil_json_to_text (values);
  g_assert_cmpstr (text, ==, "{\"a\":5,\"b\":\"x\",\"z\":null,\"c\":[2]}");

  g_autoptr (VigilJson) none = vigil_parameters_complete (NULL, NULL, &error);
  g_assert_cmpuint (vigil_json_object_size (none), ==, 0);

  g_autoptr (VigilJson) wrong = parse ("{\"b\":7}");
  g_assert_null (vigil_parameters_complete (schema, wrong, &error));
  g_assert_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID);
  g_assert_nonnull (strstr (error->message, "parameters.b: want type string"));
  g_clear_error (&error);

  g_autoptr (VigilJson) list = parse ("[]");
  g_assert_null (vigil_parameters_complete (schema, list, &error));
  g_assert_nonnull (strstr (error->message, "parameters: want an object"));
}

typedef struct {
  const char *property; /* the schema of parameter "p" */
  const char *value;
  const char *location;        /* of filesrc "f" then */
  int buffers;                 /* num-buffers of "f" then */
  const char *warning, *error; /* a part of it */
} Case;

static const Case cases[] = {
    {"{\"element\":\"f\"}", "1", NULL, -1, "no property 'p'", NULL},
    {"{\"element\":{\"name\":\"f\",\"property\":\"location\"}}", "\"x y\"",
        "x y", -1, NULL, NULL},
    {"{\"element\":{\"name\":\"f\"}}", "1", NULL, -1, "no property 'p'", NULL},
    {"{\"element\":[{\"name\":\"f\",\"property\":\"location\"},\"none\"]}",
        "\"x\"", "x", -1, "no element named 'none'", NULL},
    {"{\"element\":{\"name\":\"f\",\"format\":\"element-properties\"}}",
        "{\"location\":\"y\",\"num-buffers\":3}", "y", 3, NULL, NULL},
    {"{\"element\":{\"name\":\"f\",\"format\":\"element-properties\"}}",
        "{\"location\":\"y\",\"nix\":3}", "y", -1, "no property 'nix'", NULL},
    {"{\"element\":{\"name\":\"f\",\"format\":\"element-properties\"}}", "5",
        NULL, -1, NULL, "parameters.p: want an object of properties"},
    {"{\"element\":{\"name\":\"f\",\"property\":\"location\",\"format\":"
     "\"json\"}}",
        "{\"a\":[1,true]}", "{\"a\":[1,true]}", -1, NULL, NULL},
    {"{\"element\":{\"name\":\"f\",\"property\":\"num-buffers\"}}", "\"many\"",
        NULL, -1, NULL, "parameters.p 'many': want a whole number"},
    {"{\"element\":{\"name\":\"f\",\"property\":\"num-buffers\"}}", "null",
        NULL, -1, NULL, NULL},
    {"{}", "5", NULL, -1, NULL, NULL},
};

static void
test_apply (VigilFixture *fixture, gconstpointer data)
{
  const Case *item = data;
  g_autofree char *schema_text =
      g_strdup_printf ("{\"properties\":{\"p\":%s}}", item->property);
  g_autofree char *value_text = g_strdup_printf ("{\"p\":%s}", item->value);
  g_autoptr (VigilJson) schema = parse (schema_text);
  g_autoptr (VigilJson) values = parse (value_text);
  g_autoptr (GError) error = NULL;
  g_autoptr (GstElement) pipeline =
      vigil_parsed_pipeline_new ("filesrc name=f ! fakesink", &error);
  g_assert_no_error (error);
  g_autoptr (VigilProblems) warnings = vigil_problems_new ();
  gboolean is_applied = vigil_parameters_apply (
      schema, values, GST_BIN (pipeline), warnings, &error);
  g_assert_cmpint (is_applied, ==, item->error == NULL);
  if (item->error != NULL) {
    g_assert_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID);
    g_assert_nonnull (strstr (error->message, item->error));
  }
  g_assert_cmpuint (
      vigil_problems_get_size (warnings), ==, item->warning != NULL);
  if (item->warning != NULL)
    g_assert_nonnull (
        strstr (vigil_problems_get (warnings, 0)->text, item->warning));
  g_autoptr (GstElement) element =
      gst_bin_get_by_name (GST_BIN (pipeline), "f");
  g_autofree char *location = NULL;
  int buffers = 0;
  g_object_get (element, "location", &location, "num-buffers", &buffers, NULL);
  g_assert_cmpstr (location, ==, item->location);
  g_assert_cmpint (buffers, ==, item->buffers);
}

/* What urisourcebin lacks goes to the element that it makes inside. */
static void
test_deferred (VigilFixture *fixture, gconstpointer data)
{
  g_autofree char *path = vigil_fixture_write (fixture, "file", "text");
  g_autoptr (GError) error = NULL;
  g_autoptr (GstElement) pipeline =
      vigil_parsed_pipeline_new ("urisourcebin name=source", &error);
  g_autoptr (GstElement) source =
      gst_bin_get_by_name (GST_BIN (pipeline), "source");
  g_autofree char *uri = gst_filename_to_uri (path, NULL);
  g_object_set (source, "uri", uri, NULL);
  g_autoptr (VigilJson) schema =
      parse ("{\"properties\":{\"p\":{\"element\":{\"name\":\"source\","
             "\"format\":\"element-properties\"}}}}");
  g_autoptr (VigilJson) values =
      parse ("{\"p\":{\"blocksize\":123,\"buffer-size\":77,\"nix\":1}}");
  g_autoptr (VigilProblems) warnings = vigil_problems_new ();
  g_assert_true (vigil_parameters_apply (
      schema, values, GST_BIN (pipeline), warnings, &error));
  g_assert_cmpuint (vigil_problems_get_size (warnings), ==, 0);
  vigil_fixture_expect_warning ("vigil-pipeline",
      "source property 'nix': neither GstURISourceBin nor GstFileSrc has it");
  gst_element_set_state (pipeline, GST_STATE_READY);
  gst_element_set_state (pipeline, GST_STATE_PAUSED);
  g_autoptr (GstElement) inner = NULL;
  for (GList *l = GST_BIN_CHILDREN (source); l != NULL; l = l->next)
    if (strcmp (G_OBJECT_TYPE_NAME (l->data), "GstFileSrc") == 0)
      inner = gst_object_ref (l->data);
  g_assert_nonnull (inner);
  unsigned size = 0;
  g_object_get (inner, "blocksize", &size, NULL);
  g_assert_cmpuint (size, ==, 123);
  gst_element_set_state (pipeline, GST_STATE_NULL);
}

int
main (int argc, char **argv)
{
  vigil_fixture_init (&argc, &argv, 0);
  gst_init (&argc, &argv);
  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *path = g_strdup_printf ("/parameters/apply/%zu", i);
    g_test_add (path, VigilFixture, &cases[i], vigil_fixture_set_up, test_apply,
        vigil_fixture_tear_down);
  }
#define ADD(path, function)                                                    \
  g_test_add (path, VigilFixture, NULL, vigil_fixture_set_up, function,        \
      vigil_fixture_tear_down)
  ADD ("/parameters/resolve", test_resolve);
  ADD ("/parameters/complete", test_complete);
  ADD ("/parameters/deferred", test_deferred);
  return g_test_run ();
}
