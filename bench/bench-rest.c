/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a status request costs the server, beside a pipeline that runs: CPU
 * time of the process without the client's. And how long a start takes.
 */
#include "common/test-server.h"
#include "rest/rest-server.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CLIENTS = 8, ANSWER_BYTES_MAX = 65536 };

static double
get_time_us (clockid_t clock)
{
  struct timespec now;

  clock_gettime (clock, &now);
  return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static int
connect_to (uint16_t port)
{
  const struct sockaddr_in address = {.sin_family = AF_INET,
      .sin_port = htons (port),
      .sin_addr.s_addr = htonl (INADDR_LOOPBACK)};
  int client = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

  if (connect (client, (const struct sockaddr *)&address, sizeof address) != 0)
    abort ();
  return client;
}

/* Reads one answer whole. */
static void
read_answer (int client)
{
  char answer[ANSWER_BYTES_MAX + 1];
  size_t size = 0;
  const char *body = NULL;
  size_t body_size = 0;

  do {
    ssize_t got = read (client, answer + size, ANSWER_BYTES_MAX - size);

    if (got <= 0)
      abort ();
    size += (size_t)got;
    answer[size] = '\0';
    if (body == NULL && (body = strstr (answer, "\r\n\r\n")) != NULL) {
      const char *length = strstr (answer, "Content-Length: ");

      body += strlen ("\r\n\r\n");
      body_size = strtoul (length + strlen ("Content-Length: "), NULL, 10);
    }
  } while (body == NULL || size < (size_t)(body - answer) + body_size);
  if (strncmp (answer, "HTTP/1.1 200", strlen ("HTTP/1.1 200")) != 0)
    abort ();
}

static void
ask (int client, const char *request)
{
  if (write (client, request, strlen (request)) != (ssize_t)strlen (request))
    abort ();
}

static void
measure_status (VigilInstance *instance, uint16_t port, int rounds)
{
  int clients[CLIENTS];
  g_autofree char *request = g_strdup_printf (
      "GET /pipelines/%s/status HTTP/1.1\r\nHost: localhost\r\n\r\n",
      vigil_instance_get_id (instance));
  double process_us;
  double client_us;
  double cost_us;

  for (int i = 0; i < CLIENTS; i++)
    clients[i] = connect_to (port);
  process_us = get_time_us (CLOCK_PROCESS_CPUTIME_ID);
  client_us = get_time_us (CLOCK_THREAD_CPUTIME_ID);
  for (int round = 0; round < rounds; round++) {
    for (int i = 0; i < CLIENTS; i++)
      ask (clients[i], request);
    for (int i = 0; i < CLIENTS; i++)
      read_answer (clients[i]);
  }
  process_us = get_time_us (CLOCK_PROCESS_CPUTIME_ID) - process_us;
  client_us = get_time_us (CLOCK_THREAD_CPUTIME_ID) - client_us;
  cost_us = (process_us - client_us) / rounds / CLIENTS;
  printf ("rest: status request, us of CPU (50 or less: 20,000 a second on "
          "one core)\t%.1f\t-\t-\n",
      cost_us);
  for (int i = 0; i < CLIENTS; i++)
    close (clients[i]);
}

static void
measure_start (uint16_t port, int rounds)
{
  static const char request[] =
      "POST /pipelines/user_defined_pipelines/a HTTP/1.1\r\n"
      "Host: localhost\r\nContent-Type: application/json\r\n"
      "Content-Length: 2\r\n\r\n{}";
  int client = connect_to (port);
  double worst_us = 0;

  for (int round = 0; round < rounds; round++) {
    double start_us = get_time_us (CLOCK_MONOTONIC);

    ask (client, request);
    read_answer (client);
    worst_us = MAX (worst_us, get_time_us (CLOCK_MONOTONIC) - start_us);
  }
  printf ("rest: start answered, ms, the slowest of %d (50 or less)\t%.1f\t-"
          "\t-\n",
      rounds, worst_us / 1000);
  close (client);
}

static void
ignore_line (const char *domain, GLogLevelFlags level, const char *text,
    gpointer user_data)
{
}

int
main (int argc, char **argv)
{
  gboolean is_smoke = argc > 1 && strcmp (argv[1], "--smoke") == 0;
  g_auto (VigilInstanceStatus) status = {0};
  g_autoptr (VigilRestSettings) settings = NULL;
  g_autoptr (VigilRestServer) rest = NULL;
  g_autoptr (VigilInstance) instance = NULL;
  TestServer server;

  g_log_set_handler ("vigil-server", G_LOG_LEVEL_MESSAGE, ignore_line, NULL);
  g_setenv ("REST_SERVER_PORT", "0", TRUE);
  test_server_init (
      &server, TEST_SERVER_ENTRY ("a", TEST_SERVER_ENDLESS, ""), NULL);
  settings = vigil_rest_settings_new (
      server.config, server.environment, server.problems);
  rest = vigil_rest_server_new (settings, server.manager, NULL);
  if (rest == NULL)
    abort ();
  instance = test_server_start (&server, "a", NULL);
  test_server_wait_state (instance, VIGIL_PIPELINE_RUNNING);
  measure_status (
      instance, vigil_rest_server_get_port (rest), is_smoke ? 10 : 20000);
  vigil_instance_get_status (instance, &status);
  if (status.publisher.frames_dropped > 0) {
    fprintf (stderr, "the pipeline beside it dropped %lu frames\n",
        (unsigned long)status.publisher.frames_dropped);
    return 1;
  }
  measure_start (vigil_rest_server_get_port (rest), is_smoke ? 2 : 20);
  g_clear_pointer (&instance, vigil_instance_unref);
  test_server_clear (&server);
  return 0;
}
