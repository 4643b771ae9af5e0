/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Every pause between attempts, in true time: 1, 2, 4, 8, 16, 30, 30 s, for
 * each cause of failure and each protocol, all at once. A pause runs from
 * the end of a failed attempt to the start of the next.
 */

#include "common/client-rig.h"
#include <string.h>

#define TOLERANCE_S 0.10
#define LOOK_EVERY_US 2000
#define PAUSES_MAX 8

static const double usual[] = {1, 2, 4, 8, 16, 30, 30};

typedef struct {
  const char *name;
  int protocol; /* 0: all */
  VigilScript script;
  gboolean is_absent; /* nobody listens */
  double stable_after_s;
  gboolean is_flapping; /* CONNACK resets: every pause is 1 s */
} Cause;

static const Cause causes[] = {
    {.name = "refused port", .is_absent = TRUE},
    {.name = "close at accept", .script = {.closes_at_accept = TRUE}},
    {.name = "reset at accept", .script = {.resets_at_accept = TRUE}},
    {.name = "no CONNACK", .script = {.never_connacks = TRUE}},
    {.name = "half a CONNACK", .script = {.connack = "20 02"}},
    {.name = "garbage", .script = {.greeting = "fe ed fa ce"}},
    {.name = "not authorized", .protocol = 4, .script = {.connack_code = 5}},
    {.name = "not authorized", .protocol = 5, .script = {.connack_code = 0x87}},
    {.name = "server moved",
        .protocol = 5,
        .script = {.connack_code = 0x9d, .connack_properties = "1c 00 01 68"}},
    {.name = "unknown property",
        .protocol = 5,
        .script = {.connack_properties = "7f 01"}},
    {.name = "lost at once, stable_after_s 2",
        .script = {.closes_after_connack = TRUE},
        .stable_after_s = 2},
    {.name = "DISCONNECT, stable_after_s 2",
        .protocol = 5,
        .script = {.after_connack = "e0 01 8b"},
        .stable_after_s = 2},
    {.name = "lost at once",
        .script = {.closes_after_connack = TRUE},
        .is_flapping = TRUE},
};

typedef struct {
  const Cause *cause;
  int protocol;
} Row;

/* In seconds, at the least and at the most: it began and ended between two
 * looks. */
typedef struct {
  double least;
  double most;
} Pause;

/* Follows the client's state until so many pauses are over. */
static void
measure_pauses (VigilMqttClient *client, Pause *pauses, unsigned size)
{
  int64_t looked_us = g_get_monotonic_time ();
  int64_t from_us = 0; /* the attempt ended between these; 0: not yet */
  int64_t to_us = 0;
  unsigned count = 0;
  uint64_t attempts = 1;

  while (count < size) {
    const int64_t before_us = g_get_monotonic_time ();
    const VigilMqttStatus status = vigil_client_rig_get_status (client);
    const int64_t now_us = g_get_monotonic_time ();

    for (; attempts < status.attempts && count < size; attempts++) {
      if (to_us == 0) { /* missed while this thread stood still */
        from_us = looked_us;
        to_us = now_us;
      }
      pauses[count].least = (double)(looked_us - to_us) / G_USEC_PER_SEC;
      pauses[count].most = (double)(now_us - from_us) / G_USEC_PER_SEC;
      count++;
      to_us = 0;
    }
    if (status.state == VIGIL_MQTT_WAITING && to_us == 0) {
      from_us = looked_us;
      to_us = now_us;
    }
    looked_us = before_us;
    g_usleep (LOOK_EVERY_US);
  }
}

static void
test_pauses (VigilClientRig *self, gconstpointer data)
{
  const Row *row = data;
  const Cause *cause = row->cause;
  const unsigned size =
      g_getenv ("VIGIL_FAULTS_QUICK") != NULL ? 3 : G_N_ELEMENTS (usual);
  g_autoptr (VigilScriptedBroker) broker =
      cause->is_absent ? NULL : vigil_scripted_broker_new (0, &cause->script);
  g_autoptr (VigilMqttClient) client = NULL;
  g_autoptr (GString) text = g_string_new (NULL);
  Pause pauses[PAUSES_MAX];

  vigil_fixture_allow_warning (VIGIL_CLIENT_RIG_DOMAIN, "*");
  client = vigil_client_rig_new_client (self, vigil_fixture_get_address (),
      broker != NULL ? vigil_scripted_broker_get_port (broker)
                     : vigil_fixture_find_port (),
      (VigilMqttOptions){.protocol = row->protocol,
          .stable_after_s = cause->stable_after_s,
          .attempt_timeout_ms = 500});
  measure_pauses (client, pauses, size);
  for (unsigned i = 0; i < size; i++)
    g_string_append_printf (
        text, " %.3f", (pauses[i].least + pauses[i].most) / 2);
  g_test_message ("protocol %d, %s:%s", row->protocol, cause->name, text->str);
  for (unsigned i = 0; i < size; i++) {
    const double want = cause->is_flapping ? 1 : usual[i];

    if (pauses[i].most < want - TOLERANCE_S ||
        pauses[i].least > want + TOLERANCE_S)
      g_error ("protocol %d, %s: pause %u is %.3f to %.3f s: want %.0f",
          row->protocol, cause->name, i + 1, pauses[i].least, pauses[i].most,
          want);
  }
}

int
main (int argc, char **argv)
{
  GPtrArray *table;

  vigil_fixture_init (&argc, &argv, 200);
  vigil_fixture_go_first ();
  table = vigil_client_rig_add_table ("/faults/backoff", test_pauses);
  for (unsigned i = 0; i < G_N_ELEMENTS (causes); i++)
    for (int protocol = 3; protocol <= 5; protocol++) {
      Row *row;

      if (causes[i].protocol != 0 && causes[i].protocol != protocol)
        continue;
      row = g_new0 (Row, 1); /* as long as the program lives */
      row->cause = &causes[i];
      row->protocol = protocol;
      g_ptr_array_add (table, row);
    }
  return g_test_run ();
}
