#!/usr/bin/python3
"""handshake_leaks.py ECHO_SERVER HANDSHAKE_FAILURES MAKE_CERTIFICATES [ADAPTER] : 10,000 connections that end
in the middle of their handshake, at each of its stages: the server's descriptors are as many as before, and
its memory does not go on growing (of a blocking one, descriptors alone). Prints TAP."""
import os
import pathlib
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "interop"))
from harness import Program, Tap, check, check_equal, skip_without_adapter

STAGES = ["nothing", "half_hello", "hello", "old_version", "refused", "junk", "established", "established_1_2"]
ROUNDS = 5
CONNECTIONS = 250  # at each stage, in each round
# What is left behind grows in each round; what the server needs once, for as many as came at a time, does not:
# so the second smallest growth counts, as one round may give memory back.
GROWTH_MAX = CONNECTIONS * 128  # less than a handshake's smallest object for each
WAIT_S = 20  # a bound for a hang

echo_server, handshake_failures, make_certificates = sys.argv[1:4]
adapter = sys.argv[4] if len(sys.argv) > 4 else "epoll"
skip_without_adapter(echo_server, adapter)
tap = Tap()
directory = tempfile.TemporaryDirectory()
subprocess.run([make_certificates, directory.name], check=True)
server = Program(echo_server, "--port", 0, "--adapter", adapter, "--tls-cert", f"{directory.name}/server.pem",
                 "--tls-key", f"{directory.name}/server.key")


def descriptors():
    return len(os.listdir(f"/proc/{server.pid}/fd"))


def anonymous_bytes():
    """The resident anonymous memory (heap, stacks, buffers) of the server, exact to the page."""
    with open(f"/proc/{server.pid}/smaps_rollup", encoding="ascii") as file:
        for line in file:
            if line.startswith("Anonymous:"):
                return int(line.split()[1]) * 1024
    raise RuntimeError("smaps_rollup has no line 'Anonymous:'")


def begin(stage, connections):
    result = subprocess.run([handshake_failures, str(server.port), stage, str(connections)],
                            capture_output=True, text=True, check=False)
    check_equal((result.returncode, result.stderr), (0, ""), "exit code and stderr")


def fail(stage, connections):
    """Returns when the server has seen the last of them leave."""
    begin(stage, connections)
    deadline = time.monotonic() + WAIT_S
    while descriptors() > descriptors_at_rest and time.monotonic() < deadline:
        time.sleep(0.02)
    check_equal(descriptors(), descriptors_at_rest, "the server's descriptors")


def at_rest():
    """The descriptors of a server that has served somebody, so that all is there, and serves nobody."""
    begin("established", 1)
    counts = []
    for _ in range(40):
        counts.append(descriptors())
        time.sleep(0.025)
    return min(counts)


descriptors_at_rest = at_rest()


def make_case(stage):
    @tap.case(f"{ROUNDS * CONNECTIONS} connections that end at the stage '{stage}' leave nothing behind over {adapter}")
    def _():
        growths = []
        before = anonymous_bytes()
        for _ in range(ROUNDS):
            fail(stage, CONNECTIONS)
            growths.append(anonymous_bytes() - before)
            before += growths[-1]
        print(f"# {stage}: {growths} bytes more", flush=True)
        # How much of their threads' stacks is in use depends on how many there are at a time.
        if adapter != "blocking":
            check(sorted(growths)[1] < GROWTH_MAX, f"the server's memory has grown by {growths} bytes")


for each in STAGES:
    make_case(each)


@tap.case(f"the server still serves, and ends in good order over {adapter}")
def _():
    check(server.alive(), f"the server ended: {server.stderr}")
    check_equal(server.stop(), 0, "exit code")


sys.exit(tap.run())
