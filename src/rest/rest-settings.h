/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "config/config.h"
#include "config/environment.h"
#include "config/problems.h"
#include "config/schema.h"
#include <stdint.h>

/*
 * How the REST interface is served: `config.rest` of config.json, and the
 * variables that DLSPS has for it. Immutable once made.
 */
typedef struct {
  gboolean is_enabled;
  char *address;     /* numeric, to listen on */
  uint16_t port;     /* 0: any free one */
  char *tokens_file; /* nullable */
  gboolean use_tls;
  gboolean verify_clients; /* mutual TLS */
  char *certificate_file;  /* with use_tls */
  char *key_file;
  char *client_ca_file; /* with verify_clients */
  char **host_names;    /* (nullable) that a Host header may have */
  char **origins;       /* (nullable) of web pages that may call us */
  char **folders;       /* (nullable) of files that remote clients may name */
  gboolean allow_elements; /* remote clients may name source elements */
  gboolean is_loopback;    /* address is 127.0.0.0/8 or ::1 */
  /* limits */
  unsigned max_instances; /* that run or wait; more starts are a 429 */
  size_t body_bytes_max;
  size_t header_bytes_max;
  size_t uri_length_max;
  unsigned depth_max; /* of JSON */
  unsigned connections_max;
  unsigned workers;  /* requests that wait at the same time, in each place */
  int64_t header_ms; /* until the headers are there */
  int64_t body_ms;   /* from then until the body is */
  int64_t answer_ms; /* until the answer is taken */
  int64_t stop_ms;   /* that DELETE waits for the end */
} VigilRestSettings;

extern const VigilSchemaKey vigil_rest_settings_keys[];

/*
 * Reads the settings; adds every problem: wrong values, files that are
 * missing, an address beyond loopback that nothing protects.
 * Returns: (transfer full).
 */
VigilRestSettings *vigil_rest_settings_new (const VigilConfig *config,
    const VigilEnvironment *environment, VigilProblems *problems);
void vigil_rest_settings_free (VigilRestSettings *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VigilRestSettings, vigil_rest_settings_free)
