#!/usr/bin/python3
"""python_server.py ECHO_CLIENT ADAPTER [MAKE_CERTIFICATES] : python3-websockets as the server of our
echo_client, over TLS if certificates can be made."""
import asyncio
import http
import os
import sys
import urllib.parse

import harness
from harness import (SIZES, Tap, check, check_echoed, check_equal, echo, import_websockets,
                     run_program_async, skip_without_adapter, socket_path)

from tls import make_certificates_or_skip

websockets = import_websockets()
echo_client, adapter = sys.argv[1:3]
skip_without_adapter(echo_client, adapter)
certificates = make_certificates_or_skip(sys.argv[3]) if len(sys.argv) > 3 else None
context = certificates.server_context() if certificates else None
tap = Tap()


def served(handler, **options):
    return harness.Served(handler, ssl=context, **options)


async def run_client(*arguments):
    trust = certificates.trust() if certificates else []
    return await run_program_async(echo_client, *arguments, *trust, "--adapter", adapter)


def check_failure(result, *words):
    check_equal(result.returncode, 1, f"the exit code ({result.stdout}{result.stderr})")
    check_equal(result.stderr.count("\n"), 1, f"lines on stderr ({result.stderr})")
    for word in words:
        check(word in result.stderr, f"'{word}' is not in: {result.stderr}")


@tap.case("text and binary of 0 B to 16 MiB")
async def _():
    async with served(echo) as url:
        sizes = ",".join(map(str, SIZES))
        check_echoed(await run_client(url, "--count", 2 * len(SIZES), "--sizes", sizes), 2 * len(SIZES))


@tap.case("200 messages of the usual sizes, with compression offered by nobody")
async def _():
    async with served(echo) as url:
        check_echoed(await run_client(url, "--count", 200), 200)


@tap.case("echoes in fragments, with pings between them")
async def _():
    pongs = []

    async def handler(ws):
        async for message in ws:
            pongs.append(await ws.ping(f"ping {len(pongs)}".encode()))
            third = len(message) // 3
            await ws.send([message[:third], message[third:2 * third], message[2 * third:]])
            await asyncio.wait_for(pongs[-1], 60)
    async with served(handler) as url:
        check_echoed(await run_client(url, "--count", 16), 16)
        check_equal(len(pongs), 16, "pings sent")


@tap.case("the client closes with 1000 and the handshake completes")
async def _():
    codes = []

    async def handler(ws):
        await echo(ws)
        codes.append((ws.close_code, ws.close_reason))
    async with served(handler) as url:
        check_echoed(await run_client(url, "--count", 2), 2)
    check_equal(codes, [(1000, "")], "the close code and reason")


@tap.case("the server's close code and reason are reported")
async def _():
    for code, reason in [(1000, "done"), (1001, ""), (3000, "é€😀"), (4999, "x" * 123)]:
        async def handler(ws):
            await ws.recv()
            await ws.close(code, reason)
        async with served(handler) as url:
            check_failure(await run_client(url, "--count", 2), str(code), reason)


@tap.case("a wrong echo is found")
async def _():
    async def handler(ws):
        async for message in ws:
            await ws.send(message[:-1] if len(message) > 100 else message)
    async with served(handler) as url:
        check_failure(await run_client(url, "--count", 10), "message 6 of 10", "the echo has 124 bytes")


@tap.case("an echo of the other type is found")
async def _():
    async def handler(ws):
        async for message in ws:
            await ws.send(message.encode() if isinstance(message, str) else message)
    async with served(handler) as url:
        check_failure(await run_client(url, "--count", 10), "message 1 of 10", "other type")


@tap.case("no echo at all is found by the timeout")
async def _():
    async def handler(ws):
        await ws.wait_closed()
    async with served(handler) as url:
        check_failure(await run_client(url, "--count", 1, "--timeout", 0.3), "no answer in time")


@tap.case("subprotocols are offered and the selected one is accepted")
async def _():
    seen = []

    async def handler(ws):
        seen.append(ws.subprotocol)
        await echo(ws)
    async with served(handler, subprotocols=["two", "three"]) as url:
        check_echoed(await run_client(url, "--count", 2, "--subprotocol", "one", "--subprotocol", "two"), 2)
        check_echoed(await run_client(url, "--count", 2, "--subprotocol", "one"), 2)
    check_equal(seen, ["two", None], "the subprotocols")


@tap.case("the Origin is sent, and its refusal with 403 reported")
async def _():
    async with served(echo, origins=["https://good.example"]) as url:
        check_echoed(await run_client(url, "--count", 2, "--origin", "https://good.example"), 2)
        check_failure(await run_client(url, "--origin", "https://evil.example"), "403")


@tap.case("credentials of the URL are sent; 401 is reported")
async def _():
    create = websockets.basic_auth_protocol_factory(realm="test", credentials=("ada", "p w:d"))
    async with served(echo, create_protocol=create) as url:
        scheme, host = url.split("//")
        check_echoed(await run_client(f"{scheme}//ada:p%20w%3Ad@{host}/", "--count", 2), 2)
        check_failure(await run_client(f"{scheme}//ada:wrong@{host}/"), "401")
        check_failure(await run_client(url), "401")


@tap.case("404 and its body are reported")
async def _():
    async def refuse(path, headers):
        return http.HTTPStatus.NOT_FOUND, [("Content-Type", "text/plain")], b"nothing here\nsecond line\n"
    async with served(echo, process_request=refuse) as url:
        check_failure(await run_client(url), "404", "nothing here")


@tap.case("a server that is not there is reported")
async def _():
    async with served(echo) as url:
        pass
    check_failure(await run_client(url), "can not connect", url)


@tap.case("a Unix socket")
async def _():
    path = socket_path()
    seen = []

    async def handler(ws):
        seen.append(ws.path)
        await echo(ws)
    server = await websockets.unix_serve(handler, path, max_size=None)
    check_echoed(await run_client(f"ws+unix:{path}:/some/where?x=1", "--count", 16), 16)
    server.close()
    await server.wait_closed()
    check_equal(seen, ["/some/where?x=1"], "the path")
    os.unlink(path)
    os.rmdir(os.path.dirname(path))


@tap.case("--autobahn runs every case of a fuzzing server, and a broken one ends no run")
async def _():
    seen = []

    async def handler(ws):
        seen.append(ws.path)
        path = urllib.parse.urlsplit(ws.path)
        query = urllib.parse.parse_qs(path.query)
        if path.path == "/getCaseCount":
            await ws.send("3")
        elif path.path == "/runCase" and query["case"] == ["1"]:
            await ws.send("case one")
            check_equal(await ws.recv(), "case one", "the echo")
        elif path.path == "/runCase" and query["case"] == ["2"]:
            ws.transport.write(b"\x83\x00")  # a reserved opcode
            await ws.wait_closed()
            check_equal(ws.close_code, 1002, "the close code")
        elif path.path == "/runCase":
            await ws.send(b"z" * (1 << 20))
            check_equal(await ws.recv(), b"z" * (1 << 20), "the echo")
        seen.append("done")
    async with served(handler) as url:
        result = await run_client(url + "/", "--autobahn", "a gent/1")
    check_equal((result.returncode, result.stdout),
                (0, "ran 3 cases as a gent/1; the reports are the server's\n"), "the result")
    agent = "agent=a%20gent%2F1"
    paths = ["/getCaseCount", *(f"/runCase?case={n}&{agent}" for n in (1, 2, 3)), f"/updateReports?{agent}"]
    check_equal(seen, [entry for path in paths for entry in (path, "done")], "the requests")


@tap.case("--autobahn against a server that is none says so")
async def _():
    async def handler(ws):
        await ws.send("not a number")
    async with served(handler) as url:
        check_failure(await run_client(url, "--autobahn", "a"), "fuzzing server")


sys.exit(tap.run())
