/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The instance's own state, for `pipeline.status` in the metadata. */
typedef struct {
  const char *state; /* "RUNNING" ...: static */
  double avg_fps;
  double avg_pipeline_latency; /* seconds; negative: not known */
  double start_time;           /* epoch seconds; negative: not started */
  double elapsed_time;         /* seconds; negative: not started */
  const char *message; /* "" when there is none; valid during the call */
} VigilInstanceState;
