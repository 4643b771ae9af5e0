/* SPDX-License-Identifier: Apache-2.0 */

/* getaddrinfo in a thread that may be left behind. */

#include "mqtt/mqtt-resolver.h"

#include "base/error.h"
#include "mqtt/mqtt-fault.h"
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* Shared by the owner and the thread; the last of them frees it. */
struct _VigilMqttResolver {
  _Atomic unsigned references;
  _Atomic gboolean is_done;   /* what is below it belongs to the owner now */
  int code;                   /* of getaddrinfo */
  int system_code;            /* errno, for EAI_SYSTEM */
  struct addrinfo *addresses; /* nullable */
  int descriptor;             /* eventfd; -1 for numeric addresses */
  char service[8];
  char host[];
};

static void
release (VigilMqttResolver *self)
{
  if (atomic_fetch_sub (&self->references, 1) != 1)
    return;
  if (self->addresses != NULL)
    freeaddrinfo (self->addresses);
  if (self->descriptor >= 0)
    close (self->descriptor);
  g_free (self);
}

static void
look_up (VigilMqttResolver *self, int flags)
{
  const struct addrinfo hints = {
      .ai_flags = AI_NUMERICSERV | flags,
      .ai_family = AF_UNSPEC,
      .ai_socktype = SOCK_STREAM,
      .ai_protocol = IPPROTO_TCP,
  };

  self->code =
      getaddrinfo (self->host, self->service, &hints, &self->addresses);
  self->system_code = errno;
  atomic_store (&self->is_done, TRUE);
}

static void *
run (void *data)
{
  VigilMqttResolver *self = data;
  const uint64_t one = 1;

  look_up (self, 0);
  if (write (self->descriptor, &one, sizeof one) < 0)
    g_debug ("cannot wake the waiter: %s", g_strerror (errno));
  release (self);
  return NULL;
}

static gboolean
start_thread (VigilMqttResolver *self, GError **error)
{
  pthread_attr_t attributes;
  pthread_t thread;
  int code = 0;

  self->descriptor = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (self->descriptor < 0) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_FAILED,
        "cannot look up '%s': %s", self->host, g_strerror (errno));
    return FALSE;
  }
  atomic_store (&self->is_done, FALSE);
  atomic_fetch_add (&self->references, 1);
  pthread_attr_init (&attributes);
  pthread_attr_setdetachstate (&attributes, PTHREAD_CREATE_DETACHED);
  code = pthread_create (&thread, &attributes, run, self);
  pthread_attr_destroy (&attributes);
  if (code == 0)
    return TRUE;
  atomic_fetch_sub (&self->references, 1);
  g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_FAILED,
      "cannot look up '%s': %s", self->host, g_strerror (code));
  return FALSE;
}

VigilMqttResolver *
vigil_mqtt_resolver_new (const char *host, uint16_t port, GError **error)
{
  g_autoptr (VigilMqttResolver) self =
      g_malloc0 (sizeof *self + strlen (host) + 1);

  atomic_init (&self->references, 1);
  self->descriptor = -1;
  strcpy (self->host, host);
  snprintf (self->service, sizeof self->service, "%u", (unsigned)port);
  look_up (self, AI_NUMERICHOST);
  if (self->code == EAI_NONAME && !start_thread (self, error))
    return NULL;
  return g_steal_pointer (&self);
}

void
vigil_mqtt_resolver_free (VigilMqttResolver *self)
{
  if (self != NULL)
    release (self);
}

int
vigil_mqtt_resolver_get_descriptor (const VigilMqttResolver *self)
{
  return self->descriptor;
}

VigilMqttResolverResult
vigil_mqtt_resolver_poll (VigilMqttResolver *self,
    const struct addrinfo **ret_addresses, GError **error)
{
  if (!atomic_load (&self->is_done))
    return VIGIL_MQTT_RESOLVER_PENDING;
  if (self->code == 0) {
    *ret_addresses = self->addresses;
    return VIGIL_MQTT_RESOLVER_FOUND;
  }
  vigil_mqtt_fault_set_error (error, VIGIL_MQTT_FAULT_LOOKUP,
      self->code == EAI_SYSTEM ? g_strerror (self->system_code)
                               : gai_strerror (self->code));
  return VIGIL_MQTT_RESOLVER_FAILED;
}
