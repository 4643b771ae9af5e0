/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The wall clock jumps an hour ahead and two hours back while messages
 * flow: nothing happens. The client runs in a child of this program, whose
 * clock is libfaketime's.
 */

#include "common/broker.h"
#include "common/client-rig.h"
#include "common/test-tls.h"
#include <stdlib.h>
#include <time.h>

#define FAKETIME "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"
#define MESSAGES 100

/* The child: 4 s of messages, with both jumps in them. */
static int
run_child (const char *address, const char *port, const char *clock_file)
{
  VigilClientRig rig = {0};
  g_autoptr (VigilMqttClient) client = NULL;
  VigilMqttStatus status;
  const time_t begin = time (NULL);
  time_t least = begin;
  time_t most = begin;

  vigil_event_init (&rig.ended);
  client = vigil_client_rig_new_client (&rig, address,
      (uint16_t)g_ascii_strtoull (port, NULL, 10),
      (VigilMqttOptions){.qos = 1, .keep_alive_s = 10});
  for (unsigned i = 0; i < MESSAGES; i++) {
    if (i == MESSAGES / 4)
      g_file_set_contents (clock_file, "+3600", -1, NULL);
    if (i == MESSAGES / 2)
      g_file_set_contents (clock_file, "-7200", -1, NULL);
    vigil_client_rig_send (client, 100);
    g_usleep (40000);
    least = MIN (least, time (NULL));
    most = MAX (most, time (NULL));
  }
  vigil_mqtt_client_stop (client, vigil_fixture_deadline (10000));
  status = vigil_client_rig_get_status (client);
  g_print ("jumped from %ld to %ld s\n", (long)(least - begin),
      (long)(most - begin));
  if (most - begin < 3000 || least - begin > -6000)
    return 2; /* the clock did not jump: nothing was shown */
  return status.acknowledged == MESSAGES && status.connects == 1 ? 0 : 1;
}

static void
test_jumps (VigilClientRig *self, gconstpointer data)
{
  const char *program = data;
  g_autoptr (VigilBroker) broker = NULL;
  g_autoptr (VigilProcess) process = NULL;
  g_autofree char *port = NULL;
  g_autofree char *clock_file = NULL;
  g_autofree char *log = NULL;
  g_auto (GStrv) environment = g_get_environ ();
  int status = 0;

  if (!g_file_test (FAKETIME, G_FILE_TEST_EXISTS)) {
    g_test_skip ("libfaketime is not installed (Debian: faketime)");
    return;
  }
  broker = vigil_broker_new (&self->fixture, 0, NULL);
  port = g_strdup_printf ("%u", vigil_broker_get_port (broker));
  clock_file = vigil_fixture_write (&self->fixture, "clock", "+0");
  log = g_build_filename (self->fixture.folder, "child.log", NULL);
  environment = g_environ_setenv (environment, "FAKETIME_NO_CACHE", "1", TRUE);
  environment = g_environ_setenv (
      environment, "FAKETIME_TIMESTAMP_FILE", clock_file, TRUE);
  environment =
      g_environ_setenv (environment, "DONT_FAKE_MONOTONIC", "1", TRUE);
  environment = g_environ_setenv (environment, "LD_PRELOAD", FAKETIME, TRUE);
  if (vigil_test_tls_is_on ()) {
    g_autofree char *folder = vigil_test_tls_dup_path ("");

    environment =
        g_environ_setenv (environment, "VIGIL_TEST_TLS", folder, TRUE);
  }
  process = vigil_process_start (
      (const char *const[]){program, "--child",
          vigil_broker_get_address (broker), port, clock_file, NULL},
      (const char *const *)environment, log);
  g_assert_true (vigil_process_wait (process, 30000, &status));
  if (status != 0) {
    g_autofree char *text = vigil_process_read_log (process);

    g_error ("the child ended with %d: %s", status, text);
  }
}

int
main (int argc, char **argv)
{
  if (argc == 5 && g_strcmp0 (argv[1], "--child") == 0)
    return run_child (argv[2], argv[3], argv[4]);
  vigil_fixture_init (&argc, &argv, 60);
  vigil_fixture_go_first ();
  vigil_client_rig_add ("/faults/clock/jumps", test_jumps, argv[0]);
  return g_test_run ();
}
