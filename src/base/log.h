/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <stdint.h>

/*
 * Where the log lines of the program go. Modules write with g_debug,
 * g_info, g_message, g_warning and g_critical under the G_LOG_DOMAIN of
 * their folder ("vigil-mqtt"); main installs the writer.
 */

typedef enum {
  VIGIL_LOG_TEXT, /* time level domain: message */
  VIGIL_LOG_JSON, /* one JSON object a line */
} VigilLogFormat;

/*
 * Installs the log writer: lines go to standard error, warnings and worse
 * always, the rest from @threshold up. Control characters in a message are
 * escaped, and "user:password@" in URIs is masked. Call once, from main.
 */
void vigil_log_install (VigilLogFormat format, GLogLevelFlags threshold);

/*
 * Turns a name as in LOG_LEVEL ("DEBUG", "INFO", "WARN", "ERROR", any case)
 * into a threshold. Returns: FALSE when @name is none of them.
 */
gboolean vigil_log_parse_level (
    const char *name, GLogLevelFlags *ret_threshold);

/*
 * A gate for a line that could come with every frame: opens once, then at
 * most once in @interval_ms, and says how often it stayed shut. Zeroed
 * memory is a ready gate. One gate belongs to one thread.
 */
typedef struct {
  int64_t next_us;
  uint64_t suppressed;
} VigilLogGate;

/*
 * @now_us: g_get_monotonic_time(). @ret_suppressed: set when TRUE is
 * returned to how many lines were held back since the last one.
 */
gboolean vigil_log_gate_open (VigilLogGate *self, int64_t interval_ms,
    int64_t now_us, uint64_t *ret_suppressed);

/* Masks the user information of every URI in @text (the user and password
 * become three stars). Returns: (transfer full). */
char *vigil_log_mask (const char *text);
