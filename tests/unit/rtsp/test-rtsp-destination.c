/* SPDX-License-Identifier: Apache-2.0 */
/* What the destination takes, refuses and counts; that it keeps what every
 * destination promises is the conformance suite's. */
#include "rtsp/rtsp-destination.h"

#include "common/fixture.h"
#include "common/viewer.h"
#include <string.h>

#define LIMIT_MS 15000

typedef struct {
  VigilFixture parent;
  VigilRtspSettings settings;
  VigilRtspServer *server;
  VigilDestination *destination;
} Fixture;

static void
set_up (Fixture *self, gconstpointer data)
{
  vigil_fixture_set_up (&self->parent, data);
  self->settings = (VigilRtspSettings){
      .is_enabled = TRUE,
      .address = (char *)vigil_fixture_get_address (),
      .is_loopback = TRUE,
      .viewers_max = 8,
  };
  self->server = vigil_rtsp_server_new (&self->settings);
}

static void
tear_down (Fixture *self, gconstpointer data)
{
  vigil_destination_free (self->destination);
  vigil_rtsp_server_free (self->server);
  vigil_fixture_tear_down (&self->parent, data);
}

static void
make (Fixture *self, const char *text, VigilRtspServer *server, GError **error)
{
  const VigilDestinationContext context = {
      .user_data = server, .instance_id = "id", .is_live = TRUE};
  g_autoptr (VigilJson) settings = vigil_json_parse (text, -1, 65536, 16, NULL);

  g_clear_pointer (&self->destination, vigil_destination_free);
  self->destination = vigil_destination_new (
      &vigil_rtsp_destination_ops, NULL, settings, &context, error);
}

static void
start (Fixture *self)
{
  g_autoptr (GError) error = NULL;

  make (self, "{\"type\":\"rtsp\",\"path\":\"cam\"}", self->server, &error);
  g_assert_no_error (error);
  g_assert_true (vigil_destination_start (self->destination, &error));
}

/* ---- Settings
 * ------------------------------------------------------------------ */

typedef struct {
  const char *settings;
  const char *problem; /* path and the beginning of its text; NULL: none */
} Row;

static const Row rows[] = {
    {"{\"type\":\"rtsp\",\"path\":\"pallet_defect_detection\"}", NULL},
    {"{\"path\":\"a/b-c_d/9\",\"cache-length\":1,\"encode-quality\":0,"
     "\"overlay\":true,\"sync-with-source\":true,"
     "\"sync-with-destination\":false}",
        NULL},
    {"{}", "f.path: missing"},
    {"{\"path\":\"a\"}", "f.path: 'a': want letters"},
    {"{\"path\":\"/ab\"}", "f.path: '/ab': want letters"},
    {"{\"path\":\"ab/\"}", "f.path: 'ab/': want letters"},
    {"{\"path\":\"a b\"}", "f.path: 'a b': want letters"},
    {"{\"path\":\"a..b\"}", "f.path: 'a..b': want letters"},
    {"{\"path\":\"a?b=c\"}", "f.path: 'a?b=c': want letters"},
    {"{\"path\":7}", "f.path: want a string"},
    {"{\"path\":\"ab\",\"cache-length\":0}", "f.cache-length: "},
    {"{\"path\":\"ab\",\"encode-quality\":101}", "f.encode-quality: "},
    {"{\"path\":\"ab\",\"overlay\":\"yes\"}", "f.overlay: "},
    {"{\"path\":\"ab\",\"bitrate\":5}", "f.bitrate: "},
};

static void
test_settings (Fixture *self, gconstpointer data)
{
  const Row *row = data;
  const VigilDestinationContext context = {0};
  g_autoptr (VigilProblems) problems = vigil_problems_new ();
  g_autoptr (VigilJson) settings =
      vigil_json_parse (row->settings, -1, 65536, 16, NULL);

  vigil_destination_check (
      &vigil_rtsp_destination_ops, settings, "f", &context, problems);
  g_assert_cmpuint (
      vigil_problems_get_size (problems), ==, row->problem == NULL ? 0 : 1);
  if (row->problem != NULL) {
    const VigilProblem *problem = vigil_problems_get (problems, 0);
    g_autofree char *line =
        g_strdup_printf ("%s: %s", problem->path, problem->text);

    g_assert_true (g_str_has_prefix (line, row->problem));
  }
}

static void
test_no_server (Fixture *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  make (self, "{\"path\":\"cam\"}", NULL, &error);
  g_assert_nonnull (error);
  g_assert_null (self->destination);
}

/* Refused when it is made, and free again when the other one is stopped. */
static void
test_path_in_use (Fixture *self, gconstpointer data)
{
  VigilDestination *first;
  g_autoptr (GError) error = NULL;

  start (self);
  first = g_steal_pointer (&self->destination);
  make (self, "{\"path\":\"cam\"}", self->server, &error);
  g_assert_nonnull (error);
  g_assert_null (self->destination);
  vigil_destination_stop (first, vigil_fixture_deadline (1000));
  g_clear_error (&error);
  make (self, "{\"path\":\"cam\"}", self->server, &error);
  g_assert_no_error (error);
  vigil_destination_free (first);
  /* The end of the first did not take the path from the second. */
  {
    VigilDestination *second = g_steal_pointer (&self->destination);

    make (self, "{\"path\":\"cam\"}", self->server, &error);
    g_assert_nonnull (error);
    vigil_destination_free (second);
  }
}

/* ---- Frames
 * -------------------------------------------------------------------- */

static void
send_frame (Fixture *self, GBytes *frame, const char *type)
{
  g_autoptr (VigilMessage) message =
      vigil_message_new (g_bytes_new_static ("{}", 2),
          frame != NULL ? g_bytes_ref (frame) : NULL, TRUE, type, 1);

  vigil_destination_send (self->destination, message, 0);
}

static uint64_t
get_dropped (Fixture *self, const char *reason)
{
  VigilDestinationStatus status;

  vigil_destination_get_status (self->destination, &status);
  for (unsigned i = 0; i < status.dropped_size; i++)
    if (strcmp (status.dropped[i].reason, reason) == 0)
      return status.dropped[i].count;
  g_assert_not_reached ();
}

static void
test_unusable (Fixture *self, gconstpointer data)
{
  g_autoptr (GBytes) gray = test_viewer_make_frame (
      "video/x-raw,format=GRAY8,width=64,height=48 ! jpegenc");
  VigilDestinationStatus status;

  vigil_fixture_expect_warning (
      "vigil-rtsp", "id/rtsp: viewers do not see the frames: RTSP carries *");
  vigil_fixture_expect_warning (
      "vigil-rtsp", "id/rtsp: viewers do not see the frames: image/png: *");
  vigil_fixture_expect_warning ("vigil-rtsp", "*could not be encoded");
  start (self);
  for (int i = 0; i < 100; i++)
    send_frame (self, gray, "image/jpeg");
  for (int i = 0; i < 100; i++)
    send_frame (self, gray, "image/png");
  send_frame (self, NULL, "image/jpeg");
  g_assert_cmpuint (get_dropped (self, "unusable"), ==, 201);
  /* Once, not for each frame. */
  g_assert_cmpuint (vigil_fixture_count_warnings (
                        "id/rtsp: viewers do not see the frames: RTSP "
                        "carries *"),
      ==, 1);
  vigil_destination_get_status (self->destination, &status);
  g_assert_nonnull (strstr (status.last_error, "could not be encoded"));
}

static gboolean
is_accepting (gpointer data)
{
  return vigil_destination_is_accepting (data);
}

/* A viewer is counted a moment after he sees the first frames. */
static gboolean
has_viewer (gpointer data)
{
  VigilDestinationStatus status;

  vigil_destination_get_status (data, &status);
  return status.connects > 0;
}

/* No frame is wanted before a viewer comes, and the bytes are his own. */
static void
test_watch (Fixture *self, gconstpointer data)
{
  g_autoptr (GBytes) jpeg = test_viewer_make_jpeg ();
  gsize size = g_bytes_get_size (jpeg);
  g_autofree void *lent = g_malloc (size);
  g_autoptr (GBytes) borrowed = g_bytes_new_static (lent, size);
  g_autoptr (GBytes) seen = NULL;
  VigilDestinationStatus status;
  TestViewer *viewer;

  start (self);
  g_assert_false (vigil_destination_is_accepting (self->destination));
  vigil_destination_skip (self->destination);
  g_assert_cmpuint (get_dropped (self, "no_viewer"), ==, 1);
  viewer = test_viewer_new (self->settings.address,
      vigil_rtsp_server_get_port (self->server), "cam", "tcp");
  g_assert_true (
      vigil_fixture_wait_until (is_accepting, self->destination, LIMIT_MS));
  /* A client believes in a source after its second packet, and none comes
   * before it plays. */
  for (int i = 0; i < LIMIT_MS / 20 && !test_viewer_wait (viewer, 1, 20); i++) {
    memcpy (lent, g_bytes_get_data (jpeg, NULL), size);
    send_frame (self, borrowed, "image/jpeg");
    memset (lent, 0, size);
  }
  g_assert_cmpuint (test_viewer_count (viewer), >, 0);
  seen = test_viewer_dup_frame (viewer, 0);
  g_assert_cmpmem (g_bytes_get_data (seen, NULL), g_bytes_get_size (seen),
      g_bytes_get_data (jpeg, NULL), size);
  g_assert_true (
      vigil_fixture_wait_until (has_viewer, self->destination, LIMIT_MS));
  vigil_destination_get_status (self->destination, &status);
  g_assert_cmpstr (status.state, ==, "streaming");
  g_assert_cmpuint (status.published, >=, 1);
  g_assert_cmpuint (status.connects, ==, 1);
  vigil_destination_stop (self->destination, vigil_fixture_deadline (2000));
  g_assert_true (test_viewer_wait_end (viewer, LIMIT_MS));
  test_viewer_free (viewer);
  vigil_destination_skip (self->destination);
  g_assert_cmpuint (get_dropped (self, "stopped"), ==, 1);
}

static void
add (const char *path, gconstpointer data,
    void (*function) (Fixture *self, gconstpointer data))
{
  g_test_add (path, Fixture, data, set_up, function, tear_down);
}

int
main (int argc, char **argv)
{
  vigil_fixture_init (&argc, &argv, 60);
  for (size_t i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *path = g_strdup_printf ("/rtsp-destination/row/%zu", i);

    add (path, &rows[i], test_settings);
  }
  add ("/rtsp-destination/no-server", NULL, test_no_server);
  add ("/rtsp-destination/path-in-use", NULL, test_path_in_use);
  add ("/rtsp-destination/unusable", NULL, test_unusable);
  add ("/rtsp-destination/watch", NULL, test_watch);
  return g_test_run ();
}
