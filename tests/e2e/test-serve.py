#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""vigil serve and vigil check-config: a video's frames and metadata reach a
subscriber, and what is wrong is said and harms nothing else."""
import base64
import json
import os
import signal
import socket
import struct
import subprocess

import rig
import tap

FRAMES = 30
FILE = "{auto_source} ! decodebin ! videoconvert ! jpegenc ! " \
    "appsink name=destination sync=false"
LIVE = "videotestsrc is-live=true ! " \
    "video/x-raw,format=I420,width=64,height=48,framerate=50/1 ! " \
    "appsink name=destination"
GOOD = {"publish_frame": False}
KEYS = {"height", "width", "channels", "caps", "img_format", "img_handle",
        "objects", "gva_meta", "resolution", "timestamp", "tags",
        "encoding_type", "encoding_level", "pipeline", "frame_id", "pts",
        "time"}


def jpeg_size(data):
    """(width, height) from the frame header of a JPEG."""
    assert data[:2] == b"\xff\xd8" and data[-2:] == b"\xff\xd9"
    place = 2
    while True:
        marker, length = struct.unpack(">HH", data[place:place + 4])
        if 0xFFC0 <= marker <= 0xFFC3:
            height, width = struct.unpack(">HH", data[place + 5:place + 9])
            return width, height
        place += 2 + length


def raw_messages(broker, *arguments):
    """mosquitto_sub: the payloads as they are on the wire."""
    before = broker.count("Sending SUBACK")
    program = rig.Program("mosquitto_sub", "-h", broker.address, "-t",
                          rig.TOPIC, *arguments)
    broker.wait_for_subscribers(before + 1)
    return program


def play(publisher, frames=FRAMES, text=FILE, **more):
    """Plays a video to its end. Returns (payloads, what the server said)."""
    video = rig.make_video(frames)
    config = rig.write_config(rig.pipeline(
        text, publisher=publisher, uri=video.as_uri(), **more))
    with rig.Broker() as broker, raw_messages(broker) as subscriber:
        with rig.serve(config, rig.write_environment(broker)) as server:
            subscriber.wait_for("{", frames)
            assert server.terminate() == 0, server.text()
        # Nothing more is on its way once the server has ended.
        subscriber.terminate()
        return [json.loads(line) for line in subscriber.lines], server.text()


def check_frames(payloads, expected=FRAMES):
    assert [metadata["frame_id"] for metadata in payloads] == \
        list(range(expected)), payloads


def test_every_frame_of_a_file_arrives():
    payloads, log = play({})
    check_frames(payloads)
    assert f"offered {FRAMES}, filtered 0, published {FRAMES}, dropped 0" \
        in log, log
    for metadata in payloads:
        missing = KEYS - set(metadata)
        assert not missing, missing
        assert (metadata["width"], metadata["height"]) == (64, 48)
        assert metadata["img_format"] == "none", metadata
        assert metadata["pipeline"]["version"] == "test", metadata


def test_every_frame_arrives_with_qos_1_and_2():
    for qos in (1, 2):
        payloads, _ = play({"qos": qos})
        check_frames(payloads)


def test_array_holds_metadata_and_the_frame():
    payloads, _ = play({"publish_frame": True})
    check_frames([message[0] for message in payloads])
    for message in payloads:
        assert jpeg_size(base64.b64decode(message[1], validate=True)) == \
            (64, 48)


def test_object_holds_metadata_and_the_frame():
    payloads, _ = play({"publish_frame": True, "payload_format": "object"})
    check_frames([message["metadata"] for message in payloads])
    for message in payloads:
        assert set(message) == {"metadata", "blob"}
        base64.b64decode(message["blob"], validate=True)


def test_object_without_a_frame_has_an_empty_blob():
    payloads, _ = play({"payload_format": "object"})
    assert all(message["blob"] == "" for message in payloads)


def test_environment_sets_the_payload_format():
    video = rig.make_video(3)
    config = rig.write_config(
        rig.pipeline(FILE, publisher={}, uri=video.as_uri()))
    with rig.Broker() as broker, raw_messages(broker, "-C", "3") as subscriber:
        environment = rig.write_environment(
            broker, MQTT_PAYLOAD_FORMAT="object")
        with rig.serve(config, environment):
            assert subscriber.wait() == 0
    assert "blob" in json.loads(subscriber.lines[0])


def test_jpegenc_output_passes_byte_for_byte():
    place = rig.folder()
    # Whole blocks of 16 x 16: what jpegenc pads others with is any memory.
    pattern = "videotestsrc num-buffers=5 pattern=smpte ! " \
        "video/x-raw,width=128,height=64 ! jpegenc"
    subprocess.run(
        ["gst-launch-1.0", "-q", *pattern.split(), "!", "multifilesink",
         f"location={place}/%d.jpg"], check=True)
    with rig.Broker() as broker, raw_messages(broker, "-C", "5") as subscriber:
        config = rig.write_config(rig.pipeline(
            f"{pattern} ! appsink name=destination sync=false",
            publisher={"publish_frame": True}))
        with rig.serve(config, rig.write_environment(broker)):
            assert subscriber.wait() == 0
    for number, line in enumerate(subscriber.lines):
        frame = base64.b64decode(json.loads(line)[1])
        assert frame == (place / f"{number}.jpg").read_bytes(), number


def test_raw_frames_are_encoded():
    shapes = [(form, width, height)
              for form in ("I420", "NV12", "RGB", "BGR", "GRAY8", "RGBA",
                           "BGRx", "YUY2")
              for width, height in ((64, 48), (33, 17), (1, 1))]
    entries = [
        rig.pipeline(
            "videotestsrc num-buffers=2 ! video/x-raw,"
            f"format={form},width={width},height={height} ! "
            "appsink name=destination sync=false", f"{form}-{width}",
            {"publish_frame": True, "topic": f"raw/{form}/{width}/{height}"})
        for form, width, height in shapes]
    with rig.Broker() as broker, rig.Program(
            "mosquitto_sub", "-h", broker.address, "-t", "raw/#", "-F",
            "%t %p", "-C", 2 * len(shapes)) as subscriber:
        broker.wait_for_subscribers(1)
        with rig.serve(rig.write_config(*entries),
                       rig.write_environment(broker)) as server:
            assert subscriber.wait() == 0, server.text()
    for line in subscriber.lines:
        topic, _, payload = line.partition(" ")
        _, form, width, height = topic.split("/")
        metadata, blob = json.loads(payload)
        assert metadata["img_format"] == form
        assert blob, topic
        assert jpeg_size(base64.b64decode(blob)) == \
            (int(width), int(height)), topic


def test_what_mqtt_5_sends_beside_the_payload():
    publisher = {"protocol": 5, "topic": "five", "publish_frame": True,
                 "payload_format": "binary", "message_expiry_s": 3600,
                 "user_properties": {"site": "gate", "unit": "7"}}
    config = rig.write_config(rig.pipeline(LIVE, publisher=publisher))
    with rig.Broker() as broker, rig.Program(
            "mosquitto_sub", "-h", broker.address, "-V", "5", "-t", "five/#",
            "-F", "%t|%E|%C|%P", "-C", "2") as subscriber:
        broker.wait_for_subscribers(1)
        with rig.serve(config, rig.write_environment(broker)) as server:
            assert subscriber.wait() == 0, server.text()
    for line, kind in zip(subscriber.lines, ("image/jpeg", "application/json")):
        _, expiry, content_type, properties = line.split("|")
        assert content_type == kind, line
        # What is left of it: the broker counts whole seconds.
        assert 3500 < int(expiry) <= 3600, line
        assert properties.split() == ["site:gate", "unit:7"], line


def test_ends_on_sigterm_and_sigint():
    for number in (signal.SIGTERM, signal.SIGINT):
        config = rig.write_config(rig.pipeline(LIVE, publisher={"qos": 1}))
        with rig.Broker() as broker, raw_messages(broker) as subscriber:
            with rig.serve(config, rig.write_environment(broker)) as server:
                subscriber.wait_for("{", 3)
                server.signal(number)
                assert server.wait() == 0, server.text()
            # DISCONNECT was sent: this is what mosquitto calls it.
            broker.wait_for("disconnected.")


def test_topics_of_several_pipelines():
    config = rig.write_config(
        rig.pipeline(LIVE, "one", {"topic": "cameras/one"}),
        rig.pipeline(LIVE, "two", [{"topic": "cameras/two"},
                                   {"topic": "cameras/both", "name": "b"}]))
    with rig.Broker() as broker, rig.Program(
            "mosquitto_sub", "-h", broker.address, "-t", "cameras/#", "-F",
            "%t") as subscriber:
        broker.wait_for_subscribers(1)
        with rig.serve(config, rig.write_environment(broker)):
            for name in ("one", "two", "both"):
                subscriber.wait_for(f"cameras/{name}", 3)


# ---- Bad input -----------------------------------------------------------

def check(document, *words, status=78, **environment):
    """vigil check-config says @words, and starts nothing."""
    path = rig.folder() / "config.json"
    path.write_text(document if isinstance(document, str)
                    else json.dumps(document))
    result, text = rig.run_vigil(
        "check-config", path, "--env-file",
        rig.write_environment(None, **environment))
    assert result == status, (result, text)
    for word in words:
        assert word in text, f"no '{word}' in: {text}"


def entry(*arguments, **options):
    return {"config": {"pipelines": [rig.pipeline(*arguments, **options)]}}


def test_check_config_finds_nothing_wrong_with_the_default():
    status, text = rig.run_vigil(
        "check-config", tap.ROOT / "configs/default/config.json",
        "--env-file", tap.ROOT / "docker/.env")
    assert status == 0 and " 0 errors, 0 warnings" in text, text


def test_check_config_names_what_is_wrong():
    host = {"MQTT_HOST": "127.0.0.1"}
    for document, *words in (
            ("{", "line 1"),
            ("[]", "config"),
            ({}, "config"),
            ({"config": {}}, "pipelines"),
            ({"config": {"pipelines": {}}}, "pipelines"),
            (entry(LIVE, publisher={"qos": 3}),
             "config.pipelines[0].mqtt_publisher.qos", "0"),
            (entry(LIVE, publisher={"protocol": 6}), "protocol"),
            (entry(LIVE, publisher={"topic": "a/#"}), "topic"),
            (entry(LIVE, publisher={"topic": ""}), "topic"),
            (entry(LIVE, publisher={"port": 0}), "port"),
            (entry(LIVE, publisher={"publish_frame": "yes"}),
             "publish_frame"),
            (entry("videotestsrc ! ! appsink"), "config.pipelines[0].pipeline"),
            (entry("nosuchelement ! appsink name=destination"),
             "nosuchelement"),
            (entry("videotestsrc ! gvadetect ! appsink name=destination"),
             "gvadetect", "DL Streamer"),
            (entry(LIVE, queue_maxsize="x"), "queue_maxsize"),
    ):
        check(document, *words, **host)


def test_check_config_warns_of_unknown_keys():
    check(entry(LIVE, publisher={"topik": "a"}), "topik", "topic", status=0,
          MQTT_HOST="127.0.0.1")


def test_check_config_wants_a_broker():
    check(entry(LIVE, publisher={}), "MQTT_HOST")
    check(entry(LIVE, publisher={}), "MQTT_HOST", MQTT_HOST="")


def test_check_config_reads_the_port():
    for port in ("0", "abc", "65536", "-1"):
        check(entry(LIVE, publisher={}), "MQTT_PORT", MQTT_HOST="127.0.0.1",
              MQTT_PORT=port)


def test_serve_does_not_start_without_a_configuration():
    status, text = rig.run_vigil("serve", "--config", "/nowhere/config.json")
    # Which status it is depends on what is missing: no file, or no sense.
    assert status in (66, 78) and "/nowhere/config.json" in text, (status, text)


def one_bad_pipeline(bad, *words, **environment):
    """@bad and a good pipeline: @words are said, and the good one runs."""
    config = rig.write_config(
        bad, rig.pipeline(LIVE, "good", {"topic": "good"}))
    with rig.Broker() as broker, rig.subscribe(
            broker, "-t", "good", "-C", "3") as subscriber:
        with rig.serve(config, rig.write_environment(
                broker, **environment)) as server:
            assert subscriber.wait() == 0, server.text()
            for word in words:
                server.wait_for(word)
            assert server.terminate() == 0, server.text()


def test_a_bad_pipeline_does_not_harm_the_others():
    for bad, *words in (
            (rig.pipeline("videotestsrc ! !", "bad", GOOD), "pipelines[0]"),
            (rig.pipeline("nosuchelement ! fakesink", "bad", GOOD),
             "nosuchelement"),
            (rig.pipeline(LIVE, "bad", {"qos": 3}), "qos"),
            (rig.pipeline(LIVE, "bad", {"host": "", "port": 1}), "host"),
            (rig.pipeline(FILE, "bad", GOOD, uri="file:///no/such.avi"),
             "such.avi"),
    ):
        one_bad_pipeline(bad, *words)


def test_a_file_that_is_no_video_does_not_harm_the_others():
    place = rig.folder()
    (place / "empty.avi").touch()
    (place / "text.avi").write_text("this is no video\n" * 100)
    for name in ("empty.avi", "text.avi"):
        one_bad_pipeline(rig.pipeline(
            FILE, "bad", GOOD, uri=(place / name).as_uri()), "of 'bad' failed: ")


def test_a_broker_that_is_absent_harms_nobody():
    # Its port is nobody else's, but nobody listens.
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        one_bad_pipeline(rig.pipeline(LIVE, "bad", {
            "host": "127.0.0.1", "port": unused.getsockname()[1]}), "refused")


def test_a_broker_that_sends_garbage_harms_nobody():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def answer():
            while True:
                connection, _ = listener.accept()
                with connection:
                    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        rig.background(answer)
        one_bad_pipeline(rig.pipeline(
            LIVE, "bad", {"host": "127.0.0.1", "port": port}), "mqtt")


def test_a_broker_that_dies_is_found_again():
    config = rig.write_config(rig.pipeline(LIVE, publisher={"qos": 1}))
    with rig.Broker() as first:
        with rig.serve(config, rig.write_environment(first)) as server:
            with raw_messages(first) as subscriber:
                subscriber.wait_for("{", 3)
                os.killpg(first.process.pid, signal.SIGKILL)
                first.wait()
            with rig.Broker(address=first.address) as second:
                with raw_messages(second) as subscriber:
                    subscriber.wait_for("{", 3)
                server.wait_for(" messages were dropped meanwhile")
                assert server.terminate() == 0, server.text()


tap.run(globals())
