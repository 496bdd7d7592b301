#!/usr/bin/python3
"""Debian's python3-websockets as an echo peer of the conformance cases.

usage: websockets_peer.py --listen PORT [--deflate]
       websockets_peer.py [--deflate] [--agent NAME] --connect ws://HOST:PORT/

With --listen it is a server, which prints `listening on ws://127.0.0.1:PORT/`. With --connect it is a
client that runs all cases of a fuzzing server.
"""

import argparse
import asyncio
import logging
import signal
import sys
import urllib.parse

import websockets

# Connections that end badly are what the cases are about.
logging.getLogger("websockets").setLevel(logging.CRITICAL)


def connection_options(deflate):
    return {"compression": "deflate" if deflate else None, "max_size": None, "ping_interval": None}


async def echo(connection):
    try:
        async for message in connection:
            await connection.send(message)
    except websockets.ConnectionClosed:
        pass


async def serve(port, deflate):
    stopped = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set_result, None)
    async with websockets.serve(echo, "127.0.0.1", port, **connection_options(deflate)) as server:
        print(f"listening on ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/", flush=True)
        await stopped


async def run_case(url, deflate):
    try:
        async with websockets.connect(url, **connection_options(deflate)) as connection:
            await echo(connection)
    except (websockets.WebSocketException, EOFError) as error:
        print(f"{url}: {error}", file=sys.stderr)


async def drive(url, agent, deflate):
    base = url.rstrip("/")
    agent = urllib.parse.quote(agent, safe="")
    async with websockets.connect(f"{base}/getCaseCount", compression=None) as connection:
        count = int(await connection.recv())
    for number in range(1, count + 1):
        await run_case(f"{base}/runCase?case={number}&agent={agent}", deflate)
    async with websockets.connect(f"{base}/updateReports?agent={agent}", compression=None) as connection:
        await connection.wait_closed()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    role = parser.add_mutually_exclusive_group(required=True)
    role.add_argument("--listen", type=int, metavar="PORT")
    role.add_argument("--connect", metavar="URL")
    parser.add_argument("--agent", default="python_websockets_client")
    parser.add_argument("--deflate", action="store_true")
    options = parser.parse_args()
    if options.connect:
        asyncio.run(drive(options.connect, options.agent, options.deflate))
    else:
        asyncio.run(serve(options.listen, options.deflate))


if __name__ == "__main__":
    main()
