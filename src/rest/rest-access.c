/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens, roles, Host and Origin. */
#include "rest/rest-access.h"

#include "base/error.h"
#include "base/file.h"
#include <gio/gio.h>
#include <string.h>
#include <sys/stat.h>

#undef G_LOG_DOMAIN
#define G_LOG_DOMAIN "vigil-rest"

#define TOKENS_FILE_BYTES_MAX 65536
#define TOKEN_LENGTH_MIN 22
#define DIGEST_SIZE 32
#define SCHEME "Bearer "

typedef struct {
  VigilRestRole role;
  guint8 digest[DIGEST_SIZE];
} Token;

struct _VigilRestAccess {
  GArray *tokens; /* element-type: Token */
};

static void
digest_token (const char *token, guint8 digest[DIGEST_SIZE])
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  gsize size = DIGEST_SIZE;

  g_checksum_update (checksum, (const guchar *)token, -1);
  g_checksum_get_digest (checksum, digest, &size);
}

static gboolean
is_token (const char *text)
{
  return strlen (text) >= TOKEN_LENGTH_MIN &&
         strspn (text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                       "0123456789-._~+/=") == strlen (text);
}

static gboolean
parse_line (const char *line, Token *ret_token)
{
  g_auto (GStrv) words = g_strsplit_set (line, " \t", 2);

  if (g_strv_length (words) != 2)
    return FALSE;
  if (strcmp (words[0], "read") == 0)
    ret_token->role = VIGIL_REST_ROLE_READ;
  else if (strcmp (words[0], "control") == 0)
    ret_token->role = VIGIL_REST_ROLE_CONTROL;
  else
    return FALSE;
  g_strstrip (words[1]);
  if (!is_token (words[1]))
    return FALSE;
  digest_token (words[1], ret_token->digest);
  return TRUE;
}

VigilRestAccess *
vigil_rest_access_new (const char *text, const char *path, GError **error)
{
  g_autoptr (VigilRestAccess) self = g_new0 (VigilRestAccess, 1);
  g_auto (GStrv) lines = g_strsplit (text != NULL ? text : "", "\n", -1);

  self->tokens = g_array_new (FALSE, FALSE, sizeof (Token));
  for (unsigned i = 0; lines[i] != NULL; i++) {
    char *line = g_strstrip (lines[i]);
    Token token;

    if (*line == '\0' || *line == '#')
      continue;
    if (!parse_line (line, &token)) {
      g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID,
          "%s, line %u: want 'read TOKEN' or 'control TOKEN', the token of "
          "at least %d letters, digits and -._~+/= ('openssl rand -hex 32' "
          "makes one)",
          path, i + 1, TOKEN_LENGTH_MIN);
      return NULL;
    }
    g_array_append_val (self->tokens, token);
  }
  if (text != NULL && self->tokens->len == 0) {
    g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID,
        "%s: no token in it: want a line 'control TOKEN'", path);
    return NULL;
  }
  return g_steal_pointer (&self);
}

VigilRestAccess *
vigil_rest_access_load (const char *path, GError **error)
{
  size_t size;
  g_autofree char *text =
      vigil_file_read (path, TOKENS_FILE_BYTES_MAX, &size, error);
  struct stat status;
  VigilRestAccess *self;

  if (text == NULL)
    return NULL;
  if (stat (path, &status) == 0 && (status.st_mode & (S_IRGRP | S_IROTH)) != 0)
    g_warning ("%s holds secrets and others may read it: chmod 600 it", path);
  self = vigil_rest_access_new (text, path, error);
  explicit_bzero (text, size);
  return self;
}

void
vigil_rest_access_free (VigilRestAccess *self)
{
  if (self == NULL)
    return;
  g_array_unref (self->tokens);
  g_free (self);
}

gboolean
vigil_rest_access_has_tokens (const VigilRestAccess *self)
{
  return self->tokens->len > 0;
}

/* Reads all bytes whatever they are: the time tells nothing. */
static gboolean
is_same_digest (const guint8 *left, const guint8 *right)
{
  guint8 difference = 0;

  for (size_t i = 0; i < DIGEST_SIZE; i++)
    difference |= left[i] ^ right[i];
  return difference == 0;
}

VigilRestRole
vigil_rest_access_get_role (
    const VigilRestAccess *self, const char *authorization)
{
  VigilRestRole role = VIGIL_REST_ROLE_NONE;
  guint8 digest[DIGEST_SIZE];

  if (self->tokens->len == 0)
    return VIGIL_REST_ROLE_CONTROL;
  if (authorization == NULL ||
      g_ascii_strncasecmp (authorization, SCHEME, strlen (SCHEME)) != 0)
    return VIGIL_REST_ROLE_NONE;
  digest_token (authorization + strlen (SCHEME), digest);
  for (unsigned i = 0; i < self->tokens->len; i++) {
    const Token *token = &g_array_index (self->tokens, Token, i);

    if (is_same_digest (token->digest, digest))
      role = MAX (role, token->role);
  }
  return role;
}

/* The name in "name:port" or "[address]:port". Returns: (transfer full). */
static char *
strip_port (const char *host)
{
  const char *end;

  if (*host == '[') {
    end = strchr (host, ']');
    return end == NULL ? g_strdup (host) : g_strndup (host + 1, end - host - 1);
  }
  end = strrchr (host, ':');
  return end == NULL ? g_strdup (host) : g_strndup (host, end - host);
}

static gboolean
is_listed (const char *name, const char *const *names)
{
  for (; names != NULL && *names != NULL; names++)
    if (g_ascii_strcasecmp (name, *names) == 0)
      return TRUE;
  return FALSE;
}

gboolean
vigil_rest_access_is_host_ours (const char *host, const char *const *names)
{
  g_autofree char *name = NULL;

  if (host == NULL)
    return FALSE;
  name = strip_port (host);
  return g_hostname_is_ip_address (name) ||
         g_ascii_strcasecmp (name, "localhost") == 0 ||
         g_ascii_strcasecmp (name, g_get_host_name ()) == 0 ||
         is_listed (name, names);
}

gboolean
vigil_rest_access_is_origin_ours (
    const char *origin, const char *host, const char *const *origins)
{
  const char *authority;

  if (origin == NULL || is_listed (origin, origins))
    return TRUE;
  authority = strstr (origin, "://");
  return authority != NULL && host != NULL &&
         g_ascii_strcasecmp (authority + 3, host) == 0;
}
