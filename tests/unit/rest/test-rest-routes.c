/* SPDX-License-Identifier: Apache-2.0 */
/* Paths to handlers, and the table against its description. */
#include "common/fixture.h"

#include "base/json.h"
#include "rest/rest-openapi.h"
#include "rest/rest-routes.h"

typedef struct {
  const char *method;
  const char *path;
  const char *route; /* NULL: none */
  const char *arguments;
  const char *allow;
} Case;

static const Case cases[] = {
    {"GET", "/pipelines", "/pipelines", "", NULL},
    {"HEAD", "/pipelines", "/pipelines", "", NULL},
    {"GET", "/pipelines/status", "/pipelines/status", "", NULL},
    {"GET", "/pipelines/abc", "/pipelines/{instance_id}", "abc", NULL},
    {"GET", "/pipelines/abc/status", "/pipelines/{instance_id}/status", "abc",
        NULL},
    {"GET", "/pipelines/a/b", "/pipelines/{name}/{version}", "a b", NULL},
    {"POST", "/pipelines/a/b", "/pipelines/{name}/{version}", "a b", NULL},
    {"GET", "/pipelines/a/b/c", "/pipelines/{name}/{version}/{instance_id}",
        "a b c", NULL},
    {"GET", "/pipelines/a%2Fb/c%20d", "/pipelines/{name}/{version}", "a/b c d",
        NULL},
    {"GET", "/pipelines/%00", NULL, "", NULL},
    {"GET", "/pipelines/%zz", NULL, "", NULL},
    {"GET", "/pipelines/", NULL, "", NULL},
    {"GET", "//pipelines", NULL, "", NULL},
    {"GET", "/pipeline", NULL, "", NULL},
    {"GET", "/pipelinesx", NULL, "", NULL},
    {"GET", "", NULL, "", NULL},
    {"GET", "/", NULL, "", NULL},
    {"GET", "/a/b/c/d/e/f/g", NULL, "", NULL},
    {"PUT", "/pipelines", NULL, "", "GET"},
    {"DELETE", "/pipelines/status", "/pipelines/{instance_id}", "status", NULL},
    {"PUT", "/pipelines/a", NULL, "", "GET, DELETE"},
    {"get", "/pipelines", NULL, "", "GET"},
};

static void
test_find (gconstpointer data)
{
  const Case *test = data;
  char *arguments[VIGIL_REST_REQUEST_ARGUMENTS_MAX] = {NULL};
  g_autofree char *allow = NULL;
  g_autofree char *joined = NULL;
  const VigilRestRoute *route =
      vigil_rest_routes_find (test->method, test->path, arguments, &allow);
  char *list[VIGIL_REST_REQUEST_ARGUMENTS_MAX + 1] = {NULL};

  for (unsigned i = 0; i < VIGIL_REST_REQUEST_ARGUMENTS_MAX; i++)
    list[i] = arguments[i];
  joined = g_strjoinv (" ", list);
  g_assert_cmpstr (joined, ==, test->arguments);
  if (test->route == NULL) {
    g_assert_null (route);
    g_assert_cmpstr (allow, ==, test->allow);
  } else {
    g_assert_nonnull (route);
    g_assert_cmpstr (route->path, ==, test->route);
  }
  for (unsigned i = 0; i < VIGIL_REST_REQUEST_ARGUMENTS_MAX; i++)
    g_free (arguments[i]);
}

/* Each route is described, and nothing else is. */
static void
test_description (void)
{
  VigilRestResponse response;
  g_autoptr (GError) error = NULL;
  g_autoptr (VigilJson) document = NULL;
  const VigilJson *paths;
  const VigilJson *item;
  VigilJsonIter iter = {0};
  const char *path;
  size_t described = 0;
  size_t routes = 0;

  vigil_rest_response_init (&response);
  vigil_rest_openapi_get (NULL, &response);
  document = vigil_json_parse (
      response.body->str, (gssize)response.body->len, 1024 * 1024, 32, &error);
  g_assert_no_error (error);
  paths = vigil_json_object_get (document, "paths");
  for (const VigilRestRoute *route = vigil_rest_routes; route->method != NULL;
       route++, routes++) {
    g_autofree char *method = g_ascii_strdown (route->method, -1);
    const VigilJson *operation = vigil_json_object_get (
        vigil_json_object_get (paths, route->path), method);

    if (operation == NULL)
      g_error ("%s %s is not described", route->method, route->path);
    g_assert_cmpint (vigil_json_object_get (operation, "requestBody") != NULL,
        ==, route->takes_body);
    g_assert_cmpint (vigil_json_object_get (operation, "security") != NULL, ==,
        route->role == VIGIL_REST_ROLE_NONE);
  }
  while (vigil_json_object_next (paths, &iter, &path, &item))
    described += vigil_json_object_size (item);
  g_assert_cmpuint (described, ==, routes);
  vigil_rest_response_clear (&response);
}

/* What changes something needs the role for it. */
static void
test_roles (void)
{
  for (const VigilRestRoute *route = vigil_rest_routes; route->method != NULL;
       route++)
    if (g_strcmp0 (route->method, "GET") != 0)
      g_assert_cmpint (route->role, ==, VIGIL_REST_ROLE_CONTROL);
    else if (!g_str_has_prefix (route->path, "/health/"))
      g_assert_cmpint (route->role, ==, VIGIL_REST_ROLE_READ);
}

int
main (int argc, char **argv)
{
  vigil_fixture_init (&argc, &argv, 0);
  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *path = g_strdup_printf ("/rest-routes/find/%zu", i);

    g_test_add_data_func (path, &cases[i], test_find);
  }
  g_test_add_func ("/rest-routes/description", test_description);
  g_test_add_func ("/rest-routes/roles", test_roles);
  return g_test_run ();
}
