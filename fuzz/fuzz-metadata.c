/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages that elements attach, and labels of regions: whatever they are,
 * the metadata is one line of valid JSON. And the scanner that merges by
 * text must agree with the JSON library about every message: what it takes,
 * and what the members are. A NUL ends a message; the first is also a label
 * and the extra parameters of a region.
 */
#include "base/json.h"
#include "publish/gva-messages.h"
#include "publish/metadata-json.h"

#include <stdint.h>
#include <string.h>

#define OUR_DEPTH_MAX 128

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

/* What merging by trees gives. @tree (transfer none). */
static void
merge_tree (VigilJson *merged, const VigilJson *tree)
{
  VigilJsonIter iter = {0};
  const char *name;
  const VigilJson *value;

  while (vigil_json_object_next (tree, &iter, &name, &value))
    vigil_json_object_take (merged, name, vigil_json_copy (value));
}

static void
compare (const VigilGvaMessages *messages, const VigilJson *merged)
{
  g_autofree char *wanted = vigil_json_to_text (merged);
  g_autofree char *given = NULL;
  g_autoptr (GString) text = g_string_new ("{");
  g_autoptr (GError) error = NULL;
  g_autoptr (VigilJson) tree = NULL;

  for (unsigned i = 0; i < vigil_gva_messages_get_size (messages); i++) {
    const VigilGvaMember *member = vigil_gva_messages_get (messages, i);

    g_assert_null (memchr (member->value, '\n', member->value_length));
    g_string_append_printf (text, "%s\"%.*s\":%.*s", i > 0 ? "," : "",
        (int)member->key_length, member->key, (int)member->value_length,
        member->value);
  }
  g_string_append_c (text, '}');
  tree = vigil_json_parse (
      text->str, (gssize)text->len, SIZE_MAX, OUR_DEPTH_MAX, &error);
  g_assert_no_error (error);
  given = vigil_json_to_text (tree);
  g_assert_cmpstr (given, ==, wanted);
}

static void
check_merging (char **texts)
{
  g_autoptr (VigilGvaMessages) messages = vigil_gva_messages_new ();
  g_autoptr (VigilJson) merged = vigil_json_new_object ();

  for (; *texts != NULL; texts++) {
    g_autoptr (VigilJson) tree = vigil_json_parse (*texts, -1,
        VIGIL_GVA_MESSAGE_BYTES_MAX, VIGIL_GVA_MESSAGE_DEPTH_MAX, NULL);
    gboolean is_object =
        tree != NULL && vigil_json_get_type (tree) == VIGIL_JSON_OBJECT;

    g_assert_true (vigil_gva_messages_add (messages, *texts) == is_object);
    if (is_object)
      merge_tree (merged, tree);
  }
  compare (messages, merged);
}

static void
add_region (VigilFrame *frame, const char *text)
{
  VigilRegion *region = vigil_metadata_add_region (frame->metadata);
  VigilResult *result = vigil_metadata_add_result (region->results);

  region->label = g_strdup (text);
  region->object_id = 7;
  result->name = "detection";
  result->extra_json = g_strdup (text);
  result = vigil_metadata_add_result (region->results);
  result->name = "layer";
  result->label = g_strdup (text);
  result->attribute_name = g_strdup (text);
}

static void
check_metadata (char **texts, gboolean convert_to_dcaas)
{
  const VigilMetadataJsonOptions options = {
      .pipeline_name = texts[0],
      .instance_id = "id",
      .img_handle_length = 10,
      .convert_to_dcaas = convert_to_dcaas,
  };
  const VigilImageEncoding encoding = {TRUE, "jpeg", 85};
  const VigilInstanceState state = {"RUNNING", 1, 1, 1, 1, texts[0]};
  g_autoptr (VigilMetadataJson) writer = vigil_metadata_json_new (&options);
  g_autoptr (VigilFrame) frame = vigil_frame_new ();
  g_autoptr (VigilJson) tree = NULL;
  g_autoptr (GError) error = NULL;
  const GString *text;
  unsigned errors;

  for (unsigned i = 0; texts[i] != NULL; i++)
    vigil_metadata_take_message (frame->metadata, g_strdup (texts[i]));
  add_region (frame, texts[0]);
  text =
      vigil_metadata_json_write (writer, frame, &encoding, &state, 1, &errors);
  g_assert_null (strpbrk (text->str, "\r\n"));
  tree = vigil_json_parse (
      text->str, (gssize)text->len, SIZE_MAX, OUR_DEPTH_MAX, &error);
  g_assert_no_error (error);
  g_assert_nonnull (vigil_json_object_get (tree, "objects"));
  g_assert_nonnull (vigil_json_object_get (tree, "frame_id"));
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (GPtrArray) texts = g_ptr_array_new_with_free_func (g_free);
  const char *at = (const char *)data;
  const char *end = at + size;

  do {
    size_t length = at < end ? strnlen (at, (size_t)(end - at)) : 0;

    g_ptr_array_add (texts, g_strndup (at, length));
    at += length + 1;
  } while (at < end);
  g_ptr_array_add (texts, NULL);
  check_merging ((char **)texts->pdata);
  check_metadata ((char **)texts->pdata, FALSE);
  check_metadata ((char **)texts->pdata, TRUE);
  return 0;
}
