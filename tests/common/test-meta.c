/* SPDX-License-Identifier: Apache-2.0 */
/* An element and metas that stand in for DL Streamer's. */
#include "common/test-meta.h"

#include <gst/base/gstbasetransform.h>
#include <gst/video/video.h>

/* ---- DL Streamer's metas ----------------------------------------------- */

typedef struct {
  GstMeta meta;
  char *message;
} JsonMeta;

typedef struct {
  GstMeta meta;
  GstStructure *data;
} TensorMeta;

static gboolean
init_meta (GstMeta *meta, void *params, GstBuffer *buffer)
{
  ((JsonMeta *)meta)->message = NULL;
  return TRUE;
}

static void
free_json (GstMeta *meta, GstBuffer *buffer)
{
  g_free (((JsonMeta *)meta)->message);
}

static void
free_tensor (GstMeta *meta, GstBuffer *buffer)
{
  TensorMeta *self = (TensorMeta *)meta;
  if (self->data != NULL)
    gst_structure_free (self->data);
}

static gboolean
transform_json (
    GstBuffer *to, GstMeta *meta, GstBuffer *from, GQuark type, void *data)
{
  test_meta_add_message (to, ((JsonMeta *)meta)->message);
  return TRUE;
}

static gboolean
transform_tensor (
    GstBuffer *to, GstMeta *meta, GstBuffer *from, GQuark type, void *data)
{
  test_meta_add_tensor (to, gst_structure_copy (((TensorMeta *)meta)->data));
  return TRUE;
}

static const GstMetaInfo *
get_info (const char *api, const char *name, size_t size,
    GstMetaFreeFunction free_function, GstMetaTransformFunction transform)
{
  static const char *tags[] = {NULL};
  const GstMetaInfo *info = gst_meta_get_info (name);
  if (info == NULL)
    info = gst_meta_register (gst_meta_api_type_register (api, tags), name,
        size, init_meta, free_function, transform);
  return info;
}

static const GstMetaInfo *
get_json_info (void)
{
  return get_info ("GstGVAJSONMetaAPI", "GstGVAJSONMeta", sizeof (JsonMeta),
      free_json, transform_json);
}

static const GstMetaInfo *
get_tensor_info (void)
{
  return get_info ("GstGVATensorMetaAPI", "GstGVATensorMeta",
      sizeof (TensorMeta), free_tensor, transform_tensor);
}

void
test_meta_add_message (GstBuffer *buffer, const char *json)
{
  JsonMeta *meta =
      (JsonMeta *)gst_buffer_add_meta (buffer, get_json_info (), NULL);
  meta->message = g_strdup (json);
}

void
test_meta_add_tensor (GstBuffer *buffer, GstStructure *data)
{
  TensorMeta *meta =
      (TensorMeta *)gst_buffer_add_meta (buffer, get_tensor_info (), NULL);
  meta->data = data;
}

/* ---- The element ------------------------------------------------------- */

typedef struct {
  GstBaseTransform parent;
  char *message;
  char *region;
  char *results;
  char *tensor;
} VigilTestMeta;

typedef struct {
  GstBaseTransformClass parent;
} VigilTestMetaClass;

enum {
  PROP_0,
  PROP_MESSAGE,
  PROP_REGION,
  PROP_RESULTS,
  PROP_TENSOR,
};

GType vigil_test_meta_get_type (void);
G_DEFINE_TYPE (VigilTestMeta, vigil_test_meta, GST_TYPE_BASE_TRANSFORM)

static char **
find_text (VigilTestMeta *self, unsigned id)
{
  switch (id) {
  case PROP_MESSAGE:
    return &self->message;
  case PROP_REGION:
    return &self->region;
  case PROP_RESULTS:
    return &self->results;
  default:
    return &self->tensor;
  }
}

static void
set_property (
    GObject *object, unsigned id, const GValue *value, GParamSpec *spec)
{
  char **text = find_text ((VigilTestMeta *)object, id);
  g_free (*text);
  *text = g_value_dup_string (value);
}

static void
get_property (GObject *object, unsigned id, GValue *value, GParamSpec *spec)
{
  g_value_set_string (value, *find_text ((VigilTestMeta *)object, id));
}

static void
finalize (GObject *object)
{
  for (unsigned id = PROP_MESSAGE; id <= PROP_TENSOR; id++)
    g_free (*find_text ((VigilTestMeta *)object, id));
  G_OBJECT_CLASS (vigil_test_meta_parent_class)->finalize (object);
}

static void
add_region (VigilTestMeta *self, GstBuffer *buffer)
{
  g_autoptr (GstStructure) place =
      gst_structure_from_string (self->region, NULL);
  g_assert_nonnull (place);
  int x = 0, y = 0, width = 0, height = 0;
  gst_structure_get_int (place, "x", &x);
  gst_structure_get_int (place, "y", &y);
  gst_structure_get_int (place, "w", &width);
  gst_structure_get_int (place, "h", &height);
  GstVideoRegionOfInterestMeta *meta =
      gst_buffer_add_video_region_of_interest_meta (buffer,
          gst_structure_get_name (place), (guint)x, (guint)y, (guint)width,
          (guint)height);
  g_auto (GStrv) lines =
      g_strsplit (self->results != NULL ? self->results : "", "\n", -1);
  for (char **line = lines; *line != NULL; line++) {
    if (**line == '\0')
      continue;
    GstStructure *result = gst_structure_from_string (*line, NULL);
    g_assert_nonnull (result);
    gst_video_region_of_interest_meta_add_param (meta, result);
  }
}

static GstFlowReturn
transform_ip (GstBaseTransform *base, GstBuffer *buffer)
{
  VigilTestMeta *self = (VigilTestMeta *)base;
  if (self->region != NULL)
    add_region (self, buffer);
  if (self->message != NULL)
    test_meta_add_message (buffer, self->message);
  if (self->tensor != NULL)
    test_meta_add_tensor (
        buffer, gst_structure_from_string (self->tensor, NULL));
  return GST_FLOW_OK;
}

static void
add_property (GObjectClass *class, unsigned id, const char *name)
{
  g_object_class_install_property (class, id,
      g_param_spec_string (name, name, name, NULL, G_PARAM_READWRITE));
}

static void
vigil_test_meta_class_init (VigilTestMetaClass *class)
{
  GObjectClass *object_class = G_OBJECT_CLASS (class);
  GstElementClass *element_class = GST_ELEMENT_CLASS (class);
  object_class->set_property = set_property;
  object_class->get_property = get_property;
  object_class->finalize = finalize;
  add_property (object_class, PROP_MESSAGE, "message");
  add_property (object_class, PROP_REGION, "region");
  add_property (object_class, PROP_RESULTS, "results");
  add_property (object_class, PROP_TENSOR, "tensor");
  gst_element_class_add_pad_template (
      element_class, gst_pad_template_new (
                         "sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_CAPS_ANY));
  gst_element_class_add_pad_template (element_class,
      gst_pad_template_new ("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_CAPS_ANY));
  gst_element_class_set_static_metadata (element_class, "Test metadata",
      "Filter/Metadata", "Attaches metadata to each buffer", "vigil");
  GST_BASE_TRANSFORM_CLASS (class)->transform_ip = transform_ip;
}

static void
vigil_test_meta_init (VigilTestMeta *self)
{
  gst_base_transform_set_in_place (GST_BASE_TRANSFORM (self), TRUE);
}

static gboolean
init_plugin (GstPlugin *plugin)
{
  get_json_info ();
  get_tensor_info ();
  return gst_element_register (
      plugin, "vigiltestmeta", GST_RANK_NONE, vigil_test_meta_get_type ());
}

/* For programs of their own: GST_PLUGIN_PATH names the folder of the
 * module. */
#define PACKAGE "vigil"
GST_PLUGIN_DEFINE (GST_VERSION_MAJOR, GST_VERSION_MINOR, vigiltestmeta,
    "Metadata for tests", init_plugin, VIGIL_VERSION, "unknown", PACKAGE,
    "https://example.org/")

void
test_meta_register (void)
{
  static gboolean is_registered;
  if (is_registered)
    return;
  is_registered = TRUE;
  gst_init (NULL, NULL);
  gst_plugin_register_static (GST_VERSION_MAJOR, GST_VERSION_MINOR,
      "vigiltestmeta-static", "Metadata for tests", init_plugin, VIGIL_VERSION,
      "unknown", PACKAGE, PACKAGE, "https://example.org/");
}
