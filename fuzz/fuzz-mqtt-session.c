/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The session with a broker, a socket and a clock that do what the input
 * says: bytes in any pieces, writes of any size, jumps of time, messages,
 * ends of connections. What must hold throughout: every message taken ends
 * once, and what we write is MQTT that a publisher may send.
 */

#include "mqtt/mqtt-session.h"

#include <string.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

typedef struct {
  const uint8_t *data;
  size_t size;
  VigilMqttSession *session;
  VigilMqttOptions options;
  int64_t now_us;
  unsigned taken;
  unsigned finished;
  GByteArray *written; /* on this connection */
  gboolean is_open;
} World;

static uint8_t
next (World *self)
{
  if (self->size == 0)
    return 0;
  self->size--;
  return *self->data++;
}

static void
on_finished (VigilMqttMessage *message, VigilMqttOutcome outcome,
    VigilMqttDropReason drop, const char *reason, void *user_data)
{
  World *self = user_data;

  self->finished++;
  g_assert_cmpuint (self->finished, <=, self->taken);
  g_assert_true (outcome != VIGIL_MQTT_REJECTED || reason != NULL);
  vigil_mqtt_message_unref (message);
}

static void
on_reduced (VigilMqttMessage *from, VigilMqttMessage *to, void *user_data)
{
  g_assert_true (from != to);
}

static void
on_notice (const char *text, void *user_data)
{
  g_assert_true (g_utf8_validate (text, -1, NULL));
}

/* ---- Messages -------------------------------------------------------------
 */

static VigilMqttMessage *
make_message (size_t size, unsigned parts)
{
  g_autofree char *text = g_strnfill (size, 'x');
  g_autoptr (GBytes) bytes = g_bytes_new (text, size);
  const VigilMqttPublication publications[2] = {
      {.topic = "t/f", .segments = {bytes}, .expiry_s = (unsigned)size % 3},
      {.topic = "t", .content_type = "c", .is_text = TRUE},
  };

  return vigil_mqtt_message_new (publications, parts);
}

static VigilMqttMessage *
make_smaller (VigilMqttMessage *message, size_t limit_bytes, void *user_data)
{
  return make_message (0, 1);
}

static void
take_message (World *self)
{
  const uint8_t kind = next (self);
  VigilMqttMessage *message;

  if (vigil_mqtt_session_get_room (self->session) == 0)
    return;
  message = make_message ((size_t)(kind >> 2) * 60, 1 + (kind & 1));
  if ((kind & 2) != 0)
    vigil_mqtt_message_set_reduce (message, make_smaller, NULL, NULL);
  self->taken++;
  vigil_mqtt_session_take (
      self->session, message, self->now_us - kind, self->now_us);
}

/* ---- The connection -------------------------------------------------------
 */

/* All that was written whole is CONNECT, then PUBLISH, PUBREL, PINGREQ and
 * DISCONNECT, with right flags and identifiers. */
static void
check_written (World *self)
{
  const uint8_t *data = self->written->data;
  size_t size = self->written->len;
  gboolean is_first = TRUE;

  while (size >= 2) {
    const uint8_t type = data[0] >> 4;
    const int qos = data[0] >> 1 & 3;
    size_t length = 0;
    size_t at = 1;
    unsigned shift = 0;

    do {
      if (at >= size)
        return;
      length |= (size_t)(data[at] & 0x7f) << shift;
      shift += 7;
    } while ((data[at++] & 0x80) != 0);
    g_assert_true ((type == 1) == is_first);
    g_assert_true (
        type == 1 || type == 3 || type == 6 || type == 12 || type == 14);
    g_assert_true (type != 3 || qos <= self->options.qos);
    g_assert_true (type != 3 || qos > 0 || (data[0] & 8) == 0);
    g_assert_true (type != 6 || data[0] == 0x62);
    is_first = FALSE;
    if (size - at < length)
      return;
    data += at + length;
    size -= at + length;
  }
}

static void
close_connection (World *self, gboolean is_peer)
{
  check_written (self);
  vigil_mqtt_session_close (self->session, is_peer, self->now_us);
  g_byte_array_set_size (self->written, 0);
  self->is_open = FALSE;
}

static void
write_some (World *self)
{
  const size_t limit = (size_t)next (self) * 16 + 1;
  int pieces_size = 0;
  const struct iovec *pieces =
      vigil_mqtt_session_get_output (self->session, &pieces_size);
  size_t size;

  if (pieces_size == 0)
    return;
  size = MIN (pieces[0].iov_len, limit);
  g_byte_array_append (self->written, pieces[0].iov_base, (unsigned)size);
  if (!vigil_mqtt_session_written (self->session, size, self->now_us, NULL))
    close_connection (self, TRUE);
}

static void
hear (World *self, const uint8_t *bytes, size_t size)
{
  size_t space = 0;
  uint8_t *out;

  if (!vigil_mqtt_session_wants_input (self->session))
    return;
  out = vigil_mqtt_session_get_space (self->session, &space);
  size = MIN (size, space);
  memcpy (out, bytes, size);
  if (!vigil_mqtt_session_received (self->session, size, self->now_us, NULL))
    close_connection (self, TRUE);
}

static void
hear_input (World *self)
{
  const size_t wanted = next (self) % 32;
  const size_t size = MIN (wanted, self->size);
  const uint8_t *bytes = self->data;

  self->data += size;
  self->size -= size;
  if (size > 0)
    hear (self, bytes, size);
}

/* What a broker says most, so that the input need not find it. */
static void
hear_usual (World *self)
{
  static const uint8_t connack[] = {0x20, 2, 0, 0};
  static const uint8_t connack_5[] = {0x20, 3, 0, 0, 0};
  static const uint8_t resumed[] = {0x20, 2, 1, 0};
  const uint8_t kind = next (self);
  const uint8_t acknowledgement[] = {
      (uint8_t)(0x40 + (kind & 3) % 3 * 0x10 + ((kind & 3) == 2 ? 0x10 : 0)), 2,
      0, (uint8_t)(1 + (kind >> 2) % 32)};

  if (kind == 0)
    hear (self, self->options.protocol == 5 ? connack_5 : connack,
        self->options.protocol == 5 ? 5 : 4);
  else if (kind == 1)
    hear (self, resumed, sizeof resumed);
  else
    hear (self, acknowledgement, sizeof acknowledgement);
}

static void
step (World *self)
{
  const uint8_t action = next (self) % 8;

  if (!self->is_open) {
    vigil_mqtt_session_open (self->session, self->now_us);
    self->is_open = TRUE;
  }
  switch (action) {
  case 0:
  case 1:
    take_message (self);
    break;
  case 2:
  case 3:
    write_some (self);
    break;
  case 4:
    hear_input (self);
    break;
  case 5:
    hear_usual (self);
    break;
  case 6:
    self->now_us += (int64_t)next (self) * 100000;
    if (!vigil_mqtt_session_tick (self->session, self->now_us, NULL))
      close_connection (self, FALSE);
    break;
  case 7:
    if (next (self) % 4 == 0)
      vigil_mqtt_session_disconnect (self->session);
    else
      close_connection (self, next (self) % 2 == 0);
    break;
  }
  g_assert_cmpuint (vigil_mqtt_session_get_in_flight (self->session), ==,
      self->taken - self->finished);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static const VigilMqttSessionEvents events = {
      on_finished, on_reduced, on_notice};
  World world = {.data = data, .size = size, .now_us = G_USEC_PER_SEC};
  uint8_t shape;

  shape = next (&world);
  world.options = (VigilMqttOptions){
      .protocol = 3 + shape % 3,
      .qos = shape / 3 % 3,
      .keep_session = (shape & 0x40) != 0,
      .client_id = "fuzz",
      .status_topic = (shape & 0x80) != 0 ? "s" : NULL,
      .keep_alive_s = 10,
      .window = 1 + next (&world) % 20,
      .offline_queue = (shape & 0x20) != 0,
      .retain = (shape & 0x20) != 0,
  };
  world.written = g_byte_array_new ();
  world.session = vigil_mqtt_session_new (&world.options, 1, &events, &world);
  while (world.size > 0)
    step (&world);
  vigil_mqtt_session_free (world.session);
  g_assert_cmpuint (world.taken, ==, world.finished);
  g_byte_array_unref (world.written);
  return 0;
}
