/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * A password, pass-phrase or token. There is no function that prints one:
 * the bytes live in pages of their own that stay out of core dumps, are
 * locked into memory where the system allows it, and are wiped when the
 * last reference goes. Immutable; any thread.
 */
typedef struct _VigilSecret VigilSecret;

/* No secret or key file that makes sense is larger. */
#define VIGIL_SECRET_FILE_MAX_BYTES (1024 * 1024)

/* Copies @length bytes of @value. Returns: (transfer full). */
VigilSecret *vigil_secret_new (const char *value, size_t length);
VigilSecret *vigil_secret_ref (VigilSecret *self);
/* NULL is allowed. */
void vigil_secret_unref (VigilSecret *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VigilSecret, vigil_secret_unref)

/* The bytes, followed by a NUL that is not counted. (transfer none): do not
 * copy them into ordinary memory for longer than a call. */
const char *vigil_secret_get (const VigilSecret *self);
size_t vigil_secret_get_length (const VigilSecret *self);

/*
 * Reads a whole file, as it is, straight into a secret: keys and files of
 * pass-phrases. Follows links; refuses what is no regular file or larger
 * than the limit above. Blocks on the disk.
 * Returns: (transfer full) (nullable).
 */
VigilSecret *vigil_secret_read_file (const char *path, GError **error);

/* The first line of a file, without its end of line: passwords. An empty
 * first line is an error. Returns: (transfer full) (nullable). */
VigilSecret *vigil_secret_read_line (const char *path, GError **error);

/*
 * What the operator should know about the permissions of a file that holds
 * a secret: a sentence without a full stop when everybody may read it, or its
 * group or everybody change it; NULL when all is well or it cannot be looked
 * at.
 * Returns: (transfer full) (nullable).
 */
char *vigil_secret_check_permissions (const char *path);

/*
 * Moves the environment variable @name out of the process' environment: the
 * first call copies it and overwrites the original, so that neither
 * /proc/PID/environ nor a child shows it; every call returns the copy. Call
 * it for each such variable before the first thread starts.
 * Returns: (transfer full) (nullable): NULL when unset or empty.
 */
VigilSecret *vigil_secret_take_environment (const char *name);

/* Where a secret may come from. All nullable; the first that is set wins,
 * in the order of the members. */
typedef struct {
  const char *credential;    /* file name in $CREDENTIALS_DIRECTORY */
  const char *file;          /* a setting that names a file */
  const char *environment;   /* variable; NAME_FILE (a path) goes first */
  const char *fallback_file; /* the same from an environment file */
  const char *fallback;      /* the value from an environment file */
  const char *literal;       /* a value in the configuration itself */
} VigilSecretSources;

/*
 * Finds the secret of @sources. @warnings: (nullable) (element-type char *):
 * gets sentences about loose permissions and literal values.
 * Returns: (transfer full) (nullable): NULL without @error when no source is
 * set, NULL with @error when the one that counts cannot be read.
 */
VigilSecret *vigil_secret_find (
    const VigilSecretSources *sources, GPtrArray *warnings, GError **error);

/* No core dumps and no tracing by other processes of the same user, from
 * now on. Call once, in the program that holds secrets. */
void vigil_secret_protect_process (void);
