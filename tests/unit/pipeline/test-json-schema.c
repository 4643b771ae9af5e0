/* SPDX-License-Identifier: Apache-2.0 */
/* The subset of JSON Schema: each keyword with a value that passes and one
 * that does not. */
#include "common/fixture.h"
#include "pipeline/json-schema.h"

#include "base/error.h"
#include <string.h>

typedef struct {
  const char *schema;
  const char *value;
  const char *error; /* a part of it; NULL: it passes */
} Case;

static const Case cases[] = {
    {"{}", "[1,{\"a\":null}]", NULL},
    {"{\"type\":\"string\"}", "\"x\"", NULL},
    {"{\"type\":\"string\"}", "1", "p: want type string, got an integer"},
    {"{\"type\":\"integer\"}", "1", NULL},
    {"{\"type\":\"integer\"}", "1.0", NULL},
    {"{\"type\":\"integer\"}", "1.5", "want type integer"},
    {"{\"type\":\"number\"}", "1", NULL},
    {"{\"type\":\"number\"}", "true", "want type number"},
    {"{\"type\":\"boolean\"}", "false", NULL},
    {"{\"type\":\"boolean\"}", "0", "want type boolean"},
    {"{\"type\":\"null\"}", "null", NULL},
    {"{\"type\":\"array\"}", "{}", "want type array"},
    {"{\"type\":\"object\"}", "[]", "want type object"},
    {"{\"type\":[\"string\",\"null\"]}", "null", NULL},
    {"{\"type\":[\"string\",\"null\"]}", "1", "[\"string\",\"null\"]"},
    {"{\"enum\":[\"CPU\",\"GPU\",1]}", "\"GPU\"", NULL},
    {"{\"enum\":[\"CPU\",\"GPU\",1]}", "1.0", NULL},
    {"{\"enum\":[\"CPU\",\"GPU\",1]}", "\"TPU\"",
        "p \"TPU\": want one of [\"CPU\",\"GPU\",1]"},
    {"{\"minimum\":0}", "0", NULL},
    {"{\"minimum\":0}", "-0.1", "p -0.1: want at least 0"},
    {"{\"minimum\":0,\"exclusiveMinimum\":true}", "0", "want more than 0"},
    {"{\"minimum\":0,\"exclusiveMinimum\":false}", "0", NULL},
    {"{\"exclusiveMinimum\":0}", "0", "want more than 0"},
    {"{\"maximum\":1}", "1", NULL},
    {"{\"maximum\":1}", "2", "want at most 1"},
    {"{\"exclusiveMaximum\":1}", "1", "want less than 1"},
    {"{\"multipleOf\":0.1}", "0.3", NULL},
    {"{\"multipleOf\":3}", "4", "want a multiple of 3"},
    {"{\"minLength\":2}", "\"\xc3\xa9\"", "want at least 2 characters"},
    {"{\"maxLength\":1}", "\"\xc3\xa9\"", NULL},
    {"{\"maxLength\":1}", "\"ab\"", "want at most 1 characters"},
    {"{\"pattern\":\"^a+$\"}", "\"aa\"", NULL},
    {"{\"pattern\":\"^a+$\"}", "\"ab\"", "matches the pattern ^a+$"},
    {"{\"pattern\":\"(\"}", "\"ab\"", "matches the pattern ("},
    {"{\"minItems\":1}", "[]", "want at least 1 items"},
    {"{\"maxItems\":1}", "[1,2]", "want at most 1 items"},
    {"{\"items\":{\"type\":\"integer\"}}", "[1,\"x\"]", "p[1]: want type"},
    {"{\"properties\":{\"a\":{\"type\":\"string\"}}}", "{\"b\":1}", NULL},
    {"{\"properties\":{\"a\":{\"type\":\"string\"}}}", "{\"a\":1}",
        "p.a: want"},
    {"{\"required\":[\"a\"]}", "{\"b\":1}", "p.a: want a value"},
    {"{\"properties\":{\"a\":{}},\"additionalProperties\":false}",
        "{\"a\":1,\"b\":1}", "p.b: the pipeline's parameters have no such"},
    {"{\"additionalProperties\":{\"type\":\"string\"}}", "{\"b\":1}", "p.b: w"},
    {"{\"anyOf\":[{\"type\":\"string\"},{\"minimum\":5}]}", "7", NULL},
    {"{\"anyOf\":[{\"type\":\"string\"},{\"minimum\":5}]}", "3",
        "want type string"},
    {"{\"oneOf\":[{\"maximum\":9},{\"minimum\":5}]}", "3", NULL},
    {"{\"oneOf\":[{\"maximum\":9},{\"minimum\":5}]}", "7", "exactly one"},
    {"{\"allOf\":[{\"maximum\":9},{\"minimum\":5}]}", "3", "at least 5"},
    {"{\"properties\":{\"a\":{\"properties\":{\"b\":{\"enum\":[1]}}}}}",
        "{\"a\":{\"b\":2}}", "p.a.b 2: want one of [1]"},
    {"\"not a schema\"", "1", NULL},
};

static void
test_case (VigilFixture *fixture, gconstpointer data)
{
  const Case *item = data;
  g_autoptr (VigilJson) schema =
      vigil_json_parse (item->schema, -1, 65536, 64, NULL);
  g_autoptr (VigilJson) value =
      vigil_json_parse (item->value, -1, 65536, 64, NULL);
  g_autoptr (GError) error = NULL;
  gboolean passes = vigil_json_schema_check (schema, value, "p", &error);
  g_assert_cmpint (passes, ==, item->error == NULL);
  if (item->error != NULL) {
    g_assert_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID);
    if (strstr (error->message, item->error) == NULL)
      g_error ("'%s' is not in '%s'", item->error, error->message);
  }
}

int
main (int argc, char **argv)
{
  vigil_fixture_init (&argc, &argv, 0);
  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *path = g_strdup_printf ("/json-schema/%zu", i);
    g_test_add (path, VigilFixture, &cases[i], vigil_fixture_set_up, test_case,
        vigil_fixture_tear_down);
  }
  return g_test_run ();
}
