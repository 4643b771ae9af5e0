/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "rest/rest-access.h"
#include "rest/rest-request.h"
#include "rest/rest-routes.h"
#include <microhttpd.h>

/*
 * One request and its answer: what is checked before a handler sees it, in
 * the order that costs least and tells strangers least.
 */
typedef struct {
  const VigilRestContext *context;
  const VigilRestAccess *access; /* while new runs */
  struct MHD_Connection *connection;
  const VigilRestRoute *route; /* nullable: it was refused */
  VigilRestRequest request;
  GString *body;    /* nullable: as it came so far */
  VigilJson *value; /* nullable: the body, parsed */
  VigilRestResponse response;
  gboolean is_answered; /* response is ready */
  const char *origin;   /* nullable: a foreign page that may read it */
} VigilRestExchange;

/*
 * A request whose headers are complete. Checks Host, Origin, route, role,
 * type and announced size; what fails is in the response, and is_answered
 * is set. HTTP thread. Returns: (transfer full).
 */
VigilRestExchange *vigil_rest_exchange_new (const VigilRestContext *context,
    const VigilRestAccess *access, struct MHD_Connection *connection,
    const char *method, const char *path);
void vigil_rest_exchange_free (VigilRestExchange *self);

/* Whether a body belongs to the request. HTTP thread. */
gboolean vigil_rest_exchange_has_body (const VigilRestExchange *self);

/* A piece of the body; too much of it is answered at once. HTTP thread. */
void vigil_rest_exchange_append (
    VigilRestExchange *self, const char *data, size_t size);

/* The body is complete: parses it. HTTP thread. */
void vigil_rest_exchange_end_body (VigilRestExchange *self);

/* Runs the handler. Any thread, one at a time. */
void vigil_rest_exchange_handle (VigilRestExchange *self);

/* Queues the response. HTTP thread. */
enum MHD_Result vigil_rest_exchange_answer (VigilRestExchange *self);
