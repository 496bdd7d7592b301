#!/usr/bin/python3
"""./dev: its verbs and its exit codes, and that the summary of tests counts what happened."""

import pathlib
import sys
import tempfile

sys.dont_write_bytecode = True

import tap

ROOT = pathlib.Path(__file__).resolve().parents[2]

# Every way in which a test can end, as meson sees them: a script for TAP, one for exit codes.
PROJECT = """
project('planted', meson_version : '>=1.0.0')
sh = find_program('sh')
foreach name : [{names}]
  test(name, sh, args : files(name), timeout : 1, suite : 'planted',
    protocol : name.startswith('tap') ? 'tap' : 'exitcode')
endforeach
"""
TAP_GOOD = r"printf 'ok 1 - a\nok 2 - b\n1..2\n'"
TAP_BAD = r"printf 'ok 1 - a\nnot ok 2 - b\n# why\n1..2\n'; exit 1"
TAP_SKIP = r"printf 'ok 1 - a # SKIP no node\nok 2 - b\n1..2\n'"
TAP_CRASH = r"printf 'ok 1 - a\nok 2 - b\n1..2\n'; kill -SEGV $$"
TAP_SHORT = r"printf 'ok 1 - a\n1..3\n'"

# (what it shows, tests, last line, exit status)
SUMMARIES = [
    ("passed cases", {"tap": TAP_GOOD, "plain": "exit 0"}, "3 passed, 0 failed", 0),
    ("a failed case", {"tap": TAP_BAD, "plain": "exit 0"}, "2 passed, 1 failed", 1),
    ("a skipped case", {"tap": TAP_SKIP}, "1 passed, 0 failed, 1 skipped", 0),
    ("a failed program without cases", {"plain": "exit 1", "plain2": "exit 0"}, "1 passed, 1 failed", 1),
    ("a skipped program", {"plain": "exit 77", "plain2": "exit 0"}, "1 passed, 0 failed, 1 skipped", 0),
    ("a crash after the last case", {"tap": TAP_CRASH}, "2 passed, 1 failed", 1),
    ("missing cases", {"tap": TAP_SHORT}, "1 passed, 1 failed", 1),
    ("strange output", {"tap": r"printf 'ok 1 - a\nok 2 - \001\377\n1..2\n'; printf '\000\033\377' >&2",
                        "plain": r"printf '\001\377\000'; exit 1"}, "2 passed, 1 failed", 1),
    ("a timeout", {"plain": "sleep 9", "plain2": "exit 0"}, "1 passed, 1 failed", 1),
    ("only skipped cases", {"plain": "exit 77"}, "0 passed, 0 failed, 1 skipped", 1),
    ("no test at all", {}, "0 passed, 0 failed", 1),
]


def check_summary(tests, last_line, status):
    with tempfile.TemporaryDirectory() as directory:
        project = pathlib.Path(directory)
        names = ", ".join(f"'{name}'" for name in tests)
        (project / "meson.build").write_text(PROJECT.format(names=names))
        for name, script in tests.items():
            (project / name).write_text(script)
        tap.run(["meson", "setup", project / "build", project])
        done = tap.run([sys.executable, ROOT / "tests/summary.py", project / "build"], status=status)
        lines = done.stdout.splitlines()
        remarks = any("# why" in line for line in lines)
        tap.expect(remarks == any("# why" in script for script in tests.values()), "remarks of a failed case are shown")
        tap.expect(lines[-1] == last_line, f"the last line is {lines[-1]!r}, not {last_line!r}\n{done.stdout}")


def check_google_test():
    """GoogleTest's report of an earlier run must not stand for a program that crashed in this one."""
    with tempfile.TemporaryDirectory() as directory:
        project = pathlib.Path(directory)
        report = '<testsuites><testsuite name="S"><testcase name="a"/><testcase name="b">%s</testcase></testsuite></testsuites>'
        script = project / "program.sh"
        (project / "meson.build").write_text(
            "project('planted')\ntest('g', find_program('sh'), args : [files('program.sh')], protocol : 'gtest', suite : 's')\n")
        script.write_text(f"echo '{report % ''}' >g.xml\n")
        tap.run(["meson", "setup", project / "build", project])

        def last_line(status):
            done = tap.run([sys.executable, ROOT / "tests/summary.py", project / "build"], status=status)
            return done.stdout.splitlines()[-1]

        tap.expect(last_line(0) == "2 passed, 0 failed", "two passing cases")
        script.write_text("kill -SEGV $$\n")
        tap.expect(last_line(1) == "0 passed, 1 failed", "a crash without a report")
        script.write_text(f"echo '{report % '<failure/>'}' >g.xml; exit 1\n")
        tap.expect(last_line(1) == "1 passed, 1 failed", "a failing case")
        script.write_text(f"echo '{report % '<skipped message=`no node`/>'.replace('`', chr(34))}' >g.xml\n")
        tap.expect(last_line(0) == "1 passed, 0 failed, 1 skipped", "a skipping case")


def check_usage(arguments, first_words):
    done = tap.run([ROOT / "dev", *arguments], status=2)
    tap.expect(done.stdout == "", f"standard output is not empty: {done.stdout}")
    tap.expect(done.stderr.startswith(first_words), f"unexpected: {done.stderr}")
    return done.stderr


def check_fuzz_list():
    """Every target has its source, and every source that fuzzes is a target."""
    listed = {line.split()[0] for line in tap.run([ROOT / "dev", "fuzz"]).stdout.splitlines()}
    sources = {path.stem for path in (ROOT / "fuzz").glob("*.cpp")
               if "\nextern \"C\" int LLVMFuzzerTestOneInput" in path.read_text()}
    tap.expect(listed == sources, f"{sorted(listed)} are not {sorted(sources)}")


CASES = [
    ("no verb gives the usage", lambda: check_usage([], "usage: ./dev VERB")),
    ("an unknown verb gives the usage", lambda: check_usage(["fly"], "dev: unknown verb 'fly'\nusage:")),
    ("'sim' wants a number of seconds", lambda: check_usage(["sim", "soon"], "dev: sim: 'soon' is not a number")),
    ("'fuzz' lists its targets", check_fuzz_list),
    *((f"the summary counts {what}", lambda arguments=arguments: check_summary(*arguments))
      for what, *arguments in SUMMARIES),
    ("the summary counts GoogleTest's cases", check_google_test),
]

if __name__ == "__main__":
    sys.exit(tap.main(CASES))
