/* SPDX-License-Identifier: Apache-2.0 */

/* A session of the MQTT client and its broker, who speaks hexadecimal. */

#include "common/session-peer.h"

#include <string.h>

/* ---- A session with a peer of hexadecimal text -----------------------------
 */

static void
on_finished (VigilMqttMessage *message, VigilMqttOutcome outcome,
    VigilMqttDropReason drop, const char *reason, void *user_data)
{
  static const char *const words[] = {
      "published", "acknowledged", "dropped", "rejected"};
  VigilSessionPeer *self = user_data;

  g_string_append_printf (
      self->log, "%s%s", self->log->len > 0 ? " " : "", words[outcome]);
  if (outcome == VIGIL_MQTT_DROPPED)
    g_string_append_printf (
        self->log, "-%s", vigil_mqtt_client_drop_reason_name (drop));
  vigil_mqtt_message_unref (message);
}

static void
on_reduced (VigilMqttMessage *from, VigilMqttMessage *to, void *user_data)
{
  VigilSessionPeer *self = user_data;

  g_string_append (self->log, self->log->len > 0 ? " reduced" : "reduced");
}

static void
on_notice (const char *text, void *user_data)
{
  VigilSessionPeer *self = user_data;

  g_string_append_printf (
      self->log, "%s[%s]", self->log->len > 0 ? " " : "", text);
}

static const VigilMqttSessionEvents events = {
    on_finished, on_reduced, on_notice};

void
vigil_session_peer_init (VigilSessionPeer *self, int protocol, int qos)
{
  *self = (VigilSessionPeer){.options = {.protocol = protocol,
                                 .qos = qos,
                                 .client_id = "c",
                                 .keep_alive_s = 10,
                                 .window = 20}};
  self->now_us = 1000 * G_USEC_PER_SEC;
  self->log = g_string_new (NULL);
}

void
vigil_session_peer_begin (VigilSessionPeer *self)
{
  self->session = vigil_mqtt_session_new (&self->options, 1, &events, self);
}

void
vigil_session_peer_clear (VigilSessionPeer *self)
{
  vigil_mqtt_session_free (self->session);
  g_string_free (self->log, TRUE);
}

/* Writes at most @limit bytes of the output. Returns: them, in
 * hexadecimal. */
char *
vigil_session_peer_take (VigilSessionPeer *self, size_t limit)
{
  GString *text = g_string_new (NULL);
  int size = 0;

  for (;;) {
    const struct iovec *pieces =
        vigil_mqtt_session_get_output (self->session, &size);
    size_t count;

    if (size == 0 || limit == 0)
      break;
    count = MIN (pieces[0].iov_len, limit);
    for (size_t i = 0; i < count; i++)
      g_string_append_printf (text, text->len > 0 ? " %02x" : "%02x",
          ((const uint8_t *)pieces[0].iov_base)[i]);
    limit -= count;
    g_assert_true (
        vigil_mqtt_session_written (self->session, count, self->now_us, NULL));
  }
  return g_string_free (text, FALSE);
}

void
vigil_session_peer_assert_output (VigilSessionPeer *self, const char *want)
{
  g_autofree char *output = vigil_session_peer_take (self, SIZE_MAX);

  g_assert_cmpstr (output, ==, want);
}

static gboolean
feed (VigilSessionPeer *self, const char *hex, GError **error)
{
  size_t space = 0;
  size_t size = 0;
  uint8_t *out = vigil_mqtt_session_get_space (self->session, &space);

  for (const char *at = hex; *at != '\0'; at++) {
    if (*at == ' ')
      continue;
    g_assert_cmpuint (size, <, space);
    out[size++] = (uint8_t)(g_ascii_xdigit_value (at[0]) << 4 |
                            g_ascii_xdigit_value (at[1]));
    at++;
  }
  return vigil_mqtt_session_received (self->session, size, self->now_us, error);
}

void
vigil_session_peer_hear (VigilSessionPeer *self, const char *hex)
{
  g_autoptr (GError) error = NULL;

  feed (self, hex, &error);
  g_assert_no_error (error);
}

void
vigil_session_peer_hear_wrong (
    VigilSessionPeer *self, const char *hex, const char *want)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (feed (self, hex, &error));
  g_assert_nonnull (error);
  if (strstr (error->message, want) == NULL)
    g_error ("'%s' is not in '%s'", want, error->message);
}

/* Opens and takes CONNECT away. */
void
vigil_session_peer_open (VigilSessionPeer *self)
{
  g_autofree char *connect = NULL;

  vigil_mqtt_session_open (self->session, self->now_us);
  connect = vigil_session_peer_take (self, SIZE_MAX);
  g_assert_true (g_str_has_prefix (connect, "10 "));
}

void
vigil_session_peer_accept (VigilSessionPeer *self)
{
  vigil_session_peer_open (self);
  vigil_session_peer_hear (
      self, self->options.protocol == 5 ? "20 03 00 00 00" : "20 02 00 00");
  g_assert_true (vigil_mqtt_session_is_connected (self->session));
}

VigilMqttMessage *
vigil_session_peer_make_message (const char *payload)
{
  g_autoptr (GBytes) bytes = g_bytes_new (payload, strlen (payload));
  const VigilMqttPublication publication = {.topic = "t", .segments = {bytes}};

  return vigil_mqtt_message_new (&publication, 1);
}

void
vigil_session_peer_publish (VigilSessionPeer *self, const char *payload)
{
  vigil_mqtt_session_take (self->session,
      vigil_session_peer_make_message (payload), self->now_us, self->now_us);
}

void
vigil_session_peer_assert_log (VigilSessionPeer *self, const char *want)
{
  g_assert_cmpstr (self->log->str, ==, want);
  g_string_truncate (self->log, 0);
}
