/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * What to install for an element that GStreamer does not know.
 * Returns: (transfer full): "no element 'x264enc': install
 * gstreamer1.0-plugins-ugly". Any thread.
 */
char *vigil_element_hint_dup_message (const char *factory);
