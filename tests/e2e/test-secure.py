#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Secure publishing, step by step as its document has it: the openssl recipe
at a terminal, the files at their places, a broker with mutual TLS,
subscribers, and vigil."""
import json
import os
import pty
import select
import shutil
import signal
import subprocess
import time

import rig
import tap

PASS_PHRASE = b"at least four\n"
PICTURE = "videotestsrc is-live=true ! video/x-raw,format=I420,width=64," \
    "height=48,framerate=20/1 ! jpegenc ! appsink name=destination"


def run_at_terminal(script, place):
    """Runs a bash script where openssl can ask for its pass-phrase, and
    answers. Returns (status, output, how often it asked)."""
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(place)
        os.execvp("bash", ["bash", script])
    output, asked = b"", 0
    end = time.monotonic() + rig.LIMIT_S
    while time.monotonic() < end:
        if not select.select([terminal], [], [], 0.5)[0]:
            continue
        try:
            data = os.read(terminal, 4096)
        except OSError:  # The last one at the terminal has gone.
            break
        output += data
        while output.count(b"pass phrase for") + \
                output.count(b"PEM pass phrase:") > asked:
            os.write(terminal, PASS_PHRASE)
            asked += 1
    else:
        os.kill(child, signal.SIGKILL)
    os.close(terminal)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return status, output.decode(), asked


def copy(source, target):
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, target)


class Secured:
    """The seed's recipe, carried out in a folder that stands for the
    repository's: $PWD/certificates and $PWD/utils/mosquitto/certificates."""

    def __init__(self):
        self.address = rig.own_address()
        self.root = rig.folder()
        work = rig.folder()
        script = work / "certificates.sh"
        script.write_text(
            (tap.ROOT / "tests/data/seed/certificates.sh").read_text()
            .replace("<MQTT_BROKER_ADDRESS>", self.address))
        status, self.output, self.asked = run_at_terminal(script, work)
        assert status == 0, self.output
        broker = self.root / "utils/mosquitto/certificates"
        self.client = self.root / "certificates"
        copy(work / "ca.crt", broker / "ca.crt")
        copy(work / "server/server.crt", broker / "server/server.crt")
        copy(work / "server/server.key", broker / "server/server.key")
        copy(work / "ca.crt", self.client / "ca.crt")
        copy(work / "client/client.crt", self.client / "client/client.crt")
        copy(work / "client/client.key", self.client / "client/client.key")
        (self.client / "client/client.key").chmod(0o644)

    def broker(self):
        """mosquitto with the native configuration of the repository."""
        lines = (tap.ROOT / "utils/mosquitto/mosquitto-tls-native.conf")
        text = lines.read_text().replace(
            " utils/mosquitto/", f" {self.root}/utils/mosquitto/")
        return rig.Broker(
            text.replace("listener 8883\n", ""), 8883, self.address)

    def options(self):
        return ["--cafile", self.client / "ca.crt",
                "--cert", self.client / "client/client.crt",
                "--key", self.client / "client/client.key"]


def test_recipe_at_a_terminal():
    made = Secured()
    # Twice for the CA's own key, then once for each signature.
    assert made.asked == 4, made.output
    text = subprocess.run(
        ["openssl", "x509", "-noout", "-subject", "-text", "-in",
         made.client / "client/client.crt"],
        check=True, capture_output=True, text=True).stdout
    assert "Version: 1" in text and "subject=\n" in text, text


def test_container_and_native_configuration_agree():
    folder = tap.ROOT / "utils/mosquitto"

    def read(name, prefix):
        return [line.replace(prefix, "")
                for line in (folder / name).read_text().splitlines()
                if not line.startswith("#")]
    assert read("mosquitto-tls.conf", "/mosquitto/config/") == \
        read("mosquitto-tls-native.conf", "utils/mosquitto/")


tap.run(globals())
