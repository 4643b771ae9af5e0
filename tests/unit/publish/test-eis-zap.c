/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/eis-zap.h"

#include "common/fixture.h"
#include <string.h>
#include <zmq.h>

/* The handler is asked as libzmq asks it, over its inproc socket. */
typedef struct {
  void *context;
  VigilEisZap *zap;
  void *client; /* REQ */
} Fixture;

static const uint8_t key[32] = "0123456789abcdef0123456789abcde";

static void
set_up (Fixture *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  const int timeout_ms = 15000, linger = 0;

  self->context = zmq_ctx_new ();
  self->zap = vigil_eis_zap_new (self->context, &error);
  g_assert_no_error (error);
  self->client = zmq_socket (self->context, ZMQ_REQ);
  zmq_setsockopt (self->client, ZMQ_RCVTIMEO, &timeout_ms, sizeof (timeout_ms));
  zmq_setsockopt (self->client, ZMQ_LINGER, &linger, sizeof (linger));
  g_assert_cmpint (zmq_connect (self->client, "inproc://zeromq.zap.01"), ==, 0);
}

static void
tear_down (Fixture *self, gconstpointer data)
{
  zmq_close (self->client);
  zmq_ctx_shutdown (self->context);
  vigil_eis_zap_free (self->zap);
  zmq_ctx_term (self->context);
}

/* Returns: the status, as 200. The reply must have the form of RFC 27. */
static int
ask (Fixture *self, const char *domain, const char *mechanism,
    const void *credentials, size_t size)
{
  const struct {
    const void *bytes;
    size_t size;
  } frames[] = {
      {"1.0", 3},
      {"id-7", 4},
      {domain, strlen (domain)},
      {"127.0.0.1", 9},
      {"", 0},
      {mechanism, strlen (mechanism)},
      {credentials, size},
  };
  char reply[6][64] = {""};
  int sizes[6];

  for (unsigned i = 0; i < G_N_ELEMENTS (frames); i++)
    g_assert_cmpint (zmq_send (self->client, frames[i].bytes, frames[i].size,
                         i + 1 < G_N_ELEMENTS (frames) ? ZMQ_SNDMORE : 0),
        >=, 0);
  for (unsigned i = 0; i < G_N_ELEMENTS (reply); i++) {
    int more;
    size_t more_size = sizeof (more);

    sizes[i] = zmq_recv (self->client, reply[i], 63, 0);
    g_assert_cmpint (sizes[i], >=, 0);
    zmq_getsockopt (self->client, ZMQ_RCVMORE, &more, &more_size);
    g_assert_cmpint (more, ==, i + 1 < G_N_ELEMENTS (reply));
  }
  g_assert_cmpstr (reply[0], ==, "1.0");
  g_assert_cmpstr (reply[1], ==, "id-7");
  g_assert_cmpint (sizes[4], ==, 0);
  g_assert_cmpint (sizes[5], ==, 0);
  return (int)g_ascii_strtoll (reply[2], NULL, 10);
}

static void
test_lists (Fixture *self, gconstpointer data)
{
  char z85[41], other[41];
  const char *const listed[] = {other, z85, NULL};
  const char *const not_listed[] = {other, NULL};
  const char *const nobody[] = {NULL};
  static const uint8_t other_key[32] = "x";

  zmq_z85_encode (z85, key, 32);
  zmq_z85_encode (other, other_key, 32);
  vigil_eis_zap_allow (self->zap, "listed", listed);
  vigil_eis_zap_allow (self->zap, "not-listed", not_listed);
  vigil_eis_zap_allow (self->zap, "nobody", nobody);
  vigil_eis_zap_allow (self->zap, "everybody", NULL);
  g_assert_cmpint (ask (self, "listed", "CURVE", key, 32), ==, 200);
  g_assert_cmpint (ask (self, "not-listed", "CURVE", key, 32), ==, 400);
  g_assert_cmpint (ask (self, "nobody", "CURVE", key, 32), ==, 400);
  g_assert_cmpint (ask (self, "everybody", "CURVE", key, 32), ==, 200);
  g_assert_cmpint (ask (self, "never-named", "CURVE", key, 32), ==, 400);
  vigil_eis_zap_allow (self->zap, "listed", not_listed);
  g_assert_cmpint (ask (self, "listed", "CURVE", key, 32), ==, 400);
}

static void
test_other_mechanisms_and_shapes (Fixture *self, gconstpointer data)
{
  const char *const frames[] = {"1.0", "id-7", "everybody"};
  char reply[64];

  vigil_eis_zap_allow (self->zap, "everybody", NULL);
  g_assert_cmpint (ask (self, "everybody", "PLAIN", "user", 4), ==, 400);
  g_assert_cmpint (ask (self, "everybody", "NULL", "", 0), ==, 400);
  g_assert_cmpint (ask (self, "everybody", "CURVE", key, 31), ==, 400);
  /* too few frames are refused, not awaited */
  for (unsigned i = 0; i < 3; i++)
    zmq_send (
        self->client, frames[i], strlen (frames[i]), i < 2 ? ZMQ_SNDMORE : 0);
  g_assert_cmpint (zmq_recv (self->client, reply, 63, 0), ==, 3);
  g_assert_cmpint (zmq_recv (self->client, reply, 63, 0), ==, 4);
  g_assert_cmpint (zmq_recv (self->client, reply, 63, 0), ==, 3);
  g_assert_cmpmem (reply, 3, "400", 3);
  while (zmq_recv (self->client, reply, 63, ZMQ_DONTWAIT) >= 0)
    continue;
  /* and the handler goes on */
  g_assert_cmpint (ask (self, "everybody", "CURVE", key, 32), ==, 200);
}

int
main (int argc, char **argv)
{
  vigil_fixture_init (&argc, &argv, 0);
  g_test_add ("/eis-zap/lists", Fixture, NULL, set_up, test_lists, tear_down);
  g_test_add ("/eis-zap/mechanisms-and-shapes", Fixture, NULL, set_up,
      test_other_mechanisms_and_shapes, tear_down);
  return g_test_run ();
}
