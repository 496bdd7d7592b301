#!/usr/bin/python3
"""run.py BUILD : measures our echo servers and the others side by side, and writes tables and a plot.

Rounds are interleaved (all servers, then all again), so that what else happens on the machine meets
all of them; what is told is the median of the rounds and their spread."""

import argparse
import datetime
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True

import report
import servers

ROOT = servers.ROOT
TIMEOUT_S = 300  # of one run beyond its time; only a bound for a hang


class Shape:
    """What is sent: how much, by how many. Its name is what --shapes takes."""

    def __init__(self, name, title, connections=64, size=125, depth=1, extra=(), mode="echo"):
        self.name, self.title, self.mode = name, title, mode
        self.connections, self.size, self.depth, self.extra = connections, size, depth, list(extra)

    def options(self):
        return ["--mode", self.mode, "--connections", self.connections, "--size", self.size, "--depth", self.depth,
                *self.extra]


SIZES = {"16B": 16, "125B": 125, "1KiB": 1024, "16KiB": 16384}
TITLES = {"16B": "16 B", "125B": "125 B", "1KiB": "1 KiB", "16KiB": "16 KiB"}
BOUNDED = [Shape(f"{name}x{depth}", f"{TITLES[name]}, {depth} in flight", size=size, depth=depth)
           for name, size in SIZES.items() for depth in (1, 16)]
FULL = [
    Shape("1000x125B", "125 B, 1,000 connections", connections=1000),
    Shape("1000x1KiBx16", "1 KiB, 16 in flight, 1,000 connections", connections=1000, size=1024, depth=16),
    Shape("1MiBx1", "1 MiB, 16 connections", connections=16, size=1 << 20),
    Shape("mixed", "1 KiB of text, mixed UTF-8", size=1024, extra=["--type", "text", "--text", "mixed"]),
    Shape("rate", "opening handshakes", mode="rate"),
]
IDLE = Shape("idle", "idle connections", connections=10_000, size=1024, mode="idle")


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def load(options, server, shape, seconds):
    """One run of the load generator; its JSON."""
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        command = [options.build / "bench/load/load", "--url", server.url, "--server-pid", server.pid, *shape.options(),
                   "--seconds", seconds, "--warmup", min(0.25, seconds), "--json", file.name]
        try:
            done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                                  timeout=seconds + TIMEOUT_S, preexec_fn=servers.pinned(options.load_cpu))
        except subprocess.TimeoutExpired:
            raise servers.Failure("the run has no end") from None
        if done.returncode != 0:
            raise servers.Failure((done.stderr.strip().splitlines() or ["no reason given"])[-1])
        return json.load(open(file.name, encoding="utf-8"))


def summarize(runs):
    """Median and spread of what the tables show."""
    picked = {
        "cpu_us": [run["server"]["cpu_us_each"] for run in runs],
        "user_us": [run["server"]["user_us_each"] for run in runs],
        "per_s": [run["messages_per_s"] for run in runs],
        "p50_us": [run["latency_us"]["p50"] for run in runs],
        "p99_us": [run["latency_us"]["p99"] for run in runs],
        "server_share": [run["server"]["cpu_share"] for run in runs],
        "client_share": [run["client"]["busy_share_max"] for run in runs],
    }
    return {name: {"median": statistics.median(values), "min": min(values), "max": max(values)}
            for name, values in picked.items()}


def measure(options, running, shape):
    """One shape over all servers, round after round."""
    runs = {server.kind.name: [] for server in running if shape.connections <= server.kind.connections_max}
    failed = {}
    for _ in range(options.rounds):
        for server in running:
            name = server.kind.name
            if name not in runs or name in failed:
                continue
            try:
                runs[name].append(load(options, server, shape, options.seconds))
            except servers.Failure as failure:
                say(f"{name}, {shape.title}: {failure}")
                failed[name] = str(failure)
    results = {name: summarize(done) | {"runs": done} for name, done in runs.items() if name not in failed}
    return {"name": shape.name, "title": shape.title, "mode": shape.mode, "size": shape.size, "depth": shape.depth,
            "connections": shape.connections, "servers": results, "failed": failed}


def measure_idle(options, present):
    """Memory a connection, each server in a fresh process."""
    results, failed = {}, {}
    for kind in present:
        if IDLE.connections > kind.connections_max:
            continue
        try:
            with servers.Server(kind, options.server_cpu) as server:
                results[kind.name] = load(options, server, IDLE, 0.1)["memory"]
        except servers.Failure as failure:
            say(f"{kind.name}, {IDLE.title}: {failure}")
            failed[kind.name] = str(failure)
    return {"connections": IDLE.connections, "size": IDLE.size, "servers": results, "failed": failed}


def parse_arguments():
    parser = argparse.ArgumentParser(prog="run.py", description="Measures echo servers side by side.")
    parser.add_argument("build", type=pathlib.Path, help="a build directory with the benchmark's programs")
    parser.add_argument("--full", action="store_true", help="also 1,000 connections, 1 MiB, text, handshakes, memory")
    parser.add_argument("--seconds", type=float, default=1, help="of each run (1)")
    parser.add_argument("--rounds", type=int, default=3, help="(3)")
    parser.add_argument("--shapes", help="only these, by name, with commas; 'list' lists them")
    parser.add_argument("--only", help="only these servers, by name, with commas")
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "bench/results", help="directory of the results")
    options = parser.parse_args()
    if options.rounds < 1 or options.seconds < 0.01:
        parser.error("there has to be a round, of 0.01 s or more")
    options.build = options.build.resolve()
    return parser, options


def choose(parser, known, wanted, what):
    """Those of `known` (a dict) that a list with commas names."""
    names = [name.strip() for name in wanted.split(",")]
    for name in names:
        if name not in known:
            parser.error(f"there is no {what} '{name}'; there are: {', '.join(known)}")
    return [known[name] for name in names]


def choose_shapes(parser, options):
    every = {shape.name: shape for shape in [*BOUNDED, *FULL, IDLE]}
    if options.shapes is None:
        return list(every.values()) if options.full else BOUNDED
    if options.shapes == "list":
        for shape in every.values():
            print(f"{shape.name:14}{shape.title}")
        sys.exit(0)
    return choose(parser, every, options.shapes, "shape")


def main():
    parser, options = parse_arguments()
    shapes = choose_shapes(parser, options)
    kinds = servers.kinds(options.build)
    if options.only is not None:
        kinds = choose(parser, {kind.name: kind for kind in kinds}, options.only, "server")
    if not (options.build / "bench/load/load").exists():
        parser.error(f"{options.build}/bench/load/load is not built; `./dev bench` does it")
    for kind in kinds:
        if kind.missing:
            say(f"skipped: {kind.name} ({kind.missing})")
    present = [kind for kind in kinds if not kind.missing]
    if not present:
        parser.error("there is no server to measure")
    options.server_cpu, options.load_cpu = servers.split_cpus()
    result = {
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "machine": report.machine(), "packages": report.packages(present), "revision": report.revision(ROOT),
        "pinned": options.server_cpu is not None, "rounds": options.rounds, "seconds": options.seconds,
        "missing": {kind.name: kind.missing for kind in kinds if kind.missing}, "shapes": [], "idle": None,
    }
    running = []
    try:
        running = [servers.Server(kind, options.server_cpu) for kind in present]
        for number, shape in enumerate(shapes, 1):
            say(f"{number} of {len(shapes)}: {shape.title}")
            if shape is IDLE:
                result["idle"] = measure_idle(options, present)
            else:
                result["shapes"].append(measure(options, running, shape))
    except servers.Failure as failure:
        say(failure)
        return 1
    finally:
        for server in running:
            server.stop()
    report.write(options.out, result)
    say(f"written: {options.out}/echo.md, echo.svg, echo.json")
    failed = [name for one in [*result["shapes"], result["idle"] or {}] for name in one.get("failed", ())]
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
