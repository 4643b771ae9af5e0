/* SPDX-License-Identifier: Apache-2.0 */
/* The forms of answers. */
#include "common/fixture.h"

#include "base/error.h"
#include "rest/rest-response.h"
#include <string.h>

static void
test_string (void)
{
  VigilRestResponse response;

  vigil_rest_response_init (&response);
  vigil_rest_response_set_string (&response, 400, "a \"quoted\" one");
  g_assert_cmpstr (response.body->str, ==, "\"a \\\"quoted\\\" one\"\n");
  g_assert_cmpstr (response.content_type, ==, "application/json");
  g_assert_cmpuint (response.status, ==, 400);
  vigil_rest_response_clear (&response);
}

static void
test_problem (void)
{
  VigilRestResponse response;

  vigil_rest_response_init (&response);
  g_string_append (response.body, "half an answer");
  vigil_rest_response_set_problem (&response, 415, "want %s", "json");
  g_assert_cmpstr (response.body->str, ==,
      "{\n  \"detail\": \"want json\",\n  \"status\": 415,\n"
      "  \"title\": \"Unsupported Media Type\",\n"
      "  \"type\": \"about:blank\"\n}\n");
  g_assert_cmpstr (response.content_type, ==, "application/problem+json");
  vigil_rest_response_clear (&response);
}

static void
test_error_is_masked (void)
{
  VigilRestResponse response;
  g_autoptr (GError) error = g_error_new (VIGIL_ERROR, VIGIL_ERROR_INVALID,
      "source.uri: rtsp://me:secret@camera/ is wrong");

  vigil_rest_response_init (&response);
  vigil_rest_response_set_error (&response, error);
  g_assert_cmpuint (response.status, ==, 400);
  g_assert_null (strstr (response.body->str, "secret"));
  g_assert_nonnull (strstr (response.body->str, "camera"));
  vigil_rest_response_clear (&response);
}

static void
test_layout (void)
{
  static const struct {
    const char *json;
    const char *text;
  } cases[] = {
      {"{}", "{}\n"},
      {"null", "null\n"},
      {"[{}]", "[\n  {}\n]\n"},
      {"{\"a\":1}", "{\n  \"a\": 1\n}\n"},
      {"{\"a\":[1,[]],\"b\":{\"c\":true}}",
          "{\n  \"a\": [\n    1,\n    []\n  ],\n"
          "  \"b\": {\n    \"c\": true\n  }\n}\n"},
      /* Nothing inside a string is touched. */
      {"[\"{,:}[]\",\"\\\"{\\\\\",\"\"]",
          "[\n  \"{,:}[]\",\n  \"\\\"{\\\\\",\n  \"\"\n]\n"},
  };

  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    VigilRestResponse response;

    vigil_rest_response_init (&response);
    g_string_append (response.body, cases[i].json);
    vigil_rest_response_finish_json (&response, 200);
    g_assert_cmpstr (response.body->str, ==, cases[i].text);
    vigil_rest_response_clear (&response);
  }
}

int
main (int argc, char **argv)
{
  vigil_fixture_init (&argc, &argv, 0);
  g_test_add_func ("/rest-response/string", test_string);
  g_test_add_func ("/rest-response/problem", test_problem);
  g_test_add_func ("/rest-response/error-is-masked", test_error_is_masked);
  g_test_add_func ("/rest-response/layout", test_layout);
  return g_test_run ();
}
