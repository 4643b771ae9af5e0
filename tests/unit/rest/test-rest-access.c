/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens, Host and Origin. */
#include "common/fixture.h"

#include "base/error.h"
#include "rest/rest-access.h"
#include <string.h>
#include <sys/stat.h>

#define READ "rrrrrrrrrrrrrrrrrrrrrr"
#define CONTROL "cccccccccccccccccccccc"

static void
test_roles (VigilFixture *fixture, gconstpointer data)
{
  static const struct {
    const char *header;
    VigilRestRole role;
  } cases[] = {
      {NULL, VIGIL_REST_ROLE_NONE},
      {"", VIGIL_REST_ROLE_NONE},
      {"Bearer", VIGIL_REST_ROLE_NONE},
      {"Bearer ", VIGIL_REST_ROLE_NONE},
      {READ, VIGIL_REST_ROLE_NONE},
      {"Basic " READ, VIGIL_REST_ROLE_NONE},
      {"Bearer " READ, VIGIL_REST_ROLE_READ},
      {"bearer " READ, VIGIL_REST_ROLE_READ},
      {"Bearer " READ "x", VIGIL_REST_ROLE_NONE},
      {"Bearer  " READ, VIGIL_REST_ROLE_NONE},
      {"Bearer " CONTROL, VIGIL_REST_ROLE_CONTROL},
  };
  g_autoptr (GError) error = NULL;
  g_autoptr (VigilRestAccess) access = vigil_rest_access_new (
      "# two\r\n\n  read " READ "  \ncontrol\t" CONTROL "\n", "tokens", &error);

  g_assert_no_error (error);
  g_assert_true (vigil_rest_access_has_tokens (access));
  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++)
    g_assert_cmpint (vigil_rest_access_get_role (access, cases[i].header), ==,
        cases[i].role);
}

static void
test_no_tokens (VigilFixture *fixture, gconstpointer data)
{
  g_autoptr (VigilRestAccess) access = vigil_rest_access_new (NULL, NULL, NULL);

  g_assert_false (vigil_rest_access_has_tokens (access));
  g_assert_cmpint (
      vigil_rest_access_get_role (access, NULL), ==, VIGIL_REST_ROLE_CONTROL);
}

static void
test_bad_files (VigilFixture *fixture, gconstpointer data)
{
  static const char *const texts[] = {"", "# nothing\n", "read\n",
      "read short\n", "write " READ "\n", READ "\n", "read " READ " more\n",
      "read " READ "\xc3\xa4\n"};

  for (size_t i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_autoptr (GError) error = NULL;

    g_assert_null (vigil_rest_access_new (texts[i], "tokens", &error));
    g_assert_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID);
    g_assert_true (g_str_has_prefix (error->message, "tokens"));
    g_assert_null (strstr (error->message, READ));
  }
}

static void
test_file (VigilFixture *fixture, gconstpointer data)
{
  g_autofree char *path =
      vigil_fixture_write (fixture, "tokens", "read " READ "\n");
  g_autoptr (GError) error = NULL;
  g_autoptr (VigilRestAccess) access = NULL;

  g_assert_cmpint (chmod (path, 0644), ==, 0);
  vigil_fixture_expect_warning ("vigil-rest", "*others may read it*");
  access = vigil_rest_access_load (path, &error);
  g_assert_no_error (error);
  g_assert_true (vigil_rest_access_has_tokens (access));
  g_assert_null (vigil_rest_access_load ("/no/such/file", &error));
  g_assert_error (error, VIGIL_ERROR, VIGIL_ERROR_NOT_FOUND);
}

static void
test_hosts (VigilFixture *fixture, gconstpointer data)
{
  static const struct {
    const char *host;
    gboolean is_ours;
  } cases[] = {
      {NULL, FALSE},
      {"", FALSE},
      {"localhost", TRUE},
      {"LOCALHOST:8080", TRUE},
      {"127.0.0.1:8080", TRUE},
      {"10.1.2.3", TRUE},
      {"[::1]:8080", TRUE},
      {"[::1", FALSE},
      {"vigil.example:8080", TRUE},
      {"evil.example", FALSE},
      {"localhost.evil.example", FALSE},
      {"127.0.0.1.evil.example:80", FALSE},
      {"evil.example:localhost", FALSE},
  };
  static const char *const names[] = {"vigil.example", NULL};

  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++)
    g_assert_cmpint (vigil_rest_access_is_host_ours (cases[i].host, names), ==,
        cases[i].is_ours);
  g_assert_false (vigil_rest_access_is_host_ours ("vigil.example", NULL));
  g_assert_true (vigil_rest_access_is_host_ours (g_get_host_name (), NULL));
}

static void
test_origins (VigilFixture *fixture, gconstpointer data)
{
  static const struct {
    const char *origin;
    gboolean is_ours;
  } cases[] = {
      {NULL, TRUE},
      {"null", FALSE},
      {"", FALSE},
      {"http://localhost:8080", TRUE},
      {"http://localhost", FALSE},
      {"http://evil.example", FALSE},
      {"https://panel.example", TRUE},
      {"http://panel.example", FALSE},
      {"https://panel.example.evil", FALSE},
  };
  static const char *const origins[] = {"https://panel.example", NULL};

  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++)
    g_assert_cmpint (vigil_rest_access_is_origin_ours (
                         cases[i].origin, "localhost:8080", origins),
        ==, cases[i].is_ours);
  g_assert_false (vigil_rest_access_is_origin_ours ("http://x", NULL, NULL));
}

int
main (int argc, char **argv)
{
  vigil_fixture_init (&argc, &argv, 0);
#define ADD(path, function)                                                    \
  g_test_add (path, VigilFixture, NULL, vigil_fixture_set_up, function,        \
      vigil_fixture_tear_down)
  ADD ("/rest-access/roles", test_roles);
  ADD ("/rest-access/no-tokens", test_no_tokens);
  ADD ("/rest-access/bad-files", test_bad_files);
  ADD ("/rest-access/file", test_file);
  ADD ("/rest-access/hosts", test_hosts);
  ADD ("/rest-access/origins", test_origins);
  return g_test_run ();
}
