/* SPDX-License-Identifier: Apache-2.0 */
/* /pipelines: what can be started, and its start. */
#include "rest/rest-pipelines.h"

#include "base/error.h"
#include "rest/rest-source.h"

/* What DLSPS calls every pipeline of a configuration; clients show it. */
#define GROUP "user_defined_pipelines"
#define DESCRIPTION "DL Streamer Pipeline Server pipeline"
#define RETRY_AFTER_S 1

static void
write_definition (VigilJsonWriter *writer, const VigilDefinition *definition)
{
  const VigilJson *parameters = vigil_definition_get_parameters (definition);

  vigil_json_writer_begin_object (writer);
  vigil_json_writer_key (writer, "name");
  vigil_json_writer_string (writer, GROUP);
  vigil_json_writer_key (writer, "version");
  vigil_json_writer_string (writer, vigil_definition_get_name (definition));
  vigil_json_writer_key (writer, "type");
  vigil_json_writer_string (writer, "GStreamer");
  vigil_json_writer_key (writer, "description");
  vigil_json_writer_string (writer, DESCRIPTION);
  vigil_json_writer_key (writer, "parameters");
  if (parameters != NULL) {
    vigil_json_writer_value (writer, parameters);
  } else {
    vigil_json_writer_begin_object (writer);
    vigil_json_writer_end_object (writer);
  }
  vigil_json_writer_end_object (writer);
}

void
vigil_rest_pipelines_list (
    const VigilRestRequest *request, VigilRestResponse *response)
{
  const VigilInstanceManager *manager = request->context->manager;
  unsigned size = vigil_instance_manager_get_definition_count (manager);
  VigilJsonWriter writer;

  vigil_json_writer_init (&writer, response->body);
  vigil_json_writer_begin_array (&writer);
  for (unsigned i = 0; i < size; i++)
    write_definition (
        &writer, vigil_instance_manager_get_definition (manager, i));
  vigil_json_writer_end_array (&writer);
  vigil_rest_response_finish_json (response, 200);
}

void
vigil_rest_pipelines_get (
    const VigilRestRequest *request, VigilRestResponse *response)
{
  const VigilDefinition *definition = vigil_instance_manager_find_definition (
      request->context->manager, request->arguments[1]);
  VigilJsonWriter writer;

  if (definition == NULL) {
    vigil_rest_response_set_string (response, 400, "Pipeline not found");
    return;
  }
  vigil_json_writer_init (&writer, response->body);
  write_definition (&writer, definition);
  vigil_rest_response_finish_json (response, 200);
}

void
vigil_rest_pipelines_start (
    const VigilRestRequest *request, VigilRestResponse *response)
{
  const VigilRestContext *context = request->context;
  const char *name = request->arguments[1];
  g_autoptr (GError) error = NULL;
  g_autoptr (VigilInstance) instance = NULL;

  if (vigil_instance_manager_get_unended_count (context->manager) >=
      context->settings->max_instances) {
    vigil_rest_response_set_problem (response, 429,
        "%u instances run or wait already (config.rest.max_instances)",
        context->settings->max_instances);
    response->retry_after_s = RETRY_AFTER_S;
    return;
  }
  if (vigil_rest_source_check (
          request->body, context->settings, context->port, &error))
    instance = vigil_instance_manager_start (
        context->manager, name, request->body, &error);
  if (instance != NULL)
    vigil_rest_response_set_string (
        response, 200, vigil_instance_get_id (instance));
  else if (!vigil_instance_manager_knows (context->manager, name))
    vigil_rest_response_set_string (response, 400, "Pipeline not found");
  else
    vigil_rest_response_set_error (response, error);
  /* The path is right; what its pipeline names is not to be had. */
  if (response->status == 404)
    response->status = 400;
}
