/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/publisher-settings.h"

#include "common/fixture.h"
#include "publish/publisher.h"
#include <string.h>

static VigilJson *
parse (const char *text)
{
  g_autofree char *quoted = g_strdelimit (g_strdup (text), "'", '"');
  g_autoptr (GError) error = NULL;
  VigilJson *value = vigil_json_parse (quoted, -1, 1 << 20, 16, &error);

  g_assert_no_error (error);
  return value;
}

typedef struct {
  const char *entry;
  const char *error; /* path of the first error; NULL: none */
} CheckCase;

static const CheckCase check_cases[] = {
    {"{}", NULL},
    {"{'queue_maxsize':-1}", NULL},
    {"{'queue_maxsize':'8'}", "p.queue_maxsize"},
    {"{'encoding':{'type':'JPEG','level':100}}", NULL},
    {"{'encoding':{'type':'jpeg','level':101}}", "p.encoding.level"},
    {"{'encoding':{'type':'jpeg','level':-1}}", "p.encoding.level"},
    {"{'encoding':{'type':'Png','level':9}}", NULL},
    {"{'encoding':{'type':'png','level':10}}", "p.encoding.level"},
    {"{'encoding':{'type':'png'}}", NULL},
    {"{'encoding':{'level':5}}", "p.encoding.type"},
    {"{'encoding':{'type':'webp','level':5}}", "p.encoding.type"},
    {"{'encoding':'jpeg'}", "p.encoding"},
    {"{'img_handle_length':0}", "p.img_handle_length"},
    {"{'img_handle_length':257}", "p.img_handle_length"},
    {"{'tags':[]}", "p.tags"},
    {"{'publish_raw_frame':1}", "p.publish_raw_frame"},
    {"{'convert_metadata_to_dcaas_format':'true'}",
        "p.convert_metadata_to_dcaas_format"},
};

static void
test_check (void)
{
  for (unsigned i = 0; i < G_N_ELEMENTS (check_cases); i++) {
    g_autoptr (VigilJson) entry = parse (check_cases[i].entry);
    g_autoptr (VigilProblems) problems = vigil_problems_new ();

    vigil_schema_check (vigil_publisher_keys, entry, "p", problems);
    vigil_publisher_settings_check (entry, "p", problems);
    g_test_message ("%s", check_cases[i].entry);
    if (check_cases[i].error == NULL) {
      g_assert_cmpuint (vigil_problems_get_size (problems), ==, 0);
    } else {
      g_assert_cmpuint (vigil_problems_count_errors (problems), >=, 1);
      g_assert_cmpstr (
          vigil_problems_get (problems, 0)->path, ==, check_cases[i].error);
    }
  }
}

static void
test_defaults (void)
{
  g_autoptr (VigilJson) entry = parse ("{}");
  VigilPublisherSettings settings;

  vigil_publisher_settings_init (&settings, entry);
  g_assert_cmpuint (settings.queue_size, ==, 8);
  g_assert_cmpstr (settings.encoder->name, ==, "jpeg");
  g_assert_cmpint (settings.encoder_level, ==, 85);
  g_assert_false (settings.publishes_raw);
  g_assert_false (settings.converts_to_dcaas);
  g_assert_cmpuint (settings.img_handle_length, ==, 10);
  g_assert_null (settings.tags_json);
  vigil_publisher_settings_clear (&settings);
}

static void
test_values (void)
{
  g_autoptr (VigilJson) entry =
      parse ("{'queue_maxsize':50,'encoding':{'type':'PNG','level':0},"
             "'publish_raw_frame':true,'img_handle_length':3,"
             "'tags':{'site':'x'},'convert_metadata_to_dcaas_format':true}");
  VigilPublisherSettings settings;

  vigil_publisher_settings_init (&settings, entry);
  g_assert_cmpuint (settings.queue_size, ==, 50);
  g_assert_cmpstr (settings.encoder->name, ==, "png");
  g_assert_cmpint (settings.encoder_level, ==, 0);
  g_assert_false (settings.publishes_raw); /* an encoding wins */
  g_assert_true (settings.converts_to_dcaas);
  g_assert_cmpuint (settings.img_handle_length, ==, 3);
  g_assert_cmpstr (settings.tags_json, ==, "{\"site\":\"x\"}");
  vigil_publisher_settings_clear (&settings);
}

/* Empty tags leave those that elements bring. */
static void
test_empty_values (void)
{
  g_autoptr (VigilJson) entry = parse (
      "{'queue_maxsize':0,'tags':{},'publish_raw_frame':true,'encoding':null}");
  VigilPublisherSettings settings;

  vigil_publisher_settings_init (&settings, entry);
  g_assert_cmpuint (settings.queue_size, ==, 8);
  g_assert_null (settings.tags_json);
  g_assert_true (settings.publishes_raw);
  vigil_publisher_settings_clear (&settings);
}

/* ---- Blocks
 * ------------------------------------------------------------------ */

typedef struct {
  GString *seen;
  unsigned left;
} Walk;

static gboolean
note_block (const VigilDestinationOps *ops, const VigilJson *block,
    const char *path, void *user_data)
{
  Walk *walk = user_data;
  g_autofree char *text = vigil_json_to_text (block);

  g_string_append_printf (walk->seen, "%s %s %s\n", ops->type, path, text);
  return --walk->left > 0;
}

static void
test_walk (void)
{
  g_autoptr (VigilJson) entry =
      parse ("{'mqtt_publisher':[{'a':1},7],'file_publisher':{'b':2},"
             "'eis_publisher':null}");
  g_autoptr (GString) seen = g_string_new (NULL);
  Walk walk = {seen, 10};

  g_assert_true (vigil_publisher_settings_walk (entry, "p", note_block, &walk));
  g_assert_nonnull (strstr (seen->str, "mqtt p.mqtt_publisher[0] {\"a\":1}\n"));
  g_assert_nonnull (strstr (seen->str, "mqtt p.mqtt_publisher[1] 7\n"));
  g_assert_nonnull (strstr (seen->str, "file p.file_publisher {\"b\":2}\n"));
  g_assert_cmpuint (walk.left, ==, 7);
}

static void
test_walk_ends_early (void)
{
  g_autoptr (VigilJson) entry = parse ("{'mqtt_publisher':[{},{},{}]}");
  g_autoptr (GString) seen = g_string_new (NULL);
  Walk walk = {seen, 2};

  g_assert_false (
      vigil_publisher_settings_walk (entry, "p", note_block, &walk));
  g_assert_cmpuint (walk.left, ==, 0);
}

static void
test_check_of_blocks (void)
{
  static const struct {
    const char *entry;
    const char *path; /* of the first error; NULL: none */
  } cases[] = {
      {"{}", NULL},
      {"{'encoding': {'type': 'png', 'level': 9}}", NULL},
      {"{'encoding': {'type': 'png', 'level': 10}}", "p.encoding.level"},
      {"{'encoding': {'type': 'gif', 'level': 1}}", "p.encoding.type"},
      {"{'file_publisher': 1}", "p.file_publisher"},
      {"{'file_publisher': [{'path': '-'}, {}]}", "p.file_publisher[1].path"},
      {"{'file_publisher': {'path': '-', 'filter': {'type': "
       "'x'}}}",
          "p.file_publisher.filter.type"},
  };
  g_autoptr (VigilEnvironment) environment = vigil_environment_new (NULL, NULL);
  const VigilPublisherContext context = {
      .pipeline_name = "people",
      .environment = environment,
  };

  for (unsigned i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (VigilJson) entry = parse (cases[i].entry);
    g_autoptr (VigilProblems) problems = vigil_problems_new ();
    unsigned size;

    vigil_publisher_check (entry, "p", &context, problems);
    size = vigil_problems_count_errors (problems);
    g_assert_cmpuint (size, ==, cases[i].path != NULL ? 1 : 0);
    if (size > 0)
      g_assert_cmpstr (
          vigil_problems_get (problems, 0)->path, ==, cases[i].path);
  }
}

int
main (int argc, char **argv)
{
  vigil_fixture_init (&argc, &argv, 0);
  g_test_add_func ("/publisher-settings/check", test_check);
  g_test_add_func ("/publisher-settings/defaults", test_defaults);
  g_test_add_func ("/publisher-settings/values", test_values);
  g_test_add_func ("/publisher-settings/empty-values", test_empty_values);
  g_test_add_func ("/publisher-settings/check-of-blocks", test_check_of_blocks);
  g_test_add_func ("/publisher-settings/walk", test_walk);
  g_test_add_func ("/publisher-settings/walk-ends-early", test_walk_ends_early);
  return g_test_run ();
}
