/* SPDX-License-Identifier: Apache-2.0 */
/* What RTP/JPEG can carry, with JPEGs of GStreamer's encoder. */
#include "rtsp/rtsp-jpeg.h"

#include "base/error.h"
#include "common/fixture.h"
#include "common/viewer.h"
#include <string.h>

typedef struct {
  const char *name;
  const char *elements;
  unsigned width, height;
  const char *problem; /* part of it; NULL: it can be sent */
} Picture;

static const Picture pictures[] = {
    {"420", "video/x-raw,format=I420,width=640,height=360 ! jpegenc", 640, 360,
        NULL},
    {"422", "video/x-raw,format=Y42B,width=64,height=48 ! jpegenc", 64, 48,
        NULL},
    {"odd", "video/x-raw,format=I420,width=33,height=17 ! jpegenc", 33, 17,
        NULL},
    {"largest", "video/x-raw,format=I420,width=2040,height=2040 ! jpegenc",
        2040, 2040, NULL},
    {"wide", "video/x-raw,format=I420,width=2041,height=16 ! jpegenc", 0, 0,
        "2041x16: RTSP carries JPEGs of at most 2040x2040; scale"},
    {"high", "video/x-raw,format=I420,width=16,height=2048 ! jpegenc", 0, 0,
        "16x2048: "},
    {"444", "video/x-raw,format=Y444,width=64,height=48 ! jpegenc", 0, 0,
        "4:2:0 and 4:2:2: put videoconvert"},
    {"gray", "video/x-raw,format=GRAY8,width=64,height=48 ! jpegenc", 0, 0,
        "in colour: put videoconvert"},
    {"png", "video/x-raw,width=64,height=48 ! pngenc", 0, 0, "no JPEG"},
};

static void
test_picture (VigilFixture *fixture, gconstpointer data)
{
  const Picture *picture = data;
  g_autoptr (GBytes) frame = test_viewer_make_frame (picture->elements);
  g_autoptr (GError) error = NULL;
  VigilRtspJpegSize size = {0, 0};
  gboolean is_good = vigil_rtsp_jpeg_check (
      g_bytes_get_data (frame, NULL), g_bytes_get_size (frame), &size, &error);

  if (picture->problem == NULL) {
    g_assert_no_error (error);
    g_assert_true (is_good);
    g_assert_cmpuint (size.width, ==, picture->width);
    g_assert_cmpuint (size.height, ==, picture->height);
    return;
  }
  g_assert_false (is_good);
  g_assert_nonnull (strstr (error->message, picture->problem));
}

/* A JPEG with one byte of its header changed. */
typedef struct {
  const char *name;
  unsigned marker; /* whose segment is changed */
  unsigned offset; /* from the marker's second byte on */
  unsigned value;
  const char *problem;
} Change;

static const Change changes[] = {
    {"progressive", 0xc0, 0, 0xc2, "baseline JPEGs"},
    {"arithmetic", 0xc0, 0, 0xc9, "baseline JPEGs"},
    {"12-bits", 0xc0, 3, 12, "8 bits a sample"},
    {"no-components", 0xc0, 8, 0, "in colour"},
    {"many-components", 0xc0, 8, 255, "header is broken"},
    {"440", 0xc0, 10, 0x12, "4:2:0 and 4:2:2"},
    {"huffman", 0xc4, 6, 4, "standard Huffman tables"},
    {"huffman-class", 0xc4, 3, 0x20, "broken"},
    {"huffman-number", 0xc4, 3, 0x02, "standard Huffman tables"},
    {"no-frame", 0xc0, 0, 0xfe, "header is broken"},
    {"short-segment", 0xdb, 2, 1, "header is broken"},
    {"end-first", 0xdb, 0, 0xd9, "header is broken"},
};

static size_t
find_marker (const uint8_t *data, size_t size, unsigned marker)
{
  for (size_t i = 0; i + 1 < size; i++)
    if (data[i] == 0xff && data[i + 1] == marker)
      return i + 1;
  g_assert_not_reached ();
}

static void
test_change (VigilFixture *fixture, gconstpointer data)
{
  const Change *change = data;
  g_autoptr (GBytes) frame = test_viewer_make_jpeg ();
  gsize size;
  g_autofree uint8_t *bytes =
      g_memdup2 (g_bytes_get_data (frame, NULL), g_bytes_get_size (frame));
  g_autoptr (GError) error = NULL;
  VigilRtspJpegSize picture;

  size = g_bytes_get_size (frame);
  bytes[find_marker (bytes, size, change->marker) + change->offset] =
      (uint8_t)change->value;
  if (strcmp (change->name, "short-segment") == 0)
    bytes[find_marker (bytes, size, change->marker) + 1] = 0;
  g_assert_false (vigil_rtsp_jpeg_check (bytes, size, &picture, &error));
  g_assert_nonnull (strstr (error->message, change->problem));
}

/* Each beginning, in memory that ends with it. */
static void
test_cut (VigilFixture *fixture, gconstpointer data)
{
  g_autoptr (GBytes) frame = test_viewer_make_jpeg ();
  const uint8_t *bytes = g_bytes_get_data (frame, NULL);
  gsize size = g_bytes_get_size (frame);
  size_t header = find_marker (bytes, size, 0xda) + 13;

  for (size_t length = 0; length < header; length++) {
    g_autofree uint8_t *cut = g_memdup2 (bytes, length);
    g_autoptr (GError) error = NULL;
    VigilRtspJpegSize picture;

    g_assert_false (vigil_rtsp_jpeg_check (cut, length, &picture, &error));
    g_assert_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID);
  }
}

/* Any answer is right, a crash is not. */
static void
test_garbage (VigilFixture *fixture, gconstpointer data)
{
  g_autoptr (GBytes) frame = test_viewer_make_jpeg ();
  gsize size = g_bytes_get_size (frame);
  g_autoptr (GRand) random = g_rand_new_with_seed (1);

  for (int round = 0; round < 20000; round++) {
    g_autofree uint8_t *bytes =
        g_memdup2 (g_bytes_get_data (frame, NULL), size);
    VigilRtspJpegSize picture = {0, 0};
    g_autoptr (GError) error = NULL;

    for (int i = g_rand_int_range (random, 1, 6); i > 0; i--)
      bytes[g_rand_int_range (random, 2, (int)MIN (size, 640))] =
          (uint8_t)g_rand_int_range (random, 0, 256);
    if (vigil_rtsp_jpeg_check (bytes, size, &picture, &error))
      g_assert_cmpuint (picture.width, <=, VIGIL_RTSP_JPEG_SIZE_MAX);
    else
      g_assert_nonnull (error);
  }
}

static void
add (const char *kind, const char *name, gconstpointer data,
    void (*function) (VigilFixture *fixture, gconstpointer data))
{
  g_autofree char *path = g_strdup_printf ("/rtsp-jpeg/%s/%s", kind, name);

  g_test_add (path, VigilFixture, data, vigil_fixture_set_up, function,
      vigil_fixture_tear_down);
}

int
main (int argc, char **argv)
{
  vigil_fixture_init (&argc, &argv, 0);
  for (size_t i = 0; i < G_N_ELEMENTS (pictures); i++)
    add ("picture", pictures[i].name, &pictures[i], test_picture);
  for (size_t i = 0; i < G_N_ELEMENTS (changes); i++)
    add ("change", changes[i].name, &changes[i], test_change);
  add ("broken", "cut", NULL, test_cut);
  add ("broken", "garbage", NULL, test_garbage);
  return g_test_run ();
}
