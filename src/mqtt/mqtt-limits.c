/* SPDX-License-Identifier: Apache-2.0 */

/* Learns what packet size a broker does not take. */

#include "mqtt/mqtt-limits.h"

/* A broker that refuses a packet for its size does so when it has read the
 * header: a connection that lived this long did not die of it. */
#define SUSPICION_US (2 * G_USEC_PER_SEC)

#define LOSSES_TO_LEARN 3

/* No broker's limit is below this: such losses have other causes. */
#define SMALLEST_LIMIT 1024

/* After this the broker may have been reconfigured: try again. */
#define LIMIT_LIFETIME_US (600 * G_USEC_PER_SEC)

static void
settle (VigilMqttLimits *self, int64_t now_us)
{
  if (self->suspect > 0 && now_us - self->suspect_us >= SUSPICION_US)
    vigil_mqtt_limits_proved (self, self->suspect);
}

void
vigil_mqtt_limits_sent (VigilMqttLimits *self, size_t size, int64_t now_us)
{
  settle (self, now_us);
  if (self->suspect == 0 && size > self->proven) {
    self->suspect = size;
    self->suspect_us = now_us;
  }
}

void
vigil_mqtt_limits_proved (VigilMqttLimits *self, size_t size)
{
  self->proven = MAX (self->proven, size);
  if (self->suspect <= self->proven)
    self->suspect = 0;
}

void
vigil_mqtt_limits_pinged (VigilMqttLimits *self, int64_t ping_us)
{
  if (self->suspect > 0 && self->suspect_us <= ping_us)
    vigil_mqtt_limits_proved (self, self->suspect);
}

gboolean
vigil_mqtt_limits_lost (VigilMqttLimits *self, gboolean is_peer, int64_t now_us)
{
  settle (self, now_us);
  if (!is_peer || self->suspect < SMALLEST_LIMIT) {
    self->losses = 0;
    self->suspect = 0;
    return FALSE;
  }
  self->smallest_suspect = self->losses == 0
                               ? self->suspect
                               : MIN (self->smallest_suspect, self->suspect);
  self->suspect = 0;
  self->losses++;
  if (self->losses < LOSSES_TO_LEARN)
    return FALSE;
  self->losses = 0;
  self->limit = MAX (self->smallest_suspect / 2, SMALLEST_LIMIT);
  self->limit_until_us = now_us + LIMIT_LIFETIME_US;
  return TRUE;
}

size_t
vigil_mqtt_limits_get (const VigilMqttLimits *self, int64_t now_us)
{
  return now_us < self->limit_until_us ? self->limit : 0;
}
