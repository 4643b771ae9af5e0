/* SPDX-License-Identifier: Apache-2.0 */
/* Reads CURVE keys from files. */
#include "publish/eis-keys.h"

#include "base/error.h"
#include "base/file.h"
#include <string.h>
#include <zmq.h>

enum { KEY_LENGTH = VIGIL_EIS_KEY_SIZE - 1, KEY_BYTES = 32 };
enum { FILE_BYTES_MAX = 256, CLIENTS_MAX = 10000 };

static gboolean
is_key (const char *text)
{
  uint8_t bytes[KEY_BYTES];
  const gboolean is_valid =
      strlen (text) == KEY_LENGTH && zmq_z85_decode (bytes, text) != NULL;

  explicit_bzero (bytes, sizeof (bytes));
  return is_valid;
}

gboolean
vigil_eis_keys_read_file (
    const char *path, char ret_key[VIGIL_EIS_KEY_SIZE], GError **error)
{
  size_t size;
  char *text = vigil_file_read (path, FILE_BYTES_MAX, &size, error);
  gboolean is_valid;

  if (text == NULL)
    return FALSE;
  g_strstrip (text);
  is_valid = is_key (text);
  if (is_valid)
    memcpy (ret_key, text, VIGIL_EIS_KEY_SIZE);
  else
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID,
        "%s: want a CURVE key: 40 characters of Z85", path);
  explicit_bzero (text, size);
  g_free (text);
  return is_valid;
}

/* The names of all files in @folder. */
static GStrv
list_folder (const char *folder, GError **error)
{
  g_autoptr (GStrvBuilder) names = g_strv_builder_new ();
  g_autoptr (GDir) directory = NULL;
  const char *name;
  unsigned size = 0;

  directory = g_dir_open (folder, 0, NULL);
  if (directory == NULL) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_NOT_FOUND,
        "%s: want a folder that can be read", folder);
    return NULL;
  }
  while ((name = g_dir_read_name (directory)) != NULL && size++ < CLIENTS_MAX)
    if (name[0] != '.')
      g_strv_builder_add (names, name);
  return g_strv_builder_end (names);
}

GStrv
vigil_eis_keys_read_folder (
    const char *folder, const char *const *names, GError **error)
{
  g_autoptr (GStrvBuilder) keys = g_strv_builder_new ();
  g_auto (GStrv) all = NULL;

  if (g_strv_contains (names, "*")) {
    all = list_folder (folder, error);
    if (all == NULL)
      return NULL;
    names = (const char *const *)all;
  }
  for (unsigned i = 0; names[i] != NULL; i++) {
    g_autofree char *path = g_build_filename (folder, names[i], NULL);
    char key[VIGIL_EIS_KEY_SIZE];

    if (strchr (names[i], '/') != NULL) {
      g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID,
          "'%s': want the name of a file in %s", names[i], folder);
      return NULL;
    }
    if (!vigil_eis_keys_read_file (path, key, error))
      return NULL;
    g_strv_builder_add (keys, key);
  }
  return g_strv_builder_end (keys);
}

void
vigil_eis_keys_get_public (
    const char secret_key[VIGIL_EIS_KEY_SIZE], char ret_key[VIGIL_EIS_KEY_SIZE])
{
  /* fails for what is no key only */
  if (zmq_curve_public (ret_key, secret_key) != 0)
    ret_key[0] = '\0';
}
