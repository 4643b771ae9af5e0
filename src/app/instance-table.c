/* SPDX-License-Identifier: Apache-2.0 */

/* What people want to see of instances. */

#include "app/instance-table.h"

#include "app/text-table.h"
#include <stdio.h>

static char *
format_seconds (const VigilJson *value)
{
  int64_t seconds;

  if (!vigil_json_is_number (value))
    return g_strdup ("-");
  seconds = (int64_t)vigil_json_get_number (value);
  return g_strdup_printf ("%" G_GINT64_FORMAT ":%02d:%02d", seconds / 3600,
      (int)(seconds / 60 % 60), (int)(seconds % 60));
}

/* "mqtt connected 120/2": what went out, and what was lost. */
static char *
format_destinations (const VigilJson *list)
{
  GString *text = g_string_new (NULL);

  for (size_t i = 0; i < vigil_json_array_size (list); i++) {
    const VigilJson *item = vigil_json_array_get (list, i);
    const VigilJson *dropped = vigil_json_object_get (item, "dropped");
    VigilJsonIter iter = {0};
    const char *reason;
    const VigilJson *count;
    int64_t lost = 0;

    while (vigil_json_object_next (dropped, &iter, &reason, &count))
      lost += vigil_json_get_integer (count);
    g_string_append_printf (text,
        "%s%s %s %" G_GINT64_FORMAT "/%" G_GINT64_FORMAT, i > 0 ? ", " : "",
        vigil_json_get_string (vigil_json_object_get (item, "name")),
        vigil_json_get_string (vigil_json_object_get (item, "state")),
        vigil_json_get_integer (vigil_json_object_get (item, "published")) +
            vigil_json_get_integer (
                vigil_json_object_get (item, "acknowledged")),
        lost);
  }
  if (text->len == 0)
    g_string_append_c (text, '-');
  return g_string_free (text, FALSE);
}

static void
add_row (VigilTextTable *table, const VigilJson *status)
{
  char **cells = g_new0 (char *, 8);

  cells[0] =
      g_strdup (vigil_json_get_string (vigil_json_object_get (status, "id")));
  cells[1] = g_strdup (
      vigil_json_get_string (vigil_json_object_get (status, "pipeline")));
  cells[2] = g_strdup (
      vigil_json_get_string (vigil_json_object_get (status, "state")));
  cells[3] = g_strdup_printf ("%.1f",
      vigil_json_get_number (vigil_json_object_get (status, "avg_fps")));
  cells[4] = g_strdup_printf ("%" G_GINT64_FORMAT,
      vigil_json_get_integer (vigil_json_object_get (
          vigil_json_object_get (status, "frames"), "taken")));
  cells[5] = format_seconds (vigil_json_object_get (status, "elapsed_time"));
  cells[6] =
      format_destinations (vigil_json_object_get (status, "destinations"));
  for (unsigned i = 0; i < 3; i++)
    if (cells[i] == NULL)
      cells[i] = g_strdup ("?");
  vigil_text_table_take_row (table, cells);
}

static void
print_line (const char *id, const char *name, const char *text)
{
  g_autofree char *printable = vigil_text_table_dup_printable (text);

  printf ("%.8s%s%s: %s\n", id, name == NULL ? "" : " ",
      name == NULL ? "" : name, printable);
}

/* Errors are too long for a column. */
static void
print_errors (const VigilJson *status)
{
  const char *id = vigil_json_get_string (vigil_json_object_get (status, "id"));
  const char *message =
      vigil_json_get_string (vigil_json_object_get (status, "message"));
  const VigilJson *list = vigil_json_object_get (status, "destinations");

  if (id == NULL)
    return;
  if (message != NULL && *message != '\0')
    print_line (id, NULL, message);
  for (size_t i = 0; i < vigil_json_array_size (list); i++) {
    const VigilJson *item = vigil_json_array_get (list, i);
    const char *error =
        vigil_json_get_string (vigil_json_object_get (item, "last_error"));

    if (error != NULL && *error != '\0')
      print_line (id,
          vigil_json_get_string (vigil_json_object_get (item, "name")), error);
  }
}

void
vigil_instance_table_print (const VigilJson *statuses)
{
  static const char *const heads[] = {"INSTANCE", "PIPELINE", "STATE", "FPS",
      "FRAMES", "TIME", "DESTINATIONS (sent/lost)", NULL};
  g_autoptr (VigilTextTable) table = vigil_text_table_new (heads);
  g_autofree char *text = NULL;

  for (size_t i = 0; i < vigil_json_array_size (statuses); i++)
    add_row (table, vigil_json_array_get (statuses, i));
  text = vigil_text_table_to_text (table);
  fputs (text, stdout);
  for (size_t i = 0; i < vigil_json_array_size (statuses); i++)
    print_errors (vigil_json_array_get (statuses, i));
}
