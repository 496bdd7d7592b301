#!/usr/bin/python3
"""raw_http.py CHAT ADAPTER : what a browser and worse clients say to the chat's port before there is a
WebSocket, byte by byte, with nothing but a socket."""
import json
import re
import socket
import sys

from harness import Program, Tap, check, check_equal, skip_without_adapter

chat, adapter = sys.argv[1:]
skip_without_adapter(chat, adapter)
tap = Tap()
server = Program(chat, "--port", 0, "--adapter", adapter)
host = f"127.0.0.1:{server.port}"

# As Chromium sends them; tests replace and remove some.
BROWSER = {
    "Host": host,
    "Connection": "Upgrade",
    "Pragma": "no-cache",
    "Cache-Control": "no-cache",
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0",
    "Upgrade": "websocket",
    "Origin": f"http://{host}",
    "Sec-WebSocket-Version": "13",
    "Accept-Encoding": "gzip, deflate, br, zstd",
    "Accept-Language": "en-US,en;q=0.9",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits",
}


def exchange(data):
    """Sends `data`, reads to the end; returns the whole answer."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(data)
        answer = b""
        while part := connection.recv(65536):
            answer += part
            if answer.startswith(b"HTTP/1.1 101 ") and answer.endswith(b"\r\n\r\n"):
                break  # it goes on, and what was expected was a refusal
        return answer


def request(target="/chat", method="GET", version="HTTP/1.1", **changes):
    headers = BROWSER | {name.replace("_", "-"): value for name, value in changes.items()}
    lines = [f"{name}: {value}\r\n" for name, value in headers.items() if value is not None]
    return (f"{method} {target} {version}\r\n" + "".join(lines) + "\r\n").encode()


def plain(target="/", method="GET"):
    return f"{method} {target} HTTP/1.1\r\nHost: {host}\r\nAccept: */*\r\n\r\n".encode()


def parse(answer):
    """(status, headers, body), after checks that hold for every answer but 101."""
    head, separator, body = answer.partition(b"\r\n\r\n")
    check(separator, f"no whole head in {answer[:200]}")
    lines = head.decode("latin-1").split("\r\n")
    match = re.fullmatch(r"HTTP/1\.1 (\d{3}) [\x20-\x7e]+", lines[0])
    check(match, f"the status line is {lines[0]!r}")
    headers = {}
    for line in lines[1:]:
        name, colon, value = line.partition(": ")
        check(colon, f"the header line is {line!r}")
        check(name.lower() not in headers, f"{name} is there twice")
        headers[name.lower()] = value
    check_equal(headers.get("content-length"), str(len(body)), "Content-Length")
    check("close" in re.split(r", *", headers.get("connection", "")), f"Connection: {headers.get('connection')}")
    return int(match[1]), headers, body


def expect_status(data, wanted):
    status, headers, body = parse(exchange(data))
    check_equal(status, wanted, "the status")
    check(status == 200 or len(body) > 0, "the refusal has no body")
    return headers, body


def expect_upgrade(data):
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(data)
        answer = connection.recv(65536)
        check(answer.startswith(b"HTTP/1.1 101 "), f"the answer is {answer[:100]}")
        check(b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" in answer, "the accept key")
        return answer


@tap.case("the page and its files")
def _():
    for target, kind, word in [("/", "text/html; charset=utf-8", b"<title>sansock chat</title>"),
                               ("/page.css", "text/css; charset=utf-8", b"color-scheme"),
                               ("/page.js", "text/javascript; charset=utf-8", b"'use strict'"),
                               ("/connection.js", "text/javascript; charset=utf-8", b"class ChatConnection")]:
        headers, body = expect_status(plain(target), 200)
        check_equal(headers.get("content-type"), kind, f"the type of {target}")
        check(word in body, f"{target} is not what it should be")
        check("default-src 'none'" in headers.get("content-security-policy", ""), "no content policy")
    headers, _ = expect_status(plain("/?from=a-link"), 200)


@tap.case("the health check")
def _():
    headers, body = expect_status(plain("/healthz"), 200)
    check_equal(headers.get("content-type"), "application/json", "the type")
    check_equal(json.loads(body)["status"], "ok", "the status")


@tap.case("a browser's upgrade request, whole and byte by byte")
def _():
    answer = expect_upgrade(request())
    check(b"Sec-WebSocket-Extensions" not in answer, "an extension was accepted")
    expect_upgrade(request("/"))
    expect_upgrade(request("/chat?room=lobby"))
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in request():
            connection.sendall(bytes([byte]))
        check(connection.recv(65536).startswith(b"HTTP/1.1 101 "), "cut into bytes it is refused")


@tap.case("Connection and Upgrade are case-insensitive lists")
def _():
    expect_upgrade(request(Connection="keep-alive, Upgrade", Upgrade="WebSocket"))
    expect_upgrade(request(Connection="UPGRADE,,keep-alive", Upgrade="h2c, websocket"))
    expect_status(request(Connection="notupgrade"), 400)
    expect_status(request(Connection=None), 400)


@tap.case("404 for a path that is not served, with and without upgrade")
def _():
    expect_status(request("/nowhere"), 404)
    expect_status(plain("/nowhere"), 404)
    expect_status(request("/chat/"), 404)


@tap.case("426 for a plain request at a WebSocket's path, and for another version")
def _():
    headers, _ = expect_status(plain("/chat"), 426)
    check_equal(headers.get("upgrade"), "websocket", "Upgrade")
    for version in ("7", "14", "0xd", "12"):
        headers, _ = expect_status(request(Sec_WebSocket_Version=version), 426)
        check_equal(headers.get("sec-websocket-version"), "13, 8", "Sec-WebSocket-Version")


@tap.case("405 for another method")
def _():
    for method in ("POST", "PUT", "OPTIONS", "DELETE"):
        headers, _ = expect_status(request(method=method), 405)
        check_equal(headers.get("allow"), "GET", "Allow")
        expect_status(plain("/", method), 405)


@tap.case("403 for an Origin that is not this host")
def _():
    for origin in ("https://evil.example", "null", f"http://{host}.evil.example", f"https://{host}",
                   "http://127.0.0.1:1", f"http://evil-{host}"):
        expect_status(request(Origin=origin), 403)
    expect_upgrade(request(Origin=None))  # not a browser
    expect_upgrade(request(Origin=f"HTTP://{host}"))
    expect_upgrade(request("/", Origin="https://elsewhere.example"))  # the echo is for everybody


@tap.case("431 for a head that is too large, in one line, in many lines")
def _():
    expect_status(request(X_Large="x" * 10_000), 431)
    lines = "".join(f"X-{i}: y\r\n" for i in range(1000))
    expect_status(request().replace(b"\r\n\r\n", b"\r\n" + lines.encode() + b"\r\n"), 431)
    expect_status(plain("/" + "x" * 9000), 431)
    expect_status(b"x" * (1 << 20), 431)


@tap.case("400 for what is not HTTP/1.1 or not an opening handshake")
def _():
    wrong = [
        b"\r\n\r\n",
        b"hello\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\r\n\r\n",  # TLS
        request().replace(b"\r\n", b"\n"),
        request(X_Fold="a\r\n b"),
        request(X_Null="a\0b"),
        request(version="HTTP/1.0"),
        request(version="HTTP/2.0"),
        request(target="http://127.0.0.1/chat"),
        request(target="*"),
        request(Host=None),
        request(Host="a b"),
        request().replace(b"Host:", b"Host: other.example\r\nHost:"),
        request(Content_Length="5"),
        request(Transfer_Encoding="chunked"),
        request(Sec_WebSocket_Key=None),
        request(Sec_WebSocket_Key="dGhlIHNhbXBsZSBub25jZQ"),
        request(Sec_WebSocket_Key="dGhlIHNhbXBsZSBub25jZR=="),
        request(Sec_WebSocket_Key="dGhlIHNhbXBsZSBub25jZQ==AA=="),
        request().replace(b"Sec-WebSocket-Key:", b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Key:"),
        request(Sec_WebSocket_Version=None),
        request(Sec_WebSocket_Protocol="a, a"),
        request(Sec_WebSocket_Protocol="a b"),
        request(Sec_WebSocket_Extensions='a; b="c'),
    ]
    for data in wrong:
        try:
            expect_status(data, 400)
        except Exception as error:
            raise type(error)(f"{data[:300]}: {error}") from error


@tap.case("what follows a refused request is thrown away")
def _():
    answer = exchange(request("/nowhere") + plain("/healthz") + b"\x81\x80\0\0\0\0" * 1000)
    check_equal(answer.count(b"HTTP/1.1 "), 1, "answers")


@tap.case("frames in the same segment as the request are served")
def _():
    key = b"\0\0\0\0"
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(request("/") + b"\x82\x85" + key + b"early" + b"\x88\x80" + key)
        answer = b""
        while part := connection.recv(65536):
            answer += part
    check(answer.endswith(b"\x82\x05early\x88\x00"), f"the answer ends with {answer[-20:]}")


@tap.case("a client that leaves in the middle of its head disturbs nobody")
def _():
    for size in (0, 1, 20, 200):
        with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
            connection.sendall(request()[:size])
    expect_status(plain("/healthz"), 200)


@tap.case("after all that the server still runs and stops with 0")
def _():
    check(server.alive(), f"it ended: {server.stderr}")
    check_equal(server.stop(), 0, "the exit code")
    check_equal("".join(server.stderr), "", "stderr")


sys.exit(tap.run())
