/* SPDX-License-Identifier: Apache-2.0 */
/* A .env file of anybody. */
#include "config/environment.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VigilEnvironment) environment = vigil_environment_parse (
      size > 0 ? (const char *)data : "", size, ".env", &error);
  g_assert_true ((environment == NULL) == (error != NULL));
  if (environment == NULL) {
    g_assert_true (g_utf8_validate (error->message, -1, NULL));
    return 0;
  }
  const char *value = vigil_environment_get (environment, "KEY");
  g_assert_true (value == NULL || value[0] != '\0');
  int64_t number = 7;
  if (vigil_environment_get_integer (
          environment, "KEY", 1, 65535, &number, NULL))
    g_assert_true (number >= 1 && number <= 65535);
  return 0;
}
