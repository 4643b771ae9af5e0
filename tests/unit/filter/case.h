/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "common/fixture.h"
#include "filter/filter.h"

/*
 * A row of a table: a filter, what it is given, and what comes of it. JSON
 * is written with single quotes.
 */
typedef struct {
  const char *name;
  const char *filter;
  const char *metadata;
  const char *published; /* NULL: nothing; SAME: all of it */
} FilterCase;

#define SAME "same"

static inline VigilJson *
filter_case_parse (const char *text)
{
  g_autofree char *quoted = g_strdelimit (g_strdup (text), "'", '"');
  g_autoptr (GError) error = NULL;
  VigilJson *value = vigil_json_parse (quoted, -1, 1 << 23, 128, &error);

  g_assert_no_error (error);
  return value;
}

/* The settings must be without errors; warnings are the case's matter. */
static inline VigilFilter *
filter_case_make (const char *text)
{
  g_autoptr (VigilJson) settings = filter_case_parse (text);
  g_autoptr (VigilProblems) problems = vigil_problems_new ();

  vigil_schema_check (vigil_filter_keys, settings, "filter", problems);
  vigil_filter_check (settings, "filter", problems);
  g_assert_cmpuint (vigil_problems_count_errors (problems), ==, 0);
  return vigil_filter_new (settings);
}

static inline void
filter_case_run (gconstpointer data)
{
  const FilterCase *self = data;
  g_autoptr (VigilFilter) filter = filter_case_make (self->filter);
  g_autoptr (VigilJson) metadata = filter_case_parse (self->metadata);
  g_autofree char *before = vigil_json_to_text (metadata);
  g_autofree char *after = NULL;
  g_autoptr (VigilJson) changed = NULL;
  gboolean passes = vigil_filter_apply (filter, metadata, &changed);

  after = vigil_json_to_text (metadata);
  g_assert_cmpstr (before, ==, after);
  if (self->published == NULL) {
    g_assert_false (passes);
    g_assert_null (changed);
    return;
  }
  g_assert_true (passes);
  if (g_strcmp0 (self->published, SAME) == 0) {
    g_assert_null (changed);
  } else {
    g_autoptr (VigilJson) wanted = filter_case_parse (self->published);
    g_autofree char *wanted_text = vigil_json_to_text (wanted);
    g_autofree char *given_text = NULL;

    g_assert_nonnull (changed);
    given_text = vigil_json_to_text (changed);
    g_assert_cmpstr (given_text, ==, wanted_text);
  }
}

static inline void
filter_case_add (const char *prefix, const FilterCase *cases, size_t size)
{
  for (size_t i = 0; i < size; i++) {
    g_autofree char *path = g_strdup_printf ("%s/%s", prefix, cases[i].name);

    g_test_add_data_func (path, &cases[i], filter_case_run);
  }
}

/* One of the documents beside the tests. Returns: (transfer full). */
static inline VigilJson *
filter_case_load (const char *name)
{
  g_autofree char *path = g_build_filename (g_getenv ("VIGIL_SOURCE_ROOT"),
      "tests", "unit", "filter", "data", name, NULL);
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;

  g_file_get_contents (path, &text, NULL, &error);
  g_assert_no_error (error);
  return vigil_json_parse (text, -1, 1 << 20, 32, NULL);
}
