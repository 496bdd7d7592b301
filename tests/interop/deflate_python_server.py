#!/usr/bin/python3
"""deflate_python_server.py ECHO_CLIENT ADAPTER : python3-websockets as a server that compresses, with our
echo_client."""
import asyncio
import itertools
import sys

import harness
from harness import (Tap, check_echoed, check_equal, echo, import_websockets, run_program_async,
                     skip_without_adapter, skip_without_deflate)

import_websockets()
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory

echo_client, adapter = sys.argv[1:]
skip_without_adapter(echo_client, adapter)
skip_without_deflate(echo_client)
tap = Tap()
SIZES = [0, 1, 63, 64, 125, 126, 1000, 5000, 65535, 65536, 1 << 20]


class Served(harness.Served):
    """The same with compression: `async with Served(handler, parameters…) as it`. `it.agreed` has, of each
    connection, (server's window, server forgets, client's window, client forgets), or None."""

    def __init__(self, handler, **parameters):
        super().__init__(self.handle, compression=None, extensions=[ServerPerMessageDeflateFactory(**parameters)])
        self.handle_agreed = handler
        self.agreed = []

    async def handle(self, ws):
        it = ws.extensions[0] if ws.extensions else None
        self.agreed.append(it and (it.local_max_window_bits, it.local_no_context_takeover,
                                   it.remote_max_window_bits, it.remote_no_context_takeover))
        await self.handle_agreed(ws)

    async def __aenter__(self):
        self.url = await super().__aenter__()
        return self


async def expect_echoes(served, *options, count=3 * 2 * len(SIZES)):
    result = await run_program_async(echo_client, served.url, "--count", count, "--sizes",
                                     ",".join(map(str, SIZES)), "--adapter", adapter, *options)
    check_echoed(result, count)


@tap.case("0 B to 1 MiB, with context takeover and without, in each direction")
async def _():
    for forget in itertools.product([False, True], repeat=2):
        async with Served(echo, server_no_context_takeover=forget[0],
                          client_no_context_takeover=forget[1]) as served:
            await expect_echoes(served, "--deflate", "on")
        check_equal(served.agreed, [(15, forget[0], 15, forget[1])], "what was agreed on")


@tap.case("a client that wants no context is given none")
async def _():
    async with Served(echo) as served:
        await expect_echoes(served, "--deflate", "no-context")
    check_equal(served.agreed, [(15, True, 15, True)], "what was agreed on")


@tap.case("every size of window, in each direction")
async def _():
    for bits in range(9, 16):
        async with Served(echo, server_max_window_bits=bits) as served:
            await expect_echoes(served, "--deflate", "on")
        check_equal(served.agreed, [(bits, False, 15, False)], "what was agreed on")
        async with Served(echo, client_max_window_bits=bits) as served:
            await expect_echoes(served, "--deflate", "on")
        check_equal(served.agreed, [(15, False, bits, False)], "what was agreed on")


@tap.case("without --deflate nothing is offered")
async def _():
    async with Served(echo) as served:
        await expect_echoes(served)
    check_equal(served.agreed, [None], "what was agreed on")


@tap.case("echoes in fragments, with pings between them")
async def _():
    async def handler(ws):
        async for message in ws:
            pong = await ws.ping()
            third = len(message) // 3
            await ws.send([message[:third], message[third:2 * third], message[2 * third:]])
            await asyncio.wait_for(pong, 60)
    for mode in ("on", "no-context"):
        async with Served(handler) as served:
            await expect_echoes(served, "--deflate", mode)


@tap.case("data that is not DEFLATE is reported")
async def _():
    async def handler(ws):
        await ws.recv()
        ws.transport.write(b"\xc1\x03\xff\xff\xff")
        await ws.wait_closed()
        check_equal(ws.close_code, 1007, "the close code")
        codes.append(ws.close_code)
    codes = []
    async with Served(handler) as served:
        result = await run_program_async(echo_client, served.url, "--count", 1, "--deflate", "on", "--adapter",
                                         adapter)
        check_equal(result.returncode, 1, "the exit code")
        check_equal(result.stderr.count("\n"), 1, f"lines on stderr ({result.stderr})")
    check_equal(codes, [1007], "the close codes")


sys.exit(tap.run())
