#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The manual page has every command and every option of the program."""
import re

import rig
import tap

PAGE = (tap.ROOT / "docs/man/vigil.1").read_text().replace("\\-", "-")


def sections():
    """{command: text of its section}"""
    parts = re.split(r"^\.SS vigil ([\w-]+).*$|^\.SH .*$", PAGE,
                     flags=re.MULTILINE)
    return {name: text for name, text in zip(parts[1::2], parts[2::2])
            if name}


def commands():
    status, text = rig.run_vigil("--help")
    assert status == 0, text
    return re.findall(r"^  ([\w-]+)  ", text, re.MULTILINE)


def test_every_command_has_a_section():
    assert set(commands()) == set(sections()), (commands(), sections().keys())


def test_every_option_is_in_its_section():
    for command in commands():
        status, text = rig.run_vigil(command, "--help")
        assert status == 0, text
        options = set(re.findall(r"(--[\w-]+)", text)) - {"--help"}
        # Words of a help text may name options of other commands.
        options = {option for option in options
                   if re.search(rf"^\s+(-\w, )?{option}\b", text, re.M)}
        found = set(re.findall(r"(--[\w-]+)", sections()[command]))
        assert options <= found, (command, options - found)


def test_no_option_is_invented():
    for command, section in sections().items():
        _, text = rig.run_vigil(command, "--help")
        named = set(re.findall(r"^\.BR? (?:-\w \", \" )?(--[\w-]+)", section,
                               re.MULTILINE))
        missing = {option for option in named if option not in text}
        assert not missing, (command, missing)


tap.run(globals())
