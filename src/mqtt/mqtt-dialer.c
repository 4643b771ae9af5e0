/* SPDX-License-Identifier: Apache-2.0 */

/* Walks hosts and addresses until one answers. */

#include "mqtt/mqtt-dialer.h"

#include "mqtt/mqtt-fault.h"
#include "mqtt/mqtt-resolver.h"
#include <string.h>

/* Reasons beyond this help nobody. */
#define REASONS_MAX 512

struct _VigilMqttDialer {
  const VigilMqttHost *hosts;
  unsigned hosts_size;
  VigilMqttDialFunc func;
  void *user_data;

  int64_t deadline_us; /* of the attempt */
  int64_t host_deadline_us;
  int64_t address_deadline_us;
  unsigned host; /* index; hosts_size when all are tried */
  gboolean is_host_begun;
  const struct addrinfo *address; /* (nullable): of resolvers[host] */
  VigilMqttTransport *transport;  /* nullable: being connected */
  /*
   * One for each host. One that has not answered in time is waited for
   * again by the next attempt: a dead name server costs one thread for each
   * host, not one for each attempt.
   */
  VigilMqttResolver **resolvers;
  GString *peer;
  GString *reasons;
  /* Of the last reason in it: its text behind the colon, and where another
   * address with the same one is to stand; 0: nowhere. */
  char *last_reason;
  size_t last_address_end;
};

VigilMqttDialer *
vigil_mqtt_dialer_new (const VigilMqttHost *hosts, unsigned hosts_size,
    VigilMqttDialFunc func, void *user_data)
{
  VigilMqttDialer *self = g_new0 (VigilMqttDialer, 1);

  self->hosts = hosts;
  self->hosts_size = hosts_size;
  self->host = hosts_size;
  self->func = func;
  self->user_data = user_data;
  self->resolvers = g_new0 (VigilMqttResolver *, hosts_size);
  self->peer = g_string_new (NULL);
  self->reasons = g_string_new (NULL);
  return self;
}

void
vigil_mqtt_dialer_free (VigilMqttDialer *self)
{
  if (self == NULL)
    return;
  vigil_mqtt_transport_close (self->transport);
  for (unsigned i = 0; i < self->hosts_size; i++)
    vigil_mqtt_resolver_free (self->resolvers[i]);
  g_free (self->resolvers);
  g_string_free (self->peer, TRUE);
  g_string_free (self->reasons, TRUE);
  g_free (self->last_reason);
  g_free (self);
}

/* Each attempt asks for addresses anew; a question without an answer stands.
 */
static void
forget_addresses (VigilMqttDialer *self)
{
  const struct addrinfo *ignored = NULL;

  for (unsigned i = 0; i < self->hosts_size; i++)
    if (self->resolvers[i] != NULL &&
        vigil_mqtt_resolver_poll (self->resolvers[i], &ignored, NULL) !=
            VIGIL_MQTT_RESOLVER_PENDING)
      g_clear_pointer (&self->resolvers[i], vigil_mqtt_resolver_free);
}

void
vigil_mqtt_dialer_start (
    VigilMqttDialer *self, int64_t now_us, int64_t deadline_us)
{
  g_clear_pointer (&self->transport, vigil_mqtt_transport_close);
  forget_addresses (self);
  self->deadline_us = deadline_us;
  self->host = 0;
  self->is_host_begun = FALSE;
  self->address = NULL;
  g_string_truncate (self->reasons, 0);
  self->last_address_end = 0;
  self->host_deadline_us = self->address_deadline_us = now_us;
}

/* ---- Reasons ------------------------------------------------------------ */

/* "HOST:PORT (ADDRESS, ADDRESS): REASON", joined by semicolons: addresses of
 * one host that fail alike share a reason. */
static void
add_reason (VigilMqttDialer *self, const char *reason)
{
  g_autoptr (GString) line = g_string_new (self->peer->str);
  char address[INET6_ADDRSTRLEN + 1] = "";
  size_t address_end = 0;

  if (self->address != NULL)
    (void)getnameinfo (self->address->ai_addr, self->address->ai_addrlen,
        address, sizeof address, NULL, 0, NI_NUMERICHOST);
  if (strcmp (address, self->hosts[self->host].host) == 0)
    address[0] = '\0';
  if (address[0] != '\0') {
    if (self->last_address_end > 0 && strcmp (reason, self->last_reason) == 0) {
      g_autofree char *another = g_strdup_printf (", %s", address);

      if (self->reasons->len + strlen (another) > REASONS_MAX)
        return;
      g_string_insert (self->reasons, (gssize)self->last_address_end, another);
      self->last_address_end += strlen (another);
      return;
    }
    g_string_append_printf (line, " (%s", address);
    address_end = line->len;
    g_string_append_c (line, ')');
  }
  g_string_append_printf (line, ": %s", reason);
  if (strstr (self->reasons->str, line->str) != NULL ||
      self->reasons->len + line->len > REASONS_MAX)
    return;
  if (self->reasons->len > 0)
    g_string_append (self->reasons, "; ");
  self->last_address_end =
      address_end > 0 ? self->reasons->len + address_end : 0;
  g_free (self->last_reason);
  self->last_reason = g_strdup (reason);
  g_string_append (self->reasons, line->str);
}

static void
next_host (VigilMqttDialer *self)
{
  g_clear_pointer (&self->transport, vigil_mqtt_transport_close);
  self->address = NULL;
  self->host++;
  self->is_host_begun = FALSE;
  self->last_address_end = 0;
}

/* ---- Addresses ---------------------------------------------------------- */

/* The present address, and what comes behind it, share what is left of the
 * host's time. */
static void
begin_address (VigilMqttDialer *self, int64_t now_us)
{
  int64_t left = 0;

  for (const struct addrinfo *at = self->address; at != NULL; at = at->ai_next)
    left++;
  if (left > 0)
    self->address_deadline_us =
        now_us + MAX (self->host_deadline_us - now_us, 0) / left;
}

static void
next_address (VigilMqttDialer *self)
{
  g_clear_pointer (&self->transport, vigil_mqtt_transport_close);
  if (self->address != NULL)
    self->address = self->address->ai_next;
  if (self->address == NULL)
    next_host (self);
}

void
vigil_mqtt_dialer_fail (
    VigilMqttDialer *self, const char *reason, gboolean skips_host)
{
  g_return_if_fail (self->host < self->hosts_size);

  add_reason (self, reason);
  if (skips_host)
    next_host (self);
  else
    next_address (self);
}

/* Returns: FALSE when the host is given up. */
static gboolean
begin_host (VigilMqttDialer *self, int64_t now_us)
{
  const VigilMqttHost *host = &self->hosts[self->host];
  g_autoptr (GError) error = NULL;

  g_string_printf (self->peer,
      strchr (host->host, ':') != NULL ? "[%s]:%u" : "%s:%u", host->host,
      (unsigned)host->port);
  self->is_host_begun = TRUE;
  self->host_deadline_us =
      now_us + MAX (self->deadline_us - now_us, 0) /
                   (int64_t)(self->hosts_size - self->host);
  self->address_deadline_us = self->host_deadline_us;
  if (self->resolvers[self->host] == NULL)
    self->resolvers[self->host] =
        vigil_mqtt_resolver_new (host->host, host->port, &error);
  if (self->resolvers[self->host] != NULL)
    return TRUE;
  vigil_mqtt_dialer_fail (self, error->message, TRUE);
  return FALSE;
}

/* Returns: TRUE when there is an address to try, or the host is given up. */
static gboolean
resolve (VigilMqttDialer *self, int64_t now_us)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *reason = NULL;

  switch (vigil_mqtt_resolver_poll (
      self->resolvers[self->host], &self->address, &error)) {
  case VIGIL_MQTT_RESOLVER_FOUND:
    return TRUE;
  case VIGIL_MQTT_RESOLVER_FAILED:
    g_clear_pointer (&self->resolvers[self->host], vigil_mqtt_resolver_free);
    vigil_mqtt_dialer_fail (self, error->message, TRUE);
    return TRUE;
  case VIGIL_MQTT_RESOLVER_PENDING:
    break;
  }
  if (now_us < self->host_deadline_us)
    return FALSE;
  reason = vigil_mqtt_fault_dup_text (VIGIL_MQTT_FAULT_LOOKUP_SILENT, NULL);
  vigil_mqtt_dialer_fail (self, reason, TRUE);
  return TRUE;
}

/* Returns: as advance; FAILED: this address. */
static VigilMqttDialResult
connect_address (VigilMqttDialer *self, int64_t now_us)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *reason = NULL;

  if (self->transport == NULL) {
    begin_address (self, now_us);
    self->transport =
        self->func (&self->hosts[self->host], self->user_data, &error);
  }
  if (self->transport != NULL) {
    switch (self->transport->ops->connect (self->transport,
        self->address->ai_addr, self->address->ai_addrlen, &error)) {
    case VIGIL_MQTT_IO_DONE:
      return VIGIL_MQTT_DIALED;
    case VIGIL_MQTT_IO_AGAIN:
      if (now_us < self->address_deadline_us)
        return VIGIL_MQTT_DIALING;
      break;
    case VIGIL_MQTT_IO_END:
    case VIGIL_MQTT_IO_FAILED:
      break;
    }
  }
  if (error == NULL)
    reason = self->transport->ops->dup_timeout_reason (self->transport);
  vigil_mqtt_dialer_fail (self, error != NULL ? error->message : reason, FALSE);
  return VIGIL_MQTT_DIAL_FAILED;
}

VigilMqttDialResult
vigil_mqtt_dialer_advance (VigilMqttDialer *self, int64_t now_us)
{
  while (self->host < self->hosts_size) {
    VigilMqttDialResult result = VIGIL_MQTT_DIAL_FAILED;

    if (!self->is_host_begun && !begin_host (self, now_us))
      continue;
    if (self->address == NULL) {
      if (!resolve (self, now_us))
        return VIGIL_MQTT_DIALING;
      continue;
    }
    result = connect_address (self, now_us);
    if (result != VIGIL_MQTT_DIAL_FAILED)
      return result;
  }
  return VIGIL_MQTT_DIAL_FAILED;
}

VigilMqttTransport *
vigil_mqtt_dialer_steal_transport (VigilMqttDialer *self)
{
  return g_steal_pointer (&self->transport);
}

struct pollfd
vigil_mqtt_dialer_get_poll (const VigilMqttDialer *self)
{
  struct pollfd poller = {.fd = -1, .events = POLLIN};

  if (self->host >= self->hosts_size)
    return poller;
  if (self->transport != NULL) {
    poller.fd = self->transport->descriptor;
    poller.events = self->transport->ops->want_events (self->transport, TRUE);
  } else if (self->resolvers[self->host] != NULL) {
    poller.fd =
        vigil_mqtt_resolver_get_descriptor (self->resolvers[self->host]);
  }
  return poller;
}

int64_t
vigil_mqtt_dialer_get_deadline_us (const VigilMqttDialer *self)
{
  return self->address_deadline_us;
}

const char *
vigil_mqtt_dialer_get_peer (const VigilMqttDialer *self)
{
  return self->peer->str;
}

const char *
vigil_mqtt_dialer_get_reasons (const VigilMqttDialer *self)
{
  return self->reasons->str;
}
