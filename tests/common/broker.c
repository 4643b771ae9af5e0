/* SPDX-License-Identifier: Apache-2.0 */
/* A real mosquitto for a test. */
#include "common/broker.h"

#include "common/test-tls.h"

#include <signal.h>
#include <unistd.h>

#define START_MS 10000

struct _VigilBroker {
  uint16_t port;
  char *config_path;
  char *log_path;
  VigilProcess *process;
};

static const char *
find_program (void)
{
  /* Debian has it where the PATH of users does not look. */
  static const char *const places[] = {
      "/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto"};
  for (size_t i = 0; i < G_N_ELEMENTS (places); i++) {
    if (g_file_test (places[i], G_FILE_TEST_IS_EXECUTABLE))
      return places[i];
  }
  return "mosquitto";
}

VigilBroker *
vigil_broker_new (VigilFixture *fixture, uint16_t port, const char *lines)
{
  VigilBroker *self = g_new0 (VigilBroker, 1);
  self->port = port != 0 ? port : vigil_fixture_find_port ();
  /* Started by root it would become a user who may not read our folder. */
  const char *user = geteuid () == 0 ? "user root\n" : "";
  g_autofree char *tls = vigil_test_tls_dup_broker_lines ();
  g_autofree char *text = g_strdup_printf (
      "%slistener %u %s\nallow_anonymous true\nlog_dest stderr\n"
      "log_type all\n%s%s\n",
      user, self->port, vigil_fixture_get_address (), tls,
      lines != NULL ? lines : "");
  g_autofree char *name = g_strdup_printf ("mosquitto-%u.conf", self->port);
  self->config_path = vigil_fixture_write (fixture, name, text);
  self->log_path =
      g_strdup_printf ("%s/mosquitto-%u.log", fixture->folder, self->port);
  vigil_broker_start (self);
  return self;
}

void
vigil_broker_free (VigilBroker *self)
{
  if (self == NULL)
    return;
  vigil_process_free (self->process);
  g_free (self->log_path);
  g_free (self->config_path);
  g_free (self);
}

void
vigil_broker_start (VigilBroker *self)
{
  g_assert_null (self->process);

  const char *argv[] = {find_program (), "-c", self->config_path, NULL};
  self->process = vigil_process_start (argv, NULL, self->log_path);
  if (!vigil_process_wait_port (
          self->process, vigil_fixture_get_address (), self->port, START_MS)) {
    g_autofree char *log = vigil_process_read_log (self->process);
    g_error ("mosquitto does not listen on %s:%u: %s",
        vigil_fixture_get_address (), self->port, log);
  }
}

void
vigil_broker_kill (VigilBroker *self)
{
  vigil_process_kill (self->process);
  g_clear_pointer (&self->process, vigil_process_free);
}

void
vigil_broker_stop (VigilBroker *self)
{
  vigil_process_signal (self->process, SIGTERM);
  g_assert_true (vigil_process_wait (self->process, START_MS, NULL));
  g_clear_pointer (&self->process, vigil_process_free);
}

void
vigil_broker_freeze (VigilBroker *self)
{
  vigil_process_freeze (self->process);
}

void
vigil_broker_thaw (VigilBroker *self)
{
  vigil_process_signal (self->process, SIGCONT);
}

const char *
vigil_broker_get_address (const VigilBroker *self)
{
  return vigil_fixture_get_address ();
}

uint16_t
vigil_broker_get_port (const VigilBroker *self)
{
  return self->port;
}

VigilProcess *
vigil_broker_get_process (VigilBroker *self)
{
  return self->process;
}
