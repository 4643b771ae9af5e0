/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/mqtt-settings.h"

#include "common/fixture.h"
#include <string.h>

/* JSON is written with single quotes. */
static VigilJson *
parse (const char *text)
{
  g_autofree char *quoted = g_strdelimit (g_strdup (text), "'", '"');
  g_autoptr (GError) error = NULL;
  VigilJson *value = vigil_json_parse (quoted, -1, 1 << 20, 16, &error);

  g_assert_no_error (error);
  return value;
}

static VigilEnvironment *
make_environment (const char *text)
{
  g_autoptr (GError) error = NULL;
  VigilEnvironment *environment =
      vigil_environment_parse (text, (gssize)strlen (text), ".env", &error);

  g_assert_no_error (error);
  return environment;
}

/* ---- Checks -------------------------------------------------------------- */

typedef struct {
  const char *name;
  const char *settings;
  const char *environment;
  const char *error;   /* path of the first error; NULL: none */
  const char *warning; /* path of the first warning; NULL: none */
} CheckCase;

#define HOST "MQTT_HOST=127.0.0.1\n"

static const CheckCase check_cases[] = {
    {"empty", "{}", HOST, NULL, NULL},
    {"no-host", "{}", "", "p", NULL},
    {"empty-host", "{}", "MQTT_HOST=\n", "p", NULL},
    {"host-here", "{'host':'broker'}", "", NULL, NULL},
    {"host-with-underscore", "{'host':'mqtt_broker'}", "", NULL, NULL},
    {"host-address", "{'host':'::1'}", "", NULL, NULL},
    {"host-empty-here", "{'host':''}", HOST, "p.host", NULL},
    {"host-with-scheme", "{'host':'mqtt://broker'}", "", "p.host", NULL},
    {"host-with-user", "{'host':'me@broker'}", "", "p.host", NULL},
    {"host-with-space", "{}", "MQTT_HOST='a b'\n", "MQTT_HOST", NULL},
    {"port", "{'port':1884}", HOST, NULL, NULL},
    {"port-0", "{'port':0}", HOST, "p.port", NULL},
    {"port-65536", "{'port':65536}", HOST, "p.port", NULL},
    {"port-text", "{'port':'1883'}", HOST, "p.port", NULL},
    {"environment-port-0", "{}", HOST "MQTT_PORT=0\n", "MQTT_PORT", NULL},
    {"environment-port-abc", "{}", HOST "MQTT_PORT=abc\n", "MQTT_PORT", NULL},
    {"environment-port-unused", "{'port':1}", HOST "MQTT_PORT=abc\n", NULL,
        NULL},
    {"hosts", "{'hosts':[{'host':'a'},{'host':'b','port':2}]}", "", NULL, NULL},
    {"hosts-and-host", "{'hosts':[{'host':'a'}],'host':'b'}", "", "p.hosts",
        NULL},
    {"hosts-and-port", "{'hosts':[{'host':'a'}],'port':1}", "", "p.hosts",
        NULL},
    {"hosts-of-nothing", "{'hosts':[{}]}", "", "p.hosts[0].host", NULL},
    {"hosts-wrong", "{'hosts':[{'host':'a/b'}]}", "", "p.hosts[0].host", NULL},
    {"hosts-text", "{'hosts':['a']}", "", "p.hosts[0]", NULL},
    {"qos-3", "{'qos':3}", HOST, "p.qos", NULL},
    {"qos-text", "{'qos':'1'}", HOST, "p.qos", NULL},
    {"qos-real", "{'qos':1.5}", HOST, "p.qos", NULL},
    {"protocol-2", "{'protocol':2}", HOST, "p.protocol", NULL},
    {"protocol-6", "{'protocol':6}", HOST, "p.protocol", NULL},
    {"topic", "{'topic':'/a//b c'}", HOST, NULL, NULL},
    {"topic-empty", "{'topic':''}", HOST, "p.topic", NULL},
    {"topic-hash", "{'topic':'a/#'}", HOST, "p.topic", NULL},
    {"topic-plus", "{'topic':'a/+/b'}", HOST, "p.topic", NULL},
    {"status-topic-hash", "{'status_topic':'#'}", HOST, "p.status_topic", NULL},
    {"payload-format", "{'payload_format':'json'}", HOST, "p.payload_format",
        NULL},
    {"environment-payload-format", "{}", HOST "MQTT_PAYLOAD_FORMAT=json\n",
        "MQTT_PAYLOAD_FORMAT", NULL},
    {"environment-payload-format-unused", "{'payload_format':'array'}",
        HOST "MQTT_PAYLOAD_FORMAT=json\n", NULL, NULL},
    {"password-without-user", "{'password':'x'}", HOST, "p.username",
        "p.password"},
    {"password-without-user-in-5", "{'password':'x','protocol':5}", HOST, NULL,
        "p.password"},
    {"password-with-user-of-environment", "{'password':'x'}",
        HOST "MQTT_USERNAME=u\n", NULL, "p.password"},
    {"password-of-environment", "{}", HOST "MQTT_PASSWORD=x\n", "p.username",
        NULL},
    {"password-of-environment-in-clear", "{}",
        "MQTT_HOST=b\nMQTT_USERNAME=u\nMQTT_PASSWORD=x\n", NULL, "p"},
    {"password-of-environment-not-sent", "{'host':'b'}",
        HOST "MQTT_PASSWORD=x\n", NULL, NULL},
    {"password-unverified", "{'tls':{'insecure_skip_verify':true}}",
        HOST "MQTT_USERNAME=u\nMQTT_PASSWORD=x\n", "p.tls.insecure_skip_verify",
        "p.tls.insecure_skip_verify"},
    {"password-file", "{'username':'u','password_file':'/invalid/f'}", HOST,
        "p.password_file", NULL},
    {"password-file-of-environment", "{}",
        HOST "MQTT_USERNAME=u\nMQTT_PASSWORD_FILE=/invalid/f\n",
        "MQTT_PASSWORD", NULL},
    {"password-twice", "{'username':'u','password':'x','password_file':'f'}",
        HOST, "p.password_file", NULL},
    {"password-in-clear", "{'username':'u','password':'x','host':'b'}", "",
        NULL, "p"},
    {"password-in-clear-to-one",
        "{'username':'u','password':'x','hosts':"
        "[{'host':'::1'},{'host':'127.evil'}]}",
        "", NULL, "p"},
    {"session-without-id", "{'clean_session':false}", HOST, "p.client_id",
        NULL},
    {"session", "{'clean_session':false,'client_id':'x'}", HOST, NULL, NULL},
    {"keepalive-0", "{'keepalive':0}", HOST, "p.keepalive", NULL},
    {"queue", "{'queue':{'max_messages':0}}", HOST, "p.queue.max_messages",
        NULL},
    {"queue-policy", "{'queue':{'policy':'x'}}", HOST, "p.queue.policy", NULL},
    {"offline-true", "{'offline_queue':true}", HOST, NULL, NULL},
    {"offline-age", "{'offline_queue':{'max_age_s':5}}", HOST, NULL, NULL},
    {"offline-age-text", "{'offline_queue':{'max_age_s':'5'}}", HOST,
        "p.offline_queue.max_age_s", NULL},
    {"offline-number", "{'offline_queue':5}", HOST, "p.offline_queue", NULL},
    {"oversize", "{'oversize':'x'}", HOST, "p.oversize", NULL},
    {"expiry", "{'protocol':5,'message_expiry_s':4294967295}", HOST, NULL,
        NULL},
    {"expiry-0", "{'protocol':5,'message_expiry_s':0}", HOST,
        "p.message_expiry_s", NULL},
    {"expiry-too-long", "{'protocol':5,'message_expiry_s':4294967296}", HOST,
        "p.message_expiry_s", NULL},
    {"expiry-in-4", "{'message_expiry_s':10}", HOST, "p.message_expiry_s",
        NULL},
    {"user-properties", "{'protocol':5,'user_properties':{'':'','a':'b'}}",
        HOST, NULL, NULL},
    {"user-properties-in-3", "{'protocol':3,'user_properties':{}}", HOST,
        "p.user_properties", NULL},
    {"user-properties-number", "{'protocol':5,'user_properties':{'a':1}}", HOST,
        "p.user_properties.a", NULL},
    {"user-properties-list", "{'protocol':5,'user_properties':['a']}", HOST,
        "p.user_properties", NULL},
    {"properties-null", "{'user_properties':null,'message_expiry_s':null}",
        HOST, NULL, NULL},
    {"filter", "{'filter':{'type':'x','label_score':{'a':1}}}", HOST,
        "p.filter.type", NULL},
    {"filter-empty", "{'filter':{}}", HOST, NULL, NULL},
    {"tls-empty", "{'tls':{},'port':8883}", HOST, NULL, NULL},
    {"type", "{'type':'mqtt'}", HOST, NULL, NULL},
    {"timeout", "{'timeout':1000}", HOST, NULL, "p.timeout"},
    {"unknown-key", "{'topik':'a'}", HOST, NULL, "p.topik"},
    {"nulls", "{'topic':null,'qos':null,'host':null,'hosts':null}", HOST, NULL,
        NULL},
};

/* The first of its kind stands at @path; none when that is NULL. */
static void
assert_first (const VigilProblems *problems, VigilProblemSeverity severity,
    const char *path)
{
  const char *first = NULL;

  for (unsigned i = 0; i < vigil_problems_get_size (problems); i++) {
    const VigilProblem *problem = vigil_problems_get (problems, i);

    g_test_message ("%s: %s", problem->path, problem->text);
    if (problem->severity == severity && first == NULL)
      first = problem->path;
  }
  g_assert_cmpstr (first, ==, path);
}

static void
test_check (gconstpointer data)
{
  const CheckCase *test = data;
  g_autoptr (VigilJson) settings = parse (test->settings);
  g_autoptr (VigilEnvironment) environment =
      make_environment (test->environment);
  g_autoptr (VigilProblems) problems = vigil_problems_new ();
  const VigilDestinationContext context = {.environment = environment};

  vigil_destination_check (
      vigil_destination_find ("mqtt"), settings, "p", &context, problems);
  assert_first (problems, VIGIL_PROBLEM_ERROR, test->error);
  assert_first (problems, VIGIL_PROBLEM_WARNING, test->warning);
}

/* ---- Reading ------------------------------------------------------------ */

static VigilMqttSettings *
read_settings (const char *text, const char *environment_text)
{
  g_autoptr (VigilJson) settings = parse (text);
  g_autoptr (VigilEnvironment) environment =
      make_environment (environment_text);
  g_autoptr (GError) error = NULL;
  const VigilDestinationContext context = {.environment = environment,
      .instance_id = "id",
      .name = vigil_schema_get_string (settings, "name", "mqtt")};
  VigilMqttSettings *result =
      vigil_mqtt_settings_new (settings, &context, &error);

  g_assert_no_error (error);
  return result;
}

/* An empty block publishes with the documented defaults. */
static void
test_defaults (void)
{
  g_autoptr (VigilMqttSettings) settings = read_settings ("{}", HOST);
  const VigilMqttOptions *options = &settings->options;

  g_assert_cmpstr (settings->topic, ==, "dlstreamer_pipeline_results");
  g_assert_false (settings->publish_frame);
  g_assert_cmpint (settings->format, ==, VIGIL_PAYLOAD_ARRAY);
  g_assert_true (settings->reduces_oversize);
  g_assert_cmpstr (options->name, ==, "id/mqtt");
  g_assert_cmpuint (options->hosts_size, ==, 1);
  g_assert_cmpstr (options->hosts[0].host, ==, "127.0.0.1");
  g_assert_cmpuint (options->hosts[0].port, ==, 1883);
  g_assert_cmpint (options->protocol, ==, 4);
  g_assert_cmpint (options->qos, ==, 0);
  g_assert_false (options->retain);
  g_assert_null (options->client_id);
  g_assert_false (options->keep_session);
  g_assert_cmpuint (options->keep_alive_s, ==, 60);
  g_assert_null (options->username);
  g_assert_null (options->status_topic);
  g_assert_cmpuint (options->queue_messages, ==, 1000);
  g_assert_cmpuint (options->queue_bytes, ==, 64 << 20);
  g_assert_cmpint (options->queue_policy, ==, VIGIL_MQTT_DROP_OLDEST);
  g_assert_false (options->offline_queue);
  g_assert_cmpfloat (options->stable_after_s, ==, 0);
  g_assert_false (options->jitter);
  g_assert_cmpuint (settings->properties.expiry_s, ==, 0);
  g_assert_cmpuint (settings->properties.user_size, ==, 0);
}

static void
test_every_key (void)
{
  g_autoptr (VigilMqttSettings) settings = read_settings (
      "{'name':'n','topic':'t','publish_frame':true,'qos':2,'protocol':5,"
      "'payload_format':'binary','host':'h','port':7,'username':'u',"
      "'client_id':'c','clean_session':false,'keepalive':9,'retain':true,"
      "'queue':{'max_messages':3,'max_bytes':4096,"
      "'policy':'drop_frames_first'},'offline_queue':{'max_age_s':2.5},"
      "'stable_after_s':1.5,'jitter':true,'status_topic':'s',"
      "'oversize':'drop','message_expiry_s':30,"
      "'user_properties':{'site':'gate','unit':'7'}}",
      HOST "MQTT_PORT=99\nMQTT_PAYLOAD_FORMAT=object\n");
  const VigilMqttOptions *options = &settings->options;

  g_assert_cmpstr (settings->topic, ==, "t");
  g_assert_true (settings->publish_frame);
  g_assert_cmpint (settings->format, ==, VIGIL_PAYLOAD_BINARY);
  g_assert_false (settings->reduces_oversize);
  g_assert_cmpstr (options->name, ==, "id/n");
  g_assert_cmpstr (options->hosts[0].host, ==, "h");
  g_assert_cmpuint (options->hosts[0].port, ==, 7);
  g_assert_cmpint (options->protocol, ==, 5);
  g_assert_cmpint (options->qos, ==, 2);
  g_assert_true (options->retain);
  g_assert_cmpstr (options->client_id, ==, "c");
  g_assert_true (options->keep_session);
  g_assert_cmpuint (options->keep_alive_s, ==, 9);
  g_assert_cmpstr (options->username, ==, "u");
  g_assert_cmpstr (options->status_topic, ==, "s");
  g_assert_cmpuint (options->queue_messages, ==, 3);
  g_assert_cmpuint (options->queue_bytes, ==, 4096);
  g_assert_cmpint (options->queue_policy, ==, VIGIL_MQTT_DROP_FRAMES_FIRST);
  g_assert_true (options->offline_queue);
  g_assert_cmpfloat (options->offline_max_age_s, ==, 2.5);
  g_assert_cmpfloat (options->stable_after_s, ==, 1.5);
  g_assert_true (options->jitter);
  g_assert_cmpuint (settings->properties.expiry_s, ==, 30);
  g_assert_cmpuint (settings->properties.user_size, ==, 2);
  g_assert_cmpstr (settings->properties.user[0].name, ==, "site");
  g_assert_cmpstr (settings->properties.user[0].value, ==, "gate");
  g_assert_cmpstr (settings->properties.user[1].name, ==, "unit");
  g_assert_cmpstr (settings->properties.user[1].value, ==, "7");
}

static void
test_environment (void)
{
  g_autoptr (VigilMqttSettings) settings = read_settings (
      "{}", "MQTT_HOST=broker\nMQTT_PORT=1999\nMQTT_PAYLOAD_FORMAT=object\n");
  g_autoptr (VigilMqttSettings) half =
      read_settings ("{'host':'here'}", "MQTT_HOST=broker\nMQTT_PORT=1999\n");

  g_assert_cmpstr (settings->options.hosts[0].host, ==, "broker");
  g_assert_cmpuint (settings->options.hosts[0].port, ==, 1999);
  g_assert_cmpint (settings->format, ==, VIGIL_PAYLOAD_OBJECT);
  g_assert_cmpstr (half->options.hosts[0].host, ==, "here");
  g_assert_cmpuint (half->options.hosts[0].port, ==, 1999);
}

static void
test_hosts (void)
{
  g_autoptr (VigilMqttSettings) settings = read_settings (
      "{'hosts':[{'host':'a'},{'host':'b','port':2}]}", HOST "MQTT_PORT=9\n");

  g_assert_cmpuint (settings->options.hosts_size, ==, 2);
  g_assert_cmpstr (settings->options.hosts[0].host, ==, "a");
  g_assert_cmpuint (settings->options.hosts[0].port, ==, 1883);
  g_assert_cmpstr (settings->options.hosts[1].host, ==, "b");
  g_assert_cmpuint (settings->options.hosts[1].port, ==, 2);
}

static void
test_offline_queue (void)
{
  static const struct {
    const char *settings;
    gboolean offline;
  } cases[] = {
      {"{'offline_queue':true}", TRUE},
      {"{'offline_queue':{}}", TRUE},
      {"{'offline_queue':false}", FALSE},
      {"{'offline_queue':null}", FALSE},
  };

  for (unsigned i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (VigilMqttSettings) settings =
        read_settings (cases[i].settings, HOST);

    g_assert_cmpint (settings->options.offline_queue, ==, cases[i].offline);
    g_assert_cmpfloat (settings->options.offline_max_age_s, ==, 0);
  }
}

int
main (int argc, char **argv)
{
  vigil_fixture_init (&argc, &argv, 0);
  for (unsigned i = 0; i < G_N_ELEMENTS (check_cases); i++) {
    g_autofree char *path =
        g_strdup_printf ("/mqtt-settings/check/%s", check_cases[i].name);

    g_test_add_data_func (path, &check_cases[i], test_check);
  }
  g_test_add_func ("/mqtt-settings/defaults", test_defaults);
  g_test_add_func ("/mqtt-settings/every-key", test_every_key);
  g_test_add_func ("/mqtt-settings/environment", test_environment);
  g_test_add_func ("/mqtt-settings/hosts", test_hosts);
  g_test_add_func ("/mqtt-settings/offline-queue", test_offline_queue);
  return g_test_run ();
}
