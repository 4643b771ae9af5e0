/* SPDX-License-Identifier: Apache-2.0 */
#include "case.h"

typedef struct {
  const char *name;
  const char *settings;
  const char *path; /* of the first problem; NULL: none */
  VigilProblemSeverity severity;
} CheckCase;

static const CheckCase check_cases[] = {
    {"empty", "{}", NULL, 0},
    {"detection", "{'type':'detection','label_score':{'a':0.5}}", NULL, 0},
    {"all-keys",
        "{'type':'classification','label_score':{'a':1,'b':0},"
        "'mode':'message','skip_empty':true}",
        NULL, 0},
    {"no-type", "{'label_score':{'a':0.5}}", "filter.type",
        VIGIL_PROBLEM_ERROR},
    {"type-null", "{'type':null,'label_score':{'a':0.5}}", "filter.type",
        VIGIL_PROBLEM_ERROR},
    {"unknown-type", "{'type':'Detection','label_score':{'a':0.5}}",
        "filter.type", VIGIL_PROBLEM_ERROR},
    {"type-no-text", "{'type':5,'label_score':{'a':0.5}}", "filter.type",
        VIGIL_PROBLEM_ERROR},
    {"unknown-mode", "{'type':'detection','mode':'x','label_score':{'a':0.5}}",
        "filter.mode", VIGIL_PROBLEM_ERROR},
    {"threshold-text", "{'type':'detection','label_score':{'a':'0.5'}}",
        "filter.label_score.a", VIGIL_PROBLEM_ERROR},
    {"threshold-null", "{'type':'detection','label_score':{'a':null}}",
        "filter.label_score.a", VIGIL_PROBLEM_ERROR},
    {"threshold-above", "{'type':'detection','label_score':{'a b':1.01}}",
        "filter.label_score[\"a b\"]", VIGIL_PROBLEM_ERROR},
    {"threshold-below", "{'type':'detection','label_score':{'a':-0.01}}",
        "filter.label_score.a", VIGIL_PROBLEM_ERROR},
    {"scores-no-object", "{'type':'detection','label_score':[1]}",
        "filter.label_score", VIGIL_PROBLEM_ERROR},
    {"no-thresholds", "{'type':'detection'}", "filter.label_score",
        VIGIL_PROBLEM_WARNING},
    {"unknown-key",
        "{'type':'detection','label_scores':{},'label_score':{'a':1}}",
        "filter.label_scores", VIGIL_PROBLEM_WARNING},
};

static void
test_check (gconstpointer data)
{
  const CheckCase *test = data;
  g_autoptr (VigilJson) settings = filter_case_parse (test->settings);
  g_autoptr (VigilProblems) problems = vigil_problems_new ();
  const VigilProblem *first;

  vigil_schema_check (vigil_filter_keys, settings, "filter", problems);
  vigil_filter_check (settings, "filter", problems);
  if (test->path == NULL) {
    g_assert_cmpuint (vigil_problems_get_size (problems), ==, 0);
    return;
  }
  g_assert_cmpuint (vigil_problems_get_size (problems), >=, 1);
  g_assert_cmpuint (vigil_problems_count_errors (problems), ==,
      test->severity == VIGIL_PROBLEM_ERROR);
  first = vigil_problems_get (problems, 0);
  g_assert_cmpstr (first->path, ==, test->path);
  g_assert_cmpint (first->severity, ==, test->severity);
}

static void
test_no_filter (void)
{
  g_autoptr (VigilJson) empty = filter_case_parse ("{}");
  g_autoptr (VigilJson) null = filter_case_parse ("null");

  g_assert_null (vigil_filter_new (empty));
  g_assert_null (vigil_filter_new (null));
  g_assert_null (vigil_filter_new (NULL));
  vigil_filter_free (NULL);
}

static void
test_no_object (void)
{
  static const char *const values[] = {"null", "[]", "5", "'x'"};
  g_autoptr (VigilFilter) filter =
      filter_case_make ("{'type':'detection','label_score':{'a':0.5}}");

  for (unsigned i = 0; i < G_N_ELEMENTS (values); i++) {
    g_autoptr (VigilJson) value = filter_case_parse (values[i]);
    g_autoptr (VigilJson) changed = NULL;

    g_assert_false (vigil_filter_apply (filter, value, &changed));
  }
}

int
main (int argc, char **argv)
{
  vigil_fixture_init (&argc, &argv, 0);
  for (unsigned i = 0; i < G_N_ELEMENTS (check_cases); i++) {
    g_autofree char *path =
        g_strdup_printf ("/filter/check/%s", check_cases[i].name);

    g_test_add_data_func (path, &check_cases[i], test_check);
  }
  g_test_add_func ("/filter/no-filter", test_no_filter);
  g_test_add_func ("/filter/no-object", test_no_object);
  return g_test_run ();
}
