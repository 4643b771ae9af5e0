/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "rest/rest-response.h"
#include "rest/rest-settings.h"
#include "server/instance-manager.h"

/* What a handler is given: it parses, calls and answers. */

#define VIGIL_REST_REQUEST_ARGUMENTS_MAX 3

/* What handlers need beside the request. */
typedef struct {
  VigilInstanceManager *manager;
  const VigilRestSettings *settings;
  uint16_t port; /* our own, as it was bound */
} VigilRestContext;

typedef struct {
  const VigilRestContext *context;
  /* Values of the path's {placeholders}, in order, decoded. */
  char *arguments[VIGIL_REST_REQUEST_ARGUMENTS_MAX];
  const VigilJson *body; /* an object where the route takes one; or NULL */
} VigilRestRequest;

/* Called in the HTTP thread, or in a worker when the route waits. */
typedef void (*VigilRestHandler) (
    const VigilRestRequest *request, VigilRestResponse *response);
