/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "config/config.h"
#include "server/instance.h"

/*
 * The pipelines of a configuration by name, and the instances that run, ran
 * or wait to run. Every function may be called from any thread; the lock is
 * held for look-ups only, never while a pipeline is parsed or stopped.
 */
typedef struct _VigilInstanceManager VigilInstanceManager;

/*
 * Takes the pipelines of @config, which must outlive the manager, like
 * @environment. What is wrong is added to @problems; a pipeline with an
 * error is left out, and start tells why.
 * Returns: (transfer full).
 */
VigilInstanceManager *vigil_instance_manager_new (const VigilConfig *config,
    const VigilEnvironment *environment, const VigilSettings *settings,
    VigilProblems *problems);
/* Instances must have been stopped, see stop_all. NULL is allowed. */
void vigil_instance_manager_free (VigilInstanceManager *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (
    VigilInstanceManager, vigil_instance_manager_free)

/* Starts what config.json wants started, and logs what cannot be. Returns:
 * how many were started. */
unsigned vigil_instance_manager_auto_start (VigilInstanceManager *self);

/*
 * Starts an instance of the pipeline @name; beyond MAX_RUNNING_PIPELINES it
 * stays QUEUED until another one ends. Blocks for the parse.
 * Errors: NOT_FOUND: no such pipeline; UNAVAILABLE: the server stops;
 * others as vigil_instance_new, and the pipeline's own faults.
 * Returns: (transfer full) (nullable).
 */
VigilInstance *vigil_instance_manager_start (VigilInstanceManager *self,
    const char *name, const VigilJson *request, GError **error);

/* By id. Returns: (transfer full) (nullable). */
VigilInstance *vigil_instance_manager_find (
    VigilInstanceManager *self, const char *id);

/* All instances that are kept, in the order they were made. Returns:
 * (transfer full) (element-type VigilInstance). */
GPtrArray *vigil_instance_manager_list (VigilInstanceManager *self);

/* Renews what runs, see vigil_instance_renew. Returns: how many instances
 * there are. */
unsigned vigil_instance_manager_renew_all (VigilInstanceManager *self);

/* Pipelines that can be started. */
unsigned vigil_instance_manager_get_definition_count (
    const VigilInstanceManager *self);
/* (transfer none). */
const VigilDefinition *vigil_instance_manager_get_definition (
    const VigilInstanceManager *self, unsigned index);
/* Returns: (transfer none) (nullable). */
const VigilDefinition *vigil_instance_manager_find_definition (
    const VigilInstanceManager *self, const char *name);

/* TRUE when the configuration has a pipeline @name, usable or not. */
gboolean vigil_instance_manager_knows (
    const VigilInstanceManager *self, const char *name);

/* Instances that run or wait to run. */
unsigned vigil_instance_manager_get_unended_count (VigilInstanceManager *self);

/* TRUE once stop_all was called. */
gboolean vigil_instance_manager_is_stopping (VigilInstanceManager *self);

/*
 * Refuses new starts, stops every instance and waits until all have ended
 * and are released, or @deadline_us (monotonic). Returns: how many had not
 * ended by then.
 */
unsigned vigil_instance_manager_stop_all (
    VigilInstanceManager *self, int64_t deadline_us);
