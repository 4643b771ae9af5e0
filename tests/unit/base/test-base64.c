/* SPDX-License-Identifier: Apache-2.0 */
/* Both ways of encoding against GLib's, which is independent of them. */
#include "base/base64.h"

#include <glib.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

typedef size_t (*Encode) (const void *data, size_t size, char *out);

static const struct {
  const char *data;
  const char *text;
} vectors[] = {
    /* RFC 4648 section 10 */
    {"", ""},
    {"f", "Zg=="},
    {"fo", "Zm8="},
    {"foo", "Zm9v"},
    {"foob", "Zm9vYg=="},
    {"fooba", "Zm9vYmE="},
    {"foobar", "Zm9vYmFy"},
};

static void
check (Encode encode, const void *data, size_t size, const char *expected)
{
  size_t length = VIGIL_BASE64_LENGTH (size);
  g_autofree char *out = g_malloc (length + 1);
  out[length] = '#'; /* must stay */
  g_assert_cmpuint (encode (data, size, out), ==, length);
  g_assert_cmpint (out[length], ==, '#');
  out[length] = '\0';
  g_assert_cmpstr (out, ==, expected);
}

static void
test_vectors (gconstpointer encode)
{
  for (size_t i = 0; i < G_N_ELEMENTS (vectors); i++)
    check (*(const Encode *)encode, vectors[i].data, strlen (vectors[i].data),
        vectors[i].text);
}

static void
test_every_length (gconstpointer encode)
{
  for (size_t size = 0; size <= 400; size++) {
    g_autofree uint8_t *data = g_malloc (size + 1);
    for (size_t i = 0; i < size; i++)
      data[i] = (uint8_t)g_test_rand_int ();
    g_autofree char *expected = g_base64_encode (data, size);
    check (*(const Encode *)encode, data, size, expected);
  }
}

/* All 64 values at all positions that one step can have. */
static void
test_every_value (gconstpointer encode)
{
  uint8_t data[96];
  for (unsigned value = 0; value < 256; value++) {
    memset (data, (int)value, sizeof data);
    g_autofree char *same = g_base64_encode (data, sizeof data);
    check (*(const Encode *)encode, data, sizeof data, same);
    for (unsigned i = 0; i < sizeof data; i++)
      data[i] = (uint8_t)(value + i);
    g_autofree char *rising = g_base64_encode (data, sizeof data);
    check (*(const Encode *)encode, data, sizeof data, rising);
  }
}

/* Not a byte behind the end is read: it would not be mapped. */
static void
test_end_of_memory (gconstpointer encode)
{
  size_t page = (size_t)sysconf (_SC_PAGESIZE);
  uint8_t *pages = mmap (NULL, 2 * page, PROT_READ | PROT_WRITE,
      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  g_assert_true (pages != MAP_FAILED);
  g_assert_cmpint (mprotect (pages + page, page, PROT_NONE), ==, 0);
  for (size_t size = 0; size < 130; size++) {
    const uint8_t *data = pages + page - size;
    g_autofree char *expected = g_base64_encode (data, size);
    check (*(const Encode *)encode, data, size, expected);
  }
  munmap (pages, 2 * page);
}

int
main (int argc, char **argv)
{
  static const struct {
    const char *name;
    Encode encode;
  } encoders[] = {
      {"best", vigil_base64_encode},
      {"portable", vigil_base64_encode_portable},
  };
  static const struct {
    const char *name;
    GTestDataFunc function;
  } tests[] = {
      {"vectors", test_vectors},
      {"every-length", test_every_length},
      {"every-value", test_every_value},
      {"end-of-memory", test_end_of_memory},
  };
  g_test_init (&argc, &argv, NULL);
  for (size_t i = 0; i < G_N_ELEMENTS (encoders); i++) {
    for (size_t j = 0; j < G_N_ELEMENTS (tests); j++) {
      g_autofree char *path =
          g_strdup_printf ("/base64/%s/%s", encoders[i].name, tests[j].name);
      g_test_add_data_func (path, &encoders[i].encode, tests[j].function);
    }
  }
  return g_test_run ();
}
