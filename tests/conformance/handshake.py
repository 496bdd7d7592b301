"""The opening handshake of RFC 6455 section 4, as far as an echo peer needs it."""

import base64
import hashlib
import os

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
HEAD_MAX = 65536


class HandshakeError(Exception):
    """The other side's half of the handshake is not what it has to be."""


def read_head(sock):
    """The head of a request or an answer, and what came behind it."""
    data = b""
    while b"\r\n\r\n" not in data:
        part = sock.recv(65536)
        if not part:
            raise HandshakeError("the connection ended within the handshake")
        data += part
        if len(data) > HEAD_MAX:
            raise HandshakeError("the head has no end")
    head, _, rest = data.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    fields = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if not colon:
            raise HandshakeError(f"not a field: {line!r}")
        name = name.strip().lower()
        # Several fields of a name are one list (RFC 9110 section 5.2).
        fields[name] = f"{fields[name]}, {value.strip()}" if name in fields else value.strip()
    return lines[0], fields, rest


def accept_value(key):
    return base64.b64encode(hashlib.sha1(key.encode("latin-1") + GUID).digest()).decode()


def new_key():
    return base64.b64encode(os.urandom(16)).decode()


def has_token(value, token):
    return token in [part.strip().lower() for part in value.split(",")]


def check_upgrade(fields):
    if not has_token(fields.get("upgrade", ""), "websocket"):
        raise HandshakeError("Upgrade is not websocket")
    if not has_token(fields.get("connection", ""), "upgrade"):
        raise HandshakeError("Connection has no upgrade")


def check_request(line, fields):
    """Returns the key of a client that asks for a WebSocket (section 4.2.1)."""
    words = line.split(" ")
    if len(words) != 3 or words[0] != "GET" or words[2] != "HTTP/1.1" or "host" not in fields:
        raise HandshakeError(f"not a request for a WebSocket: {line!r}")
    check_upgrade(fields)
    if fields.get("sec-websocket-version") != "13":
        raise HandshakeError("not version 13")
    key = fields.get("sec-websocket-key", "")
    try:
        whole = len(base64.b64decode(key, validate=True)) == 16
    except ValueError:
        whole = False
    if not whole:
        raise HandshakeError("the key is not 16 bytes in base64")
    return key


def check_answer(line, fields, key):
    """Checks a server's answer (section 4.1)."""
    if not line.startswith("HTTP/1.1 101 "):
        raise HandshakeError(f"refused: {line!r}")
    check_upgrade(fields)
    if fields.get("sec-websocket-accept") != accept_value(key):
        raise HandshakeError("Sec-WebSocket-Accept is wrong")
    if "sec-websocket-protocol" in fields:
        raise HandshakeError("a subprotocol that was not asked for")


def write_head(line, fields):
    return "".join([f"{line}\r\n", *(f"{name}: {value}\r\n" for name, value in fields), "\r\n"]).encode("latin-1")


def parse_extensions(value):
    """Sec-WebSocket-Extensions as [(name, [(parameter, value or None)])] (section 9.1)."""
    extensions = []
    for element in value.split(","):
        parts = [part.strip() for part in element.split(";")]
        if not parts[0]:
            continue
        parameters = []
        for part in parts[1:]:
            name, equals, text = part.partition("=")
            parameters.append((name.strip(), text.strip().strip('"') if equals else None))
        extensions.append((parts[0], parameters))
    return extensions
