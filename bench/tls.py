"""Echo servers over TLS: CPU time a message and a handshake, and memory of idle connections."""

import contextlib
import json
import pathlib
import shutil
import subprocess
import tempfile
import time

import report
import servers
import tls_report
from shapes import SIZES, Shape
from tls_report import CIPHER, FULL, OURS, PEERS, RAW, RESUMED, SERVERS

IDLE = "tls-memory"
IDLE_CONNECTIONS = 2_000
IDLE_SIZE = 1024
IDLE_TIMEOUT_S = 300  # only a bound for a hang
RESERVED = 100        # descriptors of a process that are no connections
CERTIFICATE_DAYS = 2
RESUMED_SHARE_MIN = 0.99
# Where TLS comes from; Node.js has its own OpenSSL.
PACKAGES = {name: ("android-libboringssl-dev",) for name in (*OURS, RAW)} | {
    name: ("libssl-dev",) for name in ("Beast", "libwebsockets")}


class Cell(Shape):
    """A size and a depth, or handshakes: `handshake` is FULL, RESUMED or None. `short` is its title within tls.md."""

    def __init__(self, name, title, handshake=None, **options):
        super().__init__(f"tls-{name}", f"{title}, over TLS", **options)
        self.short, self.handshake, self.kinds = title, handshake, "tls"


def echo(name, depth):
    title, size = SIZES[name]
    return Cell(f"{name}x{depth}", f"{title}, {depth} in flight", size=size, depth=depth)


CELLS = [*(echo(name, depth) for name in ("1KiB", "16KiB") for depth in (1, 16)),
         Cell("full", "full handshakes", FULL, mode="rate"),
         Cell("resumed", "resumed handshakes", RESUMED, mode="rate", extra=["--tls-resume"])]


@contextlib.contextmanager
def certificate(build):
    """The options that name a certificate made now, of ECDSA with P-256, and its key."""
    if not shutil.which("openssl"):
        raise servers.Absent("no openssl to make a certificate")
    with tempfile.TemporaryDirectory(prefix="tls-", dir=build) as directory:
        made, key = pathlib.Path(directory) / "certificate.pem", pathlib.Path(directory) / "key.pem"
        done = subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                               "-days", str(CERTIFICATE_DAYS), "-subj", "/CN=localhost", "-keyout", key, "-out", made],
                              capture_output=True, text=True)
        if done.returncode != 0:
            raise servers.Failure(f"no certificate could be made: {done.stderr.strip().splitlines()[-1]}")
        yield ["--tls-cert", made, "--tls-key", key]


def refused(build):
    """Why the load generator has no TLS; None if it has."""
    # Nobody listens there: whether it may try is what is asked.
    done = subprocess.run([build / "bench/load/load", "--url", "tls://127.0.0.1:1"], capture_output=True, text=True)
    return "the load generator is built without TLS" if "built without TLS" in done.stderr else None


def able(present, words, missing, say):
    """Those of the servers that can be started over TLS; why others can not is in `missing`."""
    found = []
    for kind in sorted((kind for kind in present if kind.name in SERVERS), key=lambda kind: SERVERS.index(kind.name)):
        chosen = servers.Kind(kind.name, [*kind.command, *words], connections_max=kind.connections_max,
                              packages=kind.packages + PACKAGES.get(kind.name, ()), kind="tls", size_max=kind.size_max)
        try:
            servers.Server(chosen, None).stop()
            found.append(chosen)
        except servers.Failure as failure:
            say(f"skipped: {kind.name} over TLS ({failure})")
            missing[kind.name] = str(failure)
    return found


def wrong(run, handshake):
    """What makes this run another work than that of the others; None if nothing does."""
    if run["tls"] != CIPHER:
        return f"it negotiates {run['tls']}, not {CIPHER}"
    share = run.get("tls_resumed_share", 0)
    right = share >= RESUMED_SHARE_MIN if handshake == RESUMED else share == 0
    return None if right else f"{share:.1%} of the sessions were resumed"


def reject(cell, handshake):
    """Servers that did another work than was asked for have failed."""
    for name in list(cell["servers"]):
        reasons = [reason for run in cell["servers"][name]["runs"] if (reason := wrong(run, handshake))]
        if reasons:
            cell["failed"][name] = reasons[0]
            del cell["servers"][name]
    return cell


def measure_cells(options, result, kinds, cells, runner):
    pool = runner.Pool(options, kinds)
    try:
        for cell in cells:
            if time.monotonic() >= options.deadline:
                runner.say(f"left out, the time is over: {cell.title}")
                result["tls"]["left_out"].append(cell.title)
                continue
            runner.say(cell.title)
            one = runner.measure(options, pool, cell) | {"title": cell.short, "floor": RAW, "handshake": cell.handshake}
            result["tls"]["cells"].append(reject(one, cell.handshake))
    finally:
        pool.stop()


def measure_memory(options, result, kinds, runner):
    """A row a server, each in a fresh process."""
    wanted = max(options.memory_connections or [IDLE_CONNECTIONS])
    for kind in kinds:
        connections = min(wanted, servers.descriptors_max() - RESERVED, kind.connections_max)
        runner.say(f"memory of {connections:,} connections over TLS: {kind.name}")
        row = {"server": kind.name, "connections": connections}
        words = ["--mode", "idle", "--connections", connections, "--size", IDLE_SIZE]
        try:
            with servers.Server(kind, options.server_cpu) as server:
                run = runner.load(options, server, words, 0.1, IDLE_TIMEOUT_S)
                if reason := wrong(run, None):
                    raise servers.Failure(reason)
                row |= run["memory"]
        except servers.Failure as failure:
            runner.say(f"{kind.name}: {failure}")
            row["failed"] = str(failure)
        result["tls"]["memory"].append(row)


def measure(options, result, present, cells, idle, runner):
    """Fills result["tls"] and writes it: the cells, and the memory if `idle`. `runner` is run.py."""
    absent = {name: why for name, why in result["missing"].items() if name in SERVERS}
    result["tls"] = found = {"cells": [], "memory": [], "left_out": [], "missing": absent, "packages": {}}
    if why := refused(options.build):
        raise servers.Failure(why)
    with certificate(options.build) as words:
        kinds = able(present, words, found["missing"], runner.say)
        found["packages"] = report.packages(kinds)
        if kinds:
            measure_cells(options, result, kinds, cells, runner)
            # What there is so far is not lost by what ends the rest.
            write(options.out, result)
        if kinds and idle:
            measure_memory(options, result, kinds, runner)
        write(options.out, result)


def failed(result):
    """Whether anything that was begun was not measured."""
    found = result.get("tls") or {"cells": [], "memory": []}
    return any(cell["failed"] for cell in found["cells"]) or any("failed" in row for row in found["memory"])


def write(directory, result):
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "tls.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    (directory / "tls.md").write_text(tls_report.markdown(result), encoding="utf-8")
