#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Clients that take their time on purpose, by Debian's slowhttptest: they
keep nobody from being answered and no frame from being published, lose their
connections after fixed times however busily bytes drip, and leave nothing."""
import concurrent.futures
import os
import shutil
import time

import rest
import rig
import tap

LIVE = "videotestsrc is-live=true ! " \
       "video/x-raw,width=64,height=48,framerate=25/1 ! " \
       "appsink name=destination"
CROWD = 300
# Of the server: until the headers are there, and from then on.
HEADERS_S, BODY_S = 10, 20
# Both hold with room for a busy machine; an attack that worked would hold
# requests and descriptors until its own end.
PATIENCE = int(os.environ.get("VIGIL_TEST_PATIENCE", "1"))
PROMPT_S, LATE_S = 5 * PATIENCE, 15 * PATIENCE
ATTACK_S = 60 * PATIENCE
ATTACKS = {
    # Words of slowhttptest, path, and how long the server bears them.
    "headers": (["-H", "-i", "2"], "/pipelines/status", HEADERS_S),
    "body": (["-B", "-i", "2", "-s", "8192", "-f", "application/json"],
             rest.START + "live", HEADERS_S + BODY_S),
    # The same request again and again, its answers read by the byte.
    "reading": (["-X", "-k", "10", "-w", "1", "-y", "10", "-n", "1", "-z",
                 "1"], "/openapi.json", HEADERS_S + BODY_S),
}


def serve():
    # With room for some seconds in which a busy machine stands still.
    return rig.serve(rig.write_config(rig.pipeline(
        LIVE, "live", auto_start=False, queue_maxsize=200)),
        rig.write_environment())


def start(client):
    """An instance that publishes, once it does."""
    instance = client.start("live", {"destination": {"metadata": {
        "type": "file", "format": "json-lines",
        "path": str(rig.folder() / "out.jsonl")}}})
    end = time.monotonic() + rig.LIMIT_S
    while client.status(instance)["frames"]["taken"] < 5:
        assert time.monotonic() < end, client.status(instance)
        time.sleep(0.05)
    return instance


def count_descriptors(server):
    return len(os.listdir(f"/proc/{server.process.pid}/fd"))


class Watch:
    """Asks for the status all the time, and counts the descriptors."""

    def __init__(self, server):
        self.server = server
        self.client = rest.Client(server)
        self.instance = start(self.client)
        self.slowest = 0

    def look(self):
        asked = time.monotonic()
        # A crowd that comes all at once may push out who stands among it;
        # who asks again is answered.
        while True:
            answer = self.client.get(f"/pipelines/{self.instance}/status")
            if answer.status != 408 or time.monotonic() > asked + PROMPT_S:
                break
        self.slowest = max(self.slowest, time.monotonic() - asked)
        assert answer.status == 200, answer
        assert answer.json()["state"] == "RUNNING", answer
        time.sleep(0.05)
        return count_descriptors(self.server)

    def until(self, condition, limit, what):
        begin = time.monotonic()
        while not condition(self.look()):
            assert time.monotonic() < begin + limit, \
                f"{what} after {limit} s: {count_descriptors(self.server)}"
        return time.monotonic() - begin

    def check_frames(self):
        """Every frame came through."""
        status = self.client.status(self.instance)
        assert status["frames"]["dropped"] == 0, status
        file = status["destinations"][0]
        assert sum(file["dropped"].values()) == 0, status
        assert file["published"] > 0, status


def attack(name):
    """Returns what was seen, as words."""
    words, path, bears_s = ATTACKS[name]
    with serve() as server:
        watch = Watch(server)
        before = count_descriptors(server)
        # The attacker waits busily.
        with rig.Program(
                "nice", "-n", "19", "slowhttptest", *words, "-c", CROWD, "-r", CROWD, "-p", "60",
                "-l", ATTACK_S, "-u",
                f"http://127.0.0.1:{watch.client.port}{path}"):
            # The server may make room before all are there.
            watch.until(lambda count: count >= before + CROWD // 2,
                        rig.LIMIT_S, "no crowd")
            lasted = watch.until(lambda count: count <= before + 2,
                                 bears_s + LATE_S, "not closed")
        watch.until(lambda count: count <= before, rig.LIMIT_S, "left open")
        watch.check_frames()
        assert watch.slowest < PROMPT_S, watch.slowest
        assert server.terminate() == 0, server.text()
    return f"borne for {lasted:.0f} s, slowest answer {watch.slowest:.3f} s"


def test_slow_clients():
    """All at the same time, each against a server of its own: most of it is
    waiting."""
    if not shutil.which("slowhttptest"):
        raise tap.Skip("slowhttptest is not installed")
    with concurrent.futures.ThreadPoolExecutor() as pool:
        runs = {name: pool.submit(attack, name) for name in ATTACKS}
    for name, run in runs.items():
        print(f"# {name}: {run.result()}")


tap.run(globals())
