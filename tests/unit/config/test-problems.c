/* SPDX-License-Identifier: Apache-2.0 */
#include "config/problems.h"

#include "base/error.h"

static void
test_empty (void)
{
  g_autoptr (VigilProblems) problems = vigil_problems_new ();
  g_autoptr (GError) error = NULL;
  g_assert_true (vigil_problems_check (problems, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (vigil_problems_get_size (problems), ==, 0);
}

static void
test_order (void)
{
  g_autoptr (VigilProblems) problems = vigil_problems_new ();
  vigil_problems_add (
      problems, VIGIL_PROBLEM_WARNING, "a.b", "unknown %s", "key");
  vigil_problems_add (problems, VIGIL_PROBLEM_ERROR, "c", "want %d", 1);
  g_assert_cmpuint (vigil_problems_get_size (problems), ==, 2);
  g_assert_cmpuint (vigil_problems_count_errors (problems), ==, 1);
  const VigilProblem *first = vigil_problems_get (problems, 0);
  g_assert_cmpint (first->severity, ==, VIGIL_PROBLEM_WARNING);
  g_assert_cmpstr (first->path, ==, "a.b");
  g_assert_cmpstr (first->text, ==, "unknown key");
  const VigilProblem *second = vigil_problems_get (problems, 1);
  g_assert_cmpint (second->severity, ==, VIGIL_PROBLEM_ERROR);
  g_assert_cmpstr (second->text, ==, "want 1");
}

static void
test_warnings_pass (void)
{
  g_autoptr (VigilProblems) problems = vigil_problems_new ();
  vigil_problems_add (problems, VIGIL_PROBLEM_WARNING, "a", "odd");
  g_autoptr (GError) error = NULL;
  g_assert_true (vigil_problems_check (problems, &error));
  g_assert_no_error (error);
}

static void
test_check (void)
{
  g_autoptr (VigilProblems) problems = vigil_problems_new ();
  vigil_problems_add (problems, VIGIL_PROBLEM_WARNING, "a", "odd");
  vigil_problems_add (problems, VIGIL_PROBLEM_ERROR, "b", "want one");
  g_autoptr (GError) error = NULL;
  g_assert_false (vigil_problems_check (problems, &error));
  g_assert_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID);
  g_assert_cmpstr (error->message, ==, "b: want one");

  vigil_problems_add (problems, VIGIL_PROBLEM_ERROR, "c", "want two");
  vigil_problems_add (problems, VIGIL_PROBLEM_ERROR, "d", "want three");
  g_clear_error (&error);
  g_assert_false (vigil_problems_check (problems, &error));
  g_assert_cmpstr (error->message, ==, "b: want one (and 2 more)");
  g_assert_false (vigil_problems_check (problems, NULL));
}

/* A broken file of 16 MiB must not fill the memory, nor hide its errors
 * behind its warnings. */
static void
test_too_many (void)
{
  g_autoptr (VigilProblems) problems = vigil_problems_new ();
  for (unsigned i = 0; i < 5000; i++)
    vigil_problems_add (problems, VIGIL_PROBLEM_WARNING, "a", "odd");
  g_assert_true (vigil_problems_is_full (problems, VIGIL_PROBLEM_WARNING));
  g_assert_false (vigil_problems_is_full (problems, VIGIL_PROBLEM_ERROR));
  for (unsigned i = 0; i < 3000; i++)
    vigil_problems_add (problems, VIGIL_PROBLEM_ERROR, "b", "want %u", i);
  g_assert_cmpuint (vigil_problems_get_size (problems), ==, 2000);
  g_assert_cmpuint (vigil_problems_count_warnings (problems), ==, 5000);
  g_assert_cmpuint (vigil_problems_count_errors (problems), ==, 3000);
  g_autoptr (GError) error = NULL;
  g_assert_false (vigil_problems_check (problems, &error));
  g_assert_cmpstr (error->message, ==, "b: want 0 (and 2999 more)");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/problems/empty", test_empty);
  g_test_add_func ("/problems/order", test_order);
  g_test_add_func ("/problems/warnings-pass", test_warnings_pass);
  g_test_add_func ("/problems/check", test_check);
  g_test_add_func ("/problems/too-many", test_too_many);
  return g_test_run ();
}
