#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tools/count-tests counts what ran, and what should have run."""
import json
import subprocess
import tempfile

import tap


def count(*tests, options=()):
    """@tests: (result, stdout). Returns (exit status, the line)."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as log:
        for result, output in tests:
            log.write(json.dumps(
                {"name": "x", "result": result, "stdout": output}) + "\n")
        log.flush()
        done = subprocess.run(
            [tap.ROOT / "tools" / "count-tests", *options, log.name],
            capture_output=True, text=True, check=False)
        return done.returncode, done.stdout.strip()


def expect(result, status, line):
    assert result == (status, line), result


def test_counts_cases_of_a_plan():
    expect(count(("OK", "TAP version 13\n# random seed\n1..2\nok 1 /a\nok 2 /b\n")),
           0, "2 passed, 0 failed, 0 skipped")


def test_counts_a_failed_case():
    expect(count(("FAIL", "1..2\nok 1 /a\nnot ok 2 /b\n")),
           1, "1 passed, 1 failed, 0 skipped")


def test_counts_what_an_aborted_program_never_reached():
    expect(count(("ERROR", "1..5\nok 1 /a\nBail out! assertion failed\n")),
           1, "1 passed, 4 failed, 0 skipped")


def test_counts_a_skipped_case():
    expect(count(("OK", "1..2\nok 1 /a\nok 2 /b # SKIP no network\n")),
           0, "1 passed, 0 failed, 1 skipped")


def test_takes_no_topic_for_a_skip():
    expect(count(("OK", "1..1\nok 1 /topic/a/# is refused\n")),
           0, "1 passed, 0 failed, 0 skipped")


def test_reads_a_plan_at_the_end():
    expect(count(("OK", "ok 1 - a\nok 2 - b\n1..2\n")),
           0, "2 passed, 0 failed, 0 skipped")


def test_fails_a_program_that_ends_badly_after_its_last_case():
    expect(count(("FAIL", "1..1\nok 1 /a\n")),
           1, "1 passed, 1 failed, 0 skipped")


def test_fails_a_program_that_ran_out_of_time():
    expect(count(("TIMEOUT", "1..1\n")), 1, "0 passed, 1 failed, 0 skipped")


def test_counts_a_program_without_a_plan_as_one_case():
    expect(count(("OK", ""), ("FAIL", None), ("SKIP", "")),
           1, "1 passed, 1 failed, 1 skipped")


def test_fails_when_nothing_ran():
    expect(count(), 1, "0 passed, 0 failed, 0 skipped")


def test_fails_a_result_that_cannot_be_read():
    with tempfile.NamedTemporaryFile("w", suffix=".json") as log:
        log.write("\0\0\0\n")
        log.flush()
        done = subprocess.run(
            [tap.ROOT / "tools" / "count-tests", log.name],
            capture_output=True, text=True, check=False)
    expect((done.returncode, done.stdout.strip()),
           1, "0 passed, 1 failed, 0 skipped")


def test_prints_bare_numbers_when_asked():
    expect(count(("OK", "1..1\nok 1 a\n"), options=["--plain"]), 0, "1 0 0")


def test_prints_the_last_words_of_what_failed():
    status, text = count(
        ("OK", "1..1\nok 1 /fine\n"),
        ("ERROR", "1..1\n" + "# old\n" * 30 + "Bail out! the reason\n"),
        options=["--failures"])
    assert status == 1
    assert "Bail out! the reason" in text
    assert "/fine" not in text and text.count("# old") == 19


tap.run(globals())
