#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Images that are posted to instances of an image ingestor."""
import base64
import json
import os
import subprocess
import threading

import rest
import rig
import tap

DECODE = "{auto_source} ! decodebin ! videoconvert ! " \
         "video/x-raw,format=BGR ! appsink name=destination"


def make_image(encoder="jpegenc", width=64, height=48):
    path = rig.folder() / "image"
    subprocess.run(
        ["gst-launch-1.0", "-q", "videotestsrc", "num-buffers=1", "!",
         f"video/x-raw,width={width},height={height}", "!", encoder, "!",
         "filesink", f"location={path}"], check=True, timeout=rig.LIMIT_S,
        stdout=subprocess.DEVNULL)
    return path


def serve(text=DECODE, broker=None, **settings):
    publisher = {"publisher": {"publish_frame": True, "qos": 1}} \
        if broker else {}
    config = rig.write_config(
        rig.pipeline(text, "images", **publisher, auto_start=False,
                     source="image_ingestor"),
        rig.pipeline("videotestsrc is-live=true ! appsink name=destination",
                     "live", auto_start=False), rest=settings)
    return rig.serve(config, rig.write_environment(broker))


def post(client, instance, source, name="images", timeout=20, **more):
    return client.ask("POST", f"{rest.START}{name}/{instance}",
                      {"source": source, "timeout": timeout, **more})


def file(path):
    return {"type": "file", "path": str(path)}


def in_base64(path):
    return {"type": "base64_image",
            "data": base64.b64encode(path.read_bytes()).decode()}


def test_asynchronous():
    image = make_image()
    with rig.Broker() as broker, rig.subscribe(
            broker, "-q", "1", "-C", "2") as program, serve(
                broker=broker) as server:
        client = rest.Client(server)
        instance = client.start("images")
        server.wait_for("connected")
        for source in (file(image), in_base64(image)):
            answer = post(client, instance, source,
                          custom_meta_data={"order": 17})
            assert answer.status == 200, answer
            assert answer.json() == \
                "Request submitted. Check destination for response.", answer
        program.wait()
        first, second = rig.messages(program)
        assert first["source_path"] == str(image), first
        assert second["source_data"] == "base64_image", second
        assert first["order"] == second["order"] == 17
        assert (first["width"], first["height"]) == (64, 48), first


def test_synchronous():
    image = make_image(width=32, height=24)
    with serve() as server:
        client = rest.Client(server)
        instance = client.start("images", {"sync": True})
        for number in range(5):
            answer = post(client, instance, in_base64(image),
                          publish_frame=number % 2 == 1,
                          custom_meta_data={"number": number, "pts": 5})
            assert answer.status == 200, answer
            # As in DLSPS: JSON in a JSON string.
            result = json.loads(answer.json())
            assert result["metadata"]["number"] == number, result
            assert result["metadata"]["width"] == 32, result
            blob = base64.b64decode(result["blob"])
            assert blob.startswith(b"\xff\xd8") == (number % 2 == 1), blob
        assert client.status(instance)["state"] == "RUNNING"


def test_png():
    image = make_image("pngenc")
    with serve() as server:
        client = rest.Client(server)
        instance = client.start("images", {"sync": True})
        answer = post(client, instance, file(image))
        assert json.loads(answer.json())["metadata"]["height"] == 48, answer


def test_several_clients_at_once():
    image = make_image()
    with serve() as server:
        client = rest.Client(server)
        instance = client.start("images", {"sync": True})
        wrong = []

        def work(name):
            for number in range(10):
                mark = f"{name}-{number}"
                answer = post(client, instance, file(image),
                              custom_meta_data={"mark": mark})
                if answer.status != 200 or json.loads(
                        answer.json())["metadata"]["mark"] != mark:
                    wrong.append(answer)
        threads = [threading.Thread(target=work, args=(name,))
                   for name in "abcd"]
        for thread in threads:
            thread.start()
        # Others are served meanwhile.
        for _ in range(50):
            assert client.get("/health/live").status == 200
        for thread in threads:
            thread.join()
        assert not wrong, wrong


def test_images_that_wait_hold_up_nobody_else():
    text = DECODE.replace("videoconvert", "valve drop=true ! videoconvert")
    image = make_image()
    with serve(text) as server:
        client = rest.Client(server)
        instance = client.start("images", {"sync": True})
        connections = [client.connect() for _ in range(20)]
        for connection in connections:
            connection.request(
                "POST", f"{rest.START}images/{instance}",
                json.dumps({"source": file(image), "timeout": 60}),
                {"Content-Type": rest.JSON})
        # The server has them all when it answers what was asked later.
        for _ in range(3):
            assert client.get("/health/live").status == 200
        client.start("images")
        assert client.ask(
            "DELETE", f"/pipelines/{instance}").status == 200
        for connection in connections:
            assert connection.getresponse().status == 400
            connection.close()


def test_an_image_of_which_no_frame_comes():
    text = DECODE.replace("videoconvert", "valve drop=true ! videoconvert")
    with serve(text) as server:
        client = rest.Client(server)
        instance = client.start("images", {"sync": True})
        answer = post(client, instance, file(make_image()), timeout=0.2)
        assert answer.status == 400, answer
        assert answer.json() == "Request execution timed out", answer


def test_refusals():
    image = make_image()
    pipe = rig.folder() / "pipe"
    os.mkfifo(pipe)
    writer = os.open(pipe, os.O_RDWR)
    with serve() as server:
        client = rest.Client(server)
        instance, live = client.start("images"), client.start("live")
        for answer, words in (
                (post(client, "x", file(image)),
                 "Pipeline instance not found"),
                (post(client, live, file(image), "live"),
                 "Failed to execute request"),
                (post(client, instance, file(image), "live"),
                 "Failed to execute request")):
            assert answer.status == 400 and answer.json() == words, answer
        for source, words in (
                (file("/no/such/image"), "source.path"),
                (file("/dev/zero"), "source.path"),
                (file(pipe), "source.path"),
                ({"type": "file"}, "source.path"),
                ({"type": "base64_image"}, "source.data"),
                ({"type": "base64_image", "data": "%%%"}, "source.data"),
                ({"type": "base64_image", "data": ""}, "source.data"),
                ({"type": "base64_image", "data": "AAECAwQ="}, "of type unknown"),
                ({"type": "x"}, "source.type"), ({}, "source.type"),
                ("x", "source"), (None, "source")):
            answer = post(client, instance, source)
            assert answer.status == 400, (source, answer)
            assert words in answer.json()["detail"], (source, answer)
        for more, words in (({"timeout": "x"}, "timeout"),
                            ({"timeout": 1e9}, "timeout"),
                            ({"custom_meta_data": []}, "custom_meta_data")):
            answer = post(client, instance, file(image), **more)
            assert answer.status == 400, answer
            assert words in answer.json()["detail"], answer
        answer = client.ask("POST", rest.START + "images", {
            "source": {"type": "uri", "uri": "file:///x"}})
        assert answer.status == 400 and "source" in answer.body, answer
        client.ask("DELETE", f"/pipelines/{instance}")
        answer = post(client, instance, file(image))
        assert answer.json() == "Failed to execute request", answer
    os.close(writer)


def test_files_from_afar():
    tokens = rig.folder() / "tokens"
    tokens.write_text("control " + "c" * 32 + "\n")
    image = make_image()
    with serve(tokens_file=str(tokens),
               folders=[str(image.parent)]) as server:
        client = rest.Client(server, "c" * 32)
        instance = client.start("images")
        assert post(client, instance, file(image)).status == 200
        answer = post(client, instance, file("/etc/passwd"))
        assert answer.status == 400, answer
        assert "config.rest.folders" in answer.body, answer


def test_a_pipeline_without_a_place_for_images():
    with serve("videotestsrc ! appsink name=destination") as server:
        client = rest.Client(server)
        answer = client.ask("POST", rest.START + "images", {})
        assert answer.status == 400 and "appsrc" in answer.body, answer


tap.run(globals())
