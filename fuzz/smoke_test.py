#!/usr/bin/python3
"""Every fuzz target runs briefly without finding anything; the planted bug is found."""

import concurrent.futures
import os
import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests/build"))

import run
import tap


def main():
    missing = None
    try:
        run.find_compiler()
    except run.Problem as problem:
        missing = str(problem)

    def build():
        if missing:
            raise tap.Skip(missing)
        run.build_fuzzers()

    def judge(target, pending):
        if missing:
            raise tap.Skip(missing)
        report = pending.result()
        tap.expect(report is None, report)

    cases = [("the fuzzers are built", build)]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        # The first of them wait for the build, which is the first case.
        pending = {}

        def start(target):
            if not pending and not missing:
                pending.update({each.name: pool.submit(run.smoke, each) for each in run.TARGETS})
            judge(target, pending.get(target.name))

        cases += [(target.name, lambda target=target: start(target)) for target in run.TARGETS]
        return tap.main(cases)


if __name__ == "__main__":
    sys.exit(main())
