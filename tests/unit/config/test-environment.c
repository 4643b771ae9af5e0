/* SPDX-License-Identifier: Apache-2.0 */
#include "config/environment.h"

#include "base/error.h"
#include "common/fixture.h"
#include <string.h>

/* ---- One value ----------------------------------------------------------- */

static const struct {
  const char *name;
  const char *text;
  const char *value; /* of KEY; NULL: unset */
} values[] = {
    {"bare", "KEY=value\n", "value"},
    {"no-newline", "KEY=value", "value"},
    {"carriage-return", "A=1\r\nKEY=value\r\nB=2\r\n", "value"},
    {"byte-order-mark", "\xef\xbb\xbfKEY=value", "value"},
    {"export", "export KEY=value", "value"},
    {"export-tab", "export\t KEY=value", "value"},
    {"key-named-export", "export=1\nKEY=value", "value"},
    {"key-begins-export", "exported=1\nKEY=$exported", "1"},
    {"spaces", "  KEY = a b  \n", "a b"},
    {"colon", "KEY: value", "value"},
    {"empty", "KEY=\n", NULL},
    {"empty-quotes", "KEY=\"\"\n", NULL},
    {"empty-clears", "KEY=1\nKEY=", NULL},
    {"last-wins", "KEY=1\nKEY=2", "2"},
    {"comment-line", "# KEY=1\n  # KEY=2\nKEY=3", "3"},
    {"comment-behind", "KEY=value # KEY=2", "value"},
    {"comment-only", "KEY= # nothing", NULL},
    {"hash-inside", "KEY=a#b", "a#b"},
    {"hash-first", "KEY=#b", "#b"},
    {"hash-in-quotes", "KEY=\"a # b\" # c", "a # b"},
    {"equals-inside", "KEY=a=b==", "a=b=="},
    {"double-quotes", "KEY=\" a b \"", " a b "},
    {"single-quotes", "KEY=' a b '", " a b "},
    {"quotes-inside", "KEY=a\"b'c", "a\"b'c"},
    {"escapes", "KEY=\"a\\nb\\tc\\\"d\\\\e\\xf\"", "a\nb\tc\"d\\e\\xf"},
    {"no-escapes", "KEY='a\\nb'", "a\\nb"},
    {"escaped-single", "KEY='it\\'s'", "it's"},
    {"several-lines", "KEY=\"a\nb\"\nB=1", "a\nb"},
    {"variable", "A=1\nKEY=x${A}y$A.", "x1y1."},
    {"variable-quoted", "A=1\nKEY=\"x${A}y\"", "x1y"},
    {"variable-literal", "A=1\nKEY='x${A}y'", "x${A}y"},
    {"variable-unset", "KEY=x${NO_SUCH_NAME}y", "xy"},
    {"variable-default", "KEY=${NO_SUCH_NAME:-z}y", "zy"},
    {"variable-default-unused", "A=1\nKEY=${A:-z}y", "1y"},
    {"variable-later", "KEY=x$A\nA=1", "x"},
    {"variable-of-process", "KEY=$VIGIL_TEST_SET", "process"},
    {"dollar", "KEY=a$$b", "a$b"},
    {"dollar-escaped", "KEY=\"a\\$A\"", "a$A"},
    {"dollar-alone", "KEY=a$ b$1$", "a$ b$1$"},
    {"password", "KEY='p@$$w0rd#{}'", "p@$$w0rd#{}"},
};

static void
test_value (VigilFixture *fixture, gconstpointer data)
{
  const typeof (values[0]) *row = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (VigilEnvironment) environment =
      vigil_environment_parse (row->text, strlen (row->text), ".env", &error);
  g_assert_no_error (error);
  g_assert_cmpstr (vigil_environment_get (environment, "KEY"), ==, row->value);
}

/* ---- Faults ---------------------------------------------------------------
 */

static const struct {
  const char *name;
  const char *text;
  const char *message;
} faults[] = {
    {"no-equals", "A=1\nsecret\n", ".env, line 2: want KEY=VALUE*"},
    {"no-name", "=secret\n", ".env, line 1: want KEY=VALUE*"},
    {"space-in-name", "A secret=1\n", ".env, line 1: want KEY=VALUE*"},
    {"open-quote", "A=1\n\nB=\"secret\nC=1\n",
        ".env, line 3: a quote is opened and not closed*"},
    {"behind-quote", "A=\"x\"secret\n",
        ".env, line 1: text after the closing quote*"},
    {"open-brace", "A=${secret\n", ".env, line 1: '${' in a value*"},
    {"odd-brace", "A=${B:?secret}\n", ".env, line 1: '${' in a value*"},
    {"line-counts", "A='x\ny'\nB=\"\n\"\nsecret",
        ".env, line 5: want KEY=VALUE*"},
};

static void
test_fault (VigilFixture *fixture, gconstpointer data)
{
  const typeof (faults[0]) *row = data;
  g_autoptr (GError) error = NULL;
  g_assert_null (
      vigil_environment_parse (row->text, strlen (row->text), ".env", &error));
  g_assert_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID);
  if (!g_pattern_match_simple (row->message, error->message))
    g_error ("'%s' gives '%s'", row->text, error->message);
  g_assert_null (strstr (error->message, "secret"));
}

static void
test_nul_byte (VigilFixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_assert_null (vigil_environment_parse ("A=1\0", 4, ".env", &error));
  g_assert_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID);
}

static void
test_too_long (VigilFixture *fixture, gconstpointer data)
{
  g_autofree char *text = g_strnfill (2 * 1024 * 1024, '\n');
  g_autoptr (GError) error = NULL;
  g_assert_null (vigil_environment_parse (text, strlen (text), ".env", &error));
  g_assert_error (error, VIGIL_ERROR, VIGIL_ERROR_LIMIT);
}

/* Each line doubles what the one before has, or names it a thousand times. */
static void
test_too_many_variables (VigilFixture *fixture, gconstpointer data)
{
  for (unsigned i = 0; i < 2; i++) {
    g_autoptr (GString) text = g_string_new ("K0=0123456789\n");
    for (unsigned line = 1; line < 64; line++) {
      g_string_append_printf (text, "K%u=", line);
      for (unsigned name = 0; name < (i == 0 ? 2 : 1000); name++)
        g_string_append_printf (text, "$K%u", line - 1);
      g_string_append_c (text, '\n');
    }
    g_autoptr (GError) error = NULL;
    g_assert_null (
        vigil_environment_parse (text->str, text->len, ".env", &error));
    g_assert_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID);
    g_assert_true (g_pattern_match_simple (
        ".env, line *: *at most 4 MiB", error->message));
  }
}

/* ---- Files and the process ------------------------------------------------
 */

static void
test_process_wins (VigilFixture *fixture, gconstpointer data)
{
  g_autofree char *path = vigil_fixture_write (fixture, ".env",
      "VIGIL_TEST_SET=file\nVIGIL_TEST_EMPTY=file\nONLY=file\n");
  g_autoptr (GError) error = NULL;
  g_autoptr (VigilEnvironment) environment =
      vigil_environment_new (path, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (
      vigil_environment_get (environment, "VIGIL_TEST_SET"), ==, "process");
  /* Empty is unset, so the file has its say. */
  g_assert_cmpstr (
      vigil_environment_get (environment, "VIGIL_TEST_EMPTY"), ==, "file");
  g_assert_cmpstr (vigil_environment_get (environment, "ONLY"), ==, "file");
  g_assert_null (vigil_environment_get (environment, "NO_SUCH_NAME"));
}

static void
test_no_file (VigilFixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VigilEnvironment) environment =
      vigil_environment_new (NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (
      vigil_environment_get (environment, "VIGIL_TEST_SET"), ==, "process");
  g_assert_null (vigil_environment_get (environment, "VIGIL_TEST_EMPTY"));
}

static void
test_missing_file (VigilFixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_assert_null (vigil_environment_new ("/nowhere/.env", &error));
  g_assert_error (error, VIGIL_ERROR, VIGIL_ERROR_NOT_FOUND);
}

static void
test_integer (VigilFixture *fixture, gconstpointer data)
{
  const char *text = "PORT=8883\nBAD=88x\nBIG=70000\n";
  g_autoptr (GError) error = NULL;
  g_autoptr (VigilEnvironment) environment =
      vigil_environment_parse (text, strlen (text), ".env", &error);
  g_assert_no_error (error);
  int64_t value = 1883;
  g_assert_true (vigil_environment_get_integer (
      environment, "NO_SUCH_NAME", 1, 65535, &value, &error));
  g_assert_cmpint (value, ==, 1883);
  g_assert_true (vigil_environment_get_integer (
      environment, "PORT", 1, 65535, &value, &error));
  g_assert_cmpint (value, ==, 8883);
  g_assert_false (vigil_environment_get_integer (
      environment, "BAD", 1, 65535, &value, &error));
  g_assert_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID);
  g_assert_cmpstr (
      error->message, ==, "BAD '88x' in .env, line 2: want 1 to 65535");
  g_clear_error (&error);
  g_assert_false (vigil_environment_get_integer (
      environment, "BIG", 1, 65535, &value, &error));
  g_clear_error (&error);
  g_assert_false (vigil_environment_get_integer (
      environment, "VIGIL_TEST_SET", 1, 65535, &value, &error));
  g_assert_cmpstr (error->message, ==,
      "VIGIL_TEST_SET 'process' in the environment: want 1 to 65535");
  g_assert_cmpint (value, ==, 8883);
}

static void
add (const char *path, gconstpointer data,
    void (*function) (VigilFixture *, gconstpointer))
{
  g_test_add (path, VigilFixture, data, vigil_fixture_set_up, function,
      vigil_fixture_tear_down);
}

static void
test_boolean (VigilFixture *fixture, gconstpointer data)
{
  static const char text[] = "A=yes\nB=OFF\nC=1\nD=maybe\n";
  g_autoptr (GError) error = NULL;
  g_autoptr (VigilEnvironment) environment =
      vigil_environment_parse (text, strlen (text), ".env", &error);
  gboolean value = FALSE;

  g_assert_no_error (error);
  g_assert_true (
      vigil_environment_get_boolean (environment, "A", &value, &error));
  g_assert_true (value);
  g_assert_true (
      vigil_environment_get_boolean (environment, "B", &value, &error));
  g_assert_false (value);
  g_assert_true (
      vigil_environment_get_boolean (environment, "C", &value, &error));
  g_assert_true (value);
  /* Left alone: what is not set, and what is no boolean. */
  g_assert_true (
      vigil_environment_get_boolean (environment, "E", &value, &error));
  g_assert_true (value);
  g_assert_false (
      vigil_environment_get_boolean (environment, "D", &value, &error));
  g_assert_true (value);
  g_assert_cmpstr (
      error->message, ==, "D 'maybe' in .env, line 4: want true or false");
}

int
main (int argc, char **argv)
{
  g_setenv ("VIGIL_TEST_SET", "process", TRUE);
  g_setenv ("VIGIL_TEST_EMPTY", "", TRUE);
  vigil_fixture_init (&argc, &argv, 0);
  for (size_t i = 0; i < G_N_ELEMENTS (values); i++) {
    g_autofree char *path =
        g_strdup_printf ("/environment/value/%s", values[i].name);
    add (path, &values[i], test_value);
  }
  for (size_t i = 0; i < G_N_ELEMENTS (faults); i++) {
    g_autofree char *path =
        g_strdup_printf ("/environment/fault/%s", faults[i].name);
    add (path, &faults[i], test_fault);
  }
  add ("/environment/fault/nul-byte", NULL, test_nul_byte);
  add ("/environment/fault/too-long", NULL, test_too_long);
  add ("/environment/fault/too-many-variables", NULL, test_too_many_variables);
  add ("/environment/process-wins", NULL, test_process_wins);
  add ("/environment/no-file", NULL, test_no_file);
  add ("/environment/missing-file", NULL, test_missing_file);
  add ("/environment/integer", NULL, test_integer);
  add ("/environment/boolean", NULL, test_boolean);
  return g_test_run ();
}
