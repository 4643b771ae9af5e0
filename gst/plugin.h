/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Makes vigil's own elements known to GStreamer in this process; initialises
 * GStreamer. Once, before the first pipeline is parsed; more calls do
 * nothing.
 */
void vigil_plugin_register (void);
