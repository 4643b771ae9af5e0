/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "config/config.h"
#include "config/environment.h"
#include "config/problems.h"
#include "config/schema.h"
#include <stdint.h>

/*
 * Where viewers find the streams of `destination.frame`: `config.rtsp` of
 * config.json, and the variables that DLSPS has for it (ENABLE_RTSP,
 * RTSP_PORT). Immutable once made.
 */
typedef struct {
  gboolean is_enabled;
  char *address; /* numeric, to listen on */
  uint16_t port; /* 0: any free one */
  gboolean is_loopback;
  unsigned viewers_max; /* of all streams together */
} VigilRtspSettings;

extern const VigilSchemaKey vigil_rtsp_settings_keys[];

/*
 * Reads the settings; adds every problem: wrong values, and an address
 * beyond loopback without the word that allows it.
 * Returns: (transfer full).
 */
VigilRtspSettings *vigil_rtsp_settings_new (const VigilConfig *config,
    const VigilEnvironment *environment, VigilProblems *problems);
void vigil_rtsp_settings_free (VigilRtspSettings *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VigilRtspSettings, vigil_rtsp_settings_free)
