/* SPDX-License-Identifier: Apache-2.0 */
#include "common/eis-reader.h"

#include "base/json.h"
#include <string.h>
#include <zmq.h>

enum { JOIN_US = 20 * 1000 * 1000 };

struct _TestEisReader {
  void *context;
  void *socket;
};

static void
set_integer (void *socket, int option, int value)
{
  g_assert_cmpint (
      zmq_setsockopt (socket, option, &value, sizeof (value)), ==, 0);
}

static void
set_key (void *socket, int option, const char *key)
{
  g_assert_cmpint (zmq_setsockopt (socket, option, key, 40), ==, 0);
}

TestEisReader *
test_eis_reader_new (const char *endpoint, const TestEisReaderOptions *options)
{
  static const TestEisReaderOptions defaults = {0};
  TestEisReader *self = g_new0 (TestEisReader, 1);
  const char *prefix;

  if (options == NULL)
    options = &defaults;
  prefix = options->topic_prefix != NULL ? options->topic_prefix : "";
  self->context = zmq_ctx_new ();
  self->socket = zmq_socket (self->context, ZMQ_SUB);
  set_integer (self->socket, ZMQ_LINGER, 0);
  /* Publishers wait 250 ms for those who ask every 100 ms, libzmq's default;
   * who asks more often comes in time on a busy machine too. */
  set_integer (self->socket, ZMQ_RECONNECT_IVL, 5);
  if (options->receive_mark > 0)
    set_integer (self->socket, ZMQ_RCVHWM, options->receive_mark);
  if (options->receive_buffer > 0)
    set_integer (self->socket, ZMQ_RCVBUF, options->receive_buffer);
  if (options->server_key != NULL) {
    set_key (self->socket, ZMQ_CURVE_SERVERKEY, options->server_key);
    set_key (self->socket, ZMQ_CURVE_PUBLICKEY, options->public_key);
    set_key (self->socket, ZMQ_CURVE_SECRETKEY, options->secret_key);
  }
  g_assert_cmpint (
      zmq_setsockopt (self->socket, ZMQ_SUBSCRIBE, prefix, strlen (prefix)), ==,
      0);
  g_assert_cmpint (zmq_connect (self->socket, endpoint), ==, 0);
  return self;
}

void
test_eis_reader_free (TestEisReader *self)
{
  zmq_close (self->socket);
  zmq_ctx_term (self->context);
  g_free (self);
}

static gboolean
wait_for_message (TestEisReader *self, unsigned milliseconds)
{
  zmq_pollitem_t item = {.socket = self->socket, .events = ZMQ_POLLIN};

  return zmq_poll (&item, 1, (long)milliseconds) == 1;
}

GPtrArray *
test_eis_reader_read_frames (TestEisReader *self, unsigned milliseconds)
{
  g_autoptr (GPtrArray) frames = NULL;
  int more = 1;

  if (!wait_for_message (self, milliseconds))
    return NULL;
  frames = g_ptr_array_new_with_free_func ((GDestroyNotify)g_bytes_unref);
  while (more != 0) {
    zmq_msg_t part;

    zmq_msg_init (&part);
    g_assert_cmpint (zmq_msg_recv (&part, self->socket, 0), >=, 0);
    g_ptr_array_add (
        frames, g_bytes_new (zmq_msg_data (&part), zmq_msg_size (&part)));
    more = zmq_msg_more (&part);
    zmq_msg_close (&part);
  }
  return g_steal_pointer (&frames);
}

static const uint8_t *
get_frame (const GPtrArray *frames, unsigned index, size_t *ret_size)
{
  g_assert_cmpuint (index, <, frames->len);
  return g_bytes_get_data (frames->pdata[index], ret_size);
}

static char *
read_topic (const GPtrArray *frames)
{
  size_t size;
  const uint8_t *topic = get_frame (frames, 0, &size);

  g_assert_cmpuint (size, >=, 1);
  g_assert_cmpuint (strnlen ((const char *)topic, size), ==, size - 1);
  return g_strdup ((const char *)topic);
}

static char *
read_json (const GPtrArray *frames)
{
  size_t size;
  const char *text = (const char *)get_frame (frames, 3, &size);
  g_autoptr (GError) error = NULL;
  g_autoptr (VigilJson) json =
      vigil_json_parse (text, (gssize)size, 64 << 20, 999, &error);

  g_assert_no_error (error);
  g_assert_cmpint (vigil_json_get_type (json), ==, VIGIL_JSON_OBJECT);
  g_assert_cmpuint (strnlen (text, size), ==, size);
  return g_strndup (text, size);
}

TestEisMessage *
test_eis_reader_read (TestEisReader *self, unsigned milliseconds)
{
  g_autoptr (GPtrArray) frames =
      test_eis_reader_read_frames (self, milliseconds);
  g_autoptr (TestEisMessage) message = NULL;
  const uint8_t *header;
  size_t size;

  if (frames == NULL)
    return NULL;
  message = g_new0 (TestEisMessage, 1);
  message->topic = read_topic (frames);
  header = get_frame (frames, 1, &size);
  g_assert_cmpmem (header, size, "\0", 1);
  header = get_frame (frames, 2, &size);
  g_assert_cmpuint (size, ==, 1);
  g_assert_cmpuint (header[0], ==, frames->len - 3);
  message->json = read_json (frames);
  g_assert_cmpuint (frames->len, <=, 5);
  if (frames->len == 5) {
    message->blob = g_bytes_ref (frames->pdata[4]);
    g_assert_cmpuint (g_bytes_get_size (message->blob), >, 0);
  }
  return g_steal_pointer (&message);
}

void
test_eis_reader_join (TestEisReader *self,
    void (*send) (const char *json, void *data), void *data)
{
  static unsigned sent; /* by all readers: none takes another's for its own */
  const int64_t end_us = g_get_monotonic_time () + JOIN_US;
  unsigned patience_ms = 20;
  gboolean is_last = FALSE;

  while (!is_last) {
    g_autofree char *wanted = g_strdup_printf ("{\"sync\":%u}", sent++);
    g_autoptr (TestEisMessage) message = NULL;

    g_assert_cmpint (g_get_monotonic_time (), <, end_us);
    send (wanted, data);
    while ((message = test_eis_reader_read (self, patience_ms)) != NULL) {
      is_last = strcmp (message->json, wanted) == 0;
      if (is_last)
        break;
      /* it has joined, so the last is on its way too, unless the queue for
       * this reader was full */
      patience_ms = 1000;
      g_clear_pointer (&message, test_eis_message_free);
    }
  }
}

void
test_eis_message_free (TestEisMessage *self)
{
  if (self == NULL)
    return;
  g_free (self->topic);
  g_free (self->json);
  g_clear_pointer (&self->blob, g_bytes_unref);
  g_free (self);
}
