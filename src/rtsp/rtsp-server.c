/* SPDX-License-Identifier: Apache-2.0 */
/* gst-rtsp-server, kept within limits. */
#include "rtsp/rtsp-server.h"

#include "base/error.h"
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sys/socket.h>

/* A viewer needs this long to hear of the end, and to close by himself. */
#define GOODBYE_US (2 * G_TIME_SPAN_SECOND)
/* A connection that has no session by then is closed. */
#define SESSION_US (30 * G_TIME_SPAN_SECOND)
#define SWEEP_S 5
/* A viewer that takes nothing for so long is given up. */
#define STALLED_MS 10000
/* Requests have no bodies to speak of. */
#define REQUEST_BYTES_MAX 8192
#define UDP_PORT_MIN 32768
#define UDP_PORT_MAX 60999

#define CONNECTED_KEY "vigil-connected"
#define PATH_KEY "vigil-path"

struct _VigilRtspServer {
  const VigilRtspSettings *settings;
  GMainContext *context;
  GMainLoop *loop;

  pthread_mutex_t lock;  /* protects what follows */
  GHashTable *paths;     /* element-type: path of a VigilRtspStream, borrowed */
  GstRTSPServer *server; /* NULL: does not listen yet */
  GThread *thread;
  uint16_t port;
};

VigilRtspServer *
vigil_rtsp_server_new (const VigilRtspSettings *settings)
{
  VigilRtspServer *self = g_new0 (VigilRtspServer, 1);

  self->settings = settings;
  self->context = g_main_context_new ();
  self->loop = g_main_loop_new (self->context, FALSE);
  pthread_mutex_init (&self->lock, NULL);
  self->paths = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  return self;
}

/* ---- Connections -----------------------------------------------------------
 */

static GstRTSPFilterResult
count_client (GstRTSPServer *server, GstRTSPClient *client, gpointer user_data)
{
  unsigned *count = user_data;

  ++*count;
  return GST_RTSP_FILTER_KEEP;
}

static unsigned
count_clients (GstRTSPServer *server)
{
  unsigned count = 0;

  gst_rtsp_server_client_filter (server, count_client, &count);
  return count;
}

/* GStreamer takes away what a client sends with while a stream may be about
 * to use it. Nothing sends when this returns. */
static void
silence_client (GstRTSPClient *client)
{
  gst_rtsp_client_set_send_func (client, NULL, NULL, NULL);
  gst_rtsp_client_set_send_messages_func (client, NULL, NULL, NULL);
}

static gboolean
close_client (gpointer data)
{
  silence_client (data);
  gst_rtsp_client_close (data);
  return G_SOURCE_REMOVE;
}

/* Packets go out at once; who takes none is given up by the kernel. */
static void
set_socket_options (GstRTSPClient *client)
{
  GstRTSPConnection *connection = gst_rtsp_client_get_connection (client);
  GSocket *socket = gst_rtsp_connection_get_write_socket (connection);
  const unsigned stalled_ms = STALLED_MS;
  const int yes = 1;
  int descriptor;

  if (socket == NULL)
    return;
  descriptor = g_socket_get_fd (socket);
  setsockopt (descriptor, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  setsockopt (descriptor, IPPROTO_TCP, TCP_USER_TIMEOUT, &stalled_ms,
      sizeof stalled_ms);
}

/* Which path a connection is about, before it has a session too; it may
 * wait for a first frame now. */
static GstRTSPStatusCode
on_describe (GstRTSPClient *client, GstRTSPContext *context, gpointer unused)
{
  if (context->uri != NULL)
    g_object_set_data_full (
        G_OBJECT (client), PATH_KEY, g_strdup (context->uri->abspath), g_free);
  return GST_RTSP_STS_OK;
}

static void
on_played (GstRTSPClient *client, GstRTSPContext *context, gpointer unused)
{
  VigilRtspStream *stream = context->media != NULL
                                ? vigil_rtsp_stream_of_media (context->media)
                                : NULL;

  if (stream != NULL)
    vigil_rtsp_stream_count_viewer (stream);
}

static void
on_connected (GstRTSPServer *server, GstRTSPClient *client, gpointer user_data)
{
  VigilRtspServer *self = user_data;
  int64_t *connected_us = g_new (int64_t, 1);

  *connected_us = g_get_monotonic_time ();
  g_object_set_data_full (
      G_OBJECT (client), CONNECTED_KEY, connected_us, g_free);
  gst_rtsp_client_set_content_length_limit (client, REQUEST_BYTES_MAX);
  set_socket_options (client);
  g_signal_connect (
      client, "pre-describe-request", G_CALLBACK (on_describe), NULL);
  g_signal_connect (client, "play-request", G_CALLBACK (on_played), NULL);
  if (count_clients (server) > self->settings->viewers_max) {
    g_autoptr (GSource) source = g_idle_source_new ();

    /* Not at once: it is still being set up. */
    g_source_set_callback (
        source, close_client, g_object_ref (client), g_object_unref);
    g_source_attach (source, self->context);
  }
}

static gboolean
has_session (GstRTSPClient *client)
{
  GList *sessions = gst_rtsp_client_session_filter (client, NULL, NULL);
  gboolean is_any = sessions != NULL;

  g_list_free_full (sessions, g_object_unref);
  return is_any;
}

static GstRTSPFilterResult
sweep_client (GstRTSPServer *server, GstRTSPClient *client, gpointer user_data)
{
  const int64_t *now_us = user_data;
  const int64_t *connected_us =
      g_object_get_data (G_OBJECT (client), CONNECTED_KEY);

  if (connected_us == NULL || *now_us - *connected_us < SESSION_US ||
      has_session (client))
    return GST_RTSP_FILTER_KEEP;
  silence_client (client);
  return GST_RTSP_FILTER_REMOVE;
}

/* Server thread, now and then: sessions that nobody keeps alive, and
 * connections that never had one. */
static gboolean
on_sweep (gpointer data)
{
  VigilRtspServer *self = data;
  int64_t now_us = g_get_monotonic_time ();
  g_autoptr (GstRTSPSessionPool) pool =
      gst_rtsp_server_get_session_pool (self->server);

  gst_rtsp_session_pool_cleanup (pool);
  gst_rtsp_server_client_filter (self->server, sweep_client, &now_us);
  return G_SOURCE_CONTINUE;
}

static GstRTSPFilterResult
match_session (
    GstRTSPClient *client, GstRTSPSession *session, gpointer user_data)
{
  const char *path = user_data;
  int matched;

  return gst_rtsp_session_get_media (session, path, &matched) != NULL
             ? GST_RTSP_FILTER_REF
             : GST_RTSP_FILTER_KEEP;
}

static GstRTSPFilterResult
close_viewer (GstRTSPServer *server, GstRTSPClient *client, gpointer user_data)
{
  const char *path = user_data;
  const char *described = g_object_get_data (G_OBJECT (client), PATH_KEY);
  GList *sessions =
      gst_rtsp_client_session_filter (client, match_session, user_data);
  gboolean is_viewer = sessions != NULL || g_strcmp0 (described, path) == 0;

  g_list_free_full (sessions, g_object_unref);
  if (!is_viewer)
    return GST_RTSP_FILTER_KEEP;
  silence_client (client);
  return GST_RTSP_FILTER_REMOVE;
}

static GstRTSPFilterResult
close_any (GstRTSPServer *server, GstRTSPClient *client, gpointer user_data)
{
  silence_client (client);
  return GST_RTSP_FILTER_REMOVE;
}

/* ---- Listening; with the lock ----------------------------------------------
 */

static gpointer
run (gpointer data)
{
  VigilRtspServer *self = data;

  g_main_context_push_thread_default (self->context);
  g_main_loop_run (self->loop);
  g_main_context_pop_thread_default (self->context);
  return NULL;
}

static void
attach (VigilRtspServer *self, GSource *listener)
{
  g_autoptr (GSource) sweep = g_timeout_source_new_seconds (SWEEP_S);

  g_source_attach (listener, self->context);
  g_source_set_callback (sweep, on_sweep, self, NULL);
  g_source_attach (sweep, self->context);
  self->port = (uint16_t)gst_rtsp_server_get_bound_port (self->server);
  self->thread = g_thread_new ("vigil-rtsp", run, self);
  g_message (
      "RTSP on rtsp://%s:%u/", self->settings->address, (unsigned)self->port);
}

static gboolean
listen_now (VigilRtspServer *self, GError **error)
{
  g_autofree char *service = g_strdup_printf ("%u", self->settings->port);
  g_autoptr (GstRTSPThreadPool) threads = NULL;
  g_autoptr (GSource) listener = NULL;
  g_autoptr (GError) own_error = NULL;

  if (self->server != NULL)
    return TRUE;
  gst_init (NULL, NULL);
  /* Its table is made at the first call, without a lock: two connections
   * would both do it. */
  gst_rtsp_status_as_text (GST_RTSP_STS_OK);
  self->server = gst_rtsp_server_new ();
  gst_rtsp_server_set_address (self->server, self->settings->address);
  gst_rtsp_server_set_service (self->server, service);
  /* One for each connection: a first viewer waits for a frame, which must
   * hold up nobody else. Connections are limited. */
  threads = gst_rtsp_server_get_thread_pool (self->server);
  gst_rtsp_thread_pool_set_max_threads (threads, -1);
  g_signal_connect (
      self->server, "client-connected", G_CALLBACK (on_connected), self);
  listener = gst_rtsp_server_create_source (self->server, NULL, &own_error);
  if (listener == NULL) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_UNAVAILABLE,
        "RTSP cannot listen on %s, port %s: %s; set RTSP_PORT to a free one",
        self->settings->address, service, own_error->message);
    g_clear_object (&self->server);
    return FALSE;
  }
  attach (self, listener);
  return TRUE;
}

/* ---- Streams ----------------------------------------------------------------
 */

/* The sockets of UDP viewers stay on the address that was allowed. */
static void
confine_udp (VigilRtspServer *self, GstRTSPMediaFactory *factory)
{
  g_autoptr (GstRTSPAddressPool) pool = NULL;

  if (!self->settings->is_loopback)
    return;
  pool = gst_rtsp_address_pool_new ();
  gst_rtsp_address_pool_add_range (pool, self->settings->address,
      self->settings->address, UDP_PORT_MIN, UDP_PORT_MAX, 0);
  gst_rtsp_media_factory_set_address_pool (factory, pool);
}

static gboolean
add_path (VigilRtspServer *self, VigilRtspStream *stream, GError **error)
{
  const char *path = vigil_rtsp_stream_get_path (stream);
  g_autoptr (GstRTSPMountPoints) mounts = NULL;
  GstRTSPMediaFactory *factory;

  if (g_hash_table_contains (self->paths, path)) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID,
        "'%s': another instance shows its frames there; want a path of its "
        "own, or stop that one first",
        path + 1);
    return FALSE;
  }
  if (!listen_now (self, error))
    return FALSE;
  factory = vigil_rtsp_stream_new_factory (stream);
  confine_udp (self, factory);
  mounts = gst_rtsp_server_get_mount_points (self->server);
  gst_rtsp_mount_points_add_factory (mounts, path, factory);
  g_hash_table_add (self->paths, g_strdup (path));
  return TRUE;
}

gboolean
vigil_rtsp_server_add (
    VigilRtspServer *self, VigilRtspStream *stream, GError **error)
{
  gboolean is_added;

  if (!self->settings->is_enabled) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_UNSUPPORTED,
        "RTSP is switched off: want ENABLE_RTSP=true in the environment");
    return FALSE;
  }
  pthread_mutex_lock (&self->lock);
  is_added = add_path (self, stream, error);
  pthread_mutex_unlock (&self->lock);
  return is_added;
}

void
vigil_rtsp_server_remove (
    VigilRtspServer *self, VigilRtspStream *stream, int64_t deadline_us)
{
  const char *path = vigil_rtsp_stream_get_path (stream);
  g_autoptr (GstRTSPMountPoints) mounts =
      gst_rtsp_server_get_mount_points (self->server);
  int64_t now_us = g_get_monotonic_time ();

  /* First the path, so that no new viewer comes. */
  gst_rtsp_mount_points_remove_factory (mounts, path);
  vigil_rtsp_stream_end (stream);
  if (!vigil_rtsp_stream_wait (
          stream, MIN (deadline_us, now_us + GOODBYE_US))) {
    gst_rtsp_server_client_filter (self->server, close_viewer, (gpointer)path);
    vigil_rtsp_stream_wait (
        stream, MAX (deadline_us, g_get_monotonic_time () + GOODBYE_US));
  }
  pthread_mutex_lock (&self->lock);
  g_hash_table_remove (self->paths, path);
  pthread_mutex_unlock (&self->lock);
}

/* ---- Life
 * -------------------------------------------------------------------- */

static gboolean
quit (gpointer data)
{
  g_main_loop_quit (data);
  return G_SOURCE_REMOVE;
}

void
vigil_rtsp_server_free (VigilRtspServer *self)
{
  if (self == NULL)
    return;
  if (self->server != NULL) {
    gst_rtsp_server_client_filter (self->server, close_any, NULL);
    g_main_context_invoke (self->context, quit, self->loop);
    g_thread_join (self->thread);
    g_clear_object (&self->server);
  }
  g_main_loop_unref (self->loop);
  g_main_context_unref (self->context);
  g_hash_table_unref (self->paths);
  pthread_mutex_destroy (&self->lock);
  g_free (self);
}

uint16_t
vigil_rtsp_server_get_port (VigilRtspServer *self)
{
  uint16_t port;

  pthread_mutex_lock (&self->lock);
  port = self->port;
  pthread_mutex_unlock (&self->lock);
  return port;
}

unsigned
vigil_rtsp_server_count_connections (VigilRtspServer *self)
{
  unsigned count;

  pthread_mutex_lock (&self->lock);
  count = self->server == NULL ? 0 : count_clients (self->server);
  pthread_mutex_unlock (&self->lock);
  return count;
}
