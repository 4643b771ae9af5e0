/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any JSON object, in any layout, comes out as a JSON object without null
 * members that is otherwise the same, and converting it again changes
 * nothing.
 */
#include "base/json.h"
#include "publish/eis-metadata.h"

#include <stdint.h>
#include <string.h>

#define BYTES_MAX (1024 * 1024)
#define DEPTH_MAX 128

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static VigilJson *
parse (GBytes *bytes)
{
  size_t size;
  const char *text = g_bytes_get_data (bytes, &size);

  return vigil_json_parse (
      size > 0 ? text : "", (gssize)size, BYTES_MAX, DEPTH_MAX, NULL);
}

/* The slow and obvious way. Returns: (transfer full). */
static VigilJson *
without_nulls (const VigilJson *value)
{
  VigilJson *copy;
  VigilJsonIter iter = {0};
  const char *key;
  const VigilJson *member;

  switch (vigil_json_get_type (value)) {
  case VIGIL_JSON_OBJECT:
    copy = vigil_json_new_object ();
    while (vigil_json_object_next (value, &iter, &key, &member))
      if (!vigil_json_is_null (member))
        vigil_json_object_take (copy, key, without_nulls (member));
    return copy;
  case VIGIL_JSON_ARRAY:
    copy = vigil_json_new_array ();
    for (size_t i = 0; i < vigil_json_array_size (value); i++)
      vigil_json_array_take (
          copy, without_nulls (vigil_json_array_get (value, i)));
    return copy;
  case VIGIL_JSON_STRING:
  case VIGIL_JSON_INTEGER:
  case VIGIL_JSON_REAL:
  case VIGIL_JSON_BOOLEAN:
  case VIGIL_JSON_NULL:
    return vigil_json_copy (value);
  }
  return NULL;
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (GBytes) metadata = g_bytes_new (data, size);
  g_autoptr (VigilJson) tree = parse (metadata);
  g_autoptr (VigilJson) wanted = NULL;
  g_autoptr (VigilJson) got = NULL;
  g_autoptr (GBytes) converted = NULL;
  g_autoptr (GBytes) again = NULL;
  g_autofree char *wanted_text = NULL;
  g_autofree char *got_text = NULL;

  if (tree == NULL || vigil_json_get_type (tree) != VIGIL_JSON_OBJECT)
    return 0;
  converted = vigil_eis_metadata_convert (metadata, FALSE);
  got = parse (converted);
  g_assert_nonnull (got);
  wanted = without_nulls (tree);
  wanted_text = vigil_json_to_text (wanted);
  got_text = vigil_json_to_text (got);
  g_assert_cmpstr (got_text, ==, wanted_text);
  again = vigil_eis_metadata_convert (converted, FALSE);
  g_assert_true (g_bytes_equal (again, converted));
  return 0;
}
