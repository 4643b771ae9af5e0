/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/json.h"
#include "config/environment.h"
#include "config/problems.h"
#include "config/schema.h"
#include <stddef.h>

/* Z85 text of a CURVE key and its NUL. */
#define VIGIL_EIS_KEY_SIZE 41

/*
 * One entry of `interfaces.Publishers`: an endpoint of the EIS Message Bus
 * and what is published there. Immutable.
 */
typedef struct {
  char *name;
  char *endpoint;    /* as libzmq takes it: "tcp://0.0.0.0:65114" */
  char *socket_path; /* (nullable) of an IPC endpoint that we bind */
  int socket_mode;   /* permissions of that; -1: what the umask leaves */
  char *topic;       /* "" for "*" */
  gboolean is_brokered;
  size_t max_bytes; /* that may wait for one subscriber */
  gboolean is_secured;
  char secret_key[VIGIL_EIS_KEY_SIZE]; /* ours, when secured */
  char public_key[VIGIL_EIS_KEY_SIZE]; /* ours */
  char server_key[VIGIL_EIS_KEY_SIZE]; /* the broker's, when brokered */
  GStrv allowed; /* (nullable) keys of subscribers; NULL: all are let in */
} VigilEisSettings;

/* The keys of one entry of `interfaces.Publishers`. */
extern const VigilSchemaKey vigil_eis_settings_keys[];

/*
 * Reads the entry @json that stands at @path, with what the environment
 * overrides, and the key files it names (relative paths start at
 * @config_folder, nullable). Adds every problem; opens no socket.
 * Returns: (transfer full) (nullable): NULL when there was an error.
 */
VigilEisSettings *vigil_eis_settings_new (const VigilJson *json,
    const char *path, const VigilEnvironment *environment,
    const char *config_folder, VigilProblems *problems);
/* Wipes the keys. NULL is allowed. */
void vigil_eis_settings_free (VigilEisSettings *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VigilEisSettings, vigil_eis_settings_free)
