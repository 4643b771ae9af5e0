/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "publish/destination.h"
#include "rtsp/rtsp-server.h"

/*
 * `destination.frame` of type rtsp: the JPEGs of the worker, at a path of
 * the context's RTSP server. Not in the registry of publish/, which knows no
 * GStreamer: an instance adds it, with its VigilRtspServer as user data. It
 * never waits, whatever its viewers do,
 * and wants no frame without them.
 */
extern const VigilDestinationOps vigil_rtsp_destination_ops;
