/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "config/environment.h"
#include "config/problems.h"
#include "rtsp/rtsp-settings.h"
#include <stdint.h>

/* Limits of the server, and the variables that set them. */
typedef struct {
  int max_running;        /* MAX_RUNNING_PIPELINES; negative: no limit */
  unsigned keep_finished; /* ended instances whose status is kept */
  int64_t eos_ms;         /* a stop waits this long for the end of stream */
  int64_t flush_ms;       /* and this long for the destinations */
  int64_t stop_ms;        /* the whole stop of the program */
  /* (nullable) Where `destination.frame` is served; must outlive what is
   * made with these settings. Not set by init: it needs the configuration. */
  const VigilRtspSettings *rtsp;
} VigilSettings;

/*
 * Reads the variables; adds a problem for each that cannot be used, with
 * the variable's name as path, and takes its default.
 */
void vigil_settings_init (VigilSettings *self,
    const VigilEnvironment *environment, VigilProblems *problems);

/*
 * An integer variable in @minimum..@maximum. Returns: @fallback when it is
 * not set, or cannot be used, which is added to @problems.
 */
int64_t vigil_settings_get_integer (const VigilEnvironment *environment,
    const char *name, int64_t minimum, int64_t maximum, int64_t fallback,
    VigilProblems *problems);

/* The same for a boolean: y, yes, t, true, on, 1 and their opposites, in
 * any case. */
gboolean vigil_settings_get_boolean (const VigilEnvironment *environment,
    const char *name, gboolean fallback, VigilProblems *problems);
