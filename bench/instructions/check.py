#!/usr/bin/python3
"""Counts the instructions per item of each workload under callgrind and compares them with what is stored.

usage: check.py [--store | --tap] [build/bench/instructions/workload]

Exits with 1 if a count grew by more than 3 %. One that shrank by more than that is told, so that it is stored
again: otherwise it could grow back unseen. --store writes bench/results/instructions.json.
"""

import argparse
import concurrent.futures
import functools
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/build"))
import tap  # noqa: E402

STORED = ROOT / "bench/results/instructions.json"
CHANGE_MAX = 0.03
# The SIMD target of the engine is part of what is stored: counts of different ones can not be compared, and
# valgrind does not know every instruction that the processor has.
TARGET = "scalar"
# The C library chooses its memcpy by processor; without these, by what every x86-64 has. Nothing else is in
# the environment: its size moves the stack.
ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "SANSOCK_SIMD": TARGET,
    "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-AVX,-AVX512F,-AVX512VL,-AVX512BW,-ERMS,-FSRM,-SSSE3,-SSE4_1,-SSE4_2,"
                      "-BMI2,-RTM,-AVX_Fast_Unaligned_Load,-Fast_Copy_Backward,-Fast_Unaligned_Copy",
}


@functools.cache
def fixed_addresses():
    """What keeps the system from moving addresses around, wherever it lets itself be told."""
    works = subprocess.run(["setarch", "-R", "true"], capture_output=True).returncode == 0
    return ["setarch", "-R"] if works else []


class Workloads:
    def __init__(self, program):
        listed = subprocess.run([program], capture_output=True, text=True, check=True).stdout.splitlines()
        self.program = program
        self.build = dict(word.split("=", 1) for word in listed[0].split())
        self.items = {name: int(items) for name, items in (line.split() for line in listed[1:])}

    def comparable(self):
        """What two counts must have in common."""
        return {"compiler": f"{self.build['compiler']} {self.build['version'].split('.')[0]}",
                "architecture": self.build["architecture"], "target": TARGET}

    def reason_to_skip(self):
        """Why counts of this build say nothing, or None."""
        if shutil.which("valgrind") is None:
            return "no valgrind"
        wanted = {"compiler": "gcc", "buildtype": "release", "library": "static", "sanitize": "none",
                  "coverage": "false", "lto": "false"}
        for name, value in wanted.items():
            if self.build[name] != value:
                return f"the build has {name}={self.build[name]}, not {value}"
        return None

    def count(self, name):
        """Instructions per item."""
        with tempfile.TemporaryDirectory() as directory:
            command = [*fixed_addresses(), "valgrind", "--tool=callgrind", "--toggle-collect=measured",
                       f"--callgrind-out-file={directory}/out", self.program, name]
            done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, timeout=280)
            if done.returncode != 0:
                raise tap.Failure(f"{' '.join(command)}\nexited with {done.returncode}\n{done.stderr}")
            total = re.search(r"^(?:summary|totals): (\d+)", pathlib.Path(directory, "out").read_text(), re.MULTILINE)
            if total is None or int(total[1]) == 0:
                raise tap.Failure(f"{name}: callgrind counted nothing\n{done.stderr}")
            return round(int(total[1]) / self.items[name], 1)

    def count_all(self):
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            return dict(zip(self.items, pool.map(self.count, self.items)))


def change(stored, now):
    return (now - stored) / stored


def verdict(stored, now):
    """(whether it is good, what to say)."""
    if stored is None:
        return False, f"{now:,} instructions per item; nothing is stored for it: check.py --store"
    text = f"{now:,} instructions per item, stored {stored:,} ({change(stored, now):+.1%})"
    if change(stored, now) > CHANGE_MAX:
        return False, f"{text}: more than {CHANGE_MAX:.0%} over it"
    if change(stored, now) < -CHANGE_MAX:
        return True, f"{text}: store it again (check.py --store), or it can grow back unseen"
    return True, text


def read_stored():
    return json.loads(STORED.read_text()) if STORED.exists() else {}


def store(workloads, counts):
    STORED.parent.mkdir(exist_ok=True)
    data = workloads.comparable() | {"instructions": counts}
    STORED.write_text(json.dumps(data, indent=2) + "\n")


def test(workloads):
    """The comparison as test cases."""
    stored = read_stored()
    reason = workloads.reason_to_skip()
    if reason is None and stored:
        for name, value in workloads.comparable().items():
            if stored[name] != value:
                reason = f"stored with {name} {stored[name]}, this is {value}"
    counts = {} if reason else workloads.count_all()

    def case(name):
        def run():
            if reason:
                raise tap.Skip(reason)
            good, text = verdict(stored.get("instructions", {}).get(name), counts[name])
            tap.expect(good, text)
            print(f"# {name}: {text}")
        return run

    return tap.main([(name, case(name)) for name in workloads.items])


def main():
    parser = argparse.ArgumentParser(usage=__doc__.replace("%", "%%"))
    parser.add_argument("--store", action="store_true")
    parser.add_argument("--tap", action="store_true")
    parser.add_argument("program", nargs="?", default=str(ROOT / "build/bench/instructions/workload"))
    options = parser.parse_args()
    if not os.path.exists(options.program):
        sys.exit(f"check.py: {options.program} is not there: ninja -C build bench/instructions/workload")
    workloads = Workloads(os.path.abspath(options.program))
    if options.tap:
        return test(workloads)
    if reason := workloads.reason_to_skip():
        sys.exit(f"check.py: {reason}")
    counts = workloads.count_all()
    if options.store:
        store(workloads, counts)
    stored = read_stored()
    if any(stored.get(name) != value for name, value in workloads.comparable().items()):
        sys.exit(f"check.py: stored are counts of another build or none; this is {workloads.comparable()}")
    results = {name: verdict(stored["instructions"].get(name), now) for name, now in counts.items()}
    for name, (good, text) in results.items():
        print(f"{'ok    ' if good else 'FAILED'} {name:20} {text}")
    return 0 if all(good for good, _ in results.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
