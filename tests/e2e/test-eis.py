#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The EIS Message Bus of the real program, read from the bare TCP stream:
nothing of ZeroMQ's library is on this side."""
import json
import socket
import struct
import time

import rest
import rig
import tap

TOPIC = "edge_video_analytics_results"
GREETING = b"\xff" + bytes(8) + b"\x7f\x03\x00" + b"NULL".ljust(20, b"\0") + \
    bytes(32)
MORE, LONG, COMMAND = 1, 2, 4
# Without end: nothing keeps frames for a subscriber who comes late.
RAW = "videotestsrc is-live=true ! video/x-raw,format={},width=37," \
      "height=20,framerate=30/1 ! appsink name=destination"
LIVE = "videotestsrc is-live=true ! video/x-raw,width=64,height=48," \
       "framerate=25/1 ! jpegenc ! appsink name=destination"


class Subscriber:
    """A SUB socket of ZMTP 3.0 (RFC 23), NULL mechanism. It keeps asking
    for the endpoint, as ZeroMQ's own does."""

    def __init__(self, address, port, topic=""):
        self.end = time.monotonic() + rig.LIMIT_S
        while True:
            self.socket = socket.socket()
            self.socket.settimeout(rig.LIMIT_S)
            if self.socket.connect_ex((address, port)) == 0:
                break
            self.socket.close()
            assert time.monotonic() < self.end, "nobody listens"
            time.sleep(0.01)
        self.socket.sendall(GREETING)
        assert self.take(64)[12:16] == b"NULL"
        ready = b"\x05READY\x0bSocket-Type" + struct.pack(">I", 3) + b"SUB"
        self.socket.sendall(bytes([COMMAND, len(ready)]) + ready)
        flags, body = self.frame()
        assert flags == COMMAND and body.startswith(b"\x05READY"), body
        self.socket.sendall(
            bytes([0, 1 + len(topic)]) + b"\1" + topic.encode())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def take(self, size):
        data = b""
        while len(data) < size:
            part = self.socket.recv(size - len(data))
            if not part:
                raise EOFError
            data += part
        return data

    def frame(self):
        flags = self.take(1)[0]
        if flags & LONG:
            size = struct.unpack(">Q", self.take(8))[0]
        else:
            size = self.take(1)[0]
        return flags & ~LONG, self.take(size)

    def message(self, instance=None):
        """Returns (metadata, blob or None), the next of @instance if it is
        given; checks the envelope."""
        while True:
            metadata, blob = self.next_message()
            if instance in (None, metadata["pipeline"]["instance_id"]):
                return metadata, blob

    def next_message(self):
        frames = []
        while True:
            flags, body = self.frame()
            assert flags in (0, MORE), flags
            frames.append(body)
            if flags == 0:
                break
        assert frames[0].endswith(b"\0"), frames[0]
        assert frames[1] == b"\0", frames[1]
        assert frames[2] == bytes([len(frames) - 3]), frames[2]
        assert len(frames) in (4, 5), len(frames)
        self.topic = frames[0][:-1].decode()
        return json.loads(frames[3]), frames[4] if len(frames) == 5 else None


def write_config(address, *entries, **publisher):
    path = rig.write_config(*entries)
    config = json.loads(path.read_text())
    config["interfaces"] = {"Publishers": [{
        "Name": "default", "Type": "zmq_tcp", "EndPoint": f"{address}:65114",
        "Topics": [TOPIC], "AllowedClients": ["*"], **publisher}]}
    path.write_text(json.dumps(config))
    return path


def entry(text, **more):
    return rig.pipeline(text, eis_publisher={"publish_frame": True}, **more)


def nulls(value):
    if isinstance(value, dict):
        return [key for key in value if value[key] is None] + \
            [name for child in value.values() for name in nulls(child)]
    return [name for child in value for name in nulls(child)] \
        if isinstance(value, list) else []


def test_every_frame_of_a_file_while_the_broker_is_absent():
    address = rig.own_address()
    video = rig.make_video(frames=40)
    config = write_config(address, entry(LIVE, name="live"), entry(
        "{auto_source} ! avidemux ! appsink name=destination sync=false",
        auto_start=False, publisher={"host": address, "port": 1}))
    with rig.serve(config, rig.write_environment()) as server, \
            Subscriber(address, 65114) as subscriber:
        # What it sees of the other one says that it has subscribed.
        subscriber.message()
        instance = rest.Client(server).start("test", {
            "source": {"type": "uri", "uri": video.as_uri()}})
        for number in range(40):
            metadata, blob = subscriber.message(instance)
            assert subscriber.topic == TOPIC
            assert metadata["frame_id"] == number, metadata
            assert metadata["width"] == 64 and metadata["height"] == 48
            assert metadata["channels"] == 3
            assert isinstance(metadata["img_handle"], str)
            assert metadata["pipeline"]["name"], metadata
            assert blob[:3] == b"\xff\xd8\xff" and blob[-2:] == b"\xff\xd9"
            assert not nulls(metadata), metadata
        assert server.terminate() == 0, server.text()


def test_raw_frames_are_encoded():
    address = rig.own_address()
    config = write_config(address, entry(RAW.format("NV12")))
    with rig.serve(config, rig.write_environment()), \
            Subscriber(address, 65114) as subscriber:
        metadata, blob = subscriber.message()
        assert metadata["encoding_type"] == "jpeg"
        assert metadata["encoding_level"] == 85
        assert blob[:3] == b"\xff\xd8\xff"


def test_raw_bgr_when_asked_has_no_padding():
    address = rig.own_address()
    config = write_config(
        address, entry(RAW.format("BGR"), publish_raw_frame=True))
    with rig.serve(config, rig.write_environment()), \
            Subscriber(address, 65114) as subscriber:
        metadata, blob = subscriber.message()
        assert "encoding_type" not in metadata
        assert len(blob) == metadata["width"] * metadata["height"] * \
            metadata["channels"] == 37 * 20 * 3


def test_a_request_chooses_the_bus():
    address = rig.own_address()
    config = write_config(
        address, rig.pipeline(LIVE, "live", auto_start=False))
    with rig.serve(config, rig.write_environment()) as server:
        client = rest.Client(server)
        answer = client.ask("POST", rest.START + "live", {
            "destination": {"metadata": {"type": "eis", "name": "nobody"}}})
        assert answer.status == 400, answer
        assert "want a Name of interfaces.Publishers: default" in \
            answer.body, answer
        instance = client.start("live", {"destination": {"metadata": {
            "type": "eis", "name": "default", "publish_frame": True}}})
        with Subscriber(address, 65114, "edge_video") as subscriber:
            metadata, blob = subscriber.message()
            assert metadata["pipeline"]["instance_id"] == instance
            assert blob[:3] == b"\xff\xd8\xff"
        # the subscriber goes, and another comes
        with Subscriber(address, 65114) as subscriber:
            later, _ = subscriber.message()
            assert later["frame_id"] > metadata["frame_id"]


def test_the_example_subscriber():
    address = rig.own_address()
    frames = rig.folder() / "frames"
    config = write_config(address, entry(RAW.format("NV12")))
    script = tap.ROOT / "examples/subscriber/print_eis.py"
    with rig.serve(config, rig.write_environment()) as server, \
            rig.Program(rig.PYTHON, "-u", script, "--endpoint",
                        f"tcp://{address}:65114", "--topic", TOPIC,
                        "--save-frames", frames) as subscriber:
        subscriber.wait_for('"frame_id"', 30)
        assert server.terminate() == 0, server.text()
        ids = [message["frame_id"] for message in rig.messages(subscriber)]
        assert ids == sorted(set(ids)) and len(ids) >= 30, ids
        for number in ids[:-1]:
            picture = (frames / f"{number:06}.jpg").read_bytes()
            assert picture[:3] == b"\xff\xd8\xff", number


def test_check_config_says_what_is_wrong():
    address = rig.own_address()
    config = write_config(address, entry(RAW.format("BGR")),
                          EndPoint="localhost:65114",
                          Topics=["a_topic_of_more_than_thirty_one_bytes"])
    status, output = rig.run_vigil("check-config", config)
    assert status == 78, output
    assert "interfaces.Publishers[0].EndPoint: 'localhost': a name cannot " \
        "be bound" in output, output
    assert "warning: interfaces.Publishers[0].Topics: " in output, output
    assert "no usable entry in interfaces.Publishers" in output, output


tap.run(globals())
