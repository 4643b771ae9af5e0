/* SPDX-License-Identifier: Apache-2.0 */
/* Images that are posted to an instance. */
#include "rest/rest-images.h"

#include "base/error.h"
#include "base/file.h"
#include "rest/rest-source.h"
#include <string.h>

#define IMAGE_BYTES_MAX (64 * 1024 * 1024)
#define TIMEOUT_DEFAULT_S 5.0
#define TIMEOUT_MAX_S 60.0
#define BASE64_CHARACTERS                                                      \
  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=\r\n"

static const char *const source_types[] = {"file", "base64_image", NULL};

static const VigilSchemaKey source_keys[] = {
    {.name = "type",
        .type = VIGIL_SCHEMA_CHOICE,
        .is_required = TRUE,
        .choices = source_types,
        .help = "Where the image is."},
    {.name = "path",
        .type = VIGIL_SCHEMA_STRING,
        .help = "file: an image that the server can read."},
    {.name = "data",
        .type = VIGIL_SCHEMA_STRING,
        .help = "base64_image: the image, in base64."},
    {0},
};

static const VigilSchemaKey image_keys[] = {
    {.name = "source",
        .type = VIGIL_SCHEMA_OBJECT,
        .is_required = TRUE,
        .keys = source_keys,
        .help = "The image."},
    {.name = "publish_frame",
        .type = VIGIL_SCHEMA_BOOLEAN,
        .help = "Synchronous: the answer has the frame."},
    {.name = "timeout",
        .type = VIGIL_SCHEMA_NUMBER,
        .minimum = 0.001,
        .maximum = TIMEOUT_MAX_S,
        .help = "Synchronous: seconds to wait for the result."},
    {.name = "custom_meta_data",
        .type = VIGIL_SCHEMA_OBJECT,
        .help = "Merged into the metadata."},
    {0},
};

static GBytes *
decode_base64 (const char *text, GError **error)
{
  gsize size = 0;
  guchar *bytes = NULL;

  if (strspn (text, BASE64_CHARACTERS) == strlen (text))
    bytes = g_base64_decode (text, &size);
  if (size == 0) {
    g_free (bytes);
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID,
        "source.data: want an image in base64");
    return NULL;
  }
  return g_bytes_new_take (bytes, size);
}

/* Returns: (transfer full) (nullable). */
static GBytes *
read_image (const VigilRestRequest *request, GError **error)
{
  const VigilJson *source = vigil_json_object_get (request->body, "source");
  const char *path = vigil_schema_get_string (source, "path", NULL);
  const char *data = vigil_schema_get_string (source, "data", NULL);
  size_t size;
  char *bytes;

  if (g_strcmp0 (vigil_schema_get_string (source, "type", NULL), "file") != 0) {
    if (data != NULL)
      return decode_base64 (data, error);
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID,
        "source.data: missing: want an image in base64");
    return NULL;
  }
  if (path == NULL) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID,
        "source.path: missing: want a file");
    return NULL;
  }
  if (!vigil_rest_source_check_file (
          path, "source.path", request->context->settings, error))
    return NULL;
  /* Whoever writes to a pipe would hold this thread for as long as they
   * like. */
  if (!g_file_test (path, G_FILE_TEST_IS_REGULAR)) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID,
        "source.path: %s: want a regular file that can be read", path);
    return NULL;
  }
  bytes = vigil_file_read (path, IMAGE_BYTES_MAX, &size, error);
  if (bytes == NULL) {
    g_prefix_error (error, "source.path: ");
    return NULL;
  }
  return g_bytes_new_take (bytes, size);
}

/* Where it came from, as DLSPS says it, and what the request adds. Returns:
 * (transfer full). */
static char *
make_metadata (const VigilJson *body)
{
  const VigilJson *custom = vigil_json_object_get (body, "custom_meta_data");
  const VigilJson *source = vigil_json_object_get (body, "source");
  const char *path = vigil_schema_get_string (source, "path", NULL);
  g_autoptr (VigilJson) metadata = custom == NULL || vigil_json_is_null (custom)
                                       ? vigil_json_new_object ()
                                       : vigil_json_copy (custom);

  if (path != NULL)
    vigil_json_object_take (
        metadata, "source_path", vigil_json_new_string (path));
  else
    vigil_json_object_take (
        metadata, "source_data", vigil_json_new_string ("base64_image"));
  return vigil_json_to_text (metadata);
}

/* The words of DLSPS where clients know them. */
static void
answer_error (VigilRestResponse *response, const GError *error)
{
  if (g_error_matches (error, VIGIL_ERROR, VIGIL_ERROR_TIMEOUT))
    vigil_rest_response_set_string (
        response, 400, "Request execution timed out");
  else if (g_error_matches (error, VIGIL_ERROR, VIGIL_ERROR_LIMIT))
    vigil_rest_response_set_string (
        response, 400, "Could not execute requeust due to timeout.");
  else if (g_error_matches (error, VIGIL_ERROR, VIGIL_ERROR_INVALID))
    vigil_rest_response_set_problem (
        response, 400, "source: %s", error->message);
  else
    vigil_rest_response_set_string (response, 400, "Failed to execute request");
}

static void
ingest (const VigilRestRequest *request, VigilInstance *instance, GBytes *bytes,
    VigilRestResponse *response)
{
  double timeout_s =
      vigil_schema_get_number (request->body, "timeout", TIMEOUT_DEFAULT_S);
  g_autofree char *metadata = make_metadata (request->body);
  g_autofree char *result = NULL;
  g_autoptr (GError) error = NULL;
  const VigilInstanceImage image = {
      .image = bytes,
      .metadata = metadata,
      .with_frame =
          vigil_schema_get_boolean (request->body, "publish_frame", FALSE),
      .deadline_us =
          g_get_monotonic_time () + (int64_t)(timeout_s * G_USEC_PER_SEC),
  };

  if (!vigil_instance_ingest (instance, &image, &result, &error))
    answer_error (response, error);
  else
    vigil_rest_response_set_string (response, 200,
        result != NULL ? result
                       : "Request submitted. Check destination for response.");
}

void
vigil_rest_images_ingest (
    const VigilRestRequest *request, VigilRestResponse *response)
{
  g_autoptr (VigilInstance) instance = vigil_instance_manager_find (
      request->context->manager, request->arguments[2]);
  g_autoptr (VigilProblems) problems = vigil_problems_new ();
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = NULL;

  if (instance == NULL) {
    vigil_rest_response_set_string (
        response, 400, "Pipeline instance not found");
    return;
  }
  if (!vigil_instance_takes_images (instance) ||
      strcmp (vigil_instance_get_pipeline_name (instance),
          request->arguments[1]) != 0) {
    vigil_rest_response_set_string (response, 400, "Failed to execute request");
    return;
  }
  vigil_schema_check (image_keys, request->body, "", problems);
  if (vigil_problems_check (problems, &error))
    bytes = read_image (request, &error);
  if (bytes != NULL) {
    ingest (request, instance, bytes, response);
  } else {
    vigil_rest_response_set_error (response, error);
    response->status = 400;
  }
}
