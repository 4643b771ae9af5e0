/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/message.h"

#include "common/fixture.h"

static unsigned freed;

static void
on_freed (void *data)
{
  freed++;
}

static GBytes *
new_bytes (void)
{
  return g_bytes_new_with_free_func ("x", 1, on_freed, NULL);
}

static void
test_lives_until_the_last_reference (void)
{
  VigilMessage *message =
      vigil_message_new (new_bytes (), new_bytes (), TRUE, "image/jpeg", 7);

  freed = 0;
  g_assert_cmpuint (message->frame_id, ==, 7);
  g_assert_cmpstr (message->content_type, ==, "image/jpeg");
  g_assert_true (message->frame_is_borrowed);
  g_assert_true (vigil_message_ref (message) == message);
  vigil_message_unref (message);
  g_assert_cmpuint (freed, ==, 0);
  vigil_message_unref (message);
  g_assert_cmpuint (freed, ==, 2);
  vigil_message_unref (NULL);
}

static void
test_without_a_frame (void)
{
  VigilMessage *message =
      vigil_message_new (new_bytes (), NULL, FALSE, NULL, 0);

  freed = 0;
  vigil_message_unref (message);
  g_assert_cmpuint (freed, ==, 1);
}

int
main (int argc, char **argv)
{
  vigil_fixture_init (&argc, &argv, 0);
  g_test_add_func ("/message/lives-until-the-last-reference",
      test_lives_until_the_last_reference);
  g_test_add_func ("/message/without-a-frame", test_without_a_frame);
  return g_test_run ();
}
