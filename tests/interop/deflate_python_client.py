#!/usr/bin/python3
"""deflate_python_client.py ECHO_SERVER ADAPTER : python3-websockets as a client of our echo_server that
compresses."""
import asyncio
import itertools
import sys

from harness import (Program, Tap, check, check_equal, import_websockets, mixed_messages, payload,
                     skip_without_adapter, skip_without_deflate, text)

websockets = import_websockets()
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory
from websockets.frames import Opcode

from echo_cases import connect, expect_echo

echo_server, adapter = sys.argv[1:]
skip_without_adapter(echo_server, adapter)
skip_without_deflate(echo_server)
tap = Tap()


def start(mode, *arguments):
    return Program(echo_server, "--adapter", adapter, "--port", 0, "--deflate", mode, *arguments)


server = start("on")
forgetful = start("no-context")


def connect_with(url=None, **parameters):
    return connect(url or server.url, extensions=[ClientPerMessageDeflateFactory(**parameters)])


def agreed(ws):
    """(server's window, server forgets, client's window, client forgets)."""
    check_equal([extension.name for extension in ws.extensions], ["permessage-deflate"], "the extensions")
    it = ws.extensions[0]
    return (it.remote_max_window_bits, it.remote_no_context_takeover,
            it.local_max_window_bits, it.local_no_context_takeover)


@tap.case("text and binary of 0 B to 1 MiB, with context takeover and without, in each direction")
async def _():
    for forget in itertools.product([False, True], repeat=2):
        parameters = {"server_no_context_takeover": forget[0], "client_no_context_takeover": forget[1]}
        async with connect_with(client_max_window_bits=True, **parameters) as ws:
            check_equal(agreed(ws), (15, forget[0], 12, forget[1]), "what was agreed on")
            for message in mixed_messages():
                await expect_echo(ws, message)


@tap.case("every size of window of the server's messages")
async def _():
    for bits in range(9, 16):
        async with connect_with(server_max_window_bits=bits, client_max_window_bits=None) as ws:
            check_equal(agreed(ws), (bits, False, 15, False), "what was agreed on")
            for message in mixed_messages():
                await expect_echo(ws, message)


@tap.case("every size of window of the client's messages")
async def _():
    for bits in range(9, 16):
        async with connect_with(client_max_window_bits=bits) as ws:
            check_equal(agreed(ws), (15, False, min(bits, 12), False), "what was agreed on")
            for message in mixed_messages():
                await expect_echo(ws, message)


@tap.case("a server that keeps no context says so to everybody")
async def _():
    async with connect_with(forgetful.url, client_max_window_bits=True) as ws:
        check_equal(agreed(ws), (15, True, 12, True), "what was agreed on")
        for message in mixed_messages():
            await expect_echo(ws, message)


@tap.case("a client that does not compress, beside one that does")
async def _():
    async with connect(server.url) as plain, connect_with() as ws:
        check_equal(plain.extensions, [], "the extensions")
        for message in mixed_messages():
            await expect_echo(plain, message)
            await expect_echo(ws, message)


@tap.case("fragmented messages, with pings between the fragments")
async def _():
    for url in (server.url, forgetful.url):
        async with connect_with(url) as ws:
            for _ in range(3):
                for parts in [["a", "b"], ["é", "", "€", "😀"], ["x" * 70000, "y" * 3], [text(100_000)] * 3]:
                    await ws.send(parts)
                    check_equal(await ws.recv(), "".join(parts), "the echo of text in fragments")
                    parts = [part.encode() for part in parts]
                    for number, part in enumerate(parts):
                        opcode = Opcode.CONT if number else Opcode.BINARY
                        await ws.write_frame(number == len(parts) - 1, opcode, part)
                        await asyncio.wait_for(await ws.ping(f"between {number}"), 60)
                    check_equal(await ws.recv(), b"".join(parts), "the echo of binary in fragments")


@tap.case("many messages on the way at once")
async def _():
    async with connect_with() as ws:
        messages = [payload(k * 37 % 5000, k % 7) for k in range(500)]

        async def send_all():
            for message in messages:
                await ws.send(message)
        task = asyncio.create_task(send_all())
        for number, message in enumerate(messages):
            check_equal(await ws.recv(), message, f"echo {number}")
        await task


@tap.case("a message over --max-message once decompressed closes with 1009; others live on")
async def _():
    with start("on", "--max-message", 100_000) as small:
        async with connect_with(small.url) as other:
            for size in (100_001, 50_000_000):
                async with connect_with(small.url) as ws:
                    await expect_echo(ws, b"x" * 100_000)
                    await ws.send(b"x" * size)
                    await ws.wait_closed()
                    check_equal(ws.close_code, 1009, "the close code")
                    await expect_echo(other, text(10_000))


@tap.case("data that is not DEFLATE closes with 1007; others live on")
async def _():
    async with connect_with() as other:
        for data in (b"", b"\x06", b"\xff" * 100, b"\xf2\x48\xcd"):
            async with connect_with() as ws:
                await expect_echo(ws, text(10_000))
                # By hand: masked with zeros, so that it goes out as it is.
                ws.transport.write(bytes([0xC2, 0x80 | len(data), 0, 0, 0, 0]) + data)
                await ws.wait_closed()
                check_equal(ws.close_code, 1007, f"the close code of {data}")
                await expect_echo(other, text(10_000))


@tap.case("after all that the servers still run and stop with 0")
def _():
    for each in (server, forgetful):
        check(each.alive(), f"it ended: {each.stderr}")
        check_equal(each.stop(), 0, "the exit code")
        check_equal("".join(each.stderr), "", "stderr")


sys.exit(tap.run())
