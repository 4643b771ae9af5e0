#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""./run demo shows messages and frames, and cleans up after itself."""
import os
import re
import select
import signal
import subprocess
import tempfile
from pathlib import Path

import rig
import tap

DEMO = tap.ROOT / "tools" / "demo"


class Place:
    """A cache folder of the test's own, with a video in it so that nothing
    is downloaded."""

    def __init__(self):
        self.cache = rig.folder()
        (self.cache / "vigil").mkdir()
        rig.make_video(400).rename(self.cache / "vigil" / "vtest.avi")

    def start(self, *arguments, vigil=rig.VIGIL, **variables):
        return rig.Program(rig.PYTHON, DEMO, vigil, *arguments,
                           XDG_CACHE_HOME=str(self.cache), **variables)


def children(pid):
    done = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)],
                          capture_output=True, text=True, check=False)
    return [int(word) for word in done.stdout.split()]


def is_alive(pid):
    return Path(f"/proc/{pid}/exe").exists()


def test_shows_messages_and_frames_and_sums_up():
    place = Place()
    with place.start("--seconds", "4") as demo:
        assert demo.wait() == 0, demo.text()
        text = demo.text()
    shown = len(re.findall(r'^\{.*"frame_id"', text, re.MULTILINE))
    messages = int(re.search(r"^messages +(\d+)", text, re.MULTILINE)[1])
    frames = int(re.search(r"^frames +(\d+)", text, re.MULTILINE)[1])
    assert shown == messages == frames > 10, text
    for words in ("bytes", "fps", "CPU", "drops     0 counted by vigil, "
                  "0 frames missing"):
        assert f"\n{words}" in text, text
    saved = list((place.cache / "vigil/demo-frames").glob("*.jpg"))
    assert len(saved) == frames


def test_fails_when_nothing_arrives():
    place = Place()
    (place.cache / "vigil" / "vtest.avi").write_bytes(b"this is no video")
    with place.start("--seconds", "2") as demo:
        assert demo.wait() == 1
        assert "no message arrived" in demo.text()


def test_fails_when_the_server_does_not_start():
    wrapper = rig.folder() / "vigil"
    wrapper.write_text('#!/bin/sh\n[ "$1" != serve ] || exit 70\n'
                       f'exec {rig.VIGIL} "$@"\n')
    wrapper.chmod(0o755)
    with Place().start("--seconds", "2", vigil=wrapper) as demo:
        assert demo.wait() == 1
        assert "ended with status 70" in demo.text(), demo.text()


def ends_its_programs(number, status):
    with Place().start("--seconds", "60") as demo:
        demo.wait_for('"frame_id"')
        started = children(demo.process.pid)
        assert len(started) == 3, started
        demo.signal(number)
        assert demo.wait() == status
        assert not [pid for pid in started if is_alive(pid)]


def test_ends_its_programs_on_ctrl_c():
    ends_its_programs(signal.SIGINT, 130)


def test_ends_its_programs_on_sigterm():
    ends_its_programs(signal.SIGTERM, 143)


def test_its_programs_do_not_outlive_a_kill():
    with Place().start("--seconds", "60") as demo:
        demo.wait_for('"frame_id"')
        watched = [os.pidfd_open(pid) for pid in children(demo.process.pid)]
        demo.signal(signal.SIGKILL)
        demo.wait()
        for descriptor in watched:
            # Readable when the process has ended.
            assert select.select([descriptor], [], [], rig.LIMIT_S)[0]
            os.close(descriptor)


def test_says_how_to_get_the_video():
    tools = rig.folder()
    (tools / "apt-get").write_text("#!/bin/sh\nexit 100\n")
    (tools / "apt-get").chmod(0o755)
    with tempfile.TemporaryDirectory() as cache:
        with rig.Program(rig.PYTHON, DEMO, rig.VIGIL, XDG_CACHE_HOME=cache,
                         PATH=f"{tools}:{os.environ['PATH']}") as demo:
            assert demo.wait() == 69
            assert "apt-get cannot download opencv-doc" in demo.text()
        assert list(Path(cache, "vigil").iterdir()) == []


tap.run(globals())
