/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/json.h"
#include <glib.h>

/*
 * What a handler answers. Bodies are JSON, indented by two, with a newline
 * behind them: a value, a literal string of DLSPS, or a problem (RFC 7807),
 * the form in which DLSPS reports what its framework refuses.
 */
typedef struct {
  unsigned status;
  const char *content_type; /* static */
  GString *body;
  const char *allow;      /* nullable: the Allow header; borrowed */
  unsigned retry_after_s; /* 0: no such header */
} VigilRestResponse;

/* An empty answer of status 200. */
void vigil_rest_response_init (VigilRestResponse *self);
void vigil_rest_response_clear (VigilRestResponse *self);

/* Answers the quoted string @text. */
void vigil_rest_response_set_string (
    VigilRestResponse *self, unsigned status, const char *text);
/* Answers a problem; @format tells the field and what was wanted. */
void vigil_rest_response_set_problem (VigilRestResponse *self, unsigned status,
    const char *format, ...) G_GNUC_PRINTF (3, 4);
/* Answers the problem that @error is, with user information in URIs masked. */
void vigil_rest_response_set_error (
    VigilRestResponse *self, const GError *error);
/* Lays out and ends a JSON body that was written to self->body. */
void vigil_rest_response_finish_json (VigilRestResponse *self, unsigned status);

/* "Not Found" ...: the words of RFC 9110. */
const char *vigil_rest_response_reason (unsigned status);
