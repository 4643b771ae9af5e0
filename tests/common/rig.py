# SPDX-License-Identifier: Apache-2.0
"""What the end-to-end tests run: programs with their output watched, a real
broker on an address of its own, and the program under test."""
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import tap

BUILD = Path(os.environ.get("VIGIL_BUILD_ROOT") or tap.ROOT / "build")
VIGIL = str(BUILD / "src/app/vigil")
# Debian's, which has paho and OpenCV as packages; PATH may have another.
PYTHON = "/usr/bin/python3"
# What takes longer has failed; sanitizers make everything slow.
LIMIT_S = 30 * int(os.environ.get("VIGIL_TEST_PATIENCE", "1"))
INSIDE = "VIGIL_TEST_INSIDE_NAMESPACE"
TOPIC = "dlstreamer_pipeline_results"


def folder():
    """A folder that goes away with the test program."""
    holder = tempfile.TemporaryDirectory(prefix="vigil-e2e-")
    folder.holders.append(holder)
    return Path(holder.name)


folder.holders = []


class Program:
    """A running program; its lines of both outputs are kept in `lines`.
    Ended when the with-block is left."""

    def __init__(self, *command, cwd=None, **variables):
        self.command = [str(word) for word in command]
        self.lines = []
        self.changed = threading.Condition()
        self.process = subprocess.Popen(
            self.command, cwd=cwd, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env={**os.environ, **variables}, start_new_session=True)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            with self.changed:
                self.lines.append(line.decode(errors="replace").rstrip("\n"))
                self.changed.notify_all()
        with self.changed:
            self.changed.notify_all()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.reader.join(LIMIT_S)
        self.process.stdout.close()

    def text(self):
        with self.changed:
            return "\n".join(self.lines)

    def count(self, words):
        return sum(words in line for line in self.lines)

    def wait_for(self, words, times=1, limit=LIMIT_S):
        """Returns when @words have come in so many lines; fails when they
        have not in time, or cannot come any more."""
        end = time.monotonic() + limit
        with self.changed:
            while self.count(words) < times:
                left = end - time.monotonic()
                if left <= 0 or not self.reader.is_alive():
                    break
                # The reader's end is not always announced in time.
                self.changed.wait(min(left, 1))
            assert self.count(words) >= times, \
                f"{self.command}: no '{words}' x{times} in:\n" + \
                "\n".join(self.lines[-60:])

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, limit=LIMIT_S):
        """Returns the exit status; fails when it goes on too long."""
        try:
            status = self.process.wait(limit)
        except subprocess.TimeoutExpired:
            raise AssertionError(
                f"{self.command} still runs:\n{self.text()}") from None
        self.reader.join(LIMIT_S)
        return status

    def terminate(self, limit=LIMIT_S):
        self.signal(signal.SIGTERM)
        return self.wait(limit)


def vigil(*arguments, **options):
    return Program(VIGIL, *arguments, **options)


def run_vigil(*arguments, limit=LIMIT_S, **options):
    """Runs vigil to its end. Returns (status, output)."""
    with vigil(*arguments, **options) as program:
        return program.wait(limit), program.text()


def own_address():
    """A loopback address that no other test uses, with good chance: fixed
    ports can be used on it, and it is checked when the broker starts."""
    return "127.{}.{}.{}".format(
        random.randint(64, 254), random.randint(0, 254),
        random.randint(1, 254))


def enter_own_network(*more):
    """Starts this program again where nobody else listens, @more: in what
    else of its own (options of unshare); in process ids of its own too, if
    they are to be had, so that all ends with it."""
    if INSIDE in os.environ:
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        return
    user = [] if os.geteuid() == 0 else ["--map-root-user"]
    for options in (["--pid", "--mount-proc"], []):
        command = ["unshare", "--net", "--fork", "--kill-child", *more,
                   *options, *user]
        if subprocess.run([*command, "true"], check=False,
                          stderr=subprocess.DEVNULL).returncode == 0:
            os.environ[INSIDE] = "1"
            os.execvp(command[0], [*command, sys.executable, *sys.argv])
    print("1..0 # SKIP this machine gives no network namespace")
    sys.exit(0)


def can_connect(address, port):
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((address, port)) == 0


def background(function):
    """Runs @function beside the test, to the test's end; what it is blocked
    in may fail then."""
    def guarded():
        try:
            function()
        except OSError:
            pass
    threading.Thread(target=guarded, daemon=True).start()


class Broker(Program):
    """A real mosquitto; port 1883 of an address of its own by default."""

    def __init__(self, lines="allow_anonymous true\n", port=1883,
                 address=None):
        self.address = address or own_address()
        self.port = port
        self.folder = folder()
        config = self.folder / "mosquitto.conf"
        config.write_text(
            f"listener {port} {self.address}\n"
            f"log_dest stderr\nlog_type all\n{lines}" +
            # As root it would become another user, who cannot read our files.
            ("user root\n" if os.geteuid() == 0 else ""))
        program = shutil.which("mosquitto", path="/usr/sbin:/usr/bin")
        if not program:
            raise tap.Skip("mosquitto is not installed")
        super().__init__(program, "-c", config)
        try:
            self.wait_for(" running")
        except AssertionError:
            self.__exit__()
            raise

    def wait_for_subscribers(self, times):
        """@times: subscriptions answered so far."""
        self.wait_for("Sending SUBACK", times)

    def publish(self, topic, payload, *arguments):
        subprocess.run(
            ["mosquitto_pub", "-h", self.address, "-p", str(self.port), "-t",
             topic, "-s", *arguments],
            input=payload if isinstance(payload, bytes) else payload.encode(),
            check=True, timeout=LIMIT_S)


def pipeline(text, name="test", publisher=None, uri=None, **more):
    """One entry of config.json that starts by itself."""
    entry = {"name": name, "source": "gstreamer", "pipeline": text,
             "auto_start": True, **more}
    if uri:
        entry["payload"] = {"source": {"type": "uri", "uri": uri}}
    if publisher is not None:
        entry["mqtt_publisher"] = publisher
    return entry


def write_config(*entries, **more):
    """@more: other keys beside the pipelines."""
    path = folder() / "config.json"
    path.write_text(json.dumps(
        {"config": {"pipelines": list(entries), **more}}))
    return path


def write_environment(broker=None, **variables):
    path = folder() / "env"
    # Any free port: several tests run beside each other.
    variables.setdefault("REST_SERVER_PORT", "0")
    if broker:
        variables.setdefault("MQTT_HOST", broker.address)
        variables.setdefault("MQTT_PORT", str(broker.port))
    path.write_text("".join(
        f"{name}={value}\n" for name, value in variables.items()))
    return path


def serve(config, environment, *arguments, **options):
    return vigil("serve", "--config", config, "--env-file", environment,
                 *arguments, **options)


def subscribe(broker, *arguments):
    """vigil subscribe, once the broker has its subscriptions."""
    before = broker.count("Sending SUBACK")
    program = vigil("subscribe", "-h", broker.address, "-p", broker.port,
                    *arguments)
    # Each topic is subscribed twice: for messages and for bare frames.
    broker.wait_for_subscribers(before + 2)
    return program


def messages(program):
    """The metadata that `vigil subscribe` has printed."""
    return [json.loads(line) for line in list(program.lines)
            if line.startswith("{")]


def make_video(frames=20, width=64, height=48, rate=50):
    """An AVI of motion JPEG with so many frames. Returns its path."""
    path = folder() / "video.avi"
    subprocess.run(
        ["gst-launch-1.0", "-q", "videotestsrc", f"num-buffers={frames}",
         "!", "video/x-raw,"
         f"width={width},height={height},framerate={rate}/1",
         "!", "jpegenc", "!", "avimux", "!", "filesink", f"location={path}"],
        check=True, timeout=LIMIT_S, stdout=subprocess.DEVNULL)
    return path
