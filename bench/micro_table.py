#!/usr/bin/python3
"""Runs the micro benchmarks and puts the engine, memcpy and the peers side by side.

usage: micro_table.py [--filter REGEX] [--repetitions N] [--seconds S] [--no-write] [build/bench/micro/micro]

Prints a Markdown table of medians and writes it to bench/results/micro.md (not with --filter or --no-write).
"""

import argparse
import collections
import datetime
import json
import pathlib
import re
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
RESULT = ROOT / "bench/results/micro.md"
OURS = "sansock"
# suite/variant/who/size:N/offset:N or batch:N, as bench/micro/suite.h makes it.
NAME = re.compile(r"(?P<suite>\w+)/(?P<variant>\w+)/(?P<who>\w+)/size:(?P<size>\d+)/(?P<detail>\w+):(?P<value>\d+)")
SUITES = {
    "mask": "Masking, one buffer",
    "utf8": "UTF-8 validation, one buffer",
    "fused": "Unmasking and validating, one buffer",
    "frame_in": "Masked frames in, a server; for one message",
    "frame_out": "Messages out; for one message",
    "handshake": "Opening handshake, one side of it",
    "deflate": "Compression of a message",
    "inflate": "Decompression of a message",
}
VARIANTS = ["in_place", "copy", "binary", "ascii", "mixed", "server", "client",
            *(f"{kind}_{context}" for kind in ("json", "html", "random") for context in ("takeover", "alone"))]
# What benchmarks tell besides time, and how to show it.
COUNTERS = {"ratio": "{:.2f}x", "held": "{:,.0f} B held"}


def run(options):
    """The report of the program and what it says on peers."""
    command = [options.program, "--benchmark_format=json", f"--benchmark_repetitions={options.repetitions}",
               f"--benchmark_min_time={options.seconds}", "--benchmark_enable_random_interleaving=true",
               f"--benchmark_filter={options.filter}"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"micro_table.py: {options.program} exited with {done.returncode}\n{done.stderr}")
    notes = [line.removeprefix("micro: ") for line in done.stderr.splitlines() if line.startswith("micro: ")]
    return json.loads(done.stdout), notes


def medians(report):
    """(suite, variant, size, detail, value) -> who -> (ns per item, bytes per second, what its counters tell)."""
    times = collections.defaultdict(list)
    notes = {}
    for one in report["benchmarks"]:
        if one.get("error_occurred"):
            sys.exit(f"micro_table.py: {one['name']}: {one['error_message']}")
        if one["run_type"] == "iteration":
            name = one["run_name"].removesuffix("/repeats:" + str(one["repetitions"]))
            times[name].append((1e9 / one["items_per_second"], one["bytes_per_second"]))
            notes[name] = "".join(f", {form.format(one[counter])}" for counter, form in COUNTERS.items() if counter in one)
    rows = collections.defaultdict(dict)
    for name, values in times.items():
        part = NAME.match(name)
        key = (part["suite"], part["variant"], int(part["size"]), part["detail"], int(part["value"]))
        rows[key][part["who"]] = (*(statistics.median(column) for column in zip(*values)), notes[name])
    return rows


def number(ns):
    return f"{ns:.1f}" if ns < 100 else f"{ns:,.0f}"


def row(key, cells, others):
    _, variant, size, _, value = key
    ours, rate, note = cells[OURS]
    columns = [variant, f"{size:,}", f"{value:,}", number(ours) + note, f"{rate / 1e9:.1f}"]
    for who in others:
        columns.append(f"{number(cells[who][0])} ({ours / cells[who][0]:.2f}){cells[who][2]}" if who in cells else "")
    return "| " + " | ".join(columns) + " |"


def table(suite, rows):
    keys = [key for key in rows if key[0] == suite and OURS in rows[key]]
    keys.sort(key=lambda key: (VARIANTS.index(key[1]), *key[2:]))
    if not keys:
        return []
    peers = {who for key in keys for who in rows[key]} - {OURS, "memcpy"}
    others = ["memcpy", *sorted(peers)]
    head = ["", "bytes", keys[0][3], f"{OURS} ns", "GB/s", *(f"{who} ns (ratio)" for who in others)]
    return [f"## {SUITES[suite]}", "", "| " + " | ".join(head) + " |",
            "|---|" + "---:|" * (len(head) - 1), *(row(key, rows[key], others) for key in keys), ""]


def processor():
    found = re.search(r"^model name\s*: (.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return found[1] if found else "unknown processor"


def document(report, notes, options):
    rows = medians(report)
    lines = ["# Micro benchmarks", "",
             f"{processor()}, {report['context']['num_cpus']} cores, load {report['context']['load_avg'][0]:.1f}, "
             f"{datetime.date.today().isoformat()}. Medians of {options.repetitions} runs, in time of the processor.",
             "The ratio in brackets is the time of sansock divided by that of the other: below 1, sansock is faster.",
             "How to run and to read it: bench/micro/README.md.", ""]
    lines += [f"- {note}" for note in notes] + ([""] if notes else [])
    for suite in SUITES:
        lines += table(suite, rows)
    return "\n".join(lines).rstrip() + "\n"


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--filter", default=".*")
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.01)
    parser.add_argument("--no-write", action="store_true")
    parser.add_argument("program", nargs="?", default=str(ROOT / "build/bench/micro/micro"))
    options = parser.parse_args()
    text = document(*run(options), options)
    print(text, end="")
    if options.filter == ".*" and not options.no_write:
        RESULT.parent.mkdir(exist_ok=True)
        RESULT.write_text(text)


if __name__ == "__main__":
    main()
