#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""docs/configuration.md says what the program's tables say."""
import os
import re
import subprocess

import rig
import tap

PAGE = tap.ROOT / "docs" / "configuration.md"
READ = re.compile(
    r"vigil_(?:environment|settings)_get\w* \([^;\"]*\"([A-Z][A-Z0-9_]+)\"")


def test_page_is_what_the_tables_say():
    done = subprocess.run([rig.BUILD / "tools/config-reference"], check=True,
                          capture_output=True, text=True)
    if os.environ.get("VIGIL_UPDATE_DOCS"):
        PAGE.write_text(done.stdout)
    assert done.stdout == PAGE.read_text(), \
        "run: VIGIL_UPDATE_DOCS=1 ./run test reference"


def test_page_has_every_variable_that_is_read():
    text = PAGE.read_text()
    names = {name for source in (tap.ROOT / "src").rglob("*.c")
             for name in READ.findall(source.read_text())}
    assert {"MQTT_HOST", "LOG_LEVEL"} <= names, names
    missing = [name for name in sorted(names) if f"| `{name}` |" not in text]
    assert not missing, missing


tap.run(globals())
