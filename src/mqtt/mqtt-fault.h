/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <stdint.h>

/*
 * What can be wrong between us and a broker, in words: one row each, with
 * what happened and what to do. The program's texts and
 * docs/error-catalogue.md come from the same table.
 */
typedef enum {
  /* The settings. */
  VIGIL_MQTT_FAULT_FILE,
  VIGIL_MQTT_FAULT_NO_CERTIFICATE,
  VIGIL_MQTT_FAULT_NO_KEY,
  VIGIL_MQTT_FAULT_NO_CRL,
  VIGIL_MQTT_FAULT_KEY_ENCRYPTED,
  VIGIL_MQTT_FAULT_KEY_PASSPHRASE,
  VIGIL_MQTT_FAULT_KEY_MISMATCH,
  VIGIL_MQTT_FAULT_KEY_ALONE,
  VIGIL_MQTT_FAULT_CERTIFICATE_WEAK,
  VIGIL_MQTT_FAULT_SETTING,
  VIGIL_MQTT_FAULT_LIBRARY,
  /* On the way to the broker. */
  VIGIL_MQTT_FAULT_LOOKUP,
  VIGIL_MQTT_FAULT_LOOKUP_SILENT,
  VIGIL_MQTT_FAULT_NO_LISTENER,
  VIGIL_MQTT_FAULT_UNREACHABLE,
  VIGIL_MQTT_FAULT_NO_ANSWER,
  VIGIL_MQTT_FAULT_SILENT,
  VIGIL_MQTT_FAULT_CLOSED_UNANSWERED,
  VIGIL_MQTT_FAULT_PLAIN_TO_TLS,
  VIGIL_MQTT_FAULT_NOT_MQTT,
  /* What the broker says or does. */
  VIGIL_MQTT_FAULT_REFUSED_USER,
  VIGIL_MQTT_FAULT_REFUSED_CLIENT_ID,
  VIGIL_MQTT_FAULT_REFUSED_VERSION,
  VIGIL_MQTT_FAULT_REFUSED_BUSY,
  VIGIL_MQTT_FAULT_REFUSED_MOVED,
  VIGIL_MQTT_FAULT_REFUSED,
  VIGIL_MQTT_FAULT_REJECTED_ACCESS,
  VIGIL_MQTT_FAULT_REJECTED,
  VIGIL_MQTT_FAULT_TAKEN_OVER,
  VIGIL_MQTT_FAULT_ENDED,
  VIGIL_MQTT_FAULT_PROTOCOL,
  VIGIL_MQTT_FAULT_CLOSED,
  VIGIL_MQTT_FAULT_LOST,
  VIGIL_MQTT_FAULT_FROZEN,
  /* The broker's certificate, refused by us. */
  VIGIL_MQTT_FAULT_EXPIRED,
  VIGIL_MQTT_FAULT_NOT_YET_VALID,
  VIGIL_MQTT_FAULT_WRONG_HOST,
  VIGIL_MQTT_FAULT_NO_ALTERNATIVE_NAME,
  VIGIL_MQTT_FAULT_UNKNOWN_CA,
  VIGIL_MQTT_FAULT_SELF_SIGNED,
  VIGIL_MQTT_FAULT_SIGNATURE,
  VIGIL_MQTT_FAULT_REVOKED,
  VIGIL_MQTT_FAULT_CRL_MISSING,
  VIGIL_MQTT_FAULT_CRL_EXPIRED,
  VIGIL_MQTT_FAULT_WEAK,
  VIGIL_MQTT_FAULT_PURPOSE,
  VIGIL_MQTT_FAULT_CHAIN,
  VIGIL_MQTT_FAULT_CERTIFICATE_OTHER,
  /* Ours, refused by the broker: its alert. */
  VIGIL_MQTT_FAULT_CLIENT_REQUIRED,
  VIGIL_MQTT_FAULT_CLIENT_EXPIRED,
  VIGIL_MQTT_FAULT_CLIENT_REVOKED,
  VIGIL_MQTT_FAULT_CLIENT_UNKNOWN_CA,
  VIGIL_MQTT_FAULT_CLIENT_REFUSED,
  VIGIL_MQTT_FAULT_VERSION,
  VIGIL_MQTT_FAULT_HANDSHAKE,
  VIGIL_MQTT_FAULT_NAME_UNKNOWN,
  VIGIL_MQTT_FAULT_ALPN,
  VIGIL_MQTT_FAULT_BROKER_INTERNAL,
  VIGIL_MQTT_FAULT_ALERT_OTHER,
  /* TLS on the wire. */
  VIGIL_MQTT_FAULT_NOT_TLS,
  VIGIL_MQTT_FAULT_CLOSED_IN_HANDSHAKE,
  VIGIL_MQTT_FAULT_HANDSHAKE_TIMEOUT,
  VIGIL_MQTT_FAULT_RECORD,
  VIGIL_MQTT_FAULT_TLS_OTHER,
  VIGIL_MQTT_FAULTS, /* their number */
} VigilMqttFaultId;

typedef struct {
  const char *name;   /* stable word for people who search */
  int error_code;     /* VigilErrorCode */
  const char *text;   /* what happened */
  const char *advice; /* what to do */
} VigilMqttFault;

/* Returns: (transfer none) the row of @id, which must be in range. */
const VigilMqttFault *vigil_mqtt_fault_get (VigilMqttFaultId id);

/* Returns: (transfer full) "text (detail): advice"; @detail may be NULL.
 * Control characters in it are replaced. */
char *vigil_mqtt_fault_dup_text (VigilMqttFaultId id, const char *detail);

/* Sets @error to that text. Returns: FALSE, to return at once. */
gboolean vigil_mqtt_fault_set_error (
    GError **error, VigilMqttFaultId id, const char *detail);

/* From what OpenSSL names: a verification result (X509_V_ERR_*), the number
 * of a received alert, a reason code (SSL_R_*). */
VigilMqttFaultId vigil_mqtt_fault_from_verify (int code);
VigilMqttFaultId vigil_mqtt_fault_from_alert (int alert);
VigilMqttFaultId vigil_mqtt_fault_from_reason (int reason);

/* From the errno with which connect ended. */
VigilMqttFaultId vigil_mqtt_fault_from_connect (int code);

/* From what the broker answers: a return code of CONNACK in 3.1 and 3.1.1,
 * or a reason code of CONNACK, of PUBACK and PUBREC, of DISCONNECT. */
VigilMqttFaultId vigil_mqtt_fault_from_connack (int code);
VigilMqttFaultId vigil_mqtt_fault_from_puback (int code);
VigilMqttFaultId vigil_mqtt_fault_from_disconnect (int code);

/*
 * TRUE when @bytes, the first that came over a plain connection, are a TLS
 * record: the port wants TLS. FALSE while too few have come to tell.
 */
gboolean vigil_mqtt_fault_is_tls_record (const void *bytes, size_t length);

/* TRUE when @byte may be the first of a broker's first packet. */
gboolean vigil_mqtt_fault_is_mqtt_answer (uint8_t byte);

/* Appends the table as Markdown, in parts with headings. */
void vigil_mqtt_fault_to_markdown (GString *text);
