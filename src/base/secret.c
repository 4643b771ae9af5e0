/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Secrets in memory of their own, and the order in which they are looked
 * for.
 */
#include "base/secret.h"

#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

struct _VigilSecret {
  gatomicrefcount reference_count;
  char *bytes; /* whole pages */
  size_t length;
  size_t size; /* of the pages */
  gboolean is_mapped;
};

/* What was taken out of the environment. Protected by environment_lock. */
static GHashTable *taken_environment; /* element-type: char *, VigilSecret */
static GMutex environment_lock;

/* ---- Memory ---------------------------------------------------------- */

static VigilSecret *
secret_allocate (size_t length)
{
  VigilSecret *self = g_new0 (VigilSecret, 1);
  size_t page = (size_t)sysconf (_SC_PAGESIZE);

  g_atomic_ref_count_init (&self->reference_count);
  self->length = length;
  self->size = (length + 1 + page - 1) / page * page;
  void *bytes = mmap (NULL, self->size, PROT_READ | PROT_WRITE,
      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  self->is_mapped = bytes != MAP_FAILED;
  if (!self->is_mapped) {
    self->bytes = g_malloc0 (self->size);
    return self;
  }
  /* Both are best effort: an old kernel or a small limit of locked memory
   * must not keep the program from connecting. */
  (void)madvise (bytes, self->size, MADV_DONTDUMP);
  (void)mlock (bytes, self->size);
  self->bytes = bytes;
  return self;
}

VigilSecret *
vigil_secret_new (const char *value, size_t length)
{
  g_return_val_if_fail (value != NULL || length == 0, NULL);

  VigilSecret *self = secret_allocate (length);
  if (length > 0)
    memcpy (self->bytes, value, length);
  return self;
}

VigilSecret *
vigil_secret_ref (VigilSecret *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  g_atomic_ref_count_inc (&self->reference_count);
  return self;
}

void
vigil_secret_unref (VigilSecret *self)
{
  if (self == NULL || !g_atomic_ref_count_dec (&self->reference_count))
    return;
  explicit_bzero (self->bytes, self->size);
  if (self->is_mapped)
    munmap (self->bytes, self->size);
  else
    g_free (self->bytes);
  g_free (self);
}

const char *
vigil_secret_get (const VigilSecret *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  return self->bytes;
}

size_t
vigil_secret_get_length (const VigilSecret *self)
{
  g_return_val_if_fail (self != NULL, 0);
  return self->length;
}

/* ---- Files ----------------------------------------------------------- */

static void
set_errno_error (const char *path, const char *verb, GError **error)
{
  int code = errno;

  g_set_error (error, VIGIL_ERROR,
      code == ENOENT || code == ENOTDIR ? VIGIL_ERROR_NOT_FOUND
                                        : VIGIL_ERROR_INVALID,
      "cannot %s '%s': %s%s", verb, path, g_strerror (code),
      code == EACCES ? "; the user of this program must be able to read it"
                     : "");
}

static VigilSecret *
read_descriptor (int fd, const char *path, GError **error)
{
  struct stat info;

  if (fstat (fd, &info) < 0) {
    set_errno_error (path, "look at", error);
    return NULL;
  }
  if (!S_ISREG (info.st_mode)) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID,
        "'%s': want a regular file", path);
    return NULL;
  }
  if (info.st_size > VIGIL_SECRET_FILE_MAX_BYTES) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_LIMIT,
        "'%s': want at most %d bytes", path, VIGIL_SECRET_FILE_MAX_BYTES);
    return NULL;
  }

  g_autoptr (VigilSecret) secret = secret_allocate ((size_t)info.st_size);
  size_t length = 0;
  while (length < secret->length) {
    ssize_t got = read (fd, secret->bytes + length, secret->length - length);
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0) {
      set_errno_error (path, "read", error);
      return NULL;
    }
    if (got == 0)
      break;
    length += (size_t)got;
  }
  secret->length = length;
  return g_steal_pointer (&secret);
}

VigilSecret *
vigil_secret_read_file (const char *path, GError **error)
{
  g_return_val_if_fail (path != NULL, NULL);

  /* Without O_NONBLOCK a FIFO would hold the caller until somebody writes
   * to it. */
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) {
    set_errno_error (path, "open", error);
    return NULL;
  }
  VigilSecret *secret = read_descriptor (fd, path, error);
  close (fd);
  return secret;
}

VigilSecret *
vigil_secret_read_line (const char *path, GError **error)
{
  g_autoptr (VigilSecret) whole = vigil_secret_read_file (path, error);

  if (whole == NULL)
    return NULL;
  const char *end = memchr (whole->bytes, '\n', whole->length);
  size_t length = end != NULL ? (size_t)(end - whole->bytes) : whole->length;
  if (length > 0 && whole->bytes[length - 1] == '\r')
    length--;
  if (length == 0) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID,
        "'%s': want the secret on the first line, found nothing", path);
    return NULL;
  }
  return vigil_secret_new (whole->bytes, length);
}

char *
vigil_secret_check_permissions (const char *path)
{
  struct stat info;

  g_return_val_if_fail (path != NULL, NULL);

  if (stat (path, &info) < 0)
    return NULL;
  /* The group may read: that is how a key is shared with the one service
   * that runs as another user. */
  if ((info.st_mode & (S_IROTH | S_IWOTH | S_IWGRP)) == 0)
    return NULL;
  return g_strdup_printf ("'%s' can be %s: chmod %s would keep others out",
      path,
      (info.st_mode & S_IWOTH) != 0   ? "changed by every user"
      : (info.st_mode & S_IROTH) != 0 ? "read by every user"
                                      : "changed by its group",
      (info.st_mode & S_IRGRP) != 0 ? "640" : "600");
}

/* ---- Environment ----------------------------------------------------- */

VigilSecret *
vigil_secret_take_environment (const char *name)
{
  g_return_val_if_fail (name != NULL, NULL);

  g_mutex_lock (&environment_lock);
  if (taken_environment == NULL)
    taken_environment = g_hash_table_new_full (
        g_str_hash, g_str_equal, g_free, (GDestroyNotify)vigil_secret_unref);

  /* A variable that was set again since then counts. */
  char *value = getenv (name);
  if (value != NULL && *value != '\0') {
    size_t length = strlen (value);
    g_hash_table_replace (
        taken_environment, g_strdup (name), vigil_secret_new (value, length));
    /* In place: that memory is what /proc/PID/environ shows. The variable
     * is left empty, for unsetenv would move the table under other
     * threads. */
    explicit_bzero (value, length);
  }
  VigilSecret *secret = g_hash_table_lookup (taken_environment, name);
  if (secret != NULL)
    vigil_secret_ref (secret);
  g_mutex_unlock (&environment_lock);
  return secret;
}

/* ---- Sources --------------------------------------------------------- */

static void
add_warning (GPtrArray *warnings, char *text)
{
  if (warnings != NULL && text != NULL)
    g_ptr_array_add (warnings, text);
  else
    g_free (text);
}

static VigilSecret *
read_and_check (const char *path, GPtrArray *warnings, GError **error)
{
  VigilSecret *secret = vigil_secret_read_line (path, error);

  if (secret != NULL)
    add_warning (warnings, vigil_secret_check_permissions (path));
  return secret;
}

static char *
dup_credential_path (const char *name)
{
  const char *folder = g_getenv ("CREDENTIALS_DIRECTORY");

  if (name == NULL || folder == NULL || *folder == '\0')
    return NULL;
  g_autofree char *path = g_build_filename (folder, name, NULL);
  if (!g_file_test (path, G_FILE_TEST_EXISTS))
    return NULL;
  return g_steal_pointer (&path);
}

VigilSecret *
vigil_secret_find (
    const VigilSecretSources *sources, GPtrArray *warnings, GError **error)
{
  g_return_val_if_fail (sources != NULL, NULL);

  g_autofree char *credential = dup_credential_path (sources->credential);
  if (credential != NULL)
    return vigil_secret_read_line (credential, error);
  if (sources->file != NULL)
    return read_and_check (sources->file, warnings, error);

  if (sources->environment != NULL) {
    g_autofree char *name = g_strconcat (sources->environment, "_FILE", NULL);
    const char *path = g_getenv (name);
    if (path != NULL && *path != '\0')
      return read_and_check (path, warnings, error);
    VigilSecret *secret = vigil_secret_take_environment (sources->environment);
    if (secret != NULL)
      return secret;
  }
  if (sources->fallback_file != NULL)
    return read_and_check (sources->fallback_file, warnings, error);
  if (sources->fallback != NULL)
    return vigil_secret_new (sources->fallback, strlen (sources->fallback));
  if (sources->literal == NULL)
    return NULL;
  add_warning (warnings,
      g_strdup ("a secret stands in the configuration itself: a file of its "
                "own can be kept from other readers"));
  return vigil_secret_new (sources->literal, strlen (sources->literal));
}

void
vigil_secret_protect_process (void)
{
  const struct rlimit none = {0, 0};

  (void)prctl (PR_SET_DUMPABLE, 0, 0, 0, 0);
  (void)setrlimit (RLIMIT_CORE, &none);
}
