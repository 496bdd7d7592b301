"""Pinned verdicts: which verdict each case is known to have, for one implementation and role.

A file has lines `PATTERN BEHAVIOR BEHAVIORCLOSE  # comment`. A pattern is a case (`3.2`), or has `*` for
anything (`7.*`). A later line wins over the lines above it. Blanks in verdicts are underscores
(`WRONG_CODE`, `FAILED_BY_CLIENT`).
"""

import fnmatch

BEHAVIORS = {"OK", "NON-STRICT", "INFORMATIONAL", "UNIMPLEMENTED", "FAILED"}
CLOSES = BEHAVIORS | {"WRONG CODE", "UNCLEAN", "FAILED BY CLIENT"}


class VerdictError(Exception):
    """A line of a verdict file can not be read."""


def parse(text):
    """[(pattern, behavior, behaviorClose)] in the order of the lines."""
    rules = []
    for number, line in enumerate(text.splitlines(), 1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        if len(words) != 3:
            raise VerdictError(f"line {number}: not `PATTERN BEHAVIOR BEHAVIORCLOSE`: {line}")
        behavior, close = (word.replace("_", " ") for word in words[1:])
        if behavior not in BEHAVIORS or close not in CLOSES:
            raise VerdictError(f"line {number}: an unknown verdict: {line}")
        rules.append((words[0], behavior, close))
    return rules


def expected(rules, case):
    """(behavior, behaviorClose) of a case; None if no line is about it."""
    for pattern, behavior, close in reversed(rules):
        if fnmatch.fnmatchcase(case, pattern):
            return behavior, close
    return None


def sort_key(case):
    return [int(part) if part.isdigit() else -1 for part in case.split(".")]


def differences(rules, report):
    """What differs between the rules and one agent's part of an index.json, one line a case."""
    lines = []
    for case in sorted(report, key=sort_key):
        found = (report[case].get("behavior"), report[case].get("behaviorClose"))
        wanted = expected(rules, case)
        if wanted is None:
            lines.append(f"{case}: no line is about it; it is {found[0]} / {found[1]}")
        elif found != wanted:
            lines.append(f"{case}: is {found[0]} / {found[1]}, should be {wanted[0]} / {wanted[1]}")
    return lines
