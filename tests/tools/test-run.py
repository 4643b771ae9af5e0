#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""./run: its verbs, what it says and the status it ends with."""
import os
import subprocess
import tempfile
from pathlib import Path

import rig
import tap

RUN = tap.ROOT / "run"


def run(*arguments, cwd="/", **variables):
    done = subprocess.run(
        [RUN, *arguments], cwd=cwd, stdin=subprocess.DEVNULL,
        env={**os.environ, "VIGIL_BUILD_DIR": str(rig.BUILD), **variables},
        capture_output=True, text=True,
        check=False, timeout=50)
    return done.returncode, done.stdout, done.stderr


def stand_in(folder, name, text):
    path = Path(folder, name)
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(0o755)


def test_prints_its_verbs_alone():
    status, output, errors = run()
    assert status == 0 and errors == ""
    for verb in ("demo", "serve", "vigil", "deps", "build", "test", "bench",
                 "fuzz", "lint"):
        assert f"\n  {verb} " in output, verb


def test_refuses_an_unknown_verb():
    status, output, errors = run("frobnicate")
    assert status == 64 and output == ""
    assert "no verb 'frobnicate'" in errors


def test_installs_nothing_twice():
    assert run("deps", "build") == (0, "", "")


def deps_without_rights(sudo):
    """./run deps as another user, on a machine without any package."""
    with tempfile.TemporaryDirectory(prefix="vigil-run-") as folder:
        os.chmod(folder, 0o755)
        stand_in(folder, "dpkg-query", "exit 1\n")
        stand_in(folder, "id", "echo 1000\n")
        stand_in(folder, "sudo", sudo)
        return run("deps", "demo", PATH=f"{folder}:{os.environ['PATH']}")


def test_prints_the_line_for_root_when_it_may_not_install():
    status, _, errors = deps_without_rights("exit 1\n")
    assert status == 69, errors
    assert errors.endswith(
        f"run: {tap.ROOT}/tools/install-packages mosquitto\n"), errors


def test_uses_sudo_when_it_asks_for_no_password():
    status, _, errors = deps_without_rights(
        '[ "$1" = -n ] && exit 0; echo "sudo $*" >&2\n')
    assert status == 0, errors
    assert "installing with sudo: mosquitto" in errors
    assert f"sudo {tap.ROOT}/tools/install-packages mosquitto" in errors


def test_refuses_an_unknown_group():
    status, _, errors = run("deps", "moonshine")
    assert status == 64 and "no group 'moonshine'" in errors, errors


def test_a_test_that_does_not_exist_is_an_error():
    # Of faults, whose log is not the one that this run is writing.
    status, _, errors = run("faults", "moonshine")
    assert status == 64 and "no such test" in errors, (status, errors)


def test_vigil_has_the_status_of_the_program():
    status, output, errors = run(
        "vigil", "subscribe", "-h", "127.0.0.1", "-p", "9")
    assert status == 75 and output == "" and "refused" in errors, errors


def test_vigil_becomes_the_program():
    with rig.Broker() as broker, rig.Program(
            RUN, "vigil", "subscribe", "-h", broker.address,
            VIGIL_BUILD_DIR=str(rig.BUILD)) as program:
        broker.wait_for_subscribers(2)
        assert os.readlink(f"/proc/{program.process.pid}/exe") == rig.VIGIL
        assert program.terminate() == 0


def test_vigil_reads_files_of_the_callers_folder():
    place = rig.folder()
    (place / "config.json").write_text('{"config": {"pipelines": []}}')
    status, output, errors = run("vigil", "check-config", cwd=place)
    assert status == 0 and "config.json: 0 pipelines" in output, errors


tap.run(globals())
