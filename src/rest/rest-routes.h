/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "rest/rest-access.h"
#include "rest/rest-request.h"

/* The one table of what the server answers. */

/* Where a handler runs. */
typedef enum {
  VIGIL_REST_AT_ONCE,  /* in the HTTP thread: it never waits */
  VIGIL_REST_CONTROLS, /* in a worker: it waits for a start or a stop */
  VIGIL_REST_IMAGES,   /* in another worker: it waits for a frame, for as long
                          as the client likes */
  VIGIL_REST_PLACES,
} VigilRestPlace;

typedef struct {
  const char *method;
  const char *path; /* segments; "{name}" matches any one segment */
  VigilRestRole role;
  gboolean takes_body; /* JSON, an object */
  VigilRestPlace place;
  VigilRestHandler handle;
} VigilRestRoute;

/* The table, terminated by a NULL method. The first match counts. */
extern const VigilRestRoute vigil_rest_routes[];

/*
 * The route of @method (HEAD counts as GET) and @path; fills @arguments
 * (transfer full) then. Returns: (nullable): NULL when there is none; then
 * @ret_allow (transfer full) (nullable) lists the methods that the path
 * knows.
 */
const VigilRestRoute *vigil_rest_routes_find (const char *method,
    const char *path, char *arguments[VIGIL_REST_REQUEST_ARGUMENTS_MAX],
    char **ret_allow);
