/* SPDX-License-Identifier: Apache-2.0 */
/* Which handler answers which method and path. */
#include "rest/rest-routes.h"

#include "rest/rest-health.h"
#include "rest/rest-images.h"
#include "rest/rest-instances.h"
#include "rest/rest-metrics.h"
#include "rest/rest-models.h"
#include "rest/rest-openapi.h"
#include "rest/rest-pipelines.h"
#include <string.h>

#define READ VIGIL_REST_ROLE_READ
#define CONTROL VIGIL_REST_ROLE_CONTROL

const VigilRestRoute vigil_rest_routes[] = {
    {.method = "GET",
        .path = "/pipelines",
        .role = READ,
        .handle = vigil_rest_pipelines_list},
    {.method = "GET",
        .path = "/pipelines/status",
        .role = READ,
        .handle = vigil_rest_instances_list},
    {.method = "GET",
        .path = "/pipelines/{instance_id}/status",
        .role = READ,
        .handle = vigil_rest_instances_get_status},
    {.method = "GET",
        .path = "/pipelines/{instance_id}",
        .role = READ,
        .handle = vigil_rest_instances_get_summary},
    {.method = "POST",
        .path = "/pipelines/{name}/{version}",
        .role = CONTROL,
        .takes_body = TRUE,
        .place = VIGIL_REST_CONTROLS,
        .handle = vigil_rest_pipelines_start},
    {.method = "GET",
        .path = "/pipelines/{name}/{version}",
        .role = READ,
        .handle = vigil_rest_pipelines_get},
    {.method = "GET",
        .path = "/pipelines/{name}/{version}/{instance_id}",
        .role = READ,
        .handle = vigil_rest_instances_get_summary},
    {.method = "GET",
        .path = "/pipelines/{name}/{version}/{instance_id}/status",
        .role = READ,
        .handle = vigil_rest_instances_get_status},
    {.method = "DELETE",
        .path = "/pipelines/{name}/{version}/{instance_id}",
        .role = CONTROL,
        .place = VIGIL_REST_CONTROLS,
        .handle = vigil_rest_instances_stop},
    {.method = "DELETE",
        .path = "/pipelines/{instance_id}",
        .role = CONTROL,
        .place = VIGIL_REST_CONTROLS,
        .handle = vigil_rest_instances_stop},
    {.method = "POST",
        .path = "/pipelines/{name}/{version}/{instance_id}",
        .role = CONTROL,
        .takes_body = TRUE,
        .place = VIGIL_REST_IMAGES,
        .handle = vigil_rest_images_ingest},
    {.method = "GET",
        .path = "/models",
        .role = READ,
        .handle = vigil_rest_models_list},
    {.method = "POST",
        .path = "/pipelines/{name}/{version}/{instance_id}/models",
        .role = CONTROL,
        .takes_body = TRUE,
        .handle = vigil_rest_models_update},
    {.method = "GET",
        .path = "/health/live",
        .role = VIGIL_REST_ROLE_NONE,
        .handle = vigil_rest_health_get_live},
    {.method = "GET",
        .path = "/health/ready",
        .role = VIGIL_REST_ROLE_NONE,
        .handle = vigil_rest_health_get_ready},
    {.method = "GET",
        .path = "/metrics",
        .role = READ,
        .handle = vigil_rest_metrics_get},
    {.method = "GET",
        .path = "/openapi.json",
        .role = READ,
        .handle = vigil_rest_openapi_get},
    {.method = NULL},
};

/* The next segment of @path, which starts behind a slash. */
static size_t
measure_segment (const char *path)
{
  return strcspn (path, "/");
}

static gboolean
is_placeholder (const char *segment, size_t length)
{
  return length > 2 && segment[0] == '{' && segment[length - 1] == '}';
}

static void
clear_arguments (char *arguments[VIGIL_REST_REQUEST_ARGUMENTS_MAX])
{
  for (unsigned i = 0; i < VIGIL_REST_REQUEST_ARGUMENTS_MAX; i++)
    g_clear_pointer (&arguments[i], g_free);
}

static gboolean
match (const char *pattern, const char *path,
    char *arguments[VIGIL_REST_REQUEST_ARGUMENTS_MAX])
{
  unsigned count = 0;

  for (; *pattern == '/' && *path == '/';) {
    size_t pattern_length = measure_segment (++pattern);
    size_t length = measure_segment (++path);

    if (is_placeholder (pattern, pattern_length)) {
      if (length == 0)
        return FALSE;
      arguments[count] = g_uri_unescape_segment (path, path + length, NULL);
      if (arguments[count++] == NULL)
        return FALSE; /* a bad escape, or a NUL */
    } else if (length != pattern_length ||
               strncmp (pattern, path, length) != 0) {
      return FALSE;
    }
    pattern += pattern_length;
    path += length;
  }
  return *pattern == '\0' && *path == '\0';
}

const VigilRestRoute *
vigil_rest_routes_find (const char *method, const char *path,
    char *arguments[VIGIL_REST_REQUEST_ARGUMENTS_MAX], char **ret_allow)
{
  g_autoptr (GString) allow = g_string_new (NULL);

  if (strcmp (method, "HEAD") == 0)
    method = "GET";
  for (const VigilRestRoute *route = vigil_rest_routes; route->method != NULL;
       route++) {
    if (match (route->path, path, arguments)) {
      if (strcmp (route->method, method) == 0)
        return route;
      if (strstr (allow->str, route->method) == NULL)
        g_string_append_printf (
            allow, "%s%s", allow->len > 0 ? ", " : "", route->method);
    }
    clear_arguments (arguments);
  }
  *ret_allow = allow->len > 0 ? g_strdup (allow->str) : NULL;
  return NULL;
}
