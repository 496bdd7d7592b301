#!/usr/bin/python3
"""Runs the tests of a build directory and counts their cases.

usage: summary.py BUILD_DIRECTORY [OPTION OF `meson test`...]

The last line is `N passed, N failed`, with `, N skipped` behind it if there were any. A test
program that ends badly although none of its cases failed (a crash, a timeout, a leak report, a
missing report file) counts as one failed case. Exits with 1 if anything failed or nothing ran.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import xml.etree.ElementTree as xml

REMARKS_MAX = 60
BAD_RESULTS = {"FAIL", "ERROR", "TIMEOUT", "INTERRUPT", "UNEXPECTEDPASS"}


class Summary:
    def __init__(self):
        self.passed = []
        self.failed = []  # names
        self.skipped = []  # (name, reason)
        self.remarks = []  # what failing programs say about it

    def add_case(self, name, case):
        skip = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            self.failed.append(name)
        elif skip is not None or case.get("status") == "notrun":
            reason = (skip.get("message") or "") if skip is not None else "disabled"
            self.skipped.append((name, reason or case.findtext("system-out") or ""))
        else:
            self.passed.append(name)

    def line(self):
        text = f"{len(self.passed)} passed, {len(self.failed)} failed"
        return text + (f", {len(self.skipped)} skipped" if self.skipped else "")


def read_programs(log):
    """The test programs that ran, in order: [(name, result, output)]. A name: "project:suite / program"."""
    programs = []
    for line in log.read_text(errors="replace").splitlines():
        entry = json.loads(line)
        programs.append((entry["name"], entry["result"], entry.get("stdout") or ""))
    return programs


def read_cases(log, names):
    """The cases of each program that reports any: {program: [element]}."""
    cases = {name: [] for name in names}
    # meson puts the programs' output in as it is; not all that a program may print may be in XML.
    text = re.sub("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "?", log.read_bytes().decode(errors="replace"))
    for suite in xml.fromstring(text.partition("?>")[2]):
        # "project.program" or "project.program.GoogleTestSuite". "project" alone holds the programs
        # that report no cases, without a mark where one timed out: their result is used instead.
        _, dot, path = suite.get("name").partition(".")
        if not dot:
            continue
        program = max((name for name in names if (path + ".").startswith(name + ".")), key=len)
        for case in suite.findall("testcase"):
            case.set("name", f"{path}.{case.get('name')}")
            cases[program].append(case)
    return cases


def remarks_of(output):
    """The comment lines of a TAP program behind each case that failed: meson does not show them."""
    remarks = []
    failing = False
    for line in output.splitlines():
        if line.startswith(("ok ", "not ok ")):
            failing = line.startswith("not ok ")
        if failing and line.startswith(("not ok ", "#")):
            remarks.append(line)
    return remarks


def summarize(build):
    """Joins the report of cases with that of programs: either alone misses something."""
    summary = Summary()
    programs = read_programs(build / "meson-logs" / "testlog.json")
    cases = read_cases(build / "meson-logs" / "testlog.junit.xml", {name for name, _, _ in programs})
    for name, result, output in programs:
        failed_before = len(summary.failed)
        for case in cases[name]:
            summary.add_case(case.get("name"), case)
        if result in BAD_RESULTS:
            summary.remarks += [f"{name}: {remark}" for remark in remarks_of(output)[:REMARKS_MAX]]
            if len(summary.failed) == failed_before:
                summary.failed.append(f"{name} (the program: {result.lower()})")
        elif not cases[name] and result == "SKIP":
            note = [line for line in output.splitlines() if "skip" in line.lower()]
            summary.skipped.append((name, " ".join(note[:1])))
        elif not cases[name]:
            summary.passed.append(name)
    return summary


def main(arguments):
    build = pathlib.Path(arguments[0])
    logs = [build / "meson-logs" / name for name in ("testlog.json", "testlog.junit.xml")]
    # A program that crashes would otherwise be judged by the report of its previous run.
    for stale in [*build.glob("*.xml"), *logs]:
        stale.unlink(missing_ok=True)
    command = ["meson", "test", "-C", str(build), "--print-errorlogs", *arguments[1:]]
    status = subprocess.run(command, stdin=subprocess.DEVNULL, check=False).returncode
    if not all(log.exists() for log in logs):
        print("no test ran", file=sys.stderr)
        print("0 passed, 0 failed", flush=True)
        return 1
    summary = summarize(build)
    for remark in summary.remarks:
        print(remark)
    for name, reason in summary.skipped:
        print(f"skipped: {name}: {reason}".rstrip(": "))
    for name in summary.failed:
        print(f"failed: {name}")
    print(summary.line(), flush=True)
    if status != 0 and not summary.failed:
        print(f"meson test exited with {status} although no case failed", file=sys.stderr)
    return 1 if summary.failed or status != 0 or not summary.passed else 0


if __name__ == "__main__":
    os.environ.setdefault("PYTHONDONTWRITEBYTECODE", "1")
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1:]))
