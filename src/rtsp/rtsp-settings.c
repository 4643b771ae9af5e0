/* SPDX-License-Identifier: Apache-2.0 */
/* Settings of the RTSP server. */
#include "rtsp/rtsp-settings.h"

#include <gio/gio.h>

#define DEFAULT_PORT 8554
#define LOOPBACK "127.0.0.1"
#define EVERYWHERE "0.0.0.0"
#define VIEWERS_DEFAULT 32
#define PROBLEM_PATH "config.rtsp"

const VigilSchemaKey vigil_rtsp_settings_keys[] = {
    {
        .name = "address",
        .type = VIGIL_SCHEMA_STRING,
        .default_text =
            LOOPBACK "; " EVERYWHERE " with allow_unauthenticated_remote",
        .help = "Numeric address to listen on.",
    },
    {
        .name = "allow_unauthenticated_remote",
        .type = VIGIL_SCHEMA_BOOLEAN,
        .default_text = "false",
        .help = "Listen beyond this machine: whoever reaches the port and "
                "knows a path sees its video.",
    },
    {
        .name = "max_viewers",
        .type = VIGIL_SCHEMA_INTEGER,
        .minimum = 1,
        .maximum = 1000,
        .default_text = "32",
        .help = "Viewers of all streams together; more are turned away.",
    },
    {0},
};

/* Nobody has to show who he is, so loopback unless somebody said so. */
static void
read_address (
    VigilRtspSettings *self, const VigilJson *object, VigilProblems *problems)
{
  const char *text = vigil_schema_get_string (object, "address", NULL);
  gboolean is_open =
      vigil_schema_get_boolean (object, "allow_unauthenticated_remote", FALSE);
  g_autoptr (GInetAddress) address = NULL;

  if (text == NULL)
    text = is_open ? EVERYWHERE : LOOPBACK;
  address = g_inet_address_new_from_string (text);
  self->address = g_strdup (text);
  if (address == NULL) {
    vigil_problems_add (problems, VIGIL_PROBLEM_ERROR, PROBLEM_PATH ".address",
        "'%.60s': want a numeric address such as " LOOPBACK, text);
    return;
  }
  self->is_loopback = g_inet_address_get_is_loopback (address);
  if (self->is_loopback)
    return;
  if (is_open)
    vigil_problems_add (problems, VIGIL_PROBLEM_WARNING,
        PROBLEM_PATH ".allow_unauthenticated_remote",
        "whoever reaches port %u sees the video", self->port);
  else
    vigil_problems_add (problems, VIGIL_PROBLEM_ERROR, PROBLEM_PATH ".address",
        "'%s' is reachable from other machines: want a loopback address, or "
        "\"allow_unauthenticated_remote\": true",
        text);
}

static void
add_error (VigilProblems *problems, const char *path, const GError *error)
{
  if (error != NULL)
    vigil_problems_add (
        problems, VIGIL_PROBLEM_ERROR, path, "%s", error->message);
}

VigilRtspSettings *
vigil_rtsp_settings_new (const VigilConfig *config,
    const VigilEnvironment *environment, VigilProblems *problems)
{
  const VigilJson *object =
      vigil_json_object_get (vigil_config_get_root (config), "rtsp");
  VigilRtspSettings *self = g_new0 (VigilRtspSettings, 1);
  g_autoptr (GError) port_error = NULL;
  g_autoptr (GError) enabled_error = NULL;
  int64_t port = DEFAULT_PORT;

  if (object != NULL && vigil_json_get_type (object) == VIGIL_JSON_OBJECT)
    vigil_schema_check (
        vigil_rtsp_settings_keys, object, PROBLEM_PATH, problems);
  self->is_enabled = TRUE;
  vigil_environment_get_boolean (
      environment, "ENABLE_RTSP", &self->is_enabled, &enabled_error);
  add_error (problems, "ENABLE_RTSP", enabled_error);
  vigil_environment_get_integer (
      environment, "RTSP_PORT", 0, UINT16_MAX, &port, &port_error);
  add_error (problems, "RTSP_PORT", port_error);
  self->port = (uint16_t)port;
  self->viewers_max = (unsigned)vigil_schema_get_integer (
      object, "max_viewers", VIEWERS_DEFAULT);
  read_address (self, object, problems);
  return self;
}

void
vigil_rtsp_settings_free (VigilRtspSettings *self)
{
  if (self == NULL)
    return;
  g_free (self->address);
  g_free (self);
}
