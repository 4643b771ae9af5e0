/* SPDX-License-Identifier: Apache-2.0 */
/* The publishers of `interfaces`, and their sockets in one ZeroMQ context. */
#include "publish/eis-bus.h"

#include "base/error.h"
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <zmq.h>

struct _VigilEisBus {
  GPtrArray *publishers; /* element-type: VigilEisSettings */
  pthread_mutex_t lock;  /* protects what follows */
  void *zmq_context;     /* NULL until the first socket */
  VigilEisZap *zap;      /* NULL until a socket with keys */
  GHashTable *sockets;   /* char *endpoint -> VigilEisSocket */
};

static const VigilSchemaKey interface_keys[] = {
    {.name = "Publishers",
        .type = VIGIL_SCHEMA_ARRAY,
        .help = "Endpoints of the EIS Message Bus that are published at."},
    {.name = "Subscribers",
        .ignored = "has no effect: vigil does not subscribe"},
    {.name = "Servers",
        .ignored = "has no effect: vigil serves no requests "
                   "over the message bus"},
    {.name = "Clients",
        .ignored = "has no effect: the bus that is configured here (gRPC) is "
                   "not public; use Publishers"},
    {.name = NULL},
};

static void
free_settings (void *settings)
{
  vigil_eis_settings_free (settings);
}

static gboolean
are_same_clients (const char *const *one, const char *const *other)
{
  return one == other ||
         (one != NULL && other != NULL && g_strv_equal (one, other));
}

/* Two entries may share an endpoint, and so the socket, but not be of two
 * minds about it. */
static void
check_twins (const VigilEisBus *self, const VigilEisSettings *settings,
    const char *path, VigilProblems *problems)
{
  for (unsigned i = 0; i < self->publishers->len; i++) {
    const VigilEisSettings *other = self->publishers->pdata[i];

    if (strcmp (other->name, settings->name) == 0)
      vigil_problems_add (problems, VIGIL_PROBLEM_ERROR, path,
          "'%s' is the Name of another publisher: want one of its own",
          settings->name);
    if (strcmp (other->endpoint, settings->endpoint) == 0 &&
        (other->is_brokered != settings->is_brokered ||
            other->is_secured != settings->is_secured ||
            strcmp (other->secret_key, settings->secret_key) != 0 ||
            !are_same_clients ((const char *const *)other->allowed,
                (const char *const *)settings->allowed)))
      vigil_problems_add (problems, VIGIL_PROBLEM_ERROR, path,
          "'%s' and '%s' share an endpoint: want the same keys, clients "
          "and `brokered` in both",
          other->name, settings->name);
  }
}

static void
read_publishers (VigilEisBus *self, const VigilJson *interfaces,
    const VigilEnvironment *environment, const char *config_folder,
    VigilProblems *problems)
{
  const VigilJson *list = vigil_json_object_get (interfaces, "Publishers");

  for (size_t i = 0; i < vigil_json_array_size (list); i++) {
    g_autofree char *path = g_strdup_printf ("interfaces.Publishers[%zu]", i);
    VigilEisSettings *settings =
        vigil_eis_settings_new (vigil_json_array_get (list, i), path,
            environment, config_folder, problems);

    if (settings == NULL)
      continue;
    check_twins (self, settings, path, problems);
    g_ptr_array_add (self->publishers, settings);
  }
}

VigilEisBus *
vigil_eis_bus_new (const VigilJson *interfaces,
    const VigilEnvironment *environment, const char *config_folder,
    VigilProblems *problems)
{
  VigilEisBus *self = g_new0 (VigilEisBus, 1);

  g_return_val_if_fail (problems != NULL, NULL);

  self->publishers = g_ptr_array_new_with_free_func (free_settings);
  self->sockets = g_hash_table_new (g_str_hash, g_str_equal);
  pthread_mutex_init (&self->lock, NULL);
  if (interfaces != NULL) {
    vigil_schema_check (interface_keys, interfaces, "interfaces", problems);
    read_publishers (self, interfaces, environment, config_folder, problems);
  }
  return self;
}

void
vigil_eis_bus_free (VigilEisBus *self, int linger_ms)
{
  GHashTableIter iter;
  void *socket;

  if (self == NULL)
    return;
  g_hash_table_iter_init (&iter, self->sockets);
  while (g_hash_table_iter_next (&iter, NULL, &socket))
    vigil_eis_socket_free (socket, linger_ms);
  g_hash_table_unref (self->sockets);
  if (self->zmq_context != NULL) {
    zmq_ctx_shutdown (self->zmq_context);
    vigil_eis_zap_free (self->zap);
    while (zmq_ctx_term (self->zmq_context) != 0 && errno == EINTR)
      continue;
  }
  g_ptr_array_unref (self->publishers);
  pthread_mutex_destroy (&self->lock);
  g_free (self);
}

const VigilEisSettings *
vigil_eis_bus_find (const VigilEisBus *self, const char *name)
{
  if (self == NULL)
    return NULL;
  for (unsigned i = 0; i < self->publishers->len; i++) {
    const VigilEisSettings *settings = self->publishers->pdata[i];

    if (name == NULL || strcmp (settings->name, name) == 0)
      return settings;
  }
  return NULL;
}

char *
vigil_eis_bus_dup_names (const VigilEisBus *self)
{
  GString *names = g_string_new (NULL);

  for (unsigned i = 0; self != NULL && i < self->publishers->len; i++) {
    const VigilEisSettings *settings = self->publishers->pdata[i];

    g_string_append_printf (names, "%s%s", i > 0 ? ", " : "", settings->name);
  }
  return g_string_free (names, FALSE);
}

/* What a socket needs: the context, and with keys the handler. */
static gboolean
prepare_context (
    VigilEisBus *self, const VigilEisSettings *settings, GError **error)
{
  if (self->zmq_context == NULL) {
    self->zmq_context = zmq_ctx_new ();
    if (self->zmq_context == NULL) {
      g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_FAILED,
          "no ZeroMQ context: %s", zmq_strerror (errno));
      return FALSE;
    }
  }
  if (settings->is_secured && !settings->is_brokered && self->zap == NULL)
    self->zap = vigil_eis_zap_new (self->zmq_context, error);
  return !settings->is_secured || settings->is_brokered || self->zap != NULL;
}

VigilEisSocket *
vigil_eis_bus_get_socket (
    VigilEisBus *self, const VigilEisSettings *settings, GError **error)
{
  VigilEisSocket *socket;

  g_return_val_if_fail (self != NULL && settings != NULL, NULL);

  pthread_mutex_lock (&self->lock);
  socket = g_hash_table_lookup (self->sockets, settings->endpoint);
  if (socket == NULL && prepare_context (self, settings, error)) {
    socket = vigil_eis_socket_new (self->zmq_context, self->zap, settings);
    g_hash_table_insert (self->sockets, settings->endpoint, socket);
  }
  pthread_mutex_unlock (&self->lock);
  return socket;
}
