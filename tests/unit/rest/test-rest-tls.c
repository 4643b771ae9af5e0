/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates of REST: what can be used, and what is said of the rest. */
#include "common/fixture.h"

#include "common/pki.h"
#include "rest/rest-tls.h"
#include <string.h>

typedef struct {
  VigilFixture fixture;
  VigilTestPki *pki;
} Run;

static void
set_up (Run *run, gconstpointer data)
{
  vigil_fixture_set_up (&run->fixture, data);
  run->pki = vigil_test_pki_new (run->fixture.folder);
  vigil_test_pki_add (
      run->pki, "server", &(VigilTestCertificate){.common_name = "server"});
  vigil_test_pki_add (
      run->pki, "other", &(VigilTestCertificate){.common_name = "other"});
  vigil_test_pki_add (run->pki, "locked",
      &(VigilTestCertificate){.common_name = "a", .key_password = "secret"});
}

static void
tear_down (Run *run, gconstpointer data)
{
  vigil_test_pki_free (run->pki);
  vigil_fixture_tear_down (&run->fixture, data);
}

static VigilRestTls *
load (Run *run, const char *certificate, const char *key, const char *client_ca,
    GError **error)
{
  VigilTestPki *pki = run->pki;
  const VigilRestSettings settings = {
      .use_tls = TRUE,
      .verify_clients = client_ca != NULL,
      .certificate_file = (char *)vigil_test_pki_path (pki, certificate),
      .key_file = (char *)vigil_test_pki_path (pki, key),
      .client_ca_file = client_ca == NULL
                            ? NULL
                            : (char *)vigil_test_pki_path (pki, client_ca),
  };

  return vigil_rest_tls_load (&settings, error);
}

static void
test_good (Run *run, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VigilRestTls) plain =
      load (run, "server.crt", "server.key", NULL, &error);
  g_autoptr (VigilRestTls) mutual =
      load (run, "server.crt", "server.key", "ca.crt", &error);
  VigilRestTls *other;

  g_assert_no_error (error);
  g_assert_nonnull (
      strstr (vigil_rest_tls_get_certificate (plain), "BEGIN CERTIFICATE"));
  g_assert_nonnull (strstr (vigil_rest_tls_get_key (plain), "PRIVATE KEY"));
  g_assert_null (vigil_rest_tls_get_client_ca (plain));
  g_assert_nonnull (vigil_rest_tls_get_client_ca (mutual));
  other = vigil_rest_tls_ref (mutual);
  g_assert_true (other == mutual);
  vigil_rest_tls_unref (other);
}

static void
test_bad (Run *run, gconstpointer data)
{
  static const struct {
    const char *files[3];
    const char *said[2];
  } cases[] = {
      {{"none.crt", "server.key"}, {"none.crt", "No such file"}},
      {{"server.crt", "none.key"}, {"none.key", "No such file"}},
      {{"server.crt", "server.key", "none"}, {"none", "No such file"}},
      {{"server.crt", "other.key"}, {"server.crt", "belong together"}},
      {{"server.key", "server.key"}, {"server.key", "PEM"}},
      {{"server.crt", "server.crt"}, {"server.crt", "PEM"}},
      {{"locked.crt", "locked.key"}, {"locked.key", "pass-phrase"}},
      {{"server.crt", "server.key", "server.key"}, {"server.key", "authority"}},
  };

  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (VigilRestTls) tls = load (
        run, cases[i].files[0], cases[i].files[1], cases[i].files[2], &error);

    g_assert_null (tls);
    g_assert_nonnull (error);
    g_test_message ("%s", error->message);
    for (size_t word = 0; word < G_N_ELEMENTS (cases[i].said); word++)
      g_assert_nonnull (strstr (error->message, cases[i].said[word]));
  }
}

int
main (int argc, char **argv)
{
  vigil_fixture_init (&argc, &argv, 0);
  g_test_add ("/rest-tls/good", Run, NULL, set_up, test_good, tear_down);
  g_test_add ("/rest-tls/bad", Run, NULL, set_up, test_bad, tear_down);
  return g_test_run ();
}
