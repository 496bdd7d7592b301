"""An echo peer in its two roles: a server, and a client that lets a fuzzing server run its cases."""

import concurrent.futures
import socket
import sys
import threading
import urllib.parse

import handshake
from peer import Peer

OPEN_TIMEOUT_S = 20


def serve_one(sock, make_peer):
    try:
        with sock:
            sock.settimeout(OPEN_TIMEOUT_S)
            peer = make_peer(sock, "server")
            peer.open_as_server()
            peer.run()
    except (OSError, handshake.HandshakeError) as error:
        # The other side left, or was not a WebSocket client: no trouble of ours.
        print(f"a connection ended: {error}", file=sys.stderr)


def serve(port, make_peer):
    """Serves connections, each in a thread, until the program is ended."""
    with socket.create_server(("127.0.0.1", port), backlog=128) as listener:
        print(f"listening on ws://127.0.0.1:{listener.getsockname()[1]}/", flush=True)
        while True:
            sock, _ = listener.accept()
            threading.Thread(target=serve_one, args=(sock, make_peer), daemon=True).start()


class Collector(Peer):
    """A correct peer that keeps the messages instead of echoing them."""

    def __init__(self, sock, role):
        super().__init__(sock, role)
        self.messages = []

    def on_message(self, opcode, payload):
        self.messages.append(payload)


class Driver:
    """Runs the cases of a fuzzing server against peers that `make_peer` makes."""

    def __init__(self, url, agent, make_peer, jobs):
        parts = urllib.parse.urlsplit(url)
        self.address = (parts.hostname, parts.port or 80)
        self.host = parts.netloc
        self.agent = urllib.parse.quote(agent, safe="")
        self.make_peer = make_peer
        self.jobs = jobs

    def open(self, target, make_peer):
        sock = socket.create_connection(self.address, timeout=OPEN_TIMEOUT_S)
        peer = make_peer(sock, "client")
        try:
            peer.open_as_client(self.host, target)
        except (OSError, handshake.HandshakeError):
            sock.close()
            raise
        return peer

    def ask(self, target):
        """The messages that a page of the fuzzing server's own sends."""
        peer = self.open(target, Collector)
        peer.run()
        return peer.messages

    def run_case(self, number):
        try:
            self.open(f"/runCase?case={number}&agent={self.agent}", self.make_peer).run()
        except ConnectionRefusedError:
            raise
        except (OSError, handshake.HandshakeError) as error:
            print(f"case {number} of the run: {error}", file=sys.stderr)

    def run(self):
        count = int(self.ask("/getCaseCount")[0])
        with concurrent.futures.ThreadPoolExecutor(self.jobs) as pool:
            # list(): so that what a thread raises is raised here.
            list(pool.map(self.run_case, range(1, count + 1)))
        self.ask(f"/updateReports?agent={self.agent}")

