/* SPDX-License-Identifier: Apache-2.0 */
#include "mqtt/mqtt-fault.h"

#include "base/error.h"

#include <errno.h>
#include <openssl/sslerr.h>
#include <openssl/x509_vfy.h>
#include <string.h>

static void
test_rows_complete (void)
{
  g_autoptr (GHashTable) names = g_hash_table_new (g_str_hash, g_str_equal);

  for (unsigned i = 0; i < VIGIL_MQTT_FAULTS; i++) {
    const VigilMqttFault *fault = vigil_mqtt_fault_get (i);
    g_assert_nonnull (fault->name);
    g_assert_true (g_hash_table_add (names, (char *)fault->name));
    g_assert_cmpuint (strlen (fault->text), >, 0);
    g_assert_cmpuint (strlen (fault->advice), >, 0);
    g_assert_false (g_str_has_suffix (fault->text, "."));
    g_assert_false (g_str_has_suffix (fault->advice, "."));
    /* With the longest detail all of it fits the 255 bytes of a status. */
    g_assert_cmpuint (
        strlen (fault->text) + strlen (fault->advice) + 95 + 5, <=, 255);
  }
}

static void
test_error_text (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (vigil_mqtt_fault_set_error (
      &error, VIGIL_MQTT_FAULT_EXPIRED, "on 2024-01-01"));
  g_assert_error (error, VIGIL_ERROR, VIGIL_ERROR_UNAVAILABLE);
  g_assert_cmpstr (error->message, ==,
      "the broker's certificate has expired (on 2024-01-01): renew it and "
      "restart the broker; check this machine's clock");
  g_clear_error (&error);

  vigil_mqtt_fault_set_error (&error, VIGIL_MQTT_FAULT_LOST, NULL);
  g_assert_null (strchr (error->message, '('));
  g_clear_error (&error);
  vigil_mqtt_fault_set_error (&error, VIGIL_MQTT_FAULT_LOST, "");
  g_assert_null (strchr (error->message, '('));
}

static void
test_error_escaped (void)
{
  g_autoptr (GError) error = NULL;

  vigil_mqtt_fault_set_error (
      &error, VIGIL_MQTT_FAULT_UNKNOWN_CA, "CN = a\nb\x1b[31m\xff");
  g_assert_null (strchr (error->message, '\n'));
  g_assert_null (strchr (error->message, '\x1b'));
  g_assert_true (g_utf8_validate (error->message, -1, NULL));
}

static void
test_from_numbers (void)
{
  g_assert_cmpint (vigil_mqtt_fault_from_verify (X509_V_ERR_CERT_REVOKED), ==,
      VIGIL_MQTT_FAULT_REVOKED);
  g_assert_cmpint (vigil_mqtt_fault_from_verify (X509_V_ERR_OUT_OF_MEM), ==,
      VIGIL_MQTT_FAULT_CERTIFICATE_OTHER);
  g_assert_cmpint (
      vigil_mqtt_fault_from_alert (116), ==, VIGIL_MQTT_FAULT_CLIENT_REQUIRED);
  g_assert_cmpint (
      vigil_mqtt_fault_from_alert (255), ==, VIGIL_MQTT_FAULT_ALERT_OTHER);
  g_assert_cmpint (vigil_mqtt_fault_from_reason (SSL_R_TLSV1_ALERT_UNKNOWN_CA),
      ==, VIGIL_MQTT_FAULT_CLIENT_UNKNOWN_CA);
  g_assert_cmpint (vigil_mqtt_fault_from_reason (SSL_R_WRONG_VERSION_NUMBER),
      ==, VIGIL_MQTT_FAULT_NOT_TLS);
  g_assert_cmpint (
      vigil_mqtt_fault_from_reason (-1), ==, VIGIL_MQTT_FAULT_TLS_OTHER);
}

static void
test_from_answers (void)
{
  const struct {
    VigilMqttFaultId found;
    const char *name;
  } cases[] = {
      {vigil_mqtt_fault_from_connect (ECONNREFUSED), "no-listener"},
      {vigil_mqtt_fault_from_connect (EHOSTUNREACH), "unreachable"},
      {vigil_mqtt_fault_from_connack (5), "refused-user"},
      {vigil_mqtt_fault_from_connack (0x86), "refused-user"},
      {vigil_mqtt_fault_from_connack (2), "refused-client-id"},
      {vigil_mqtt_fault_from_connack (0xff), "refused"},
      {vigil_mqtt_fault_from_puback (0x87), "rejected-access"},
      {vigil_mqtt_fault_from_puback (0x97), "rejected"},
      {vigil_mqtt_fault_from_disconnect (0x8e), "taken-over"},
      {vigil_mqtt_fault_from_disconnect (0), "ended"},
  };

  for (unsigned i = 0; i < G_N_ELEMENTS (cases); i++)
    g_assert_cmpstr (
        vigil_mqtt_fault_get (cases[i].found)->name, ==, cases[i].name);
  g_assert_true (vigil_mqtt_fault_is_mqtt_answer (0x20));
  g_assert_true (vigil_mqtt_fault_is_mqtt_answer (0xe0));
  g_assert_true (vigil_mqtt_fault_is_mqtt_answer (0xf0));
  g_assert_false (vigil_mqtt_fault_is_mqtt_answer ('H'));
}

static void
test_tls_record (void)
{
  const struct {
    const char *bytes;
    size_t length;
    gboolean is_tls;
  } cases[] = {
      {"", 0, FALSE},
      {"\x15", 1, FALSE},
      {"\x15\x03", 2, TRUE},          /* alert */
      {"\x16\x03\x01", 3, TRUE},      /* handshake */
      {"\x20\x02\x00\x00", 4, FALSE}, /* CONNACK */
      {"\x17\x03\x03", 3, FALSE},
      {"\x15\x02", 2, FALSE},
  };

  for (unsigned i = 0; i < G_N_ELEMENTS (cases); i++)
    g_assert_cmpint (
        vigil_mqtt_fault_is_tls_record (cases[i].bytes, cases[i].length), ==,
        cases[i].is_tls);
}

/* docs/error-catalogue.md has exactly this table: with VIGIL_UPDATE_DOCS
 * set the test writes it there. */
static void
test_catalogue (void)
{
  g_autofree char *path = g_build_filename (
      g_getenv ("VIGIL_SOURCE_ROOT"), "docs", "error-catalogue.md", NULL);
  const char *marks[] = {"<!-- faults: begin -->\n", "<!-- faults: end -->"};
  g_autofree char *page = NULL;
  g_autoptr (GString) table = g_string_new (NULL);

  g_assert_true (g_file_get_contents (path, &page, NULL, NULL));
  char *begin = strstr (page, marks[0]);
  char *end = strstr (page, marks[1]);
  g_assert_true (begin != NULL && end != NULL);
  begin += strlen (marks[0]);
  vigil_mqtt_fault_to_markdown (table);
  if (g_getenv ("VIGIL_UPDATE_DOCS") != NULL) {
    g_autoptr (GString) updated = g_string_new_len (page, begin - page);
    g_string_append (updated, table->str);
    g_string_append (updated, end);
    g_assert_true (g_file_set_contents (path, updated->str, -1, NULL));
    return;
  }
  g_autofree char *written = g_strndup (begin, (size_t)(end - begin));
  g_assert_cmpstr (written, ==, table->str);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/mqtt-fault/rows-complete", test_rows_complete);
  g_test_add_func ("/mqtt-fault/error-text", test_error_text);
  g_test_add_func ("/mqtt-fault/error-escaped", test_error_escaped);
  g_test_add_func ("/mqtt-fault/from-numbers", test_from_numbers);
  g_test_add_func ("/mqtt-fault/from-answers", test_from_answers);
  g_test_add_func ("/mqtt-fault/tls-record", test_tls_record);
  g_test_add_func ("/mqtt-fault/catalogue", test_catalogue);
  return g_test_run ();
}
