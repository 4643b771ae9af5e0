/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a message on the EIS Message Bus costs the sender in CPU time, all
 * threads of the process together, beside a bare zmq_msg_send loop of the
 * same parts to the same kind of subscriber. Subscribers are processes of
 * their own, which count and throw away.
 */
#include "publish/destination.h"
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

enum { JSON_BYTES = 1500, BLOB_BYTES = 200 * 1024 };
/* Messages between two looks at what has come: few of the large ones, for
 * which libzmq's mark is low. */
enum { JSON_BATCH = 100, BLOB_BATCH = 20, SILENCE_MS = 300 };

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

/* Waits for @count messages, or until none comes any more: libzmq drops what
 * exceeds its mark, and looks only now and then at what was taken.
 * Returns: how many came. */
static int
wait_for_reports (const Subscriber *self, int count)
{
  struct pollfd poller = {.fd = self->report_fd, .events = POLLIN};
  int left = count;
  char bytes[256];

  while (left > 0 && poll (&poller, 1, SILENCE_MS) > 0) {
    const ssize_t got =
        read (self->report_fd, bytes, (size_t)MIN (left, (int)sizeof (bytes)));

    if (got <= 0)
      exit (1);
    left -= (int)got;
  }
  return count - left;
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
  const int batch = side->sender->blob != NULL ? BLOB_BATCH : JSON_BATCH;
  const double start = get_cpu_us ();

  for (int i = 0; i < messages; i += batch) {
    for (int j = 0; j < batch; j++)
      side->send (side->sender);
    wait_for_reports (&side->subscriber, batch);
  }
  return (get_cpu_us () - start) / messages;
}

/* Rounds that take turns: what else runs on the machine only adds, so the
 * best counts. */
static void
measure (const Side sides[2], double best[2])
{
  for (int i = 0; i < 5; i++)
    for (int j = 0; j < 2; j++)
      best[j] = MIN (best[j], measure_round (&sides[j], 1000));
}

/* What is sent before a subscriber has come is lost: sends until one has. */
static void
join (const Side *side)
{
  do
    side->send (side->sender);
  while (wait_for_reports (&side->subscriber, 1) == 0);
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
run_once (size_t blob_bytes, double best[2])
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
  measure (sides, best);
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

/* Several times from the start: where threads and buffers come to lie makes
 * a difference of two, which then stays. */
static void
run_case (const char *row, size_t blob_bytes)
{
  const int runs = is_smoke ? 3 : 7;
  double best[2] = {G_MAXDOUBLE, G_MAXDOUBLE};

  for (int i = 0; i < runs; i++)
    run_once (blob_bytes, best);
  printf ("%s\t%.2f us\t%.2f us\t%.2f\tratio 1.2\n", row, best[0], best[1],
      best[0] / best[1]);
  fflush (stdout);
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
