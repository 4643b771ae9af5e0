/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * The one error domain of vigil. A code says what the reader can do about
 * it; the message says where, what was wanted and what to do.
 */
#define VIGIL_ERROR (vigil_error_quark ())

typedef enum {
  /* What a person wrote (file, request, option, environment) is wrong. */
  VIGIL_ERROR_INVALID,
  /* What was named does not exist: file, pipeline, instance, element. */
  VIGIL_ERROR_NOT_FOUND,
  /* Understood, but this build or this release cannot do it. */
  VIGIL_ERROR_UNSUPPORTED,
  /* A peer or resource is not to be had right now; trying again may help. */
  VIGIL_ERROR_UNAVAILABLE,
  /* A peer broke its protocol. */
  VIGIL_ERROR_PROTOCOL,
  /* A deadline passed. */
  VIGIL_ERROR_TIMEOUT,
  /* A limit of ours was reached: size, depth, count. */
  VIGIL_ERROR_LIMIT,
  /* The work itself failed: encoder, library, system call. */
  VIGIL_ERROR_FAILED,
} VigilErrorCode;

/* Returns: the quark of the domain. Any thread. */
GQuark vigil_error_quark (void);

/*
 * The sysexits(3) status a program should end with for @error: the only
 * place that maps our codes to exit statuses. Do not invent others.
 * Errors of foreign domains count as VIGIL_ERROR_FAILED; NULL is success. Any
 * thread.
 */
int vigil_error_exit_status (const GError *error);

/* The HTTP status that answers @error; same rules as above. Any thread. */
unsigned vigil_error_http_status (const GError *error);
