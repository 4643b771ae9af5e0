/* SPDX-License-Identifier: Apache-2.0 */
/* The list of what is wrong with a configuration. */
#include "config/problems.h"

#include "base/error.h"

/* Nobody reads more, and a broken file of 16 MiB has millions. */
#define KEPT_MAX 1000

struct _VigilProblems {
  GArray *list; /* VigilProblem, whose texts it owns */
  unsigned counts[VIGIL_PROBLEM_ERROR + 1];
};

static void
clear_problem (void *data)
{
  VigilProblem *problem = data;
  g_free ((char *)problem->path);
  g_free ((char *)problem->text);
}

VigilProblems *
vigil_problems_new (void)
{
  VigilProblems *self = g_new0 (VigilProblems, 1);
  self->list = g_array_new (FALSE, FALSE, sizeof (VigilProblem));
  g_array_set_clear_func (self->list, clear_problem);
  return self;
}

void
vigil_problems_free (VigilProblems *self)
{
  if (self == NULL)
    return;
  g_array_unref (self->list);
  g_free (self);
}

void
vigil_problems_add (VigilProblems *self, VigilProblemSeverity severity,
    const char *path, const char *format, ...)
{
  g_return_if_fail (self != NULL && path != NULL);

  gboolean is_full = vigil_problems_is_full (self, severity);
  self->counts[severity]++;
  if (is_full)
    return;
  va_list arguments;
  va_start (arguments, format);
  VigilProblem problem = {
      .severity = severity,
      .path = g_strdup (path),
      .text = g_strdup_vprintf (format, arguments),
  };
  va_end (arguments);
  g_array_append_val (self->list, problem);
}

gboolean
vigil_problems_is_full (
    const VigilProblems *self, VigilProblemSeverity severity)
{
  return self->counts[severity] >= KEPT_MAX;
}

unsigned
vigil_problems_count_errors (const VigilProblems *self)
{
  return self->counts[VIGIL_PROBLEM_ERROR];
}

unsigned
vigil_problems_count_warnings (const VigilProblems *self)
{
  return self->counts[VIGIL_PROBLEM_WARNING];
}

unsigned
vigil_problems_get_size (const VigilProblems *self)
{
  return self->list->len;
}

const VigilProblem *
vigil_problems_get (const VigilProblems *self, unsigned index)
{
  g_return_val_if_fail (index < self->list->len, NULL);

  return &g_array_index (self->list, VigilProblem, index);
}

gboolean
vigil_problems_check (const VigilProblems *self, GError **error)
{
  unsigned errors = vigil_problems_count_errors (self);
  if (errors == 0)
    return TRUE;
  const VigilProblem *first = vigil_problems_get (self, 0);
  for (unsigned i = 1; first->severity != VIGIL_PROBLEM_ERROR; i++)
    first = vigil_problems_get (self, i);
  g_autofree char *more =
      errors > 1 ? g_strdup_printf (" (and %u more)", errors - 1) : NULL;
  g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID, "%s: %s%s", first->path,
      first->text, more != NULL ? more : "");
  return FALSE;
}
