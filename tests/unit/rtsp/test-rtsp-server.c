/* SPDX-License-Identifier: Apache-2.0 */
/* The server with real viewers, and with those that do it wrong. */
#include "rtsp/rtsp-server.h"

#include "base/error.h"
#include "common/fixture.h"
#include "common/viewer.h"
#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LIMIT_MS 15000
/* One that waits for a viewer that reads nothing waits longer. */
#define PUSH_MAX_US (5 * G_USEC_PER_SEC)

typedef struct {
  VigilFixture parent;
  VigilRtspSettings settings;
  VigilRtspServer *server;
  GBytes *jpeg;
  GThread *pusher;         /* nullable: pushes frames to pushed */
  VigilRtspStream *pushed; /* owned */
  gint is_pushing;
} Fixture;

static void
set_up (Fixture *self, gconstpointer data)
{
  vigil_fixture_set_up (&self->parent, data);
  self->settings = (VigilRtspSettings){
      .is_enabled = TRUE,
      .address = (char *)vigil_fixture_get_address (),
      .is_loopback = TRUE,
      .viewers_max = 8,
  };
  self->server = vigil_rtsp_server_new (&self->settings);
  self->jpeg = test_viewer_make_jpeg ();
}

static void
stop_pushing (Fixture *self)
{
  if (self->pusher == NULL)
    return;
  g_atomic_int_set (&self->is_pushing, FALSE);
  g_thread_join (g_steal_pointer (&self->pusher));
  g_clear_pointer (&self->pushed, vigil_rtsp_stream_unref);
}

static void
tear_down (Fixture *self, gconstpointer data)
{
  stop_pushing (self);
  vigil_rtsp_server_free (self->server);
  g_bytes_unref (self->jpeg);
  vigil_fixture_tear_down (&self->parent, data);
}

static VigilRtspStream *
add_stream (Fixture *self, const char *path)
{
  VigilRtspStream *stream = vigil_rtsp_stream_new (path, 30);
  g_autoptr (GError) error = NULL;

  vigil_rtsp_server_add (self->server, stream, &error);
  g_assert_no_error (error);
  return stream;
}

/* A camera of a hundred frames a second. */
static gpointer
run_pusher (gpointer data)
{
  static const VigilRtspJpegSize size = {64, 48};
  Fixture *self = data;

  while (g_atomic_int_get (&self->is_pushing)) {
    vigil_rtsp_stream_push (self->pushed, self->jpeg, &size);
    g_usleep (10000);
  }
  return NULL;
}

static void
start_pushing (Fixture *self, VigilRtspStream *stream)
{
  self->pushed = vigil_rtsp_stream_ref (stream);
  self->is_pushing = TRUE;
  self->pusher = g_thread_new ("pusher", run_pusher, self);
}

static TestViewer *
watch (Fixture *self, const char *path, const char *protocols)
{
  return test_viewer_new (self->settings.address,
      vigil_rtsp_server_get_port (self->server), path, protocols);
}

static int
freeze (Fixture *self, const char *path, const char *last)
{
  return test_viewer_freeze (self->settings.address,
      vigil_rtsp_server_get_port (self->server), path, last);
}

static void
remove_stream (Fixture *self, VigilRtspStream *stream)
{
  vigil_rtsp_server_remove (
      self->server, stream, vigil_fixture_deadline (20000));
}

static gboolean
is_unwatched (gpointer data)
{
  return !vigil_rtsp_stream_is_watched (data);
}

static gboolean
is_watched (gpointer data)
{
  return vigil_rtsp_stream_is_watched (data);
}

static gboolean
has_no_connections (gpointer data)
{
  return vigil_rtsp_server_count_connections (data) == 0;
}

typedef struct {
  VigilRtspStream *stream;
  unsigned viewers;
} Counted;

static gboolean
has_counted (gpointer data)
{
  const Counted *counted = data;
  VigilRtspStreamStatus status;

  vigil_rtsp_stream_get_status (counted->stream, &status);
  return status.viewers >= counted->viewers;
}

/* A viewer is counted a moment after he sees the first frames. */
static void
wait_viewers (VigilRtspStream *stream, unsigned viewers)
{
  Counted counted = {stream, viewers};
  VigilRtspStreamStatus status;

  g_assert_true (vigil_fixture_wait_until (has_counted, &counted, LIMIT_MS));
  vigil_rtsp_stream_get_status (stream, &status);
  g_assert_cmpuint (status.viewers, ==, viewers);
}

/* ---- Paths and ports --------------------------------------------------------
 */

static void
test_paths (Fixture *self, gconstpointer data)
{
  g_autoptr (VigilRtspStream) first = NULL;
  g_autoptr (VigilRtspStream) again = vigil_rtsp_stream_new ("one", 1);
  g_autoptr (VigilRtspStream) other = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_cmpuint (vigil_rtsp_server_get_port (self->server), ==, 0);
  first = add_stream (self, "one");
  other = add_stream (self, "two");
  g_assert_cmpuint (vigil_rtsp_server_get_port (self->server), !=, 0);
  g_assert_false (vigil_rtsp_server_add (self->server, again, &error));
  g_assert_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID);
  g_assert_true (g_str_has_prefix (error->message, "'one': another instance"));
  remove_stream (self, first);
  g_clear_error (&error);
  g_assert_true (vigil_rtsp_server_add (self->server, again, &error));
  remove_stream (self, again);
  remove_stream (self, other);
}

static void
test_off (Fixture *self, gconstpointer data)
{
  g_autoptr (VigilRtspStream) stream = vigil_rtsp_stream_new ("one", 1);
  g_autoptr (GError) error = NULL;

  self->settings.is_enabled = FALSE;
  g_assert_false (vigil_rtsp_server_add (self->server, stream, &error));
  g_assert_error (error, VIGIL_ERROR, VIGIL_ERROR_UNSUPPORTED);
  g_assert_nonnull (strstr (error->message, "ENABLE_RTSP=true"));
}

static void
test_port_taken (Fixture *self, gconstpointer data)
{
  g_autoptr (VigilRtspStream) stream = vigil_rtsp_stream_new ("one", 1);
  g_autoptr (GError) error = NULL;
  int fd = vigil_fixture_listen (&self->settings.port);

  g_assert_false (vigil_rtsp_server_add (self->server, stream, &error));
  g_assert_error (error, VIGIL_ERROR, VIGIL_ERROR_UNAVAILABLE);
  g_assert_nonnull (strstr (error->message, "set RTSP_PORT to a free one"));
  /* The path is not lost with it. */
  close (fd);
  g_clear_error (&error);
  g_assert_true (vigil_rtsp_server_add (self->server, stream, &error));
  remove_stream (self, stream);
}

/* ---- Viewers
 * ------------------------------------------------------------------ */

static void
test_watch (Fixture *self, gconstpointer data)
{
  g_autoptr (VigilRtspStream) stream = add_stream (self, "a/b");
  g_autoptr (GBytes) frame = NULL;
  TestViewer *viewer;

  start_pushing (self, stream);
  viewer = watch (self, "a/b", data);
  g_assert_true (test_viewer_wait (viewer, 20, LIMIT_MS));
  frame = test_viewer_dup_frame (viewer, 0);
  g_assert_cmpmem (g_bytes_get_data (frame, NULL), g_bytes_get_size (frame),
      g_bytes_get_data (self->jpeg, NULL), g_bytes_get_size (self->jpeg));
  wait_viewers (stream, 1);
  /* He goes, and nothing is wanted any more. */
  test_viewer_free (viewer);
  g_assert_true (vigil_fixture_wait_until (is_unwatched, stream, LIMIT_MS));
  remove_stream (self, stream);
}

/* One pipeline for all; each sees the end. */
static void
test_shared (Fixture *self, gconstpointer data)
{
  g_autoptr (VigilRtspStream) stream = add_stream (self, "a");
  TestViewer *viewers[3];
  VigilRtspStreamStatus status;
  uint64_t dropped = 0;
  int64_t start_us;

  start_pushing (self, stream);
  for (int i = 0; i < 3; i++) {
    viewers[i] = watch (self, "a", i == 1 ? "udp" : "tcp");
    g_assert_true (test_viewer_wait (viewers[i], 10, LIMIT_MS));
  }
  wait_viewers (stream, 3);
  start_us = g_get_monotonic_time ();
  remove_stream (self, stream);
  g_assert_cmpint (g_get_monotonic_time () - start_us, <, 15 * G_USEC_PER_SEC);
  stop_pushing (self);
  vigil_rtsp_stream_get_status (stream, &status);
  /* Counted once, however many watch. */
  for (int i = 0; i < VIGIL_RTSP_DROP_REASONS; i++)
    dropped += status.dropped[i];
  g_assert_cmpuint (status.published, >=, 10);
  g_assert_cmpuint (
      status.published + dropped + status.queued, ==, status.offered);
  for (int i = 0; i < 3; i++) {
    g_assert_true (test_viewer_wait_end (viewers[i], LIMIT_MS));
    test_viewer_free (viewers[i]);
  }
}

/* One that reads nothing harms neither the pusher nor the others. */
static void
test_frozen (Fixture *self, gconstpointer data)
{
  g_autoptr (VigilRtspStream) stream = add_stream (self, "a");
  TestViewer *viewer;
  VigilRtspStreamStatus status;
  int64_t start_us;
  int fd;

  start_pushing (self, stream);
  fd = freeze (self, "a", "PLAY");
  viewer = watch (self, "a", "tcp");
  g_assert_true (test_viewer_wait (viewer, 200, LIMIT_MS));
  vigil_rtsp_stream_get_status (stream, &status);
  g_assert_cmpuint (status.queued, <=, 30);
  start_us = g_get_monotonic_time ();
  remove_stream (self, stream);
  g_assert_cmpint (g_get_monotonic_time () - start_us, <, 15 * G_USEC_PER_SEC);
  g_assert_true (test_viewer_wait_end (viewer, LIMIT_MS));
  test_viewer_free (viewer);
  close (fd);
}

/* Alone, at every step: no frame reaches him, and the stop is not his. */
static void
test_frozen_at (Fixture *self, gconstpointer data)
{
  static const VigilRtspJpegSize size = {1920, 1080};
  g_autoptr (VigilRtspStream) stream = add_stream (self, "a");
  g_autoptr (GBytes) large = test_viewer_make_frame (
      "video/x-raw,format=I420,width=1920,height=1080 ! jpegenc");
  VigilRtspStreamStatus status;
  int64_t longest_us = 0;
  int64_t start_us;
  int fd;

  start_pushing (self, stream);
  fd = freeze (self, "a", data);
  g_assert_true (vigil_fixture_wait_until (is_watched, stream, LIMIT_MS));
  stop_pushing (self);
  for (int i = 0; i < 500; i++) {
    start_us = g_get_monotonic_time ();
    vigil_rtsp_stream_push (stream, large, &size);
    longest_us = MAX (longest_us, g_get_monotonic_time () - start_us);
  }
  g_assert_cmpint (longest_us, <, PUSH_MAX_US);
  vigil_rtsp_stream_get_status (stream, &status);
  g_assert_cmpuint (status.queued, <=, 30);
  start_us = g_get_monotonic_time ();
  remove_stream (self, stream);
  g_assert_cmpint (g_get_monotonic_time () - start_us, <, 15 * G_USEC_PER_SEC);
  g_assert_true (
      vigil_fixture_wait_until (has_no_connections, self->server, LIMIT_MS));
  close (fd);
}

/* ---- Connections
 * ---------------------------------------------------------------- */

static int
connect_to (Fixture *self)
{
  struct sockaddr_in peer = {.sin_family = AF_INET,
      .sin_port = htons (vigil_rtsp_server_get_port (self->server))};
  int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

  inet_pton (AF_INET, self->settings.address, &peer.sin_addr);
  g_assert_cmpint (
      connect (fd, (const struct sockaddr *)&peer, sizeof peer), ==, 0);
  return fd;
}

static void
test_too_many (Fixture *self, gconstpointer data)
{
  g_autoptr (VigilRtspStream) stream = add_stream (self, "a");
  int fds[12];
  char byte;

  for (int i = 0; i < 12; i++)
    fds[i] = connect_to (self);
  /* The last is closed. */
  g_assert_true (vigil_fixture_wait_fd (fds[11], 1 /* POLLIN */, LIMIT_MS));
  g_assert_cmpint (recv (fds[11], &byte, 1, 0), <=, 0);
  for (int i = 0; i < 12; i++)
    close (fds[i]);
  g_assert_true (
      vigil_fixture_wait_until (has_no_connections, self->server, LIMIT_MS));
  remove_stream (self, stream);
}

static void
test_garbage (Fixture *self, gconstpointer data)
{
  static const char *const texts[] = {"\r\n\r\n", "GET / HTTP/1.1\r\n\r\n",
      "DESCRIBE * RTSP/1.0\r\nCSeq: 1\r\n\r\n",
      "DESCRIBE rtsp://h/../../etc RTSP/1.0\r\nCSeq: 1\r\n\r\n",
      "PLAY rtsp://h/a RTSP/1.0\r\nCSeq: 1\r\nSession: 1\r\n\r\n",
      "SETUP rtsp://h/a RTSP/1.0\r\nContent-Length: 99999999999\r\n\r\n",
      "$\xff\xff\xff$$$$"};
  g_autoptr (VigilRtspStream) stream = add_stream (self, "a");
  TestViewer *viewer;

  start_pushing (self, stream);
  for (size_t i = 0; i < G_N_ELEMENTS (texts); i++) {
    int fd = connect_to (self);

    send (fd, texts[i], strlen (texts[i]), MSG_NOSIGNAL);
    shutdown (fd, SHUT_WR);
    close (fd);
  }
  viewer = watch (self, "a", "tcp");
  g_assert_true (test_viewer_wait (viewer, 5, LIMIT_MS));
  test_viewer_free (viewer);
  remove_stream (self, stream);
}

static unsigned
count_entries (const char *path)
{
  g_autoptr (GDir) folder = g_dir_open (path, 0, NULL);
  unsigned count = 0;

  while (g_dir_read_name (folder) != NULL)
    count++;
  return count;
}

static void
test_thousand (Fixture *self, gconstpointer data)
{
  unsigned files = 0;
  unsigned threads = 0;

  for (int i = 0; i < 1000; i++) {
    g_autoptr (VigilRtspStream) stream = add_stream (self, "a");

    remove_stream (self, stream);
    if (i == 0) {
      files = count_entries ("/proc/self/fd");
      threads = count_entries ("/proc/self/task");
    }
  }
  /* Threads of other tests may still be on their way out. */
  g_assert_cmpuint (count_entries ("/proc/self/fd"), <=, files);
  g_assert_cmpuint (count_entries ("/proc/self/task"), <=, threads);
}

static void
add (const char *path, gconstpointer data,
    void (*function) (Fixture *self, gconstpointer data))
{
  g_test_add (path, Fixture, data, set_up, function, tear_down);
}

int
main (int argc, char **argv)
{
  vigil_fixture_init (&argc, &argv, 60);
  add ("/rtsp-server/paths", NULL, test_paths);
  add ("/rtsp-server/off", NULL, test_off);
  add ("/rtsp-server/port-taken", NULL, test_port_taken);
  add ("/rtsp-server/watch/tcp", "tcp", test_watch);
  add ("/rtsp-server/watch/udp", "udp", test_watch);
  add ("/rtsp-server/shared", NULL, test_shared);
  add ("/rtsp-server/frozen/beside-another", NULL, test_frozen);
  add ("/rtsp-server/frozen/describe", "DESCRIBE", test_frozen_at);
  add ("/rtsp-server/frozen/setup", "SETUP", test_frozen_at);
  add ("/rtsp-server/frozen/play", "PLAY", test_frozen_at);
  add ("/rtsp-server/too-many", NULL, test_too_many);
  add ("/rtsp-server/garbage", NULL, test_garbage);
  add ("/rtsp-server/thousand", NULL, test_thousand);
  return g_test_run ();
}
