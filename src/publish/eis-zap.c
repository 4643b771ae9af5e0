/* SPDX-License-Identifier: Apache-2.0 */
/* The authentication handler of one ZeroMQ context. */
#include "publish/eis-zap.h"

#include "base/error.h"
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <zmq.h>

#define ENDPOINT "inproc://zeromq.zap.01"
/* RFC 27: version, request id, domain, address, identity, mechanism, and
 * for CURVE the client's public key. */
enum { FRAME_ID = 1, FRAME_DOMAIN = 2, FRAME_MECHANISM = 5, FRAME_KEY = 6 };
enum { FRAMES = 7, FRAME_BYTES_MAX = 256 };
enum { KEY_BYTES = 32, KEY_SIZE = 41 };

struct _VigilEisZap {
  void *socket; /* of the thread */
  pthread_t thread;
  pthread_mutex_t lock; /* protects domains */
  /* char *domain -> GStrv; "*" first: everybody */
  GHashTable *domains;
};

typedef struct {
  char bytes[FRAMES][FRAME_BYTES_MAX];
  int sizes[FRAMES];
  unsigned count;
} Request;

static void
free_keys (void *keys)
{
  g_strfreev (keys);
}

void
vigil_eis_zap_allow (
    VigilEisZap *self, const char *domain, const char *const *keys)
{
  static const char *const everybody[] = {"*", NULL};

  g_return_if_fail (self != NULL && domain != NULL);

  pthread_mutex_lock (&self->lock);
  g_hash_table_replace (self->domains, g_strdup (domain),
      g_strdupv ((char **)(keys != NULL ? keys : everybody)));
  pthread_mutex_unlock (&self->lock);
}

static gboolean
is_allowed (VigilEisZap *self, const Request *request)
{
  char domain[FRAME_BYTES_MAX + 1] = "";
  char key[KEY_SIZE];
  const char *const *keys;
  gboolean is_listed;

  if (request->count != FRAMES ||
      request->sizes[FRAME_MECHANISM] != (int)strlen ("CURVE") ||
      memcmp (request->bytes[FRAME_MECHANISM], "CURVE", strlen ("CURVE")) !=
          0 ||
      request->sizes[FRAME_KEY] != KEY_BYTES)
    return FALSE;
  memcpy (domain, request->bytes[FRAME_DOMAIN],
      (size_t)request->sizes[FRAME_DOMAIN]);
  zmq_z85_encode (key, (const uint8_t *)request->bytes[FRAME_KEY], KEY_BYTES);
  pthread_mutex_lock (&self->lock);
  keys = g_hash_table_lookup (self->domains, domain);
  is_listed = keys != NULL &&
              (g_strv_contains (keys, key) || g_strcmp0 (keys[0], "*") == 0);
  pthread_mutex_unlock (&self->lock);
  return is_listed;
}

/* Returns: FALSE when the context ends. What is too long, in number or
 * size, is no request of libzmq and is not allowed in. */
static gboolean
read_request (VigilEisZap *self, Request *request)
{
  int more = 1;
  size_t more_size = sizeof (more);

  request->count = 0;
  while (more != 0) {
    const unsigned slot = MIN (request->count, FRAMES - 1);
    const int size =
        zmq_recv (self->socket, request->bytes[slot], FRAME_BYTES_MAX, 0);

    if (size < 0 && errno == EINTR)
      continue;
    if (size < 0)
      return FALSE;
    request->sizes[slot] = MIN (size, FRAME_BYTES_MAX);
    request->count++;
    if (zmq_getsockopt (self->socket, ZMQ_RCVMORE, &more, &more_size) != 0)
      return FALSE;
  }
  return TRUE;
}

static void
answer (VigilEisZap *self, const Request *request)
{
  const gboolean allowed = is_allowed (self, request);
  const char *status = allowed ? "200" : "400";
  const char *text = allowed ? "OK" : "not an allowed client";

  zmq_send (self->socket, "1.0", 3, ZMQ_SNDMORE);
  zmq_send (self->socket, request->bytes[FRAME_ID],
      request->count > FRAME_ID ? (size_t)request->sizes[FRAME_ID] : 0,
      ZMQ_SNDMORE);
  zmq_send (self->socket, status, strlen (status), ZMQ_SNDMORE);
  zmq_send (self->socket, text, strlen (text), ZMQ_SNDMORE);
  zmq_send (self->socket, "", 0, ZMQ_SNDMORE);
  zmq_send (self->socket, "", 0, 0);
}

static void *
run (void *data)
{
  VigilEisZap *self = data;
  Request request;

  while (read_request (self, &request))
    answer (self, &request);
  zmq_close (self->socket);
  return NULL;
}

static gboolean
start (VigilEisZap *self, void *zmq_context)
{
  const int linger = 0;

  self->socket = zmq_socket (zmq_context, ZMQ_REP);
  if (self->socket == NULL)
    return FALSE;
  zmq_setsockopt (self->socket, ZMQ_LINGER, &linger, sizeof (linger));
  if (zmq_bind (self->socket, ENDPOINT) != 0)
    return FALSE;
  errno = pthread_create (&self->thread, NULL, run, self);
  if (errno != 0)
    return FALSE;
  pthread_setname_np (self->thread, "vigil-eis-zap");
  return TRUE;
}

VigilEisZap *
vigil_eis_zap_new (void *zmq_context, GError **error)
{
  VigilEisZap *self = g_new0 (VigilEisZap, 1);

  pthread_mutex_init (&self->lock, NULL);
  self->domains =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, free_keys);
  if (start (self, zmq_context))
    return self;
  g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_FAILED,
      "no handler for the keys of subscribers: %s", zmq_strerror (errno));
  if (self->socket != NULL)
    zmq_close (self->socket);
  g_hash_table_unref (self->domains);
  pthread_mutex_destroy (&self->lock);
  g_free (self);
  return NULL;
}

void
vigil_eis_zap_free (VigilEisZap *self)
{
  if (self == NULL)
    return;
  pthread_join (self->thread, NULL);
  g_hash_table_unref (self->domains);
  pthread_mutex_destroy (&self->lock);
  g_free (self);
}
