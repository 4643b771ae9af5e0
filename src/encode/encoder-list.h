/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "encode/encoder.h"

/*
 * The implementations, for the registry in encoder.c alone. (A header of
 * its own for each would hide <png.h> from the compiler.)
 */

/* libturbojpeg: baseline, 4:2:0, one component for GRAY8; level is the
 * quality. */
extern const VigilEncoderOps vigil_jpeg_ops;
/* libpng: 8 bits, RGB, RGBA where the source has alpha, or grey; level is
 * zlib's. */
extern const VigilEncoderOps vigil_png_ops;
