/* SPDX-License-Identifier: Apache-2.0 */
/* The kinds of destinations, and one destination behind its ops table. */
#include "publish/destination.h"

#include "publish/destination-list.h"

/* To add a kind: its file, and its line here. */
static const VigilDestinationOps *const registry[] = {
    &vigil_mqtt_destination_ops,
    &vigil_file_destination_ops,
    &vigil_eis_destination_ops,
    NULL,
};

struct _VigilDestination {
  const VigilDestinationOps *ops;
  char *name;
  void *state;
  gboolean is_started;
  gboolean is_stopped;
};

const VigilDestinationOps *const *
vigil_destination_list (void)
{
  return registry;
}

const VigilDestinationOps *
vigil_destination_find (const char *type)
{
  for (unsigned i = 0; registry[i] != NULL; i++) {
    if (g_strcmp0 (registry[i]->type, type) == 0)
      return registry[i];
  }
  return NULL;
}

void
vigil_destination_check (const VigilDestinationOps *ops,
    const VigilJson *settings, const char *path,
    const VigilDestinationContext *context, VigilProblems *problems)
{
  vigil_schema_check (ops->keys, settings, path, problems);
  /* Also after an error: a reader wants to hear of all of them at once. */
  if (settings != NULL && vigil_json_get_type (settings) == VIGIL_JSON_OBJECT)
    ops->check (settings, path, context, problems);
}

char *
vigil_destination_dup_label (const VigilDestinationContext *context)
{
  const char *pipeline = context->pipeline_name;
  const char *instance = context->instance_id;

  return g_strconcat (pipeline != NULL ? pipeline : "",
      pipeline != NULL ? "/" : "", instance != NULL ? instance : "",
      instance != NULL ? "/" : "", context->name, NULL);
}

VigilDestination *
vigil_destination_new (const VigilDestinationOps *ops, const char *name,
    const VigilJson *settings, const VigilDestinationContext *context,
    GError **error)
{
  VigilDestinationContext named = *context;
  VigilDestination *self;
  void *state;

  g_return_val_if_fail (
      ops != NULL && ops->check != NULL && ops->open != NULL &&
          ops->start != NULL && ops->wants_frame != NULL &&
          ops->is_accepting != NULL && ops->skip != NULL && ops->send != NULL &&
          ops->stop != NULL && ops->get_status != NULL && ops->close != NULL,
      NULL);

  named.name = name != NULL ? name : ops->type;
  state = ops->open (settings, &named, error);
  if (state == NULL)
    return NULL;
  self = g_new0 (VigilDestination, 1);
  self->ops = ops;
  self->name = g_strdup (named.name);
  self->state = state;
  return self;
}

void
vigil_destination_free (VigilDestination *self)
{
  if (self == NULL)
    return;
  vigil_destination_stop (self, g_get_monotonic_time ());
  self->ops->close (self->state);
  g_free (self->name);
  g_free (self);
}

const char *
vigil_destination_get_name (const VigilDestination *self)
{
  return self->name;
}

gboolean
vigil_destination_start (VigilDestination *self, GError **error)
{
  if (!self->ops->start (self->state, error))
    return FALSE;
  self->is_started = TRUE;
  return TRUE;
}

gboolean
vigil_destination_wants_frame (const VigilDestination *self)
{
  return self->ops->wants_frame (self->state);
}

gboolean
vigil_destination_is_accepting (VigilDestination *self)
{
  return self->ops->is_accepting (self->state);
}

void
vigil_destination_skip (VigilDestination *self)
{
  self->ops->skip (self->state);
}

void
vigil_destination_renew (VigilDestination *self)
{
  if (self->ops->renew != NULL)
    self->ops->renew (self->state);
}

void
vigil_destination_send (
    VigilDestination *self, VigilMessage *message, int64_t deadline_us)
{
  self->ops->send (self->state, message, deadline_us);
}

void
vigil_destination_stop (VigilDestination *self, int64_t deadline_us)
{
  if (!self->is_started || self->is_stopped)
    return;
  self->is_stopped = TRUE;
  self->ops->stop (self->state, deadline_us);
}

void
vigil_destination_get_status (
    VigilDestination *self, VigilDestinationStatus *ret_status)
{
  *ret_status =
      (VigilDestinationStatus){.state = "stopped", .next_retry_ms = -1};
  self->ops->get_status (self->state, ret_status);
}
