/* SPDX-License-Identifier: Apache-2.0 */
#include "common/test-tls.h"

#include "common/fixture.h"
#include "common/pki.h"

#include <glib/gstdio.h>
#include <openssl/ssl.h>
#include <stdlib.h>

static struct {
  char *folder;
  VigilTestPki *pki;
  SSL_CTX *context;
} made;
static pthread_once_t is_made = PTHREAD_ONCE_INIT;

gboolean
vigil_test_tls_is_on (void)
{
  return g_getenv ("VIGIL_TEST_TLS") != NULL;
}

static void
clean_up (void)
{
  const char *files[] = {"ca.crt", "ca.key", "server.crt", "server.key"};

  for (unsigned i = 0; i < G_N_ELEMENTS (files); i++)
    g_remove (vigil_test_pki_path (made.pki, files[i]));
  g_rmdir (made.folder);
  g_clear_pointer (&made.pki, vigil_test_pki_free);
  g_clear_pointer (&made.folder, g_free);
  g_clear_pointer (&made.context, SSL_CTX_free);
}

static void
make (void)
{
  g_autofree char *names =
      g_strdup_printf ("IP:%s", vigil_fixture_get_address ());

  made.folder = g_dir_make_tmp ("vigil-test-tls-XXXXXX", NULL);
  made.pki = vigil_test_pki_new (made.folder);
  vigil_test_pki_add (
      made.pki, "server", &(VigilTestCertificate){.alternative_names = names});
  made.context = SSL_CTX_new (TLS_server_method ());
  g_assert_cmpint (
      SSL_CTX_use_certificate_file (made.context,
          vigil_test_pki_path (made.pki, "server.crt"), SSL_FILETYPE_PEM),
      ==, 1);
  g_assert_cmpint (
      SSL_CTX_use_PrivateKey_file (made.context,
          vigil_test_pki_path (made.pki, "server.key"), SSL_FILETYPE_PEM),
      ==, 1);
  atexit (clean_up);
}

SSL_CTX *
vigil_test_tls_get_server (void)
{
  pthread_once (&is_made, make);
  return made.context;
}

const char *
vigil_test_tls_get_path (const char *file)
{
  static GMutex lock;

  pthread_once (&is_made, make);
  g_mutex_lock (&lock);
  const char *path = vigil_test_pki_path (made.pki, file);
  g_mutex_unlock (&lock);
  return path;
}
