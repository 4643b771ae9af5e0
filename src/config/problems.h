/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * What is wrong with a configuration, all of it: each problem has the path
 * of the value ("config.pipelines[0].mqtt_publisher.qos") and what was
 * wanted. Errors stop what they belong to; warnings do not. Of each severity
 * the first thousand are kept; the rest is counted.
 */
typedef struct _VigilProblems VigilProblems;

typedef enum {
  VIGIL_PROBLEM_WARNING,
  VIGIL_PROBLEM_ERROR,
} VigilProblemSeverity;

typedef struct {
  VigilProblemSeverity severity;
  const char *path;
  const char *text;
} VigilProblem;

VigilProblems *vigil_problems_new (void);
void vigil_problems_free (VigilProblems *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VigilProblems, vigil_problems_free)

/* Adds one. @path is copied. The text is lower case, without a full stop. */
void vigil_problems_add (VigilProblems *self, VigilProblemSeverity severity,
    const char *path, const char *format, ...) G_GNUC_PRINTF (4, 5);

/* TRUE when one more of @severity would only be counted. */
gboolean vigil_problems_is_full (
    const VigilProblems *self, VigilProblemSeverity severity);

/* How many there are, kept or not. */
unsigned vigil_problems_count_errors (const VigilProblems *self);
unsigned vigil_problems_count_warnings (const VigilProblems *self);

/* How many are kept. */
unsigned vigil_problems_get_size (const VigilProblems *self);
/* Returns: (transfer none). */
const VigilProblem *vigil_problems_get (
    const VigilProblems *self, unsigned index);

/*
 * Sets @error to the first error ("path: text", and how many more there
 * are) and returns FALSE; returns TRUE when there is no error.
 */
gboolean vigil_problems_check (const VigilProblems *self, GError **error);
