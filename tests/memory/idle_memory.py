#!/usr/bin/python3
"""idle_memory.py ECHO_SERVER [CONNECTIONS [ADAPTER]] : what an idle connection costs the server in user
space, from the growth of its own resident memory: after the opening handshake, and again after each
connection has echoed 64 KiB. Fails above BYTES_MAX. Prints TAP."""
import pathlib
import resource
import socket
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "interop"))
from harness import Program, Tap, check, skip_without_adapter

BYTES_MAX = 256  # a connection
ECHO_SIZE = 64 << 10
REST_S = 0.5  # idle is who is at rest: a tenth of a second after a burst its memory is given back
DESCRIPTORS_SPARE = 1000  # the server keeps some for others

echo_server = sys.argv[1]
connections_wanted = int(sys.argv[2]) if len(sys.argv) > 2 else 10_000
adapter = sys.argv[3] if len(sys.argv) > 3 else "epoll"
skip_without_adapter(echo_server, adapter)
tap = Tap()
sockets = []

soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
connections = min(connections_wanted, hard - DESCRIPTORS_SPARE)

# No pings: the connections are to be idle, however slow this machine is.
server = Program(echo_server, "--port", 0, "--adapter", adapter, "--ping-interval", 0)
REQUEST = (b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")


def anonymous_bytes(pid):
    """The resident anonymous memory (heap, stacks, buffers) of a process, exact to the page."""
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
        for line in file:
            if line.startswith("Anonymous:"):
                return int(line.split()[1]) * 1024
    raise RuntimeError("smaps_rollup has no line 'Anonymous:'")


def read_exactly(connection, size):
    data = bytearray()
    while len(data) < size:
        part = connection.recv(size - len(data))
        check(part, "the server closed a connection")
        data += part
    return data


def connect():
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=60)
    connection.sendall(REQUEST)
    answer = connection.recv(4096)
    while not answer.endswith(b"\r\n\r\n"):
        answer += read_exactly(connection, 1)
    check(answer.startswith(b"HTTP/1.1 101 "), f"the answer is {answer}")
    return connection


def echo(connection, payload):
    # A zero key, so that the payload needs no masking here.
    size = len(payload)
    form = bytes([0x80 | size]) if size < 126 else b"\xff" + size.to_bytes(8, "big")
    check(size < 126 or size > 65535, "the 16-bit form is not made here")
    connection.sendall(b"\x82" + form + bytes(4) + payload)
    received = bytearray()
    while len(received) < len(payload):
        _, length = read_exactly(connection, 2)
        if length >= 126:
            length = int.from_bytes(read_exactly(connection, 2 if length == 126 else 8), "big")
        received += read_exactly(connection, length)
    check(received == payload, "the echo differs")


def report(what, before):
    time.sleep(REST_S)
    grown = anonymous_bytes(server.pid) - before
    each = grown / len(sockets)
    print(f"# {len(sockets)} {what}: {each:.1f} bytes each ({grown // 1024} KiB in all)", flush=True)
    check(each <= BYTES_MAX, f"{each:.1f} bytes a connection are more than {BYTES_MAX}")


@tap.case(f"an idle connection costs at most {BYTES_MAX} bytes, before and after a 64 KiB echo")
def _():
    if connections < connections_wanted:
        print(f"# the descriptor limit of {hard} allows {connections} connections only")
    payload = bytes(range(256)) * (ECHO_SIZE // 256)
    # What the server needs once, such as its receive buffer, is not the connections'.
    with connect() as first:
        echo(first, payload)
    before = anonymous_bytes(server.pid)
    for _ in range(connections):
        sockets.append(connect())
    report("idle connections", before)
    for connection in sockets:
        echo(connection, payload)
    report("connections idle again after a 64 KiB echo on each", before)


@tap.case("the server still serves all of them, and stops with 0")
def _():
    for connection in sockets[:: max(1, len(sockets) // 100)]:
        echo(connection, b"still here")
    for connection in sockets:
        connection.close()
    check(server.stop() == 0, f"it ended badly: {server.stderr}")


sys.exit(tap.run())
