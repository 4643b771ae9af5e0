#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The checks of ./run lint find what they are for, and nothing else."""
import subprocess
import tempfile
from pathlib import Path

import tap

TABLE = """
| rank | folder | may include | libraries |
|---|---|---|---|
| 0 | `base/` | - | `jansson.h` in `json.c` |
| 1 | `mqtt/` | `base/` | `openssl/` |
| 2 | `pipeline/` | `base/` | `gst/` |
"""
LICENCE = "/* SPDX-License-Identifier: Apache-2.0 */\n"


def tree(files):
    """A git tree in a temporary folder. @files: {name: text}."""
    folder = tempfile.TemporaryDirectory(prefix="vigil-checks-")
    for name, text in files.items():
        path = Path(folder.name, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    subprocess.run(["git", "init", "-q", folder.name], check=True)
    return folder


def check(tool, files, *arguments):
    """Returns (exit status, output) of tools/@tool on @files."""
    with tree(files) as folder:
        done = subprocess.run(
            [tap.ROOT / "tools" / tool, *(arguments or [folder])],
            cwd=folder, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr


def layers(files, table=TABLE):
    return check("check-layers", {"ARCHITECTURE.md": table, **files})


def accepts(result):
    assert result == (0, ""), result


def refuses(result, *words):
    status, output = result
    assert status == 1, result
    for word in words:
        assert word in output, result


def test_layers_accept_what_the_table_allows():
    accepts(layers({
        "src/base/json.c":
            '#include "base/json.h"\n#include <jansson.h>\n#include <glib.h>',
        "src/mqtt/client.c":
            '#include "base/queue.h"\n#include <openssl/ssl.h>',
        "src/pipeline/sample.c": "#include <gst/gst.h>\n#include <stdio.h>",
    }))


def test_layers_refuse_a_folder_not_in_the_row():
    refuses(layers({"src/mqtt/a.c": '#include "pipeline/sample.h"'}),
            "src/mqtt/a.c:1", "may not include", "pipeline/sample.h")


def test_layers_refuse_a_library_not_in_the_row():
    refuses(layers({"src/mqtt/a.h": "\n#include <gst/gst.h>"}),
            "src/mqtt/a.h:2", "<gst/gst.h>")


def test_layers_refuse_a_library_outside_its_file():
    refuses(layers({"src/base/log.c": "#include <jansson.h>"}),
            "<jansson.h> belongs to json.c alone")


def test_layers_refuse_an_include_without_a_folder():
    refuses(layers({"src/base/log.c": '#include "log.h"'}), "want the folder")


def test_layers_refuse_a_folder_without_a_row():
    refuses(layers({"src/cloud/a.c": ""}), "cloud/ has no row")


def test_layers_refuse_a_table_with_a_cycle():
    refuses(layers({}, TABLE.replace("| `base/` | - |", "| `base/` | `mqtt/` |")
                   .replace("| 0 | `base/` | - |", "| 0 | `base/` | `mqtt/` |")),
            "base/ (rank 0) may not include mqtt/ (rank 1)")


def test_layers_refuse_a_page_without_a_table():
    refuses(layers({}, "# nothing"), "no rank table")


def text(name, content):
    return check("check-text", {name: content})


def test_text_accepts_a_plain_source():
    accepts(text("src/a.c", LICENCE + "int a;\n"))


def test_text_refuses_trailing_space():
    refuses(text("a.txt", "word \n"), "a.txt:1: trailing space")


def test_text_refuses_a_missing_licence():
    refuses(text("src/a.c", "int a;\n"), "src/a.c: want 'SPDX")


def test_text_wants_the_licence_of_a_script_after_its_first_line():
    accepts(text("a", "#!/bin/sh\n# SPDX-License-Identifier: Apache-2.0\n"))
    refuses(text("a", "#!/bin/sh\necho\n"), "want 'SPDX")


def test_text_refuses_words_that_mean_later():
    refuses(text("a.c", LICENCE + "/* TO" + "DO: b */\n"), "a.c:2", "issue")


def test_text_refuses_a_last_line_without_end():
    refuses(text("a.txt", "word"), "last line")


def test_text_refuses_a_long_file():
    refuses(text("a.c", LICENCE + "int a;\n" * 800), "801 lines")


def test_text_refuses_a_long_function():
    body = "int\nlong_one (void)\n{\n" + "  a ();\n" * 81 + "}\n"
    refuses(text("a.c", LICENCE + body), "long_one has 81 lines")


def test_text_lets_a_class_init_be_longer():
    body = "int\na_class_init (void)\n{\n" + "  a ();\n" * 120 + "}\n"
    accepts(text("a.c", LICENCE + body))


def names(sources):
    """Compiles @sources {name: text} as meson would and checks them."""
    with tempfile.TemporaryDirectory(prefix="vigil-names-") as folder:
        place = Path(folder, "src", "x")
        place.mkdir(parents=True)
        for name, content in sources.items():
            if name.endswith(".h"):
                (place / name).touch()
                continue
            output = place / (name + ".o")
            subprocess.run(
                ["cc", "-x", "c", "-c", "-", "-o", output],
                input=content, text=True, check=True)
        done = subprocess.run(
            [tap.ROOT / "tools" / "check-names", folder, folder],
            capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr


def test_names_accept_the_file_s_own():
    accepts(names({
        "mqtt-client.c": "int vigil_mqtt_client_new; static int helper;",
        "cmd-serve.c": "void vigil_cmd_serve (void) {}",
        "main.c": "int main (void) { return 0; }",
    }))


def test_names_accept_those_of_a_header_of_the_folder():
    accepts(names({"detection.c": "int vigil_filter_skip;", "filter.h": ""}))


def test_names_refuse_another_file_s():
    refuses(names({"queue.c": "int vigil_log_open;"}),
            "queue.c: 'vigil_log_open'")


def test_names_refuse_a_name_that_only_starts_alike():
    refuses(names({"queue.c": "int vigil_queues;"}), "'vigil_queues'")


def test_names_refuse_an_empty_build():
    refuses(names({}), "build first")


def commits(subject):
    with tree({"a": "a\n"}) as folder:
        def git(*arguments):
            subprocess.run(
                ["git", "-c", "user.name=a", "-c", "user.email=a@b", *arguments],
                cwd=folder, check=True)
        git("add", "-A")
        git("commit", "-q", "-m", subject)
        done = subprocess.run(
            [tap.ROOT / "tools" / "check-commits"], cwd=folder,
            capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr


def test_commits_accept_area_and_what():
    accepts(commits("publish: reset back-off after a clean connect"))


def test_commits_refuse_other_forms():
    refuses(commits("Reset the back-off"), "want 'area: what'")
    refuses(commits("publish: reset the back-off."), "no full stop")
    refuses(commits("publish: " + "very " * 12 + "long"), "want under 60")


def test_headers_find_one_that_needs_another():
    status, output = check("check-headers", {
        "src/base/a.h": LICENCE + "#pragma once\nvoid a (uint64_t b);\n"})
    assert status == 1 and "uint64_t" in output, output


tap.run(globals())
