# SPDX-License-Identifier: Apache-2.0
"""Runs the test_* functions of a script and prints the Test Anything
Protocol, which meson and tools/count-tests read."""
import os
import sys
import traceback
from pathlib import Path

ROOT = Path(os.environ.get("VIGIL_SOURCE_ROOT")
            or Path(__file__).resolve().parents[2])


class Skip(Exception):
    """Raised by a case that cannot run here; the text says why."""


def run(names):
    """@names: the script's globals(). Words on the command line pick the
    cases whose names hold one. Exits: 1 if a case failed."""
    words = sys.argv[1:] or [""]
    cases = [(name, function) for name, function in names.items()
             if name.startswith("test_") and callable(function)
             and any(word in name for word in words)]
    print(f"1..{len(cases)}", flush=True)
    failed = 0
    for number, (name, function) in enumerate(cases, 1):
        title = name[len("test_"):].replace("_", " ")
        try:
            function()
            print(f"ok {number} {title}", flush=True)
        except Skip as reason:
            print(f"ok {number} {title} # SKIP {reason}", flush=True)
        except Exception:  # pylint: disable=broad-except
            failed += 1
            text = traceback.format_exc()
            print("".join(f"# {line}\n" for line in text.splitlines()), end="")
            print(f"not ok {number} {title}", flush=True)
    sys.exit(1 if failed else 0)
