#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints the metadata of every message on the EIS Message Bus, one line
each, until Ctrl-C, and saves the frames if it is told where.

Needs pyzmq: apt install python3-zmq
"""
import argparse
import json
from pathlib import Path

import zmq


def read(socket):
    """Returns (topic, metadata, frame or None) of the next message."""
    topic, content_type, count, *parts = socket.recv_multipart()
    if content_type != b"\0" or count != bytes([len(parts)]):
        raise ValueError("no message of the EIS Message Bus")
    frame = parts[1] if len(parts) > 1 else None
    return topic.rstrip(b"\0").decode(), json.loads(parts[0]), frame


def suffix(metadata):
    """What a file of the frame's bytes is called."""
    return {"jpeg": ".jpg", "png": ".png"}.get(
        metadata.get("encoding_type"), ".raw")


def main():
    parser = argparse.ArgumentParser(
        description="Prints what vigil publishes on the EIS Message Bus.")
    parser.add_argument("--endpoint", default="tcp://127.0.0.1:65114",
                        help="tcp://host:port or ipc:///folder/file")
    parser.add_argument("--topic", default="",
                        help="the topic, or its beginning")
    parser.add_argument("--save-frames", metavar="FOLDER", type=Path,
                        help="save each frame there")
    options = parser.parse_args()
    socket = zmq.Context().socket(zmq.SUB)
    socket.setsockopt_string(zmq.SUBSCRIBE, options.topic)
    socket.connect(options.endpoint)
    if options.save_frames:
        options.save_frames.mkdir(parents=True, exist_ok=True)
    while True:
        _, metadata, frame = read(socket)
        print(json.dumps(metadata), flush=True)
        if options.save_frames and frame:
            name = f"{metadata['frame_id']:06}{suffix(metadata)}"
            (options.save_frames / name).write_bytes(frame)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
