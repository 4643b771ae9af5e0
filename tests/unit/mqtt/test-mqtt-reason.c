/* SPDX-License-Identifier: Apache-2.0 */

/* Reason codes in words. */

#include "mqtt/mqtt-reason.h"

#include "common/fixture.h"
#include <string.h>

static VigilMqttText
make_text (const char *text)
{
  return (VigilMqttText){text, strlen (text)};
}

static void
test_text (void)
{
  static const struct {
    int protocol;
    uint8_t reason;
    const char *words;  /* of the broker */
    const char *server; /* that it names */
    const char *want;
  } rows[] = {
      {3, 2, "", "", "client identifier rejected, code 2"},
      {4, 5, "", "", "not authorized, code 5"},
      {4, 200, "", "", "reason not known, code 200"},
      {5, 0x87, "", "", "not authorized, code 0x87"},
      {5, 0xfe, "", "", "reason not known, code 0xfe"},
      {5, 0x97, "too much", "", "quota exceeded, code 0x97: 'too much'"},
      {5, 0x9c, "", "h:1",
          "use another server, code 0x9c; it names 'h:1', which is not "
          "followed"},
      {5, 0x87, "a\nb'c\x1b[1m", "", "not authorized, code 0x87: 'a?b?c?[1m'"},
  };

  for (unsigned i = 0; i < G_N_ELEMENTS (rows); i++) {
    const VigilMqttPacket packet = {
        .reason = rows[i].reason,
        .reason_string = make_text (rows[i].words),
        .server_reference = make_text (rows[i].server),
    };
    g_autofree char *text =
        vigil_mqtt_reason_to_text (rows[i].protocol, &packet);

    g_assert_cmpstr (text, ==, rows[i].want);
  }
}

/* Cut between characters; C1 controls are controls too. */
static void
test_escape (void)
{
  const VigilMqttText umlauts = make_text ("\xc3\xa4\xc3\xb6\xc3\xbc");
  const VigilMqttText control = make_text ("a\xc2\x9b"
                                           "b");
  const VigilMqttText nothing = {NULL, 0};
  g_autofree char *cut = vigil_mqtt_reason_escape (&umlauts, 5);
  g_autofree char *whole = vigil_mqtt_reason_escape (&umlauts, 6);
  g_autofree char *escaped = vigil_mqtt_reason_escape (&control, 99);
  g_autofree char *empty = vigil_mqtt_reason_escape (&nothing, 99);

  g_assert_cmpstr (cut, ==, "\xc3\xa4\xc3\xb6");
  g_assert_cmpstr (whole, ==, umlauts.data);
  g_assert_cmpstr (escaped, ==, "a?b");
  g_assert_cmpstr (empty, ==, "");
}

int
main (int argc, char **argv)
{
  vigil_fixture_init (&argc, &argv, 0);
  g_test_add_func ("/mqtt-reason/text", test_text);
  g_test_add_func ("/mqtt-reason/escape", test_escape);
  return g_test_run ();
}
