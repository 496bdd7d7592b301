#!/usr/bin/python3
"""load_test.py BUILD : the load generator against our echo server, and against servers that are wrong."""

import contextlib
import json
import pathlib
import socket
import subprocess
import sys
import tempfile
import threading

import tap

BUILD = pathlib.Path(sys.argv[1])
LOAD = BUILD / "bench/load/load"
ACCEPTED = (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")
QUICK = ["--seconds", "0.3", "--warmup", "0.05"]


@contextlib.contextmanager
def program(*command):
    """A server program; gives its URL and its number."""
    with subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, text=True) as process:
        try:
            line = process.stdout.readline().strip()
            tap.expect(line.startswith("listening on "), f"{command[0]} said {line!r}")
            yield line.removeprefix("listening on "), process.pid
        finally:
            process.terminate()


def echo_server():
    return program(BUILD / "examples/echo_server", "--port", 0, "--threads", 1, "--ping-interval", 0)


@contextlib.contextmanager
def python_server(serve):
    """A server in a thread: serve(connection) for each connection, in turn."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        def run():
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection, contextlib.suppress(OSError):
                    serve(connection)
        threading.Thread(target=run, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


def load(url, *options, status=0):
    return tap.run([LOAD, "--url", url, *options], status=status)


def measured(url, *options):
    with tempfile.TemporaryDirectory() as directory:
        file = pathlib.Path(directory) / "result.json"
        done = load(url, *QUICK, "--json", file, *options)
        return json.loads(file.read_text()), done.stdout


def check_one_line(done, *words):
    lines = done.stderr.strip().splitlines()
    tap.expect(len(lines) == 1 and lines[0].startswith("load: "), f"not one line: {done.stderr}")
    for word in words:
        tap.expect(word in lines[0], f"'{word}' is not in: {lines[0]}")


SHAPES = [
    ("empty messages", ["--size", 0]),
    ("one byte, 100 connections", ["--size", 1, "--connections", 100]),
    ("16 B, 16 in flight", ["--size", 16, "--depth", 16]),
    ("126 B, 1,000 in flight on one connection", ["--size", 126, "--depth", 1000, "--connections", 1]),
    ("the bytes of a mixed text as binary", ["--size", 1000, "--text", "mixed"]),
    ("text in mixed UTF-8", ["--size", 1000, "--type", "text", "--text", "mixed", "--depth", 3]),
    ("1 MiB, more in flight than sockets hold", ["--size", 1 << 20, "--depth", 8, "--connections", 2]),
    ("two threads", ["--threads", 2, "--connections", 7]),
]


def check_echo(options):
    with echo_server() as (url, pid):
        result, _ = measured(url, "--verify", "--server-pid", pid, *options)
    tap.expect(result["messages"] > 0 and result["verify"], result)
    rate = result["messages"] / result["seconds"]
    tap.expect(abs(result["messages_per_s"] - rate) < 1e-6 * rate, "the rate is not messages by seconds")
    latency = result["latency_us"]
    tap.expect(0 < latency["p50"] <= latency["p99"] <= latency["p99_9"] <= latency["max"], latency)
    tap.expect(latency["mean"] <= latency["max"], latency)
    server = result["server"]
    cpu_s = server["cpu_us_each"] * result["messages"] / 1e6
    tap.expect(abs(cpu_s - server["cpu_share"] * result["seconds"]) < 1e-6, server)
    tap.expect(server["cpu_share"] > 0 and server["threads"] >= 1, server)
    tap.expect(abs(server["user_us_each"] + server["system_us_each"] - server["cpu_us_each"]) < 1e-6, server)
    busy = result["client"]["busy_share"]
    tap.expect(len(busy) == result["threads"] and max(busy) == result["client"]["busy_share_max"], busy)
    tap.expect(len(result["client"]["waited_share"]) == result["threads"] and server["waited_share"] >= 0, result)
    tap.expect(result["bottleneck"] in ("server", "client", "both", "neither"), result["bottleneck"])


def check_report():
    with echo_server() as (url, pid):
        _, text = measured(url, "--server-pid", pid)
        for word in ("messages in", "p99.9", "client: ", "% busy", "user", "system", "bottleneck: "):
            tap.expect(word in text, f"'{word}' is not in:\n{text}")
        result, text = measured(url)
        tap.expect("server" not in result and "bottleneck" not in result and "server" not in text, text)


def check_raw():
    peer = BUILD / "bench/peers/raw_epoll"
    with program(peer, "--port", 0) as (url, pid):
        tap.expect(url.startswith("tcp://"), url)
        for options in (["--size", 16, "--depth", 16], ["--size", 1 << 20, "--depth", 8, "--connections", 2]):
            result, _ = measured(url, "--verify", "--server-pid", pid, *options)
            tap.expect(result["messages"] > 0, result)
        result, _ = measured(url, "--mode", "rate")
        tap.expect(result["messages"] > 0, result)
        check_one_line(load(url, "--size", 0, status=2), "no empty messages")


def check_rate():
    with echo_server() as (url, pid):
        result, text = measured(url, "--mode", "rate", "--connections", 20, "--server-pid", pid)
    tap.expect(result["messages"] > 0 and result["latency_us"]["p50"] > 0 and "handshakes" in text, text)


def check_broadcast():
    for name in ("sansock_broadcast", "raw_broadcast"):
        if not (BUILD / "bench/peers" / name).exists():
            raise tap.Skip("no epoll adapter")
        with program(BUILD / "bench/peers" / name, "--port", 0) as (url, _):
            for depth in (1, 5):
                result, _ = measured(url, "--mode", "broadcast", "--connections", 30, "--depth", depth, "--verify")
                tap.expect(result["messages"] > 0 and result["begun_at_s"] > 1e9, result)


def check_idle():
    with echo_server() as (url, pid):
        options = ["--mode", "idle", "--connections", 200, "--size", 300, "--verify", "--server-pid", pid]
        result, text = measured(url, *options)
    tap.expect(set(result["memory"]) == {"before_bytes", "opened_bytes_each", "used_bytes_each"}, result)
    tap.expect(result["memory"]["before_bytes"] > 0 and text.startswith("memory: "), text)


def raw_echo(change):
    """Echoes raw bytes through `change`(bytes, how many came before)."""
    def serve(connection):
        before = 0
        while data := connection.recv(65536):
            connection.sendall(change(data, before))
            before += len(data)
    return python_server(serve)


def check_wrong_echo():
    def flip(data, before):
        changed = bytearray(data)
        if before <= 100 < before + len(data):
            changed[100 - before] ^= 1
        return bytes(changed)
    options = [*QUICK, "--connections", 1, "--size", 64]
    with raw_echo(flip) as port:
        url = f"tcp://127.0.0.1:{port}"
        check_one_line(load(url, *options, "--verify", status=1), "wrong echo: byte 36", "connection 1 ")
        # Who does not compare does not see it: that is what --verify is for.
        load(url, *options)
    with raw_echo(lambda data, before: data) as port:
        load(f"tcp://127.0.0.1:{port}", *options, "--verify")
    with raw_echo(lambda data, before: data + data) as port:
        check_one_line(load(f"tcp://127.0.0.1:{port}", *options, status=1), "not sent")


def answering(answer, close=False):
    """Sends `answer` when the first bytes came, and then takes what comes."""
    def serve(connection):
        connection.recv(4096)
        connection.sendall(answer)
        while not close and connection.recv(65536):
            pass
    return python_server(serve)


def check_wrong_servers():
    wrong = [
        ("404", b"HTTP/1.1 404 Not Found\r\n\r\n", False),
        ("Sec-WebSocket-Accept", b"HTTP/1.1 101 Yes\r\n\r\n", False),
        ("opcode 1", ACCEPTED + b"\x81\x01a", False),
        ("longer than 10 bytes", ACCEPTED + b"\x82\x0b" + bytes(11), False),
        ("9 bytes, not 10", ACCEPTED + b"\x82\x09" + bytes(9), False),
        ("masked", ACCEPTED + b"\x82\x81" + bytes(5), False),
        ("closed", ACCEPTED + b"\x88\x00", False),
        ("closed it", b"", True),
    ]
    for word, answer, close in wrong:
        with answering(answer, close) as port:
            done = load(f"ws://127.0.0.1:{port}/", *QUICK, "--connections", 1, "--size", 10, status=1)
            check_one_line(done, word)


def check_refused():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    check_one_line(load(f"ws://127.0.0.1:{port}/", status=1), "can not connect", "refused")


def check_usage():
    good = "ws://127.0.0.1:1/"
    for arguments, word in [
            ([], "--url"), (["--url", "http://127.0.0.1:1/"], "ws://"), (["--url", good, "--mode", "fly"], "--mode"),
            (["--url", good, "--connections", "0"], "--connections"),
            (["--url", good, "--mode", "idle"], "--server-pid"), (["--url", good, "--cpus", "x"], "CPUs"),
            (["--url", good, "--mode", "broadcast", "--threads", "2"], "one thread"),
            (["--url", good, "--size", "1048576", "--depth", "1000"], "256 MiB")]:
        check_one_line(tap.run([LOAD, *arguments], status=2), word)
    tap.expect("--verify" in tap.run([LOAD, "--help"]).stdout, "no help")


CASES = [
    *((f"echo: {name}", lambda options=options: check_echo(options)) for name, options in SHAPES),
    ("the report on standard output", check_report),
    ("a raw echo server", check_raw),
    ("opening handshakes", check_rate),
    ("broadcast: all receive all", check_broadcast),
    ("idle connections", check_idle),
    ("a wrong byte and a message too many are noticed", check_wrong_echo),
    ("wrong servers are noticed", check_wrong_servers),
    ("a refused connection", check_refused),
    ("usage errors", check_usage),
]

if __name__ == "__main__":
    sys.exit(tap.main(CASES))
