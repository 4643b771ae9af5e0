/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A broker that is frozen in the middle of 2.5 MB/s: memory stays within
 * the queue, the caller of send is never held, the half-open connection is
 * found in time, stop is quick, nothing spins. 20 s; VIGIL_FAULTS_LONG: 10
 * minutes.
 *
 * QoS 0 and 1, plain and over TLS, each in a process of its own, so that
 * its memory is its own; all at once, because all they do is wait.
 */

#include "common/broker.h"
#include "common/client-rig.h"
#include "common/test-tls.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define QUEUE_BYTES (16 * 1024 * 1024)
#define MESSAGE_BYTES 100000
#define PERIOD_US (G_USEC_PER_SEC / 25)
#define KEEP_ALIVE_S 5
#define DRAIN_S 1
/* What send may take, of many. A short run has few: the machine may stand
 * still for one of them, but never as long as the broker does. */
#define HELD_P999_MS 1
#define HELD_MAX_MS 10
#define HELD_MAX_SHORT_MS 250
/* Making the messages costs 0.002; a loop that spins, 0.5. */
#define BUSY_MAX 0.05

static size_t
get_resident_bytes (void)
{
  g_autofree char *text = NULL;
  unsigned long pages = 0;

  g_assert_true (g_file_get_contents ("/proc/self/statm", &text, NULL, NULL));
  g_assert_cmpint (sscanf (text, "%*u %lu", &pages), ==, 1);
  return pages * (size_t)sysconf (_SC_PAGESIZE);
}

static double
get_processor_s (void)
{
  struct timespec now;

  clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int
compare (const void *left, const void *right)
{
  const double a = *(const double *)left;
  const double b = *(const double *)right;

  return a < b ? -1 : a > b;
}

typedef struct {
  GArray *holds_ms; /* how long send took, each time */
  size_t most_bytes;
  double found_s; /* when the loss was noticed; 0: not yet */
  double busy;    /* share of a processor */
} Measures;

static void
send_one (VigilMqttClient *client, Measures *measures)
{
  g_autoptr (VigilMqttMessage) message =
      vigil_client_rig_make_message (MESSAGE_BYTES);
  const int64_t begin_us = g_get_monotonic_time ();
  double hold_ms;

  vigil_mqtt_client_send (client, message, 0);
  hold_ms = (double)(g_get_monotonic_time () - begin_us) / 1000;
  g_array_append_val (measures->holds_ms, hold_ms);
}

static void
send_for (VigilMqttClient *client, Measures *measures, unsigned seconds)
{
  const int64_t begin_us = g_get_monotonic_time ();
  const int64_t end_us = begin_us + seconds * G_USEC_PER_SEC;
  const double begin_processor_s = get_processor_s ();
  int64_t next_us = begin_us;

  while (g_get_monotonic_time () < end_us) {
    send_one (client, measures);
    measures->most_bytes = MAX (measures->most_bytes, get_resident_bytes ());
    if (measures->found_s == 0 &&
        vigil_client_rig_get_status (client).state != VIGIL_MQTT_CONNECTED)
      measures->found_s =
          (double)(g_get_monotonic_time () - begin_us) / G_USEC_PER_SEC;
    next_us += PERIOD_US;
    if (next_us > g_get_monotonic_time ())
      g_usleep ((unsigned long)(next_us - g_get_monotonic_time ()));
  }
  measures->busy = (get_processor_s () - begin_processor_s) / seconds;
}

static double
get_percentile (GArray *values, double share)
{
  g_array_sort (values, compare);
  return g_array_index (
      values, double, (unsigned)((double)(values->len - 1) * share));
}

static gboolean
is_long (void)
{
  return g_getenv ("VIGIL_FAULTS_LONG") != NULL;
}

static unsigned
get_seconds (void)
{
  return is_long () ? 600 : 20;
}

/* What the measures were at their worst, and what they may be. */
static void
report (Measures *measures, const char *what, size_t idle_bytes, double stop_s)
{
  const double grown_mb = (double)(measures->most_bytes - idle_bytes) / 1048576;
  const double p999_ms = get_percentile (measures->holds_ms, 0.999);
  const double most_ms = get_percentile (measures->holds_ms, 1);

  g_test_message ("%s: memory +%.1f MiB (queue %d MiB), send p99.9 %.3f ms, "
                  "max %.3f ms, %.1f %% of a processor, loss found after %.1f "
                  "s, stop %.1f s",
      what, grown_mb, QUEUE_BYTES / 1048576, p999_ms, most_ms,
      measures->busy * 100, measures->found_s, stop_s);
  g_assert_cmpfloat (grown_mb, <=, QUEUE_BYTES / 1048576 * 1.1);
  g_assert_cmpfloat (p999_ms, <, is_long () ? HELD_P999_MS : HELD_MAX_SHORT_MS);
  g_assert_cmpfloat (most_ms, <, is_long () ? HELD_MAX_MS : HELD_MAX_SHORT_MS);
  g_assert_cmpfloat (measures->busy, <, BUSY_MAX);
  g_assert_cmpfloat (measures->found_s, >, 0);
  g_assert_cmpfloat (measures->found_s, <=, 1.5 * KEEP_ALIVE_S + 1);
  g_assert_cmpfloat (stop_s, <, DRAIN_S + 2);
}

/* ---- One row, in its process ----------------------------------------------
 */

static void
test_row (VigilClientRig *self, gconstpointer data)
{
  const int qos = atoi (data);
  g_autoptr (VigilBroker) broker = vigil_broker_new (&self->fixture, 0, NULL);
  g_autoptr (VigilMqttClient) client = NULL;
  g_autoptr (GArray) holds_ms = g_array_new (FALSE, FALSE, sizeof (double));
  Measures measures = {.holds_ms = holds_ms};
  g_autofree char *what = g_strdup_printf ("QoS %d, %s, %u s", qos,
      vigil_test_tls_is_on () ? "TLS" : "plain", get_seconds ());
  size_t idle_bytes;
  int64_t begin_us;

  vigil_fixture_allow_warning (VIGIL_CLIENT_RIG_DOMAIN, "*");
  client = vigil_client_rig_new_client (self, vigil_broker_get_address (broker),
      vigil_broker_get_port (broker),
      (VigilMqttOptions){.qos = qos,
          .offline_queue = TRUE,
          .keep_alive_s = KEEP_ALIVE_S,
          .queue_bytes = QUEUE_BYTES});
  g_assert_true (
      vigil_fixture_wait_until (vigil_client_rig_is_connected, client, 10000));
  send_for (client, &measures, 1);
  g_assert_cmpfloat (measures.found_s, ==, 0);
  idle_bytes = get_resident_bytes ();
  vigil_broker_freeze (broker);
  send_for (client, &measures, get_seconds ());
  vigil_client_rig_assert_equation (client);
  begin_us = g_get_monotonic_time ();
  vigil_mqtt_client_stop (client, vigil_fixture_deadline (DRAIN_S * 1000));
  report (&measures, what, idle_bytes,
      (double)(g_get_monotonic_time () - begin_us) / G_USEC_PER_SEC);
  vigil_client_rig_assert_equation (client);
  vigil_broker_thaw (broker);
}

/* ---- All rows -------------------------------------------------------------
 */

static VigilProcess *
start_row (VigilClientRig *self, const char *program, const char *qos,
    gboolean has_tls)
{
  g_auto (GStrv) environment = g_get_environ ();
  g_autofree char *name = g_strconcat (qos, has_tls ? "-tls" : "", NULL);
  g_autofree char *log = g_build_filename (self->fixture.folder, name, NULL);

  if (has_tls)
    environment = g_environ_setenv (environment, "VIGIL_TEST_TLS", "1", TRUE);
  else
    environment = g_environ_unsetenv (environment, "VIGIL_TEST_TLS");
  return vigil_process_start (
      (const char *const[]){program, "--row", qos, NULL},
      (const char *const *)environment, log);
}

/* Shows what it measured. */
static void
end_row (VigilProcess *process)
{
  g_autofree char *log = NULL;
  g_auto (GStrv) lines = NULL;
  int status = 0;

  g_assert_true (
      vigil_process_wait (process, (get_seconds () + 60) * 1000, &status));
  log = vigil_process_read_log (process);
  lines = g_strsplit (log, "\n", 0);
  for (char **line = lines; *line != NULL; line++)
    if (g_str_has_prefix (*line, "# QoS"))
      g_test_message ("%s", *line + 2);
  if (status != 0)
    g_error ("a row ended with %d: %s", status, log);
}

static void
test_rows (VigilClientRig *self, gconstpointer data)
{
  VigilProcess *rows[] = {
      start_row (self, data, "0", FALSE),
      start_row (self, data, "1", FALSE),
      start_row (self, data, "0", TRUE),
      start_row (self, data, "1", TRUE),
  };

  for (unsigned i = 0; i < G_N_ELEMENTS (rows); i++) {
    end_row (rows[i]);
    vigil_process_free (rows[i]);
  }
}

int
main (int argc, char **argv)
{
  const char *qos =
      argc == 3 && strcmp (argv[1], "--row") == 0 ? argv[2] : NULL;

  if (qos != NULL)
    argc = 1;
  vigil_fixture_init (&argc, &argv, get_seconds () + 80);
  vigil_fixture_go_first ();
  if (qos != NULL)
    vigil_client_rig_add ("/faults/frozen/row", test_row, qos);
  else
    vigil_client_rig_add ("/faults/frozen/rows", test_rows, argv[0]);
  return g_test_run ();
}
