#!/usr/bin/python3
"""Our own programs against the kit: every group, on every adapter, as pinned. TAP."""

import pathlib
import re
import sys

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "build"), str(HERE.parent.parent / "autobahn")]

import run_all
import tap

# Messages of at most 1 MiB, and limits that a loaded machine or a sanitizer does not reach.
ARGUMENTS = ["--quick", "--patience", "20"]
GROUPS = (1, 2, 3, 4, 5, 6, 7, 9, 10, 12, 13)
CASES = 517
CASES_OF_COMPRESSION = 216
DIFFERENCE = re.compile(r"^(\d+)\.[\d.]+: .* pinned", re.MULTILINE)


def run_once(test, adapter, count):
    """What the kit says of one program on one adapter; asked for once, and told group by group. It has `count` cases."""
    said = []

    def output():
        if not said:
            try:
                status, text = test(adapter, ARGUMENTS)
            except run_all.Broken as problem:
                status, text = 1, str(problem)
            complete = f"{count} of {count} verdicts are as pinned" in text if status == 0 else bool(DIFFERENCE.search(text))
            said.append((complete, text))
        return said[0]

    return output


def group_case(output, group, refused):
    def case():
        if refused:
            raise tap.Skip(refused)
        complete, text = output()
        tap.expect(complete, f"the run did not come to its end:\n{text}")
        lines = [line for line in text.splitlines() if (match := DIFFERENCE.match(line)) and int(match.group(1)) == group]
        tap.expect(not lines, "\n".join(lines))

    return case


def main():
    programs = run_all.Programs(sys.argv[1])
    count = CASES - CASES_OF_COMPRESSION if programs.deflate_refused else CASES
    cases = []
    for role, test in (("server", programs.test_server), ("client", programs.test_client)):
        for adapter in sys.argv[2].split(","):
            output = run_once(test, adapter, count)
            refused = programs.refused(adapter)
            for group in GROUPS:
                why = refused or (programs.deflate_refused if group in run_all.COMPRESSION_GROUPS else "")
                cases.append((f"echo_{role}, {adapter}, group {group}", group_case(output, group, why)))
    return tap.main(cases)


if __name__ == "__main__":
    sys.exit(main())
