/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which Debian package has an element. Only the ones that people name in
 * video pipelines; a pattern ends in '*'. The first that fits is taken.
 */
#include "pipeline/element-hint.h"

#include <string.h>

static const struct {
  const char *pattern;
  const char *package;
} hints[] = {
    {"avdec_*", "gstreamer1.0-libav"},
    {"avenc_*", "gstreamer1.0-libav"},
    {"avmux_*", "gstreamer1.0-libav"},
    {"avdemux_*", "gstreamer1.0-libav"},
    {"x264enc", "gstreamer1.0-plugins-ugly"},
    {"asfdemux", "gstreamer1.0-plugins-ugly"},
    {"mpeg2dec", "gstreamer1.0-plugins-ugly"},
    {"x265enc", "gstreamer1.0-plugins-bad"},
    {"h264parse", "gstreamer1.0-plugins-bad"},
    {"h265parse", "gstreamer1.0-plugins-bad"},
    {"mpegvideoparse", "gstreamer1.0-plugins-bad"},
    {"av1*", "gstreamer1.0-plugins-bad"},
    {"openh264*", "gstreamer1.0-plugins-bad"},
    {"tsdemux", "gstreamer1.0-plugins-bad"},
    {"mpegtsmux", "gstreamer1.0-plugins-bad"},
    {"srt*", "gstreamer1.0-plugins-bad"},
    {"rtmp*", "gstreamer1.0-plugins-bad"},
    {"hlsdemux", "gstreamer1.0-plugins-bad"},
    {"hlssink*", "gstreamer1.0-plugins-bad"},
    {"zbar", "gstreamer1.0-plugins-bad"},
    {"zxing", "gstreamer1.0-plugins-bad"},
    {"timecodestamper", "gstreamer1.0-plugins-bad"},
    {"vaapi*", "gstreamer1.0-vaapi"},
    {"va*", "gstreamer1.0-plugins-bad"},
    {"msdk*", "gstreamer1.0-plugins-bad"},
    {"qsv*", "gstreamer1.0-plugins-bad"},
    {"nv*", "gstreamer1.0-plugins-bad"},
    {"webrtcbin", "gstreamer1.0-plugins-bad"},
    {"dashdemux", "gstreamer1.0-plugins-bad"},
    {"motioncells", "gstreamer1.0-opencv"},
    {"face*", "gstreamer1.0-opencv"},
    {"cv*", "gstreamer1.0-opencv"},
    {"templatematch", "gstreamer1.0-opencv"},
    {"rtspsrc", "gstreamer1.0-plugins-good"},
    {"rtp*", "gstreamer1.0-plugins-good"},
    {"udpsrc", "gstreamer1.0-plugins-good"},
    {"udpsink", "gstreamer1.0-plugins-good"},
    {"v4l2*", "gstreamer1.0-plugins-good"},
    {"jpegparse", "gstreamer1.0-plugins-bad"},
    {"jpeg*", "gstreamer1.0-plugins-good"},
    {"pngparse", "gstreamer1.0-plugins-bad"},
    {"png*", "gstreamer1.0-plugins-good"},
    {"avi*", "gstreamer1.0-plugins-good"},
    {"qtdemux", "gstreamer1.0-plugins-good"},
    {"mp4mux", "gstreamer1.0-plugins-good"},
    {"matroska*", "gstreamer1.0-plugins-good"},
    {"vp8*", "gstreamer1.0-plugins-good"},
    {"vp9*", "gstreamer1.0-plugins-good"},
    {"splitmuxsink", "gstreamer1.0-plugins-good"},
    {"splitmuxsrc", "gstreamer1.0-plugins-good"},
    {"multifile*", "gstreamer1.0-plugins-good"},
    {"imagefreeze", "gstreamer1.0-plugins-good"},
    {"souphttpsrc", "gstreamer1.0-plugins-good"},
    {"videocrop", "gstreamer1.0-plugins-good"},
    {"videoflip", "gstreamer1.0-plugins-good"},
    {"videobox", "gstreamer1.0-plugins-good"},
    {"autovideosink", "gstreamer1.0-plugins-good"},
    {"urisourcebin", "gstreamer1.0-plugins-base"},
    {"uridecodebin*", "gstreamer1.0-plugins-base"},
    {"decodebin*", "gstreamer1.0-plugins-base"},
    {"parsebin", "gstreamer1.0-plugins-base"},
    {"video*", "gstreamer1.0-plugins-base"},
    {"app*", "gstreamer1.0-plugins-base"},
    {"timeoverlay", "gstreamer1.0-plugins-base"},
    {"clockoverlay", "gstreamer1.0-plugins-base"},
    {"textoverlay", "gstreamer1.0-plugins-base"},
};

static gboolean
matches (const char *pattern, const char *factory)
{
  size_t length = strlen (pattern);

  if (pattern[length - 1] == '*')
    return strncmp (pattern, factory, length - 1) == 0;
  return strcmp (pattern, factory) == 0;
}

char *
vigil_element_hint_dup_message (const char *factory)
{
  if (g_str_has_prefix (factory, "gva") || strcmp (factory, "udfloader") == 0)
    return g_strdup_printf (
        "no element '%s': it is one of DL Streamer's, which must be "
        "installed and in GST_PLUGIN_PATH",
        factory);
  for (size_t i = 0; i < G_N_ELEMENTS (hints); i++)
    if (matches (hints[i].pattern, factory))
      return g_strdup_printf (
          "no element '%s': install %s (Debian)", factory, hints[i].package);
  return g_strdup_printf (
      "no element '%s': check the name with gst-inspect-1.0, or install its "
      "plugin",
      factory);
}
