/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "common/fixture.h"
#include "pipeline/pipeline.h"

/*
 * One pipeline under test, with what it delivered. All frames are kept
 * unless told otherwise.
 */
typedef struct {
  VigilPipeline *pipeline; /* nullable: it could not be made */
  VigilDefinition *definition;
  GError *error; /* why not */
  VigilEvent frames_event;
  VigilEvent ended_event;
  pthread_mutex_t lock; /* protects frames */
  GPtrArray *frames;    /* VigilFrame */
  gboolean keeps_frames;
  VigilPipelineState end_state; /* once ended_event was raised */
} TestRun;

/* Makes definition and pipeline, and starts nothing. @parameters, @request:
 * JSON text (nullable). */
void test_run_init (TestRun *self, const char *launch, const char *parameters,
    const char *request);
/* @entry: a whole pipeline entry. */
void test_run_init_entry (
    TestRun *self, const char *entry, const char *request);
void test_run_start (TestRun *self);
/* Starts and waits for the end. Returns: the state that it ended in. */
VigilPipelineState test_run_play (TestRun *self);
/* @index from 0; (transfer none). */
const VigilFrame *test_run_get_frame (TestRun *self, unsigned index);
unsigned test_run_count_frames (TestRun *self);
void test_run_clear (TestRun *self);

/* Writes an AVI file (motion JPEG, 25/s) of @frames pictures to the fixture's
 * folder. Returns: its URI (transfer full). */
char *test_run_make_video (
    VigilFixture *fixture, unsigned frames, int width, int height);
