/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include "base/json.h"
#include <string.h>

static const struct {
  const char *name;
  gboolean is_known;
  GLogLevelFlags threshold;
} names[] = {
    {"DEBUG", TRUE, G_LOG_LEVEL_DEBUG},
    {"info", TRUE, G_LOG_LEVEL_INFO},
    {"Warn", TRUE, G_LOG_LEVEL_WARNING},
    {"WARNING", TRUE, G_LOG_LEVEL_WARNING},
    {"ERROR", TRUE, G_LOG_LEVEL_CRITICAL},
    {"", FALSE, 0},
    {"INFORMATION", FALSE, 0},
    {NULL, FALSE, 0},
};

static void
test_level_names (void)
{
  for (size_t i = 0; i < G_N_ELEMENTS (names); i++) {
    GLogLevelFlags threshold = 0;
    g_assert_cmpint (vigil_log_parse_level (names[i].name, &threshold), ==,
        names[i].is_known);
    g_assert_cmpint (threshold, ==, names[i].threshold);
  }
}

static const struct {
  const char *text;
  const char *masked; /* NULL: the same */
} masks[] = {
    {"nothing to hide", NULL},
    {"", NULL},
    {"rtsp://camera:554/a?b=c@d", NULL},
    {"http://[::1]:80/a@b", NULL},
    {"file:///a/b@c", NULL},
    {"rtsp://user:password@camera/1", "rtsp://***@camera/1"},
    {"rtsp://user@camera", "rtsp://***@camera"},
    {"rtsp://user:p@ss@camera/", "rtsp://***@camera/"},
    {"rtsp://user:p/ss@camera/", "rtsp://***@camera/"},
    {"rtsp://user:p?s#s@camera/", "rtsp://***@camera/"},
    {"from rtsp://a:b@c/ to mqtt://d:e@f: failed",
        "from rtsp://***@c/ to mqtt://***@f: failed"},
    {"{\"uri\":\"rtsp://a:b@c\",\"mail\":\"x@y\"}",
        "{\"uri\":\"rtsp://***@c\",\"mail\":\"x@y\"}"},
};

static void
test_mask (void)
{
  for (size_t i = 0; i < G_N_ELEMENTS (masks); i++) {
    g_autofree char *masked = vigil_log_mask (masks[i].text);
    g_assert_cmpstr (
        masked, ==, masks[i].masked != NULL ? masks[i].masked : masks[i].text);
  }
}

static void
test_gate (void)
{
  VigilLogGate gate = {0};
  uint64_t suppressed = 99;
  g_assert_true (vigil_log_gate_open (&gate, 1000, 5000000, &suppressed));
  g_assert_cmpuint (suppressed, ==, 0);
  suppressed = 99;
  g_assert_false (vigil_log_gate_open (&gate, 1000, 5000001, &suppressed));
  g_assert_false (vigil_log_gate_open (&gate, 1000, 5999999, &suppressed));
  g_assert_cmpuint (suppressed, ==, 99);
  g_assert_true (vigil_log_gate_open (&gate, 1000, 6000000, &suppressed));
  g_assert_cmpuint (suppressed, ==, 2);
  g_assert_true (vigil_log_gate_open (&gate, 1000, 7000000, &suppressed));
  g_assert_cmpuint (suppressed, ==, 0);
}

/* ---- The writer, in a child: it can be installed once only --------------- */

static void
log_some (void)
{
  g_log ("vigil-test", G_LOG_LEVEL_DEBUG, "one");
  g_log ("vigil-test", G_LOG_LEVEL_INFO, "two rtsp://u:secret@h/");
  g_log ("GLib-Net", G_LOG_LEVEL_INFO, "three");
  g_log ("GLib-Net", G_LOG_LEVEL_MESSAGE, "four\nforged \033[31m \xff");
  g_log (NULL, G_LOG_LEVEL_MESSAGE, "five");
  g_log_set_always_fatal (G_LOG_FATAL_MASK);
  g_log ("vigil-test", G_LOG_LEVEL_WARNING, "six");
}

static void
run_child (
    const char *name, const char *const *wanted, const char *const *unwanted)
{
  g_autofree char *path = g_strdup_printf ("/log/subprocess/%s", name);
  g_test_trap_subprocess (path, 0, 0);
  g_test_trap_assert_passed ();
  for (; *wanted != NULL; wanted++)
    g_test_trap_assert_stderr (*wanted);
  for (; *unwanted != NULL; unwanted++)
    g_test_trap_assert_stderr_unmatched (*unwanted);
}

static void
run_text (void)
{
  vigil_log_install (VIGIL_LOG_TEXT, G_LOG_LEVEL_INFO);
  log_some ();
}

static void
test_text (void)
{
  static const char *const wanted[] = {
      "20*T*Z INFO vigil-test: two rtsp://*\n*",
      "*\n20*T*Z MESSAGE GLib-Net: four\\nforged "
      "\\u001b[31m \\xff\n*",
      "* MESSAGE default: five\n*",
      "* WARNING vigil-test: six\n",
      NULL,
  };
  static const char *const unwanted[] = {
      "*one*", "*three*", "*secret*", "*\nforged*", NULL};
  run_child ("text", wanted, unwanted);
}

static void
run_quiet (void)
{
  vigil_log_install (VIGIL_LOG_TEXT, G_LOG_LEVEL_CRITICAL);
  log_some ();
}

/* However quiet, a warning is heard. */
static void
test_quiet (void)
{
  static const char *const wanted[] = {"* WARNING vigil-test: six\n", NULL};
  static const char *const unwanted[] = {"*four*", "*five*", NULL};
  run_child ("quiet", wanted, unwanted);
}

static void
run_json (void)
{
  vigil_log_install (VIGIL_LOG_JSON, G_LOG_LEVEL_DEBUG);
  log_some ();
}

static void
test_json (void)
{
  static const char *const wanted[] = {
      "{\"time\":\"20*T*Z\",\"level\":\"debug\","
      "\"domain\":\"vigil-test\",\"message\":\"one\"}\n*",
      "*\"message\":\"two rtsp://*@h/\"}\n*",
      "*\"message\":\"four\\nforged \\u001b[31m \xef\xbf\xbd\"}\n*",
      "*\"level\":\"warning\",\"domain\":\"vigil-test\",\"message\":\"six\"}\n",
      NULL,
  };
  static const char *const unwanted[] = {"*three*", "*secret*", NULL};
  run_child ("json", wanted, unwanted);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/log/level-names", test_level_names);
  g_test_add_func ("/log/mask", test_mask);
  g_test_add_func ("/log/gate", test_gate);
  g_test_add_func ("/log/text", test_text);
  g_test_add_func ("/log/quiet", test_quiet);
  g_test_add_func ("/log/json", test_json);
  g_test_add_func ("/log/subprocess/text", run_text);
  g_test_add_func ("/log/subprocess/quiet", run_quiet);
  g_test_add_func ("/log/subprocess/json", run_json);
  return g_test_run ();
}
