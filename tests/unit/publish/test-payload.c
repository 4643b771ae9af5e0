/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/payload.h"

#include "common/fixture.h"
#include <string.h>

#define METADATA "{\"frame_id\":1}"

typedef struct {
  const char *name;
  VigilPayloadFormat format;
  gboolean with_frame;
  const char *frame; /* nullable */
  const char *text;
  const char *image; /* nullable */
} Case;

static const Case cases[] = {
    {"array/frame", VIGIL_PAYLOAD_ARRAY, TRUE, "abcd",
        "[" METADATA ",\"YWJjZA==\"]", NULL},
    {"array/frame-of-three", VIGIL_PAYLOAD_ARRAY, TRUE, "abc",
        "[" METADATA ",\"YWJj\"]", NULL},
    /* the shape stays, whatever became of the frame */
    {"array/no-frame-to-be-had", VIGIL_PAYLOAD_ARRAY, TRUE, NULL,
        "[" METADATA ",\"\"]", NULL},
    {"array/empty-frame", VIGIL_PAYLOAD_ARRAY, TRUE, "", "[" METADATA ",\"\"]",
        NULL},
    {"array/metadata-alone", VIGIL_PAYLOAD_ARRAY, FALSE, "abcd", METADATA,
        NULL},
    {"object/frame", VIGIL_PAYLOAD_OBJECT, TRUE, "abcd",
        "{\"metadata\":" METADATA ",\"blob\":\"YWJjZA==\"}", NULL},
    {"object/no-frame-to-be-had", VIGIL_PAYLOAD_OBJECT, TRUE, NULL,
        "{\"metadata\":" METADATA ",\"blob\":\"\"}", NULL},
    {"object/metadata-alone", VIGIL_PAYLOAD_OBJECT, FALSE, "abcd",
        "{\"metadata\":" METADATA ",\"blob\":\"\"}", NULL},
    {"binary/frame", VIGIL_PAYLOAD_BINARY, TRUE, "abcd", METADATA, "abcd"},
    {"binary/no-frame-to-be-had", VIGIL_PAYLOAD_BINARY, TRUE, NULL, METADATA,
        NULL},
    {"binary/empty-frame", VIGIL_PAYLOAD_BINARY, TRUE, "", METADATA, NULL},
    {"binary/metadata-alone", VIGIL_PAYLOAD_BINARY, FALSE, "abcd", METADATA,
        NULL},
};

static char *
join (const VigilPayload *payload)
{
  GString *text = g_string_new (NULL);

  for (unsigned i = 0; payload->segments[i] != NULL; i++) {
    gsize size;
    const char *data = g_bytes_get_data (payload->segments[i], &size);

    g_string_append_len (text, data, (gssize)size);
  }
  return g_string_free (text, FALSE);
}

static void
test_case (gconstpointer data)
{
  const Case *test = data;
  g_autoptr (VigilBufferPool) pool = vigil_buffer_pool_new (2);
  g_autoptr (VigilMessage) message =
      vigil_message_new (g_bytes_new_static (METADATA, strlen (METADATA)),
          test->frame != NULL ? g_bytes_new (test->frame, strlen (test->frame))
                              : NULL,
          FALSE, "image/jpeg", 1);
  g_auto (VigilPayload) payload = {0};
  g_autofree char *text = NULL;

  vigil_payload_init (&payload, test->format, test->with_frame, message, pool);
  text = join (&payload);
  g_assert_cmpstr (text, ==, test->text);
  g_assert_cmpuint (vigil_payload_get_size (&payload), ==, strlen (text));
  if (test->image == NULL)
    g_assert_null (payload.image);
  else
    g_assert_cmpmem (g_bytes_get_data (payload.image, NULL),
        g_bytes_get_size (payload.image), test->image, strlen (test->image));
}

/* What is in a queue must not hold a buffer of the source. */
static void
test_borrowed_frames_are_copied (void)
{
  char frame[] = "abcd";
  g_autoptr (VigilBufferPool) pool = vigil_buffer_pool_new (2);

  for (unsigned format = 0; vigil_payload_format_names[format] != NULL;
       format++) {
    g_auto (VigilPayload) payload = {0};
    g_autofree char *before = NULL;
    g_autofree char *after = NULL;
    VigilMessage *message =
        vigil_message_new (g_bytes_new_static (METADATA, strlen (METADATA)),
            g_bytes_new_static (frame, 4), TRUE, "image/jpeg", 1);

    vigil_payload_init (
        &payload, (VigilPayloadFormat)format, TRUE, message, pool);
    vigil_message_unref (message);
    before = join (&payload);
    memset (frame, 'x', 4);
    after = join (&payload);
    g_assert_cmpstr (before, ==, after);
    if (payload.image != NULL)
      g_assert_cmpmem (g_bytes_get_data (payload.image, NULL), 4, "abcd", 4);
    memcpy (frame, "abcd", 4);
  }
}

/* Those that we made are shared. */
static void
test_own_frames_are_shared (void)
{
  g_autoptr (VigilBufferPool) pool = vigil_buffer_pool_new (2);
  g_autoptr (VigilMessage) message =
      vigil_message_new (g_bytes_new_static (METADATA, strlen (METADATA)),
          g_bytes_new ("abcd", 4), FALSE, "image/jpeg", 1);
  g_auto (VigilPayload) payload = {0};

  vigil_payload_init (&payload, VIGIL_PAYLOAD_BINARY, TRUE, message, pool);
  g_assert_true (payload.image == message->frame);
  g_assert_true (payload.segments[0] == message->metadata);
}

/* The image comes out as it went in, and the room for it is told right. */
static void
test_image_again (void)
{
  static const char *const frames[] = {"a", "ab", "abc", "abcdefg"};
  g_autoptr (VigilBufferPool) pool = vigil_buffer_pool_new (2);

  for (unsigned i = 0; i < G_N_ELEMENTS (frames); i++) {
    size_t length = strlen (frames[i]);
    g_autoptr (VigilMessage) message =
        vigil_message_new (g_bytes_new_static (METADATA, strlen (METADATA)),
            g_bytes_new (frames[i], length), FALSE, "image/jpeg", 1);

    for (unsigned format = 0; vigil_payload_format_names[format] != NULL;
         format++) {
      g_auto (VigilPayload) payload = {0};
      g_autoptr (GBytes) image = NULL;
      size_t size;

      vigil_payload_init (
          &payload, (VigilPayloadFormat)format, TRUE, message, pool);
      image = vigil_payload_dup_image (
          (VigilPayloadFormat)format, payload.segments, payload.image);
      g_assert_true (g_bytes_equal (image, message->frame));
      size = payload.image != NULL ? length : vigil_payload_get_size (&payload);
      g_assert_cmpuint (vigil_payload_get_room ((VigilPayloadFormat)format,
                            size, message->metadata),
          >=, length);
      g_assert_cmpuint (vigil_payload_get_room ((VigilPayloadFormat)format,
                            size - 1, message->metadata),
          <, payload.image != NULL ? length : (length + 2) / 3 * 3);
    }
  }
}

static void
test_no_image_again (void)
{
  g_autoptr (VigilBufferPool) pool = vigil_buffer_pool_new (2);
  g_autoptr (VigilMessage) message = vigil_message_new (
      g_bytes_new_static (METADATA, strlen (METADATA)), NULL, FALSE, NULL, 1);

  for (unsigned format = 0; vigil_payload_format_names[format] != NULL;
       format++) {
    g_auto (VigilPayload) payload = {0};

    vigil_payload_init (
        &payload, (VigilPayloadFormat)format, TRUE, message, pool);
    g_assert_null (vigil_payload_dup_image (
        (VigilPayloadFormat)format, payload.segments, payload.image));
  }
  g_assert_cmpuint (
      vigil_payload_get_room (VIGIL_PAYLOAD_ARRAY, 5, message->metadata), ==,
      0);
}

static void
test_format_names (void)
{
  VigilPayloadFormat format = VIGIL_PAYLOAD_OBJECT;

  g_assert_true (vigil_payload_format_parse ("array", &format));
  g_assert_cmpint (format, ==, VIGIL_PAYLOAD_ARRAY);
  g_assert_true (vigil_payload_format_parse ("object", &format));
  g_assert_cmpint (format, ==, VIGIL_PAYLOAD_OBJECT);
  g_assert_true (vigil_payload_format_parse ("binary", &format));
  g_assert_cmpint (format, ==, VIGIL_PAYLOAD_BINARY);
  g_assert_false (vigil_payload_format_parse ("Array", &format));
  g_assert_false (vigil_payload_format_parse (NULL, &format));
  g_assert_cmpint (format, ==, VIGIL_PAYLOAD_BINARY);
}

int
main (int argc, char **argv)
{
  vigil_fixture_init (&argc, &argv, 0);
  for (unsigned i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *path = g_strdup_printf ("/payload/%s", cases[i].name);

    g_test_add_data_func (path, &cases[i], test_case);
  }
  g_test_add_func (
      "/payload/borrowed-frames-are-copied", test_borrowed_frames_are_copied);
  g_test_add_func (
      "/payload/own-frames-are-shared", test_own_frames_are_shared);
  g_test_add_func ("/payload/image-again", test_image_again);
  g_test_add_func ("/payload/no-image-again", test_no_image_again);
  g_test_add_func ("/payload/format-names", test_format_names);
  return g_test_run ();
}
