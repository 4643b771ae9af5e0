/* SPDX-License-Identifier: Apache-2.0 */
/* What the writer writes, and that the reader takes all of it. */
#include "base/json.h"

#include <float.h>
#include <math.h>
#include <string.h>

#define REPLACEMENT "\xef\xbf\xbd"

static VigilJson *
parse (const char *text)
{
  g_autoptr (GError) error = NULL;
  VigilJson *value = vigil_json_parse (text, -1, SIZE_MAX, 2048, &error);
  g_assert_no_error (error);
  return value;
}

/* ---- Strings ------------------------------------------------------------- */

static const struct {
  const char *value;
  const char *text; /* without the quotes */
} strings[] = {
    {"", ""},
    {"plain text, longer than eight", "plain text, longer than eight"},
    {"\"", "\\\""},
    {"\\", "\\\\"},
    {"1234567\"", "1234567\\\""},
    {"12345678\"", "12345678\\\""},
    {"a\nb\rc\td", "a\\nb\\rc\\td"},
    {"\x01\x1f\x7f", "\\u0001\\u001f\x7f"},
    {"/", "/"},
    {"\xc3\xa9", "\xc3\xa9"},
    {"\xe2\x82\xac 12345678", "\xe2\x82\xac 12345678"},
    {"\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80"},
    {"\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf"},
    {"\xe2\x80\xa8", "\xe2\x80\xa8"},
    /* Not UTF-8: a stray tail, a cut character, overlong forms, a surrogate,
     * more than Unicode has. */
    {"\x80", REPLACEMENT},
    {"a\xff"
     "b",
        "a" REPLACEMENT "b"},
    {"\xc3", REPLACEMENT},
    {"\xc3(", REPLACEMENT "("},
    {"\xe2\x82", REPLACEMENT REPLACEMENT},
    {"\xf0\x9f\x98", REPLACEMENT REPLACEMENT REPLACEMENT},
    {"\xc0\xaf", REPLACEMENT REPLACEMENT},
    {"\xe0\x80\xaf", REPLACEMENT REPLACEMENT REPLACEMENT},
    {"\xf0\x80\x80\xaf", REPLACEMENT REPLACEMENT REPLACEMENT REPLACEMENT},
    {"\xed\xa0\x80", REPLACEMENT REPLACEMENT REPLACEMENT},
    {"\xf4\x90\x80\x80", REPLACEMENT REPLACEMENT REPLACEMENT REPLACEMENT},
    {"\xf5\x80\x80\x80", REPLACEMENT REPLACEMENT REPLACEMENT REPLACEMENT},
};

static void
test_strings (void)
{
  for (size_t i = 0; i < G_N_ELEMENTS (strings); i++) {
    g_autoptr (GString) text = g_string_new (NULL);
    vigil_json_append_string (text, strings[i].value, -1);
    g_autofree char *expected = g_strdup_printf ("\"%s\"", strings[i].text);
    g_assert_cmpstr (text->str, ==, expected);
    g_assert_cmpuint (text->len, ==, strlen (expected));
    g_autoptr (VigilJson) value = parse (text->str);
    g_assert_nonnull (value);
  }
}

/* Each byte at each place of the eight that are looked at together. */
static void
test_every_byte (void)
{
  for (unsigned byte = 1; byte < 256; byte++) {
    for (unsigned place = 0; place < 17; place++) {
      char value[18] = "aaaaaaaaaaaaaaaaa";
      value[place] = (char)byte;
      g_autoptr (GString) text = g_string_new (NULL);
      vigil_json_append_string (text, value, -1);
      g_autoptr (VigilJson) again = parse (text->str);
      g_autofree char *valid = g_utf8_make_valid (value, -1);
      g_assert_cmpstr (vigil_json_get_string (again), ==, valid);
    }
  }
}

static void
test_string_with_length (void)
{
  g_autoptr (GString) text = g_string_new ("before ");
  vigil_json_append_string (text, "a\0b\xc3\xa9", 4);
  g_assert_cmpstr (text->str, ==, "before \"a\\u0000b" REPLACEMENT "\"");
}

/* ---- Numbers ------------------------------------------------------------- */

static const struct {
  double value;
  const char *text;
} numbers[] = {
    {0, "0"},
    {-0.0, "0"},
    {1, "1"},
    {-1, "-1"},
    {10, "10"},
    {100, "100"},
    {0.1, "0.1"},
    {-0.5, "-0.5"},
    {0.000000001, "0.000000001"},
    {0.0000000005, "0.000000001"},
    {0.0000000004, "0"},
    {-0.0000000004, "0"},
    {0.1 + 0.2, "0.3"},
    {1.0 / 3, "0.333333333"},
    {2.0 / 3, "0.666666667"},
    {0.9999999996, "1"},
    {9.9999999999, "10"},
    {0.010203040, "0.01020304"},
    {123.456, "123.456"},
    {0.9196773171424866, "0.919677317"},
    {1763836800.123456, "1763836800.123456"},
    {999999999999999, "999999999999999"},
    {100000000000000.5, "100000000000000.5"},
    {1e15, "1000000000000000"},
    {1e16, "10000000000000000"},
    {1e300, "1.0000000000000001e+300"},
    {-1e300, "-1.0000000000000001e+300"},
    {DBL_MAX, "1.7976931348623157e+308"},
    {DBL_MIN, "0"},
    {NAN, "null"},
    {INFINITY, "null"},
    {-INFINITY, "null"},
};

static void
test_numbers (void)
{
  for (size_t i = 0; i < G_N_ELEMENTS (numbers); i++) {
    g_autoptr (GString) text = g_string_new (NULL);
    vigil_json_append_number (text, numbers[i].value);
    g_assert_cmpstr (text->str, ==, numbers[i].text);
    g_assert_cmpuint (text->len, ==, strlen (text->str));
  }
}

/* Against printf, which is slow and right. */
static void
test_random_numbers (void)
{
  for (unsigned i = 0; i < 200000; i++) {
    double scale = pow (10, g_test_rand_int_range (-3, 7));
    double value = g_test_rand_double_range (-scale, scale);
    g_autoptr (GString) text = g_string_new (NULL);
    vigil_json_append_number (text, value);
    double again = g_ascii_strtod (text->str, NULL);
    /* Half of the last digit, and a little for the doubles themselves. */
    g_assert_cmpfloat_with_epsilon (value, again, 0.7e-9);
    g_assert_cmpuint (strcspn (text->str, "e"), ==, text->len);
  }
}

static const struct {
  int64_t value;
  const char *text;
} integers[] = {
    {0, "0"},
    {9, "9"},
    {10, "10"},
    {99, "99"},
    {100, "100"},
    {-1, "-1"},
    {1234567890123, "1234567890123"},
    {INT64_MAX, "9223372036854775807"},
    {INT64_MIN, "-9223372036854775808"},
};

static void
test_integers (void)
{
  for (size_t i = 0; i < G_N_ELEMENTS (integers); i++) {
    g_autoptr (GString) text = g_string_new (NULL);
    vigil_json_append_integer (text, integers[i].value);
    g_assert_cmpstr (text->str, ==, integers[i].text);
  }
}

/* ---- Structure ----------------------------------------------------------- */

static void
test_structure (void)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (VigilJson) value = parse ("{\"k\":[1,{\"x\":0.5}],\"e\":[]}");
  VigilJsonWriter writer;
  vigil_json_writer_init (&writer, text);
  vigil_json_writer_begin_object (&writer);
  vigil_json_writer_key (&writer, "empty");
  vigil_json_writer_begin_object (&writer);
  vigil_json_writer_end_object (&writer);
  vigil_json_writer_key (&writer, "list");
  vigil_json_writer_begin_array (&writer);
  vigil_json_writer_string (&writer, "s");
  vigil_json_writer_string (&writer, NULL);
  vigil_json_writer_integer (&writer, 1);
  vigil_json_writer_boolean (&writer, TRUE);
  vigil_json_writer_boolean (&writer, FALSE);
  vigil_json_writer_null (&writer);
  vigil_json_writer_number (&writer, 0.5);
  vigil_json_writer_begin_array (&writer);
  vigil_json_writer_end_array (&writer);
  for (int i = 2; i <= 3; i++) {
    vigil_json_writer_begin_array (&writer);
    vigil_json_writer_integer (&writer, i);
    vigil_json_writer_end_array (&writer);
  }
  vigil_json_writer_end_array (&writer);
  vigil_json_writer_key (&writer, "\"");
  vigil_json_writer_value (&writer, value);
  vigil_json_writer_key (&writer, NULL);
  vigil_json_writer_value (&writer, NULL);
  vigil_json_writer_key (&writer, "raw");
  vigil_json_writer_raw (&writer, "[1]no", 3);
  vigil_json_writer_key (&writer, "last");
  vigil_json_writer_raw (&writer, "{}", -1);
  vigil_json_writer_end_object (&writer);
  g_assert_cmpstr (text->str, ==,
      "{\"empty\":{},\"list\":[\"s\",null,1,true,false,null,0.5,[],[2],[3]],"
      "\"\\\"\":{\"k\":[1,{\"x\":0.5}],\"e\":[]},\"\":null,\"raw\":[1],"
      "\"last\":{}}");
  g_autoptr (VigilJson) again = parse (text->str);
  g_assert_nonnull (again);
}

static void
test_depth (void)
{
  g_autoptr (GString) text = g_string_new (NULL);
  VigilJsonWriter writer;
  vigil_json_writer_init (&writer, text);
  for (unsigned i = 0; i < 64; i++) {
    vigil_json_writer_begin_array (&writer);
    vigil_json_writer_integer (&writer, 1);
  }
  for (unsigned i = 0; i < 64; i++) {
    vigil_json_writer_integer (&writer, 2);
    vigil_json_writer_end_array (&writer);
  }
  g_autoptr (VigilJson) value = parse (text->str);
  g_assert_cmpuint (vigil_json_array_size (value), ==, 3);
}

/* A value may go deeper than the writer. */
static void
test_deep_value (void)
{
  g_autoptr (GString) deep = g_string_new (NULL);
  for (unsigned i = 0; i < 2000; i++)
    g_string_append_c (deep, '[');
  for (unsigned i = 0; i < 2000; i++)
    g_string_append_c (deep, ']');
  g_autoptr (VigilJson) value = parse (deep->str);
  g_autofree char *again = vigil_json_to_text (value);
  g_assert_cmpstr (again, ==, deep->str);
}

/* Text that was there stays; a string that grows at any length is right. */
static void
test_growth (void)
{
  for (unsigned length = 0; length < 300; length++) {
    g_autoptr (GString) text = g_string_sized_new (1);
    g_autofree char *value = g_strnfill (length, 'x');
    g_string_append (text, "#");
    vigil_json_append_string (text, value, -1);
    vigil_json_append_integer (text, 7);
    g_autofree char *expected = g_strdup_printf ("#\"%s\"7", value);
    g_assert_cmpstr (text->str, ==, expected);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/json-writer/strings", test_strings);
  g_test_add_func ("/json-writer/every-byte", test_every_byte);
  g_test_add_func ("/json-writer/string-with-length", test_string_with_length);
  g_test_add_func ("/json-writer/numbers", test_numbers);
  g_test_add_func ("/json-writer/random-numbers", test_random_numbers);
  g_test_add_func ("/json-writer/integers", test_integers);
  g_test_add_func ("/json-writer/structure", test_structure);
  g_test_add_func ("/json-writer/depth", test_depth);
  g_test_add_func ("/json-writer/deep-value", test_deep_value);
  g_test_add_func ("/json-writer/growth", test_growth);
  return g_test_run ();
}
