/* SPDX-License-Identifier: Apache-2.0 */

/* The transport's functions on a TLS stream. */

#include "mqtt/mqtt-transport-tls.h"

#include "mqtt/mqtt-fault.h"
#include "mqtt/mqtt-tls-stream.h"
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <unistd.h>

/* What the system may hold unsent: less than for plain TCP by what the
 * stream holds itself, so that a ping waits no longer. */
#define UNSENT_MAX (192 * 1024)

/* Of a record of TLS 1.3: header, inner type, tag. Those of 1.2 have more:
 * then poll reports a little early. */
#define RECORD_OVERHEAD (5 + 1 + 16)

typedef struct {
  VigilMqttTransport base;
  VigilMqttSocketOptions options;
  VigilMqttTls *tls;
  char *host;
  VigilMqttTlsStream *stream; /* NULL until TCP is connected */
  gboolean is_reading_due;    /* the last read gave all that was asked for */
} TlsTransport;

static VigilMqttIo
tls_connect (VigilMqttTransport *base, const struct sockaddr *address,
    socklen_t size, GError **error)
{
  TlsTransport *self = (TlsTransport *)base;

  if (self->stream == NULL) {
    VigilMqttIo result =
        vigil_mqtt_transport_connect_socket (base, &self->options, address,
            size, VIGIL_MQTT_FAULT_CLOSED_IN_HANDSHAKE, error);
    if (result != VIGIL_MQTT_IO_DONE)
      return result;
    const int unsent = UNSENT_MAX;
    (void)setsockopt (base->descriptor, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent,
        sizeof unsent);
    self->stream = vigil_mqtt_tls_stream_new (
        self->tls, base->descriptor, self->host, error);
    if (self->stream == NULL)
      return VIGIL_MQTT_IO_FAILED;
  }
  switch (vigil_mqtt_tls_stream_handshake (self->stream, error)) {
  case 1:
    return VIGIL_MQTT_IO_DONE;
  case VIGIL_MQTT_TLS_AGAIN:
    return VIGIL_MQTT_IO_AGAIN;
  default:
    return VIGIL_MQTT_IO_FAILED;
  }
}

static char *
tls_dup_timeout_reason (VigilMqttTransport *base)
{
  const TlsTransport *self = (const TlsTransport *)base;

  return vigil_mqtt_fault_dup_text (self->stream != NULL
                                        ? VIGIL_MQTT_FAULT_HANDSHAKE_TIMEOUT
                                        : VIGIL_MQTT_FAULT_NO_ANSWER,
      NULL);
}

static VigilMqttIo
tls_read (VigilMqttTransport *base, void *buffer, size_t size, size_t *ret_size,
    GError **error)
{
  TlsTransport *self = (TlsTransport *)base;
  ssize_t count =
      vigil_mqtt_tls_stream_read (self->stream, buffer, size, error);

  /* There may be another record in what was read from the socket. */
  self->is_reading_due = count > 0;
  if (count == VIGIL_MQTT_TLS_AGAIN)
    return VIGIL_MQTT_IO_AGAIN;
  if (count < 0)
    return VIGIL_MQTT_IO_FAILED;
  *ret_size = (size_t)count;
  return count == 0 ? VIGIL_MQTT_IO_END : VIGIL_MQTT_IO_DONE;
}

static VigilMqttIo
tls_writev (VigilMqttTransport *base, const struct iovec *pieces,
    int pieces_size, size_t *ret_size, GError **error)
{
  TlsTransport *self = (TlsTransport *)base;
  ssize_t count =
      vigil_mqtt_tls_stream_writev (self->stream, pieces, pieces_size, error);

  if (count == VIGIL_MQTT_TLS_AGAIN)
    return VIGIL_MQTT_IO_AGAIN;
  if (count < 0)
    return VIGIL_MQTT_IO_FAILED;
  *ret_size = (size_t)count;
  if (count == 0 && vigil_mqtt_tls_stream_get_pending (self->stream) > 0)
    return VIGIL_MQTT_IO_AGAIN;
  return VIGIL_MQTT_IO_DONE;
}

static gboolean
tls_has_buffered (VigilMqttTransport *base)
{
  const TlsTransport *self = (const TlsTransport *)base;

  return self->is_reading_due;
}

static gboolean
tls_has_unsent (VigilMqttTransport *base)
{
  const TlsTransport *self = (const TlsTransport *)base;

  return self->stream != NULL &&
         vigil_mqtt_tls_stream_get_pending (self->stream) > 0;
}

static short
tls_want_events (VigilMqttTransport *base, gboolean wants_write)
{
  const TlsTransport *self = (const TlsTransport *)base;

  if (self->stream == NULL)
    return POLLOUT;
  return vigil_mqtt_tls_stream_get_events (self->stream, wants_write);
}

static void
tls_shutdown (VigilMqttTransport *base)
{
  TlsTransport *self = (TlsTransport *)base;

  if (self->stream != NULL)
    vigil_mqtt_tls_stream_close (self->stream);
  if (base->descriptor >= 0)
    (void)shutdown (base->descriptor, SHUT_WR);
}

static void
tls_close (VigilMqttTransport *base)
{
  TlsTransport *self = (TlsTransport *)base;

  vigil_mqtt_tls_stream_free (self->stream);
  if (base->descriptor >= 0)
    close (base->descriptor);
  vigil_mqtt_tls_unref (self->tls);
  g_free (self->host);
  g_free (self);
}

static const VigilMqttTransportOps tls_ops = {
    .connect = tls_connect,
    .dup_timeout_reason = tls_dup_timeout_reason,
    .read = tls_read,
    .writev = tls_writev,
    .has_buffered = tls_has_buffered,
    .has_unsent = tls_has_unsent,
    .want_events = tls_want_events,
    .shutdown = tls_shutdown,
    .close = tls_close,
};

VigilMqttTransport *
vigil_mqtt_transport_new_tls (
    const VigilMqttSocketOptions *options, VigilMqttTls *tls, const char *host)
{
  TlsTransport *self = g_new0 (TlsTransport, 1);

  self->base.ops = &tls_ops;
  self->base.descriptor = -1;
  self->base.overhead = RECORD_OVERHEAD;
  self->options = *options;
  self->tls = vigil_mqtt_tls_ref (tls);
  self->host = g_strdup (host);
  return &self->base;
}
