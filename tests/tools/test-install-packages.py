#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tools/install-packages keeps services from starting and cleans up after
itself. apt-get, dpkg-query and update-rc.d are stand-ins here that write
down how they were called: nothing is installed."""
import os
import signal
import subprocess
import tempfile
from pathlib import Path

import tap

APT = """#!/bin/sh
echo "apt-get $*" >>"$CALLS"
case " $* " in
*" install "*)
  cat "$VIGIL_POLICY_FILE" >"$CALLS.policy" 2>/dev/null
  case " $* " in *" mosquitto"*) touch "$CALLS.broker" ;; esac
  if [ -n "$HANG" ]; then echo ready >"$HANG"; sleep 60; fi
  exit "${INSTALL_STATUS:-0}" ;;
*" update "*) exit "${UPDATE_STATUS:-0}" ;;
esac
"""
DPKG = '#!/bin/sh\nif [ -e "$CALLS.broker" ]; then echo installed; fi\n'
UPDATE_RC = '#!/bin/sh\necho "update-rc.d $*" >>"$CALLS"\n'


class Machine:
    """A folder with the stand-ins in front of PATH."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="vigil-install-")
        self.path = Path(self.folder.name)
        self.policy = self.path / "policy-rc.d"
        self.calls_file = self.path / "calls"
        self.calls_file.touch()
        for name, text in (("apt-get", APT), ("dpkg-query", DPKG),
                           ("update-rc.d", UPDATE_RC)):
            (self.path / name).write_text(text)
            (self.path / name).chmod(0o755)

    def start(self, *packages, **variables):
        return subprocess.Popen(
            [tap.ROOT / "tools" / "install-packages", *packages],
            env={**os.environ, "PATH": f"{self.path}:{os.environ['PATH']}",
                 "VIGIL_POLICY_FILE": str(self.policy),
                 "CALLS": str(self.calls_file), **variables},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            start_new_session=True)

    def install(self, *packages, **variables):
        process = self.start(*packages, **variables)
        _, errors = process.communicate(timeout=30)
        return process.returncode, errors

    def calls(self):
        return self.calls_file.read_text()

    def policy_during_install(self):
        return Path(f"{self.calls_file}.policy").read_text()


def test_denies_services_while_apt_works_and_not_after():
    machine = Machine()
    status, _ = machine.install("jq")
    assert status == 0
    assert "exit 101" in machine.policy_during_install()
    assert not machine.policy.exists()


def test_leaves_a_policy_that_is_there():
    machine = Machine()
    machine.policy.write_text("#!/bin/sh\nexit 0\n")
    status, errors = machine.install("jq")
    assert status == 0 and "stays as it is" in errors, errors
    assert machine.policy.read_text() == "#!/bin/sh\nexit 0\n"


def test_removes_the_policy_when_apt_fails():
    machine = Machine()
    status, _ = machine.install("jq", INSTALL_STATUS="100")
    assert status == 100
    assert not machine.policy.exists()


def test_removes_the_policy_when_it_is_ended():
    machine = Machine()
    fifo = machine.path / "ready"
    os.mkfifo(fifo)
    process = machine.start("jq", HANG=str(fifo))
    fifo.read_text()
    os.killpg(process.pid, signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == 143, process.returncode
    assert not machine.policy.exists()


def test_replaces_the_policy_of_a_run_that_was_killed():
    machine = Machine()
    # No process can have this number: it is above the kernel's limit.
    machine.policy.write_text(
        "#!/bin/sh\n# made by tools/install-packages of vigil, "
        "process 99999999\nexit 101\n")
    status, errors = machine.install("jq")
    assert status == 0 and "stays as it is" not in errors, errors
    assert not machine.policy.exists()


def test_disables_a_broker_that_was_not_there():
    machine = Machine()
    status, errors = machine.install("mosquitto")
    assert status == 0 and "disabled" in errors, errors
    assert "update-rc.d mosquitto disable" in machine.calls()


def test_leaves_a_broker_that_was_there():
    machine = Machine()
    Path(f"{machine.calls_file}.broker").touch()
    status, errors = machine.install("mosquitto")
    assert status == 0 and "disabled" not in errors, errors
    assert "update-rc.d" not in machine.calls()


def test_goes_on_when_an_index_cannot_be_had():
    machine = Machine()
    status, errors = machine.install("jq", UPDATE_STATUS="100")
    assert status == 0 and "going on" in errors, errors


def test_asks_for_a_package():
    machine = Machine()
    status, errors = machine.install()
    assert status == 64 and "usage" in errors
    assert machine.calls() == ""


tap.run(globals())
