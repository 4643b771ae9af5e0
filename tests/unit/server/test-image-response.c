/* SPDX-License-Identifier: Apache-2.0 */
/* One caller waits for the message of one image. */
#include "common/fixture.h"

#include "server/image-response.h"
#include <string.h>

#define OPS (&vigil_image_response_ops)

static void
send_pts (VigilImageResponse *response, int64_t pts_ns)
{
  g_autofree char *text =
      g_strdup_printf ("{\"pts\":%" G_GINT64_FORMAT "}", (gint64)pts_ns);
  size_t size = strlen (text);
  g_autoptr (VigilMessage) message =
      vigil_message_new (g_bytes_new_take (g_steal_pointer (&text), size),
          g_bytes_new_static ("abc", 3), FALSE, "image/jpeg", 0);

  message->pts = pts_ns;
  OPS->send (response, message, 0);
}

static void
test_the_expected_one (void)
{
  g_autoptr (VigilImageResponse) response = vigil_image_response_new ();
  g_autofree char *text = NULL;
  VigilDestinationStatus status;

  g_assert_false (OPS->is_accepting (response));
  send_pts (response, 6);
  vigil_image_response_expect (response, 7);
  g_assert_true (OPS->is_accepting (response));
  send_pts (response, 6);
  send_pts (response, 7);
  send_pts (response, 8);
  text =
      vigil_image_response_wait (response, TRUE, vigil_fixture_deadline (5000));
  g_assert_cmpstr (text, ==, "{\"metadata\":{\"pts\":7},\"blob\":\"YWJj\"}");
  g_assert_false (OPS->is_accepting (response));
  OPS->skip (response);
  OPS->get_status (response, &status);
  g_assert_cmpuint (status.offered, ==, 5);
  g_assert_cmpuint (status.published, ==, 1);
  g_assert_cmpuint (status.dropped[0].count, ==, 4);
}

static void
test_without_frame (void)
{
  g_autoptr (VigilImageResponse) response = vigil_image_response_new ();
  g_autofree char *text = NULL;

  vigil_image_response_expect (response, 7);
  send_pts (response, 7);
  text = vigil_image_response_wait (
      response, FALSE, vigil_fixture_deadline (5000));
  g_assert_cmpstr (text, ==, "{\"metadata\":{\"pts\":7},\"blob\":\"\"}");
}

static void
test_deadline (void)
{
  g_autoptr (VigilImageResponse) response = vigil_image_response_new ();

  vigil_image_response_expect (response, 7);
  g_assert_null (
      vigil_image_response_wait (response, FALSE, vigil_fixture_deadline (10)));
  /* What comes too late is nobody's. */
  send_pts (response, 7);
  vigil_image_response_expect (response, 8);
  g_assert_null (
      vigil_image_response_wait (response, FALSE, vigil_fixture_deadline (10)));
}

static gpointer
stop (gpointer data)
{
  OPS->stop (data, 0);
  return NULL;
}

static void
test_end_of_the_instance (void)
{
  g_autoptr (VigilImageResponse) response = vigil_image_response_new ();
  GThread *thread;

  vigil_image_response_expect (response, 7);
  thread = g_thread_new ("stop", stop, response);
  g_assert_null (vigil_image_response_wait (
      response, FALSE, vigil_fixture_deadline (10000)));
  g_thread_join (thread);
}

int
main (int argc, char **argv)
{
  vigil_fixture_init (&argc, &argv, 0);
  g_test_add_func ("/image-response/the-expected-one", test_the_expected_one);
  g_test_add_func ("/image-response/without-frame", test_without_frame);
  g_test_add_func ("/image-response/deadline", test_deadline);
  g_test_add_func (
      "/image-response/end-of-the-instance", test_end_of_the_instance);
  return g_test_run ();
}
