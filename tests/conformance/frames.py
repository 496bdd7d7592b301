"""Frames of RFC 6455 section 5 as bytes. Written from the RFC; nothing here comes from the library under test."""

import dataclasses
import os

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
OPCODES = {CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG}
RSV1 = 4
CONTROL_PAYLOAD_MAX = 125

# Section 7.4.1 and the registry of section 11.7, as far as a frame may carry them.
CLOSE_CODES = {1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014}


class Failure(Exception):
    """The connection has to be failed (section 7.1.7) with this close code."""

    def __init__(self, code, reason=""):
        super().__init__(f"{code} {reason}")
        self.code = code


@dataclasses.dataclass
class Header:
    opcode: int
    fin: bool
    rsv: int
    length: int
    key: bytes | None  # None: not masked
    minimal: bool  # the length is in its shortest form
    size: int  # bytes of the header itself

    def is_control(self):
        return self.opcode >= 8


def parse_header(data, at):
    """The header that begins at `at`; None if it is not whole yet."""
    have = len(data) - at
    if have < 2:
        return None
    first, second = data[at], data[at + 1]
    length = second & 0x7F
    wide = {126: 2, 127: 8}.get(length, 0)
    size = 2 + wide + (4 if second & 0x80 else 0)
    if have < size:
        return None
    minimal = True
    if wide:
        length = int.from_bytes(data[at + 2:at + 2 + wide], "big")
        minimal = length > (125 if wide == 2 else 0xFFFF)
    key = bytes(data[at + size - 4:at + size]) if second & 0x80 else None
    return Header(first & 0x0F, bool(first & 0x80), first >> 4 & 7, length, key, minimal, size)


def mask(data, key, offset=0):
    """Masks or unmasks what stands `offset` bytes behind the start of the payload (section 5.3)."""
    size = len(data)
    turned = key[offset % 4:] + key[:offset % 4]
    stream = (turned * (size // 4 + 1))[:size]
    # One operation on two large numbers: byte by byte would take seconds for the largest messages.
    return (int.from_bytes(data, "little") ^ int.from_bytes(stream, "little")).to_bytes(size, "little")


def length_field(size):
    """The 7 bits of the length, and the bytes behind them."""
    if size <= 125:
        return size, b""
    if size <= 0xFFFF:
        return 126, size.to_bytes(2, "big")
    return 127, size.to_bytes(8, "big")


def encode(opcode, payload, fin=True, rsv=0, masked=False, length=length_field):
    short, extended = length(len(payload))
    head = bytes([(0x80 if fin else 0) | rsv << 4 | opcode, (0x80 if masked else 0) | short]) + extended
    if not masked:
        return head + payload
    key = os.urandom(4)
    return head + key + mask(payload, key)


def close_payload(code, reason=b""):
    return b"" if code is None else code.to_bytes(2, "big") + reason


def close_code_allowed(code):
    return code in CLOSE_CODES or 3000 <= code <= 4999
