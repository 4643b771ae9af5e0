/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "config/config.h"
#include "config/environment.h"
#include "config/problems.h"
#include "config/schema.h"
#include "publish/eis-bus.h"

/*
 * A pipeline entry of config.json as a whole: the keys of every module that
 * takes its part from it, in one table, and one check that asks them all.
 */

/* Keys of an entry that belong to the server itself: auto_start, payload
 * ..., and those of DLSPS that name things vigil does not have. */
extern const VigilSchemaKey vigil_entry_keys[];

/*
 * All keys that an entry may have: the pipeline's, the publisher's and the
 * server's. Returns: (transfer none): lives as long as the program. Any
 * thread.
 */
const VigilSchemaKey *vigil_entry_list_keys (void);

/*
 * Adds every problem of the entry config.pipelines[@index], among them a
 * name that an earlier entry has. Starts nothing and touches no network.
 * @eis_bus: (nullable): of the configuration's `interfaces`.
 */
void vigil_entry_check (const VigilConfig *config, unsigned index,
    const VigilEnvironment *environment, VigilEisBus *eis_bus,
    VigilProblems *problems);

/* The same for every entry, and for `interfaces`. */
void vigil_entry_check_all (const VigilConfig *config,
    const VigilEnvironment *environment, VigilProblems *problems);

/*
 * The entry's name. Returns: (transfer none) (nullable): NULL when it has
 * none that can be used.
 */
const char *vigil_entry_get_name (const VigilJson *entry);
