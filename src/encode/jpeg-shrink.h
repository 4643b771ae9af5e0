/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * Encodes the picture of @jpeg again at a lower quality, the highest of a
 * few at which it takes at most @limit_bytes. Its samples are not converted:
 * what is lost is what the lower quality costs. Any thread; blocks for some
 * encodes' time.
 * @ret_quality: set to that quality when an image is returned.
 * Returns: (transfer full) (nullable): NULL when no quality is low enough,
 * or @jpeg is none.
 */
GBytes *vigil_jpeg_shrink (GBytes *jpeg, size_t limit_bytes, int *ret_quality);
