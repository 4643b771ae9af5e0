/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/json.h"
#include <gst/gst.h>

/*
 * Elements that report on the bus instead of on the buffer (barcodes,
 * motion): their messages wait here for the next frame. Any thread; a lock
 * inside.
 */
typedef struct _VigilBusMetadata VigilBusMetadata;

/* @names: a list of the messages' names, "*" for all. */
VigilBusMetadata *vigil_bus_metadata_new (const VigilJson *names);
void vigil_bus_metadata_free (VigilBusMetadata *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VigilBusMetadata, vigil_bus_metadata_free)

/* Keeps @message if it is an element's and one of the names. Of what waits,
 * the oldest goes when there are more than 64. */
void vigil_bus_metadata_collect (VigilBusMetadata *self, GstMessage *message);

/*
 * What came since the last call, as {"bus_messages": [{"name": ...,
 * "element": ..., "fields": {...}}, ...]}. Returns: (transfer full)
 * (nullable): NULL when nothing came.
 */
char *vigil_bus_metadata_take (VigilBusMetadata *self);
