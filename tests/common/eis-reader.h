/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * A subscriber of the EIS Message Bus on plain libzmq, as strict as the
 * format: every message must have a topic with its NUL, content type JSON,
 * the exact count of parts, one JSON object without a NUL or duplicate keys,
 * and at most one blob, which is not empty. Anything else fails the test.
 */
typedef struct {
  const char *topic_prefix; /* "" for everything */
  /* CURVE keys, Z85; all NULL: plain */
  const char *server_key;
  const char *public_key;
  const char *secret_key;
  int receive_mark;   /* ZMQ_RCVHWM; 0: libzmq's default */
  int receive_buffer; /* ZMQ_RCVBUF; 0: the system's */
} TestEisReaderOptions;

typedef struct _TestEisReader TestEisReader;

/* Connects; the endpoint need not be there yet. @options: (nullable). */
TestEisReader *test_eis_reader_new (
    const char *endpoint, const TestEisReaderOptions *options);
void test_eis_reader_free (TestEisReader *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TestEisReader, test_eis_reader_free)

/* Has @send send one small message after the other until the reader has
 * joined, however long that takes, and reads the last: nothing that is sent
 * from now on is missed. */
void test_eis_reader_join (TestEisReader *self,
    void (*send) (const char *json, void *data), void *data);

typedef struct {
  char *topic;
  char *json;
  GBytes *blob; /* nullable */
} TestEisMessage;

/* Returns: (transfer full) (nullable): NULL when none came in time. */
TestEisMessage *test_eis_reader_read (
    TestEisReader *self, unsigned milliseconds);
void test_eis_message_free (TestEisMessage *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TestEisMessage, test_eis_message_free)

/* The frames of the next message as they came. Returns: (transfer full)
 * (nullable): element-type GBytes. */
GPtrArray *test_eis_reader_read_frames (
    TestEisReader *self, unsigned milliseconds);
