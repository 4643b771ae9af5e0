#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Saves every frame as output_ID.jpg and prints its metadata, until Ctrl-C.

Needs paho-mqtt: apt install python3-paho-mqtt
"""
import json
from pathlib import Path

import paho.mqtt.subscribe

import options
import payload

SUFFIXES = {b"\xff\xd8": ".jpg", b"\x89P": ".png"}


def main():
    chosen, topic, connection = options.parse("Saves vigil's frames.")
    folder = Path(chosen.folder)
    folder.mkdir(parents=True, exist_ok=True)

    def on_message(_client, _userdata, message):
        metadata, frame = payload.split(message.topic, message.payload)
        if metadata is not None:
            print("Metadata:", json.dumps(metadata), flush=True)
        if frame is None:
            return
        number = payload.frame_id(message.topic, metadata)
        suffix = SUFFIXES.get(frame[:2], ".bin")
        path = folder / f"output_{number}{suffix}"
        path.write_bytes(frame)
        print("Saved:", path, flush=True)

    paho.mqtt.subscribe.callback(on_message, topic, **connection)


if __name__ == "__main__":
    main()
