/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "mqtt/mqtt-session.h"

/*
 * A session of the MQTT client and its broker, who speaks hexadecimal, on a
 * clock that the test moves.
 */
typedef struct {
  VigilMqttOptions options;
  VigilMqttSession *session;
  int64_t now_us;
  GString *log; /* outcomes and notices, in words */
} VigilSessionPeer;

/* Sets options, which may be changed before begin makes the session. */
void vigil_session_peer_init (VigilSessionPeer *self, int protocol, int qos);
void vigil_session_peer_begin (VigilSessionPeer *self);
void vigil_session_peer_clear (VigilSessionPeer *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (VigilSessionPeer, vigil_session_peer_clear)

/* Opens a connection and takes CONNECT away; accept also answers it. */
void vigil_session_peer_open (VigilSessionPeer *self);
void vigil_session_peer_accept (VigilSessionPeer *self);

/* Writes at most @limit bytes of the output. Returns: them, in hexadecimal
 * (transfer full). */
char *vigil_session_peer_take (VigilSessionPeer *self, size_t limit);
/* Writes all of it, which must be @want. */
void vigil_session_peer_assert_output (
    VigilSessionPeer *self, const char *want);
/* The broker says @hex, which is right, or wrong with @want in the words. */
void vigil_session_peer_hear (VigilSessionPeer *self, const char *hex);
void vigil_session_peer_hear_wrong (
    VigilSessionPeer *self, const char *hex, const char *want);

/* A message to "t". (transfer full). */
VigilMqttMessage *vigil_session_peer_make_message (const char *payload);
void vigil_session_peer_publish (VigilSessionPeer *self, const char *payload);
/* The log is @want; empties it. */
void vigil_session_peer_assert_log (VigilSessionPeer *self, const char *want);
