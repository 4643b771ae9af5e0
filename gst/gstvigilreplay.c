/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The element vigilreplay. Frames pass untouched; only their metadata grows.
 */
#include "gst/gstvigilreplay.h"

#include "gst/recording.h"
#include <gst/video/gstvideometa.h>

/* How far a record may be from a frame whose duration is not known. */
#define TOLERANCE (20 * GST_MSECOND)

GST_DEBUG_CATEGORY_STATIC (vigil_replay_debug);
#define GST_CAT_DEFAULT vigil_replay_debug

typedef enum {
  MATCH_PTS,
  MATCH_FRAME,
} Match;

struct _VigilReplay {
  GstBaseTransform parent_instance;

  /* object lock */
  char *location;
  Match match;

  /* streaming thread; made and freed while it does not run */
  VigilRecording *recording;
  uint64_t frame;
  int width, height;
};

enum {
  PROP_0,
  PROP_LOCATION,
  PROP_MATCH,
};

G_DEFINE_FINAL_TYPE (VigilReplay, vigil_replay, GST_TYPE_BASE_TRANSFORM)

#define VIGIL_TYPE_REPLAY_MATCH (match_get_type ())

static GType
match_get_type (void)
{
  static const GEnumValue values[] = {
      {MATCH_PTS, "Nearest in stream time, within half a frame", "pts"},
      {MATCH_FRAME, "Frame number, counted here from 0", "frame"},
      {0, NULL, NULL},
  };
  static gsize type;

  if (g_once_init_enter (&type))
    g_once_init_leave (
        &type, g_enum_register_static ("VigilReplayMatch", values));
  return type;
}

static void
vigil_replay_set_property (
    GObject *object, guint id, const GValue *value, GParamSpec *spec)
{
  VigilReplay *self = VIGIL_REPLAY (object);

  GST_OBJECT_LOCK (self);
  if (id == PROP_LOCATION) {
    g_free (self->location);
    self->location = g_value_dup_string (value);
  } else if (id == PROP_MATCH) {
    self->match = (Match)g_value_get_enum (value);
  } else {
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, spec);
  }
  GST_OBJECT_UNLOCK (self);
}

static void
vigil_replay_get_property (
    GObject *object, guint id, GValue *value, GParamSpec *spec)
{
  VigilReplay *self = VIGIL_REPLAY (object);

  GST_OBJECT_LOCK (self);
  if (id == PROP_LOCATION)
    g_value_set_string (value, self->location);
  else if (id == PROP_MATCH)
    g_value_set_enum (value, self->match);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, spec);
  GST_OBJECT_UNLOCK (self);
}

static void
vigil_replay_finalize (GObject *object)
{
  VigilReplay *self = VIGIL_REPLAY (object);

  g_free (self->location);
  vigil_recording_free (self->recording);
  G_OBJECT_CLASS (vigil_replay_parent_class)->finalize (object);
}

static gboolean
vigil_replay_start (GstBaseTransform *base)
{
  VigilReplay *self = VIGIL_REPLAY (base);
  g_autofree char *location = NULL;
  g_autoptr (GError) error = NULL;

  GST_OBJECT_LOCK (self);
  location = g_strdup (self->location);
  GST_OBJECT_UNLOCK (self);
  self->frame = 0;
  if (location == NULL || *location == '\0') {
    GST_ELEMENT_ERROR (self, RESOURCE, NOT_FOUND,
        ("location: want the name of a file of recorded detections"), (NULL));
    return FALSE;
  }
  self->recording = vigil_recording_read (location, &error);
  if (self->recording == NULL) {
    GST_ELEMENT_ERROR (self, RESOURCE, READ, ("%s", error->message), (NULL));
    return FALSE;
  }
  return TRUE;
}

static gboolean
vigil_replay_stop (GstBaseTransform *base)
{
  VigilReplay *self = VIGIL_REPLAY (base);

  g_clear_pointer (&self->recording, vigil_recording_free);
  return TRUE;
}

static gboolean
vigil_replay_set_caps (GstBaseTransform *base, GstCaps *input, GstCaps *output)
{
  VigilReplay *self = VIGIL_REPLAY (base);
  const GstStructure *structure = gst_caps_get_structure (input, 0);

  self->width = self->height = 0;
  gst_structure_get_int (structure, "width", &self->width);
  gst_structure_get_int (structure, "height", &self->height);
  return TRUE;
}

static GstStructure *
make_structure (const VigilRecordedResult *result)
{
  GstStructure *structure = gst_structure_new_empty (result->name);

  if (result->label_id >= 0)
    gst_structure_set (
        structure, "label_id", G_TYPE_INT, result->label_id, NULL);
  if (result->confidence >= 0)
    gst_structure_set (
        structure, "confidence", G_TYPE_DOUBLE, result->confidence, NULL);
  return structure;
}

/* The structure that gvadetect gives a region: no label, a relative box. */
static GstStructure *
make_detection (VigilReplay *self, const VigilRecordedDetection *detection)
{
  GstStructure *structure = make_structure (&detection->result);

  if (self->width > 0 && self->height > 0)
    gst_structure_set (structure, "x_min", G_TYPE_DOUBLE,
        (double)detection->x / self->width, "y_min", G_TYPE_DOUBLE,
        (double)detection->y / self->height, "x_max", G_TYPE_DOUBLE,
        (double)(detection->x + detection->width) / self->width, "y_max",
        G_TYPE_DOUBLE,
        (double)(detection->y + detection->height) / self->height, NULL);
  return structure;
}

/* As gvaclassify does it. */
static GstStructure *
make_attribute (const VigilRecordedResult *attribute)
{
  GstStructure *structure = make_structure (attribute);

  gst_structure_set (structure, "label", G_TYPE_STRING,
      attribute->label != NULL ? attribute->label : "", "attribute_name",
      G_TYPE_STRING, attribute->name, "model_name", G_TYPE_STRING, "recorded",
      NULL);
  return structure;
}

static void
add_region (VigilReplay *self, GstBuffer *buffer,
    const VigilRecordedDetection *detection, int id)
{
  const char *label = detection->result.label;
  GstVideoRegionOfInterestMeta *meta =
      gst_buffer_add_video_region_of_interest_meta (buffer,
          label != NULL ? label : "", (guint)detection->x, (guint)detection->y,
          (guint)detection->width, (guint)detection->height);

  meta->id = id;
  meta->parent_id = -1;
  gst_video_region_of_interest_meta_add_param (
      meta, make_detection (self, detection));
  if (detection->object_id > 0)
    gst_video_region_of_interest_meta_add_param (
        meta, gst_structure_new ("object_id", "id", G_TYPE_INT,
                  (int)detection->object_id, NULL));
  for (unsigned i = 0;
       detection->attributes != NULL && i < detection->attributes->len; i++)
    gst_video_region_of_interest_meta_add_param (meta,
        make_attribute (
            &g_array_index (detection->attributes, VigilRecordedResult, i)));
}

static const GArray *
find_detections (VigilReplay *self, GstBuffer *buffer, uint64_t frame)
{
  GstClockTime pts = GST_BUFFER_PTS (buffer);
  GstClockTime duration = GST_BUFFER_DURATION (buffer);
  guint64 time;
  Match match;

  GST_OBJECT_LOCK (self);
  match = self->match;
  GST_OBJECT_UNLOCK (self);
  if (match == MATCH_FRAME)
    return vigil_recording_find_frame (self->recording, frame);
  if (!GST_CLOCK_TIME_IS_VALID (pts))
    return NULL;
  time = gst_segment_to_stream_time (
      &GST_BASE_TRANSFORM (self)->segment, GST_FORMAT_TIME, pts);
  if (!GST_CLOCK_TIME_IS_VALID (time) || time > G_MAXINT64)
    return NULL;
  return vigil_recording_find_pts (self->recording, (int64_t)time,
      GST_CLOCK_TIME_IS_VALID (duration) && duration > 0
          ? (int64_t)(duration / 2)
          : (int64_t)TOLERANCE);
}

static GstFlowReturn
vigil_replay_transform_ip (GstBaseTransform *base, GstBuffer *buffer)
{
  VigilReplay *self = VIGIL_REPLAY (base);
  const GArray *detections = find_detections (self, buffer, self->frame++);

  for (unsigned i = 0; detections != NULL && i < detections->len; i++)
    add_region (self, buffer,
        &g_array_index (detections, VigilRecordedDetection, i), (int)i);
  return GST_FLOW_OK;
}

static void
install_properties (GObjectClass *class)
{
  g_object_class_install_property (class, PROP_LOCATION,
      g_param_spec_string ("location", "Location",
          "File of recorded detections: JSON lines, one for each frame", NULL,
          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
              GST_PARAM_MUTABLE_READY));
  g_object_class_install_property (class, PROP_MATCH,
      g_param_spec_enum ("match", "Match",
          "How a line finds its frame: pts or frame", VIGIL_TYPE_REPLAY_MATCH,
          MATCH_PTS, G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS));
}

static void
vigil_replay_class_init (VigilReplayClass *class)
{
  GObjectClass *object_class = G_OBJECT_CLASS (class);
  GstElementClass *element_class = GST_ELEMENT_CLASS (class);
  GstBaseTransformClass *transform_class = GST_BASE_TRANSFORM_CLASS (class);
  static GstStaticPadTemplate sink = GST_STATIC_PAD_TEMPLATE (
      "sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);
  static GstStaticPadTemplate source = GST_STATIC_PAD_TEMPLATE (
      "src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

  GST_DEBUG_CATEGORY_INIT (
      vigil_replay_debug, "vigilreplay", 0, "recorded detections");
  object_class->set_property = vigil_replay_set_property;
  object_class->get_property = vigil_replay_get_property;
  object_class->finalize = vigil_replay_finalize;
  install_properties (object_class);
  gst_element_class_add_static_pad_template (element_class, &sink);
  gst_element_class_add_static_pad_template (element_class, &source);
  gst_element_class_set_static_metadata (element_class, "Recorded detections",
      "Filter/Metadata/Video", "Attaches recorded detections to video frames",
      "vigil");
  transform_class->start = vigil_replay_start;
  transform_class->stop = vigil_replay_stop;
  transform_class->set_caps = vigil_replay_set_caps;
  transform_class->transform_ip = vigil_replay_transform_ip;
}

static void
vigil_replay_init (VigilReplay *self)
{
  gst_base_transform_set_in_place (GST_BASE_TRANSFORM (self), TRUE);
}
