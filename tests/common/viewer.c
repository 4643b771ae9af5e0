/* SPDX-License-Identifier: Apache-2.0 */
#include "common/viewer.h"

#include "common/fixture.h"
#include <arpa/inet.h>
#include <gst/app/gstappsink.h>
#include <gst/gst.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct _TestViewer {
  GstElement *pipeline;
  VigilEvent frames;
  GMutex lock;     /* protects list */
  GPtrArray *list; /* element-type: GBytes */
};

static GBytes *
dup_bytes (GstSample *sample)
{
  GstBuffer *buffer = gst_sample_get_buffer (sample);
  gsize size = gst_buffer_get_size (buffer);
  void *data = g_malloc (size);

  gst_buffer_extract (buffer, 0, data, size);
  return g_bytes_new_take (data, size);
}

static GstFlowReturn
on_sample (GstAppSink *sink, gpointer data)
{
  TestViewer *self = data;
  g_autoptr (GstSample) sample = gst_app_sink_pull_sample (sink);

  if (sample == NULL)
    return GST_FLOW_EOS;
  g_mutex_lock (&self->lock);
  g_ptr_array_add (self->list, dup_bytes (sample));
  g_mutex_unlock (&self->lock);
  vigil_event_raise (&self->frames);
  return GST_FLOW_OK;
}

TestViewer *
test_viewer_new (
    const char *address, uint16_t port, const char *path, const char *protocols)
{
  TestViewer *self = g_new0 (TestViewer, 1);
  GstAppSinkCallbacks callbacks = {.new_sample = on_sample};
  g_autofree char *text = g_strdup_printf (
      "rtspsrc location=rtsp://%s:%u/%s protocols=%s latency=0 "
      "timeout=0 ! rtpjpegdepay ! appsink name=sink sync=false",
      address, port, path, protocols);
  g_autoptr (GError) error = NULL;
  g_autoptr (GstElement) sink = NULL;

  /* What GStreamer says of itself: of its pads when viewers of two kinds meet,
   * and of an end that comes before anything else. */
  vigil_fixture_allow_warning ("GStreamer", "*Sticky event misordering*");
  vigil_fixture_allow_warning ("GStreamer", "*GST_SEQNUM_INVALID*");
  gst_init (NULL, NULL);
  g_mutex_init (&self->lock);
  vigil_event_init (&self->frames);
  self->list = g_ptr_array_new_with_free_func ((GDestroyNotify)g_bytes_unref);
  self->pipeline = gst_parse_launch (text, &error);
  g_assert_no_error (error);
  sink = gst_bin_get_by_name (GST_BIN (self->pipeline), "sink");
  gst_app_sink_set_callbacks (GST_APP_SINK (sink), &callbacks, self, NULL);
  gst_element_set_state (self->pipeline, GST_STATE_PLAYING);
  return self;
}

void
test_viewer_free (TestViewer *self)
{
  gst_element_set_state (self->pipeline, GST_STATE_NULL);
  gst_object_unref (self->pipeline);
  g_ptr_array_unref (self->list);
  vigil_event_clear (&self->frames);
  g_mutex_clear (&self->lock);
  g_free (self);
}

gboolean
test_viewer_wait (TestViewer *self, unsigned count, unsigned milliseconds)
{
  return vigil_event_wait (&self->frames, count, milliseconds);
}

unsigned
test_viewer_count (TestViewer *self)
{
  return vigil_event_get_count (&self->frames);
}

GBytes *
test_viewer_dup_frame (TestViewer *self, unsigned index)
{
  GBytes *frame;

  g_mutex_lock (&self->lock);
  g_assert_cmpuint (index, <, self->list->len);
  frame = g_bytes_ref (g_ptr_array_index (self->list, index));
  g_mutex_unlock (&self->lock);
  return frame;
}

gboolean
test_viewer_wait_end (TestViewer *self, unsigned milliseconds)
{
  g_autoptr (GstBus) bus = gst_element_get_bus (self->pipeline);
  g_autoptr (GstMessage) message = gst_bus_timed_pop_filtered (
      bus, milliseconds * GST_MSECOND, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);

  return message != NULL && GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS;
}

/* ---- One that does not read ------------------------------------------------
 */

static void
ask (int fd, const char *request)
{
  size_t length = strlen (request);

  g_assert_cmpint (send (fd, request, length, MSG_NOSIGNAL), ==, length);
}

/* One answer without what may follow it. Returns: (transfer full). */
static char *
read_head (int fd)
{
  GString *text = g_string_new (NULL);
  char c;

  while (strstr (text->str, "\r\n\r\n") == NULL) {
    g_assert_true (vigil_fixture_wait_fd (fd, 1 /* POLLIN */, 10000));
    g_assert_cmpint (recv (fd, &c, 1, 0), ==, 1);
    g_string_append_c (text, c);
  }
  g_assert_true (g_str_has_prefix (text->str, "RTSP/1.0 200"));
  return g_string_free (text, FALSE);
}

static char *
find_header (const char *head, const char *name)
{
  const char *value = strstr (head, name);

  g_assert_nonnull (value);
  value += strlen (name);
  return g_strndup (value, strcspn (value, ";\r"));
}

static void
read_body (int fd, const char *head)
{
  g_autofree char *length = find_header (head, "Content-Length: ");
  size_t size = g_ascii_strtoull (length, NULL, 10);
  g_autofree char *body = g_malloc (size);

  g_assert_cmpint (recv (fd, body, size, MSG_WAITALL), ==, size);
}

static int
dial (const char *address, uint16_t port)
{
  struct sockaddr_in peer = {.sin_family = AF_INET, .sin_port = htons (port)};
  const int small = 4096;
  int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

  g_assert_cmpint (inet_pton (AF_INET, address, &peer.sin_addr), ==, 1);
  setsockopt (fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
  g_assert_cmpint (
      connect (fd, (const struct sockaddr *)&peer, sizeof peer), ==, 0);
  return fd;
}

int
test_viewer_freeze (
    const char *address, uint16_t port, const char *path, const char *last)
{
  g_autofree char *url =
      g_strdup_printf ("rtsp://%s:%u/%s", address, port, path);
  g_autofree char *describe =
      g_strdup_printf ("DESCRIBE %s RTSP/1.0\r\nCSeq: 1\r\n\r\n", url);
  g_autofree char *set_up =
      g_strdup_printf ("SETUP %s/stream=0 RTSP/1.0\r\nCSeq: 2\r\n"
                       "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n\r\n",
          url);
  g_autofree char *described = NULL;
  g_autofree char *answer = NULL;
  g_autofree char *session = NULL;
  g_autofree char *play = NULL;
  g_autofree char *played = NULL;
  int fd = dial (address, port);

  ask (fd, describe);
  if (strcmp (last, "DESCRIBE") == 0)
    return fd;
  described = read_head (fd);
  read_body (fd, described);
  ask (fd, set_up);
  answer = read_head (fd);
  if (strcmp (last, "SETUP") == 0)
    return fd;
  session = find_header (answer, "Session: ");
  play = g_strdup_printf (
      "PLAY %s/ RTSP/1.0\r\nCSeq: 3\r\nSession: %s\r\n\r\n", url, session);
  ask (fd, play);
  played = read_head (fd);
  return fd;
}

/* ---- Pictures ---------------------------------------------------------------
 */

GBytes *
test_viewer_make_frame (const char *elements)
{
  g_autofree char *text = g_strdup_printf (
      "videotestsrc num-buffers=1 ! %s ! appsink name=sink sync=false",
      elements);
  g_autoptr (GError) error = NULL;
  g_autoptr (GstElement) pipeline = NULL;
  g_autoptr (GstElement) sink = NULL;
  g_autoptr (GstSample) sample = NULL;
  GBytes *frame;

  gst_init (NULL, NULL);
  pipeline = gst_parse_launch (text, &error);
  g_assert_no_error (error);
  sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  sample = gst_app_sink_pull_sample (GST_APP_SINK (sink));
  g_assert_nonnull (sample);
  frame = dup_bytes (sample);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  return frame;
}

GBytes *
test_viewer_make_jpeg (void)
{
  return test_viewer_make_frame (
      "video/x-raw,format=I420,width=64,height=48 ! jpegenc ! rtpjpegpay ! "
      "rtpjpegdepay");
}
