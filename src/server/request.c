/* SPDX-License-Identifier: Apache-2.0 */

/* Start requests: what may stand in them, and how they change an entry. */

#include "server/request.h"

#include "base/error.h"
#include "publish/destination.h"
#include "rtsp/rtsp-destination.h"
#include <string.h>

static const VigilSchemaKey destination_keys[] = {
    {.name = "metadata",
        .type = VIGIL_SCHEMA_OBJECT_OR_ARRAY,
        .help = "Destination of metadata and frames: `type` and the settings "
                "of that type."},
    {.name = "frame",
        .type = VIGIL_SCHEMA_OBJECT_OR_ARRAY,
        .help = "Destination of the video: `type` rtsp, `path` and more."},
    {.name = NULL},
};

const VigilSchemaKey vigil_request_keys[] = {
    {.name = "source",
        .type = VIGIL_SCHEMA_OBJECT,
        .help = "Where the video comes from: `type` uri, webcam or gst."},
    {.name = "destination",
        .type = VIGIL_SCHEMA_OBJECT,
        .keys = destination_keys,
        .help = "Where the results go."},
    {.name = "mqtt_publisher",
        .type = VIGIL_SCHEMA_OBJECT_OR_ARRAY,
        .help = "Changes to the pipeline's `mqtt_publisher`."},
    {.name = "parameters",
        .type = VIGIL_SCHEMA_OBJECT,
        .help = "Values of the pipeline's parameters."},
    {.name = "tags",
        .type = VIGIL_SCHEMA_OBJECT,
        .help = "Put into the metadata of every frame."},
    {.name = "async",
        .type = VIGIL_SCHEMA_BOOLEAN,
        .help = "No effect, as in DLSPS.",
        .ignored = "has no effect"},
    {.name = "sync",
        .type = VIGIL_SCHEMA_BOOLEAN,
        .help = "Image ingestor: answer each image with its result."},
    {.name = "S3_write",
        .type = VIGIL_SCHEMA_ANY,
        .help = "S3 (DLSPS only).",
        .refused = "vigil does not write to S3; leave it out"},
    {.name = NULL},
};

/* Keys that choose the broker, or files and secrets to show to it. */
static const char *const broker_keys[] = {"host", "port", "hosts", "username",
    "password", "password_file", "tls", NULL};
/* What a destination at another address must not inherit. */
static const char *const credential_keys[] = {
    "username", "password", "password_file", "tls", NULL};
static const char *const address_keys[] = {"host", "port", "hosts", NULL};

static char *
join (const char *path, const char *key)
{
  return *path == '\0' ? g_strdup (key) : g_strconcat (path, ".", key, NULL);
}

static char *
list_types (void)
{
  GString *text = g_string_new (NULL);

  for (const VigilDestinationOps *const *ops = vigil_destination_list ();
       *ops != NULL; ops++)
    g_string_append_printf (
        text, "%s'%s'", text->len == 0 ? "" : ", ", (*ops)->type);
  return g_string_free (text, FALSE);
}

/* One object of `destination.metadata`: its type must be one of ours. */
static void
check_metadata_object (
    const VigilJson *object, const char *path, VigilProblems *problems)
{
  const VigilJson *type_value = vigil_json_object_get (object, "type");
  const char *type = vigil_json_get_string (type_value);
  g_autofree char *type_path = g_strconcat (path, ".type", NULL);
  g_autofree char *types = NULL;

  if (vigil_json_get_type (object) != VIGIL_JSON_OBJECT) {
    vigil_problems_add (problems, VIGIL_PROBLEM_ERROR, path,
        "%s: want an object",
        vigil_json_type_name (vigil_json_get_type (object)));
    return;
  }
  if (type != NULL && vigil_destination_find (type) != NULL)
    return;
  types = list_types ();
  if (type == NULL)
    vigil_problems_add (problems, VIGIL_PROBLEM_ERROR, type_path,
        "missing: want one of %s", types);
  else
    vigil_problems_add (problems, VIGIL_PROBLEM_ERROR, type_path,
        "'%.40s' is not a destination of vigil: want one of %s", type, types);
}

/* One object of `destination.frame`. */
static void
check_frame_object (
    const VigilJson *object, const char *path, VigilProblems *problems)
{
  const VigilDestinationOps *ops = &vigil_rtsp_destination_ops;
  const VigilDestinationContext context = {0};
  const char *type = vigil_schema_get_string (object, "type", NULL);
  g_autofree char *type_path = g_strconcat (path, ".type", NULL);

  if (vigil_json_get_type (object) != VIGIL_JSON_OBJECT)
    vigil_problems_add (problems, VIGIL_PROBLEM_ERROR, path,
        "%s: want an object",
        vigil_json_type_name (vigil_json_get_type (object)));
  else if (type == NULL)
    vigil_problems_add (
        problems, VIGIL_PROBLEM_ERROR, type_path, "missing: want 'rtsp'");
  else if (strcmp (type, ops->type) != 0)
    vigil_problems_add (problems, VIGIL_PROBLEM_ERROR, type_path,
        "'%.40s': want 'rtsp'; vigil serves no WebRTC and writes to no S3, "
        "frames also go out over MQTT with publish_frame",
        type);
  else
    vigil_destination_check (ops, object, path, &context, problems);
}

static void
check_each (const VigilJson *value, const char *path, VigilProblems *problems,
    void (*check) (
        const VigilJson *object, const char *path, VigilProblems *problems))
{
  if (value == NULL)
    return;
  if (vigil_json_get_type (value) == VIGIL_JSON_OBJECT)
    check (value, path, problems);
  if (vigil_json_get_type (value) != VIGIL_JSON_ARRAY)
    return;
  for (size_t index = 0; index < vigil_json_array_size (value); index++) {
    g_autofree char *element_path = g_strdup_printf ("%s[%zu]", path, index);

    check (vigil_json_array_get (value, index), element_path, problems);
  }
}

/* A result that went nowhere would be missed late. */
static void
check_destination_keys (
    const VigilJson *destination, const char *path, VigilProblems *problems)
{
  VigilJsonIter iter = {0};
  const char *key;
  const VigilJson *value;

  if (vigil_json_object_size (destination) == 0)
    vigil_problems_add (problems, VIGIL_PROBLEM_ERROR, path,
        "empty: want \"metadata\" or \"frame\" in it, or leave it out");
  while (vigil_json_object_next (destination, &iter, &key, &value))
    if (strcmp (key, "metadata") != 0 && strcmp (key, "frame") != 0)
      vigil_problems_add (problems, VIGIL_PROBLEM_ERROR, path,
          "'%.40s': want \"metadata\" or \"frame\" and no other key", key);
}

void
vigil_request_check (
    const VigilJson *request, const char *path, VigilProblems *problems)
{
  const VigilJson *destination = vigil_json_object_get (request, "destination");
  g_autofree char *destination_path = join (path, "destination");
  g_autofree char *metadata_path =
      g_strconcat (destination_path, ".metadata", NULL);
  g_autofree char *frame_path = g_strconcat (destination_path, ".frame", NULL);

  if (destination == NULL ||
      vigil_json_get_type (destination) != VIGIL_JSON_OBJECT) {
    vigil_schema_check (vigil_request_keys, request, path, problems);
    return;
  }
  check_destination_keys (destination, destination_path, problems);
  vigil_schema_check (vigil_request_keys, request, path, problems);
  check_each (vigil_json_object_get (destination, "metadata"), metadata_path,
      problems, check_metadata_object);
  check_each (vigil_json_object_get (destination, "frame"), frame_path,
      problems, check_frame_object);
}

/* ---- Merge ------------------------------------------------------------ */

/* TRUE when @changes names an address that is not @base's. */
static gboolean
changes_address (const VigilJson *base, const VigilJson *changes)
{
  for (const char *const *key = address_keys; *key != NULL; key++) {
    const VigilJson *wanted = vigil_json_object_get (changes, *key);
    const VigilJson *present = vigil_json_object_get (base, *key);
    g_autofree char *wanted_text = NULL;
    g_autofree char *present_text = NULL;

    if (wanted == NULL)
      continue;
    wanted_text = vigil_json_to_text (wanted);
    present_text = present == NULL ? NULL : vigil_json_to_text (present);
    if (g_strcmp0 (wanted_text, present_text) != 0)
      return TRUE;
  }
  return FALSE;
}

static gboolean
check_broker_keys (const VigilJson *changes, const char *path, GError **error)
{
  for (const char *const *key = broker_keys; *key != NULL; key++)
    if (vigil_json_object_get (changes, *key) != NULL) {
      g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID,
          "%s.%s: the broker is the operator's choice; leave it out, or set "
          "\"allow_request_broker\": true in the pipeline's configuration",
          path, *key);
      return FALSE;
    }
  return TRUE;
}

/* @base (nullable) with @changes over it, without `type`. */
static VigilJson *
merge_object (const VigilJson *base, const VigilJson *changes)
{
  VigilJson *merged =
      base == NULL ? vigil_json_new_object () : vigil_json_copy (base);
  VigilJsonIter iter = {0};
  const char *key;
  const VigilJson *value;

  if (changes_address (base, changes))
    for (const char *const *name = credential_keys; *name != NULL; name++)
      vigil_json_object_remove (merged, *name);
  while (vigil_json_object_next (changes, &iter, &key, &value)) {
    if (strcmp (key, "type") == 0)
      continue;
    if (vigil_json_is_null (value))
      vigil_json_object_remove (merged, key);
    else
      vigil_json_object_take (merged, key, vigil_json_copy (value));
  }
  return merged;
}

/* The destinations of one type as a list, whatever form they have in
 * @entry. Returns: (transfer full). */
static VigilJson *
list_destinations (const VigilJson *entry, const char *config_key)
{
  const VigilJson *value = vigil_json_object_get (entry, config_key);
  VigilJson *list;

  if (value != NULL && vigil_json_get_type (value) == VIGIL_JSON_ARRAY)
    return vigil_json_copy (value);
  list = vigil_json_new_array ();
  if (value != NULL && vigil_json_get_type (value) == VIGIL_JSON_OBJECT)
    vigil_json_array_take (list, vigil_json_copy (value));
  return list;
}

/* Where @changes belong in @list: the index of the same name, else 0. */
static size_t
find_base (const VigilJson *list, const VigilJson *changes)
{
  const char *name = vigil_schema_get_string (changes, "name", NULL);

  for (size_t index = 0; name != NULL && index < vigil_json_array_size (list);
       index++) {
    const VigilJson *element = vigil_json_array_get (list, index);

    if (g_strcmp0 (vigil_schema_get_string (element, "name", NULL), name) == 0)
      return index;
  }
  return 0;
}

/* One object over the destination it means; the others stay. */
static void
apply_object (
    VigilJson *entry, const char *config_key, const VigilJson *changes)
{
  g_autoptr (VigilJson) list = list_destinations (entry, config_key);
  VigilJson *merged = vigil_json_new_array ();
  size_t size = vigil_json_array_size (list);
  size_t target = find_base (list, changes);

  for (size_t index = 0; index < MAX (size, 1); index++) {
    const VigilJson *element = vigil_json_array_get (list, index);

    vigil_json_array_take (merged, index == target
                                       ? merge_object (element, changes)
                                       : vigil_json_copy (element));
  }
  vigil_json_object_take (entry, config_key, merged);
}

/* A list of changes replaces the destinations of the type. */
static void
apply_list (VigilJson *entry, const char *config_key, GPtrArray *changes)
{
  g_autoptr (VigilJson) list = list_destinations (entry, config_key);
  VigilJson *merged = vigil_json_new_array ();

  for (unsigned index = 0; index < changes->len; index++) {
    const VigilJson *change = g_ptr_array_index (changes, index);
    const VigilJson *base =
        vigil_json_array_get (list, find_base (list, change));

    vigil_json_array_take (merged, merge_object (base, change));
  }
  vigil_json_object_take (entry, config_key, merged);
}

/* What the checks of a merge need to know. */
typedef struct {
  gboolean allow_broker;
  VigilJson *entry;
} Merge;

/*
 * Applies those objects of @value (object or list at @path) that are for
 * @ops: all of them when @any_type.
 */
static gboolean
apply_value (Merge *merge, const VigilDestinationOps *ops, gboolean any_type,
    const VigilJson *value, const char *path, GError **error)
{
  gboolean is_list = vigil_json_get_type (value) == VIGIL_JSON_ARRAY;
  size_t size = is_list ? vigil_json_array_size (value) : 1;
  g_autoptr (GPtrArray) changes = g_ptr_array_new ();

  for (size_t index = 0; index < size; index++) {
    const VigilJson *element =
        is_list ? vigil_json_array_get (value, index) : value;
    g_autofree char *element_path =
        is_list ? g_strdup_printf ("%s[%zu]", path, index) : g_strdup (path);
    const char *type = vigil_schema_get_string (element, "type", NULL);

    if (!any_type && g_strcmp0 (type, ops->type) != 0)
      continue;
    if (!merge->allow_broker &&
        !check_broker_keys (element, element_path, error))
      return FALSE;
    g_ptr_array_add (changes, (gpointer)element);
  }
  if (changes->len > 0 && is_list)
    apply_list (merge->entry, ops->config_key, changes);
  else if (changes->len > 0)
    apply_object (
        merge->entry, ops->config_key, g_ptr_array_index (changes, 0));
  return TRUE;
}

VigilJson *
vigil_request_merge (const VigilJson *entry, const VigilJson *request,
    gboolean is_trusted, GError **error)
{
  g_autoptr (VigilJson) merged = vigil_json_copy (entry);
  const VigilJson *tags = vigil_json_object_get (request, "tags");
  const VigilJson *publisher =
      vigil_json_object_get (request, "mqtt_publisher");
  const VigilJson *metadata = vigil_json_object_get (
      vigil_json_object_get (request, "destination"), "metadata");
  Merge merge = {
      .allow_broker = is_trusted || vigil_schema_get_boolean (
                                        entry, "allow_request_broker", FALSE),
      .entry = merged,
  };

  if (tags != NULL)
    vigil_json_object_take (merged, "tags", vigil_json_copy (tags));
  if (publisher != NULL &&
      !apply_value (&merge, vigil_destination_find ("mqtt"), TRUE, publisher,
          "mqtt_publisher", error))
    return NULL;
  for (const VigilDestinationOps *const *ops = vigil_destination_list ();
       metadata != NULL && *ops != NULL; ops++)
    if (!apply_value (
            &merge, *ops, FALSE, metadata, "destination.metadata", error))
      return NULL;
  return g_steal_pointer (&merged);
}
