#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""vigil list, start, status and stop against a running server."""
import json
import re
import socket
import subprocess

import rest
import rig
import tap

LIVE = "videotestsrc is-live=true ! " \
       "video/x-raw,width=64,height=48,framerate=25/1 ! " \
       "appsink name=destination"
PLAY = "{auto_source} ! decodebin ! videoconvert ! " \
       "appsink name=destination sync=false"


def serve(broker=None, **settings):
    publisher = {"publisher": {}} if broker else {}
    config = rig.write_config(
        rig.pipeline(LIVE, "live", auto_start=False, **publisher),
        rig.pipeline(PLAY, "play", auto_start=False, parameters={
            "type": "object", "properties": {"x": {"type": "integer"}}}),
        rest=settings)
    return rig.serve(config, rig.write_environment(broker))


def control(client, *words, **variables):
    """Runs one command. Returns (status, output)."""
    return rig.run_vigil(
        *words, VIGIL_SERVER=f"http://{client.address}:{client.port}/",
        **variables)


def test_list():
    with serve() as server:
        client = rest.Client(server)
        status, text = control(client, "list")
        assert status == 0, text
        assert text.splitlines() == [
            "PIPELINE  PARAMETERS", "live      -", "play      x"], text
        status, text = control(client, "list", "--json")
        assert [item["version"] for item in json.loads(text)] == \
            ["live", "play"], text


def test_start_status_and_stop():
    with rig.Broker() as broker, serve(broker) as server:
        client = rest.Client(server)
        status, instance = control(client, "start", "live", "--topic", "t")
        assert status == 0 and re.fullmatch(
            "[0-9a-f]{32}", instance.strip()), instance
        instance = instance.strip()
        client.wait_for_state(instance, "RUNNING")
        broker.wait_for("'t'")
        status, text = control(client, "status")
        assert status == 0, text
        head, row = text.splitlines()
        assert head.startswith("INSTANCE "), text
        assert re.fullmatch(instance + r"  live +RUNNING +[0-9.]+ +\d+ +"
                            r"0:00:\d\d +mqtt connected \d+/0", row), text
        status, text = control(client, "status", instance, "--json")
        assert status == 0 and json.loads(text)["id"] == instance, text
        status, text = control(client, "stop", instance)
        assert status == 0 and "ABORTED" in text, text


def test_start_with_a_request():
    uri = rig.make_video(frames=3)
    request = rig.folder() / "request.json"
    request.write_text(json.dumps({"tags": {"camera": 1}}))
    with serve() as server:
        client = rest.Client(server)
        status, instance = control(
            client, "start", "play", "--source", uri, "--request", request)
        assert status == 0, instance
        client.wait_for_state(instance.strip(), "COMPLETED")
        summary = client.get(f"/pipelines/{instance.strip()}").json()
        assert summary["params"]["tags"] == {"camera": 1}, summary
        assert summary["params"]["source"]["uri"] == uri.as_uri(), summary


def test_stop_all():
    with serve() as server:
        client = rest.Client(server)
        ids = [client.start("live") for _ in range(3)]
        status, text = control(client, "stop", "--all", "--json")
        assert status == 0, text
        assert [item["id"] for item in json.loads(text)] == ids, text
        assert control(client, "stop", "--all", "--json")[1] == "[]"


def test_refusals():
    with serve() as server:
        client = rest.Client(server)
        for words, status, said in (
                (["start", "none"], 78,
                 "Pipeline not found (400); 'vigil list' has the names"),
                (["start", "play"], 78, "want a source"),
                (["stop", "x"], 78, "Invalid pipeline, version or instance"),
                (["status", "x"], 78,
                 "Invalid instance (400); 'vigil status' has the ids"),
                (["status", "../status"], 78, "Invalid instance (400)"),
                (["start"], 64, "name of a pipeline"),
                (["stop"], 64, "--all"),
                (["stop", "x", "--all"], 64, "--all"),
                (["list", "x"], 64, "too many"),
                (["start", "live", "--request", "/no/such"], 66, "/no/such")):
            got, text = control(client, *words)
            assert got == status and said in text, (words, got, text)


def test_the_reason_of_an_error_is_shown():
    with serve() as server:
        client = rest.Client(server)
        _, instance = control(
            client, "start", "play", "--source", "/no/such.avi")
        client.wait_for_state(instance.strip(), "ERROR")
        _, text = control(client, "status")
        assert text.splitlines()[-1].startswith(instance[:8] + ": "), text
        assert "/no/such.avi" in text, text


def test_tokens():
    token, other = rig.folder() / "token", rig.folder() / "other"
    tokens = rig.folder() / "tokens"
    tokens.write_text("control " + "c" * 32 + "\n")
    token.write_text("c" * 32 + "\n")
    other.write_text("d" * 32 + "\n")
    with serve(tokens_file=str(tokens), address="127.0.0.1") as server:
        client = rest.Client(server)
        for words, said in (([], "want 'Authorization"),
                            (["--token-file", other], "not one of")):
            status, text = control(client, "list", *words)
            assert status == 78 and said in text, text
            assert "--token-file names" in text, text
        assert control(client, "list", "--token-file", token)[0] == 0
        assert control(
            client, "list", VIGIL_TOKEN_FILE=str(token))[0] == 0


def test_no_server_moves_the_cursor():
    body = json.dumps("gone\x1b[2J").encode()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(rig.LIMIT_S)
        port = listener.getsockname()[1]
        with rig.vigil("list", "--server",
                       f"http://127.0.0.1:{port}") as program:
            connection, _ = listener.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(
                    b"HTTP/1.1 400 Bad Request\r\nContent-Length: %d\r\n\r\n"
                    % len(body) + body)
                assert program.wait() != 0
            assert "gone [2J (400)" in program.text(), program.text()


def test_no_server():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        status, text = rig.run_vigil(
            "list", "--server", f"http://127.0.0.1:{port}")
        assert status == 75 and "vigil serve" in text, text


def test_wrong_servers():
    """Each failure to connect says what to do about it."""
    folder = rig.folder()
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
         "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-keyout",
         "key", "-out", "crt", "-subj", "/CN=x", "-addext",
         "subjectAltName=IP:127.0.0.1"],
        cwd=folder, check=True, capture_output=True, timeout=rig.LIMIT_S)
    config = rig.write_config(
        rig.pipeline(LIVE, "live", auto_start=False),
        rest={"certificate_file": str(folder / "crt"),
              "key_file": str(folder / "key")})
    with serve() as plain, rig.serve(
            config, rig.write_environment(HTTPS="true")) as secure:
        plain, secure = (f"127.0.0.1:{rest.Client(server).port}"
                         for server in (plain, secure))
        for words, said in (
                (["--server", f"https://{plain}"], "wants http://"),
                (["--server", f"http://{secure}"], "wants https://"),
                (["--server", f"https://{secure}"], "--ca-file names"),
                (["--server", f"https://{secure}", "--ca-file", "/no/such"],
                 "--ca-file wants"),
                (["--server", f"https://{secure}", "--cert", "/no/such"],
                 "--cert and --key want"),
                (["--server", "gopher://x"], "wants a URL")):
            # Now and then HTTP takes a ClientHello for half a request, and
            # waits for the rest of it.
            for _ in range(5):
                status, text = rig.run_vigil("list", *words)
                if "Timeout" not in text:
                    break
            assert status == 75 and said in text, (words, status, text)
        status, text = rig.run_vigil(
            "list", "--server", f"https://{secure}", "--ca-file",
            folder / "crt")
        assert status == 0, text


def test_another_server():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with rig.vigil("list", REST_SERVER_PORT=str(port)) as program:
            connection, _ = listener.accept()
            connection.recv(1000)
            connection.sendall(b"HTTP/1.0 200 OK\r\n\r\n<html>")
            connection.close()
            assert program.wait() == 76, program.text()
            assert "no vigil" in program.text(), program.text()


def test_broken_pipe():
    # The reader of a pipe may leave before the table is out.
    with serve() as server:
        client = rest.Client(server)
        subprocess.run(
            f"{rig.VIGIL} list --server "
            f"http://{client.address}:{client.port} | true",
            shell=True, check=True, timeout=rig.LIMIT_S)


tap.run(globals())
