/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gst/gst.h>

/*
 * Any metadata on buffers, without DL Streamer: its metas are registered
 * here under its names and in its layout, as its own library would do.
 *
 * The element "vigiltestmeta" attaches to each buffer what its properties
 * say: "message" (a GVA JSON message), "region" ("label,x=1,y=2,w=3,h=4" as
 * structure text) with "results" (a list of structures, one a line), and
 * "tensor" (structure text, of the whole frame).
 */

/* Makes the element and the metas known to this process. */
void test_meta_register (void);

/* The metas alone. Copies @json. */
void test_meta_add_message (GstBuffer *buffer, const char *json);
/* @data: (transfer full). */
void test_meta_add_tensor (GstBuffer *buffer, GstStructure *data);
