#!/usr/bin/python3
"""Checks of the sources, one test case each, as TAP.

usage: lint.py [--build DIRECTORY] [--engine-library FILE] [--diagram-program FILE] [--compiler COMMAND] [CHECK...]

Each check runs over the tree (case "NAME"), and over small planted trees (case "NAME: its own
examples"): it must find the violation in each bad one and accept each good one. So no check can rot
into one that never fails.
"""

import argparse
import pathlib
import shlex
import sys
import tempfile
import traceback

sys.dont_write_bytecode = True

import diagrams
import headers
import layers
import names
import sizes
import symbols
import texts
from tree import Skip, Tree

MODULES = (layers, headers, symbols, sizes, names, texts, diagrams)


class Tap:
    def __init__(self):
        self.count = 0
        self.failed = 0

    def case(self, name, run):
        """`run` returns what is wrong, as lines; or raises Skip."""
        self.count += 1
        try:
            problems = run()
        except Skip as skip:
            print(f"ok {self.count} - {name} # SKIP {skip}", flush=True)
            return
        except Exception:  # whatever it is, the other checks still run
            problems = [traceback.format_exc()]
        if problems:
            self.failed += 1
        print(f"{'not ok' if problems else 'ok'} {self.count} - {name}", flush=True)
        for problem in problems:
            # To where `meson test --print-errorlogs` shows it.
            print(f"{name}: {problem}", file=sys.stderr, flush=True)

    def finish(self):
        print(f"1..{self.count}")
        return 1 if self.failed else 0


def run_planted(check, files, tools):
    with tempfile.TemporaryDirectory() as directory:
        root = pathlib.Path(directory)
        for path, text in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
        return check.find(Tree(root), tools)


def run_examples(check, tools):
    problems = [f"not found: {label}" for label, files in check.bad.items() if not run_planted(check, files, tools)]
    for label, files in check.good.items():
        problems += [f"{label}: {problem}" for problem in run_planted(check, files, tools)]
    return problems


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path)
    parser.add_argument("--engine-library", type=pathlib.Path)
    parser.add_argument("--diagram-program", type=pathlib.Path)
    parser.add_argument("--compiler", type=shlex.split, default=["g++"])
    parser.add_argument("check", nargs="*")
    tools = parser.parse_args()
    tree = Tree(pathlib.Path(__file__).resolve().parents[2])
    tap = Tap()
    for check in (check for module in MODULES for check in module.CHECKS):
        if tools.check and check.name not in tools.check:
            continue
        tap.case(check.name, lambda: check.find(tree, tools))
        if check.bad:
            tap.case(f"{check.name}: its own examples", lambda: run_examples(check, tools))
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())
