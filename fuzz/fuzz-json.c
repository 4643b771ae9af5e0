/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON text of anybody: what the reader takes, the writer must write so that
 * the reader takes it again and sees the same. And any bytes at all, written
 * as a string, must be valid JSON.
 */
#include "base/json.h"

#include <stdint.h>
#include <string.h>

#define BYTES_MAX (1024 * 1024)
#define DEPTH_MAX 64

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void
check_value (const VigilJson *value)
{
  g_autofree char *text = vigil_json_to_text (value);
  g_autoptr (GError) error = NULL;
  g_autoptr (VigilJson) again =
      vigil_json_parse (text, -1, SIZE_MAX, DEPTH_MAX, &error);
  g_assert_no_error (error);
  g_autofree char *text_again = vigil_json_to_text (again);
  g_assert_cmpstr (text_again, ==, text);
}

static void
check_string (const char *bytes, size_t size)
{
  g_autoptr (GString) text = g_string_new (NULL);
  vigil_json_append_string (text, bytes, (gssize)size);
  g_assert_cmpuint (text->len, ==, strlen (text->str));
  /* The reader takes no NUL in strings; all else it must take. */
  if (memchr (bytes, '\0', size) != NULL)
    return;
  g_autoptr (GError) error = NULL;
  g_autoptr (VigilJson) value =
      vigil_json_parse (text->str, -1, SIZE_MAX, 1, &error);
  g_assert_no_error (error);
  g_autofree char *valid = g_utf8_make_valid (bytes, (gssize)size);
  g_assert_cmpstr (vigil_json_get_string (value), ==, valid);
}

static void
check_number (const uint8_t *data, size_t size)
{
  double number;
  if (size < sizeof number)
    return;
  memcpy (&number, data, sizeof number);
  g_autoptr (GString) text = g_string_new (NULL);
  vigil_json_append_number (text, number);
  g_autoptr (GError) error = NULL;
  g_autoptr (VigilJson) value =
      vigil_json_parse (text->str, -1, SIZE_MAX, 1, &error);
  g_assert_no_error (error);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  const char *text = (const char *)data;
  g_autoptr (GError) error = NULL;
  g_autoptr (VigilJson) value = vigil_json_parse (
      size > 0 ? text : "", (gssize)size, BYTES_MAX, DEPTH_MAX, &error);
  g_assert_true ((value == NULL) == (error != NULL));
  if (value != NULL)
    check_value (value);
  if (size > 0)
    check_string (text, size);
  check_number (data, size);
  return 0;
}
