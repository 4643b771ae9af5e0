/* SPDX-License-Identifier: Apache-2.0 */
/* /health: alive, and ready for work. */
#include "rest/rest-health.h"

static void
answer (VigilRestResponse *response, unsigned status, const char *text)
{
  VigilJsonWriter writer;

  vigil_json_writer_init (&writer, response->body);
  vigil_json_writer_begin_object (&writer);
  vigil_json_writer_key (&writer, "status");
  vigil_json_writer_string (&writer, text);
  vigil_json_writer_end_object (&writer);
  vigil_rest_response_finish_json (response, status);
}

void
vigil_rest_health_get_live (
    const VigilRestRequest *request, VigilRestResponse *response)
{
  answer (response, 200, "alive");
}

void
vigil_rest_health_get_ready (
    const VigilRestRequest *request, VigilRestResponse *response)
{
  if (vigil_instance_manager_is_stopping (request->context->manager))
    answer (response, 503, "stopping");
  else
    answer (response, 200, "ready");
}
