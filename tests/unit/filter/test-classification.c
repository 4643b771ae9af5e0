/* SPDX-License-Identifier: Apache-2.0 */
#include "case.h"

#define BAD "{'type':'classification','label_score':{'bad':0.5,'odd':0.3}}"
#define BAD_EMPTY                                                              \
  "{'type':'classification','label_score':{'bad':0.5},'skip_empty':true}"
#define MESSAGE                                                                \
  "{'type':'classification','mode':'message',"                                 \
  "'label_score':{'bad':0.5,'odd':0.3,'any':0}}"

/* "mode": "detections". */
static const FilterCase prune_cases[] = {
    {"nothing", BAD, "{'height':1}", SAME},
    {"nothing-skip-empty", BAD_EMPTY, "{'height':1}", NULL},
    /* at top level */
    {"top-above", BAD, "{'label':'bad','score':0.6,'height':1}", SAME},
    {"top-equal", BAD, "{'label':'bad','score':0.5}", SAME},
    {"top-below", BAD, "{'label':'bad','score':0.4}", NULL},
    {"top-unlisted", BAD, "{'label':'good','score':0.1}", SAME},
    {"top-confidence", BAD, "{'label':'bad','confidence':0.4}", NULL},
    {"top-probability", BAD, "{'label':'bad','probability':0.4}", NULL},
    {"top-score-null", BAD, "{'label':'bad','score':null}", NULL},
    {"top-no-score", BAD, "{'label':'bad'}", SAME},
    {"top-label-no-text", BAD, "{'label':7,'score':0.1}", SAME},
    {"top-below-other-left", BAD,
        "{'label':'bad','score':0.4,'x':{'label':'odd','score':0.9}}",
        "{'x':{'label':'odd','score':0.9}}"},
    /* nested anywhere */
    {"member", BAD,
        "{'a':{'b':{'label':'bad','score':0.1},'c':1},"
        "'d':{'label':'good','score':1}}",
        "{'a':{'c':1},'d':{'label':'good','score':1}}"},
    {"elements", BAD,
        "{'a':[{'label':'bad','score':0.1},5,{'label':'odd','score':0.3}]}",
        "{'a':[5,{'label':'odd','score':0.3}]}"},
    {"nested-lists", BAD,
        "{'a':[[[{'label':'bad','score':0.1}],1]],"
        "'b':{'label':'good','score':0}}",
        "{'a':[[[],1]],'b':{'label':'good','score':0}}"},
    {"all-gone", BAD,
        "{'a':[{'label':'bad','score':0.1}],'b':{'label':'odd','score':0}}",
        NULL},
    {"note", BAD,
        "{'annotations':{'objects':[{'bbox':[1],'label':'bad','score':0.1},"
        "{'bbox':[2],'label':'odd','score':0.9}]}}",
        "{'annotations':{'objects':[{'bbox':[2],'label':'odd',"
        "'score':0.9}]}}"},
    /* classes and a key for each */
    {"classes-pass", BAD, "{'classes':['bad'],'bad':0.5,'good':0.5}", SAME},
    {"classes-one-of-two", BAD,
        "{'classes':['bad','odd'],'bad':0.4,'odd':0.6,'detected_class':'odd'}",
        "{'classes':['odd'],'odd':0.6,'detected_class':'odd'}"},
    {"classes-none-left", BAD, "{'classes':['bad'],'bad':0.4}", NULL},
    {"classes-unlisted", BAD, "{'classes':['good']}", SAME},
    {"classes-no-score", BAD, "{'classes':['bad','good']}",
        "{'classes':['good']}"},
    {"classes-empty", BAD, "{'classes':[]}", SAME},
    {"classes-null", BAD, "{'classes':null}", SAME},
    {"classes-wrong-elements", BAD, "{'classes':[1,null,{}]}", SAME},
    {"classes-named-like-a-key",
        "{'type':'classification','label_score':{'height':0.9}}",
        "{'classes':['height','good'],'height':0.1}",
        "{'classes':['good'],'height':0.1}"},
    /* attributes of objects: the object stays */
    {"attribute", BAD,
        "{'objects':[{'detection':{'label':'bad','confidence':0.1},"
        "'state':{'label':'bad','confidence':0.2},"
        "'color':{'label':'red','confidence':0.1},'x':1}]}",
        "{'objects':[{'detection':{'label':'bad','confidence':0.1},"
        "'color':{'label':'red','confidence':0.1},'x':1}]}"},
    {"detection-is-no-classification", BAD,
        "{'objects':[{'detection':{'label':'bad','confidence':0.1}}]}", SAME},
    {"attribute-and-tensor", BAD,
        "{'objects':[{'state':{'label':'bad','confidence':0.2},'x':1},"
        "{'state':{'label':'odd','confidence':0.9}}],'gva_meta':["
        "{'x':1,'tensor':[{'name':'detection','label':'bad','confidence':0.1},"
        "{'name':'state','label':'bad','confidence':0.2}]}]}",
        "{'objects':[{'x':1},{'state':{'label':'odd','confidence':0.9}}],"
        "'gva_meta':[{'x':1,'tensor':[{'name':'detection','label':'bad',"
        "'confidence':0.1}]}]}"},
    {"tensors-all-gone", BAD,
        "{'gva_meta':[{'x':1,'tensor':[{'name':'state','label':'bad',"
        "'confidence':0.2}]}]}",
        NULL},
    {"tensor-nulls", BAD,
        "{'gva_meta':[{'tensor':[{'name':'raw','label':null,"
        "'confidence':null}]}]}",
        SAME},
    /* Geti */
    {"labels", BAD,
        "{'predictions':{'annotations':[{'labels':["
        "{'name':'bad','probability':0.1},{'name':'odd','probability':0.9}"
        "],'id':null}]}}",
        "{'predictions':{'annotations':[{'labels':["
        "{'name':'odd','probability':0.9}],'id':null}]}}"},
    {"labels-all-gone", BAD,
        "{'predictions':{'annotations':[{'labels':["
        "{'name':'bad','probability':0.1}]}]}}",
        NULL},
    {"name-and-probability-elsewhere", BAD,
        "{'x':[{'name':'bad','probability':0.1}]}", SAME},
    {"wrong-types", BAD,
        "{'objects':7,'gva_meta':{'tensor':null},'labels':[1,[2]],"
        "'tensor':['x',{'name':4}]}",
        SAME},
    {"no-thresholds", "{'type':'classification'}", "{'label':'bad','score':0}",
        SAME},
    {"threshold-zero", "{'type':'classification','label_score':{'bad':0}}",
        "{'label':'bad','score':null}", SAME},
};

/* "mode": "message": the table of what DLSPS does. */
static const FilterCase message_cases[] = {
    {"no-classes", MESSAGE, "{'bad':0.9}", NULL},
    {"classes-empty", MESSAGE, "{'classes':[]}", SAME},
    {"classes-null", MESSAGE, "{'classes':null}", NULL},
    {"classes-text", MESSAGE, "{'classes':'bad'}", NULL},
    {"above", MESSAGE, "{'classes':['bad'],'bad':0.9}", SAME},
    {"equal", MESSAGE, "{'classes':['bad'],'bad':0.5}", SAME},
    {"below", MESSAGE, "{'classes':['bad'],'bad':0.4}", NULL},
    {"one-of-two-below", MESSAGE, "{'classes':['bad','odd'],'bad':1,'odd':0}",
        NULL},
    {"score-missing", MESSAGE, "{'classes':['bad']}", NULL},
    {"score-null", MESSAGE, "{'classes':['bad'],'bad':null}", NULL},
    {"score-text", MESSAGE, "{'classes':['bad'],'bad':'0.9'}", NULL},
    {"unlisted", MESSAGE, "{'classes':['good']}", SAME},
    {"threshold-zero", MESSAGE, "{'classes':['any']}", SAME},
    {"like-a-key",
        "{'type':'classification','mode':'message',"
        "'label_score':{'height':0.9}}",
        "{'classes':['height'],'height':480}", SAME},
    {"seed-shape", MESSAGE, "{'label':'bad','score':0.9}", NULL},
    {"attributes", MESSAGE,
        "{'objects':[{'state':{'label':'bad','confidence':0.9}}]}", NULL},
    {"wrong-elements", MESSAGE, "{'classes':[1,null]}", SAME},
    {"skip-empty",
        "{'type':'classification','mode':'message','skip_empty':true}",
        "{'classes':[]}", NULL},
};

static void
test_seed_document (void)
{
  static const struct {
    const char *filter;
    gboolean passes;
  } rows[] = {
      {"{'type':'classification','label_score':{'Person':0.5}}", TRUE},
      {"{'type':'classification','label_score':{'Person':0.51}}", FALSE},
      {"{'type':'classification','label_score':{'anomalous':0.5}}", TRUE},
  };
  g_autoptr (VigilJson) document =
      filter_case_load ("seed-classification.json");

  for (unsigned i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (VigilFilter) filter = filter_case_make (rows[i].filter);
    g_autoptr (VigilJson) changed = NULL;

    g_assert_cmpint (
        vigil_filter_apply (filter, document, &changed), ==, rows[i].passes);
    g_assert_null (changed);
  }
}

int
main (int argc, char **argv)
{
  vigil_fixture_init (&argc, &argv, 0);
  filter_case_add (
      "/classification/prune", prune_cases, G_N_ELEMENTS (prune_cases));
  filter_case_add (
      "/classification/message", message_cases, G_N_ELEMENTS (message_cases));
  g_test_add_func ("/classification/seed-document", test_seed_document);
  return g_test_run ();
}
