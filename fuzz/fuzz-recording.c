/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file of recorded detections by anybody: read or refused; what is read can
 * be put on a buffer.
 */
#include "gst/recording.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void
check (const GArray *detections)
{
  for (unsigned i = 0; detections != NULL && i < detections->len; i++) {
    const VigilRecordedDetection *detection =
        &g_array_index (detections, VigilRecordedDetection, i);

    g_assert_cmpint (detection->x, >=, 0);
    g_assert_cmpint (detection->y, >=, 0);
    g_assert_cmpint (detection->width, >=, 0);
    g_assert_cmpint (detection->height, >=, 0);
    g_assert_true (detection->result.label == NULL ||
                   g_utf8_validate (detection->result.label, -1, NULL));
  }
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  int fd = memfd_create ("recording", MFD_CLOEXEC);
  g_autofree char *path = g_strdup_printf ("/proc/self/fd/%d", fd);
  g_autoptr (GError) error = NULL;
  g_autoptr (VigilRecording) recording = NULL;

  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (write (fd, data, size), ==, (gssize)size);
  recording = vigil_recording_read (path, &error);
  close (fd);
  g_assert_cmpint (recording == NULL, ==, error != NULL);
  if (recording == NULL)
    return 0;
  for (uint64_t frame = 0; frame < 4; frame++)
    check (vigil_recording_find_frame (recording, frame));
  check (vigil_recording_find_pts (recording, 0, G_MAXINT64 / 4));
  return 0;
}
