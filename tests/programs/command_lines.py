#!/usr/bin/python3
"""command_lines.py ECHO_SERVER ECHO_CLIENT CHAT EMBED_CUSTOM_LOOP MAKE_CERTIFICATES : options, exit codes, error
lines. MAKE_CERTIFICATES is none where TLS is not built in."""
import os
import signal
import socket
import subprocess
import sys

import support  # noqa: F401  (finds harness)
from harness import Program, Tap, check, check_equal, free_port, run_program, socket_path
from tls import Certificates

echo_server, echo_client, chat, embed_custom_loop, make_certificates = sys.argv[1:]
tap = Tap()
# Kernels, containers and administrators may refuse it.
io_uring = run_program(echo_server, "--adapter", "io_uring", "--help").returncode == 0
certificates = None if make_certificates == "none" else Certificates(make_certificates)
compression = run_program(echo_server, "--deflate", "on", "--help").returncode == 0


def expect_line(arguments, code, *words):
    """The program ends with `code` and one line on stderr that has all the words."""
    result = run_program(*arguments)
    where = " ".join(map(str, arguments))
    check_equal(result.returncode, code, f"the exit code of {where} ({result.stderr})")
    check_equal(result.stdout, "", f"stdout of {where}")
    check_equal(result.stderr.count("\n"), 1, f"lines on stderr of {where} ({result.stderr})")
    name = os.path.basename(str(arguments[0]))
    check(result.stderr.startswith(f"{name}: "), f"stderr of {where}: {result.stderr}")
    for word in words:
        check(word in result.stderr, f"'{word}' is not in stderr of {where}: {result.stderr}")


@tap.case("--help goes to stdout with exit 0 and names the options")
def _():
    for program, options in [(echo_server, ["--port", "--host", "--adapter", "--threads", "--deflate", "--deflate-memory",
                                            "--max-message", "--unix", "--tls-cert", "--tls-key", "--tls-ocsp",
                                            "--tls-client-ca", "--tls-client", "--tls-key-log"]),
                             (echo_client, ["URL", "--adapter", "--count", "--deflate", "--autobahn", "--insecure",
                                            "--tls-ca", "--tls-cert", "--tls-key", "--tls-pin", "--tls-name"]),
                             (chat, ["--port", "--host", "--adapter", "--threads", "--tls-cert", "--tls-key"])]:
        result = run_program(program, "--help")
        check_equal((result.returncode, result.stderr), (0, ""), "exit code and stderr")
        for option in options:
            check(option in result.stdout, f"{option} is not in the help of {program}")


@tap.case("usage errors: one line that says what to do, exit 2")
def _():
    for program in (echo_server, chat):
        expect_line([program, "--port", "70000"], 2, "--port", "--help")
        expect_line([program, "--port", "-1"], 2, "--port")
        expect_line([program, "--port", "x"], 2, "--port")
        expect_line([program, "--port"], 2, "--port")
        expect_line([program, "--threads", "0"], 2, "--threads")
        expect_line([program, "--nonsense"], 2, "--nonsense")
        expect_line([program, "extra"], 2, "extra")
        expect_line([program, "--adapter", "kqueue"], 2, "kqueue", "use auto, io_uring, epoll or blocking")
        if not io_uring:
            expect_line([program, "--adapter", "io_uring"], 2, "io_uring is not to be had here", "use auto, epoll")
    expect_line([echo_server, "--max-message", "0"], 2, "--max-message")
    expect_line([echo_client], 2, "URL")
    expect_line([echo_client, "ws://127.0.0.1:1/", "--count", "-1"], 2, "--count")
    if not io_uring:
        expect_line([echo_client, "ws://127.0.0.1:1/", "--adapter", "io_uring"], 2, "io_uring is not to be had here")


@tap.case("what is not built is refused, exit 2")
def _():
    if not compression:
        for mode in ("on", "no-context"):
            expect_line([echo_server, "--deflate", mode], 2, "compression is not built", "use off")
            expect_line([echo_client, "ws://127.0.0.1:1/", "--deflate", mode], 2, "compression is not built")
    expect_line([echo_server, "--deflate", "maybe"], 2, "use off, on or no-context")
    if certificates is None:
        for program in (echo_server, chat):
            expect_line([program, "--tls-cert", "a", "--tls-key", "b"], 2, "TLS is not built")
            expect_line([program, "--tls-key", "b"], 2, "TLS is not built")
        for option in (["--insecure"], ["--tls-ca", "a"], ["--tls-cert", "a", "--tls-key", "b"], ["--tls-name", "a"]):
            expect_line([echo_client, *option, "ws://127.0.0.1:1/"], 2, "TLS is not built")
        expect_line([echo_client, "wss://127.0.0.1/"], 2, "wss://127.0.0.1/", "TLS", "use ws://")


@tap.case("options of TLS that do not go together: exit 2")
def _():
    if certificates is None:
        print("# without TLS, which is not built in")
        return
    own, authority = certificates.arguments("server"), certificates.path("client_ca.pem")
    certificate, key = own[:2], own[2:]
    for program in (echo_server, chat):
        expect_line([program, *certificate], 2, "--tls-cert requires --tls-key")
        expect_line([program, *key], 2, "--tls-key requires --tls-cert")
        expect_line([program, *own, *certificate], 2, "each needs one --tls-key")
        expect_line([program, *own, "--tls-client", "require"], 2, "--tls-client requires --tls-client-ca")
        expect_line([program, *own, "--tls-client-ca", authority], 2, "--tls-client-ca requires --tls-client")
        expect_line([program, *own, "--tls-client-ca", authority, "--tls-client", "maybe"], 2, "use request or require")
        expect_line([program, "--tls-key-log", "/dev/null"], 2, "requires --tls-cert")
    expect_line([echo_server, "--unix", "/tmp/unused", *own], 2, "not for --unix", "give --port")
    expect_line([echo_client, "wss://127.0.0.1:1/", *certificate], 2, "--tls-cert requires --tls-key")


@tap.case("certificates, keys, roots and pins that can not be used: one line that names them, exit 1")
def _():
    if certificates is None:
        print("# without TLS, which is not built in")
        return
    own, other_key = certificates.arguments("server"), certificates.path("second.key")
    certificate, key = own[1], own[3]
    missing = certificates.path("missing.pem")
    for program, place in ((echo_server, ["--port", 0]), (chat, ["--port", 0]), (echo_client, ["wss://127.0.0.1:1/"])):
        expect_line([program, *place, "--tls-cert", missing, "--tls-key", key], 1, missing, "can not be read")
        expect_line([program, *place, "--tls-cert", certificate, "--tls-key", missing], 1, missing, "can not be read")
        expect_line([program, *place, "--tls-cert", key, "--tls-key", key], 1, key, "does not begin with a PEM certificate")
        expect_line([program, *place, "--tls-cert", certificate, "--tls-key", other_key], 1, other_key, "does not belong")
    expect_line([echo_server, *own, "--tls-client-ca", key, "--tls-client", "require"], 1, key, "no PEM certificate")
    expect_line([echo_server, *own, "--tls-ocsp", missing], 1, missing, "can not be read")
    expect_line([echo_server, *own, "--tls-key-log", "/nonexistent/log"], 1, "/nonexistent/log", "can not be written")
    for option, value, words in (("--tls-ca", missing, "can not be read"), ("--tls-ca", key, "no PEM certificate"),
                                 ("--tls-pin", "sha256/short", "is no pin"), ("--tls-pin", "md5/" + "A" * 44, "is no pin")):
        expect_line([echo_client, "wss://127.0.0.1:1/", option, value], 1, value, words)


@tap.case("bad URLs: exit 2")
def _():
    for url in ("", "127.0.0.1:9001", "ftp://a/", "ws://", "ws://a:0/", "ws://a:65536/", "ws://a/#b", "ws://a/ b",
                "ws://[::1/"):
        expect_line([echo_client, url], 2, "use ws://")


@tap.case("a port in use: one line, exit 1")
def _():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        for program in (echo_server, chat):
            expect_line([program, "--port", port], 1, f"127.0.0.1:{port}", "in use", "choose another --port")
        result = run_program(embed_custom_loop, port)
        check_equal(result.returncode, 1, "the exit code of embed_custom_loop")
        check("choose another port" in result.stderr, f"stderr: {result.stderr}")


@tap.case("a second server on the port of the first fails; the first lives on")
def _():
    with Program(echo_server, "--port", 0) as first:
        expect_line([echo_server, "--port", first.port], 1, "in use")
        result = run_program(echo_client, first.url, "--count", 2)
        check_equal(result.returncode, 0, f"the exit code of echo_client ({result.stderr})")


@tap.case("a host that is none, an address that is not ours, a socket path that can not be: exit 1")
def _():
    expect_line([echo_server, "--port", 0, "--host", "no.such.host.invalid"], 1, "no.such.host.invalid")
    expect_line([echo_server, "--port", 0, "--host", "192.0.2.1"], 1, "192.0.2.1")
    expect_line([echo_server, "--unix", "/nonexistent/s"], 1, "/nonexistent/s")
    expect_line([echo_server, "--unix", "/tmp/" + "x" * 200], 1, "xxx")


@tap.case("--port 0 prints the real port; --host and IPv6 too")
def _():
    with Program(echo_server, "--port", 0) as server:
        check(server.port > 0, f"the ready line is {server.ready_line}")
    port = free_port()
    with Program(chat, "--port", port) as server:
        check_equal(server.ready_line, f"listening on ws://127.0.0.1:{port}/", "the ready line")
    with socket.socket(socket.AF_INET6) as probe:
        try:
            probe.bind(("::1", 0))
        except OSError:
            return  # a machine without IPv6
    with Program(echo_server, "--port", 0, "--host", "::1") as server:
        check_equal(server.ready_line, f"listening on ws://[::1]:{server.port}/", "the ready line")
        result = run_program(echo_client, server.url, "--count", 2)
        check_equal(result.returncode, 0, f"the exit code of echo_client ({result.stderr})")


@tap.case("an old socket file is replaced")
def _():
    path = socket_path()
    crashed = Program(echo_server, "--unix", path)
    crashed.process.kill()
    crashed.process.wait()
    check(os.path.exists(path), "the socket file is gone already")
    with Program(echo_server, "--unix", path) as server:
        result = run_program(echo_client, server.url, "--count", 2)
        check_equal(result.returncode, 0, f"the exit code of echo_client ({result.stderr})")
    os.rmdir(os.path.dirname(path))


@tap.case("with compression every mode of the server serves every mode of the client")
def _():
    if not compression:
        print("# without compression, which is not built in")
    modes = ("off", "on", "no-context") if compression else ("off",)
    for ours in modes:
        with Program(echo_server, "--port", 0, "--deflate", ours) as server:
            for theirs in modes:
                result = run_program(echo_client, server.url, "--deflate", theirs, "--count", 32)
                check_equal((result.returncode, result.stderr), (0, ""), f"{theirs} to {ours}")


@tap.case("every adapter serves every adapter")
def _():
    if not io_uring:
        print("# without io_uring, which is not to be had here")
    every = ("auto", "epoll", "blocking", "io_uring") if io_uring else ("auto", "epoll", "blocking")
    for ours in every:
        with Program(echo_server, "--port", 0, "--adapter", ours) as server:
            for theirs in every:
                result = run_program(echo_client, server.url, "--adapter", theirs, "--count", 32)
                check_equal((result.returncode, result.stderr), (0, ""), f"{theirs} to {ours}")
                check(result.stdout.startswith("echoed 32 messages (16 text, 16 binary), "), result.stdout)


@tap.case("SIGTERM and SIGINT: exit 0, also with threads and a peer that never answers the Close")
def _():
    for program, number in ((echo_server, signal.SIGTERM), (chat, signal.SIGINT)):
        server = Program(program, "--port", 0, "--threads", 2)
        with socket.create_connection(("127.0.0.1", server.port), timeout=60) as deaf:
            deaf.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                         b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")
            check(deaf.recv(4096).startswith(b"HTTP/1.1 101 "), "no upgrade")
            check_equal(server.stop(number), 0, f"the exit code after signal {number}")
            check_equal(deaf.recv(4096)[:4], b"\x88\x02\x03\xe9", "the Close frame with 1001")
        check_equal("".join(server.stderr), "", "stderr")


@tap.case("the client fails with 1 when the server is killed in the middle")
def _():
    server = Program(echo_server, "--port", 0)
    client = subprocess.Popen([echo_client, server.url, "--count", "100000000"], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True)
    with Program(echo_server, "--port", 0):  # a little time, in which the client echoes
        pass
    server.process.kill()
    _, stderr = client.communicate(timeout=60)
    check_equal(client.returncode, 1, "the exit code")
    check_equal(stderr.count("\n"), 1, f"lines on stderr ({stderr})")
    server.process.wait()


@tap.case("clients that are killed disturb nobody")
def _():
    with Program(echo_server, "--port", 0) as server:
        for _ in range(3):
            client = subprocess.Popen([echo_client, server.url], stdout=subprocess.DEVNULL)
            client.kill()
            client.wait()
        result = run_program(echo_client, server.url, "--count", 2)
        check_equal(result.returncode, 0, f"the exit code of echo_client ({result.stderr})")


sys.exit(tap.run())
