/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"
#include "base/json.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define BYTES_MAX 1000
#define DEPTH_MAX 4

static VigilJson *
parse (const char *text)
{
  g_autoptr (GError) error = NULL;
  VigilJson *value = vigil_json_parse (text, -1, BYTES_MAX, DEPTH_MAX, &error);
  g_assert_no_error (error);
  return value;
}

/* ---- Texts that are accepted -------------------------------------------- */

static const struct {
  const char *text;
  const char *again; /* NULL: the same */
  VigilJsonType type;
} accepted[] = {
    {"{}", NULL, VIGIL_JSON_OBJECT},
    {"[]", NULL, VIGIL_JSON_ARRAY},
    {" [ 1 , 2 ] ", "[1,2]", VIGIL_JSON_ARRAY},
    {"\"a\"", NULL, VIGIL_JSON_STRING},
    {"0", NULL, VIGIL_JSON_INTEGER},
    {"-9223372036854775808", NULL, VIGIL_JSON_INTEGER},
    {"9223372036854775807", NULL, VIGIL_JSON_INTEGER},
    {"0.5", NULL, VIGIL_JSON_REAL},
    {"1e2", "100", VIGIL_JSON_REAL},
    {"1.5e-7", "1.4999999999999999e-07", VIGIL_JSON_REAL},
    {"true", NULL, VIGIL_JSON_BOOLEAN},
    {"false", NULL, VIGIL_JSON_BOOLEAN},
    {"null", NULL, VIGIL_JSON_NULL},
    {"[[[[]]]]", NULL, VIGIL_JSON_ARRAY},
    /* Brackets in strings are no levels. */
    {"[\"[[[[[[\\\"[[[[\"]", NULL, VIGIL_JSON_ARRAY},
    {"[[],[],[],[],[],[],{}]", NULL, VIGIL_JSON_ARRAY},
    {"\"\\u00e9\\ud83d\\ude00\"", "\"\xc3\xa9\xf0\x9f\x98\x80\"",
        VIGIL_JSON_STRING},
    {"{\"z\":1,\"a\":{\"z\":2},\"m\":null}", NULL, VIGIL_JSON_OBJECT},
};

static void
test_accepted (void)
{
  for (size_t i = 0; i < G_N_ELEMENTS (accepted); i++) {
    g_autoptr (VigilJson) value = parse (accepted[i].text);
    g_assert_cmpint (vigil_json_get_type (value), ==, accepted[i].type);
    g_autofree char *text = vigil_json_to_text (value);
    g_assert_cmpstr (text, ==,
        accepted[i].again != NULL ? accepted[i].again : accepted[i].text);
  }
}

/* ---- Texts that are refused --------------------------------------------- */

static const struct {
  const char *text;
  const char *message;
} refused[] = {
    {"", "nothing is in it: *"},
    {" \n", "nothing is in it: *"},
    {"{", "line 1, column 1: *ends before its last bracket*"},
    {"{\n \"a\":\n  x}", "line 3, column 3: *double quotes*"},
    {"[1,]", "line 1, column 4: *no comma before a closing*"},
    {"{\"a\":1,}", "line 1, column 8: *no comma before a closing*"},
    {"{'a':1}", "line 1, column 2: *double quotes*"},
    {"[1] 2", "line 1, column 5: *want nothing after the value"},
    {"// a\n{}", "line 1, column 1: *no comments*"},
    {"[NaN]", "line 1, column *"},
    {"[01]", "line 1, column *"},
    {"{\"a\":1,\n\"a\":2}",
        "line 2, column 3: *'\"a\"'*want each key once in its object"},
    {"99999999999999999999", "line 1, column 20: *integers of 64 bits*"},
    {"1e999", "line 1, column 5: *double precision"},
    {"\"\\ud800\"", "line 1, column 8: *"},
    {"\"\\udc00x\"", "line 1, column *"},
    {"\"\\u0000\"", "line 1, column 8: \\u0000 is not allowed: want no NUL*"},
    {"{\"a\\u0000b\":1}", "line 1, column 11: *want no NUL*"},
    {"\"\xff\"", "line 1, column *want the text in UTF-8"},
    {"\"\xed\xa0\x80\"", "line 1, column *want the text in UTF-8"},
    {"\"\xc0\x80\"", "line 1, column *want the text in UTF-8"},
    {"\"a\nb\"", "line 1, column *"},
    {"\"a", "line 1, column *"},
    {"{\"a\x7f\":1,\"a\x7f\":2}", "line 1, column *each key once*"},
};

static void
test_refused (void)
{
  for (size_t i = 0; i < G_N_ELEMENTS (refused); i++) {
    g_autoptr (GError) error = NULL;
    g_assert_null (
        vigil_json_parse (refused[i].text, -1, BYTES_MAX, DEPTH_MAX, &error));
    g_assert_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID);
    if (!g_pattern_match_simple (refused[i].message, error->message))
      g_error ("'%s' gives '%s'", refused[i].text, error->message);
    for (const char *byte = error->message; *byte != '\0'; byte++)
      g_assert_false (g_ascii_iscntrl (*byte));
  }
}

static void
test_nul_byte (void)
{
  g_autoptr (GError) error = NULL;
  g_assert_null (vigil_json_parse ("[1]\0", 4, BYTES_MAX, 4, &error));
  g_assert_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID);
}

static void
test_length (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VigilJson) value =
      vigil_json_parse ("[1]garbage", 3, BYTES_MAX, 4, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (vigil_json_array_size (value), ==, 1);
}

/* Not a byte behind the end is read: it would not be mapped. */
static void
test_end_of_memory (void)
{
  static const char *const texts[] = {"", " ", " \n\t\r", "[1]", "{\"a", "[["};
  size_t page = (size_t)sysconf (_SC_PAGESIZE);
  char *pages = mmap (NULL, 2 * page, PROT_READ | PROT_WRITE,
      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  g_assert_true (pages != MAP_FAILED);
  g_assert_cmpint (mprotect (pages + page, page, PROT_NONE), ==, 0);
  for (size_t i = 0; i < G_N_ELEMENTS (texts); i++) {
    size_t size = strlen (texts[i]);
    char *text = pages + page - size;
    memcpy (text, texts[i], size);
    g_autoptr (VigilJson) value =
        vigil_json_parse (text, (gssize)size, BYTES_MAX, DEPTH_MAX, NULL);
    g_assert_cmpint (
        value != NULL, ==, texts[i][0] == '[' && texts[i][1] == '1');
  }
  munmap (pages, 2 * page);
}

static void
test_too_long (void)
{
  g_autoptr (GError) error = NULL;
  g_assert_null (vigil_json_parse ("[10]", -1, 3, 4, &error));
  g_assert_error (error, VIGIL_ERROR, VIGIL_ERROR_LIMIT);
  g_assert_cmpstr (error->message, ==, "4 bytes of JSON: want at most 3");
}

static void
test_too_deep (void)
{
  g_autoptr (GError) error = NULL;
  g_assert_null (vigil_json_parse ("[\"\xc3\xa9\",\n [[[[", -1, 99, 4, &error));
  g_assert_error (error, VIGIL_ERROR, VIGIL_ERROR_LIMIT);
  g_assert_cmpstr (error->message, ==,
      "line 2, column 5: nested too deep: want at most 4 levels");
}

static void
test_very_deep (void)
{
  /* More than a stack could take, were it parsed. */
  g_autofree char *text = g_strnfill (10000000, '[');
  g_autoptr (GError) error = NULL;
  g_assert_null (vigil_json_parse (text, -1, SIZE_MAX, 100000, &error));
  g_assert_error (error, VIGIL_ERROR, VIGIL_ERROR_LIMIT);
  g_assert_nonnull (strstr (error->message, "at most 2048 levels"));
}

static void
test_no_secret_in_error (void)
{
  static const char *const texts[] = {"{\"password\": hunter}",
      "{\"password\" \"hunter\"}", "{\"password\": \"x\" \"hunter\"}"};
  for (size_t i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_autoptr (GError) error = NULL;
    g_assert_null (vigil_json_parse (texts[i], -1, 99, 4, &error));
    g_assert_nonnull (error);
    g_assert_null (strstr (error->message, "hunter"));
  }
}

/* ---- Values -------------------------------------------------------------- */

static void
test_getters (void)
{
  g_autoptr (VigilJson) value =
      parse ("{\"s\":\"x\",\"i\":-3,\"r\":2.5,\"t\":true,\"f\":false,"
             "\"n\":null,\"a\":[7],\"o\":{\"k\":1}}");
  const VigilJson *string = vigil_json_object_get (value, "s");
  const VigilJson *integer = vigil_json_object_get (value, "i");
  const VigilJson *real = vigil_json_object_get (value, "r");
  g_assert_cmpuint (vigil_json_object_size (value), ==, 8);
  g_assert_cmpstr (vigil_json_get_string (string), ==, "x");
  g_assert_cmpint (vigil_json_get_integer (integer), ==, -3);
  g_assert_cmpfloat (vigil_json_get_number (integer), ==, -3);
  g_assert_cmpfloat (vigil_json_get_number (real), ==, 2.5);
  g_assert_true (vigil_json_is_number (integer));
  g_assert_true (vigil_json_is_number (real));
  g_assert_true (vigil_json_get_boolean (vigil_json_object_get (value, "t")));
  g_assert_false (vigil_json_get_boolean (vigil_json_object_get (value, "f")));
  g_assert_true (vigil_json_is_null (vigil_json_object_get (value, "n")));
  const VigilJson *list = vigil_json_object_get (value, "a");
  g_assert_cmpuint (vigil_json_array_size (list), ==, 1);
  g_assert_cmpint (
      vigil_json_get_integer (vigil_json_array_get (list, 0)), ==, 7);
  g_assert_null (vigil_json_array_get (list, 1));
  /* Look-ups chain, wrong types give nothing. */
  g_assert_cmpint (vigil_json_get_integer (vigil_json_object_get (
                       vigil_json_object_get (value, "o"), "k")),
      ==, 1);
  g_assert_null (
      vigil_json_object_get (vigil_json_object_get (value, "nothing"), "k"));
  g_assert_null (vigil_json_object_get (string, "k"));
  g_assert_null (vigil_json_get_string (integer));
  g_assert_cmpint (vigil_json_get_integer (string), ==, 0);
  g_assert_cmpint (vigil_json_get_integer (real), ==, 0);
  g_assert_false (vigil_json_get_boolean (integer));
  g_assert_false (vigil_json_is_null (string));
}

static void
test_iteration (void)
{
  g_autoptr (VigilJson) value = parse ("{\"z\":1,\"a\":2,\"m\":3}");
  g_autoptr (GString) keys = g_string_new (NULL);
  int64_t sum = 0;
  VigilJsonIter iter = {0};
  const char *key;
  const VigilJson *member;
  while (vigil_json_object_next (value, &iter, &key, &member)) {
    g_string_append (keys, key);
    sum += vigil_json_get_integer (member);
  }
  g_assert_cmpstr (keys->str, ==, "zam");
  g_assert_cmpint (sum, ==, 6);
  /* At the end it stays at the end. */
  g_assert_false (vigil_json_object_next (value, &iter, NULL, NULL));

  g_autoptr (VigilJson) empty = parse ("{}");
  VigilJsonIter again = {0};
  g_assert_false (vigil_json_object_next (empty, &again, NULL, NULL));
}

static void
test_type_names (void)
{
  g_autoptr (VigilJson) all = parse ("[{},[],\"\",1,1.5,true,null]");
  static const char *const names[] = {"an object", "a list", "a string",
      "an integer", "a number", "true or false", "null"};
  for (size_t i = 0; i < G_N_ELEMENTS (names); i++)
    g_assert_cmpstr (vigil_json_type_name (
                         vigil_json_get_type (vigil_json_array_get (all, i))),
        ==, names[i]);
}

/* ---- Building ------------------------------------------------------------ */

static void
test_building (void)
{
  g_autoptr (VigilJson) object = vigil_json_new_object ();
  VigilJson *list = vigil_json_new_array ();
  vigil_json_array_take (list, vigil_json_new_integer (1));
  vigil_json_array_take (list, vigil_json_new_boolean (TRUE));
  vigil_json_array_take (list, vigil_json_new_null ());
  vigil_json_object_take (object, "list", list);
  vigil_json_object_take (object, "b\xff", vigil_json_new_string ("\xffz"));
  vigil_json_object_take (object, "gone", vigil_json_new_null ());
  vigil_json_object_remove (object, "gone");
  vigil_json_object_remove (object, "never was");
  g_autofree char *text = vigil_json_to_text (object);
  g_assert_cmpstr (text, ==,
      "{\"list\":[1,true,null],"
      "\"b\xef\xbf\xbd\":\"\xef\xbf\xbdz\"}");
}

static void
test_copy_is_deep (void)
{
  g_autoptr (VigilJson) value = parse ("{\"o\":{\"k\":1}}");
  g_autoptr (VigilJson) copy = vigil_json_copy (value);
  vigil_json_object_remove (
      (VigilJson *)vigil_json_object_get (copy, "o"), "k");
  g_autofree char *before = vigil_json_to_text (value);
  g_autofree char *after = vigil_json_to_text (copy);
  g_assert_cmpstr (before, ==, "{\"o\":{\"k\":1}}");
  g_assert_cmpstr (after, ==, "{\"o\":{}}");
}

static void
test_reference (void)
{
  VigilJson *value = parse ("[\"x\"]");
  VigilJson *same = vigil_json_ref (value);
  g_assert_true (same == value);
  vigil_json_unref (value);
  g_assert_cmpuint (vigil_json_array_size (same), ==, 1);
  vigil_json_unref (same);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/json/accepted", test_accepted);
  g_test_add_func ("/json/refused", test_refused);
  g_test_add_func ("/json/nul-byte", test_nul_byte);
  g_test_add_func ("/json/length", test_length);
  g_test_add_func ("/json/end-of-memory", test_end_of_memory);
  g_test_add_func ("/json/too-long", test_too_long);
  g_test_add_func ("/json/too-deep", test_too_deep);
  g_test_add_func ("/json/very-deep", test_very_deep);
  g_test_add_func ("/json/no-secret-in-error", test_no_secret_in_error);
  g_test_add_func ("/json/getters", test_getters);
  g_test_add_func ("/json/iteration", test_iteration);
  g_test_add_func ("/json/type-names", test_type_names);
  g_test_add_func ("/json/building", test_building);
  g_test_add_func ("/json/copy-is-deep", test_copy_is_deep);
  g_test_add_func ("/json/reference", test_reference);
  return g_test_run ();
}
