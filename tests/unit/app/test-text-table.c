/* SPDX-License-Identifier: Apache-2.0 */
/* Columns of text. */
#include "common/fixture.h"

#include "app/text-table.h"

static char **
make_row (const char *first, const char *second)
{
  char **row = g_new0 (char *, 3);

  row[0] = g_strdup (first);
  row[1] = g_strdup (second);
  return row;
}

static void
test_columns (void)
{
  static const char *const heads[] = {"NAME", "X", NULL};
  g_autoptr (VigilTextTable) table = vigil_text_table_new (heads);
  g_autofree char *text = NULL;

  vigil_text_table_take_row (table, make_row ("longer", "1"));
  vigil_text_table_take_row (table, make_row ("\xc3\xa4", ""));
  text = vigil_text_table_to_text (table);
  g_assert_cmpstr (text, ==, "NAME    X\nlonger  1\n\xc3\xa4\n");
}

static void
test_strange_text (void)
{
  static const char *const heads[] = {"A", "B", NULL};
  g_autoptr (VigilTextTable) table = vigil_text_table_new (heads);
  g_autofree char *text = NULL;

  vigil_text_table_take_row (table, make_row ("\033[2J", "a\nb"));
  vigil_text_table_take_row (table, make_row ("\xff", "c"));
  text = vigil_text_table_to_text (table);
  g_assert_cmpstr (text, ==, "A     B\n [2J  a b\n\xef\xbf\xbd     c\n");
}

int
main (int argc, char **argv)
{
  vigil_fixture_init (&argc, &argv, 0);
  g_test_add_func ("/text-table/columns", test_columns);
  g_test_add_func ("/text-table/strange-text", test_strange_text);
  return g_test_run ();
}
