#!/usr/bin/python3
"""soak.py ECHO_SERVER SOAK_CLIENT CONNECTIONS MESSAGES [ADAPTER] : CONNECTIONS at once, MESSAGES on each,
every byte of every echo checked. SANSOCK_SOAK="CONNECTIONSxMESSAGES" overrides the counts. TAP."""
import os
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "interop"))
from harness import Failure, Program, Tap, check, skip_without_adapter

echo_server, soak_client, connections, messages = sys.argv[1:5]
adapter = sys.argv[5] if len(sys.argv) > 5 else "epoll"
skip_without_adapter(echo_server, adapter)
override = os.environ.get("SANSOCK_SOAK")
if override:
    counts = re.fullmatch(r"(\d+)x(\d+)", override)
    if counts is None:
        sys.exit("SANSOCK_SOAK: write it as CONNECTIONSxMESSAGES, such as 100x1000")
    connections, messages = counts.groups()
tap = Tap()


@tap.case(f"{connections} connections x {messages} messages over {adapter}: nothing lost")
def _():
    with Program(echo_server, "--port", 0, "--adapter", adapter) as server:
        result = subprocess.run([soak_client, str(server.port), connections, messages], capture_output=True,
                                text=True, check=False)
        print(f"# {result.stdout.strip()}", flush=True)
        if result.returncode != 0:
            raise Failure(result.stderr)
        check(server.alive(), f"the server ended: {server.stderr}")


sys.exit(tap.run())
