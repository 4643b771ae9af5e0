/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pieces alone; test-metadata-json.c has them in whole documents, with
 * everything that an element may write.
 */
#include "publish/region-json.h"

#include "common/fixture.h"
#include <string.h>

static VigilFrame *
make_frame (void)
{
  VigilFrame *frame = vigil_frame_new ();

  frame->width = 100;
  frame->height = 50;
  return frame;
}

static VigilRegion *
add_region (VigilFrame *frame, int x, int64_t object_id)
{
  VigilRegion *region = vigil_metadata_add_region (frame->metadata);

  region->x = x;
  region->y = 5;
  region->width = 20;
  region->height = 10;
  region->object_id = object_id;
  return region;
}

static void
test_nothing (void)
{
  g_autoptr (VigilFrame) frame = make_frame ();
  g_autoptr (GString) text = g_string_new ("a");
  unsigned errors = 0;

  vigil_region_json_append_objects (text, frame, &errors);
  vigil_region_json_append_gva_meta (text, frame->metadata);
  vigil_region_json_append_annotations (text, frame->metadata);
  g_assert_cmpstr (text->str, ==, "a[][]{\"objects\":[]}");
  g_assert_cmpuint (errors, ==, 0);
}

/* A detector that gives no bounds: they follow from the pixels. */
static void
test_box_from_pixels (void)
{
  g_autoptr (VigilFrame) frame = make_frame ();
  VigilRegion *region = add_region (frame, 10, 0);
  VigilResult *result = vigil_metadata_add_result (region->results);
  g_autoptr (GString) text = g_string_new (NULL);
  unsigned errors = 0;

  result->name = g_intern_static_string ("detection");
  vigil_region_json_append_objects (text, frame, &errors);
  g_assert_cmpstr (text->str, ==,
      "[{\"detection\":{\"bounding_box\":{\"x_max\":0.3,\"x_min\":0.1,"
      "\"y_max\":0.3,\"y_min\":0.1}},\"h\":10,\"region_id\":0,\"w\":20,"
      "\"x\":10,\"y\":5}]");
  /* and from no picture, none do */
  frame->width = 0;
  g_string_truncate (text, 0);
  vigil_region_json_append_objects (text, frame, &errors);
  g_assert_cmpstr (text->str, ==,
      "[{\"detection\":{},\"h\":10,\"region_id\":0,\"w\":20,\"x\":10,"
      "\"y\":5}]");
}

static void
test_tracked (void)
{
  static const struct {
    const char *annotations;
    const char *wanted; /* NULL: nothing */
  } cases[] = {
      {"{\"objects\":[]}", "{\"objects\":[]}"},
      {"{\"objects\":[{\"bbox\":[10,5,30,15]}],\"k\":1}",
          "{\"objects\":[{\"bbox\":[10,5,30,15],\"object_id\":7}],\"k\":1}"},
      {"{\"objects\":[{\"bbox\":[10.0,5.0,30.0,15.0]}]}",
          "{\"objects\":[{\"bbox\":[10,5,30,15],\"object_id\":7}]}"},
      /* a region that no tracker knows */
      {"{\"objects\":[{\"bbox\":[40,5,60,15]}]}",
          "{\"objects\":[{\"bbox\":[40,5,60,15],\"object_id\":null}]}"},
      {"{\"objects\":[{\"bbox\":[1,2,3]},{\"bbox\":[1,2,3,\"4\"]}]}",
          "{\"objects\":[{\"bbox\":[1,2,3],\"object_id\":null},"
          "{\"bbox\":[1,2,3,\"4\"],\"object_id\":null}]}"},
      {"{\"objects\":{}}", NULL},
      {"{}", NULL},
      {"[]", NULL},
      {"null", NULL},
  };
  g_autoptr (VigilFrame) frame = make_frame ();

  add_region (frame, 40, 0);
  add_region (frame, 10, 7);
  for (unsigned i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GString) text = g_string_new (NULL);
    gboolean is_appended =
        vigil_region_json_append_tracked (text, cases[i].annotations,
            (gssize)strlen (cases[i].annotations), frame->metadata);

    g_assert_cmpint (is_appended, ==, cases[i].wanted != NULL);
    g_assert_cmpstr (
        text->str, ==, cases[i].wanted != NULL ? cases[i].wanted : "");
  }
}

int
main (int argc, char **argv)
{
  vigil_fixture_init (&argc, &argv, 0);
  g_test_add_func ("/region-json/nothing", test_nothing);
  g_test_add_func ("/region-json/box-from-pixels", test_box_from_pixels);
  g_test_add_func ("/region-json/tracked", test_tracked);
  return g_test_run ();
}
