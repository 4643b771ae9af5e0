/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Initialises GStreamer, once for the process; every public entry of this
 * folder calls it. Any thread. */
void vigil_gst_runtime_init (void);
