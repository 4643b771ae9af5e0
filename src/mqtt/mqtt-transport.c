/* SPDX-License-Identifier: Apache-2.0 */

/* Plain TCP that never blocks. */

#include "mqtt/mqtt-transport.h"

#include "mqtt/mqtt-fault.h"
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <unistd.h>

/* More unsent bytes than this would only make a ping wait longer. */
#define UNSENT_MAX (256 * 1024)

typedef struct {
  VigilMqttTransport base;
  VigilMqttSocketOptions options;
} TcpTransport;

static VigilMqttIo
fail (VigilMqttFaultId id, int code, GError **error)
{
  vigil_mqtt_fault_set_error (error, id, g_strerror (code));
  return VIGIL_MQTT_IO_FAILED;
}

/* A reset that comes so early is the same news as one that comes later:
 * @closed. */
static VigilMqttIo
fail_connect (int code, VigilMqttFaultId closed, GError **error)
{
  const VigilMqttFaultId id = vigil_mqtt_fault_from_connect (code);

  if (id != VIGIL_MQTT_FAULT_CLOSED_UNANSWERED)
    return fail (id, code, error);
  vigil_mqtt_fault_set_error (error, closed, NULL);
  return VIGIL_MQTT_IO_FAILED;
}

/* Failing options cost speed, not correctness. */
static void
set_options (int descriptor, const VigilMqttSocketOptions *options)
{
  const int on = 1;
  const int unsent = UNSENT_MAX;

  (void)setsockopt (descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  (void)setsockopt (
      descriptor, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof unsent);
  if (options->user_timeout_ms > 0)
    (void)setsockopt (descriptor, IPPROTO_TCP, TCP_USER_TIMEOUT,
        &options->user_timeout_ms, sizeof options->user_timeout_ms);
}

VigilMqttIo
vigil_mqtt_transport_connect_socket (VigilMqttTransport *self,
    const VigilMqttSocketOptions *options, const struct sockaddr *address,
    socklen_t size, VigilMqttFaultId closed, GError **error)
{
  struct pollfd poller = {.fd = self->descriptor, .events = POLLOUT};
  int code = 0;
  socklen_t code_size = sizeof code;

  if (self->descriptor < 0) {
    self->descriptor = socket (address->sa_family,
        SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
    if (self->descriptor < 0)
      return fail (VIGIL_MQTT_FAULT_UNREACHABLE, errno, error);
    set_options (self->descriptor, options);
    if (connect (self->descriptor, address, size) == 0)
      return VIGIL_MQTT_IO_DONE;
    /* interrupted: goes on by itself */
    if (errno == EINPROGRESS || errno == EINTR)
      return VIGIL_MQTT_IO_AGAIN;
    return fail_connect (errno, closed, error);
  }
  if (poll (&poller, 1, 0) <= 0)
    return VIGIL_MQTT_IO_AGAIN;
  if (getsockopt (self->descriptor, SOL_SOCKET, SO_ERROR, &code, &code_size) <
      0)
    code = errno;
  if (code != 0)
    return fail_connect (code, closed, error);
  return VIGIL_MQTT_IO_DONE;
}

static VigilMqttIo
tcp_connect (VigilMqttTransport *base, const struct sockaddr *address,
    socklen_t size, GError **error)
{
  TcpTransport *self = (TcpTransport *)base;

  return vigil_mqtt_transport_connect_socket (base, &self->options, address,
      size, VIGIL_MQTT_FAULT_CLOSED_UNANSWERED, error);
}

static char *
tcp_dup_timeout_reason (VigilMqttTransport *base)
{
  return vigil_mqtt_fault_dup_text (VIGIL_MQTT_FAULT_NO_ANSWER, NULL);
}

static gboolean
is_again (int code)
{
  return code == EAGAIN || code == EWOULDBLOCK || code == EINTR ||
         code == ENOBUFS;
}

static VigilMqttIo
tcp_read (VigilMqttTransport *base, void *buffer, size_t size, size_t *ret_size,
    GError **error)
{
  const ssize_t count = recv (base->descriptor, buffer, size, 0);

  if (count < 0)
    return is_again (errno) ? VIGIL_MQTT_IO_AGAIN
                            : fail (VIGIL_MQTT_FAULT_LOST, errno, error);
  *ret_size = (size_t)count;
  return count == 0 ? VIGIL_MQTT_IO_END : VIGIL_MQTT_IO_DONE;
}

static VigilMqttIo
tcp_writev (VigilMqttTransport *base, const struct iovec *pieces,
    int pieces_size, size_t *ret_size, GError **error)
{
  const struct msghdr message = {
      .msg_iov = (struct iovec *)pieces,
      .msg_iovlen = (size_t)pieces_size,
  };
  /* not writev: that has no way to ask for no SIGPIPE */
  const ssize_t count = sendmsg (base->descriptor, &message, MSG_NOSIGNAL);

  if (count < 0)
    return is_again (errno) ? VIGIL_MQTT_IO_AGAIN
                            : fail (VIGIL_MQTT_FAULT_LOST, errno, error);
  *ret_size = (size_t)count;
  return VIGIL_MQTT_IO_DONE;
}

static gboolean
tcp_has_buffered (VigilMqttTransport *base)
{
  return FALSE;
}

static gboolean
tcp_has_unsent (VigilMqttTransport *base)
{
  return FALSE;
}

static short
tcp_want_events (VigilMqttTransport *base, gboolean wants_write)
{
  return wants_write ? POLLIN | POLLOUT : POLLIN;
}

static void
tcp_shutdown (VigilMqttTransport *base)
{
  if (base->descriptor >= 0)
    (void)shutdown (base->descriptor, SHUT_WR);
}

static void
tcp_close (VigilMqttTransport *base)
{
  if (base->descriptor >= 0)
    close (base->descriptor);
  g_free (base);
}

static const VigilMqttTransportOps tcp_ops = {
    .connect = tcp_connect,
    .dup_timeout_reason = tcp_dup_timeout_reason,
    .read = tcp_read,
    .writev = tcp_writev,
    .has_buffered = tcp_has_buffered,
    .has_unsent = tcp_has_unsent,
    .want_events = tcp_want_events,
    .shutdown = tcp_shutdown,
    .close = tcp_close,
};

VigilMqttTransport *
vigil_mqtt_transport_new_tcp (const VigilMqttSocketOptions *options)
{
  TcpTransport *self = g_new0 (TcpTransport, 1);

  self->base.ops = &tcp_ops;
  self->base.descriptor = -1;
  self->options = *options;
  return &self->base;
}

void
vigil_mqtt_transport_expect (VigilMqttTransport *self, size_t bytes)
{
  const int low_water = bytes > 0 ? (int)bytes : 1;

  if (bytes == self->expected)
    return;
  self->expected = bytes;
  (void)setsockopt (
      self->descriptor, SOL_SOCKET, SO_RCVLOWAT, &low_water, sizeof low_water);
}

void
vigil_mqtt_transport_confirm_at_once (VigilMqttTransport *self)
{
  const int on = 1;

  (void)setsockopt (
      self->descriptor, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
}

void
vigil_mqtt_transport_close (VigilMqttTransport *self)
{
  if (self != NULL)
    self->ops->close (self);
}
