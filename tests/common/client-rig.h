/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "common/fixture.h"
#include "common/scripted-broker.h"
#include "mqtt/mqtt-client.h"
#include <stdatomic.h>

/* What tests of the MQTT client share: a client whose outcomes are counted,
 * messages with numbers, and tables whose rows run all at once. */

#define VIGIL_CLIENT_RIG_DOMAIN "vigil-mqtt"

typedef struct {
  VigilFixture fixture;
  VigilEvent ended; /* messages with an outcome */
  _Atomic unsigned outcomes[VIGIL_MQTT_REJECTED + 1];
} VigilClientRig;

void vigil_client_rig_set_up (VigilClientRig *self, gconstpointer data);
void vigil_client_rig_tear_down (VigilClientRig *self, gconstpointer data);

typedef void (*VigilClientRigTest) (VigilClientRig *rig, gconstpointer data);

/* As g_test_add, with this rig. */
void vigil_client_rig_add (
    const char *path, VigilClientRigTest test, gconstpointer data);

/*
 * A test of many rows, each in a thread and with a rig of its own: most of
 * a row's time is waiting for a back-off, so a table takes as long as its
 * slowest row. Returns: an array for the rows' data; it lives as long as
 * the program.
 */
GPtrArray *vigil_client_rig_add_table (
    const char *path, VigilClientRigTest test);

/* A started client, "test", of the one host, unless @options name some. */
VigilMqttClient *vigil_client_rig_new_client (VigilClientRig *self,
    const char *address, uint16_t port, VigilMqttOptions options);
/* The same towards a scripted broker. */
VigilMqttClient *vigil_client_rig_connect (VigilClientRig *self,
    VigilScriptedBroker *broker, VigilMqttOptions options);

/* A message to "a/b" with @size times 'x', or with the number as text
 * (filled up with blanks to @size). (transfer full). */
VigilMqttMessage *vigil_client_rig_make_message (size_t size);
VigilMqttMessage *vigil_client_rig_make_number (unsigned sequence, size_t size);
/* Makes and sends such messages. */
void vigil_client_rig_send (VigilMqttClient *client, size_t size);
void vigil_client_rig_send_number (VigilMqttClient *client, unsigned sequence);

VigilMqttStatus vigil_client_rig_get_status (VigilMqttClient *client);
/* For vigil_fixture_wait_until; @data: the client. */
gboolean vigil_client_rig_is_connected (void *data);
gboolean vigil_client_rig_is_waiting (void *data);

/* Offered is what became of it: decision on counts. */
void vigil_client_rig_assert_equation (VigilMqttClient *client);
void vigil_client_rig_assert_contains (const char *text, const char *part);
/* The broker has seen numbers 0 to @count - 1 in their order (what came
 * again came before what was new), and nothing wrong. */
void vigil_client_rig_assert_order (
    VigilScriptedBroker *broker, unsigned count);
