/* SPDX-License-Identifier: Apache-2.0 */
/* Absolute deadlines of connections. */
#include "rest/rest-connections.h"

struct _VigilRestConnection {
  int socket;
  VigilRestConnectionsPhase phase;
  int64_t deadline_us; /* -1: none */
  GList link;          /* data: the connection */
};

struct _VigilRestConnections {
  VigilRestConnectionsLimits limits;
  GQueue connections; /* of VigilRestConnection; oldest phase first */
};

VigilRestConnections *
vigil_rest_connections_new (const VigilRestConnectionsLimits *limits)
{
  VigilRestConnections *self = g_new0 (VigilRestConnections, 1);

  self->limits = *limits;
  g_queue_init (&self->connections);
  return self;
}

void
vigil_rest_connections_free (VigilRestConnections *self)
{
  if (self == NULL)
    return;
  while (!g_queue_is_empty (&self->connections))
    g_free (g_queue_pop_head_link (&self->connections)->data);
  g_free (self);
}

static void
give_up (VigilRestConnections *self, VigilRestConnection *connection)
{
  VigilRestConnectionsPhase phase = connection->phase;

  connection->phase = VIGIL_REST_CONNECTIONS_CLOSED;
  connection->deadline_us = -1;
  self->limits.give_up (connection->socket, phase, self->limits.user_data);
}

/* Whatever it is that we wait for: if those who wait for their headers went
 * first, a crowd that sends no bodies would push out honest newcomers. */
static void
make_room (VigilRestConnections *self)
{
  for (GList *link = self->connections.head; link != NULL; link = link->next) {
    VigilRestConnection *connection = link->data;

    if (connection->deadline_us >= 0) {
      give_up (self, connection);
      return;
    }
  }
}

VigilRestConnection *
vigil_rest_connections_add (
    VigilRestConnections *self, int socket, int64_t now_us)
{
  VigilRestConnection *connection = g_new0 (VigilRestConnection, 1);

  if (self->connections.length >= self->limits.connections_max)
    make_room (self);
  connection->socket = socket;
  connection->link.data = connection;
  g_queue_push_tail_link (&self->connections, &connection->link);
  vigil_rest_connections_set_phase (
      self, connection, VIGIL_REST_CONNECTIONS_HEADERS, now_us);
  return connection;
}

void
vigil_rest_connections_remove (
    VigilRestConnections *self, VigilRestConnection *connection)
{
  g_queue_unlink (&self->connections, &connection->link);
  g_free (connection);
}

static int64_t
get_limit (
    const VigilRestConnectionsLimits *limits, VigilRestConnectionsPhase phase)
{
  switch (phase) {
  case VIGIL_REST_CONNECTIONS_HEADERS:
    return limits->header_us;
  case VIGIL_REST_CONNECTIONS_BODY:
    return limits->body_us;
  case VIGIL_REST_CONNECTIONS_ANSWER:
    return limits->answer_us;
  case VIGIL_REST_CONNECTIONS_HANDLING:
  case VIGIL_REST_CONNECTIONS_CLOSED:
    return -1;
  }
  return -1;
}

void
vigil_rest_connections_set_phase (VigilRestConnections *self,
    VigilRestConnection *connection, VigilRestConnectionsPhase phase,
    int64_t now_us)
{
  int64_t limit = get_limit (&self->limits, phase);

  if (connection->phase == VIGIL_REST_CONNECTIONS_CLOSED)
    return;
  connection->phase = phase;
  connection->deadline_us = limit < 0 ? -1 : now_us + limit;
  g_queue_unlink (&self->connections, &connection->link);
  g_queue_push_tail_link (&self->connections, &connection->link);
}

int64_t
vigil_rest_connections_expire (VigilRestConnections *self, int64_t now_us)
{
  int64_t next_us = -1;

  for (GList *link = self->connections.head; link != NULL; link = link->next) {
    VigilRestConnection *connection = link->data;

    if (connection->deadline_us < 0)
      continue;
    if (connection->deadline_us <= now_us)
      give_up (self, connection);
    else if (next_us < 0 || connection->deadline_us < next_us)
      next_us = connection->deadline_us;
  }
  return next_us;
}

unsigned
vigil_rest_connections_get_size (const VigilRestConnections *self)
{
  return self->connections.length;
}
