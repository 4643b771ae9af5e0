/* SPDX-License-Identifier: Apache-2.0 */
/* What a request may read and write. */
#include "common/fixture.h"

#include "base/error.h"
#include "rest/rest-source.h"
#include <string.h>
#include <unistd.h>

#define PORT 18080

typedef struct {
  const char *source;  /* members of the source */
  const char *refusal; /* part of the message; NULL: it is allowed */
} Case;

static gboolean
check (const char *text, const VigilRestSettings *settings, GError **error)
{
  g_autoptr (VigilJson) request = vigil_json_parse (text, -1, 65536, 32, error);

  return request != NULL &&
         vigil_rest_source_check (request, settings, PORT, error);
}

static void
run_case (const Case *test, const VigilRestSettings *settings)
{
  g_autofree char *text = g_strdup_printf ("{\"source\":{%s}}", test->source);
  g_autoptr (GError) error = NULL;
  gboolean is_allowed = check (text, settings, &error);

  if (test->refusal == NULL) {
    g_assert_no_error (error);
    g_assert_true (is_allowed);
    return;
  }
  g_assert_false (is_allowed);
  g_assert_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID);
  if (strstr (error->message, test->refusal) == NULL)
    g_error ("'%s' is not in '%s'", test->refusal, error->message);
}

#define URI(text) "\"type\":\"uri\",\"uri\":\"" text "\""

static const Case local_cases[] = {
    {URI ("file:///etc/passwd"), NULL},
    {URI ("rtsp://127.0.0.1/"), NULL},
    {URI ("rtsp://user:password@10.0.0.1:8554/a?b=c"), NULL},
    {URI ("RTSP://10.0.0.1/"), NULL},
    {"\"type\":\"gst\",\"element\":\"videotestsrc\"", NULL},
    {"\"type\":\"webcam\",\"device\":\"/dev/video0\"", NULL},
    {URI ("http://169.254.0.1/"), "link-local"},
    {URI ("http://0xa9fea9fe/"), "link-local"},
    {URI ("http://169.254.43518/"), "link-local"},
    {URI ("rtsp://[fe80::1]/"), "link-local"},
    {URI ("rtsp://[::ffff:169.254.1.1]/"), "link-local"},
    {URI ("http://127.0.0.1:18080/"), "this server itself"},
    {URI ("http://127.9.9.9:18080/"), "this server itself"},
    {URI ("http://127.0.0.1:18081/"), NULL},
    {URI ("v4l2:///dev/video0"), "scheme"},
    {URI ("javascript:alert(1)"), "scheme"},
    {URI ("rtsp:///path"), "host"},
    {URI ("video.avi"), "source.uri"},
    {URI ("rtsp://a\\r\\nb/"), "control characters"},
    {"\"type\":\"uri\",\"uri\":\"rtsp://a/\",\"properties\":{\"proxy\":"
     "\"http://169.254.0.1/\"}",
        "source.properties.proxy"},
};

static void
test_local (VigilFixture *fixture, gconstpointer data)
{
  const VigilRestSettings settings = {.is_loopback = TRUE};

  for (size_t i = 0; i < G_N_ELEMENTS (local_cases); i++)
    run_case (&local_cases[i], &settings);
}

static void
test_remote (VigilFixture *fixture, gconstpointer data)
{
  static const Case cases[] = {
      {URI ("rtsp://10.0.0.1/"), NULL},
      {URI ("file:///etc/passwd"), "config.rest.folders"},
      {"\"type\":\"gst\",\"element\":\"videotestsrc\"", "allow_elements"},
      {"\"type\":\"webcam\",\"device\":\"/dev/video0\"", "allow_elements"},
      {"\"uri\":\"rtsp://10.0.0.1/\"", "source.type"},
      {"\"type\":\"uri\",\"uri\":\"rtsp://a/\",\"properties\":{\"location\":"
       "\"/etc/passwd\"}",
          "source.properties.location"},
  };
  const VigilRestSettings settings = {0};

  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++)
    run_case (&cases[i], &settings);
}

static void
check_file (
    const char *path, const VigilRestSettings *settings, gboolean is_allowed)
{
  g_autofree char *source =
      g_strdup_printf ("{\"source\":{" URI ("file://%s") "}}", path);
  g_autofree char *destination = g_strdup_printf (
      "{\"destination\":{\"metadata\":[{\"type\":\"file\",\"path\":\"%s\"}]}}",
      path);

  g_assert_cmpint (check (source, settings, NULL), ==, is_allowed);
  g_assert_cmpint (check (destination, settings, NULL), ==, is_allowed);
}

static void
test_folders (VigilFixture *fixture, gconstpointer data)
{
  g_autofree char *allowed = g_build_filename (fixture->folder, "in", NULL);
  g_autofree char *sibling = g_build_filename (fixture->folder, "inside", NULL);
  g_autofree char *link = g_build_filename (allowed, "link", NULL);
  char *folders[] = {allowed, NULL};
  const VigilRestSettings settings = {.folders = folders};
  g_autofree char *good = g_build_filename (allowed, "new.avi", NULL);
  g_autofree char *up = g_strconcat (allowed, "/../x", NULL);
  g_autofree char *beside = g_strconcat (sibling, "/x", NULL);
  g_autofree char *linked = g_strconcat (link, "/passwd", NULL);

  g_assert_cmpint (g_mkdir_with_parents (allowed, 0755), ==, 0);
  g_assert_cmpint (g_mkdir_with_parents (sibling, 0755), ==, 0);
  g_assert_cmpint (symlink ("/etc", link), ==, 0);
  check_file (good, &settings, TRUE);
  check_file (up, &settings, FALSE);
  check_file (beside, &settings, FALSE);
  check_file (linked, &settings, FALSE);
  check_file (allowed, &settings, FALSE);
  check_file ("/etc/passwd", &settings, FALSE);
  check_file ("/", &settings, FALSE);
}

/* The file destination starts at the configuration's folder, not here. */
static void
test_relative (VigilFixture *fixture, gconstpointer data)
{
  g_autofree char *here = g_get_current_dir ();
  char *folders[] = {here, NULL};
  const VigilRestSettings remote = {.folders = folders};
  const VigilRestSettings local = {.is_loopback = TRUE};
  const char *text = "{\"destination\":{\"metadata\":{\"type\":\"file\","
                     "\"path\":\"config.json\"}}}";

  g_assert_false (check (text, &remote, NULL));
  g_assert_true (check (text, &local, NULL));
}

int
main (int argc, char **argv)
{
  vigil_fixture_init (&argc, &argv, 0);
#define ADD(path, function)                                                    \
  g_test_add (path, VigilFixture, NULL, vigil_fixture_set_up, function,        \
      vigil_fixture_tear_down)
  ADD ("/rest-source/local", test_local);
  ADD ("/rest-source/remote", test_remote);
  ADD ("/rest-source/folders", test_folders);
  ADD ("/rest-source/relative", test_relative);
  return g_test_run ();
}
