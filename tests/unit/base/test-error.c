/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"

#include <gio/gio.h>

static const struct {
  VigilErrorCode code;
  int exit_status;
  unsigned http_status;
} cases[] = {
    {VIGIL_ERROR_INVALID, 78, 400},
    {VIGIL_ERROR_NOT_FOUND, 66, 404},
    {VIGIL_ERROR_UNSUPPORTED, 78, 400},
    {VIGIL_ERROR_UNAVAILABLE, 75, 503},
    {VIGIL_ERROR_PROTOCOL, 76, 502},
    {VIGIL_ERROR_TIMEOUT, 75, 504},
    {VIGIL_ERROR_LIMIT, 65, 413},
    {VIGIL_ERROR_FAILED, 70, 500},
};

static void
test_codes (void)
{
  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error =
        g_error_new_literal (VIGIL_ERROR, (int)cases[i].code, "text");
    g_assert_cmpint (vigil_error_exit_status (error), ==, cases[i].exit_status);
    g_assert_cmpuint (
        vigil_error_http_status (error), ==, cases[i].http_status);
  }
}

static void
test_success (void)
{
  g_assert_cmpint (vigil_error_exit_status (NULL), ==, 0);
  g_assert_cmpuint (vigil_error_http_status (NULL), ==, 200);
}

static void
test_foreign_domain (void)
{
  g_autoptr (GError) error =
      g_error_new_literal (G_IO_ERROR, G_IO_ERROR_NOT_FOUND, "text");
  g_assert_cmpint (vigil_error_exit_status (error), ==, 70);
  g_assert_cmpuint (vigil_error_http_status (error), ==, 500);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/error/codes", test_codes);
  g_test_add_func ("/error/success", test_success);
  g_test_add_func ("/error/foreign-domain", test_foreign_domain);
  return g_test_run ();
}
