/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/eis-metadata.h"

#include <string.h>

static const struct {
  const char *name;
  const char *text;
  const char *wanted; /* NULL: the same bytes, not a copy */
  gboolean is_jpeg;
} cases[] = {
    {"nothing", "{}", NULL, FALSE},
    {"no-null", "{\"a\": 1, \"b\":[1,2]}", NULL, TRUE},
    {"only", "{\"a\":null}", "{}", FALSE},
    {"first", "{\"a\":null,\"b\":1}", "{\"b\":1}", FALSE},
    {"middle", "{\"a\":1,\"b\":null,\"c\":2}", "{\"a\":1,\"c\":2}", FALSE},
    {"last", "{\"a\":1,\"b\":null}", "{\"a\":1}", FALSE},
    {"all", "{\"a\":null,\"b\":null,\"c\":null}", "{}", FALSE},
    {"two-last", "{\"a\":1,\"b\":null,\"c\":null}", "{\"a\":1}", FALSE},
    {"nested", "{\"a\":{\"b\":null,\"c\":{\"d\":null}},\"e\":[{\"f\":null}]}",
        "{\"a\":{\"c\":{}},\"e\":[{}]}", FALSE},
    {"spaces", "{ \"a\" : null , \"b\" : \"x y\" ,\n\t\"c\" :null }",
        "{\"b\":\"x y\"}", FALSE},
    /* an element cannot go without moving those behind it */
    {"in-an-array", "{\"a\":[null,1],\"b\":null}", "{\"a\":[null,1]}", FALSE},
    {"in-strings",
        "{\"null\":\"null\",\"a\":\"\\\":null,\",\"b\\\\\":\":null\"}",
        "{\"null\":\"null\",\"a\":\"\\\":null,\",\"b\\\\\":\":null\"}", FALSE},
    {"key-with-quote", "{\"a\\\"\":null,\"b\":1}", "{\"b\":1}", FALSE},
    {"alpha", "{\"channels\":4,\"a\":1}", "{\"channels\":3,\"a\":1}", TRUE},
    {"alpha-not-encoded", "{\"channels\":4}", NULL, FALSE},
    {"alpha-of-others", "{\"tags\":{\"channels\":4},\"channels\":4}",
        "{\"tags\":{\"channels\":4},\"channels\":3}", TRUE},
};

static void
test_case (const void *data)
{
  const size_t index = GPOINTER_TO_SIZE (data);
  const char *text = cases[index].text;
  g_autoptr (GBytes) metadata = g_bytes_new (text, strlen (text));
  g_autoptr (GBytes) converted =
      vigil_eis_metadata_convert (metadata, cases[index].is_jpeg);
  size_t size;
  const char *bytes = g_bytes_get_data (converted, &size);

  if (cases[index].wanted == NULL)
    g_assert_true (converted == metadata);
  else
    g_assert_cmpmem (
        bytes, size, cases[index].wanted, strlen (cases[index].wanted));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *path = g_strconcat ("/eis-metadata/", cases[i].name, NULL);

    g_test_add_data_func (path, GSIZE_TO_POINTER (i), test_case);
  }
  return g_test_run ();
}
