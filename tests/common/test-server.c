/* SPDX-License-Identifier: Apache-2.0 */
#include "common/test-server.h"

#include <string.h>

#define LIMIT_MS 15000

void
test_server_init (TestServer *self, const char *entries, const char *variables)
{
  g_autofree char *text =
      g_strdup_printf ("{\"config\":{\"pipelines\":[%s]}}", entries);
  g_autoptr (GError) error = NULL;

  memset (self, 0, sizeof *self);
  self->problems = vigil_problems_new ();
  self->config = vigil_config_parse (
      text, strlen (text), "config.json", self->problems, &error);
  g_assert_no_error (error);
  self->environment =
      vigil_environment_parse (variables == NULL ? "" : variables,
          variables == NULL ? 0 : strlen (variables), ".env", &error);
  g_assert_no_error (error);
  vigil_settings_init (&self->settings, self->environment, self->problems);
  self->manager = vigil_instance_manager_new (
      self->config, self->environment, &self->settings, self->problems);
}

void
test_server_clear (TestServer *self)
{
  g_assert_cmpuint (vigil_instance_manager_stop_all (
                        self->manager, vigil_fixture_deadline (LIMIT_MS)),
      ==, 0);
  vigil_instance_manager_free (self->manager);
  vigil_problems_free (self->problems);
  vigil_environment_free (self->environment);
  vigil_config_free (self->config);
}

VigilInstance *
test_server_start (TestServer *self, const char *name, const char *request)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VigilJson) value = NULL;
  VigilInstance *instance;

  if (request != NULL)
    value = vigil_json_parse (request, -1, 65536, 32, &error);
  g_assert_no_error (error);
  instance = vigil_instance_manager_start (self->manager, name, value, &error);
  g_assert_no_error (error);
  g_assert_nonnull (instance);
  return instance;
}

VigilPipelineState
test_server_get_state (VigilInstance *instance)
{
  g_auto (VigilInstanceStatus) status = {0};

  vigil_instance_get_status (instance, &status);
  return status.pipeline.state;
}

VigilPipelineState
test_server_wait (VigilInstance *instance)
{
  g_assert_true (
      vigil_instance_wait (instance, vigil_fixture_deadline (LIMIT_MS)));
  return test_server_get_state (instance);
}

typedef struct {
  VigilInstance *instance;
  VigilPipelineState state;
} Wanted;

static gboolean
has_state (void *data)
{
  Wanted *wanted = data;

  return test_server_get_state (wanted->instance) == wanted->state;
}

void
test_server_wait_state (VigilInstance *instance, VigilPipelineState state)
{
  Wanted wanted = {instance, state};

  g_assert_true (vigil_fixture_wait_until (has_state, &wanted, LIMIT_MS));
}
