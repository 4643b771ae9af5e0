/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "common/fixture.h"
#include "server/instance-manager.h"

/* A manager under test, with what it was made from. */
typedef struct {
  VigilConfig *config;
  VigilEnvironment *environment;
  VigilProblems *problems; /* of config and pipelines */
  VigilSettings settings;
  VigilInstanceManager *manager;
} TestServer;

/* Quick pipelines for tests: frames that are there at once, and a live
 * source that never ends. */
#define TEST_SERVER_SHORT                                                      \
  "videotestsrc num-buffers=5 ! video/x-raw,format=RGB,width=16,height=16 ! "  \
  "appsink name=destination sync=false"
#define TEST_SERVER_ENDLESS                                                    \
  "videotestsrc is-live=true ! "                                               \
  "video/x-raw,format=RGB,width=16,height=16,framerate=50/1 ! "                \
  "appsink name=destination"
/* One entry of `config.pipelines`; @more: further members, each with a comma
 * before it. */
#define TEST_SERVER_ENTRY(name, pipeline, more)                                \
  "{\"name\":\"" name "\",\"source\":\"gstreamer\",\"pipeline\":\"" pipeline   \
  "\"" more "}"

/* @entries: the JSON text between the brackets of `config.pipelines`.
 * @variables: (nullable) lines of an environment file. */
void test_server_init (
    TestServer *self, const char *entries, const char *variables);
/* Stops and frees all; every instance must end in time. */
void test_server_clear (TestServer *self);

/* Starts @name with @request (JSON text, nullable), which must succeed.
 * Returns: (transfer full). */
VigilInstance *test_server_start (
    TestServer *self, const char *name, const char *request);
/* Waits for the end, which must come. Returns: the state. */
VigilPipelineState test_server_wait (VigilInstance *instance);
VigilPipelineState test_server_get_state (VigilInstance *instance);
/* Waits until the instance is in @state. */
void test_server_wait_state (VigilInstance *instance, VigilPipelineState state);
