/* SPDX-License-Identifier: Apache-2.0 */

/* What becomes of messages: sent again, made smaller, given up. Byte for
 * byte, on an injected clock. Numbers are sections of MQTT 5.0 ("5:"). */

#include "mqtt/mqtt-session.h"

#include "common/fixture.h"
#include "common/session-peer.h"

#define SECOND G_USEC_PER_SEC

/* ---- Lost connections ------------------------------------------------------
 */

static void
lose (VigilSessionPeer *self)
{
  vigil_mqtt_session_close (self->session, FALSE, self->now_us);
}

/* Clean session: new identifier, DUP 0, same order: decision 11. */
static void
test_resend_clean (gconstpointer data)
{
  const int qos = GPOINTER_TO_INT (data);
  g_auto (VigilSessionPeer) peer;

  vigil_session_peer_init (&peer, 4, qos);
  vigil_session_peer_begin (&peer);
  vigil_session_peer_accept (&peer);
  vigil_session_peer_publish (&peer, "a");
  vigil_session_peer_publish (&peer, "b");
  g_free (vigil_session_peer_take (&peer, SIZE_MAX));
  if (qos == 2)
    vigil_session_peer_hear (
        &peer, "50 02 00 01"); /* received, not completed */
  lose (&peer);
  vigil_session_peer_assert_log (&peer, "");
  vigil_session_peer_accept (&peer);
  vigil_session_peer_assert_output (
      &peer, qos == 1 ? "32 06 00 01 74 00 03 61 32 06 00 01 74 00 04 62"
                      : "34 06 00 01 74 00 03 61 34 06 00 01 74 00 04 62");
  g_assert_cmpuint (vigil_mqtt_session_get_resent (peer.session), ==, 2);
  vigil_session_peer_publish (&peer, "c");
  vigil_session_peer_assert_output (
      &peer, qos == 1 ? "32 06 00 01 74 00 05 63" : "34 06 00 01 74 00 05 63");
}

/* Kept session: PUBREL in the order of the PUBRECs, PUBLISH with DUP 1 and
 * the same identifiers [MQTT-4.4.0-1], [MQTT-4.6.0-1, -4]. */
static void
test_resend_kept (gconstpointer data)
{
  const int protocol = GPOINTER_TO_INT (data);
  const char *connack = protocol == 5 ? "20 03 01 00 00" : "20 02 01 00";
  const char *empty = protocol == 5 ? "00 " : "";
  g_autofree char *want = NULL;
  g_auto (VigilSessionPeer) peer;

  vigil_session_peer_init (&peer, protocol, 2);
  peer.options.keep_session = TRUE;
  vigil_session_peer_begin (&peer);
  vigil_session_peer_accept (&peer);
  vigil_session_peer_publish (&peer, "a");
  vigil_session_peer_publish (&peer, "b");
  vigil_session_peer_publish (&peer, "c");
  g_free (vigil_session_peer_take (&peer, SIZE_MAX));
  vigil_session_peer_hear (&peer, "50 02 00 03 50 02 00 01");
  g_free (vigil_session_peer_take (&peer, SIZE_MAX));
  lose (&peer);
  vigil_session_peer_open (&peer);
  vigil_session_peer_hear (&peer, connack);
  want = g_strdup_printf ("62 02 00 03 62 02 00 01 3c %02x 00 01 74 00 02 %s62",
      protocol == 5 ? 7 : 6, empty);
  vigil_session_peer_assert_output (&peer, want);
  vigil_session_peer_hear (&peer, "70 02 00 01 70 02 00 03 50 02 00 02");
  vigil_session_peer_hear (&peer, "70 02 00 02");
  vigil_session_peer_assert_log (
      &peer, "acknowledged acknowledged acknowledged");
}

/* The broker has lost the kept session: all again, as new. */
static void
test_resend_session_gone (void)
{
  g_auto (VigilSessionPeer) peer;

  vigil_session_peer_init (&peer, 4, 2);
  peer.options.keep_session = TRUE;
  vigil_session_peer_begin (&peer);
  vigil_session_peer_accept (&peer);
  vigil_session_peer_publish (&peer, "a");
  vigil_session_peer_publish (&peer, "b");
  g_free (vigil_session_peer_take (&peer, SIZE_MAX));
  vigil_session_peer_hear (&peer, "50 02 00 01");
  lose (&peer);
  vigil_session_peer_accept (&peer);
  vigil_session_peer_assert_output (
      &peer, "34 06 00 01 74 00 03 61 34 06 00 01 74 00 04 62");
}

/* What never left us has no DUP when the session is resumed. */
static void
test_resend_unsent (void)
{
  g_auto (VigilSessionPeer) peer;
  g_autofree char *part = NULL;

  vigil_session_peer_init (&peer, 4, 1);
  peer.options.keep_session = TRUE;
  vigil_session_peer_begin (&peer);
  vigil_session_peer_accept (&peer);
  vigil_session_peer_publish (&peer, "a");
  vigil_session_peer_publish (&peer, "b");
  part = vigil_session_peer_take (&peer, 10);
  lose (&peer);
  vigil_session_peer_open (&peer);
  vigil_session_peer_hear (&peer, "20 02 01 00");
  vigil_session_peer_assert_output (
      &peer, "3a 06 00 01 74 00 01 61 32 06 00 01 74 00 02 62");
}

/* 5: 3.2.2.3.3: what comes again also waits for the quota. */
static void
test_resend_quota (void)
{
  g_auto (VigilSessionPeer) peer;

  vigil_session_peer_init (&peer, 5, 1);
  peer.options.keep_session = TRUE;
  vigil_session_peer_begin (&peer);
  vigil_session_peer_accept (&peer);
  vigil_session_peer_publish (&peer, "a");
  vigil_session_peer_publish (&peer, "b");
  g_free (vigil_session_peer_take (&peer, SIZE_MAX));
  lose (&peer);
  vigil_session_peer_open (&peer);
  vigil_session_peer_hear (&peer, "20 06 01 00 03 21 00 01");
  vigil_session_peer_assert_output (&peer, "3a 07 00 01 74 00 01 00 61");
  vigil_session_peer_hear (&peer, "40 02 00 01");
  vigil_session_peer_assert_output (&peer, "3a 07 00 01 74 00 02 00 62");
}

/* A broker that takes less QoS after its restart cannot finish an old
 * handshake; one with a smaller packet size cannot be sent the old PUBLISH. */
static void
test_resend_less (void)
{
  g_auto (VigilSessionPeer) peer;

  vigil_session_peer_init (&peer, 5, 2);
  peer.options.keep_session = TRUE;
  vigil_session_peer_begin (&peer);
  vigil_session_peer_accept (&peer);
  vigil_session_peer_publish (&peer, "a");
  g_free (vigil_session_peer_take (&peer, SIZE_MAX));
  lose (&peer);
  vigil_session_peer_open (&peer);
  vigil_session_peer_hear (&peer, "20 05 01 00 02 24 01");
  vigil_session_peer_assert_output (&peer, "32 07 00 01 74 00 01 00 61");
  lose (&peer);
  g_string_truncate (peer.log, 0);
  vigil_session_peer_open (&peer);
  vigil_session_peer_hear (&peer, "20 08 01 00 05 27 00 00 00 05");
  vigil_session_peer_assert_output (&peer, "");
  vigil_session_peer_assert_log (&peer, "dropped-oversize");
}

/* QoS 0 does not survive; with an offline queue, what was not written
 * whole does: it cannot have arrived. */
static void
test_qos_0_lost (void)
{
  g_auto (VigilSessionPeer) peer;
  g_auto (VigilSessionPeer) offline;
  g_autofree char *part = NULL;

  vigil_session_peer_init (&peer, 4, 0);
  vigil_session_peer_begin (&peer);
  vigil_session_peer_accept (&peer);
  vigil_session_peer_publish (&peer, "a");
  lose (&peer);
  vigil_session_peer_assert_log (&peer, "dropped-connection_lost");

  vigil_session_peer_init (&offline, 4, 0);
  offline.options.offline_queue = TRUE;
  vigil_session_peer_begin (&offline);
  vigil_session_peer_accept (&offline);
  vigil_session_peer_publish (&offline, "a");
  part = vigil_session_peer_take (&offline, 3);
  lose (&offline);
  vigil_session_peer_accept (&offline);
  vigil_session_peer_assert_output (&offline, "30 04 00 01 74 61");
  vigil_session_peer_assert_log (&offline, "published");
}

/* State machine rule 4. While it is under suspicion it travels alone. */
static void
test_poison (void)
{
  g_auto (VigilSessionPeer) peer;

  vigil_session_peer_init (&peer, 4, 1);
  vigil_session_peer_begin (&peer);
  vigil_session_peer_accept (&peer);
  vigil_session_peer_publish (&peer, "a");
  vigil_session_peer_publish (&peer, "b");
  g_free (vigil_session_peer_take (&peer, SIZE_MAX));
  vigil_mqtt_session_close (peer.session, TRUE, peer.now_us);
  vigil_session_peer_accept (&peer);
  vigil_session_peer_assert_output (&peer, "32 06 00 01 74 00 03 61");
  vigil_mqtt_session_close (peer.session, TRUE, peer.now_us);
  vigil_session_peer_accept (&peer);
  vigil_session_peer_assert_output (&peer, "32 06 00 01 74 00 04 61");
  vigil_session_peer_assert_log (&peer, "");
  vigil_mqtt_session_close (peer.session, TRUE, peer.now_us);
  vigil_session_peer_assert_log (&peer, "dropped-poison");
  vigil_session_peer_accept (&peer);
  vigil_session_peer_assert_output (&peer, "32 06 00 01 74 00 05 62");
}

/* A message of which no more than a part has ever gone counts too. */
static void
test_poison_in_part (void)
{
  g_auto (VigilSessionPeer) peer;

  vigil_session_peer_init (&peer, 4, 1);
  vigil_session_peer_begin (&peer);
  for (unsigned i = 0; i < 3; i++) {
    vigil_session_peer_accept (&peer);
    if (i == 0)
      vigil_session_peer_publish (&peer, "a");
    vigil_session_peer_assert_log (&peer, "");
    g_free (vigil_session_peer_take (&peer, 3));
    vigil_mqtt_session_close (peer.session, TRUE, peer.now_us);
  }
  vigil_session_peer_assert_log (&peer, "dropped-poison");
}

/* The same, but it was innocent: the next one goes at once. */
static void
test_suspicion_ends (void)
{
  g_auto (VigilSessionPeer) peer;

  vigil_session_peer_init (&peer, 4, 1);
  vigil_session_peer_begin (&peer);
  vigil_session_peer_accept (&peer);
  vigil_session_peer_publish (&peer, "a");
  vigil_session_peer_publish (&peer, "b");
  g_free (vigil_session_peer_take (&peer, SIZE_MAX));
  vigil_mqtt_session_close (peer.session, TRUE, peer.now_us);
  vigil_session_peer_accept (&peer);
  g_free (vigil_session_peer_take (&peer, SIZE_MAX));
  vigil_session_peer_hear (&peer, "40 02 00 03");
  vigil_session_peer_assert_output (&peer, "32 06 00 01 74 00 04 62");
}

/* An end for the broker's own reasons is nobody's fault: no strike. */
static void
check_blameless (const char *disconnect)
{
  g_auto (VigilSessionPeer) peer;

  vigil_session_peer_init (&peer, 5, 1);
  vigil_session_peer_begin (&peer);
  for (unsigned i = 0; i < 5; i++) {
    vigil_session_peer_accept (&peer);
    if (i == 0)
      vigil_session_peer_publish (&peer, "a");
    g_free (vigil_session_peer_take (&peer, SIZE_MAX));
    vigil_session_peer_hear_wrong (&peer, disconnect, "ended the connection");
    vigil_mqtt_session_close (peer.session, TRUE, peer.now_us);
  }
  vigil_session_peer_assert_log (&peer, "");
}

static void
test_blameless (void)
{
  /* busy, shutting down, keep alive, taken over, administrative action, use
   * another server, server moved */
  static const char *const packets[] = {"e0 01 89", "e0 01 8b", "e0 01 8d",
      "e0 01 8e", "e0 01 98", "e0 01 9c", "e0 01 9d"};

  for (unsigned i = 0; i < G_N_ELEMENTS (packets); i++)
    check_blameless (packets[i]);
}

/* ---- Sizes -----------------------------------------------------------------
 */

static VigilMqttMessage *
make_smaller (VigilMqttMessage *message, size_t limit_bytes, void *user_data)
{
  size_t *limit = user_data;

  *limit = limit_bytes;
  return vigil_session_peer_make_message ("s");
}

static VigilMqttMessage *
make_reducible (size_t size, size_t *limit)
{
  g_autofree char *payload = g_strnfill (size, 'x');
  VigilMqttMessage *message = vigil_session_peer_make_message (payload);

  vigil_mqtt_message_set_reduce (message, make_smaller, limit, NULL);
  return message;
}

/* 5: 3.2.2.3.6 */
static void
test_maximum_packet_size (void)
{
  g_auto (VigilSessionPeer) peer;
  size_t limit = 0;

  vigil_session_peer_init (&peer, 5, 1);
  vigil_session_peer_begin (&peer);
  vigil_session_peer_open (&peer);
  vigil_session_peer_hear (&peer, "20 08 00 00 05 27 00 00 00 0b");
  vigil_session_peer_publish (&peer, "abc"); /* 11 bytes: fits */
  vigil_session_peer_assert_output (&peer, "32 09 00 01 74 00 01 00 61 62 63");
  vigil_session_peer_publish (&peer, "abcd");
  vigil_session_peer_assert_log (&peer,
      "[messages over the broker's packet size are dropped] "
      "dropped-oversize");
  vigil_mqtt_session_take (
      peer.session, make_reducible (90, &limit), peer.now_us, peer.now_us);
  vigil_session_peer_assert_log (&peer, "reduced");
  vigil_session_peer_assert_output (&peer, "32 07 00 01 74 00 02 00 73");
}

/* Three connections lost on packets that are larger than any that arrived:
 * the broker's limit is learnt, for messages that can be made smaller. */
static void
test_learnt_size (void)
{
  g_auto (VigilSessionPeer) peer;
  size_t limit = 0;

  vigil_session_peer_init (&peer, 4, 0);
  vigil_session_peer_begin (&peer);
  for (unsigned i = 0; i < 3; i++) {
    vigil_session_peer_accept (&peer);
    vigil_mqtt_session_take (
        peer.session, make_reducible (9000, &limit), peer.now_us, peer.now_us);
    g_free (vigil_session_peer_take (&peer, 100));
    peer.now_us += SECOND / 10;
    vigil_mqtt_session_close (peer.session, TRUE, peer.now_us);
  }
  vigil_session_peer_assert_log (&peer,
      "dropped-connection_lost dropped-connection_lost "
      "dropped-connection_lost");
  vigil_session_peer_accept (&peer);
  vigil_mqtt_session_take (
      peer.session, make_reducible (9000, &limit), peer.now_us, peer.now_us);
  vigil_session_peer_assert_output (&peer, "30 04 00 01 74 73");
  vigil_session_peer_assert_log (&peer, "reduced published");
  g_assert_cmpuint (limit, >, 4000);
  g_assert_cmpuint (limit, <, 4600);
  /* it is tried again when the broker may have changed */
  peer.now_us += 601 * SECOND;
  vigil_mqtt_session_take (
      peer.session, make_reducible (100, &limit), peer.now_us, peer.now_us);
  g_free (vigil_session_peer_take (&peer, SIZE_MAX));
  vigil_session_peer_assert_log (&peer, "published");
}

/* ---- Two publications in one message ---------------------------------------
 */

static VigilMqttMessage *
make_pair (void)
{
  g_autoptr (GBytes) frame = g_bytes_new_static ("f", 1);
  g_autoptr (GBytes) data = g_bytes_new_static ("d", 1);
  const VigilMqttPublication publications[] = {
      {.topic = "t", .segments = {frame}},
      {.topic = "u", .segments = {data}},
  };

  return vigil_mqtt_message_new (publications, 2);
}

/* One outcome when both are done, also when one is rejected, also with a
 * quota of one. */
static void
test_pair (void)
{
  g_auto (VigilSessionPeer) peer;

  vigil_session_peer_init (&peer, 5, 1);
  vigil_session_peer_begin (&peer);
  vigil_session_peer_open (&peer);
  vigil_session_peer_hear (&peer, "20 06 00 00 03 21 00 01");
  vigil_mqtt_session_take (
      peer.session, make_pair (), peer.now_us, peer.now_us);
  vigil_session_peer_assert_output (&peer, "32 07 00 01 74 00 01 00 66");
  vigil_session_peer_hear (&peer, "40 02 00 01");
  vigil_session_peer_assert_log (&peer, "");
  vigil_session_peer_assert_output (&peer, "32 07 00 01 75 00 02 00 64");
  vigil_session_peer_hear (&peer, "40 02 00 02");
  vigil_session_peer_assert_log (&peer, "acknowledged");
  vigil_mqtt_session_take (
      peer.session, make_pair (), peer.now_us, peer.now_us);
  g_free (vigil_session_peer_take (&peer, SIZE_MAX));
  vigil_session_peer_hear (&peer, "40 03 00 03 97");
  g_free (vigil_session_peer_take (&peer, SIZE_MAX));
  vigil_session_peer_hear (&peer, "40 02 00 04");
  vigil_session_peer_assert_log (&peer, "rejected");
}

/* A loss between the two: only the second goes again. */
static void
test_pair_lost (void)
{
  g_auto (VigilSessionPeer) peer;

  vigil_session_peer_init (&peer, 4, 1);
  vigil_session_peer_begin (&peer);
  vigil_session_peer_accept (&peer);
  vigil_mqtt_session_take (
      peer.session, make_pair (), peer.now_us, peer.now_us);
  g_free (vigil_session_peer_take (&peer, SIZE_MAX));
  vigil_session_peer_hear (&peer, "40 02 00 01");
  lose (&peer);
  vigil_session_peer_accept (&peer);
  vigil_session_peer_assert_output (&peer, "32 06 00 01 75 00 03 64");
}

/* What nothing will replace at its topic is not retained. */
static void
test_pair_retained (void)
{
  g_autoptr (GBytes) bytes = g_bytes_new_static ("f", 1);
  const VigilMqttPublication publications[] = {
      {.topic = "t", .segments = {bytes}, .is_once = TRUE},
      {.topic = "u", .segments = {bytes}},
  };
  g_auto (VigilSessionPeer) peer;

  vigil_session_peer_init (&peer, 4, 0);
  peer.options.retain = TRUE;
  vigil_session_peer_begin (&peer);
  vigil_session_peer_accept (&peer);
  vigil_mqtt_session_take (peer.session,
      vigil_mqtt_message_new (publications, 2), peer.now_us, peer.now_us);
  vigil_session_peer_assert_output (
      &peer, "30 04 00 01 74 66 31 04 00 01 75 66");
}

/* The broker has come back with a limit that the second one is over: then
 * the first one does not go again either. */
static void
test_pair_limited (void)
{
  g_autoptr (GBytes) small = g_bytes_new_static ("f", 1);
  g_autoptr (GBytes) large = g_bytes_new_static ("0123456789", 10);
  const VigilMqttPublication publications[] = {
      {.topic = "t", .segments = {small}},
      {.topic = "u", .segments = {large}},
  };
  g_auto (VigilSessionPeer) peer;

  vigil_session_peer_init (&peer, 5, 1);
  peer.options.keep_session = TRUE;
  vigil_session_peer_begin (&peer);
  vigil_session_peer_accept (&peer);
  vigil_mqtt_session_take (peer.session,
      vigil_mqtt_message_new (publications, 2), peer.now_us, peer.now_us);
  g_free (vigil_session_peer_take (&peer, SIZE_MAX));
  lose (&peer);
  vigil_session_peer_open (&peer);
  vigil_session_peer_hear (&peer, "20 08 01 00 05 27 00 00 00 0c");
  vigil_session_peer_assert_log (&peer, "dropped-oversize");
  vigil_session_peer_assert_output (&peer, "");
}

/* 5: 3.3.2.3.3: what is left of the expiry. */
static void
test_expiry (void)
{
  const VigilMqttPublication publication = {.topic = "t", .expiry_s = 10};
  g_auto (VigilSessionPeer) peer;

  vigil_session_peer_init (&peer, 5, 0);
  vigil_session_peer_begin (&peer);
  vigil_session_peer_accept (&peer);
  vigil_mqtt_session_take (peer.session,
      vigil_mqtt_message_new (&publication, 1), peer.now_us - 4 * SECOND,
      peer.now_us);
  vigil_mqtt_session_take (peer.session,
      vigil_mqtt_message_new (&publication, 1), peer.now_us - 40 * SECOND,
      peer.now_us);
  vigil_session_peer_assert_output (&peer, "30 09 00 01 74 05 02 00 00 00 06 "
                                           "30 09 00 01 74 05 02 00 00 00 01");
}

int
main (int argc, char **argv)
{
  vigil_fixture_init (&argc, &argv, 0);
  g_test_add_func (
      "/mqtt-sender/resend/session-gone", test_resend_session_gone);
  g_test_add_func ("/mqtt-sender/resend/unsent", test_resend_unsent);
  g_test_add_func ("/mqtt-sender/resend/quota", test_resend_quota);
  g_test_add_func ("/mqtt-sender/resend/less", test_resend_less);
  g_test_add_func ("/mqtt-sender/qos-0-lost", test_qos_0_lost);
  g_test_add_func ("/mqtt-sender/poison", test_poison);
  g_test_add_func ("/mqtt-sender/poison-in-part", test_poison_in_part);
  g_test_add_func ("/mqtt-sender/suspicion-ends", test_suspicion_ends);
  g_test_add_func ("/mqtt-sender/blameless", test_blameless);
  g_test_add_func (
      "/mqtt-sender/maximum-packet-size", test_maximum_packet_size);
  g_test_add_func ("/mqtt-sender/learnt-size", test_learnt_size);
  g_test_add_func ("/mqtt-sender/pair", test_pair);
  g_test_add_func ("/mqtt-sender/pair-lost", test_pair_lost);
  g_test_add_func ("/mqtt-sender/pair-retained", test_pair_retained);
  g_test_add_func ("/mqtt-sender/pair-limited", test_pair_limited);
  g_test_add_func ("/mqtt-sender/expiry", test_expiry);
  for (int i = 1; i <= 2; i++) {
    g_autofree char *path = g_strdup_printf ("/mqtt-sender/resend/clean-%d", i);

    g_test_add_data_func (path, GINT_TO_POINTER (i), test_resend_clean);
  }
  for (int i = 4; i <= 5; i++) {
    g_autofree char *path = g_strdup_printf ("/mqtt-sender/resend/kept-%d", i);

    g_test_add_data_func (path, GINT_TO_POINTER (i), test_resend_kept);
  }
  return g_test_run ();
}
