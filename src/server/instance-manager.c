/* SPDX-License-Identifier: Apache-2.0 */

/* The table of definitions and instances. */

#include "server/instance-manager.h"

#include "base/error.h"
#include "base/queue.h"
#include "rtsp/rtsp-server.h"
#include "server/entry.h"
#include "server/request.h"
#include <pthread.h>
#include <string.h>

#undef G_LOG_DOMAIN
#define G_LOG_DOMAIN "vigil-server"

/* What waits to be released is bounded by what runs; this is no limit. */
#define REAPER_ITEMS_MAX 1000000

/* A pipeline entry of config.json. */
typedef struct {
  const VigilJson *entry;
  char *path;                  /* of the entry, for messages */
  char *name;                  /* nullable */
  VigilDefinition *definition; /* NULL: the entry cannot be used */
  GError *error;               /* why not */
} Entry;

struct _VigilInstanceManager {
  const VigilConfig *config;
  VigilEisBus *eis_bus;
  VigilRtspServer *rtsp_server; /* nullable */
  const VigilEnvironment *environment;
  VigilSettings settings;
  GPtrArray *entries;       /* element-type: Entry; immutable */
  GPtrArray *usable;        /* element-type: Entry, borrowed; immutable */
  VigilQueue *reaper_queue; /* of VigilInstance references, ended */
  GThread *reaper;

  pthread_mutex_t lock;    /* protects what follows */
  pthread_cond_t released; /* unreleased has become smaller */
  GPtrArray *instances;    /* element-type: VigilInstance; in order */
  GHashTable *by_id;   /* of char *, in the value: VigilInstance, borrowed */
  GQueue waiting;      /* of VigilInstance, borrowed: beyond the limit */
  unsigned running;    /* started and not yet ended */
  unsigned unreleased; /* made and not yet released */
  unsigned finished;   /* in instances, released */
  gboolean is_stopping;
};

static void
entry_free (gpointer data)
{
  Entry *entry = data;

  vigil_definition_free (entry->definition);
  g_clear_error (&entry->error);
  g_free (entry->path);
  g_free (entry->name);
  g_free (entry);
}

/* ---- Definitions ------------------------------------------------------ */

static void
append_problems (VigilProblems *target, const VigilProblems *source)
{
  for (unsigned index = 0; index < vigil_problems_get_size (source); index++) {
    const VigilProblem *problem = vigil_problems_get (source, index);

    vigil_problems_add (
        target, problem->severity, problem->path, "%s", problem->text);
  }
}

static Entry *
find_entry (GPtrArray *entries, const char *name)
{
  for (unsigned index = 0; index < entries->len; index++) {
    Entry *entry = g_ptr_array_index (entries, index);

    if (entry->name != NULL && strcmp (entry->name, name) == 0)
      return entry;
  }
  return NULL;
}

static Entry *
load_entry (VigilInstanceManager *self, unsigned index, VigilProblems *problems)
{
  g_autoptr (VigilProblems) own = vigil_problems_new ();
  Entry *entry = g_new0 (Entry, 1);

  entry->entry = vigil_config_get_pipeline (self->config, index);
  entry->path = vigil_config_dup_pipeline_path (self->config, index);
  entry->name = g_strdup (vigil_entry_get_name (entry->entry));
  vigil_entry_check (
      self->config, index, self->environment, self->eis_bus, own);
  append_problems (problems, own);
  if (entry->entry != NULL && vigil_problems_check (own, &entry->error))
    entry->definition =
        vigil_definition_new (entry->entry, self->environment, &entry->error);
  return entry;
}

/* ---- End of an instance ----------------------------------------------- */

/* With the lock: forgets the oldest finished instances beyond the limit.
 * Returns: (transfer full) what to free without the lock. */
static GPtrArray *
steal_forgotten (VigilInstanceManager *self)
{
  GPtrArray *forgotten =
      g_ptr_array_new_with_free_func ((GDestroyNotify)vigil_instance_unref);
  unsigned index = 0;

  while (self->finished > self->settings.keep_finished &&
         index < self->instances->len) {
    VigilInstance *instance = g_ptr_array_index (self->instances, index);

    if (!vigil_instance_is_ended (instance)) {
      index++;
      continue;
    }
    g_hash_table_remove (self->by_id, vigil_instance_get_id (instance));
    g_ptr_array_add (
        forgotten, g_ptr_array_steal_index (self->instances, index));
    self->finished--;
  }
  return forgotten;
}

/* With the lock. Returns: (transfer full): what may run now. */
static GPtrArray *
steal_startable (VigilInstanceManager *self)
{
  GPtrArray *startable =
      g_ptr_array_new_with_free_func ((GDestroyNotify)vigil_instance_unref);

  while (!self->is_stopping && !g_queue_is_empty (&self->waiting) &&
         (self->settings.max_running < 0 ||
             self->running < (unsigned)self->settings.max_running)) {
    VigilInstance *instance = g_queue_pop_head (&self->waiting);

    self->running++;
    g_ptr_array_add (startable, vigil_instance_ref (instance));
  }
  return startable;
}

static void
start_waiting (VigilInstanceManager *self)
{
  g_autoptr (GPtrArray) startable = NULL;

  pthread_mutex_lock (&self->lock);
  startable = steal_startable (self);
  pthread_mutex_unlock (&self->lock);
  for (unsigned index = 0; index < startable->len; index++)
    vigil_instance_start (g_ptr_array_index (startable, index));
}

/* In whatever thread the instance ended: only hand it over. */
static void
on_instance_ended (VigilInstance *instance, void *user_data)
{
  VigilInstanceManager *self = user_data;

  vigil_queue_push (self->reaper_queue, vigil_instance_ref (instance), 0);
}

/* "offered 9, filtered 1, published 6, dropped 2 (queue_full 2)" */
static char *
describe_counts (const VigilDestinationStatus *status)
{
  GString *text = g_string_new (NULL);
  g_autoptr (GString) reasons = g_string_new (NULL);
  guint64 dropped = 0;

  for (unsigned index = 0; index < status->dropped_size; index++) {
    guint64 count = status->dropped[index].count;

    dropped += count;
    if (count > 0)
      g_string_append_printf (reasons, "%s%s %" G_GUINT64_FORMAT,
          reasons->len > 0 ? ", " : " (", status->dropped[index].reason, count);
  }
  if (reasons->len > 0)
    g_string_append_c (reasons, ')');
  g_string_append_printf (text,
      "offered %" G_GUINT64_FORMAT ", filtered %" G_GUINT64_FORMAT
      ", published %" G_GUINT64_FORMAT ", dropped %" G_GUINT64_FORMAT "%s",
      (guint64)status->offered, (guint64)status->filtered,
      (guint64)(status->published + status->acknowledged), dropped,
      reasons->str);
  return g_string_free (text, FALSE);
}

static void
log_destinations (
    const char *name, const char *id, const VigilInstanceStatus *status)
{
  for (unsigned index = 0; index < status->destinations_size; index++) {
    const VigilInstanceDestination *destination = &status->destinations[index];
    g_autofree char *counts = describe_counts (&destination->status);

    g_message ("%s/%s/%s: %s", name, id, destination->name, counts);
  }
}

static void
log_end (VigilInstance *instance)
{
  g_auto (VigilInstanceStatus) status = {0};
  const char *name = vigil_instance_get_pipeline_name (instance);
  const char *id = vigil_instance_get_id (instance);

  vigil_instance_get_status (instance, &status);
  if (status.pipeline.state == VIGIL_PIPELINE_ERROR)
    g_warning (
        "instance %s of '%s' failed: %s", id, name, status.pipeline.message);
  else
    g_message ("instance %s of '%s' ended: %s, %" G_GUINT64_FORMAT
               " frames, %" G_GUINT64_FORMAT " dropped before the worker",
        id, name, vigil_pipeline_state_name (status.pipeline.state),
        (guint64)status.pipeline.frames,
        (guint64)status.publisher.frames_dropped);
  log_destinations (name, id, &status);
}

static void
reap (VigilInstanceManager *self, VigilInstance *instance)
{
  g_autoptr (GPtrArray) forgotten = NULL;

  vigil_instance_release (instance);
  log_end (instance);
  pthread_mutex_lock (&self->lock);
  if (!g_queue_remove (&self->waiting, instance))
    self->running--;
  self->unreleased--;
  self->finished++;
  forgotten = steal_forgotten (self);
  pthread_cond_broadcast (&self->released);
  pthread_mutex_unlock (&self->lock);
  start_waiting (self);
}

static gpointer
run_reaper (gpointer data)
{
  VigilInstanceManager *self = data;

  for (;;) {
    g_autoptr (VigilInstance) instance =
        vigil_queue_pop (self->reaper_queue, -1);

    if (instance != NULL)
      reap (self, instance);
    else if (vigil_queue_is_closed (self->reaper_queue))
      return NULL;
  }
}

/* ---- Public ----------------------------------------------------------- */

VigilInstanceManager *
vigil_instance_manager_new (const VigilConfig *config,
    const VigilEnvironment *environment, const VigilSettings *settings,
    VigilProblems *problems)
{
  VigilInstanceManager *self = g_new0 (VigilInstanceManager, 1);

  self->config = config;
  self->eis_bus = vigil_eis_bus_new (vigil_config_get_interfaces (config),
      environment, vigil_config_get_folder (config), problems);
  if (settings->rtsp != NULL)
    self->rtsp_server = vigil_rtsp_server_new (settings->rtsp);
  self->environment = environment;
  self->settings = *settings;
  self->entries = g_ptr_array_new_with_free_func (entry_free);
  self->usable = g_ptr_array_new ();
  self->instances =
      g_ptr_array_new_with_free_func ((GDestroyNotify)vigil_instance_unref);
  self->by_id = g_hash_table_new (g_str_hash, g_str_equal);
  g_queue_init (&self->waiting);
  pthread_mutex_init (&self->lock, NULL);
  pthread_cond_init (&self->released, NULL);
  for (unsigned index = 0; index < vigil_config_get_pipeline_count (config);
       index++) {
    Entry *entry = load_entry (self, index, problems);

    g_ptr_array_add (self->entries, entry);
    if (entry->definition != NULL)
      g_ptr_array_add (self->usable, entry);
  }
  self->reaper_queue = vigil_queue_new (REAPER_ITEMS_MAX, 0,
      VIGIL_QUEUE_DROP_NEWEST, (GDestroyNotify)vigil_instance_unref);
  self->reaper = g_thread_new ("vigil-reaper", run_reaper, self);
  return self;
}

void
vigil_instance_manager_free (VigilInstanceManager *self)
{
  if (self == NULL)
    return;
  vigil_queue_close (self->reaper_queue);
  g_thread_join (self->reaper);
  vigil_queue_free (self->reaper_queue);
  g_queue_clear (&self->waiting);
  g_hash_table_unref (self->by_id);
  g_ptr_array_unref (self->instances);
  g_ptr_array_unref (self->usable);
  g_ptr_array_unref (self->entries);
  vigil_rtsp_server_free (self->rtsp_server);
  vigil_eis_bus_free (self->eis_bus, (int)self->settings.flush_ms);
  pthread_cond_destroy (&self->released);
  pthread_mutex_destroy (&self->lock);
  g_free (self);
}

/* Puts @instance into the table. FALSE when the server stops. */
static gboolean
adopt (VigilInstanceManager *self, VigilInstance *instance)
{
  gboolean is_adopted;

  pthread_mutex_lock (&self->lock);
  is_adopted = !self->is_stopping;
  if (is_adopted) {
    g_ptr_array_add (self->instances, vigil_instance_ref (instance));
    g_hash_table_insert (
        self->by_id, (gpointer)vigil_instance_get_id (instance), instance);
    g_queue_push_tail (&self->waiting, instance);
    self->unreleased++;
  }
  pthread_mutex_unlock (&self->lock);
  return is_adopted;
}

static void
log_start (VigilInstance *instance)
{
  const char *id = vigil_instance_get_id (instance);

  g_message ("instance %s of '%s' starts", id,
      vigil_instance_get_pipeline_name (instance));
  for (const char *const *warning = vigil_instance_get_warnings (instance);
       *warning != NULL; warning++)
    g_warning ("instance %s of '%s': %s", id,
        vigil_instance_get_pipeline_name (instance), *warning);
}

static VigilInstance *
start_entry (VigilInstanceManager *self, const Entry *entry,
    const VigilJson *request, gboolean is_trusted, GError **error)
{
  g_autoptr (VigilInstance) instance = NULL;
  VigilInstanceOptions options = {
      .definition = entry->definition,
      .entry = entry->entry,
      .request = request,
      .is_trusted = is_trusted,
      .environment = self->environment,
      .config_folder = vigil_config_get_folder (self->config),
      .eis_bus = self->eis_bus,
      .rtsp_server = self->rtsp_server,
      .settings = &self->settings,
      .on_ended = on_instance_ended,
      .user_data = self,
  };

  if (!vigil_instance_manager_is_stopping (self)) {
    instance = vigil_instance_new (&options, error);
    if (instance == NULL)
      return NULL;
  }
  if (instance == NULL || !adopt (self, instance)) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_UNAVAILABLE,
        "the server is stopping: no new instance is started");
    return NULL;
  }
  log_start (instance);
  start_waiting (self);
  return g_steal_pointer (&instance);
}

VigilInstance *
vigil_instance_manager_start (VigilInstanceManager *self, const char *name,
    const VigilJson *request, GError **error)
{
  const Entry *entry = find_entry (self->entries, name);
  g_autoptr (VigilProblems) problems = vigil_problems_new ();

  if (entry == NULL) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_NOT_FOUND,
        "pipeline '%s': no such name in %s", name,
        vigil_config_get_path (self->config));
    return NULL;
  }
  if (entry->definition == NULL) {
    g_propagate_error (error, g_error_copy (entry->error));
    g_prefix_error (error, "pipeline '%s' cannot be used: ", name);
    return NULL;
  }
  if (request != NULL)
    vigil_request_check (request, "", problems);
  if (!vigil_problems_check (problems, error))
    return NULL;
  return start_entry (self, entry, request, FALSE, error);
}

unsigned
vigil_instance_manager_auto_start (VigilInstanceManager *self)
{
  unsigned started = 0;

  for (unsigned index = 0; index < self->usable->len; index++) {
    const Entry *entry = g_ptr_array_index (self->usable, index);
    g_autoptr (GError) error = NULL;
    g_autoptr (VigilInstance) instance = NULL;

    if (!vigil_schema_get_boolean (entry->entry, "auto_start", FALSE))
      continue;
    instance = start_entry (self, entry,
        vigil_json_object_get (entry->entry, "payload"), TRUE, &error);
    if (instance == NULL)
      g_warning ("%s: '%s' was not started: %s", entry->path, entry->name,
          error->message);
    else
      started++;
  }
  return started;
}

VigilInstance *
vigil_instance_manager_find (VigilInstanceManager *self, const char *id)
{
  VigilInstance *instance;

  pthread_mutex_lock (&self->lock);
  instance = g_hash_table_lookup (self->by_id, id);
  if (instance != NULL)
    vigil_instance_ref (instance);
  pthread_mutex_unlock (&self->lock);
  return instance;
}

GPtrArray *
vigil_instance_manager_list (VigilInstanceManager *self)
{
  GPtrArray *list =
      g_ptr_array_new_with_free_func ((GDestroyNotify)vigil_instance_unref);

  pthread_mutex_lock (&self->lock);
  for (unsigned index = 0; index < self->instances->len; index++)
    g_ptr_array_add (
        list, vigil_instance_ref (g_ptr_array_index (self->instances, index)));
  pthread_mutex_unlock (&self->lock);
  return list;
}

unsigned
vigil_instance_manager_renew_all (VigilInstanceManager *self)
{
  g_autoptr (GPtrArray) list = vigil_instance_manager_list (self);

  for (unsigned index = 0; index < list->len; index++)
    vigil_instance_renew (g_ptr_array_index (list, index));
  return list->len;
}

unsigned
vigil_instance_manager_get_definition_count (const VigilInstanceManager *self)
{
  return self->usable->len;
}

const VigilDefinition *
vigil_instance_manager_get_definition (
    const VigilInstanceManager *self, unsigned index)
{
  const Entry *entry = g_ptr_array_index (self->usable, index);

  return entry->definition;
}

const VigilDefinition *
vigil_instance_manager_find_definition (
    const VigilInstanceManager *self, const char *name)
{
  const Entry *entry = find_entry (self->usable, name);

  return entry == NULL ? NULL : entry->definition;
}

gboolean
vigil_instance_manager_knows (
    const VigilInstanceManager *self, const char *name)
{
  return find_entry (self->entries, name) != NULL;
}

unsigned
vigil_instance_manager_get_unended_count (VigilInstanceManager *self)
{
  unsigned count;

  pthread_mutex_lock (&self->lock);
  count = self->unreleased;
  pthread_mutex_unlock (&self->lock);
  return count;
}

gboolean
vigil_instance_manager_is_stopping (VigilInstanceManager *self)
{
  gboolean is_stopping;

  pthread_mutex_lock (&self->lock);
  is_stopping = self->is_stopping;
  pthread_mutex_unlock (&self->lock);
  return is_stopping;
}

unsigned
vigil_instance_manager_stop_all (
    VigilInstanceManager *self, int64_t deadline_us)
{
  struct timespec deadline = {
      .tv_sec = deadline_us / G_USEC_PER_SEC,
      .tv_nsec = deadline_us % G_USEC_PER_SEC * 1000,
  };
  g_autoptr (GPtrArray) instances = NULL;
  unsigned left;
  int status = 0;

  pthread_mutex_lock (&self->lock);
  self->is_stopping = TRUE;
  pthread_mutex_unlock (&self->lock);
  instances = vigil_instance_manager_list (self);
  for (unsigned index = 0; index < instances->len; index++)
    vigil_instance_stop (g_ptr_array_index (instances, index));
  pthread_mutex_lock (&self->lock);
  while (self->unreleased > 0 && status == 0)
    status = pthread_cond_clockwait (
        &self->released, &self->lock, CLOCK_MONOTONIC, &deadline);
  left = self->unreleased;
  pthread_mutex_unlock (&self->lock);
  return left;
}
