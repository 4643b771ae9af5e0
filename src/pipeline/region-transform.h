/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Lets regions of interest keep their results where an element converts or
 * scales: GStreamer 1.22 hands on box and label alone, and DL Streamer's
 * scores, tensors and classes are lost behind a videoconvert. Once, after
 * gst_init, before there is a pipeline.
 */
void vigil_region_transform_install (void);
