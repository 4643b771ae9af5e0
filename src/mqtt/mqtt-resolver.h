/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <netdb.h>
#include <stdint.h>

/*
 * Looks a host name up without blocking: in a detached thread of its own,
 * which is left behind when nobody waits for it any more, because the
 * system's resolver cannot be interrupted.
 */
typedef struct _VigilMqttResolver VigilMqttResolver;

/*
 * Starts a look-up of TCP addresses. A numeric address is answered at once,
 * without a thread. Returns: (transfer full) (nullable).
 */
VigilMqttResolver *vigil_mqtt_resolver_new (
    const char *host, uint16_t port, GError **error);
/* Leaves the thread, if it still runs, to end by itself. NULL is allowed. */
void vigil_mqtt_resolver_free (VigilMqttResolver *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VigilMqttResolver, vigil_mqtt_resolver_free)

/* Becomes readable when the answer is there; -1 when it already is. */
int vigil_mqtt_resolver_get_descriptor (const VigilMqttResolver *self);

typedef enum {
  VIGIL_MQTT_RESOLVER_PENDING,
  VIGIL_MQTT_RESOLVER_FOUND,
  VIGIL_MQTT_RESOLVER_FAILED,
} VigilMqttResolverResult;

/*
 * Looks for the answer. @ret_addresses: (transfer none): until free.
 * @error: VIGIL_ERROR_UNAVAILABLE, in words for an operator.
 */
VigilMqttResolverResult vigil_mqtt_resolver_poll (VigilMqttResolver *self,
    const struct addrinfo **ret_addresses, GError **error);
