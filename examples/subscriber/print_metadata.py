#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints the metadata of every message, one line each, until Ctrl-C.

Needs paho-mqtt: apt install python3-paho-mqtt
"""
import json

import paho.mqtt.subscribe

import options
import payload


def on_message(_client, _userdata, message):
    metadata, _ = payload.split(message.topic, message.payload)
    if metadata is not None:
        print(json.dumps(metadata), flush=True)


def main():
    _, topic, connection = options.parse("Prints vigil's metadata.")
    paho.mqtt.subscribe.callback(on_message, topic, **connection)


if __name__ == "__main__":
    main()
