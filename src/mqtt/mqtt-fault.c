/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of what goes wrong with a broker, in words, and the look-ups
 * from MQTT's and OpenSSL's numbers into it.
 */
#include "mqtt/mqtt-fault.h"

#include "base/error.h"

#include <errno.h>
#include <openssl/ssl.h>
#include <string.h>

static const VigilMqttFault faults[VIGIL_MQTT_FAULTS] = {
    [VIGIL_MQTT_FAULT_FILE] = {"file", VIGIL_ERROR_INVALID,
        "a file that the tls settings name cannot be used",
        "correct the path, or make the file readable"},
    [VIGIL_MQTT_FAULT_NO_CERTIFICATE] = {"no-certificate", VIGIL_ERROR_INVALID,
        "there is no certificate in the file",
        "want PEM; convert DER with 'openssl x509 -inform der'"},
    [VIGIL_MQTT_FAULT_NO_KEY] = {"no-key", VIGIL_ERROR_INVALID,
        "there is no private key in the file",
        "want a PEM private key, not a certificate or public key"},
    [VIGIL_MQTT_FAULT_NO_CRL] = {"no-crl", VIGIL_ERROR_INVALID,
        "there is no revocation list in the file",
        "want PEM; convert DER with 'openssl crl -inform der'"},
    [VIGIL_MQTT_FAULT_KEY_ENCRYPTED] = {"key-encrypted", VIGIL_ERROR_INVALID,
        "the client key is encrypted", "set key_password_file"},
    [VIGIL_MQTT_FAULT_KEY_PASSPHRASE] = {"key-passphrase", VIGIL_ERROR_INVALID,
        "the pass-phrase does not open the client key",
        "correct key_password_file, or client_key"},
    [VIGIL_MQTT_FAULT_KEY_MISMATCH] = {"key-mismatch", VIGIL_ERROR_INVALID,
        "the client key does not belong to the client certificate",
        "set client_key and client_cert to files made together"},
    [VIGIL_MQTT_FAULT_KEY_ALONE] = {"key-alone", VIGIL_ERROR_INVALID,
        "a client certificate and its key are only of use together",
        "set both client_cert and client_key, or neither"},
    [VIGIL_MQTT_FAULT_CERTIFICATE_WEAK] = {"certificate-weak",
        VIGIL_ERROR_INVALID, "the certificate is too weak for today's OpenSSL",
        "make one with RSA 2048 or EC P-256 and SHA-256"},
    [VIGIL_MQTT_FAULT_SETTING] = {"setting", VIGIL_ERROR_INVALID,
        "a tls setting has no meaning", "correct it"},
    [VIGIL_MQTT_FAULT_LIBRARY] = {"library", VIGIL_ERROR_FAILED,
        "OpenSSL could not be set up",
        "look at memory and at the system's openssl.cnf"},
    [VIGIL_MQTT_FAULT_LOOKUP] = {"lookup", VIGIL_ERROR_UNAVAILABLE,
        "the name of the broker's machine is not found",
        "correct host, or look at this machine's name servers"},
    [VIGIL_MQTT_FAULT_LOOKUP_SILENT] = {"lookup-silent",
        VIGIL_ERROR_UNAVAILABLE, "the name servers do not answer",
        "look at this machine's network and its name servers"},
    [VIGIL_MQTT_FAULT_NO_LISTENER] = {"no-listener", VIGIL_ERROR_UNAVAILABLE,
        "no broker listens there", "start it, or correct host and port"},
    [VIGIL_MQTT_FAULT_UNREACHABLE] = {"unreachable", VIGIL_ERROR_UNAVAILABLE,
        "the broker cannot be reached", "correct host, or look at the network"},
    [VIGIL_MQTT_FAULT_NO_ANSWER] = {"no-answer", VIGIL_ERROR_TIMEOUT,
        "no answer to the attempt to connect",
        "its machine may be off, or a firewall between; check host and port"},
    [VIGIL_MQTT_FAULT_SILENT] = {"silent", VIGIL_ERROR_TIMEOUT,
        "the broker accepted the connection and said nothing",
        "it hangs, or the port is not one for MQTT; see its log"},
    [VIGIL_MQTT_FAULT_CLOSED_UNANSWERED] = {"closed-unanswered",
        VIGIL_ERROR_UNAVAILABLE,
        "the broker closed the connection without an answer",
        "a TLS port does that to a client without tls, a full broker too; see "
        "its log"},
    [VIGIL_MQTT_FAULT_PLAIN_TO_TLS] = {"plain-to-tls", VIGIL_ERROR_PROTOCOL,
        "the broker speaks TLS on this port",
        "add tls to mqtt_publisher, or use its plain port (1883)"},
    [VIGIL_MQTT_FAULT_NOT_MQTT] = {"not-mqtt", VIGIL_ERROR_PROTOCOL,
        "what answers there is no MQTT broker", "correct host and port"},
    [VIGIL_MQTT_FAULT_REFUSED_USER] = {"refused-user", VIGIL_ERROR_UNAVAILABLE,
        "the broker refused the connection",
        "correct username and password, or make them known to the broker"},
    [VIGIL_MQTT_FAULT_REFUSED_CLIENT_ID] = {"refused-client-id",
        VIGIL_ERROR_UNAVAILABLE, "the broker refused the connection",
        "set client_id to one that it takes, or leave it out"},
    [VIGIL_MQTT_FAULT_REFUSED_VERSION] = {"refused-version",
        VIGIL_ERROR_UNAVAILABLE, "the broker refused the connection",
        "set protocol to a version that it speaks: 3, 4 or 5"},
    [VIGIL_MQTT_FAULT_REFUSED_BUSY] = {"refused-busy", VIGIL_ERROR_UNAVAILABLE,
        "the broker refused the connection",
        "it has too much to do or is not ready; see its log"},
    [VIGIL_MQTT_FAULT_REFUSED_MOVED] = {"refused-moved",
        VIGIL_ERROR_UNAVAILABLE, "the broker refused the connection",
        "set host to the broker that took over"},
    [VIGIL_MQTT_FAULT_REFUSED] = {"refused", VIGIL_ERROR_UNAVAILABLE,
        "the broker refused the connection", "see its log"},
    [VIGIL_MQTT_FAULT_REJECTED_ACCESS] = {"rejected-access",
        VIGIL_ERROR_UNAVAILABLE, "the broker rejects messages",
        "let this user write to the topic, in the broker's access list"},
    [VIGIL_MQTT_FAULT_REJECTED] = {"rejected", VIGIL_ERROR_UNAVAILABLE,
        "the broker rejects messages",
        "see its log; check topic, and its limits"},
    [VIGIL_MQTT_FAULT_TAKEN_OVER] = {"taken-over", VIGIL_ERROR_UNAVAILABLE,
        "the broker ended the connection",
        "give each client a client_id of its own"},
    [VIGIL_MQTT_FAULT_ENDED] = {"ended", VIGIL_ERROR_UNAVAILABLE,
        "the broker ended the connection", "see its log"},
    [VIGIL_MQTT_FAULT_PROTOCOL] = {"protocol", VIGIL_ERROR_PROTOCOL,
        "the broker breaks the rules of MQTT",
        "see its log and version; something between may change the bytes"},
    [VIGIL_MQTT_FAULT_CLOSED] = {"closed", VIGIL_ERROR_UNAVAILABLE,
        "the broker closed the connection",
        "it was stopped, or did not like a message; see its log"},
    [VIGIL_MQTT_FAULT_LOST] = {"lost", VIGIL_ERROR_UNAVAILABLE,
        "the connection to the broker was lost",
        "if it comes again, look at the network and at the broker's log"},
    [VIGIL_MQTT_FAULT_FROZEN] = {"frozen", VIGIL_ERROR_TIMEOUT,
        "the broker has not answered",
        "it hangs, or the network is interrupted"},
    [VIGIL_MQTT_FAULT_EXPIRED] = {"expired", VIGIL_ERROR_UNAVAILABLE,
        "the broker's certificate has expired",
        "renew it and restart the broker; check this machine's clock"},
    [VIGIL_MQTT_FAULT_NOT_YET_VALID] = {"not-yet-valid",
        VIGIL_ERROR_UNAVAILABLE, "the broker's certificate is not valid yet",
        "check the clocks of this machine and of the one that made it"},
    [VIGIL_MQTT_FAULT_WRONG_HOST] = {"wrong-host", VIGIL_ERROR_UNAVAILABLE,
        "the broker's certificate is for another host",
        "set host to a name it has, or make one with this name"},
    [VIGIL_MQTT_FAULT_NO_ALTERNATIVE_NAME] = {"no-alternative-name",
        VIGIL_ERROR_UNAVAILABLE,
        "the broker's certificate has no subjectAltName",
        "make one with subjectAltName=DNS:NAME or IP:ADDRESS"},
    [VIGIL_MQTT_FAULT_UNKNOWN_CA] = {"unknown-ca", VIGIL_ERROR_UNAVAILABLE,
        "the broker's certificate is not signed by a CA we trust",
        "set ca_cert to the CA that signed it"},
    [VIGIL_MQTT_FAULT_SELF_SIGNED] = {"self-signed", VIGIL_ERROR_UNAVAILABLE,
        "the broker's certificate is self-signed",
        "set ca_cert to it if you trust it, or have a CA sign one"},
    [VIGIL_MQTT_FAULT_SIGNATURE] = {"signature", VIGIL_ERROR_UNAVAILABLE,
        "the signature of the broker's certificate is wrong",
        "ca_cert may be another CA of the same name"},
    [VIGIL_MQTT_FAULT_REVOKED] = {"revoked", VIGIL_ERROR_UNAVAILABLE,
        "the broker's certificate has been revoked",
        "give the broker a new one"},
    [VIGIL_MQTT_FAULT_CRL_MISSING] = {"crl-missing", VIGIL_ERROR_UNAVAILABLE,
        "crl holds no list of the CA that signed the broker's certificate",
        "add that CA's list to the file"},
    [VIGIL_MQTT_FAULT_CRL_EXPIRED] = {"crl-expired", VIGIL_ERROR_UNAVAILABLE,
        "the revocation list is out of date",
        "fetch a new one and send SIGHUP"},
    [VIGIL_MQTT_FAULT_WEAK] = {"weak", VIGIL_ERROR_UNAVAILABLE,
        "the broker's certificate or key exchange is too weak",
        "make one with RSA 2048 or EC P-256 and SHA-256"},
    [VIGIL_MQTT_FAULT_PURPOSE] = {"purpose", VIGIL_ERROR_UNAVAILABLE,
        "the broker's certificate may not be used for a server",
        "make one with extendedKeyUsage=serverAuth"},
    [VIGIL_MQTT_FAULT_CHAIN] = {"chain", VIGIL_ERROR_UNAVAILABLE,
        "the broker's chain of certificates is not in order",
        "check its CA certificates (CA:TRUE, path length)"},
    [VIGIL_MQTT_FAULT_CERTIFICATE_OTHER] = {"certificate-other",
        VIGIL_ERROR_UNAVAILABLE, "the broker's certificate cannot be accepted",
        "look at it with 'openssl s_client -showcerts'"},
    [VIGIL_MQTT_FAULT_CLIENT_REQUIRED] = {"client-required",
        VIGIL_ERROR_UNAVAILABLE, "the broker wants a client certificate",
        "set client_cert and client_key"},
    [VIGIL_MQTT_FAULT_CLIENT_EXPIRED] = {"client-expired",
        VIGIL_ERROR_UNAVAILABLE,
        "the broker says that our certificate has expired",
        "renew client_cert and send SIGHUP; check the broker's clock"},
    [VIGIL_MQTT_FAULT_CLIENT_REVOKED] = {"client-revoked",
        VIGIL_ERROR_UNAVAILABLE,
        "the broker says that our certificate has been revoked",
        "have the CA make a new client_cert"},
    [VIGIL_MQTT_FAULT_CLIENT_UNKNOWN_CA] = {"client-unknown-ca",
        VIGIL_ERROR_UNAVAILABLE,
        "the broker does not know the CA of our certificate",
        "have client_cert signed by the CA in the broker's cafile"},
    [VIGIL_MQTT_FAULT_CLIENT_REFUSED] = {"client-refused",
        VIGIL_ERROR_UNAVAILABLE, "the broker refuses our certificate",
        "look at the broker's log; check client_cert's purpose and dates"},
    [VIGIL_MQTT_FAULT_VERSION] = {"version", VIGIL_ERROR_UNAVAILABLE,
        "no TLS version that both sides accept",
        "let the broker offer TLS 1.2 or 1.3; check min_version"},
    [VIGIL_MQTT_FAULT_HANDSHAKE] = {"handshake", VIGIL_ERROR_UNAVAILABLE,
        "the broker broke off the TLS handshake",
        "it may want a client certificate or share no cipher; see its log"},
    [VIGIL_MQTT_FAULT_NAME_UNKNOWN] = {"name-unknown", VIGIL_ERROR_UNAVAILABLE,
        "the broker does not serve this host name",
        "set host to the name that its certificate has"},
    [VIGIL_MQTT_FAULT_ALPN] = {"alpn", VIGIL_ERROR_UNAVAILABLE,
        "the broker does not know the protocol in alpn",
        "correct alpn, or leave it out"},
    [VIGIL_MQTT_FAULT_BROKER_INTERNAL] = {"broker-internal",
        VIGIL_ERROR_UNAVAILABLE, "the broker had an error of its own in TLS",
        "look at the broker's log"},
    [VIGIL_MQTT_FAULT_ALERT_OTHER] = {"alert-other", VIGIL_ERROR_UNAVAILABLE,
        "the broker ended TLS with an alert", "look at the broker's log"},
    [VIGIL_MQTT_FAULT_NOT_TLS] = {"not-tls", VIGIL_ERROR_PROTOCOL,
        "the broker does not speak TLS on this port",
        "use its TLS port (8883, as a rule), or remove tls"},
    [VIGIL_MQTT_FAULT_CLOSED_IN_HANDSHAKE] = {"closed-in-handshake",
        VIGIL_ERROR_UNAVAILABLE,
        "the broker closed the connection in the TLS handshake",
        "a port without TLS does that (8883 has it, as a rule); see its log"},
    [VIGIL_MQTT_FAULT_HANDSHAKE_TIMEOUT] = {"handshake-timeout",
        VIGIL_ERROR_TIMEOUT, "no end of the TLS handshake in time",
        "the port may not speak TLS, or the broker hangs; see its log"},
    [VIGIL_MQTT_FAULT_RECORD] = {"record", VIGIL_ERROR_PROTOCOL,
        "a TLS record from the broker is damaged",
        "something on the way changes the bytes"},
    [VIGIL_MQTT_FAULT_TLS_OTHER] = {"tls-other", VIGIL_ERROR_PROTOCOL,
        "TLS failed", "look at the broker's log"},
};

/* ---- From numbers to rows -------------------------------------------- */

typedef struct {
  int number;
  VigilMqttFaultId id;
} Number;

static const Number verify_numbers[] = {
    {X509_V_ERR_CERT_HAS_EXPIRED, VIGIL_MQTT_FAULT_EXPIRED},
    {X509_V_ERR_CERT_NOT_YET_VALID, VIGIL_MQTT_FAULT_NOT_YET_VALID},
    {X509_V_ERR_HOSTNAME_MISMATCH, VIGIL_MQTT_FAULT_WRONG_HOST},
    {X509_V_ERR_IP_ADDRESS_MISMATCH, VIGIL_MQTT_FAULT_WRONG_HOST},
    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, VIGIL_MQTT_FAULT_UNKNOWN_CA},
    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, VIGIL_MQTT_FAULT_UNKNOWN_CA},
    {X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, VIGIL_MQTT_FAULT_UNKNOWN_CA},
    {X509_V_ERR_CERT_UNTRUSTED, VIGIL_MQTT_FAULT_UNKNOWN_CA},
    {X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, VIGIL_MQTT_FAULT_UNKNOWN_CA},
    {X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, VIGIL_MQTT_FAULT_SELF_SIGNED},
    {X509_V_ERR_CERT_SIGNATURE_FAILURE, VIGIL_MQTT_FAULT_SIGNATURE},
    {X509_V_ERR_CERT_REVOKED, VIGIL_MQTT_FAULT_REVOKED},
    {X509_V_ERR_UNABLE_TO_GET_CRL, VIGIL_MQTT_FAULT_CRL_MISSING},
    {X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER, VIGIL_MQTT_FAULT_CRL_MISSING},
    {X509_V_ERR_CRL_SIGNATURE_FAILURE, VIGIL_MQTT_FAULT_CRL_MISSING},
    {X509_V_ERR_DIFFERENT_CRL_SCOPE, VIGIL_MQTT_FAULT_CRL_MISSING},
    {X509_V_ERR_CRL_HAS_EXPIRED, VIGIL_MQTT_FAULT_CRL_EXPIRED},
    {X509_V_ERR_CRL_NOT_YET_VALID, VIGIL_MQTT_FAULT_CRL_EXPIRED},
    {X509_V_ERR_EE_KEY_TOO_SMALL, VIGIL_MQTT_FAULT_WEAK},
    {X509_V_ERR_CA_KEY_TOO_SMALL, VIGIL_MQTT_FAULT_WEAK},
    {X509_V_ERR_CA_MD_TOO_WEAK, VIGIL_MQTT_FAULT_WEAK},
    {X509_V_ERR_INVALID_PURPOSE, VIGIL_MQTT_FAULT_PURPOSE},
    {X509_V_ERR_CERT_REJECTED, VIGIL_MQTT_FAULT_PURPOSE},
    {X509_V_ERR_INVALID_CA, VIGIL_MQTT_FAULT_CHAIN},
    {X509_V_ERR_PATH_LENGTH_EXCEEDED, VIGIL_MQTT_FAULT_CHAIN},
    {X509_V_ERR_CERT_CHAIN_TOO_LONG, VIGIL_MQTT_FAULT_CHAIN},
    {X509_V_ERR_KEYUSAGE_NO_CERTSIGN, VIGIL_MQTT_FAULT_CHAIN},
    {X509_V_ERR_PERMITTED_VIOLATION, VIGIL_MQTT_FAULT_CHAIN},
    {X509_V_ERR_EXCLUDED_VIOLATION, VIGIL_MQTT_FAULT_CHAIN},
};

/* errno of connect, which otherwise says that the way is closed. */
static const Number connect_numbers[] = {
    {ECONNREFUSED, VIGIL_MQTT_FAULT_NO_LISTENER},
    {ETIMEDOUT, VIGIL_MQTT_FAULT_NO_ANSWER},
    {ECONNRESET, VIGIL_MQTT_FAULT_CLOSED_UNANSWERED},
};

/* 3.1.1: 3.2.2.3, table 3.1, and 5: 3.2.2.2, table 3-1 */
static const Number connack_numbers[] = {
    {1, VIGIL_MQTT_FAULT_REFUSED_VERSION},
    {2, VIGIL_MQTT_FAULT_REFUSED_CLIENT_ID},
    {3, VIGIL_MQTT_FAULT_REFUSED_BUSY},
    {4, VIGIL_MQTT_FAULT_REFUSED_USER},
    {5, VIGIL_MQTT_FAULT_REFUSED_USER},
    {0x84, VIGIL_MQTT_FAULT_REFUSED_VERSION},
    {0x85, VIGIL_MQTT_FAULT_REFUSED_CLIENT_ID},
    {0x86, VIGIL_MQTT_FAULT_REFUSED_USER},
    {0x87, VIGIL_MQTT_FAULT_REFUSED_USER},
    {0x88, VIGIL_MQTT_FAULT_REFUSED_BUSY},
    {0x89, VIGIL_MQTT_FAULT_REFUSED_BUSY},
    {0x97, VIGIL_MQTT_FAULT_REFUSED_BUSY},
    {0x9c, VIGIL_MQTT_FAULT_REFUSED_MOVED},
    {0x9d, VIGIL_MQTT_FAULT_REFUSED_MOVED},
    {0x9f, VIGIL_MQTT_FAULT_REFUSED_BUSY},
};

static const Number puback_numbers[] = {
    {0x87, VIGIL_MQTT_FAULT_REJECTED_ACCESS},
};

static const Number disconnect_numbers[] = {
    {0x8e, VIGIL_MQTT_FAULT_TAKEN_OVER},
};

static const Number alert_numbers[] = {
    {SSL_AD_CERTIFICATE_REQUIRED, VIGIL_MQTT_FAULT_CLIENT_REQUIRED},
    {SSL3_AD_NO_CERTIFICATE, VIGIL_MQTT_FAULT_CLIENT_REQUIRED},
    {SSL_AD_CERTIFICATE_EXPIRED, VIGIL_MQTT_FAULT_CLIENT_EXPIRED},
    {SSL_AD_CERTIFICATE_REVOKED, VIGIL_MQTT_FAULT_CLIENT_REVOKED},
    {SSL_AD_UNKNOWN_CA, VIGIL_MQTT_FAULT_CLIENT_UNKNOWN_CA},
    {SSL_AD_BAD_CERTIFICATE, VIGIL_MQTT_FAULT_CLIENT_REFUSED},
    {SSL_AD_UNSUPPORTED_CERTIFICATE, VIGIL_MQTT_FAULT_CLIENT_REFUSED},
    {SSL_AD_CERTIFICATE_UNKNOWN, VIGIL_MQTT_FAULT_CLIENT_REFUSED},
    {SSL_AD_ACCESS_DENIED, VIGIL_MQTT_FAULT_CLIENT_REFUSED},
    {SSL_AD_DECRYPT_ERROR, VIGIL_MQTT_FAULT_CLIENT_REFUSED},
    {SSL_AD_PROTOCOL_VERSION, VIGIL_MQTT_FAULT_VERSION},
    {SSL_AD_HANDSHAKE_FAILURE, VIGIL_MQTT_FAULT_HANDSHAKE},
    {SSL_AD_INSUFFICIENT_SECURITY, VIGIL_MQTT_FAULT_HANDSHAKE},
    {SSL_AD_UNRECOGNIZED_NAME, VIGIL_MQTT_FAULT_NAME_UNKNOWN},
    {SSL_AD_NO_APPLICATION_PROTOCOL, VIGIL_MQTT_FAULT_ALPN},
    {SSL_AD_INTERNAL_ERROR, VIGIL_MQTT_FAULT_BROKER_INTERNAL},
};

static const Number reason_numbers[] = {
    {SSL_R_WRONG_VERSION_NUMBER, VIGIL_MQTT_FAULT_NOT_TLS},
    {SSL_R_HTTP_REQUEST, VIGIL_MQTT_FAULT_NOT_TLS},
    {SSL_R_WRONG_SSL_VERSION, VIGIL_MQTT_FAULT_NOT_TLS},
    {SSL_R_UNKNOWN_PROTOCOL, VIGIL_MQTT_FAULT_NOT_TLS},
    {SSL_R_PACKET_LENGTH_TOO_LONG, VIGIL_MQTT_FAULT_NOT_TLS},
    {SSL_R_UNEXPECTED_EOF_WHILE_READING, VIGIL_MQTT_FAULT_CLOSED_IN_HANDSHAKE},
    {SSL_R_UNSUPPORTED_PROTOCOL, VIGIL_MQTT_FAULT_VERSION},
    {SSL_R_NO_PROTOCOLS_AVAILABLE, VIGIL_MQTT_FAULT_VERSION},
    {SSL_R_UNSUPPORTED_SSL_VERSION, VIGIL_MQTT_FAULT_VERSION},
    {SSL_R_VERSION_TOO_LOW, VIGIL_MQTT_FAULT_VERSION},
    {SSL_R_DH_KEY_TOO_SMALL, VIGIL_MQTT_FAULT_WEAK},
    {SSL_R_EE_KEY_TOO_SMALL, VIGIL_MQTT_FAULT_WEAK},
    {SSL_R_CA_KEY_TOO_SMALL, VIGIL_MQTT_FAULT_WEAK},
    {SSL_R_CA_MD_TOO_WEAK, VIGIL_MQTT_FAULT_WEAK},
    {SSL_R_BAD_ECPOINT, VIGIL_MQTT_FAULT_RECORD},
    {SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC, VIGIL_MQTT_FAULT_RECORD},
    {SSL_R_BAD_RECORD_TYPE, VIGIL_MQTT_FAULT_RECORD},
    {SSL_R_DATA_LENGTH_TOO_LONG, VIGIL_MQTT_FAULT_RECORD},
    {SSL_R_ENCRYPTED_LENGTH_TOO_LONG, VIGIL_MQTT_FAULT_RECORD},
    {SSL_R_BAD_SIGNATURE, VIGIL_MQTT_FAULT_RECORD},
};

static VigilMqttFaultId
look_up (
    const Number *numbers, size_t size, int number, VigilMqttFaultId otherwise)
{
  for (size_t i = 0; i < size; i++)
    if (numbers[i].number == number)
      return numbers[i].id;
  return otherwise;
}

VigilMqttFaultId
vigil_mqtt_fault_from_connect (int code)
{
  return look_up (connect_numbers, G_N_ELEMENTS (connect_numbers), code,
      VIGIL_MQTT_FAULT_UNREACHABLE);
}

VigilMqttFaultId
vigil_mqtt_fault_from_connack (int code)
{
  return look_up (connack_numbers, G_N_ELEMENTS (connack_numbers), code,
      VIGIL_MQTT_FAULT_REFUSED);
}

VigilMqttFaultId
vigil_mqtt_fault_from_puback (int code)
{
  return look_up (puback_numbers, G_N_ELEMENTS (puback_numbers), code,
      VIGIL_MQTT_FAULT_REJECTED);
}

VigilMqttFaultId
vigil_mqtt_fault_from_disconnect (int code)
{
  return look_up (disconnect_numbers, G_N_ELEMENTS (disconnect_numbers), code,
      VIGIL_MQTT_FAULT_ENDED);
}

VigilMqttFaultId
vigil_mqtt_fault_from_verify (int code)
{
  return look_up (verify_numbers, G_N_ELEMENTS (verify_numbers), code,
      VIGIL_MQTT_FAULT_CERTIFICATE_OTHER);
}

VigilMqttFaultId
vigil_mqtt_fault_from_alert (int alert)
{
  return look_up (alert_numbers, G_N_ELEMENTS (alert_numbers), alert,
      VIGIL_MQTT_FAULT_ALERT_OTHER);
}

VigilMqttFaultId
vigil_mqtt_fault_from_reason (int reason)
{
  /* OpenSSL names a received alert by its number above this offset. */
  if (reason > SSL_AD_REASON_OFFSET && reason < SSL_AD_REASON_OFFSET + 256)
    return vigil_mqtt_fault_from_alert (reason - SSL_AD_REASON_OFFSET);
  return look_up (reason_numbers, G_N_ELEMENTS (reason_numbers), reason,
      VIGIL_MQTT_FAULT_TLS_OTHER);
}

gboolean
vigil_mqtt_fault_is_tls_record (const void *bytes, size_t length)
{
  const unsigned char *data = bytes;

  g_return_val_if_fail (bytes != NULL || length == 0, FALSE);

  /* RFC 8446 section 5.1: an alert (21) or handshake (22) record of version
   * 3.x. As MQTT, 0x15 and 0x16 are a CONNECT with wrong flags: nothing
   * that a broker may send. */
  return length >= 2 && (data[0] == 0x15 || data[0] == 0x16) && data[1] == 0x03;
}

gboolean
vigil_mqtt_fault_is_mqtt_answer (uint8_t byte)
{
  /* CONNACK; DISCONNECT and AUTH, which are wrong there but are MQTT. */
  return byte == 0x20 || byte == 0xe0 || byte == 0xf0;
}

/* ---- Words ----------------------------------------------------------- */

const VigilMqttFault *
vigil_mqtt_fault_get (VigilMqttFaultId id)
{
  g_return_val_if_fail (id < VIGIL_MQTT_FAULTS, NULL);
  return &faults[id];
}

/* No control characters, so that no certificate writes lines of its own
 * into a log. */
static char *
dup_printable (const char *text)
{
  char *copy = g_utf8_make_valid (text, -1);

  for (char *c = copy; *c != '\0'; c++)
    if (g_ascii_iscntrl (*c))
      *c = '?';
  return copy;
}

char *
vigil_mqtt_fault_dup_text (VigilMqttFaultId id, const char *detail)
{
  const VigilMqttFault *fault = vigil_mqtt_fault_get (id);
  g_autofree char *printable = NULL;

  g_return_val_if_fail (fault != NULL, NULL);
  if (detail == NULL || *detail == '\0')
    return g_strdup_printf ("%s: %s", fault->text, fault->advice);
  printable = dup_printable (detail);
  return g_strdup_printf ("%s (%s): %s", fault->text, printable, fault->advice);
}

gboolean
vigil_mqtt_fault_set_error (
    GError **error, VigilMqttFaultId id, const char *detail)
{
  const VigilMqttFault *fault = vigil_mqtt_fault_get (id);
  g_autofree char *text = NULL;

  g_return_val_if_fail (fault != NULL, FALSE);
  text = vigil_mqtt_fault_dup_text (id, detail);
  g_set_error_literal (error, VIGIL_ERROR, fault->error_code, text);
  return FALSE;
}

/* Where a part of the table begins. */
static const struct {
  VigilMqttFaultId first;
  const char *heading;
} parts[] = {
    {VIGIL_MQTT_FAULT_FILE, "Settings"},
    {VIGIL_MQTT_FAULT_LOOKUP, "On the way to the broker"},
    {VIGIL_MQTT_FAULT_REFUSED_USER, "What the broker says or does"},
    {VIGIL_MQTT_FAULT_EXPIRED, "The broker's certificate"},
    {VIGIL_MQTT_FAULT_CLIENT_REQUIRED, "What the broker says of TLS"},
    {VIGIL_MQTT_FAULT_NOT_TLS, "TLS on the wire"},
};

void
vigil_mqtt_fault_to_markdown (GString *text)
{
  unsigned part = 0;

  g_return_if_fail (text != NULL);

  for (unsigned i = 0; i < VIGIL_MQTT_FAULTS; i++) {
    if (part < G_N_ELEMENTS (parts) && parts[part].first == i)
      g_string_append_printf (text,
          "\n## %s\n\n"
          "| name | what happened | what to do |\n|---|---|---|\n",
          parts[part++].heading);
    g_string_append_printf (text, "| `%s` | %s | %s |\n", faults[i].name,
        faults[i].text, faults[i].advice);
  }
  g_string_append_c (text, '\n');
}
