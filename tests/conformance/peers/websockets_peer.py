#!/usr/bin/python3
"""Debian's python3-websockets as an echo peer of the conformance cases.

usage: websockets_peer.py --listen PORT [--deflate] [--tls-cert FILE --tls-key FILE]
       websockets_peer.py [--deflate] [--tls-ca FILE] [--agent NAME] --connect ws[s]://HOST:PORT/

With --listen it is a server, which prints `listening on ws://127.0.0.1:PORT/`, or wss:// if it has a
certificate. With --connect it is a client that runs all cases of a fuzzing server.
"""

import argparse
import asyncio
import logging
import signal
import ssl
import sys
import urllib.parse

import websockets

# Connections that end badly are what the cases are about.
logging.getLogger("websockets").setLevel(logging.CRITICAL)


def connection_options(deflate):
    return {"compression": "deflate" if deflate else None, "max_size": None, "ping_interval": None}


def limit_version(tls, version):
    if version:
        tls.minimum_version = tls.maximum_version = getattr(ssl.TLSVersion, f"TLSv{version.replace('.', '_')}")


async def echo(connection):
    try:
        async for message in connection:
            await connection.send(message)
    except websockets.ConnectionClosed:
        pass


async def serve(options):
    stopped = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set_result, None)
    tls = None
    if options.tls_cert:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(options.tls_cert, options.tls_key)
        limit_version(tls, options.tls_version)
    async with websockets.serve(echo, "127.0.0.1", options.listen, ssl=tls, **connection_options(options.deflate)) as server:
        scheme = "wss" if tls else "ws"
        print(f"listening on {scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}/", flush=True)
        await stopped


async def run_case(url, deflate, tls):
    try:
        async with websockets.connect(url, **tls, **connection_options(deflate)) as connection:
            await echo(connection)
    except (websockets.WebSocketException, EOFError) as error:
        print(f"{url}: {error}", file=sys.stderr)


async def drive(options):
    base = options.connect.rstrip("/")
    agent = urllib.parse.quote(options.agent, safe="")
    tls = {}
    if base.startswith("wss://"):
        tls["ssl"] = ssl.create_default_context(cafile=options.tls_ca)
        limit_version(tls["ssl"], options.tls_version)
    async with websockets.connect(f"{base}/getCaseCount", compression=None, **tls) as connection:
        count = int(await connection.recv())
    for number in range(1, count + 1):
        await run_case(f"{base}/runCase?case={number}&agent={agent}", options.deflate, tls)
    async with websockets.connect(f"{base}/updateReports?agent={agent}", compression=None, **tls) as connection:
        await connection.wait_closed()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    role = parser.add_mutually_exclusive_group(required=True)
    role.add_argument("--listen", type=int, metavar="PORT")
    role.add_argument("--connect", metavar="URL")
    parser.add_argument("--agent", default="python_websockets_client")
    parser.add_argument("--deflate", action="store_true")
    parser.add_argument("--tls-cert", metavar="FILE")
    parser.add_argument("--tls-key", metavar="FILE")
    parser.add_argument("--tls-ca", metavar="FILE")
    parser.add_argument("--tls-version", choices=("1.2", "1.3"))
    options = parser.parse_args()
    asyncio.run(drive(options) if options.connect else serve(options))


if __name__ == "__main__":
    main()
