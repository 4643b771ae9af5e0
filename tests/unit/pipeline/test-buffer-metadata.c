/* SPDX-License-Identifier: Apache-2.0 */
/* Metas of buffers: everything is read, nothing wrong does harm. */
#include "common/fixture.h"
#include "common/test-meta.h"
#include "pipeline/buffer-metadata.h"

#include <gst/video/gstvideometa.h>
#include <math.h>
#include <string.h>

static GstVideoRegionOfInterestMeta *
add_region (GstBuffer *buffer, const char *label)
{
  return gst_buffer_add_video_region_of_interest_meta (
      buffer, label, 10, 20, 30, 40);
}

static void
assert_empty (const VigilMetadata *metadata)
{
  g_assert_cmpuint (metadata->regions->len, ==, 0);
  g_assert_cmpuint (metadata->results->len, ==, 0);
  g_assert_cmpuint (metadata->messages->len, ==, 0);
}

static void
test_empty (VigilFixture *fixture, gconstpointer data)
{
  g_autoptr (GstBuffer) buffer = gst_buffer_new ();
  g_autoptr (VigilMetadata) metadata = vigil_metadata_new ();
  vigil_buffer_metadata_read (buffer, metadata);
  assert_empty (metadata);
}

static void
test_region (VigilFixture *fixture, gconstpointer data)
{
  g_autoptr (GstBuffer) buffer = gst_buffer_new ();
  GstVideoRegionOfInterestMeta *meta = add_region (buffer, "car");
  meta->id = 7;
  meta->parent_id = 3;
  add_region (buffer, "garage")->id = 3;
  gst_video_region_of_interest_meta_add_param (
      meta, gst_structure_from_string (
                "detection, label_id=(int)2, confidence=(double)0.87, "
                "x_min=(double)0.1, y_min=(double)0.2, x_max=(double)0.3, "
                "y_max=(double)0.4, model_name=(string)m",
                NULL));
  gst_video_region_of_interest_meta_add_param (
      meta, gst_structure_from_string ("object_id, id=(int)5", NULL));
  gst_video_region_of_interest_meta_add_param (
      meta, gst_structure_from_string (
                "color, label=(string)white, label_id=(int)0, "
                "confidence=(double)0.99, attribute_name=(string)color",
                NULL));
  g_autoptr (VigilMetadata) metadata = vigil_metadata_new ();
  vigil_buffer_metadata_read (buffer, metadata);
  g_assert_cmpuint (metadata->regions->len, ==, 2);
  const VigilRegion *region =
      &g_array_index (metadata->regions, VigilRegion, 0);
  g_assert_cmpint (region->x, ==, 10);
  g_assert_cmpint (region->y, ==, 20);
  g_assert_cmpint (region->width, ==, 30);
  g_assert_cmpint (region->height, ==, 40);
  g_assert_cmpint (region->id, ==, 7);
  g_assert_cmpint (region->parent_id, ==, 3);
  g_assert_cmpint (region->object_id, ==, 5);
  g_assert_cmpstr (region->label, ==, "car");
  g_assert_cmpuint (region->results->len, ==, 2);
  const VigilResult *result = &g_array_index (region->results, VigilResult, 0);
  g_assert_cmpstr (result->name, ==, "detection");
  g_assert_null (result->label);
  g_assert_true (result->has_label_id);
  g_assert_cmpint (result->label_id, ==, 2);
  g_assert_true (result->has_confidence);
  g_assert_cmpfloat (result->confidence, ==, 0.87);
  g_assert_true (result->has_box);
  g_assert_cmpfloat (result->x_max, ==, 0.3);
  g_assert_cmpstr (result->model_name, ==, "m");
  result++;
  g_assert_cmpstr (result->name, ==, "color");
  g_assert_cmpstr (result->label, ==, "white");
  g_assert_cmpstr (result->attribute_name, ==, "color");
  g_assert_false (result->has_box);
}

static void
test_region_bare (VigilFixture *fixture, gconstpointer data)
{
  g_autoptr (GstBuffer) buffer = gst_buffer_new ();
  GstVideoRegionOfInterestMeta *meta = add_region (buffer, "");
  meta->x = G_MAXUINT;
  meta->w = 0;
  meta =
      gst_buffer_add_video_region_of_interest_meta_id (buffer, 0, 1, 2, 3, 4);
  g_autoptr (VigilMetadata) metadata = vigil_metadata_new ();
  vigil_buffer_metadata_read (buffer, metadata);
  g_assert_cmpuint (metadata->regions->len, ==, 2);
  const VigilRegion *region =
      &g_array_index (metadata->regions, VigilRegion, 0);
  g_assert_null (region->label);
  g_assert_cmpint (region->x, ==, G_MAXINT);
  g_assert_cmpint (region->width, ==, 0);
  g_assert_cmpint (region->parent_id, ==, -1);
  g_assert_cmpuint (region->results->len, ==, 0);
  region++;
  g_assert_null (region->label);
}

/* Fields of any type: what is no number is not taken for one. */
static void
test_wrong_types (VigilFixture *fixture, gconstpointer data)
{
  g_autoptr (GstBuffer) buffer = gst_buffer_new ();
  GstVideoRegionOfInterestMeta *meta = add_region (buffer, "a");
  gst_video_region_of_interest_meta_add_param (meta,
      gst_structure_new ("detection", "label", G_TYPE_INT, 5, "label_id",
          G_TYPE_STRING, "x", "confidence", G_TYPE_STRING, "high", "x_min",
          G_TYPE_BOOLEAN, TRUE, "y_min", G_TYPE_DOUBLE, 0.0, "x_max",
          G_TYPE_DOUBLE, 1.0, "y_max", G_TYPE_DOUBLE, 1.0, NULL));
  gst_video_region_of_interest_meta_add_param (
      meta, gst_structure_new ("object_id", "id", G_TYPE_STRING, "x", NULL));
  gst_video_region_of_interest_meta_add_param (
      meta, gst_structure_new ("b", "confidence", G_TYPE_FLOAT, 0.5f,
                "label_id", G_TYPE_UINT, 3, NULL));
  gst_video_region_of_interest_meta_add_param (
      meta, gst_structure_new ("c", "confidence", G_TYPE_DOUBLE, (double)NAN,
                "label_id", G_TYPE_INT64, G_MAXINT64, NULL));
  gst_video_region_of_interest_meta_add_param (
      meta, gst_structure_new_empty ("d"));
  g_autoptr (VigilMetadata) metadata = vigil_metadata_new ();
  vigil_buffer_metadata_read (buffer, metadata);
  const VigilRegion *region =
      &g_array_index (metadata->regions, VigilRegion, 0);
  g_assert_cmpint (region->object_id, ==, 0);
  g_assert_cmpuint (region->results->len, ==, 4);
  const VigilResult *result = &g_array_index (region->results, VigilResult, 0);
  g_assert_null (result->label);
  g_assert_false (result->has_label_id);
  g_assert_false (result->has_confidence);
  g_assert_false (result->has_box);
  result++;
  g_assert_true (result->has_confidence);
  g_assert_cmpfloat (result->confidence, ==, 0.5);
  g_assert_cmpint (result->label_id, ==, 3);
  result++;
  g_assert_true (result->has_confidence);
  g_assert_true (isnan (result->confidence));
  g_assert_false (result->has_label_id);
}

/* The metas' types are unknown until their library is loaded, here by
 * test_meta_register: they are found from then on. */
static void
test_gva (VigilFixture *fixture, gconstpointer data)
{
  g_autoptr (GstBuffer) buffer = gst_buffer_new ();
  g_autoptr (VigilMetadata) before = vigil_metadata_new ();
  g_assert_cmpuint (g_type_from_name ("GstGVAJSONMetaAPI"), ==, 0);
  vigil_buffer_metadata_read (buffer, before);
  assert_empty (before);

  test_meta_register ();
  test_meta_add_message (buffer, "{\"a\":1}");
  test_meta_add_tensor (buffer,
      gst_structure_from_string (
          "classification, label=(string)dog, confidence=(double)0.25", NULL));
  test_meta_add_message (buffer, "not json");
  test_meta_add_message (buffer, NULL);
  test_meta_add_tensor (buffer, NULL);
  g_autoptr (VigilMetadata) metadata = vigil_metadata_new ();
  vigil_buffer_metadata_read (buffer, metadata);
  g_assert_cmpuint (metadata->messages->len, ==, 2);
  g_assert_cmpstr (metadata->messages->pdata[0], ==, "{\"a\":1}");
  g_assert_cmpstr (metadata->messages->pdata[1], ==, "not json");
  g_assert_cmpuint (metadata->results->len, ==, 1);
  const VigilResult *result =
      &g_array_index (metadata->results, VigilResult, 0);
  g_assert_cmpstr (result->label, ==, "dog");
}

int
main (int argc, char **argv)
{
  vigil_fixture_init (&argc, &argv, 0);
  gst_init (&argc, &argv);
#define ADD(path, function)                                                    \
  g_test_add (path, VigilFixture, NULL, vigil_fixture_set_up, function,        \
      vigil_fixture_tear_down)
  ADD ("/buffer-metadata/empty", test_empty);
  ADD ("/buffer-metadata/region", test_region);
  ADD ("/buffer-metadata/region-bare", test_region_bare);
  ADD ("/buffer-metadata/wrong-types", test_wrong_types);
  ADD ("/buffer-metadata/gva", test_gva);
  return g_test_run ();
}
