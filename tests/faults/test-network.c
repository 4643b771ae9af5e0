/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Faults of the network itself: black holes, resets, loss, a slow link, dead
 * name servers. The program makes two network namespaces of its own with a
 * cable between them: the client is in ours, brokers are in the other. Needs
 * root; skipped without.
 */

#include "common/client-rig.h"
#include "common/process.h"
#include "common/test-tls.h"
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define OUR_ADDRESS "10.99.0.1"
#define BROKER_ADDRESS "10.99.0.2"
#define BROKER_PORT 1883

static pid_t far_side;          /* sleeps in the other namespace; 0: none */
static const char *skip_reason; /* nullable */

/* ---- Namespaces -----------------------------------------------------------
 */

static void run_command (const char *format, ...) G_GNUC_PRINTF (1, 2);

static void
run_command (const char *format, ...)
{
  g_autofree char *command = NULL;
  g_autofree char *errors = NULL;
  g_autoptr (GError) error = NULL;
  int status = 0;
  va_list arguments;

  va_start (arguments, format);
  command = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_spawn_command_line_sync (command, NULL, &errors, &status, &error);
  if (error != NULL || status != 0)
    g_error ("%s: %s", command, error != NULL ? error->message : errors);
}

#define run_far(format, ...)                                                   \
  run_command ("nsenter -t %d -n " format, (int)far_side, ##__VA_ARGS__)

static pid_t
fork_far_side (void)
{
  int ready[2];
  char byte = 0;
  pid_t pid;

  g_assert_cmpint (pipe2 (ready, O_CLOEXEC), ==, 0);
  pid = fork ();
  if (pid == 0) {
    prctl (PR_SET_PDEATHSIG, SIGKILL);
    if (unshare (CLONE_NEWNET) == 0)
      byte = 1;
    if (write (ready[1], &byte, 1) != 1)
      _exit (1);
    for (;;)
      pause ();
  }
  g_assert_cmpint (read (ready[0], &byte, 1), ==, 1);
  close (ready[0]);
  close (ready[1]);
  g_assert_cmpint (byte, ==, 1);
  return pid;
}

/* Once, before any thread. Leaves skip_reason when it cannot. */
static void
make_world (void)
{
  if (geteuid () != 0) {
    skip_reason = "network namespaces want root";
    return;
  }
  if (unshare (CLONE_NEWNET | CLONE_NEWNS) != 0) {
    skip_reason = "network namespaces are not allowed here";
    return;
  }
  g_assert_cmpint (mount (NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), ==, 0);
  far_side = fork_far_side ();
  run_command ("ip link set lo up");
  run_command ("ip link add cable0 type veth peer name cable1");
  run_command ("ip link set cable1 netns %d", (int)far_side);
  run_command ("ip addr add " OUR_ADDRESS "/24 dev cable0");
  run_command ("ip link set cable0 up");
  run_far ("ip link set lo up");
  run_far ("ip addr add " BROKER_ADDRESS "/24 dev cable1");
  run_far ("ip link set cable1 up");
}

/* ---- Rules on the far side: what arrives there ------------------------------
 */

static void
set_rule (const char *rule)
{
  run_far ("nft flush ruleset");
  if (rule == NULL)
    return;
  run_far ("nft add table inet f");
  run_far ("nft 'add chain inet f i { type filter hook input priority 0 ; }'");
  run_far ("nft add rule inet f i %s", rule);
}

/* ---- The broker -------------------------------------------------------------
 */

static void
start_broker (VigilClientRig *rig, VigilProcess **ret_broker)
{
  g_autofree char *tls = vigil_test_tls_dup_broker_lines ();
  g_autofree char *lines = g_strconcat ("listener 1883 " BROKER_ADDRESS
                                        "\nallow_anonymous true\nuser root\n",
      tls, NULL);
  g_autofree char *config =
      vigil_fixture_write (&rig->fixture, "broker.conf", lines);
  g_autofree char *log =
      g_build_filename (rig->fixture.folder, "broker.log", NULL);
  g_autofree char *pid = g_strdup_printf ("%d", (int)far_side);
  const char *argv[] = {
      "nsenter", "-t", pid, "-n", "/usr/sbin/mosquitto", "-c", config, NULL};

  *ret_broker = vigil_process_start (argv, NULL, log);
  g_assert_true (vigil_process_wait_port (
      *ret_broker, BROKER_ADDRESS, BROKER_PORT, 10000));
}

/* Returns: TRUE when the test cannot run here. */
static gboolean
skips (void)
{
  if (skip_reason != NULL)
    g_test_skip (skip_reason);
  else
    set_rule (NULL);
  return skip_reason != NULL;
}

static VigilMqttClient *
connect_over_cable (VigilClientRig *self, VigilMqttOptions options)
{
  return vigil_client_rig_new_client (
      self, BROKER_ADDRESS, BROKER_PORT, options);
}

static double
seconds_since (int64_t begin_us)
{
  return (double)(g_get_monotonic_time () - begin_us) / G_USEC_PER_SEC;
}

/* ---- Tests ------------------------------------------------------------------
 */

/* No answer to SYN: the attempt ends at its deadline, stop does not wait. */
static void
test_syn_black_hole (VigilClientRig *self, gconstpointer data)
{
  g_autoptr (VigilMqttClient) client = NULL;
  int64_t begin_us;
  double seconds;

  if (skips ())
    return;
  set_rule ("tcp dport 1883 drop");
  vigil_fixture_expect_warning (
      VIGIL_CLIENT_RIG_DOMAIN, "*no answer to the attempt*");
  begin_us = g_get_monotonic_time ();
  client = connect_over_cable (self, (VigilMqttOptions){.qos = 1});
  vigil_client_rig_send (client, 100);
  g_assert_true (
      vigil_fixture_wait_until (vigil_client_rig_is_waiting, client, 20000));
  seconds = seconds_since (begin_us);
  g_test_message ("SYN black hole: given up after %.2f s", seconds);
  g_assert_cmpfloat (seconds, >, 9.5);
  g_assert_cmpfloat (seconds, <, 11);
  begin_us = g_get_monotonic_time ();
  vigil_mqtt_client_stop (client, vigil_fixture_deadline (500));
  g_assert_cmpfloat (seconds_since (begin_us), <, 2.5);
  vigil_client_rig_assert_equation (client);
}

/* A connection that stands goes silent: found in time, and stop is quick
 * while it is; when the hole closes, QoS 1 has lost nothing. */
static void
test_black_hole (VigilClientRig *self, gconstpointer data)
{
  g_autoptr (VigilProcess) broker = NULL;
  g_autoptr (VigilMqttClient) client = NULL;
  g_autoptr (VigilMqttClient) stopped = NULL;
  int64_t begin_us;
  double seconds;

  if (skips ())
    return;
  start_broker (self, &broker);
  vigil_fixture_allow_warning (VIGIL_CLIENT_RIG_DOMAIN, "*");
  client = connect_over_cable (
      self, (VigilMqttOptions){.qos = 1, .keep_alive_s = 4});
  stopped = connect_over_cable (self, (VigilMqttOptions){.qos = 1});
  g_assert_true (
      vigil_fixture_wait_until (vigil_client_rig_is_connected, client, 10000));
  g_assert_true (
      vigil_fixture_wait_until (vigil_client_rig_is_connected, stopped, 10000));
  set_rule ("tcp dport 1883 drop");
  begin_us = g_get_monotonic_time ();
  for (unsigned i = 0; i < 50; i++) {
    vigil_client_rig_send (client, 1000);
    vigil_client_rig_send (stopped, 1000);
  }
  vigil_mqtt_client_stop (stopped, vigil_fixture_deadline (500));
  g_assert_cmpfloat (seconds_since (begin_us), <, 2.5);
  vigil_client_rig_assert_equation (stopped);
  g_assert_true (
      vigil_fixture_wait_until (vigil_client_rig_is_waiting, client, 9000));
  seconds = seconds_since (begin_us);
  g_test_message ("black hole, keep-alive 4 s: found after %.2f s", seconds);
  g_assert_cmpfloat (seconds, <=, 1.5 * 4 + 1);
  set_rule (NULL);
  g_assert_true (vigil_event_wait (&self->ended, 100, 20000));
  g_assert_cmpuint (vigil_client_rig_get_status (client).acknowledged, ==, 50);
}

/* RST in answer to everything, for a while. */
static void
test_resets (VigilClientRig *self, gconstpointer data)
{
  g_autoptr (VigilProcess) broker = NULL;
  g_autoptr (VigilMqttClient) client = NULL;

  if (skips ())
    return;
  start_broker (self, &broker);
  vigil_fixture_allow_warning (VIGIL_CLIENT_RIG_DOMAIN, "*");
  client = connect_over_cable (self, (VigilMqttOptions){.qos = 1});
  g_assert_true (
      vigil_fixture_wait_until (vigil_client_rig_is_connected, client, 10000));
  set_rule ("tcp dport 1883 reject with tcp reset");
  for (unsigned i = 0; i < 50; i++)
    vigil_client_rig_send (client, 1000);
  g_assert_true (
      vigil_fixture_wait_until (vigil_client_rig_is_waiting, client, 10000));
  set_rule (NULL);
  g_assert_true (vigil_event_wait (&self->ended, 50, 20000));
  vigil_client_rig_assert_equation (client);
  g_assert_cmpuint (
      vigil_client_rig_get_status (client).dropped[VIGIL_MQTT_DROP_POISON], ==,
      0);
}

/* 20 % of all packets are lost: slower, and complete. */
static void
test_loss (VigilClientRig *self, gconstpointer data)
{
  g_autoptr (VigilProcess) broker = NULL;
  g_autoptr (VigilMqttClient) client = NULL;

  if (skips ())
    return;
  start_broker (self, &broker);
  vigil_fixture_allow_warning (VIGIL_CLIENT_RIG_DOMAIN, "*");
  set_rule ("tcp dport 1883 numgen random mod 100 < 20 drop");
  client = connect_over_cable (self, (VigilMqttOptions){.qos = 2});
  for (unsigned i = 0; i < 100; i++)
    vigil_client_rig_send (client, 2000);
  g_assert_true (vigil_event_wait (&self->ended, 100, 40000));
  g_assert_cmpuint (vigil_client_rig_get_status (client).acknowledged, ==, 100);
}

/* 1 Mbit/s, 10 times as much offered, keep-alive 5 s: the connection lives,
 * the queue stays in its bounds, and messages go on arriving. */
static void
test_slow_link (VigilClientRig *self, gconstpointer data)
{
  g_autoptr (VigilProcess) broker = NULL;
  g_autoptr (VigilMqttClient) client = NULL;
  VigilMqttStatus status;

  if (skips ())
    return;
  start_broker (self, &broker);
  run_command ("tc qdisc replace dev cable0 root tbf rate 1mbit "
               "burst 32kbit latency 400ms");
  client = connect_over_cable (self,
      (VigilMqttOptions){.qos = 0, .keep_alive_s = 5, .queue_bytes = 1000000});
  g_assert_true (
      vigil_fixture_wait_until (vigil_client_rig_is_connected, client, 10000));
  for (unsigned i = 0; i < 375; i++) {
    vigil_client_rig_send (client, 50000);
    status = vigil_client_rig_get_status (client);
    g_assert_cmpuint (status.queued_bytes, <=, 1000000);
    g_usleep (40000);
  }
  status = vigil_client_rig_get_status (client);
  g_test_message ("slow link: %u published, %u dropped, %u connections",
      (unsigned)status.published,
      (unsigned)status.dropped[VIGIL_MQTT_DROP_QUEUE_FULL],
      (unsigned)status.connects);
  g_assert_cmpuint (status.connects, ==, 1);
  g_assert_cmpuint (status.published, >, 20);
  g_assert_cmpuint (status.dropped[VIGIL_MQTT_DROP_QUEUE_FULL], >, 200);
  vigil_client_rig_assert_equation (client);
  vigil_mqtt_client_stop (client, vigil_fixture_deadline (100));
  run_command ("tc qdisc del dev cable0 root");
}

/* Name servers that do not answer: send never waits for them, the attempt
 * ends at its deadline, stop at once. */
static void
test_dead_dns (VigilClientRig *self, gconstpointer data)
{
  const VigilMqttHost host = {"broker.example", 1883};
  g_autofree char *file = NULL;
  g_autoptr (VigilMqttClient) client = NULL;
  int64_t begin_us;
  int64_t longest_us = 0;
  double seconds;

  if (skips ())
    return;
  file = vigil_fixture_write (
      &self->fixture, "resolv.conf", "nameserver " BROKER_ADDRESS "\n");
  g_assert_cmpint (
      mount (file, "/etc/resolv.conf", NULL, MS_BIND, NULL), ==, 0);
  set_rule ("udp dport 53 drop");
  g_unsetenv ("RES_OPTIONS"); /* with which tests do not wait as long */
  vigil_fixture_expect_warning (
      VIGIL_CLIENT_RIG_DOMAIN, "*name servers do not answer*");
  begin_us = g_get_monotonic_time ();
  client = vigil_client_rig_new_client (self, NULL, 0,
      (VigilMqttOptions){
          .hosts = &host, .hosts_size = 1, .attempt_timeout_ms = 3000});
  while (!vigil_client_rig_is_waiting (client)) {
    const int64_t send_us = g_get_monotonic_time ();

    vigil_client_rig_send (client, 100);
    longest_us = MAX (longest_us, g_get_monotonic_time () - send_us);
    g_usleep (10000);
  }
  seconds = seconds_since (begin_us);
  g_test_message ("dead DNS: given up after %.2f s, send held at most %.3f ms",
      seconds, (double)longest_us / 1000);
  g_assert_cmpfloat (seconds, >, 2.9);
  g_assert_cmpfloat (seconds, <, 4);
  /* far below what a look-up takes, far above what a busy machine does */
  g_assert_cmpint (longest_us, <, G_USEC_PER_SEC / 2);
  g_usleep (1200000); /* into the second attempt */
  begin_us = g_get_monotonic_time ();
  vigil_mqtt_client_stop (client, 0);
  g_assert_cmpfloat (seconds_since (begin_us), <, 2);
  g_assert_cmpint (umount ("/etc/resolv.conf"), ==, 0);
}

int
main (int argc, char **argv)
{
  make_world ();
  vigil_fixture_init (&argc, &argv, 60);
  vigil_fixture_go_first ();
  vigil_client_rig_add (
      "/faults/network/syn-black-hole", test_syn_black_hole, NULL);
  vigil_client_rig_add ("/faults/network/black-hole", test_black_hole, NULL);
  vigil_client_rig_add ("/faults/network/resets", test_resets, NULL);
  vigil_client_rig_add ("/faults/network/loss", test_loss, NULL);
  vigil_client_rig_add ("/faults/network/slow-link", test_slow_link, NULL);
  vigil_client_rig_add ("/faults/network/dead-dns", test_dead_dns, NULL);
  return g_test_run ();
}
