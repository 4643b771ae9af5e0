/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happens to one destination does not reach another: a live pipeline
 * publishes to MQTT and to the EIS Message Bus, the broker does everything
 * wrong that it can, and the bus gets every frame, in order and as soon as
 * without a fault; and the other way round. The figures stand side by side
 * in the log.
 */
#include "common/broker.h"
#include "common/eis-reader.h"
#include "common/fixture.h"
#include "common/scripted-broker.h"
#include "publish/publisher.h"
#include <arpa/inet.h>
#include <poll.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { WIDTH = 64, HEIGHT = 48 };
/* A frame every other millisecond; the fault, and then time for the first
 * reconnect, which comes after a second. */
enum { FRAME_MS = 2, FAULT_AT_US = 100 * 1000, RUN_US = 1300 * 1000 };
/* Far above what a busy machine takes away from a thread, far below any
 * time-out of the MQTT client. A machine that stands still for longer is
 * found out, see Metronome. */
enum { LATENCY_MAX_US = 800 * 1000 };

/* How the MQTT side is made, beside what a script says. */
typedef enum {
  BROKER_SCRIPTED,
  BROKER_ABSENT,
  BROKER_BLACK_HOLE, /* connections are never answered */
  BROKER_UNKNOWN,    /* its name is not known */
  BROKER_REAL,
} BrokerKind;

/* What is done to it in the middle. */
typedef enum {
  ACT_NOTHING,
  ACT_KILL,
  ACT_FREEZE,
  ACT_HANG_UP,
  ACT_GARBAGE,
} Act;

typedef struct {
  const char *name;
  BrokerKind kind;
  Act act;
  VigilScript script;
  const char *settings; /* more members of mqtt_publisher */
} Fault;

static const Fault faults[] = {
    {"none", BROKER_SCRIPTED, ACT_NOTHING, {0}, ""},
    {"absent", BROKER_ABSENT, ACT_NOTHING, {0}, ""},
    {"unknown-name", BROKER_UNKNOWN, ACT_NOTHING, {0}, ""},
    {"black-hole", BROKER_BLACK_HOLE, ACT_NOTHING, {0}, ""},
    {"killed", BROKER_SCRIPTED, ACT_KILL, {0}, ""},
    {"frozen", BROKER_REAL, ACT_FREEZE, {0}, ""},
    {"frozen-tiny-queue", BROKER_REAL, ACT_FREEZE, {0},
        ",\"queue\":{\"max_messages\":4}"},
    {"hangs-up", BROKER_SCRIPTED, ACT_HANG_UP, {0}, ""},
    {"garbage", BROKER_SCRIPTED, ACT_GARBAGE, {0}, ""},
    {"closes-at-accept", BROKER_SCRIPTED, ACT_NOTHING,
        {.closes_at_accept = TRUE}, ""},
    {"resets-at-accept", BROKER_SCRIPTED, ACT_NOTHING,
        {.resets_at_accept = TRUE}, ""},
    {"deaf", BROKER_SCRIPTED, ACT_NOTHING, {.is_deaf = TRUE}, ""},
    {"no-connack", BROKER_SCRIPTED, ACT_NOTHING, {.never_connacks = TRUE}, ""},
    {"half-connack", BROKER_SCRIPTED, ACT_NOTHING, {.connack = "2002"}, ""},
    {"huge-packet", BROKER_SCRIPTED, ACT_NOTHING, {.connack = "20ffffff7f"},
        ""},
    {"bad-credentials", BROKER_SCRIPTED, ACT_NOTHING, {.connack_code = 5}, ""},
    {"no-puback", BROKER_SCRIPTED, ACT_NOTHING, {.never_acknowledges = TRUE},
        ",\"queue\":{\"max_messages\":10}"},
    {"no-pubcomp", BROKER_SCRIPTED, ACT_NOTHING, {.never_pubcomps = TRUE},
        ",\"qos\":2"},
    {"no-pingresp", BROKER_SCRIPTED, ACT_NOTHING, {.never_pingresps = TRUE},
        ",\"keepalive\":1"},
    {"drops-every-10", BROKER_SCRIPTED, ACT_NOTHING, {.closes_after = 10}, ""},
    {"reset-in-publish", BROKER_SCRIPTED, ACT_NOTHING,
        {.resets_in_publish = TRUE}, ""},
    {"not-authorised", BROKER_SCRIPTED, ACT_NOTHING, {.acknowledge_code = 0x87},
        ",\"protocol\":5"},
    {"tls-towards-plain", BROKER_SCRIPTED, ACT_NOTHING, {0},
        ",\"tls\":{\"insecure_skip_verify\":true}"},
};

typedef struct {
  VigilFixture base;
  VigilEnvironment *environment;
  VigilProblems *problems;
  VigilEisBus *bus;
  TestEisReader *reader;
  VigilPublisher *publisher;
  VigilPublisherStatus joined; /* when the reader had come */
  VigilScriptedBroker *scripted;
  VigilBroker *real;
  int hole_fd;       /* the black hole, or -1 */
  int filler_fds[8]; /* what fills it */
} Fixture;

static void
set_up (Fixture *self, gconstpointer data)
{
  g_autofree char *text = NULL;
  g_autofree char *endpoint = NULL;
  g_autoptr (VigilJson) interfaces = NULL;

  vigil_fixture_set_up (&self->base, data);
  vigil_fixture_allow_warning ("vigil-mqtt", "*");
  vigil_fixture_allow_warning ("vigil-publish", "*");
  self->hole_fd = -1;
  memset (self->filler_fds, -1, sizeof (self->filler_fds));
  text = g_strdup_printf (
      "{\"Publishers\":[{\"Name\":\"default\",\"Type\":\"zmq_ipc\","
      "\"EndPoint\":\"%s, s\",\"Topics\":[\"results\"]}]}",
      self->base.folder);
  interfaces = vigil_json_parse (text, -1, 1 << 20, 16, NULL);
  self->environment = vigil_environment_parse ("", 0, ".env", NULL);
  self->problems = vigil_problems_new ();
  self->bus =
      vigil_eis_bus_new (interfaces, self->environment, NULL, self->problems);
  g_assert_cmpuint (vigil_problems_get_size (self->problems), ==, 0);
  endpoint = g_strdup_printf ("ipc://%s/s", self->base.folder);
  self->reader = test_eis_reader_new (endpoint, NULL);
}

static void
tear_down (Fixture *self, gconstpointer data)
{
  if (self->real != NULL)
    vigil_broker_thaw (self->real);
  vigil_publisher_free (self->publisher);
  vigil_eis_bus_free (self->bus, 0);
  test_eis_reader_free (self->reader);
  vigil_scripted_broker_free (self->scripted);
  vigil_broker_free (self->real);
  for (unsigned i = 0; i < G_N_ELEMENTS (self->filler_fds); i++)
    if (self->filler_fds[i] >= 0)
      close (self->filler_fds[i]);
  if (self->hole_fd >= 0)
    close (self->hole_fd);
  vigil_problems_free (self->problems);
  vigil_environment_free (self->environment);
  vigil_fixture_tear_down (&self->base, data);
}

/* ---- The broker --------------------------------------------------------- */

/* A listener whose queue is full: the kernel drops what asks to connect. */
static uint16_t
dig_black_hole (Fixture *self)
{
  struct sockaddr_in address = {.sin_family = AF_INET};
  uint16_t port = 0;

  self->hole_fd = vigil_fixture_listen (&port);
  g_assert_cmpint (listen (self->hole_fd, 0), ==, 0);
  address.sin_port = htons (port);
  inet_pton (AF_INET, vigil_fixture_get_address (), &address.sin_addr);
  for (unsigned i = 0; i < G_N_ELEMENTS (self->filler_fds); i++) {
    self->filler_fds[i] =
        socket (AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    connect (
        self->filler_fds[i], (struct sockaddr *)&address, sizeof (address));
  }
  return port;
}

static uint16_t
start_broker (Fixture *self, const Fault *fault)
{
  switch (fault->kind) {
  case BROKER_SCRIPTED:
    self->scripted = vigil_scripted_broker_new (0, &fault->script);
    return vigil_scripted_broker_get_port (self->scripted);
  case BROKER_REAL:
    self->real = vigil_broker_new (&self->base, 0, NULL);
    return vigil_broker_get_port (self->real);
  case BROKER_BLACK_HOLE:
    return dig_black_hole (self);
  case BROKER_ABSENT:
  case BROKER_UNKNOWN:
    return vigil_fixture_find_port ();
  }
  return 0;
}

static void
act (Fixture *self, Act what)
{
  switch (what) {
  case ACT_NOTHING:
    break;
  case ACT_KILL:
    vigil_scripted_broker_kill (self->scripted);
    break;
  case ACT_FREEZE:
    vigil_broker_freeze (self->real);
    break;
  case ACT_HANG_UP:
    vigil_scripted_broker_hang_up (self->scripted);
    break;
  case ACT_GARBAGE:
    vigil_scripted_broker_say (self->scripted, "ffffffffffffffff");
    break;
  }
}

/* ---- The pipeline ------------------------------------------------------- */

static void
start_publisher (Fixture *self, const char *entry_text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VigilJson) entry =
      vigil_json_parse (entry_text, -1, 1 << 20, 16, &error);
  const VigilPublisherContext context = {
      .pipeline_name = "people",
      .instance_id = "0123456789abcdef0123456789abcdef",
      .environment = self->environment,
      .is_live = TRUE,
      .eis_bus = self->bus,
  };

  g_assert_no_error (error);
  self->publisher = vigil_publisher_new (entry, &context, &error);
  g_assert_no_error (error);
  g_assert_true (vigil_publisher_start (self->publisher, &error));
}

static VigilFrame *
new_frame (unsigned id)
{
  static uint8_t pixels[WIDTH * HEIGHT * 3];
  VigilFrame *frame = vigil_frame_new ();

  frame->caps = g_strdup ("video/x-raw, format=(string)BGR");
  frame->media_type = g_strdup ("video/x-raw");
  frame->format = g_strdup ("BGR");
  frame->pixels = VIGIL_PIXELS_BGR;
  frame->width = WIDTH;
  frame->height = HEIGHT;
  frame->planes[0] = frame->data = pixels;
  frame->strides[0] = WIDTH * 3;
  frame->size = sizeof (pixels);
  frame->frame_id = id;
  return frame;
}

static uint64_t
read_frame_id (const TestEisMessage *message)
{
  g_autoptr (VigilJson) json =
      vigil_json_parse (message->json, -1, 1 << 20, 64, NULL);

  g_assert_nonnull (message->blob);
  return (uint64_t)vigil_json_get_integer (
      vigil_json_object_get (json, "frame_id"));
}

/* The socket opens with the first frame, and the reader may come later:
 * returns the first id that is not used yet. */
static unsigned
join (Fixture *self)
{
  unsigned sent = 0;

  while (TRUE) {
    g_autoptr (TestEisMessage) message = NULL;

    g_assert_cmpuint (sent, <, 1000);
    vigil_publisher_push (self->publisher, new_frame (sent++));
    message = test_eis_reader_read (self->reader, 20);
    while (message != NULL && read_frame_id (message) + 1 < sent) {
      g_clear_pointer (&message, test_eis_message_free);
      message = test_eis_reader_read (self->reader, 1000);
    }
    if (message != NULL) {
      vigil_publisher_get_status (self->publisher, &self->joined);
      return sent;
    }
  }
}

/* How late a thread comes that does nothing but sleep for a millisecond. */
typedef struct {
  pthread_t thread;
  atomic_bool is_stopped;
  int64_t worst_us;
} Metronome;

static void *
run_metronome (void *data)
{
  Metronome *self = data;

  while (!atomic_load (&self->is_stopped)) {
    const int64_t start_us = g_get_monotonic_time ();

    poll (NULL, 0, 1);
    self->worst_us =
        MAX (self->worst_us, g_get_monotonic_time () - start_us - 1000);
  }
  return NULL;
}

typedef struct {
  unsigned frames;
  int64_t worst_us;
  int64_t sum_us;
  int64_t metronome_us; /* meanwhile, at worst */
} Latency;

/* Pushes frames, each when the one before has come over the bus. */
static Latency
run (Fixture *self, Act what)
{
  const unsigned first = join (self);
  const int64_t start_us = g_get_monotonic_time ();
  Metronome metronome = {0};
  Latency latency = {0};

  pthread_create (&metronome.thread, NULL, run_metronome, &metronome);
  while (g_get_monotonic_time () - start_us < RUN_US) {
    const unsigned id = first + latency.frames;
    g_autoptr (TestEisMessage) message = NULL;
    int64_t taken_us;

    if (g_get_monotonic_time () - start_us > FAULT_AT_US) {
      act (self, what);
      what = ACT_NOTHING;
    }
    taken_us = g_get_monotonic_time ();
    vigil_publisher_push (self->publisher, new_frame (id));
    message = test_eis_reader_read (self->reader, 15000);
    g_assert_nonnull (message);
    g_assert_cmpuint (read_frame_id (message), ==, id);
    taken_us = g_get_monotonic_time () - taken_us;
    latency.frames++;
    latency.worst_us = MAX (latency.worst_us, taken_us);
    latency.sum_us += taken_us;
    /* the pace; and nothing comes twice */
    g_assert_null (test_eis_reader_read (self->reader, FRAME_MS));
  }
  atomic_store (&metronome.is_stopped, TRUE);
  pthread_join (metronome.thread, NULL);
  latency.metronome_us = metronome.worst_us;
  return latency;
}

static void
check (Fixture *self, const char *name, const Latency *latency)
{
  VigilPublisherStatus status;

  g_test_message ("%-20s %u of %u frames in order, mean %5.2f ms, worst %6.2f "
                  "ms, metronome %6.2f ms",
      name, latency->frames, latency->frames,
      (double)latency->sum_us / latency->frames / 1e3,
      (double)latency->worst_us / 1e3, (double)latency->metronome_us / 1e3);
  g_assert_cmpint (
      latency->worst_us, <, LATENCY_MAX_US + latency->metronome_us);
  /* one encode for all destinations */
  vigil_publisher_get_status (self->publisher, &status);
  g_assert_cmpuint (status.encoded - self->joined.encoded, ==, latency->frames);
  g_assert_cmpuint (status.frames_dropped, ==, self->joined.frames_dropped);
}

/* ---- Cases -------------------------------------------------------------- */

static void
test_fault_of_mqtt (Fixture *self, gconstpointer data)
{
  const Fault *fault = data;
  const uint16_t port = start_broker (self, fault);
  g_autofree char *entry =
      g_strdup_printf ("{\"mqtt_publisher\":{\"host\":\"%s\",\"port\":%u,"
                       "\"publish_frame\":true%s"
                       "},\"eis_publisher\":{\"publish_frame\":true}}",
          fault->kind == BROKER_UNKNOWN ? "no-such-host.invalid"
                                        : vigil_fixture_get_address (),
          port, fault->settings);
  Latency latency;

  start_publisher (self, entry);
  latency = run (self, fault->act);
  check (self, fault->name, &latency);
}

/* A disk that is full. */
static void
test_fault_of_file (Fixture *self, gconstpointer data)
{
  Latency latency;

  start_publisher (self,
      "{\"file_publisher\":{\"path\":\"/dev/full\",\"publish_frame\":true},"
      "\"eis_publisher\":{\"publish_frame\":true}}");
  latency = run (self, ACT_NOTHING);
  check (self, "full disk", &latency);
}

enum { BUS_FRAMES = 4000 };

/* The worker may still be at the last frame: the bus comes after MQTT. */
static gboolean
is_done (void *data)
{
  Fixture *self = data;
  VigilDestinationStatus mqtt, bus;
  const char *name;

  vigil_publisher_get_destination_status (self->publisher, 0, &name, &mqtt);
  vigil_publisher_get_destination_status (self->publisher, 1, &name, &bus);
  return mqtt.acknowledged == BUS_FRAMES && bus.offered == BUS_FRAMES;
}

/* The other way round: a subscriber of the bus that reads nothing, and no
 * port for the bus at all; MQTT gets everything. */
static void
test_fault_of_the_bus (Fixture *self, gconstpointer data)
{
  const gboolean is_stalled = GPOINTER_TO_INT (data);
  const VigilScript script = {0};
  const TestEisReaderOptions stalled_options = {
      .receive_mark = 1, .receive_buffer = 4096};
  g_autofree char *endpoint = g_strdup_printf ("ipc://%s/s", self->base.folder);
  g_autoptr (TestEisReader) stalled =
      test_eis_reader_new (endpoint, &stalled_options);
  g_autofree char *entry = NULL;
  VigilDestinationStatus status;
  const char *name;

  if (!is_stalled)
    g_assert_cmpint (rmdir (self->base.folder), ==, 0);
  self->scripted = vigil_scripted_broker_new (0, &script);
  entry = g_strdup_printf (
      "{\"mqtt_publisher\":{\"host\":\"%s\",\"port\":%u,\"qos\":1,"
      "\"publish_frame\":true},\"publish_raw_frame\":true,"
      "\"eis_publisher\":{\"publish_frame\":true}}",
      vigil_fixture_get_address (),
      vigil_scripted_broker_get_port (self->scripted));
  start_publisher (self, entry);
  for (unsigned i = 0; i < BUS_FRAMES; i++) {
    vigil_publisher_push (self->publisher, new_frame (i));
    while (vigil_scripted_broker_count (self->scripted, 3) <= i)
      g_assert_true (
          vigil_scripted_broker_wait (self->scripted, 3, i + 1, 15000));
  }
  g_assert_true (vigil_fixture_wait_until (is_done, self, 15000));
  vigil_publisher_get_destination_status (self->publisher, 1, &name, &status);
  g_assert_cmpstr (name, ==, "eis");
  g_assert_cmpstr (status.state, ==, is_stalled ? "open" : "retrying");
  if (!is_stalled)
    g_assert_cmpint (g_mkdir_with_parents (self->base.folder, 0700), ==, 0);
}

int
main (int argc, char **argv)
{
  vigil_fixture_init (&argc, &argv, 60);
  for (unsigned i = 0; i < G_N_ELEMENTS (faults); i++) {
    g_autofree char *path =
        g_strconcat ("/isolation/mqtt/", faults[i].name, NULL);

    g_test_add (
        path, Fixture, &faults[i], set_up, test_fault_of_mqtt, tear_down);
  }
  g_test_add ("/isolation/file/full-disk", Fixture, NULL, set_up,
      test_fault_of_file, tear_down);
  g_test_add ("/isolation/eis/stalled-subscriber", Fixture,
      GINT_TO_POINTER (TRUE), set_up, test_fault_of_the_bus, tear_down);
  g_test_add ("/isolation/eis/no-folder", Fixture, GINT_TO_POINTER (FALSE),
      set_up, test_fault_of_the_bus, tear_down);
  return g_test_run ();
}
