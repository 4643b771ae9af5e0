/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "mqtt/mqtt-fault.h"
#include <glib.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/uio.h>

/*
 * One connection to one address, without blocking: an ops table, so that
 * the client does not know what carries its bytes. TCP is below; TLS is
 * another table with the same functions.
 */
typedef struct _VigilMqttTransport VigilMqttTransport;

typedef enum {
  VIGIL_MQTT_IO_DONE,   /* at least one byte went; or: connected */
  VIGIL_MQTT_IO_AGAIN,  /* nothing went; wait for the events */
  VIGIL_MQTT_IO_END,    /* read: the peer has closed */
  VIGIL_MQTT_IO_FAILED, /* @error says why; only close remains */
} VigilMqttIo;

typedef struct {
  /*
   * First and again, whenever the descriptor is ready, until it does not
   * answer AGAIN: connects to @address, and does what handshake there is.
   * @error: VIGIL_ERROR_UNAVAILABLE, in words for an operator.
   */
  VigilMqttIo (*connect) (VigilMqttTransport *self,
      const struct sockaddr *address, socklen_t size, GError **error);
  /* In words: connect's deadline has passed. Returns: (transfer full). */
  char *(*dup_timeout_reason) (VigilMqttTransport *self);
  VigilMqttIo (*read) (VigilMqttTransport *self, void *buffer, size_t size,
      size_t *ret_size, GError **error);
  VigilMqttIo (*writev) (VigilMqttTransport *self, const struct iovec *pieces,
      int pieces_size, size_t *ret_size, GError **error);
  /* Bytes were taken from the descriptor that read has not given yet: read
   * again before waiting. */
  gboolean (*has_buffered) (VigilMqttTransport *self);
  /* Bytes that writev has taken are not with the system yet: call writev,
   * with no pieces if there are none, until it says FALSE. */
  gboolean (*has_unsent) (VigilMqttTransport *self);
  /*
   * The poll events that the last AGAIN waits for; @wants_write: there are
   * bytes to be written.
   */
  short (*want_events) (VigilMqttTransport *self, gboolean wants_write);
  /* No more bytes will be written: lets the peer read what is on its way
   * and then the end. Never blocks. */
  void (*shutdown) (VigilMqttTransport *self);
  /* Closes and frees. */
  void (*close) (VigilMqttTransport *self);
} VigilMqttTransportOps;

struct _VigilMqttTransport {
  const VigilMqttTransportOps *ops;
  int descriptor;  /* -1 before connect */
  size_t expected; /* as told by expect */
  size_t overhead; /* bytes around each small packet that is read */
};

/* What is set on every socket. */
typedef struct {
  unsigned user_timeout_ms; /* TCP_USER_TIMEOUT; 0: the system's own */
} VigilMqttSocketOptions;

/* Plain TCP. Returns: (transfer full): close frees it. */
VigilMqttTransport *vigil_mqtt_transport_new_tcp (
    const VigilMqttSocketOptions *options);

/* Poll need not report before @bytes have come, or the end (0: any). The
 * caller looks by itself after a while. */
void vigil_mqtt_transport_expect (VigilMqttTransport *self, size_t bytes);

/*
 * The next read tells the peer's TCP that it was read, without waiting for
 * something to send: a peer that gathers small packets (Nagle) lets them go
 * then, and the read after that may have them.
 */
void vigil_mqtt_transport_confirm_at_once (VigilMqttTransport *self);

/* Calls close. NULL is allowed. */
void vigil_mqtt_transport_close (VigilMqttTransport *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VigilMqttTransport, vigil_mqtt_transport_close)

/* Steps of TCP, for tables that build on it. Same contracts as the ops.
 * @closed: the fault when the peer closes at once. */
VigilMqttIo vigil_mqtt_transport_connect_socket (VigilMqttTransport *self,
    const VigilMqttSocketOptions *options, const struct sockaddr *address,
    socklen_t size, VigilMqttFaultId closed, GError **error);
