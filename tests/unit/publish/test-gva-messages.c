/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/gva-messages.h"

#include "base/json.h"
#include "common/fixture.h"
#include <string.h>

/* The members, put together again. */
static char *
join (const VigilGvaMessages *messages)
{
  GString *text = g_string_new ("{");

  for (unsigned i = 0; i < vigil_gva_messages_get_size (messages); i++) {
    const VigilGvaMember *member = vigil_gva_messages_get (messages, i);

    g_string_append_printf (text, "%s\"%.*s\":%.*s", i > 0 ? "," : "",
        (int)member->key_length, member->key, (int)member->value_length,
        member->value);
  }
  g_string_append_c (text, '}');
  return g_string_free (text, FALSE);
}

typedef struct {
  const char *name;
  const char *messages[3];
  const char *merged; /* NULL: the last message is refused */
} Case;

static const Case cases[] = {
    {"empty", {"{}"}, "{}"},
    {"one", {"{\"a\":1}"}, "{\"a\":1}"},
    {"spaces", {"  { \"a\" : [ 1 , 2 ] } "}, "{\"a\":[ 1 , 2 ]}"},
    {"order", {"{\"b\":1,\"a\":2}", "{\"c\":3,\"b\":4}"},
        "{\"b\":4,\"a\":2,\"c\":3}"},
    {"numbers", {"{\"a\":[0,-0,1.5,-2.25e-7,123456789012345678]}"},
        "{\"a\":[0,-0,1.5,-2.25e-7,123456789012345678]}"},
    {"words", {"{\"a\":[true,false,null]}"}, "{\"a\":[true,false,null]}"},
    {"escapes", {"{\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\"}"},
        "{\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\"}"},
    {"utf8", {"{\"caf\xc3\xa9\":\"\xe4\xbd\xa0\"}"},
        "{\"caf\xc3\xa9\":\"\xe4\xbd\xa0\"}"},
    /* printed anew by the library */
    {"lines", {"{\n\t\"a\": 1,\r\n\t\"b\": [2,\n3]\n}\n"},
        "{\"a\":1,\"b\":[2,3]}"},
    {"escaped-name", {"{\"\\u0061\":1}"}, "{\"a\":1}"},
    {"escaped-name-replaces", {"{\"a\":1}", "{\"\\u0061\":2}"}, "{\"a\":2}"},
    {"quote-in-name", {"{\"a\\\"\":1}", "{\"a\\u0022\":2}"}, "{\"a\\\"\":2}"},
    {"surrogates", {"{\"a\":\"\\ud83d\\ude00\"}"},
        "{\"a\":\"\xf0\x9f\x98\x80\"}"},
    {"exponent", {"{\"a\":1e300}"}, NULL},
    {"long-integer", {"{\"a\":1234567890123456789}"},
        "{\"a\":1234567890123456789}"},
    /* refused */
    {"nothing", {""}, NULL},
    {"word", {"hello"}, NULL},
    {"array", {"[1]"}, NULL},
    {"string", {"\"a\""}, NULL},
    {"cut", {"{\"a\":"}, NULL},
    {"two", {"{}{}"}, NULL},
    {"trailing-comma", {"{\"a\":1,}"}, NULL},
    {"nan", {"{\"a\":NaN}"}, NULL},
    {"infinity", {"{\"a\":-Infinity}"}, NULL},
    {"leading-zero", {"{\"a\":01}"}, NULL},
    {"bare-point", {"{\"a\":1.}"}, NULL},
    {"plus", {"{\"a\":+1}"}, NULL},
    {"huge-integer", {"{\"a\":123456789012345678901234567890}"}, NULL},
    {"integer-beyond-64-bits", {"{\"a\":9999999999999999999}"}, NULL},
    {"huge-real", {"{\"a\":1e999}"}, NULL},
    {"control", {"{\"a\":\"\x01\"}"}, NULL},
    {"bad-escape", {"{\"a\":\"\\x\"}"}, NULL},
    {"nul-escape", {"{\"a\":\"\\u0000\"}"}, NULL},
    {"lone-surrogate", {"{\"a\":\"\\ud83d\"}"}, NULL},
    {"bad-utf8", {"{\"a\":\"\xff\"}"}, NULL},
    {"overlong-utf8", {"{\"a\":\"\xc0\xaf\"}"}, NULL},
    {"twice", {"{\"a\":1,\"a\":2}"}, NULL},
    {"twice-nested", {"{\"x\":[{\"a\":1,\"b\":2,\"a\":3}]}"}, NULL},
    {"twice-escaped", {"{\"a\":1,\"\\u0061\":2}"}, NULL},
    {"single-quotes", {"{'a':1}"}, NULL},
    {"bad-after-good", {"{\"a\":1}", "{\"b\":2,\"c\":}"}, NULL},
};

static void
test_case (gconstpointer data)
{
  const Case *test = data;
  g_autoptr (VigilGvaMessages) messages = vigil_gva_messages_new ();
  gboolean is_taken = FALSE;

  /* Twice: the second frame must find nothing of the first. */
  for (unsigned round = 0; round < 2; round++) {
    g_autofree char *joined = NULL;

    vigil_gva_messages_clear (messages);
    for (unsigned i = 0; i < 3 && test->messages[i] != NULL; i++)
      is_taken = vigil_gva_messages_add (messages, test->messages[i]);
    joined = join (messages);
    if (strcmp (test->name, "exponent") == 0) {
      /* How the library prints it is its own matter. */
      g_autoptr (VigilJson) tree =
          vigil_json_parse (joined, -1, 1000, 10, NULL);

      g_assert_true (is_taken);
      g_assert_cmpfloat (
          vigil_json_get_number (vigil_json_object_get (tree, "a")), ==, 1e300);
    } else if (test->merged != NULL) {
      g_assert_true (is_taken);
      g_assert_cmpstr (joined, ==, test->merged);
    } else {
      g_assert_false (is_taken);
      /* What came before is left as it was. */
      g_assert_cmpstr (
          joined, ==, test->messages[1] != NULL ? test->messages[0] : "{}");
    }
  }
}

static char *
make_deep (unsigned levels)
{
  GString *text = g_string_new ("{\"a\":");

  for (unsigned i = 1; i < levels; i++)
    g_string_append_c (text, '[');
  for (unsigned i = 1; i < levels; i++)
    g_string_append_c (text, ']');
  g_string_append_c (text, '}');
  return g_string_free (text, FALSE);
}

static void
test_depth (void)
{
  g_autoptr (VigilGvaMessages) messages = vigil_gva_messages_new ();
  g_autofree char *allowed = make_deep (VIGIL_GVA_MESSAGE_DEPTH_MAX);
  g_autofree char *beyond = make_deep (VIGIL_GVA_MESSAGE_DEPTH_MAX + 1);
  g_autofree char *abyss = make_deep (100000);

  g_assert_true (vigil_gva_messages_add (messages, allowed));
  g_assert_false (vigil_gva_messages_add (messages, beyond));
  g_assert_false (vigil_gva_messages_add (messages, abyss));
}

/* {"a":"xxx…"} of @size bytes. */
static char *
make_long (size_t size)
{
  char *text = g_malloc (size + 1);

  memset (text, 'x', size);
  memcpy (text, "{\"a\":\"", 6);
  memcpy (text + size - 2, "\"}", 3);
  return text;
}

static void
test_size (void)
{
  g_autoptr (VigilGvaMessages) messages = vigil_gva_messages_new ();
  g_autofree char *allowed = make_long (VIGIL_GVA_MESSAGE_BYTES_MAX);
  g_autofree char *beyond = make_long (VIGIL_GVA_MESSAGE_BYTES_MAX + 1);
  g_autofree char *huge = make_long (10 * 1024 * 1024);

  g_assert_true (vigil_gva_messages_add (messages, allowed));
  g_assert_false (vigil_gva_messages_add (messages, beyond));
  g_assert_false (vigil_gva_messages_add (messages, huge));
}

/* More members than the scanner compares itself, and than the index starts
 * with. */
static void
test_many_members (void)
{
  g_autoptr (VigilGvaMessages) messages = vigil_gva_messages_new ();
  GString *text = g_string_new ("{");
  g_autofree char *many = NULL;
  g_autofree char *twice = NULL;

  for (unsigned i = 0; i < 5000; i++)
    g_string_append_printf (text, "%s\"key%u\":%u", i > 0 ? "," : "", i, i);
  twice = g_strconcat (text->str, ",\"key7\":0}", NULL);
  g_string_append_c (text, '}');
  many = g_string_free (text, FALSE);

  g_assert_true (vigil_gva_messages_add (messages, many));
  g_assert_true (vigil_gva_messages_add (messages, "{\"key4999\":-1}"));
  g_assert_false (vigil_gva_messages_add (messages, twice));
  g_assert_cmpuint (vigil_gva_messages_get_size (messages), ==, 5000);
  for (unsigned i = 0; i < 5000; i++) {
    g_autofree char *name = g_strdup_printf ("key%u", i);
    const VigilGvaMember *member = vigil_gva_messages_find (messages, name);

    g_assert_nonnull (member);
    g_assert_cmpint (atoi (member->value), ==, i == 4999 ? -1 : (int)i);
  }
  vigil_gva_messages_clear (messages);
  g_assert_null (vigil_gva_messages_find (messages, "key1"));
}

int
main (int argc, char **argv)
{
  vigil_fixture_init (&argc, &argv, 0);
  for (unsigned i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *path =
        g_strdup_printf ("/gva-messages/add/%s", cases[i].name);

    g_test_add_data_func (path, &cases[i], test_case);
  }
  g_test_add_func ("/gva-messages/depth", test_depth);
  g_test_add_func ("/gva-messages/size", test_size);
  g_test_add_func ("/gva-messages/many-members", test_many_members);
  return g_test_run ();
}
