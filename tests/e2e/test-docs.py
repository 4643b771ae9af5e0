#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every command of the README and of docs/ does what the page says.

Each page is run from top to bottom in a copy of the tree, in a network of
its own where port 1883 is free. A block of `sh` must end with status 0,
unless a comment in the line above says otherwise:

  <!-- test: background, port 1883 -->   goes on; ready when the port answers
  <!-- test: background, subscribed -->  goes on; ready when a broker of the
                                         page has a new subscriber, and must
                                         have printed something in the end
  <!-- test: background, messages -->    goes on; the page is read on when
                                         every subscriber has printed; ends
                                         the one before it
  <!-- test: skip, REASON -->            is not run
"""
import os
import re
import subprocess
import time
from pathlib import Path

import rig
import tap

BLOCK = re.compile(
    r"(?:^ *<!-- test: (?P<how>[^\n]*) -->\n)?^(?P<indent> *)```sh\n"
    r"(?P<text>.*?)^(?P=indent)```",
    re.MULTILINE | re.DOTALL)
PORTS = (1883, 8883)


def pages():
    found = [tap.ROOT / "README.md", tap.ROOT / "CONTRIBUTING.md"]
    found += sorted((tap.ROOT / "docs").rglob("*.md"))
    return [page for page in found
            if page.exists() and BLOCK.search(page.read_text())]


def copy_tree():
    """What is under git, in a folder that commands may write to."""
    place = rig.folder() / "vigil"
    place.mkdir()
    # A broker that root starts becomes another user, who reads its files.
    place.parent.chmod(0o755)
    names = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached",
         "--others", "--exclude-standard"],
        cwd=tap.ROOT, check=True, capture_output=True).stdout
    # A file that was removed and is not committed yet has no place in it.
    names = b"\0".join(name for name in names.split(b"\0")
                       if name and (tap.ROOT / name.decode()).exists())
    with subprocess.Popen(["tar", "-c", "--null", "-T", "-"], cwd=tap.ROOT,
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE
                          ) as archive:
        with subprocess.Popen(["tar", "-x", "-C", place],
                              stdin=archive.stdout) as output:
            archive.stdin.write(names)
            archive.stdin.close()
            assert output.wait() == 0
    return place


class Page:
    """The run of one page."""

    def __init__(self, path):
        self.blocks = [(match["how"] or "ends", match["text"])
                       for match in BLOCK.finditer(path.read_text())]
        self.place = copy_tree()
        (self.place / "build").symlink_to(rig.BUILD)
        self.programs = []
        self.subscribers = []
        self.publisher = None

    def start(self, text):
        program = rig.Program(
            "bash", "-euc", text, cwd=self.place,
            VIGIL_BUILD_DIR=str(rig.BUILD), PYTHONUNBUFFERED="1",
            HOME=str(self.place),
            # `python3` of a page is Debian's.
            PATH=f"/usr/bin:{os.environ['PATH']}")
        self.programs.append(program)
        return program

    def run_block(self, how, text):
        mode, _, detail = how.partition(", ")
        if mode == "skip":
            return
        if detail == "messages" and self.publisher:
            self.publisher.terminate()
        before = connections()
        program = self.start(text)
        if mode == "ends":
            status = program.wait(60)
            assert status == 0, f"{text}ended with {status}:\n{program.text()}"
        elif detail.startswith("port "):
            self.wait_for(lambda: rig.can_connect(
                "127.0.0.1", int(detail.split()[1])), program)
        elif detail == "subscribed":
            self.subscribers.append(program)
            self.wait_for(lambda: connections() > before, program)
        elif detail == "messages":
            self.publisher = program
            self.wait_for(self.all_have_printed, program)
        else:
            raise AssertionError(f"unknown test comment: {how}")

    def all_have_printed(self):
        return all(program.lines for program in self.subscribers)

    def wait_for(self, is_ready, program):
        end = time.monotonic() + rig.LIMIT_S
        while not is_ready():
            assert time.monotonic() < end and program.process.poll() is None, \
                f"{program.command}:\n{program.text()}"
            time.sleep(0.1)

    def run(self):
        try:
            for how, text in self.blocks:
                self.run_block(how, text)
            assert self.all_have_printed(), \
                [program.command for program in self.subscribers
                 if not program.lines]
        finally:
            for program in reversed(self.programs):
                program.__exit__()


def connections():
    """How many clients are connected to a broker's port."""
    established = "01"
    ports = tuple(f":{port:04X}" for port in PORTS)
    count = 0
    for name in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(name).read_text().splitlines()[1:]:
            fields = line.split()
            count += fields[1].endswith(ports) and fields[3] == established
    return count


def main():
    rig.enter_own_network()
    cases = {f"test_{page.relative_to(tap.ROOT)}":
             (lambda page=page: Page(page).run()) for page in pages()}
    tap.run(cases)


main()
