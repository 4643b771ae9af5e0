#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""destination.frame of type rtsp: the program watched by GStreamer's own
client, beside MQTT."""
import re
import signal
import time

import cv2

import rest
import rig
import tap

RED = "videotestsrc is-live=true pattern=red ! " \
      "video/x-raw,format=I420,width=64,height=48,framerate=25/1 ! " \
      "appsink name=destination"
PLAY = "{auto_source} ! decodebin ! videoconvert ! " \
       "video/x-raw,format=I420 ! appsink name=destination"


def entry(text, name, **more):
    return rig.pipeline(text, name, **{"auto_start": False, **more})


def serve(*entries, broker=None, **variables):
    variables.setdefault("RTSP_PORT", "0")
    config = rig.write_config(entry(RED, "red"), entry(PLAY, "play"),
                              *entries)
    return rig.serve(config, rig.write_environment(broker, **variables))


def frame(path):
    return {"destination": {"frame": {"type": "rtsp", "path": path}}}


def url(server, path):
    server.wait_for("RTSP on")
    base = re.search(r"RTSP on (rtsp://\S+/)", server.text()).group(1)
    return base + path


def watch(server, path, *elements, protocols="tcp"):
    """A viewer; it ends with the stream, or when @elements say so, but not
    because nothing comes for some seconds."""
    return rig.Program(
        "gst-launch-1.0", "-v", "rtspsrc", f"location={url(server, path)}",
        f"protocols={protocols}", "timeout=0", "latency=50", "!",
        "rtpjpegdepay", "!",
        *elements, "jpegdec", "!", "identity", "name=seen", "silent=false",
        "!", "fakesink")


def wait_for_frames(viewer, count=20):
    viewer.wait_for("GstIdentity:seen: last-message = chain", count)


def assert_saw_end(viewer):
    """Its status says nothing: after the end of the stream it takes leave of
    a server that may be gone by then."""
    viewer.wait()
    assert "Got EOS from element" in viewer.text(), viewer.text()


def destination(status, name):
    return next(item for item in status["destinations"]
                if item["name"] == name)


def wait_for(condition, what):
    end = time.monotonic() + rig.LIMIT_S
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.02)


def test_example():
    """The request of the documentation: metadata and frames over MQTT, and
    the frames over RTSP."""
    video = rig.make_video(frames=1500, width=320, height=240, rate=10)
    with rig.Broker() as broker, serve(broker=broker) as server, \
            rig.subscribe(broker, "-t", "pallet_defect_detection") as seen:
        client = rest.Client(server)
        instance = client.start("play", {
            "source": {"type": "uri", "uri": video.as_uri()},
            "destination": {
                "metadata": {"type": "mqtt", "publish_frame": True,
                             "topic": "pallet_defect_detection"},
                "frame": {"type": "rtsp",
                          "path": "pallet_defect_detection"}}})
        with watch(server, "pallet_defect_detection") as first, \
                watch(server, "pallet_defect_detection") as second:
            wait_for_frames(first)
            wait_for_frames(second)
            wait_for(lambda: len(rig.messages(seen)) > 20, seen.text())
            status = client.status(instance)
            # Encoded once, for the broker and for both viewers.
            mqtt = destination(status, "mqtt")
            assert mqtt["state"] == "connected", status
            assert destination(status, "rtsp")["state"] == "streaming"
            assert destination(status, "rtsp")["connects"] == 2, status
            assert status["frames"]["encoded"] <= mqtt["offered"] + 1, status
            answer = client.ask("DELETE", f"/pipelines/{instance}")
            assert answer.json()["state"] == "ABORTED", answer
            for viewer in first, second:
                assert_saw_end(viewer)
        assert server.terminate() == 0, server.text()


def test_no_viewer():
    """Nothing is encoded that nobody sees."""
    with serve() as server:
        client = rest.Client(server)
        instance = client.start("red", frame("cam"))
        wait_for(lambda: destination(client.status(instance), "rtsp")[
            "dropped"]["no_viewer"] >= 10, "no frames")
        status = client.status(instance)
        assert status["frames"]["encoded"] == 0, status
        assert destination(status, "rtsp")["state"] == "listening", status
        with watch(server, "cam", protocols="udp") as viewer:
            wait_for_frames(viewer)
            assert client.status(instance)["frames"]["encoded"] > 0
        # The next one's pipeline is a new one.
        wait_for(lambda: destination(client.status(instance), "rtsp")["state"]
                 == "listening", "still watched")
        with watch(server, "cam") as viewer:
            wait_for_frames(viewer)


def test_picture():
    """What viewers see has the source's colours."""
    folder = rig.folder()
    with serve() as server:
        client = rest.Client(server)
        client.start("red", frame("a/b-c_d/1"))
        with watch(server, "a/b-c_d/1", "tee", "name=t", "t.", "!", "queue",
                   "!", "multifilesink", f"location={folder}/%d.jpg", "t.",
                   "!", "queue", "!") as viewer:
            wait_for_frames(viewer)
            # Of its two branches, the other one may be ahead.
            picture = folder / "5.jpg"
            wait_for(lambda: picture.exists() and
                     picture.read_bytes().endswith(b"\xff\xd9"), picture)
        blue, green, red = cv2.imread(str(picture))[24, 32]
        assert red > 245 and green < 10 and blue < 10, (red, green, blue)


def count_published(client, instance):
    return destination(client.status(instance), "mqtt")["published"]


def test_frozen_viewer():
    """A stopped viewer slows neither the pipeline nor its neighbour."""
    with rig.Broker() as broker, serve(broker=broker) as server:
        client = rest.Client(server)
        request = frame("cam")
        request["destination"]["metadata"] = {"type": "mqtt", "topic": "t"}
        instance = client.start("red", request)
        with watch(server, "cam") as frozen, watch(server, "cam") as other:
            wait_for_frames(frozen)
            wait_for_frames(other)
            frozen.signal(signal.SIGSTOP)
            before = count_published(client, instance)
            # Four seconds' worth, which must come in seven times that.
            wait_for_frames(other, other.count("last-message = chain") + 100)
            wait_for(lambda: count_published(client, instance) >= before + 90,
                     client.status(instance))
            answer = client.ask("DELETE", f"/pipelines/{instance}")
            assert answer.json()["state"] == "ABORTED", answer
            assert_saw_end(other)


def test_stop_with_viewers():
    with serve() as server:
        client = rest.Client(server)
        client.start("red", frame("cam"))
        with watch(server, "cam") as viewer:
            wait_for_frames(viewer)
            assert server.terminate() == 0, server.text()
            assert_saw_end(viewer)


def test_auto_start():
    with serve(entry(RED, "auto", auto_start=True,
                     payload=frame("auto"))) as server:
        with watch(server, "auto") as viewer:
            wait_for_frames(viewer)


def test_two_paths():
    """A list serves both, each path its own viewers."""
    with serve() as server:
        client = rest.Client(server)
        client.start("red", {"destination": {"frame": [
            {"type": "rtsp", "path": "one"},
            {"type": "rtsp", "path": "two", "cache-length": 5}]}})
        with watch(server, "one") as first, watch(server, "two") as second:
            wait_for_frames(first)
            wait_for_frames(second)


def test_path_in_use():
    with serve() as server:
        client = rest.Client(server)
        instance = client.start("red", frame("cam"))
        answer = client.ask("POST", rest.START + "red", frame("cam"))
        assert answer.status == 400, answer
        assert "destination.frame: 'cam': another instance" in answer.body
        client.ask("DELETE", f"/pipelines/{instance}")
        client.start("red", frame("cam"))


def test_refusals():
    with serve() as server:
        client = rest.Client(server)
        for value, words in (
                ({"type": "rtsp"}, "destination.frame.path: missing"),
                ({"type": "rtsp", "path": "/x"},
                 "destination.frame.path: '/x': want letters"),
                ({"type": "webrtc", "peer-id": "cam"},
                 "destination.frame.type: 'webrtc': want 'rtsp'"),
                ([{"type": "s3_write", "bucket": "b", "folder_prefix": "f"}],
                 "destination.frame[0].type: 's3_write': want 'rtsp'"),
                ({"path": "cam"}, "destination.frame.type: missing"),
                ("rtsp", "destination.frame: "),
                ([7], "destination.frame[0]: ")):
            answer = client.ask("POST", rest.START + "red",
                                {"destination": {"frame": value}})
            assert answer.status == 400 and words in answer.body, answer
        assert client.get("/pipelines/status").json() == []
        # Nothing has asked for RTSP yet, so nothing listens.
        assert "RTSP on" not in server.text(), server.text()


def test_off():
    with serve(ENABLE_RTSP="false") as server:
        client = rest.Client(server)
        answer = client.ask("POST", rest.START + "red", frame("cam"))
        assert answer.status in (400, 501), answer
        assert "want ENABLE_RTSP=true" in answer.body, answer


tap.run(globals())
