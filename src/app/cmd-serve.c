/* SPDX-License-Identifier: Apache-2.0 */

/* vigil serve: the server. */

#include "app/commands.h"

#include "app/startup.h"
#include "base/error.h"
#include "base/log.h"
#include "base/secret.h"
#include "gst/plugin.h"
#include "rest/rest-server.h"
#include "server/instance-manager.h"
#include <glib-unix.h>
#include <signal.h>
#include <stdio.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#undef G_LOG_DOMAIN
#define G_LOG_DOMAIN "vigil"

typedef struct {
  char *config_file;
  char *env_file;
  char *log_format;
} Options;

static void
options_clear (Options *options)
{
  g_free (options->config_file);
  g_free (options->env_file);
  g_free (options->log_format);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Options, options_clear)

static gboolean
parse_options (int argc, char **argv, Options *options)
{
  const GOptionEntry entries[] = {
      {"config", 'c', 0, G_OPTION_ARG_FILENAME, &options->config_file,
          "Configuration (default: ./config.json, then "
          "configs/default/config.json)",
          "FILE"},
      {"env-file", 'e', 0, G_OPTION_ARG_FILENAME, &options->env_file,
          "Variables, one NAME=VALUE a line (default: ./.env, then "
          "docker/.env)",
          "FILE"},
      {"log-format", 0, 0, G_OPTION_ARG_STRING, &options->log_format,
          "Log lines as text (default) or json", "FORMAT"},
      G_OPTION_ENTRY_NULL,
  };

  if (!vigil_startup_parse_options (&argc, &argv, NULL,
          "Runs the pipelines of a configuration and publishes what they "
          "see, until SIGTERM or SIGINT.",
          entries, 0))
    return FALSE;
  if (options->log_format != NULL &&
      g_strcmp0 (options->log_format, "text") != 0 &&
      g_strcmp0 (options->log_format, "json") != 0) {
    fprintf (stderr, "%s: --log-format '%s': want text or json\n",
        g_get_prgname (), options->log_format);
    return FALSE;
  }
  return TRUE;
}

static void
install_log (const Options *options, const VigilEnvironment *environment)
{
  const char *level = vigil_environment_get (environment, "LOG_LEVEL");
  GLogLevelFlags threshold = G_LOG_LEVEL_INFO;
  gboolean is_known =
      level == NULL || vigil_log_parse_level (level, &threshold);

  vigil_log_install (g_strcmp0 (options->log_format, "json") == 0
                         ? VIGIL_LOG_JSON
                         : VIGIL_LOG_TEXT,
      threshold);
  if (!is_known)
    g_warning ("LOG_LEVEL '%s': want DEBUG, INFO, WARN or ERROR; INFO is "
               "used",
        level);
}

static void
log_problems (const VigilProblems *problems)
{
  for (unsigned index = 0; index < vigil_problems_get_size (problems);
       index++) {
    const VigilProblem *problem = vigil_problems_get (problems, index);

    g_log (G_LOG_DOMAIN,
        problem->severity == VIGIL_PROBLEM_ERROR ? G_LOG_LEVEL_CRITICAL
                                                 : G_LOG_LEVEL_WARNING,
        "%s: %s", problem->path, problem->text);
  }
}

/* The first SIGTERM or SIGINT stops the server, the next one ends the program
 * at once. What comes within this time is the first one again: timeout(1), for
 * one, sends it to the program and to its group. */
#define SAME_SIGNAL_NS (500 * 1000000LL)

typedef struct {
  GMainLoop *loop;
  VigilInstanceManager *manager; /* set before the loop runs */
  VigilRestServer *rest;         /* likewise; nullable */
} Signals;

static int64_t stopping_since_ns; /* set before on_next_signal is */

static int64_t
get_now_ns (void)
{
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000000LL + now.tv_nsec;
}

/* A bare handler: the main loop does not run any more. */
static void
on_next_signal (int number)
{
  if (get_now_ns () - stopping_since_ns < SAME_SIGNAL_NS)
    return;
  signal (number, SIG_DFL);
  raise (number);
}

static gboolean
on_signal (gpointer data)
{
  g_main_loop_quit (data);
  return G_SOURCE_CONTINUE;
}

/* What is secret has changed on disk. */
static gboolean
on_reload (gpointer data)
{
  const Signals *signals = data;
  g_autoptr (GError) token_error = NULL;
  g_autoptr (GError) certificate_error = NULL;

  g_message ("SIGHUP: certificates, passwords and tokens are read again");
  vigil_instance_manager_renew_all (signals->manager);
  if (signals->rest == NULL)
    return G_SOURCE_CONTINUE;
  if (!vigil_rest_server_reload_tokens (signals->rest, &token_error))
    g_warning ("%s; the old tokens go on", token_error->message);
  if (!vigil_rest_server_reload_certificates (
          signals->rest, &certificate_error))
    g_warning (
        "REST: %s; the old certificate goes on", certificate_error->message);
  return G_SOURCE_CONTINUE;
}

/* Before anything is started: a signal during the start waits for the loop. */
static void
signals_init (Signals *signals)
{
  signals->loop = g_main_loop_new (NULL, FALSE);
  g_unix_signal_add (SIGTERM, on_signal, signals->loop);
  g_unix_signal_add (SIGINT, on_signal, signals->loop);
  g_unix_signal_add (SIGHUP, on_reload, signals);
  /* A peer that closes its end is an error code, not the end. */
  signal (SIGPIPE, SIG_IGN);
}

static void
signals_wait (
    Signals *signals, VigilInstanceManager *manager, VigilRestServer *rest)
{
  signals->manager = manager;
  signals->rest = rest;
  g_main_loop_run (signals->loop);
  /* The sources stay: without them the defaults would come back first. */
  stopping_since_ns = get_now_ns ();
  signal (SIGTERM, on_next_signal);
  signal (SIGINT, on_next_signal);
  signal (SIGHUP, SIG_IGN);
}

/* What the configuration makes of the server. */
typedef struct {
  const VigilConfig *config;
  const VigilEnvironment *environment;
  VigilSettings settings;
  const VigilRestSettings *rest_settings;
} Service;

static void
log_started (const Service *service, VigilInstanceManager *manager,
    unsigned started, const VigilRestServer *rest)
{
  g_message ("vigil " VIGIL_VERSION " serves %s: %u of %u pipelines can be "
             "used, %u started",
      vigil_config_get_path (service->config),
      vigil_instance_manager_get_definition_count (manager),
      vigil_config_get_pipeline_count (service->config), started);
  if (rest != NULL)
    g_message ("REST on %s://%s:%u",
        service->rest_settings->use_tls ? "https" : "http",
        service->rest_settings->address, vigil_rest_server_get_port (rest));
  else if (started == 0)
    g_warning ("nothing runs and nothing can be started: set "
               "\"auto_start\": true in a pipeline, or serve REST");
}

static void
stop_instances (const Service *service, VigilInstanceManager *manager)
{
  int64_t stop_ms = service->settings.stop_ms;
  unsigned left;

  g_message ("stopping");
  left = vigil_instance_manager_stop_all (
      manager, g_get_monotonic_time () + stop_ms * G_TIME_SPAN_MILLISECOND);
  if (left == 0)
    return;
  g_warning ("%u instances did not end within %" G_GINT64_FORMAT
             " ms; they are left behind",
      left, (gint64)stop_ms);
  /* Their threads use the manager, the configuration and the environment:
   * only the end of the process may take those away. */
  _exit (EX_OK);
}

static int
run (const Service *service, VigilProblems *problems, Signals *signals)
{
  g_autoptr (VigilInstanceManager) manager = vigil_instance_manager_new (
      service->config, service->environment, &service->settings, problems);
  g_autoptr (VigilRestServer) rest = NULL;
  g_autoptr (GError) error = NULL;
  unsigned started;

  log_problems (problems);
  if (service->rest_settings->is_enabled) {
    rest = vigil_rest_server_new (service->rest_settings, manager, &error);
    if (rest == NULL) {
      g_critical ("not started: %s", error->message);
      return vigil_error_exit_status (error);
    }
  }
  started = vigil_instance_manager_auto_start (manager);
  log_started (service, manager, started, rest);
  signals_wait (signals, manager, rest);
  /* REST still answers: starts are refused, states can be watched. */
  stop_instances (service, manager);
  g_clear_pointer (&rest, vigil_rest_server_free);
  g_message ("stopped");
  return EX_OK;
}

int
vigil_cmd_serve (int argc, char **argv)
{
  g_auto (Options) options = {0};
  g_autoptr (VigilEnvironment) environment = NULL;
  /* Faults of single pipelines stop only those; the server's own stop it. */
  g_autoptr (VigilProblems) problems = vigil_problems_new ();
  g_autoptr (VigilProblems) own_problems = vigil_problems_new ();
  g_autoptr (VigilConfig) config = NULL;
  g_autoptr (VigilRestSettings) rest_settings = NULL;
  g_autoptr (VigilRtspSettings) rtsp_settings = NULL;
  g_autoptr (GError) error = NULL;
  Service service = {0};
  Signals signals;

  if (!parse_options (argc, argv, &options))
    return EX_USAGE;
  vigil_secret_protect_process ();
  /* Before anything copies the environment, or starts a thread. */
  vigil_secret_unref (vigil_secret_take_environment ("MQTT_PASSWORD"));
  environment = vigil_startup_read_environment (options.env_file);
  if (environment == NULL)
    return EX_CONFIG;
  install_log (&options, environment);
  signals_init (&signals);
  config = vigil_startup_read_config (options.config_file, problems, &error);
  if (config != NULL) {
    vigil_settings_init (&service.settings, environment, own_problems);
    rest_settings = vigil_rest_settings_new (config, environment, own_problems);
    rtsp_settings = vigil_rtsp_settings_new (config, environment, own_problems);
    service.settings.rtsp = rtsp_settings;
    log_problems (own_problems);
    vigil_problems_check (own_problems, &error);
  }
  if (error != NULL) {
    g_critical ("not started: %s", error->message);
    return EX_CONFIG;
  }
  service.config = config;
  service.environment = environment;
  service.rest_settings = rest_settings;
  vigil_plugin_register ();
  return run (&service, problems, &signals);
}
