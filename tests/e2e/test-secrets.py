#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Canaries in every secret, and no trace of them in what anybody can see:
logs at the noisiest level, answers of REST, command lines, environments,
core dumps, the memory that would be in one."""
import json
import os
import re
import resource
import signal
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

import rig
import tap

PICTURE = "videotestsrc is-live=true ! video/x-raw,format=I420,width=64," \
    "height=48,framerate=20/1 ! jpegenc ! appsink name=destination"
WORD = "CANARY"


def canary(number):
    return f"{WORD}-{number}-x7Qp"


class Rest:
    """Asks the server and keeps all that it answers."""

    def __init__(self, server):
        server.wait_for("REST on ")
        self.base = re.search(r"REST on (http://\S+)", server.text())[1]
        self.answers = []

    def ask(self, path, body=None, method=None):
        request = urllib.request.Request(
            self.base + path, method=method,
            data=json.dumps(body).encode() if body is not None else None,
            headers={"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=rig.LIMIT_S) as done:
                text = done.read().decode()
        except urllib.error.HTTPError as error:
            text = error.read().decode()
        self.answers.append(f"{path}: {text}")
        return text


def write_secret(place, name, text):
    path = place / name
    path.write_text(text + "\n")
    path.chmod(0o600)
    return str(path)


def make_encrypted_key(place):
    """An encrypted key with its certificate and pass-phrase file."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-subj", "/CN=c",
         "-passout", f"pass:{canary(5)}", "-keyout", place / "c.key", "-out",
         place / "c.crt"], check=True, capture_output=True)
    (place / "c.key").chmod(0o600)
    return {"client_cert": str(place / "c.crt"),
            "client_key": str(place / "c.key"),
            "key_password_file": write_secret(place, "phrase", canary(5)),
            "ca_cert": str(place / "c.crt")}


def pipelines(broker, place):
    """One of each way to give a secret; each of them meets a fault."""
    there = {"host": broker.address, "port": broker.port}
    return [
        rig.pipeline(PICTURE, "environment", {}),
        rig.pipeline(PICTURE, "file", {
            **there, "username": "u",
            "password_file": write_secret(place, "password", canary(2))}),
        rig.pipeline(PICTURE, "literal", {
            **there, "username": "u", "password": canary(3)},
            allow_request_broker=True),
        rig.pipeline(PICTURE, "tls", {
            **there, "tls": make_encrypted_key(place)}),
        rig.pipeline("{auto_source} ! fakesink", "uri", {**there},
                     f"rtsp://user:{canary(4)}@127.0.0.1:9/stream"),
    ]


def look_around(rest):
    """Every question that can be asked; also about what a request brought."""
    pipelines_path = "/pipelines/user_defined_pipelines"
    rest.ask(f"{pipelines_path}/literal", {"mqtt_publisher": {
        "username": "u", "password": canary(6), "host": "127.0.0.1"}})
    for kind in ("uri", "no-such"):
        rest.ask(f"{pipelines_path}/uri", {"source": {
            "uri": f"rtsp://user:{canary(7)}@127.0.0.1:9/a", "type": kind}})
    for path in ("/pipelines", "/pipelines/status", "/health/ready",
                 "/metrics", "/openapi.json", "/none"):
        rest.ask(path)
    for status in json.loads(rest.ask("/pipelines/status")):
        rest.ask(f"/pipelines/{status['id']}")
        rest.ask(f"/pipelines/{status['id']}/status")


def check(what, text):
    found = [line for line in text.splitlines() if WORD in line]
    assert not found, f"in {what}: {found[:3]}"


def dumped_memory(process):
    """What of a process' memory would be in a core dump: (name, start, size)
    of each mapping that is not marked "dd" (MADV_DONTDUMP)."""
    first = None
    for line in (process / "smaps").read_text().splitlines():
        words = line.split()
        if not words[0].endswith(":"):
            first, name = words[0], words[-1]
        elif words[0] == "VmFlags:" and "rd" in words and "dd" not in words:
            start, end = (int(word, 16) for word in first.split("-"))
            # A sanitizer's shadow is larger than any memory.
            if end - start <= 1 << 30:
                yield name, start, end - start


def find_in_memory(process, numbers):
    """Where secrets are in the memory that a core dump would have."""
    found = []
    with open(process / "mem", "rb") as memory:
        for name, start, size in dumped_memory(process):
            try:
                memory.seek(start)
                content = memory.read(size)
            except (OSError, ValueError):
                continue  # the kernel's own
            found += [(number, name) for number in numbers
                      if canary(number).encode() in content]
    return found


def check_memory(server, numbers):
    """A secret that was read from a file or the environment is nowhere but
    in the pages that are made for secrets; or for the moment in which it is
    used, and then wiped."""
    end = time.monotonic() + rig.LIMIT_S
    while True:
        server.signal(signal.SIGSTOP)
        found = find_in_memory(Path(f"/proc/{server.process.pid}"), numbers)
        server.signal(signal.SIGCONT)
        if not found:
            return
        assert time.monotonic() < end, found
        # It may have been stopped in that moment, and must get out of it.
        time.sleep(0.05)


def test_no_canary_is_seen():
    place = rig.folder()
    passwords = place / "passwords"
    subprocess.run(["mosquitto_passwd", "-c", "-b", passwords, "u", "other"],
                   check=True, timeout=rig.LIMIT_S)
    with rig.Broker(f"allow_anonymous false\npassword_file {passwords}\n"
                    ) as broker:
        config = rig.write_config(*pipelines(broker, place))
        environment = rig.write_environment(broker, MQTT_USERNAME="u")
        with rig.serve(config, environment, MQTT_PASSWORD=canary(1),
                       LOG_LEVEL="DEBUG", GST_DEBUG="4",
                       GST_DEBUG_NO_COLOR="1") as server:
            rest = Rest(server)
            # Every password is wrong, so every reason is told.
            server.wait_for("not authorized", 3)
            server.wait_for("in the TLS handshake")
            server.signal(signal.SIGHUP)
            server.wait_for("read again")
            look_around(rest)
            process = Path(f"/proc/{server.process.pid}")
            check("the environment", (process / "environ").read_text())
            check("the command line", (process / "cmdline").read_text())
            # A sanitizer keeps the environment for its own use.
            if os.geteuid() == 0 and "ASAN_OPTIONS" not in os.environ:
                check_memory(server, (1, 2, 5))
            assert server.terminate() == 0, server.text()
        check("the log", server.text())
        answers = "\n".join(rest.answers)
        check("an answer", answers)
        # They were there, and masked.
        assert "rtsp://***@127.0.0.1:9/a" in answers, answers
        assert '"username": "u"' in answers, answers
        check("the broker's log", broker.text())


def test_no_core_is_dumped():
    place = rig.folder()
    limits = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (limits[1], limits[1]))
    try:
        config = rig.write_config(rig.pipeline(PICTURE, publisher={}))
        environment = rig.write_environment(
            MQTT_HOST="127.0.0.1", MQTT_PORT="9")
        with rig.serve(config, environment, cwd=place,
                       MQTT_PASSWORD=canary(1)) as server:
            server.wait_for("serves")
            # Nobody else of this user may look into its memory, either.
            status = Path(f"/proc/{server.process.pid}/status").read_text()
            assert "CoreDumping:\t0" in status, status
            owner = os.stat(f"/proc/{server.process.pid}/mem").st_uid
            assert owner == 0, owner
            server.signal(signal.SIGABRT)
            assert server.wait() == -signal.SIGABRT
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, limits)
    assert not list(place.iterdir()), list(place.iterdir())


tap.run(globals())
