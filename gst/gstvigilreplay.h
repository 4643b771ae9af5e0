/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gst/base/gstbasetransform.h>

G_BEGIN_DECLS

/*
 * vigilreplay: attaches recorded detections, read from JSON lines beside a
 * video, to the video's frames as regions of interest, as a detector would.
 *
 *   ... ! decodebin ! videoconvert ! vigilreplay location=boxes.jsonl ! ...
 */
#define VIGIL_TYPE_REPLAY (vigil_replay_get_type ())
G_DECLARE_FINAL_TYPE (
    VigilReplay, vigil_replay, VIGIL, REPLAY, GstBaseTransform)

G_END_DECLS
