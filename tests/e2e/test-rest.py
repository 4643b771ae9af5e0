#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every endpoint of the REST interface, with real HTTP: paths, bodies, codes
and the literal strings that clients of DLSPS test for."""
import json
import re
import socket
import time

import jsonschema

import rest
import rig
import tap

LIVE = "videotestsrc is-live=true ! " \
       "video/x-raw,width=64,height=48,framerate=25/1 ! jpegenc ! " \
       "appsink name=destination"
PLAY = "{auto_source} ! decodebin ! videoconvert name=convert ! " \
       "appsink name=destination sync=false"
PARAMETERS = {"type": "object", "properties": {
    "pattern": {"type": "integer", "default": 0, "maximum": 20,
                "element": {"name": "picture", "property": "pattern"}}}}


def entry(text, name, **more):
    return rig.pipeline(text, name, **{"auto_start": False, **more})


def live_server(*entries, broker=None, rest_settings=None, **variables):
    """A server with the pipelines "live" and "play" and @entries."""
    more = {"rest": rest_settings} if rest_settings else {}
    config = rig.write_config(
        entry(LIVE, "live"), entry(PLAY, "play"),
        entry(LIVE.replace("videotestsrc", "videotestsrc name=picture"),
              "parameters", parameters=PARAMETERS),
        entry("videotestsrc ! nosuch", "broken"), *entries, **more)
    return rig.serve(config, rig.write_environment(broker, **variables))


def document(client):
    """The OpenAPI document, with what JSON Schema calls otherwise."""
    text = client.get("/openapi.json").body
    text = re.sub(r'"type": "(\w+)", "nullable": true',
                  r'"type": ["\1", "null"]', text)
    return json.loads(text)


def check_schema(client, name, value):
    """@value is what the document says of @name."""
    described = document(client)
    jsonschema.validate(
        value, {"$ref": f"#/components/schemas/{name}",
                "components": described["components"]})


def expect_problem(answer, status, *words):
    """A problem that names the field and what was wanted."""
    assert answer.status == status, answer
    assert answer.type == "application/problem+json", answer
    problem = answer.json()
    assert set(problem) == {"detail", "status", "title", "type"}, answer
    assert problem["status"] == status, answer
    for word in words:
        assert word in problem["detail"], f"{word}\n{answer}"


def expect_string(answer, status, text):
    assert answer.status == status, answer
    assert answer.type == "application/json", answer
    assert answer.body == f'"{text}"\n', answer


# ---- Pipelines and instances

def test_pipelines():
    with live_server() as server:
        client = rest.Client(server)
        answer = client.get("/pipelines")
        assert answer.status == 200, answer
        # The broken one is left out.
        assert [item["version"] for item in answer.json()] == \
            ["live", "play", "parameters"], answer
        for item in answer.json():
            check_schema(client, "Pipeline", item)
        one = client.get(rest.START + "parameters")
        assert one.json() == answer.json()[2], one
        assert one.json()["parameters"] == PARAMETERS, one
        expect_string(client.get(rest.START + "none"), 400,
                      "Pipeline not found")


def test_life_of_an_instance():
    with live_server() as server:
        client = rest.Client(server)
        assert client.get("/pipelines/status").json() == []
        instance = client.start("live")
        status = client.wait_for_state(instance, "RUNNING")
        check_schema(client, "Status", status)
        assert status["id"] == instance and status["message"] == ""
        summary = client.get(f"/pipelines/{instance}")
        check_schema(client, "Summary", summary.json())
        assert summary.json()["launch_command"] == LIVE, summary
        assert len(client.get("/pipelines/status").json()) == 1
        # DELETE answers when the instance has ended.
        answer = client.ask("DELETE", f"/pipelines/{instance}")
        assert answer.status == 200, answer
        assert answer.json()["state"] == "ABORTED", answer
        # Its end is remembered, and a second DELETE harms nothing.
        again = client.ask("DELETE", f"/pipelines/{instance}")
        assert again.status == 200 and again.json()["state"] == "ABORTED"
        assert client.status(instance)["state"] == "ABORTED"


def test_instances_by_their_pipeline():
    with live_server() as server:
        client = rest.Client(server)
        instance = client.start("live")
        own, other = rest.START + "live/", rest.START + "play/"
        assert client.get(own + instance).json()["id"] == instance
        assert client.get(own + instance + "/status").status == 200
        expect_string(client.get(other + instance), 400,
                      "Pipeline instance not found")
        expect_string(client.get(other + instance + "/status"), 400,
                      "Invalid instance")
        expect_string(client.ask("DELETE", other + instance), 400,
                      "Invalid pipeline, version or instance")
        answer = client.ask("DELETE", own + instance)
        assert answer.json()["state"] == "ABORTED", answer


def test_unknown_instances():
    with live_server() as server:
        client = rest.Client(server)
        for name in ("x", "0" * 32, "%00", "%2e%2e", "'; --", "a" * 4000):
            name = name.replace(" ", "%20")
            if name == "%00":
                continue
            expect_string(client.get(f"/pipelines/{name}/status"), 400,
                          "Invalid instance")
            expect_string(client.get(f"/pipelines/{name}"), 400,
                          "Pipeline instance not found")
            expect_string(client.ask("DELETE", f"/pipelines/{name}"), 400,
                          "Invalid pipeline, version or instance")


def test_states_of_files():
    uri = rig.make_video(frames=10).as_uri()
    with live_server() as server:
        client = rest.Client(server)
        good = client.start("play", {"source": {"type": "uri", "uri": uri}})
        bad = client.start("play", {"source": {
            "type": "uri", "uri": "file:///no/such/video.avi"}})
        status = client.wait_for_state(good, "COMPLETED", "ERROR")
        assert status["state"] == "COMPLETED", status
        assert status["frames"]["taken"] == 10 and status["avg_fps"] > 0
        status = client.wait_for_state(bad, "COMPLETED", "ERROR")
        assert status["state"] == "ERROR", status
        assert "/no/such/video.avi" in status["message"], status


def test_queued_beyond_the_limit():
    with live_server(MAX_RUNNING_PIPELINES="1") as server:
        client = rest.Client(server)
        first, second = client.start("live"), client.start("live")
        client.wait_for_state(first, "RUNNING")
        status = client.status(second)
        assert status["state"] == "QUEUED", status
        assert status["start_time"] is None, status
        client.ask("DELETE", f"/pipelines/{first}")
        client.wait_for_state(second, "RUNNING")


def test_too_many_instances():
    with live_server(rest_settings={"max_instances": 2}) as server:
        client = rest.Client(server)
        client.start("live")
        client.start("live")
        answer = client.ask("POST", rest.START + "live", {})
        expect_problem(answer, 429, "max_instances")
        assert answer.headers["Retry-After"], answer


def test_parameters():
    with live_server() as server:
        client = rest.Client(server)
        client.start("parameters", {"parameters": {"pattern": 18}})
        expect_problem(
            client.ask("POST", rest.START + "parameters",
                       {"parameters": {"pattern": "ball"}}),
            400, "parameters.pattern", "integer")
        expect_problem(
            client.ask("POST", rest.START + "parameters",
                       {"parameters": {"pattern": 99}}),
            400, "parameters.pattern")


# ---- Destinations

def test_several_instances_with_topics_of_their_own():
    with rig.Broker() as broker, rig.subscribe(
            broker, "-t", "one", "-t", "two", "-v") as program, live_server(
                entry(LIVE, "mqtt", publisher={"topic": "none", "qos": 1}),
                broker=broker) as server:
        client = rest.Client(server)
        ids = [client.start("mqtt", request) for request in (
            {"destination": {"metadata": {"type": "mqtt", "topic": "one",
                                          "publish_frame": True}}},
            {"mqtt_publisher": {"topic": "two"}})]
        program.wait_for("one {")
        program.wait_for("two {")
        status = client.status(ids[0])
        check_schema(client, "Status", status)
        destination = status["destinations"][0]
        assert destination["state"] == "connected", destination
        # Everything is accounted for, and QoS 1 came from the configuration.
        client.ask("DELETE", f"/pipelines/{ids[0]}")
        destination = client.status(ids[0])["destinations"][0]
        assert destination["acknowledged"] > 0, destination
        assert destination["offered"] == sum(
            destination[key] for key in (
                "filtered", "queued", "in_flight", "published",
                "acknowledged")) + sum(destination["dropped"].values())


def test_a_destination_that_is_down_is_seen():
    with rig.Broker() as broker:
        address = broker.address
    with live_server(entry(LIVE, "mqtt", publisher={}), MQTT_HOST=address,
                     MQTT_PORT="1883") as server:
        client = rest.Client(server)
        instance = client.start("mqtt")
        server.wait_for("refused")
        destination = client.status(instance)["destinations"][0]
        # Between its attempts: there is no next one while it makes one.
        end = time.monotonic() + rig.LIMIT_S
        while destination["next_retry_ms"] is None:
            assert time.monotonic() < end, destination
            time.sleep(0.02)
            destination = client.status(instance)["destinations"][0]
        assert "refused" in destination["last_error"], destination
        assert 0 <= destination["next_retry_ms"] <= 30000, destination
        client.wait_for_state(instance, "RUNNING")


def test_file_destination():
    uri = rig.make_video(frames=5).as_uri()
    path = rig.folder() / "out.jsonl"
    with live_server() as server:
        client = rest.Client(server)
        instance = client.start("play", {
            "source": {"type": "uri", "uri": uri},
            "tags": {"camera": 7},
            "destination": {"metadata": {
                "type": "file", "path": str(path), "format": "json-lines"}}})
        client.wait_for_state(instance, "COMPLETED")
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["frame_id"] for line in lines] == list(range(5)), lines
    assert lines[0]["tags"] == {"camera": 7}, lines[0]


# ---- Bad requests

BAD_REQUESTS = {
    "not JSON": (b"{bad", 400, "body: line 1"),
    "empty": (b"", 400, "want a JSON object"),
    "a list": (b"[]", 400, "want an object"),
    "a string": (b'"x"', 400, "want an object"),
    "invalid UTF-8": (b'{"tags":{"a":"\xff"}}', 400, "body"),
    "too deep": (b'{"tags":' + b'{"a":' * 40 + b"1" + b"}" * 41, 400, "body"),
    "duplicate keys": (b'{"tags":{},"tags":{}}', 400, "duplicate"),
    "source of the wrong type": ({"source": "x"}, 400, "source"),
    "no source": ({}, 400, "source"),
    "source without type": ({"source": {"uri": "file:///x"}}, 400, "source"),
    "source of unknown type": ({"source": {"type": "x"}}, 400, "source.type"),
    "uri missing": ({"source": {"type": "uri"}}, 400, "source.uri"),
    "empty destination": ({"destination": {}}, 400, "destination"),
    "destination of unknown kind": (
        {"destination": {"metadta": {"type": "mqtt"}}}, 400, "'metadta'"),
    "unknown destination": (
        {"destination": {"metadata": {"type": "kafka"}}}, 400,
        "destination.metadata.type"),
    "list of unknown destinations": (
        {"destination": {"metadata": [{"type": "kafka"}]}}, 400,
        "destination.metadata[0].type"),
    "tags of the wrong type": ({"tags": []}, 400, "tags"),
    "parameters of the wrong type": ({"parameters": 5}, 400, "parameters"),
    "wrong qos": ({"source": {"type": "uri", "uri": "file:///x"},
                   "mqtt_publisher": {"qos": 3}}, 400, "qos"),
    "broker of its own": ({"source": {"type": "uri", "uri": "file:///x"},
                           "mqtt_publisher": {"host": "evil"}}, 400,
                          "mqtt_publisher.host"),
    "launch syntax in a value": (
        {"source": {"type": "gst", "element": "fakesrc ! filesink"}}, 400,
        "source.element"),
    "link-local address": (
        {"source": {"type": "uri", "uri": "http://169.254.169.254/"}}, 400,
        "link-local"),
    "link-local address as a number": (
        {"source": {"type": "uri", "uri": "http://2852039166/"}}, 400,
        "link-local"),
    "link-local address of IPv6": (
        {"source": {"type": "uri", "uri": "http://[fe80::1]/"}}, 400,
        "link-local"),
    "unknown scheme": (
        {"source": {"type": "uri", "uri": "gopher://x/"}}, 400, "scheme"),
    "no URI": ({"source": {"type": "uri", "uri": "video.avi"}}, 400,
               "source.uri"),
}


def test_bad_requests():
    with live_server(broker=None, MQTT_HOST="localhost") as server:
        client = rest.Client(server)
        for name, (body, status, words) in BAD_REQUESTS.items():
            try:
                expect_problem(
                    client.ask("POST", rest.START + "play", body), status,
                    words)
            except AssertionError as error:
                raise AssertionError(f"{name}: {error}") from error
        # Nothing of all that was started, and the server is well.
        assert client.get("/pipelines/status").json() == []
        client.start("live")


def test_own_port_is_no_source():
    with live_server() as server:
        client = rest.Client(server)
        for host in ("127.0.0.1", "localhost", "0.0.0.0", "[::1]"):
            expect_problem(client.ask("POST", rest.START + "play", {
                "source": {"type": "uri",
                           "uri": f"http://{host}:{client.port}/metrics"}}),
                           400, "this server itself")


def test_pipelines_that_cannot_be_started():
    with live_server() as server:
        client = rest.Client(server)
        expect_string(client.ask("POST", rest.START + "none", {}), 400,
                      "Pipeline not found")
        expect_problem(client.ask("POST", rest.START + "broken", {}), 400,
                       "nosuch")


def test_paths_methods_and_types():
    with live_server() as server:
        client = rest.Client(server)
        expect_problem(client.get("/nothing"), 404)
        expect_problem(client.get("/pipelines/"), 404)
        answer = client.ask("PUT", "/pipelines")
        expect_problem(answer, 405, "GET")
        assert answer.headers["Allow"] == "GET", answer
        for content_type in ("text/plain", "application/jsonx",
                             "application/x-www-form-urlencoded", ""):
            expect_problem(
                client.ask("POST", rest.START + "live", b"{}",
                           Content_Type=content_type), 415, "json")
        answer = client.ask("POST", rest.START + "live", b"{}",
                            Content_Type="application/json; charset=utf-8")
        assert answer.status == 200, answer


def test_sizes():
    with live_server() as server:
        client = rest.Client(server)
        expect_problem(client.get("/pipelines", X_Long="a" * 17000), 431)
        expect_problem(client.get("/" + "a" * 9000), 414)
        # More than the HTTP library has room for.
        assert client.get("/pipelines", X_Long="a" * 200000).status == 431
        # The answer is there for a client that sends all of its body first.
        for body in (b" " * 1100000, b" " * 100000000):
            for _ in range(5):
                expect_problem(
                    client.ask("POST", rest.START + "live", body), 413)
        expect_problem(client.ask("POST", "/nothing", b" " * 1000000), 404)
        # In pieces, so that its size is seen only when it has come.
        expect_problem(
            client.ask("POST", rest.START + "live",
                       iter([b" " * 2000000])), 413)


def test_a_body_that_is_only_announced():
    with live_server() as server:
        client = rest.Client(server)
        for header in "", "Expect: 100-continue\r\n":
            with socket.create_connection(
                    (client.address, client.port), rig.LIMIT_S) as raw:
                raw.sendall(f"POST {rest.START}live HTTP/1.1\r\n"
                            "Host: localhost\r\n"
                            "Content-Type: application/json\r\n"
                            f"Content-Length: 100000000\r\n{header}"
                            "\r\n".encode())
                assert raw.recv(100).startswith(b"HTTP/1.1 413"), header


def test_models_are_not_here():
    with live_server() as server:
        client = rest.Client(server)
        expect_string(client.get("/models"), 400, "Unsupported endpoint")
        answer = client.ask("POST", rest.START + "live/x/models", {})
        assert answer.status == 500, answer
        assert answer.json()["status"] == "error", answer


# ---- Health, metrics, description

def test_health():
    with live_server() as server:
        client = rest.Client(server)
        for path, word in (("live", "alive"), ("ready", "ready")):
            answer = client.get(f"/health/{path}")
            assert answer.status == 200, answer
            assert answer.json() == {"status": word}, answer


def metric(text, name, **labels):
    """The value of one sample."""
    for line in text.splitlines():
        if re.match(rf"{name}(\{{|\s)", line) and all(
                f'{key}="{value}"' in line for key, value in labels.items()):
            return float(line.rsplit(" ", 1)[1])
    raise AssertionError(f"no {name} {labels} in:\n{text}")


def test_metrics():
    with rig.Broker() as broker, live_server(
            entry(LIVE, "mqtt", publisher={}), broker=broker) as server:
        client = rest.Client(server)
        instance = client.start("mqtt")
        # A broker may have a message before the sender has counted it.
        end = time.monotonic() + rig.LIMIT_S
        while metric(client.get("/metrics").body,
                     "vigil_destination_published_total",
                     instance=instance) < 5:
            assert time.monotonic() < end, server.text()
            time.sleep(0.02)
        answer = client.get("/metrics")
        assert answer.type.startswith("text/plain; version=0.0.4"), answer
        text = answer.body
        for line in text.splitlines():
            assert line.startswith("# ") or re.fullmatch(
                r'[a-z_]+(\{([a-z_]+="[^"\n]*",?)*\})? -?[0-9.e+]+', line), \
                line
        labels = {"pipeline": "mqtt", "instance": instance}
        assert metric(text, "vigil_instance_running", **labels) == 1
        assert metric(text, "vigil_instance_frames_total", **labels) >= 5
        labels["destination"] = "mqtt"
        assert metric(text, "vigil_destination_connected", **labels) == 1
        assert metric(text, "vigil_destination_published_total",
                      **labels) >= 5
        assert metric(text, "process_cpu_seconds_total") > 0
        assert metric(text, "process_resident_memory_bytes") > 1e6


def test_head_answers_without_a_body():
    with live_server() as server:
        answer = rest.Client(server).ask("HEAD", "/pipelines")
        assert answer.status == 200 and answer.body == "", answer
        assert int(answer.headers["Content-Length"]) > 0, answer


def test_requests_on_one_connection():
    with live_server() as server:
        client = rest.Client(server)
        connection = client.connect()
        for _ in range(100):
            connection.request("GET", "/pipelines/status")
            response = connection.getresponse()
            assert response.status == 200 and response.read() == b"[]\n"
        connection.close()


def test_start_is_answered_within_50_ms():
    with live_server() as server:
        client = rest.Client(server)
        client.start("live")
        times = []
        # The best of many: the machine may be busy with other tests.
        while len(times) < 50 and min(times, default=1) >= 0.05:
            begin = time.monotonic()
            instance = client.start("live")
            times.append(time.monotonic() - begin)
            client.ask("DELETE", f"/pipelines/{instance}")
        assert min(times) < 0.05, times


tap.run(globals())
