/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/eis-keys.h"

#include "base/error.h"
#include "common/fixture.h"
#include <glib/gstdio.h>
#include <string.h>
#include <zmq.h>

static void
test_what_is_a_key (VigilFixture *fixture, gconstpointer data)
{
  char secret[VIGIL_EIS_KEY_SIZE], public[VIGIL_EIS_KEY_SIZE];
  g_autofree char *with_line = NULL;
  struct {
    const char *text;
    gboolean is_key;
  } cases[6];

  g_assert_cmpint (zmq_curve_keypair (public, secret), ==, 0);
  with_line = g_strconcat ("  ", secret, "\n", NULL);
  cases[0].text = secret, cases[0].is_key = TRUE;
  cases[1].text = with_line, cases[1].is_key = TRUE;
  cases[2].text = "", cases[2].is_key = FALSE;
  cases[3].text = secret + 1, cases[3].is_key = FALSE;
  cases[4].text = "~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~";
  cases[4].is_key = FALSE;
  cases[5].text = "-----BEGIN PRIVATE KEY-----", cases[5].is_key = FALSE;
  for (unsigned i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *path = vigil_fixture_write (fixture, "k", cases[i].text);
    g_autoptr (GError) error = NULL;
    char key[VIGIL_EIS_KEY_SIZE] = "";

    g_assert_cmpint (
        vigil_eis_keys_read_file (path, key, &error), ==, cases[i].is_key);
    if (cases[i].is_key) {
      g_assert_cmpstr (key, ==, secret);
    } else {
      g_assert_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID);
      /* what stands in the file is not told */
      g_assert_true (g_str_has_suffix (
          error->message, ": want a CURVE key: 40 characters of Z85"));
    }
  }
}

static void
test_public_of_secret (VigilFixture *fixture, gconstpointer data)
{
  char secret[VIGIL_EIS_KEY_SIZE], public[VIGIL_EIS_KEY_SIZE];
  char derived[VIGIL_EIS_KEY_SIZE];

  g_assert_cmpint (zmq_curve_keypair (public, secret), ==, 0);
  vigil_eis_keys_get_public (secret, derived);
  g_assert_cmpstr (derived, ==, public);
}

static void
test_folder (VigilFixture *fixture, gconstpointer data)
{
  static const char *const all[] = {"*", NULL};
  static const char *const one[] = {"two", NULL};
  static const char *const nobody[] = {NULL};
  static const char *const missing[] = {"three", NULL};
  static const char *const outside[] = {"../two", NULL};
  char secret[VIGIL_EIS_KEY_SIZE], keys[2][VIGIL_EIS_KEY_SIZE];
  g_autofree char *first = NULL;
  g_autofree char *second = NULL;
  g_auto (GStrv) list = NULL;
  g_autoptr (GError) error = NULL;

  zmq_curve_keypair (keys[0], secret);
  zmq_curve_keypair (keys[1], secret);
  first = vigil_fixture_write (fixture, "one", keys[0]);
  second = vigil_fixture_write (fixture, "two", keys[1]);

  list = vigil_eis_keys_read_folder (fixture->folder, all, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (g_strv_length (list), ==, 2);
  g_assert_true (g_strv_contains ((const char *const *)list, keys[0]));
  g_assert_true (g_strv_contains ((const char *const *)list, keys[1]));
  g_clear_pointer (&list, g_strfreev);
  list = vigil_eis_keys_read_folder (fixture->folder, one, &error);
  g_assert_cmpuint (g_strv_length (list), ==, 1);
  g_assert_cmpstr (list[0], ==, keys[1]);
  g_clear_pointer (&list, g_strfreev);
  list = vigil_eis_keys_read_folder (fixture->folder, nobody, &error);
  g_assert_cmpuint (g_strv_length (list), ==, 0);
  g_assert_null (vigil_eis_keys_read_folder (fixture->folder, missing, &error));
  g_assert_error (error, VIGIL_ERROR, VIGIL_ERROR_NOT_FOUND);
  g_clear_error (&error);
  g_assert_null (vigil_eis_keys_read_folder (fixture->folder, outside, &error));
  g_assert_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID);
  g_clear_error (&error);
  g_assert_null (vigil_eis_keys_read_folder ("/nowhere", all, &error));
  g_assert_error (error, VIGIL_ERROR, VIGIL_ERROR_NOT_FOUND);
}

static void
add (const char *path,
    void (*function) (VigilFixture *fixture, gconstpointer data))
{
  g_test_add (path, VigilFixture, NULL, vigil_fixture_set_up, function,
      vigil_fixture_tear_down);
}

int
main (int argc, char **argv)
{
  vigil_fixture_init (&argc, &argv, 0);
  add ("/eis-keys/what-is-a-key", test_what_is_a_key);
  add ("/eis-keys/public-of-secret", test_public_of_secret);
  add ("/eis-keys/folder", test_folder);
  return g_test_run ();
}
