/* SPDX-License-Identifier: Apache-2.0 */

#include "app/payload-reader.h"

#include "base/error.h"
#include <string.h>

#define TOPIC "cameras/gate"

static const struct {
  const char *name;
  const char *topic;
  const char *payload;
  const char *metadata; /* NULL: none */
  const char *frame;    /* NULL: none */
  int64_t frame_id;
} understood[] = {
    {"bare", TOPIC, "{\"frame_id\":7}", "{\"frame_id\":7}", NULL, 7},
    {"array", TOPIC, "[{\"frame_id\":1},\"aGk=\"]", "{\"frame_id\":1}", "hi",
        1},
    {"array-without-frame", TOPIC, "[{\"a\":1},\"\"]", "{\"a\":1}", NULL, -1},
    {"array-of-one", TOPIC, "[{\"a\":1}]", "{\"a\":1}", NULL, -1},
    {"object", TOPIC, "{\"metadata\":{\"frame_id\":2},\"blob\":\"aGkh\"}",
        "{\"frame_id\":2}", "hi!", 2},
    {"object-without-frame", TOPIC, "{\"metadata\":{},\"blob\":\"\"}", "{}",
        NULL, -1},
    /* Metadata may have any key of its own. */
    {"bare-with-metadata-key", TOPIC, "{\"metadata\":1}", "{\"metadata\":1}",
        NULL, -1},
    {"frame-id-of-wrong-type", TOPIC, "{\"frame_id\":\"x\"}",
        "{\"frame_id\":\"x\"}", NULL, -1},
    {"frame-id-negative", TOPIC, "{\"frame_id\":-5}", "{\"frame_id\":-5}", NULL,
        -1},
    {"binary", TOPIC "/frame/42", "\xff\xd8\xff", NULL, "\xff\xd8\xff", 42},
    {"binary-below-frame", "a/frame/b/frame/3", "x", NULL, "x", 3},
    {"topic-that-is-no-frame", "a/frame/b", "{}", "{}", NULL, -1},
};

static void
test_understood (gconstpointer data)
{
  size_t row = GPOINTER_TO_SIZE (data);
  g_auto (VigilPayloadReader) reader = {0};
  g_autoptr (GError) error = NULL;

  g_assert_true (vigil_payload_reader_init (&reader, understood[row].topic,
      understood[row].payload, strlen (understood[row].payload), &error));
  g_assert_no_error (error);
  g_assert_cmpint (reader.frame_id, ==, understood[row].frame_id);
  if (understood[row].metadata != NULL) {
    g_autofree char *text = vigil_json_to_text (reader.metadata);
    g_assert_cmpstr (text, ==, understood[row].metadata);
  } else {
    g_assert_null (reader.metadata);
  }
  if (understood[row].frame != NULL) {
    g_assert_nonnull (reader.frame);
    g_assert_cmpmem (g_bytes_get_data (reader.frame, NULL),
        g_bytes_get_size (reader.frame), understood[row].frame,
        strlen (understood[row].frame));
  } else {
    g_assert_null (reader.frame);
  }
}

static const struct {
  const char *name;
  const char *payload;
  const char *message; /* a pattern */
} refused[] = {
    {"no-json", "hello", "*line 1*"},
    {"empty", "", "*"},
    {"number", "12", "want metadata, *"},
    {"empty-array", "[]", "want metadata, *"},
    {"array-of-text", "[\"a\",\"b\"]", "want metadata, *"},
    {"array-frame-is-number", "[{},1]", "want metadata, *"},
    {"object-frame-is-null", "{\"metadata\":{},\"blob\":null}",
        "want metadata, *"},
    {"base64-cut-short", "[{},\"aGk\"]", "the frame: want standard base64*"},
    {"base64-foreign-character", "[{},\"aG-=\"]",
        "the frame: want standard base64, character 3 is not"},
    {"base64-after-padding", "[{},\"aGk=aGk=\"]",
        "the frame: want standard base64, character 5 is not"},
};

static void
test_refused (gconstpointer data)
{
  size_t row = GPOINTER_TO_SIZE (data);
  /* Must stay as it is when the call fails. */
  VigilPayloadReader reader = {.frame_id = 99};
  g_autoptr (GError) error = NULL;

  g_assert_false (vigil_payload_reader_init (&reader, TOPIC,
      refused[row].payload, strlen (refused[row].payload), &error));
  g_assert_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID);
  if (!g_pattern_match_simple (refused[row].message, error->message))
    g_error ("unexpected message: %s", error->message);
  g_assert_cmpint (reader.frame_id, ==, 99);
  g_assert_null (reader.metadata);
}

/* A message deeper than any metadata is an error, not a stack overflow. */
static void
test_too_deep (void)
{
  g_auto (VigilPayloadReader) reader = {0};
  g_autoptr (GError) error = NULL;
  g_autofree char *payload = g_strnfill (100000, '[');

  g_assert_false (vigil_payload_reader_init (
      &reader, TOPIC, payload, strlen (payload), &error));
  g_assert_nonnull (error);
}

static const struct {
  const char *name;
  const char *topic;
  int64_t frame_id;
  const char *frame;
  const char *expected;
} names[] = {
    {"jpeg", "results", 5, "\xff\xd8\xff\xe0", "results-5.jpg"},
    {"png", "results", 5, "\x89PNG\r\n\x1a\n", "results-5.png"},
    {"unknown", "results", 5, "abc", "results-5.bin"},
    {"empty", "results", 5, "", "results-5.bin"},
    {"fallback", "results", -1, "\xff\xd8\xff", "results-17.jpg"},
    {"levels", "site/cam_1", 0, "\xff\xd8\xff", "site_cam_1-0.jpg"},
    {"dots", "../../etc/passwd", 0, "\xff\xd8\xff", "______etc_passwd-0.jpg"},
    {"control", "a\n\033[2J\xc3\xa9", 0, "\xff\xd8\xff", "a___2J__-0.jpg"},
    {"binary", "results/frame/8", 8, "\xff\xd8\xff", "results-8.jpg"},
};

static void
test_name (gconstpointer data)
{
  size_t row = GPOINTER_TO_SIZE (data);
  g_auto (VigilPayloadReader) reader = {.frame_id = names[row].frame_id};
  g_autofree char *name = NULL;

  reader.frame = g_bytes_new (names[row].frame, strlen (names[row].frame));
  name = vigil_payload_reader_dup_file_name (&reader, names[row].topic, 17);
  g_assert_cmpstr (name, ==, names[row].expected);
}

/* A topic may have 65,535 bytes, a file name 255. */
static void
test_name_of_long_topic (void)
{
  g_auto (VigilPayloadReader) reader = {.frame_id = G_MAXINT64};
  g_autofree char *topic = g_strnfill (65535, 'x');
  g_autofree char *name = NULL;

  reader.frame = g_bytes_new ("", 0);
  name = vigil_payload_reader_dup_file_name (&reader, topic, 0);
  g_assert_cmpuint (strlen (name), <=, 255);
}

#define ADD_ROWS(prefix, rows, function)                                       \
  for (size_t i = 0; i < G_N_ELEMENTS (rows); i++) {                           \
    g_autofree char *path = g_strconcat (prefix, rows[i].name, NULL);          \
    g_test_add_data_func (path, GSIZE_TO_POINTER (i), function);               \
  }

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD_ROWS ("/payload-reader/understood/", understood, test_understood)
  ADD_ROWS ("/payload-reader/refused/", refused, test_refused)
  ADD_ROWS ("/payload-reader/name/", names, test_name)
  g_test_add_func ("/payload-reader/refused/too-deep", test_too_deep);
  g_test_add_func ("/payload-reader/name/long-topic", test_name_of_long_topic);
  return g_test_run ();
}
