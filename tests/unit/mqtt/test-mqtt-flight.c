/* SPDX-License-Identifier: Apache-2.0 */

/* Messages in flight: order, free places, packet identifiers. */

#include "mqtt/mqtt-flight.h"

#include "common/fixture.h"

static uint16_t
append (VigilMqttFlight *flight)
{
  const VigilMqttPublication publication = {.topic = "t"};
  const uint16_t number = vigil_mqtt_flight_append (
      flight, vigil_mqtt_message_new (&publication, 1), 0);

  g_assert_cmpuint (number, !=, VIGIL_MQTT_FLIGHT_NONE);
  return number;
}

static void
drop (VigilMqttFlight *flight, uint16_t number)
{
  vigil_mqtt_message_unref (vigil_mqtt_flight_remove (flight, number));
}

/* First, last and middle go in any order; the others stay in theirs. */
static void
test_order (void)
{
  const VigilMqttPublication publication = {.topic = "t"};
  g_autoptr (VigilMqttMessage) message =
      vigil_mqtt_message_new (&publication, 1);
  VigilMqttFlight flight;
  uint16_t numbers[4];

  vigil_mqtt_flight_init (&flight, 4, 0);
  for (unsigned i = 0; i < 4; i++)
    numbers[i] = append (&flight);
  g_assert_cmpuint (vigil_mqtt_flight_append (&flight, message, 0), ==,
      VIGIL_MQTT_FLIGHT_NONE);
  drop (&flight, numbers[1]);
  g_assert_cmpuint (flight.items[numbers[0]].next, ==, numbers[2]);
  drop (&flight, numbers[0]);
  g_assert_cmpuint (flight.first, ==, numbers[2]);
  drop (&flight, numbers[3]);
  g_assert_cmpuint (flight.last, ==, numbers[2]);
  numbers[0] = append (&flight);
  g_assert_cmpuint (flight.last, ==, numbers[0]);
  drop (&flight, numbers[2]);
  drop (&flight, numbers[0]);
  g_assert_cmpuint (flight.size, ==, 0);
  g_assert_cmpuint (flight.first, ==, VIGIL_MQTT_FLIGHT_NONE);
  vigil_mqtt_flight_clear (&flight);
}

/* 5: 2.2.1: from 1 to 65,535 and round again, past those in use; none when
 * all are. */
static void
test_identifiers (void)
{
  VigilMqttFlight flight;

  vigil_mqtt_flight_init (&flight, 1, 65534);
  g_assert_cmpuint (vigil_mqtt_flight_take_id (&flight), ==, 65534);
  g_assert_cmpuint (vigil_mqtt_flight_take_id (&flight), ==, 65535);
  g_assert_cmpuint (vigil_mqtt_flight_take_id (&flight), ==, 1);
  for (unsigned i = 2; i <= 65533; i++)
    g_assert_cmpuint (vigil_mqtt_flight_take_id (&flight), ==, i);
  g_assert_cmpuint (vigil_mqtt_flight_take_id (&flight), ==, 0);
  vigil_mqtt_flight_free_id (&flight, 0); /* none: nothing happens */
  vigil_mqtt_flight_free_id (&flight, 777);
  g_assert_cmpuint (vigil_mqtt_flight_take_id (&flight), ==, 777);
  vigil_mqtt_flight_clear (&flight);
}

static void
test_find (void)
{
  VigilMqttFlight flight;
  unsigned part = 9;
  uint16_t number;

  vigil_mqtt_flight_init (&flight, 2, 1);
  append (&flight);
  number = append (&flight);
  flight.items[number].parts[0].packet_id = vigil_mqtt_flight_take_id (&flight);
  g_assert_cmpuint (vigil_mqtt_flight_find (&flight, 1, &part), ==, number);
  g_assert_cmpuint (part, ==, 0);
  g_assert_cmpuint (
      vigil_mqtt_flight_find (&flight, 2, &part), ==, VIGIL_MQTT_FLIGHT_NONE);
  /* removing gives the identifier back */
  drop (&flight, number);
  g_assert_cmpuint (flight.used_ids[0], ==, 0);
  drop (&flight, flight.first);
  vigil_mqtt_flight_clear (&flight);
}

int
main (int argc, char **argv)
{
  vigil_fixture_init (&argc, &argv, 0);
  g_test_add_func ("/mqtt-flight/order", test_order);
  g_test_add_func ("/mqtt-flight/identifiers", test_identifiers);
  g_test_add_func ("/mqtt-flight/find", test_find);
  return g_test_run ();
}
