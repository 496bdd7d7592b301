#!/usr/bin/python3
"""python_client.py ECHO_SERVER ADAPTER [MAKE_CERTIFICATES] : python3-websockets as the client of our
echo_server, over TLS if certificates can be made."""
import asyncio
import os
import signal
import sys

from harness import Program, Tap, check, check_equal, import_websockets, skip_without_adapter, socket_path

websockets = import_websockets()
import echo_cases
from echo_cases import connect, expect_echo
from tls import make_certificates_or_skip

echo_server, adapter = sys.argv[1:3]
skip_without_adapter(echo_server, adapter)
certificates = make_certificates_or_skip(sys.argv[3]) if len(sys.argv) > 3 else None
if certificates:
    echo_cases.tls_context = certificates.client_context()
tap = Tap()


def start(*arguments):
    tls = certificates.arguments("server") if certificates else []
    return Program(echo_server, "--adapter", adapter, *tls, *arguments)


def open_stream(to):
    return asyncio.open_connection("127.0.0.1", to.port, ssl=echo_cases.tls_context)


server = start("--port", 0)
echo_cases.add_cases(tap, lambda: server.url)


@tap.case("every path is served")
async def _():
    for path in ("", "a/b/c?query=1", "%20"):
        async with connect(server.url + path) as ws:
            await expect_echo(ws, path)


@tap.case("pages of every site may connect")
async def _():
    async with connect(server.url, origin="https://elsewhere.example") as ws:
        await expect_echo(ws, "hello")


@tap.case("a plain GET gets 426")
async def _():
    reader, writer = await open_stream(server)
    writer.write(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    answer = await asyncio.wait_for(reader.read(), 60)
    writer.close()
    check(answer.startswith(b"HTTP/1.1 426 "), f"the answer is {answer[:80]}")


@tap.case("the first offered subprotocol that the server has is selected")
async def _():
    with start("--port", 0, "--subprotocol", "b", "--subprotocol", "c") as chooser:
        async with connect(chooser.url, subprotocols=["a", "c", "b"]) as ws:
            check_equal(ws.subprotocol, "c", "the subprotocol")
        async with connect(chooser.url, subprotocols=["a"]) as ws:
            check_equal(ws.subprotocol, None, "the subprotocol")


@tap.case("a message over --max-message closes with 1009; one of that size passes")
async def _():
    with start("--port", 0, "--max-message", 1000) as small:
        async with connect(small.url) as other, connect(small.url) as ws:
            await expect_echo(ws, b"x" * 1000)
            await ws.send(b"x" * 1001)
            await ws.wait_closed()
            check_equal(ws.close_code, 1009, "the close code")
            await expect_echo(other, "still here")
        async with connect(small.url) as ws:
            try:
                await ws.send([b"x" * 999, b"x", b"x"])
            except websockets.ConnectionClosed:
                pass  # the close may be faster than the last fragment
            await ws.wait_closed()
            check_equal(ws.close_code, 1009, "the close code of one in fragments")


@tap.case("a Unix socket serves too, and its file goes away")
async def _():
    path = socket_path()
    with Program(echo_server, "--adapter", adapter, "--unix", path) as at_path:
        check_equal(at_path.url, f"ws+unix:{path}:/", "the ready line")
        async with websockets.unix_connect(path, "ws://localhost/", compression=None, max_size=None) as ws:
            await expect_echo(ws, b"x" * 1_000_000)
    check(not os.path.exists(path), "the socket file is still there")
    os.rmdir(os.path.dirname(path))


@tap.case("several threads share the port")
async def _():
    with start("--port", 0, "--threads", 2) as shared:
        connections = [await connect(shared.url) for _ in range(20)]
        for number, ws in enumerate(connections):
            await expect_echo(ws, f"connection {number}")
        for ws in connections:
            await ws.close()


@tap.case("SIGTERM and SIGINT close everybody with 1001; the exit code is 0")
async def _():
    for number in (signal.SIGTERM, signal.SIGINT):
        stopped = start("--port", 0)
        connections = [await connect(stopped.url) for _ in range(5)]
        await expect_echo(connections[0], "hello")
        code = asyncio.create_task(asyncio.to_thread(stopped.stop, number))
        for ws in connections:
            await ws.wait_closed()
            check_equal(ws.close_code, 1001, "the close code")
        check_equal(await code, 0, "the exit code")


@tap.case("a peer that sends and never reads is not read from; others live on; it all arrives later")
async def _():
    size, count = 1 << 20, 40
    async with connect(server.url) as other:
        reader, writer = await open_stream(server)
        writer.write(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                     b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
        # A zero key, so that what goes out is what comes back.
        frame = b"\x82\xff" + size.to_bytes(8, "big") + bytes(4) + b"z" * size
        sent = 0

        async def send_all():
            nonlocal sent
            for _ in range(count):
                writer.write(frame)
                await writer.drain()
                sent += 1
        task = asyncio.create_task(send_all())
        # asyncio's reader stops reading its socket when it holds 128 KiB, so the server's output stalls.
        for _ in range(20):
            await expect_echo(other, b"x" * 1000)
        received = 0
        while received < size * count:
            _, length = await reader.readexactly(2)
            if length >= 126:
                length = int.from_bytes(await reader.readexactly(2 if length == 126 else 8), "big")
            check_equal((await reader.readexactly(length)).strip(b"z"), b"", "the echoed payload")
            received += length
        await task
        check_equal(received, size * count, "echoed bytes")
        writer.close()


@tap.case("after all that the server still runs and stops with 0")
def _():
    check(server.alive(), f"it ended: {server.stderr}")
    check_equal(server.stop(), 0, "the exit code")
    check_equal("".join(server.stderr), "", "stderr")


sys.exit(tap.run())
