/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/tls-settings.h"

#include "common/fixture.h"
#include "common/pki.h"

#include <glib/gstdio.h>
#include <string.h>

static void
make_folder (VigilFixture *self, const char *name)
{
  g_autofree char *path = g_build_filename (self->folder, name, NULL);

  g_assert_cmpint (g_mkdir_with_parents (path, 0700), ==, 0);
}

/* ---- Paths ----------------------------------------------------------- */

typedef struct {
  const char *name;
  const char *present;       /* a file below the folder; nullable */
  const char *config_folder; /* below the folder; nullable */
  const char *file;
  const char *path;         /* with a slash in front: below the folder */
  const char *certificates; /* said to be used; nullable */
} PathCase;

static const PathCase path_cases[] = {
    {"relative", NULL, "c", "x/ca.crt", "/c/x/ca.crt", NULL},
    {"relative-to-nothing", NULL, NULL, "x/ca.crt", "x/ca.crt", NULL},
    {"beside", "c/certificates/ca.crt", "c", "/MqttCerts/ca.crt",
        "/c/certificates/ca.crt", "/c/certificates"},
    {"deeper", "c/certificates/client/client.key", "c",
        "/MqttCerts/client/client.key", "/c/certificates/client/client.key",
        "/c/certificates"},
    {"beside-configs", "certificates/ca.crt", "configs/default",
        "/MqttCerts/ca.crt", "/certificates/ca.crt", "/certificates"},
    {"only-configs", "certificates/ca.crt", "other/default",
        "/MqttCerts/ca.crt", "=/MqttCerts/ca.crt", NULL},
    {"missing", NULL, "c", "/MqttCerts/ca.crt", "=/MqttCerts/ca.crt", NULL},
    {"other-absolute", "c/certificates/ca.crt", "c", "/none/ca.crt",
        "=/none/ca.crt", NULL},
    {"similar-name", "c/certificates/ca.crt", "c", "/MqttCertsX/ca.crt",
        "=/MqttCertsX/ca.crt", NULL},
};

static void
test_path (VigilFixture *self, const void *data)
{
  const PathCase *row = data;
  g_autofree char *config_folder =
      row->config_folder != NULL
          ? g_build_filename (self->folder, row->config_folder, NULL)
          : NULL;
  g_autofree char *certificates = NULL;

  if (row->config_folder != NULL)
    make_folder (self, row->config_folder);
  if (row->present != NULL) {
    g_autofree char *folder = g_path_get_dirname (row->present);
    make_folder (self, folder);
    g_free (vigil_fixture_write (self, row->present, ""));
  }
  g_autofree char *path =
      vigil_tls_settings_dup_path (row->file, config_folder, &certificates);
  g_autofree char *expected = row->path[0] == '=' ? g_strdup (row->path + 1)
                              : row->path[0] == '/'
                                  ? g_strconcat (self->folder, row->path, NULL)
                                  : g_strdup (row->path);
  g_assert_cmpstr (path, ==, expected);
  if (row->certificates == NULL) {
    g_assert_null (certificates);
    return;
  }
  g_autofree char *used = g_strconcat (self->folder, row->certificates, NULL);
  g_assert_cmpstr (certificates, ==, used);
}

/* ---- Blocks ---------------------------------------------------------- */

typedef struct {
  const char *name;
  const char *block;
  const char *problems; /* "E path: part of the text", one a line */
} BlockCase;

static const BlockCase block_cases[] = {
    {"empty", "{}", ""},
    {"all",
        "{\"ca_cert\":\"ca.crt\",\"client_cert\":\"client.crt\","
        "\"client_key\":\"client.key\",\"crl\":\"ca.crl\","
        "\"min_version\":\"1.3\",\"alpn\":\"mqtt\"}",
        ""},
    {"null-is-absent", "{\"ca_cert\":null,\"crl\":null}", ""},
    {"missing-file", "{\"ca_cert\":\"none.crt\"}",
        "E p.ca_cert: a file that the tls settings name cannot be used"},
    {"container-file", "{\"client_cert\":\"/MqttCerts/a\"}",
        "E p.client_key: a client certificate and its key"},
    {"wrong-key", "{\"client_cert\":\"client.crt\",\"client_key\":\"ca.key\"}",
        "E p.client_key: '"},
    {"insecure", "{\"insecure_skip_verify\":true}",
        "W p.insecure_skip_verify: whoever answers"},
    {"version", "{\"min_version\":\"1.1\"}", "E p.min_version: "},
    {"empty-string", "{\"alpn\":\"\"}", "E p.alpn: "},
    {"wrong-type", "{\"ca_cert\":1}", "E p.ca_cert: "},
    {"unknown-key", "{\"cacert\":\"ca.crt\"}", "W p.cacert: "},
};

static void
test_block (VigilFixture *self, const void *data)
{
  const BlockCase *row = data;
  g_autoptr (VigilTestPki) pki = vigil_test_pki_new (self->folder);
  g_autoptr (VigilProblems) problems = vigil_problems_new ();
  g_autoptr (GError) error = NULL;
  g_autoptr (VigilJson) block =
      vigil_json_parse (row->block, -1, 1000, 4, &error);

  g_assert_no_error (error);
  vigil_test_pki_add (
      pki, "client", &(VigilTestCertificate){.common_name = "client"});
  vigil_test_pki_write_crl (pki, "ca.crl", "ca", NULL, 3600);
  vigil_schema_check (vigil_tls_settings_keys, block, "p", problems);
  if (vigil_problems_count_errors (problems) == 0)
    vigil_tls_settings_check (block, self->folder, "p", problems);

  g_autoptr (GString) text = g_string_new (NULL);
  for (unsigned i = 0; i < vigil_problems_get_size (problems); i++) {
    const VigilProblem *problem = vigil_problems_get (problems, i);
    g_string_append_printf (text, "%s%c %s: %s", i > 0 ? "\n" : "",
        problem->severity == VIGIL_PROBLEM_ERROR ? 'E' : 'W', problem->path,
        problem->text);
  }
  g_test_message ("%s", text->str);
  if (*row->problems == '\0')
    g_assert_cmpstr (text->str, ==, "");
  else
    g_assert_true (g_str_has_prefix (text->str, row->problems));

  if (vigil_problems_count_errors (problems) > 0)
    return;
  g_autoptr (VigilMqttTls) tls =
      vigil_tls_settings_open (block, self->folder, &error);
  g_assert_no_error (error);
  g_assert_nonnull (tls);
}

int
main (int argc, char **argv)
{
  vigil_fixture_init (&argc, &argv, 0);
  for (unsigned i = 0; i < G_N_ELEMENTS (path_cases); i++) {
    g_autofree char *path =
        g_strconcat ("/tls-settings/path/", path_cases[i].name, NULL);
    g_test_add (path, VigilFixture, &path_cases[i], vigil_fixture_set_up,
        test_path, vigil_fixture_tear_down);
  }
  for (unsigned i = 0; i < G_N_ELEMENTS (block_cases); i++) {
    g_autofree char *path =
        g_strconcat ("/tls-settings/block/", block_cases[i].name, NULL);
    g_test_add (path, VigilFixture, &block_cases[i], vigil_fixture_set_up,
        test_block, vigil_fixture_tear_down);
  }
  return g_test_run ();
}
