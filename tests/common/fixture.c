/* SPDX-License-Identifier: Apache-2.0 */
/* What every test starts from. */
#include "common/fixture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <glib/gstdio.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define WATCHDOG_SECONDS 20
#define LOOK_AGAIN_MS 2

typedef struct {
  char *domain;
  char *pattern;
  gboolean is_required;
  unsigned seen;
} Announcement;

static unsigned watchdog_seconds;
/* What the watchdog says; made before it could bark. */
static char watchdog_text[256];

/* Of the test that runs, and of the process that made it (nullable). */
static const char *left_folder;
static pid_t left_folder_owner;

/* Protects announcements: warnings come from any thread. */
static pthread_mutex_t announcements_lock = PTHREAD_MUTEX_INITIALIZER;
static GPtrArray *announcements; /* Announcement */
/* GLib's, for what nobody announced. */
static GLogFunc default_handler;

/* ---- Set-up ------------------------------------------------------------ */

static void
on_alarm (int number)
{
  ssize_t ignored =
      write (STDERR_FILENO, watchdog_text, strlen (watchdog_text));
  (void)ignored;
  abort ();
}

static void
start_watchdog (void)
{
  /* Slow builds (sanitizers, valgrind) ask for more patience. */
  const char *text = g_getenv ("VIGIL_TEST_PATIENCE");
  unsigned factor =
      text != NULL ? (unsigned)g_ascii_strtoull (text, NULL, 10) : 1;
  unsigned seconds = watchdog_seconds * MAX (factor, 1);
  g_snprintf (watchdog_text, sizeof watchdog_text,
      "\nwatchdog: %s has not ended after %u s\n", g_test_get_path (), seconds);
  alarm (seconds);
}

/* Returns: TRUE when the message was announced; then counts @times more. */
static gboolean
look_up (const char *domain, const char *message, unsigned times)
{
  gboolean is_announced = FALSE;
  pthread_mutex_lock (&announcements_lock);
  for (unsigned i = 0; i < announcements->len && !is_announced; i++) {
    Announcement *announcement = announcements->pdata[i];
    is_announced = g_strcmp0 (announcement->domain, domain) == 0 &&
                   g_pattern_match_simple (announcement->pattern, message);
    if (is_announced)
      announcement->seen += times;
  }
  pthread_mutex_unlock (&announcements_lock);
  return is_announced;
}

/*
 * GLib's handler would tell the harness of a fatal warning; and it asks the C
 * library for local time, in a static buffer, from any thread.
 */
static void
on_message (const char *domain, GLogLevelFlags level, const char *message,
    void *user_data)
{
  gboolean is_fatal = (level & G_LOG_FLAG_FATAL) != 0;
  gboolean is_announced = is_fatal && look_up (domain, message, 1);
  if (is_fatal && !is_announced) {
    default_handler (domain, level, message, user_data);
    return;
  }
  g_autofree char *line = g_strdup_printf ("# %s%s: %s\n",
      is_announced ? "announced: " : "", domain != NULL ? domain : "", message);
  ssize_t ignored = write (STDERR_FILENO, line, strlen (line));
  (void)ignored;
}

/* GLib asks before a warning ends the program. Returns: TRUE when it
 * should. */
static gboolean
on_fatal_message (const char *domain, GLogLevelFlags level, const char *message,
    void *user_data)
{
  return !look_up (domain, message, 0);
}

static void
free_announcement (void *data)
{
  Announcement *announcement = data;
  g_free (announcement->domain);
  g_free (announcement->pattern);
  g_free (announcement);
}

static void
announce (const char *domain, const char *pattern, gboolean is_required)
{
  Announcement *announcement = g_new0 (Announcement, 1);
  announcement->domain = g_strdup (domain);
  announcement->pattern = g_strdup (pattern);
  announcement->is_required = is_required;
  pthread_mutex_lock (&announcements_lock);
  g_ptr_array_add (announcements, announcement);
  pthread_mutex_unlock (&announcements_lock);
}

void
vigil_fixture_expect_warning (const char *domain, const char *pattern)
{
  announce (domain, pattern, TRUE);
}

void
vigil_fixture_allow_warning (const char *domain, const char *pattern)
{
  announce (domain, pattern, FALSE);
}

unsigned
vigil_fixture_count_warnings (const char *pattern)
{
  unsigned seen = 0;
  pthread_mutex_lock (&announcements_lock);
  for (unsigned i = 0; i < announcements->len; i++) {
    const Announcement *announcement = announcements->pdata[i];
    if (strcmp (announcement->pattern, pattern) == 0)
      seen += announcement->seen;
  }
  pthread_mutex_unlock (&announcements_lock);
  return seen;
}

static void
check_announcements (void)
{
  pthread_mutex_lock (&announcements_lock);
  for (unsigned i = 0; i < announcements->len; i++) {
    const Announcement *announcement = announcements->pdata[i];
    if (announcement->is_required && announcement->seen == 0) {
      g_printerr ("expected warning has not come: %s: %s\n",
          announcement->domain, announcement->pattern);
      g_test_fail ();
    }
  }
  g_ptr_array_set_size (announcements, 0);
  pthread_mutex_unlock (&announcements_lock);
}

static void
remove_tree (const char *path)
{
  GDir *folder = NULL;
  if (!g_file_test (path, G_FILE_TEST_IS_SYMLINK))
    folder = g_dir_open (path, 0, NULL);
  if (folder != NULL) {
    const char *name;
    while ((name = g_dir_read_name (folder)) != NULL) {
      g_autofree char *below = g_build_filename (path, name, NULL);
      remove_tree (below);
    }
    g_dir_close (folder);
  }
  g_remove (path);
}

/* A test that a subprocess runs may end it by exit, amid everything. */
static void
remove_left_folder (void)
{
  if (left_folder != NULL && getpid () == left_folder_owner)
    remove_tree (left_folder);
}

void
vigil_fixture_init (int *argc, char ***argv, unsigned seconds)
{
  g_test_init (argc, argv, G_TEST_OPTION_ISOLATE_DIRS, NULL);
  watchdog_seconds = seconds != 0 ? seconds : WATCHDOG_SECONDS;
  announcements = g_ptr_array_new_with_free_func (free_announcement);
  default_handler = g_log_set_default_handler (on_message, NULL);
  signal (SIGPIPE, SIG_IGN);
  signal (SIGALRM, on_alarm);
  atexit (remove_left_folder);
}

void
vigil_fixture_go_first (void)
{
  const struct sched_param least = {
      .sched_priority = sched_get_priority_min (SCHED_RR)};
  (void)sched_setscheduler (0, SCHED_RR, &least);
}

/* ---- The folder -------------------------------------------------------- */

void
vigil_fixture_set_up (VigilFixture *self, gconstpointer data)
{
  start_watchdog ();
  /* GLib forgets it after each test. */
  g_test_log_set_fatal_handler (on_fatal_message, NULL);
  g_autoptr (GError) error = NULL;
  self->folder = g_dir_make_tmp ("vigil-test-XXXXXX", &error);
  g_assert_no_error (error);
  left_folder = self->folder;
  left_folder_owner = getpid ();
}

void
vigil_fixture_tear_down (VigilFixture *self, gconstpointer data)
{
  check_announcements ();
  left_folder = NULL;
  remove_tree (self->folder);
  g_clear_pointer (&self->folder, g_free);
  alarm (0);
}

char *
vigil_fixture_write (VigilFixture *self, const char *name, const char *text)
{
  char *path = g_build_filename (self->folder, name, NULL);
  g_autoptr (GError) error = NULL;
  g_file_set_contents (path, text, -1, &error);
  g_assert_no_error (error);
  return path;
}

/* ---- Addresses --------------------------------------------------------- */

static char address[INET_ADDRSTRLEN];
static pthread_once_t address_once = PTHREAD_ONCE_INIT;

static void
make_address (void)
{
  /* A process id has at most 22 bits: each gets an address of its own in
   * 127.64.0.0/10. */
  unsigned id = (unsigned)getpid ();
  g_snprintf (address, sizeof address, "127.%u.%u.%u", 64 + (id >> 16 & 63),
      id >> 8 & 255, id & 255);
}

const char *
vigil_fixture_get_address (void)
{
  pthread_once (&address_once, make_address);
  return address;
}

/* Ports that were found free: the kernel, asked again, may give the same one
 * while its finder does not listen there yet. */
static pthread_mutex_t found_lock = PTHREAD_MUTEX_INITIALIZER;
static gboolean found_ports[UINT16_MAX + 1];

static gboolean
is_found (uint16_t port)
{
  pthread_mutex_lock (&found_lock);
  gboolean is_found = found_ports[port];
  pthread_mutex_unlock (&found_lock);
  return is_found;
}

static int
bind_port (uint16_t *port)
{
  struct sockaddr_in name = {
      .sin_family = AF_INET,
      .sin_port = htons (*port),
  };
  socklen_t length = sizeof name;
  inet_pton (AF_INET, vigil_fixture_get_address (), &name.sin_addr);
  int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  g_assert_cmpint (fd, >=, 0);
  int on = 1;
  setsockopt (fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind (fd, (struct sockaddr *)&name, sizeof name) != 0)
    g_error ("cannot bind %s:%u: %s", vigil_fixture_get_address (), *port,
        g_strerror (errno));
  getsockname (fd, (struct sockaddr *)&name, &length);
  *port = ntohs (name.sin_port);
  return fd;
}

static int
listen_at (uint16_t *port)
{
  int fd = bind_port (port);
  if (listen (fd, SOMAXCONN) != 0)
    g_error ("cannot listen on %s:%u: %s", vigil_fixture_get_address (), *port,
        g_strerror (errno));
  return fd;
}

int
vigil_fixture_listen (uint16_t *port)
{
  uint16_t wanted = *port;
  int fd = listen_at (port);
  while (wanted == 0 && is_found (*port)) {
    close (fd);
    *port = 0;
    fd = listen_at (port);
  }
  return fd;
}

/* It does not listen there: a program that another thread starts meanwhile
 * would have the socket too, and hold the port, until it is well begun. */
uint16_t
vigil_fixture_find_port (void)
{
  uint16_t port;
  pthread_mutex_lock (&found_lock);
  do {
    port = 0;
    close (bind_port (&port));
  } while (found_ports[port]);
  found_ports[port] = TRUE;
  pthread_mutex_unlock (&found_lock);
  return port;
}

/* ---- Waiting ----------------------------------------------------------- */

int64_t
vigil_fixture_deadline (unsigned milliseconds)
{
  return g_get_monotonic_time () + (int64_t)milliseconds * 1000;
}

void
vigil_event_init (VigilEvent *self)
{
  *self = (VigilEvent){0};
  pthread_mutex_init (&self->lock, NULL);
  pthread_condattr_t attributes;
  pthread_condattr_init (&attributes);
  pthread_condattr_setclock (&attributes, CLOCK_MONOTONIC);
  pthread_cond_init (&self->changed, &attributes);
  pthread_condattr_destroy (&attributes);
}

void
vigil_event_clear (VigilEvent *self)
{
  pthread_cond_destroy (&self->changed);
  pthread_mutex_destroy (&self->lock);
}

void
vigil_event_raise (VigilEvent *self)
{
  pthread_mutex_lock (&self->lock);
  self->count++;
  pthread_cond_broadcast (&self->changed);
  pthread_mutex_unlock (&self->lock);
}

unsigned
vigil_event_get_count (VigilEvent *self)
{
  pthread_mutex_lock (&self->lock);
  unsigned count = self->count;
  pthread_mutex_unlock (&self->lock);
  return count;
}

gboolean
vigil_event_wait (VigilEvent *self, unsigned count, unsigned milliseconds)
{
  int64_t deadline_us = vigil_fixture_deadline (milliseconds);
  struct timespec deadline = {
      .tv_sec = (time_t)(deadline_us / G_USEC_PER_SEC),
      .tv_nsec = (long)(deadline_us % G_USEC_PER_SEC) * 1000,
  };
  pthread_mutex_lock (&self->lock);
  while (self->count < count &&
         pthread_cond_timedwait (&self->changed, &self->lock, &deadline) == 0)
    ;
  gboolean is_reached = self->count >= count;
  pthread_mutex_unlock (&self->lock);
  return is_reached;
}

gboolean
vigil_fixture_wait_fd (int fd, short events, unsigned milliseconds)
{
  int64_t deadline_us = vigil_fixture_deadline (milliseconds);
  struct pollfd entry = {.fd = fd, .events = events};
  for (;;) {
    /* MAX would look at the clock twice, and poll waits for ever when time
     * has run out at the second look. */
    int64_t left_us = deadline_us - g_get_monotonic_time ();
    left_us = MAX (left_us, 0);
    int count = poll (&entry, 1, (int)(left_us / 1000));
    if (count > 0)
      return TRUE;
    if (count == 0 && left_us < 1000)
      return FALSE;
    if (count < 0)
      g_assert_cmpint (errno, ==, EINTR);
  }
}

gboolean
vigil_fixture_wait_until (
    gboolean (*is_so) (void *data), void *data, unsigned milliseconds)
{
  int64_t deadline_us = vigil_fixture_deadline (milliseconds);
  while (!is_so (data)) {
    if (g_get_monotonic_time () >= deadline_us)
      return is_so (data);
    poll (NULL, 0, LOOK_AGAIN_MS);
  }
  return TRUE;
}
