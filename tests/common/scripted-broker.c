/* SPDX-License-Identifier: Apache-2.0 */

/* A broker that follows a script. One thread accepts, one thread serves
 * each connection; all state is under one lock. */

#include "common/scripted-broker.h"

#include "common/fixture.h"
#include "common/test-tls.h"
#include <errno.h>
#include <fcntl.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
  CONNECT = 1,
  PUBLISH = 3,
  PUBREL = 6,
  PINGREQ = 12,
  DISCONNECT = 14,
};

typedef struct {
  VigilScriptedBroker *broker;
  VigilScript script;
  unsigned number;
  int descriptor;
  int protocol;
  gboolean has_connack;
  unsigned published;
  unsigned unacknowledged;
  pthread_t thread;
  SSL *ssl;                 /* nullable: plain */
  pthread_mutex_t ssl_lock; /* OpenSSL takes one call at a time */
} Connection;

struct _VigilScriptedBroker {
  uint16_t port;
  int listener; /* accept thread; -1 while dead */
  pthread_t thread;

  pthread_mutex_t lock; /* all below */
  pthread_cond_t changed;
  VigilScript script;
  gboolean is_dead;
  GPtrArray *connections; /* element-type: Connection */
  GArray *accepts;        /* element-type: int64_t */
  GArray *records;        /* element-type: VigilRecord */
  GHashTable *received;   /* QoS 2 identifiers waiting for PUBREL */
  gboolean has_session;
  unsigned unacknowledged_max;
  char *violation;     /* nullable */
  GByteArray *connect; /* the last one */
};

/* ---- Bytes ----------------------------------------------------------------
 */

/* One call of OpenSSL, which waits outside the lock. Returns: as recv. */
static ssize_t
tls_call (
    Connection *self, int (*call) (SSL *, void *, int), void *data, size_t size)
{
  for (;;) {
    struct pollfd poller = {.fd = self->descriptor, .events = POLLIN};
    int result, code;

    pthread_mutex_lock (&self->ssl_lock);
    result = call (self->ssl, data, (int)size);
    code = SSL_get_error (self->ssl, result);
    pthread_mutex_unlock (&self->ssl_lock);
    if (result > 0)
      return result;
    if (code == SSL_ERROR_WANT_WRITE)
      poller.events = POLLOUT;
    else if (code != SSL_ERROR_WANT_READ)
      return -1;
    (void)poll (&poller, 1, -1);
  }
}

static int
call_accept (SSL *ssl, void *data, int size)
{
  return SSL_accept (ssl);
}

static int
call_write (SSL *ssl, void *data, int size)
{
  return SSL_write (ssl, data, size);
}

/* Returns: FALSE when the client does not come to terms. */
static gboolean
start_tls (Connection *self)
{
  if (!vigil_test_tls_is_on ())
    return TRUE;
  (void)fcntl (self->descriptor, F_SETFL, O_NONBLOCK);
  self->ssl = SSL_new (vigil_test_tls_get_server ());
  SSL_set_fd (self->ssl, self->descriptor);
  return tls_call (self, call_accept, NULL, 0) > 0;
}

static ssize_t
read_some (Connection *self, void *buffer, size_t size)
{
  if (self->ssl != NULL)
    return tls_call (self, SSL_read, buffer, size);
  return recv (self->descriptor, buffer, size, 0);
}

static ssize_t
write_some (Connection *self, const void *data, size_t size)
{
  if (self->ssl != NULL)
    return tls_call (self, call_write, (void *)data, size);
  return send (self->descriptor, data, size, MSG_NOSIGNAL);
}

static gboolean
read_all (Connection *self, void *buffer, size_t size)
{
  uint8_t *out = buffer;

  while (size > 0) {
    const ssize_t count = read_some (self, out, size);

    if (count < 0 && errno == EINTR)
      continue;
    if (count <= 0)
      return FALSE;
    out += count;
    size -= (size_t)count;
  }
  return TRUE;
}

static void
write_all (Connection *self, const void *data, size_t size)
{
  const uint8_t *in = data;

  while (size > 0) {
    const ssize_t count = write_some (self, in, size);

    if (count <= 0)
      return;
    in += count;
    size -= (size_t)count;
  }
}

static void
write_hex (Connection *self, const char *text)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();

  for (const char *at = text; at != NULL && at[0] != '\0'; at++) {
    uint8_t byte;

    if (at[0] == ' ')
      continue;
    g_assert_true (g_ascii_isxdigit (at[0]) && g_ascii_isxdigit (at[1]));
    byte = (uint8_t)(g_ascii_xdigit_value (at[0]) << 4 |
                     g_ascii_xdigit_value (at[1]));
    g_byte_array_append (bytes, &byte, 1);
    at++;
  }
  write_all (self, bytes->data, bytes->len);
}

/* The next close sends RST. */
static void
arm_reset (int descriptor)
{
  const struct linger linger = {.l_onoff = 1};

  setsockopt (descriptor, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
}

/* ---- What is remembered ---------------------------------------------------
 */

static void
blame (Connection *self, const char *what)
{
  VigilScriptedBroker *broker = self->broker;

  pthread_mutex_lock (&broker->lock);
  if (broker->violation == NULL)
    broker->violation =
        g_strdup_printf ("connection %u: %s", self->number, what);
  pthread_mutex_unlock (&broker->lock);
}

static void
record (Connection *self, VigilRecord *values)
{
  VigilScriptedBroker *broker = self->broker;

  values->time_us = g_get_monotonic_time ();
  values->connection = self->number;
  pthread_mutex_lock (&broker->lock);
  g_array_append_val (broker->records, *values);
  pthread_cond_broadcast (&broker->changed);
  pthread_mutex_unlock (&broker->lock);
}

/* ---- Packets --------------------------------------------------------------
 */

static void
write_acknowledgement (
    Connection *self, uint8_t type, uint16_t packet_id, uint8_t code)
{
  uint8_t packet[5] = {(uint8_t)(type << 4), 2, (uint8_t)(packet_id >> 8),
      (uint8_t)packet_id, code};

  if (code != 0 && self->protocol == 5)
    packet[1] = 3;
  write_all (self, packet, packet[1] + 2);
}

static void
write_connack (Connection *self, gboolean session_present)
{
  const VigilScript *script = &self->script;
  const char *properties =
      script->connack_properties != NULL ? script->connack_properties : "";
  g_autofree char *text = NULL;
  unsigned size = 0;

  for (const char *at = properties; *at != '\0'; at++)
    size += *at != ' ';
  size /= 2;
  if (self->protocol == 5)
    text = g_strdup_printf ("20 %02x %02x %02x %02x %s", size + 3,
        session_present, script->connack_code, size, properties);
  else
    text = g_strdup_printf (
        "20 02 %02x %02x", session_present, script->connack_code);
  write_hex (self, text);
}

/* Returns: FALSE when the connection is to end. */
static gboolean
on_connect (Connection *self, const uint8_t *body, size_t size)
{
  VigilScriptedBroker *broker = self->broker;
  const VigilScript *script = &self->script;
  const size_t name_size = size > 2 ? (size_t)body[0] << 8 | body[1] : 0;
  gboolean is_clean;
  gboolean session_present;

  if (self->protocol != 0 || size < name_size + 6) {
    blame (self, "a second CONNECT, or a short one");
    return FALSE;
  }
  self->protocol = body[2 + name_size];
  is_clean = (body[3 + name_size] & 0x02) != 0;
  pthread_mutex_lock (&broker->lock);
  session_present = script->keeps_session && broker->has_session && !is_clean;
  if (!session_present)
    g_hash_table_remove_all (broker->received);
  broker->has_session = script->keeps_session;
  pthread_mutex_unlock (&broker->lock);
  if (script->never_connacks)
    return TRUE;
  if (script->connack != NULL)
    write_hex (self, script->connack);
  else
    write_connack (self, session_present);
  self->has_connack = TRUE;
  write_hex (self, script->after_connack);
  return !script->closes_after_connack && script->connack_code == 0;
}

static void
acknowledge_publish (Connection *self, int qos, uint16_t packet_id)
{
  const VigilScript *script = &self->script;
  const uint8_t type = qos == 1 || script->pubacks_qos_2 ? 4 : 5;

  if (script->acknowledge_delay_ms > 0)
    g_usleep (script->acknowledge_delay_ms * 1000);
  if (type == 4 || script->acknowledge_code >= 0x80)
    self->unacknowledged--;
  write_acknowledgement (self, type, packet_id, script->acknowledge_code);
  if (script->acknowledges_twice)
    write_acknowledgement (self, type, packet_id, script->acknowledge_code);
}

static void
check_publish (Connection *self, const VigilRecord *values)
{
  const int qos = values->flags >> 1 & 3;

  if (!self->has_connack)
    blame (self, "PUBLISH before CONNACK");
  if (qos == 3)
    blame (self, "QoS 3");
  if (qos == 0 && (values->flags & 8) != 0)
    blame (self, "DUP with QoS 0");
  if (qos > 0 && values->packet_id == 0)
    blame (self, "packet identifier 0");
}

static gboolean
on_publish (Connection *self, uint8_t flags, const uint8_t *body, size_t size)
{
  VigilScriptedBroker *broker = self->broker;
  const VigilScript *script = &self->script;
  const int qos = flags >> 1 & 3;
  VigilRecord values = {.type = PUBLISH, .flags = flags, .was_new = TRUE};
  size_t at = 2 + ((size_t)body[0] << 8 | body[1]);
  char number[24] = "";

  if (qos > 0) {
    values.packet_id = (uint16_t)(body[at] << 8 | body[at + 1]);
    at += 2;
  }
  if (self->protocol == 5)
    at += 1u + body[at]; /* tests use less than 128 bytes of properties */
  if (at < size)
    memcpy (number, body + at, MIN (size - at, sizeof number - 1));
  values.sequence = g_ascii_strtoull (number, NULL, 10);
  values.size = size;
  check_publish (self, &values);
  if (qos > 0) {
    self->unacknowledged++;
    pthread_mutex_lock (&broker->lock);
    broker->unacknowledged_max =
        MAX (broker->unacknowledged_max, self->unacknowledged);
    if (qos == 2 && script->acknowledge_code < 0x80)
      values.was_new = g_hash_table_add (
          broker->received, GUINT_TO_POINTER (values.packet_id));
    pthread_mutex_unlock (&broker->lock);
  }
  /* remembered before it is acknowledged */
  record (self, &values);
  self->published++;
  if (script->closes_after > 0 && self->published >= script->closes_after)
    return FALSE;
  write_hex (self, script->on_publish);
  if (qos > 0 && !script->never_acknowledges)
    acknowledge_publish (self, qos, values.packet_id);
  return TRUE;
}

static void
on_pubrel (Connection *self, const uint8_t *body)
{
  VigilScriptedBroker *broker = self->broker;
  VigilRecord values = {.type = PUBREL,
      .flags = 2,
      .packet_id = (uint16_t)(body[0] << 8 | body[1])};
  gboolean was_known;

  pthread_mutex_lock (&broker->lock);
  was_known = g_hash_table_remove (
      broker->received, GUINT_TO_POINTER (values.packet_id));
  pthread_mutex_unlock (&broker->lock);
  record (self, &values);
  if (was_known && self->unacknowledged > 0)
    self->unacknowledged--;
  if (!self->script.never_pubcomps)
    write_acknowledgement (self, 7, values.packet_id, 0);
}

static gboolean
on_packet (Connection *self, uint8_t first, const uint8_t *body, size_t size)
{
  VigilScriptedBroker *broker = self->broker;
  const uint8_t type = first >> 4;
  VigilRecord values = {.type = type, .flags = first & 15, .size = size};

  if (type == PUBLISH)
    return on_publish (self, first & 15, body, size);
  if (type == PUBREL) {
    on_pubrel (self, body);
    return TRUE;
  }
  if (type == CONNECT) {
    pthread_mutex_lock (&broker->lock);
    g_byte_array_set_size (broker->connect, 0);
    g_byte_array_append (broker->connect, body, (unsigned)size);
    pthread_mutex_unlock (&broker->lock);
  }
  record (self, &values);
  switch (type) {
  case CONNECT:
    return on_connect (self, body, size);
  case PINGREQ:
    if (!self->script.never_pingresps)
      write_hex (self, "d0 00");
    return TRUE;
  case DISCONNECT:
    return FALSE;
  default:
    blame (self, "a packet that no publisher sends");
    return FALSE;
  }
}

static gboolean
read_length (Connection *self, size_t *ret_size)
{
  *ret_size = 0;
  for (unsigned shift = 0; shift < 28; shift += 7) {
    uint8_t byte;

    if (!read_all (self, &byte, 1))
      return FALSE;
    *ret_size |= (size_t)(byte & 0x7f) << shift;
    if ((byte & 0x80) == 0)
      return TRUE;
  }
  blame (self, "a remaining length of more than four bytes");
  return FALSE;
}

static gboolean
serve_packet (Connection *self)
{
  const VigilScript *script = &self->script;
  g_autofree uint8_t *body = NULL;
  uint8_t first;
  size_t size;

  if (!read_all (self, &first, 1) || !read_length (self, &size))
    return FALSE;
  if (script->resets_in_publish && first >> 4 == PUBLISH) {
    arm_reset (self->descriptor);
    return FALSE;
  }
  if (script->maximum_packet > 0 && size > script->maximum_packet)
    return FALSE;
  body = g_malloc (size + 1);
  if (!read_all (self, body, size))
    return FALSE;
  return on_packet (self, first, body, size);
}

static void
serve_script (Connection *self)
{
  const VigilScript *script = &self->script;
  uint8_t byte;

  if (script->resets_at_accept)
    arm_reset (self->descriptor);
  if (script->closes_at_accept || script->resets_at_accept)
    return;
  if (!script->is_deaf && !start_tls (self))
    return;
  write_hex (self, script->greeting);
  if (script->is_deaf) {
    /* until the client or free ends it; peeking leaves all unread */
    while (recv (self->descriptor, &byte, 1, MSG_PEEK) > 0) {
      struct pollfd poller = {
          .fd = self->descriptor, .events = POLLRDHUP | POLLHUP};

      if (poll (&poller, 1, 100) > 0)
        return;
    }
    return;
  }
  while (serve_packet (self))
    continue;
}

/* ---- Connections ----------------------------------------------------------
 */

static void *
serve (void *data)
{
  Connection *self = data;
  VigilScriptedBroker *broker = self->broker;

  serve_script (self);
  pthread_mutex_lock (&broker->lock);
  g_clear_pointer (&self->ssl, SSL_free);
  close (self->descriptor);
  self->descriptor = -1;
  pthread_mutex_unlock (&broker->lock);
  return NULL;
}

static void
accept_one (VigilScriptedBroker *self)
{
  const int descriptor = accept4 (self->listener, NULL, NULL, SOCK_CLOEXEC);
  const int64_t now_us = g_get_monotonic_time ();
  Connection *connection;

  if (descriptor < 0)
    return;
  connection = g_new0 (Connection, 1);
  connection->broker = self;
  pthread_mutex_init (&connection->ssl_lock, NULL);
  connection->descriptor = descriptor;
  pthread_mutex_lock (&self->lock);
  g_array_append_val (self->accepts, now_us);
  connection->number = self->accepts->len;
  connection->script = self->script;
  g_ptr_array_add (self->connections, connection);
  pthread_cond_broadcast (&self->changed);
  g_assert_cmpint (
      pthread_create (&connection->thread, NULL, serve, connection), ==, 0);
  pthread_mutex_unlock (&self->lock);
}

static void *
run (void *data)
{
  VigilScriptedBroker *self = data;

  for (;;) {
    struct pollfd poller = {.fd = self->listener, .events = POLLIN};
    gboolean is_dead;

    (void)poll (&poller, 1, 20);
    pthread_mutex_lock (&self->lock);
    is_dead = self->is_dead;
    pthread_mutex_unlock (&self->lock);
    if (is_dead)
      return NULL;
    if ((poller.revents & POLLIN) != 0)
      accept_one (self);
  }
}

static void
listen_again (VigilScriptedBroker *self)
{
  self->is_dead = FALSE;
  self->listener = vigil_fixture_listen (&self->port);
  g_assert_cmpint (self->listener, >=, 0);
  g_assert_cmpint (pthread_create (&self->thread, NULL, run, self), ==, 0);
}

VigilScriptedBroker *
vigil_scripted_broker_new (uint16_t port, const VigilScript *script)
{
  VigilScriptedBroker *self = g_new0 (VigilScriptedBroker, 1);
  pthread_condattr_t attributes;

  self->port = port;
  self->script = *script;
  pthread_mutex_init (&self->lock, NULL);
  pthread_condattr_init (&attributes);
  pthread_condattr_setclock (&attributes, CLOCK_MONOTONIC);
  pthread_cond_init (&self->changed, &attributes);
  pthread_condattr_destroy (&attributes);
  self->connections = g_ptr_array_new_with_free_func (g_free);
  self->accepts = g_array_new (FALSE, FALSE, sizeof (int64_t));
  self->records = g_array_new (FALSE, FALSE, sizeof (VigilRecord));
  self->received = g_hash_table_new (NULL, NULL);
  self->connect = g_byte_array_new ();
  listen_again (self);
  return self;
}

static void
end_connections (VigilScriptedBroker *self)
{
  pthread_mutex_lock (&self->lock);
  for (unsigned i = 0; i < self->connections->len; i++) {
    const Connection *connection = self->connections->pdata[i];

    if (connection->descriptor >= 0) {
      arm_reset (connection->descriptor);
      shutdown (connection->descriptor, SHUT_RD);
    }
  }
  pthread_mutex_unlock (&self->lock);
  for (unsigned i = 0; i < self->connections->len; i++)
    pthread_join (((Connection *)self->connections->pdata[i])->thread, NULL);
  g_ptr_array_set_size (self->connections, 0);
}

void
vigil_scripted_broker_kill (VigilScriptedBroker *self)
{
  pthread_mutex_lock (&self->lock);
  self->is_dead = TRUE;
  pthread_mutex_unlock (&self->lock);
  if (self->listener >= 0) {
    pthread_join (self->thread, NULL);
    close (self->listener);
  }
  self->listener = -1;
  end_connections (self);
}

void
vigil_scripted_broker_revive (VigilScriptedBroker *self)
{
  listen_again (self);
}

void
vigil_scripted_broker_free (VigilScriptedBroker *self)
{
  if (self == NULL)
    return;
  vigil_scripted_broker_kill (self);
  g_ptr_array_unref (self->connections);
  g_array_unref (self->accepts);
  g_array_unref (self->records);
  g_hash_table_unref (self->received);
  g_byte_array_unref (self->connect);
  g_free (self->violation);
  pthread_cond_destroy (&self->changed);
  pthread_mutex_destroy (&self->lock);
  g_free (self);
}

/* ---- What tests call ------------------------------------------------------
 */

uint16_t
vigil_scripted_broker_get_port (const VigilScriptedBroker *self)
{
  return self->port;
}

void
vigil_scripted_broker_set_script (
    VigilScriptedBroker *self, const VigilScript *script)
{
  pthread_mutex_lock (&self->lock);
  self->script = *script;
  pthread_mutex_unlock (&self->lock);
}

/* Under lock. Returns: (nullable): the newest one that is open. */
static Connection *
present_connection (VigilScriptedBroker *self)
{
  for (unsigned i = self->connections->len; i > 0; i--) {
    Connection *connection = self->connections->pdata[i - 1];

    if (connection->descriptor >= 0)
      return connection;
  }
  return NULL;
}

void
vigil_scripted_broker_say (VigilScriptedBroker *self, const char *bytes)
{
  Connection *connection;

  pthread_mutex_lock (&self->lock);
  connection = present_connection (self);
  g_assert_nonnull (connection);
  write_hex (connection, bytes);
  pthread_mutex_unlock (&self->lock);
}

void
vigil_scripted_broker_hang_up (VigilScriptedBroker *self)
{
  Connection *connection;

  pthread_mutex_lock (&self->lock);
  connection = present_connection (self);
  g_assert_nonnull (connection);
  shutdown (connection->descriptor, SHUT_RDWR);
  pthread_mutex_unlock (&self->lock);
}

/* Under lock. */
static unsigned
count_records (const VigilScriptedBroker *self, uint8_t type)
{
  unsigned count = 0;

  if (type == 0)
    return self->accepts->len;
  for (unsigned i = 0; i < self->records->len; i++)
    count += g_array_index (self->records, VigilRecord, i).type == type;
  return count;
}

unsigned
vigil_scripted_broker_count (VigilScriptedBroker *self, uint8_t type)
{
  unsigned count;

  pthread_mutex_lock (&self->lock);
  count = count_records (self, type);
  pthread_mutex_unlock (&self->lock);
  return count;
}

gboolean
vigil_scripted_broker_wait (VigilScriptedBroker *self, uint8_t type,
    unsigned count, unsigned milliseconds)
{
  const int64_t deadline_us = vigil_fixture_deadline (milliseconds);
  const struct timespec until = {.tv_sec = deadline_us / G_USEC_PER_SEC,
      .tv_nsec = deadline_us % G_USEC_PER_SEC * 1000};
  gboolean has_come;

  pthread_mutex_lock (&self->lock);
  while (!(has_come = count_records (self, type) >= count))
    if (pthread_cond_timedwait (&self->changed, &self->lock, &until) != 0)
      break;
  has_come = count_records (self, type) >= count;
  pthread_mutex_unlock (&self->lock);
  return has_come;
}

GArray *
vigil_scripted_broker_dup_records (VigilScriptedBroker *self)
{
  GArray *records;

  pthread_mutex_lock (&self->lock);
  records = g_array_copy (self->records);
  pthread_mutex_unlock (&self->lock);
  return records;
}

int64_t
vigil_scripted_broker_get_accept_us (VigilScriptedBroker *self, unsigned number)
{
  int64_t time_us;

  pthread_mutex_lock (&self->lock);
  g_assert_cmpuint (number, >=, 1);
  g_assert_cmpuint (number, <=, self->accepts->len);
  time_us = g_array_index (self->accepts, int64_t, number - 1);
  pthread_mutex_unlock (&self->lock);
  return time_us;
}

unsigned
vigil_scripted_broker_get_unacknowledged_max (VigilScriptedBroker *self)
{
  unsigned count;

  pthread_mutex_lock (&self->lock);
  count = self->unacknowledged_max;
  pthread_mutex_unlock (&self->lock);
  return count;
}

char *
vigil_scripted_broker_dup_violation (VigilScriptedBroker *self)
{
  char *violation;

  pthread_mutex_lock (&self->lock);
  violation = g_strdup (self->violation);
  pthread_mutex_unlock (&self->lock);
  return violation;
}

GBytes *
vigil_scripted_broker_dup_connect (VigilScriptedBroker *self)
{
  GBytes *connect;

  pthread_mutex_lock (&self->lock);
  connect = g_bytes_new (self->connect->data, self->connect->len);
  pthread_mutex_unlock (&self->lock);
  return connect;
}
