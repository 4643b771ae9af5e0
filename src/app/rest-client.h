/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/json.h"
#include <glib.h>

/* The other end of the REST interface: for the commands that control a
 * running server. */

/* Options that these commands share. */
typedef struct {
  char *server;           /* URL */
  char *token_file;       /* nullable */
  char *ca_file;          /* nullable: the system's authorities */
  char *certificate_file; /* nullable */
  char *key_file;         /* nullable */
  gboolean as_json;
} VigilRestClientOptions;

void vigil_rest_client_options_clear (VigilRestClientOptions *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (
    VigilRestClientOptions, vigil_rest_client_options_clear)

/*
 * Parses the command's options; as vigil_startup_parse_options. @more:
 * (nullable) the command's own. Takes VIGIL_SERVER, VIGIL_TOKEN_FILE and
 * REST_SERVER_PORT from the environment where no option is given.
 */
gboolean vigil_rest_client_parse_options (VigilRestClientOptions *self,
    int *argc, char ***argv, const char *parameters, const char *summary,
    const GOptionEntry *more, int max_arguments);

/*
 * Sends one request, with @body (nullable) as JSON, and waits for the
 * answer. Errors: UNAVAILABLE: the server cannot be reached; INVALID: it
 * refused, with its reason; PROTOCOL: what answers is no vigil.
 * Returns: (transfer full) (nullable): the answer's JSON.
 */
VigilJson *vigil_rest_client_ask (const VigilRestClientOptions *options,
    const char *method, const char *path, const VigilJson *body,
    GError **error);

/* Prints @value as JSON on one line, and a newline. */
void vigil_rest_client_print_json (const VigilJson *value);
/* Says @error on standard error. Returns: the exit status. */
int vigil_rest_client_fail (const GError *error);
