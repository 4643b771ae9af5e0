/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <stddef.h>

/*
 * Who may do what: bearer tokens with roles, and the checks of Host and
 * Origin that keep web pages in a browser out. Immutable once made; any
 * thread may ask.
 */
typedef struct _VigilRestAccess VigilRestAccess;

/* Each role may do what the ones before it may. */
typedef enum {
  VIGIL_REST_ROLE_NONE, /* health only */
  VIGIL_REST_ROLE_READ,
  VIGIL_REST_ROLE_CONTROL,
} VigilRestRole;

/*
 * @text: the tokens file: one "ROLE TOKEN" a line, ROLE read or control,
 * TOKEN at least 22 characters of A-Z a-z 0-9 - . _ ~ + / = (128 bits in
 * base64); blank lines and lines that start with # are skipped. NULL: no
 * tokens. @path names it in messages. Only digests are kept.
 * Returns: (transfer full) (nullable). Error: INVALID with the line.
 */
VigilRestAccess *vigil_rest_access_new (
    const char *text, const char *path, GError **error);
/* Reads the file. Warns when others than its owner may read it. */
VigilRestAccess *vigil_rest_access_load (const char *path, GError **error);
void vigil_rest_access_free (VigilRestAccess *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VigilRestAccess, vigil_rest_access_free)

gboolean vigil_rest_access_has_tokens (const VigilRestAccess *self);

/*
 * The role of a request with the header @authorization (nullable). Without
 * tokens everybody has control. Takes the same time for every wrong token.
 */
VigilRestRole vigil_rest_access_get_role (
    const VigilRestAccess *self, const char *authorization);

/*
 * TRUE when the Host header @host (nullable) means this machine: an
 * address, localhost, or a name of @names (nullable, NULL-terminated). A
 * foreign name is how a web page reaches a server behind a browser (DNS
 * rebinding).
 */
gboolean vigil_rest_access_is_host_ours (
    const char *host, const char *const *names);

/*
 * TRUE when a request with the header @origin (nullable) does not come from
 * a foreign web page: no origin, one of @origins, or that of @host itself.
 */
gboolean vigil_rest_access_is_origin_ours (
    const char *origin, const char *host, const char *const *origins);
