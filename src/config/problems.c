/* SPDX-License-Identifier: Apache-2.0 */
/* The list of what is wrong with a configuration. */
#include "config/problems.h"

#include "base/error.h"

struct _VigilProblems {
  GArray *list; /* VigilProblem, whose texts it owns */
  unsigned errors;
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

  va_list arguments;
  va_start (arguments, format);
  VigilProblem problem = {
      .severity = severity,
      .path = g_strdup (path),
      .text = g_strdup_vprintf (format, arguments),
  };
  va_end (arguments);
  g_array_append_val (self->list, problem);
  if (severity == VIGIL_PROBLEM_ERROR)
    self->errors++;
}

unsigned
vigil_problems_get_size (const VigilProblems *self)
{
  return self->list->len;
}

unsigned
vigil_problems_count_errors (const VigilProblems *self)
{
  return self->errors;
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
  if (self->errors == 0)
    return TRUE;
  const VigilProblem *first = NULL;
  for (unsigned i = 0; first == NULL; i++) {
    const VigilProblem *problem = vigil_problems_get (self, i);
    if (problem->severity == VIGIL_PROBLEM_ERROR)
      first = problem;
  }
  g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID, "%s: %s", first->path,
      first->text);
  if (self->errors > 1 && error != NULL && *error != NULL) {
    g_autofree char *message = (*error)->message;
    (*error)->message =
        g_strdup_printf ("%s (and %u more)", message, self->errors - 1);
  }
  return FALSE;
}
