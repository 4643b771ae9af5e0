/* SPDX-License-Identifier: Apache-2.0 */
#include "encode/encoder.h"

#include "base/error.h"

static void
test_find (void)
{
  g_assert_cmpstr (vigil_encoder_find ("jpeg")->name, ==, "jpeg");
  g_assert_cmpstr (vigil_encoder_find ("PNG")->name, ==, "png");
  g_assert_null (vigil_encoder_find ("bmp"));
  g_assert_null (vigil_encoder_find (""));
}

static void
test_registry_is_complete (void)
{
  const VigilEncoderOps *const *list = vigil_encoder_list ();

  g_assert_nonnull (list[0]);
  for (unsigned i = 0; list[i] != NULL; i++) {
    g_assert_true (vigil_encoder_find (list[i]->name) == list[i]);
    g_assert_nonnull (list[i]->content_type);
    g_assert_nonnull (list[i]->open);
    g_assert_nonnull (list[i]->encode);
    g_assert_nonnull (list[i]->close);
    g_assert_cmpint (list[i]->default_level, >=, list[i]->minimum_level);
    g_assert_cmpint (list[i]->default_level, <=, list[i]->maximum_level);
  }
}

static void
test_levels (void)
{
  static const struct {
    const char *name;
    int level;
    const char *message; /* NULL: taken */
  } cases[] = {
      {"jpeg", -1, NULL},
      {"jpeg", 0, NULL},
      {"jpeg", 100, NULL},
      {"jpeg", 101, "jpeg level 101: want 0 to 100"},
      {"jpeg", -2, "jpeg level -2: want 0 to 100"},
      {"jpeg", G_MAXINT, "jpeg level 2147483647: want 0 to 100"},
      {"png", 0, NULL},
      {"png", 9, NULL},
      {"png", 10, "png level 10: want 0 to 9"},
      {"png", G_MININT, "png level -2147483648: want 0 to 9"},
  };

  for (unsigned i = 0; i < G_N_ELEMENTS (cases); i++) {
    const VigilEncoderOps *ops = vigil_encoder_find (cases[i].name);
    g_autoptr (GError) error = NULL;
    g_autoptr (VigilEncoder) encoder =
        vigil_encoder_new (ops, cases[i].level, &error);

    if (cases[i].message == NULL) {
      g_assert_no_error (error);
      g_assert_cmpint (vigil_encoder_get_level (encoder), ==,
          cases[i].level == -1 ? ops->default_level : cases[i].level);
    } else {
      g_assert_null (encoder);
      g_assert_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID);
      g_assert_cmpstr (error->message, ==, cases[i].message);
    }
  }
  vigil_encoder_free (NULL);
}

typedef struct {
  VigilPixels pixels;
  int width, height;
  int strides[3];
  unsigned planes; /* how many are there */
  VigilErrorCode code;
  const char *message; /* a glob pattern */
} RefusedFrame;

static const RefusedFrame refused[] = {
    {VIGIL_PIXELS_NONE, 8, 8, {24, 0, 0}, 1, VIGIL_ERROR_UNSUPPORTED,
        "frame of type 'video/x-test': want raw video"},
    {VIGIL_PIXELS_OTHER, 8, 8, {24, 0, 0}, 1, VIGIL_ERROR_UNSUPPORTED,
        "frame of format 'YUY2': want RGB, *; convert it first"},
    {VIGIL_PIXELS_RGB, 0, 8, {24, 0, 0}, 1, VIGIL_ERROR_INVALID,
        "frame of 0x8: want at least 1x1"},
    {VIGIL_PIXELS_RGB, 8, -1, {24, 0, 0}, 1, VIGIL_ERROR_INVALID,
        "frame of 8x-1: want at least 1x1"},
    {VIGIL_PIXELS_RGB, 65501, 1, {G_MAXINT, 0, 0}, 1, VIGIL_ERROR_LIMIT,
        "frame of 65501x1: want at most 65500 in width and height"},
    {VIGIL_PIXELS_I420, 1, G_MAXINT, {8, 8, 8}, 3, VIGIL_ERROR_LIMIT,
        "frame of 1x2147483647: want at most 65500 in width and height"},
    {VIGIL_PIXELS_RGB, 8, 8, {24, 0, 0}, 0, VIGIL_ERROR_INVALID,
        "frame without plane 0: want 1 planes"},
    {VIGIL_PIXELS_NV12, 8, 8, {8, 8, 0}, 1, VIGIL_ERROR_INVALID,
        "frame without plane 1: want 2 planes"},
    {VIGIL_PIXELS_I420, 8, 8, {8, 4, 4}, 2, VIGIL_ERROR_INVALID,
        "frame without plane 2: want 3 planes"},
    {VIGIL_PIXELS_BGR, 8, 8, {23, 0, 0}, 1, VIGIL_ERROR_INVALID,
        "stride 23 of plane 0: want at least 24"},
    {VIGIL_PIXELS_BGRX, 8, 8, {31, 0, 0}, 1, VIGIL_ERROR_INVALID,
        "stride 31 of plane 0: want at least 32"},
    {VIGIL_PIXELS_RGBA, 8, 8, {-32, 0, 0}, 1, VIGIL_ERROR_INVALID,
        "stride -32 of plane 0: want at least 32"},
    {VIGIL_PIXELS_GRAY8, 8, 8, {7, 0, 0}, 1, VIGIL_ERROR_INVALID,
        "stride 7 of plane 0: want at least 8"},
    {VIGIL_PIXELS_NV12, 7, 8, {7, 7, 0}, 2, VIGIL_ERROR_INVALID,
        "stride 7 of plane 1: want at least 8"},
    {VIGIL_PIXELS_I420, 7, 8, {7, 4, 3}, 3, VIGIL_ERROR_INVALID,
        "stride 3 of plane 2: want at least 4"},
};

static void
test_bad_frames_are_refused (void)
{
  static const uint8_t memory[1024];

  for (unsigned i = 0; i < G_N_ELEMENTS (refused); i++) {
    for (unsigned j = 0; vigil_encoder_list ()[j] != NULL; j++) {
      g_autoptr (GError) error = NULL;
      g_autoptr (VigilEncoder) encoder =
          vigil_encoder_new (vigil_encoder_list ()[j], -1, NULL);
      g_autoptr (VigilFrame) frame = vigil_frame_new ();

      frame->media_type = g_strdup ("video/x-test");
      frame->format = g_strdup ("YUY2");
      frame->pixels = refused[i].pixels;
      frame->width = refused[i].width;
      frame->height = refused[i].height;
      for (unsigned plane = 0; plane < 3; plane++) {
        frame->strides[plane] = refused[i].strides[plane];
        if (plane < refused[i].planes)
          frame->planes[plane] = memory;
      }
      g_assert_null (vigil_encoder_encode (encoder, frame, &error));
      g_assert_error (error, VIGIL_ERROR, (int)refused[i].code);
      g_test_message ("%s", error->message);
      g_assert_true (
          g_pattern_match_simple (refused[i].message, error->message));
    }
  }
}

static void
test_names_may_be_missing (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VigilEncoder) encoder =
      vigil_encoder_new (vigil_encoder_find ("jpeg"), -1, NULL);
  g_autoptr (VigilFrame) frame = vigil_frame_new ();

  g_assert_null (vigil_encoder_encode (encoder, frame, &error));
  g_assert_cmpstr (
      error->message, ==, "frame of type 'unknown': want raw video");
  g_clear_error (&error);
  frame->pixels = VIGIL_PIXELS_OTHER;
  g_assert_null (vigil_encoder_encode (encoder, frame, &error));
  g_assert_true (g_str_has_prefix (error->message, "frame of format 'unkno"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/encoder/find", test_find);
  g_test_add_func ("/encoder/registry/is-complete", test_registry_is_complete);
  g_test_add_func ("/encoder/new/levels", test_levels);
  g_test_add_func (
      "/encoder/encode/bad-frames-are-refused", test_bad_frames_are_refused);
  g_test_add_func (
      "/encoder/encode/names-may-be-missing", test_names_may_be_missing);
  return g_test_run ();
}
