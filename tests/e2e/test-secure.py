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


def write_seed_config(made, **publisher):
    """The configuration as the document has it, with its /MqttCerts paths,
    at its place below the folder that has `certificates`."""
    path = made.root / "configs/default/config.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"config": {"pipelines": [rig.pipeline(
        PICTURE, publisher={
            "tls": {"ca_cert": "/MqttCerts/ca.crt",
                    "client_key": "/MqttCerts/client/client.key",
                    "client_cert": "/MqttCerts/client/client.crt"},
            **publisher})]}}))
    return path


def test_published_to_every_subscriber():
    made = Secured()
    config = write_seed_config(made, publish_frame=True)
    script = made.root / "tls.py"
    script.write_text(
        (tap.ROOT / "tests/data/seed/tls.py").read_text()
        .replace("<TOPIC>", rig.TOPIC)
        .replace("<MQTT_BROKER_ADDRESS>", made.address)
        .replace("<CA_CERT>", str(made.client / "ca.crt"))
        .replace("<CLIENT_CERT>", str(made.client / "client/client.crt"))
        .replace("<CLIENT_KEY>", str(made.client / "client/client.key")))
    with made.broker() as broker, rig.Program(
            "mosquitto_sub", "--topic", rig.TOPIC, "-p", "8883", "-h",
            made.address, *made.options()) as mosquitto_sub, rig.Program(
                rig.PYTHON, "-u", script) as paho, rig.subscribe(
                    broker, *made.options()) as vigil_subscribe, rig.serve(
                        config, rig.write_environment(broker)) as server:
        mosquitto_sub.wait_for('"frame_id"', 5)
        paho.wait_for(rig.TOPIC + " b'[{", 5)
        vigil_subscribe.wait_for('"frame_id"', 5)
        assert server.terminate() == 0, server.text()
        # The log says once where the files are.
        assert server.count("there is no /MqttCerts/ here") == 1
        assert str(made.client) in server.text(), server.text()
        # A key that everybody can read, as the document has it, is no
        # reason to stop, but one to speak of.
        assert server.count("can be read by every user") == 1, server.text()


def test_documented_port_is_explained():
    """The document leaves MQTT_PORT=1883 beside the tls block."""
    made = Secured()
    with rig.Broker(address=made.address) as broker, rig.serve(
            write_seed_config(made), rig.write_environment(broker)) as server:
        server.wait_for("8883 is usual")
        server.wait_for("a port without TLS does that")
        assert server.terminate() == 0, server.text()


def make_certificates(*options):
    """vigil certs in a new folder, for an address of our own. Returns (the
    address, the folder)."""
    address = rig.own_address()
    place = rig.folder() / "certificates"
    user = ["--broker-user", "root"] if os.geteuid() == 0 else []
    status, output = rig.run_vigil(
        "certs", place, "--broker", address, *user, *options)
    assert status == 0, output
    return address, place


def made_broker(address, place):
    text = (place / "mosquitto-tls.conf").read_text()
    return rig.Broker(text.replace("listener 8883\n", ""), 8883, address)


def client_options(place):
    return ["--cafile", place / "ca.crt",
            "--cert", place / "client/client.crt",
            "--key", place / "client/client.key"]


def test_vigil_certs_needs_nothing_else():
    address, place = make_certificates()
    with made_broker(address, place) as broker, rig.subscribe(
            broker, *client_options(place)) as subscriber, rig.serve(
                place / "config-tls.json", rig.write_environment()) as server:
        subscriber.wait_for('"frame_id"', 5)
        assert "warning" not in server.text().lower(), server.text()
        assert server.terminate() == 0, server.text()


def wait_for_frames(subscriber, count):
    end = time.monotonic() + rig.LIMIT_S
    while len(rig.messages(subscriber)) < count:
        assert time.monotonic() < end, subscriber.text()
        time.sleep(0.05)


def check_renewal(qos):
    """New certificates are taken into use by a running pipeline, which loses
    no frame over it."""
    address, place = make_certificates()
    # With room for some seconds in which a busy machine stands still.
    config = rig.write_config(rig.pipeline(PICTURE, publisher={
        "host": address, "qos": qos, "client_id": "renewed",
        "tls": {"ca_cert": str(place / "ca.crt"),
                "client_cert": str(place / "client/client.crt"),
                "client_key": str(place / "client/client.key")}},
        queue_maxsize=500))
    with made_broker(address, place) as broker, rig.subscribe(
            broker, "-q", "2", *client_options(place)) as subscriber, \
            rig.serve(config, rig.write_environment()) as server:
        wait_for_frames(subscriber, 5)
        for times in (2, 3):
            status, output = rig.run_vigil(
                "certs", place, "--broker", address, "--renew")
            assert status == 0, output
            server.signal(signal.SIGHUP)
            server.wait_for("connected to", times)
            wait_for_frames(subscriber, len(rig.messages(subscriber)) + 5)
        assert server.terminate() == 0, server.text()
        broker.wait_for("Client renewed disconnected.", 3)
        assert broker.count("as renewed") == 3, broker.text()
        ids = [message["frame_id"] for message in rig.messages(subscriber)]
    assert ids == list(range(ids[0], ids[0] + len(ids))), ids


def test_renewal_loses_no_frame_with_qos_0():
    check_renewal(0)


def test_renewal_loses_no_frame_with_qos_1():
    check_renewal(1)


def test_renewal_loses_no_frame_with_qos_2():
    check_renewal(2)


def test_half_replaced_files_keep_the_connection():
    address, place = make_certificates()
    with made_broker(address, place) as broker, rig.subscribe(
            broker, *client_options(place)) as subscriber, rig.serve(
                place / "config-tls.json", rig.write_environment()) as server:
        wait_for_frames(subscriber, 2)
        key = place / "client/client.key"
        whole = key.read_text()
        key.write_text("nothing yet")
        server.signal(signal.SIGHUP)
        server.wait_for("the former certificates and password stay in use")
        server.wait_for("there is no private key in the file")
        wait_for_frames(subscriber, len(rig.messages(subscriber)) + 5)
        key.write_text(whole)
        server.signal(signal.SIGHUP)
        server.wait_for("connected to", 2)
        wait_for_frames(subscriber, len(rig.messages(subscriber)) + 5)
        assert server.terminate() == 0, server.text()


tap.run(globals())
