"""Cases that every echo server must pass, with python3-websockets as the client."""
import asyncio

import websockets
from websockets.frames import Opcode

from harness import SIZES, check, check_equal, payload, shorten, text


tls_context = None  # for wss:// URLs


def connect(url, **options):
    options.setdefault("compression", None)
    if url.startswith("wss:"):
        options.setdefault("ssl", tls_context)
    return websockets.connect(url, max_size=None, ping_interval=None, open_timeout=60, close_timeout=60,
                              **options)


async def expect_echo(ws, message):
    await ws.send(message)
    echo = await ws.recv()
    check(type(echo) is type(message), f"the echo is a {type(echo).__name__}")
    check(echo == message, f"the echo differs: {shorten(echo)}")


def add_cases(tap, url_of):
    """`url_of()` gives the server's URL when the cases run."""
    add_message_cases(tap, url_of)
    add_control_cases(tap, url_of)
    add_company_cases(tap, url_of)


def add_message_cases(tap, url_of):
    @tap.case("binary messages of 0 B to 16 MiB")
    async def _():
        async with connect(url_of()) as ws:
            for size in SIZES:
                await expect_echo(ws, payload(size, size))

    @tap.case("text messages of 0 B to 16 MiB")
    async def _():
        async with connect(url_of()) as ws:
            for size in SIZES:
                await expect_echo(ws, text(size))

    @tap.case("fragmented messages, with characters cut by nothing but fragments")
    async def _():
        async with connect(url_of()) as ws:
            for parts in [["a", "b"], ["é", "", "€", "😀"], ["x" * 70000, "y" * 3]]:
                await ws.send(parts)
                check_equal(await ws.recv(), "".join(parts), "the echo of text in fragments")
            parts = [payload(size, size) for size in (1, 0, 125, 126, 65536, 1 << 20)]
            await ws.send(parts)
            check_equal(await ws.recv(), b"".join(parts), "the echo of binary in fragments")


def add_control_cases(tap, url_of):
    @tap.case("pings of 0 to 125 bytes are answered with their payload, also inside a message")
    async def _():
        async with connect(url_of()) as ws:
            for size in (0, 1, 124, 125):
                await asyncio.wait_for(await ws.ping(payload(size, size)), 60)
            await ws.write_frame(False, Opcode.BINARY, b"first")
            await asyncio.wait_for(await ws.ping(b"between"), 60)
            await ws.write_frame(True, Opcode.CONT, b" second")
            check_equal(await ws.recv(), b"first second", "the message around the ping")

    @tap.case("an unsolicited pong is ignored")
    async def _():
        async with connect(url_of()) as ws:
            await ws.pong(b"nobody asked")
            await expect_echo(ws, "still here")

    @tap.case("our close code and reason come back")
    async def _():
        for code, reason in [(1000, ""), (1000, "done"), (1001, "é€😀"), (3000, "x" * 123), (4999, "")]:
            async with connect(url_of()) as ws:
                await expect_echo(ws, "hello")
                await ws.close(code, reason)
                check_equal(ws.close_code, code, "the close code")


def add_company_cases(tap, url_of):
    @tap.case("50 connections at once, 20 messages each way, all whole")
    async def _():
        async def one(number):
            async with connect(url_of()) as ws:
                for i in range(20):
                    await expect_echo(ws, payload(i * 997, number * 31 + i))
        await asyncio.gather(*(one(number) for number in range(50)))

    @tap.case("permessage-deflate is offered and declined")
    async def _():
        async with connect(url_of(), compression="deflate") as ws:
            check_equal(ws.extensions, [], "the extensions")
            await expect_echo(ws, "plain " * 1000)

    @tap.case("bad UTF-8 closes with 1007, a reserved opcode with 1002; other connections live on")
    async def _():
        async with connect(url_of()) as other:
            async with connect(url_of()) as ws:
                await ws.write_frame(True, Opcode.TEXT, b"\xc3\x28")
                await ws.wait_closed()
                check_equal(ws.close_code, 1007, "the close code")
            async with connect(url_of()) as ws:
                # By hand: the peer's library does not send what is not allowed.
                ws.transport.write(bytes([0x83, 0x80, 1, 2, 3, 4]))
                await ws.wait_closed()
                check_equal(ws.close_code, 1002, "the close code")
            await expect_echo(other, "still here")
