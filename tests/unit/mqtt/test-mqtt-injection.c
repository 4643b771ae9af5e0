/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Every system call and every allocation whose size a peer decides fails
 * once, one after the other: the client lives, every message ends, counts
 * stay right, and stop returns. The linker puts the functions below in
 * place of the real ones; they fail only in threads of the client under
 * test.
 */

#include "common/client-rig.h"
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define MESSAGES 3

typedef enum {
  CALL_SOCKET,
  CALL_CONNECT,
  CALL_SETSOCKOPT,
  CALL_GETSOCKOPT,
  CALL_PPOLL,
  CALL_RECV,
  CALL_SENDMSG,
  CALL_READ,
  CALL_WRITE,
  CALL_EVENTFD,
  CALL_PTHREAD_CREATE,
  CALL_GETADDRINFO,
  CALL_REALLOC,
  CALLS,
} Call;

/* What each may fail with. */
static const struct {
  const char *name;
  int codes[5];
} calls[CALLS] = {
    [CALL_SOCKET] = {"socket", {EMFILE, ENOMEM}},
    [CALL_CONNECT] = {"connect",
        {ECONNREFUSED, ENETUNREACH, EADDRNOTAVAIL, ETIMEDOUT, EINTR}},
    [CALL_SETSOCKOPT] = {"setsockopt", {ENOPROTOOPT}},
    [CALL_GETSOCKOPT] = {"getsockopt", {ENOBUFS}},
    [CALL_PPOLL] = {"ppoll", {EINTR, ENOMEM}},
    [CALL_RECV] = {"recv", {ECONNRESET, EINTR, ENOMEM}},
    [CALL_SENDMSG] = {"sendmsg", {EPIPE, ECONNRESET, ENOBUFS, EINTR}},
    [CALL_READ] = {"read", {EAGAIN}},
    [CALL_WRITE] = {"write", {EAGAIN}},
    [CALL_EVENTFD] = {"eventfd", {EMFILE}},
    [CALL_PTHREAD_CREATE] = {"pthread_create", {EAGAIN}},
    [CALL_GETADDRINFO] = {"getaddrinfo", {EAI_MEMORY, EAI_AGAIN}},
    [CALL_REALLOC] = {"realloc", {ENOMEM}},
};

/* One client's calls: how often each came, and which is to fail. */
typedef struct {
  _Atomic unsigned counts[CALLS];
  Call failing;
  unsigned number; /* 1 for the first; 0: none fails */
  int code;
} Plan;

static _Thread_local Plan *plan; /* NULL: a thread of somebody else */

static gboolean
fails (Call call)
{
  if (plan == NULL)
    return FALSE;
  if (++plan->counts[call] != plan->number || plan->failing != call)
    return FALSE;
  errno = plan->code;
  return TRUE;
}

/* ---- In place of the real ones ---------------------------------------------
 */

#define WRAP(type, name, parameters, arguments, call, failure)                 \
  type __real_##name parameters;                                               \
  type __wrap_##name parameters;                                               \
  type __wrap_##name parameters                                                \
  {                                                                            \
    return fails (call) ? (failure) : __real_##name arguments;                 \
  }

WRAP (int, socket, (int domain, int type, int protocol),
    (domain, type, protocol), CALL_SOCKET, -1)
WRAP (int, connect,
    (int descriptor, const struct sockaddr *address, socklen_t size),
    (descriptor, address, size), CALL_CONNECT, -1)
WRAP (int, setsockopt,
    (int descriptor, int level, int name, const void *value, socklen_t size),
    (descriptor, level, name, value, size), CALL_SETSOCKOPT, -1)
WRAP (int, getsockopt,
    (int descriptor, int level, int name, void *value, socklen_t *size),
    (descriptor, level, name, value, size), CALL_GETSOCKOPT, -1)
WRAP (int, ppoll,
    (struct pollfd * pollers, nfds_t size, const struct timespec *timeout,
        const sigset_t *mask),
    (pollers, size, timeout, mask), CALL_PPOLL, -1)
WRAP (ssize_t, recv, (int descriptor, void *buffer, size_t size, int flags),
    (descriptor, buffer, size, flags), CALL_RECV, -1)
WRAP (ssize_t, sendmsg,
    (int descriptor, const struct msghdr *message, int flags),
    (descriptor, message, flags), CALL_SENDMSG, -1)
WRAP (ssize_t, read, (int descriptor, void *buffer, size_t size),
    (descriptor, buffer, size), CALL_READ, -1)
WRAP (ssize_t, write, (int descriptor, const void *buffer, size_t size),
    (descriptor, buffer, size), CALL_WRITE, -1)
WRAP (
    int, eventfd, (unsigned value, int flags), (value, flags), CALL_EVENTFD, -1)
WRAP (int, getaddrinfo,
    (const char *node, const char *service, const struct addrinfo *hints,
        struct addrinfo **result),
    (node, service, hints, result), CALL_GETADDRINFO, plan->code)
WRAP (void *, g_try_realloc, (void *memory, size_t size), (memory, size),
    CALL_REALLOC, NULL)

/* Threads inherit the plan of their maker. */
typedef struct {
  void *(*run) (void *data);
  void *data;
  Plan *plan;
} Start;

static void *
run_with_plan (void *data)
{
  Start *start = data;
  void *(*run) (void *data) = start->run;
  void *argument = start->data;

  plan = start->plan;
  g_free (start);
  return run (argument);
}

int __real_pthread_create (pthread_t *thread, const pthread_attr_t *attributes,
    void *(*run) (void *data), void *data);
int __wrap_pthread_create (pthread_t *thread, const pthread_attr_t *attributes,
    void *(*run) (void *data), void *data);
int
__wrap_pthread_create (pthread_t *thread, const pthread_attr_t *attributes,
    void *(*run) (void *data), void *data)
{
  Start *start;
  int code;

  if (fails (CALL_PTHREAD_CREATE))
    return plan->code;
  start = g_new (Start, 1);
  *start = (Start){run, data, plan};
  code = __real_pthread_create (thread, attributes, run_with_plan, start);
  if (code != 0)
    g_free (start);
  return code;
}

/* ---- One life of a client ---------------------------------------------------
 */

/*
 * A name to look up, a connection, messages, a loss, a reconnect, stop; the
 * planned call fails somewhere. Returns: FALSE when the client could not be
 * made or started, which is an answer too.
 */
static gboolean
live (VigilClientRig *self, Plan *the_plan)
{
  g_autoptr (VigilScriptedBroker) broker =
      vigil_scripted_broker_new (0, &(VigilScript){0});
  const uint16_t port = vigil_scripted_broker_get_port (broker);
  const VigilMqttHost hosts[] = {
      {"localhost", 1},
      {vigil_fixture_get_address (), port},
  };
  const VigilMqttOptions options = {.name = "test",
      .hosts = hosts,
      .hosts_size = 2,
      .qos = 1,
      .offline_queue = TRUE, /* the first attempt may end before we send */
      .attempt_timeout_ms = 1000};
  g_autoptr (GError) error = NULL;
  g_autoptr (VigilMqttClient) client = NULL;
  VigilMqttStatus status;

  plan = the_plan;
  client = vigil_mqtt_client_new (&options, &error);
  if (client == NULL || !vigil_mqtt_client_start (client, &error)) {
    plan = NULL;
    g_assert_nonnull (error);
    return FALSE;
  }
  for (unsigned i = 0; i < MESSAGES; i++)
    vigil_client_rig_send_number (client, i);
  plan = NULL;
  g_assert_true (vigil_scripted_broker_wait (broker, 3, 1, 10000));
  vigil_scripted_broker_kill (broker);
  vigil_scripted_broker_revive (broker);
  g_assert_true (
      vigil_fixture_wait_until (vigil_client_rig_is_connected, client, 10000));
  plan = the_plan;
  vigil_mqtt_client_stop (client, vigil_fixture_deadline (3000));
  plan = NULL;
  vigil_client_rig_assert_equation (client);
  status = vigil_client_rig_get_status (client);
  g_assert_cmpuint (status.offered, ==, MESSAGES);
  g_assert_cmpuint (status.queued + status.in_flight, ==, 0);
  return TRUE;
}

static void
test_failure (VigilClientRig *self, gconstpointer data)
{
  Plan *row = (Plan *)data;

  vigil_fixture_allow_warning (VIGIL_CLIENT_RIG_DOMAIN, "*");
  live (self, row);
}

/* A life without a failure: how many calls of each kind it takes. */
static void
test_undisturbed (VigilClientRig *self, gconstpointer data)
{
  static Plan the_plan;

  vigil_fixture_allow_warning (VIGIL_CLIENT_RIG_DOMAIN, "*");
  g_assert_true (live (self, &the_plan));
  for (unsigned i = 0; i < CALLS; i++) {
    g_test_message ("%s: %u calls", calls[i].name, the_plan.counts[i]);
    g_assert_cmpuint (the_plan.counts[i], >, 0);
  }
}

/* The kinds come in different numbers each time; this is above all of them
 * but for ppoll, whose calls are all alike. */
static unsigned
get_most (Call call)
{
  switch (call) {
  case CALL_EVENTFD:
  case CALL_PTHREAD_CREATE:
  case CALL_REALLOC:
    return 3;
  case CALL_SOCKET:
  case CALL_CONNECT:
  case CALL_GETSOCKOPT:
  case CALL_WRITE:
  case CALL_READ:
    return 4;
  default:
    return 10;
  }
}

int
main (int argc, char **argv)
{
  vigil_fixture_init (&argc, &argv, 60);
  vigil_client_rig_add ("/mqtt-injection/undisturbed", test_undisturbed, NULL);
  for (Call call = 0; call < CALLS; call++) {
    g_autofree char *path =
        g_strdup_printf ("/mqtt-injection/%s", calls[call].name);
    GPtrArray *table = vigil_client_rig_add_table (path, test_failure);

    for (unsigned i = 0;
         i < G_N_ELEMENTS (calls[call].codes) && calls[call].codes[i] != 0; i++)
      for (unsigned number = 1; number <= get_most (call); number++) {
        /* as long as the program lives: a look-up may outlive its client */
        Plan *row = g_new0 (Plan, 1);

        row->failing = call;
        row->code = calls[call].codes[i];
        row->number = number;
        g_ptr_array_add (table, row);
      }
  }
  return g_test_run ();
}
