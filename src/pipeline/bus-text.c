/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bus messages in words.
 */
#include "pipeline/bus-text.h"

#include <string.h>

/* Words of a debug text, and what they mean to a person. */
static const struct {
  const char *words;
  const char *hint;
} hints[] = {
    {"not-negotiated",
        "two elements do not agree on a format: try videoconvert between them"},
    {"not-linked", "a stream has nowhere to go: the input may have no video"},
    {"reason error (-5)",
        "it does not say why: check that the source can be reached"},
    {"delayed link", "the input has no stream of the kind that is wanted"},
    {"delayed linking", "the input has no stream of the kind that is wanted"},
};

static const char *
find_hint (const char *text)
{
  for (size_t i = 0; i < G_N_ELEMENTS (hints); i++)
    if (strstr (text, hints[i].words) != NULL)
      return hints[i].hint;
  return NULL;
}

/* The debug text behind its first line, which names a source file. */
static char *
dup_details (const char *debug)
{
  const char *rest = debug != NULL ? strchr (debug, '\n') : NULL;
  char *details = g_strdup (rest != NULL ? rest + 1 : "");

  g_strdelimit (details, "\n", ' ');
  return g_strstrip (details);
}

char *
vigil_bus_text_dup_error (GstMessage *message, const char *missing_plugin)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *debug = NULL;
  g_autofree char *details = NULL;
  const char *hint;
  GString *text = g_string_new (NULL);

  gst_message_parse_error (message, &error, &debug);
  details = dup_details (debug);
  g_string_printf (
      text, "%s: %s", GST_MESSAGE_SRC_NAME (message), error->message);
  if (*details != '\0')
    g_string_append_printf (text, " %s", details);
  if (missing_plugin != NULL) {
    g_string_append_printf (text,
        " (missing: %s; gstreamer1.0-libav, -plugins-bad and -plugins-ugly "
        "have most decoders)",
        missing_plugin);
    return g_string_free (text, FALSE);
  }
  hint =
      g_error_matches (error, GST_STREAM_ERROR, GST_STREAM_ERROR_TYPE_NOT_FOUND)
          ? "the input is no video, or broken"
          : find_hint (debug != NULL ? debug : "");
  if (hint != NULL)
    g_string_append_printf (text, " (%s)", hint);
  return g_string_free (text, FALSE);
}

char *
vigil_bus_text_dup_missing_plugin (GstMessage *message)
{
  const GstStructure *structure = gst_message_get_structure (message);
  const char *name =
      structure != NULL ? gst_structure_get_string (structure, "name") : NULL;

  return g_strdup (name != NULL ? name : "a plugin");
}
