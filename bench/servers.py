"""The servers that are compared, and how a program is started, pinned and stopped."""

import functools
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import tempfile
import threading

ROOT = pathlib.Path(__file__).resolve().parents[1]
START_TIMEOUT_S = 60  # only a bound for a hang
USAGE_ERROR = 2       # exit code of a program that can not do what it is asked for here


class Failure(Exception):
    """What went wrong, in one line."""


class Absent(Failure):
    """The server can not be had on this machine; the line says why."""


class Kind:
    """A server that can be started: its name, its command, and what is missing if it can not."""

    def __init__(self, name, command, missing=None, connections_max=1 << 30, packages=(), kind="echo", size_max=1 << 30):
        self.name, self.command, self.missing = name, [str(word) for word in command], missing
        self.connections_max, self.packages, self.kind, self.size_max = connections_max, packages, kind, size_max


def built(program, package):
    return None if program.exists() else f"not built; install {package}, then `meson configure --clearcache build`"


@functools.lru_cache
def connection_limit(echo_server):
    """The options that let our server hold as many connections as its process may have, and that number."""
    if not echo_server.exists():
        return (), 1 << 30
    done = subprocess.run([str(echo_server), "--help"], capture_output=True, text=True, timeout=START_TIMEOUT_S)
    for option in ("--max-connections", "--connections-max", "--connections"):
        if option in done.stdout:
            return (option, 1_000_000), 1 << 30
    return (), 17_900  # below its default of 18,000


def ours(build):
    echo_server = build / "examples/echo_server"
    option, limit = connection_limit(echo_server)
    for adapter in ("epoll", "io_uring", "blocking"):
        # No pings: the load generator answers none.
        command = [echo_server, "--port", 0, "--threads", 1, "--ping-interval", 0, "--adapter", adapter, *option]
        # A blocking server has a thread for each connection.
        yield Kind(f"sansock {adapter}", command, built(echo_server, "libcli11-dev"),
                   1000 if adapter == "blocking" else limit)


def kinds(build):
    """All servers, ours first; those with `missing` set can not run here."""
    found = list(ours(build))
    peers = build / "bench/peers"
    for name, program, package in (("raw epoll", "raw_epoll", "g++"), ("raw io_uring", "raw_io_uring", "liburing-dev"),
                                   ("Beast", "beast", "libboost-system-dev"),
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
    for name, program in (("raw loop of sends", "raw_broadcast"), ("sansock broadcast", "sansock_broadcast")):
        found.append(Kind(name, [peers / program, "--port", 0], built(peers / program, "g++"), kind="broadcast"))
    # It serves nothing without a certificate: tls.py starts it with one.
    found.append(Kind("raw TLS", [peers / "raw_tls", "--port", 0], built(peers / "raw_tls", "android-libboringssl-dev"),
                      kind="tls"))
    return found


def descriptors_max():
    """How many a server or the load may have open: both raise their limit as far as they may."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[1]


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
        self.kind, self.cpu, self.last_words = kind, cpu, ""
        with tempfile.TemporaryFile("w+") as errors:
            self.process = subprocess.Popen(kind.command, stdout=subprocess.PIPE, stderr=errors, text=True,
                                            preexec_fn=pinned(cpu))
            timer = threading.Timer(START_TIMEOUT_S, self.process.kill)
            timer.start()
            line = self.process.stdout.readline().strip()
            timer.cancel()
            if not line.startswith("listening on "):
                self.stop()
                errors.seek(0)
                why = (errors.read().strip().splitlines() or ["it said nothing"])[-1]
                if self.process.returncode == USAGE_ERROR:
                    raise Absent(why)
                raise Failure(f"{kind.name} did not start: {why}")
        self.url = line.removeprefix("listening on ")
        self.pid = self.process.pid

    def alive(self):
        return self.process.poll() is None

    def stop(self):
        """Ends it; what it still said is in `last_words`."""
        if self.alive():
            self.process.send_signal(signal.SIGTERM)
        if self.process.stdout.closed:
            return
        try:
            self.last_words, _ = self.process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
