# SPDX-License-Identifier: Apache-2.0
"""What a message of vigil holds, whichever payload_format made it.

  array    [metadata, "<base64 of the frame>"], or metadata alone when
           publish_frame is false
  object   {"metadata": ..., "blob": "<base64 of the frame>"}
  binary   the frame's bytes on TOPIC/frame/ID, then metadata on TOPIC
"""
import base64
import json


def split(topic, payload):
    """Returns (metadata or None, the frame's bytes or None)."""
    if "/frame/" in topic:
        return None, payload
    message = json.loads(payload)
    if isinstance(message, list):
        metadata, blob = message[0], message[1]
    elif "metadata" in message and "blob" in message:
        metadata, blob = message["metadata"], message["blob"]
    else:
        metadata, blob = message, ""
    # A frame that could not be sent is "".
    return metadata, base64.b64decode(blob) if blob else None


def frame_id(topic, metadata):
    """The number of the frame that a message is about."""
    if metadata is None:
        return int(topic.rsplit("/", 1)[1])
    return int(metadata["frame_id"])
