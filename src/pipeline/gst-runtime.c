/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GStreamer's start, so that nobody outside this folder has to know of it.
 */
#include "pipeline/gst-runtime.h"

#include "pipeline/region-transform.h"
#include <gst/gst.h>

void
vigil_gst_runtime_init (void)
{
  static gsize is_done;

  if (g_once_init_enter (&is_done)) {
    gst_init (NULL, NULL);
    vigil_region_transform_install ();
    g_once_init_leave (&is_done, 1);
  }
}
