/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "common/fixture.h"
#include "common/process.h"

/*
 * A real mosquitto on the test's own address. It keeps its port, its
 * configuration and its log's name over restarts.
 */
typedef struct _VigilBroker VigilBroker;

/*
 * Starts one and waits until it takes connections. @port: 0 for a free
 * one. @lines: (nullable) more lines of its configuration, which follow the
 * listener's (so "cafile ..." belongs to it); anonymous clients are allowed
 * unless they say otherwise.
 */
VigilBroker *vigil_broker_new (
    VigilFixture *fixture, uint16_t port, const char *lines);
/* Kills it. NULL is allowed. */
void vigil_broker_free (VigilBroker *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VigilBroker, vigil_broker_free)

const char *vigil_broker_get_address (const VigilBroker *self);
uint16_t vigil_broker_get_port (const VigilBroker *self);

/* SIGKILL: gone, without a word to anybody. */
void vigil_broker_kill (VigilBroker *self);
/* SIGTERM, and waits for the end. */
void vigil_broker_stop (VigilBroker *self);
/* Starts it again after kill or stop; its log begins anew. */
void vigil_broker_start (VigilBroker *self);
/* SIGSTOP: connections stay, nothing is answered any more; and SIGCONT. */
void vigil_broker_freeze (VigilBroker *self);
void vigil_broker_thaw (VigilBroker *self);

/* The program: for its log and its process id. (transfer none). */
VigilProcess *vigil_broker_get_process (VigilBroker *self);
