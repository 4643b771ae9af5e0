/* SPDX-License-Identifier: Apache-2.0 */
/* The address, the port, and who may reach them. */
#include "rtsp/rtsp-settings.h"

#include "common/fixture.h"
#include <string.h>

typedef struct {
  const char *name;
  const char *rtsp; /* config.rtsp */
  const char *variables;
  const char *address;
  unsigned port;
  gboolean is_enabled;
  const char *problem; /* path and part of its text; NULL: none */
} Row;

static const Row rows[] = {
    {"defaults", "{}", "", "127.0.0.1", 8554, TRUE, NULL},
    {"off", "{}", "ENABLE_RTSP=false\n", "127.0.0.1", 8554, FALSE, NULL},
    {"on", "{}", "ENABLE_RTSP=on\n", "127.0.0.1", 8554, TRUE, NULL},
    {"port", "{}", "RTSP_PORT=0\n", "127.0.0.1", 0, TRUE, NULL},
    {"another-loopback", "{\"address\":\"127.1.2.3\"}", "", "127.1.2.3", 8554,
        TRUE, NULL},
    {"not-boolean", "{}", "ENABLE_RTSP=perhaps\n", "127.0.0.1", 8554, TRUE,
        "ENABLE_RTSP: ENABLE_RTSP 'perhaps' in .env, line 1: want true"},
    {"not-port", "{}", "RTSP_PORT=70000\n", "127.0.0.1", 8554, TRUE,
        "RTSP_PORT: RTSP_PORT '70000' in .env, line 1: want 0 to 65535"},
    {"name", "{\"address\":\"localhost\"}", "", "localhost", 8554, TRUE,
        "config.rtsp.address: 'localhost': want a numeric address"},
    {"remote", "{\"address\":\"0.0.0.0\"}", "", "0.0.0.0", 8554, TRUE,
        "config.rtsp.address: '0.0.0.0' is reachable from other machines"},
    {"open", "{\"allow_unauthenticated_remote\":true}", "", "0.0.0.0", 8554,
        TRUE,
        "config.rtsp.allow_unauthenticated_remote: whoever reaches port 8554"},
    {"no-viewers", "{\"max_viewers\":0}", "", "127.0.0.1", 8554, TRUE,
        "config.rtsp.max_viewers: "},
    {"unknown-key", "{\"adress\":\"::1\"}", "", "127.0.0.1", 8554, TRUE,
        "config.rtsp.adress: "},
};

static void
test_row (VigilFixture *fixture, gconstpointer data)
{
  const Row *row = data;
  g_autofree char *text = g_strdup_printf (
      "{\"config\":{\"pipelines\":[],\"rtsp\":%s}}", row->rtsp);
  g_autoptr (VigilProblems) problems = vigil_problems_new ();
  g_autoptr (GError) error = NULL;
  g_autoptr (VigilConfig) config =
      vigil_config_parse (text, strlen (text), "config.json", problems, &error);
  g_autoptr (VigilEnvironment) environment = vigil_environment_parse (
      row->variables, strlen (row->variables), ".env", &error);
  g_autoptr (VigilProblems) own = vigil_problems_new ();
  g_autoptr (VigilRtspSettings) settings = NULL;

  g_assert_no_error (error);
  settings = vigil_rtsp_settings_new (config, environment, own);
  g_assert_cmpstr (settings->address, ==, row->address);
  g_assert_cmpuint (settings->port, ==, row->port);
  g_assert_cmpint (settings->is_enabled, ==, row->is_enabled);
  g_assert_cmpuint (
      vigil_problems_get_size (own), ==, row->problem == NULL ? 0 : 1);
  if (row->problem != NULL) {
    const VigilProblem *problem = vigil_problems_get (own, 0);
    g_autofree char *line =
        g_strdup_printf ("%s: %s", problem->path, problem->text);

    g_assert_true (g_str_has_prefix (line, row->problem));
  }
}

int
main (int argc, char **argv)
{
  vigil_fixture_init (&argc, &argv, 0);
  for (size_t i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *path = g_strdup_printf ("/rtsp-settings/%s", rows[i].name);

    g_test_add (path, VigilFixture, &rows[i], vigil_fixture_set_up, test_row,
        vigil_fixture_tear_down);
  }
  return g_test_run ();
}
