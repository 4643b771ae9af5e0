/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Prints docs/configuration.md, from the tables that the program checks
 * configurations with. A test holds the page against this.
 */

#include "publish/destination.h"
#include "rest/rest-settings.h"
#include "rtsp/rtsp-destination.h"
#include "rtsp/rtsp-settings.h"
#include "server/entry.h"

#include <stdio.h>

static const char introduction[] =
    "# Configuration reference\n"
    "\n"
    "Made by `tools/config-reference` from the program's own tables; "
    "a test holds\n"
    "this page against them.\n"
    "\n"
    "`vigil serve` reads `--config FILE`, else `config.json`, else\n"
    "`configs/default/config.json`. It is JSON:\n"
    "\n"
    "```json\n"
    "{\"config\": {\"pipelines\": [{\"name\": \"...\", \"pipeline\": "
    "\"...\"}]}}\n"
    "```\n"
    "\n"
    "A key that is not known is a warning that names the nearest one. `vigil\n"
    "check-config FILE` says everything that is wrong, with its path.\n"
    "\n"
    "## Keys\n"
    "\n";

typedef struct {
  const char *name;
  const char *default_text;
  const char *help;
} Variable;

static const Variable variables[] = {
    {"MQTT_HOST", "", "The broker, where a pipeline names none."},
    {"MQTT_PORT", "1883", "Its port."},
    {"MQTT_PAYLOAD_FORMAT", "array", "The default of `payload_format`."},
    {"PUBLISHER_ENDPOINT", "",
        "`EndPoint` of every publisher of the EIS Message Bus; "
        "PUBLISHER_NAME_ENDPOINT: of the one called NAME."},
    {"PUBLISHER_TYPE", "",
        "`Type` of every publisher; PUBLISHER_NAME_TYPE: of the one called "
        "NAME."},
    {"DEV_MODE", "",
        "true: no publisher of the EIS Message Bus uses keys; false: each on "
        "TCP must; unset: those with key files do."},
    {"APPEND_PIPELINE_NAME_TO_PUBLISHER_TOPIC", "false",
        "Topics of the EIS Message Bus end with _ and the pipeline's name."},
    {"REST_SERVER_PORT", "8080",
        "Port of the REST interface; 0: any free one."},
    {"HTTPS", "false", "REST over TLS."},
    {"MTLS_VERIFICATION", "false", "REST wants client certificates."},
    {"ENABLE_RTSP", "true", "Requests may ask for `destination.frame`."},
    {"RTSP_PORT", "8554",
        "Port of the RTSP server, which listens from the first such request "
        "on; 0: any free one."},
    {"LOG_LEVEL", "INFO", "DEBUG, INFO, WARN or ERROR."},
    {"MAX_RUNNING_PIPELINES", "-1",
        "Instances that run at once; more wait; -1: no limit."},
};

static void
append_table (const VigilSchemaKey *keys, const char *title, GString *text)
{
  vigil_schema_to_markdown (keys, title, text);
  g_string_append_c (text, '\n');
}

static void
append_destinations (GString *text)
{
  for (const VigilDestinationOps *const *ops = vigil_destination_list ();
       *ops != NULL; ops++)
    if ((*ops)->config_key != NULL)
      append_table ((*ops)->keys, (*ops)->config_key, text);
}

static void
append_variables (GString *text)
{
  g_string_append (text,
      "## Environment\n\n"
      "From the process, then from `--env-file FILE`, else `.env`, else\n"
      "`docker/.env`. An empty value counts as unset.\n\n"
      "The file is read as docker compose reads it: lines of `KEY=VALUE`,\n"
      "`export` before them allowed; `#` starts a comment at the start of a\n"
      "line and after a space; a value may stand in quotes, over several\n"
      "lines if need be; `$NAME`, `${NAME}` and `${NAME:-text}` are replaced,\n"
      "but not in single quotes, and `$$` is a dollar sign.\n\n"
      "| Variable | Default | Meaning |\n|---|---|---|\n");
  for (size_t i = 0; i < G_N_ELEMENTS (variables); i++)
    g_string_append_printf (text, "| `%s` | %s | %s |\n", variables[i].name,
        variables[i].default_text, variables[i].help);
}

int
main (void)
{
  g_autoptr (GString) text = g_string_new (introduction);

  append_table (vigil_entry_list_keys (), "config.pipelines[]", text);
  append_destinations (text);
  append_table (vigil_eis_settings_keys, "interfaces.Publishers[]", text);
  append_table (vigil_rest_settings_keys, "config.rest", text);
  append_table (vigil_rtsp_settings_keys, "config.rtsp", text);
  append_table (
      vigil_rtsp_destination_ops.keys, "destination.frame of a request", text);
  append_variables (text);
  fputs (text->str, stdout);
  return 0;
}
