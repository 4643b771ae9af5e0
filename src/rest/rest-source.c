/* SPDX-License-Identifier: Apache-2.0 */
/* Policy for sources and files that a request names. */
#include "rest/rest-source.h"

#include "base/error.h"
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const struct {
  const char *name;
  int default_port;
} schemes[] = {
    {"rtsp", 554},
    {"rtspt", 554},
    {"rtspu", 554},
    {"rtsps", 322},
    {"http", 80},
    {"https", 443},
    {"rtmp", 1935},
    {"file", 0},
};

static gboolean G_GNUC_PRINTF (3, 4)
    refuse (GError **error, const char *path, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list arguments;

  va_start (arguments, format);
  text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_set_error (error, VIGIL_ERROR, VIGIL_ERROR_INVALID, "%s: %s", path, text);
  return FALSE;
}

/* ---- Files ------------------------------------------------------------- */

/* The real path of @file, or for one to be made, of its folder. Returns:
 * (transfer full) (nullable). */
static char *
resolve_file (const char *file)
{
  char *resolved = realpath (file, NULL);
  g_autofree char *folder = NULL;
  g_autofree char *base = NULL;
  char *real_folder;

  if (resolved != NULL) {
    char *copy = g_strdup (resolved);

    free (resolved);
    return copy;
  }
  folder = g_path_get_dirname (file);
  base = g_path_get_basename (file);
  if (strcmp (base, "..") == 0 || strcmp (base, ".") == 0)
    return NULL;
  real_folder = realpath (folder, NULL);
  if (real_folder == NULL)
    return NULL;
  resolved = g_build_filename (real_folder, base, NULL);
  free (real_folder);
  return resolved;
}

static gboolean
is_below (const char *file, const char *folder)
{
  char *real_folder = realpath (folder, NULL);
  size_t length;
  gboolean answer;

  if (real_folder == NULL)
    return FALSE;
  length = strlen (real_folder);
  while (length > 0 && real_folder[length - 1] == '/')
    length--;
  answer = strncmp (file, real_folder, length) == 0 && file[length] == '/';
  free (real_folder);
  return answer;
}

gboolean
vigil_rest_source_check_file (const char *file, const char *path,
    const VigilRestSettings *settings, GError **error)
{
  g_autofree char *resolved = NULL;

  if (settings->is_loopback)
    return TRUE;
  /* Where a relative one starts depends on who opens it. */
  if (g_path_is_absolute (file))
    resolved = resolve_file (file);
  for (char **folder = settings->folders;
       resolved != NULL && folder != NULL && *folder != NULL; folder++)
    if (is_below (resolved, *folder))
      return TRUE;
  return refuse (error, path,
      "want the absolute path of a file below a folder of "
      "config.rest.folders, because the server listens beyond this machine");
}

/* ---- Addresses --------------------------------------------------------- */

static gboolean
is_link_local (const struct sockaddr *address)
{
  const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)address;
  uint32_t four;

  if (address->sa_family == AF_INET)
    four = ntohl (((const struct sockaddr_in *)address)->sin_addr.s_addr);
  else if (IN6_IS_ADDR_LINKLOCAL (&six->sin6_addr))
    return TRUE;
  else if (IN6_IS_ADDR_V4MAPPED (&six->sin6_addr))
    four = ntohl (six->sin6_addr.s6_addr32[3]);
  else
    return FALSE;
  return four >> 16 == 0xa9fe; /* 169.254.0.0/16 */
}

/* Binding tells whether an address is this machine's. */
static gboolean
is_ours (const struct sockaddr *address, socklen_t size)
{
  struct sockaddr_storage copy = {0};
  int probe = socket (address->sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  gboolean answer;

  memcpy (&copy, address, size);
  if (copy.ss_family == AF_INET)
    ((struct sockaddr_in *)&copy)->sin_port = 0;
  else
    ((struct sockaddr_in6 *)&copy)->sin6_port = 0;
  answer = probe >= 0 && bind (probe, (struct sockaddr *)&copy, size) == 0;
  if (probe >= 0)
    close (probe);
  return answer;
}

/* A name that does not resolve is the pipeline's to report. */
static gboolean
check_host (const char *host, int host_port, const char *path,
    uint16_t own_port, GError **error)
{
  const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
  struct addrinfo *addresses = NULL;
  gboolean is_good = TRUE;

  if (getaddrinfo (host, NULL, &hints, &addresses) != 0)
    return TRUE;
  for (struct addrinfo *entry = addresses; entry != NULL && is_good;
       entry = entry->ai_next) {
    if (entry->ai_family != AF_INET && entry->ai_family != AF_INET6)
      continue;
    if (is_link_local (entry->ai_addr))
      is_good = refuse (error, path, "link-local addresses are not allowed");
    else if (host_port == own_port &&
             is_ours (entry->ai_addr, entry->ai_addrlen))
      is_good = refuse (error, path, "that is this server itself");
  }
  freeaddrinfo (addresses);
  return is_good;
}

static int
find_scheme (const char *scheme)
{
  for (size_t i = 0; i < G_N_ELEMENTS (schemes); i++)
    if (g_ascii_strcasecmp (scheme, schemes[i].name) == 0)
      return (int)i;
  return -1;
}

static gboolean
check_uri (const char *text, const char *path,
    const VigilRestSettings *settings, uint16_t own_port, GError **error)
{
  g_autoptr (GUri) uri = NULL;
  int scheme;
  int port;

  for (const char *c = text; *c != '\0'; c++)
    if (g_ascii_iscntrl (*c))
      return refuse (error, path, "control characters are not allowed");
  uri = g_uri_parse (
      text, G_URI_FLAGS_HAS_PASSWORD | G_URI_FLAGS_PARSE_RELAXED, NULL);
  if (uri == NULL)
    return refuse (error, path, "want a URI such as rtsp://camera/stream");
  scheme = find_scheme (g_uri_get_scheme (uri));
  if (scheme < 0)
    return refuse (error, path,
        "scheme '%.20s': want rtsp, rtsps, http, https, rtmp or file",
        g_uri_get_scheme (uri));
  if (strcmp (schemes[scheme].name, "file") == 0)
    return vigil_rest_source_check_file (
        g_uri_get_path (uri), path, settings, error);
  if (g_uri_get_host (uri) == NULL || *g_uri_get_host (uri) == '\0')
    return refuse (
        error, path, "want a host behind '%s://'", schemes[scheme].name);
  port = g_uri_get_port (uri);
  return check_host (g_uri_get_host (uri),
      port < 0 ? schemes[scheme].default_port : port, path, own_port, error);
}

/* Properties can hold addresses and files too (location, uri ...). */
static gboolean
check_properties (const VigilJson *source, const VigilRestSettings *settings,
    uint16_t own_port, GError **error)
{
  const VigilJson *properties = vigil_json_object_get (source, "properties");
  VigilJsonIter iter = {0};
  const char *key;
  const VigilJson *value;

  while (vigil_json_object_next (properties, &iter, &key, &value)) {
    const char *text = vigil_json_get_string (value);
    g_autofree char *path = g_strconcat ("source.properties.", key, NULL);

    if (text == NULL)
      continue;
    if (strstr (text, "://") != NULL) {
      if (!check_uri (text, path, settings, own_port, error))
        return FALSE;
    } else if (strchr (text, '/') != NULL &&
               !vigil_rest_source_check_file (text, path, settings, error)) {
      return FALSE;
    }
  }
  return TRUE;
}

static gboolean
check_source (const VigilJson *source, const VigilRestSettings *settings,
    uint16_t own_port, GError **error)
{
  const char *type = vigil_schema_get_string (source, "type", NULL);
  const char *uri = vigil_schema_get_string (source, "uri", NULL);

  if (g_strcmp0 (type, "uri") != 0 && !settings->is_loopback &&
      !settings->allow_elements)
    return refuse (error, "source.type",
        "want uri: the server listens beyond this machine without "
        "config.rest.allow_elements");
  if (uri != NULL && !check_uri (uri, "source.uri", settings, own_port, error))
    return FALSE;
  return check_properties (source, settings, own_port, error);
}

/* Every string called `path` in a destination names a file to write. */
static gboolean
check_destination (const VigilJson *destination,
    const VigilRestSettings *settings, GError **error)
{
  const char *type = vigil_schema_get_string (destination, "type", NULL);
  const char *file = vigil_schema_get_string (destination, "path", NULL);

  return g_strcmp0 (type, "file") != 0 || file == NULL ||
         vigil_rest_source_check_file (
             file, "destination.metadata.path", settings, error);
}

gboolean
vigil_rest_source_check (const VigilJson *request,
    const VigilRestSettings *settings, uint16_t port, GError **error)
{
  const VigilJson *source = vigil_json_object_get (request, "source");
  const VigilJson *metadata = vigil_json_object_get (
      vigil_json_object_get (request, "destination"), "metadata");

  if (source != NULL && !check_source (source, settings, port, error))
    return FALSE;
  if (metadata == NULL)
    return TRUE;
  if (vigil_json_get_type (metadata) != VIGIL_JSON_ARRAY)
    return check_destination (metadata, settings, error);
  for (size_t i = 0; i < vigil_json_array_size (metadata); i++)
    if (!check_destination (
            vigil_json_array_get (metadata, i), settings, error))
      return FALSE;
  return TRUE;
}
