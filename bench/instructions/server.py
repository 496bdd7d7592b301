#!/usr/bin/python3
"""Counts what a whole echo server spends on a message: user-space instructions (callgrind) and system calls (strace).

usage: server.py [--adapter epoll[,...]] [--depth 1,16] [--connections 64] [--size 125] [--store] [ECHO_SERVER]

Each figure is the difference of two runs, one with twice the messages of the other, so that the start, the opening
handshakes and the stop do not count. A round sends DEPTH messages on every connection while the server is stopped
(SIGSTOP), lets it go on, and takes all echoes: it finds all connections ready, whatever else the machine does. The
price is one epoll_wait a round that the stop interrupts. Prints JSON, and for each depth a line for people on stderr;
--store writes bench/results/server_instructions.md too.
"""

import argparse
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))
import servers  # noqa: E402

STORED = ROOT / "bench/results/server_instructions.md"
BUDGETS = {1: 600, 16: 400}  # instructions a message of 125 bytes, by depth
MESSAGES = 12_800  # of the shorter run, about
REQUEST = (b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")
REPORT_HEAD = """# What the echo server spends on a message

User-space instructions and system calls of `examples/echo_server` for each message of {size} bytes that it sends back,
{connections} connections, one thread. Made by `bench/instructions/server.py --store`, which tells how it counts.

| adapter | messages in flight on a connection | instructions | budget | system calls |
|---|---|---|---|---|
"""


def receive(connection, size):
    data = b""
    while len(data) < size:
        part = connection.recv(size - len(data))
        if not part:
            raise servers.Failure("the server closed a connection")
        data += part
    return data


def frame(size):
    """A message of a client's, and the size of its echo, which has no key."""
    if size < 126:
        length = bytes([0x80 | size])
    elif size < 65536:
        length = b"\xfe" + size.to_bytes(2, "big")
    else:
        length = b"\xff" + size.to_bytes(8, "big")
    return b"\x82" + length + b"\x11\x22\x33\x44" + bytes(i % 251 for i in range(size)), 1 + len(length) + size


def connect(port):
    connection = socket.create_connection(("127.0.0.1", port), timeout=60)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.sendall(REQUEST)
    answer = b""
    while not answer.endswith(b"\r\n\r\n"):
        answer += receive(connection, 1)
    if not answer.startswith(b"HTTP/1.1 101 "):
        raise servers.Failure(f"the server answered {answer}")
    return connection


def echo(options, depth, pid, port, rounds):
    message, echo_size = frame(options.size)
    connections = [connect(port) for _ in range(options.connections)]
    for _ in range(rounds):
        os.kill(pid, signal.SIGSTOP)
        for connection in connections:
            connection.sendall(message * depth)
        os.kill(pid, signal.SIGCONT)
        for connection in connections:
            receive(connection, echo_size * depth)
    # All of them end before the server is told to: a stop would send Close frames to those that are left.
    for connection in connections:
        connection.shutdown(socket.SHUT_WR)
    for connection in connections:
        while connection.recv(4096):
            pass
        connection.close()


def serve(options, wrapper, adapter, depth, rounds):
    """Runs the server under `wrapper` with so many rounds of messages."""
    command = [*wrapper, options.program, "--port", 0, "--threads", 1, "--ping-interval", 0, "--adapter", adapter]
    with servers.Server(servers.Kind("server", command), None) as server:
        pid = server.process.pid
        if wrapper[0] == "strace":  # the server is its child
            pid = int(pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])
        echo(options, depth, pid, urllib.parse.urlsplit(server.url).port, rounds)
        os.kill(pid, signal.SIGTERM)
        server.process.wait(60)


def count_instructions(options, adapter, depth, rounds, directory):
    serve(options, ["valgrind", "--tool=callgrind", f"--callgrind-out-file={directory}/out"], adapter, depth, rounds)
    text = pathlib.Path(directory, "out").read_text()
    return {"instructions": int(re.search(r"^(?:summary|totals): (\d+)", text, re.MULTILINE)[1])}


def count_system_calls(options, adapter, depth, rounds, directory):
    serve(options, ["strace", "-c", "-f", "-U", "name,calls", "-o", f"{directory}/calls"], adapter, depth, rounds)
    lines = pathlib.Path(directory, "calls").read_text().splitlines()
    counts = [re.fullmatch(r"\s*(\w+)\s+(\d+)\s*", line) for line in lines]
    return {found[1]: int(found[2]) for found in counts if found and found[1] != "total"}


def each(count, options, adapter, depth):
    """What `count` counts, for each message."""
    rounds = max(1, MESSAGES // (options.connections * depth))
    with tempfile.TemporaryDirectory() as directory:
        once, twice = (count(options, adapter, depth, factor * rounds, directory) for factor in (1, 2))
    messages = rounds * options.connections * depth
    return {name: (twice[name] - once.get(name, 0)) / messages for name in twice}


def measure(options, adapter, depth):
    result = {"adapter": adapter, "connections": options.connections, "size": options.size, "depth": depth,
              "instructions": round(each(count_instructions, options, adapter, depth)["instructions"], 1)}
    if shutil.which("strace"):
        calls = each(count_system_calls, options, adapter, depth)
        result["system_calls"] = {name: round(calls[name], 3) for name in sorted(calls) if calls[name] >= 0.001}
    budget = BUDGETS.get(depth) if options.size == 125 else None
    if budget:
        result["budget"] = budget
    return result


def calls_text(result):
    if "system_calls" not in result:
        return "not counted: no strace"
    return ", ".join(f"{name} {count:g}" for name, count in result["system_calls"].items())


def store(options, results):
    rows = "".join(f"| {result['adapter']} | {result['depth']} | {result['instructions']:.0f} | "
                   f"{result.get('budget', '')} | {calls_text(result)} |\n" for result in results)
    STORED.write_text(REPORT_HEAD.format(size=options.size, connections=options.connections) + rows)


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--adapter", default="epoll", type=lambda text: text.split(","))
    parser.add_argument("--depth", default="1,16", type=lambda text: [int(word) for word in text.split(",")])
    parser.add_argument("--connections", default=64, type=int)
    parser.add_argument("--size", default=125, type=int)
    parser.add_argument("--store", action="store_true")
    parser.add_argument("program", nargs="?", default=str(ROOT / "build/examples/echo_server"))
    options = parser.parse_args()
    if not os.path.exists(options.program):
        sys.exit(f"server.py: {options.program} is not there: ninja -C build examples/echo_server")
    if shutil.which("valgrind") is None:
        sys.exit("server.py: there is no valgrind; ./dev test installs it")
    try:
        results = [measure(options, adapter, depth) for adapter in options.adapter for depth in options.depth]
    except (servers.Failure, subprocess.TimeoutExpired, OSError) as failure:
        sys.exit(f"server.py: {failure}")
    for result in results:
        budget = f" (budget {result['budget']})" if "budget" in result else ""
        print(f"{result['adapter']}, {result['depth']} in flight: {result['instructions']:.0f} instructions a message"
              f"{budget}; {calls_text(result)}", file=sys.stderr)
    print(json.dumps(results, indent=2))
    if options.store:
        store(options, results)
    return 0


if __name__ == "__main__":
    sys.exit(main())
