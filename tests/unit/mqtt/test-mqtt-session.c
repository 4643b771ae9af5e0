/* SPDX-License-Identifier: Apache-2.0 */

/* Connections, handshakes and keep-alive, byte for byte, on an injected
 * clock. Numbers are sections of MQTT 5.0 ("5:") and 3.1.1. */

#include "mqtt/mqtt-session.h"

#include "base/error.h"
#include "common/fixture.h"
#include "common/session-peer.h"

#define SECOND G_USEC_PER_SEC

/* ---- Connecting ------------------------------------------------------------
 */

/* Nothing goes before CONNACK: state machine rule 2. */
static void
test_nothing_before_connack (void)
{
  g_auto (VigilSessionPeer) peer;

  vigil_session_peer_init (&peer, 4, 1);
  vigil_session_peer_begin (&peer);
  g_assert_cmpuint (vigil_mqtt_session_get_room (peer.session), ==, 0);
  vigil_mqtt_session_open (peer.session, peer.now_us);
  vigil_session_peer_assert_output (
      &peer, "10 0d 00 04 4d 51 54 54 04 02 00 0a 00 01 63");
  g_assert_cmpuint (vigil_mqtt_session_get_room (peer.session), ==, 0);
  vigil_session_peer_hear (&peer, "20 02 00 00");
  g_assert_cmpuint (vigil_mqtt_session_get_room (peer.session), ==, 20);
  vigil_session_peer_assert_output (&peer, "");
}

/* 5: 3.1.2.4: a client without state starts clean, then resumes. */
static void
test_clean_start (void)
{
  g_auto (VigilSessionPeer) peer;

  vigil_session_peer_init (&peer, 5, 1);
  peer.options.keep_session = TRUE;
  vigil_session_peer_begin (&peer);
  vigil_mqtt_session_open (peer.session, peer.now_us);
  vigil_session_peer_assert_output (&peer,
      "10 18 00 04 4d 51 54 54 05 02 00 0a 0a 11 00 01 51 "
      "80 27 00 01 00 00 00 01 63");
  vigil_session_peer_hear (&peer, "20 03 00 00 00");
  vigil_mqtt_session_close (peer.session, TRUE, peer.now_us);
  vigil_mqtt_session_open (peer.session, peer.now_us);
  vigil_session_peer_assert_output (&peer,
      "10 18 00 04 4d 51 54 54 05 00 00 0a 0a 11 00 01 51 "
      "80 27 00 01 00 00 00 01 63");
}

/* 5: 3.2.2.3.7: the identifier that the broker gave is used from then on. */
static void
test_assigned_client_id (void)
{
  g_auto (VigilSessionPeer) peer;

  vigil_session_peer_init (&peer, 5, 0);
  peer.options.client_id = "";
  vigil_session_peer_begin (&peer);
  vigil_session_peer_open (&peer);
  vigil_session_peer_hear (&peer, "20 08 00 00 05 12 00 02 69 64");
  vigil_mqtt_session_close (peer.session, TRUE, peer.now_us);
  vigil_mqtt_session_open (peer.session, peer.now_us);
  vigil_session_peer_assert_output (&peer,
      "10 14 00 04 4d 51 54 54 05 02 00 0a 05 27 00 01 00 "
      "00 00 02 69 64");
}

/* CONNACK before CONNECT has gone, found by fuzzing: no DISCONNECT goes in
 * front of CONNECT. */
static void
test_answered_before_asked (void)
{
  g_auto (VigilSessionPeer) peer;
  g_autofree char *output = NULL;

  vigil_session_peer_init (&peer, 5, 1);
  vigil_session_peer_begin (&peer);
  vigil_mqtt_session_open (peer.session, peer.now_us);
  vigil_session_peer_hear_wrong (&peer, "20 03 00 00 00", "before it was");
  output = vigil_session_peer_take (&peer, SIZE_MAX);
  g_assert_true (g_str_has_prefix (output, "10 "));
}

/* A broker that refuses says why; the session can be opened again. */
static void
test_refused (void)
{
  g_auto (VigilSessionPeer) peer;

  vigil_session_peer_init (&peer, 4, 1);
  vigil_session_peer_begin (&peer);
  vigil_session_peer_open (&peer);
  vigil_session_peer_hear_wrong (
      &peer, "20 02 00 05", "not authorized, code 5");
  g_assert_true (vigil_mqtt_session_is_refused (peer.session));
  vigil_mqtt_session_close (peer.session, TRUE, peer.now_us);
  vigil_session_peer_accept (&peer);
  g_assert_false (vigil_mqtt_session_is_refused (peer.session));
}

/* ---- Handshakes ------------------------------------------------------------
 */

static void
test_qos_0 (void)
{
  g_auto (VigilSessionPeer) peer;
  g_autofree char *part = NULL;

  vigil_session_peer_init (&peer, 4, 0);
  vigil_session_peer_begin (&peer);
  vigil_session_peer_accept (&peer);
  vigil_session_peer_publish (&peer, "a");
  part = vigil_session_peer_take (&peer, 5);
  vigil_session_peer_assert_log (&peer, "");
  vigil_session_peer_assert_output (&peer, "61");
  vigil_session_peer_assert_log (&peer, "published");
}

/* 3.1.1: 4.3.2 */
static void
test_qos_1 (void)
{
  g_auto (VigilSessionPeer) peer;

  vigil_session_peer_init (&peer, 4, 1);
  vigil_session_peer_begin (&peer);
  vigil_session_peer_accept (&peer);
  vigil_session_peer_publish (&peer, "a");
  vigil_session_peer_publish (&peer, "b");
  vigil_session_peer_assert_output (
      &peer, "32 06 00 01 74 00 01 61 32 06 00 01 74 00 02 62");
  vigil_session_peer_hear (&peer, "40 02 00 02");
  vigil_session_peer_assert_log (&peer, "acknowledged");
  g_assert_cmpuint (vigil_mqtt_session_get_in_flight (peer.session), ==, 1);
  vigil_session_peer_hear (&peer, "40 02 00 02"); /* again: harmless */
  vigil_session_peer_hear (&peer, "40 02 00 01");
  vigil_session_peer_assert_log (&peer, "acknowledged");
  vigil_session_peer_assert_output (&peer, "");
}

/* 3.1.1: 4.3.3 */
static void
test_qos_2 (void)
{
  g_auto (VigilSessionPeer) peer;

  vigil_session_peer_init (&peer, 4, 2);
  vigil_session_peer_begin (&peer);
  vigil_session_peer_accept (&peer);
  vigil_session_peer_publish (&peer, "a");
  vigil_session_peer_assert_output (&peer, "34 06 00 01 74 00 01 61");
  vigil_session_peer_hear (&peer, "50 02 00 01");
  vigil_session_peer_assert_output (&peer, "62 02 00 01");
  vigil_session_peer_hear (&peer, "50 02 00 01"); /* again */
  vigil_session_peer_assert_output (&peer, "62 02 00 01");
  vigil_session_peer_assert_log (&peer, "");
  vigil_session_peer_hear (&peer, "70 02 00 01");
  vigil_session_peer_assert_log (&peer, "acknowledged");
}

/* An answer that the handshake does not wait for. */
static const struct {
  const char *name;
  int qos;
  const char *before; /* heard first, or NULL */
  const char *wrong;
  const char *error;
} handshakes[] = {
    {"pubrec-for-1", 1, NULL, "50 02 00 01", "waits for another"},
    {"pubcomp-for-1", 1, NULL, "70 02 00 01", "waits for another"},
    {"pubcomp-before-pubrec", 2, NULL, "70 02 00 01", "waits for another"},
    {"puback-after-pubrec", 2, "50 02 00 01", "40 02 00 01",
        "waits for another"},
    {"second-connack", 1, NULL, "20 02 00 00", "second CONNACK"},
    {"pubrel", 1, NULL, "62 02 00 01", "PUBREL"},
};

static void
test_wrong_handshake (gconstpointer data)
{
  const unsigned row = GPOINTER_TO_UINT (data);
  g_auto (VigilSessionPeer) peer;

  vigil_session_peer_init (&peer, 4, handshakes[row].qos);
  vigil_session_peer_begin (&peer);
  vigil_session_peer_accept (&peer);
  vigil_session_peer_publish (&peer, "a");
  g_free (vigil_session_peer_take (&peer, SIZE_MAX));
  if (handshakes[row].before != NULL)
    vigil_session_peer_hear (&peer, handshakes[row].before);
  vigil_session_peer_hear_wrong (
      &peer, handshakes[row].wrong, handshakes[row].error);
}

/* An acknowledgement of what is still being written is a lie. */
static void
test_acknowledged_before_sent (void)
{
  g_auto (VigilSessionPeer) peer;
  g_autofree char *part = NULL;

  vigil_session_peer_init (&peer, 4, 1);
  vigil_session_peer_begin (&peer);
  vigil_session_peer_accept (&peer);
  vigil_session_peer_publish (&peer, "abc");
  part = vigil_session_peer_take (&peer, 8);
  vigil_session_peer_hear_wrong (&peer, "40 02 00 01", "before it was sent");
}

/* 5: 4.13: version 5 tells the broker; not in the middle of a packet. */
static void
test_farewell (void)
{
  g_auto (VigilSessionPeer) peer;
  g_auto (VigilSessionPeer) busy;
  g_autofree char *part = NULL;

  vigil_session_peer_init (&peer, 5, 1);
  vigil_session_peer_begin (&peer);
  vigil_session_peer_accept (&peer);
  vigil_session_peer_hear_wrong (
      &peer, "20 05 00 00 02 7f 01", "property 0x7f");
  vigil_session_peer_assert_output (&peer, "e0 01 82");

  vigil_session_peer_init (&busy, 5, 1);
  vigil_session_peer_begin (&busy);
  vigil_session_peer_accept (&busy);
  vigil_session_peer_publish (&busy, "abc");
  part = vigil_session_peer_take (&busy, 4);
  vigil_session_peer_hear_wrong (&busy, "f0 00", "AUTH");
  vigil_session_peer_assert_output (&busy, "74 00 01 00 61 62 63");
}

/* 5: 3.6.2.1: a PUBREC that nobody asked for has an answer. */
static void
test_unknown_pubrec (void)
{
  g_auto (VigilSessionPeer) peer;

  vigil_session_peer_init (&peer, 5, 2);
  vigil_session_peer_begin (&peer);
  vigil_session_peer_accept (&peer);
  vigil_session_peer_hear (
      &peer, "50 02 00 09 40 02 00 09 70 02 00 09 50 03 00 08 87");
  vigil_session_peer_assert_output (&peer, "62 03 00 09 92");
}

/* A flood of PUBRECs from a broker that does not read: reading stops, no
 * memory is taken, and all is answered in the end. */
static void
test_pubrec_flood (void)
{
  g_auto (VigilSessionPeer) peer;
  g_autofree char *output = NULL;
  unsigned sent = 0;

  vigil_session_peer_init (&peer, 4, 2);
  vigil_session_peer_begin (&peer);
  vigil_session_peer_accept (&peer);
  while (vigil_mqtt_session_wants_input (peer.session)) {
    vigil_session_peer_hear (&peer, "50 02 00 09 50 02 00 09 50 02 00 09");
    sent += 3;
    g_assert_cmpuint (sent, <, 10000);
  }
  output = vigil_session_peer_take (&peer, SIZE_MAX);
  g_assert_cmpuint ((strlen (output) + 1) / 12, ==, sent);
  g_assert_true (vigil_mqtt_session_wants_input (peer.session));
}

/* ---- Rejections ------------------------------------------------------------
 */

static void
test_rejected (void)
{
  g_auto (VigilSessionPeer) peer;

  vigil_session_peer_init (&peer, 5, 1);
  vigil_session_peer_begin (&peer);
  vigil_session_peer_accept (&peer);
  vigil_session_peer_publish (&peer, "a");
  vigil_session_peer_publish (&peer, "b");
  g_free (vigil_session_peer_take (&peer, SIZE_MAX));
  vigil_session_peer_hear (&peer, "40 03 00 01 87 40 03 00 02 10");
  vigil_session_peer_assert_log (&peer, "rejected acknowledged");
}

/* 5: 4.9: a failed PUBREC ends the handshake and frees its place. */
static void
test_rejected_pubrec (void)
{
  g_auto (VigilSessionPeer) peer;

  vigil_session_peer_init (&peer, 5, 2);
  vigil_session_peer_begin (&peer);
  vigil_session_peer_open (&peer);
  vigil_session_peer_hear (&peer, "20 06 00 00 03 21 00 01");
  vigil_session_peer_publish (&peer, "a");
  g_free (vigil_session_peer_take (&peer, SIZE_MAX));
  g_assert_cmpuint (vigil_mqtt_session_get_room (peer.session), ==, 0);
  vigil_session_peer_hear (&peer, "50 03 00 01 97");
  vigil_session_peer_assert_log (&peer, "rejected");
  vigil_session_peer_assert_output (&peer, "");
  g_assert_cmpuint (vigil_mqtt_session_get_room (peer.session), ==, 1);
}

/* ---- Keep-alive ------------------------------------------------------------
 */

static void
advance_to (VigilSessionPeer *self, int64_t now_us)
{
  self->now_us = now_us;
  g_assert_true (vigil_mqtt_session_tick (self->session, now_us, NULL));
}

static void
assert_dead (VigilSessionPeer *self, int64_t now_us)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (vigil_mqtt_session_tick (self->session, now_us - 1, NULL));
  g_assert_false (vigil_mqtt_session_tick (self->session, now_us, &error));
  g_assert_error (error, VIGIL_ERROR, VIGIL_ERROR_TIMEOUT);
}

/* 5: 3.1.2.10: a ping before the time is over, death at 1.5 times. */
static void
test_keep_alive (void)
{
  g_auto (VigilSessionPeer) peer;
  int64_t begin_us;

  vigil_session_peer_init (&peer, 4, 0);
  vigil_session_peer_begin (&peer);
  vigil_session_peer_accept (&peer);
  begin_us = peer.now_us;
  g_assert_cmpint (vigil_mqtt_session_get_deadline_us (peer.session), ==,
      begin_us + 9 * SECOND);
  advance_to (&peer, begin_us + 9 * SECOND - 1);
  vigil_session_peer_assert_output (&peer, "");
  advance_to (&peer, begin_us + 9 * SECOND);
  vigil_session_peer_assert_output (&peer, "c0 00");
  peer.now_us += SECOND;
  vigil_session_peer_hear (&peer, "d0 00");
  begin_us = peer.now_us;
  advance_to (&peer, begin_us + 9 * SECOND);
  vigil_session_peer_assert_output (&peer, "c0 00");
  g_assert_cmpint (vigil_mqtt_session_get_deadline_us (peer.session), ==,
      begin_us + 15 * SECOND);
  assert_dead (&peer, begin_us + 15 * SECOND);
}

/* One who only sends must hear something too: QoS 0 is no sign of life. */
static void
test_keep_alive_while_sending (void)
{
  g_auto (VigilSessionPeer) peer;
  int64_t begin_us;

  vigil_session_peer_init (&peer, 4, 0);
  vigil_session_peer_begin (&peer);
  vigil_session_peer_accept (&peer);
  begin_us = peer.now_us;
  for (unsigned i = 1; i < 9; i++) {
    advance_to (&peer, begin_us + i * SECOND);
    vigil_session_peer_publish (&peer, "a");
    g_free (vigil_session_peer_take (&peer, SIZE_MAX));
  }
  advance_to (&peer, begin_us + 9 * SECOND);
  vigil_session_peer_assert_output (&peer, "c0 00");
  assert_dead (&peer, begin_us + 15 * SECOND);
}

/* 5: 3.2.2.3.14 */
static void
test_server_keep_alive (void)
{
  g_auto (VigilSessionPeer) peer;

  vigil_session_peer_init (&peer, 5, 0);
  vigil_session_peer_begin (&peer);
  vigil_session_peer_open (&peer);
  vigil_session_peer_hear (&peer, "20 06 00 00 03 13 00 03");
  g_assert_cmpint (vigil_mqtt_session_get_deadline_us (peer.session), ==,
      peer.now_us + 27 * SECOND / 10);
}

/* 5: 3.2.2.3.14: 0 turns the broker's watch off, not ours. */
static void
test_server_keep_alive_off (void)
{
  g_auto (VigilSessionPeer) peer;

  vigil_session_peer_init (&peer, 5, 0);
  vigil_session_peer_begin (&peer);
  vigil_session_peer_open (&peer);
  vigil_session_peer_hear (&peer, "20 06 00 00 03 13 00 00");
  g_assert_cmpint (vigil_mqtt_session_get_deadline_us (peer.session), ==,
      peer.now_us + peer.options.keep_alive_s * 9 * SECOND / 10);
}

/* Before CONNACK there is nothing to end cleanly; a DISCONNECT in its place
 * is wrong, and its reason is told all the same. */
static void
test_disconnect_early (void)
{
  g_auto (VigilSessionPeer) peer;

  vigil_session_peer_init (&peer, 5, 0);
  vigil_session_peer_begin (&peer);
  vigil_session_peer_open (&peer);
  vigil_mqtt_session_disconnect (peer.session);
  vigil_session_peer_assert_output (&peer, "");
  vigil_session_peer_hear_wrong (&peer, "e0 01 8b", "shutting down");
}

/* Identifiers are 16 bits wide, and a message may need two. */
static void
test_wide_window (void)
{
  g_auto (VigilSessionPeer) peer;

  vigil_session_peer_init (&peer, 4, 1);
  peer.options.window = 1000000;
  vigil_session_peer_begin (&peer);
  vigil_session_peer_accept (&peer);
  g_assert_cmpuint (vigil_mqtt_session_get_room (peer.session), ==, 16384);
  vigil_mqtt_session_free (NULL);
}

/* A ping behind a large message on a slow link lives while bytes go. */
static void
test_keep_alive_slow_link (void)
{
  g_autofree char *payload = g_strnfill (3000, 'x');
  g_auto (VigilSessionPeer) peer;
  int64_t begin_us;

  vigil_session_peer_init (&peer, 4, 0);
  vigil_session_peer_begin (&peer);
  vigil_session_peer_accept (&peer);
  begin_us = peer.now_us;
  vigil_session_peer_publish (&peer, payload);
  for (unsigned i = 1; i <= 30; i++) {
    advance_to (&peer, begin_us + i * SECOND);
    g_free (vigil_session_peer_take (&peer, 50));
  }
  assert_dead (&peer, begin_us + 35 * SECOND);
}

/* A broker that takes nothing is dead, even if it talks all the time. */
static void
test_keep_alive_stuck (void)
{
  g_auto (VigilSessionPeer) peer;
  int64_t begin_us;

  vigil_session_peer_init (&peer, 4, 0);
  vigil_session_peer_begin (&peer);
  vigil_session_peer_accept (&peer);
  vigil_session_peer_publish (&peer, "a");
  begin_us = peer.now_us;
  for (unsigned i = 1; i < 15; i++) {
    advance_to (&peer, begin_us + i * SECOND);
    vigil_session_peer_hear (&peer, "d0 00");
  }
  assert_dead (&peer, begin_us + 15 * SECOND);
}

/* ---- The end ---------------------------------------------------------------
 */

/* After the packet that has begun, in place of those that have not. */
static void
test_disconnect (void)
{
  g_auto (VigilSessionPeer) peer;
  g_autofree char *part = NULL;

  vigil_session_peer_init (&peer, 5, 0);
  peer.options.status_topic = "s";
  vigil_session_peer_begin (&peer);
  vigil_session_peer_accept (&peer);
  g_free (vigil_session_peer_take (&peer, SIZE_MAX));
  vigil_session_peer_publish (&peer, "a");
  vigil_session_peer_publish (&peer, "b");
  part = vigil_session_peer_take (&peer, 3);
  vigil_mqtt_session_disconnect (peer.session);
  g_string_truncate (peer.log, 0);
  vigil_session_peer_assert_output (&peer,
      "01 74 00 61 31 2c 00 01 73 15 01 01 03 00 10 61 70 70 6c 69 63 61 74 "
      "69 6f 6e 2f 6a 73 6f 6e 7b 22 73 74 61 74 65 22 3a 22 6f 66 66 6c 69 "
      "6e 65 22 7d e0 00");
  vigil_session_peer_hear (&peer, "d0 00"); /* whatever comes now */
  vigil_mqtt_session_drop_all (peer.session, VIGIL_MQTT_DROP_STOPPED);
  vigil_session_peer_assert_log (&peer, "published dropped-stopped");
}

int
main (int argc, char **argv)
{
  vigil_fixture_init (&argc, &argv, 0);
  g_test_add_func (
      "/mqtt-session/nothing-before-connack", test_nothing_before_connack);
  g_test_add_func ("/mqtt-session/clean-start", test_clean_start);
  g_test_add_func ("/mqtt-session/assigned-client-id", test_assigned_client_id);
  g_test_add_func (
      "/mqtt-session/answered-before-asked", test_answered_before_asked);
  g_test_add_func ("/mqtt-session/refused", test_refused);
  g_test_add_func ("/mqtt-session/qos-0", test_qos_0);
  g_test_add_func ("/mqtt-session/qos-1", test_qos_1);
  g_test_add_func ("/mqtt-session/qos-2", test_qos_2);
  g_test_add_func (
      "/mqtt-session/acknowledged-before-sent", test_acknowledged_before_sent);
  g_test_add_func ("/mqtt-session/farewell", test_farewell);
  g_test_add_func ("/mqtt-session/unknown-pubrec", test_unknown_pubrec);
  g_test_add_func ("/mqtt-session/pubrec-flood", test_pubrec_flood);
  g_test_add_func ("/mqtt-session/rejected", test_rejected);
  g_test_add_func ("/mqtt-session/rejected-pubrec", test_rejected_pubrec);
  g_test_add_func ("/mqtt-session/keep-alive", test_keep_alive);
  g_test_add_func (
      "/mqtt-session/keep-alive-while-sending", test_keep_alive_while_sending);
  g_test_add_func ("/mqtt-session/server-keep-alive", test_server_keep_alive);
  g_test_add_func (
      "/mqtt-session/keep-alive-slow-link", test_keep_alive_slow_link);
  g_test_add_func ("/mqtt-session/keep-alive-stuck", test_keep_alive_stuck);
  g_test_add_func (
      "/mqtt-session/server-keep-alive-off", test_server_keep_alive_off);
  g_test_add_func ("/mqtt-session/disconnect", test_disconnect);
  g_test_add_func ("/mqtt-session/disconnect-early", test_disconnect_early);
  g_test_add_func ("/mqtt-session/wide-window", test_wide_window);
  for (unsigned i = 0; i < G_N_ELEMENTS (handshakes); i++) {
    g_autofree char *path =
        g_strdup_printf ("/mqtt-session/handshake/%s", handshakes[i].name);

    g_test_add_data_func (path, GUINT_TO_POINTER (i), test_wrong_handshake);
  }
  return g_test_run ();
}
