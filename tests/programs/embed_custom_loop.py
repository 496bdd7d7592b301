#!/usr/bin/python3
"""embed_custom_loop.py EMBED_CUSTOM_LOOP : the engine in a hand-written loop is an echo server like any."""
import sys

import support  # noqa: F401  (finds harness and echo_cases)
from harness import Program, Tap, check, free_port, import_websockets

import_websockets()
import echo_cases

tap = Tap()
server = Program(sys.argv[1], free_port())
echo_cases.add_cases(tap, lambda: server.url)


@tap.case("after all that the server still runs")
def _():
    check(server.alive(), f"it ended: {server.stderr}")
    server.process.kill()
    server.process.wait()


sys.exit(tap.run())
