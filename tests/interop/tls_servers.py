#!/usr/bin/python3
"""tls_servers.py ECHO_CLIENT ADAPTER MAKE_CERTIFICATES : servers of OpenSSL, through Python and `openssl
s_server`, that our echo_client has to refuse, or not: the error names the cause, and nothing of the request
was sent to whoever is refused."""
import shutil
import ssl
import subprocess
import sys

from harness import (START_TIMEOUT_S, Served, Tap, check, check_echoed, check_equal, echo, free_port,
                     import_websockets, run_program, run_program_async, skip_without_adapter)
from tls import Listener, make_certificates_or_skip, only

import_websockets()
echo_client, adapter, make_certificates = sys.argv[1:]
skip_without_adapter(echo_client, adapter)
certificates = make_certificates_or_skip(make_certificates)
tap = Tap()
VERSIONS = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)

UNTRUSTED = "self-signed, or comes from an authority that is not trusted"
REFUSED = "did not accept our certificate, or requires one"
# What is wrong with a certificate, and how the error has to say it.
BAD_CERTIFICATES = {
    "expired": "has expired",
    "future": "is not valid yet",
    "self_signed": UNTRUSTED,
    "untrusted": UNTRUSTED,
    "chain_without": UNTRUSTED,
    "wrong_host": "is for other names or addresses",
    "wrong_purpose": "can not be used for this",
}


def run_client(*arguments):
    return run_program(echo_client, *arguments, "--adapter", adapter)


async def run_client_async(*arguments):
    return await run_program_async(echo_client, *arguments, "--adapter", adapter)


def check_failure(result, *words):
    check_equal(result.returncode, 1, f"the exit code ({result.stdout}{result.stderr})")
    check_equal(result.stdout, "", "stdout")
    check_equal(result.stderr.count("\n"), 1, f"lines on stderr ({result.stderr})")
    check(result.stderr.startswith("echo_client: can not connect to wss://"), f"stderr: {result.stderr}")
    for word in words:
        check(word in result.stderr, f"'{word}' is not in: {result.stderr}")


def expect_refusal(context, words, *options):
    """The client refuses a server with this context, and tells it so by an alert before its request."""
    with Listener(context) as listener:
        result = run_client(listener.url, *(options or certificates.trust()))
    check_failure(result, words)
    check_equal(listener.received, b"", "what the server got inside TLS")
    return listener


@tap.case("bad certificates: the error names the cause, the server gets an alert and no request")
def _():
    for version in VERSIONS:
        for name, words in BAD_CERTIFICATES.items():
            listener = expect_refusal(only(certificates.server_context(name), version), words)
            check("alert" in listener.problem, f"{name}: the server was told {listener.problem!r}")


@tap.case("with --insecure all of them serve")
async def _():
    for name in BAD_CERTIFICATES:
        async with Served(echo, ssl=certificates.server_context(name)) as url:
            check_echoed(await run_client_async(url, "--insecure", "--count", 2), 2)


@tap.case("good certificates of every kind, under TLS 1.2 and 1.3")
async def _():
    for version in VERSIONS:
        for name in ("server", "chain", "rsa", "ed25519"):
            async with Served(echo, ssl=only(certificates.server_context(name), version)) as url:
                check_echoed(await run_client_async(url, *certificates.trust(), "--count", 2), 2)


@tap.case("TLS 1.2 with each of its cipher suites")
async def _():
    for name, kind in (("server", "ECDSA"), ("rsa", "RSA")):
        for cipher in ("AES128-GCM-SHA256", "AES256-GCM-SHA384", "CHACHA20-POLY1305"):
            context = only(certificates.server_context(name), ssl.TLSVersion.TLSv1_2)
            context.set_ciphers(f"ECDHE-{kind}-{cipher}")
            async with Served(echo, ssl=context) as url:
                check_echoed(await run_client_async(url, *certificates.trust(), "--count", 2), 2)


@tap.case("a self-signed certificate that is named as a root serves")
async def _():
    async with Served(echo, ssl=certificates.server_context("self_signed")) as url:
        check_echoed(await run_client_async(url, *certificates.trust("self_signed"), "--count", 2), 2)


@tap.case("the system's roots: SSL_CERT_FILE is trusted; an empty one is named")
async def _():
    async with Served(echo, ssl=certificates.server_context()) as url:
        async def run_with(file):
            return await run_program_async("env", f"SSL_CERT_FILE={file}", "SSL_CERT_DIR=/nonexistent", echo_client, url,
                                           "--count", "2", "--adapter", adapter)
        check_echoed(await run_with(certificates.path("ca.pem")), 2)
        check_failure(await run_with(certificates.path("other_ca.pem")), UNTRUSTED)
        check_failure(await run_with("/nonexistent"), "/nonexistent, which SSL_CERT_FILE names, has no certificates")


@tap.case("versions before 1.2 are refused")
def _():
    for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
        expect_refusal(only(certificates.server_context("rsa"), version), "no version of TLS in common")


@tap.case("static RSA, CBC and finite-field Diffie-Hellman are refused")
def _():
    for suite in ("AES128-GCM-SHA256", "AES128-SHA", "ECDHE-RSA-AES128-SHA", "ECDHE-RSA-AES256-SHA384",
                  "DHE-RSA-AES128-GCM-SHA256"):
        context = only(certificates.server_context("rsa"), ssl.TLSVersion.TLSv1_2)
        context.set_ciphers(f"{suite}:@SECLEVEL=0")
        expect_refusal(context, "no TLS cipher suite, group or signature algorithm in common")


@tap.case("a server without TLS, of whatever kind, is named as one, and gets no request")
def _():
    for answer in (b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", b"SSH-2.0-OpenSSH_9.2\r\n",
                   b"220 mail.example.test ESMTP\r\n", b"\x00" * 100):
        with Listener(None, answer) as listener:
            result = run_client(listener.url, *certificates.trust())
        check_failure(result, "does not speak TLS on this port")
        check(b"GET" not in listener.received, f"what the server got: {listener.received}")
        check(listener.received.startswith(b"\x16\x03"), f"what the server got: {listener.received}")


@tap.case("the name that is asked for is the URL's host, or --tls-name; addresses are not asked for")
async def _():
    asked = []

    def note(_connection, name, _context):
        asked.append(name)
    context = certificates.server_context("server")
    context.sni_callback = note
    async with Served(echo, ssl=context) as url:
        trust = certificates.trust()
        check_echoed(await run_client_async(url, *trust, "--count", 2), 2)
        check_echoed(await run_client_async(url.replace("127.0.0.1", "localhost"), *trust, "--count", 2), 2)
        check_echoed(await run_client_async(url, *trust, "--tls-name", "a.example.test", "--count", 2), 2)
        for name in ("b.a.example.test", "example.test", "127.0.0.2"):
            check_failure(await run_client_async(url, *trust, "--tls-name", name), "is for other names or addresses")
    wanted = [None, "localhost", "a.example.test", "b.a.example.test", "example.test", None]
    check_equal(asked, wanted, "the names in SNI")


@tap.case("pins: of the server's key, or of an authority above it; another is refused, also with --insecure")
async def _():
    pin = certificates.text
    async with Served(echo, ssl=certificates.server_context("chain")) as url:
        trust = certificates.trust()
        for good in (["chain.pin"], ["ca.pin"], ["server.pin", "chain.pin"]):
            options = [word for name in good for word in ("--tls-pin", pin(name))]
            check_echoed(await run_client_async(url, *trust, *options, "--count", 2), 2)
        check_echoed(await run_client_async(url, "--insecure", "--tls-pin", pin("chain.pin"), "--count", 2), 2)
    for options in (certificates.trust(), ["--insecure"]):
        expect_refusal(certificates.server_context("server"), "pinned", *options, "--tls-pin", pin("second.pin"))
    # Without verification there is no chain to speak of: only the server's own key counts.
    expect_refusal(certificates.server_context("chain"), "pinned", "--insecure", "--tls-pin", pin("ca.pin"))
    # A pin is no trust.
    expect_refusal(certificates.server_context("untrusted"), UNTRUSTED, *certificates.trust(), "--tls-pin",
                   pin("untrusted.pin"))


def asking_context(version):
    context = only(certificates.server_context(), version)
    context.load_verify_locations(cafile=certificates.path("client_ca.pem"))
    context.verify_mode = ssl.CERT_REQUIRED
    return context


@tap.case("a client certificate is shown to a server that asks for one")
async def _():
    subjects = []

    async def handler(ws):
        subjects.append(ws.transport.get_extra_info("peercert")["subject"][-1])
        await echo(ws)
    for version in VERSIONS:
        async with Served(handler, ssl=asking_context(version)) as url:
            options = [*certificates.trust(), *certificates.arguments("client")]
            check_echoed(await run_client_async(url, *options, "--count", 2), 2)
    check_equal(subjects, [(("commonName", "test client"),)] * 2, "the subjects")


@tap.case("a server that refuses our certificate, or misses one, is named as the cause")
def _():
    for version in VERSIONS:
        for name in ("client_expired", "client_untrusted"):
            options = [*certificates.trust(), *certificates.arguments(name)]
            expect_refusal(asking_context(version), REFUSED, *options)
        expect_refusal(asking_context(version), REFUSED)


@tap.case("ALPN: http/1.1 is offered, and servers that know of none serve too")
async def _():
    chosen = []

    async def handler(ws):
        chosen.append(ws.transport.get_extra_info("ssl_object").selected_alpn_protocol())
        await echo(ws)
    for known in (["http/1.1"], ["h2", "http/1.1"], []):
        context = certificates.server_context()
        if known:
            context.set_alpn_protocols(known)
        async with Served(handler, ssl=context) as url:
            check_echoed(await run_client_async(url, *certificates.trust(), "--count", 2), 2)
    check_equal(chosen, ["http/1.1", "http/1.1", None], "the protocols")


@tap.case("sessions are resumed, under TLS 1.2 and 1.3")
async def _():
    for version in VERSIONS:
        resumed = []

        async def handler(ws):
            resumed.append(ws.transport.get_extra_info("ssl_object").session_reused)
            if ws.path == "/getCaseCount":
                await ws.send("3")
        async with Served(handler, ssl=only(certificates.server_context(), version)) as url:
            result = await run_client_async(url + "/", *certificates.trust(), "--autobahn", "a")
        check_equal(result.returncode, 0, f"the exit code ({result.stderr})")
        # One client asks for their number, first, and for the reports, last; another one runs the cases.
        check_equal(resumed, [False, False, True, True, True], f"what was resumed under {version.name}")


@tap.case("an end without close_notify is not taken for an end in good order")
async def _():
    async def handler(ws):
        await ws.recv()
        ws.transport.get_extra_info("socket").shutdown(2)
    for version in VERSIONS:
        async with Served(handler, ssl=only(certificates.server_context(), version)) as url:
            result = await run_client_async(url, *certificates.trust(), "--count", 2)
        check_equal(result.returncode, 1, f"the exit code ({result.stdout}{result.stderr})")
        check("message 1 of 2" in result.stderr, f"stderr: {result.stderr}")
        check("close_notify" in result.stderr, f"stderr: {result.stderr}")


class Openssl:
    """`openssl s_server` for one connection of our client: `with Openssl([its arguments], client's arguments…)
    as it`."""

    def __init__(self, arguments, *client_arguments):
        certificate, key = certificates.pair("server")
        port = free_port()
        # It prints some of its words into a buffer that it never flushes.
        self.command = ["stdbuf", "-o0", openssl, "s_server", "-accept", f"127.0.0.1:{port}", "-cert", certificate, "-key", key,
                        "-naccept", "1", *arguments]
        self.client_command = [echo_client, f"wss://127.0.0.1:{port}/", *certificates.trust(), "--adapter", adapter,
                               *client_arguments]

    def __enter__(self):
        self.text = b""
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, bufsize=0)
        self.until(b"ACCEPT")
        self.client = subprocess.Popen(self.client_command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        return self

    def __exit__(self, *_):
        for process in (self.process, self.client):
            process.kill()
            process.wait()

    def until(self, words):
        while words not in self.text:
            part = self.process.stdout.read(65536)
            check(part, f"s_server has ended: {self.text}")
            self.text += part

    def send(self, data):
        self.text = b""
        self.process.stdin.write(data)

    def finish(self):
        """How the client ended, once s_server has, too."""
        stdout, stderr = self.client.communicate(timeout=START_TIMEOUT_S)
        while part := self.process.stdout.read(65536):
            self.text += part
        return subprocess.CompletedProcess(self.client_command, self.client.returncode, stdout, stderr)


openssl = shutil.which("openssl")
openssl_case = tap.case if openssl else lambda name: tap.case(f"{name} # SKIP no openssl")


@openssl_case("s_server for h2 alone: no protocol in common")
def _():
    with Openssl(["-alpn", "h2"]) as it:
        check_failure(it.finish(), "application protocol (ALPN)")
        check(b"GET /" not in it.text, f"the request was sent: {it.text}")


@openssl_case("s_server that wants to renegotiate is refused")
def _():
    with Openssl(["-tls1_2"]) as it:
        it.until(b"GET / HTTP/1.1")
        it.send(b"r\n")
        check_failure(it.finish())


@openssl_case("s_server that changes its keys and asks for ours is followed")
def _():
    with Openssl(["-tls1_3"]) as it:
        it.until(b"\r\n\r\n")
        for command in (b"k\n", b"K\n"):
            it.send(command)
            it.until(b"SSL_do_handshake -> 1")
        it.send(b"HTTP/1.1 404 Not Found\r\nContent-Length: 14\r\n\r\nnothing here\r\n")
        check_failure(it.finish(), "404", "nothing here")


sys.exit(tap.run())
