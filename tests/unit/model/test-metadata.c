/* SPDX-License-Identifier: Apache-2.0 */
#include "model/metadata.h"

static void
test_new_is_empty (void)
{
  g_autoptr (VigilMetadata) metadata = vigil_metadata_new ();

  g_assert_cmpuint (metadata->regions->len, ==, 0);
  g_assert_cmpuint (metadata->results->len, ==, 0);
  g_assert_cmpuint (metadata->messages->len, ==, 0);
  vigil_metadata_free (NULL);
}

static void
test_a_region_starts_empty (void)
{
  g_autoptr (VigilMetadata) metadata = vigil_metadata_new ();
  VigilRegion *region = vigil_metadata_add_region (metadata);

  g_assert_cmpint (region->parent_id, ==, -1);
  g_assert_cmpint (region->object_id, ==, 0);
  g_assert_null (region->label);
  g_assert_nonnull (region->results);
  g_assert_cmpuint (region->results->len, ==, 0);
}

/* Enough of each to make every list move while it grows. */
static void
test_lists_keep_what_was_added (void)
{
  g_autoptr (VigilMetadata) metadata = vigil_metadata_new ();

  for (int i = 0; i < 100; i++) {
    VigilRegion *region = vigil_metadata_add_region (metadata);

    region->x = i;
    region->label = g_strdup_printf ("label %d", i);
    for (int j = 0; j < i % 5; j++) {
      VigilResult *result = vigil_metadata_add_result (region->results);

      result->label_id = j;
      result->label = g_strdup ("car");
      result->attribute_name = g_strdup ("type");
      result->model_name = g_strdup ("vehicles");
      result->extra_json = g_strdup ("{}");
    }
  }
  g_assert_cmpuint (metadata->regions->len, ==, 100);
  for (int i = 0; i < 100; i++) {
    const VigilRegion *region =
        &g_array_index (metadata->regions, VigilRegion, (unsigned)i);
    g_autofree char *label = g_strdup_printf ("label %d", i);

    g_assert_cmpint (region->x, ==, i);
    g_assert_cmpstr (region->label, ==, label);
    g_assert_cmpuint (region->results->len, ==, (unsigned)i % 5);
    for (unsigned j = 0; j < region->results->len; j++)
      g_assert_cmpuint (
          (unsigned)g_array_index (region->results, VigilResult, j).label_id,
          ==, j);
  }
}

static void
test_a_result_of_the_frame_counts (void)
{
  g_autoptr (VigilMetadata) metadata = vigil_metadata_new ();
  VigilResult *result = vigil_metadata_add_result (metadata->results);

  g_assert_false (result->has_confidence);
  g_assert_false (result->has_box);
  g_assert_null (result->label);
  g_assert_cmpuint (metadata->results->len, ==, 1);
}

static void
test_messages_are_taken_in_order (void)
{
  g_autoptr (VigilMetadata) metadata = vigil_metadata_new ();

  vigil_metadata_take_message (metadata, g_strdup ("{\"a\":1}"));
  vigil_metadata_take_message (metadata, g_strdup ("{\"b\":2}"));
  g_assert_cmpuint (metadata->messages->len, ==, 2);
  g_assert_cmpstr (metadata->messages->pdata[0], ==, "{\"a\":1}");
  g_assert_cmpstr (metadata->messages->pdata[1], ==, "{\"b\":2}");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/metadata/new/is-empty", test_new_is_empty);
  g_test_add_func ("/metadata/region/starts-empty", test_a_region_starts_empty);
  g_test_add_func (
      "/metadata/lists/keep-what-was-added", test_lists_keep_what_was_added);
  g_test_add_func ("/metadata/result/of-the-frame-counts",
      test_a_result_of_the_frame_counts);
  g_test_add_func (
      "/metadata/message/taken-in-order", test_messages_are_taken_in_order);
  return g_test_run ();
}
