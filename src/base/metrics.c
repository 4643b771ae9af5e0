/* SPDX-License-Identifier: Apache-2.0 */
/* Figures in the text form of Prometheus. */
#include "base/metrics.h"

#include "base/json.h"
#include <math.h>
#include <string.h>

static void
append_escaped (GString *text, const char *value, const char *special)
{
  for (; *value != '\0'; value++) {
    if (*value == '\n') {
      g_string_append (text, "\\n");
      continue;
    }
    if (strchr (special, *value) != NULL)
      g_string_append_c (text, '\\');
    g_string_append_c (text, *value);
  }
}

/* @separator: what comes first; it turns into a comma. */
static void
append_label (
    GString *text, char *separator, const char *key, const char *value)
{
  g_string_append_c (text, *separator);
  *separator = ',';
  g_string_append (text, key);
  g_string_append (text, "=\"");
  append_escaped (text, value, "\\\"");
  g_string_append_c (text, '"');
}

/* @extra_key: (nullable): one more label, behind the others. */
static void
append_name (GString *text, const char *name, const char *suffix,
    const VigilMetricLabel *labels, const char *extra_key,
    const char *extra_value)
{
  char separator = '{';
  g_string_append (text, name);
  g_string_append (text, suffix);
  for (; labels != NULL && labels->key != NULL; labels++)
    append_label (text, &separator, labels->key, labels->value);
  if (extra_key != NULL)
    append_label (text, &separator, extra_key, extra_value);
  if (separator == ',')
    g_string_append_c (text, '}');
  g_string_append_c (text, ' ');
}

static void
append_value (GString *text, double value)
{
  if (isnan (value))
    g_string_append (text, "NaN");
  else if (isinf (value))
    g_string_append (text, value > 0 ? "+Inf" : "-Inf");
  else
    vigil_json_append_number (text, value);
  g_string_append_c (text, '\n');
}

void
vigil_metrics_append_head (
    GString *text, const char *name, const char *type, const char *help)
{
  g_string_append_printf (text, "# HELP %s ", name);
  append_escaped (text, help, "\\");
  g_string_append_printf (text, "\n# TYPE %s %s\n", name, type);
}

void
vigil_metrics_append_sample (GString *text, const char *name,
    const VigilMetricLabel *labels, double value)
{
  append_name (text, name, "", labels, NULL, NULL);
  append_value (text, value);
}

void
vigil_metrics_append_histogram (GString *text, const char *name,
    const VigilMetricLabel *labels, const VigilHistogram *histogram)
{
  uint64_t count = 0;
  for (unsigned i = 0; i < VIGIL_HISTOGRAM_BUCKETS; i++) {
    /* Each bucket has all that is shorter, too. */
    count += histogram->counts[i];
    append_name (
        text, name, "_bucket", labels, "le", vigil_histogram_get_end (i));
    append_value (text, (double)count);
  }
  append_name (text, name, "_sum", labels, NULL, NULL);
  append_value (text, (double)histogram->sum_us / G_USEC_PER_SEC);
  append_name (text, name, "_count", labels, NULL, NULL);
  append_value (text, (double)count);
}
