/* SPDX-License-Identifier: Apache-2.0 */
/* The pieces of which both kinds of filters are made. */
#include "filter/filter-private.h"

static VigilJson *
parse (const char *text)
{
  g_autoptr (GError) error = NULL;
  VigilJson *value = vigil_json_parse (text, -1, 4096, 16, &error);

  g_assert_no_error (error);
  return value;
}

static void
assert_text (const VigilJson *value, const char *wanted)
{
  g_autofree char *text = vigil_json_to_text (value);

  g_assert_cmpstr (text, ==, wanted);
}

static void
test_threshold (void)
{
  g_autoptr (VigilJson) settings = parse (
      "{\"type\": \"detection\", \"label_score\": {\"box\": 0.4, \"\": 1}}");
  g_autoptr (VigilFilter) filter = vigil_filter_new (settings);
  double threshold = -1;

  g_assert_true (vigil_filter_get_threshold (filter, "box", &threshold));
  g_assert_cmpfloat (threshold, ==, 0.4);
  g_assert_true (vigil_filter_get_threshold (filter, "", &threshold));
  g_assert_cmpfloat (threshold, ==, 1);
  g_assert_false (vigil_filter_get_threshold (filter, "Box", &threshold));
  g_assert_false (vigil_filter_get_threshold (filter, NULL, &threshold));
  g_assert_cmpfloat (threshold, ==, 1);
}

static void
test_copy_members (void)
{
  g_autoptr (VigilJson) object = parse ("{\"b\": [1], \"a\": null}");
  g_autoptr (VigilJson) copy = vigil_filter_copy_members (object);

  assert_text (copy, "{\"b\":[1],\"a\":null}");
  /* One level deep: the members are the same values. */
  g_assert_true (
      vigil_json_object_get (copy, "b") == vigil_json_object_get (object, "b"));
  vigil_json_object_remove (copy, "b");
  assert_text (object, "{\"b\":[1],\"a\":null}");
}

static void
test_copy_elements (void)
{
  static const gboolean is_skipped[] = {TRUE, FALSE, TRUE, FALSE};
  g_autoptr (VigilJson) array = parse ("[1, {\"x\": 2}, 3, 4]");
  g_autoptr (VigilJson) copy = vigil_filter_copy_elements (array, is_skipped);

  assert_text (copy, "[{\"x\":2},4]");
  assert_text (array, "[1,{\"x\":2},3,4]");
}

static void
test_share (void)
{
  g_autoptr (VigilJson) value = parse ("[1]");
  VigilJson *shared = vigil_filter_share (value);

  g_assert_true (shared == value);
  g_clear_pointer (&value, vigil_json_unref);
  assert_text (shared, "[1]");
  vigil_json_unref (shared);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/filter-tree/threshold", test_threshold);
  g_test_add_func ("/filter-tree/copy-members", test_copy_members);
  g_test_add_func ("/filter-tree/copy-elements", test_copy_elements);
  g_test_add_func ("/filter-tree/share", test_share);
  return g_test_run ();
}
