/* SPDX-License-Identifier: Apache-2.0 */
#include "common/test-tls.h"

#include "common/fixture.h"
#include "common/pki.h"

#include <glib/gstdio.h>
#include <openssl/ssl.h>
#include <stdlib.h>

/* What tests in network namespaces of their own call their brokers. */
#define NETWORK_NAMES "IP:10.99.0.1,IP:10.99.0.2,DNS:broker.example"

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
  const char *given = g_getenv ("VIGIL_TEST_TLS");
  g_autofree char *names =
      g_strdup_printf ("IP:%s," NETWORK_NAMES, vigil_fixture_get_address ());

  if (g_path_is_absolute (given)) {
    made.folder = g_strdup (given);
    return;
  }
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

char *
vigil_test_tls_dup_path (const char *file)
{
  pthread_once (&is_made, make);
  return g_build_filename (made.folder, file, NULL);
}

char *
vigil_test_tls_dup_broker_lines (void)
{
  if (!vigil_test_tls_is_on ())
    return g_strdup ("");
  g_autofree char *folder = vigil_test_tls_dup_path ("");
  return g_strdup_printf ("cafile %s/ca.crt\ncertfile %s/server.crt\n"
                          "keyfile %s/server.key\n",
      folder, folder, folder);
}
