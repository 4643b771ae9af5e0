/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "publish/eis-settings.h"
#include "publish/eis-socket.h"

/*
 * The EIS Message Bus of a server: what `interfaces` of the configuration
 * names, and one socket for each endpoint, shared by all instances and open
 * from the first message until the server ends.
 */
typedef struct _VigilEisBus VigilEisBus;

/*
 * Reads `interfaces` (nullable: there is none) and adds every problem of it.
 * Opens nothing: also for a check of a configuration.
 * Returns: (transfer full). @environment must outlive it.
 */
VigilEisBus *vigil_eis_bus_new (const VigilJson *interfaces,
    const VigilEnvironment *environment, const char *config_folder,
    VigilProblems *problems);
/* No destination may use it any more. Blocks for up to @linger_ms for what
 * subscribers have not taken yet. NULL is allowed. */
void vigil_eis_bus_free (VigilEisBus *self, int linger_ms);

/* The publisher of this `Name`; the first when it is NULL. Returns:
 * (transfer none) (nullable). Any thread. */
const VigilEisSettings *vigil_eis_bus_find (
    const VigilEisBus *self, const char *name);
/* The names, for messages: "default, second". Returns: (transfer full). */
char *vigil_eis_bus_dup_names (const VigilEisBus *self);

/*
 * The socket of @settings (of find). Any thread. Errors: FAILED.
 * Returns: (transfer none) (nullable): valid as long as the bus.
 */
VigilEisSocket *vigil_eis_bus_get_socket (
    VigilEisBus *self, const VigilEisSettings *settings, GError **error);
