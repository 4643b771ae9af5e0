/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "mqtt/mqtt-tls.h"
#include "mqtt/mqtt-transport.h"

/*
 * TLS over TCP: connect also does the handshake, and what fails is put into
 * words. @tls: (transfer none), kept until close. @host: as configured, for
 * the check of the broker's certificate.
 * Returns: (transfer full): close frees it.
 */
VigilMqttTransport *vigil_mqtt_transport_new_tls (
    const VigilMqttSocketOptions *options, VigilMqttTls *tls, const char *host);
