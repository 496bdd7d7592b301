"""The servers that are compared, and how a program is started, pinned and stopped."""

import os
import pathlib
import shutil
import signal
import subprocess
import threading

ROOT = pathlib.Path(__file__).resolve().parents[1]
START_TIMEOUT_S = 60  # only a bound for a hang


class Failure(Exception):
    """What went wrong, in one line."""


class Kind:
    """A server that can be started: its name, its command, and what is missing if it can not."""

    def __init__(self, name, command, missing=None, connections_max=1 << 30, packages=()):
        self.name, self.command, self.missing = name, [str(word) for word in command], missing
        self.connections_max, self.packages = connections_max, packages


def built(program, package):
    return None if program.exists() else f"not built; install {package}, then `meson configure --clearcache build`"


def kinds(build):
    """All servers, ours first; those with `missing` set can not run here."""
    echo_server = build / "examples/echo_server"
    found = []
    for adapter in ("epoll", "blocking"):
        # No pings: the load generator answers none.
        command = [echo_server, "--port", 0, "--threads", 1, "--ping-interval", 0, "--adapter", adapter]
        # A blocking server has a thread for each connection.
        limit = 1000 if adapter == "blocking" else 1 << 30
        found.append(Kind(f"sansock {adapter}", command, built(echo_server, "libcli11-dev"), limit))
    peers = build / "bench/peers"
    for name, program, package in (("raw epoll", "raw_epoll", "g++"), ("Beast", "beast", "libboost-system-dev"),
                                   ("websocketpp", "websocketpp", "libwebsocketpp-dev"),
                                   ("libwebsockets", "libwebsockets", "libwebsockets-dev"),
                                   ("wslay", "wslay", "libwslay-dev")):
        packages = () if program == "raw_epoll" else (package,)
        found.append(Kind(name, [peers / program, "--port", 0], built(peers / program, package), packages=packages))
    missing = None
    if not shutil.which("node"):
        missing = "no node"
    elif not (ROOT / "tests/interop/node_modules/ws").exists():
        missing = "no npm package ws; `npm ci` in tests/interop installs it"
    found.append(Kind("npm ws", ["node", ROOT / "bench/peers/npm_ws.mjs", "--port", 0], missing, packages=("nodejs",)))
    return found


def split_cpus():
    """The CPU of the servers and that of the load, or (None, None) if there are no two."""
    cpus = sorted(os.sched_getaffinity(0))
    return (cpus[0], cpus[1]) if len(cpus) > 1 else (None, None)


def pinned(cpu):
    """What a child process is to call before it becomes another program."""
    return None if cpu is None else lambda: os.sched_setaffinity(0, {cpu})


class Server:
    """A running server; use it in a `with`."""

    def __init__(self, kind, cpu):
        self.kind = kind
        self.process = subprocess.Popen(kind.command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                                        preexec_fn=pinned(cpu))
        timer = threading.Timer(START_TIMEOUT_S, self.process.kill)
        timer.start()
        line = self.process.stdout.readline().strip()
        timer.cancel()
        if not line.startswith("listening on "):
            self.stop()
            raise Failure(f"{kind.name} did not start: {' '.join(kind.command)}")
        self.url = line.removeprefix("listening on ")
        self.pid = self.process.pid

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
