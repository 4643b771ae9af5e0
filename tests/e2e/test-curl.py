#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The requests that the documentation of DL Streamer Pipeline Server (DLSPS)
gives to its users, typed as they stand there: to its port, with its paths of
files. What needs DL Streamer's elements has others of the same names."""
import json
import os
import re
import shutil
import subprocess
import time
from pathlib import Path

import rig
import tap

RESOURCES = Path("/home/pipeline-server/resources")
RESULTS = Path("/tmp/results.jsonl")
HEADER = "-X POST -H 'Content-Type: application/json'"
SERVER = "http://localhost:8080/pipelines"
PALLETS = f"{SERVER}/user_defined_pipelines/pallet_defect_detection"
PARAMETERS = """
    "parameters": {
        "detection-properties": {
            "model": "/home/pipeline-server/resources/models/model.xml",
            "device": "CPU"
        }
    }"""
SOURCE = """
    "source": {
        "uri": "file:///home/pipeline-server/resources/videos/warehouse.avi",
        "type": "uri"
    },"""
START_FILE = f"""curl {PALLETS} {HEADER} -d '{{{SOURCE}
    "destination": {{
        "metadata": {{
            "type": "file",
            "path": "/tmp/results.jsonl",
            "format": "json-lines"
        }},
        "frame": {{
            "type": "rtsp",
            "path": "pallet_defect_detection"
        }}
    }},{PARAMETERS}
}}'"""
START_MQTT = f"""curl {PALLETS} {HEADER} -d '{{{SOURCE}
    "destination": {{
        "metadata": {{
            "type": "mqtt",
            "publish_frame": true,
            "topic": "pallet_defect_detection"
        }},
        "frame": {{
            "type": "rtsp",
            "path": "pallet_defect_detection"
        }}
    }},{PARAMETERS}
}}'"""
START_IMAGES = f"""curl {SERVER}/user_defined_pipelines/images {HEADER} -d '{{
    "sync": true,{PARAMETERS}
}}'"""
POST_IMAGE = SERVER + "/user_defined_pipelines/images/{instance_id} " + \
    HEADER + """ -d '{
    "source": {
        "path": "/home/pipeline-server/resources/images/classroom.jpg",
        "type": "file"
    },
    "publish_frame": true,
    "timeout": 20
}'"""
INFERENCE = "decodebin ! videoconvert ! identity name=detection ! queue ! " \
            "identity name=fpscounter ! appsink name=destination"
SCHEMA = {"type": "object", "properties": {"detection-properties": {
    "element": {"name": "detection", "format": "element-properties"}}}}


# ---- The places of the documentation

def mount(*words, **options):
    subprocess.run(["mount", *words], check=True, timeout=rig.LIMIT_S,
                   **options)


def cover(folder):
    """In this mount namespace, @folder has nothing in it but what this
    program lies in."""
    kept = {}
    for path in (tap.ROOT.resolve(), rig.BUILD.resolve()):
        if folder in path.parents:
            name = path.relative_to(folder).parts[0]
            if name not in kept:
                kept[name] = os.open(folder / name, os.O_PATH)
    mount("-t", "tmpfs", "-o", "mode=1777", "none", folder)
    for name, descriptor in kept.items():
        (folder / name).mkdir()
        # The descriptor still leads to what is covered.
        mount("--no-canonicalize", "--rbind",
              f"/proc/self/fd/{descriptor}", folder / name,
              pass_fds=[descriptor])
        os.close(descriptor)


def make_resources():
    for name in ("videos", "images", "models"):
        (RESOURCES / name).mkdir(parents=True)
    shutil.copy(rig.make_video(frames=1500, width=320, height=240, rate=10),
                RESOURCES / "videos/warehouse.avi")
    subprocess.run(
        ["gst-launch-1.0", "-q", "videotestsrc", "num-buffers=1", "!",
         "jpegenc", "!", "filesink",
         f"location={RESOURCES}/images/classroom.jpg"],
        check=True, timeout=rig.LIMIT_S)


def serve(broker):
    config = rig.write_config(
        rig.pipeline("{auto_source} name=source ! " + INFERENCE,
                     "pallet_defect_detection", auto_start=False,
                     source="gstreamer", parameters=SCHEMA,
                     publisher={"topic": "none"}),
        rig.pipeline("{auto_source} name=source ! " + INFERENCE, "images",
                     auto_start=False, source="image_ingestor",
                     parameters=SCHEMA))
    # As the container's environment has it.
    server = rig.serve(config, rig.write_environment(
        broker, REST_SERVER_PORT="8080", RTSP_PORT="8554", ENABLE_RTSP="true"))
    server.wait_for("REST on http://127.0.0.1:8080")
    return server


# ---- What is typed

def type_line(line):
    """Returns what is shown on standard output."""
    # Without what a user's .curlrc may add.
    done = subprocess.run(
        ["bash", "-c", line], check=False, timeout=rig.LIMIT_S,
        capture_output=True, text=True,
        env={**os.environ, "HOME": "/invalid"})
    assert done.returncode == 0, f"{line}\n{done.stderr}"
    return done.stdout


def start(line):
    answer = type_line(line)
    assert re.fullmatch(r'"[0-9a-f]{32}"\n', answer), answer
    return answer.strip().strip('"')


def status(instance):
    return json.loads(type_line(
        f"curl --location -X GET {SERVER}/{instance}/status"))


def wait_for(condition, what):
    end = time.monotonic() + rig.LIMIT_S
    while not condition():
        assert time.monotonic() < end, what()
        time.sleep(0.1)


def watch():
    """A viewer of the documented address."""
    return rig.Program(
        "gst-launch-1.0", "-v", "rtspsrc", "protocols=tcp",
        "location=rtsp://localhost:8554/pallet_defect_detection", "!",
        "rtpjpegdepay", "!", "jpegdec", "!", "identity", "name=seen",
        "silent=false", "!", "fakesink")


def stop(instance):
    answer = json.loads(type_line(
        f"curl --location -X DELETE {SERVER}/{instance}"))
    assert answer["id"] == instance, answer
    assert answer["state"] == "ABORTED", answer


def test_metadata_and_frames():
    with rig.Broker(address="127.0.0.1") as broker, serve(broker), \
            rig.Program("mosquitto_sub", "-h", "localhost", "-t",
                        "pallet_defect_detection") as subscriber:
        broker.wait_for_subscribers(1)
        instance = start(START_MQTT)
        with watch() as viewer:
            viewer.wait_for("GstIdentity:seen: last-message = chain", 20)
            subscriber.wait_for('"frame_id"', 20)
        # Metadata, and the frame in base64: a JPEG.
        metadata, frame = json.loads(subscriber.lines[0])
        assert metadata["pipeline"]["version"] == "pallet_defect_detection"
        assert frame.startswith("/9j/"), frame[:20]
        assert status(instance)["state"] == "RUNNING"
        stop(instance)


def test_results_in_a_file():
    with rig.Broker(address="127.0.0.1") as broker, serve(broker):
        instance = start(START_FILE)
        with watch() as viewer:
            viewer.wait_for("GstIdentity:seen: last-message = chain", 20)
        wait_for(lambda: type_line(f"cat {RESULTS}").count("\n") > 20,
                 lambda: status(instance))
        first = json.loads(type_line(f"head -n 1 {RESULTS}"))
        assert first["frame_id"] == 0, first
        stop(instance)


def test_questions():
    with rig.Broker(address="127.0.0.1") as broker, serve(broker):
        listed = json.loads(type_line(f"curl {SERVER}"))
        assert [item["version"] for item in listed] == \
            ["pallet_defect_detection", "images"], listed
        assert type_line(f"curl --location -X GET {SERVER}/status") == "[]\n"
        instance = start(START_MQTT)
        wait_for(lambda: status(instance)["avg_fps"] > 0,
                 lambda: status(instance))
        # Laid out as DLSPS does, for those who use grep.
        text = type_line(f"curl --location -X GET {SERVER}/status")
        assert f'"id": "{instance}"' in text, text
        assert '"state": "RUNNING"' in text, text
        summary = json.loads(type_line(f"curl {SERVER}/{instance}"))
        assert summary["params"]["source_type"] == "gstreamer", summary
        assert summary["params"]["parameters"]["detection-properties"][
            "device"] == "CPU", summary
        assert summary["request"]["pipeline"] == {
            "name": "user_defined_pipelines",
            "version": "pallet_defect_detection"}, summary
        stop(instance)
        assert type_line(f"curl {SERVER}/{'0' * 32}/status") == \
            '"Invalid instance"\n'


def test_images():
    with rig.Broker(address="127.0.0.1") as broker, serve(broker):
        instance = start(START_IMAGES)
        for _ in range(2):
            answer = json.loads(json.loads(type_line(
                "curl " + POST_IMAGE.replace("{instance_id}", instance))))
            assert answer["blob"].startswith("/9j/"), answer
            assert answer["metadata"]["source_path"].endswith(
                "classroom.jpg"), answer
        stop(instance)


def main():
    rig.enter_own_network("--mount")
    try:
        cover(Path("/home"))
        cover(Path("/tmp"))
    except subprocess.CalledProcessError:
        print("1..0 # SKIP this machine lets nobody mount")
        return
    make_resources()
    tap.run(globals())


main()
