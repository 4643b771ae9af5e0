/* SPDX-License-Identifier: Apache-2.0 */
/* Programs that a test runs. */
#include "common/process.h"

#include "common/fixture.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define TRY_AGAIN_MS 5

struct _VigilProcess {
  pid_t pid;
  int pid_fd; /* readable when the program has ended */
  gboolean is_reaped;
  int status;
  char *log_path;
};

typedef struct {
  int log_fd;
  pid_t parent;
} ChildSetup;

/* In the child, between fork and exec: system calls only. */
static void
prepare_child (void *data)
{
  const ChildSetup *setup = data;
  dup2 (setup->log_fd, STDOUT_FILENO);
  dup2 (setup->log_fd, STDERR_FILENO);
  prctl (PR_SET_PDEATHSIG, SIGKILL);
  if (getppid () != setup->parent)
    _exit (127);
  signal (SIGPIPE, SIG_DFL);
}

VigilProcess *
vigil_process_start (const char *const *argv, const char *const *environment,
    const char *log_path)
{
  VigilProcess *self = g_new0 (VigilProcess, 1);
  self->log_path = g_strdup (log_path);
  ChildSetup setup = {
      .log_fd = open (
          log_path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600),
      .parent = getpid (),
  };
  g_assert_cmpint (setup.log_fd, >=, 0);
  g_autoptr (GError) error = NULL;
  g_spawn_async (NULL, (char **)argv, (char **)environment,
      G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_SEARCH_PATH, prepare_child, &setup,
      &self->pid, &error);
  g_assert_no_error (error);
  close (setup.log_fd);
  self->pid_fd = (int)syscall (SYS_pidfd_open, self->pid, 0);
  g_assert_cmpint (self->pid_fd, >=, 0);
  return self;
}

pid_t
vigil_process_get_pid (const VigilProcess *self)
{
  return self->pid;
}

void
vigil_process_signal (VigilProcess *self, int number)
{
  if (!self->is_reaped)
    kill (self->pid, number);
}

void
vigil_process_freeze (VigilProcess *self)
{
  siginfo_t ignored;
  vigil_process_signal (self, SIGSTOP);
  g_assert_cmpint (
      waitid (P_PID, (id_t)self->pid, &ignored, WSTOPPED | WEXITED | WNOWAIT),
      ==, 0);
}

gboolean
vigil_process_wait (VigilProcess *self, unsigned milliseconds, int *ret_status)
{
  if (!self->is_reaped) {
    if (!vigil_fixture_wait_fd (self->pid_fd, POLLIN, milliseconds))
      return FALSE;
    g_assert_cmpint (waitpid (self->pid, &self->status, 0), ==, self->pid);
    self->is_reaped = TRUE;
  }
  if (ret_status != NULL)
    *ret_status = self->status;
  return TRUE;
}

void
vigil_process_kill (VigilProcess *self)
{
  vigil_process_signal (self, SIGKILL);
  g_assert_true (vigil_process_wait (self, 10000, NULL));
}

gboolean
vigil_process_is_running (VigilProcess *self)
{
  return !vigil_process_wait (self, 0, NULL);
}

void
vigil_process_free (VigilProcess *self)
{
  if (self == NULL)
    return;
  vigil_process_kill (self);
  close (self->pid_fd);
  g_free (self->log_path);
  g_free (self);
}

char *
vigil_process_read_log (const VigilProcess *self)
{
  char *text = NULL;
  g_autoptr (GError) error = NULL;
  g_file_get_contents (self->log_path, &text, NULL, &error);
  g_assert_no_error (error);
  return text;
}

static unsigned
count_in_log (const VigilProcess *self, const char *text)
{
  g_autofree char *log = vigil_process_read_log (self);
  unsigned count = 0;
  for (const char *at = log; (at = strstr (at, text)) != NULL; at++)
    count++;
  return count;
}

gboolean
vigil_process_wait_log (
    VigilProcess *self, const char *text, unsigned count, unsigned milliseconds)
{
  int64_t deadline_us = vigil_fixture_deadline (milliseconds);
  /* Watch before the first look, so that no line comes in between. */
  int watch = inotify_init1 (IN_CLOEXEC | IN_NONBLOCK);
  g_assert_cmpint (watch, >=, 0);
  g_assert_cmpint (inotify_add_watch (watch, self->log_path, IN_MODIFY), >=, 0);
  gboolean has_come = FALSE;
  for (;;) {
    gboolean has_ended = self->is_reaped;
    struct pollfd entries[] = {
        {.fd = watch, .events = POLLIN},
        {.fd = self->pid_fd, .events = POLLIN},
    };
    if (!has_ended && poll (&entries[1], 1, 0) > 0)
      has_ended = TRUE;
    has_come = count_in_log (self, text) >= count;
    int64_t left_us = deadline_us - g_get_monotonic_time ();
    if (has_come || has_ended || left_us <= 0)
      break;
    poll (entries, G_N_ELEMENTS (entries), (int)(left_us / 1000) + 1);
    char events[4096];
    while (read (watch, events, sizeof events) > 0)
      ;
  }
  close (watch);
  return has_come;
}

static gboolean
can_connect (const char *address, uint16_t port)
{
  struct sockaddr_in name = {
      .sin_family = AF_INET,
      .sin_port = htons (port),
  };
  g_assert_cmpint (inet_pton (AF_INET, address, &name.sin_addr), ==, 1);
  int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  g_assert_cmpint (fd, >=, 0);
  gboolean is_open = connect (fd, (struct sockaddr *)&name, sizeof name) == 0;
  close (fd);
  return is_open;
}

gboolean
vigil_process_wait_port (VigilProcess *self, const char *address, uint16_t port,
    unsigned milliseconds)
{
  int64_t deadline_us = vigil_fixture_deadline (milliseconds);
  while (!can_connect (address, port)) {
    if (g_get_monotonic_time () >= deadline_us)
      return FALSE;
    /* Nobody tells when a port opens; that a program ends is told. */
    if (vigil_process_wait (self, TRY_AGAIN_MS, NULL))
      return FALSE;
  }
  return TRUE;
}
