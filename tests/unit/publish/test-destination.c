/* SPDX-License-Identifier: Apache-2.0 */
/* What every destination's settings go through before it is made. */
#include "publish/destination.h"

#include "common/fixture.h"

#define PATH "config.pipelines[0].mqtt_publisher"

static VigilProblems *
check (const char *type, const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VigilJson) settings =
      vigil_json_parse (text, -1, 65536, 16, &error);
  g_autoptr (VigilEnvironment) environment = NULL;
  VigilProblems *problems = vigil_problems_new ();

  g_assert_no_error (error);
  environment = vigil_environment_new (NULL, &error);
  g_assert_no_error (error);
  const VigilDestinationContext context = {.environment = environment};
  vigil_destination_check (
      vigil_destination_find (type), settings, PATH, &context, problems);
  return problems;
}

static void
assert_error_at (const VigilProblems *problems, const char *path)
{
  for (unsigned i = 0; i < vigil_problems_get_size (problems); i++) {
    const VigilProblem *problem = vigil_problems_get (problems, i);

    if (problem->severity == VIGIL_PROBLEM_ERROR &&
        g_strcmp0 (problem->path, path) == 0)
      return;
  }
  g_error ("no error at %s", path);
}

static void
test_check_tells_all_at_once (void)
{
  g_autoptr (VigilProblems) problems = check (
      "mqtt", "{\"host\": \"127.0.0.1\", \"qos\": 3, \"topic\": \"a/#\"}");

  assert_error_at (problems, PATH ".qos");
  assert_error_at (problems, PATH ".topic");
  g_assert_cmpuint (vigil_problems_count_errors (problems), ==, 2);
}

static void
test_check_tells_a_wrong_type_once (void)
{
  g_autoptr (VigilProblems) problems = check ("mqtt",
      "{\"hosts\": 7, \"host\": \"127.0.0.1\", \"filter\": 5, \"topic\": []}");

  assert_error_at (problems, PATH ".hosts");
  assert_error_at (problems, PATH ".filter");
  assert_error_at (problems, PATH ".topic");
  g_assert_cmpuint (vigil_problems_count_errors (problems), ==, 3);
}

static void
test_check_takes_no_other_value_than_an_object (void)
{
  g_autoptr (VigilProblems) problems = check ("mqtt", "[7]");

  assert_error_at (problems, PATH);
  g_assert_cmpuint (vigil_problems_count_errors (problems), ==, 1);
}

static void
test_find_knows_every_one_by_its_type (void)
{
  const VigilDestinationOps *const *list = vigil_destination_list ();

  g_assert_nonnull (list[0]);
  for (; *list != NULL; list++)
    g_assert_true (vigil_destination_find ((*list)->type) == *list);
  g_assert_null (vigil_destination_find ("telegraph"));
}

int
main (int argc, char **argv)
{
  vigil_fixture_init (&argc, &argv, 30);
  g_test_add_func (
      "/destination/check/tells-all-at-once", test_check_tells_all_at_once);
  g_test_add_func ("/destination/check/tells-a-wrong-type-once",
      test_check_tells_a_wrong_type_once);
  g_test_add_func ("/destination/check/takes-no-other-value-than-an-object",
      test_check_takes_no_other_value_than_an_object);
  g_test_add_func ("/destination/find/knows-every-one-by-its-type",
      test_find_knows_every_one_by_its_type);
  return g_test_run ();
}
