#!/usr/bin/python3
"""tls_openssl_client.py ECHO_SERVER ADAPTER MAKE_CERTIFICATES : `openssl s_client` and bare sockets as the
clients of our echo_server over TLS: what is agreed on, and what is refused."""
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time

from harness import START_TIMEOUT_S, Program, Tap, check, check_equal, run_program, skip_all, skip_without_adapter
from tls import make_certificates_or_skip, only

echo_server, adapter, make_certificates = sys.argv[1:]
openssl = shutil.which("openssl")
if openssl is None:
    skip_all("no openssl")
skip_without_adapter(echo_server, adapter)
certificates = make_certificates_or_skip(make_certificates)
tap = Tap()

GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
# OpenSSL refuses what is old by itself, unless it is told not to.
OLD = "ALL:@SECLEVEL=0"


def start(*arguments):
    return Program(echo_server, "--port", 0, "--adapter", adapter, *arguments)


server = start(*certificates.arguments("server", "second"))
rsa_server = start(*certificates.arguments("rsa"))


class Session:
    """A connection of s_client that sent a plain GET, and what s_client said of it."""

    def __init__(self, to, *arguments):
        command = [openssl, "s_client", "-connect", f"127.0.0.1:{to.port}", "-CAfile", certificates.path("ca.pem"),
                   "-ign_eof", *map(str, arguments)]
        self.result = subprocess.run(command, input=GET, capture_output=True, timeout=START_TIMEOUT_S, check=False)
        # Without certificates and tickets, which say nothing to who reads of a failure.
        self.text = re.sub(r"-----BEGIN[^#]*?END CERTIFICATE-----\n|^ +[0-9a-f]{4} - .*\n", "",
                           self.result.stdout.decode("latin-1"), flags=re.MULTILINE)
        self.stderr = self.result.stderr.decode("latin-1")
        agreed = re.search(r"^(New|Reused), (\S+), Cipher is (\S+)$", self.text, re.MULTILINE)
        check(agreed, f"s_client said nothing of a session: {self.text}{self.stderr}")
        self.resumed, self.version, self.suite = agreed[1] == "Reused", agreed[2], agreed[3]
        self.answered = "HTTP/1.1 426 " in self.text

    def check_good(self, version, common_name="localhost"):
        check(self.answered, f"no answer: {self.text}{self.stderr}")
        check_equal(self.version, version, "the version")
        check("Verify return code: 0 (ok)" in self.text, f"not verified: {self.text}")
        check(f"subject=CN = {common_name}\n" in self.text, f"not the certificate of {common_name}: {self.text}")
        check("unexpected eof" not in self.stderr, f"no close_notify behind the answer: {self.stderr}")
        return self

    def check_refused(self, *alerts):
        """An alert ends it. The server lives on."""
        check(not self.answered, f"an answer came: {self.text}")
        check(any(f"alert {alert}" in self.stderr for alert in alerts), f"no alert of {alerts}: {self.stderr}")


@tap.case("the ready line says wss://")
def _():
    check_equal(server.ready_line, f"listening on wss://127.0.0.1:{server.port}/", "the ready line")


@tap.case("TLS 1.3 with each of its cipher suites and groups")
def _():
    for suite in ("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"):
        session = Session(server, "-tls1_3", "-ciphersuites", suite).check_good("TLSv1.3")
        check_equal(session.suite, suite, "the cipher suite")
    for group in ("X25519", "P-256", "P-384"):
        Session(server, "-tls1_3", "-groups", group).check_good("TLSv1.3")
    # The client's first guess is a group that the server has not: HelloRetryRequest.
    Session(server, "-tls1_3", "-groups", "X448:P-256").check_good("TLSv1.3")


@tap.case("TLS 1.2 with each of its cipher suites, for both kinds of key")
def _():
    for to, kind in ((server, "ECDSA"), (rsa_server, "RSA")):
        for cipher in ("AES128-GCM-SHA256", "AES256-GCM-SHA384", "CHACHA20-POLY1305"):
            suite = f"ECDHE-{kind}-{cipher}"
            check_equal(Session(to, "-tls1_2", "-cipher", suite).check_good("TLSv1.2").suite, suite, "the cipher suite")


@tap.case("certificates of Ed25519, and below two intermediate authorities")
def _():
    for name in ("ed25519", "chain"):
        with start(*certificates.arguments(name)) as it:
            Session(it).check_good("TLSv1.3")


@tap.case("versions before 1.2 are refused")
def _():
    for version in ("-tls1", "-tls1_1"):
        Session(rsa_server, version, "-cipher", OLD).check_refused("protocol version")


@tap.case("static RSA, CBC and finite-field Diffie-Hellman are refused")
def _():
    for suite in ("AES128-GCM-SHA256", "AES256-GCM-SHA384", "AES128-SHA", "AES256-SHA256",
                  "ECDHE-RSA-AES128-SHA", "ECDHE-RSA-AES256-SHA384", "DHE-RSA-AES128-GCM-SHA256"):
        Session(rsa_server, "-tls1_2", "-cipher", f"{suite}:@SECLEVEL=0").check_refused("handshake failure")
    for suite in ("ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA384"):
        Session(server, "-tls1_2", "-cipher", suite).check_refused("handshake failure")
    Session(server, "-tls1_3", "-groups", "ffdhe2048").check_refused("handshake failure")


@tap.case("signatures with SHA-1 are refused")
def _():
    for to, kind in ((server, "ECDSA"), (rsa_server, "RSA")):
        Session(to, "-tls1_2", "-cipher", OLD, "-sigalgs", f"{kind}+SHA1").check_refused("handshake failure")


@tap.case("SNI chooses the certificate: an exact name, a wildcard of one label, else the first")
def _():
    for name, wanted in (("localhost", "localhost"), ("other.test", "other.test"), ("OTHER.test", "other.test"),
                         ("a.example.test", "localhost"), ("nobody.test", "localhost")):
        for version in ("1.2", "1.3"):
            session = Session(server, f"-tls{version.replace('.', '_')}", "-servername", name)
            session.check_good(f"TLSv{version}", wanted)
    Session(server, "-noservername").check_good("TLSv1.3", "localhost")
    with start(*certificates.arguments("second", "server")) as swapped:
        for name, wanted in (("a.example.test", "localhost"), ("b.a.example.test", "other.test"),
                             ("example.test", "other.test")):
            Session(swapped, "-servername", name).check_good("TLSv1.3", wanted)


@tap.case("sessions are resumed, under TLS 1.2 and 1.3; not by another server")
def _():
    for version in ("1.2", "1.3"):
        option = f"-tls{version.replace('.', '_')}"
        with tempfile.NamedTemporaryFile() as file:
            check(not Session(server, option, "-sess_out", file.name).check_good(f"TLSv{version}").resumed, "resumed")
            check(os.path.getsize(file.name) > 0, f"no session of TLS {version}")
            for _ in range(2):
                resumed = Session(server, option, "-sess_in", file.name).check_good(f"TLSv{version}")
                check(resumed.resumed, f"not resumed under TLS {version}")
            with start(*certificates.arguments("server")) as other:
                session = Session(other, option, "-sess_in", file.name).check_good(f"TLSv{version}")
                check(not session.resumed, "resumed by another server")


@tap.case("early data is refused, and asked for again inside the session")
def _():
    with tempfile.NamedTemporaryFile() as session, tempfile.NamedTemporaryFile() as early:
        Session(server, "-tls1_3", "-sess_out", session.name).check_good("TLSv1.3")
        early.write(b"GET /early HTTP/1.1\r\n")
        early.flush()
        check("Max Early Data: 0" in Session(server, "-tls1_3", "-sess_in", session.name).text, "early data is on offer")
        again = Session(server, "-tls1_3", "-sess_in", session.name, "-early_data", early.name)
        check("Early data was accepted" not in again.text, "early data was taken")


@tap.case("client certificates: required")
def _():
    with start(*certificates.arguments("server"), "--tls-client-ca", certificates.path("client_ca.pem"),
               "--tls-client", "require") as strict:
        for version in ("1.2", "1.3"):
            option = f"-tls{version.replace('.', '_')}"

            def attempt(name):
                certificate, key = certificates.pair(name)
                return Session(strict, option, "-cert", certificate, "-key", key)
            good = attempt("client").check_good(f"TLSv{version}")
            check("CN = test root of clients" in good.text, f"the authority is not named: {good.text}")
            Session(strict, option).check_refused("certificate required", "handshake failure")
            attempt("client_expired").check_refused("certificate expired")
            attempt("client_untrusted").check_refused("unknown ca")
            attempt("server").check_refused("unknown ca", "unsupported certificate", "bad certificate")


@tap.case("client certificates: asked for; one that is given is verified")
def _():
    with start(*certificates.arguments("server"), "--tls-client-ca", certificates.path("client_ca.pem"),
               "--tls-client", "request") as asking:
        Session(asking).check_good("TLSv1.3")
        certificate, key = certificates.pair("client")
        Session(asking, "-cert", certificate, "-key", key).check_good("TLSv1.3")
        certificate, key = certificates.pair("client_expired")
        Session(asking, "-cert", certificate, "-key", key).check_refused("certificate expired")
    check("No client certificate CA names sent" in Session(server).text, "a certificate is asked for")


@tap.case("ALPN: http/1.1 among others, none at all; others alone are refused")
def _():
    for version in ("1.2", "1.3"):
        option = f"-tls{version.replace('.', '_')}"
        for offer in ("http/1.1", "h2,http/1.1", "http/1.1,h2"):
            session = Session(server, option, "-alpn", offer).check_good(f"TLSv{version}")
            check("ALPN protocol: http/1.1\n" in session.text, f"ALPN: {session.text}")
        session = Session(server, option).check_good(f"TLSv{version}")
        check("No ALPN negotiated" in session.text, f"ALPN: {session.text}")
        Session(server, option, "-alpn", "h2").check_refused("no application protocol")
        Session(server, option, "-alpn", "h2,http/1.0").check_refused("no application protocol")


def make_ocsp_response():
    """The name of a file with the answer of our authority's OCSP responder about `server`."""
    certificate = certificates.path("server.pem")
    serial = run_program(openssl, "x509", "-in", certificate, "-noout", "-serial").stdout.strip().split("=")[1]
    with open(certificates.path("index.txt"), "w", encoding="ascii") as index:
        index.write(f"V\t991231235959Z\t\t{serial}\tunknown\t/CN=localhost\n")
    authority, key = certificates.pair("ca")
    answer = certificates.path("server.ocsp")
    result = run_program(openssl, "ocsp", "-index", certificates.path("index.txt"), "-CA", authority, "-rsigner",
                         authority, "-rkey", key, "-issuer", authority, "-cert", certificate, "-ndays", "1",
                         "-respout", answer)
    check(os.path.exists(answer), f"no OCSP response: {result.stdout}{result.stderr}")
    return answer


@tap.case("an OCSP response is given to who asks for one")
def _():
    with start(*certificates.arguments("server"), "--tls-ocsp", make_ocsp_response()) as stapling:
        for version in ("1.2", "1.3"):
            option = f"-tls{version.replace('.', '_')}"
            session = Session(stapling, option, "-status").check_good(f"TLSv{version}")
            check("OCSP Response Status: successful" in session.text, f"no response: {session.text}")
            check("Cert Status: good" in session.text, f"the status: {session.text}")
            check("OCSP Response" not in Session(stapling, option).text, "a response came unasked")
    check("OCSP response: no response sent" in Session(server, "-status").text, "a response from nowhere")


@tap.case("the key log has the secrets that the client has")
def _():
    ours, theirs = certificates.path("ours.log"), certificates.path("theirs.log")
    with start(*certificates.arguments("server"), "--tls-key-log", ours) as logging:
        for option in ("-tls1_2", "-tls1_3"):
            Session(logging, option, "-keylogfile", theirs)
    secrets = [{line for line in open(name, encoding="ascii").read().splitlines() if not line.startswith("#")}
               for name in (ours, theirs)]
    check(len(secrets[1]) >= 5, f"the client's log: {secrets[1]}")
    # OpenSSL logs one more that only it has use for.
    check(all(line in secrets[0] for line in secrets[1]), f"the logs differ: {secrets}")
    check_equal(os.stat(ours).st_mode & 0o077, 0, "who else may read the log")


class Interactive:
    """s_client with commands: `with Interactive(arguments…) as it`."""

    def __init__(self, *arguments):
        self.command = [openssl, "s_client", "-connect", f"127.0.0.1:{server.port}", "-CAfile",
                        certificates.path("ca.pem"), *arguments]

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, bufsize=0)
        self.text = b""
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def until(self, *words):
        """Reads on until one of the words has come, or the end."""
        while not any(word in self.text for word in words):
            part = os.read(self.process.stdout.fileno(), 65536)
            if not part:
                break
            self.text += part
        return next((word for word in words if word in self.text), None)

    def send(self, data):
        os.write(self.process.stdin.fileno(), data)


@tap.case("TLS 1.3: new keys are agreed on whenever the client asks")
def _():
    with Interactive("-tls1_3") as it:
        check(it.until(b"Verify return code: 0 (ok)"), f"no connection: {it.text}")
        for command in (b"k\n", b"K\n"):
            it.text = b""
            it.send(command)
            check(it.until(b"KEYUPDATE"), f"no update: {it.text}")
        it.send(GET)
        check(it.until(b"HTTP/1.1 426 "), f"no answer: {it.text}")


@tap.case("TLS 1.2: renegotiation is refused")
def _():
    with Interactive("-tls1_2") as it:
        check(it.until(b"Verify return code: 0 (ok)"), f"no connection: {it.text}")
        it.send(b"R\n")
        check_equal(it.until(b"alert", b"no renegotiation"), b"alert", f"what came of it: {it.text}")


class ByteByByte:
    """A TLS client that sends every byte by itself: `with ByteByByte(version) as it`."""

    def __init__(self, version):
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        context = only(certificates.client_context(), version)
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_hostname="localhost")

    def __enter__(self):
        self.socket = socket.create_connection(("127.0.0.1", server.port), timeout=START_TIMEOUT_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.run(self.tls.do_handshake)
        return self

    def __exit__(self, *_):
        self.socket.close()

    def flush(self):
        for byte in self.outgoing.read():
            self.socket.send(bytes([byte]))

    def run(self, call, *arguments):
        while True:
            try:
                result = call(*arguments)
                self.flush()
                return result
            except ssl.SSLWantReadError:
                self.flush()
                part = self.socket.recv(65536)
                check(part, "the server has ended the connection without close_notify")
                self.incoming.write(part)


@tap.case("a client whose every byte comes by itself")
def _():
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        with ByteByByte(version) as it:
            it.run(it.tls.write, GET)
            answer = b""
            while part := it.run(it.tls.read, 65536):
                answer += part
            check(answer.startswith(b"HTTP/1.1 426 "), f"the answer is {answer}")


@tap.case("close_notify is answered by one, before any request and in the middle of one")
def _():
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        for begun in (b"", b"GET / HTTP/1.1\r\nHost: loc"):
            with socket.create_connection(("127.0.0.1", server.port), timeout=START_TIMEOUT_S) as plain:
                context = only(certificates.client_context(), version)
                with context.wrap_socket(plain, server_hostname="localhost") as connection:
                    connection.sendall(begun)
                    connection.unwrap()  # waits for the answer


def exchange(port, data):
    """Sends `data`, reads to the end; the whole answer."""
    with socket.create_connection(("127.0.0.1", port), timeout=START_TIMEOUT_S) as connection:
        connection.sendall(data)
        answer = b""
        while part := connection.recv(65536):
            answer += part
        return answer


@tap.case("plain HTTP to a port for TLS gets a readable refusal")
def _():
    for request in (GET, GET.replace(b"GET", b"POST"), b"HEAD / HTTP/1.0\r\n\r\n"):
        answer = exchange(server.port, request)
        check(answer.startswith(b"HTTP/1.1 400 "), f"the answer to {request} is {answer[:200]}")
        check(b"https://" in answer, f"the answer to {request} does not say what to do: {answer}")


@tap.case("what is neither TLS nor HTTP is cut off")
def _():
    for garbage in (b"\x00" * 64, b"\x16\x03\x01\x00\x04\x05\x00\x00\x00" * 20, b"SSH-2.0-OpenSSH_9.2\r\n" * 10,
                    b"\x80\x2e\x01\x00\x02" + b"\x00" * 60):
        try:
            answer = exchange(server.port, garbage)
        except ConnectionResetError:
            continue
        check(len(answer) < 1000, f"the answer to {garbage[:20]} is {answer[:200]}")


@tap.case("TLS to a port for plain HTTP gets an answer that says so")
def _():
    with start() as plain:
        result = subprocess.run([openssl, "s_client", "-connect", f"127.0.0.1:{plain.port}"], input=GET,
                                capture_output=True, timeout=START_TIMEOUT_S, check=False)
        check(b"wrong version number" in result.stderr, f"s_client said {result.stderr}")
        hello = b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x03"
        answer = exchange(plain.port, hello)
        check(b"http://" in answer, f"the answer does not say what to do: {answer}")


def hang_up(it, stream, words):
    """SIGHUP, and waits for what the server says of it."""
    it.process.send_signal(signal.SIGHUP)
    for _ in range(START_TIMEOUT_S * 20):
        if stream is it.stderr and any(words in line for line in stream):
            return
        if stream is it.process.stdout and words in stream.readline():
            return
        time.sleep(0.05)
    check(False, f"the server did not say '{words}'")


@tap.case("SIGHUP: new connections get the new certificate, old ones and sessions go on; a broken file changes nothing")
def _():
    live = [certificates.path("live.pem"), certificates.path("live.key")]

    def put(name):
        for source, target in zip(certificates.pair(name), live):
            shutil.copyfile(source, target)
    put("server")
    with tempfile.NamedTemporaryFile() as session, start("--tls-cert", live[0], "--tls-key", live[1]) as it:
        Session(it, "-sess_out", session.name).check_good("TLSv1.3", "localhost")
        with socket.create_connection(("127.0.0.1", it.port), timeout=START_TIMEOUT_S) as plain:
            with certificates.client_context().wrap_socket(plain, server_hostname="localhost") as old:
                put("second")
                hang_up(it, it.process.stdout, "certificates read again")
                Session(it).check_good("TLSv1.3", "other.test")
                check(Session(it, "-sess_in", session.name).resumed, "the session is not resumed")
                with open(live[0], "w", encoding="ascii") as file:
                    file.write("no certificate\n")
                hang_up(it, it.stderr, "live.pem does not begin with a PEM certificate")
                Session(it).check_good("TLSv1.3", "other.test")
                old.sendall(GET)
                check(old.recv(65536).startswith(b"HTTP/1.1 426 "), "the old connection does not go on")


@tap.case("clients in the middle of a handshake hinder neither others nor SIGTERM")
def _():
    with start(*certificates.arguments("server")) as it:
        silent = [socket.create_connection(("127.0.0.1", it.port), timeout=START_TIMEOUT_S) for _ in range(3)]
        silent[1].sendall(b"\x16\x03\x01")
        silent[2].sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
        Session(it).check_good("TLSv1.3")
        check_equal(it.stop(signal.SIGTERM), 0, "the exit code")
        for each in silent:
            each.close()


@tap.case("after all that the servers still run and stop with 0")
def _():
    for each in (server, rsa_server):
        check(each.alive(), f"it ended: {each.stderr}")
        check_equal(each.stop(), 0, "the exit code")
        check_equal("".join(each.stderr), "", "stderr")


sys.exit(tap.run())
