/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a raw 1080p frame costs from push to socket: metadata, encode,
 * base64, MQTT; CPU time of the whole process, beside bare TurboJPEG on the
 * same planes.
 */
#include "common/broker.h"
#include "common/fixture.h"
#include "picture.h"
#include "publish/publisher.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROUNDS 60

typedef struct {
  VigilPublisher *publisher;
  const BenchPicture *picture;
  VigilRange range;
  uint64_t pushed;
} Ours;

static double
get_cpu_us (void)
{
  struct timespec now;

  clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &now);
  return now.tv_sec * 1e6 + now.tv_nsec / 1e3;
}

static int
compare_doubles (const void *one, const void *other)
{
  const double a = *(const double *)one, b = *(const double *)other;

  return a < b ? -1 : a > b;
}

static uint64_t
count_published (VigilPublisher *publisher)
{
  VigilDestinationStatus status;
  const char *name;

  vigil_publisher_get_destination_status (publisher, 0, &name, &status);
  return status.published;
}

/* One frame; returns when its message is written. */
static void
publish (Ours *self)
{
  VigilFrame *frame = bench_picture_new_frame (
      self->picture, VIGIL_PIXELS_I420, self->range, VIGIL_MATRIX_BT601);

  frame->caps = g_strdup ("video/x-raw, format=(string)I420, "
                          "width=(int)1920, height=(int)1080");
  frame->media_type = g_strdup ("video/x-raw");
  frame->format = g_strdup ("I420");
  vigil_publisher_push (self->publisher, frame);
  self->pushed++;
  while (count_published (self->publisher) < self->pushed)
    g_usleep (200);
}

static VigilPublisher *
start_publisher (const VigilBroker *broker, const VigilEnvironment *environment)
{
  g_autofree char *text =
      g_strdup_printf ("{\"mqtt_publisher\": {\"host\": \"%s\", \"port\": %u, "
                       "\"publish_frame\": true}}",
          vigil_broker_get_address (broker), vigil_broker_get_port (broker));
  g_autoptr (VigilJson) entry = vigil_json_parse (text, -1, 10000, 10, NULL);
  const VigilPublisherContext context = {
      .pipeline_name = "bench",
      .instance_id = "0123456789abcdef0123456789abcdef",
      .environment = environment,
      .is_live = FALSE,
  };
  g_autoptr (GError) error = NULL;
  VigilPublisher *publisher = vigil_publisher_new (entry, &context, &error);

  if (publisher == NULL || !vigil_publisher_start (publisher, &error)) {
    fprintf (stderr, "bench-frame: %s\n", error->message);
    exit (1);
  }
  return publisher;
}

/* Both in turn; prints the medians. */
static void
measure (const char *row, Ours *ours, BenchPeer *peer, int rounds)
{
  double times[2][ROUNDS];

  publish (ours);
  bench_peer_encode (peer);
  for (int i = 0; i < rounds; i++) {
    const double start = get_cpu_us ();
    double middle;

    publish (ours);
    middle = get_cpu_us ();
    bench_peer_encode (peer);
    times[0][i] = middle - start;
    times[1][i] = get_cpu_us () - middle;
  }
  for (int i = 0; i < 2; i++)
    qsort (times[i], (size_t)rounds, sizeof (double), compare_doubles);
  printf ("%s\t%.0f us\t%.0f us\t%.3f\n", row, times[0][rounds / 2],
      times[1][rounds / 2], times[0][rounds / 2] / times[1][rounds / 2]);
}

int
main (int argc, char **argv)
{
  const gboolean is_smoke = argc > 1 && strcmp (argv[1], "--smoke") == 0;
  const int rounds = is_smoke ? 1 : ROUNDS;
  g_autofree BenchPicture *picture = bench_picture_new ();
  g_autoptr (VigilEnvironment) environment = NULL;
  g_autoptr (VigilBroker) broker = NULL;
  VigilFixture fixture = {0};
  BenchPeer peer;
  Ours ours = {.picture = picture};

  vigil_fixture_init (&argc, &argv, 300);
  vigil_fixture_set_up (&fixture, NULL);
  environment = vigil_environment_new (NULL, NULL);
  broker = vigil_broker_new (&fixture, 0, "log_type error");
  bench_peer_init (&peer, picture);
  ours.publisher = start_publisher (broker, environment);
  ours.range = VIGIL_RANGE_FULL;
  measure ("1080p I420 full range, push to socket (peer: bare TurboJPEG)",
      &ours, &peer, rounds);
  ours.range = VIGIL_RANGE_LIMITED;
  measure ("1080p I420 limited range, push to socket (the same)", &ours, &peer,
      rounds);
  vigil_publisher_stop (ours.publisher, 1000);
  vigil_publisher_free (ours.publisher);
  bench_peer_clear (&peer);
  g_clear_pointer (&broker, vigil_broker_free);
  vigil_fixture_tear_down (&fixture, NULL);
  return 0;
}
