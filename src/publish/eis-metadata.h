/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * The metadata as subscribers of the EIS Message Bus can take it: members
 * that are null are left out at every level (the connector to InfluxDB
 * cannot do with them), and `channels` counts what a decoder will see, which
 * for a JPEG of a picture with alpha is 3.
 *
 * @metadata: one valid JSON object. @is_jpeg: the frame beside it is a JPEG.
 * Returns: (transfer full): @metadata itself when nothing has to change.
 * Any thread.
 */
GBytes *vigil_eis_metadata_convert (GBytes *metadata, gboolean is_jpeg);
