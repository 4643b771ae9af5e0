/* SPDX-License-Identifier: Apache-2.0 */
/* The answers of DLSPS where no model registry can be reached. */
#include "rest/rest-models.h"

void
vigil_rest_models_list (
    const VigilRestRequest *request, VigilRestResponse *response)
{
  vigil_rest_response_set_string (response, 400, "Unsupported endpoint");
}

void
vigil_rest_models_update (
    const VigilRestRequest *request, VigilRestResponse *response)
{
  VigilJsonWriter writer;

  vigil_json_writer_init (&writer, response->body);
  vigil_json_writer_begin_object (&writer);
  vigil_json_writer_key (&writer, "status");
  vigil_json_writer_string (&writer, "error");
  vigil_json_writer_key (&writer, "message");
  vigil_json_writer_string (&writer,
      "Connection to the model registry microservice is not established.");
  vigil_json_writer_end_object (&writer);
  vigil_rest_response_finish_json (response, 500);
}
