/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <stdint.h>

/*
 * A subscriber on libmosquitto: an independent reader of what our client
 * publishes. It keeps every message.
 */
typedef struct _VigilSubscriber VigilSubscriber;

/* Connects and subscribes; returns once the broker has confirmed. Whatever
 * fails ends the test. */
VigilSubscriber *vigil_subscriber_new (
    const char *address, uint16_t port, const char *topic, int qos);
/* NULL is allowed. */
void vigil_subscriber_free (VigilSubscriber *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VigilSubscriber, vigil_subscriber_free)

/* Returns: FALSE when fewer than @count came within @milliseconds. */
gboolean vigil_subscriber_wait (
    VigilSubscriber *self, unsigned count, unsigned milliseconds);
unsigned vigil_subscriber_count (VigilSubscriber *self);
/* Both (transfer full). */
GBytes *vigil_subscriber_dup_payload (VigilSubscriber *self, unsigned index);
char *vigil_subscriber_dup_topic (VigilSubscriber *self, unsigned index);
