#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Other people's subscribers understand what vigil publishes: the seed's own
scripts, as they stand, and the examples of the repository."""
import subprocess
import time

import rig
import tap

FRAMES = 12
WIDTH, HEIGHT = 96, 64
PIPELINE = "{auto_source} ! decodebin ! videoconvert ! jpegenc ! " \
    "appsink name=destination sync=false"


def check_packages():
    done = subprocess.run(
        [rig.PYTHON, "-c", "import paho.mqtt.subscribe, cv2"], check=False,
        stderr=subprocess.DEVNULL)
    if done.returncode != 0:
        raise tap.Skip("python3-paho-mqtt and python3-opencv are missing")


def play(broker, publisher):
    """Publishes a short video to its end."""
    video = rig.make_video(FRAMES, WIDTH, HEIGHT)
    config = rig.write_config(rig.pipeline(
        PIPELINE, publisher=publisher, uri=video.as_uri()))
    return rig.serve(config, rig.write_environment(broker))


def run_script(script, publisher, words, is_done=lambda place: True):
    """Runs a Python subscriber beside a vigil that plays a video; returns
    when @words have come once for each frame and @is_done says of its folder
    that it has done its work. @script: gives the command for a broker.
    Returns (lines, the folder it ran in)."""
    check_packages()
    place = rig.folder()
    with rig.Broker() as broker, rig.Program(
            rig.PYTHON, "-u", *script(broker), cwd=place,
            PYTHONDONTWRITEBYTECODE="1") as subscriber:
        broker.wait_for_subscribers(1)
        with play(broker, publisher) as server:
            subscriber.wait_for(words, FRAMES)
            assert server.terminate() == 0, server.text()
        end = time.monotonic() + rig.LIMIT_S
        while not is_done(place):
            assert time.monotonic() < end, sorted(place.iterdir())
            time.sleep(0.02)
        return list(subscriber.lines), place


def seed_script(name):
    def fill_in(broker):
        text = (tap.ROOT / "tests/data/seed" / name).read_text()
        text = text.replace("<TOPIC>", rig.TOPIC)
        text = text.replace("<MQTT_BROKER_ADDRESS>", broker.address)
        path = rig.folder() / name
        path.write_text(text)
        return [path]
    return fill_in


def pictures(place):
    return [place / f"output_{i}.jpg" for i in range(FRAMES)]


def has_all_pictures(place):
    """A script tells of a picture before it has written it."""
    return all(name.exists() and name.read_bytes().endswith(b"\xff\xd9")
               for name in pictures(place))


def check_pictures(place):
    """Every frame is there and decodes to the video's size."""
    names = pictures(place)
    code = "import cv2, sys\nfor name in sys.argv[1:]:\n" \
        "    print(cv2.imread(name).shape)"
    done = subprocess.run(
        [rig.PYTHON, "-c", code, *names], check=True, capture_output=True,
        text=True)
    assert done.stdout == f"({HEIGHT}, {WIDTH}, 3)\n" * FRAMES, done.stdout


def test_seed_script_prints_metadata():
    lines, _ = run_script(seed_script("print.py"), {}, rig.TOPIC)
    assert len(lines) == FRAMES, lines
    assert all(line.startswith(rig.TOPIC + " b'{") for line in lines), lines


def test_seed_script_prints_frames_too():
    lines, _ = run_script(
        seed_script("print.py"), {"publish_frame": True}, rig.TOPIC)
    assert all(line.startswith(rig.TOPIC + " b'[{") for line in lines), lines


def test_seed_script_saves_frames():
    _, place = run_script(seed_script("frames.py"), {"publish_frame": True},
                          "Saving frame to output_", has_all_pictures)
    check_pictures(place)


def example(name):
    def command(broker):
        return [tap.ROOT / "examples/subscriber" / name, "--host",
                broker.address]
    return command


def test_example_prints_metadata_of_each_format():
    for publisher in ({}, {"publish_frame": True},
                      {"publish_frame": True, "payload_format": "object"}):
        lines, _ = run_script(
            example("print_metadata.py"), publisher, '"frame_id"')
        assert len(lines) == FRAMES, lines


def test_example_saves_frames_of_each_format():
    for form in ("array", "object"):
        _, place = run_script(
            example("save_frames.py"),
            {"publish_frame": True, "payload_format": form}, "Saved: ",
            has_all_pictures)
        check_pictures(place)


tap.run(globals())
