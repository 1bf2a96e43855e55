#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""count_tests.py BUILD-DIRECTORY...: counts the test cases of the last `meson test` of each.

Prints `N passed, N failed, N skipped`. A program that reports no cases of its own, crashed ones
included, counts as one case. The exit status is 1 if a case failed or none passed.
"""
import json
import sys
import xml.etree.ElementTree as ElementTree
from collections import Counter
from pathlib import Path

RESULTS = {"OK": "passed", "EXPECTEDFAIL": "passed", "SKIP": "skipped"}  # meson's; others are failures


def outcome_of(case):
    if case.find("failure") is not None or case.find("error") is not None:
        return "failed"
    if case.find("skipped") is not None:
        return "skipped"
    # gtest also lists what a filter or DISABLED_ kept from running.
    return "not run" if case.get("status") == "notrun" else "passed"


def gtest_cases(junit):
    """Program -> outcomes of its cases, from the suites that meson calls PROJECT.PROGRAM.SUITE."""
    programs = {}
    for suite in ElementTree.parse(junit).getroot().iter("testsuite") if junit.is_file() else ():
        place = suite.get("name").split(".")
        if len(place) >= 3:
            outcomes = programs.setdefault(place[1], Counter())
            outcomes.update(outcome_of(case) for case in suite.iter("testcase"))
    return programs


def count(logs):
    total = Counter()
    cases = gtest_cases(logs / "testlog.junit.xml")
    with open(logs / "testlog.json", encoding="utf-8") as lines:
        for program in map(json.loads, lines):
            result = RESULTS.get(program["result"], "failed")
            outcomes = cases.get(program["name"].split(" / ")[-1])
            if outcomes is None:
                total[result] += 1
                continue
            total += outcomes
            # It failed after its last case, as with a leak that is found at exit.
            if result == "failed" and not outcomes["failed"]:
                total["failed"] += 1
    return total


def main():
    total = Counter()
    for build in sys.argv[1:]:
        total += count(Path(build) / "meson-logs")
    print(f"{total['passed']} passed, {total['failed']} failed, {total['skipped']} skipped")
    return 0 if total["passed"] and not total["failed"] else 1


if __name__ == "__main__":
    sys.exit(main())
