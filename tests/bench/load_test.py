#!/usr/bin/python3
"""load_test.py BUILD : the load generator against our echo server, and against servers that are wrong."""

import contextlib
import functools
import importlib.util
import json
import pathlib
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading

import tap

BUILD = pathlib.Path(sys.argv[1])
LOAD = BUILD / "bench/load/load"
ROOT = pathlib.Path(__file__).resolve().parents[2]
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
    tap.expect(result["messages"] == 200, result)


def check_idle_messages():
    """Several messages on each connection, compressed: all came back, and memory is told after the first and after all."""
    with websockets_server("--deflate", "on") as (url, pid):
        result, text = measured(url, "--mode", "idle", "--connections", 40, "--size", 1024, "--payload", "json",
                                "--idle-messages", 7, "--deflate", "on", "--verify", "--server-pid", pid)
    tap.expect(result["messages"] == 280 and result["idle_messages"] == 7 and result["compressed_share"] == 1, result)
    tap.expect(result["memory"]["used_bytes_each"] > 0 and result["memory"]["later_bytes_each"] > 0, result)
    tap.expect(" after 7\n" in text and "extension: permessage-deflate" in text, text)


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


def websockets_server(*options):
    if importlib.util.find_spec("websockets") is None:
        raise tap.Skip("no python3-websockets")
    return program(sys.executable, pathlib.Path(__file__).with_name("websockets_server.py"), *options)


def check_compressed(url, *options):
    """A run whose answers are all compressed; its JSON."""
    result, text = measured(url, "--verify", *options)
    tap.expect(result["messages"] > 0 and result["compressed_share"] == 1, result)
    tap.expect(result["extension"] in text and "% of the answers compressed" in text, text)
    return result


def check_deflate(server_options, load_options, extension):
    with websockets_server(*server_options) as (url, _):
        for options in (["--size", 0], ["--size", 1, "--depth", 16], ["--size", 1000, "--payload", "json"],
                        ["--size", 30000, "--payload", "html", "--type", "text", "--depth", 3],
                        ["--size", 1000, "--payload", "random"]):
            result = check_compressed(url, "--connections", 5, *load_options, *options)
            tap.expect(result["extension"] == extension, result["extension"])
        json_run = check_compressed(url, *load_options, "--size", 1000, "--payload", "json")
        tap.expect(json_run["payload"] == "json" and json_run["deflate"] == load_options[1], json_run)
        for way in ("frame_bytes_sent_each", "frame_bytes_received_each"):
            tap.expect(50 < json_run[way] < 700, json_run)
        result, _ = measured(url, *load_options, "--mode", "rate")
        tap.expect(result["messages"] > 0, result)
        # Who does not ask for it does not get it.
        result, text = measured(url, "--verify", "--payload", "json")
        tap.expect(result["compressed_share"] == 0 and "extension" not in result and "compressed" not in text, text)


def check_declined():
    with websockets_server() as (url, _):
        for mode in ("on", "no-context"):
            check_one_line(load(url, "--deflate", mode, status=1), "declined permessage-deflate")


EXTENSION = b"Sec-WebSocket-Extensions: permessage-deflate"


def accepted_with(extension):
    return ACCEPTED.replace(b"\r\n\r\n", b"\r\n" + extension + b"\r\n\r\n")


def check_wrong_deflate():
    wrong = [
        ("on", "8 bits", EXTENSION + b"; client_max_window_bits=8", b""),
        ("on", "in which 'fast' is wrong", EXTENSION + b"; fast", b""),
        ("on", "not permessage-deflate", b"Sec-WebSocket-Extensions: x-other", b""),
        ("no-context", "keeps its context", EXTENSION, b""),
        ("off", "not offered", EXTENSION, b""),
        ("on", "can not be decompressed", EXTENSION, b"\xc2\x02\xff\xff"),
        ("on", "has 0 bytes, not 10", EXTENSION, b"\xc2\x01\x00"),
        ("on", "reserved bit", EXTENSION, b"\x42\x01\x00\xc0\x00"),
    ]
    for mode, word, extension, frames in wrong:
        with answering(accepted_with(extension) + frames) as port:
            url = f"ws://127.0.0.1:{port}/"
            options = [*QUICK, "--connections", 1, "--size", 10, "--verify", "--deflate", mode]
            check_one_line(load(url, *options, status=1), word, "connection 1 ")


def check_changing_server():
    """Each connection has to agree on what the first one agreed on."""
    answers = [accepted_with(EXTENSION), accepted_with(EXTENSION + b"; client_max_window_bits=10")]

    def serve(connection):
        connection.recv(4096)
        connection.sendall(answers.pop(0))
        while connection.recv(65536):
            pass
    with python_server(serve) as port:
        done = load(f"ws://127.0.0.1:{port}/", *QUICK, "--connections", 1, "--deflate", "on", status=1)
        check_one_line(done, "client_max_window_bits=10", "before")


def peer_command(name):
    command = [BUILD / "bench/peers" / name]
    if name == "npm_ws":
        if not shutil.which("node"):
            raise tap.Skip("no node")
        if not (ROOT / "tests/interop/node_modules/ws").exists():
            raise tap.Skip("no npm package ws")
        command = ["node", ROOT / "bench/peers/npm_ws.mjs"]
    elif not command[0].exists():
        raise tap.Skip(f"{name} is not built")
    return command


def check_peer(name):
    command = peer_command(name)
    # Several longer ones at once, libwebsockets mixes up: README.md of bench.
    large = 60_000 if name == "libwebsockets" else 300_000
    for mode in ("on", "no-context"):
        with program(*command, "--port", 0, "--deflate", mode) as (url, _):
            for options in (["--size", 1, "--depth", 16], ["--size", 1000, "--payload", "json", "--depth", 4],
                            ["--size", large, "--payload", "random", "--depth", 2],
                            ["--size", large, "--payload", "html", "--type", "text", "--depth", 2]):
                check_compressed(url, "--connections", 4, "--deflate", mode, *options)
            measured(url, "--verify", "--size", 1000)
        if mode == "no-context":
            continue
        with program(*command, "--port", 0, "--deflate", mode) as (url, _):
            result = check_compressed(url, "--deflate", "no-context")
            tap.expect("server_no_context_takeover" in result["extension"], result)
    with program(*command, "--port", 0) as (url, _):
        check_one_line(load(url, "--deflate", "on", status=1), "declined")
    for words in (["--port", 0, "--deflate", "maybe"], ["--port", 0, "--level", "10"], ["--deflate", "on"], ["--port", "x"], []):
        done = subprocess.run([str(word) for word in [*command, *words]], capture_output=True, text=True, timeout=60)
        tap.expect(done.returncode == 2 and "usage: " in done.stderr, done)


@functools.lru_cache
def certificate():
    """Files with a certificate and its key, for the time of this program."""
    done = subprocess.run([LOAD, "--url", "wss://127.0.0.1:1/"], capture_output=True, text=True, timeout=60)
    if "built without TLS" in done.stderr:
        raise tap.Skip("the load generator is built without TLS")
    if not shutil.which("openssl"):
        raise tap.Skip("no openssl to make a certificate")
    directory = tempfile.TemporaryDirectory()
    key, made = (pathlib.Path(directory.name) / name for name in ("key.pem", "certificate.pem"))
    tap.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", 2,
             "-subj", "/CN=localhost", "-keyout", key, "-out", made])
    return directory, ["--certificate", made, "--key", key]


def tls_server(*options):
    return websockets_server(*certificate()[1], *options)


def check_tls():
    with tls_server("--deflate", "on") as (url, _):
        tap.expect(url.startswith("wss://"), url)
        for options in (["--size", 0], ["--size", 16, "--depth", 100], ["--size", 16384, "--connections", 5],
                        ["--size", 1 << 20, "--depth", 8, "--connections", 2], ["--threads", 2, "--connections", 7],
                        ["--size", 20000, "--depth", 8, "--deflate", "on", "--payload", "json"]):
            result, text = measured(url, "--verify", *options)
            tap.expect(result["messages"] > 0 and result["tls"].startswith("TLSv1.3 TLS_AES_"), result)
            tap.expect(f"TLS: {result['tls']}\n" in text and "tls_resumed_share" not in result, text)
        check_one_line(load(url.replace("wss:", "ws:"), *QUICK, status=1), "connection 1 ")


def check_tls_peer(name):
    """It echoes right over TLS, by the cipher that all are compared by, and resumes each session."""
    command, files = peer_command(name), certificate()[1]
    if name == "beast" and b"libssl" not in command[0].read_bytes():
        raise tap.Skip("Beast is built without OpenSSL")
    words = [*command, "--port", 0, "--tls-cert", files[1], "--tls-key", files[3]]
    with program(*words) as (url, _):
        tap.expect(url.startswith("tls://" if name == "raw_tls" else "wss://"), url)
        for options in (["--size", 16, "--depth", 100], ["--size", 16384, "--depth", 3, "--connections", 5],
                        ["--size", 1 << 20, "--depth", 8, "--connections", 2], ["--size", 1000, "--type", "text", "--text", "mixed"]):
            result, _ = measured(url, "--verify", *options)
            tap.expect(result["messages"] > 0 and result["tls"] == "TLSv1.3 TLS_AES_128_GCM_SHA256", result)
        for options, share in (([], 0), (["--tls-resume"], 1)):
            result, _ = measured(url, "--mode", "rate", "--connections", 8, *options)
            tap.expect(result["messages"] > 0 and result["tls_resumed_share"] == share, result)
    for word in ("--tls-cert", "--tls-key"):
        done = tap.run([*command, "--port", 0, word, files[1]], status=2)
        tap.expect("usage: " in done.stderr, done)


def check_tls_raw():
    """An echo without frames, over TLS: right ones pass, a wrong byte is seen, and handshakes are counted."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate()[1][1::2])

    def serve(connection, change):
        with context.wrap_socket(connection, server_side=True) as stream:
            while data := stream.recv(65536):
                stream.sendall(change(data))
    alone = ["--connections", 1, "--verify"]
    with python_server(lambda connection: serve(connection, bytes)) as port:
        url = f"tls://127.0.0.1:{port}"
        for options in (["--size", 16, "--depth", 100], ["--size", 40000, "--depth", 2]):
            result, _ = measured(url, *alone, *options)
            tap.expect(result["messages"] > 0 and result["tls"].startswith("TLSv1.3 "), result)
        result, text = measured(url, "--mode", "rate", "--connections", 1, "--tls-resume")
        tap.expect(result["messages"] > 0 and result["tls_resumed_share"] == 1 and "handshakes" in text, result)
    with python_server(lambda connection: serve(connection, lambda data: bytes(len(data)))) as port:
        check_one_line(load(f"tls://127.0.0.1:{port}", *QUICK, *alone, status=1), "wrong echo")


def check_tls_rate():
    with tls_server() as (url, _):
        result, text = measured(url, "--mode", "rate", "--connections", 8)
        tap.expect(result["messages"] > 0 and result["tls_resumed_share"] == 0, result)
        tap.expect("0.0 % of the sessions resumed" in text, text)
        result, _ = measured(url, "--mode", "rate", "--connections", 8, "--tls-resume", "--threads", 2)
        tap.expect(result["messages"] > 0 and result["tls_resumed_share"] == 1, result)
    with tls_server("--tickets", 0) as (url, _):
        done = load(url, *QUICK, "--mode", "rate", "--connections", 1, "--tls-resume", status=1)
        check_one_line(done, "resumed no TLS session")


def check_tls_idle():
    with tls_server() as (url, pid):
        result, _ = measured(url, "--mode", "idle", "--connections", 50, "--verify", "--server-pid", pid)
    tap.expect(result["memory"]["opened_bytes_each"] > 0 and result["tls"], result)


def check_wrong_tls():
    with tls_server("--tls-1-2") as (url, _):
        check_one_line(load(url, *QUICK, status=1), "connection 1 ")
    for word, answer, close in (("the handshake failed: WRONG_VERSION_NUMBER", b"HTTP/1.1 400 Bad\r\n\r\n", False),
                                ("TLSV1_ALERT_PROTOCOL_VERSION", b"\x15\x03\x03\x00\x02\x02\x46", False),
                                ("the server closed it", b"", True)):
        with answering(answer, close) as port:
            check_one_line(load(f"wss://127.0.0.1:{port}/", *QUICK, "--connections", 1, status=1), word)


def check_refused():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    check_one_line(load(f"ws://127.0.0.1:{port}/", status=1), "can not connect", "refused")


def check_usage():
    good = "ws://127.0.0.1:1/"
    for arguments, word in [
            ([], "--url"), (["--url", "http://127.0.0.1:1/"], "ws://"), (["--url", good, "--mode", "fly"], "--mode"),
            (["--url", good, "--connections", "0"], "--connections"),
            (["--url", good, "--mode", "idle"], "--server-pid"), (["--url", good, "--idle-messages", "2"], "--mode idle"),
            (["--url", good, "--cpus", "x"], "CPUs"),
            (["--url", good, "--mode", "broadcast", "--threads", "2"], "one thread"),
            (["--url", good, "--deflate", "some"], "--deflate"), (["--url", good, "--payload", "some"], "--payload"),
            (["--url", "tcp://127.0.0.1:1", "--deflate", "on"], "no extensions"),
            (["--url", "tls://127.0.0.1:1", "--size", "0"], "no empty messages"),
            (["--url", good, "--tls-resume"], "wss://"),
            (["--url", good, "--size", "1048576", "--depth", "1000"], "256 MiB")]:
        check_one_line(tap.run([LOAD, *arguments], status=2), word)
    tap.expect("--verify" in tap.run([LOAD, "--help"]).stdout, "no help")


ALONE = "client_no_context_takeover; server_no_context_takeover"
DEFLATE = [
    ("both keep their context", ["--deflate", "on"], ["--deflate", "on"],
     "permessage-deflate"),
    ("neither keeps its context", ["--deflate", "on"], ["--deflate", "no-context"], f"permessage-deflate; {ALONE}"),
    ("a server without context", ["--deflate", "no-context"], ["--deflate", "on"], f"permessage-deflate; {ALONE}"),
    ("small windows", ["--deflate", "on", "--window-bits", 9], ["--deflate", "on"],
     "permessage-deflate; client_max_window_bits=9; server_max_window_bits=9"),
]
COMPRESSING_PEERS = ["beast", "websocketpp", "libwebsockets", "npm_ws"]
TLS_PEERS = ["raw_tls", "beast", "libwebsockets", "npm_ws"]

CASES = [
    *((f"echo: {name}", lambda options=options: check_echo(options)) for name, options in SHAPES),
    ("the report on standard output", check_report),
    ("a raw echo server", check_raw),
    ("opening handshakes", check_rate),
    ("broadcast: all receive all", check_broadcast),
    ("idle connections", check_idle),
    ("idle connections with several messages each", check_idle_messages),
    ("a wrong byte and a message too many are noticed", check_wrong_echo),
    ("wrong servers are noticed", check_wrong_servers),
    *((f"permessage-deflate: {name}", lambda words=words: check_deflate(*words)) for name, *words in DEFLATE),
    ("permessage-deflate: a server that declines", check_declined),
    ("permessage-deflate: wrong servers are noticed", check_wrong_deflate),
    ("permessage-deflate: a server that changes its mind", check_changing_server),
    *((f"permessage-deflate: {name}", lambda name=name: check_peer(name)) for name in COMPRESSING_PEERS),
    ("TLS: messages there and back", check_tls),
    *((f"TLS: {name}", lambda name=name: check_tls_peer(name)) for name in TLS_PEERS),
    ("TLS: a raw echo", check_tls_raw),
    ("TLS: handshakes, full and resumed", check_tls_rate),
    ("TLS: idle connections", check_tls_idle),
    ("TLS: wrong servers are noticed", check_wrong_tls),
    ("a refused connection", check_refused),
    ("usage errors", check_usage),
]

if __name__ == "__main__":
    sys.exit(tap.main(CASES))
