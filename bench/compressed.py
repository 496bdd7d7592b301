"""Echo servers with permessage-deflate: CPU time and bytes a message, and memory of idle connections."""

import json
import time

import compressed_report
import servers
from compressed_report import FASTEST, OURS, PEERS
from shapes import SIZES, Shape

PAYLOADS = ("json", "html", "random")
PLAIN, ALONE, KEPT = "off", "no-context", "on"
LARGE = 1 << 20
# A message of that takes a peer 20 ms and more: a run has to have enough of them.
LARGE_LONGER = 4
# Longer ones are mixed up by libwebsockets 4.1 when several come at once: README.md.
LIBWEBSOCKETS_SIZE_MAX = 64 << 10
IDLE = "compressed-memory"
IDLE_CONNECTIONS = 10_000
IDLE_SIZE = 1024
IDLE_MESSAGES = 100
IDLE_TIMEOUT_S = 900  # only a bound for a hang
# What a connection may need at most: two streams of zlib and their buffers. More of them are not opened than have room.
CONNECTION_BYTES_MAX = 512 << 10
# By default ours lets some 32,000 connections have compression for each loop; more are asked for on larger machines.
OUR_MEMORY_MAX = 1 << 30
RESERVED = 100        # descriptors of a process that are no connections


class Cell(Shape):
    """A payload, a size and a mode. The kind of the servers that it is for is the mode."""

    def __init__(self, payload, size_name, mode):
        title, size = (SIZES | {"1MiB": ("1 MiB", LARGE)})[size_name]
        # Random bytes are no text.
        kind = "binary" if payload == "random" else "text"
        super().__init__(f"{payload}-{size_name}-{mode}", f"{payload}, {title}, compression {mode}",
                         connections=16 if size >= LARGE else 64, size=size,
                         extra=["--payload", payload, "--type", kind, "--deflate", mode],
                         longer=LARGE_LONGER if size >= LARGE else 1)
        self.message, self.deflate, self.kinds = f"{payload}, {title}", mode, mode


CELLS = [Cell(payload, size, mode) for mode in (PLAIN, ALONE, KEPT) for payload in PAYLOADS
         for size in ("125B", "1KiB", "16KiB", "1MiB")]


def with_mode(kind, mode, fastest=None, roomy=False):
    """The same server with compression so: under the name `fastest` at level 1; if `roomy` with memory for everybody."""
    broken = kind.name == "libwebsockets" and mode != PLAIN
    level = [] if fastest is None else ["--level", 1]
    if roomy and kind.name in OURS:
        level = ["--deflate-memory", OUR_MEMORY_MAX]
    return servers.Kind(fastest or kind.name, [*kind.command, "--deflate", mode, *level], connections_max=kind.connections_max,
                        packages=kind.packages, kind=mode, size_max=LIBWEBSOCKETS_SIZE_MAX if broken else kind.size_max)


def able(present, mode, missing, say, idle=False):
    """Those of the servers that can be started in this mode; why others can not is in `missing`. If they are to hold `idle`
    connections, each once and with memory for them; else those that have levels at level 1 too."""
    found = []
    for kind in present:
        if kind.name not in OURS and (kind.name not in PEERS or mode == PLAIN):
            continue
        try:
            chosen = with_mode(kind, mode, roomy=idle)
            servers.Server(chosen, None).stop()
            found.append(chosen)
            if kind.name in FASTEST and not idle:
                found.append(with_mode(kind, mode, FASTEST[kind.name]))
        except servers.Failure as failure:
            say(f"skipped: {kind.name} with compression {mode} ({failure})")
            missing[f"{kind.name}, compression {mode}"] = str(failure)
    return found


def measure_cells(options, result, present, cells, runner):
    """`runner` is run.py: its Pool, its measure() and its say(). The cells of a mode share their servers."""
    left_out = result["compressed"]["left_out"]
    for mode in dict.fromkeys(cell.deflate for cell in cells):
        here = [cell for cell in cells if cell.deflate == mode]
        kinds = able(present, mode, result["compressed"]["missing"], runner.say)
        pool = runner.Pool(options, kinds)
        try:
            for cell in here if kinds else ():
                if time.monotonic() >= options.deadline:
                    runner.say(f"left out, the time is over: {cell.title}")
                    left_out.append(cell.title)
                    continue
                runner.say(f"{cell.title}")
                one = runner.measure(options, pool, cell) | {"message": cell.message, "deflate": mode}
                result["compressed"]["cells"].append(one)
        finally:
            pool.stop()


def room():
    """How many connections the memory of this machine holds, if each takes as much as it may."""
    with open("/proc/meminfo", encoding="utf-8") as file:
        available = next(int(line.split()[1]) << 10 for line in file if line.startswith("MemAvailable:"))
    return max(1, available // CONNECTION_BYTES_MAX)


def measure_memory(options, result, present, runner):
    """A row a server, each in a fresh process."""
    rows = result["compressed"]["memory"]
    wanted = max(options.memory_connections or [IDLE_CONNECTIONS])
    for kind in able(present, KEPT, result["compressed"]["missing"], runner.say, idle=True):
        connections = min(wanted, room(), servers.descriptors_max() - RESERVED, kind.connections_max)
        runner.say(f"memory of {connections:,} connections with compression: {kind.name}")
        row = {"server": kind.name, "connections": connections, "wanted": wanted}
        words = ["--mode", "idle", "--connections", connections, "--size", IDLE_SIZE, "--payload", "json", "--type", "text",
                 "--deflate", KEPT, "--idle-messages", IDLE_MESSAGES]
        try:
            with servers.Server(kind, options.server_cpu) as server:
                done = runner.load(options, server, words, 0.1, IDLE_TIMEOUT_S)
                row |= done["memory"] | {"extension": done["extension"]}
        except servers.Failure as failure:
            runner.say(f"{kind.name}: {failure}")
            row["failed"] = str(failure)
        rows.append(row)


def measure(options, result, present, cells, idle, runner):
    """Fills result["compressed"] and writes it: the cells, and the memory if `idle`."""
    result["compressed"] = {"cells": [], "memory": [], "left_out": [], "missing": {},
                            "seconds_large": options.seconds * LARGE_LONGER}
    measure_cells(options, result, present, cells, runner)
    # What there is so far is not lost by what ends the rest, which takes minutes.
    write(options.out, result)
    if idle:
        measure_memory(options, result, present, runner)
        write(options.out, result)


def failed(result):
    """Whether anything that was begun was not measured."""
    found = result.get("compressed") or {"cells": [], "memory": []}
    return any(cell["failed"] for cell in found["cells"]) or any("failed" in row for row in found["memory"])


def write(directory, result):
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "compressed.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    (directory / "compressed.md").write_text(compressed_report.markdown(result), encoding="utf-8")
