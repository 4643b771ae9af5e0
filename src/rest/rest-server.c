/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP thread: libmicrohttpd, our deadlines, and the workers. */
#include "rest/rest-server.h"

#include "base/error.h"
#include "rest/rest-access.h"
#include "rest/rest-connections.h"
#include "rest/rest-exchange.h"
#include "rest/rest-linger.h"
#include "rest/rest-tls.h"
#include <errno.h>
#include <gio/gio.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#undef G_LOG_DOMAIN
#define G_LOG_DOMAIN "vigil-rest"

/* A crowd that comes at once makes nobody's connection wait for the kernel's
 * next attempt, a second later. */
#define BACKLOG 1024
#define CONNECTION_MEMORY_BYTES 65536
#define US_PER_MS 1000
/* Above our own limit, which makes room before this one refuses. */
#define CONNECTIONS_SPARE 64
/* What is still read of requests that have been refused: the 100 MB that
 * somebody sends without asking, and no more. */
#define LINGER_SOCKETS_MAX 64
#define LINGER_BYTES_MAX ((size_t)128 << 20)
#define LINGER_US (5 * G_TIME_SPAN_SECOND)
/* TLS 1.2 and later with the library's current choice of ciphers. */
#define TLS_PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"
#define TIMEOUT_BODY                                                           \
  "{\"detail\": \"the request took too long\", "                               \
  "\"status\": 408, \"title\": \"Request Timeout\", "                          \
  "\"type\": \"about:blank\"}\n"

struct _VigilRestServer {
  VigilRestContext context;
  VigilRestAccess *access;     /* HTTP thread only, once it runs */
  VigilRestAccess *new_access; /* (nullable) atomic: takes access's place */
  VigilRestTls *tls;           /* (nullable) likewise */
  VigilRestTls *new_tls;       /* (nullable) likewise */
  VigilRestTls *first_tls;     /* (nullable) the library has its texts */
  struct MHD_Daemon *daemon;
  VigilRestConnections *connections;       /* HTTP thread only */
  VigilRestLinger *linger;                 /* likewise */
  GThreadPool *workers[VIGIL_REST_PLACES]; /* of VigilRestExchange; nobody
                                              waits for another place's */
  GThread *thread;
  int listener; /* -1: the library has it */
  int wake;     /* eventfd: is_stopping has changed */
  gint is_stopping;
};

/* What the library keeps for us with each connection. */
typedef struct {
  VigilRestConnection *entry;
  VigilRestTls *tls; /* (nullable) what it began with */
  int socket;
  gboolean has_more; /* answered before the end of a request */
} Connection;

/* ---- Callbacks of the library; all in the HTTP thread ------------------ */

static void
give_up (int socket, VigilRestConnectionsPhase phase, void *user_data)
{
  static const char answer[] =
      "HTTP/1.1 408 Request Timeout\r\n"
      "Content-Type: application/problem+json\r\nConnection: close\r\n"
      "Content-Length: ";
  const VigilRestServer *self = user_data;

  if (!self->context.settings->use_tls &&
      phase != VIGIL_REST_CONNECTIONS_ANSWER) {
    g_autofree char *text = g_strdup_printf (
        "%s%zu\r\n\r\n%s", answer, strlen (TIMEOUT_BODY), TIMEOUT_BODY);

    (void)!send (socket, text, strlen (text), MSG_DONTWAIT | MSG_NOSIGNAL);
  }
  /* The library sees the end and closes. */
  shutdown (socket, SHUT_RDWR);
}

static Connection *
get_connection (struct MHD_Connection *connection)
{
  return MHD_get_connection_info (
      connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)
      ->socket_context;
}

static Connection *
connection_new (VigilRestServer *self, struct MHD_Connection *connection)
{
  Connection *made = g_new0 (Connection, 1);

  made->socket =
      MHD_get_connection_info (connection, MHD_CONNECTION_INFO_CONNECTION_FD)
          ->connect_fd;
  made->entry = vigil_rest_connections_add (
      self->connections, made->socket, g_get_monotonic_time ());
  if (self->tls != NULL) {
    made->tls = vigil_rest_tls_ref (self->tls);
    vigil_rest_tls_apply (made->tls,
        MHD_get_connection_info (connection, MHD_CONNECTION_INFO_GNUTLS_SESSION)
            ->tls_session);
  }
  return made;
}

/* The library closes its descriptor after this. */
static void
connection_free (VigilRestServer *self, Connection *connection)
{
  vigil_rest_connections_remove (self->connections, connection->entry);
  vigil_rest_linger_add (self->linger, connection->socket, connection->has_more,
      g_get_monotonic_time ());
  vigil_rest_tls_unref (connection->tls);
  g_free (connection);
}

static void
on_connection (void *user_data, struct MHD_Connection *connection,
    void **socket_context, enum MHD_ConnectionNotificationCode code)
{
  VigilRestServer *self = user_data;

  if (code == MHD_CONNECTION_NOTIFY_CLOSED)
    connection_free (self, *socket_context);
  else
    *socket_context = connection_new (self, connection);
}

static void
set_phase (VigilRestServer *self, struct MHD_Connection *connection,
    VigilRestConnectionsPhase phase)
{
  vigil_rest_connections_set_phase (self->connections,
      get_connection (connection)->entry, phase, g_get_monotonic_time ());
}

static void
on_completed (void *user_data, struct MHD_Connection *connection,
    void **request_context, enum MHD_RequestTerminationCode code)
{
  VigilRestServer *self = user_data;

  set_phase (self, connection, VIGIL_REST_CONNECTIONS_HEADERS);
  vigil_rest_exchange_free (g_steal_pointer (request_context));
}

static enum MHD_Result
answer (VigilRestServer *self, VigilRestExchange *exchange)
{
  set_phase (self, exchange->connection, VIGIL_REST_CONNECTIONS_ANSWER);
  return vigil_rest_exchange_answer (exchange);
}

static enum MHD_Result
on_body_complete (VigilRestServer *self, VigilRestExchange *exchange)
{
  vigil_rest_exchange_end_body (exchange);
  if (!exchange->is_answered && exchange->route->place != VIGIL_REST_AT_ONCE) {
    /* The last round of the daemon, at stop, has no workers any more: who
     * asks then finds the connection closed. */
    if (g_atomic_int_get (&self->is_stopping))
      return MHD_NO;
    set_phase (self, exchange->connection, VIGIL_REST_CONNECTIONS_HANDLING);
    MHD_suspend_connection (exchange->connection);
    g_thread_pool_push (self->workers[exchange->route->place], exchange, NULL);
    return MHD_YES;
  }
  if (!exchange->is_answered)
    vigil_rest_exchange_handle (exchange);
  return answer (self, exchange);
}

/* First with the headers, then for each piece of the body, then at its end,
 * and once more when a worker has resumed the connection. */
static enum MHD_Result
on_request (void *user_data, struct MHD_Connection *connection,
    const char *path, const char *method, const char *version, const char *data,
    size_t *size, void **request_context)
{
  VigilRestServer *self = user_data;
  VigilRestExchange *exchange = *request_context;

  if (exchange == NULL) {
    exchange = vigil_rest_exchange_new (
        &self->context, self->access, connection, method, path);
    *request_context = exchange;
    if (exchange->is_answered) {
      get_connection (connection)->has_more =
          vigil_rest_exchange_has_body (exchange);
      return answer (self, exchange);
    }
    set_phase (self, connection, VIGIL_REST_CONNECTIONS_BODY);
    return MHD_YES;
  }
  if (*size > 0) {
    vigil_rest_exchange_append (exchange, data, *size);
    *size = 0;
    return MHD_YES;
  }
  if (exchange->is_answered)
    return answer (self, exchange);
  return on_body_complete (self, exchange);
}

/* Paths are decoded by the segment, so that %2F stays inside one. */
static size_t
keep_escapes (void *user_data, struct MHD_Connection *connection, char *text)
{
  return strlen (text);
}

static void G_GNUC_PRINTF (2, 0)
    log_line (void *user_data, const char *format, va_list arguments)
{
  g_autofree char *text = g_strdup_vprintf (format, arguments);

  g_debug ("%s", g_strchomp (text));
}

/* ---- Threads ----------------------------------------------------------- */

static void
wake_thread (VigilRestServer *self)
{
  const uint64_t one = 1;

  (void)!write (self->wake, &one, sizeof one);
}

static void
run_worker (gpointer data, gpointer user_data)
{
  VigilRestExchange *exchange = data;
  VigilRestServer *self = user_data;
  struct MHD_Connection *connection = exchange->connection;

  vigil_rest_exchange_handle (exchange);
  MHD_resume_connection (connection);
  wake_thread (self);
}

static int64_t
get_earlier (int64_t one_us, int64_t other_us)
{
  if (one_us < 0 || other_us < 0)
    return MAX (one_us, other_us);
  return MIN (one_us, other_us);
}

static int
get_poll_timeout (VigilRestServer *self)
{
  int64_t now_us = g_get_monotonic_time ();
  int64_t next_us =
      get_earlier (vigil_rest_connections_expire (self->connections, now_us),
          vigil_rest_linger_run (self->linger, now_us));
  int64_t ours_ms = next_us < 0 ? -1 : (next_us - now_us) / US_PER_MS + 1;
  MHD_UNSIGNED_LONG_LONG theirs_ms;

  if (MHD_get_timeout (self->daemon, &theirs_ms) == MHD_YES &&
      (ours_ms < 0 || (int64_t)theirs_ms < ours_ms))
    return (int)MIN (theirs_ms, G_MAXINT);
  return (int)ours_ms;
}

/* Between requests nobody looks at the old tokens; connections keep the old
 * certificates as long as they need them. */
static void
take_new_secrets (VigilRestServer *self)
{
  VigilRestAccess *access = g_atomic_pointer_exchange (&self->new_access, NULL);
  VigilRestTls *tls = g_atomic_pointer_exchange (&self->new_tls, NULL);

  if (access != NULL) {
    vigil_rest_access_free (self->access);
    self->access = access;
  }
  if (tls != NULL) {
    vigil_rest_tls_unref (self->tls);
    self->tls = tls;
  }
}

static gpointer
run_thread (gpointer data)
{
  VigilRestServer *self = data;
  const union MHD_DaemonInfo *info =
      MHD_get_daemon_info (self->daemon, MHD_DAEMON_INFO_EPOLL_FD);
  struct pollfd polled[] = {
      {.fd = info->epoll_fd, .events = POLLIN},
      {.fd = self->wake, .events = POLLIN},
      {.fd = vigil_rest_linger_get_fd (self->linger), .events = POLLIN},
  };
  uint64_t count;

  while (!g_atomic_int_get (&self->is_stopping)) {
    poll (polled, G_N_ELEMENTS (polled), get_poll_timeout (self));
    if (polled[1].revents != 0)
      (void)!read (self->wake, &count, sizeof count);
    take_new_secrets (self);
    MHD_run (self->daemon);
  }
  return NULL;
}

/* ---- Start and end ----------------------------------------------------- */

static gboolean
listen_on (VigilRestServer *self, GError **error)
{
  const VigilRestSettings *settings = self->context.settings;
  g_autoptr (GSocketAddress) address =
      g_inet_socket_address_new_from_string (settings->address, settings->port);
  struct sockaddr_storage native = {0};
  socklen_t size = (socklen_t)g_socket_address_get_native_size (address);
  const int yes = 1;

  g_socket_address_to_native (address, &native, sizeof native, NULL);
  self->listener =
      socket (native.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (self->listener >= 0)
    setsockopt (self->listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (self->listener < 0 ||
      bind (self->listener, (struct sockaddr *)&native, size) != 0 ||
      listen (self->listener, BACKLOG) != 0 ||
      getsockname (self->listener, (struct sockaddr *)&native, &size) != 0) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_UNAVAILABLE,
        "REST on %s, port %u: %s; choose another with REST_SERVER_PORT",
        settings->address, settings->port, g_strerror (errno));
    return FALSE;
  }
  g_clear_object (&address);
  address = g_socket_address_new_from_native (&native, size);
  self->context.port =
      g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (address));
  return TRUE;
}

static gboolean
read_files (VigilRestServer *self, GError **error)
{
  const VigilRestSettings *settings = self->context.settings;

  self->access = settings->tokens_file == NULL
                     ? vigil_rest_access_new (NULL, NULL, error)
                     : vigil_rest_access_load (settings->tokens_file, error);
  if (self->access == NULL)
    return FALSE;
  if (!settings->use_tls)
    return TRUE;
  self->tls = vigil_rest_tls_load (settings, error);
  self->first_tls = vigil_rest_tls_ref (self->tls);
  return self->tls != NULL;
}

/* The library's options that have to do with TLS. @options has room for
 * five. */
static void
add_tls_options (const VigilRestTls *tls, struct MHD_OptionItem *options)
{
  const struct MHD_OptionItem end = {MHD_OPTION_END, 0, NULL};
  const char *client_ca = NULL;
  unsigned size = 0;

  if (tls != NULL) {
    client_ca = vigil_rest_tls_get_client_ca (tls);
    options[size++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_CERT, 0,
        (void *)vigil_rest_tls_get_certificate (tls)};
    options[size++] = (struct MHD_OptionItem){
        MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)vigil_rest_tls_get_key (tls)};
    options[size++] = (struct MHD_OptionItem){
        MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)TLS_PRIORITIES};
  }
  /* Makes the library ask for a client certificate. */
  if (client_ca != NULL)
    options[size++] = (struct MHD_OptionItem){
        MHD_OPTION_HTTPS_MEM_TRUST, 0, (void *)client_ca};
  options[size] = end;
}

static gboolean
start_daemon (VigilRestServer *self, GError **error)
{
  const VigilRestSettings *settings = self->context.settings;
  unsigned flags = MHD_USE_EPOLL | MHD_USE_ITC | MHD_ALLOW_SUSPEND_RESUME |
                   MHD_USE_ERROR_LOG | (settings->use_tls ? MHD_USE_TLS : 0);
  struct MHD_OptionItem options[5];

  add_tls_options (self->first_tls, options);
  self->daemon = MHD_start_daemon (flags, 0, NULL, NULL, on_request, self,
      MHD_OPTION_EXTERNAL_LOGGER, log_line, self, MHD_OPTION_LISTEN_SOCKET,
      self->listener, MHD_OPTION_NOTIFY_CONNECTION, on_connection, self,
      MHD_OPTION_NOTIFY_COMPLETED, on_completed, self,
      MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL,
      MHD_OPTION_CONNECTION_LIMIT,
      settings->connections_max + CONNECTIONS_SPARE,
      MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY_BYTES,
      MHD_OPTION_ARRAY, options, MHD_OPTION_END);
  if (self->daemon == NULL) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_UNAVAILABLE,
        "REST could not be started");
    return FALSE;
  }
  self->listener = -1;
  return TRUE;
}

VigilRestServer *
vigil_rest_server_new (const VigilRestSettings *settings,
    VigilInstanceManager *manager, GError **error)
{
  g_autoptr (VigilRestServer) self = g_new0 (VigilRestServer, 1);
  VigilRestConnectionsLimits limits = {
      .connections_max = settings->connections_max,
      .header_us = settings->header_ms * US_PER_MS,
      .body_us = settings->body_ms * US_PER_MS,
      .answer_us = settings->answer_ms * US_PER_MS,
      .give_up = give_up,
      .user_data = self,
  };
  const VigilRestLingerLimits linger_limits = {
      .sockets_max = LINGER_SOCKETS_MAX,
      .bytes_max = LINGER_BYTES_MAX,
      .time_us = LINGER_US,
  };

  self->context.settings = settings;
  self->context.manager = manager;
  self->listener = -1;
  self->wake = eventfd (0, EFD_NONBLOCK | EFD_CLOEXEC);
  self->connections = vigil_rest_connections_new (&limits);
  self->linger = vigil_rest_linger_new (&linger_limits);
  if (!read_files (self, error) || !listen_on (self, error) ||
      !start_daemon (self, error))
    return NULL;
  for (int place = VIGIL_REST_CONTROLS; place < VIGIL_REST_PLACES; place++)
    self->workers[place] = g_thread_pool_new (
        run_worker, self, (int)settings->workers, FALSE, NULL);
  self->thread = g_thread_new ("vigil-rest", run_thread, self);
  return g_steal_pointer (&self);
}

void
vigil_rest_server_free (VigilRestServer *self)
{
  if (self == NULL)
    return;
  g_atomic_int_set (&self->is_stopping, TRUE);
  if (self->thread != NULL) {
    wake_thread (self);
    g_thread_join (self->thread);
  }
  for (int place = VIGIL_REST_CONTROLS; place < VIGIL_REST_PLACES; place++)
    if (self->workers[place] != NULL)
      g_thread_pool_free (self->workers[place], FALSE, TRUE);
  if (self->daemon != NULL) {
    /* Takes back what workers resumed: a suspended one must not be left. */
    MHD_run (self->daemon);
    MHD_stop_daemon (self->daemon);
  }
  if (self->listener >= 0)
    close (self->listener);
  close (self->wake);
  vigil_rest_connections_free (self->connections);
  vigil_rest_linger_free (self->linger);
  vigil_rest_access_free (self->access);
  vigil_rest_access_free (self->new_access);
  vigil_rest_tls_unref (self->tls);
  vigil_rest_tls_unref (self->new_tls);
  vigil_rest_tls_unref (self->first_tls);
  g_free (self);
}

gboolean
vigil_rest_server_reload_tokens (VigilRestServer *self, GError **error)
{
  const char *path = self->context.settings->tokens_file;
  VigilRestAccess *access;

  if (path == NULL)
    return TRUE;
  access = vigil_rest_access_load (path, error);
  if (access == NULL)
    return FALSE;
  vigil_rest_access_free (
      g_atomic_pointer_exchange (&self->new_access, access));
  wake_thread (self);
  return TRUE;
}

gboolean
vigil_rest_server_reload_certificates (VigilRestServer *self, GError **error)
{
  VigilRestTls *tls;

  if (!self->context.settings->use_tls)
    return TRUE;
  tls = vigil_rest_tls_load (self->context.settings, error);
  if (tls == NULL)
    return FALSE;
  vigil_rest_tls_unref (g_atomic_pointer_exchange (&self->new_tls, tls));
  wake_thread (self);
  return TRUE;
}

uint16_t
vigil_rest_server_get_port (const VigilRestServer *self)
{
  return self->context.port;
}
