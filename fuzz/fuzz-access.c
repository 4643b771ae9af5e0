/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What decides who gets in: a tokens file and the headers of anybody. Three
 * lines are Host, Origin and Authorization, the rest is the file.
 */
#include "rest/rest-access.h"

#include <stdint.h>
#include <string.h>

#define TOKEN_LENGTH_MIN 22

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

/* Nobody has a role whose token is not in the file, word for word. */
static void
check_role (const char *file, const char *authorization)
{
  g_autoptr (VigilRestAccess) access =
      vigil_rest_access_new (file, "file", NULL);
  const char *token;

  if (access == NULL)
    return;
  g_assert_true (vigil_rest_access_has_tokens (access));
  g_assert_cmpint (
      vigil_rest_access_get_role (access, NULL), ==, VIGIL_REST_ROLE_NONE);
  if (vigil_rest_access_get_role (access, authorization) ==
      VIGIL_REST_ROLE_NONE)
    return;
  token = strchr (authorization, ' ');
  g_assert_nonnull (token);
  g_assert_cmpuint (strlen (++token), >=, TOKEN_LENGTH_MIN);
  g_assert_nonnull (strstr (file, token));
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static const char *const names[] = {"panel.example", NULL};
  static const char *const origins[] = {"https://panel.example", NULL};
  g_autofree char *text = g_strndup ((const char *)data, size);
  g_auto (GStrv) lines = g_strsplit (text, "\n", 4);

  if (g_strv_length (lines) != 4)
    return 0;
  vigil_rest_access_is_host_ours (lines[0], names);
  vigil_rest_access_is_host_ours (lines[0], NULL);
  vigil_rest_access_is_origin_ours (lines[1], lines[0], origins);
  /* Without a Host no origin but a listed one is ours. */
  if (vigil_rest_access_is_origin_ours (lines[1], NULL, origins))
    g_assert_cmpint (g_ascii_strcasecmp (lines[1], origins[0]), ==, 0);
  check_role (lines[3], lines[2]);
  return 0;
}
