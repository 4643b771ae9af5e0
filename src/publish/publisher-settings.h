/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "encode/encoder.h"
#include "publish/destination.h"

/* What of a pipeline entry concerns its worker. */
typedef struct {
  unsigned queue_size;            /* frames before the worker */
  const VigilEncoderOps *encoder; /* never NULL */
  int encoder_level;              /* within the encoder's limits */
  gboolean publishes_raw;         /* raw frames are not encoded */
  gboolean converts_to_dcaas;
  unsigned img_handle_length;
  char *tags_json; /* nullable: no tags of the configuration */
} VigilPublisherSettings;

/* Adds what the schema cannot see in the entry at @path. */
void vigil_publisher_settings_check (
    const VigilJson *entry, const char *path, VigilProblems *problems);

/* Reads a checked entry. @ret_settings: clear it. */
void vigil_publisher_settings_init (
    VigilPublisherSettings *ret_settings, const VigilJson *entry);
void vigil_publisher_settings_clear (VigilPublisherSettings *self);

/*
 * Called for each destination block of @entry; @path stands for its place.
 * FALSE ends the walk.
 */
typedef gboolean (*VigilPublisherBlockFunc) (const VigilDestinationOps *ops,
    const VigilJson *block, const char *path, void *user_data);

/* Walks the blocks: for each kind of the registry one object, or a list.
 * Returns: FALSE when @func ended it. */
gboolean vigil_publisher_settings_walk (const VigilJson *entry,
    const char *path, VigilPublisherBlockFunc func, void *user_data);
