/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "mqtt/mqtt-tls.h"
#include <sys/types.h>
#include <sys/uio.h>

/*
 * TLS over one connected, non-blocking socket. Nothing here waits: what
 * cannot be done now says so, and get_events says what to poll for. One
 * thread at a time. Errors are in words (mqtt-fault.h); after one every call
 * fails with the same.
 */
typedef struct _VigilMqttTlsStream VigilMqttTlsStream;

/* Instead of a count: nothing now, poll. No error is set. */
#define VIGIL_MQTT_TLS_AGAIN (-2)

/* @fd is borrowed: whoever opened it closes it, after free. @host: as
 * configured, see vigil_mqtt_tls_new_ssl. Returns: (transfer full)
 * (nullable). */
VigilMqttTlsStream *vigil_mqtt_tls_stream_new (
    const VigilMqttTls *tls, int fd, const char *host, GError **error);
/* NULL is allowed. Sends nothing. */
void vigil_mqtt_tls_stream_free (VigilMqttTlsStream *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VigilMqttTlsStream, vigil_mqtt_tls_stream_free)

/* Goes on with the handshake. Returns: 1 when it is done, AGAIN, or -1. */
int vigil_mqtt_tls_stream_handshake (VigilMqttTlsStream *self, GError **error);

/*
 * Returns: the number of bytes read, 0 at the end of the stream, AGAIN, or
 * -1. Call until AGAIN: bytes may wait inside, where poll does not see them.
 */
ssize_t vigil_mqtt_tls_stream_read (
    VigilMqttTlsStream *self, void *buffer, size_t size, GError **error);

/*
 * Takes bytes over, in full records where there is enough. What was taken
 * is encrypted and sent or waits (at most 67 KiB); the memory may be freed
 * or changed at once. With @count 0 only what waits is sent.
 * Returns: the number of bytes taken (0 with @count 0), AGAIN, or -1.
 */
ssize_t vigil_mqtt_tls_stream_writev (VigilMqttTlsStream *self,
    const struct iovec *vector, int count, GError **error);

/* Bytes that were taken and not sent yet. */
size_t vigil_mqtt_tls_stream_get_pending (const VigilMqttTlsStream *self);

/* POLLIN, and POLLOUT when bytes wait or, with @wants_write, when writev
 * would take some: not before the handshake is done. */
short vigil_mqtt_tls_stream_get_events (
    const VigilMqttTlsStream *self, gboolean wants_write);

/* Tells the peer that nothing more comes, as far as that goes at once. */
void vigil_mqtt_tls_stream_close (VigilMqttTlsStream *self);
