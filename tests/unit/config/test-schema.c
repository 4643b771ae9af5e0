/* SPDX-License-Identifier: Apache-2.0 */
#include "config/schema.h"

#include <string.h>

static const char *const colours[] = {"red", "green", "blue", NULL};

static const VigilSchemaKey inner_keys[] = {
    {.name = "depth", .type = VIGIL_SCHEMA_INTEGER, .is_required = TRUE},
    {0},
};

static const VigilSchemaKey keys[] = {
    {.name = "any", .type = VIGIL_SCHEMA_ANY, .help = "Anything."},
    {.name = "flag",
        .type = VIGIL_SCHEMA_BOOLEAN,
        .default_text = "false",
        .help = "Yes | no."},
    {.name = "qos",
        .type = VIGIL_SCHEMA_INTEGER,
        .minimum = 0,
        .maximum = 2,
        .default_text = "0",
        .help = "Quality of service."},
    {.name = "offset", .type = VIGIL_SCHEMA_INTEGER},
    {.name = "ratio", .type = VIGIL_SCHEMA_NUMBER, .minimum = 0, .maximum = 1},
    {.name = "name", .type = VIGIL_SCHEMA_STRING, .is_required = TRUE},
    {.name = "note", .type = VIGIL_SCHEMA_STRING, .allow_empty = TRUE},
    {.name = "colour", .type = VIGIL_SCHEMA_CHOICE, .choices = colours},
    {.name = "inner", .type = VIGIL_SCHEMA_OBJECT, .keys = inner_keys},
    {.name = "free", .type = VIGIL_SCHEMA_OBJECT},
    {.name = "list", .type = VIGIL_SCHEMA_ARRAY},
    {.name = "inners", .type = VIGIL_SCHEMA_ARRAY, .keys = inner_keys},
    {.name = "some", .type = VIGIL_SCHEMA_OBJECT_OR_ARRAY, .keys = inner_keys},
    {.name = "tls",
        .type = VIGIL_SCHEMA_OBJECT,
        .refused = "not in this release"},
    {.name = "type", .ignored = "without effect"},
    {0},
};

/* "W path: text" or "E path: text" for each problem, one a line. */
static char *
check (const char *text, const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VigilJson) value =
      vigil_json_parse (text, -1, SIZE_MAX, 64, &error);
  g_assert_no_error (error);
  g_autoptr (VigilProblems) problems = vigil_problems_new ();
  vigil_schema_check (keys, value, path, problems);
  GString *result = g_string_new (NULL);
  for (unsigned i = 0; i < vigil_problems_get_size (problems); i++) {
    const VigilProblem *problem = vigil_problems_get (problems, i);
    g_string_append_printf (result, "%s%c %s: %s", i > 0 ? "\n" : "",
        problem->severity == VIGIL_PROBLEM_ERROR ? 'E' : 'W', problem->path,
        problem->text);
  }
  return g_string_free (result, FALSE);
}

static const struct {
  const char *name;
  const char *members; /* beside "name":"n" */
  const char *problems;
} cases[] = {
    {"nothing", "", ""},
    {"all-good",
        ",\"any\":[1],\"flag\":true,\"qos\":2,\"offset\":-5,\"ratio\":1,"
        "\"note\":\"\",\"colour\":\"blue\",\"inner\":{\"depth\":1},"
        "\"free\":{\"x\":1},\"list\":[1,\"x\"],\"inners\":[{\"depth\":1}],"
        "\"some\":{\"depth\":1}",
        ""},
    {"list-of-objects", ",\"some\":[{\"depth\":1},{\"depth\":2}]", ""},
    {"null-is-absent", ",\"qos\":null,\"tls\":null,\"type\":null", ""},
    {"boolean", ",\"flag\":1", "E p.flag: want true or false, got an integer"},
    {"integer-text", ",\"qos\":\"1\"",
        "E p.qos: want an integer, got a string"},
    {"integer-real", ",\"qos\":1.0", "E p.qos: want an integer, got a number"},
    {"integer-lowest", ",\"qos\":0", ""},
    {"integer-low", ",\"qos\":-1", "E p.qos: -1: want 0, 1 or 2"},
    {"integer-high", ",\"qos\":3", "E p.qos: 3: want 0, 1 or 2"},
    {"integer-huge", ",\"qos\":9223372036854775807",
        "E p.qos: 9223372036854775807: want 0, 1 or 2"},
    {"number-high", ",\"ratio\":1.5", "E p.ratio: 1.5: want 0 to 1"},
    {"number-text", ",\"ratio\":\"1\"",
        "E p.ratio: want a number, got a string"},
    {"string-number", ",\"note\":12345",
        "E p.note: want a string, got an integer"},
    {"choice", ",\"colour\":\"pink\"",
        "E p.colour: 'pink': want 'red', 'green' or 'blue'"},
    {"choice-control", ",\"colour\":\"\\u001b\\n\"",
        "E p.colour: '\\u001b\\u000a': want 'red', 'green' or 'blue'"},
    {"choice-case", ",\"colour\":\"RED\"",
        "E p.colour: 'RED': want 'red', 'green' or 'blue'"},
    {"object", ",\"inner\":[]", "E p.inner: want an object, got a list"},
    {"inner-missing", ",\"inner\":{}",
        "E p.inner.depth: missing: want an integer"},
    {"inner-wrong", ",\"inner\":{\"depth\":\"x\"}",
        "E p.inner.depth: want an integer, got a string"},
    {"array", ",\"list\":{}", "E p.list: want a list, got an object"},
    {"array-item", ",\"inners\":[{\"depth\":1},7]",
        "E p.inners[1]: want an object, got an integer"},
    {"either", ",\"some\":1",
        "E p.some: want an object or a list of objects, got an integer"},
    {"either-item", ",\"some\":[{\"depth\":1},{}]",
        "E p.some[1].depth: missing: want an integer"},
    {"refused", ",\"tls\":{}", "E p.tls: not in this release"},
    {"refused-whatever-type", ",\"tls\":1", "E p.tls: not in this release"},
    {"ignored", ",\"type\":\"mqtt\"", "W p.type: without effect"},
    {"unknown-near", ",\"qoss\":1",
        "W p.qoss: unknown key, without effect: did you mean 'qos'?"},
    {"unknown-swapped", ",\"falg\":true",
        "W p.falg: unknown key, without effect: did you mean 'flag'?"},
    {"unknown-case", ",\"QOS\":1",
        "W p.QOS: unknown key, without effect: did you mean 'qos'?"},
    {"unknown-far", ",\"zzz\":1", "W p.zzz: unknown key, without effect"},
    {"unknown-odd", ",\"a b\\n\":1",
        "W p[\"a b\\u000a\"]: unknown key, without effect"},
    {"unknown-empty", ",\"\":1", "W p[\"\"]: unknown key, without effect"},
    {"several", ",\"flag\":0,\"qos\":9,\"x_y_z\":1",
        "E p.flag: want true or false, got an integer\n"
        "E p.qos: 9: want 0, 1 or 2\n"
        "W p.x_y_z: unknown key, without effect"},
};

static void
test_case (gconstpointer data)
{
  const typeof (cases[0]) *row = data;
  g_autofree char *text = g_strdup_printf ("{\"name\":\"n\"%s}", row->members);
  g_autofree char *problems = check (text, "p");
  g_assert_cmpstr (problems, ==, row->problems);
}

static void
test_root (void)
{
  g_autofree char *missing = check ("{}", "");
  g_assert_cmpstr (missing, ==, "E name: missing: want a string");
  g_autofree char *empty = check ("{\"name\":\"\"}", "");
  g_assert_cmpstr (empty, ==, "E name: want a string that is not empty");
  g_autofree char *type = check ("[]", "p");
  g_assert_cmpstr (type, ==, "E p: want an object, got a list");
}

static void
test_add_error (void)
{
  g_autoptr (VigilProblems) problems = vigil_problems_new ();

  vigil_schema_add_error (problems, "config.list[0]", "a key", "100 %s");
  g_assert_cmpuint (vigil_problems_count_errors (problems), ==, 1);
  g_assert_cmpstr (
      vigil_problems_get (problems, 0)->path, ==, "config.list[0][\"a key\"]");
  g_assert_cmpstr (vigil_problems_get (problems, 0)->text, ==, "100 %s");
}

static void
test_long_names_are_cut (void)
{
  g_autofree char *name = g_strnfill (1000, 'q');
  g_autofree char *text = g_strdup_printf (
      "{\"name\":\"n\",\"%s\":1,\"colour\":\"%s\"}", name, name);
  g_autofree char *problems = check (text, "p");
  g_autofree char *start = g_strnfill (64, 'q');
  g_autofree char *expected =
      g_strdup_printf ("E p.colour: '%s...': want 'red', 'green' or 'blue'\n"
                       "W p.%s...: unknown key, without effect",
          start, start);
  g_assert_cmpstr (problems, ==, expected);
}

static const struct {
  const char *name;
  const char *nearest;
} nearest_cases[] = {
    {"qos", "qos"},
    {"qs", "qos"},
    {"q", NULL},
    {"ofset", "offset"},
    {"off-set", "offset"},
    {"color", "colour"},
    {"colours", "colour"},
    {"inner", "inner"},
    {"inners2", "inners"},
    {"", NULL},
    {"certificate", NULL},
};

static void
test_nearest (void)
{
  for (size_t i = 0; i < G_N_ELEMENTS (nearest_cases); i++)
    g_assert_cmpstr (vigil_schema_find_nearest (keys, nearest_cases[i].name),
        ==, nearest_cases[i].nearest);
}

static void
test_markdown (void)
{
  static const VigilSchemaKey table[] = {
      {.name = "flag",
          .type = VIGIL_SCHEMA_BOOLEAN,
          .default_text = "false",
          .help = "Yes | no."},
      {.name = "qos",
          .type = VIGIL_SCHEMA_INTEGER,
          .maximum = 2,
          .is_required = TRUE,
          .help = "Quality."},
      {.name = "colour", .type = VIGIL_SCHEMA_CHOICE, .choices = colours},
      {.name = "inner",
          .type = VIGIL_SCHEMA_OBJECT,
          .keys = inner_keys,
          .help = "More."},
      {.name = "tls",
          .type = VIGIL_SCHEMA_OBJECT,
          .help = "Security.",
          .refused = "not yet"},
      {0},
  };
  g_autoptr (GString) text = g_string_new (NULL);
  vigil_schema_to_markdown (table, "t", text);
  g_assert_cmpstr (text->str, ==,
      "### t\n\n"
      "| Key | Type | Default | Meaning |\n"
      "|---|---|---|---|\n"
      "| `flag` | true or false | `false` | Yes \\| no. |\n"
      "| `qos` | an integer, 0, 1 or 2 | required | Quality. |\n"
      "| `colour` | `red`, `green` or `blue` |  |  |\n"
      "| `inner` | an object |  | More. |\n"
      "| `tls` | an object |  | Security. *Refused:* not yet |\n"
      "\n### t.inner\n\n"
      "| Key | Type | Default | Meaning |\n"
      "|---|---|---|---|\n"
      "| `depth` | an integer | required |  |\n");
}

static void
test_look_ups (void)
{
  g_autoptr (VigilJson) object =
      vigil_json_parse ("{\"b\":true,\"i\":3,\"r\":0.5,\"s\":\"x\",\"n\":null}",
          -1, SIZE_MAX, 4, NULL);
  g_assert_true (vigil_schema_get_boolean (object, "b", FALSE));
  g_assert_true (vigil_schema_get_boolean (object, "none", TRUE));
  g_assert_true (vigil_schema_get_boolean (object, "i", TRUE));
  g_assert_cmpint (vigil_schema_get_integer (object, "i", 7), ==, 3);
  g_assert_cmpint (vigil_schema_get_integer (object, "n", 7), ==, 7);
  g_assert_cmpint (vigil_schema_get_integer (object, "r", 7), ==, 7);
  g_assert_cmpfloat (vigil_schema_get_number (object, "r", 7), ==, 0.5);
  g_assert_cmpfloat (vigil_schema_get_number (object, "i", 7), ==, 3);
  g_assert_cmpfloat (vigil_schema_get_number (object, "s", 7), ==, 7);
  g_assert_cmpstr (vigil_schema_get_string (object, "s", "f"), ==, "x");
  g_assert_cmpstr (vigil_schema_get_string (object, "i", "f"), ==, "f");
  g_assert_null (vigil_schema_get_string (NULL, "s", NULL));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *path = g_strdup_printf ("/schema/check/%s", cases[i].name);
    g_test_add_data_func (path, &cases[i], test_case);
  }
  g_test_add_func ("/schema/root", test_root);
  g_test_add_func ("/schema/long-names-are-cut", test_long_names_are_cut);
  g_test_add_func ("/schema/add-error", test_add_error);
  g_test_add_func ("/schema/nearest", test_nearest);
  g_test_add_func ("/schema/markdown", test_markdown);
  g_test_add_func ("/schema/look-ups", test_look_ups);
  return g_test_run ();
}
