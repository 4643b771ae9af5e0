/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of the tls settings, with anything in them. An even first byte:
 * what follows are the files themselves, with a NUL between them. An odd
 * one: good files, made here (no key is committed), are changed: four bytes
 * say which file, where, and to what.
 */
#include "common/pki.h"
#include "mqtt/mqtt-tls.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define FILES 5

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

typedef struct {
  int fd;
  char path[32]; /* as vigil opens it */
  char *good;
  size_t good_size;
} File;

static File files[FILES];

static void
read_good (File *file, VigilTestPki *pki, const char *name)
{
  g_assert_true (g_file_get_contents (
      vigil_test_pki_path (pki, name), &file->good, &file->good_size, NULL));
  g_unlink (vigil_test_pki_path (pki, name));
}

static void
make_files (void)
{
  g_autofree char *folder = g_dir_make_tmp ("vigil-fuzz-XXXXXX", NULL);
  g_autoptr (VigilTestPki) pki = vigil_test_pki_new (folder);
  const char *names[] = {"ca.crt", "ca.crl", "client.crt", "client.key"};

  vigil_test_pki_add (pki, "client",
      &(VigilTestCertificate){.common_name = "c", .key_password = "word"});
  vigil_test_pki_write_crl (pki, "ca.crl", "ca", "client", 3600);
  for (unsigned i = 0; i < G_N_ELEMENTS (names); i++)
    read_good (&files[i], pki, names[i]);
  files[4].good = g_strdup ("word\n");
  files[4].good_size = 5;
  g_unlink (vigil_test_pki_path (pki, "ca.key"));
  g_rmdir (folder);
  for (unsigned i = 0; i < FILES; i++) {
    files[i].fd = memfd_create ("fuzz-tls", MFD_CLOEXEC);
    g_snprintf (
        files[i].path, sizeof files[i].path, "/proc/self/fd/%d", files[i].fd);
  }
}

static void
fill (File *file, const void *bytes, size_t size)
{
  g_assert_cmpint (ftruncate (file->fd, 0), ==, 0);
  g_assert_cmpint (pwrite (file->fd, bytes, size, 0), ==, (ssize_t)size);
}

/* Returns: which files are there, as bits. */
static unsigned
fill_raw (const uint8_t *data, size_t size)
{
  unsigned present = 0;

  for (unsigned i = 0; i < FILES && size > 0; i++) {
    const uint8_t *end = memchr (data, 0, size);
    size_t length = end != NULL ? (size_t)(end - data) : size;

    fill (&files[i], data, length);
    if (length > 0)
      present |= 1u << i;
    length = MIN (length + 1, size);
    data += length;
    size -= length;
  }
  return present;
}

static unsigned
fill_changed (const uint8_t *data, size_t size)
{
  for (unsigned i = 0; i < FILES; i++)
    fill (&files[i], files[i].good, files[i].good_size);
  for (; size >= 4; data += 4, size -= 4) {
    const File *file = &files[data[0] % FILES];
    off_t at = (off_t)((data[1] << 8 | data[2]) % file->good_size);

    g_assert_cmpint (pwrite (file->fd, data + 3, 1, at), ==, 1);
  }
  return (1u << FILES) - 1;
}

static const char *
path_if (unsigned present, unsigned index)
{
  return (present & 1u << index) != 0 ? files[index].path : NULL;
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (GPtrArray) warnings = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GError) error = NULL;
  unsigned present;

  if (files[0].good == NULL)
    make_files ();
  if (size == 0)
    return 0;
  present = data[0] % 2 == 0 ? fill_raw (data + 1, size - 1)
                             : fill_changed (data + 1, size - 1);
  const VigilMqttTlsSettings settings = {
      .ca_cert = path_if (present, 0),
      .crl = path_if (present, 1),
      .client_cert = path_if (present, 2),
      .client_key = path_if (present, 3),
      .key_password_file = path_if (present, 4),
  };
  g_autoptr (VigilMqttTls) tls =
      vigil_mqtt_tls_new (&settings, warnings, &error);

  g_assert_true ((tls == NULL) == (error != NULL));
  if (error != NULL) {
    g_assert_true (g_utf8_validate (error->message, -1, NULL));
    g_assert_null (strchr (error->message, '\n'));
  } else if (size < 5 && data[0] % 2 == 1) {
    /* Good files, unchanged. */
    g_assert_true (vigil_mqtt_tls_has_client_certificate (tls));
  }
  return 0;
}
