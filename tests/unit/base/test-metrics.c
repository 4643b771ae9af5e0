/* SPDX-License-Identifier: Apache-2.0 */
#include "base/metrics.h"

#include <glib.h>
#include <math.h>

#define THREADS 4
#define TIMES 100000

static void
test_counter (void)
{
  VigilCounter counter = 0;
  vigil_counter_add (&counter, 3);
  vigil_counter_add (&counter, UINT64_C (1) << 40);
  g_assert_cmpuint (vigil_counter_get (&counter), ==, (UINT64_C (1) << 40) + 3);
}

static void *
run (void *counter)
{
  for (unsigned i = 0; i < TIMES; i++)
    vigil_counter_add (counter, 1);
  return NULL;
}

static void
test_threads (void)
{
  VigilCounter counter = 0;
  GThread *threads[THREADS];
  for (unsigned i = 0; i < THREADS; i++)
    threads[i] = g_thread_new ("counter", run, &counter);
  for (unsigned i = 0; i < THREADS; i++)
    g_thread_join (threads[i]);
  g_assert_cmpuint (vigil_counter_get (&counter), ==, THREADS * TIMES);
}

/* ---- Text -----------------------------------------------------------------
 */

static const struct {
  double value;
  const char *text;
} values[] = {
    {0, "m 0\n"},
    {12345678901, "m 12345678901\n"},
    {0.25, "m 0.25\n"},
    {-1, "m -1\n"},
    {NAN, "m NaN\n"},
    {INFINITY, "m +Inf\n"},
    {-INFINITY, "m -Inf\n"},
};

static void
test_sample_values (void)
{
  for (size_t i = 0; i < G_N_ELEMENTS (values); i++) {
    g_autoptr (GString) text = g_string_new (NULL);
    vigil_metrics_append_sample (text, "m", NULL, values[i].value);
    g_assert_cmpstr (text->str, ==, values[i].text);
  }
}

static void
test_labels (void)
{
  static const VigilMetricLabel labels[] = {
      {"a", "plain"}, {"b", "q\"b\\n\nx"}, {"c", ""}, {NULL, NULL}};
  g_autoptr (GString) text = g_string_new (NULL);
  vigil_metrics_append_head (text, "m", "gauge", "One\nline \\ \"quoted\".");
  vigil_metrics_append_sample (text, "m", labels, 1);
  g_assert_cmpstr (text->str, ==,
      "# HELP m One\\nline \\\\ \"quoted\".\n"
      "# TYPE m gauge\n"
      "m{a=\"plain\",b=\"q\\\"b\\\\n\\nx\",c=\"\"} 1\n");
}

static void
test_histogram_text (void)
{
  static const VigilMetricLabel labels[] = {{"d", "x"}, {NULL, NULL}};
  VigilHistogram histogram = {0};
  vigil_histogram_add (&histogram, 500);
  vigil_histogram_add (&histogram, 2000);
  vigil_histogram_add (&histogram, 20000000);
  g_autoptr (GString) text = g_string_new (NULL);
  vigil_metrics_append_histogram (text, "m", labels, &histogram);
  g_auto (GStrv) lines = g_strsplit (text->str, "\n", -1);
  g_assert_cmpuint (g_strv_length (lines), ==, VIGIL_HISTOGRAM_BUCKETS + 3);
  g_assert_cmpstr (lines[0], ==, "m_bucket{d=\"x\",le=\"0.001\"} 1");
  g_assert_cmpstr (lines[1], ==, "m_bucket{d=\"x\",le=\"0.0025\"} 2");
  g_assert_cmpstr (lines[12], ==, "m_bucket{d=\"x\",le=\"10\"} 2");
  g_assert_cmpstr (lines[13], ==, "m_bucket{d=\"x\",le=\"+Inf\"} 3");
  g_assert_cmpstr (lines[14], ==, "m_sum{d=\"x\"} 20.0025");
  g_assert_cmpstr (lines[15], ==, "m_count{d=\"x\"} 3");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/metrics/counter", test_counter);
  g_test_add_func ("/metrics/threads", test_threads);
  g_test_add_func ("/metrics/text/values", test_sample_values);
  g_test_add_func ("/metrics/text/labels", test_labels);
  g_test_add_func ("/metrics/text/histogram", test_histogram_text);
  return g_test_run ();
}
