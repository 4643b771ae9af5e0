/* SPDX-License-Identifier: Apache-2.0 */

/* Learning what packet size a broker does not take. */

#include "mqtt/mqtt-limits.h"

#include "common/fixture.h"

#define SECOND G_USEC_PER_SEC

/* Three losses in a row, soon after a larger packet than any that arrived. */
static void
test_learns (void)
{
  VigilMqttLimits limits = {0};

  vigil_mqtt_limits_sent (&limits, 2000, 0);
  vigil_mqtt_limits_proved (&limits, 2000);
  for (unsigned i = 0; i < 3; i++) {
    g_assert_cmpuint (vigil_mqtt_limits_get (&limits, i), ==, 0);
    vigil_mqtt_limits_sent (&limits, 1000, i); /* known to be fine */
    vigil_mqtt_limits_sent (&limits, 9000 + i, i);
    g_assert_cmpint (vigil_mqtt_limits_lost (&limits, TRUE, i), ==, i == 2);
  }
  g_assert_cmpuint (vigil_mqtt_limits_get (&limits, 3), ==, 4500);
  g_assert_cmpuint (vigil_mqtt_limits_get (&limits, 601 * SECOND), ==, 0);
}

/* A connection that lived on, an answered ping, an end that was ours, and
 * packets that no broker would refuse: none of them is a sign. */
static void
test_innocent (void)
{
  VigilMqttLimits limits = {0};

  for (unsigned i = 0; i < 5; i++) {
    vigil_mqtt_limits_sent (&limits, 9000 + i, 10 * i * SECOND);
    g_assert_false (
        vigil_mqtt_limits_lost (&limits, TRUE, 10 * i * SECOND + 3 * SECOND));
  }
  limits = (VigilMqttLimits){0};
  for (unsigned i = 0; i < 5; i++) {
    vigil_mqtt_limits_sent (&limits, 9000 + i, i);
    vigil_mqtt_limits_pinged (&limits, i);
    g_assert_false (vigil_mqtt_limits_lost (&limits, TRUE, i));
  }
  limits = (VigilMqttLimits){0};
  for (unsigned i = 0; i < 5; i++) {
    vigil_mqtt_limits_sent (&limits, 9000, i);
    vigil_mqtt_limits_pinged (&limits, (int64_t)i - 1); /* sent before it */
    g_assert_false (vigil_mqtt_limits_lost (&limits, FALSE, i));
  }
  for (unsigned i = 0; i < 5; i++) {
    vigil_mqtt_limits_sent (&limits, 1000, i);
    g_assert_false (vigil_mqtt_limits_lost (&limits, TRUE, i));
  }
  vigil_mqtt_limits_pinged (&limits, 0);
  g_assert_cmpuint (vigil_mqtt_limits_get (&limits, 0), ==, 0);
}

/* The smallest of the suspects counts; the limit never falls below what
 * every broker takes. */
static void
test_smallest (void)
{
  VigilMqttLimits limits = {0};
  const size_t sizes[] = {5000, 1500, 3000};

  for (unsigned i = 0; i < 3; i++) {
    vigil_mqtt_limits_sent (&limits, sizes[i], i);
    vigil_mqtt_limits_lost (&limits, TRUE, i);
  }
  g_assert_cmpuint (vigil_mqtt_limits_get (&limits, 3), ==, 1024);
}

int
main (int argc, char **argv)
{
  vigil_fixture_init (&argc, &argv, 0);
  g_test_add_func ("/mqtt-limits/learns", test_learns);
  g_test_add_func ("/mqtt-limits/innocent", test_innocent);
  g_test_add_func ("/mqtt-limits/smallest", test_smallest);
  return g_test_run ();
}
