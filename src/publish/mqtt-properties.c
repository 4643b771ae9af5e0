/* SPDX-License-Identifier: Apache-2.0 */
/* What MQTT 5 sends beside the payload, as the configuration has it. */
#include "publish/mqtt-properties.h"

#include "config/schema.h"
#include <string.h>

/* MQTT 5, 1.5.4: a string's length is 16 bits. */
enum { STRING_BYTES_MAX = 65535 };

static void
check_user_properties (
    const VigilJson *settings, const char *path, VigilProblems *problems)
{
  const VigilJson *properties =
      vigil_json_object_get (settings, "user_properties");
  g_autofree char *key_path = vigil_schema_join_path (path, "user_properties");
  VigilJsonIter iter = {0};
  const char *name;
  const VigilJson *value;

  while (vigil_json_object_next (properties, &iter, &name, &value)) {
    const char *text = vigil_json_get_string (value);

    if (text == NULL)
      vigil_schema_add_error (problems, key_path, name, "want a text");
    else if (strlen (name) > STRING_BYTES_MAX ||
             strlen (text) > STRING_BYTES_MAX)
      vigil_schema_add_error (problems, path, "user_properties",
          "want names and texts of at most 65535 bytes");
  }
}

void
vigil_mqtt_properties_check (
    const VigilJson *settings, const char *path, VigilProblems *problems)
{
  static const char *const keys[] = {
      "message_expiry_s", "user_properties", NULL};

  check_user_properties (settings, path, problems);
  if (vigil_schema_get_integer (settings, "protocol", 4) == 5)
    return;
  for (unsigned i = 0; keys[i] != NULL; i++) {
    const VigilJson *value = vigil_json_object_get (settings, keys[i]);

    if (value != NULL && !vigil_json_is_null (value))
      vigil_schema_add_error (problems, path, keys[i],
          "want protocol 5 with it: MQTT 3.1 and 3.1.1 have no place for it");
  }
}

void
vigil_mqtt_properties_init (
    VigilMqttProperties *self, const VigilJson *settings)
{
  const VigilJson *properties =
      vigil_json_object_get (settings, "user_properties");
  VigilMqttUserProperty *property;
  VigilJsonIter iter = {0};
  const char *name;
  const VigilJson *value;

  self->expiry_s =
      (unsigned)vigil_schema_get_integer (settings, "message_expiry_s", 0);
  self->user_size = (unsigned)vigil_json_object_size (properties);
  self->user = g_new0 (VigilMqttUserProperty, self->user_size + 1);
  property = self->user;
  while (vigil_json_object_next (properties, &iter, &name, &value)) {
    property->name = g_strdup (name);
    property->value = g_strdup (vigil_json_get_string (value));
    property++;
  }
}

void
vigil_mqtt_properties_clear (VigilMqttProperties *self)
{
  for (unsigned i = 0; i < self->user_size; i++) {
    g_free ((char *)self->user[i].name);
    g_free ((char *)self->user[i].value);
  }
  g_clear_pointer (&self->user, g_free);
  self->user_size = 0;
}
