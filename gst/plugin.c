/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The elements that come with the program, registered in it: there is no
 * plugin file to install or to find.
 */
#include "gst/plugin.h"

#include "gst/gstvigilreplay.h"

static gboolean
init_plugin (GstPlugin *plugin)
{
  return gst_element_register (
      plugin, "vigilreplay", GST_RANK_NONE, VIGIL_TYPE_REPLAY);
}

void
vigil_plugin_register (void)
{
  static gsize is_done;

  if (!g_once_init_enter (&is_done))
    return;
  gst_init (NULL, NULL);
  gst_plugin_register_static (GST_VERSION_MAJOR, GST_VERSION_MINOR, "vigil",
      "Elements of vigil", init_plugin, VIGIL_VERSION, "unknown", "vigil",
      "vigil", "https://gstreamer.freedesktop.org/");
  g_once_init_leave (&is_done, 1);
}
