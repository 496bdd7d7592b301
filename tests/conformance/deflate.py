"""permessage-deflate (RFC 7692) for the echo peer, on Python's zlib module."""

import zlib

import frames
import handshake

NAME = "permessage-deflate"
FLAGS = ("server_no_context_takeover", "client_no_context_takeover")
WINDOWS = ("server_max_window_bits", "client_max_window_bits")
TAIL = b"\x00\x00\xff\xff"  # what a flush ends with, and a message does not carry (section 7.2.1)


def checked(parameters, windows_without_value=()):
    """The parameters as a dictionary; None if they are not well-formed (sections 7.1.1, 7.1.2)."""
    found = {}
    for name, value in parameters:
        if name in found:
            return None
        if name in FLAGS:
            if value is not None:
                return None
            found[name] = True
        elif name in WINDOWS:
            if value is None:
                if name not in windows_without_value:
                    return None
                found[name] = 15
            elif value.isdigit() and not value.startswith("0") and 8 <= int(value) <= 15:
                found[name] = int(value)
            else:
                return None
        else:
            return None
    return found


def accept(header):
    """The server's choice among the offers: what it answers, as a dictionary; None declines."""
    for name, parameters in handshake.parse_extensions(header):
        offer = checked(parameters, ["client_max_window_bits"]) if name == NAME else None
        # zlib has no raw stream with a window of 256 bytes.
        if offer is None or offer.get("server_max_window_bits") == 8:
            continue
        return {name: offer[name] for name in ("server_no_context_takeover", "server_max_window_bits") if name in offer}
    return None


def confirm(header):
    """What the server answered to OFFER, checked by the client; None: it declined."""
    extensions = handshake.parse_extensions(header)
    if not extensions:
        return None
    if len(extensions) != 1 or extensions[0][0] != NAME:
        raise handshake.HandshakeError(f"extensions that were not offered: {header!r}")
    agreed = checked(extensions[0][1])
    if agreed is None or agreed.get("client_max_window_bits") == 8:
        raise handshake.HandshakeError(f"impossible parameters: {header!r}")
    return agreed


OFFER = f"{NAME}; client_max_window_bits"


def write(parameters):
    words = [NAME]
    for name, value in parameters.items():
        words.append(name if value is True else f"{name}={value}")
    return "; ".join(words)


class Deflate:
    """Both directions of one connection. `role` is ours; `agreed` as accept() and confirm() give it."""

    def __init__(self, role, agreed):
        other = "client" if role == "server" else "server"
        self.own_bits = agreed.get(f"{role}_max_window_bits", 15)
        self.other_bits = agreed.get(f"{other}_max_window_bits", 15)
        self.own_reset = f"{role}_no_context_takeover" in agreed
        self.other_reset = f"{other}_no_context_takeover" in agreed
        self.compressor = None
        self.decompressor = None

    def compress(self, payload):
        if self.compressor is None or self.own_reset:
            self.compressor = zlib.compressobj(6, zlib.DEFLATED, -self.own_bits)
        data = self.compressor.compress(payload) + self.compressor.flush(zlib.Z_SYNC_FLUSH)
        return self.cut_tail(data)

    def cut_tail(self, data):
        return data[:-len(TAIL)]

    def start(self):
        """A compressed message begins."""
        if self.decompressor is None or self.other_reset:
            self.decompressor = zlib.decompressobj(-self.other_bits)

    def inflate(self, data):
        try:
            return self.decompressor.decompress(data)
        except zlib.error as error:
            raise frames.Failure(1007, str(error)) from error

    def end(self):
        return self.inflate(TAIL)
