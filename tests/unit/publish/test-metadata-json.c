/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/metadata-json.h"

#include "base/json.h"
#include "common/fixture.h"
#include <math.h>
#include <string.h>

#define NOW_NS INT64_C (1753450000333123000)

typedef struct {
  VigilFrame *frame;
  VigilMetadataJsonOptions options;
  VigilImageEncoding encoding;
  VigilInstanceState state;
  unsigned errors; /* set by write */
} Scene;

static void
scene_init (Scene *self)
{
  *self = (Scene){
      .frame = vigil_frame_new (),
      .options =
          {
              .pipeline_name = "pallets",
              .instance_id = "0123456789abcdef0123456789abcdef",
              .img_handle_length = 10,
          },
      .encoding = {TRUE, "jpeg", 85},
      .state = {"RUNNING", 29.97, -1, 1753450000.125, 12.5, ""},
  };
  self->frame->caps = g_strdup ("image/jpeg, width=(int)640");
  self->frame->media_type = g_strdup ("image/jpeg");
  self->frame->width = 640;
  self->frame->height = 480;
  self->frame->frame_id = 4;
  self->frame->pts = 133000000;
  self->frame->stream_time = 133333333;
}

static void
scene_clear (Scene *self)
{
  vigil_frame_unref (self->frame);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Scene, scene_clear)

/* Whatever is in the scene, the text is one line of valid JSON.
 * Returns: (transfer full) the text. */
static char *
write_text (Scene *self)
{
  g_autoptr (VigilMetadataJson) writer =
      vigil_metadata_json_new (&self->options);
  const GString *text = vigil_metadata_json_write (writer, self->frame,
      &self->encoding, &self->state, NOW_NS, &self->errors);
  g_autoptr (GError) error = NULL;
  g_autoptr (VigilJson) tree =
      vigil_json_parse (text->str, (gssize)text->len, 64 << 20, 128, &error);

  g_assert_no_error (error);
  g_assert_cmpuint (strlen (text->str), ==, text->len);
  g_assert_null (strpbrk (text->str, "\r\n"));
  g_assert_true (g_utf8_validate (text->str, -1, NULL));
  return g_strdup (text->str);
}

static VigilJson *
write_tree (Scene *self)
{
  g_autofree char *text = write_text (self);

  return vigil_json_parse (text, -1, 64 << 20, 128, NULL);
}

static void
add_message (Scene *self, const char *text)
{
  vigil_metadata_take_message (
      self->frame->metadata, g_strdelimit (g_strdup (text), "'", '"'));
}

/* Compares by meaning; @wanted has single quotes. */
static void
assert_member (const VigilJson *tree, const char *key, const char *wanted)
{
  g_autofree char *quoted = g_strdelimit (g_strdup (wanted), "'", '"');
  g_autoptr (VigilJson) wanted_tree =
      vigil_json_parse (quoted, -1, 1 << 20, 64, NULL);
  g_autofree char *wanted_text = NULL;
  g_autofree char *text = NULL;
  const VigilJson *value = vigil_json_object_get (tree, key);

  g_assert_nonnull (wanted_tree);
  g_assert_nonnull (value);
  wanted_text = vigil_json_to_text (wanted_tree);
  text = vigil_json_to_text (value);
  g_assert_cmpstr (text, ==, wanted_text);
}

static VigilRegion *
add_region (Scene *self, const char *label, double confidence)
{
  VigilRegion *region = vigil_metadata_add_region (self->frame->metadata);
  VigilResult *result = vigil_metadata_add_result (region->results);

  region->label = g_strdup (label);
  region->x = 256;
  region->y = 149;
  region->width = 134;
  region->height = 197;
  region->id = 142;
  result->name = g_intern_static_string ("detection");
  result->confidence = confidence;
  result->has_confidence = TRUE;
  result->label_id = 2;
  result->has_label_id = TRUE;
  result->has_box = TRUE;
  result->x_min = 0.40;
  result->y_min = 0.31;
  result->x_max = 0.61;
  result->y_max = 0.72;
  return region;
}

static VigilResult *
add_classification (GArray *results, const char *name, const char *label)
{
  VigilResult *result = vigil_metadata_add_result (results);

  result->name = g_intern_string (name);
  result->label = g_strdup (label);
  result->model_name = g_strdup ("torch-jit-export");
  result->confidence = 0.99;
  result->has_confidence = TRUE;
  result->label_id = 0;
  result->has_label_id = TRUE;
  return result;
}

/* ---- The whole ---------------------------------------------------------- */

/* Order and text, to the byte, but for the random handle. */
static void
test_whole (void)
{
  g_auto (Scene) scene = {0};
  g_autofree char *text = NULL;
  char *handle;

  scene_init (&scene);
  add_region (&scene, "box", 0.87);
  text = write_text (&scene);
  handle = strstr (text, "\"img_handle\":\"") + strlen ("\"img_handle\":\"");
  g_assert_cmpuint (
      strspn (handle, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"), ==, 10);
  memcpy (handle, "HANDLEHAND", 10);
  g_assert_cmpstr (text, ==,
      "{\"height\":480,\"width\":640,\"channels\":3,"
      "\"caps\":\"image/jpeg, width=(int)640\",\"img_format\":\"none\","
      "\"img_handle\":\"HANDLEHAND\",\"objects\":[{\"detection\":{"
      "\"bounding_box\":{\"x_max\":0.61,\"x_min\":0.4,\"y_max\":0.72,"
      "\"y_min\":0.31},\"confidence\":0.87,\"label\":\"box\",\"label_id\":2},"
      "\"h\":197,\"region_id\":142,\"roi_type\":\"box\",\"w\":134,\"x\":256,"
      "\"y\":149}],\"resolution\":{\"height\":480,\"width\":640},\"tags\":{},"
      "\"timestamp\":133333333,\"gva_meta\":[{\"x\":256,\"y\":149,"
      "\"height\":197,\"width\":134,\"object_id\":null,\"tensor\":[{\"name\":"
      "\"detection\",\"confidence\":0.87,\"label_id\":2,\"label\":\"box\"}]}],"
      "\"encoding_type\":\"jpeg\",\"encoding_level\":85,\"pipeline\":{"
      "\"name\":\"user_defined_pipelines\",\"version\":\"pallets\","
      "\"instance_id\":\"0123456789abcdef0123456789abcdef\",\"status\":{"
      "\"avg_fps\":29.97,\"avg_pipeline_latency\":null,\"elapsed_time\":12.5,"
      "\"id\":\"0123456789abcdef0123456789abcdef\",\"message\":\"\","
      "\"start_time\":1753450000.125,\"state\":\"RUNNING\"}},\"frame_id\":4,"
      "\"pts\":133000000,\"time\":1753450000333123000}");
  g_assert_cmpuint (scene.errors, ==, 0);
}

/* A frame of which nothing is known. */
static void
test_bare (void)
{
  g_auto (Scene) scene = {0};
  g_autoptr (VigilJson) tree = NULL;

  scene_init (&scene);
  g_clear_pointer (&scene.frame, vigil_frame_unref);
  scene.frame = vigil_frame_new ();
  scene.encoding = (VigilImageEncoding){.is_known = FALSE};
  scene.state = (VigilInstanceState){NULL, NAN, -1, -1, -1, NULL};
  tree = write_tree (&scene);
  assert_member (tree, "height", "0");
  assert_member (tree, "caps", "''");
  assert_member (tree, "img_format", "'none'");
  assert_member (tree, "objects", "[]");
  assert_member (tree, "gva_meta", "[]");
  assert_member (tree, "tags", "{}");
  assert_member (tree, "timestamp", "null");
  assert_member (tree, "pts", "null");
  g_assert_null (vigil_json_object_get (tree, "encoding_type"));
  g_assert_null (vigil_json_object_get (tree, "encoding_level"));
  g_assert_null (vigil_json_object_get (tree, "capture_time"));
  assert_member (tree, "pipeline",
      "{'name':'user_defined_pipelines','version':'pallets',"
      "'instance_id':'0123456789abcdef0123456789abcdef','status':{"
      "'avg_fps':null,'avg_pipeline_latency':null,'elapsed_time':null,"
      "'id':'0123456789abcdef0123456789abcdef','message':'',"
      "'start_time':null,'state':''}}");
}

static void
test_times (void)
{
  g_auto (Scene) scene = {0};
  g_autoptr (VigilJson) tree = NULL;

  scene_init (&scene);
  scene.frame->capture_time = INT64_C (1753450000000000001);
  scene.state.avg_pipeline_latency = 0.031;
  tree = write_tree (&scene);
  assert_member (tree, "capture_time", "1753450000000000001");
  assert_member (tree, "time", "1753450000333123000");
  g_assert_cmpfloat (
      vigil_json_get_number (vigil_json_object_get (
          vigil_json_object_get (
              vigil_json_object_get (tree, "pipeline"), "status"),
          "avg_pipeline_latency")),
      ==, 0.031);
}

static void
test_handles (void)
{
  g_auto (Scene) scene = {0};
  g_autoptr (VigilMetadataJson) writer = NULL;
  g_autoptr (GHashTable) seen =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  scene_init (&scene);
  scene.options.img_handle_length = 33;
  writer = vigil_metadata_json_new (&scene.options);
  for (unsigned i = 0; i < 1000; i++) {
    const GString *text = vigil_metadata_json_write (writer, scene.frame,
        &scene.encoding, &scene.state, NOW_NS, &scene.errors);
    const char *handle =
        strstr (text->str, "\"img_handle\":\"") + strlen ("\"img_handle\":\"");

    g_assert_cmpuint (
        strspn (handle, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"), ==, 33);
    g_assert_true (g_hash_table_add (seen, g_strndup (handle, 33)));
  }
}

typedef struct {
  const char *name;
  VigilImageEncoding encoding;
  const char *type;
  const char *level;
} EncodingCase;

static const EncodingCase encoding_cases[] = {
    {"png", {TRUE, "png", 6}, "'png'", "6"},
    {"png-0", {TRUE, "png", 0}, "'png'", "0"},
    {"neither", {TRUE, NULL, -1}, "null", "null"},
};

static void
test_encoding (gconstpointer data)
{
  const EncodingCase *test = data;
  g_auto (Scene) scene = {0};
  g_autoptr (VigilJson) tree = NULL;

  scene_init (&scene);
  scene.encoding = test->encoding;
  tree = write_tree (&scene);
  assert_member (tree, "encoding_type", test->type);
  assert_member (tree, "encoding_level", test->level);
}

/* ---- Messages ----------------------------------------------------------- */

static void
test_messages (void)
{
  g_auto (Scene) scene = {0};
  g_autoptr (VigilJson) tree = NULL;

  scene_init (&scene);
  add_region (&scene, "box", 0.87);
  add_message (&scene, "{'objects':[{'x':1}],'source':'a','width':7,"
                       "'gva_meta':5,'pipeline':6,'frame_id':8,'time':9,"
                       "'encoding_type':10}");
  add_message (&scene, "{'resolution':{'height':1},'source':'b','pts':11,"
                       "'tags':{'a':1},'timestamp':12}");
  tree = write_tree (&scene);
  /* They may replace what the frame says, */
  assert_member (tree, "width", "7");
  assert_member (tree, "objects", "[{'x':1}]");
  assert_member (tree, "source", "'b'");
  assert_member (tree, "resolution", "{'height':1}");
  assert_member (tree, "tags", "{'a':1}");
  assert_member (tree, "timestamp", "12");
  assert_member (tree, "pts", "11");
  /* and not what comes after the merge. */
  g_assert_cmpuint (
      vigil_json_array_size (vigil_json_object_get (tree, "gva_meta")), ==, 1);
  g_assert_nonnull (vigil_json_object_get (
      vigil_json_object_get (tree, "pipeline"), "status"));
  assert_member (tree, "frame_id", "4");
  assert_member (tree, "time", "1753450000333123000");
  assert_member (tree, "encoding_type", "'jpeg'");
  g_assert_cmpuint (scene.errors, ==, 0);
}

/* Keys that are not written stay the message's. */
static void
test_message_keys_left (void)
{
  g_auto (Scene) scene = {0};
  g_autoptr (VigilJson) tree = NULL;

  scene_init (&scene);
  scene.encoding.is_known = FALSE;
  add_message (&scene, "{'encoding_type':10,'encoding_level':'x',"
                       "'capture_time':1,'annotation_type':'y',"
                       "'last_modified':2,'export_code':3}");
  tree = write_tree (&scene);
  assert_member (tree, "encoding_type", "10");
  assert_member (tree, "encoding_level", "'x'");
  assert_member (tree, "capture_time", "1");
  assert_member (tree, "annotation_type", "'y'");
  assert_member (tree, "last_modified", "2");
  assert_member (tree, "export_code", "3");
}

static void
test_tags (void)
{
  g_auto (Scene) scene = {0};
  g_autoptr (VigilJson) tree = NULL;

  scene_init (&scene);
  scene.options.tags_json = "{\"site\":\"a\\\"b\"}";
  add_message (&scene, "{'tags':{'a':1}}");
  tree = write_tree (&scene);
  assert_member (tree, "tags", "{'site':'a\\'b'}");
}

static void
test_bad_messages (void)
{
  g_auto (Scene) scene = {0};
  g_autoptr (VigilJson) tree = NULL;
  GString *deep = g_string_new ("{\"a\":");
  char *huge = g_malloc (10 << 20);

  scene_init (&scene);
  for (unsigned i = 0; i < 100000; i++)
    g_string_append_c (deep, '[');
  memset (huge, 'x', (10 << 20) - 1);
  huge[0] = '"';
  huge[(10 << 20) - 1] = '\0';
  add_message (&scene, "{'good':1}");
  add_message (&scene, "no json");
  add_message (&scene, "[1,2]");
  add_message (&scene, "{'a':1,'a':2}");
  add_message (&scene, "{'a':NaN}");
  vigil_metadata_take_message (
      scene.frame->metadata, g_string_free (deep, FALSE));
  vigil_metadata_take_message (scene.frame->metadata, huge);
  add_message (&scene, "{'also-good':2}");
  tree = write_tree (&scene);
  g_assert_cmpuint (scene.errors, ==, 6);
  assert_member (tree, "good", "1");
  assert_member (tree, "also-good", "2");
  g_assert_null (vigil_json_object_get (tree, "a"));
}

/* ---- Regions ------------------------------------------------------------ */

static void
test_tracked_and_classified (void)
{
  g_auto (Scene) scene = {0};
  g_autoptr (VigilJson) tree = NULL;
  VigilRegion *region;
  VigilResult *result;

  scene_init (&scene);
  region = add_region (&scene, "car", 0.87);
  region->object_id = 7;
  region->parent_id = 3;
  result = add_classification (
      region->results, "classification_layer_name:output1", "white");
  result->attribute_name = g_strdup ("color");
  add_classification (region->results, "type", "van");
  /* no label: no attribute, but a tensor */
  vigil_metadata_add_result (region->results)->name =
      g_intern_static_string ("inference_layer_name:x");
  tree = write_tree (&scene);
  assert_member (tree, "objects",
      "[{'detection':{'bounding_box':{'x_max':0.61,'x_min':0.4,'y_max':0.72,"
      "'y_min':0.31},'confidence':0.87,'label':'car','label_id':2},"
      "'color':{'confidence':0.99,'label':'white','label_id':0,"
      "'model':{'name':'torch-jit-export'}},"
      "'type':{'confidence':0.99,'label':'van','label_id':0,"
      "'model':{'name':'torch-jit-export'}},"
      "'h':197,'id':7,'parent_id':3,'region_id':142,'roi_type':'car',"
      "'w':134,'x':256,'y':149}]");
  assert_member (tree, "gva_meta",
      "[{'x':256,'y':149,'height':197,'width':134,'object_id':7,'tensor':["
      "{'name':'detection','confidence':0.87,'label_id':2,'label':'car'},"
      "{'name':'classification_layer_name:output1','confidence':0.99,"
      "'label_id':0,'label':'white'},"
      "{'name':'type','confidence':0.99,'label_id':0,'label':'van'},"
      "{'name':'inference_layer_name:x','confidence':null,'label_id':null,"
      "'label':null}]}]");
}

static void
test_whole_frame_result (void)
{
  g_auto (Scene) scene = {0};
  g_autoptr (VigilJson) tree = NULL;

  scene_init (&scene);
  add_classification (scene.frame->metadata->results, "weld", "good");
  tree = write_tree (&scene);
  assert_member (tree, "objects",
      "[{'weld':{'confidence':0.99,'label':'good','label_id':0,"
      "'model':{'name':'torch-jit-export'}},'h':480,'w':640,'x':0,'y':0}]");
}

/* An object has each key once, whatever the attributes are called. */
static void
test_attribute_names (void)
{
  static const char *const names[] = {"color", "color", "x", "detection",
      "roi_type", "a\"b\\c", "\xff", "\xfe", ""};
  g_auto (Scene) scene = {0};
  g_autoptr (VigilJson) tree = NULL;
  VigilRegion *region;
  const VigilJson *object;

  scene_init (&scene);
  region = add_region (&scene, "car", 0.87);
  for (unsigned i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree char *label = g_strdup_printf ("label%u", i);
    VigilResult *result = add_classification (region->results, "layer", label);

    result->attribute_name = g_strdup (names[i]);
  }
  tree = write_tree (&scene); /* refuses a key that comes twice */
  object = vigil_json_array_get (vigil_json_object_get (tree, "objects"), 0);
  assert_member (object, "x", "256");
  assert_member (object, "roi_type", "'car'");
  g_assert_cmpstr (vigil_json_get_string (vigil_json_object_get (
                       vigil_json_object_get (object, "color"), "label")),
      ==, "label1");
  g_assert_nonnull (vigil_json_object_get (object, "a\"b\\c"));
}

static void
test_extra_parameters (void)
{
  g_auto (Scene) scene = {0};
  g_autoptr (VigilJson) tree = NULL;
  VigilRegion *region;
  const VigilJson *objects;

  scene_init (&scene);
  region = add_region (&scene, "car", 0.87);
  g_array_index (region->results, VigilResult, 0).extra_json =
      g_strdup ("{\"plate\": \"X 1\"}");
  region = add_region (&scene, "car", 0.87);
  g_array_index (region->results, VigilResult, 0).extra_json =
      g_strdup ("[broken");
  tree = write_tree (&scene);
  objects = vigil_json_object_get (tree, "objects");
  assert_member (
      vigil_json_array_get (objects, 0), "extra_params", "{'plate':'X 1'}");
  g_assert_null (vigil_json_object_get (
      vigil_json_array_get (objects, 1), "extra_params"));
  g_assert_cmpuint (scene.errors, ==, 1);
}

/* Whatever elements write, the text is valid; write_text asserts it. */
static void
test_bad_regions (void)
{
  static const double numbers[] = {
      NAN, INFINITY, -INFINITY, 1e308, -0.0, 5e-324};
  static const char *const labels[] = {"", "\"", "\\", "a\nb\x01", "\xff\xfe",
      "\xed\xa0\x80", "\xc3", "\xf0\x9f\x98\x80", NULL};
  g_auto (Scene) scene = {0};
  g_autofree char *text = NULL;
  g_autofree char *long_label = g_malloc (1 << 20);
  VigilRegion *region;

  scene_init (&scene);
  for (unsigned i = 0; i < G_N_ELEMENTS (numbers); i++) {
    VigilResult *result;

    region = add_region (&scene, "x", numbers[i]);
    result = &g_array_index (region->results, VigilResult, 0);
    result->x_min = result->y_max = numbers[i];
    region->x = G_MININT;
    region->y = G_MAXINT;
    region->width = G_MAXINT;
    region->height = 0;
    region->object_id = G_MININT64;
  }
  for (unsigned i = 0; i < G_N_ELEMENTS (labels); i++) {
    region = add_region (&scene, labels[i], 0.5);
    add_classification (region->results, "layer", labels[i]);
    g_array_index (region->results, VigilResult, 0).has_box = FALSE;
  }
  memset (long_label, '"', (1 << 20) - 1);
  long_label[(1 << 20) - 1] = '\0';
  add_region (&scene, long_label, 0.5);
  vigil_metadata_add_region (scene.frame->metadata); /* nothing in it */
  for (unsigned i = 0; i < 2; i++) {
    scene.options.convert_to_dcaas = i == 1;
    g_free (g_steal_pointer (&text));
    text = write_text (&scene);
    g_assert_cmpuint (scene.errors, ==, 0);
  }
}

/* ---- Annotations -------------------------------------------------------- */

static void
test_dcaas (void)
{
  g_auto (Scene) scene = {0};
  g_autoptr (VigilJson) tree = NULL;

  scene_init (&scene);
  scene.options.convert_to_dcaas = TRUE;
  add_region (&scene, "box", 0.87)->object_id = 5;
  vigil_metadata_add_region (scene.frame->metadata);
  tree = write_tree (&scene);
  assert_member (tree, "annotations",
      "{'objects':[{'bbox':[256,149,390,346],'label':'box','score':0.87,"
      "'attributes':{'occluded':false,'rotation':0.0},'object_id':5},"
      "{'bbox':[0,0,0,0],'label':null,'score':null,"
      "'attributes':{'occluded':false,'rotation':0.0}}]}");
  assert_member (tree, "annotation_type", "'auto'");
  assert_member (tree, "last_modified", "1753450000333123000");
  assert_member (tree, "export_code", "0");
  assert_member (tree, "gva_meta", "[]");
  g_assert_cmpuint (
      vigil_json_array_size (vigil_json_object_get (tree, "objects")), ==, 2);
}

static void
test_dcaas_without_regions (void)
{
  g_auto (Scene) scene = {0};
  g_autoptr (VigilJson) tree = NULL;

  scene_init (&scene);
  scene.options.convert_to_dcaas = TRUE;
  tree = write_tree (&scene);
  assert_member (tree, "annotations", "{'objects':[]}");
}

/* An element that annotates: its objects get the ids of the tracker. */
static void
test_tracked_annotations (void)
{
  g_auto (Scene) scene = {0};

  scene_init (&scene);
  add_region (&scene, "box", 0.87)->object_id = 5;
  add_message (&scene,
      "{'annotations':{'kind':'x','objects':[{'bbox':[256,149,390,346],"
      "'label':'box'},{'bbox':[1,2,3,4],'object_id':'old'},7,{}]},"
      "'annotation_type':'auto'}");
  for (unsigned i = 0; i < 2; i++) {
    g_autoptr (VigilJson) tree = NULL;

    scene.options.convert_to_dcaas = i == 1;
    tree = write_tree (&scene);
    assert_member (tree, "annotations",
        "{'kind':'x','objects':[{'bbox':[256,149,390,346],'label':'box',"
        "'object_id':5},{'bbox':[1,2,3,4],'object_id':null},7,"
        "{'object_id':null}]}");
    assert_member (tree, "gva_meta", "[]");
    assert_member (tree, "annotation_type", "'auto'");
  }
}

static void
test_other_annotations (void)
{
  static const char *const values[] = {
      "null", "[]", "{}", "{'objects':5}", "'x'"};

  for (unsigned i = 0; i < G_N_ELEMENTS (values); i++) {
    g_auto (Scene) scene = {0};
    g_autofree char *message =
        g_strdup_printf ("{'annotations':%s}", values[i]);
    g_autoptr (VigilJson) tree = NULL;

    scene_init (&scene);
    add_region (&scene, "box", 0.87);
    add_message (&scene, message);
    tree = write_tree (&scene);
    assert_member (tree, "annotations", values[i]);
    g_assert_cmpuint (
        vigil_json_array_size (vigil_json_object_get (tree, "gva_meta")), ==,
        1);
  }
}

int
main (int argc, char **argv)
{
  vigil_fixture_init (&argc, &argv, 0);
  g_test_add_func ("/metadata-json/whole", test_whole);
  g_test_add_func ("/metadata-json/bare", test_bare);
  g_test_add_func ("/metadata-json/times", test_times);
  g_test_add_func ("/metadata-json/handles", test_handles);
  for (unsigned i = 0; i < G_N_ELEMENTS (encoding_cases); i++) {
    g_autofree char *path =
        g_strdup_printf ("/metadata-json/encoding/%s", encoding_cases[i].name);

    g_test_add_data_func (path, &encoding_cases[i], test_encoding);
  }
  g_test_add_func ("/metadata-json/messages", test_messages);
  g_test_add_func ("/metadata-json/message-keys-left", test_message_keys_left);
  g_test_add_func ("/metadata-json/tags", test_tags);
  g_test_add_func ("/metadata-json/bad-messages", test_bad_messages);
  g_test_add_func (
      "/metadata-json/tracked-and-classified", test_tracked_and_classified);
  g_test_add_func (
      "/metadata-json/whole-frame-result", test_whole_frame_result);
  g_test_add_func ("/metadata-json/attribute-names", test_attribute_names);
  g_test_add_func ("/metadata-json/extra-parameters", test_extra_parameters);
  g_test_add_func ("/metadata-json/bad-regions", test_bad_regions);
  g_test_add_func ("/metadata-json/dcaas", test_dcaas);
  g_test_add_func (
      "/metadata-json/dcaas-without-regions", test_dcaas_without_regions);
  g_test_add_func (
      "/metadata-json/tracked-annotations", test_tracked_annotations);
  g_test_add_func ("/metadata-json/other-annotations", test_other_annotations);
  return g_test_run ();
}
