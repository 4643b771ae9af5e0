/* SPDX-License-Identifier: Apache-2.0 */
/* Requests: what may stand in them, and what they make of an entry. */
#include "common/fixture.h"

#include "base/error.h"
#include "server/request.h"
#include <string.h>

static VigilJson *
parse (const char *text)
{
  g_autoptr (GError) error = NULL;
  VigilJson *value = vigil_json_parse (text, -1, 65536, 32, &error);

  g_assert_no_error (error);
  return value;
}

/* ---- Check ------------------------------------------------------------- */

typedef struct {
  const char *request;
  const char *path; /* of the first problem; NULL: there is none */
  const char *text; /* part of it */
} CheckCase;

static const CheckCase check_cases[] = {
    {"{}", NULL, NULL},
    {"{\"source\":{},\"parameters\":{},\"tags\":{}}", NULL, NULL},
    {"{\"destination\":{\"metadata\":{\"type\":\"mqtt\"}}}", NULL, NULL},
    {"{\"destination\":{\"metadata\":[{\"type\":\"mqtt\"},"
     "{\"type\":\"file\",\"path\":\"x\"}]}}",
        NULL, NULL},
    {"{\"destination\":{}}", "destination", "want \"metadata\""},
    {"{\"destination\":7}", "destination", "an object"},
    {"{\"destination\":{\"type\":\"mqtt\",\"topic\":\"t\"}}", "destination",
        "'type': want \"metadata\""},
    {"{\"destination\":{\"metadata\":{\"type\":\"mqtt\"},\"frames\":{}}}",
        "destination", "'frames': want"},
    {"{\"destination\":{\"metadata\":7}}", "destination.metadata", "a list"},
    {"{\"destination\":{\"metadata\":[7]}}", "destination.metadata[0]",
        "an object"},
    {"{\"destination\":{\"metadata\":{}}}", "destination.metadata.type",
        "'mqtt'"},
    {"{\"destination\":{\"metadata\":{\"type\":\"kafka\"}}}",
        "destination.metadata.type", "'kafka' is not"},
    {"{\"destination\":{\"metadata\":[{\"type\":\"mqtt\"},{\"type\":\"x\"}]}}",
        "destination.metadata[1].type", "'x' is not"},
    {"{\"source\":\"rtsp://x\"}", "source", "an object"},
    {"{\"parameters\":[]}", "parameters", "an object"},
    {"{\"tags\":1}", "tags", "an object"},
    {"{\"mqtt_publisher\":\"x\"}", "mqtt_publisher", "an object or a list"},
    {"{\"S3_write\":{}}", "S3_write", "S3"},
    {"{\"async\":true}", "async", "no effect"},
    {"{\"sorce\":{}}", "sorce", "source"},
};

static void
test_check (gconstpointer data)
{
  const CheckCase *test = data;
  g_autoptr (VigilJson) request = parse (test->request);
  g_autoptr (VigilProblems) problems = vigil_problems_new ();
  const VigilProblem *problem;

  vigil_request_check (request, "", problems);
  if (test->path == NULL) {
    g_assert_cmpuint (vigil_problems_get_size (problems), ==, 0);
    return;
  }
  g_assert_cmpuint (vigil_problems_get_size (problems), >, 0);
  problem = vigil_problems_get (problems, 0);
  g_assert_cmpstr (problem->path, ==, test->path);
  if (strstr (problem->text, test->text) == NULL)
    g_error ("'%s' is not in '%s'", test->text, problem->text);
}

/* ---- Merge ------------------------------------------------------------- */

typedef struct {
  const char *name;
  const char *entry;
  const char *request;
  gboolean is_trusted;
  const char *merged; /* NULL: it is refused, with this in the message: */
  const char *text;
} MergeCase;

#define METADATA(text) "{\"destination\":{\"metadata\":" text "}}"
#define PUBLISHER(text) "{\"mqtt_publisher\":" text "}"

static const MergeCase merge_cases[] = {
    {"nothing", PUBLISHER ("{\"qos\":1}"), "{}", FALSE,
        PUBLISHER ("{\"qos\":1}"), NULL},
    {"key-by-key", PUBLISHER ("{\"qos\":1,\"topic\":\"a\"}"),
        METADATA ("{\"type\":\"mqtt\",\"topic\":\"b\"}"), FALSE,
        PUBLISHER ("[{\"qos\":1,\"topic\":\"b\"}]"), NULL},
    {"no-entry", "{}", METADATA ("{\"type\":\"mqtt\",\"topic\":\"b\"}"), FALSE,
        PUBLISHER ("[{\"topic\":\"b\"}]"), NULL},
    {"null-removes", PUBLISHER ("{\"qos\":1,\"topic\":\"a\"}"),
        METADATA ("{\"type\":\"mqtt\",\"qos\":null}"), FALSE,
        PUBLISHER ("[{\"topic\":\"a\"}]"), NULL},
    {"null-of-nothing", PUBLISHER ("{}"),
        METADATA ("{\"type\":\"mqtt\",\"filter\":null}"), FALSE,
        PUBLISHER ("[{}]"), NULL},
    {"by-name", PUBLISHER ("[{\"name\":\"x\"},{\"name\":\"y\",\"qos\":2}]"),
        METADATA ("{\"type\":\"mqtt\",\"name\":\"y\",\"topic\":\"t\"}"), FALSE,
        PUBLISHER (
            "[{\"name\":\"x\"},{\"name\":\"y\",\"qos\":2,\"topic\":\"t\"}]"),
        NULL},
    {"without-name-the-first",
        PUBLISHER ("[{\"name\":\"x\"},{\"name\":\"y\"}]"),
        METADATA ("{\"type\":\"mqtt\",\"topic\":\"t\"}"), FALSE,
        PUBLISHER ("[{\"name\":\"x\",\"topic\":\"t\"},{\"name\":\"y\"}]"),
        NULL},
    {"list-replaces",
        PUBLISHER ("[{\"name\":\"x\",\"qos\":1},{\"name\":\"y\"}]"),
        METADATA ("[{\"type\":\"mqtt\",\"name\":\"x\",\"topic\":\"t\"}]"),
        FALSE, PUBLISHER ("[{\"name\":\"x\",\"qos\":1,\"topic\":\"t\"}]"),
        NULL},
    {"publisher-object", PUBLISHER ("{\"qos\":1}"),
        PUBLISHER ("{\"topic\":\"t\"}"), FALSE,
        PUBLISHER ("[{\"qos\":1,\"topic\":\"t\"}]"), NULL},
    {"order", PUBLISHER ("{\"topic\":\"a\",\"qos\":0,\"retain\":true}"),
        "{\"mqtt_publisher\":{\"topic\":\"b\",\"qos\":1},\"destination\":{"
        "\"metadata\":{\"type\":\"mqtt\",\"topic\":\"c\"}}}",
        FALSE, PUBLISHER ("[{\"topic\":\"c\",\"qos\":1,\"retain\":true}]"),
        NULL},
    {"file-beside-mqtt", PUBLISHER ("{\"qos\":1}"),
        METADATA ("{\"type\":\"file\",\"path\":\"/tmp/x\"}"), FALSE,
        "{\"mqtt_publisher\":{\"qos\":1},"
        "\"file_publisher\":[{\"path\":\"/tmp/x\"}]}",
        NULL},
    {"tags", "{\"tags\":{\"a\":1}}", "{\"tags\":{\"b\":2}}", FALSE,
        "{\"tags\":{\"b\":2}}", NULL},
    {"host-refused", PUBLISHER ("{}"),
        METADATA ("{\"type\":\"mqtt\",\"host\":\"evil\"}"), FALSE, NULL,
        "destination.metadata.host: the broker is the operator's choice"},
    {"password-file-refused", PUBLISHER ("{}"),
        METADATA ("[{\"type\":\"mqtt\",\"password_file\":\"/etc/shadow\"}]"),
        FALSE, NULL, "destination.metadata[0].password_file"},
    {"tls-refused", PUBLISHER ("{}"), PUBLISHER ("{\"tls\":null}"), FALSE, NULL,
        "mqtt_publisher.tls"},
    {"host-trusted", PUBLISHER ("{\"password\":\"p\"}"),
        METADATA ("{\"type\":\"mqtt\",\"host\":\"other\"}"), TRUE,
        PUBLISHER ("[{\"host\":\"other\"}]"), NULL},
    {"same-host-keeps-credentials",
        PUBLISHER ("{\"host\":\"a\",\"password\":\"p\"}"),
        METADATA ("{\"type\":\"mqtt\",\"host\":\"a\"}"), TRUE,
        PUBLISHER ("[{\"host\":\"a\",\"password\":\"p\"}]"), NULL},
    {"port-drops-credentials",
        "{\"allow_request_broker\":true,\"mqtt_publisher\":{\"host\":\"a\","
        "\"username\":\"u\",\"password_file\":\"f\",\"tls\":{}}}",
        METADATA ("{\"type\":\"mqtt\",\"port\":1884,\"username\":\"me\"}"),
        FALSE,
        "{\"allow_request_broker\":true,\"mqtt_publisher\":[{\"host\":\"a\","
        "\"port\":1884,\"username\":\"me\"}]}",
        NULL},
};

static int
compare_texts (gconstpointer left, gconstpointer right)
{
  return strcmp (*(char *const *)left, *(char *const *)right);
}

/* The text with sorted keys, so that order does not count. */
static char *
sort_text (const VigilJson *value)
{
  g_autoptr (GPtrArray) members = g_ptr_array_new_with_free_func (g_free);
  VigilJsonIter iter = {0};
  const char *key;
  const VigilJson *member;
  GString *text = g_string_new (NULL);

  if (vigil_json_get_type (value) == VIGIL_JSON_ARRAY) {
    for (size_t i = 0; i < vigil_json_array_size (value); i++) {
      g_autofree char *element = sort_text (vigil_json_array_get (value, i));

      g_string_append_printf (text, "[%s]", element);
    }
    return g_string_free (text, FALSE);
  }
  if (vigil_json_get_type (value) != VIGIL_JSON_OBJECT) {
    g_string_free (text, TRUE);
    return vigil_json_to_text (value);
  }
  while (vigil_json_object_next (value, &iter, &key, &member)) {
    g_autofree char *member_text = sort_text (member);

    g_ptr_array_add (members, g_strdup_printf ("%s:%s", key, member_text));
  }
  g_ptr_array_sort (members, compare_texts);
  for (unsigned i = 0; i < members->len; i++)
    g_string_append_printf (
        text, "{%s}", (char *)g_ptr_array_index (members, i));
  return g_string_free (text, FALSE);
}

static void
test_merge (gconstpointer data)
{
  const MergeCase *test = data;
  g_autoptr (VigilJson) entry = parse (test->entry);
  g_autoptr (VigilJson) request = parse (test->request);
  g_autoptr (GError) error = NULL;
  g_autoptr (VigilJson) merged =
      vigil_request_merge (entry, request, test->is_trusted, &error);
  g_autoptr (VigilJson) wanted = NULL;
  g_autofree char *merged_text = NULL;
  g_autofree char *wanted_text = NULL;

  if (test->merged == NULL) {
    g_assert_null (merged);
    g_assert_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID);
    if (strstr (error->message, test->text) == NULL)
      g_error ("'%s' is not in '%s'", test->text, error->message);
    return;
  }
  g_assert_no_error (error);
  wanted = parse (test->merged);
  merged_text = sort_text (merged);
  wanted_text = sort_text (wanted);
  g_assert_cmpstr (merged_text, ==, wanted_text);
}

static void
test_no_request (void)
{
  g_autoptr (VigilJson) entry = parse (PUBLISHER ("{\"qos\":1}"));
  g_autoptr (VigilJson) merged = vigil_request_merge (entry, NULL, FALSE, NULL);
  g_autofree char *text = vigil_json_to_text (merged);

  g_assert_cmpstr (text, ==, PUBLISHER ("{\"qos\":1}"));
}

int
main (int argc, char **argv)
{
  vigil_fixture_init (&argc, &argv, 0);
  for (size_t i = 0; i < G_N_ELEMENTS (check_cases); i++) {
    g_autofree char *path = g_strdup_printf ("/request/check/%zu", i);

    g_test_add_data_func (path, &check_cases[i], test_check);
  }
  for (size_t i = 0; i < G_N_ELEMENTS (merge_cases); i++) {
    g_autofree char *path =
        g_strconcat ("/request/merge/", merge_cases[i].name, NULL);

    g_test_add_data_func (path, &merge_cases[i], test_merge);
  }
  g_test_add_func ("/request/merge/no-request", test_no_request);
  return g_test_run ();
}
