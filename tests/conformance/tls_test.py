#!/usr/bin/python3
"""tls_test.py CONFORM EXPECTED_DIRECTORY : the conformance kit over TLS, in both roles.

Against python3-websockets, whose verdicts are those without TLS; against certificates that must not be taken; and
against peers that end TCP without ending TLS.
"""

import atexit
import concurrent.futures
import contextlib
import functools
import pathlib
import socket
import ssl
import subprocess
import sys
import tempfile
import threading

sys.dont_write_bytecode = True

import frames
import kit
import peer
import peers_test
import roles
import tap

sys.path.insert(0, str(kit.HERE.parents[1] / "autobahn"))

import certificates

CASES = "1.*,2.*,4.1.1,5.1,5.3,6.1.*,6.4.*,7.1.*,7.3.*,7.9.1,9.1.1,9.3.1,9.7.1"
CASES_COUNT = 53
RUNS_AT_ONCE = 4
WITHOUT_TLS = "built without TLS"


@functools.lru_cache
def make_certificates(*names):
    """Of a root of its own, each; for localhost and 127.0.0.1 if nothing else is asked for."""
    directory = tempfile.TemporaryDirectory()
    atexit.register(directory.cleanup)
    try:
        return certificates.make(directory.name, names or certificates.NAMES)
    except certificates.Missing as problem:
        raise tap.Skip(str(problem)) from problem


def run_kit(conform, *options):
    """For runs that are short, and that may not even begin; what it printed is text."""
    command = [str(word) for word in (conform, *options)]
    return subprocess.run(command, capture_output=True, text=True, timeout=kit.TIMEOUT_S, stdin=subprocess.DEVNULL,
                          check=False)


def require_tls(conform):
    if WITHOUT_TLS in run_kit(conform, "--server", "wss://127.0.0.1:1/").stderr:
        raise tap.Skip("the kit is built without TLS: no libssl-dev")


# --- a server whose connections are peer.Peer, over TLS ---------------------------------------------
class EndingTls(peer.Peer):
    """close_notify, the one of the other side, then FIN."""

    def end_tcp(self):
        if not self.over:
            self.sock = self.sock.unwrap()
            super().end_tcp()


class CuttingTls(peer.Peer):
    """FIN, and no close_notify."""

    def end_tcp(self):
        if not self.over:
            self.sock = socket.socket(fileno=self.sock.detach())
            super().end_tcp()


class Dropping(CuttingTls):
    """As that, and no Close frame either."""

    def on_message(self, opcode, payload):
        self.send_frame(opcode, payload)
        self.end_tcp()


class EndingTlsAlone(peer.Peer):
    """close_notify; FIN only much later."""

    def end_tcp(self):
        if not self.over:
            self.sock = self.sock.unwrap()
            self.drain()


class Garbling(EndingTls):
    """Answers with what is no record."""

    def on_message(self, opcode, payload):
        self.sock = socket.socket(fileno=self.sock.detach())
        self.sock.sendall(frames.encode(opcode, payload, True, 0, masked=False) * 10)
        self.drain()


def serve_one(sock, context, make_peer):
    with contextlib.suppress(OSError), sock:  # a client that does not like us goes
        roles.serve_one(context.wrap_socket(sock, server_side=True), make_peer)


@contextlib.contextmanager
def serving(files, make_peer):
    """A server with these certificates; its port on 127.0.0.1."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.certificate, files.key)
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        def serve():
            with contextlib.suppress(OSError):  # it is shut down
                while True:
                    sock, _ = listener.accept()
                    threading.Thread(target=serve_one, args=(sock, context, make_peer), daemon=True).start()

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


# --- the cases --------------------------------------------------------------------------------------
def check_websockets(conform, expected, role, version):
    """The verdicts are those without TLS."""
    require_tls(conform)
    files = make_certificates()
    agent = f"python_websockets_{role}"
    program = [*peers_test.require_websockets(), "--tls-version", version]
    options = ["--cases", CASES, "--quick", "--expect", pathlib.Path(expected, f"{agent}.txt")]
    if role == "server":
        result = kit.test_server(conform, [*program, "--listen", 0, *files.server_options()], agent,
                                 [*options, "--ca", files.ca])
    else:
        result = kit.test_client(conform, [*program, "--tls-ca", files.ca, "--agent", agent, "--connect"], agent,
                                 [*options, *files.server_options()])
    tap.expect(result.status == 0, f"{agent}: the kit exited with {result.status}\n{result.output[-6000:]}")
    tap.expect(len(result.report) == CASES_COUNT, f"{agent}: {len(result.report)} cases ran\n{result.output[-2000:]}")
    tap.expect("close_notify" not in result.output, result.output[-2000:])


def check_ready_line(conform):
    require_tls(conform)
    with kit.Listening(conform, "--listen", 0, *make_certificates().server_options()) as listening:
        tap.expect(listening.url.startswith("wss://127.0.0.1:"), listening.url)


def check_trust(conform):
    """The system's roots and another root do not vouch for it; --ca does, and --insecure needs nobody."""
    require_tls(conform)
    files = make_certificates()
    cases = ["--cases", "1.1.1"]
    with serving(files, lambda sock, role: EndingTls(sock, role)) as port:
        for host in ("127.0.0.1", "localhost"):
            url = f"wss://{host}:{port}/"
            for options in ([], ["--ca", make_certificates("DNS:localhost").ca]):
                expect_refused(run_kit(conform, "--server", url, *cases, *options), f"{host}:{port}", "certificate")
            for options in (["--ca", files.ca], ["--insecure"]):
                done = run_kit(conform, "--server", url, *cases, *options)
                tap.expect(done.returncode == 0, done.stdout + done.stderr)


def check_host_name(conform):
    require_tls(conform)
    files = make_certificates("DNS:elsewhere.test")
    with serving(files, lambda sock, role: EndingTls(sock, role)) as port:
        trusting = ["--cases", "1.1.1", "--ca", files.ca]
        done = run_kit(conform, "--server", f"wss://localhost:{port}/", *trusting)
        expect_refused(done, f"localhost:{port}", "hostname mismatch")
        done = run_kit(conform, "--server", f"wss://127.0.0.1:{port}/", *trusting)
        expect_refused(done, f"127.0.0.1:{port}", "IP address mismatch")
        done = run_kit(conform, "--server", f"wss://localhost:{port}/", "--cases", "1.1.1", "--insecure")
        tap.expect(done.returncode == 0, done.stdout + done.stderr)


def expect_refused(done, *words):
    """As a connection that is refused: status 1 and one line."""
    lines = done.stderr.splitlines()
    tap.expect(done.returncode == 1 and not done.stdout, f"exit status {done.returncode}\n{done.stdout}{done.stderr}")
    tap.expect(len(lines) == 1 and all(word in lines[0] for word in ("conform: can not connect to ", *words)), done.stderr)


def check_no_tls(conform):
    """A server that does not speak TLS, and one that says nothing at all."""
    require_tls(conform)
    with kit.Listening(kit.PYTHON, kit.HERE / "broken_peer.py", "--listen", 0) as plain:
        done = run_kit(conform, "--server", plain.url.replace("ws://", "wss://"), "--cases", "1.1.1")
        expect_refused(done, "TLS handshake")
    with socket.create_server(("127.0.0.1", 0)) as mute:
        done = run_kit(conform, "--server", f"wss://127.0.0.1:{mute.getsockname()[1]}/", "--cases", "1.1.1")
        expect_refused(done, "the TLS handshake was not done in time")


def check_end(conform, make_peer, verdicts, said):
    """How the peer ends TLS is seen in the verdict on the closing."""
    require_tls(conform)
    files = make_certificates()
    with serving(files, make_peer) as port, tempfile.TemporaryDirectory() as directory:
        done = run_kit(conform, "--server", f"wss://127.0.0.1:{port}/", "--ca", files.ca, "--cases", "1.1.2,3.1,7.1.1",
                       "--agent", "peer", "--out", directory)
        text = done.stdout + done.stderr
        report = kit.read_report(directory, "peer", text)
        found = {case: (entry["behavior"], entry["behaviorClose"]) for case, entry in report.items()}
        tap.expect(found == verdicts, f"{found}\n{text}")
        pages = "".join(page.read_text() for page in pathlib.Path(directory).glob("*.json"))
        tap.expect(said in pages, f"no page says '{said}'\n{text}")
        counted = "connections were ended without close_notify" in done.stdout
        tap.expect(counted == issubclass(make_peer, (CuttingTls, Garbling)), done.stdout)


def check_client_cut(conform):
    """A client under test that drops all instead of answering."""
    require_tls(conform)
    files = make_certificates()
    context = ssl.create_default_context(cafile=files.ca)
    with tempfile.TemporaryDirectory() as directory:
        command = [conform, "--listen", 0, "--once", "--out", directory, "--cases", "3.1", *files.server_options()]
        with kit.Listening(*command) as listening:
            driver = roles.Driver(listening.url, "client", None, 1)

            def connect(target, make_peer):
                sock = context.wrap_socket(socket.create_connection(driver.address, timeout=20),
                                           server_hostname="localhost")
                client = make_peer(sock, "client")
                client.open_as_client(driver.host, target)
                return client

            driver.open = connect
            cutting = connect("/runCase?case=1&agent=client", CuttingTls)
            cutting.end_tcp()
            driver.ask("/updateReports?agent=client")
            status, output = listening.finish(30)
        report = kit.read_report(directory, "client", output)["3.1"]
        tap.expect((report["behavior"], report["behaviorClose"], status) == ("OK", "NON-STRICT", 0), f"{report}\n{output}")


def check_usage(conform):
    require_tls(conform)
    files = make_certificates()
    for options, words in ((["--server", "ws://127.0.0.1:1/", "--insecure"], "wss://"),
                           (["--server", "wss://127.0.0.1:1/", "--ca", "/nowhere.pem"], "/nowhere.pem"),
                           (["--server", "wss://127.0.0.1:1/", "--ca", files.ca, "--insecure"], "--insecure"),
                           (["--listen", 0, "--tls-cert", files.certificate], "--tls-key"),
                           (["--listen", 0, "--tls-cert", files.certificate, "--tls-key", files.ca], str(files.ca))):
        done = run_kit(conform, *options)
        lines = done.stderr.splitlines()
        tap.expect(done.returncode == 2 and len(lines) == 1 and words in lines[0], f"{options}: {done}")


SOUND = {case: ("OK", "OK") for case in ("1.1.2", "3.1", "7.1.1")}
CUT = {case: ("OK", "NON-STRICT") for case in SOUND}
ENDS = (
    ("a peer that ends TLS and TCP", EndingTls, SOUND, "As expected"),
    ("a peer that cuts TLS off", CuttingTls, CUT, "cut TLS off (dropped TCP, no close_notify)"),
    ("a peer that cuts TLS off without a Close frame", Dropping,
     CUT | {"1.1.2": ("OK", "UNCLEAN"), "7.1.1": ("OK", "UNCLEAN")}, "cut TLS off (dropped TCP, no close_notify) without"),
    ("a peer that ends TLS, and not TCP", EndingTlsAlone,
     {case: ("OK", "FAILED BY CLIENT") for case in SOUND} | {"1.1.2": ("OK", "UNCLEAN"), "7.1.1": ("OK", "UNCLEAN")},
     "the server did not drop TCP in time"),
    ("a peer that sends what is no record", Garbling,
     SOUND | {"1.1.2": ("FAILED", "FAILED"), "7.1.1": ("FAILED", "FAILED")}, "the testee broke TLS: "),
)


def main(conform, expected):
    pool = concurrent.futures.ThreadPoolExecutor(RUNS_AT_ONCE)
    cases = []

    def add(name, function, *arguments):
        cases.append((name, pool.submit(function, conform, *arguments).result))

    for role in ("client", "server"):
        for version in ("1.2", "1.3"):
            add(f"python_websockets, {role}, TLS {version}", check_websockets, expected, role, version)
    add("the ready line says wss://", check_ready_line)
    add("certificates of roots that are not trusted", check_trust)
    add("certificates for another host", check_host_name)
    add("a server that does not speak TLS", check_no_tls)
    for name, make_peer, verdicts, said in ENDS:
        add(name, check_end, make_peer, verdicts, said)
    add("a client that cuts TLS off", check_client_cut)
    add("options that do not fit", check_usage)
    status = tap.main(cases)
    pool.shutdown()
    return status


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]) if len(sys.argv) == 3 else __doc__)
