#!/usr/bin/python3
"""websockets_server.py : an echo over python3-websockets on any free port; --help lists the options."""

import argparse
import asyncio
import logging
import ssl

import websockets
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory


async def echo(connection):
    async for message in connection:
        await connection.send(message)


def extensions(options):
    if options.deflate == "off":
        return []
    alone = options.deflate == "no-context"
    return [ServerPerMessageDeflateFactory(server_no_context_takeover=alone, client_no_context_takeover=alone,
                                           server_max_window_bits=options.window_bits,
                                           client_max_window_bits=options.window_bits)]


def tls(options):
    if not options.certificate:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(options.certificate, options.key)
    context.num_tickets = options.tickets
    if options.tls_1_2:
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    return context


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--deflate", choices=["off", "on", "no-context"], default="off")
    parser.add_argument("--window-bits", type=int, default=15)
    parser.add_argument("--certificate", metavar="FILE")
    parser.add_argument("--key", metavar="FILE")
    parser.add_argument("--tickets", type=int, default=2)
    parser.add_argument("--tls-1-2", action="store_true", help="nothing newer")
    options = parser.parse_args()
    # A client that resets its connections is not worth a line here.
    logging.disable(logging.CRITICAL)
    async with websockets.serve(echo, "127.0.0.1", 0, compression=None, extensions=extensions(options),
                                ssl=tls(options), max_size=None, ping_interval=None) as server:
        scheme = "wss" if options.certificate else "ws"
        print(f"listening on {scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}/", flush=True)
        await asyncio.Future()


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except KeyboardInterrupt:
        pass
