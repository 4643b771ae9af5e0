/* SPDX-License-Identifier: Apache-2.0 */

/* Credentials that change while the client runs. */

#define G_LOG_DOMAIN "vigil-mqtt"

#include "mqtt/mqtt-client-private.h"

#include "mqtt/mqtt-tls.h"

/* @password: (transfer full) (nullable). */
static void
set_password (VigilMqttClient *self, VigilSecret *password)
{
  vigil_secret_unref (self->password);
  self->password = password;
  self->options.password =
      password != NULL ? vigil_secret_get (password) : NULL;
}

/* Files are replaced one after the other: what cannot be read now may be
 * whole a moment later, so the former credentials are better than none. */
static void
log_refusal (VigilMqttClient *self, const char *reason)
{
  if (g_strcmp0 (reason, self->credentials_error) == 0)
    return;
  g_free (self->credentials_error);
  self->credentials_error = g_strdup (reason);
  g_warning ("%s: the former certificates and password stay in use: %s",
      self->options.name, reason);
}

gboolean
vigil_mqtt_renewal_read (VigilMqttClient *self)
{
  VigilMqttOptions *options = &self->options;
  VigilMqttCredentials credentials = {0};
  g_autoptr (GError) error = NULL;

  if (options->get_credentials == NULL)
    return TRUE;
  if (!options->get_credentials (
          options->credentials_data, &credentials, &error)) {
    log_refusal (self, error->message);
    return FALSE;
  }
  g_clear_pointer (&self->credentials_error, g_free);
  /* A client never changes between TLS and none: that is another setting,
   * not another file. */
  if (options->tls != NULL && credentials.tls != NULL) {
    vigil_mqtt_tls_unref (options->tls);
    options->tls = vigil_mqtt_tls_ref (credentials.tls);
  }
  set_password (self, credentials.password);
  vigil_mqtt_tls_unref (credentials.tls);
  return TRUE;
}
