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
import time

sys.dont_write_bytecode = True

import calls
import compressed
import memory
import report
import servers
import tls
from shapes import BOUNDED, CALLS, FULL, IDLE

ROOT = servers.ROOT
TIMEOUT_S = 90  # of one run beyond its time, with opening; only a bound for a hang


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def load(options, server, words, seconds, timeout_s=TIMEOUT_S):
    """One run of the load generator with these options of its own; its JSON."""
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        command = [options.build / "bench/load/load", "--url", server.url, "--server-pid", server.pid, *words,
                   "--seconds", seconds, "--warmup", min(0.25, seconds), "--json", file.name]
        try:
            done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                                  timeout=seconds + timeout_s, preexec_fn=servers.pinned(options.load_cpu))
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


class Pool:
    """The servers of one kind of shape, running. One that failed is a new one for the next shape."""

    def __init__(self, options, present):
        self.options = options
        self.servers = {}
        for kind in present:
            self.start(kind)

    def start(self, kind):
        self.servers[kind.name] = servers.Server(kind, self.options.server_cpu)

    def renew(self):
        """Starts those again that have ended."""
        for server in list(self.servers.values()):
            if not server.alive():
                say(f"{server.kind.name} had ended with exit code {server.process.returncode}; it is started again")
                server.stop()
                self.start(server.kind)

    def stop(self):
        for server in self.servers.values():
            server.stop()


def measure(options, pool, shape):
    """One shape over all servers, round after round; fewer rounds than asked for when the time is over."""
    runs = {name: {"here": [], "beside": []} for name, server in pool.servers.items()
            if shape.connections <= server.kind.connections_max and shape.size <= server.kind.size_max
            and server.kind.kind == shape.kinds}
    failed, rounds, seconds = {}, 0, options.seconds * shape.longer
    pool.renew()
    while rounds < options.rounds and (rounds == 0 or time.monotonic() < options.deadline):
        rounds += 1
        for name in runs:
            if name in failed:
                continue
            try:
                runs[name]["here"].append(load(options, pool.servers[name], shape.options(), seconds))
                if shape.beside:
                    runs[name]["beside"].append(load(options, pool.servers[name], shape.beside.options(), seconds))
            except servers.Failure as failure:
                say(f"{name}, {shape.title}: {failure}")
                failed[name] = str(failure)
                pool.servers[name].stop()
    done = {name: both for name, both in runs.items() if name not in failed}
    return {"name": shape.name, "title": shape.title, "mode": shape.mode, "size": shape.size, "depth": shape.depth,
            "connections": shape.connections, "rounds": rounds,
            "servers": {name: summarize(both["here"]) | {"runs": both["here"]} for name, both in done.items()},
            "beside": {name: summarize(both["beside"]) for name, both in done.items() if both["beside"]},
            "failed": failed}


def count_encoded(options, kind):
    """How often our server encodes for a broadcast: a short run, and the server's own counters at its end."""
    with servers.Server(kind, options.server_cpu) as server:
        load(options, server, ["--mode", "broadcast", "--connections", 1000, "--size", 125], 0.3)
        server.stop()
        return dict(word.split("=") for word in server.last_words.split())


def parse_arguments():
    parser = argparse.ArgumentParser(prog="run.py", description="Measures echo servers side by side.")
    parser.add_argument("build", type=pathlib.Path, help="a build directory with the benchmark's programs")
    parser.add_argument("--full", action="store_true", help="all shapes, and what the next four do")
    parser.add_argument("--memory", action="store_true", help="only memory of idle connections: memory.md")
    parser.add_argument("--calls", action="store_true", help="only system calls a message, by strace: calls.md")
    parser.add_argument("--compressed", action="store_true", help="only with permessage-deflate: compressed.md")
    parser.add_argument("--tls", action="store_true", help="only over TLS: tls.md")
    parser.add_argument("--seconds", type=float, default=1, help="of each run (1)")
    parser.add_argument("--rounds", type=int, default=3, help="(3)")
    parser.add_argument("--minutes", type=float, help="no more rounds after that, and no more shapes (12; with --full 40)")
    parser.add_argument("--shapes", help="only these, by name, with commas; 'list' lists them")
    parser.add_argument("--only", help="only these servers, by name, with commas")
    parser.add_argument("--memory-connections", type=int, action="append",
                        help="instead of 10,000 and 19,000; may be repeated (--compressed, --tls: the most of them)")
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "bench/results", help="directory of the results")
    options = parser.parse_args()
    if options.rounds < 1 or options.seconds < 0.01:
        parser.error("there has to be a round, of 0.01 s or more")
    if any(number < 1 for number in options.memory_connections or ()):
        parser.error("there has to be a connection")
    options.build = options.build.resolve()
    minutes = options.minutes if options.minutes is not None else 40 if options.full else 12
    options.deadline = time.monotonic() + minutes * 60
    return parser, options


def choose(parser, known, wanted, what):
    """Those of `known` (a dict) that a list with commas names."""
    names = [name.strip() for name in wanted.split(",")]
    for name in names:
        if name not in known:
            parser.error(f"there is no {what} '{name}'; there are: {', '.join(known)}")
    return [known[name] for name in names]


def choose_shapes(parser, options):
    """The shapes, and what else: "memory", "calls", "compressed", "tls", compressed.IDLE, tls.IDLE."""
    extras = {name for name in ("memory", "calls", "compressed", "tls") if options.full or getattr(options, name)}
    every = {shape.name: shape for shape in [*FULL, *compressed.CELLS, *tls.CELLS]}
    idle = {IDLE: "memory", compressed.IDLE: compressed.IDLE, tls.IDLE: tls.IDLE}
    if options.shapes == "list":
        for shape in every.values():
            print(f"{shape.name:25}{shape.title}")
        print(f"{IDLE:25}idle connections, as --memory")
        print(f"{compressed.IDLE:25}idle connections with compression, as in --compressed")
        print(f"{tls.IDLE:25}idle connections over TLS, as in --tls")
        sys.exit(0)
    if options.shapes is not None:
        chosen = choose(parser, every | idle, options.shapes, "shape")
        return [one for one in chosen if not isinstance(one, str)], extras | {one for one in chosen if isinstance(one, str)}
    shapes = list(FULL if options.full else BOUNDED)
    for name, module in (("compressed", compressed), ("tls", tls)):
        if name in extras:
            shapes += module.CELLS
            extras.add(module.IDLE)
    return shapes, extras


def choose_kinds(parser, options, secured):
    """The servers that can be had here, those only for TLS if `secured`, and why others can not."""
    kinds = [kind for kind in servers.kinds(options.build) if secured or kind.kind != "tls"]
    if options.only is not None:
        kinds = choose(parser, {kind.name: kind for kind in kinds}, options.only, "server")
    present, missing = [], {}
    for kind in kinds:
        try:
            if kind.missing:
                raise servers.Absent(kind.missing)
            if kind.kind != "tls":
                servers.Server(kind, None).stop()
            present.append(kind)
        except servers.Absent as absent:
            say(f"skipped: {kind.name} ({absent})")
            missing[kind.name] = str(absent)
    if not present:
        parser.error("there is no server to measure")
    return present, missing


def measure_shapes(options, result, present, shapes):
    """All shapes that fit into the time; the others are named in the result."""
    present = [kind for kind in present if kind.kind != "tls"]
    pool = Pool(options, present)
    try:
        for number, shape in enumerate(shapes, 1):
            if not any(kind.kind == shape.kinds for kind in present):
                continue
            if time.monotonic() >= options.deadline:
                say(f"left out, the time is over: {shape.title}")
                result["left_out"].append(shape.title)
                continue
            say(f"{number} of {len(shapes)}: {shape.title}")
            result["shapes"].append(measure(options, pool, shape))
    finally:
        pool.stop()
    for kind in present:
        if kind.name == report.OUR_BROADCAST and any(shape.mode == "broadcast" for shape in shapes):
            result["encoded"] = count_encoded(options, kind)


def main():
    parser, options = parse_arguments()
    chosen, extras = choose_shapes(parser, options)
    cells = [shape for shape in chosen if isinstance(shape, compressed.Cell)]
    secured = [shape for shape in chosen if isinstance(shape, tls.Cell)]
    shapes = [shape for shape in chosen if shape not in [*cells, *secured]]
    if not (options.build / "bench/load/load").exists():
        parser.error(f"{options.build}/bench/load/load is not built; `./dev bench` does it")
    present, missing = choose_kinds(parser, options, secured or tls.IDLE in extras)
    options.server_cpu, options.load_cpu = servers.split_cpus()
    result = {
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "machine": report.machine(), "packages": report.packages(present), "revision": report.revision(ROOT),
        "pinned": options.server_cpu is not None, "rounds": options.rounds, "seconds": options.seconds,
        "missing": missing, "left_out": [], "shapes": [], "encoded": None, "memory": [], "calls": [],
    }
    # --memory, --calls, --compressed and --tls ask for nothing else; with --calls, --shapes says what is traced.
    timed = options.full or not (options.memory or options.calls or options.compressed or options.tls)
    try:
        if shapes and timed:
            measure_shapes(options, result, present, shapes)
            report.write(options.out, result)
        if secured or tls.IDLE in extras:
            tls.measure(options, result, present, secured, tls.IDLE in extras, sys.modules[__name__])
        if cells or compressed.IDLE in extras:
            compressed.measure(options, result, present, cells, compressed.IDLE in extras, sys.modules[__name__])
        if "memory" in extras:
            echo = [kind for kind in present if kind.kind == "echo"]
            result["memory"] = memory.measure(options, echo, load, say)
            memory.write(options.out, result)
        if "calls" in extras:
            if calls.missing():
                say(f"skipped: system calls ({calls.missing()})")
            else:
                traced = [shape for shape in FULL if shape.name in CALLS] if options.shapes is None else shapes
                result["calls"] = calls.measure(options, present, traced, load, say)
                calls.write(options.out, result)
    except servers.Failure as failure:
        say(failure)
        return 1
    say(f"written: {options.out}")
    failed = any(shape["failed"] for shape in result["shapes"]) or compressed.failed(result) or tls.failed(result)
    return 1 if failed or any("failed" in row for row in [*result["memory"], *result["calls"]]) else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
