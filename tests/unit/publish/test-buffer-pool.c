/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/buffer-pool.h"

#include "common/fixture.h"
#include <stdint.h>
#include <string.h>

static GBytes *
fill (VigilBufferPool *pool, size_t size, char **ret_buffer)
{
  char *buffer = vigil_buffer_pool_take (pool, size);

  g_assert_nonnull (buffer);
  memset (buffer, 'x', size);
  if (ret_buffer != NULL)
    *ret_buffer = buffer;
  return vigil_buffer_pool_to_bytes (buffer, size);
}

static void
test_goes_round (void)
{
  g_autoptr (VigilBufferPool) pool = vigil_buffer_pool_new (2);
  char *first, *second;

  g_bytes_unref (fill (pool, 1000, &first));
  g_assert_cmpuint (vigil_buffer_pool_count_idle (pool), ==, 1);
  g_bytes_unref (fill (pool, 1100, &second));
  g_assert_true (first == second);
  g_assert_cmpuint (vigil_buffer_pool_count_idle (pool), ==, 1);
}

/* Neither too small, nor so large that little of it would be used. */
static void
test_fits (void)
{
  g_autoptr (VigilBufferPool) pool = vigil_buffer_pool_new (4);
  char *small, *large, *other;

  g_bytes_unref (fill (pool, 100, &small));
  g_bytes_unref (fill (pool, 100000, &large));
  g_assert_true (small != large);
  g_bytes_unref (fill (pool, 1000, &other));
  g_assert_true (other != small && other != large);
  g_bytes_unref (fill (pool, 90000, &other));
  g_assert_true (other == large);
}

static void
test_keeps_no_more_than_it_may (void)
{
  g_autoptr (VigilBufferPool) pool = vigil_buffer_pool_new (2);
  g_autoptr (VigilBufferPool) none = vigil_buffer_pool_new (0);
  GBytes *bytes[5];

  for (unsigned i = 0; i < G_N_ELEMENTS (bytes); i++)
    bytes[i] = fill (pool, 1000, NULL);
  for (unsigned i = 0; i < G_N_ELEMENTS (bytes); i++)
    g_bytes_unref (bytes[i]);
  g_assert_cmpuint (vigil_buffer_pool_count_idle (pool), ==, 2);
  g_bytes_unref (fill (none, 1000, NULL));
  g_assert_cmpuint (vigil_buffer_pool_count_idle (none), ==, 0);
}

/* A message may be in a queue when its destination has gone. */
static void
test_bytes_outlive_the_pool (void)
{
  VigilBufferPool *pool = vigil_buffer_pool_new (2);
  g_autoptr (GBytes) bytes = fill (pool, 1000, NULL);
  gsize size;
  const char *data;

  vigil_buffer_pool_unref (pool);
  data = g_bytes_get_data (bytes, &size);
  g_assert_cmpuint (size, ==, 1000);
  g_assert_cmpint (data[999], ==, 'x');
}

static void
test_no_memory (void)
{
  g_autoptr (VigilBufferPool) pool = vigil_buffer_pool_new (2);

  g_assert_null (vigil_buffer_pool_take (pool, SIZE_MAX));
  g_assert_null (vigil_buffer_pool_take (pool, SIZE_MAX - 64));
  g_assert_null (vigil_buffer_pool_take (pool, SIZE_MAX / 2));
  g_bytes_unref (fill (pool, 0, NULL));
}

static void *
take_and_give (void *data)
{
  for (unsigned i = 0; i < 2000; i++)
    g_bytes_unref (fill (data, 100 + i % 700, NULL));
  return NULL;
}

static void
test_threads (void)
{
  g_autoptr (VigilBufferPool) pool = vigil_buffer_pool_new (3);
  pthread_t threads[3];

  for (unsigned i = 0; i < G_N_ELEMENTS (threads); i++)
    pthread_create (&threads[i], NULL, take_and_give, pool);
  for (unsigned i = 0; i < G_N_ELEMENTS (threads); i++)
    pthread_join (threads[i], NULL);
  g_assert_cmpuint (vigil_buffer_pool_count_idle (pool), <=, 3);
}

int
main (int argc, char **argv)
{
  vigil_fixture_init (&argc, &argv, 0);
  g_test_add_func ("/buffer-pool/goes-round", test_goes_round);
  g_test_add_func ("/buffer-pool/fits", test_fits);
  g_test_add_func (
      "/buffer-pool/keeps-no-more-than-it-may", test_keeps_no_more_than_it_may);
  g_test_add_func (
      "/buffer-pool/bytes-outlive-the-pool", test_bytes_outlive_the_pool);
  g_test_add_func ("/buffer-pool/no-memory", test_no_memory);
  g_test_add_func ("/buffer-pool/threads", test_threads);
  return g_test_run ();
}
