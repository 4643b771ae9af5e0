#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Who gets in by REST, who does not, and what strangers can do to others."""
import http.client
import itertools
import os
import shutil
import signal
import socket
import ssl
import subprocess
import threading
import time
from pathlib import Path

import rest
import rig
import tap

LIVE = "videotestsrc is-live=true ! " \
       "video/x-raw,width=64,height=48,framerate=25/1 ! " \
       "appsink name=destination"
READ = "r" * 32
CONTROL = "c" * 32


def serve(**settings):
    variables = settings.pop("variables", {})
    config = rig.write_config(
        rig.pipeline(LIVE, "live", auto_start=False), rest=settings)
    return rig.serve(config, rig.write_environment(**variables))


def tokens(mode=0o600):
    path = rig.folder() / "tokens"
    path.write_text(f"# roles\nread {READ}\ncontrol {CONTROL}\n")
    path.chmod(mode)
    return str(path)


# ---- Where it listens

def test_listens_on_loopback_alone_by_default():
    with serve() as server:
        client = rest.Client(server)
        assert client.address == "127.0.0.1", server.text()


def test_refuses_to_listen_elsewhere_unprotected():
    with serve(address="0.0.0.0") as server:
        assert server.wait() == 78, server.text()
        assert "config.rest.address" in server.text()
        assert "tokens_file" in server.text()


def test_listens_everywhere_when_told_so():
    with serve(allow_unauthenticated_remote=True) as server:
        client = rest.Client(server)
        assert "REST on http://0.0.0.0:" in server.text(), server.text()
        assert "controls this server" in server.text(), server.text()
        assert client.get("/health/live").status == 200


def test_can_be_switched_off():
    with serve(enabled=False) as server:
        server.wait_for("nothing can be started")
        assert "REST on" not in server.text()
        assert server.terminate() == 0


# ---- Tokens

def test_tokens_and_roles():
    with serve(tokens_file=tokens()) as server:
        client = rest.Client(server)
        start = rest.START + "live"
        for token, method, path, status in (
                (None, "GET", "/pipelines", 401),
                ("x" * 32, "GET", "/pipelines", 401),
                (READ[:-1], "GET", "/pipelines", 401),
                (READ, "GET", "/pipelines", 200),
                (CONTROL, "GET", "/pipelines", 200),
                (None, "GET", "/metrics", 401),
                (READ, "GET", "/metrics", 200),
                (None, "POST", start, 401),
                (READ, "POST", start, 403),
                (CONTROL, "POST", start, 200),
                (READ, "DELETE", "/pipelines/x", 403),
                (CONTROL, "DELETE", "/pipelines/x", 400),
                # Supervisors need no secret.
                (None, "GET", "/health/live", 200),
                (None, "GET", "/health/ready", 200)):
            client.token = token
            answer = client.ask(
                method, path, {} if method == "POST" else None)
            assert answer.status == status, (token, method, path, answer)
            if status == 401:
                assert answer.headers["WWW-Authenticate"] == "Bearer"
        # No word of them anywhere.
        for secret in (READ, CONTROL):
            assert secret not in server.text()


def test_tokens_are_read_again():
    path = Path(tokens())
    with serve(tokens_file=str(path)) as server:
        client = rest.Client(server, CONTROL)
        assert client.get("/pipelines").status == 200
        path.write_text("nonsense")
        server.signal(signal.SIGHUP)
        server.wait_for("the old tokens go on")
        assert client.get("/pipelines").status == 200
        path.write_text("control " + "n" * 32)
        server.signal(signal.SIGHUP)
        end = time.monotonic() + rig.LIMIT_S
        while client.get("/pipelines").status != 401:
            assert time.monotonic() < end
        client.token = "n" * 32
        assert client.get("/pipelines").status == 200


def test_refused_before_the_body_is_read():
    with serve(tokens_file=tokens()) as server:
        client = rest.Client(server)
        with socket.create_connection(
                (client.address, client.port), rig.LIMIT_S) as raw:
            raw.sendall(f"POST {rest.START}live HTTP/1.1\r\nHost: x\r\n"
                        "Content-Type: application/json\r\n"
                        "Content-Length: 1000\r\n\r\n".encode())
            assert raw.recv(100).startswith(b"HTTP/1.1 401")


def test_tokens_that_cannot_be_used():
    path = rig.folder() / "tokens"
    for text, words in (("control short\n", "line 1"), ("", "no token"),
                        ("\nroot " + "x" * 32, "line 2"),
                        ("read " + "\xe4" * 32, "line 1")):
        path.write_text(text)
        with serve(tokens_file=str(path)) as server:
            assert server.wait() == 78, server.text()
            assert words in server.text(), server.text()
            assert "x" * 32 not in server.text()
    with serve(tokens_file="/no/such/file") as server:
        assert server.wait() == 78, server.text()


def test_warns_of_a_file_that_others_can_read():
    with serve(tokens_file=tokens(0o644)) as server:
        server.wait_for("chmod 600")


# ---- Web pages in a browser

def test_host_and_origin():
    with serve(host_names=["vigil.example"],
               origins=["https://panel.example"]) as server:
        client = rest.Client(server)
        own = f"{client.address}:{client.port}"
        for headers, status in (
                ({"Host": "evil.example"}, 403),
                ({"Host": f"evil.example:{client.port}"}, 403),
                ({"Host": "vigil.example"}, 200),
                ({"Host": "localhost:1"}, 200),
                ({"Host": "[::1]:8080"}, 200),
                ({"Host": own}, 200),
                ({"Origin": "http://evil.example"}, 403),
                ({"Origin": "null"}, 403),
                ({"Origin": f"http://{own}"}, 200),
                ({"Origin": "https://panel.example"}, 200)):
            answer = client.get("/pipelines", **headers)
            assert answer.status == status, (headers, answer)
        assert "Access-Control-Allow-Origin" not in \
            client.get("/pipelines").headers
        answer = client.ask(
            "OPTIONS", rest.START + "live", Origin="https://panel.example",
            Access_Control_Request_Method="POST")
        assert answer.status == 204, answer
        assert answer.headers["Access-Control-Allow-Origin"] == \
            "https://panel.example", answer


# ---- TLS

def certificates(folder):
    """A CA, and what it signed for the server and for a client."""
    def openssl(*words):
        subprocess.run(["openssl", *words], cwd=folder, check=True,
                       capture_output=True, timeout=rig.LIMIT_S)
    for name in ("ca", "other"):
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt",
                "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-keyout",
                f"{name}.key", "-out", f"{name}.crt", "-subj", f"/CN={name}")
    (folder / "san").write_text("subjectAltName=IP:127.0.0.1")
    for name, issuer in (("server", "ca"), ("client", "ca"),
                         ("stranger", "other")):
        openssl("req", "-newkey", "ec", "-pkeyopt",
                "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", f"{issuer}.crt",
                "-CAkey", f"{issuer}.key", "-CAcreateserial", "-days", "2",
                "-extfile", "san", "-out", f"{name}.crt")
    return folder


def tls_settings(folder):
    return {"certificate_file": str(folder / "server.crt"),
            "key_file": str(folder / "server.key"),
            "client_ca_file": str(folder / "ca.crt"),
            "address": "127.0.0.1"}


def context(folder, name=None):
    made = ssl.create_default_context(cafile=folder / "ca.crt")
    if name:
        made.load_cert_chain(folder / f"{name}.crt", folder / f"{name}.key")
    return made


def test_tls():
    folder = certificates(rig.folder())
    with serve(**tls_settings(folder),
               variables={"HTTPS": "true"}) as server:
        client = rest.Client(server, context=context(folder))
        assert client.secure
        instance = client.start("live")
        client.wait_for_state(instance, "RUNNING")
        for version, works in ((ssl.TLSVersion.TLSv1_1, False),
                               (ssl.TLSVersion.TLSv1_2, True),
                               (ssl.TLSVersion.TLSv1_3, True)):
            client.context = context(folder)
            client.context.minimum_version = ssl.TLSVersion.TLSv1
            client.context.maximum_version = version
            client.context.set_ciphers("ALL:@SECLEVEL=0")
            try:
                assert client.get("/health/live").status == 200 and works
            except OSError:
                assert not works, version


def test_mutual_tls():
    folder = certificates(rig.folder())
    with serve(**tls_settings(folder), variables={
            "HTTPS": "true", "MTLS_VERIFICATION": "true"}) as server:
        client = rest.Client(server)
        for name, works in ((None, False), ("stranger", False),
                            ("client", True)):
            client.context = context(folder, name)
            try:
                answer = client.get("/pipelines")
                assert answer.status == (200 if works else 403), answer
            except OSError:
                assert not works, name


def test_tls_files_that_cannot_be_used():
    folder = certificates(rig.folder())
    settings = tls_settings(folder)
    for change, words in (
            ({"certificate_file": "/no/such"}, "config.rest.certificate_file"),
            ({"key_file": str(folder / "client.key")}, "belong together"),
            ({"certificate_file": str(folder / "san")}, "PEM")):
        with serve(**{**settings, **change},
                   variables={"HTTPS": "true"}) as server:
            assert server.wait() == 78, server.text()
            assert words in server.text(), server.text()
    with serve(variables={"MTLS_VERIFICATION": "true"}) as server:
        assert server.wait() == 78, server.text()
        assert "HTTPS" in server.text()


def fails(function):
    try:
        function()
    except OSError:
        return True
    return False


def test_certificates_are_read_again():
    """A new certificate and a new authority of clients come into use without
    a break; those that cannot be used do not."""
    folder, second = certificates(rig.folder()), certificates(rig.folder())
    settings = tls_settings(folder)
    with serve(**settings, variables={
            "HTTPS": "true", "MTLS_VERIFICATION": "true"}) as server:
        old = rest.Client(server, context=context(folder, "client"))
        new = rest.Client(server, context=context(second, "client"))
        instance = old.start("live")
        old.wait_for_state(instance, "RUNNING")
        assert fails(lambda: new.get("/pipelines"))
        # One that began before goes on with what it began with.
        kept = old.connect()

        def use_kept():
            kept.request("GET", "/pipelines/status")
            response = kept.getresponse()
            assert response.status == 200 and instance in str(response.read())
        use_kept()

        # Half of the new pair, and something that is no certificate.
        shutil.copy(second / "server.key", folder / "server.key")
        server.signal(signal.SIGHUP)
        server.wait_for("the old certificate goes on")
        assert "belong together" in server.text(), server.text()
        assert old.status(instance)["state"] == "RUNNING"
        use_kept()
        shutil.copy(second / "server.crt", folder / "server.crt")
        (folder / "ca.crt").write_text("no certificate")
        server.signal(signal.SIGHUP)
        server.wait_for("the old certificate goes on", 2)
        assert "ca.crt: want the certificate" in server.text(), server.text()
        assert old.status(instance)["state"] == "RUNNING"
        use_kept()

        shutil.copy(second / "ca.crt", folder / "ca.crt")
        server.signal(signal.SIGHUP)
        end = time.monotonic() + rig.LIMIT_S
        while fails(lambda: new.get("/pipelines")):
            assert time.monotonic() < end, server.text()
        use_kept()
        kept.close()
        assert new.status(instance)["state"] == "RUNNING"
        assert fails(lambda: old.get("/pipelines"))
        # The client of the old authority is not one of the new one.
        old.context = context(second)
        old.context.load_cert_chain(
            folder / "client.crt", folder / "client.key")
        assert fails(lambda: old.get("/pipelines")) or \
            old.get("/pipelines").status == 403
        assert server.count("the old certificate goes on") == 2
        assert server.count("starts") == 1, server.text()
        assert server.terminate() == 0, server.text()


# ---- What a request may read

def test_files_from_afar():
    allowed, secret = rig.folder(), rig.folder()
    (allowed / "video.avi").touch()
    (secret / "video.avi").touch()
    os.symlink(secret / "video.avi", allowed / "link.avi")
    play = "{auto_source} ! decodebin ! appsink name=destination"
    config = rig.write_config(
        rig.pipeline(play, "play", auto_start=False),
        rest={"tokens_file": tokens(), "folders": [str(allowed)]})
    with rig.serve(config, rig.write_environment()) as server:
        client = rest.Client(server, CONTROL)

        def start(source):
            return client.ask("POST", rest.START + "play", {"source": source})

        for path, status in ((allowed / "video.avi", 200),
                             (secret / "video.avi", 400),
                             (allowed / "link.avi", 400),
                             (allowed / ".." / secret.name / "video.avi", 400),
                             (Path("/etc/passwd"), 400)):
            answer = start({"type": "uri", "uri": f"file://{path}"})
            assert answer.status == status, (path, answer)
        escaped = str(secret / "video.avi").replace("v", "%76")
        assert start({"type": "uri",
                      "uri": f"file://{escaped}"}).status == 400
        for source in ({"type": "gst", "element": "filesrc",
                        "properties": {"location": "/etc/passwd"}},
                       {"type": "webcam", "device": "/dev/video0"}):
            assert start(source).status == 400, source


def test_secrets_are_masked():
    config = rig.write_config(
        rig.pipeline("{auto_source} ! decodebin ! appsink name=destination",
                     "play", auto_start=False),
        rig.pipeline("rtspsrc location=rtsp://127.0.0.1:9/ user-id=me "
                     "user-pw=\"CANARY-3 a\" ! fakesink", "launch",
                     auto_start=False))
    with rig.serve(config, rig.write_environment(
            LOG_LEVEL="DEBUG")) as server:
        client = rest.Client(server)
        launch = client.start("launch", {"parameters": {
            "passphrase": "CANARY-4", "Authorization": "CANARY-5"}})
        answer = client.get(f"/pipelines/{launch}")
        assert "user-id=me user-pw=*** ! fakesink" in answer.body, answer
        assert "CANARY" not in answer.body, answer
        instance = client.start("play", {"source": {
            "type": "uri", "uri": "rtsp://me:CANARY-1@127.0.0.1:9/",
            "properties": {"user-pw": "CANARY-2"}}})
        # The source is tried again and again: the reason must be shown first.
        end = time.monotonic() + rig.LIMIT_S
        while not client.status(instance)["message"]:
            assert time.monotonic() < end, client.status(instance)
            time.sleep(0.02)
        for path in (f"/pipelines/{instance}",
                     f"/pipelines/{instance}/status", "/pipelines/status",
                     "/metrics"):
            answer = client.get(path)
            assert answer.status == 200
            assert "CANARY" not in answer.body, answer
        assert "CANARY" not in server.text(), server.text()


# ---- Attacks on the patience of the server

def test_a_request_that_stops_half_way_is_answered_408():
    with serve() as server:
        client = rest.Client(server)
        with socket.create_connection(
                (client.address, client.port), rig.LIMIT_S) as raw:
            raw.sendall(b"GET /pipelines HTT")
            assert raw.recv(1000).startswith(b"HTTP/1.1 408")


# ---- What is left behind, and what stops it all

def resources(server):
    folder = Path("/proc", str(server.process.pid))
    return (len(os.listdir(folder / "fd")), len(os.listdir(folder / "task")))


def wait_for_resources(server, before, spare=2):
    """Threads that others may use again stay for a while."""
    end = time.monotonic() + rig.LIMIT_S
    while True:
        after = resources(server)
        if all(now <= then + spare for now, then in zip(after, before)):
            return
        assert time.monotonic() < end, (before, after)
        time.sleep(0.1)


def count_connections(server, port):
    """Of the server's own, to @port, in whatever state of TCP."""
    folder = Path("/proc", str(server.process.pid))
    rows = [line.split() for line in
            (folder / "net/tcp").read_text().splitlines()[1:]]
    own = {row[9] for row in rows if row[2].endswith(f":{port:04X}")}
    found = 0
    for name in os.listdir(folder / "fd"):
        try:
            target = os.readlink(folder / "fd" / name)
        except FileNotFoundError:
            continue
        found += target.startswith("socket:[") and target[8:-1] in own
    return found


def wait_for_connections(server, port, count):
    end = time.monotonic() + rig.LIMIT_S
    while count_connections(server, port) != count:
        assert time.monotonic() < end, count_connections(server, port)
        time.sleep(0.05)


def memory_kb(server):
    text = Path("/proc", str(server.process.pid), "status").read_text()
    return int(text.split("RssAnon:")[1].split()[0])


def run_together(function, *arguments, times=4):
    threads = [threading.Thread(target=function, args=arguments, daemon=True)
               for _ in range(times)]
    for thread in threads:
        thread.start()
    return threads


def join(threads):
    for thread in threads:
        thread.join()


def test_a_thousand_starts_and_stops_leave_nothing():
    with rig.Broker() as broker:
        config = rig.write_config(rig.pipeline(
            LIVE, "live", publisher={}, auto_start=False))
        # With one arena for all threads, what malloc() keeps to itself does
        # not depend on how many of them met.
        with rig.serve(config, rig.write_environment(broker),
                       MALLOC_ARENA_MAX="1") as server:
            client = rest.Client(server)
            failures = []

            def cycle(times):
                for _ in range(times):
                    instance = client.start("live")
                    answer = client.ask("DELETE", f"/pipelines/{instance}")
                    if answer.json()["state"] != "ABORTED":
                        failures.append(answer)
            # The table keeps a hundred that have ended.
            join(run_together(cycle, 50))
            before, before_kb = resources(server), memory_kb(server)
            join(run_together(cycle, 250))
            assert not failures, failures
            wait_for_resources(server, before)
            grown_kb = memory_kb(server) - before_kb
            wait_for_connections(server, broker.port, 0)
            assert len(client.get("/pipelines/status").json()) == 100
            # 4 KB of each; sanitizers keep what was freed.
            if "VIGIL_TEST_PATIENCE" not in os.environ:
                assert grown_kb < 4000, grown_kb
            # While one runs, the counting sees it.
            client.start("live")
            wait_for_connections(server, broker.port, 1)
            assert server.terminate() == 0, server.text()


def test_delete_during_start():
    """Instances are stopped by others while their sources still connect, or
    earlier."""
    play = "{auto_source} ! decodebin ! appsink name=destination"
    config = rig.write_config(rig.pipeline(play, "play", auto_start=False))
    with socket.create_server(("127.0.0.1", 0), backlog=200) as silent, \
            rig.serve(config, rig.write_environment()) as server:
        silent.settimeout(rig.LIMIT_S)
        client = rest.Client(server)
        address = f"rtsp://127.0.0.1:{silent.getsockname()[1]}/"
        request = {"source": {"type": "uri", "uri": address}}
        answers = []
        is_over = threading.Event()

        def start_some():
            for _ in range(20):
                answers.append(
                    client.ask("POST", rest.START + "play", request))

        def delete_all():
            while True:
                last = is_over.is_set()
                for status in client.get("/pipelines/status").json():
                    if status["state"] in ("QUEUED", "RUNNING"):
                        answers.append(client.ask(
                            "DELETE", f"/pipelines/{status['id']}"))
                if last:
                    return
        # One whose source has connected and waits for a first byte.
        instance = client.start("play", request)
        with silent.accept()[0]:
            client.ask("DELETE", f"/pipelines/{instance}")
        assert client.status(instance)["state"] == "ABORTED"
        before = resources(server)
        deleters = run_together(delete_all, times=3)
        join(run_together(start_some, times=3))
        is_over.set()
        join(deleters)
        bad = [answer for answer in answers if answer.status != 200]
        assert not bad, bad
        states = [status["state"]
                  for status in client.get("/pipelines/status").json()]
        assert states == ["ABORTED"] * 61, states
        # Threads of GStreamer's pool go later than a test can wait.
        wait_for_resources(server, (before[0], 1000))
        assert server.terminate() == 0, server.text()


def test_sigterm_during_all_of_it():
    """Starts and stops, bodies of 100 MB, headers and bodies that never end:
    none of them keeps the server from ending."""
    with serve() as server:
        client = rest.Client(server)
        is_over = threading.Event()

        def storm(work):
            while not is_over.is_set():
                try:
                    work()
                except (OSError, AssertionError, http.client.HTTPException):
                    pass  # refused with 503, or gone

        def start_and_stop():
            instance = client.start("live")
            client.ask("DELETE", f"/pipelines/{instance}")

        def send_much():
            client.ask("POST", rest.START + "live", b" " * 100000000)

        def drip():
            head = f"POST {rest.START}live HTTP/1.1\r\nHost: localhost\r\n"
            has_headers = next(turns) % 2 == 1
            if has_headers:
                head += "Content-Type: application/json\r\n" \
                        "Content-Length: 1000\r\n\r\n"
            with socket.create_connection(
                    (client.address, client.port), rig.LIMIT_S) as raw:
                raw.sendall(head.encode())
                while not is_over.wait(0.2):
                    raw.sendall(b" " if has_headers else b"X-A: b\r\n")
        turns = itertools.count()
        threads = run_together(storm, start_and_stop, times=4)
        threads += run_together(storm, send_much, times=1)
        threads += run_together(storm, drip, times=50)
        server.wait_for("starts", 20)
        server.signal(signal.SIGTERM)
        assert server.wait() == 0, server.text()
        is_over.set()
        join(threads)


tap.run(globals())
