/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a message on the EIS Message Bus costs the sender in CPU time, all
 * threads of the process together, beside a bare zmq_msg_send loop of the
 * same parts to the same kind of subscriber. Subscribers are processes of
 * their own, which count and throw away.
 */
#include "publish/destination.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

enum { JSON_BYTES = 1500, BLOB_BYTES = 200 * 1024 };

static gboolean is_smoke;
static char folder[] = "/tmp/vigil-bench-eis-XXXXXX";

static double
get_cpu_us (void)
{
  struct timespec now;

  clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &now);
  return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

/* ---- Subscribers -----------------------------------------------------------
 */

static void
run_subscriber (const char *endpoint, int report_fd)
{
  void *context = zmq_ctx_new ();
  void *socket = zmq_socket (context, ZMQ_SUB);
  const int mark = 0;

  prctl (PR_SET_PDEATHSIG, SIGKILL);
  zmq_setsockopt (socket, ZMQ_RCVHWM, &mark, sizeof (mark));
  zmq_setsockopt (socket, ZMQ_SUBSCRIBE, "", 0);
  zmq_connect (socket, endpoint);
  for (uint64_t parts = 0;; parts++) {
    zmq_msg_t part;

    zmq_msg_init (&part);
    if (zmq_msg_recv (&part, socket, 0) < 0)
      _exit (1);
    /* each whole message is reported with one byte */
    if (!zmq_msg_more (&part) && write (report_fd, "", 1) != 1)
      _exit (1);
    zmq_msg_close (&part);
  }
}

typedef struct {
  pid_t process;
  int report_fd;
} Subscriber;

static Subscriber
start_subscriber (const char *endpoint)
{
  Subscriber self;
  int fds[2];

  if (pipe (fds) != 0)
    exit (1);
  self.process = fork ();
  if (self.process < 0)
    exit (1);
  if (self.process == 0)
    run_subscriber (endpoint, fds[1]);
  close (fds[1]);
  self.report_fd = fds[0];
  return self;
}

static void
stop_subscriber (Subscriber *self)
{
  kill (self->process, SIGKILL);
  waitpid (self->process, NULL, 0);
  close (self->report_fd);
}

static void
wait_for_reports (const Subscriber *self, int count)
{
  char bytes[256];

  while (count > 0) {
    const ssize_t got =
        read (self->report_fd, bytes, (size_t)MIN (count, (int)sizeof (bytes)));

    if (got <= 0)
      exit (1);
    count -= (int)got;
  }
}

/* ---- Senders ---------------------------------------------------------------
 */

typedef struct {
  GBytes *json;
  GBytes *blob; /* nullable */
  /* ours */
  VigilDestination *destination;
  VigilMessage *message;
  /* the bare loop */
  void *socket;
} Sender;

static void
send_ours (Sender *self)
{
  vigil_destination_send (self->destination, self->message, 0);
}

static void
unref_bytes (void *data, void *bytes)
{
  g_bytes_unref (bytes);
}

static void
send_bare_part (void *socket, GBytes *bytes, int flags)
{
  zmq_msg_t part;
  size_t size;
  const void *data = g_bytes_get_data (bytes, &size);

  if (size > 2048) {
    zmq_msg_init_data (
        &part, (void *)data, size, unref_bytes, g_bytes_ref (bytes));
  } else {
    zmq_msg_init_size (&part, size);
    memcpy (zmq_msg_data (&part), data, size);
  }
  if (zmq_msg_send (&part, socket, flags) < 0)
    exit (1);
}

static void
send_bare (Sender *self)
{
  const char count = self->blob != NULL ? 2 : 1;

  zmq_send (self->socket, "results", 8, ZMQ_SNDMORE);
  zmq_send (self->socket, "", 1, ZMQ_SNDMORE);
  zmq_send (self->socket, &count, 1, ZMQ_SNDMORE);
  send_bare_part (
      self->socket, self->json, self->blob != NULL ? ZMQ_SNDMORE : 0);
  if (self->blob != NULL)
    send_bare_part (self->socket, self->blob, 0);
}

/* ---- Measuring -------------------------------------------------------------
 */

typedef struct {
  void (*send) (Sender *self);
  Sender *sender;
  Subscriber subscriber;
} Side;

/* CPU us for one message; waits until all have been taken, so that what the
 * I/O thread does is in it. */
static double
measure_round (const Side *side, int messages)
{
  const double start = get_cpu_us ();

  for (int i = 0; i < messages; i += 50) {
    for (int j = 0; j < 50; j++)
      side->send (side->sender);
    wait_for_reports (&side->subscriber, 50);
  }
  return (get_cpu_us () - start) / messages;
}

static int
compare_doubles (const void *one, const void *other)
{
  const double a = *(const double *)one, b = *(const double *)other;

  return a < b ? -1 : a > b;
}

static void
measure (const char *row, const Side sides[2])
{
  const int rounds = is_smoke ? 1 : 15;
  const int messages = is_smoke ? 50 : 1000;
  double times[2][15];

  for (int i = 0; i < rounds; i++)
    for (int j = 0; j < 2; j++)
      times[j][i] = measure_round (&sides[j], messages);
  for (int j = 0; j < 2; j++)
    qsort (times[j], (size_t)rounds, sizeof (double), compare_doubles);
  printf ("%s\t%.2f us\t%.2f us\t%.2f\n", row, times[0][rounds / 2],
      times[1][rounds / 2], times[0][rounds / 2] / times[1][rounds / 2]);
  fflush (stdout);
}

/* The first messages find no subscriber: sends until one has come. */
static void
join (const Side *side)
{
  struct timespec pause = {.tv_nsec = 300 * 1000 * 1000};

  side->send (side->sender);
  nanosleep (&pause, NULL);
  side->send (side->sender);
  wait_for_reports (&side->subscriber, 1);
}

static VigilEisBus *
new_bus (const VigilEnvironment *environment)
{
  g_autoptr (VigilProblems) problems = vigil_problems_new ();
  g_autofree char *text = g_strdup_printf (
      "{\"Publishers\":[{\"Name\":\"default\",\"Type\":\"zmq_ipc\","
      "\"EndPoint\":\"%s, ours\",\"Topics\":[\"results\"]}]}",
      folder);
  g_autoptr (VigilJson) json = vigil_json_parse (text, -1, 1 << 20, 16, NULL);

  return vigil_eis_bus_new (json, environment, NULL, problems);
}

static void
fill_sender (Sender *self, size_t blob_bytes)
{
  g_autoptr (GString) json = g_string_new ("{\"gva_meta\":[");

  while (json->len < JSON_BYTES)
    g_string_append (json, "{\"x\":120,\"y\":84,\"confidence\":0.912},");
  g_string_append (json, "{}]}");
  self->json = g_bytes_new (json->str, json->len);
  if (blob_bytes > 0)
    self->blob = g_bytes_new_take (g_malloc0 (blob_bytes), blob_bytes);
  self->message = vigil_message_new (g_bytes_ref (self->json),
      self->blob != NULL ? g_bytes_ref (self->blob) : NULL, FALSE, "image/jpeg",
      1);
}

static void
run_case (const char *row, size_t blob_bytes)
{
  g_autoptr (VigilEnvironment) environment =
      vigil_environment_parse ("", 0, ".env", NULL);
  g_autofree char *ours = g_strdup_printf ("ipc://%s/ours", folder);
  g_autofree char *bare = g_strdup_printf ("ipc://%s/bare", folder);
  /* before there are threads */
  Subscriber subscribers[2] = {
      start_subscriber (ours), start_subscriber (bare)};
  VigilEisBus *bus = new_bus (environment);
  const VigilDestinationContext context = {
      .environment = environment, .eis_bus = bus};
  g_autoptr (VigilJson) settings =
      vigil_json_parse ("{\"publish_frame\":true}", -1, 1000, 16, NULL);
  void *zmq_context = zmq_ctx_new ();
  Sender sender = {.socket = zmq_socket (zmq_context, ZMQ_PUB)};
  const Side sides[2] = {{send_ours, &sender, subscribers[0]},
      {send_bare, &sender, subscribers[1]}};

  fill_sender (&sender, blob_bytes);
  sender.destination = vigil_destination_new (
      vigil_destination_find ("eis"), NULL, settings, &context, NULL);
  vigil_destination_start (sender.destination, NULL);
  zmq_bind (sender.socket, bare);
  join (&sides[0]);
  join (&sides[1]);
  measure (row, sides);
  for (int i = 0; i < 2; i++)
    stop_subscriber (&subscribers[i]);
  vigil_destination_free (sender.destination);
  vigil_eis_bus_free (bus, 0);
  zmq_close (sender.socket);
  zmq_ctx_term (zmq_context);
  vigil_message_unref (sender.message);
  g_bytes_unref (sender.json);
  g_clear_pointer (&sender.blob, g_bytes_unref);
}

static void
remove_folder (void)
{
  static const char *const names[] = {"ours", "bare"};

  for (unsigned i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree char *path = g_build_filename (folder, names[i], NULL);

    unlink (path);
  }
  rmdir (folder);
}

int
main (int argc, char **argv)
{
  is_smoke = argc > 1 && strcmp (argv[1], "--smoke") == 0;
  if (mkdtemp (folder) == NULL)
    return 1;
  atexit (remove_folder);
  run_case ("EIS message, 1.5 KB JSON, CPU", 0);
  run_case ("EIS message, 1.5 KB JSON and 200 KB, CPU", BLOB_BYTES);
  return 0;
}
