/* SPDX-License-Identifier: Apache-2.0 */
#include "case.h"

#define CAR "{'type':'detection','label_score':{'car':0.5,'dog':0.4}}"
#define CAR_EMPTY                                                              \
  "{'type':'detection','label_score':{'car':0.5},'skip_empty':true}"
#define MESSAGE                                                                \
  "{'type':'detection','mode':'message','label_score':{'car':0.5,'dog':0.4}}"

/* A detection in each shape. */
#define GETI(label, score)                                                     \
  "{'labels':[{'name':'" label "','probability':" score "}]}"
#define GETI_LIST(list) "{'predictions':{'kind':'x','annotations':[" list "]}}"
#define NOTE(label, score) "{'label':'" label "','score':" score "}"
#define NOTE_LIST(list) "{'annotations':{'objects':[" list "]}}"
#define OBJECT(x, label, score)                                                \
  "{'detection':{'confidence':" score ",'label':'" label "'},'x':" x           \
  ",'y':0,'w':5,'h':5,'roi_type':'" label "'}"
#define BARE(x, label) "{'x':" x ",'y':0,'w':5,'h':5,'roi_type':'" label "'}"
#define REGION(x, label, score)                                                \
  "{'x':" x ",'y':0,'width':5,'height':5,'tensor':[{'name':'detection',"       \
  "'confidence':" score ",'label':'" label "'}]}"
#define PLAIN_REGION(x) "{'x':" x ",'y':0,'width':5,'height':5,'tensor':[]}"
#define VIEWS(objects, regions)                                                \
  "{'objects':[" objects "],'gva_meta':[" regions "]}"

/* "mode": "detections". */
static const FilterCase prune_cases[] = {
    /* nothing found */
    {"no-shape", CAR, "{'height':1}", SAME},
    {"empty-list", CAR, NOTE_LIST (""), SAME},
    {"empty-all", CAR, VIEWS ("", ""), SAME},
    {"skip-empty", CAR_EMPTY, VIEWS ("", ""), NULL},
    {"skip-empty-no-shape", CAR_EMPTY, "{'height':1}", NULL},
    {"skip-empty-one-left", CAR_EMPTY, NOTE_LIST (NOTE ("car", "0.5")), SAME},
    /* Geti */
    {"geti-above", CAR, GETI_LIST (GETI ("car", "0.6")), SAME},
    {"geti-equal", CAR, GETI_LIST (GETI ("car", "0.5")), SAME},
    {"geti-below", CAR, GETI_LIST (GETI ("car", "0.49")), NULL},
    {"geti-one-of-two", CAR,
        GETI_LIST (GETI ("car", "0.6") "," GETI ("dog", "0.1")),
        GETI_LIST (GETI ("car", "0.6"))},
    {"geti-unlisted", CAR,
        GETI_LIST (GETI ("cat", "0.9") "," GETI ("dog", "0.9")),
        GETI_LIST (GETI ("dog", "0.9"))},
    {"geti-nothing-found", CAR, GETI_LIST (GETI ("No object", "1.0")), NULL},
    {"geti-first-label-counts", CAR,
        GETI_LIST ("{'labels':[{'name':'car','probability':0.9},"
                   "{'name':'dog','probability':0.1}]}"),
        SAME},
    {"geti-no-labels", CAR, GETI_LIST ("{'labels':[]}"), NULL},
    {"geti-labels-missing", CAR, GETI_LIST ("{}"), NULL},
    {"geti-not-an-object", CAR, GETI_LIST ("7,null,'x',[]"), NULL},
    /* annotations.objects */
    {"note-above", CAR, NOTE_LIST (NOTE ("car", "0.6")), SAME},
    {"note-below", CAR, NOTE_LIST (NOTE ("car", "0.4")), NULL},
    {"note-one-of-three", CAR,
        NOTE_LIST (
            NOTE ("car", "0.4") "," NOTE ("dog", "0.4") "," NOTE ("cat", "1")),
        NOTE_LIST (NOTE ("dog", "0.4"))},
    {"note-score-null", CAR, NOTE_LIST (NOTE ("car", "null")), NULL},
    {"note-score-text", CAR, NOTE_LIST (NOTE ("car", "'0.9'")), NULL},
    {"note-no-score", CAR, NOTE_LIST ("{'label':'car'}"), NULL},
    {"note-no-label", CAR, NOTE_LIST ("{'score':0.9}"), NULL},
    {"note-label-null", CAR, NOTE_LIST ("{'label':null,'score':0.9}"), NULL},
    {"note-integer-score", CAR, NOTE_LIST (NOTE ("car", "1")), SAME},
    {"notes-null", CAR, "{'annotations':null}", SAME},
    {"notes-list", CAR, "{'annotations':[1]}", SAME},
    {"objects-no-list", CAR, "{'annotations':{'objects':5}}", SAME},
    /* objects and gva_meta */
    {"object-above", CAR, VIEWS (OBJECT ("1", "car", "0.6"), ""), SAME},
    {"object-below", CAR, VIEWS (OBJECT ("1", "car", "0.4"), ""), NULL},
    {"object-label-from-type", CAR,
        "{'objects':[{'detection':{'confidence':0.9},'roi_type':'car'}]}",
        SAME},
    {"object-no-label", CAR, "{'objects':[{'detection':{'confidence':0.9}}]}",
        NULL},
    {"region-above", CAR, VIEWS ("", REGION ("1", "car", "0.6")), SAME},
    {"region-below", CAR, VIEWS ("", REGION ("1", "car", "0.4")), NULL},
    {"region-without-detection", CAR, VIEWS ("", PLAIN_REGION ("1")), SAME},
    {"both-views", CAR,
        VIEWS (OBJECT ("1", "car", "0.4") "," OBJECT ("2", "dog", "0.8"),
            REGION ("1", "car", "0.4") "," REGION ("2", "dog", "0.8")),
        VIEWS (OBJECT ("2", "dog", "0.8"), REGION ("2", "dog", "0.8"))},
    /* one view has no result of its own, and follows */
    {"region-follows", CAR,
        VIEWS (OBJECT ("1", "car", "0.4") "," OBJECT ("2", "dog", "0.8"),
            PLAIN_REGION ("1") "," PLAIN_REGION ("2")),
        VIEWS (OBJECT ("2", "dog", "0.8"), PLAIN_REGION ("2"))},
    {"object-follows", CAR,
        VIEWS (BARE ("1", "car") "," BARE ("2", "dog"),
            REGION ("1", "car", "0.4") "," REGION ("2", "dog", "0.8")),
        VIEWS (BARE ("2", "dog"), REGION ("2", "dog", "0.8"))},
    /* printed with fewer digits in one view */
    {"views-of-rounded-score", CAR,
        VIEWS (OBJECT ("1", "car", "0.5"), REGION ("1", "car", "0.49999")),
        SAME},
    /* the same box found twice, as two things */
    {"same-box-two-labels", CAR,
        VIEWS (OBJECT ("1", "car", "0.9") "," OBJECT ("1", "dog", "0.1"),
            REGION ("1", "car", "0.9") "," REGION ("1", "dog", "0.1")),
        VIEWS (OBJECT ("1", "car", "0.9"), REGION ("1", "car", "0.9"))},
    /* and as one thing */
    {"same-box-same-label", CAR,
        VIEWS (OBJECT ("1", "car", "0.9") "," OBJECT ("1", "car", "0.1"),
            REGION ("1", "car", "0.9") "," REGION ("1", "car", "0.1")),
        VIEWS (OBJECT ("1", "car", "0.9"), REGION ("1", "car", "0.9"))},
    {"all-views-all-gone", CAR,
        VIEWS (OBJECT ("1", "car", "0.4"), REGION ("1", "car", "0.4")), NULL},
    {"every-shape", CAR,
        "{'annotations':{'objects':[{'label':'car','score':0.1}]},"
        "'predictions':{'annotations':[{'labels':[{'name':'car',"
        "'probability':0.1}]}]},'objects':[" OBJECT ("1", "car",
            "0.1") "," OBJECT ("2", "car", "0.9") "],'gva_meta':[]}",
        "{'annotations':{'objects':[]},'predictions':{'annotations':[]},"
        "'objects':[" OBJECT ("2", "car", "0.9") "],'gva_meta':[]}"},
    {"wrong-types", CAR,
        "{'objects':{'detection':5},'gva_meta':'x','predictions':[],"
        "'annotations':7}",
        SAME},
    {"wrong-elements", CAR, VIEWS ("1,null,[],'x'", "2,{'tensor':9}"), SAME},
    /* label_score */
    {"no-thresholds", "{'type':'detection'}",
        VIEWS (OBJECT ("1", "car", "1"), ""), NULL},
    {"no-thresholds-empty", "{'type':'detection'}", VIEWS ("", ""), SAME},
    {"threshold-zero", "{'type':'detection','label_score':{'car':0}}",
        NOTE_LIST (NOTE ("car", "0")), SAME},
    {"threshold-one", "{'type':'detection','label_score':{'car':1}}",
        NOTE_LIST (NOTE ("car", "0.999")), NULL},
    {"label-with-spaces",
        "{'type':'detection','label_score':{'shipping label':0.4}}",
        NOTE_LIST (NOTE ("shipping label", "0.4")), SAME},
    {"label-case-counts", CAR, NOTE_LIST (NOTE ("Car", "0.9")), NULL},
};

/* "mode": "message": the table of what DLSPS does. */
static const FilterCase message_cases[] = {
    {"no-shape", MESSAGE, "{'height':1}", NULL},
    {"empty-notes", MESSAGE, NOTE_LIST (""), SAME},
    {"empty-geti", MESSAGE, GETI_LIST (""), SAME},
    {"equal", MESSAGE, NOTE_LIST (NOTE ("car", "0.5")), SAME},
    {"one-good-one-below", MESSAGE,
        NOTE_LIST (NOTE ("car", "0.9") "," NOTE ("dog", "0.3")), NULL},
    {"one-good-one-unlisted", MESSAGE,
        NOTE_LIST (NOTE ("car", "0.9") "," NOTE ("cat", "0.9")), NULL},
    {"geti-good", MESSAGE, GETI_LIST (GETI ("car", "0.9")), SAME},
    {"geti-below", MESSAGE,
        GETI_LIST (GETI ("car", "0.9") "," GETI ("dog", "0.1")), NULL},
    {"geti-first-label-only", MESSAGE,
        GETI_LIST ("{'labels':[{'name':'car','probability':0.9},"
                   "{'name':'dog','probability':0.1}]}"),
        SAME},
    {"geti-no-object", MESSAGE, GETI_LIST (GETI ("No object", "1.0")), NULL},
    {"geti-no-object-listed",
        "{'type':'detection','mode':'message',"
        "'label_score':{'No object':0.5}}",
        GETI_LIST (GETI ("No object", "1.0")), SAME},
    {"no-thresholds", "{'type':'detection','mode':'message'}",
        NOTE_LIST (NOTE ("car", "1")), NULL},
    {"no-thresholds-empty", "{'type':'detection','mode':'message'}",
        NOTE_LIST (""), SAME},
    {"plain-gvadetect", MESSAGE,
        VIEWS (OBJECT ("1", "car", "0.9"), REGION ("1", "car", "0.9")), NULL},
    {"notes-go-first", MESSAGE,
        "{'annotations':{'objects':[]},'predictions':{'annotations':["
        "{'labels':[{'name':'car','probability':0.1}]}]}}",
        SAME},
    {"notes-null", MESSAGE,
        "{'annotations':null,'predictions':{'annotations':[]}}", NULL},
    {"notes-a-list", MESSAGE,
        "{'annotations':[],'predictions':{'annotations':[]}}", SAME},
    {"notes-without-objects", MESSAGE,
        "{'annotations':{},'predictions':{'annotations':[]}}", SAME},
    {"objects-null", MESSAGE, "{'annotations':{'objects':null}}", NULL},
    {"predictions-null", MESSAGE, "{'predictions':null}", NULL},
    {"score-missing", MESSAGE, NOTE_LIST ("{'label':'car'}"), NULL},
    {"label-missing", MESSAGE, NOTE_LIST ("{'score':1}"), NULL},
    {"score-text", MESSAGE, NOTE_LIST (NOTE ("car", "'1'")), NULL},
    {"labels-empty", MESSAGE, GETI_LIST ("{'labels':[]}"), NULL},
    {"labels-missing", MESSAGE, GETI_LIST ("{}"), NULL},
    {"skip-empty", "{'type':'detection','mode':'message','skip_empty':true}",
        NOTE_LIST (""), NULL},
};

/* The seed's document, whole, with its nulls. */
static void
test_seed_document (void)
{
  static const struct {
    const char *filter;
    int annotations; /* left; -1: not published */
  } rows[] = {
      {"{'type':'detection','label_score':{'shipping label':0.4,'box':0.4}}",
          2},
      {"{'type':'detection','label_score':{'shipping label':0.8,'box':0.4}}",
          1},
      {"{'type':'detection','label_score':{'box':0.92}}", -1},
      {"{'type':'detection','label_score':{'box':0.9196773171424866}}", 1},
      {"{'type':'detection','mode':'message',"
       "'label_score':{'shipping label':0.4,'box':0.4}}",
          2},
      {"{'type':'detection','mode':'message',"
       "'label_score':{'shipping label':0.8,'box':0.4}}",
          -1},
  };
  g_autoptr (VigilJson) document = filter_case_load ("seed-detection.json");

  for (unsigned i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (VigilFilter) filter = filter_case_make (rows[i].filter);
    g_autoptr (VigilJson) changed = NULL;
    gboolean passes = vigil_filter_apply (filter, document, &changed);
    const VigilJson *predictions = vigil_json_object_get (
        changed != NULL ? changed : document, "predictions");

    g_assert_cmpint (passes, ==, rows[i].annotations >= 0);
    if (!passes)
      continue;
    g_assert_cmpint (vigil_json_array_size (
                         vigil_json_object_get (predictions, "annotations")),
        ==, rows[i].annotations);
    g_assert_true (vigil_json_is_null (
        vigil_json_object_get (predictions, "labels_to_revisit_full_scene")));
  }
}

/* Elements may attach what they like: lists of thousands must not hold the
 * worker for minutes, whatever is in them. */
static void
test_long_lists (VigilFixture *fixture, gconstpointer data)
{
  static const struct {
    const char *object, *region;
  } cases[] = {
      {"{}", "{}"},
      {"{'x':1,'y':1,'w':1,'h':1,'roi_type':'a'}",
          "{'x':1,'y':1,'width':1,'height':1,'tensor':[{'name':'detection',"
          "'label':'b','confidence':0.9}]}"},
  };
  g_autoptr (VigilFilter) filter = filter_case_make (CAR);

  for (size_t i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GString) text = g_string_new ("{'objects':[");
    g_autoptr (VigilJson) metadata = NULL;
    g_autoptr (VigilJson) changed = NULL;

    for (unsigned k = 0; k < 20000; k++)
      g_string_append_printf (text, "%s,", cases[i].object);
    g_string_append (text, "0],'gva_meta':[");
    for (unsigned k = 0; k < 20000; k++)
      g_string_append_printf (text, "%s,", cases[i].region);
    g_string_append (text, "0]}");
    metadata = filter_case_parse (text->str);
    vigil_filter_apply (filter, metadata, &changed);
  }
}

int
main (int argc, char **argv)
{
  vigil_fixture_init (&argc, &argv, 0);
  filter_case_add ("/detection/prune", prune_cases, G_N_ELEMENTS (prune_cases));
  filter_case_add (
      "/detection/message", message_cases, G_N_ELEMENTS (message_cases));
  g_test_add_func ("/detection/seed-document", test_seed_document);
  g_test_add ("/detection/long-lists", VigilFixture, NULL, vigil_fixture_set_up,
      test_long_lists, vigil_fixture_tear_down);
  return g_test_run ();
}
