/* SPDX-License-Identifier: Apache-2.0 */

/* Aligned columns of text. */

#include "app/text-table.h"

#include <string.h>

#define GAP 2

struct _VigilTextTable {
  unsigned columns;
  GPtrArray *rows; /* element-type: char **; the first has the heads */
};

VigilTextTable *
vigil_text_table_new (const char *const *heads)
{
  VigilTextTable *self = g_new0 (VigilTextTable, 1);

  self->columns = g_strv_length ((char **)heads);
  self->rows = g_ptr_array_new_with_free_func ((GDestroyNotify)g_strfreev);
  g_ptr_array_add (self->rows, g_strdupv ((char **)heads));
  return self;
}

void
vigil_text_table_free (VigilTextTable *self)
{
  if (self == NULL)
    return;
  g_ptr_array_unref (self->rows);
  g_free (self);
}

char *
vigil_text_table_dup_printable (const char *text)
{
  char *valid = g_utf8_make_valid (text, -1);

  for (char *c = valid; *c != '\0'; c++)
    if (g_ascii_iscntrl (*c))
      *c = ' ';
  return valid;
}

void
vigil_text_table_take_row (VigilTextTable *self, char **cells)
{
  for (char **cell = cells; *cell != NULL; cell++) {
    char *valid = vigil_text_table_dup_printable (*cell);

    g_free (*cell);
    *cell = valid;
  }
  g_return_if_fail (g_strv_length (cells) == self->columns);
  g_ptr_array_add (self->rows, cells);
}

static glong
measure_column (const VigilTextTable *self, unsigned column)
{
  glong width = 0;

  for (unsigned i = 0; i < self->rows->len; i++) {
    char **row = g_ptr_array_index (self->rows, i);

    width = MAX (width, g_utf8_strlen (row[column], -1));
  }
  return width;
}

char *
vigil_text_table_to_text (const VigilTextTable *self)
{
  g_autofree glong *widths = g_new (glong, self->columns);
  GString *text = g_string_new (NULL);

  for (unsigned column = 0; column < self->columns; column++)
    widths[column] = measure_column (self, column);
  for (unsigned i = 0; i < self->rows->len; i++) {
    char **row = g_ptr_array_index (self->rows, i);

    for (unsigned column = 0; column < self->columns; column++) {
      glong missing = widths[column] - g_utf8_strlen (row[column], -1);

      g_string_append (text, row[column]);
      if (column + 1 < self->columns)
        g_string_append_printf (text, "%*s", (int)missing + GAP, "");
    }
    while (text->len > 0 && text->str[text->len - 1] == ' ')
      g_string_truncate (text, text->len - 1);
    g_string_append_c (text, '\n');
  }
  return g_string_free (text, FALSE);
}
