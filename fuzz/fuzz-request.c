/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A start request of anybody, up to where GStreamer would see it: limits of
 * the reader, schema, policy of sources and files, merge with an entry. The
 * first line is the path, the rest the body.
 */
#include "rest/rest-routes.h"
#include "rest/rest-source.h"
#include "server/request.h"

#include <stdint.h>
#include <string.h>

#define BODY_BYTES_MAX 65536
#define BODY_DEPTH_MAX 32
#define ENTRY                                                                  \
  "{\"mqtt_publisher\":[{\"name\":\"a\",\"host\":\"broker\",\"password\":"     \
  "\"CANARY\",\"tls\":{\"ca_cert\":\"x\"}},{\"name\":\"b\",\"qos\":1}]}"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void
find_route (const char *path)
{
  static const char *const methods[] = {"GET", "POST", "DELETE", "X"};

  for (size_t i = 0; i < G_N_ELEMENTS (methods); i++) {
    char *arguments[VIGIL_REST_REQUEST_ARGUMENTS_MAX] = {NULL};
    g_autofree char *allow = NULL;

    vigil_rest_routes_find (methods[i], path, arguments, &allow);
    for (unsigned j = 0; j < VIGIL_REST_REQUEST_ARGUMENTS_MAX; j++)
      g_free (arguments[j]);
  }
}

/* Every destination that is not the entry's own address has none of its
 * secrets: the merge of an unknown request never keeps both. */
static void
check_merged (const VigilJson *merged)
{
  const VigilJson *list = vigil_json_object_get (merged, "mqtt_publisher");

  for (size_t i = 0; i < vigil_json_array_size (list); i++) {
    const VigilJson *item = vigil_json_array_get (list, i);
    const char *password = vigil_schema_get_string (item, "password", NULL);

    if (g_strcmp0 (password, "CANARY") == 0)
      g_assert_cmpstr (
          vigil_schema_get_string (item, "host", NULL), ==, "broker");
  }
}

static void
check_body (const char *body, size_t size)
{
  static const VigilRestSettings remote = {0};
  g_autoptr (VigilJson) request = vigil_json_parse (
      body, (gssize)size, BODY_BYTES_MAX, BODY_DEPTH_MAX, NULL);
  g_autoptr (VigilProblems) problems = vigil_problems_new ();
  g_autoptr (VigilJson) entry =
      vigil_json_parse (ENTRY, -1, BODY_BYTES_MAX, BODY_DEPTH_MAX, NULL);

  if (request == NULL || vigil_json_get_type (request) != VIGIL_JSON_OBJECT)
    return;
  vigil_request_check (request, "", problems);
  if (vigil_problems_count_errors (problems) > 0)
    return;
  /* Names would be resolved: only what is no name goes there. */
  if (strstr (body, "://") == NULL)
    vigil_rest_source_check (request, &remote, 8080, NULL);
  for (int is_trusted = 0; is_trusted < 2; is_trusted++) {
    g_autoptr (VigilJson) merged =
        vigil_request_merge (entry, request, is_trusted, NULL);

    if (merged != NULL)
      check_merged (merged);
  }
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autofree char *text = g_strndup ((const char *)data, size);
  char *body = strchr (text, '\n');

  if (body == NULL)
    return 0;
  *body++ = '\0';
  find_route (text);
  check_body (body, strlen (body));
  return 0;
}
