/* SPDX-License-Identifier: Apache-2.0 */
/* Messages to an MQTT broker, by our client. */
#include "publish/mqtt-settings.h"

#include "encode/jpeg-shrink.h"
#include "publish/destination-list.h"
#include "publish/destination.h"
#include "publish/metadata-json.h"
#include "publish/payload.h"
#include <string.h>

/* Buffers kept for payloads: those of a frame being written, one being
 * filled, and some that wait. */
enum { POOLED_BUFFERS = 8 };

typedef struct {
  VigilMqttSettings *settings;
  VigilMqttClient *client;
  VigilBufferPool *pool;
  char *instance_id; /* nullable */
  gboolean is_live;
  VigilMqttDropReason skip_reason; /* of the last no; worker only */
} MqttDestination;

/* What the reduced form of a message is made from. */
typedef struct {
  MqttDestination *destination;
  VigilMessage *message; /* without its frame */
  gboolean is_ours;      /* the image was encoded here */
  /* Where the image is: the MQTT message holds these. */
  GBytes *segments[VIGIL_PAYLOAD_SEGMENTS_MAX];
  GBytes *image;
} Reduction;

static void
close_destination (void *state)
{
  MqttDestination *self = state;

  vigil_mqtt_client_free (self->client);
  vigil_mqtt_settings_free (self->settings);
  vigil_buffer_pool_unref (self->pool);
  g_free (self->instance_id);
  g_free (self);
}

static void *
open_destination (const VigilJson *settings,
    const VigilDestinationContext *context, GError **error)
{
  MqttDestination *self = g_new0 (MqttDestination, 1);

  self->instance_id = g_strdup (context->instance_id);
  self->is_live = context->is_live;
  self->pool = vigil_buffer_pool_new (POOLED_BUFFERS);
  self->settings = vigil_mqtt_settings_new (settings, context, error);
  if (self->settings != NULL)
    self->client = vigil_mqtt_client_new (&self->settings->options, error);
  if (self->client == NULL)
    g_clear_pointer (&self, close_destination);
  return self;
}

static gboolean
start (void *state, GError **error)
{
  MqttDestination *self = state;

  return vigil_mqtt_client_start (self->client, error);
}

static gboolean
wants_frame (const void *state)
{
  const MqttDestination *self = state;

  return self->settings->publish_frame;
}

/*
 * A queue that keeps its oldest messages is full at times while connected:
 * then a message sent now would be dropped, unless its pipeline may wait.
 */
static gboolean
is_accepting (void *state)
{
  MqttDestination *self = state;
  VigilMqttStatus status;

  if (vigil_mqtt_client_is_accepting (self->client))
    return TRUE;
  if (self->settings->options.queue_policy != VIGIL_MQTT_DROP_NEWEST) {
    self->skip_reason = VIGIL_MQTT_DROP_NOT_CONNECTED;
    return FALSE;
  }
  vigil_mqtt_client_get_status (self->client, &status);
  if (status.state != VIGIL_MQTT_CONNECTED &&
      status.state != VIGIL_MQTT_CONNECTING) {
    self->skip_reason = VIGIL_MQTT_DROP_NOT_CONNECTED;
    return FALSE;
  }
  self->skip_reason = VIGIL_MQTT_DROP_QUEUE_FULL;
  return !self->is_live;
}

static void
skip (void *state)
{
  MqttDestination *self = state;

  vigil_mqtt_client_skip (self->client, self->skip_reason);
}

static void
renew (void *state)
{
  MqttDestination *self = state;

  vigil_mqtt_client_renew (self->client);
}

/* ---- Messages ----------------------------------------------------------- */

static void
free_reduction (void *data)
{
  Reduction *self = data;

  vigil_message_unref (self->message);
  g_free (self);
}

/* @metadata with the quality that the image has now. */
static GBytes *
change_level (GBytes *metadata, int quality)
{
  g_autoptr (VigilJson) tree = vigil_metadata_json_parse (metadata);

  if (tree == NULL)
    return g_bytes_ref (metadata);
  vigil_json_object_take (
      tree, "encoding_level", vigil_json_new_integer (quality));
  return vigil_metadata_json_print (tree);
}

/* The message with its image at a lower quality; NULL when that is no use,
 * or the image is not ours to change. */
static VigilMessage *
shrink (const Reduction *self, size_t limit_bytes)
{
  const VigilPayloadFormat format = self->destination->settings->format;
  const VigilMessage *message = self->message;
  g_autoptr (GBytes) image = NULL;
  GBytes *smaller;
  int quality = 0;

  if (!self->is_ours || limit_bytes == 0)
    return NULL;
  image = vigil_payload_dup_image (format, self->segments, self->image);
  if (image == NULL)
    return NULL;
  smaller = vigil_jpeg_shrink (image,
      vigil_payload_get_room (format, limit_bytes, message->metadata),
      &quality);
  if (smaller == NULL)
    return NULL;
  return vigil_message_new (change_level (message->metadata, quality), smaller,
      FALSE, "image/jpeg", message->frame_id);
}

static VigilMqttMessage *make_message (
    MqttDestination *self, const VigilMessage *message);

/* At a lower quality, else without the frame. */
static VigilMqttMessage *
reduce (VigilMqttMessage *message, size_t limit_bytes, void *user_data)
{
  Reduction *self = user_data;
  g_autoptr (VigilMessage) smaller = shrink (self, limit_bytes);

  return make_message (
      self->destination, smaller != NULL ? smaller : self->message);
}

static void
set_reduction (MqttDestination *self, const VigilMessage *message,
    const VigilPayload *payload, VigilMqttMessage *mqtt_message)
{
  Reduction *reduction;

  if (!self->settings->publish_frame || message->frame == NULL ||
      !self->settings->reduces_oversize)
    return;
  reduction = g_new0 (Reduction, 1);
  reduction->destination = self;
  reduction->message = vigil_message_new (
      g_bytes_ref (message->metadata), NULL, FALSE, NULL, message->frame_id);
  /* Encoded input is passed through untouched, or not at all. */
  reduction->is_ours = !message->frame_is_borrowed &&
                       g_strcmp0 (message->content_type, "image/jpeg") == 0;
  memcpy (reduction->segments, payload->segments, sizeof payload->segments);
  reduction->image = payload->image;
  vigil_mqtt_message_set_reduce (
      mqtt_message, reduce, reduction, free_reduction);
}

/* What MQTT 5 sends with every publication alike. */
static void
set_properties (const MqttDestination *self, VigilMqttPublication *publication)
{
  const VigilMqttProperties *properties = &self->settings->properties;

  publication->expiry_s = properties->expiry_s;
  publication->user_properties = properties->user;
  publication->user_properties_size = properties->user_size;
}

/* The main message; and before it the image, when the format has it so. */
static VigilMqttMessage *
make_message (MqttDestination *self, const VigilMessage *message)
{
  VigilMqttPublication publications[2] = {0};
  VigilMqttPublication *main_part = publications;
  unsigned size = 1;
  g_auto (VigilPayload) payload = {0};
  g_autofree char *image_topic = NULL;
  g_autoptr (GBytes) correlation = NULL;
  VigilMqttMessage *mqtt_message;

  vigil_payload_init (&payload, self->settings->format,
      self->settings->publish_frame, message, self->pool);
  if (payload.image != NULL) {
    g_autofree char *id = g_strdup_printf ("%s/%" G_GUINT64_FORMAT,
        self->instance_id != NULL ? self->instance_id : "", message->frame_id);

    image_topic = g_strdup_printf ("%s/frame/%" G_GUINT64_FORMAT,
        self->settings->topic, message->frame_id);
    correlation = g_bytes_new (id, strlen (id));
    publications[0] = (VigilMqttPublication){.topic = image_topic,
        .segments = {payload.image},
        .content_type = message->content_type,
        .correlation_data = correlation,
        .is_once = TRUE};
    main_part = &publications[1];
    size = 2;
  }
  main_part->topic = self->settings->topic;
  memcpy (main_part->segments, payload.segments, sizeof payload.segments);
  main_part->content_type = "application/json";
  main_part->correlation_data = correlation;
  main_part->is_text = TRUE;
  for (unsigned i = 0; i < size; i++)
    set_properties (self, &publications[i]);
  mqtt_message = vigil_mqtt_message_new (publications, size);
  set_reduction (self, message, &payload, mqtt_message);
  return mqtt_message;
}

static void
send_message (void *state, VigilMessage *message, int64_t deadline_us)
{
  MqttDestination *self = state;
  g_autoptr (VigilMqttMessage) mqtt_message = make_message (self, message);
  /* A broker that is silent for so long is found out by the keep-alive. */
  int64_t patience_us =
      (int64_t)self->settings->options.keep_alive_s * 3 / 2 * G_USEC_PER_SEC;

  if (deadline_us != 0)
    deadline_us = MIN (deadline_us, g_get_monotonic_time () + patience_us);
  vigil_mqtt_client_send (self->client, mqtt_message, deadline_us);
}

static void
stop (void *state, int64_t deadline_us)
{
  MqttDestination *self = state;

  vigil_mqtt_client_stop (self->client, deadline_us);
}

/* ---- Status ------------------------------------------------------------- */

static void
get_status (void *state, VigilDestinationStatus *ret_status)
{
  MqttDestination *self = state;
  VigilMqttStatus status;

  G_STATIC_ASSERT (
      VIGIL_MQTT_DROP_REASONS <= VIGIL_DESTINATION_DROP_REASONS_MAX);
  vigil_mqtt_client_get_status (self->client, &status);
  ret_status->state = vigil_mqtt_client_state_name (status.state);
  memcpy (
      ret_status->last_error, status.last_error, sizeof ret_status->last_error);
  ret_status->next_retry_ms = status.next_retry_ms;
  ret_status->offered = status.offered;
  for (unsigned i = 0; i < VIGIL_MQTT_DROP_REASONS; i++) {
    ret_status->dropped[i].reason =
        vigil_mqtt_client_drop_reason_name ((VigilMqttDropReason)i);
    ret_status->dropped[i].count = status.dropped[i];
  }
  ret_status->dropped_size = VIGIL_MQTT_DROP_REASONS;
  ret_status->queued = status.queued;
  ret_status->queued_bytes = status.queued_bytes;
  ret_status->in_flight = status.in_flight;
  ret_status->published = status.published;
  ret_status->acknowledged = status.acknowledged;
  ret_status->latencies = status.latencies;
  ret_status->bytes = status.bytes;
  ret_status->reduced = status.reduced;
  ret_status->connects = status.connects;
}

const VigilDestinationOps vigil_mqtt_destination_ops = {
    .type = "mqtt",
    .config_key = "mqtt_publisher",
    .keys = vigil_mqtt_settings_keys,
    .check = vigil_mqtt_settings_check,
    .open = open_destination,
    .start = start,
    .wants_frame = wants_frame,
    .is_accepting = is_accepting,
    .skip = skip,
    .renew = renew,
    .send = send_message,
    .stop = stop,
    .get_status = get_status,
    .close = close_destination,
};
