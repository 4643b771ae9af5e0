/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A filter block on the first line, metadata on the rest. Any block that the
 * check approves judges any metadata: it changes nothing of what it is
 * given, what it leaves is valid, and judging that again leaves it as it is.
 */
#include "filter/filter.h"

#include <stdint.h>
#include <string.h>

#define BYTES_MAX (1024 * 1024)
#define DEPTH_MAX 128

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static VigilJson *
parse (const char *text, size_t size)
{
  return vigil_json_parse (
      size > 0 ? text : "", (gssize)size, BYTES_MAX, DEPTH_MAX, NULL);
}

static VigilFilter *
make_filter (const VigilJson *settings)
{
  g_autoptr (VigilProblems) problems = vigil_problems_new ();

  vigil_schema_check (vigil_filter_keys, settings, "filter", problems);
  if (vigil_problems_count_errors (problems) == 0)
    vigil_filter_check (settings, "filter", problems);
  return vigil_problems_count_errors (problems) == 0
             ? vigil_filter_new (settings)
             : NULL;
}

static void
check_left (const VigilFilter *filter, const VigilJson *left)
{
  g_autofree char *text = vigil_json_to_text (left);
  g_autoptr (VigilJson) again = parse (text, strlen (text));
  g_autoptr (VigilJson) changed = NULL;

  g_assert_nonnull (again);
  g_assert_true (vigil_filter_apply (filter, again, &changed));
  g_assert_null (changed);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  const char *text = (const char *)data;
  const char *line_end = size > 0 ? memchr (text, '\n', size) : NULL;
  g_autoptr (VigilJson) settings = NULL;
  g_autoptr (VigilJson) metadata = NULL;
  g_autoptr (VigilFilter) filter = NULL;
  g_autoptr (VigilJson) changed = NULL;
  g_autofree char *before = NULL;
  g_autofree char *after = NULL;
  gboolean passes;

  if (line_end == NULL)
    return 0;
  settings = parse (text, (size_t)(line_end - text));
  metadata = parse (line_end + 1, size - (size_t)(line_end + 1 - text));
  if (settings == NULL || metadata == NULL)
    return 0;
  filter = make_filter (settings);
  if (filter == NULL)
    return 0;
  before = vigil_json_to_text (metadata);
  passes = vigil_filter_apply (filter, metadata, &changed);
  after = vigil_json_to_text (metadata);
  g_assert_cmpstr (before, ==, after);
  g_assert_true (passes || changed == NULL);
  if (changed != NULL)
    check_left (filter, changed);
  return 0;
}
